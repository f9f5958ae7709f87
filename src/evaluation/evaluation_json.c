#include <string.h>

#include <allin1/evaluation.h>

#include "output/json_text.h"

#define DECIMALS 9

static void put_mean(a1_json *json, const char *name, const allin1_mean *mean)
{
    a1_json_open(json, name, '{');
    a1_json_decimal(json, "mean", mean->mean, DECIMALS);
    a1_json_decimal(json, "low", mean->low, DECIMALS);
    a1_json_decimal(json, "high", mean->high, DECIMALS);
    a1_json_unsigned(json, "songs", mean->count);
    a1_json_close(json, '}');
}

/* Groups of measures; of a song's scores, or of means. */
static void put_groups(a1_json *json, const allin1_scores *scores, const allin1_mean *means)
{
    const char *group = "";
    for (allin1_measure m = 0; m < ALLIN1_MEASURES; m++) {
        if (strcmp(group, allin1_measure_group(m)) != 0) {
            if (*group)
                a1_json_close(json, '}');
            group = allin1_measure_group(m);
            a1_json_open(json, group, '{');
        }
        if (means)
            put_mean(json, allin1_measure_name(m), &means[m]);
        else
            a1_json_decimal(json, allin1_measure_name(m), scores->values[m], DECIMALS);
    }
    a1_json_close(json, '}');
}

char *allin1_evaluation_json(const char *const *names, const allin1_scores *songs, size_t count,
                             const allin1_mean *means)
{
    a1_json json;
    a1_json_begin(&json, true);
    a1_json_open(&json, NULL, '{');
    a1_json_open(&json, "songs", '[');
    for (size_t i = 0; i < count; i++) {
        a1_json_open(&json, NULL, '{');
        a1_json_string(&json, "name", names[i]);
        put_groups(&json, &songs[i], NULL);
        a1_json_close(&json, '}');
    }
    a1_json_close(&json, ']');
    if (means) {
        a1_json_open(&json, "means", '{');
        put_groups(&json, NULL, means);
        a1_json_close(&json, '}');
    }
    a1_json_close(&json, '}');
    return a1_json_take(&json);
}
