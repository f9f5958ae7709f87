#include "analysis.h"

allin1_status a1_report(const a1_analysis *analysis, const char *stage, double share,
                        double fraction, a1_error *err)
{
    const allin1_settings *settings = &analysis->context->settings;
    if (!settings->progress)
        return ALLIN1_OK;
    double overall = analysis->progress_done + share * fraction;
    overall = overall > 1 ? 1 : overall;
    const allin1_progress progress = {
        .stage = stage, .path = analysis->path, .fraction = fraction, .overall = overall};
    if (settings->progress(settings->progress_user, &progress) != 0)
        return a1_fail(err, ALLIN1_ERROR_CANCELLED, "cancelled during %s", stage);
    return ALLIN1_OK;
}
