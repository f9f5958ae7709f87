/* Four stems guessed from the mix in the band domain, in place of a separator: an explicit fast mode.
 *
 * Percussion is what stands out against its neighbours in time, harmony what stands out against its
 * neighbours in frequency (median filters, after Fitzgerald 2010). Of the harmony, the low bands are
 * the bass; of the rest, what both channels share is taken for the voice. The four add up to the mix.
 * It is far from a separation; how far, docs/TRAINING.md tells. */
#ifndef A1_CHEAP_STEMS_H
#define A1_CHEAP_STEMS_H

#include <stddef.h>

#include "base/error.h"
#include "base/threads.h"

#define A1_CHEAP_BANDS 81
#define A1_CHEAP_VIEWS 3 /* middle, left, right */
#define A1_CHEAP_STEMS 4 /* bass, drums, other, vocals */

/* `views`: the mix's log10(1 + magnitude), [views][frames][81]; values that are not finite count as
 * silence. `out`: the same of the stems, [4][frames][81]. Same input, same bits for any pool, which
 * may be NULL. */
allin1_status a1_cheap_stems(a1_pool *pool, const float *views, size_t frames, float *out,
                             a1_error *err);

#endif
