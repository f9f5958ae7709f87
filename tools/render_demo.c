/* render_demo OUT.wav TRUTH.json [STEM_DIR]: renders the song that `make demo` analyses.
 *
 * The song is written down below as text: a form, chords, drum patterns and a sung line, played by a
 * small synthesiser. Nothing in it is left to chance or to the clock, so that every run writes the same
 * bytes and the true beats and sections are known exactly; they go to TRUTH.json. With STEM_DIR, the
 * four true stems are written there too (bass.wav, drums.wav, other.wav, vocals.wav); they add up to
 * the mix. Exit status: 0, 1 when something cannot be written, 2 for wrong arguments. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 44100
#define TEMPO 136
#define BEATS_PER_BAR 4
#define STEPS_PER_BAR 16
#define BARS 68
#define FRAMES ((long)BARS * BEATS_PER_BAR * 60 * RATE / TEMPO)
#define TAU 6.283185307179586

/* ---- The song ------------------------------------------------------------------------------- */

/* Drum patterns: one character a sixteenth, '.' silent, '1'..'9' the level. */
typedef struct section {
    const char *label;
    int bars;
    const char *chords; /* one a bar, "/" before a bass note that is not the root */
    const char *kick, *snare, *rim, *clap, *hat, *open_hat, *shaker, *ride;
    const char *bass;     /* '1' root, '5' fifth, '8' octave, '-' held on */
    const char *pluck;    /* index of the chord's note, counted upwards */
    const char *keys;     /* where the electric piano strikes, as for drums */
    const char *guitar;   /* where the driven guitars strike */
    double pad, crash;    /* level of the strings; level of a crash at the start */
    double voice;             /* level of the singer */
    int fill, sung, doubled; /* a drum fill at the end; which line of the singer; with harmony */
} section;

#define INTRO_CHORDS "Dm7 Dm7 Bbmaj7 Bbmaj7 F F Csus4 C"
#define VERSE_CHORDS "Dm7 Am7 Bbmaj7 F/A Dm7 Am7 Bbmaj7 C"
#define CHORUS_CHORDS "Bb C Dm7 F/A Bb C F C/E"
#define BRIDGE_CHORDS "Gm7 Am7 Bbmaj7 Eb Gm7 Am7 Ebmaj7 C7 Gm7 Am7 Ebmaj7 C7"
#define OUTRO_CHORDS "Dm7 Dm7 Bbmaj7 Bbmaj7 F F Bbmaj7 F"

enum { NOT_SUNG, VERSE_LINE, CHORUS_LINE, BRIDGE_LINE };

static const section song_form[] = {
    {"intro", 8, INTRO_CHORDS,
     .hat = "6.2.5.2.6.2.5.23", .pluck = "0.2.1.3.2.4.3.2.", .pad = 0.7, .fill = 1},
    {"verse", 8, VERSE_CHORDS,
     .kick = "8.......7.......", .rim = "....6.......6...", .hat = "5.2.4.2.5.2.4.2.",
     .bass = "1-----..1---..5-", .keys = "6.....4...5.....", .fill = 1, .sung = VERSE_LINE, .voice = 1.7},
    {"chorus", 8, CHORUS_CHORDS,
     .kick = "9..5..7.9.5.....", .snare = "....9.......9..2", .clap = "....6.......6...",
     .hat = "7.4.6.4.7.4.6.4.", .open_hat = "..5...5...5...5.", .shaker = "5353535353535353",
     .bass = "1-1-1-8-1-1-5-8-", .keys = "7...5...6...5...", .guitar = "8.5.6.5.7.5.6.5.",
     .pad = 0.5, .crash = 1.0, .fill = 2, .sung = CHORUS_LINE, .voice = 1.3, .doubled = 1},
    {"verse", 8, VERSE_CHORDS,
     .kick = "8.......7.......", .rim = "....6.......6...", .hat = "5.2.4.2.5.2.4.2.",
     .bass = "1-----..1---..5-", .keys = "3.....2...2.....", .fill = 1, .sung = VERSE_LINE, .voice = 1.7},
    {"chorus", 8, CHORUS_CHORDS,
     .kick = "9..5..7.9.5.....", .snare = "....9.......9..2", .clap = "....6.......6...",
     .hat = "7.4.6.4.7.4.6.4.", .open_hat = "..5...5...5...5.", .shaker = "5353535353535353",
     .bass = "1-1-1-8-1-1-5-8-", .keys = "7...5...6...5...", .guitar = "8.5.6.5.7.5.6.5.",
     .pad = 0.5, .crash = 1.0, .fill = 0, .sung = CHORUS_LINE, .voice = 1.3, .doubled = 1},
    {"bridge", 12, BRIDGE_CHORDS,
     .snare = "........7.......", .ride = "5...4...5...4...", .pad = 1.0, .crash = 0.6,
     .sung = BRIDGE_LINE, .voice = 0.9},
    {"chorus", 8, CHORUS_CHORDS,
     .kick = "9..5..7.9.5.....", .snare = "....9.......9..2", .clap = "....7.......7...",
     .hat = "7.4.6.4.7.4.6.4.", .open_hat = "..5...5...5...5.", .shaker = "5353535353535353",
     .bass = "1-1-1-8-1-1-5-8-", .keys = "7...5...6...5...", .guitar = "8.5.6.5.7.5.6.5.",
     .pad = 0.5, .crash = 1.0, .fill = 1, .sung = CHORUS_LINE, .voice = 1.3, .doubled = 1},
    {"outro", 8, OUTRO_CHORDS,
     .hat = "6.2.5.2.6.2.5.23", .bass = "1---------------",
     .keys = "5...............", .pluck = "0.2.1.3.2.4.3.2.", .pad = 0.7, .crash = 0.7},
};
#define SECTIONS ((int)(sizeof song_form / sizeof *song_form))
#define FADE_BARS 5

/* A sung note: bar, first sixteenth and length in sixteenths, MIDI pitch, consonant and vowel. */
typedef struct sung_note {
    int bar, step, length, pitch;
    char syllable[3];
} sung_note;

static const sung_note verse_line[] = {
    {0, 2, 2, 65, "na"}, {0, 4, 2, 67, "lo"}, {0, 6, 5, 69, "de"}, {0, 12, 2, 67, "na"},
    {0, 14, 2, 65, "se"}, {1, 0, 6, 64, "lo"}, {1, 8, 2, 60, "da"}, {1, 10, 5, 62, "mi"},
    {2, 2, 2, 65, "to"}, {2, 4, 2, 65, "na"}, {2, 6, 4, 67, "le"}, {2, 10, 2, 69, "du"},
    {2, 12, 4, 65, "ma"}, {3, 0, 8, 60, "no"}, {4, 2, 2, 65, "na"}, {4, 4, 2, 67, "si"},
    {4, 6, 4, 69, "la"}, {4, 10, 2, 72, "te"}, {4, 12, 4, 69, "no"}, {5, 0, 6, 67, "le"},
    {5, 8, 2, 64, "da"}, {5, 10, 5, 64, "mu"}, {6, 2, 2, 62, "so"}, {6, 4, 2, 65, "la"},
    {6, 6, 2, 67, "ti"}, {6, 8, 4, 69, "na"}, {6, 12, 4, 70, "le"}, {7, 0, 10, 67, "lo"},
};
static const sung_note chorus_line[] = {
    {0, 0, 4, 74, "da"}, {0, 4, 4, 72, "lo"}, {0, 8, 2, 70, "na"}, {0, 10, 5, 72, "ha"},
    {1, 2, 2, 67, "ti"}, {1, 4, 2, 69, "na"}, {1, 6, 2, 72, "le"}, {1, 8, 7, 67, "lo"},
    {2, 0, 4, 69, "da"}, {2, 4, 4, 69, "lo"}, {2, 8, 2, 67, "na"}, {2, 10, 5, 65, "ha"},
    {3, 4, 2, 65, "si"}, {3, 6, 2, 67, "na"}, {3, 8, 6, 69, "ma"}, {3, 14, 2, 72, "le"},
    {4, 0, 4, 74, "da"}, {4, 4, 4, 72, "lo"}, {4, 8, 2, 70, "na"}, {4, 10, 6, 74, "ha"},
    {5, 0, 4, 76, "la"}, {5, 4, 2, 74, "te"}, {5, 6, 6, 72, "no"}, {5, 12, 4, 67, "me"},
    {6, 0, 6, 69, "da"}, {6, 6, 2, 67, "li"}, {6, 8, 2, 65, "na"}, {6, 10, 5, 69, "lo"},
    {7, 0, 11, 67, "ha"},
};
static const sung_note bridge_line[] = {
    {0, 0, 14, 62, "mu"}, {1, 0, 14, 64, "nu"},  {2, 0, 8, 65, "lu"},   {2, 8, 7, 62, "no"},
    {3, 0, 14, 63, "mo"}, {4, 0, 14, 62, "mu"},  {5, 0, 14, 64, "nu"},  {6, 0, 8, 67, "lo"},
    {6, 8, 7, 70, "na"},  {7, 0, 15, 67, "ha"},  {8, 0, 14, 62, "mu"},  {9, 0, 14, 64, "nu"},
    {10, 0, 14, 67, "nu"}, {11, 0, 14, 64, "nu"},
};

/* ---- Time, chance and oscillators ------------------------------------------------------------- */

/* The sample on which a sixteenth, counted from the start of the song, begins. */
static long step_frame(int bar, int step)
{
    const long steps = (long)bar * STEPS_PER_BAR + step;
    return (steps * 60 * RATE * BEATS_PER_BAR + TEMPO * STEPS_PER_BAR / 2) / (TEMPO * STEPS_PER_BAR);
}

static double seconds(long frames) { return (double)frames / RATE; }
static long frames_of(double time) { return (long)(time * RATE); }
static double pitch_hz(double midi) { return 440.0 * exp2((midi - 69) / 12); }

/* White noise in [-1, 1). */
static double noise(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return (double)*state / 2147483648.0 - 1;
}

/* A seed that is never 0, from up to three small numbers. */
static uint32_t seed_of(unsigned a, unsigned b, unsigned c)
{
    uint32_t seed = 2166136261u;
    const unsigned parts[] = {a, b, c};
    for (int i = 0; i < 3; i++)
        seed = (seed ^ (parts[i] + 0x9e37u)) * 16777619u;
    seed ^= seed >> 15;
    return seed | 1;
}

#define SINE_SIZE 8192
static double sine_table[SINE_SIZE + 1];

/* The sine of a phase counted in turns, 0 <= phase. */
static double sine(double phase)
{
    const double at = (phase - floor(phase)) * SINE_SIZE;
    const int i = (int)at;
    return sine_table[i] + (at - i) * (sine_table[i + 1] - sine_table[i]);
}

/* What rounds off a step of height 2 at phase 0, so that a saw does not alias. */
static double step_correction(double phase, double increment)
{
    if (phase < increment) {
        const double t = phase / increment;
        return t + t - t * t - 1;
    }
    if (phase > 1 - increment) {
        const double t = (phase - 1) / increment;
        return t * t + t + t + 1;
    }
    return 0;
}

static double saw(double *phase, double hz)
{
    const double increment = hz / RATE;
    *phase += increment;
    *phase -= floor(*phase);
    return 2 * *phase - 1 - step_correction(*phase, increment);
}

/* ---- Filters ---------------------------------------------------------------------------------- */

/* A state-variable filter, trapezoidal integration. */
typedef struct filter {
    double g, k, a1, a2, a3, s1, s2;
    double low, band, high;
} filter;

static void filter_tune(filter *f, double hz, double q)
{
    f->g = tan(TAU / 2 * fmin(hz, 0.45 * RATE) / RATE);
    f->k = 1 / q;
    f->a1 = 1 / (1 + f->g * (f->g + f->k));
    f->a2 = f->g * f->a1;
    f->a3 = f->g * f->a2;
}

static void filter_run(filter *f, double x)
{
    const double v3 = x - f->s2;
    f->band = f->a1 * f->s1 + f->a2 * v3;
    f->low = f->s2 + f->a2 * f->s1 + f->a3 * v3;
    f->high = x - f->k * f->band - f->low;
    f->s1 = 2 * f->band - f->s1;
    f->s2 = 2 * f->low - f->s2;
}

/* ---- Stems ------------------------------------------------------------------------------------ */

enum { BASS, DRUMS, OTHER, VOCALS, STEMS };
static const char *const stem_names[STEMS] = {"bass", "drums", "other", "vocals"};

/* Interleaved stereo; `hall` is what the reverberation hears. */
typedef struct stem {
    float *dry, *hall;
} stem;

typedef struct song {
    stem stems[STEMS];
    float *duck; /* how far the kick drum pushes the harmony back, per frame */
} song;

static void add(stem *out, long at, double left, double right, double send)
{
    if (at < 0 || at >= FRAMES)
        return;
    out->dry[2 * at] += (float)left;
    out->dry[2 * at + 1] += (float)right;
    out->hall[2 * at] += (float)(left * send);
    out->hall[2 * at + 1] += (float)(right * send);
}

/* Constant power: -1 left, 0 middle, 1 right. */
typedef struct pan {
    double left, right;
} pan;

static pan pan_at(double position)
{
    const double turn = (position + 1) / 8;
    return (pan){sine(turn + 0.25) * 1.41421356, sine(turn) * 1.41421356};
}

/* Rises over `attack` seconds, falls over `release` before `length`. */
static double gate(double t, double length, double attack, double release)
{
    double level = 1;
    if (t < attack)
        level = t / attack;
    if (t > length - release)
        level *= fmax(0, (length - t) / release);
    return level;
}

/* ---- Drums ------------------------------------------------------------------------------------ */

static void kick(stem *out, long at, double level)
{
    double phase = 0;
    uint32_t chance = seed_of(1, 0, 0);
    for (long n = 0; n < frames_of(0.45); n++) {
        const double t = seconds(n);
        phase += (47 + 120 * exp(-t / 0.028) + 700 * exp(-t / 0.0035)) / RATE;
        const double body = tanh(1.8 * sine(phase) * exp(-t / 0.15)) * gate(t, 0.45, 0.0004, 0.1);
        const double click = noise(&chance) * exp(-t / 0.002);
        const double y = level * (0.85 * body + 0.22 * click);
        add(out, at + n, y, y, 0.02);
    }
}

static void snare(stem *out, long at, double level)
{
    double body = 0, overtone = 0;
    uint32_t chance = seed_of(2, (unsigned)(at & 0xffff), 0);
    filter wires = {0}, air = {0};
    filter_tune(&wires, 2600, 0.6);
    filter_tune(&air, 5200, 0.7);
    for (long n = 0; n < frames_of(0.4); n++) {
        const double t = seconds(n);
        body += (178 + 70 * exp(-t / 0.012)) / RATE;
        overtone += (332 + 60 * exp(-t / 0.01)) / RATE;
        const double x = noise(&chance);
        filter_run(&wires, x);
        filter_run(&air, x);
        const double tone = 0.75 * sine(body) * exp(-t / 0.075) + 0.4 * sine(overtone) * exp(-t / 0.045);
        const double rattle = 0.7 * wires.band * (0.75 * exp(-t / 0.05) + 0.35 * exp(-t / 0.13)) +
                              0.5 * air.high * exp(-t / 0.085);
        const double y = level * tanh(1.3 * (tone + rattle)) * gate(t, 0.4, 0.0003, 0.1);
        add(out, at + n, 0.97 * y, 1.03 * y, 0.16);
    }
}

static void rim(stem *out, long at, double level)
{
    double wood = 0, shell = 0;
    uint32_t chance = seed_of(14, 0, 0);
    for (long n = 0; n < frames_of(0.15); n++) {
        const double t = seconds(n);
        wood += 1720.0 / RATE;
        shell += 470.0 / RATE;
        const double y = level * (0.6 * sine(wood) * exp(-t / 0.012) + 0.5 * sine(shell) * exp(-t / 0.03) +
                                  0.4 * noise(&chance) * exp(-t / 0.004));
        add(out, at + n, y, y, 0.2);
    }
}

static void clap(stem *out, long at, double level)
{
    for (unsigned side = 0; side < 2; side++) {
        uint32_t chance = seed_of(3, side, (unsigned)(at & 0xffff));
        filter hands = {0};
        filter_tune(&hands, 1250, 1.4);
        for (long n = 0; n < frames_of(0.3); n++) {
            const double t = seconds(n), flam = fmod(t, 0.009);
            const double env = t < 0.027 ? exp(-flam / 0.004) : exp(-(t - 0.027) / 0.06);
            filter_run(&hands, noise(&chance) * env);
            const double y = 1.5 * level * hands.band;
            add(out, at + n, side == 0 ? y : 0, side == 1 ? y : 0, 0.25);
        }
    }
}

/* Six clashing square waves and noise, as in the drum machines: hats, ride and crash differ in how long
 * they ring and how much of each there is. */
static void cymbal(stem *out, long at, double level, double decay, double metal, double cutoff,
                   double where, unsigned kind)
{
    static const double partials[6] = {205.3, 304.4, 369.6, 522.7, 635.1, 800.6};
    const double length = fmin(decay * 6, 4.0), shine = kind == 1 ? 1.62 : 1.31;
    const pan place = pan_at(where);
    for (unsigned side = 0; side < 2; side++) {
        uint32_t chance = seed_of(4 + kind, side, (unsigned)(at & 0xffff));
        double phases[6] = {0};
        filter high = {0}, ring = {0};
        filter_tune(&high, cutoff, 0.8);
        filter_tune(&ring, cutoff * 1.25, 1.5);
        for (long n = 0; n < frames_of(length); n++) {
            const double t = seconds(n);
            double squares = 0;
            for (int i = 0; i < 6; i++) {
                phases[i] += partials[i] * shine * (side == 0 ? 1 : 1.0007) / RATE;
                squares += sine(phases[i]) > 0 ? 1.0 / 6 : -1.0 / 6;
            }
            filter_run(&high, (1 - metal) * noise(&chance) + metal * squares);
            filter_run(&ring, squares);
            const double env = (0.7 * exp(-t / decay) + 0.3 * exp(-t / (0.25 * decay))) *
                               gate(t, length, 0.0003, 0.2 * length);
            const double y = level * (0.8 * high.high + 0.35 * metal * ring.band) * env;
            add(out, at + n, side == 0 ? y * place.left : 0, side == 1 ? y * place.right : 0, 0.06);
        }
    }
}

static void shaker(stem *out, long at, double level)
{
    uint32_t chance = seed_of(8, (unsigned)(at & 0xffff), 0);
    filter beads = {0};
    filter_tune(&beads, 6800, 1.1);
    const pan place = pan_at(-0.45);
    for (long n = 0; n < frames_of(0.09); n++) {
        const double t = seconds(n);
        filter_run(&beads, noise(&chance));
        const double y = level * beads.band * fmin(t / 0.006, 1) * exp(-t / 0.022);
        add(out, at + n, y * place.left, y * place.right, 0.05);
    }
}

static void tom(stem *out, long at, double level, double hz, double where)
{
    double phase = 0;
    uint32_t chance = seed_of(9, (unsigned)hz, 0);
    const pan place = pan_at(where);
    for (long n = 0; n < frames_of(0.5); n++) {
        const double t = seconds(n);
        phase += hz * (1 + 0.7 * exp(-t / 0.03)) / RATE;
        const double y = level * (tanh(1.5 * sine(phase) * exp(-t / 0.14)) * gate(t, 0.5, 0.0005, 0.1) +
                                  0.25 * noise(&chance) * exp(-t / 0.008));
        add(out, at + n, y * place.left, y * place.right, 0.12);
    }
}

/* The level, 0..1, of a pattern at a step; 0 for no pattern. */
static double pattern_level(const char *pattern, int step)
{
    const char c = pattern ? pattern[step] : '.';
    return c >= '1' && c <= '9' ? (c - '0') / 9.0 : 0;
}

static void play_fill(stem *out, int bar, int kind)
{
    static const char *const toms[] = {"........66..55..", "........8.66554."};
    static const char *const snares[] = {"......4...7...77", "....8.......7799"};
    for (int step = 0; step < STEPS_PER_BAR; step++) {
        const long at = step_frame(bar, step);
        const double low = step / 15.0, level = pattern_level(toms[kind - 1], step);
        if (level > 0)
            tom(out, at, 0.75 * level, 210 - 110 * low, 0.6 - 1.2 * low);
        if (pattern_level(snares[kind - 1], step) > 0)
            snare(out, at, 0.55 * pattern_level(snares[kind - 1], step));
    }
}

static void play_drums(song *s, const section *part, int first_bar)
{
    stem *out = &s->stems[DRUMS];
    if (part->crash > 0)
        cymbal(out, step_frame(first_bar, 0), 0.42 * part->crash, 1.1, 0.25, 3300, -0.3, 2);
    for (int bar = first_bar; bar < first_bar + part->bars; bar++) {
        const int filling = part->fill && bar == first_bar + part->bars - 1;
        for (int step = 0; step < STEPS_PER_BAR; step++) {
            const long at = step_frame(bar, step);
            const double hit = pattern_level(part->kick, step);
            if (hit > 0) {
                kick(out, at, 0.78 * hit);
                for (long n = 0; n < frames_of(0.25) && at + n < FRAMES; n++)
                    s->duck[at + n] = (float)(1 - 0.45 * hit * exp(-seconds(n) / 0.07));
            }
            if (!(filling && step >= 4) && pattern_level(part->snare, step) > 0)
                snare(out, at, 0.62 * pattern_level(part->snare, step));
            if (!(filling && step >= 4) && pattern_level(part->rim, step) > 0)
                rim(out, at, 0.5 * pattern_level(part->rim, step));
            if (!(filling && step >= 4) && pattern_level(part->clap, step) > 0)
                clap(out, at, 0.5 * pattern_level(part->clap, step));
            if (!(filling && step >= 12) && pattern_level(part->hat, step) > 0)
                cymbal(out, at, 0.34 * pattern_level(part->hat, step), 0.035, 0.5, 7200, 0.3, 0);
            if (pattern_level(part->open_hat, step) > 0)
                cymbal(out, at, 0.26 * pattern_level(part->open_hat, step), 0.13, 0.5, 6800, 0.3, 0);
            if (pattern_level(part->ride, step) > 0)
                cymbal(out, at, 0.24 * pattern_level(part->ride, step), 0.55, 0.7, 4700, 0.4, 1);
            if (pattern_level(part->shaker, step) > 0)
                shaker(out, at, 0.3 * pattern_level(part->shaker, step));
        }
        if (filling)
            play_fill(out, bar, part->fill);
    }
}

/* ---- Harmony ---------------------------------------------------------------------------------- */

typedef struct chord {
    int bass;     /* MIDI, in 28..39 */
    int root;     /* MIDI, in 48..59 */
    int count;
    int notes[4]; /* semitones above the root, ascending */
} chord;

/* Reads a note name and moves on; the result is 0 (C) to 11. */
static int read_note(const char **text)
{
    static const int letters[7] = {9, 11, 0, 2, 4, 5, 7}; /* A to G */
    int note = letters[*(*text)++ - 'A'];
    for (; **text == '#' || **text == 'b'; (*text)++)
        note += **text == '#' ? 1 : -1;
    return (note + 12) % 12;
}

/* The chord of a bar from a list such as "Dm7 F/A C". */
static chord read_chord(const char *list, int bar)
{
    static const struct {
        const char *name;
        int count, notes[4];
    } kinds[] = {
        {"", 3, {0, 4, 7}},        {"m", 3, {0, 3, 7}},         {"m7", 4, {0, 3, 7, 10}},
        {"7", 4, {0, 4, 7, 10}},   {"maj7", 4, {0, 4, 7, 11}},  {"sus4", 3, {0, 5, 7}},
    };
    for (; bar > 0; bar--)
        list = strchr(list, ' ') + 1;
    const int root = read_note(&list);
    const size_t length = strcspn(list, "/ ");
    chord result = {.root = 48 + root};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i].name) == length && strncmp(kinds[i].name, list, length) == 0) {
            result.count = kinds[i].count;
            memcpy(result.notes, kinds[i].notes, sizeof result.notes);
        }
    }
    list += length;
    int low = root;
    if (*list == '/') {
        list++;
        low = read_note(&list);
    }
    result.bass = low < 4 ? 36 + low : 24 + low;
    return result;
}

/* Voices the chord closely inside [floor, floor + 12). */
static int voice_pitch(const chord *c, int note, int floor)
{
    int pitch = c->root + c->notes[note];
    while (pitch >= floor + 12)
        pitch -= 12;
    while (pitch < floor)
        pitch += 12;
    return pitch;
}

static void bass_note(song *s, long at, double length, double pitch, double level)
{
    stem *out = &s->stems[BASS];
    const double hz = pitch_hz(pitch);
    double phase = 0.25, second = 0.5, sub = 0;
    filter low = {0};
    for (long n = 0; n < frames_of(length); n++) {
        const double t = seconds(n);
        if (n % 16 == 0)
            filter_tune(&low, 240 + hz + 1500 * level * exp(-t / 0.11), 0.9);
        sub += hz / RATE;
        filter_run(&low, 0.6 * saw(&phase, hz) + 0.4 * saw(&second, hz * 1.003));
        const double y = tanh(1.4 * (0.75 * low.low + 0.55 * sine(sub))) * gate(t, length, 0.004, 0.03) *
                         (0.75 + 0.25 * exp(-t / 0.2)) * level;
        const double ducked = at + n < FRAMES ? y * (0.5 + 0.5 * s->duck[at + n]) : 0;
        add(out, at + n, ducked, ducked, 0);
    }
}

/* Two-operator frequency modulation with a bell-like stroke, and a slow tremolo between the sides. */
static void piano_note(song *s, long at, double length, double pitch, double level)
{
    const double hz = pitch_hz(pitch), brightness = 1.5 * level * fmin(1, 330 / hz);
    double carrier = 0, tine = 0;
    for (long n = 0; n < frames_of(length); n++) {
        const double t = seconds(n);
        carrier += hz / RATE;
        tine += hz * 14 / RATE;
        const double stroke = 0.18 * sine(tine) * exp(-t / 0.05);
        const double index = brightness * (0.35 + 0.65 * exp(-t / 0.35));
        const double y = level * exp(-t / 1.6) * gate(t, length, 0.002, 0.08) *
                         (sine(carrier + 8 + index * sine(carrier) / TAU * 2) + 0.3 * stroke);
        const double sway = 0.18 * sine(4.6 * seconds(at + n) + 1);
        const double ducked = at + n < FRAMES ? y * (0.4 + 0.6 * s->duck[at + n]) : 0;
        add(&s->stems[OTHER], at + n, ducked * (1 - sway), ducked * (1 + sway), 0.15);
    }
}

/* Strings: three detuned saws a side through a slowly moving filter. */
static void pad_note(song *s, long at, double length, double pitch, double level)
{
    static const double detune[2][3] = {{0.9965, 1.0004, 1.0031}, {0.9972, 0.9998, 1.0037}};
    const double hz = pitch_hz(pitch);
    for (unsigned side = 0; side < 2; side++) {
        double phases[3] = {0.1 + 0.37 * side, 0.43, 0.81 - 0.29 * side};
        filter low = {0};
        for (long n = 0; n < frames_of(length); n++) {
            const double t = seconds(n);
            if (n % 32 == 0)
                filter_tune(&low, 1500 + 500 * sine(0.11 * seconds(at + n) + 0.3 * side + 1), 0.7);
            double sum = 0;
            for (int i = 0; i < 3; i++)
                sum += saw(&phases[i], hz * detune[side][i]);
            filter_run(&low, sum / 3);
            const double y = level * low.low * gate(t, length, 0.18, 0.25);
            const double ducked = at + n < FRAMES ? y * s->duck[at + n] : 0;
            add(&s->stems[OTHER], at + n, side == 0 ? ducked : 0, side == 1 ? ducked : 0, 0.3);
        }
    }
}

/* A plucked string: noise in a delay line that loses its highs as it goes round. */
static void pluck_note(stem *out, long at, double pitch, double level, double where)
{
    enum { LONGEST = 1024 };
    double line[LONGEST], last = 0, tuning = 0, before = 0;
    const double period = RATE / pitch_hz(pitch) - 0.5;
    const int size = (int)(period - 0.2);
    const double fraction = period - size, allpass = (1 - fraction) / (1 + fraction);
    uint32_t chance = seed_of(10, (unsigned)pitch, (unsigned)(at & 0xffff));
    double soft = 0;
    for (int i = 0; i < size; i++) {
        soft += 0.55 * (noise(&chance) - soft);
        line[i] = soft;
    }
    const pan place = pan_at(where);
    const double length = 1.4;
    for (long n = 0; n < frames_of(length); n++) {
        const double x = line[n % size], averaged = 0.5 * (x + last);
        last = x;
        tuning = allpass * (averaged - tuning) + before;
        before = averaged;
        line[n % size] = 0.996 * tuning;
        const double y = level * x * gate(seconds(n), length, 0.0005, 0.3);
        add(out, at + n, y * place.left, y * place.right, 0.22);
    }
}

/* Driven guitars: root, fifth and octave through a soft clipper and a speaker; one take a side. */
static void guitar_strike(song *s, long at, double length, int root, double level)
{
    static const double intervals[3] = {0, 7, 12};
    for (unsigned side = 0; side < 2; side++) {
        uint32_t chance = seed_of(11, side, (unsigned)(at & 0xffff));
        double phases[3], cents[3];
        for (int i = 0; i < 3; i++) {
            phases[i] = 0.5 + 0.5 * noise(&chance);
            cents[i] = 0.05 * noise(&chance);
        }
        filter speaker = {0}, body = {0};
        filter_tune(&speaker, 3600, 0.8);
        filter_tune(&body, 110, 0.7);
        for (long n = 0; n < frames_of(length); n++) {
            const double t = seconds(n);
            double sum = 0.1 * noise(&chance) * exp(-t / 0.006);
            for (int i = 0; i < 3; i++)
                sum += saw(&phases[i], pitch_hz(root + intervals[i] + cents[i])) / 3;
            const double force = (0.4 + 0.6 * exp(-t / 0.18)) * gate(t, length, 0.002, 0.02);
            filter_run(&speaker, tanh(5 * sum * force));
            filter_run(&body, speaker.low);
            const double y = level * body.high * gate(t, length, 0.001, 0.015);
            const double ducked = at + n < FRAMES ? y * (0.5 + 0.5 * s->duck[at + n]) : 0;
            add(&s->stems[OTHER], at + n, side == 0 ? ducked : 0.12 * ducked,
                side == 1 ? ducked : 0.12 * ducked, 0.08);
        }
    }
}

static void play_bass(song *s, const section *part, const chord *c, int bar)
{
    for (int step = 0; part->bass && step < STEPS_PER_BAR; step++) {
        const char mark = part->bass[step];
        if (mark == '.' || mark == '-')
            continue;
        int end = step + 1;
        while (end < STEPS_PER_BAR && part->bass[end] == '-')
            end++;
        const long at = step_frame(bar, step);
        const int up = mark == '5' ? 7 : mark == '8' ? 12 : 0;
        bass_note(s, at, seconds(step_frame(bar, end) - at) - 0.01, c->bass + up,
                  step % 4 == 0 ? 0.62 : 0.52);
    }
}

static void play_harmony(song *s, const section *part, int first_bar)
{
    for (int bar = 0; bar < part->bars; bar++) {
        const chord c = read_chord(part->chords, bar);
        const long start = step_frame(first_bar + bar, 0), end = step_frame(first_bar + bar + 1, 0);
        play_bass(s, part, &c, first_bar + bar);
        for (int i = 0; part->pad > 0 && i < c.count; i++)
            pad_note(s, start, seconds(end - start) + 0.2, voice_pitch(&c, i, 57), 0.15 * part->pad);
        for (int step = 0; step < STEPS_PER_BAR; step++) {
            const long at = step_frame(first_bar + bar, step);
            const double key = pattern_level(part->keys, step);
            for (int i = 0; key > 0 && i < c.count; i++)
                piano_note(s, at, fmin(seconds(end - at), 1.5), voice_pitch(&c, i, 55), 0.17 * key);
            const double strike = pattern_level(part->guitar, step);
            if (strike > 0)
                guitar_strike(s, at, seconds(step_frame(0, 2)) * (strike > 0.7 ? 1 : 0.8),
                              c.bass + 12 < 43 ? c.bass + 12 : c.bass, 0.11 * (0.5 + strike / 2));
            if (part->pluck && part->pluck[step] != '.') {
                const int index = part->pluck[step] - '0';
                const int pitch = c.root + 12 + c.notes[index % c.count] + 12 * (index / c.count);
                pluck_note(&s->stems[OTHER], at, pitch, step % 4 == 0 ? 0.55 : 0.42,
                           step % 4 == 0 ? -0.5 : 0.5);
            }
        }
    }
}

/* ---- The singer ------------------------------------------------------------------------------- */

#define FORMANTS 5

/* How the mouth stands. `voice`, `breath` and `hiss` are levels of the glottal pulses, of noise through
 * the same formants, and of noise through a filter at `hiss_hz`. */
typedef struct mouth {
    double formants[FORMANTS], widths[FORMANTS];
    double voice, breath, hiss, hiss_hz;
} mouth;

/* One stretch of the line: a consonant or a vowel on one pitch. */
typedef struct utterance {
    long start, end, vowel_start;
    double pitch;
    mouth shape;
} utterance;

/* First three formants: averages for women in Peterson and Barney, 1952. */
static mouth vowel_shape(char vowel)
{
    static const struct {
        char name;
        double formants[3];
    } vowels[] = {{'a', {850, 1220, 2810}}, {'e', {610, 2330, 2990}}, {'i', {310, 2790, 3310}},
                  {'o', {590, 920, 2710}},  {'u', {370, 950, 2670}}};
    mouth m = {.formants = {0, 0, 0, 3900, 4900}, .widths = {85, 100, 140, 220, 300},
               .voice = 1, .breath = 0.07, .hiss_hz = 5000};
    for (size_t i = 0; i < sizeof vowels / sizeof *vowels; i++)
        if (vowels[i].name == vowel)
            memcpy(m.formants, vowels[i].formants, sizeof vowels[i].formants);
    return m;
}

/* The shape of a consonant before `vowel`; returns its length in seconds. */
static double consonant_shape(char consonant, char vowel, mouth *m)
{
    *m = vowel_shape(vowel);
    switch (consonant) {
    case 'm':
    case 'n':
        m->formants[0] = 270;
        m->formants[1] = consonant == 'm' ? 1050 : 1600;
        m->widths[1] = m->widths[2] = 320;
        m->voice = 0.5;
        return 0.075;
    case 'l':
        m->formants[0] = 360;
        m->formants[1] = 1250;
        m->voice = 0.6;
        return 0.06;
    case 's':
        m->voice = 0;
        m->hiss = 0.2;
        m->hiss_hz = 7000;
        return 0.1;
    case 't':
        m->voice = 0;
        m->hiss = 0.3;
        m->hiss_hz = 4500;
        return 0.025;
    case 'd':
        m->formants[0] = 280;
        m->formants[1] = 1750;
        m->voice = 0.25;
        m->hiss = 0.12;
        m->hiss_hz = 3800;
        return 0.03;
    default: /* h */
        m->voice = 0.05;
        m->breath = 0.35;
        return 0.06;
    }
}

/* The flow through the glottis: it opens slowly, closes fast and stays shut for a while. */
static double glottis(double phase)
{
    const double opening = 0.42, closing = 0.18;
    if (phase < opening)
        return 0.5 - 0.5 * sine(phase / opening / 2 + 0.25);
    if (phase < opening + closing)
        return sine((phase - opening) / closing / 4 + 0.25);
    return 0;
}

typedef struct singer {
    stem *out;
    unsigned take;
    double level, where, transpose, cents;
} singer;

/* Sings utterances in order of time; between two that do not touch, the mouth is shut. */
static void sing(const singer *who, const utterance *list, int count)
{
    const pan place = pan_at(who->where);
    uint32_t chance = seed_of(12, who->take, (unsigned)(list[0].start & 0xffff));
    double resonance[FORMANTS][2] = {{0}}, gain[FORMANTS] = {0}, b[FORMANTS] = {0}, c[FORMANTS] = {0};
    double phase = 0, flow = 0, drift = 0, bend = 1.2, high = 0;
    filter hiss = {0};
    mouth now = list[0].shape;
    now.voice = now.breath = now.hiss = 0;
    double pitch = list[0].pitch;
    int at = 0;
    for (long n = list[0].start; n < list[count - 1].end + frames_of(0.15); n++) {
        while (at + 1 < count && n >= list[at + 1].start)
            at++;
        const utterance *u = &list[at];
        const int open = n < u->end;
        const double held = seconds(n - u->vowel_start);

        if (n % 32 == 0) {
            const double quick = 32 / (0.010 * RATE), slow = 32 / (0.022 * RATE);
            for (int i = 0; i < FORMANTS; i++) {
                now.formants[i] += slow * (u->shape.formants[i] - now.formants[i]);
                now.widths[i] += slow * (u->shape.widths[i] - now.widths[i]);
                const double r = exp(-TAU / 2 * now.widths[i] / RATE);
                c[i] = -r * r;
                b[i] = 2 * r * sine(now.formants[i] / RATE + 0.25);
                gain[i] = 1 - b[i] - c[i];
            }
            now.voice += quick * ((open ? u->shape.voice : 0) - now.voice);
            now.breath += quick * ((open ? u->shape.breath : 0) - now.breath);
            now.hiss += 2 * quick * ((open ? u->shape.hiss : 0) - now.hiss);
            filter_tune(&hiss, u->shape.hiss_hz, 1.2);
            pitch += 32 / (0.03 * RATE) * (u->pitch - pitch);
            drift += 0.02 * (noise(&chance) - drift);
            bend *= 0.985; /* every phrase is reached from a little below */
        }

        const double vibrato = 0.32 * fmin(fmax((held - 0.18) / 0.3, 0), 1) *
                               sine(5.4 * seconds(n) + 0.3 * who->take);
        const double hz = pitch_hz(pitch + who->transpose + who->cents + vibrato + 0.9 * drift - bend);
        phase += hz / RATE;
        phase -= floor(phase);
        const double next = glottis(phase), air = noise(&chance);
        double x = now.voice * 6 * (next - flow) + now.breath * air * (0.4 + 0.6 * next);
        flow = next;
        for (int i = 0; i < FORMANTS; i++) {
            const double y = gain[i] * x + b[i] * resonance[i][0] + c[i] * resonance[i][1];
            resonance[i][1] = resonance[i][0];
            resonance[i][0] = y;
            x = y;
        }
        filter_run(&hiss, air);
        const double y = who->level * (x + now.hiss * hiss.band + 0.25 * (x - high));
        high = x;
        add(who->out, n, y * place.left, y * place.right, 0.2);
    }
}

#define LONGEST_LINE 64

/* `floor` > 0: harmony, the next chord note at least three semitones below each sung note. */
static void sing_line(const singer *who, const sung_note *line, int count, int first_bar,
                      const char *chords, int harmony)
{
    utterance list[2 * LONGEST_LINE];
    int used = 0;
    for (int i = 0; i < count; i++) {
        const sung_note *note = &line[i];
        const long start = step_frame(first_bar + note->bar, note->step);
        long end = step_frame(first_bar + note->bar, note->step + note->length);
        double pitch = note->pitch;
        if (harmony) {
            const chord c = read_chord(chords, note->bar);
            int best = -100;
            for (int k = 0; k < c.count; k++) {
                const int candidate = voice_pitch(&c, k, note->pitch - 14);
                if (candidate > best)
                    best = candidate;
            }
            pitch = best;
        }
        mouth shape;
        const long before = frames_of(consonant_shape(note->syllable[0], note->syllable[1], &shape));
        list[used++] = (utterance){start - before, start, start, pitch, shape};
        if (i + 1 < count) {
            mouth unused;
            const sung_note *next = note + 1;
            const long limit = step_frame(first_bar + next->bar, next->step) -
                               frames_of(consonant_shape(next->syllable[0], 'a', &unused));
            end = limit < end ? limit : end;
        }
        list[used++] = (utterance){start, end, start, pitch, vowel_shape(note->syllable[1])};
    }
    sing(who, list, used);
}

static void play_voice(song *s, const section *part, int first_bar)
{
    static const struct {
        const sung_note *notes;
        int count;
    } lines[] = {
        [VERSE_LINE] = {verse_line, sizeof verse_line / sizeof *verse_line},
        [CHORUS_LINE] = {chorus_line, sizeof chorus_line / sizeof *chorus_line},
        [BRIDGE_LINE] = {bridge_line, sizeof bridge_line / sizeof *bridge_line},
    };
    if (part->sung == NOT_SUNG)
        return;
    static const singer singers[] = {
        {.take = 1, .level = 1.0, .where = 0},
        {.take = 2, .level = 0.18, .where = -0.3, .cents = 0.07},
        {.take = 3, .level = 0.18, .where = 0.3, .cents = -0.06},
        {.take = 4, .level = 0.1, .where = -0.5},
        {.take = 5, .level = 0.1, .where = 0.5, .cents = 0.05},
    };
    for (int i = 0; i < (part->doubled ? 5 : 1); i++) {
        singer who = singers[i];
        who.out = &s->stems[VOCALS];
        who.level *= 0.17 * part->voice;
        sing_line(&who, lines[part->sung].notes, lines[part->sung].count, first_bar, part->chords, i >= 3);
    }
}

/* ---- Room and mastering ----------------------------------------------------------------------- */

#define LINES 8

/* Eight delay lines that feed each other through a Householder matrix; each loses highs on its way. */
static int add_hall(stem *out)
{
    static const int lengths[LINES] = {1423, 1637, 1879, 2153, 2411, 2663, 2963, 3307};
    enum { PREDELAY = 800 };
    float *lines[LINES] = {0};
    double damped[LINES] = {0}, decay[LINES];
    int failed = 0;
    for (int i = 0; i < LINES; i++) {
        lines[i] = calloc((size_t)lengths[i], sizeof(float));
        failed |= lines[i] == NULL;
        decay[i] = pow(10, -3.0 * lengths[i] / (1.7 * RATE)); /* 60 dB in 1.7 s */
    }
    for (long n = 0; !failed && n < FRAMES; n++) {
        double taps[LINES], sum = 0;
        for (int i = 0; i < LINES; i++) {
            damped[i] += 0.55 * (lines[i][n % lengths[i]] - damped[i]);
            taps[i] = damped[i];
            sum += taps[i];
        }
        for (int i = 0; i < LINES; i++) {
            const double in = n >= PREDELAY ? out->hall[2 * (n - PREDELAY) + i % 2] : 0;
            lines[i][n % lengths[i]] = (float)(decay[i] * (taps[i] - sum * 2 / LINES) + in);
        }
        out->dry[2 * n] += (float)(0.5 * (taps[0] - taps[2] + taps[4] - taps[6]));
        out->dry[2 * n + 1] += (float)(0.5 * (taps[1] - taps[3] + taps[5] - taps[7]));
    }
    for (int i = 0; i < LINES; i++)
        free(lines[i]);
    return failed ? -1 : 0;
}

/* Removes what no speaker plays: a second-order high-pass at 28 Hz. */
static void remove_rumble(float *samples)
{
    for (int side = 0; side < 2; side++) {
        filter f = {0};
        filter_tune(&f, 28, 0.707);
        for (long n = 0; n < FRAMES; n++) {
            filter_run(&f, samples[2 * n + side]);
            samples[2 * n + side] = (float)f.high;
        }
    }
}

#define LOOK_AHEAD 220
#define CEILING 0.89 /* -1 dB */
#define LOUDNESS_GAIN 1.0

/* The gain that every stem is multiplied by: a gentle compressor on the sum, the level for the wanted
 * loudness, the fade of the outro, and a limiter that turns down before a peak comes. */
static int master_gain(const song *s, float *gain)
{
    float *wanted = malloc((size_t)FRAMES * sizeof *wanted);
    if (!wanted)
        return -1;
    const long fade = step_frame(BARS - FADE_BARS, 0);
    double power = 0;
    for (long n = 0; n < FRAMES; n++) {
        double sides[2] = {0, 0};
        for (int i = 0; i < STEMS; i++) {
            sides[0] += s->stems[i].dry[2 * n];
            sides[1] += s->stems[i].dry[2 * n + 1];
        }
        const double square = 0.5 * (sides[0] * sides[0] + sides[1] * sides[1]);
        power += (square > power ? 1 / (0.01 * RATE) : 1 / (0.15 * RATE)) * (square - power);
        const double over = 10 * log10(power + 1e-9) + 20; /* dB above -20 */
        double level = LOUDNESS_GAIN * pow(10, -fmax(over, 0) * 0.4 / 20);
        if (n >= fade) {
            const double left = (double)(FRAMES - n) / (double)(FRAMES - fade);
            level *= left * left;
        }
        const double peak = level * fmax(fabs(sides[0]), fabs(sides[1]));
        gain[n] = (float)level;
        wanted[n] = (float)(peak > CEILING ? CEILING / peak : 1);
    }
    /* The least of the frames ahead, then the mean of those behind: never above what a peak allows. */
    for (long n = 0; n < FRAMES; n++)
        for (long k = n + 1; k <= n + LOOK_AHEAD && k < FRAMES; k++)
            wanted[n] = wanted[k] < wanted[n] ? wanted[k] : wanted[n];
    double sum = LOOK_AHEAD;
    for (long n = 0; n < FRAMES; n++) {
        sum += wanted[n] - (n >= LOOK_AHEAD ? wanted[n - LOOK_AHEAD] : 1.0);
        gain[n] *= (float)(sum / LOOK_AHEAD);
    }
    free(wanted);
    return 0;
}

/* ---- Files ------------------------------------------------------------------------------------ */

static void put_number(unsigned char *to, unsigned long value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

/* Stems first..last-1 added up, as a 16-bit stereo WAV with a little triangular dither. */
static int write_wav(const char *path, const song *s, const float *gain, int first, int last)
{
    const unsigned long bytes = (unsigned long)FRAMES * 4;
    unsigned char header[44] = "RIFF....WAVEfmt ....................data";
    put_number(header + 4, bytes + 36, 4);
    put_number(header + 16, 16, 4);
    put_number(header + 20, 1, 2);
    put_number(header + 22, 2, 2);
    put_number(header + 24, RATE, 4);
    put_number(header + 28, RATE * 4, 4);
    put_number(header + 32, 4, 2);
    put_number(header + 34, 16, 2);
    put_number(header + 40, bytes, 4);
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    fwrite(header, 1, sizeof header, file);
    uint32_t chance = seed_of(13, 0, 0);
    for (long n = 0; n < FRAMES; n++) {
        unsigned char frame[4];
        for (int side = 0; side < 2; side++) {
            double x = 0;
            for (int i = first; i < last; i++)
                x += s->stems[i].dry[2 * n + side];
            const double dither = 0.5 * (noise(&chance) + noise(&chance));
            const long value = lrint(fmax(-32767, fmin(32767, 32767 * x * gain[n] + dither)));
            put_number(frame + 2 * side, (unsigned long)value, 2);
        }
        fwrite(frame, 1, sizeof frame, file);
    }
    const int failed = ferror(file);
    return fclose(file) != 0 || failed ? -1 : 0;
}

static int write_truth(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    const double beat = 60.0 / TEMPO;
    const int beats = BARS * BEATS_PER_BAR;
    fprintf(file, "{\n  \"tempo\": %d,\n  \"duration\": %.6f,\n  \"beats\": [", TEMPO, seconds(FRAMES));
    for (int i = 0; i < beats; i++)
        fprintf(file, "%s%.6f", i ? ", " : "", i * beat);
    fprintf(file, "],\n  \"downbeats\": [");
    for (int i = 0; i < beats; i += BEATS_PER_BAR)
        fprintf(file, "%s%.6f", i ? ", " : "", i * beat);
    fprintf(file, "],\n  \"beat_positions\": [");
    for (int i = 0; i < beats; i++)
        fprintf(file, "%s%d", i ? ", " : "", i % BEATS_PER_BAR + 1);
    fprintf(file, "],\n  \"segments\": [\n");
    int bar = 0;
    for (int i = 0; i < SECTIONS; i++) {
        const int next = bar + song_form[i].bars;
        fprintf(file, "    {\"start\": %.6f, \"end\": %.6f, \"label\": \"%s\"}%s\n",
                bar * BEATS_PER_BAR * beat, next * BEATS_PER_BAR * beat, song_form[i].label,
                i + 1 < SECTIONS ? "," : "");
        bar = next;
    }
    fprintf(file, "  ]\n}\n");
    const int failed = ferror(file);
    return fclose(file) != 0 || failed ? -1 : 0;
}

static int say_unwritten(const char *path)
{
    fprintf(stderr, "render_demo: %s cannot be written: %s\n", path, strerror(errno));
    return 1;
}

static int write_all(const song *s, const float *gain, char **arguments, int count)
{
    if (write_wav(arguments[1], s, gain, 0, STEMS) != 0)
        return say_unwritten(arguments[1]);
    if (write_truth(arguments[2]) != 0)
        return say_unwritten(arguments[2]);
    for (int i = 0; count > 3 && i < STEMS; i++) {
        char path[4096];
        const int length = snprintf(path, sizeof path, "%s/%s.wav", arguments[3], stem_names[i]);
        if (length < 0 || (size_t)length >= sizeof path || write_wav(path, s, gain, i, i + 1) != 0)
            return say_unwritten(path);
    }
    return 0;
}

int main(int count, char **arguments)
{
    if (count < 3 || count > 4) {
        fprintf(stderr, "usage: render_demo OUT.wav TRUTH.json [STEM_DIR]\n");
        return 2;
    }
    for (int i = 0; i <= SINE_SIZE; i++)
        sine_table[i] = sin(TAU * i / SINE_SIZE);

    song s = {0};
    int status = 1, ready = 1;
    float *gain = malloc((size_t)FRAMES * sizeof *gain);
    s.duck = malloc((size_t)FRAMES * sizeof *s.duck);
    for (int i = 0; i < STEMS; i++) {
        s.stems[i].dry = calloc((size_t)FRAMES * 2, sizeof(float));
        s.stems[i].hall = calloc((size_t)FRAMES * 2, sizeof(float));
        ready = ready && s.stems[i].dry && s.stems[i].hall;
    }
    if (gain && s.duck && ready) {
        for (long n = 0; n < FRAMES; n++)
            s.duck[n] = 1;
        for (int i = 0, bar = 0; i < SECTIONS; bar += song_form[i++].bars)
            play_drums(&s, &song_form[i], bar);
        for (int i = 0, bar = 0; i < SECTIONS; bar += song_form[i++].bars) {
            play_harmony(&s, &song_form[i], bar);
            play_voice(&s, &song_form[i], bar);
        }
        for (int i = 0; i < STEMS; i++) {
            ready = ready && add_hall(&s.stems[i]) == 0;
            remove_rumble(s.stems[i].dry);
        }
        ready = ready && master_gain(&s, gain) == 0;
    }
    if (gain && s.duck && ready)
        status = write_all(&s, gain, arguments, count);
    else
        fprintf(stderr, "render_demo: not enough memory\n");
    for (int i = 0; i < STEMS; i++) {
        free(s.stems[i].dry);
        free(s.stems[i].hall);
    }
    free(s.duck);
    free(gain);
    return status;
}
