#include "sonify/sonify.h"

#include <math.h>
#include <stdbool.h>

#define BEAT_HZ 1500.0
#define DOWNBEAT_HZ 3000.0
#define CLICK_SECONDS 0.1
#define CLICK_OCTAVES 10.0 /* halvings of the level over a click */
#define SAME_SECONDS 0.03

#define RISER_CLICKS 25
#define RISER_SECONDS 4.0
#define RISER_LAST 0.1 /* the click after the last would come so long before the boundary */
#define LOW_HZ 40.0
#define HIGH_HZ 4000.0
#define DROP_SECONDS 0.5
#define DROP_OCTAVES 4.0

typedef struct mix {
    float *const *channel;
    size_t samples;
    double rate;
} mix;

/* The i-th of `count` steps from a to b with equal ratios, both ends included. */
static double geometric(double a, double b, double i, double count)
{
    return count > 1 ? a * pow(b / a, i / (count - 1)) : a;
}

/* A sine whose frequency goes from `from` to `to` Hz and whose level falls by `octaves` halvings. */
static void add_tone(const mix *m, double seconds, double length, double from, double to,
                     double octaves)
{
    const double first = floor(seconds * m->rate + 0.5);
    const double count = floor(length * m->rate);
    if (!(first >= 0) || first >= (double)m->samples)
        return;
    double phase = 0;
    const size_t start = (size_t)first;
    for (size_t i = 0; (double)i < count && start + i < m->samples; i++) {
        const double level = exp2(-octaves * (double)i / fmax(count - 1, 1));
        const float value = (float)(level * sin(phase));
        phase += 2 * M_PI * geometric(from, to, (double)i, count) / m->rate;
        m->channel[0][start + i] += value;
        m->channel[1][start + i] += value;
    }
}

static bool is_downbeat(const a1_sonify_score *score, double time)
{
    for (size_t i = 0; i < score->downbeat_count; i++)
        if (fabs(score->downbeats[i] - time) <= SAME_SECONDS)
            return true;
    return false;
}

static void add_beats(const mix *m, const a1_sonify_score *score)
{
    for (size_t i = 0; i < score->beat_count; i++)
        if (!is_downbeat(score, score->beats[i]))
            add_tone(m, score->beats[i], CLICK_SECONDS, BEAT_HZ, BEAT_HZ, CLICK_OCTAVES);
    for (size_t i = 0; i < score->downbeat_count; i++)
        add_tone(m, score->downbeats[i], CLICK_SECONDS, DOWNBEAT_HZ, DOWNBEAT_HZ, CLICK_OCTAVES);
}

static void add_boundary(const mix *m, double time)
{
    for (int i = 0; i < RISER_CLICKS; i++) {
        const double before = RISER_SECONDS * pow(RISER_LAST / RISER_SECONDS,
                                                  (double)i / RISER_CLICKS);
        const double hertz = geometric(LOW_HZ, HIGH_HZ, i, RISER_CLICKS);
        if (time - before > 0)
            add_tone(m, time - before, CLICK_SECONDS, hertz, hertz, CLICK_OCTAVES);
    }
    add_tone(m, time, DROP_SECONDS, HIGH_HZ, LOW_HZ, DROP_OCTAVES);
}

float a1_sonify(float *const channel[2], size_t samples, double rate, const a1_sonify_score *score)
{
    const mix m = {channel, samples, rate};
    add_beats(&m, score);
    for (size_t i = 0; i < score->boundary_count; i++)
        add_boundary(&m, score->boundaries[i]);
    float peak = 0;
    for (size_t i = 0; i < samples; i++)
        peak = fmaxf(peak, fmaxf(fabsf(channel[0][i]), fabsf(channel[1][i])));
    if (peak <= A1_SONIFY_CEILING)
        return 1;
    const float gain = A1_SONIFY_CEILING / peak;
    for (size_t i = 0; i < samples; i++) {
        channel[0][i] *= gain;
        channel[1][i] *= gain;
    }
    return gain;
}
