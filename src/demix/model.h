/* The separator's packed weights and the shapes that follow from them. Internal to src/demix. */
#ifndef A1_DEMIX_MODEL_H
#define A1_DEMIX_MODEL_H

#include "demix/htdemucs.h"
#include "dsp/fft.h"
#include "kernels/gemm.h"
#include "kernels/layers.h"

/* A matrix product of the model and the tensor it comes from: rows from `first` on. */
typedef struct a1_htdemucs_product {
    char tensor[104];
    size_t first;
    const a1_gemm_weights *weights; /* NULL until they are packed */
} a1_htdemucs_product;

#define LEVELS 4
#define DCONV_LAYERS 2
#define TRANSFORMER_LAYERS 5
#define FFT_SIZE 4096
#define FFT_HOP 1024
#define SPEC_ROWS 2048
#define SPEC_FRAMES 336
#define AUDIO_CHANNELS 2

/* Zero columns on both sides of an activation map, for the taps that reach over the edge: two frames
 * before, eight after (a strided convolution rounds the length up to a multiple of four). */
#define PAD_BEFORE 2
#define PAD_AFTER 8
#define ROW_PITCH (PAD_BEFORE + SPEC_FRAMES + PAD_AFTER)

/* One residual branch: 3-tap convolution to `hidden` channels, group norm, GELU, 1x1 to 2C, group norm,
 * GLU, LayerScale. The 1x1's outputs stay in packed order: 16 values, their 16 gates, and so on. */
typedef struct dconv_layer {
    a1_gemm_weights conv, expand;
    float *norm1_mul, *norm1_add; /* [hidden_stride] */
    float *norm2_mul, *norm2_add; /* [expand.panels][32] */
    float *scale;                 /* [expand.panels][16] */
    size_t hidden, hidden_stride;
} dconv_layer;

typedef struct encoder_level {
    size_t in_channels, channels;
    a1_gemm_weights conv, rewrite;
    dconv_layer dconv[DCONV_LAYERS];
    float *embedding; /* [rows][rewrite.panels][16], first level of the frequency branch only */
} encoder_level;

typedef struct decoder_level {
    size_t channels, out_channels;
    a1_gemm_weights rewrite, conv_tr;
    dconv_layer dconv[DCONV_LAYERS];
} decoder_level;

typedef struct affine {
    float *mul, *add;
} affine;

typedef struct transformer_layer {
    affine norm1, norm2, norm3, norm_out; /* norm2 and norm3 as the reference names them */
    a1_gemm_weights query_key_value;      /* self-attention */
    a1_gemm_weights query, key_value;     /* cross-attention */
    a1_gemm_weights project, linear1, linear2;
    float *gamma1, *gamma2;
} transformer_layer;

/* Index 0 is the frequency branch and 1 the time branch. */
struct a1_htdemucs {
    a1_cpu cpu;
    a1_demix_precision precision;
    bool packed; /* the products' panels are those of the set that the model was made from */
    a1_gemm_kernels gemm;
    const a1_layer_kernels *layers;
    const a1_layer16_kernels *layers16; /* for attention below fp32, else NULL */
    size_t gemm_scratch;                /* bytes a thread needs for any product */
    size_t width, heads, feed_forward; /* transformer */
    size_t rows[LEVELS + 1];           /* frequency rows: 2048, 512, 128, 32, 8 */
    size_t lengths[LEVELS + 1];        /* time steps: 343980, 85995, 21499, 5375, 1344 */
    size_t channels[LEVELS];           /* 48, 96, 192, 384 */
    encoder_level encoder[2][LEVELS];
    decoder_level decoder[2][LEVELS]; /* deepest first */
    a1_gemm_weights upsample[2], downsample[2];
    affine norm_in[2];
    float *position[2]; /* [tokens][width]; frequency tokens are row * 336 + frame */
    transformer_layer transformer[2][TRANSFORMER_LAYERS];
    a1_rfft *fft;
    float *window; /* periodic Hann */
};

/* Tokens of a branch: 8 * 336 or 1344. */
size_t a1_htdemucs_tokens(const a1_htdemucs *model, int branch);

/* Packed sets (packed_set.c): finds a product's panels, and puts them there. */
allin1_status a1_htdemucs_find_panels(const a1_tensor_set *set, const a1_htdemucs_product *product,
                                      a1_gemm_panels *panels, a1_error *err);
allin1_status a1_htdemucs_keep_panels(a1_tensor_set *packed, const a1_htdemucs_product *product,
                                      a1_error *err);
/* What else a model is made of: the tensors that no product came from, and the texts. */
allin1_status a1_htdemucs_keep_rest(a1_tensor_set *packed, const a1_tensor_set *weights,
                                    a1_demix_precision precision, a1_error *err);

/* Fills position[branch], with the model's sizes known. */
allin1_status a1_htdemucs_make_positions(a1_htdemucs *model, int branch, a1_error *err);

#endif
