/* Which records belong together: runs, and passes over a track. */
#ifndef A1_TIMINGS_PASSES_H
#define A1_TIMINGS_PASSES_H

#include "timings/time_records.h"

/* Fills in run, pass and parent_record of every record, and counts runs, passes and tracks.
 *
 * A run is what one run identifier names. Records without one (the reference's) belong to one run
 * until a stage returns that happens once in a run: a stage of the same track that was there
 * already, or set-up.
 *
 * A pass is one analysis of one track in one run: a stage that was there already begins the next
 * one, except those that may repeat (known_stages.h), which do so only after a later stage. What
 * belongs to no track is one pass for each run.
 *
 * A record lies inside its parent. Where a file names no parents, metrical_* and functional_* lie
 * inside postprocess, if that is there. */
allin1_status a1_passes_find(allin1_timing_records *timings, a1_error *err);

#endif
