/* The reader of results. What it takes must hold together, and be written and read again alike. */
#include <allin1/allin1.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static allin1_status load(const void *bytes, size_t size, allin1_result **result)
{
    char path[64];
    allin1_arrays kept;
    allin1_error error;
    const int file = memfd_create("result", MFD_CLOEXEC);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    const allin1_status status = allin1_load_json(path, result, &kept, &error);
    close(file);
    if ((status == ALLIN1_OK) != (*result != NULL))
        abort();
    if (status != ALLIN1_OK && !strstr(error.message, path))
        abort();
    return status;
}

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_result(const allin1_result *r)
{
    check(r->path != NULL && isfinite(r->duration));
    for (size_t i = 0; i < r->beat_count; i++)
        check(isfinite(r->beats[i]) && r->beat_positions[i] > 0 &&
              (!r->beat_confidences || r->beat_confidences[i] <= 1));
    for (size_t i = 0; r->downbeat_confidences && i < r->downbeat_count; i++)
        check(r->downbeat_confidences[i] >= 0);
    for (size_t i = 0; i < r->tempo_curve_count; i++)
        check(isfinite(r->tempo_curve_times[i]) && r->tempo_curve[i] > 0);
    for (size_t i = 0; i < r->tempo_alternative_count; i++)
        check(r->tempo_alternatives[i].bpm > 0 && r->tempo_alternatives[i].relation != NULL);
    for (size_t i = 0; i < r->segment_count; i++) {
        check(r->segments[i].label != NULL && r->segments[i].end >= r->segments[i].start);
        for (size_t l = 0; r->segments[i].probabilities && l < 10; l++)
            check(r->segments[i].probabilities[l] >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    allin1_result *first = NULL, *second = NULL;
    if (load(data, size, &first) != ALLIN1_OK)
        return 0;
    check_result(first);
    char *text = allin1_result_json(first, NULL);
    check(text != NULL);
    check(load(text, strlen(text), &second) == ALLIN1_OK);
    check(first->beat_count == second->beat_count &&
          first->tempo_curve_count == second->tempo_curve_count &&
          first->segment_count == second->segment_count);
    allin1_string_free(text);
    allin1_result_free(&first);
    allin1_result_free(&second);
    return 0;
}
