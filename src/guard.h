/* Guards: what runs is compared once, on the song's own data, with the straightforward way of computing
 * it; what strays too far is given up, which is told, recorded, and never silent. */
#ifndef A1_GUARD_H
#define A1_GUARD_H

#include "analysis.h"

/* Before the first spectrogram of a context is computed: the fast backend against the reference. The
 * stems are there, and the spectrogram is planned. */
allin1_status a1_guard_spectrogram(a1_analysis *analysis, a1_error *err);

/* Before the first song of a context is separated: the demixer's precision against fp32. The mix is
 * there, and the demixer is built. */
allin1_status a1_guard_precision(a1_analysis *analysis, a1_error *err);

#endif
