/* A standard MIDI file of type 1 with one track: the tempo map that puts each beat on its tick, the
 * metres, and a marker for each section.
 *
 * A tempo is a whole number of microseconds for a quarter note. Each is chosen so that the beat at its
 * end is right, whatever the rounding before it, so that no error adds up: every beat is within half a
 * microsecond of its time (times the quarters of its interval, one unless beats are more than 16 s
 * apart). A quarter note is a beat. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "formats/format_table.h"

#define QUARTER 960             /* ticks */
#define SLOWEST 16000000        /* microseconds a quarter for which 24 bits suffice */
#define FASTEST 62500           /* beyond 960 a minute, programs refuse a tempo */
#define USUAL_TEMPO 500000      /* what holds where a file says nothing */
#define LAST_TICK 0x0fffffff    /* the longest delta that can be written */
#define MAX_BAR 16              /* a longer one is cut into bars of the usual metre */

typedef enum event_kind { TEMPO, METRE, MARKER } event_kind;

typedef struct event {
    int64_t tick;
    size_t order; /* of events on one tick */
    event_kind kind;
    unsigned value, unit; /* microseconds; beats and the note they are */
    const char *text;
} event;

typedef struct midi_map {
    const allin1_result *result;
    unsigned metre;
    int64_t *ticks; /* of each beat */
    event *events;
    size_t count, capacity;
    bool failed;
    unsigned tempo;            /* in force, microseconds a quarter */
    int64_t tick, now;         /* the last anchor: its tick, and its time in microseconds x QUARTER */
    unsigned bar_beats, bar_unit; /* metre in force; 0: none yet */
} midi_map;

static void add_event(midi_map *map, event item)
{
    event *events = a1_grow(map->events, map->count, &map->capacity, sizeof *events);
    if (!events) {
        map->failed = true;
        return;
    }
    map->events = events;
    item.order = map->count;
    map->events[map->count++] = item;
}

/* The next anchor: `ticks` on, at `seconds`. */
static void go_to(midi_map *map, double seconds, int64_t ticks)
{
    const int64_t goal = llround(seconds * 1e6) * QUARTER;
    int64_t tempo = (2 * (goal - map->now) + ticks) / (2 * ticks);
    tempo = tempo < 1 ? 1 : tempo > 0xffffff ? 0xffffff : tempo;
    if (tempo != map->tempo)
        add_event(map, (event){.tick = map->tick, .kind = TEMPO, .value = (unsigned)tempo});
    map->tempo = (unsigned)tempo;
    map->now += tempo * ticks;
    map->tick += ticks;
}

static void put_metre(midi_map *map, int64_t tick, unsigned beats, unsigned unit)
{
    if (beats == map->bar_beats && unit == map->bar_unit)
        return;
    map->bar_beats = beats;
    map->bar_unit = unit;
    add_event(map, (event){.tick = tick, .kind = METRE, .value = beats, .unit = unit});
}

/* Metres for a stretch between two bar lines that is `quarters` long. A bar that is much longer than
 * the usual comes of downbeats that were not found. */
static void put_bar(midi_map *map, int64_t tick, int64_t quarters)
{
    if (quarters <= MAX_BAR) {
        put_metre(map, tick, (unsigned)quarters, 4);
        return;
    }
    const int64_t whole = quarters / map->metre;
    put_metre(map, tick, map->metre, 4);
    if (quarters % map->metre > 0)
        put_metre(map, tick + whole * map->metre * QUARTER, (unsigned)(quarters % map->metre), 4);
}

/* What comes before the first downbeat: `quarters` from `tick` on, as a short bar and then whole ones. */
static void put_pick_up(midi_map *map, int64_t tick, int64_t quarters)
{
    const int64_t rest = quarters % map->metre;
    if (rest > 0)
        put_metre(map, tick, (unsigned)rest, 4);
    if (quarters >= map->metre)
        put_metre(map, tick + rest * QUARTER, map->metre, 4);
}

/* From the start of the file to the first beat: about as many beats as fit at the tempo of the first
 * interval. Gives the tick from which quarters are counted: that is not the first when a very short
 * silence is a bar of a short note. */
static int64_t lead_in(midi_map *map)
{
    const allin1_result *result = map->result;
    const double first = result->beats[0];
    const double interval =
        result->beat_count > 1 ? result->beats[1] - result->beats[0] : USUAL_TEMPO / 1e6;
    if (llround(first * 1e6) == 0)
        return 0;
    int64_t quarters = interval > 0 ? llround(first / fmax(interval, first / 1e6)) : 1;
    const int64_t fewest = (int64_t)ceil(first * 1e6 / SLOWEST);
    quarters = quarters > fewest ? quarters : fewest;
    if (quarters > 1 || first * 1e6 >= FASTEST) {
        go_to(map, first, quarters * QUARTER);
        return 0;
    }
    unsigned unit = 4;
    while (unit < 32 && first * 1e6 * unit / 4 < FASTEST)
        unit *= 2;
    put_metre(map, 0, 1, unit);
    go_to(map, first, 4 * QUARTER / unit);
    return map->tick;
}

static void place_beats(midi_map *map)
{
    const allin1_result *result = map->result;
    const int64_t origin = lead_in(map);
    int64_t bar_line = origin;
    size_t bars = 0;
    for (size_t i = 0; i < result->beat_count; i++) {
        if (i > 0) {
            const double interval = result->beats[i] - result->beats[i - 1];
            const int64_t quarters = (int64_t)ceil(fmax(interval * 1e6, 1) / SLOWEST);
            go_to(map, result->beats[i], quarters * QUARTER);
        }
        map->ticks[i] = map->tick;
        if (result->beat_positions[i] != 1)
            continue;
        const int64_t quarters = (map->tick - bar_line) / QUARTER;
        if (bars++ > 0)
            put_bar(map, bar_line, quarters);
        else
            put_pick_up(map, bar_line, quarters);
        bar_line = map->tick;
    }
    /* The last bar's end is not known: it is as the one before, unless that was too short for it. */
    if (bars <= 1 || (map->tick - bar_line) / QUARTER >= (int64_t)map->bar_beats)
        put_metre(map, bar_line, map->metre, 4);
}

/* The tick nearest to a time; `*beat` is a beat at or before it, moved on as times ascend. */
static int64_t tick_at(const midi_map *map, double seconds, size_t *beat)
{
    const allin1_result *result = map->result;
    const size_t count = result->beat_count;
    while (*beat + 1 < count && result->beats[*beat + 1] <= seconds)
        (*beat)++;
    if (count == 0)
        return llround(seconds * 1e6 / USUAL_TEMPO * QUARTER);
    const double here = result->beats[*beat];
    if (seconds < here)
        return llround(seconds / here * (double)map->ticks[0]);
    if (*beat + 1 == count)
        return map->ticks[*beat] + llround((seconds - here) * 1e6 / map->tempo * QUARTER);
    const double interval = result->beats[*beat + 1] - here;
    const int64_t ticks = map->ticks[*beat + 1] - map->ticks[*beat];
    return map->ticks[*beat] + llround((seconds - here) / interval * (double)ticks);
}

static void place_markers(midi_map *map)
{
    size_t beat = 0;
    for (size_t i = 0; i < map->result->segment_count; i++) {
        const allin1_segment *segment = &map->result->segments[i];
        add_event(map, (event){.tick = tick_at(map, segment->start, &beat),
                               .kind = MARKER,
                               .text = segment->label});
    }
}

/* Bytes ------------------------------------------------------------------------------------------- */

static void put_number(a1_text *out, uint32_t value, int bytes)
{
    while (bytes-- > 0) {
        const unsigned char byte = (unsigned char)(value >> (8 * bytes));
        a1_text_put(out, &byte, 1);
    }
}

/* Seven bits a byte, the last without the top bit. */
static void put_variable(a1_text *out, uint32_t value)
{
    for (int shift = 21; shift >= 0; shift -= 7)
        if (shift == 0 || value >> shift > 0)
            put_number(out, ((value >> shift) & 0x7f) | (shift > 0 ? 0x80u : 0), 1);
}

static void put_meta(a1_text *out, uint32_t type, const void *bytes, size_t size)
{
    put_number(out, 0xff00u | type, 2);
    put_variable(out, (uint32_t)size);
    a1_text_put(out, bytes, size);
}

static void put_words(a1_text *out, uint32_t type, const char *words)
{
    a1_text clean = {0};
    size_t size;
    a1_text_escaped(&clean, words, A1_ESCAPE_LINE);
    char *bytes = a1_text_take(&clean, &size);
    out->failed |= !bytes;
    if (bytes)
        put_meta(out, type, bytes, size < LAST_TICK ? size : 0);
    free(bytes);
}

static void put_event(a1_text *out, const event *item)
{
    if (item->kind == MARKER) {
        put_words(out, 0x06, item->text);
    } else if (item->kind == TEMPO) {
        put_number(out, 0xff5103, 3);
        put_number(out, item->value, 3);
    } else {
        const unsigned char unit = item->unit == 4 ? 2 : item->unit == 8 ? 3 : item->unit == 16 ? 4 : 5;
        /* 24 MIDI clocks a metronome click, 8 thirty-seconds a quarter: the usual. */
        const unsigned char bytes[4] = {(unsigned char)item->value, unit, 24, 8};
        put_meta(out, 0x58, bytes, sizeof bytes);
    }
}

static int compare_events(const void *a, const void *b)
{
    const event *one = a, *two = b;
    if (one->tick != two->tick)
        return one->tick < two->tick ? -1 : 1;
    return one->order < two->order ? -1 : one->order > two->order;
}

static void put_track(const midi_map *map, int64_t end, a1_text *track)
{
    char *title = a1_title_of_path(map->result->path);
    track->failed |= !title;
    if (title) {
        put_variable(track, 0);
        put_words(track, 0x03, title);
    }
    free(title);
    int64_t tick = 0;
    for (size_t i = 0; i < map->count; i++) {
        put_variable(track, (uint32_t)(map->events[i].tick - tick));
        put_event(track, &map->events[i]);
        tick = map->events[i].tick;
    }
    put_variable(track, (uint32_t)(end > tick ? end - tick : 0));
    put_meta(track, 0x2f, "", 0);
}

static void put_file(const midi_map *map, int64_t end, a1_text *out)
{
    a1_text track = {0};
    size_t size;
    put_track(map, end, &track);
    char *bytes = a1_text_take(&track, &size);
    out->failed |= !bytes;
    a1_text_add(out, "MThd");
    put_number(out, 6, 4);
    put_number(out, 1, 2); /* type */
    put_number(out, 1, 2); /* tracks */
    put_number(out, QUARTER, 2);
    a1_text_add(out, "MTrk");
    put_number(out, (uint32_t)size, 4);
    if (bytes)
        a1_text_put(out, bytes, size);
    free(bytes);
}

allin1_status a1_write_midi(const allin1_result *result, a1_text *out, a1_error *err)
{
    midi_map map = {.result = result, .metre = a1_beats_per_bar(result), .tempo = USUAL_TEMPO};
    size_t last_beat = 0;
    map.metre = map.metre > MAX_BAR ? MAX_BAR : map.metre;
    map.ticks = calloc(result->beat_count + 1, sizeof *map.ticks);
    allin1_status status = ALLIN1_OK;
    if (!map.ticks) {
        out->failed = true;
        return ALLIN1_OK;
    }
    if (result->beat_count > 0)
        place_beats(&map);
    place_markers(&map);
    const int64_t end = tick_at(&map, result->duration, &last_beat);
    int64_t latest = end;
    for (size_t i = 0; i < map.count; i++)
        latest = map.events[i].tick > latest ? map.events[i].tick : latest;
    if (map.count > 0)
        qsort(map.events, map.count, sizeof *map.events, compare_events);
    out->failed |= map.failed;
    if (latest > LAST_TICK)
        status = a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                         "a song of %.0f s is longer than a MIDI file can hold", result->duration);
    else
        put_file(&map, end, out);
    free(map.events);
    free(map.ticks);
    return status;
}
