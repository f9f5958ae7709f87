/* Any bytes as an audio file: no crash, no sanitizer report, nothing printed, sound results, the same
 * by one thread and by two. The seeds are a tenth of a second of each format; longer runs want
 * libFuzzer's -max_len=20000, so that honest decompression bombs do not end them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libavutil/log.h>

#include "audio/decode.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What FFmpeg's own callback would print at its default level is a failure of our silencing; each
 * is told once, and fatal when ALLIN1_FUZZ_QUIET is set. */
static void catch_message(void *context, int level, const char *format, va_list arguments)
{
    static const char *seen[256];
    (void)arguments;
    if ((level >= 0 ? level & 0xff : level) > AV_LOG_INFO)
        return;
    size_t i = 0;
    while (i < 255 && seen[i] && seen[i] != format)
        i++;
    if (seen[i] == format)
        return;
    seen[i] = format;
    fprintf(stderr, "printed by %s: %s\n",
            context ? (*(AVClass **)context)->class_name : "no context", format);
    if (getenv("ALLIN1_FUZZ_QUIET"))
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    av_log_set_callback(catch_message);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int file = -1;
    if (file < 0)
        file = memfd_create("input", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, bytes, size, 0) != (ssize_t)size)
        abort();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    static a1_pool *pool;
    if (!pool && a1_pool_create(&pool, 2, NULL) != ALLIN1_OK)
        abort();
    a1_audio audio, split;
    a1_error err = {0}, split_err = {0};
    const allin1_status status = a1_audio_decode(path, NULL, &audio, &err);
    if (a1_audio_decode(path, pool, &split, &split_err) != status ||
        strcmp(err.message, split_err.message) != 0)
        abort();
    if (status != ALLIN1_OK) {
        if (audio.channel[0] || err.status != status || !strstr(err.message, path))
            abort();
        return 0;
    }
    if (audio.samples == 0 || audio.source.sample_rate <= 0 || audio.source.channels <= 0 ||
        audio.source.skipped_start < 0 || audio.source.skipped_end < 0 ||
        strlen(audio.source.codec) == 0)
        abort();
    for (int c = 0; c < 2; c++)
        for (size_t i = 0; i < audio.samples; i++)
            if (!isfinite(audio.channel[c][i]))
                abort();
    split.source.split = 0;
    if (split.samples != audio.samples || memcmp(&split.source, &audio.source, sizeof audio.source) != 0)
        abort();
    for (int c = 0; c < 2; c++)
        if (memcmp(split.channel[c], audio.channel[c], audio.samples * sizeof(float)) != 0)
            abort();
    a1_audio_free(&audio);
    a1_audio_free(&split);
    return 0;
}
