/* Timings. Before the first zero byte: BEFORE; then AFTER, to the next zero byte; then
 * expectations. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <allin1/timings_compare.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next part, as a text of its own. */
static char *next_part(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size ? memchr(*data, 0, *size) : NULL;
    const size_t length = end ? (size_t)(end - *data) : *size;
    char *part = malloc(length + 1);
    if (!part)
        abort();
    if (length)
        memcpy(part, *data, length);
    part[length] = '\0';
    *data += end ? length + 1 : length;
    *size -= end ? length + 1 : length;
    return part;
}

static allin1_timing_records *read_part(const uint8_t **data, size_t *size)
{
    allin1_timing_records *timings;
    char *text = next_part(data, size);
    if (allin1_timing_records_create(&timings, "fuzz", NULL) != ALLIN1_OK ||
        allin1_timing_records_feed(timings, text, strlen(text), NULL) != ALLIN1_OK)
        abort();
    free(text);
    return timings;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    allin1_timing_records *before = read_part(&data, &size), *after = read_part(&data, &size);
    char *expected = next_part(&data, &size);
    allin1_timing_comparison *comparison;
    for (allin1_report_format f = ALLIN1_REPORT_TEXT; f <= ALLIN1_REPORT_HTML; f++) {
        char *report;
        if (allin1_timing_records_report(before, f, &report, NULL) != ALLIN1_OK)
            abort();
        allin1_string_free(report);
    }
    if (allin1_timing_compare(before, after, expected, &comparison, NULL) == ALLIN1_OK) {
        for (allin1_report_format f = ALLIN1_REPORT_TEXT; f <= ALLIN1_REPORT_HTML; f++) {
            char *report;
            if (allin1_timing_comparison_report(comparison, f, &report, NULL) != ALLIN1_OK)
                abort();
            allin1_string_free(report);
        }
        allin1_timing_comparison_free(&comparison);
    }
    allin1_timing_records_free(&before);
    allin1_timing_records_free(&after);
    free(expected);
    return 0;
}
