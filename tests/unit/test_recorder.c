/* Spans: cost is booked where it is spent. */
#include "support/golden.h"
#include "support/sandbox.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/timer.h"
#include "timings/recorder.h"

/* Time is burnt and compared as processor time, which a busy machine does not stretch. */
#define SLACK 0.05

static double busy(double seconds)
{
    const uint64_t start = a1_process_cpu_ns();
    while ((double)(a1_process_cpu_ns() - start) * 1e-9 < seconds)
        ;
    return (double)(a1_process_cpu_ns() - start) * 1e-9;
}

typedef struct seen {
    allin1_span spans[16];
    size_t count;
} seen;

static void collect(void *user, const allin1_span *span)
{
    seen *s = user;
    s->spans[s->count++] = *span;
}

static const allin1_span *find(const seen *s, const char *stage)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->spans[i].stage, stage) == 0)
            return &s->spans[i];
    fail_msg("no span %s", stage);
    return NULL;
}

static void cost_is_booked_where_it_is_spent(void **state)
{
    (void)state;
    seen s = {0};
    a1_recorder recorder = {.callback = collect, .user = &s, .model = "m"};
    a1_recorder_start(&recorder, a1_monotonic_ns());
    a1_recorder_restart(&recorder);
    a1_span_begin(&recorder, "outer");
    a1_span_begin(&recorder, "idle");
    a1_span_end(&recorder);
    a1_span_begin(&recorder, "burner");
    const double burnt = busy(0.2);
    a1_span_end(&recorder);
    a1_span_begin(&recorder, "after");
    a1_span_end(&recorder);
    const double own = busy(0.1);
    a1_span_end(&recorder);
    a1_span_begin(&recorder, "next");
    a1_span_end(&recorder);

    const allin1_span *outer = find(&s, "outer"), *burner = find(&s, "burner");
    const double duration = burner->end - burner->start;
    assert_true(burner->cpu_seconds >= burnt && burner->cpu_seconds < burnt + SLACK);
    assert_true(duration >= burnt);
    assert_true(fabs(burner->own - duration) < 1e-6); /* clocks near 1e6 s, in doubles */
    assert_true(find(&s, "idle")->cpu_seconds < SLACK);
    assert_true(find(&s, "after")->cpu_seconds < SLACK);
    assert_true(find(&s, "next")->cpu_seconds < SLACK);
    assert_true(outer->own >= own);
    assert_true(outer->end - outer->start >= burnt + own);

    /* The children and the own time are the whole. */
    const double children = duration + (find(&s, "idle")->end - find(&s, "idle")->start) +
                            (find(&s, "after")->end - find(&s, "after")->start);
    assert_true(fabs(outer->end - outer->start - outer->own - children) < 1e-6);
    assert_int_equal(outer->parent, 0);
    assert_int_equal(burner->parent, outer->id);
    assert_int_equal(find(&s, "next")->parent, 0);
    assert_true(burner->peak_memory > 1 << 16);
    a1_recorder_finish(&recorder);
}

static void unwinding_ends_what_is_open(void **state)
{
    (void)state;
    seen s = {0};
    a1_recorder recorder = {.callback = collect, .user = &s, .model = "m"};
    a1_recorder_start(&recorder, a1_monotonic_ns());
    a1_recorder_restart(&recorder);
    a1_span_begin(&recorder, "kept");
    a1_span_begin(&recorder, "one");
    a1_span_begin(&recorder, "two");
    a1_spans_unwind(&recorder, 1);
    assert_int_equal(s.count, 2);
    assert_string_equal(find(&s, "one")->mode, "failed");
    assert_string_equal(find(&s, "two")->mode, "failed");
    a1_span_end(&recorder);
    assert_null(find(&s, "kept")->mode);
    a1_span_end(&recorder); /* nothing is open: ignored */
    assert_int_equal(s.count, 3);
    assert_int_equal(recorder.ended_count, 3);
    a1_recorder_finish(&recorder);
}

/* The reference's keys come first and in its order; what it leaves out is left out. */
static void json_line(void **state)
{
    (void)state;
    const allin1_run run = {.id = "ab", .host = "h", .version = "1", .threads = 2,
                            .cpu_level = ALLIN1_CPU_SCALAR};
    allin1_span span = {.id = 3,
                        .parent = 1,
                        .stage = "nn",
                        .start = 10.25,
                        .end = 10.75,
                        .wall_start = 951782400.5, /* 29 February 2000 */
                        .own = 0.5,
                        .cpu_seconds = 0.75,
                        .device = "cpu",
                        .model = "harmonix-all",
                        .audio_seconds = 2,
                        .run = &run};
    char *text = allin1_span_json(&span);
    expect_text(text, "{\"stage\": \"nn\", \"start\": 10.25, \"end\": 10.75, \"duration\": 0.5, "
                      "\"device\": \"cpu\", \"model\": \"harmonix-all\", \"run\": \"ab\", ");
    expect_text(text, "\"wall_start\": \"2000-02-29T00:00:00.500000Z\"");
    expect_text(text, "\"real_time_factor\": 0.25");
    expect_no_text(text, "\n");
    expect_no_text(text, "track");
    allin1_string_free(text);

    span.track = "/s.mp3";
    span.count = 8;
    span.mode = "read";
    text = allin1_span_json(&span);
    expect_text(text, "\"model\": \"harmonix-all\", \"track\": \"/s.mp3\", \"count\": 8, "
                      "\"mode\": \"read\", \"run\"");
    json_error_t reason;
    json_t *root = json_loads(text, 0, &reason);
    assert_non_null(root);
    json_decref(root);
    allin1_string_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cost_is_booked_where_it_is_spent),
        cmocka_unit_test(unwinding_ends_what_is_open),
        cmocka_unit_test(json_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
