#include "evaluation/scores.h"

/* For windows of one width, taking the first partner that fits is best. The sums are mir_eval's, so
 * that a distance on the edge of the window falls on the same side. */
size_t a1_match_count(a1_times reference, a1_times estimate, double window)
{
    size_t i = 0, j = 0, matches = 0;
    while (i < reference.count && j < estimate.count) {
        if (reference.at[i] < estimate.at[j] - window) {
            i++;
        } else if (reference.at[i] > estimate.at[j] + window) {
            j++;
        } else {
            matches++;
            i++;
            j++;
        }
    }
    return matches;
}

double a1_f_measure(double precision, double recall)
{
    if (precision == 0 && recall == 0)
        return 0;
    return 2 * precision * recall / (precision + recall);
}
