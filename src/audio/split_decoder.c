#include "audio/split_decoder.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW 512         /* packets */
#define SEGMENT 64         /* packets of a task */
#define SEGMENTS (WINDOW / SEGMENT)
#define MOST_EARLY SEGMENT /* packets before a segment that its decoder may begin with */
#define LARGEST_FRAME 65536 /* bytes: two windows of frames are there at a time */

typedef struct window {
    AVPacket *packets[WINDOW];
    AVFrame *frames[WINDOW]; /* what each became; some have no buffer: the packet gave nothing */
    size_t count;
} window;

typedef struct segment {
    AVFrame *seam; /* what the last packet before it became */
    AVFrame *more; /* for a second frame of a packet, which none should have */
    bool failed;
} segment;

typedef struct split_decoder {
    a1_split_calls calls;
    AVCodecContext *codecs[SEGMENTS];
    window windows[3];
    window *before, *now, *next; /* the one that is taken, that is decoded, that is read */
    AVFrame *last;               /* of the one before */
    bool begun;                  /* there was one */
    segment segments[SEGMENTS];
    int end;             /* 0 while there are packets */
    allin1_status taken; /* what came of the one before */
} split_decoder;

bool a1_split_possible(const AVCodecContext *codec, const char *container)
{
    const bool known = codec->codec_id == AV_CODEC_ID_VORBIS || codec->codec_id == AV_CODEC_ID_MP3 ||
                       codec->codec_id == AV_CODEC_ID_FLAC;
    const bool plain = strcmp(container, "ogg") == 0 || strcmp(container, "mp3") == 0 ||
                       strcmp(container, "flac") == 0;
    return known && plain && !(codec->codec->capabilities & AV_CODEC_CAP_DELAY);
}

/* The packet `back` places before packet `first` of the window. */
static const AVPacket *packet_before(const split_decoder *s, size_t first, size_t back)
{
    return back <= first ? s->now->packets[first - back] : s->before->packets[WINDOW + first - back];
}

/* An MP3 frame may borrow bytes from those before it. A decoder that has not seen them says nothing and
 * gives silence, which a silent seam would pass for right: so this must hold for every stream. The seam's
 * frame, the one before it, whose end the filters still hear, and at low sampling rates, where a frame is
 * half as long, one more must find all that they may borrow. */
static size_t early_mp3_packets(const split_decoder *s, size_t first)
{
    const AVPacket *seam = packet_before(s, first, 1);
    const bool low_rate = seam->size < 2 || !(seam->data[1] & 8); /* MPEG-2 and 2.5 */
    const int reservoir = low_rate ? 255 : 511;
    const int overhead = low_rate ? 23 : 38; /* header, checksum and side information, at most */
    const size_t exact = 3;
    int bytes = 0;
    for (size_t count = exact + 1; count <= MOST_EARLY; count++) {
        const AVPacket *packet = packet_before(s, first, count);
        bytes += packet->size > overhead ? packet->size - overhead : 0;
        if (bytes >= reservoir)
            return count;
    }
    return 0;
}

/* Packets before a segment after which the decoder's memory is what it is in one that heard them all; the
 * last of them is the seam. 0: there are too many. */
static size_t early_packets(const split_decoder *s, size_t first)
{
    switch (s->codecs[0]->codec_id) {
    case AV_CODEC_ID_FLAC: return 1; /* frames are independent */
    case AV_CODEC_ID_VORBIS: return 2; /* the second half of the packet before */
    default: return early_mp3_packets(s, first);
    }
}

/* Places and tags are the only news; a new header would have to reach all decoders. */
static bool is_plain(const AVPacket *packet, enum AVCodecID codec)
{
    for (int i = 0; i < packet->side_data_elems; i++) {
        const enum AVPacketSideDataType type = packet->side_data[i].type;
        if (type != AV_PKT_DATA_SKIP_SAMPLES && type != AV_PKT_DATA_STRINGS_METADATA &&
            type != AV_PKT_DATA_METADATA_UPDATE)
            return false;
    }
    if (packet->size == 0)
        return false;
    return codec == AV_CODEC_ID_VORBIS ? !(packet->data[0] & 1)
           : codec == AV_CODEC_ID_FLAC ? packet->data[0] == 0xff
                                       : true;
}

/* Decodes a packet of the segment into `frame`, which has no buffer where there is none; false when the
 * packet is damaged or gives more than one. */
static bool decode(split_decoder *s, size_t index, const AVPacket *packet, AVFrame *frame)
{
    AVCodecContext *codec = s->codecs[index];
    a1_ff.av_frame_unref(frame);
    if (a1_ff.avcodec_send_packet(codec, packet) < 0)
        return false;
    const int ret = a1_ff.avcodec_receive_frame(codec, frame);
    if (ret < 0)
        return ret == AVERROR(EAGAIN);
    return a1_ff.avcodec_receive_frame(codec, s->segments[index].more) == AVERROR(EAGAIN);
}

static size_t plane_bytes(const AVFrame *frame)
{
    return (size_t)frame->nb_samples * a1_frame_plane_channels(frame) *
           (size_t)a1_ff.av_get_bytes_per_sample(frame->format);
}

static bool is_small(const AVFrame *frame)
{
    return !frame->buf[0] || plane_bytes(frame) * (size_t)a1_frame_planes(frame) <= LARGEST_FRAME;
}

static void decode_segment(split_decoder *s, size_t index)
{
    AVCodecContext *codec = s->codecs[index];
    window *w = s->now;
    segment *seg = &s->segments[index];
    const size_t first = index * SEGMENT;
    const size_t end = first + SEGMENT < w->count ? first + SEGMENT : w->count;
    seg->failed = false;
    a1_ff.avcodec_flush_buffers(codec);
    if (index > 0 || s->begun) {
        /* What the first of these miss may be an error, or silence: neither counts before the seam. */
        size_t early = early_packets(s, first);
        seg->failed = early == 0;
        for (; early > 0; early--)
            decode(s, index, packet_before(s, first, early), seg->seam);
    }
    for (size_t i = first; i < end && !seg->failed; i++)
        seg->failed = !is_plain(w->packets[i], codec->codec_id) ||
                      !decode(s, index, w->packets[i], w->frames[i]) || !is_small(w->frames[i]);
}

static void read_window(split_decoder *s, window *w)
{
    while (s->end == 0 && w->count < WINDOW) {
        s->end = s->calls.read(s->calls.user, w->packets[w->count]);
        w->count += s->end == 0;
    }
}

/* In the order of the file. */
static void take_window(split_decoder *s, const window *w)
{
    s->taken = ALLIN1_OK;
    for (size_t i = 0; i < w->count && s->taken == ALLIN1_OK; i++)
        if (w->frames[i]->buf[0])
            s->taken = s->calls.take(s->calls.user, w->frames[i]);
}

/* Those of which there is one come first, and the segments fill up what is left. */
static void run_task(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    split_decoder *s = argument;
    if (index == 0)
        take_window(s, s->before);
    else if (index == 1)
        read_window(s, s->next);
    else
        decode_segment(s, index - 2);
}

static bool same_samples(const AVFrame *a, const AVFrame *b)
{
    if (!a->buf[0] || !b->buf[0] || a->nb_samples != b->nb_samples || a->format != b->format ||
        a->sample_rate != b->sample_rate || a1_frame_channels(a) != a1_frame_channels(b))
        return false;
    for (int plane = 0; plane < a1_frame_planes(a); plane++)
        if (memcmp(a->extended_data[plane], b->extended_data[plane], plane_bytes(a)) != 0)
            return false;
    return true;
}

static bool seams_match(const split_decoder *s, size_t segments)
{
    for (size_t i = 0; i < segments; i++) {
        if (s->segments[i].failed)
            return false;
        const AVFrame *before = i > 0 ? s->now->frames[i * SEGMENT - 1] : s->last;
        if ((i > 0 || s->begun) && !same_samples(before, s->segments[i].seam))
            return false;
    }
    return true;
}

/* Turns to the next window; false where there is nothing to hold its first seam against. */
static bool turn(split_decoder *s)
{
    window *empty = s->before;
    for (size_t i = 0; i < empty->count; i++) {
        a1_ff.av_packet_unref(empty->packets[i]);
        a1_ff.av_frame_unref(empty->frames[i]);
    }
    empty->count = 0;
    s->before = s->now;
    s->now = s->next;
    s->next = empty;
    if (s->now->count == 0)
        return true;
    s->begun = true;
    a1_ff.av_frame_unref(s->last);
    return a1_ff.av_frame_ref(s->last, s->before->frames[s->before->count - 1]) >= 0;
}

static allin1_status decode_all(split_decoder *s, a1_pool *pool, bool *again)
{
    read_window(s, s->now);
    while (s->now->count > 0 || s->before->count > 0) {
        const size_t segments = (s->now->count + SEGMENT - 1) / SEGMENT;
        a1_pool_run(pool, 2 + segments, run_task, s);
        A1_TRY(s->taken);
        *again = !seams_match(s, segments) || !turn(s);
        if (*again)
            return ALLIN1_OK;
    }
    return ALLIN1_OK;
}

static bool make_room(split_decoder *s)
{
    s->last = a1_ff.av_frame_alloc();
    bool complete = s->last != NULL;
    for (size_t i = 0; i < SEGMENTS && complete; i++) {
        s->codecs[i] = s->calls.open(s->calls.user);
        s->segments[i].seam = a1_ff.av_frame_alloc();
        s->segments[i].more = a1_ff.av_frame_alloc();
        complete = s->codecs[i] && s->segments[i].seam && s->segments[i].more;
    }
    for (size_t i = 0; i < 3 * WINDOW && complete; i++) {
        window *w = &s->windows[i / WINDOW];
        w->packets[i % WINDOW] = a1_ff.av_packet_alloc();
        w->frames[i % WINDOW] = a1_ff.av_frame_alloc();
        complete = w->packets[i % WINDOW] && w->frames[i % WINDOW];
    }
    s->before = &s->windows[0];
    s->now = &s->windows[1];
    s->next = &s->windows[2];
    return complete;
}

static void free_room(split_decoder *s)
{
    for (size_t i = 0; i < 3 * WINDOW; i++) {
        a1_ff.av_packet_free(&s->windows[i / WINDOW].packets[i % WINDOW]);
        a1_ff.av_frame_free(&s->windows[i / WINDOW].frames[i % WINDOW]);
    }
    for (size_t i = 0; i < SEGMENTS; i++) {
        a1_ff.av_frame_free(&s->segments[i].seam);
        a1_ff.av_frame_free(&s->segments[i].more);
        a1_ff.avcodec_free_context(&s->codecs[i]);
    }
    a1_ff.av_frame_free(&s->last);
}

allin1_status a1_split_decode(a1_pool *pool, const a1_split_calls *calls, int *end, bool *again,
                              a1_error *err)
{
    split_decoder *s = calloc(1, sizeof *s);
    if (!s)
        return a1_fail_memory(err, "decoding audio");
    s->calls = *calls;
    allin1_status status = ALLIN1_OK;
    *again = !make_room(s);
    if (!*again)
        status = decode_all(s, pool, again);
    *end = s->end;
    free_room(s);
    free(s);
    return status;
}
