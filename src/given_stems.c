#include "given_stems.h"

#include <stdlib.h>
#include <string.h>

#include "audio/stems_dir.h"

/* The song's name among stems: its file's name without the last suffix. The caller frees it. */
static char *song_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return strndup(name, dot && dot != name ? (size_t)(dot - name) : strlen(name));
}

static void free_paths(char *paths[A1_STEM_FILES])
{
    for (size_t i = 0; i < A1_STEM_FILES; i++)
        free(paths[i]);
}

static allin1_status find(const char *path, const allin1_request *request,
                          char *paths[A1_STEM_FILES], a1_error *err)
{
    char *name = song_name(path);
    if (!name)
        return a1_fail_memory(err, "a path");
    const allin1_status status =
        a1_stems_dir_find(request->stems_dir, name, request->stems_pattern, paths, err);
    free(name);
    return status;
}

allin1_status a1_hash_given_stems(const char *path, const allin1_request *request, a1_hash *hash,
                                  a1_error *err)
{
    char *paths[A1_STEM_FILES] = {NULL};
    allin1_status status;
    A1_CHECK(find(path, request, paths, err));
    for (size_t i = 0; i < A1_STEM_FILES; i++) {
        char digest[A1_SHA256_HEX] = "none";
        if (paths[i])
            A1_CHECK(a1_file_sha256(paths[i], digest, err));
        a1_hash_format(hash, "given %zu %s\n", i, digest);
    }

done:
    free_paths(paths);
    return status;
}

allin1_status a1_load_given_stems(a1_analysis *analysis, a1_error *err)
{
    const allin1_request *request = &analysis->request;
    char *paths[A1_STEM_FILES] = {NULL};
    a1_audio loaded[A1_STEM_COUNT] = {0};
    bool six = false;
    allin1_status status;
    A1_CHECK(find(analysis->path, request, paths, err));
    A1_CHECK(a1_stems_dir_decode((const char *const *)paths, loaded, err));
    A1_CHECK(a1_stems_create(&analysis->stems, loaded[0].samples, err));
    analysis->samples = loaded[0].samples;
    for (size_t i = 0; i < A1_STEM_COUNT; i++) {
        for (int c = 0; c < 2; c++)
            memcpy(analysis->stems.channel[i][c], loaded[i].channel[c],
                   analysis->samples * sizeof(float));
        a1_audio_free(&loaded[i]);
    }
    for (size_t i = A1_STEM_COUNT; i < A1_STEM_FILES; i++)
        six |= paths[i] != NULL;
    analysis->result->shown.provenance.stems_mode = six ? "6 stems" : "4 stems";

done:
    for (size_t i = 0; i < A1_STEM_COUNT; i++)
        a1_audio_free(&loaded[i]);
    free_paths(paths);
    return status;
}
