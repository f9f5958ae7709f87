#include <stdbool.h>

#include "tempo/tempo.h"

/* Lines through windows of beats, time against beat number: from every beat the longest window whose
 * beats lie near one line. A steady passage gives windows of full length, whose slopes are exact
 * although beats lie on frames; where the tempo moves, windows are only as long as it allows, and none
 * reaches over a sudden change. A beat's period is the mean slope of the windows around it, each
 * weighted by how well it knows its slope and by how near its middle the beat is. */

#define LONGEST 40.0    /* seconds of a window: even 215 a minute is then exact to 0.1 */
#define DEVIATION 0.020 /* seconds, root mean square, of beats from their line: as steady as a drummer */

typedef struct line {
    double count, index, time; /* beats, and the means of their numbers and times */
    double index_squares, products, time_squares;
} line;

static void line_add(line *l, double index, double time)
{
    l->count += 1;
    const double index_before = index - l->index, time_before = time - l->time;
    l->index += index_before / l->count;
    l->time += time_before / l->count;
    l->index_squares += index_before * (index - l->index);
    l->products += index_before * (time - l->time);
    l->time_squares += time_before * (time - l->time);
}

static bool is_straight(const line *l)
{
    const double rest = l->time_squares - l->products * (l->products / l->index_squares);
    return rest <= DEVIATION * DEVIATION * l->count;
}

void a1_tempo_curve(const double *beats, size_t count, double *bpm)
{
    /* `bpm` holds the sums of slopes until the end; the sums of weights run along with the windows. */
    double weights[A1_TEMPO_WINDOW] = {0};
    for (size_t i = 0; i < count; i++)
        bpm[i] = 0;
    for (size_t first = 0; first < count; first++) {
        line l = {0}, longest = {0};
        line_add(&l, 0, 0);
        for (size_t length = 2; length <= A1_TEMPO_WINDOW && first + length <= count; length++) {
            const double time = beats[first + length - 1] - beats[first];
            if (time > LONGEST && length > 2)
                break;
            line_add(&l, (double)(length - 1), time);
            if (is_straight(&l))
                longest = l;
        }
        /* No window of later beats reaches back to this one, so its sums are complete. */
        const double slope = longest.count > 0 ? longest.products / longest.index_squares : 0;
        for (size_t i = 0; i < (size_t)longest.count; i++) {
            const double off = ((double)i - longest.index) / (longest.index + 1);
            const double weight = longest.index_squares * (1 - off * off);
            bpm[first + i] += weight * slope;
            weights[(first + i) % A1_TEMPO_WINDOW] += weight;
        }
        const double weight = weights[first % A1_TEMPO_WINDOW];
        weights[first % A1_TEMPO_WINDOW] = 0;
        bpm[first] = bpm[first] > 0 ? 60 * weight / bpm[first] : 0;
    }
}
