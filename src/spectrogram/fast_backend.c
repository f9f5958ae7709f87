/* The spectrogram in float32 vectors: a block's mono signal is mixed once, frames are transformed
 * one by one with the vectors along the transform, and filtered many at a time with one lane a
 * frame. */
#include <string.h>

#include "base/arena.h"
#include "spectrogram/plan.h"

#define SIGNAL_LENGTH ((A1_SPEC_BLOCK - 1) * A1_SPEC_HOP + A1_SPEC_WINDOW)

/* Rows of magnitudes; not a multiple of a page, so that the rows' columns do not all fall into the
 * same few sets of the cache. */
#define ROW (A1_SPEC_BINS + 16)

static const a1_bands_kernels *choose_kernels(const a1_cpu *cpu)
{
#if defined(__x86_64__)
    if (cpu->level >= ALLIN1_CPU_AVX512)
        return &a1_bands_kernels_avx512;
    if (cpu->level >= ALLIN1_CPU_AVX2)
        return &a1_bands_kernels_avx2;
#elif defined(__aarch64__)
    if (cpu->level == ALLIN1_CPU_NEON)
        return &a1_bands_kernels_neon;
#endif
    (void)cpu;
    return &a1_bands_kernels_scalar;
}

/* `count` samples of the mono signal from sample `start` - A1_SPEC_WINDOW/2 up, zeros outside. */
static void mix(const a1_bands_kernels *kernels, const a1_spec_signal *signal, size_t start,
                float *out, size_t count)
{
    const size_t half = A1_SPEC_WINDOW / 2;
    const size_t before = start < half ? half - start : 0;
    const size_t from = start + before - half;
    const size_t there = from < signal->samples ? signal->samples - from : 0;
    size_t inside = count - before;
    if (inside > there)
        inside = there;
    memset(out, 0, before * sizeof *out);
    memset(out + before + inside, 0, (count - before - inside) * sizeof *out);
    out += before;
    if (!signal->right)
        memcpy(out, signal->left + from, inside * sizeof *out);
    else if (signal->quantise)
        kernels->mix_pcm(signal->left + from, signal->right + from, (float)signal->divisor, out,
                         inside);
    else
        kernels->mix(signal->left + from, signal->right + from, (float)(0.5 / signal->divisor), out,
                     inside);
}

static void block(const a1_spectrogram *plan, const a1_spec_signal *signal, size_t first,
                  size_t count, float *out, float *scratch)
{
    const a1_bands_kernels *kernels = plan->kernels;
    const a1_filterbank *filterbank = &plan->filterbank;
    const float *window = plan->windows + (signal->quantise ? A1_SPEC_WINDOW : 0);
    float *mono = scratch;
    float *magnitudes = mono + (SIGNAL_LENGTH + 15) / 16 * 16;
    float *work = magnitudes + kernels->lanes * ROW;
    mix(kernels, signal, first * A1_SPEC_HOP, mono, (count - 1) * A1_SPEC_HOP + A1_SPEC_WINDOW);
    for (size_t frame = 0; frame < count; frame += kernels->lanes) {
        const size_t here = count - frame < kernels->lanes ? count - frame : kernels->lanes;
        for (size_t lane = 0; lane < here; lane++)
            a1_rfft_magnitudes(plan->fft, window, mono + (frame + lane) * A1_SPEC_HOP,
                               magnitudes + lane * ROW, work);
        memset(magnitudes + here * ROW, 0, (kernels->lanes - here) * ROW * sizeof *magnitudes);
        kernels->filter(filterbank->bands, A1_SPEC_BANDS, filterbank->weights,
                        filterbank->bin_count, magnitudes, ROW, here, work,
                        out + frame * A1_SPEC_BANDS);
    }
}

allin1_status a1_spec_fast_init(a1_spectrogram *plan, const a1_cpu *cpu, a1_error *err)
{
    A1_TRY(a1_rfft_create(&plan->fft, A1_SPEC_WINDOW, cpu, err));
    plan->kernels = choose_kernels(cpu);
    plan->windows = a1_aligned_alloc(2 * A1_SPEC_WINDOW * sizeof *plan->windows);
    if (!plan->windows)
        return a1_fail_memory(err, "the spectrogram's windows");
    for (size_t i = 0; i < A1_SPEC_WINDOW; i++) {
        plan->windows[i] = (float)plan->window[i];
        plan->windows[A1_SPEC_WINDOW + i] = (float)(plan->window[i] / A1_SPEC_PCM_SCALE);
    }
    const size_t lanes = plan->kernels->lanes;
    const size_t filter_work = lanes * (plan->filterbank.bin_count + A1_SPEC_BANDS + 2 * lanes);
    const size_t fft_work = a1_rfft_scratch(plan->fft);
    const size_t floats =
        SIGNAL_LENGTH + 16 + lanes * ROW + (filter_work > fft_work ? filter_work : fft_work);
    plan->scratch = (floats + 15) / 16 * 16;
    plan->backend = (a1_spec_backend){.peak = plan->kernels->peak, .block = block};
    return ALLIN1_OK;
}
