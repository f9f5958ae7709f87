#include "audio/split_decoder.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW 512         /* packets */
#define SEGMENT 64         /* packets of a task */
#define MOST_EARLY SEGMENT /* packets before a segment that its decoder begins with */
#define RESERVOIR 512      /* bytes that an MP3 frame may take from those before it */
#define MP3_OVERHEAD 40    /* at most of a packet are header and side information */

typedef struct window {
    AVPacket *packets[WINDOW];
    AVFrame *frames[WINDOW]; /* what each became; some have no buffer: the packet gave nothing */
    size_t count;
} window;

typedef struct segment {
    AVFrame *seam; /* what the last packet before it became */
    bool failed;
} segment;

typedef struct split_decoder {
    a1_split_calls calls;
    unsigned codec_count;
    AVCodecContext **codecs; /* one a thread */
    window windows[3];
    window *before, *now, *next; /* the one that is taken, that is decoded, that is read */
    AVFrame *last;               /* of the one before */
    bool begun;                  /* there was one */
    segment segments[WINDOW / SEGMENT];
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

/* Packets before a segment after which the decoder's memory is what it is in one that heard them all. The
 * last of them is the seam. */
static size_t early_packets(const split_decoder *s, size_t first)
{
    const enum AVCodecID codec = s->codecs[0]->codec_id;
    if (codec == AV_CODEC_ID_FLAC)
        return 1; /* frames are independent */
    if (codec == AV_CODEC_ID_VORBIS)
        return 2; /* the second half of the packet before */
    /* The bytes that frames borrow, then the filters: half a frame and a little more than that. */
    size_t count = 0;
    int bytes = 0;
    while (bytes < RESERVOIR && count < MOST_EARLY - 3) {
        const AVPacket *packet = packet_before(s, first, 1 + count);
        bytes += packet->size > MP3_OVERHEAD ? packet->size - MP3_OVERHEAD : 0;
        count++;
    }
    return count + 3;
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
    return packet->size > 0 && !(codec == AV_CODEC_ID_VORBIS && packet->data[0] & 1);
}

/* Decodes a packet into `frame`, which has no buffer where there is none; false when the packet is damaged
 * or gives more than one. */
static bool decode(AVCodecContext *codec, const AVPacket *packet, AVFrame *frame)
{
    a1_ff.av_frame_unref(frame);
    if (a1_ff.avcodec_send_packet(codec, packet) < 0)
        return false;
    int ret = a1_ff.avcodec_receive_frame(codec, frame);
    if (ret == AVERROR(EAGAIN))
        return true;
    if (ret < 0)
        return false;
    AVFrame *more = a1_ff.av_frame_alloc();
    ret = more ? a1_ff.avcodec_receive_frame(codec, more) : 0;
    a1_ff.av_frame_free(&more);
    return ret == AVERROR(EAGAIN);
}

static void decode_segment(split_decoder *s, size_t index, AVCodecContext *codec)
{
    window *w = s->now;
    segment *seg = &s->segments[index];
    const size_t first = index * SEGMENT;
    const size_t end = first + SEGMENT < w->count ? first + SEGMENT : w->count;
    seg->failed = false;
    a1_ff.avcodec_flush_buffers(codec);
    if (index > 0 || s->begun) {
        /* What the first of these miss may be an error, or silence: neither counts before the seam. */
        for (size_t early = early_packets(s, first); early > 0; early--)
            decode(codec, packet_before(s, first, early), seg->seam);
    }
    for (size_t i = first; i < end && !seg->failed; i++)
        seg->failed = !is_plain(w->packets[i], codec->codec_id) ||
                      !decode(codec, w->packets[i], w->frames[i]);
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
            s->taken = s->calls.take(s->calls.user, w->frames[i], w->packets[i]);
}

/* Those of which there is one come first, and the segments fill up what is left. */
static void run_task(void *argument, size_t index, unsigned worker)
{
    split_decoder *s = argument;
    if (index == 0)
        take_window(s, s->before);
    else if (index == 1)
        read_window(s, s->next);
    else
        decode_segment(s, index - 2, s->codecs[worker]);
}

static bool same_samples(const AVFrame *a, const AVFrame *b)
{
    if (!a->buf[0] || !b->buf[0] || a->nb_samples != b->nb_samples || a->format != b->format ||
        a->sample_rate != b->sample_rate || a1_frame_channels(a) != a1_frame_channels(b))
        return false;
    const bool planar = a1_ff.av_sample_fmt_is_planar(a->format);
    const int channels = a1_frame_channels(a);
    const size_t bytes = (size_t)a->nb_samples * (size_t)a1_ff.av_get_bytes_per_sample(a->format) *
                         (size_t)(planar ? 1 : channels);
    for (int plane = 0; plane < (planar ? channels : 1); plane++)
        if (memcmp(a->extended_data[plane], b->extended_data[plane], bytes) != 0)
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

/* Turns to the next window; false without memory. */
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
    if (s->before->count == 0)
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

static bool make_room(split_decoder *s, unsigned codecs)
{
    s->codec_count = codecs;
    s->codecs = calloc(codecs, sizeof(AVCodecContext *));
    s->last = a1_ff.av_frame_alloc();
    bool complete = s->codecs && s->last;
    for (unsigned i = 0; i < codecs && complete; i++)
        complete = (s->codecs[i] = s->calls.open(s->calls.user)) != NULL;
    for (size_t i = 0; i < 3 * WINDOW && complete; i++) {
        window *w = &s->windows[i / WINDOW];
        w->packets[i % WINDOW] = a1_ff.av_packet_alloc();
        w->frames[i % WINDOW] = a1_ff.av_frame_alloc();
        complete = w->packets[i % WINDOW] && w->frames[i % WINDOW];
    }
    for (size_t i = 0; i < WINDOW / SEGMENT && complete; i++)
        complete = (s->segments[i].seam = a1_ff.av_frame_alloc()) != NULL;
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
    for (size_t i = 0; i < WINDOW / SEGMENT; i++)
        a1_ff.av_frame_free(&s->segments[i].seam);
    for (unsigned i = 0; i < s->codec_count && s->codecs; i++)
        a1_ff.avcodec_free_context(&s->codecs[i]);
    a1_ff.av_frame_free(&s->last);
    free(s->codecs);
}

allin1_status a1_split_decode(a1_pool *pool, const a1_split_calls *calls, int *end, bool *again,
                              a1_error *err)
{
    split_decoder *s = calloc(1, sizeof *s);
    if (!s)
        return a1_fail_memory(err, "decoding audio");
    s->calls = *calls;
    *again = false;
    const allin1_status status = make_room(s, a1_pool_threads(pool))
                                     ? decode_all(s, pool, again)
                                     : a1_fail_memory(err, "decoding audio");
    *end = s->end;
    free_room(s);
    free(s);
    return status;
}
