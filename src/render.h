/* What the ways of rendering a result share. */
#ifndef A1_RENDER_H
#define A1_RENDER_H

#include <allin1/render.h>

#include "audio/decode.h"
#include "output/file_hash.h"
#include "plot/picture.h"
#include "render_mark.h"

/* One file being made. */
typedef struct a1_rendering {
    allin1_context *context; /* may be NULL */
    const allin1_result *result;
    const char *path;
    char mark[A1_MARK_SIZE];
    allin1_rendered *rendered; /* never NULL */
} a1_rendering;

typedef allin1_status (*a1_render_fn)(a1_rendering *r, const void *settings, a1_error *err);

/* Ends the mark's `hash`, asks whether the file is needed, and if so lets `fn` make it within a span
 * of `stage`. */
allin1_status a1_render(a1_rendering *r, const char *stage, const char *mode, int only_when_needed,
                        a1_hash *hash, a1_render_fn fn, const void *settings, a1_error *err);

/* The public ways' common part: `save` on a result, with the caller's settings (NULL: the defaults). The result
 * and the path must be there; `rendered` and `error` may be NULL. */
allin1_status a1_render_result(allin1_context *context, const allin1_result *result, const char *path,
                               a1_render_fn save, const void *settings, allin1_rendered *rendered,
                               allin1_error *error);

/* Refuses a file that is not the one the result was made from, where the result tells. */
allin1_status a1_render_check_song(const allin1_result *result, a1_error *err);

/* The song behind a result, at its own rate or at A1_SAMPLE_RATE; refuses another file's content. */
allin1_status a1_render_decode(const allin1_result *result, bool native, a1_audio *audio,
                               a1_error *err);

/* The outline of the song: the result's own, or measured. `values` is the memory behind it, to be
 * freed by the caller, or NULL. */
allin1_status a1_render_waveform(const allin1_result *result, allin1_waveform *waveform,
                                 float **values, a1_error *err);

/* PDF, SVG or PNG, by the path's suffix. */
allin1_status a1_render_figure_kind(const char *path, a1_figure_kind *kind, a1_error *err);

/* The index of the path's suffix, any case, among `count` names; -1 when it is none of them. */
int a1_render_suffix(const char *path, const char *const *names, int count);

#endif
