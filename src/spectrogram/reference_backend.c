/* The spectrogram as its definition reads, in double precision: what the fast backend is held to.
 */
#include <math.h>

#include "spectrogram/plan.h"

static float peak(const float *in, size_t count)
{
    float highest = 0.0f;
    for (size_t i = 0; i < count; i++) {
        if (fabsf(in[i]) > highest)
            highest = fabsf(in[i]);
    }
    return highest;
}

/* As the reference writes and reads WAV files. The division is in single precision there too, and
 * decides which way a half is rounded. */
static double to_pcm(float x, float divisor)
{
    const double value = (double)(x / divisor) * 32768.0;
    return rint(fmin(fmax(value, -32768.0), 32767.0));
}

static double sample(const a1_spec_signal *signal, size_t at)
{
    const float left = signal->left[at];
    if (!signal->right)
        return (double)left / signal->divisor;
    const float right = signal->right[at];
    if (!signal->quantise)
        return ((double)left + (double)right) / (2.0 * signal->divisor);
    const float divisor = (float)signal->divisor;
    return trunc((to_pcm(left, divisor) + to_pcm(right, divisor)) / 2.0) / A1_SPEC_PCM_SCALE;
}

static void block(const a1_spectrogram *plan, const a1_spec_signal *signal, size_t first,
                  size_t count, float *out, float *scratch)
{
    double *re = (double *)(void *)scratch, *im = re + A1_SPEC_WINDOW;
    for (size_t frame = first; frame < first + count; frame++) {
        for (size_t i = 0; i < A1_SPEC_WINDOW; i++) {
            /* Sample 441 frame - 1024 + i, when there is one. */
            const size_t shifted = frame * A1_SPEC_HOP + i;
            const size_t at = shifted - A1_SPEC_WINDOW / 2;
            const int inside = shifted >= A1_SPEC_WINDOW / 2 && at < signal->samples;
            re[i] = inside ? sample(signal, at) * plan->window[i] : 0.0;
            im[i] = 0.0;
        }
        a1_fft64_forward(plan->fft64, re, im);
        double bands[A1_SPEC_BANDS] = {0.0};
        for (size_t bin = 0; bin < A1_SPEC_BINS; bin++) {
            const double magnitude = sqrt(re[bin] * re[bin] + im[bin] * im[bin]);
            for (size_t band = 0; band < A1_SPEC_BANDS; band++)
                bands[band] += magnitude * (double)plan->dense[bin * A1_SPEC_BANDS + band];
        }
        for (size_t band = 0; band < A1_SPEC_BANDS; band++)
            *out++ = (float)log10(1.0 + bands[band]);
    }
}

allin1_status a1_spec_reference_init(a1_spectrogram *plan, a1_error *err)
{
    A1_TRY(a1_fft64_create(&plan->fft64, A1_SPEC_WINDOW, err));
    plan->scratch = 2 * A1_SPEC_WINDOW * sizeof(double) / sizeof(float);
    plan->backend = (a1_spec_backend){.peak = peak, .block = block};
    return ALLIN1_OK;
}
