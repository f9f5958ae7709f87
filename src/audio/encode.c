#include "audio/encode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio/ffmpeg_compat.h"

#define IO_BUFFER 65536
#define CHUNK 16384 /* samples converted at once */
#define OPUS_RATE 128000

static const struct {
    const char *name, *muxer;
    enum AVCodecID codec;
    const char *encoder; /* the one to prefer; NULL: FFmpeg's own */
} formats[] = {
    [A1_SOUND_WAV] = {"WAV", "wav", AV_CODEC_ID_PCM_S16LE, NULL},
    [A1_SOUND_FLAC] = {"FLAC", "flac", AV_CODEC_ID_FLAC, NULL},
    [A1_SOUND_MP3] = {"MP3", "mp3", AV_CODEC_ID_MP3, "libmp3lame"},
    /* FFmpeg's own Opus encoder is an experiment. */
    [A1_SOUND_OPUS] = {"Opus", "opus", AV_CODEC_ID_NONE, "libopus"},
};

typedef struct encoder {
    const a1_encoding *how;
    const char *name;
    a1_error *err;
    int descriptor;
    int write_error; /* errno */
    bool no_memory;
    uint8_t *bytes; /* in memory */
    size_t used, capacity, position;
    AVIOContext *io;
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream;
    SwrContext *swr;
    AVAudioFifo *fifo; /* converted samples that do not yet fill a frame */
    uint8_t **converted;
    int converted_room;
    AVFrame *frame;
    AVPacket *packet;
    int64_t sent;
} encoder;

static allin1_status fail_ffmpeg(encoder *e, const char *what, int code)
{
    char reason[AV_ERROR_MAX_STRING_SIZE] = "";
    if (code == AVERROR(ENOMEM) || e->no_memory)
        return a1_fail_memory(e->err, "encoding audio");
    if (e->write_error)
        return a1_fail(e->err, ALLIN1_ERROR_IO, "%s: cannot write: %s", e->name,
                       strerror(e->write_error));
    a1_ff.av_strerror(code, reason, sizeof reason);
    return a1_fail(e->err, ALLIN1_ERROR_UNSUPPORTED, "%s: %s (%s)", e->name, what, reason);
}

/* Where the bytes go ----------------------------------------------------------------------------- */

static int put_in_memory(encoder *e, const uint8_t *bytes, size_t count)
{
    const size_t end = e->position + count;
    if (end > e->capacity) {
        const size_t room = end + end / 2;
        uint8_t *more = realloc(e->bytes, room);
        if (!more) {
            e->no_memory = true;
            return AVERROR(ENOMEM);
        }
        e->bytes = more;
        e->capacity = room;
    }
    memcpy(e->bytes + e->position, bytes, count);
    e->position = end;
    if (e->used < end)
        e->used = end;
    return (int)count;
}

static int put_bytes(void *user, A1_AVIO_WRITE_CONST uint8_t *bytes, int count)
{
    encoder *e = user;
    if (e->descriptor < 0)
        return put_in_memory(e, bytes, (size_t)count);
    for (int done = 0; done < count;) {
        const ssize_t written = write(e->descriptor, bytes + done, (size_t)(count - done));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            e->write_error = written < 0 ? errno : ENOSPC;
            return AVERROR(e->write_error);
        }
        done += (int)written;
    }
    return count;
}

static int64_t seek_bytes(void *user, int64_t offset, int whence)
{
    encoder *e = user;
    if (e->descriptor >= 0) {
        if (whence & AVSEEK_SIZE)
            return AVERROR(ENOSYS);
        const off_t at = lseek(e->descriptor, (off_t)offset, whence & ~AVSEEK_FORCE);
        return at < 0 ? AVERROR(errno) : (int64_t)at;
    }
    if (whence & AVSEEK_SIZE)
        return (int64_t)e->used;
    const int from = whence & ~AVSEEK_FORCE;
    const int64_t base = from == SEEK_CUR   ? (int64_t)e->position
                         : from == SEEK_END ? (int64_t)e->used
                                            : 0;
    if (base + offset < 0 || base + offset > (int64_t)e->used)
        return AVERROR(EINVAL);
    e->position = (size_t)(base + offset);
    return base + offset;
}

/* Set-up ------------------------------------------------------------------------------------------ */

static const AVCodec *find_encoder(a1_sound_format format, int bits)
{
    const AVCodec *found = NULL;
    if (formats[format].encoder)
        found = a1_ff.avcodec_find_encoder_by_name(formats[format].encoder);
    if (!found && format == A1_SOUND_WAV && bits > 16)
        found = a1_ff.avcodec_find_encoder(AV_CODEC_ID_PCM_S24LE);
    else if (!found && formats[format].codec != AV_CODEC_ID_NONE)
        found = a1_ff.avcodec_find_encoder(formats[format].codec);
    return found;
}

int a1_audio_can_encode(a1_sound_format format)
{
    return a1_ffmpeg_load(NULL) == ALLIN1_OK && find_encoder(format, 16) &&
           a1_ff.av_guess_format(formats[format].muxer, NULL, NULL);
}

/* The lowest rate of the encoder's that keeps everything, else its highest. */
static int choose_rate(const AVCodec *codec, int rate)
{
    int chosen = 0, highest = 0;
    if (!codec->supported_samplerates)
        return rate;
    for (const int *at = codec->supported_samplerates; *at; at++) {
        if (*at >= rate && (!chosen || *at < chosen))
            chosen = *at;
        if (*at > highest)
            highest = *at;
    }
    return chosen ? chosen : highest;
}

static enum AVSampleFormat choose_sample_format(const AVCodec *codec, int bits)
{
    enum AVSampleFormat chosen = codec->sample_fmts[0];
    for (const enum AVSampleFormat *at = codec->sample_fmts; *at != AV_SAMPLE_FMT_NONE; at++) {
        if (a1_ff.av_get_packed_sample_fmt(*at) == AV_SAMPLE_FMT_FLT)
            return *at;
        if (a1_ff.av_get_packed_sample_fmt(*at) ==
            (bits > 16 ? AV_SAMPLE_FMT_S32 : AV_SAMPLE_FMT_S16))
            chosen = *at;
    }
    return chosen;
}

static allin1_status open_codec(encoder *e, int rate)
{
    const a1_encoding *how = e->how;
    const AVCodec *found = find_encoder(how->format, how->bits);
    if (!found || !a1_ff.av_guess_format(formats[how->format].muxer, NULL, NULL))
        return a1_fail(e->err, ALLIN1_ERROR_UNSUPPORTED,
                       "%s: this FFmpeg has no %s encoder%s%s", e->name,
                       formats[how->format].name, formats[how->format].encoder ? ": it needs " : "",
                       formats[how->format].encoder ? formats[how->format].encoder : "");
    AVCodecContext *codec = e->codec = a1_ff.avcodec_alloc_context3(found);
    if (!codec)
        return a1_fail_memory(e->err, "encoding audio");
    codec->log_level_offset = A1_FFMPEG_QUIET;
    codec->sample_rate = choose_rate(found, rate);
    codec->time_base = (AVRational){1, codec->sample_rate};
    codec->sample_fmt = choose_sample_format(found, how->bits);
    codec->thread_count = 1;
    codec->flags |= AV_CODEC_FLAG_BITEXACT;
    a1_codec_set_stereo(codec);
    if (how->format == A1_SOUND_FLAC && how->bits > 16)
        codec->bits_per_raw_sample = 24;
    if (how->format == A1_SOUND_OPUS)
        codec->bit_rate = how->bit_rate ? how->bit_rate : OPUS_RATE;
    if (how->format == A1_SOUND_MP3) {
        codec->flags |= AV_CODEC_FLAG_QSCALE;
        codec->global_quality = 2 * FF_QP2LAMBDA;
    }
    if (e->format->oformat->flags & AVFMT_GLOBALHEADER)
        codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    const int ret = a1_ff.avcodec_open2(codec, found, NULL);
    return ret < 0 ? fail_ffmpeg(e, "the encoder does not start", ret) : ALLIN1_OK;
}

static allin1_status open_container(encoder *e)
{
    int ret =
        a1_ff.avformat_alloc_output_context2(&e->format, NULL, formats[e->how->format].muxer, NULL);
    if (ret < 0)
        return ret == AVERROR(ENOMEM)
                   ? a1_fail_memory(e->err, "encoding audio")
                   : a1_fail(e->err, ALLIN1_ERROR_UNSUPPORTED, "%s: this FFmpeg cannot write %s",
                             e->name, formats[e->how->format].name);
    uint8_t *buffer = a1_ff.av_malloc(IO_BUFFER);
    e->io = buffer ? a1_ff.avio_alloc_context(buffer, IO_BUFFER, 1, e, NULL, put_bytes, seek_bytes)
                   : NULL;
    if (!e->io) {
        a1_ff.av_free(buffer);
        return a1_fail_memory(e->err, "encoding audio");
    }
    e->format->pb = e->io;
    e->format->flags |= AVFMT_FLAG_BITEXACT | AVFMT_FLAG_CUSTOM_IO;
    if (e->how->comment &&
        a1_ff.av_dict_set(&e->format->metadata, "comment", e->how->comment, 0) < 0)
        return a1_fail_memory(e->err, "encoding audio");
    return ALLIN1_OK;
}

static allin1_status write_header(encoder *e)
{
    AVDictionary *options = NULL;
    e->stream = a1_ff.avformat_new_stream(e->format, NULL);
    if (!e->stream)
        return a1_fail_memory(e->err, "encoding audio");
    int ret = a1_ff.avcodec_parameters_from_context(e->stream->codecpar, e->codec);
    e->stream->time_base = e->codec->time_base;
    if (ret >= 0 && e->how->format == A1_SOUND_WAV)
        ret = a1_ff.av_dict_set(&options, "rf64", "auto", 0);
    if (ret >= 0)
        ret = a1_ff.avformat_write_header(e->format, &options);
    a1_ff.av_dict_free(&options);
    return ret < 0 ? fail_ffmpeg(e, "the file's header cannot be made", ret) : ALLIN1_OK;
}

static allin1_status open_converter(encoder *e, int rate)
{
    int ret = a1_swr_create_stereo(&e->swr, rate, e->codec->sample_fmt, e->codec->sample_rate);
    e->fifo = a1_ff.av_audio_fifo_alloc(e->codec->sample_fmt, 2, CHUNK);
    e->frame = a1_ff.av_frame_alloc();
    e->packet = a1_ff.av_packet_alloc();
    if (!e->fifo || !e->frame || !e->packet)
        return a1_fail_memory(e->err, "encoding audio");
    if (ret >= 0) {
        e->converted_room =
            (int)a1_ff.av_rescale_rnd(CHUNK, e->codec->sample_rate, rate, AV_ROUND_UP) +
            4096; /* what the resampler holds back */
        ret = a1_ff.av_samples_alloc_array_and_samples(&e->converted, NULL, 2, e->converted_room,
                                                       e->codec->sample_fmt, 0);
    }
    return ret < 0 ? fail_ffmpeg(e, "the samples cannot be converted", ret) : ALLIN1_OK;
}

/* The samples' way -------------------------------------------------------------------------------- */

static allin1_status write_packets(encoder *e)
{
    int ret;
    while ((ret = a1_ff.avcodec_receive_packet(e->codec, e->packet)) >= 0) {
        e->packet->stream_index = 0;
        a1_ff.av_packet_rescale_ts(e->packet, e->codec->time_base, e->stream->time_base);
        ret = a1_ff.av_interleaved_write_frame(e->format, e->packet);
        if (ret < 0)
            return fail_ffmpeg(e, "writing failed", ret);
    }
    return ret == AVERROR(EAGAIN) || ret == AVERROR_EOF ? ALLIN1_OK
                                                        : fail_ffmpeg(e, "encoding failed", ret);
}

/* One frame of what has gathered. */
static allin1_status send_frame(encoder *e, int count)
{
    AVFrame *frame = e->frame;
    frame->format = e->codec->sample_fmt;
    frame->nb_samples = count;
    frame->sample_rate = e->codec->sample_rate;
    frame->pts = e->sent;
    int ret = a1_frame_set_layout(frame, e->codec);
    if (ret >= 0)
        ret = a1_ff.av_frame_get_buffer(frame, 0);
    if (ret >= 0)
        ret = a1_ff.av_audio_fifo_read(e->fifo, (void **)frame->extended_data, count);
    if (ret >= 0)
        ret = a1_ff.avcodec_send_frame(e->codec, frame);
    a1_ff.av_frame_unref(frame);
    e->sent += count;
    return ret < 0 ? fail_ffmpeg(e, "encoding failed", ret) : write_packets(e);
}

static allin1_status send_gathered(encoder *e, bool last)
{
    const int step = e->codec->frame_size > 0 ? e->codec->frame_size : 4096;
    while (a1_ff.av_audio_fifo_size(e->fifo) >= step)
        A1_TRY(send_frame(e, step));
    const int rest = a1_ff.av_audio_fifo_size(e->fifo);
    return last && rest > 0 ? send_frame(e, rest) : ALLIN1_OK;
}

/* Converts `count` samples, or what the converter holds for 0; *got tells how many came out. */
static allin1_status convert(encoder *e, const float *const channel[2], size_t at, int count,
                             int *got)
{
    const uint8_t *in[2] = {(const uint8_t *)(channel[0] + at), (const uint8_t *)(channel[1] + at)};
    *got = a1_ff.swr_convert(e->swr, e->converted, e->converted_room, count ? in : NULL, count);
    if (*got < 0)
        return fail_ffmpeg(e, "the samples cannot be converted", *got);
    if (a1_ff.av_audio_fifo_write(e->fifo, (void **)e->converted, *got) < *got)
        return a1_fail_memory(e->err, "encoding audio");
    return ALLIN1_OK;
}

static allin1_status encode_all(encoder *e, const float *const channel[2], size_t samples)
{
    int got;
    for (size_t done = 0; done < samples; done += CHUNK) {
        const size_t count = samples - done < CHUNK ? samples - done : CHUNK;
        A1_TRY(convert(e, channel, done, (int)count, &got));
        A1_TRY(send_gathered(e, false));
    }
    do
        A1_TRY(convert(e, channel, 0, 0, &got));
    while (got > 0);
    A1_TRY(send_gathered(e, true));
    int ret = a1_ff.avcodec_send_frame(e->codec, NULL);
    if (ret < 0)
        return fail_ffmpeg(e, "encoding failed", ret);
    A1_TRY(write_packets(e));
    ret = a1_ff.av_write_trailer(e->format);
    if (ret >= 0 && e->io->error < 0)
        ret = e->io->error;
    return ret < 0 ? fail_ffmpeg(e, "writing failed", ret) : ALLIN1_OK;
}

static void close_encoder(encoder *e)
{
    if (e->converted)
        a1_ff.av_freep(&e->converted[0]);
    a1_ff.av_freep(&e->converted);
    if (e->fifo)
        a1_ff.av_audio_fifo_free(e->fifo);
    a1_ff.swr_free(&e->swr);
    a1_ff.av_frame_free(&e->frame);
    a1_ff.av_packet_free(&e->packet);
    a1_ff.avcodec_free_context(&e->codec);
    a1_ff.avformat_free_context(e->format);
    if (e->io)
        a1_ff.av_freep(&e->io->buffer);
    a1_ff.avio_context_free(&e->io);
    free(e->bytes);
}

allin1_status a1_audio_encode(const float *const channel[2], size_t samples, int rate,
                              const a1_encoding *how, const char *name, int descriptor,
                              a1_encoded *encoded, a1_error *err)
{
    encoder e = {.how = how, .name = name, .err = err, .descriptor = descriptor};
    allin1_status status;
    *encoded = (a1_encoded){0};
    status = a1_ffmpeg_load(err);
    if (status != ALLIN1_OK)
        return a1_fail_prefix(err, status, "%s", name);
    A1_CHECK(open_container(&e));
    A1_CHECK(open_codec(&e, rate));
    A1_CHECK(write_header(&e));
    A1_CHECK(open_converter(&e, rate));
    A1_CHECK(encode_all(&e, channel, samples));
    encoded->sample_rate = e.codec->sample_rate;
    snprintf(encoded->encoder, sizeof encoded->encoder, "%s", e.codec->codec->name);
    encoded->bytes = e.bytes;
    encoded->size = e.used;
    e.bytes = NULL;
done:
    close_encoder(&e);
    return status;
}

void a1_encoded_free(a1_encoded *encoded)
{
    free(encoded->bytes);
    *encoded = (a1_encoded){0};
}
