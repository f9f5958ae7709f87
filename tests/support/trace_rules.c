#include "support/trace_rules.h"

#include "support/golden.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_THREADS 2048

typedef struct event {
    json_int_t thread;
    double start, end;
} event;

static const json_t *member(const json_t *object, const char *key, json_type type)
{
    const json_t *value = json_object_get(object, key);
    if (!value || (json_typeof(value) != type && !(type == JSON_REAL && json_is_number(value)))) {
        char *text = json_dumps(object, JSON_ENCODE_ANY);
        fail_msg("\"%s\" is missing or of another type in %s", key, text);
    }
    return value;
}

static int by_thread_and_start(const void *a, const void *b)
{
    const event *x = a, *y = b;
    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    if (x->start < y->start || x->start > y->start)
        return x->start < y->start ? -1 : 1;
    return x->end > y->end ? -1 : x->end < y->end; /* the outer one first */
}

/* Viewers stack what begins inside of what has not ended; a part that sticks out is lost or drawn
 * wrong. Half a nanosecond is the rounding of three decimals. */
static void check_nesting(const event *events, size_t count)
{
    double open[64];
    size_t depth = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && events[i].thread != events[i - 1].thread)
            depth = 0;
        while (depth > 0 && open[depth - 1] <= events[i].start + 5e-4)
            depth--;
        if (depth > 0 && events[i].end > open[depth - 1] + 1e-3)
            fail_msg("thread %lld: the event from %.3f to %.3f sticks out of one that ends at %.3f",
                     (long long)events[i].thread, events[i].start, events[i].end, open[depth - 1]);
        assert_true(depth < 64);
        open[depth++] = events[i].end;
    }
}

size_t trace_check(const char *text, size_t *threads)
{
    json_error_t reason;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &reason);
    if (!root)
        fail_msg("the trace is no JSON: %s", reason.text);
    const json_t *list = member(root, "traceEvents", JSON_ARRAY);
    const size_t total = json_array_size(list);
    event *events = malloc((total + 1) * sizeof *events);
    static unsigned char named[MOST_THREADS];
    size_t count = 0, processes = 0;
    memset(named, 0, sizeof named);
    for (size_t i = 0; i < total; i++) {
        const json_t *item = json_array_get(list, i);
        assert_true(json_is_object(item));
        const char *phase = json_string_value(member(item, "ph", JSON_STRING));
        const char *name = json_string_value(member(item, "name", JSON_STRING));
        const json_int_t thread = json_integer_value(member(item, "tid", JSON_INTEGER));
        const json_t *args = member(item, "args", JSON_OBJECT);
        member(item, "pid", JSON_INTEGER);
        assert_true(thread >= 0 && thread < MOST_THREADS && *name);
        if (strcmp(phase, "M") == 0) {
            assert_true(*json_string_value(member(args, "name", JSON_STRING)));
            if (strcmp(name, "process_name") == 0) {
                processes++;
            } else {
                assert_string_equal(name, "thread_name");
                assert_false(named[thread]);
                named[thread] = 1;
            }
            continue;
        }
        assert_string_equal(phase, "X");
        const double start = json_number_value(member(item, "ts", JSON_REAL));
        const double duration = json_number_value(member(item, "dur", JSON_REAL));
        assert_true(isfinite(start) && isfinite(duration) && start >= 0 && duration >= 0);
        events[count++] = (event){thread, start, start + duration};
    }
    assert_int_equal(processes, 1);
    qsort(events, count, sizeof *events, by_thread_and_start);
    check_nesting(events, count);
    *threads = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(named[events[i].thread]);
        *threads += i == 0 || events[i].thread != events[i - 1].thread;
    }
    free(events);
    json_decref(root);
    return count;
}
