#include "render_mark.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "output/file_hash.h"

/* The mark stands near the start of every file but a PDF, which has it near its end. */
#define WINDOW ((size_t)128 * 1024)

/* With the decimals of the JSON, so that a result and the one that is read from its file agree. */
static void add_times(a1_hash *hash, const char *name, const double *times, size_t count)
{
    a1_hash_format(hash, "%s %zu", name, count);
    for (size_t i = 0; i < count; i++)
        a1_hash_format(hash, " %.2f", times[i]);
    a1_hash_format(hash, "\n");
}

allin1_status a1_mark_begin(a1_hash **hash, const allin1_result *result, a1_error *err)
{
    A1_TRY(a1_hash_begin(hash, err));
    a1_hash_format(*hash, "version %s\n", ALLIN1_VERSION_STRING);
    a1_hash_add(*hash, result->path, strlen(result->path) + 1);
    /* A result that was read may have these at any length. */
    a1_hash_add(*hash, result->provenance.key, strlen(result->provenance.key) + 1);
    a1_hash_add(*hash, result->provenance.input_sha256,
                strlen(result->provenance.input_sha256) + 1);
    a1_hash_format(*hash, "%.2f %d %.2f %u\n", result->duration, result->bpm, result->tempo,
                   result->beats_per_bar);
    add_times(*hash, "beats", result->beats, result->beat_count);
    add_times(*hash, "downbeats", result->downbeats, result->downbeat_count);
    add_times(*hash, "tempo times", result->tempo_curve_times, result->tempo_curve_count);
    add_times(*hash, "tempo", result->tempo_curve, result->tempo_curve_count);
    a1_hash_format(*hash, "positions");
    for (size_t i = 0; i < result->beat_count; i++)
        a1_hash_format(*hash, " %u", result->beat_positions[i]);
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *s = &result->segments[i];
        a1_hash_format(*hash, "\n%.2f %.2f ", s->start, s->end);
        a1_hash_add(*hash, s->label, strlen(s->label) + 1);
    }
    return ALLIN1_OK;
}

allin1_status a1_mark_end(a1_hash **hash, char mark[A1_MARK_SIZE], a1_error *err)
{
    char hex[A1_SHA256_HEX];
    A1_TRY(a1_hash_end(hash, hex, err));
    snprintf(mark, A1_MARK_SIZE, "%s%s", A1_MARK_START, hex);
    return ALLIN1_OK;
}

static bool holds(const char *bytes, size_t size, const char *text)
{
    return memmem(bytes, size, text, strlen(text)) != NULL;
}

allin1_status a1_mark_check(const char *path, const char *mark, bool *current, a1_error *err)
{
    struct stat info;
    *current = false;
    if (stat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return ALLIN1_OK;
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(2 * WINDOW);
    allin1_status status = ALLIN1_OK;
    if (!bytes) {
        status = a1_fail_memory(err, "a file's mark");
    } else if (!file || fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) {
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path,
                         file ? "is not a regular file" : strerror(errno));
    } else {
        size_t got = fread(bytes, 1, WINDOW, file);
        if ((size_t)info.st_size > WINDOW) {
            const size_t rest = (size_t)info.st_size - WINDOW;
            if (fseeko(file, -(off_t)(rest < WINDOW ? rest : WINDOW), SEEK_END) == 0)
                got += fread(bytes + got, 1, WINDOW, file);
        }
        *current = holds(bytes, got, mark);
        if (got > 0 && !holds(bytes, got, A1_MARK_START))
            status = a1_fail(err, ALLIN1_ERROR_IO,
                             "%s: was not made by this program, and stays as it is", path);
    }
    if (file)
        fclose(file);
    free(bytes);
    return status;
}
