/* rekordbox XML with one track: its beat grid and a memory cue for each section.
 *
 * A TEMPO element is a grid of even beats that holds until the next one. A stretch of beats gets one as
 * long as the line through it stays close to each of them and the counting of the bars goes on. */
#include <math.h>
#include <stdlib.h>

#include "formats/format_table.h"

/* Beats come from frames of 10 ms, so that the best line through an even beat is up to 5 ms off; a DJ
 * hears 20. */
#define TOLERANCE 0.012
#define LONGEST 1024 /* beats of one grid */
#define MAX_BPM 999.0

typedef struct grid {
    double start, bpm;
    size_t count;
} grid;

/* Two decimals, as rekordbox has them. */
static double round_bpm(double bpm)
{
    return round(fmin(bpm, MAX_BPM) * 100) / 100;
}

/* The line through beats [first, first + count), and whether it is close to all of them. */
static bool fit(const double *beats, size_t count, grid *out)
{
    double mean_x = (double)(count - 1) / 2, mean_y = 0, above = 0, below = 0;
    for (size_t i = 0; i < count; i++)
        mean_y += beats[i] / (double)count;
    for (size_t i = 0; i < count; i++) {
        above += ((double)i - mean_x) * (beats[i] - mean_y);
        below += ((double)i - mean_x) * ((double)i - mean_x);
    }
    const double slope = above / below;
    if (!(slope > 0))
        return false;
    const double bpm = round_bpm(60 / slope);
    /* The rounded tempo turns about the middle. */
    const double start = mean_y - mean_x * 60 / bpm;
    *out = (grid){.start = fmax(start, 0), .bpm = bpm, .count = count};
    for (size_t i = 0; i < count; i++)
        if (!(fabs(out->start + (double)i * 60 / bpm - beats[i]) <= TOLERANCE))
            return false;
    return true;
}

/* How many beats from `first` on count their bars without a break. */
static size_t count_on(const allin1_result *result, size_t first, unsigned metre)
{
    size_t count = 1;
    while (first + count < result->beat_count && count < LONGEST) {
        const unsigned before = result->beat_positions[first + count - 1];
        if (result->beat_positions[first + count] != (before < metre ? before + 1 : 1))
            break;
        count++;
    }
    return count;
}

/* The length of the bar that the beat `first` is in, as the beats after it show; the usual one where
 * they end before. */
static unsigned metre_at(const allin1_result *result, size_t first)
{
    unsigned highest = result->beat_positions[first];
    for (size_t i = first + 1; i < result->beat_count; i++) {
        if (result->beat_positions[i] != highest + 1)
            return result->beat_positions[i] == 1 ? highest : a1_beats_per_bar(result);
        highest++;
    }
    const unsigned usual = a1_beats_per_bar(result);
    return highest > usual ? highest : usual;
}

/* The longest grid from the beat `first` on, found by doubling and then halving the step. A single
 * beat has the tempo of the interval after it. */
static grid longest_grid(const allin1_result *result, size_t first, size_t limit)
{
    const double *beats = result->beats + first;
    const double next = first + 1 < result->beat_count ? beats[1] - beats[0] : 0;
    const double tempo = isfinite(result->tempo) ? result->tempo : result->bpm;
    grid best = {.start = beats[0], .count = 1};
    best.bpm = round_bpm(next > 0 ? 60 / next : tempo > 0 ? tempo : 120);
    size_t step = 1;
    bool growing = true;
    while (step > 0) {
        grid longer;
        if (best.count + step <= limit && fit(beats, best.count + step, &longer)) {
            best = longer;
            step = growing ? step * 2 : step;
            continue;
        }
        growing = false;
        step /= 2;
    }
    return best;
}

static void put_grid(const allin1_result *result, a1_text *out)
{
    for (size_t first = 0; first < result->beat_count;) {
        const unsigned metre = metre_at(result, first);
        const grid stretch = longest_grid(result, first, count_on(result, first, metre));
        a1_text_add(out, "      <TEMPO Inizio=\"");
        a1_text_number(out, stretch.start, 3);
        a1_text_format(out, "\" Bpm=\"%lld.%02lld\" Metro=\"%u/4\" Battito=\"%u\"/>\n",
                       llround(stretch.bpm * 100) / 100, llround(stretch.bpm * 100) % 100, metre,
                       result->beat_positions[first]);
        first += stretch.count;
    }
}

static void put_cues(const allin1_result *result, a1_text *out)
{
    for (size_t i = 0; i < result->segment_count; i++) {
        a1_text_add(out, "      <POSITION_MARK Name=\"");
        a1_text_escaped(out, result->segments[i].label, A1_ESCAPE_XML);
        a1_text_add(out, "\" Type=\"0\" Start=\"");
        a1_text_number(out, result->segments[i].start, 3);
        a1_text_add(out, "\" Num=\"-1\"/>\n");
    }
}

allin1_status a1_write_rekordbox(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    const double tempo = isfinite(result->tempo) ? result->tempo : result->bpm;
    char *title = a1_title_of_path(result->path);
    a1_text_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<DJ_PLAYLISTS Version=\"1.0.0\">\n"
                     "  <PRODUCT Name=\"allin1\" Version=\"");
    if (result->provenance.version)
        a1_text_escaped(out, result->provenance.version, A1_ESCAPE_XML);
    a1_text_add(out, "\" Company=\"\"/>\n"
                     "  <COLLECTION Entries=\"1\">\n"
                     "    <TRACK TrackID=\"1\" Name=\"");
    if (title)
        a1_text_escaped(out, title, A1_ESCAPE_XML);
    else
        out->failed = true;
    a1_text_format(out, "\" TotalTime=\"%lld\" AverageBpm=\"%lld.%02lld\" Location=\"",
                   llround(result->duration), llround(tempo * 100) / 100,
                   llround(tempo * 100) % 100);
    a1_text_file_url(out, result->path);
    a1_text_add(out, "\">\n");
    put_grid(result, out);
    put_cues(result, out);
    a1_text_add(out, "    </TRACK>\n"
                     "  </COLLECTION>\n"
                     "  <PLAYLISTS>\n"
                     "    <NODE Type=\"0\" Name=\"ROOT\" Count=\"0\"/>\n"
                     "  </PLAYLISTS>\n"
                     "</DJ_PLAYLISTS>\n");
    free(title);
    return ALLIN1_OK;
}
