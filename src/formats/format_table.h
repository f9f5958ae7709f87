/* One writer for each format, in a file of its subject. A writer that runs out of memory only leaves
 * `out` failed. What it gets is a valid result: finite times in order, strings not NULL. */
#ifndef A1_FORMATS_FORMAT_TABLE_H
#define A1_FORMATS_FORMAT_TABLE_H

#include <allin1/formats.h>

#include "base/error.h"
#include "formats/format_text.h"

typedef allin1_status (*a1_format_fn)(const allin1_result *result, a1_text *out, a1_error *err);

allin1_status a1_write_jams(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_lab(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_beats(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_harmonix(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_harmonix_beats(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_audacity(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_audacity_beats(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_csv(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_midi(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_reaper(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_sonic_visualiser(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_rekordbox(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_ffmetadata(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_webvtt(const allin1_result *result, a1_text *out, a1_error *err);
allin1_status a1_write_podcast(const allin1_result *result, a1_text *out, a1_error *err);

/* The content of allin1_result_format; `result` and `format` are not NULL. */
allin1_status a1_format_result(const allin1_result *result, const char *format, char **content,
                               size_t *size, a1_error *err);

/* "allin1 0.1.0", the program that made the result; only "allin1" or the reference's name when the
 * version is not known. */
void a1_put_maker(a1_text *out, const allin1_result *result, a1_escape escape);

/* Beats of a bar: the metre that won, or the highest position that occurs; 4 without beats. */
unsigned a1_beats_per_bar(const allin1_result *result);

#endif
