/* The differences between FFmpeg 4.4 and later that matter here: channel layouts and const. */
#ifndef A1_AUDIO_FFMPEG_COMPAT_H
#define A1_AUDIO_FFMPEG_COMPAT_H

#include <stdbool.h>
#include <stddef.h>

#include "audio/ffmpeg.h"

/* FFmpeg 5 made its tables of formats and codecs const. */
#if LIBAVFORMAT_VERSION_MAJOR >= 59
#define A1_FFMPEG_CONST const
#else
#define A1_FFMPEG_CONST
#endif

/* FFmpeg 7 made what is written const. */
#if LIBAVFORMAT_VERSION_MAJOR >= 61
#define A1_AVIO_WRITE_CONST const
#else
#define A1_AVIO_WRITE_CONST
#endif

/* Added to a message's level: nothing passes the default callback, which looks at 8 bits. */
#define A1_FFMPEG_QUIET 100

#if A1_FFMPEG_HAS_LAYOUTS
typedef AVChannelLayout a1_layout;
#else
typedef struct a1_layout {
    int nb_channels;
    uint64_t mask; /* 0 for unknown */
} a1_layout;
#endif

/* A frame's layout; an unknown one becomes FFmpeg's default for that number of channels, if there
 * is one. `layout` must be zeroed or hold a layout. Returns 0 or a negative AVERROR. */
int a1_layout_of_frame(a1_layout *layout, const AVFrame *frame);

/* Whether a frame has this layout, as a1_layout_of_frame would give it. */
bool a1_layout_matches(const a1_layout *layout, const AVFrame *frame);

/* FFmpeg's name, such as "stereo" or "5.1". */
void a1_layout_name(const a1_layout *layout, char *name, size_t size);

void a1_layout_free(a1_layout *layout);

/* Channels of a frame, and of a stream where known, else 0. */
int a1_frame_channels(const AVFrame *frame);

/* Its planes, of which one holds all channels when they are interleaved, and the channels of each. */
int a1_frame_planes(const AVFrame *frame);
size_t a1_frame_plane_channels(const AVFrame *frame);

/* A silenced, opened converter from this layout to planar float at `rate`, stereo or, if `mono`,
 * one channel. Returns 0 or a negative AVERROR; the caller frees *swr. */
int a1_swr_create(SwrContext **swr, const a1_layout *layout, enum AVSampleFormat format,
                  int file_rate, bool mono, int rate);

/* For encoding: stereo in codecs and frames, and a silenced, opened converter of planar float at
 * `rate`. */
void a1_codec_set_stereo(AVCodecContext *codec);
int a1_frame_set_layout(AVFrame *frame, const AVCodecContext *codec);
int a1_swr_create_stereo(SwrContext **swr, int rate, enum AVSampleFormat to, int to_rate);

#endif
