#include "audio/ffmpeg.h"

#define A1_SHARED_TABLE a1_ffmpeg
#define LIBRARY(name, MAJOR, functions)                                                            \
    {A1_SHARED_FILE(name, AV_STRINGIFY(MAJOR)), A1_FFMPEG_FOLDER, functions,                       \
     sizeof(functions) / sizeof *(functions)}

static const a1_shared_function avutil[] = {A1_AVUTIL_CALLS(A1_SHARED_FUNCTION)};
static const a1_shared_function swresample[] = {A1_SWRESAMPLE_CALLS(A1_SHARED_FUNCTION)};
static const a1_shared_function avcodec[] = {A1_AVCODEC_CALLS(A1_SHARED_FUNCTION)};
static const a1_shared_function avformat[] = {A1_AVFORMAT_CALLS(A1_SHARED_FUNCTION)};

static const a1_shared_library libraries[] = {
    LIBRARY("avutil", LIBAVUTIL_VERSION_MAJOR, avutil),
    LIBRARY("swresample", LIBSWRESAMPLE_VERSION_MAJOR, swresample),
    LIBRARY("avcodec", LIBAVCODEC_VERSION_MAJOR, avcodec),
    LIBRARY("avformat", LIBAVFORMAT_VERSION_MAJOR, avformat),
};

a1_ffmpeg a1_ff;

static a1_shared_group group = {.what = "FFmpeg's libraries",
                                .libraries = libraries,
                                .count = sizeof libraries / sizeof *libraries,
                                .table = &a1_ff,
                                .lock = PTHREAD_MUTEX_INITIALIZER};

allin1_status a1_ffmpeg_load(a1_error *err)
{
    return a1_shared_load(&group, err);
}
