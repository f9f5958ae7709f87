/* The madmom-compatible filtered log spectrogram of the separated stems.
 *
 * Source: madmom (Boeck et al., 2016): FramedSignal, STFT, LogarithmicFilterbank; exact semantics
 * in docs/MODEL.md. Frame i is centred on sample 441 i; 81 bands; log10(1 + x).
 *
 * Samples are finite, and within 1e15 for the fast backend, whose float32 squares end there; what
 * is not a number spoils the frames that hold it and no others. The same input gives the same bits
 * for any number of threads. Each call takes some 0.3 MB of working memory a thread, whatever the
 * length, and fails with ALLIN1_ERROR_MEMORY without it. */
#ifndef A1_SPECTROGRAM_H
#define A1_SPECTROGRAM_H

#include <stddef.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"

#define A1_SPEC_SAMPLE_RATE 44100
#define A1_SPEC_HOP 441
#define A1_SPEC_WINDOW 2048
#define A1_SPEC_BINS 1024
#define A1_SPEC_BANDS 81
#define A1_MIX_VIEWS 3 /* middle, left, right */
#define A1_STEMS 4 /* bass, drums, other, vocals: the order of the spectrogram and the network */

typedef enum a1_spectrogram_backend {
    A1_SPEC_AUTO = 0,
    A1_SPEC_REFERENCE, /* straightforward, double precision */
    A1_SPEC_FAST       /* float32 vectors */
} a1_spectrogram_backend;

typedef struct a1_spectrogram a1_spectrogram; /* read-only plan, shared by threads */

/* AUTO means FAST. a1_spectrogram_backend_used tells which one runs. */
allin1_status a1_spectrogram_create(a1_spectrogram **plan, a1_spectrogram_backend backend,
                                    const a1_cpu *cpu, a1_error *err);
void a1_spectrogram_destroy(a1_spectrogram **plan);
a1_spectrogram_backend a1_spectrogram_backend_used(const a1_spectrogram *plan);

/* ceil(samples / 441). */
size_t a1_spectrogram_frames(size_t samples);

/* One mono signal at 44,100 Hz. `out`: [frames][81]. */
allin1_status a1_spectrogram_mono(const a1_spectrogram *plan, a1_pool *pool, const float *mono,
                                  size_t samples, float *out, a1_error *err);

/* Four stereo stems in the order bass, drums, other, vocals: each is divided by
 * max(1.01 * peak over both channels, 1), averaged over its channels and transformed.
 * stems[s][c] points to `samples` floats. `out`: [4][frames][81].
 * quantise: round to 16-bit integers in between as the reference's WAV files do (parity work). */
allin1_status a1_spectrogram_stems(const a1_spectrogram *plan, a1_pool *pool,
                                   const float *const stems[A1_STEMS][2], size_t samples,
                                   int quantise, float *out, a1_error *err);

/* A stereo mix, scaled as a stem is, seen in `views` ways: 1, the mean of its channels; or
 * A1_MIX_VIEWS, then the left and the right channel too. `out`: [views][frames][81]. */
allin1_status a1_spectrogram_mix(const a1_spectrogram *plan, a1_pool *pool,
                                 const float *const mix[2], size_t samples, size_t views,
                                 float *out, a1_error *err);

/* Accessors for tests: the 2,048-point window and the filterbank, bin-major [1024][81]. */
const double *a1_spectrogram_window(const a1_spectrogram *plan);
const float *a1_spectrogram_filterbank(const a1_spectrogram *plan);

#endif
