/* The packets of one stream, decoded by several threads at once.
 *
 * A codec whose memory ends a few packets back gives the same samples wherever it begins, once it has
 * been through these. So a window of packets is cut into segments; each is begun as many packets early
 * as its codec's memory can reach, and besides, the last frame before it must be, bit for bit, the one
 * that the segment before ended with. Meanwhile the next window is read, and the frames of the one
 * before are taken in their order. Where anything is not as it should be (a damaged packet, a seam that
 * does not match) nothing is decided here: the caller starts again with one decoder for all, whose
 * result is the one that counts. */
#ifndef A1_AUDIO_SPLIT_DECODER_H
#define A1_AUDIO_SPLIT_DECODER_H

#include <stdbool.h>

#include "audio/ffmpeg.h"
#include "audio/ffmpeg_compat.h"
#include "base/error.h"
#include "base/threads.h"

/* Whether a stream of this codec in this container (FFmpeg's name) may be decoded so. */
bool a1_split_possible(const AVCodecContext *codec, const char *container);

/* Each is called with `user`. open is called by the calling thread; read and take by any, one call of each
 * at a time, but both at the same time. */
typedef struct a1_split_calls {
    void *user;
    /* One more decoder for the stream; NULL on failure. */
    AVCodecContext *(*open)(void *user);
    /* The next packet into an empty one: 0, or a negative AVERROR after which it is not called again. */
    int (*read)(void *user, AVPacket *packet);
    /* Takes a frame, in the order of the file; it is the receiver's to change and to unref. */
    allin1_status (*take)(void *user, AVFrame *frame);
} a1_split_calls;

/* Decodes the whole stream. *end receives what read returned last. *again says that the stream cannot be
 * decoded so, for want of memory too, and that what was taken does not count. Fails as take does, and on
 * memory. `pool` must not be at work. */
allin1_status a1_split_decode(a1_pool *pool, const a1_split_calls *calls, int *end, bool *again,
                              a1_error *err);

#endif
