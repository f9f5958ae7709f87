#include "timings/expectation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SPEED_UP 1e6

static allin1_status wrong(a1_error *err, const char *item, size_t length)
{
    return a1_fail(
        err, ALLIN1_ERROR_ARGUMENT,
        "an expectation is STAGE=LOW, STAGE=LOW-HIGH or one of these with @BACKEND, LOW and "
        "HIGH being speed-ups such as 2.5; not \"%.*s\"",
        (int)(length < 200 ? length : 200), item);
}

/* A speed-up, with or without an x behind it; NULL when there is none. */
static const char *read_speed_up(const char *text, const char *end, double *value)
{
    char *after;
    if (text == end || !strchr(".0123456789", *text))
        return NULL;
    *value = strtod(text, &after);
    if (after == text || after > end || !(*value > 0) || *value > MAX_SPEED_UP)
        return NULL;
    return after < end && *after == 'x' ? after + 1 : after;
}

static allin1_status parse_item(a1_expectation *item, const char *text, size_t length,
                                a1_error *err)
{
    const char *end = text + length;
    const char *equals = memchr(text, '=', length);
    if (!equals || equals == text)
        return wrong(err, text, length);
    const char *at = read_speed_up(equals + 1, end, &item->low);
    if (at && at < end && *at == '-')
        at = read_speed_up(at + 1, end, &item->high);
    else
        item->high = NAN;
    if (!at || item->high < item->low || (at < end && (*at != '@' || at + 1 == end)))
        return wrong(err, text, length);
    item->stage = strndup(text, (size_t)(equals - text));
    if (at < end)
        item->backend = strndup(at + 1, (size_t)(end - at - 1));
    return item->stage && (at == end || item->backend) ? ALLIN1_OK
                                                       : a1_fail_memory(err, "expectations");
}

allin1_status a1_expectations_parse(a1_expectations *expected, const char *list, a1_error *err)
{
    *expected = (a1_expectations){0};
    if (!list || !*list)
        return ALLIN1_OK;
    size_t commas = 0;
    for (const char *at = list; *at; at++)
        commas += *at == ',';
    expected->items = calloc(commas + 1, sizeof *expected->items);
    if (!expected->items)
        return a1_fail_memory(err, "expectations");
    while (true) {
        const size_t length = strcspn(list, ",");
        const allin1_status status =
            parse_item(&expected->items[expected->count++], list, length, err);
        if (status != ALLIN1_OK) {
            a1_expectations_free(expected);
            return status;
        }
        if (list[length] == '\0')
            return ALLIN1_OK;
        list += length + 1;
    }
}

void a1_expectations_free(a1_expectations *expected)
{
    for (size_t i = 0; i < expected->count; i++) {
        free(expected->items[i].stage);
        free(expected->items[i].backend);
    }
    free(expected->items);
    *expected = (a1_expectations){0};
}
