/* FFmpeg's headers, and its functions as pointers that are filled when audio is first decoded or
 * encoded: a1_ff.av_read_frame(...). Whoever comes into this folder from outside passes
 * a1_ffmpeg_load before anything else.
 *
 * The libraries must have the major versions of the headers of the build: their structs are known. */
#ifndef A1_AUDIO_FFMPEG_H
#define A1_AUDIO_FFMPEG_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>

#include "base/shared_library.h"

/* FFmpeg 5.1 replaced bit masks by AVChannelLayout. */
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 24, 100)
#define A1_FFMPEG_HAS_LAYOUTS 1
#define A1_AVUTIL_LAYOUT_CALLS(X)                                                                  \
    X(av_channel_layout_compare)                                                                   \
    X(av_channel_layout_copy)                                                                      \
    X(av_channel_layout_default)                                                                   \
    X(av_channel_layout_describe)                                                                  \
    X(av_channel_layout_uninit)
#define A1_SWRESAMPLE_LAYOUT_CALLS(X) X(swr_alloc_set_opts2)
#else
#define A1_FFMPEG_HAS_LAYOUTS 0
#define A1_AVUTIL_LAYOUT_CALLS(X)                                                                  \
    X(av_get_channel_layout_nb_channels)                                                           \
    X(av_get_channel_layout_string)                                                                \
    X(av_get_default_channel_layout)
#define A1_SWRESAMPLE_LAYOUT_CALLS(X) X(swr_alloc_set_opts)
#endif

#define A1_AVUTIL_CALLS(X)                                                                         \
    A1_AVUTIL_LAYOUT_CALLS(X)                                                                      \
    X(av_audio_fifo_alloc)                                                                         \
    X(av_audio_fifo_free)                                                                          \
    X(av_audio_fifo_read)                                                                          \
    X(av_audio_fifo_size)                                                                          \
    X(av_audio_fifo_write)                                                                         \
    X(av_dict_free)                                                                                \
    X(av_dict_get)                                                                                 \
    X(av_dict_set)                                                                                 \
    X(av_dict_set_int)                                                                             \
    X(av_frame_alloc)                                                                              \
    X(av_frame_free)                                                                               \
    X(av_frame_get_buffer)                                                                         \
    X(av_frame_get_side_data)                                                                      \
    X(av_frame_make_writable)                                                                      \
    X(av_frame_move_ref)                                                                           \
    X(av_frame_ref)                                                                                \
    X(av_frame_unref)                                                                              \
    X(av_free)                                                                                     \
    X(av_freep)                                                                                    \
    X(av_get_bytes_per_sample)                                                                     \
    X(av_get_packed_sample_fmt)                                                                    \
    X(av_malloc)                                                                                   \
    X(av_rescale)                                                                                  \
    X(av_rescale_q)                                                                                \
    X(av_rescale_rnd)                                                                              \
    X(av_sample_fmt_is_planar)                                                                     \
    X(av_samples_alloc_array_and_samples)                                                          \
    X(av_strerror)

#define A1_SWRESAMPLE_CALLS(X)                                                                     \
    A1_SWRESAMPLE_LAYOUT_CALLS(X)                                                                  \
    X(swr_convert)                                                                                 \
    X(swr_free)                                                                                    \
    X(swr_get_out_samples)                                                                         \
    X(swr_init)

#define A1_AVCODEC_CALLS(X)                                                                        \
    X(av_get_exact_bits_per_sample)                                                                \
    X(av_packet_alloc)                                                                             \
    X(av_packet_free)                                                                              \
    X(av_packet_move_ref)                                                                          \
    X(av_packet_rescale_ts)                                                                        \
    X(av_packet_unref)                                                                             \
    X(avcodec_alloc_context3)                                                                      \
    X(avcodec_descriptor_get)                                                                      \
    X(avcodec_find_decoder)                                                                        \
    X(avcodec_find_encoder)                                                                        \
    X(avcodec_find_encoder_by_name)                                                                \
    X(avcodec_flush_buffers)                                                                       \
    X(avcodec_free_context)                                                                        \
    X(avcodec_get_name)                                                                            \
    X(avcodec_open2)                                                                               \
    X(avcodec_parameters_from_context)                                                             \
    X(avcodec_parameters_to_context)                                                               \
    X(avcodec_receive_frame)                                                                       \
    X(avcodec_receive_packet)                                                                      \
    X(avcodec_send_frame)                                                                          \
    X(avcodec_send_packet)

#define A1_AVFORMAT_CALLS(X)                                                                       \
    X(av_find_best_stream)                                                                         \
    X(av_get_packet)                                                                               \
    X(av_guess_format)                                                                             \
    X(av_interleaved_write_frame)                                                                  \
    X(av_probe_input_buffer2)                                                                      \
    X(av_read_frame)                                                                               \
    X(av_write_trailer)                                                                            \
    X(avformat_alloc_context)                                                                      \
    X(avformat_alloc_output_context2)                                                              \
    X(avformat_close_input)                                                                        \
    X(avformat_find_stream_info)                                                                   \
    X(avformat_free_context)                                                                       \
    X(avformat_new_stream)                                                                         \
    X(avformat_open_input)                                                                         \
    X(avformat_write_header)                                                                       \
    X(avio_alloc_context)                                                                          \
    X(avio_context_free)                                                                           \
    X(avio_seek)

typedef struct a1_ffmpeg {
    A1_AVUTIL_CALLS(A1_SHARED_MEMBER)
    A1_SWRESAMPLE_CALLS(A1_SHARED_MEMBER)
    A1_AVCODEC_CALLS(A1_SHARED_MEMBER)
    A1_AVFORMAT_CALLS(A1_SHARED_MEMBER)
} a1_ffmpeg;

extern a1_ffmpeg a1_ff;

/* As a1_shared_load. */
allin1_status a1_ffmpeg_load(a1_error *err);

#endif
