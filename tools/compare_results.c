/* Compares two folders of results, song by song: how far do two settings agree?
 *
 *   compare_results REFERENCE_DIR OTHER_DIR
 *
 * Beats and downbeats: F-measure within 70 ms. Labels: share of the song's time with the same label.
 * Boundaries: F-measure within 0.5 s, the song's ends left out. Prints a Markdown table, a line for each
 * song of REFERENCE_DIR that OTHER_DIR has too, and the means. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <allin1/allin1.h>

#define MEASURES 4

/* Greedy one-to-one matching of ascending times, which is optimal for a constant window. */
static double f_measure(const double *a, size_t a_count, const double *b, size_t b_count,
                        double window)
{
    if (a_count == 0 && b_count == 0)
        return 1.0;
    size_t i = 0, j = 0, hits = 0;
    while (i < a_count && j < b_count) {
        if (fabs(a[i] - b[j]) <= window + 1e-9) {
            hits++;
            i++;
            j++;
        } else if (a[i] < b[j]) {
            i++;
        } else {
            j++;
        }
    }
    return 2.0 * (double)hits / (double)(a_count + b_count);
}

static double boundary_f(const allin1_result *a, const allin1_result *b)
{
    double *times[2];
    size_t counts[2] = {0, 0};
    const allin1_result *results[2] = {a, b};
    for (int r = 0; r < 2; r++) {
        times[r] = malloc((results[r]->segment_count + 1) * sizeof **times);
        if (!times[r])
            exit(1);
        for (size_t i = 1; i < results[r]->segment_count; i++)
            times[r][counts[r]++] = results[r]->segments[i].start;
    }
    const double f = f_measure(times[0], counts[0], times[1], counts[1], 0.5);
    free(times[0]);
    free(times[1]);
    return f;
}

static double label_agreement(const allin1_result *a, const allin1_result *b)
{
    double same = 0, total = 0;
    for (size_t i = 0; i < a->segment_count; i++) {
        for (size_t j = 0; j < b->segment_count; j++) {
            const double start = fmax(a->segments[i].start, b->segments[j].start);
            const double end = fmin(a->segments[i].end, b->segments[j].end);
            if (end > start && strcmp(a->segments[i].label, b->segments[j].label) == 0)
                same += end - start;
        }
        total += a->segments[i].end - a->segments[i].start;
    }
    return total > 0 ? same / total : b->segment_count == 0 ? 1.0 : 0.0;
}

static int is_result(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot && strcmp(dot, ".json") == 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: compare_results REFERENCE_DIR OTHER_DIR\n");
        return 2;
    }
    struct dirent **names;
    const int count = scandir(argv[1], &names, is_result, alphasort);
    if (count < 0) {
        perror(argv[1]);
        return 1;
    }
    printf("| song | beats F | downbeats F | labels | boundaries F | tempo |\n"
           "|---|---|---|---|---|---|\n");
    double sums[MEASURES] = {0};
    int compared = 0, low = 0;
    for (int i = 0; i < count; i++) {
        char path[2][4096];
        allin1_result *results[2] = {NULL, NULL};
        allin1_error error;
        int good = 1;
        for (int r = 0; r < 2 && good; r++) {
            snprintf(path[r], sizeof path[r], "%s/%s", argv[1 + r], names[i]->d_name);
            if (r == 1 && access(path[r], F_OK) != 0)
                good = 0; /* not done yet */
            else
                good = allin1_load_json(path[r], &results[r], NULL, &error) == ALLIN1_OK;
            if (!good && access(path[r], F_OK) == 0)
                fprintf(stderr, "compare_results: %s\n", error.message);
        }
        if (good) {
            const allin1_result *a = results[0], *b = results[1];
            const double values[MEASURES] = {
                f_measure(a->beats, a->beat_count, b->beats, b->beat_count, 0.07),
                f_measure(a->downbeats, a->downbeat_count, b->downbeats, b->downbeat_count, 0.07),
                label_agreement(a, b), boundary_f(a, b)};
            printf("| %.*s | %.3f | %.3f | %.3f | %.3f | %d → %d |\n",
                   (int)strlen(names[i]->d_name) - 5, names[i]->d_name, values[0], values[1],
                   values[2], values[3], a->bpm, b->bpm);
            for (int v = 0; v < MEASURES; v++)
                sums[v] += values[v];
            low += values[0] < 0.95;
            compared++;
        }
        allin1_result_free(&results[0]);
        allin1_result_free(&results[1]);
        free(names[i]);
    }
    free(names);
    if (compared)
        printf("\n%d songs: beats F %.4f (%d below 0.95), downbeats F %.4f, labels %.4f, boundaries F "
               "%.4f\n",
               compared, sums[0] / compared, low, sums[1] / compared, sums[2] / compared,
               sums[3] / compared);
    return compared ? 0 : 1;
}
