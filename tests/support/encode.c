#include "support/encode.h"

#include <stdio.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

#include "support/golden.h"

#define NEW_LAYOUT (LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 24, 100))

static void check(int ret, const char *what, const char *path)
{
    if (ret < 0) {
        char reason[AV_ERROR_MAX_STRING_SIZE] = "";
        av_strerror(ret, reason, sizeof reason);
        fail_msg("encoding %s: %s: %s", path, what, reason);
    }
}

static enum AVSampleFormat choose_format(const AVCodec *codec, int bits)
{
    const enum AVSampleFormat *at = codec->sample_fmts;
    for (; bits && *at != AV_SAMPLE_FMT_NONE; at++)
        if (av_get_bytes_per_sample(*at) * 8 == (bits == 24 ? 32 : bits))
            return *at;
    return codec->sample_fmts[0];
}

static void drain(AVCodecContext *codec, AVFormatContext *format, AVPacket *packet,
                  const char *path)
{
    int ret;
    while ((ret = avcodec_receive_packet(codec, packet)) >= 0) {
        packet->stream_index = 0;
        av_packet_rescale_ts(packet, codec->time_base, format->streams[0]->time_base);
        check(av_interleaved_write_frame(format, packet), "writing a packet", path);
    }
    if (ret != AVERROR(EAGAIN) && ret != AVERROR_EOF)
        check(ret, "receiving a packet", path);
}

static SwrContext *converter(AVCodecContext *codec, int channels)
{
    SwrContext *swr = NULL;
#if NEW_LAYOUT
    av_channel_layout_default(&codec->ch_layout, channels);
    check(swr_alloc_set_opts2(&swr, &codec->ch_layout, codec->sample_fmt, codec->sample_rate,
                              &codec->ch_layout, AV_SAMPLE_FMT_FLTP, codec->sample_rate, 0, NULL),
          "converter", "samples");
#else
    codec->channels = channels;
    codec->channel_layout = (uint64_t)av_get_default_channel_layout(channels);
    const int64_t layout = (int64_t)codec->channel_layout;
    swr = swr_alloc_set_opts(NULL, layout, codec->sample_fmt, codec->sample_rate, layout,
                             AV_SAMPLE_FMT_FLTP, codec->sample_rate, 0, NULL);
#endif
    return swr;
}

static void encode_samples(AVCodecContext *codec, AVFormatContext *format, SwrContext *swr,
                           const float *const *planes, int channels, size_t samples,
                           const char *path)
{
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    assert_true(packet && frame && channels <= 8);
    const size_t step = codec->frame_size > 0 ? (size_t)codec->frame_size : 1024;
    for (size_t done = 0; done < samples; done += step) {
        const size_t count = samples - done < step ? samples - done : step;
        frame->format = codec->sample_fmt;
        frame->nb_samples = (int)count;
        frame->sample_rate = codec->sample_rate;
#if NEW_LAYOUT
        check(av_channel_layout_copy(&frame->ch_layout, &codec->ch_layout), "layout", path);
#else
        frame->channels = codec->channels;
        frame->channel_layout = codec->channel_layout;
#endif
        check(av_frame_get_buffer(frame, 0), "frame", path);
        const uint8_t *in[8];
        for (int c = 0; c < channels; c++)
            in[c] = (const uint8_t *)(planes[c] + done);
        check(swr_convert(swr, frame->extended_data, (int)count, in, (int)count), "conversion",
              path);
        frame->pts = (int64_t)done;
        check(avcodec_send_frame(codec, frame), "sending a frame", path);
        av_frame_unref(frame);
        drain(codec, format, packet, path);
    }
    check(avcodec_send_frame(codec, NULL), "flushing", path);
    drain(codec, format, packet, path);
    av_frame_free(&frame);
    av_packet_free(&packet);
}

bool test_encode(const char *path, const test_encoding *how, const float *const *planes,
                 int channels, int rate, size_t samples)
{
    const AVCodec *encoder = avcodec_find_encoder_by_name(how->encoder);
    AVFormatContext *format = NULL;
    if (!encoder || avformat_alloc_output_context2(&format, NULL, how->container, path) < 0) {
        print_message("[ NOTE     ] not tested: this FFmpeg cannot write %s with %s\n",
                      how->container, how->encoder);
        return false;
    }
    AVStream *stream = avformat_new_stream(format, NULL);
    AVCodecContext *codec = avcodec_alloc_context3(encoder);
    assert_true(stream && codec);
    codec->sample_fmt = choose_format(encoder, how->bits);
    codec->bits_per_raw_sample = how->bits;
    codec->sample_rate = rate;
    codec->time_base = (AVRational){1, rate};
    codec->bit_rate = how->bit_rate;
    codec->log_level_offset = 100; /* encoders are chatty */
    codec->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    if (format->oformat->flags & AVFMT_GLOBALHEADER)
        codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    SwrContext *swr = converter(codec, channels);
    assert_non_null(swr);
    check(swr_init(swr), "converter", path);
    AVDictionary *options = NULL;
    if (how->options)
        check(av_dict_parse_string(&options, how->options, "=", ":", 0), "options", path);
    check(avcodec_open2(codec, encoder, &options), "opening the encoder", path);
    check(avcodec_parameters_from_context(stream->codecpar, codec), "parameters", path);
    stream->time_base = codec->time_base;
    check(avio_open(&format->pb, path, AVIO_FLAG_WRITE), "opening the file", path);
    check(avformat_write_header(format, &options), "header", path);
    av_dict_free(&options);
    encode_samples(codec, format, swr, planes, channels, samples, path);
    check(av_write_trailer(format), "trailer", path);
    check(avio_closep(&format->pb), "closing the file", path);
    swr_free(&swr);
    avcodec_free_context(&codec);
    avformat_free_context(format);
    return true;
}
