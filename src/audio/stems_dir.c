#include "audio/stems_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "audio/planar_buffer.h"

enum { GUITAR = A1_STEM_COUNT, PIANO, SOURCES = A1_STEM_FILES };

static const char *const stem_names[SOURCES] = {"bass",   "drums",  "other",
                                                "vocals", "guitar", "piano"};

static const char *const extensions[] = {"wav", "flac", "aiff", "aif", "m4a", "mp4", "mp3", "ogg",
                                         "oga", "opus", "aac",  "wma", "w64", "caf", "wv",  "mka"};

static const char *const usual_patterns[] = {"%n/%s.%e", "%s.%e",    "%n.%s.%e",
                                             "%n_%s.%e", "%n-%s.%e", "%n (%s).%e"};

/* The first folder that could not be listed. */
typedef struct refusal {
    char *path; /* NULL: there was none */
    int reason; /* an errno */
} refusal;

typedef struct search {
    const char *name; /* the song's */
    const char *stem;
    char *found[2]; /* paths; the second is there when the stem is ambiguous */
    bool no_memory;
    refusal *refused;
} search;

/* Whether `text` is what `pattern`, up to `end`, stands for. */
static bool matches(const search *s, const char *pattern, const char *end, const char *text)
{
    while (pattern < end) {
        if (*pattern != '%') {
            if (*pattern++ != *text++)
                return false;
            continue;
        }
        const char kind = pattern[1];
        pattern += 2;
        if (kind == '%') {
            if (*text++ != '%')
                return false;
        } else if (kind == 'n') {
            const size_t length = strlen(s->name);
            if (strncmp(text, s->name, length) != 0)
                return false;
            text += length;
        } else if (kind == 's') {
            const size_t length = strlen(s->stem);
            if (strncasecmp(text, s->stem, length) != 0)
                return false;
            text += length;
        } else {
            for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
                const size_t length = strlen(extensions[i]);
                if (strncasecmp(text, extensions[i], length) == 0 &&
                    matches(s, pattern, end, text + length))
                    return true;
            }
            return false;
        }
    }
    return *text == '\0';
}

static char *join(const char *dir, const char *name)
{
    const size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", dir, name);
    return path;
}

static void keep(search *s, char *path)
{
    if (!path)
        s->no_memory = true;
    else if (!s->found[0])
        s->found[0] = path;
    else if (!s->found[1]) {
        /* The order of a folder's entries is chance; a message should not be. */
        const bool first = strcmp(path, s->found[0]) < 0;
        s->found[1] = first ? s->found[0] : path;
        if (first)
            s->found[0] = path;
    } else {
        free(path);
    }
}

static void note_refusal(search *s, const char *dir, int reason)
{
    if (reason == 0 || reason == ENOENT || reason == ENOTDIR || s->refused->path)
        return;
    *s->refused = (refusal){strdup(dir), reason};
    s->no_memory |= !s->refused->path;
}

/* Walks the pattern's folders; their number bounds the recursion. A folder that cannot be listed
 * has no stems, and is noted. */
static void look(search *s, const char *dir, const char *pattern)
{
    const char *end = strchr(pattern, '/');
    const bool last = !end;
    if (last)
        end = pattern + strlen(pattern);
    DIR *listing = opendir(dir);
    if (!listing) {
        note_refusal(s, dir, errno);
        return;
    }
    const struct dirent *entry;
    while ((errno = 0, entry = readdir(listing))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            !matches(s, pattern, end, entry->d_name))
            continue;
        char *path = join(dir, entry->d_name);
        struct stat info;
        if (!path) {
            s->no_memory = true;
        } else if (last && stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
            keep(s, path);
            path = NULL;
        } else if (!last) {
            look(s, path, end + 1);
        }
        free(path);
    }
    note_refusal(s, dir, errno);
    closedir(listing);
}

static allin1_status check_pattern(const char *pattern, a1_error *err)
{
    bool stem = false;
    for (const char *at = pattern; *at; at++) {
        if (*at != '%')
            continue;
        at++;
        if (!*at || !strchr("nse%", *at))
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                           "stem pattern '%s': after %% only n, s, e or %% may stand", pattern);
        stem |= *at == 's';
    }
    if (!stem)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "stem pattern '%s': %%s is missing, the place of the stem's name", pattern);
    if (*pattern == '/' || strstr(pattern, "//") || pattern[strlen(pattern) - 1] == '/')
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "stem pattern '%s': must be the path of a file below the folder", pattern);
    return ALLIN1_OK;
}

/* One stem's file, or NULL in `path` when there is none. The caller frees it. */
static allin1_status find_stem(const char *dir, const char *name, const char *pattern, int stem,
                               char **path, refusal *refused, a1_error *err)
{
    search s = {.name = name, .stem = stem_names[stem], .refused = refused};
    look(&s, dir, pattern);
    allin1_status status = ALLIN1_OK;
    if (s.no_memory)
        status = a1_fail_memory(err, "looking for stems");
    else if (s.found[1])
        status = a1_fail(err, ALLIN1_ERROR_AUDIO, "two files for the stem %s: %s and %s",
                         stem_names[stem], s.found[0], s.found[1]);
    *path = NULL;
    if (status == ALLIN1_OK) {
        *path = s.found[0];
        s.found[0] = NULL;
    }
    free(s.found[0]);
    free(s.found[1]);
    return status;
}

static void forget(char *paths[SOURCES])
{
    for (int i = 0; i < SOURCES; i++) {
        free(paths[i]);
        paths[i] = NULL;
    }
}

/* Fills in the files of the first pattern that has all four. */
static allin1_status look_for_stems(const char *dir, const char *name, const char *const *patterns,
                                    size_t count, char *paths[SOURCES], refusal *refused,
                                    a1_error *err)
{
    int most = 0;
    char best[128] = ""; /* what is missing where most was found */
    size_t best_pattern = 0;
    struct stat info;
    if (stat(dir, &info) != 0)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", dir, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: is not a folder", dir);
    for (size_t i = 0; i < count; i++) {
        char missing[128] = "";
        int there = 0;
        for (int stem = 0; stem < SOURCES; stem++) {
            A1_TRY(find_stem(dir, name, patterns[i], stem, &paths[stem], refused, err));
            if (stem >= A1_STEM_COUNT)
                continue;
            there += paths[stem] != NULL;
            if (!paths[stem]) {
                const size_t used = strlen(missing);
                snprintf(missing + used, sizeof missing - used, "%s%s", used ? ", " : "",
                         stem_names[stem]);
            }
        }
        if (there == A1_STEM_COUNT)
            return ALLIN1_OK;
        if (there > most || i == 0) {
            most = there;
            best_pattern = i;
            snprintf(best, sizeof best, "%s", missing);
        }
        forget(paths);
    }
    if (refused->path)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be listed: %s", refused->path,
                       strerror(refused->reason));
    if (most > 0)
        return a1_fail(err, ALLIN1_ERROR_IO,
                       "%s: of the stems of '%s' named %s, these are missing: %s", dir, name,
                       patterns[best_pattern], best);
    char tried[256] = "";
    for (size_t i = 0; i < count; i++) {
        const size_t used = strlen(tried);
        snprintf(tried + used, sizeof tried - used, "%s'%s'", i ? ", " : "", patterns[i]);
    }
    return a1_fail(err, ALLIN1_ERROR_IO,
                   "%s: no stems of '%s' here; looked for %s (%%n is the name, %%s bass, drums, "
                   "other and vocals, %%e an audio file's extension)",
                   dir, name, tried);
}

static allin1_status find_stems(const char *dir, const char *name, const char *const *patterns,
                                size_t count, char *paths[SOURCES], a1_error *err)
{
    refusal refused = {NULL, 0};
    const allin1_status status = look_for_stems(dir, name, patterns, count, paths, &refused, err);
    free(refused.path);
    return status;
}

/* Lengthens with zeros. */
static allin1_status lengthen(a1_audio *audio, size_t samples, a1_error *err)
{
    if (audio->samples >= samples)
        return ALLIN1_OK;
    const size_t more = samples - audio->samples;
    a1_planar_buffer buffer = a1_planar_from_audio(audio);
    const allin1_status status = a1_planar_reserve(&buffer, more, err);
    if (status == ALLIN1_OK) {
        for (int c = 0; c < 2; c++)
            memset(a1_planar_end(&buffer, c), 0, more * sizeof(float));
        buffer.used += more;
    }
    a1_planar_finish(&buffer, audio);
    return status;
}

static allin1_status check_lengths(const a1_audio *stems, const char *const paths[SOURCES],
                                   size_t *longest, a1_error *err)
{
    int shortest_stem = -1, longest_stem = -1;
    for (int i = 0; i < SOURCES; i++) {
        if (!paths[i])
            continue;
        if (shortest_stem < 0 || stems[i].samples < stems[shortest_stem].samples)
            shortest_stem = i;
        if (longest_stem < 0 || stems[i].samples > stems[longest_stem].samples)
            longest_stem = i;
    }
    *longest = stems[longest_stem].samples;
    if (*longest - stems[shortest_stem].samples > A1_STEMS_LENGTH_SLACK)
        return a1_fail(
            err, ALLIN1_ERROR_AUDIO, "stems of different length: %s has %zu samples, %s has %zu",
            paths[longest_stem], *longest, paths[shortest_stem], stems[shortest_stem].samples);
    return ALLIN1_OK;
}

allin1_status a1_stems_dir_find(const char *dir, const char *name, const char *pattern,
                                char *paths[A1_STEM_FILES], a1_error *err)
{
    for (int i = 0; i < SOURCES; i++)
        paths[i] = NULL;
    if (!*name || strchr(name, '/'))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "'%s' is not the name of a song", name);
    if (pattern)
        A1_TRY(check_pattern(pattern, err));
    return pattern ? find_stems(dir, name, &pattern, 1, paths, err)
                   : find_stems(dir, name, usual_patterns,
                                sizeof usual_patterns / sizeof *usual_patterns, paths, err);
}

allin1_status a1_stems_dir_decode(const char *const paths[A1_STEM_FILES],
                                  a1_audio stems[A1_STEM_COUNT], a1_error *err)
{
    allin1_status status = ALLIN1_OK;
    a1_audio sources[SOURCES];
    memset(sources, 0, sizeof sources);
    for (int i = 0; i < A1_STEM_COUNT; i++)
        stems[i] = (a1_audio){0};
    for (int i = 0; i < SOURCES; i++)
        if (paths[i])
            A1_CHECK(a1_audio_decode(paths[i], NULL, &sources[i], err));
    size_t longest;
    A1_CHECK(check_lengths(sources, paths, &longest, err));
    for (int i = 0; i < A1_STEM_COUNT; i++)
        A1_CHECK(lengthen(&sources[i], longest, err));
    for (int extra = GUITAR; extra <= PIANO; extra++)
        for (int c = 0; c < 2; c++)
            for (size_t i = 0; i < sources[extra].samples; i++)
                sources[A1_STEM_OTHER].channel[c][i] += sources[extra].channel[c][i];
    for (int i = 0; i < A1_STEM_COUNT; i++) {
        stems[i] = sources[i];
        sources[i] = (a1_audio){0};
    }
done:
    for (int i = 0; i < SOURCES; i++)
        a1_audio_free(&sources[i]);
    return status;
}

allin1_status a1_stems_dir_load(const char *dir, const char *name, const char *pattern,
                                a1_audio stems[A1_STEM_COUNT], a1_error *err)
{
    char *paths[SOURCES];
    for (int i = 0; i < A1_STEM_COUNT; i++)
        stems[i] = (a1_audio){0};
    allin1_status status = a1_stems_dir_find(dir, name, pattern, paths, err);
    if (status == ALLIN1_OK)
        status = a1_stems_dir_decode((const char *const *)paths, stems, err);
    forget(paths);
    return status;
}
