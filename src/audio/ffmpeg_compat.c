#include "audio/ffmpeg_compat.h"

#include <stdio.h>

#if A1_FFMPEG_HAS_LAYOUTS

int a1_layout_of_frame(a1_layout *layout, const AVFrame *frame)
{
    a1_layout_free(layout);
    if (frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
        a1_ff.av_channel_layout_default(layout, frame->ch_layout.nb_channels);
        return 0;
    }
    return a1_ff.av_channel_layout_copy(layout, &frame->ch_layout);
}

bool a1_layout_matches(const a1_layout *layout, const AVFrame *frame)
{
    if (frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
        AVChannelLayout known = {0};
        a1_ff.av_channel_layout_default(&known, frame->ch_layout.nb_channels);
        return a1_ff.av_channel_layout_compare(layout, &known) == 0;
    }
    return a1_ff.av_channel_layout_compare(layout, &frame->ch_layout) == 0;
}

void a1_layout_name(const a1_layout *layout, char *name, size_t size)
{
    if (a1_ff.av_channel_layout_describe(layout, name, size) < 0)
        snprintf(name, size, "%d channels", layout->nb_channels);
}

void a1_layout_free(a1_layout *layout)
{
    a1_ff.av_channel_layout_uninit(layout);
}

int a1_frame_channels(const AVFrame *frame)
{
    return frame->ch_layout.nb_channels;
}

int a1_swr_create(SwrContext **swr, const a1_layout *layout, enum AVSampleFormat format,
                  int file_rate, bool mono, int rate)
{
    /* Not const, as FFmpeg 5.1 asks for it; nothing is written to them. */
    AVChannelLayout mono_layout = AV_CHANNEL_LAYOUT_MONO, in = mono ? mono_layout : *layout;
    AVChannelLayout out = mono ? mono_layout : (AVChannelLayout)AV_CHANNEL_LAYOUT_STEREO;
    const int ret = a1_ff.swr_alloc_set_opts2(swr, &out, AV_SAMPLE_FMT_FLTP, rate, &in, format,
                                              file_rate, A1_FFMPEG_QUIET, NULL);
    return ret < 0 ? ret : a1_ff.swr_init(*swr);
}

void a1_codec_set_stereo(AVCodecContext *codec)
{
    a1_ff.av_channel_layout_default(&codec->ch_layout, 2);
}

int a1_frame_set_layout(AVFrame *frame, const AVCodecContext *codec)
{
    return a1_ff.av_channel_layout_copy(&frame->ch_layout, &codec->ch_layout);
}

int a1_swr_create_stereo(SwrContext **swr, int rate, enum AVSampleFormat to, int to_rate)
{
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    const int ret = a1_ff.swr_alloc_set_opts2(swr, &stereo, to, to_rate, &stereo,
                                              AV_SAMPLE_FMT_FLTP, rate, A1_FFMPEG_QUIET, NULL);
    return ret < 0 ? ret : a1_ff.swr_init(*swr);
}

#else

int a1_layout_of_frame(a1_layout *layout, const AVFrame *frame)
{
    layout->nb_channels = frame->channels;
    layout->mask = frame->channel_layout;
    if (a1_ff.av_get_channel_layout_nb_channels(layout->mask) != frame->channels)
        layout->mask = (uint64_t)a1_ff.av_get_default_channel_layout(frame->channels);
    return 0;
}

bool a1_layout_matches(const a1_layout *layout, const AVFrame *frame)
{
    a1_layout other;
    a1_layout_of_frame(&other, frame);
    return layout->nb_channels == other.nb_channels && layout->mask == other.mask;
}

void a1_layout_name(const a1_layout *layout, char *name, size_t size)
{
    if (layout->mask)
        a1_ff.av_get_channel_layout_string(name, (int)size, layout->nb_channels, layout->mask);
    else
        snprintf(name, size, "%d channels", layout->nb_channels);
}

void a1_layout_free(a1_layout *layout)
{
    *layout = (a1_layout){0};
}

int a1_frame_channels(const AVFrame *frame)
{
    return frame->channels;
}

int a1_swr_create(SwrContext **swr, const a1_layout *layout, enum AVSampleFormat format,
                  int file_rate, bool mono, int rate)
{
    if (!mono && !layout->mask)
        return AVERROR(EINVAL);
    *swr = a1_ff.swr_alloc_set_opts(
        *swr, mono ? AV_CH_LAYOUT_MONO : AV_CH_LAYOUT_STEREO, AV_SAMPLE_FMT_FLTP, rate,
        mono ? AV_CH_LAYOUT_MONO : (int64_t)layout->mask, format, file_rate, A1_FFMPEG_QUIET, NULL);
    return *swr ? a1_ff.swr_init(*swr) : AVERROR(ENOMEM);
}

void a1_codec_set_stereo(AVCodecContext *codec)
{
    codec->channels = 2;
    codec->channel_layout = AV_CH_LAYOUT_STEREO;
}

int a1_frame_set_layout(AVFrame *frame, const AVCodecContext *codec)
{
    frame->channels = codec->channels;
    frame->channel_layout = codec->channel_layout;
    return 0;
}

int a1_swr_create_stereo(SwrContext **swr, int rate, enum AVSampleFormat to, int to_rate)
{
    *swr = a1_ff.swr_alloc_set_opts(*swr, AV_CH_LAYOUT_STEREO, to, to_rate, AV_CH_LAYOUT_STEREO,
                                    AV_SAMPLE_FMT_FLTP, rate, A1_FFMPEG_QUIET, NULL);
    return *swr ? a1_ff.swr_init(*swr) : AVERROR(ENOMEM);
}

#endif

int a1_frame_planes(const AVFrame *frame)
{
    return a1_ff.av_sample_fmt_is_planar(frame->format) ? a1_frame_channels(frame) : 1;
}

size_t a1_frame_plane_channels(const AVFrame *frame)
{
    return a1_ff.av_sample_fmt_is_planar(frame->format) ? 1 : (size_t)a1_frame_channels(frame);
}
