/* A regular file as FFmpeg's input. */
#ifndef A1_AUDIO_INPUT_FILE_H
#define A1_AUDIO_INPUT_FILE_H

#include <stdatomic.h>
#include <stdint.h>

#include <libavformat/avio.h>

#include "base/error.h"

typedef struct a1_input_file {
    int file;      /* a descriptor; -1 when closed */
    int64_t start; /* where FFmpeg's view begins in the file: after ID3v2 tags */
    int64_t size;  /* of the view */
    int64_t position;
    int hidden;      /* while set, FFmpeg sees an empty file of unknown size */
    atomic_int read_error; /* errno of the first failed read, else 0; a frame may be taken meanwhile */
    AVIOContext *io; /* reads from `file` */
} a1_input_file;

/* Opens `path`. Directories, pipes, sockets, devices and empty files are refused without blocking
 * on them. The struct must stay where it is until it is closed. */
allin1_status a1_input_open(a1_input_file *input, const char *path, a1_error *err);

/* Safe on a struct whose opening failed. */
void a1_input_close(a1_input_file *input);

#endif
