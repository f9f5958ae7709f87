#include "audio/decode.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/intreadwrite.h>

#include "audio/container.h"
#include "audio/ffmpeg_compat.h"
#include "audio/input_file.h"
#include "audio/planar_buffer.h"
#include "audio/split_decoder.h"

#define MIN_RATE 1000    /* below, a few bytes become minutes */
#define MAX_RATE 1536000 /* above, the resampler's filters become huge */

/* A stated duration is believed up to here; beyond, the buffer grows as samples arrive. */
#define MAX_RESERVED_SECONDS 1800

/* A file's own statement about where its audio starts and ends. All at the first frame's rate. */
typedef struct stated_span {
    int64_t delay;     /* samples before it; -1 when FFmpeg knows */
    int64_t samples;   /* -1 when unknown */
    int64_t tolerance; /* how much more may be there without being cut off */
    bool exact;        /* nothing beyond, whatever FFmpeg says; else only the last frame is cut */
} stated_span;

typedef struct decoder {
    const char *path;
    a1_error *err;
    a1_input_file input;
    AVClass quiet; /* the format context's class with a log offset */
    AVFormatContext *format;
    AVStream *stream;
    AVRational time_base; /* the stream's, as the header states it */
    double stated_seconds; /* 0 when no length is stated */
    AVCodecContext *codec;
    AVPacket *packet, *held;
    AVFrame *frame;
    SwrContext *swr;
    int out_rate;     /* of the samples that are wanted; 0 until the first frame tells it */
    a1_layout layout; /* with rate and sample format: what `swr` was made for */
    int rate;
    int sample_format;
    bool mono;
    a1_planar_buffer out;
    a1_audio_source source;
    a1_container_facts facts;
    int64_t header_duration; /* stream's, in its time base, before FFmpeg estimated anything */
    stated_span stated;
    int64_t pending_skip;  /* samples still to be dropped at the start */
    int64_t raw, kept;     /* samples that came out of the codec, and that were not dropped */
    int64_t lost;          /* samples that damaged packets would have had */
    int64_t lost_trailing; /* of these, since the last good frame */
    int64_t frames;
} decoder;

static allin1_status fail_ffmpeg(decoder *d, allin1_status status, const char *what, int code)
{
    char reason[AV_ERROR_MAX_STRING_SIZE] = "";
    if (code == AVERROR(ENOMEM))
        return a1_fail_memory(d->err, "decoding audio");
    if (d->input.read_error)
        return a1_fail(d->err, ALLIN1_ERROR_IO, "%s: cannot be read: %s", d->path,
                       strerror(d->input.read_error));
    a1_ff.av_strerror(code, reason, sizeof reason);
    return a1_fail(d->err, status, "%s: %s (%s)", d->path, what, reason);
}

/* Playlists and the like name other files or hosts to open. */
static int refuse_to_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags,
                          AVDictionary **options)
{
    (void)format;
    (void)io;
    (void)url;
    (void)flags;
    (void)options;
    return AVERROR(EPERM);
}

static bool refers_to_others(const char *format)
{
    static const char *const names[] = {
        "hls",  "concat", "concatf", "dash",   "sdp",
        "rtsp", "rtp",    "imf",     "image2", "webm_dash_manifest"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(format, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static allin1_status open_container(decoder *d)
{
    d->format = a1_ff.avformat_alloc_context();
    if (!d->format)
        return a1_fail_memory(d->err, "opening an audio file");
    /* AVFormatContext has no log offset of its own, so its class is told that the user's pointer,
     * which is ours, holds one. */
    const int quiet = A1_FFMPEG_QUIET;
    d->quiet = *d->format->av_class;
    d->quiet.log_level_offset_offset = offsetof(AVFormatContext, opaque);
    d->format->av_class = &d->quiet;
    memcpy(&d->format->opaque, &quiet, sizeof quiet);
    d->format->pb = d->input.io;
    d->format->flags |= AVFMT_FLAG_CUSTOM_IO; /* closing the context must leave our input alone */
    d->format->io_open = refuse_to_open;
    A1_FFMPEG_CONST AVInputFormat *kind = NULL;
    int ret = a1_ff.av_probe_input_buffer2(d->input.io, &kind, d->path, d->format, 0, 0);
    if (ret < 0)
        return fail_ffmpeg(d, ALLIN1_ERROR_AUDIO, "not an audio file that FFmpeg knows", ret);
    if (refers_to_others(kind->name))
        return a1_fail(d->err, ALLIN1_ERROR_AUDIO,
                       "%s: is a playlist (%s) and holds no audio itself", d->path, kind->name);
    ret = a1_ff.avformat_open_input(&d->format, d->path, kind, NULL); /* frees on failure */
    if (ret < 0)
        return fail_ffmpeg(d, ALLIN1_ERROR_AUDIO, "the audio file's header cannot be read", ret);
    return ALLIN1_OK;
}

/* Lets FFmpeg look into the packets for what the header does not say. */
static int find_stream_info(AVFormatContext *format)
{
    const unsigned count = format->nb_streams;
    AVDictionary **options = calloc(count ? count : 1, sizeof *options);
    if (!options)
        return AVERROR(ENOMEM);
    int ret = 0;
    for (unsigned i = 0; i < count && ret >= 0; i++)
        ret = a1_ff.av_dict_set_int(&options[i], "log_level_offset", A1_FFMPEG_QUIET, 0);
    if (ret >= 0)
        ret = a1_ff.avformat_find_stream_info(format, count ? options : NULL);
    for (unsigned i = 0; i < count; i++)
        a1_ff.av_dict_free(&options[i]);
    free(options);
    return ret;
}

/* The stream of the first audio packet, which is kept in `held`. For formats that announce streams
 * as they come, such as MPEG-TS: the decoders with which FFmpeg would look at them cannot be
 * silenced. */
static int find_first_audio(decoder *d, A1_FFMPEG_CONST AVCodec **codec)
{
    int ret = AVERROR_STREAM_NOT_FOUND;
    for (int packets = 0; packets < 10000; packets++) {
        const int read = a1_ff.av_read_frame(d->format, d->held);
        if (read < 0)
            return read == AVERROR(ENOMEM) ? read : ret;
        const AVCodecParameters *known = d->format->streams[d->held->stream_index]->codecpar;
        if (known->codec_type == AVMEDIA_TYPE_AUDIO) {
            *codec = a1_ff.avcodec_find_decoder(known->codec_id);
            if (*codec)
                return d->held->stream_index;
            ret = AVERROR_DECODER_NOT_FOUND;
        }
        a1_ff.av_packet_unref(d->held);
    }
    return ret;
}

/* Returns the best stream's number and its decoder, or a negative AVERROR. */
static int find_best_stream(decoder *d, A1_FFMPEG_CONST AVCodec **codec)
{
    d->header_duration = AV_NOPTS_VALUE;
    if (d->format->ctx_flags & AVFMTCTX_NOHEADER)
        return find_first_audio(d, codec);
    /* What the header stated, before estimates from bit rates take its place. */
    const unsigned known = d->format->nb_streams;
    int64_t *durations = malloc((known ? known : 1) * sizeof *durations);
    if (!durations)
        return AVERROR(ENOMEM);
    for (unsigned i = 0; i < known; i++)
        durations[i] = d->format->streams[i]->duration;
    int best = find_stream_info(d->format);
    if (best >= 0)
        best = a1_ff.av_find_best_stream(d->format, AVMEDIA_TYPE_AUDIO, -1, -1, codec, 0);
    if (best >= 0 && (unsigned)best < known)
        d->header_duration = durations[best];
    free(durations);
    return best;
}

/* Sets `codec` up for the stream. Returns 0 or a negative AVERROR; `what` says what failed. */
static int set_up_codec(const decoder *d, AVCodecContext *codec, const char **what)
{
    codec->log_level_offset = A1_FFMPEG_QUIET;
    *what = "the audio stream's parameters are bad";
    const int ret = a1_ff.avcodec_parameters_to_context(codec, d->stream->codecpar);
    if (ret < 0)
        return ret;
    codec->pkt_timebase = d->stream->time_base;
    /* Delay and padding are reported with the frames and removed here, so that they are counted. */
    codec->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
    /* A FLAC frame whose checksum is wrong would otherwise be decoded to noise at full scale. */
    if (codec->codec_id == AV_CODEC_ID_FLAC)
        codec->err_recognition |= AV_EF_CRCCHECK | AV_EF_EXPLODE;
    *what = "the audio decoder does not start";
    return a1_ff.avcodec_open2(codec, NULL, NULL); /* as the decoder it was made for */
}

static allin1_status open_stream(decoder *d)
{
    A1_FFMPEG_CONST AVCodec *found = NULL;
    d->packet = a1_ff.av_packet_alloc();
    d->held = a1_ff.av_packet_alloc();
    d->frame = a1_ff.av_frame_alloc();
    if (!d->packet || !d->held || !d->frame)
        return a1_fail_memory(d->err, "decoding audio");
    const int best = find_best_stream(d, &found);
    if (best == AVERROR(ENOMEM) || d->input.read_error)
        return fail_ffmpeg(d, ALLIN1_ERROR_AUDIO, "the audio file cannot be read", best);
    if (best == AVERROR_DECODER_NOT_FOUND)
        return a1_fail(d->err, ALLIN1_ERROR_UNSUPPORTED,
                       "%s: this FFmpeg cannot decode the file's audio", d->path);
    if (best < 0)
        return a1_fail(d->err, ALLIN1_ERROR_AUDIO, "%s: there is no audio in this file (%s)",
                       d->path, d->format->iformat->name);
    d->stream = d->format->streams[best];
    for (unsigned i = 0; i < d->format->nb_streams; i++)
        if ((int)i != best)
            d->format->streams[i]->discard = AVDISCARD_ALL;
    d->time_base = d->stream->time_base;
    if (d->stream->duration != AV_NOPTS_VALUE)
        d->stated_seconds = (double)d->stream->duration * av_q2d(d->time_base);
    else if (d->format->duration != AV_NOPTS_VALUE)
        d->stated_seconds = (double)d->format->duration / AV_TIME_BASE;
    const char *what;
    d->codec = a1_ff.avcodec_alloc_context3(found);
    if (!d->codec)
        return a1_fail_memory(d->err, "opening an audio decoder");
    const int ret = set_up_codec(d, d->codec, &what);
    if (ret < 0)
        return fail_ffmpeg(d, ALLIN1_ERROR_AUDIO, what, ret);
    snprintf(d->source.container, sizeof d->source.container, "%s", d->format->iformat->name);
    snprintf(d->source.codec, sizeof d->source.codec, "%s",
             a1_ff.avcodec_get_name(d->codec->codec_id));
    return ALLIN1_OK;
}

/* A duration in a time base as samples at `rate`; -1 when it is unknown or absurd. */
static int64_t to_samples(AVRational base, int64_t duration, int rate)
{
    if (duration == AV_NOPTS_VALUE || duration <= 0 || rate <= 0 || base.num <= 0 || base.den <= 0)
        return -1;
    if ((double)duration * base.num / base.den > 1e9)
        return -1;
    return a1_ff.av_rescale_q(duration, base, (AVRational){1, rate});
}

/* The statement that iTunes leaves in an MP4's metadata: delay, padding and true length. Tag
 * editors copy it between files, so it must agree with the stream's length. */
static int64_t itunes_length(const decoder *d, int64_t stream_length)
{
    const AVDictionaryEntry *entry = a1_ff.av_dict_get(d->format->metadata, "iTunSMPB", NULL, 0);
    unsigned delay, padding;
    unsigned long long length;
    if (stream_length <= 0 || !entry ||
        sscanf(entry->value, "%*x %x %x %llx", &delay, &padding, &length) != 3)
        return -1;
    if (delay > 16384 || padding > 16384 || length == 0 || length > (uint64_t)INT64_MAX / 2)
        return -1;
    const int64_t plain = (int64_t)length, whole = plain + delay + padding;
    return llabs(stream_length - whole) <= 2048 || llabs(stream_length - plain) <= 2048 ? plain
                                                                                        : -1;
}

/* FFmpeg takes an MP4's delay in the track's units for samples, does not remove its padding, and
 * may have rounded the stream's length to the movie's time scale, 1/600 s at worst. It loses the
 * pre-skip of Opus in files of one packet. */
static void find_stated_span(decoder *d)
{
    const a1_container_facts *facts = &d->facts;
    const int rate = d->source.sample_rate;
    const int64_t stream_length = to_samples(d->time_base, d->header_duration, rate);
    d->stated = (stated_span){.delay = -1, .samples = -1};
    if (d->codec->codec_id == AV_CODEC_ID_OPUS && d->codec->delay > 0 && rate == 48000)
        d->stated.delay = d->codec->delay;
    if (strncmp(d->source.container, "mov,", 4) != 0)
        return;
    const int64_t itunes = itunes_length(d, stream_length);
    if (facts->length > 0 && facts->length / facts->rate < A1_AUDIO_MAX_SECONDS &&
        facts->delay <= facts->rate) { /* FFmpeg does not read what lies further before an edit */
        d->stated.delay = a1_ff.av_rescale(facts->delay, rate, facts->rate);
        d->stated.samples = a1_ff.av_rescale(facts->length, rate, facts->rate);
        d->stated.exact = true;
    } else if (stream_length > 0) {
        d->stated.samples = stream_length;
        d->stated.tolerance = rate / 600 + 1;
    }
    if (itunes > 0) {
        d->stated.samples = itunes;
        d->stated.tolerance = 0;
        d->stated.exact = true;
    }
}

/* Formats whose header states the number of samples, and by how many it may be too large: some
 * encoders count the MP3 frame that holds the header itself. */
static bool states_samples(const char *format, int64_t *tolerance)
{
    static const char *const exact[] = {"flac", "tta", "wv", "ape", "tak", "au"};
    *tolerance = 0;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (strcmp(format, exact[i]) == 0)
            return true;
    *tolerance = 1152;
    return strcmp(format, "mp3") == 0;
}

static bool ended_early(const decoder *d)
{
    if (d->facts.cut)
        return true;
    /* FFmpeg leaves out a last packet that begins in what the movie's time scale rounds off. */
    const int64_t rounding = d->source.sample_rate / 600 + 1;
    if (strncmp(d->source.container, "mov,", 4) == 0)
        return d->stated.samples > 0 &&
               d->kept + d->lost - d->lost_trailing + rounding < d->stated.samples;
    int64_t tolerance;
    const int64_t stated = to_samples(d->time_base, d->header_duration, d->source.sample_rate);
    return states_samples(d->source.container, &tolerance) && stated > 0 &&
           d->raw + d->lost - d->lost_trailing + tolerance < stated;
}

static int source_depth(const decoder *d)
{
    const AVCodecDescriptor *descriptor = a1_ff.avcodec_descriptor_get(d->codec->codec_id);
    if (!descriptor || !(descriptor->props & AV_CODEC_PROP_LOSSLESS))
        return 0;
    if (d->codec->bits_per_raw_sample > 0)
        return d->codec->bits_per_raw_sample;
    return a1_ff.av_get_exact_bits_per_sample(d->codec->codec_id);
}

/* Sets non-finite samples of a plane to 0; doubles that no float can hold, too. */
static void silence_nonfinite_floats(float *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(samples[i]) <= FLT_MAX))
            samples[i] = 0;
}

static void silence_nonfinite_doubles(double *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs(samples[i]) <= FLT_MAX))
            samples[i] = 0;
}

static bool all_finite(const AVFrame *frame, int planes, size_t count, bool wide)
{
    for (int plane = 0; plane < planes; plane++)
        for (size_t i = 0; i < count; i++)
            if (wide ? !(fabs(((const double *)frame->extended_data[plane])[i]) <= FLT_MAX)
                     : !(fabsf(((const float *)frame->extended_data[plane])[i]) <= FLT_MAX))
                return false;
    return true;
}

/* Before resampling, which would spread one bad sample over its neighbours. */
static int clean_frame(AVFrame *frame)
{
    const enum AVSampleFormat format = frame->format;
    const bool wide = format == AV_SAMPLE_FMT_DBL || format == AV_SAMPLE_FMT_DBLP;
    if (!wide && format != AV_SAMPLE_FMT_FLT && format != AV_SAMPLE_FMT_FLTP)
        return 0;
    const int planes = a1_frame_planes(frame);
    const size_t count = (size_t)frame->nb_samples * a1_frame_plane_channels(frame);
    if (all_finite(frame, planes, count, wide))
        return 0;
    const int ret = a1_ff.av_frame_make_writable(frame);
    for (int plane = 0; plane < planes && ret >= 0; plane++)
        if (wide)
            silence_nonfinite_doubles((double *)frame->extended_data[plane], count);
        else
            silence_nonfinite_floats((float *)frame->extended_data[plane], count);
    return ret;
}

/* Converts `count` samples a channel, or what the converter still holds for NULL. */
static allin1_status convert(decoder *d, const uint8_t **samples, int count)
{
    do {
        int room = a1_ff.swr_get_out_samples(d->swr, count);
        if (room < 0)
            return fail_ffmpeg(d, ALLIN1_ERROR_AUDIO, "resampling failed", room);
        room += 32; /* flushing may give a little more than is announced */
        A1_TRY(a1_planar_reserve(&d->out, (size_t)room, d->err));
        float *left = a1_planar_end(&d->out, 0), *right = a1_planar_end(&d->out, 1);
        uint8_t *planes[2] = {(uint8_t *)left, (uint8_t *)right};
        const int got = a1_ff.swr_convert(d->swr, planes, room, samples, count);
        if (got < 0)
            return fail_ffmpeg(d, ALLIN1_ERROR_AUDIO, "resampling failed", got);
        silence_nonfinite_floats(left, (size_t)got); /* a mix of large samples may overflow */
        if (d->mono)
            memcpy(right, left, (size_t)got * sizeof *left);
        else
            silence_nonfinite_floats(right, (size_t)got);
        d->out.used += (size_t)got;
        if (d->out.used > (size_t)A1_AUDIO_MAX_SECONDS * (size_t)d->out_rate)
            return a1_fail(d->err, ALLIN1_ERROR_UNSUPPORTED,
                           "%s: the audio is longer than %d hours", d->path,
                           A1_AUDIO_MAX_SECONDS / 3600);
        if (samples || got == 0)
            break;
    } while (true);
    return ALLIN1_OK;
}

/* Makes the converter for frames like this one; what an earlier one held is written first. */
static allin1_status configure(decoder *d)
{
    const AVFrame *frame = d->frame;
    if (d->swr && frame->sample_rate == d->rate && frame->format == d->sample_format &&
        a1_layout_matches(&d->layout, frame))
        return ALLIN1_OK;
    if (d->swr)
        A1_TRY(convert(d, NULL, 0));
    a1_ff.swr_free(&d->swr);
    int ret = a1_layout_of_frame(&d->layout, frame);
    d->mono = a1_frame_channels(frame) == 1;
    d->rate = frame->sample_rate;
    d->sample_format = frame->format;
    if (d->out_rate == 0)
        d->out_rate = d->rate;
    if (ret >= 0)
        ret = a1_swr_create(&d->swr, &d->layout, frame->format, d->rate, d->mono, d->out_rate);
    if (ret < 0) {
        char name[64];
        a1_layout_name(&d->layout, name, sizeof name);
        a1_ff.swr_free(&d->swr);
        return ret == AVERROR(ENOMEM) ? a1_fail_memory(d->err, "resampling audio")
                                      : a1_fail(d->err, ALLIN1_ERROR_UNSUPPORTED,
                                                "%s: %d channels (%s) cannot be mixed to stereo",
                                                d->path, a1_frame_channels(frame), name);
    }
    return ALLIN1_OK;
}

/* What is only known once a frame is there. */
static void describe_source(decoder *d)
{
    a1_audio_source *source = &d->source;
    source->channels = a1_frame_channels(d->frame);
    source->sample_rate = d->rate;
    source->bits_per_sample = source_depth(d);
    a1_layout_name(&d->layout, source->channel_layout, sizeof source->channel_layout);
    d->facts = a1_container_inspect(d->input.file, d->input.start, d->input.size, source->container,
                                    d->stream->id);
    find_stated_span(d);
    if (d->stated_seconds > 0 && d->stated_seconds < MAX_RESERVED_SECONDS) {
        /* Half a second more than stated costs nothing while it is untouched, growing does. Where
         * this fails, what is really needed may still fit. */
        const size_t samples = (size_t)((d->stated_seconds + 0.5) * d->out_rate);
        a1_planar_reserve(&d->out, samples, NULL);
    }
}

/* Moves the frame's start and length past delay and padding; length 0 when nothing is left. */
static void trim_frame(decoder *d, int64_t packet_samples, bool last, int64_t *start,
                       int64_t *length)
{
    const int64_t count = d->frame->nb_samples;
    int64_t skip = 0, discard = 0;
    const AVFrameSideData *side =
        a1_ff.av_frame_get_side_data(d->frame, AV_FRAME_DATA_SKIP_SAMPLES);
    if (side && side->size >= 10) {
        skip = AV_RL32(side->data);
        discard = AV_RL32(side->data + 4);
    }
    if (d->frames == 1 && d->stated.delay >= 0)
        skip = d->stated.delay;
    if (skip > 0)
        d->pending_skip = skip;
#ifdef AV_FRAME_FLAG_DISCARD
    /* Outside an MP4's edits, as FFmpeg sees it from the movie's coarse time scale. */
    if (!(d->stated.exact && d->stated.delay >= 0) && d->frame->flags & AV_FRAME_FLAG_DISCARD) {
        d->pending_skip = d->pending_skip > count ? d->pending_skip - count : 0;
        *(d->kept ? &d->source.skipped_end : &d->source.skipped_start) += count;
        *length = 0;
        return;
    }
#endif
    *start = d->pending_skip < count ? d->pending_skip : count;
    d->pending_skip -= *start;
    d->source.skipped_start += *start;
    *length = count - *start;
    int64_t end = discard < *length ? discard : *length;
    if (d->stated.samples > 0) {
        /* A last packet that is shorter than its frame, then the stated end. */
        if (last && d->stated.tolerance && packet_samples > 0 && *length - end > packet_samples)
            end = *length - packet_samples;
        const int64_t excess = d->kept + *length - end - d->stated.samples;
        if (d->stated.exact && excess > 0)
            end += excess < *length - end ? excess : *length - end;
        else if (last && excess > d->stated.tolerance && excess < *length - end)
            end += excess;
    }
    d->source.skipped_end += end;
    *length -= end;
}

static allin1_status accept_frame(decoder *d, int64_t packet_samples, bool last)
{
    AVFrame *frame = d->frame;
    const int channels = a1_frame_channels(frame);
    if (frame->nb_samples <= 0)
        return ALLIN1_OK;
    if (channels <= 0 || frame->sample_rate < MIN_RATE || frame->sample_rate > MAX_RATE) {
        if (d->frames == 0)
            return a1_fail(d->err, ALLIN1_ERROR_UNSUPPORTED,
                           "%s: %d channels at %d Hz are not supported", d->path, channels,
                           frame->sample_rate);
        d->source.damaged_packets++; /* a damaged header in the middle of a stream */
        return ALLIN1_OK;
    }
    const allin1_status status = configure(d);
    if (status == ALLIN1_ERROR_UNSUPPORTED && d->frames > 0) {
        d->source.damaged_packets++;
        return ALLIN1_OK;
    }
    A1_TRY(status);
    if (d->frames++ == 0)
        describe_source(d);
    d->raw += frame->nb_samples;
    d->lost_trailing = 0;
    int64_t start = 0, length = 0;
    trim_frame(d, packet_samples, last, &start, &length);
    if (length <= 0)
        return ALLIN1_OK;
    d->kept += length;
    const int ret = clean_frame(frame);
    if (ret < 0)
        return fail_ffmpeg(d, ALLIN1_ERROR_AUDIO, "a frame cannot be used", ret);
    /* The planes move by `start` samples. */
    const size_t step = (size_t)a1_ff.av_get_bytes_per_sample(frame->format) *
                        a1_frame_plane_channels(frame) * (size_t)start;
    for (int plane = 0; plane < a1_frame_planes(frame); plane++)
        frame->extended_data[plane] += step;
    return convert(d, (const uint8_t **)(void *)frame->extended_data, (int)length);
}

/* Decodes one packet, or drains the codec for NULL. */
static allin1_status decode_packet(decoder *d, const AVPacket *packet, bool last)
{
    allin1_status status = ALLIN1_OK;
    const int64_t duration =
        packet ? to_samples(d->stream->time_base, packet->duration,
                            d->rate ? d->rate : d->codec->sample_rate)
               : -1;
    bool damaged = false;
    int errors = 0;
    int ret = a1_ff.avcodec_send_packet(d->codec, packet);
    if (ret < 0 && ret != AVERROR_EOF) {
        if (ret == AVERROR(ENOMEM))
            return a1_fail_memory(d->err, "decoding audio");
        damaged = true;
    }
    while (status == ALLIN1_OK && errors < 16) { /* a codec may have several frames to give */
        ret = a1_ff.avcodec_receive_frame(d->codec, d->frame);
        if (ret == AVERROR(EAGAIN) || ret == AVERROR_EOF)
            break;
        if (ret == AVERROR(ENOMEM))
            return a1_fail_memory(d->err, "decoding audio");
        if (ret < 0) {
            damaged = true;
            errors++;
            continue;
        }
        status = accept_frame(d, duration, last);
        a1_ff.av_frame_unref(d->frame);
    }
    if (damaged && packet) {
        d->source.damaged_packets++;
        if (duration > 0 && duration < INT32_MAX) {
            d->lost += duration;
            d->lost_trailing += duration;
        }
    }
    return status;
}

/* Reads the stream's next packet. Returns 0 or a negative AVERROR, after which `packet` is empty. */
static int read_packet(decoder *d, AVPacket *packet)
{
    for (int tries = 0;;) {
        const int ret = a1_ff.av_read_frame(d->format, packet);
        if (ret == AVERROR(EAGAIN) && tries++ < 1000)
            continue;
        if (ret < 0 || d->input.read_error) {
            a1_ff.av_packet_unref(packet);
            return ret < 0 ? ret : AVERROR(EIO);
        }
        if (packet->stream_index == d->stream->index)
            return 0;
        tries = 0;
        a1_ff.av_packet_unref(packet);
    }
}

/* What it means that read_packet returned this in the end. */
static allin1_status end_of_packets(decoder *d, int ret)
{
    if (ret == AVERROR(ENOMEM) || d->input.read_error)
        return fail_ffmpeg(d, ALLIN1_ERROR_AUDIO, "reading failed", ret);
    if (ret != AVERROR_EOF)
        d->source.damaged_packets++;
    return ALLIN1_OK;
}

/* Reads one packet ahead, as an MP4's last packet is treated specially. */
static allin1_status decode_in_order(decoder *d)
{
    bool holding = d->held->data != NULL;
    int ret;
    while ((ret = read_packet(d, d->packet)) == 0) {
        if (holding)
            A1_TRY(decode_packet(d, d->held, false));
        a1_ff.av_packet_unref(d->held);
        a1_ff.av_packet_move_ref(d->held, d->packet);
        holding = true;
    }
    A1_TRY(end_of_packets(d, ret));
    if (holding)
        A1_TRY(decode_packet(d, d->held, true));
    return decode_packet(d, NULL, true);
}

static AVCodecContext *open_another(void *user)
{
    const decoder *d = user;
    const char *what;
    AVCodecContext *codec = a1_ff.avcodec_alloc_context3(d->codec->codec);
    if (codec && set_up_codec(d, codec, &what) < 0)
        a1_ff.avcodec_free_context(&codec);
    return codec;
}

/* The packet that was read before its stream was known comes first. */
static int read_for_split(void *user, AVPacket *packet)
{
    decoder *d = user;
    if (!d->held->data)
        return read_packet(d, packet);
    a1_ff.av_packet_move_ref(packet, d->held);
    return 0;
}

/* While packets are read: what the demuxer may change must not be looked at. */
static allin1_status take_frame(void *user, AVFrame *frame)
{
    decoder *d = user;
    a1_ff.av_frame_move_ref(d->frame, frame);
    const allin1_status status = accept_frame(d, -1, false);
    a1_ff.av_frame_unref(d->frame);
    return status;
}

/* None of these streams is in an MP4, whose last packet is treated specially. */
static allin1_status decode_split(decoder *d, a1_pool *pool, bool *again)
{
    const a1_split_calls calls = {d, open_another, read_for_split, take_frame};
    int ret = AVERROR_EOF;
    A1_TRY(a1_split_decode(pool, &calls, &ret, again, d->err));
    if (!*again)
        A1_TRY(end_of_packets(d, ret));
    *again = *again || d->source.damaged_packets > 0;
    d->source.split = true;
    return ALLIN1_OK;
}

static void close_decoder(decoder *d)
{
    a1_planar_free(&d->out);
    a1_layout_free(&d->layout);
    a1_ff.swr_free(&d->swr);
    a1_ff.av_frame_free(&d->frame);
    a1_ff.av_packet_free(&d->packet);
    a1_ff.av_packet_free(&d->held);
    a1_ff.avcodec_free_context(&d->codec);
    a1_ff.avformat_close_input(&d->format);
    a1_input_close(&d->input);
}

/* `pool` is NULL where one thread is to decode; *again: it must, and this does not count. */
static allin1_status decode_file(const char *path, int rate, a1_pool *pool, a1_audio *audio,
                                 bool *again, a1_error *err)
{
    allin1_status status;
    decoder *d = calloc(1, sizeof *d);
    if (!d)
        return a1_fail_memory(err, "decoding audio");
    d->path = path;
    d->err = err;
    d->out_rate = rate;
    d->facts.length = -1;
    A1_CHECK(a1_input_open(&d->input, path, err));
    A1_CHECK(open_container(d));
    A1_CHECK(open_stream(d));
    *again = false;
    if (pool && a1_split_possible(d->codec, d->source.container))
        A1_CHECK(decode_split(d, pool, again));
    else
        A1_CHECK(decode_in_order(d));
    if (*again)
        goto done;
    if (d->swr)
        A1_CHECK(convert(d, NULL, 0));
    if (d->out.used == 0) {
        status = a1_fail(err, ALLIN1_ERROR_AUDIO,
                         d->source.damaged_packets ? "%s: none of the audio (%s) can be decoded"
                                                   : "%s: the audio (%s) has no samples",
                         path, d->source.codec);
        goto done;
    }
    d->source.truncated = ended_early(d);
    a1_planar_finish(&d->out, audio);
    audio->source = d->source;
done:
    if (status == ALLIN1_ERROR_MEMORY)
        a1_fail_prefix(err, status, "%s", path);
    close_decoder(d);
    free(d);
    return status;
}

static allin1_status decode_to_rate(const char *path, int rate, a1_pool *pool, a1_audio *audio,
                                    a1_error *err)
{
    *audio = (a1_audio){0};
    const allin1_status status = a1_ffmpeg_load(err);
    if (status != ALLIN1_OK)
        return a1_fail_prefix(err, status, "%s", path);
    bool again = true;
    if (a1_pool_threads(pool) > 1)
        A1_TRY(decode_file(path, rate, pool, audio, &again, err));
    return again ? decode_file(path, rate, NULL, audio, &again, err) : ALLIN1_OK;
}

allin1_status a1_audio_decode(const char *path, a1_pool *pool, a1_audio *audio, a1_error *err)
{
    return decode_to_rate(path, A1_SAMPLE_RATE, pool, audio, err);
}

allin1_status a1_audio_decode_native(const char *path, a1_audio *audio, a1_error *err)
{
    return decode_to_rate(path, 0, NULL, audio, err);
}
