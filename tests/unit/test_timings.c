/* The spans of a run, added up and written in other forms. */
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/trace_rules.h"

#include <allin1/timings.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const allin1_run facts = {.id = "0123", .host = "h", .processor = "p", .version = "1",
                                 .threads = 2, .cpu_level = ALLIN1_CPU_AVX2,
                                 .started = 1000000000, .clock_started = 100};

static allin1_span make_span(uint64_t id, uint64_t parent, const char *stage, double start,
                             double end, double own)
{
    return (allin1_span){.id = id, .parent = parent, .stage = stage, .start = start, .end = end,
                         .own = own, .device = "cpu", .model = "m", .run = &facts,
                         .cpu_seconds = end - start, .snr = NAN};
}

/* A run of two songs, with a stage inside another and a fall-back in the second. */
static allin1_timings *make_run(void)
{
    allin1_timings *timings;
    assert_int_equal(allin1_timings_create(&timings, NULL), ALLIN1_OK);
    allin1_span span = make_span(1, 0, "start_up", 100, 100.5, 0.5);
    allin1_timings_add(timings, &span);
    for (int song = 0; song < 2; song++) {
        char track[16], model[8]; /* what is borrowed may go after the call */
        snprintf(track, sizeof track, "/m/%d.mp3", song);
        strcpy(model, "m");
        const double t = 101 + 10 * song;
        const uint64_t id = 2 + 4 * (uint64_t)song;
        const allin1_thread_work work[] = {{0, t, t + 1, 0.5}, {0, t + 1.5, t + 2, 0.5},
                                           {1, t + 0.25, t + 2, 1.5}};
        span = make_span(id, 0, "spectrogram", t, t + 2, 2);
        span.backend_requested = "fast";
        span.backend = song ? "reference" : "fast";
        span.fallback = song ? "spec_check" : NULL;
        span.audio_seconds = 40;
        span.operations = 4e9;
        span.work = work;
        span.work_count = 3;
        span.track = track;
        span.model = model;
        allin1_timings_add(timings, &span);
        span = make_span(id + 2, id + 1, "metrical_dbn", t + 2.5, t + 3, 0.5);
        span.track = track;
        span.audio_seconds = 40;
        allin1_timings_add(timings, &span);
        span = make_span(id + 3, id + 1, "functional_probs", t + 3, t + 3.25, 0.25);
        span.track = track;
        allin1_timings_add(timings, &span);
        span = make_span(id + 1, 0, "postprocess", t + 2.25, t + 3.5, 0.5);
        span.track = track;
        allin1_timings_add(timings, &span);
        memset(track, 'x', sizeof track - 1);
        memset(model, 'x', sizeof model - 1);
    }
    return timings;
}

static void totals(void **state)
{
    (void)state;
    allin1_timings *timings = make_run();
    size_t count;
    const allin1_span *spans = allin1_timings_spans(timings, &count);
    assert_int_equal(count, 9);
    assert_string_equal(spans[1].track, "/m/0.mp3");
    assert_string_equal(spans[1].model, "m");
    assert_true(spans[1].run != &facts);

    /* The clock of this machine is elsewhere: only what does not depend on it is looked at. */
    const allin1_span *run = allin1_timings_total(timings, 1);
    const double wall = run->end - run->start;
    assert_string_equal(run->stage, "run");
    assert_true(run->start == 100);
    assert_int_equal(run->count, 2);
    assert_int_equal(run->id, 10);
    assert_true(run->audio_seconds == 80);
    assert_true(run->operations == 8e9);
    assert_true(wall >= 14.5);
    assert_true(fabs(wall - run->own - (0.5 + 2 * 3.25)) < 1e-6);
    assert_true(allin1_timings_total(timings, 0)->end == run->end); /* it has ended */

    allin1_stage_total *stages;
    assert_int_equal(allin1_timings_stages(timings, &stages, &count, NULL), ALLIN1_OK);
    static const char *const names[] = {"start_up", "spectrogram", "postprocess", "metrical_dbn",
                                        "functional_probs", "spectrogram"};
    static const unsigned depths[] = {0, 0, 0, 1, 1, 0};
    assert_int_equal(count, 6);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(stages[i].stage, names[i]);
        assert_int_equal(stages[i].depth, depths[i]);
    }
    assert_int_equal(stages[1].count, 1); /* another backend is another row */
    assert_int_equal(stages[2].count, 2);
    assert_true(stages[2].total == 2.5 && stages[2].own == 1);
    assert_string_equal(stages[5].backend, "reference");
    assert_string_equal(stages[5].fallback, "spec_check");
    allin1_stage_totals_free(&stages);
    assert_null(stages);
    allin1_timings_free(&timings);
    assert_null(timings);
}

static void own_work_after_the_end(void **state)
{
    (void)state;
    allin1_timings *timings;
    assert_int_equal(allin1_timings_create(&timings, NULL), ALLIN1_OK);
    size_t count;
    allin1_timings_begin(timings, "report", NULL);
    allin1_timings_end(timings, NULL, NULL); /* no run: nothing to add it to */
    allin1_timings_spans(timings, &count);
    assert_int_equal(count, 0);
    assert_null(allin1_timings_total(timings, 0));
    char *text = allin1_timings_summary(timings);
    assert_non_null(text);
    allin1_string_free(text);
    allin1_timings_free(&timings);

    timings = make_run();
    allin1_timings_begin(timings, "report", "json");
    allin1_timings_end(timings, NULL, NULL);
    const allin1_span *spans = allin1_timings_spans(timings, &count);
    assert_int_equal(count, 10);
    assert_string_equal(spans[9].stage, "report");
    assert_string_equal(spans[9].mode, "json");
    assert_int_equal(spans[9].id, 10);
    assert_true(spans[9].end >= spans[9].start);
    allin1_timings_free(&timings);
}

static void table(void **state)
{
    (void)state;
    allin1_timings *timings = make_run();
    char *text = allin1_timings_summary(timings);
    expect_text(text, "spectrogram                   1      2.000      2.000");
    expect_text(text, "reference (asked: fast)  after spec_check\n");
    expect_text(text, "  metrical_dbn                2      1.000      1.000");
    expect_text(text, "\nnot accounted for ");
    expect_text(text, "80.0 s of audio");
    allin1_string_free(text);
    allin1_timings_free(&timings);
}

static void document(void **state)
{
    (void)state;
    allin1_timings *timings = make_run();
    char *text = allin1_timings_json(timings);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    const char *format, *host, *stage, *started;
    double own, start;
    json_t *spans, *work;
    assert_int_equal(json_unpack(root, "{s:s, s:[{s:s, s:s}], s:{s:s, s:F}, s:o}", "format",
                                 &format, "runs", "host", &host, "started", &started, "total",
                                 "stage", &stage, "unaccounted", &own, "spans", &spans),
                     0);
    assert_string_equal(format, "allin1 timings");
    assert_string_equal(host, "h");
    assert_string_equal(started, "2001-09-09T01:46:40.000000Z");
    assert_string_equal(stage, "run");
    assert_int_equal(json_array_size(spans), 9);
    assert_int_equal(json_unpack(json_array_get(spans, 1), "{s:F, s:o}", "start", &start, "work",
                                 &work),
                     0);
    assert_true(start == 101);
    assert_int_equal(json_array_size(work), 3);
    assert_true(json_number_value(json_array_get(json_array_get(work, 2), 3)) == 1.5);
    json_decref(root);
    allin1_string_free(text);
    allin1_timings_free(&timings);
}

static void trace(void **state)
{
    (void)state;
    allin1_timings *timings = make_run();
    char *text = allin1_timings_trace(timings);
    size_t threads;
    assert_int_equal(trace_check(text, &threads), 9 + 6);
    assert_int_equal(threads, 3);
    expect_text(text, "\"ph\": \"X\", \"pid\": 1, \"tid\": 1, \"cat\": \"stage\", \"ts\": 1000000.0, "
                      "\"dur\": 2000000.0");
    allin1_string_free(text);
    allin1_timings_free(&timings);
}

/* Very many spans with much work each: what is kept of the work has its bounds, no thread's busy time
 * is lost while it is kept, and order remains. */
static void much_work(void **state)
{
    (void)state;
    enum { SPANS = 400, STRETCHES = 2000 };
    static allin1_thread_work work[STRETCHES];
    allin1_timings *timings;
    assert_int_equal(allin1_timings_create(&timings, NULL), ALLIN1_OK);
    for (uint64_t i = 0; i < SPANS; i++) {
        const double t = 100 + (double)i;
        for (unsigned k = 0; k < STRETCHES; k++)
            work[k] = (allin1_thread_work){k / 1000, t + 0.001 * (k % 1000),
                                           t + 0.001 * (k % 1000) + 0.0005, 0.0005};
        allin1_span span = make_span(i + 1, 0, "nn", t, t + 1, 1);
        span.work = work;
        span.work_count = STRETCHES;
        allin1_timings_add(timings, &span);
    }
    size_t count, stretches = 0;
    const allin1_span *spans = allin1_timings_spans(timings, &count);
    assert_int_equal(count, SPANS);
    for (size_t i = 0; i < count; i++) {
        double busy[2] = {0, 0};
        stretches += spans[i].work_count;
        for (size_t k = 0; k < spans[i].work_count; k++) {
            const allin1_thread_work *w = &spans[i].work[k];
            busy[w->thread] += w->busy;
            assert_true(w->start >= spans[i].start && w->end <= spans[i].end);
            assert_true(k == 0 || w[-1].thread < w->thread || w[-1].end <= w->start);
        }
        assert_true(fabs(busy[0] - 0.5) < 1e-9 && fabs(busy[1] - 0.5) < 1e-9);
    }
    assert_true(stretches <= 1 << 18);
    assert_true(stretches >= 1 << 16);
    allin1_timings_free(&timings);
}

/* Names with anything in them do not break the documents. */
static void hostile_names(void **state)
{
    (void)state;
    allin1_timings *timings;
    assert_int_equal(allin1_timings_create(&timings, NULL), ALLIN1_OK);
    allin1_span span = make_span(1, 0, "nn", 100, 101, 1);
    span.track = "/m/\"\\\n\x01\xff\xc3.mp3";
    allin1_timings_add(timings, &span);
    size_t threads;
    char *text = allin1_timings_trace(timings);
    assert_int_equal(trace_check(text, &threads), 1);
    allin1_string_free(text);
    text = allin1_timings_json(timings);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    json_decref(root);
    allin1_string_free(text);
    allin1_timings_free(&timings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals),   cmocka_unit_test(own_work_after_the_end),
        cmocka_unit_test(table),    cmocka_unit_test(document),
        cmocka_unit_test(trace),    cmocka_unit_test(much_work),
        cmocka_unit_test(hostile_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
