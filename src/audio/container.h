/* What a container's own bytes say about its length, where FFmpeg does not tell. */
#ifndef A1_AUDIO_CONTAINER_H
#define A1_AUDIO_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct a1_container_facts {
    bool cut;       /* the file is shorter than its structure says, or lacks its end mark */
    int64_t length; /* of the audio without delay and padding, in units of 1/rate s; -1 unknown */
    int64_t delay;  /* to be dropped before it, in the same units */
    int64_t rate;   /* 0 when `length` is unknown */
} a1_container_facts;

/* Looks at the structure of `size` bytes from `start` on in an open regular file. `format` is
 * FFmpeg's name of the demuxer; WAV, RF64 and Wave64, AIFF, CAF, Ogg, MP4 and Matroska are
 * understood, others give "nothing known". `track` is the MP4 track's number. Reads with pread
 * only; sizes in the file are not trusted.
 *
 * Facts: RIFF/RF64 (EBU Tech 3306), AIFF-C draft, Ogg (RFC 3533), ISO/IEC 14496-12, Matroska
 * (RFC 9559). */
a1_container_facts a1_container_inspect(int file, int64_t start, int64_t size, const char *format,
                                        int track);

#endif
