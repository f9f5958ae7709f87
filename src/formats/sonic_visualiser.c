/* Two layers for Sonic Visualiser: the beats as time instants, the sections as regions. Positions are
 * samples of the audio file, so its rate is needed; 44,100 Hz where the result does not tell it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/format_table.h"

#define USUAL_RATE 44100

static long long frame_at(double seconds, int rate)
{
    return llround(seconds * rate);
}

static void put_model(a1_text *out, int id, const char *name, int rate, long long end,
                      const char *more)
{
    a1_text_format(out,
                   "    <model id=\"%d\" name=\"%s\" sampleRate=\"%d\" start=\"0\" end=\"%lld\" "
                   "type=\"sparse\" resolution=\"1\" notifyOnAdd=\"true\" dataset=\"%d\" %s/>\n",
                   id, name, rate, end, id + 1, more);
}

static void put_beats(const allin1_result *result, a1_text *out, int rate)
{
    a1_text_add(out, "    <dataset id=\"1\" dimensions=\"1\">\n");
    for (size_t i = 0; i < result->beat_count; i++)
        a1_text_format(out, "      <point frame=\"%lld\" label=\"%u\"/>\n",
                       frame_at(result->beats[i], rate), result->beat_positions[i]);
    a1_text_add(out, "    </dataset>\n");
}

/* The same label has the same height: its number in the order of first occurrence. `firsts` holds the
 * first section of each label so far. */
static size_t level_of(const allin1_result *result, size_t index, size_t *firsts, size_t *count)
{
    for (size_t level = 0; level < *count; level++)
        if (strcmp(result->segments[firsts[level]].label, result->segments[index].label) == 0)
            return level;
    firsts[*count] = index;
    return (*count)++;
}

static void put_sections(const allin1_result *result, a1_text *out, int rate)
{
    size_t levels = 0;
    size_t *firsts = calloc(result->segment_count + 1, sizeof *firsts);
    out->failed |= !firsts;
    a1_text_add(out, "    <dataset id=\"3\" dimensions=\"3\">\n");
    for (size_t i = 0; firsts && i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        const long long start = frame_at(segment->start, rate);
        a1_text_format(out, "      <point frame=\"%lld\" value=\"%zu\" duration=\"%lld\" label=\"",
                       start, level_of(result, i, firsts, &levels),
                       frame_at(segment->end, rate) - start);
        a1_text_escaped(out, segment->label, A1_ESCAPE_XML);
        a1_text_add(out, "\"/>\n");
    }
    a1_text_add(out, "    </dataset>\n");
    free(firsts);
}

allin1_status a1_write_sonic_visualiser(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    const int rate = result->provenance.sample_rate > 0 ? result->provenance.sample_rate : USUAL_RATE;
    const long long end = frame_at(result->duration, rate);
    a1_text_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<!DOCTYPE sonic-visualiser>\n"
                     "<sv>\n"
                     "  <data>\n");
    put_model(out, 0, "Beats", rate, end, "dimensions=\"1\" ");
    put_beats(result, out, rate);
    put_model(out, 2, "Sections", rate, end,
              "dimensions=\"3\" subtype=\"region\" valueQuantization=\"1\" units=\"\" ");
    put_sections(result, out, rate);
    a1_text_add(out, "  </data>\n"
                     "  <display>\n"
                     "    <layer id=\"4\" type=\"timeinstants\" name=\"Beats\" model=\"0\" "
                     "plotStyle=\"0\" colourName=\"Orange\"/>\n"
                     "    <layer id=\"5\" type=\"regions\" name=\"Sections\" model=\"2\" "
                     "plotStyle=\"1\" verticalScale=\"1\"/>\n"
                     "  </display>\n"
                     "</sv>\n");
    return ALLIN1_OK;
}
