/* Nothing falls back silently: guards and requirements. */
#include "support/golden.h"
#include "support/small_program.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "demix/htdemucs.h"

static int set_up(void **state)
{
    (void)state;
    small_sandbox();
    make_sound("a.wav", MUSIC, 3);
    make_sound("b.wav", MUSIC, 2);
    return 0;
}

/* The spans of one stage in t.jsonl; the caller drops the array. */
static json_t *spans_of(const char *stage)
{
    char *text = sandbox_read("t.jsonl", NULL);
    json_t *list = json_array();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *span = json_loads(line, 0, NULL);
        assert_non_null(span);
        if (strcmp(json_string_value(json_object_get(span, "stage")), stage) == 0)
            json_array_append(list, span);
        json_decref(span);
    }
    free(text);
    return list;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* A member of a result's provenance; the text is freed with *root. */
static const char *provenance(const char *name, const char *part, const char *key, json_t **root)
{
    char *text = sandbox_read(name, NULL);
    *root = json_loads(text, 0, NULL);
    free(text);
    return text_of(json_object_get(json_object_get(*root, "provenance"), part), key);
}

static void backends_agree(void **state)
{
    (void)state;
    program_outcome said =
        RUN(SMALL, "--spec-guard", "--timings", "t.jsonl", "a.wav", "b.wav");
    program_expect(&said, 0);
    expect_text(said.err, "spec_check: fast differs by ");
    expect_text(said.err, ": good\n");
    program_free(&said);
    json_t *checks = spans_of("spec_check");
    assert_int_equal(json_array_size(checks), 1); /* once for the run */
    const json_t *check = json_array_get(checks, 0);
    assert_true(json_is_false(json_object_get(check, "breach")));
    assert_true(json_number_value(json_object_get(check, "difference_mean")) >= 0);
    assert_true(json_is_number(json_object_get(check, "difference_max")));
    assert_true(json_is_null(json_object_get(check, "snr")));
    json_decref(checks);
    json_t *spans = spans_of("spectrogram"), *root;
    assert_string_equal(text_of(json_array_get(spans, 1), "backend"), "fast");
    assert_true(json_is_null(json_object_get(json_array_get(spans, 1), "fallback")));
    json_decref(spans);
    assert_string_equal(provenance("struct/a.json", "spectrogram", "fallback", &root), "");
    json_decref(root);
}

/* No difference at all is allowed: a breach is sure. */
static void breach_of_the_spectrogram(void **state)
{
    (void)state;
    program_outcome said = RUN(SMALL, "-q", "-k", "--spec-guard", "--spec-guard-mean", "0",
                               "--spec-guard-max", "0", "--timings", "t.jsonl", "a.wav", "b.wav");
    program_expect(&said, 0);
    expect_text(said.err, "more than is allowed");
    program_free(&said);
    json_t *checks = spans_of("spec_check"), *spans = spans_of("spectrogram"), *root;
    assert_int_equal(json_array_size(checks), 1);
    assert_true(json_is_true(json_object_get(json_array_get(checks, 0), "breach")));
    assert_int_equal(json_array_size(spans), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *span = json_array_get(spans, i);
        assert_string_equal(text_of(span, "backend_requested"), "auto");
        assert_string_equal(text_of(span, "backend"), "reference");
        assert_string_equal(text_of(span, "fallback"), "spec_check");
    }
    json_decref(checks);
    json_decref(spans);
    for (size_t i = 0; i < 2; i++) {
        const char *name = i ? "struct/b.json" : "struct/a.json";
        assert_string_equal(provenance(name, "spectrogram", "backend", &root), "reference");
        json_decref(root);
        expect_text(provenance(name, "spectrogram", "fallback", &root), "(allowed: 0 and 0)");
        json_decref(root);
    }

    /* What was computed by reference belongs to reference: it is that one's result and by-product. */
    said = RUN(SMALL, "--spec-backend", "reference", "a.wav");
    program_expect(&said, 0);
    expect_text(said.err, "a.wav: skipped");
    program_free(&said);
    said = RUN(SMALL, "--spec-backend", "reference", "--overwrite=json", "a.wav");
    program_expect(&said, 0);
    expect_text(said.err, "from the kept spectrogram");
    program_free(&said);
    said = RUN(SMALL, "--spec-backend", "fast", "a.wav");
    program_expect(&said, 0);
    expect_no_text(said.err, "skipped");
    expect_no_text(said.err, "from the kept spectrogram");
    program_free(&said);
}

static void breach_of_the_precision(void **state)
{
    (void)state;
    a1_cpu cpu;
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    if (!a1_demix_precision_available(&cpu, A1_DEMIX_BF16)) {
        print_message("this processor has no bf16\n");
        skip();
    }
    program_outcome said = RUN(SMALL, "--precision", "bf16", "--precision-check",
                               "--precision-check-mean", "1000", "--timings", "t.jsonl", "a.wav");
    program_expect(&said, 0);
    expect_text(said.err, "precision_check: bf16 differs by ");
    expect_text(said.err, "lowest SNR of a stem ");
    expect_text(said.err, ": good\n");
    program_free(&said);
    json_t *checks = spans_of("precision_check"), *spans = spans_of("demix"), *root;
    assert_int_equal(json_array_size(checks), 1);
    assert_true(json_is_number(json_object_get(json_array_get(checks, 0), "snr")));
    assert_string_equal(text_of(json_array_get(spans, 0), "precision"), "bf16");
    json_decref(checks);
    json_decref(spans);

    remove(sandbox_path("t.jsonl"));
    said = RUN(SMALL, "--precision", "bf16", "--precision-check", "--precision-check-mean", "0",
               "--timings", "t.jsonl", "--overwrite", "a.wav", "b.wav");
    program_expect(&said, 0);
    expect_text(said.err, "fp32 is used from here on");
    program_free(&said);
    spans = spans_of("demix");
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(text_of(json_array_get(spans, i), "precision_requested"), "bf16");
        assert_string_equal(text_of(json_array_get(spans, i), "precision"), "fp32");
        assert_string_equal(text_of(json_array_get(spans, i), "fallback"), "precision_check");
    }
    json_decref(spans);
    assert_string_equal(provenance("struct/b.json", "stems", "precision", &root), "fp32");
    json_decref(root);
    expect_text(provenance("struct/b.json", "stems", "fallback", &root), "differs from that of fp32");
    json_decref(root);

    /* The result is the one that fp32 gives, and is known as such. */
    said = RUN(SMALL, "--precision", "fp32", "a.wav");
    program_expect(&said, 0);
    expect_text(said.err, "a.wav: skipped");
    program_free(&said);

    said = RUN(SMALL, "--precision", "bf16", "--precision-check", "--precision-check-mean", "0",
               "--require", "demix=bf16", "-o", "none", "a.wav", "b.wav");
    program_expect(&said, 4);
    expect_text(said.err, "demix=bf16 was required, but fp32 runs: the spectrogram of bf16 differs");
    expect_text(said.err, "  b.wav"); /* it is left */
    program_free(&said);
    assert_false(sandbox_has("none/a.json"));
}

static void requirements(void **state)
{
    (void)state;
    static const struct {
        const char *list, *option, *value, *reason;
    } cases[] = {
        {"spectrogram=fast", "--spec-backend", "reference",
         "spectrogram=fast is required, but reference would run: the settings ask for reference"},
        {"demix=bf16", "--precision", "fp32", "demix=bf16 is required, but fp32 would run"},
        {"threads=2", "--threads", "1", "threads=2 is required, but 1 would run"},
        {"cpu=neon", "--cpu-level", "scalar", "cpu=neon is required, but scalar would run"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        program_outcome said =
            RUN(SMALL, "--require", cases[i].list, cases[i].option, cases[i].value, "a.wav");
        program_expect(&said, 4);
        expect_text(said.err, cases[i].reason);
        expect_no_text(said.err, "decoding");
        program_free(&said);
    }
    assert_false(sandbox_has("struct"));
    program_outcome said = RUN(SMALL, "--require", "spectrogram=fast,demix=fp32,network=fp32,threads=2",
                               "--precision", "fp32", "--threads", "2", "a.wav");
    program_expect(&said, 0);
    program_free(&said);
    assert_true(sandbox_has("struct/a.json"));
    said = RUN(SMALL, "--require", "speed=11", "a.wav");
    program_expect(&said, 2);
    program_free(&said);
    said = RUN(SMALL, "--spec-guard-mean", "-1", "a.wav");
    program_expect(&said, 2);
    expect_text(said.err, "--spec-guard-mean takes a number");
    program_free(&said);
}

/* What is required of a stage that does not run is not what runs. */
static void required_stage_does_not_run(void **state)
{
    (void)state;
    static const char *const stems[] = {"bass", "drums", "other", "vocals"};
    sandbox_folder("stems");
    for (size_t i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "stems/%s.wav", stems[i]);
        make_sound(name, MUSIC, 2);
    }
    program_outcome said = RUN(SMALL, "--precision", "fp32", "--require", "demix=fp32",
                               "--stems-dir", "stems", "b.wav");
    program_expect(&said, 4);
    expect_text(said.err, "nothing would be separated: the stems are given");
    program_free(&said);
    said = RUN(SMALL, "--require", "spectrogram=fast", "--stems-dir", "stems", "b.wav");
    program_expect(&said, 0);
    program_free(&said);
    said = RUN(SMALL, "--demix", "none", "--require", "demix=fp32", "b.wav");
    program_expect(&said, 4);
    expect_text(said.err, "nothing would be separated: the settings ask for no demixer");
    program_free(&said);
}

/* Without stems the two spectrograms of the mix are compared. */
static void mix_is_checked_without_a_demixer(void **state)
{
    (void)state;
    program_outcome said = RUN(SMALL, "--demix", "none", "--spec-guard", "--timings", "t.jsonl",
                               "--require", "spectrogram=fast", "a.wav");
    program_expect(&said, 0);
    program_free(&said);
    json_t *checks = spans_of("spec_check");
    assert_int_equal(json_array_size(checks), 1);
    assert_true(json_is_false(json_object_get(json_array_get(checks, 0), "breach")));
    json_decref(checks);
    said = RUN(SMALL, "--demix", "none", "--spec-guard", "--spec-guard-max", "0", "--overwrite",
               "--require", "spectrogram=fast", "a.wav");
    program_expect(&said, 4);
    expect_text(said.err, "spectrogram=fast was required, but reference runs");
    program_free(&said);
    said = RUN(SMALL, "--demix", "none", "--spec-guard", "--spec-guard-max", "0", "--overwrite",
               "a.wav");
    program_expect(&said, 0);
    expect_text(said.err, "reference is used from here on");
    program_free(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(backends_agree, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(breach_of_the_spectrogram, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(breach_of_the_precision, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(requirements, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(required_stage_does_not_run, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(mix_is_checked_without_a_demixer, set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
