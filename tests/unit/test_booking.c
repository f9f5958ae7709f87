/* Cost is booked where it is spent: what burns inside a stage lies in that stage's span, with all of its
 * processor time, and in no other's. */
#include "support/golden.h"
#include "support/small_program.h"

#include <string.h>

#include "base/timer.h"

#define BURNT 0.05 /* seconds of processor time for each stage */

typedef struct burner {
    const char *stage;
    double start, end; /* on the spans' clock */
} burner;

typedef struct watched {
    burner burners[8];
    size_t burner_count;
    allin1_span spans[256];
    size_t span_count;
} watched;

static double clock_seconds(void)
{
    return (double)a1_monotonic_ns() * 1e-9;
}

/* Burns when one of its stages begins. */
static int burn(void *user, const allin1_progress *progress)
{
    watched *w = user;
    for (size_t i = 0; i < w->burner_count; i++) {
        burner *b = &w->burners[i];
        if (strcmp(b->stage, progress->stage) != 0 || b->end > 0)
            continue;
        b->start = clock_seconds();
        const uint64_t cpu = a1_process_cpu_ns();
        while ((double)(a1_process_cpu_ns() - cpu) * 1e-9 < BURNT)
            ;
        b->end = clock_seconds();
    }
    return 0;
}

static void collect(void *user, const allin1_span *span)
{
    watched *w = user;
    assert_true(w->span_count < 256);
    w->spans[w->span_count++] = *span;
}

static void check(const watched *w, const burner *b)
{
    bool found = false;
    assert_true(b->end > b->start); /* the stage came */
    for (size_t i = 0; i < w->span_count; i++) {
        const allin1_span *span = &w->spans[i];
        const bool apart = span->end <= b->start || span->start >= b->end;
        if (strcmp(span->stage, b->stage) != 0 || apart) {
            if (!apart)
                fail_msg("what burnt in %s is booked under %s", b->stage, span->stage);
            continue;
        }
        found = true;
        assert_true(span->start <= b->start && span->end >= b->end);
        assert_true(span->own >= b->end - b->start - 1e-6);
        assert_true(span->cpu_seconds >= BURNT);
    }
    if (!found)
        fail_msg("what burnt in %s is in no span", b->stage);
}

static void stages_pay_for_themselves(void **state)
{
    (void)state;
    static const char *const stages[] = {"decode", "demix", "spectrogram", "nn", "postprocess"};
    static watched w;
    allin1_settings settings;
    allin1_settings_default(&settings);
    settings.model = sandbox_path("models/tiny-harmonix.a1w");
    settings.demix_model = sandbox_path("models/tiny-htdemucs.a1w");
    settings.threads = 2;
    settings.progress = burn;
    settings.progress_user = &w;
    settings.span = collect;
    settings.span_user = &w;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        w.burners[w.burner_count++].stage = stages[i];
    make_sound("a.wav", MUSIC, 2);
    allin1_context *context;
    allin1_result *result;
    allin1_error error;
    if (allin1_open(&context, &settings, &error) != ALLIN1_OK ||
        allin1_analyze_file(context, sandbox_path("a.wav"), NULL, &result, &error) != ALLIN1_OK)
        fail_msg("%s", error.message);
    allin1_result_free(&result);
    allin1_close(&context);
    for (size_t i = 0; i < w.burner_count; i++)
        check(&w, &w.burners[i]);
}

/* A stage of the caller's own holds what is called meanwhile, and survives its failure. */
static void own_stages_enclose(void **state)
{
    (void)state;
    static watched w;
    allin1_settings settings;
    allin1_settings_default(&settings);
    settings.model = sandbox_path("models/tiny-harmonix.a1w");
    settings.demix_model = sandbox_path("models/tiny-htdemucs.a1w");
    settings.threads = 1;
    settings.span = collect;
    settings.span_user = &w;
    settings.started = clock_seconds() - 0.25;
    allin1_context *context;
    allin1_result *result;
    allin1_error error;
    assert_int_equal(allin1_open(&context, &settings, &error), ALLIN1_OK);
    assert_int_equal(w.span_count, 2);
    assert_string_equal(w.spans[0].stage, "start_up");
    assert_true(w.spans[0].start == allin1_context_run(context)->clock_started);
    assert_true(w.spans[0].end - w.spans[0].start >= 0.25 - 1e-6);
    assert_string_equal(w.spans[1].stage, "open");
    assert_true(w.spans[1].start == w.spans[0].end);
    w.span_count = 0;
    allin1_span_begin(context, "mine", "test", "song");
    assert_int_not_equal(
        allin1_analyze_file(context, sandbox_path("none.wav"), NULL, &result, &error), ALLIN1_OK);
    allin1_span_end(context);
    allin1_span_end(context); /* nothing is open: ignored */
    allin1_span_begin(NULL, "mine", NULL, NULL);
    allin1_span_end(NULL);
    const allin1_span *mine = &w.spans[w.span_count - 1];
    assert_string_equal(mine->stage, "mine");
    assert_string_equal(mine->mode, "test");
    assert_int_equal(mine->parent, 0);
    assert_true(w.span_count > 1);
    for (size_t i = 0; i + 1 < w.span_count; i++)
        assert_int_equal(w.spans[i].parent, mine->id);
    allin1_close(&context);
    assert_string_equal(w.spans[w.span_count - 1].stage, "close");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stages_pay_for_themselves, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(own_stages_enclose, small_set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
