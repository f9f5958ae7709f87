/* The spectrogram of songs' mixes, which is what the student hears, as numpy files.
 *
 *   mix_spectrogram AUDIO OUT.npy [AUDIO OUT.npy ...]
 *
 * float32 [frames][81]. A file that cannot be decoded is named on standard error and left out. */
#include <stdio.h>

#include "audio/decode.h"
#include "base/arena.h"
#include "base/cpu.h"
#include "output/numpy.h"
#include "spectrogram/spectrogram.h"

static allin1_status transform(const a1_spectrogram *plan, const char *in, const char *out,
                               a1_error *err)
{
    a1_audio audio;
    A1_TRY(a1_audio_decode(in, NULL, &audio, err));
    const size_t frames = a1_spectrogram_frames(audio.samples);
    float *spectrogram = a1_aligned_alloc(frames * A1_SPEC_BANDS * sizeof *spectrogram);
    const float *const mix[2] = {audio.channel[0], audio.channel[1]};
    allin1_status status = spectrogram ? ALLIN1_OK : a1_fail_memory(err, "a spectrogram");
    if (status == ALLIN1_OK)
        status = a1_spectrogram_mix(plan, NULL, mix, audio.samples, 1, spectrogram, err);
    const a1_npy array = {.rank = 2, .shape = {frames, A1_SPEC_BANDS}, .values = spectrogram};
    if (status == ALLIN1_OK)
        status = a1_npy_write(out, &array, err);
    a1_aligned_free(spectrogram);
    a1_audio_free(&audio);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: mix_spectrogram AUDIO OUT.npy [AUDIO OUT.npy ...]\n");
        return 2;
    }
    a1_error err = {0};
    a1_cpu cpu;
    a1_spectrogram *plan = NULL;
    if (a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, &err) != ALLIN1_OK ||
        a1_spectrogram_create(&plan, A1_SPEC_AUTO, &cpu, &err) != ALLIN1_OK) {
        fprintf(stderr, "mix_spectrogram: %s\n", err.message);
        return 1;
    }
    int failed = 0;
    for (int i = 1; i < argc; i += 2) {
        if (transform(plan, argv[i], argv[i + 1], &err) != ALLIN1_OK) {
            fprintf(stderr, "mix_spectrogram: %s: %s\n", argv[i], err.message);
            failed = 1;
        }
    }
    a1_spectrogram_destroy(&plan);
    return failed;
}
