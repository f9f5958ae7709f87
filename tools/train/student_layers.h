/* The student's wide layers (model.py), forward and backward, for training in float32 in about
 * half of PyTorch 1.13's time. layers.py calls them.
 *
 * Everything is float32 and [batch][steps][channels]; a block has 96 channels, the reduction takes
 * in 324. Steps are a multiple of 4. Pointers are whole arrays of the caller's, which do not
 * overlap; `work` is scratch. A team of so many of OpenMP's threads (without OpenMP: one) shares
 * the work; sums over steps are taken in one order for one team. Nothing can fail; any number of
 * calls may run at once. */
#ifndef TRAIN_STUDENT_LAYERS_H
#define TRAIN_STUDENT_LAYERS_H

/* y = x + mix(keep * relu(conv(norm(x)))): a layer norm with `scale` and `shift`, a convolution of
 * three taps `dilation` steps apart with zeros outside, a factor for each channel, a product.
 *
 * x, y: [batch][steps][96]; conv: [3][in][out]; mix: [in][out]; keep: [batch][96]. Kept for the way
 * back: normed [batch][dilation + steps + dilation][96], hidden [batch][steps][96] (what goes into
 * mix), statistics [batch][steps][2]. work: 4 x 96 x 96. */
void block_forward(long team, long batch, long steps, long dilation, const float *x,
                   const float *scale, const float *shift, const float *conv,
                   const float *conv_bias, const float *mix, const float *mix_bias,
                   const float *keep, float *normed, float *hidden, float *statistics, float *y,
                   float *work);

/* How many sums block_backward makes. */
long block_sums(void);

/* The way back, from dy and what block_forward kept: dx, and the sums conv [3][in][out], mix
 * [in][out], scale [96], shift [96], conv_bias [96], mix_bias [96], one after the other. conv_back:
 * [3][out][in]; mix_back: [out][in]; g: scratch as large as normed. work: 4 x 96 x 96, and
 * block_sums() for each of the team. */
void block_backward(long team, long batch, long steps, long dilation, const float *x,
                    const float *scale, const float *conv_back, const float *mix_back,
                    const float *keep, const float *normed, const float *hidden,
                    const float *statistics, const float *dy, float *g, float *dx, float *sums,
                    float *work);

/* Two frames become a step: y[t] = bias + sum over four taps of frame[2 t - 1 + tap] w[tap].
 *
 * frames: [batch][1 + 2 steps + 1][324], the first and the last of zeros; w: [4 x 324][96]; y:
 * [batch][steps][96]. work: 4 x 324 x 96. */
void reduce_forward(long team, long batch, long steps, const float *frames, const float *w,
                    const float *bias, float *y, float *work);

/* The way back: dw [4 x 324][96] and, unless it is NULL, d_frames as frames are, with the zeros'.
 * dy: [batch][4 + steps + 4][96], four steps of zeros at both ends; w_back: [2][96][2 x 324], from
 * a step to the pair of frames it begins with, and to the pair it ends with. work: 4 x 324 x 96,
 * and as much for each of the team. */
void reduce_backward(long team, long batch, long steps, const float *frames, const float *w_back,
                     const float *dy, float *dw, float *d_frames, float *work);

#endif
