/* A student instead of the full pipeline, or before it. */
#include "support/golden.h"
#include "support/small_program.h"
#include "support/tiny_model.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weights/built_in.h"
#include "weights/mapped.h"

#define STUDENT "-m", "models/tiny-student.a1w"
#define REFINER "--refine-model", "models/tiny-harmonix.a1w", "--demix", "models/tiny-htdemucs.a1w"

/* The same student, with another opinion of itself, or of how steady music is; NULL for none. */
static void write_student(const char *name, const char *confidence, const char *lambda)
{
    a1_error err = {0};
    a1_tensor_set *set;
    if (test_tiny_student(&(tiny_student_blocks){4, 3, 1, 2}, &set, &err) != ALLIN1_OK ||
        (confidence &&
         a1_tensor_set_put_text(set, "confidence", confidence, &err) != ALLIN1_OK) ||
        (lambda && a1_tensor_set_put_text(set, "transition_lambda", lambda, &err) != ALLIN1_OK) ||
        a1_mapped_write(sandbox_path("%s", name), set, true, NULL, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_tensor_set_destroy(&set);
}

static int set_up(void **state)
{
    (void)state;
    small_sandbox();
    make_sound("a.wav", MUSIC, 3);
    write_student("models/sure.a1w", "constant=4", NULL);
    write_student("models/unsure.a1w", "constant=-4 beat=0.5", NULL);
    return 0;
}

static json_t *load(const char *name)
{
    char *text = sandbox_read(name, NULL);
    json_t *root = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(root);
    return root;
}

static const char *text_at(const json_t *root, const char *a, const char *b, const char *c)
{
    const json_t *at = json_object_get(json_object_get(root, a), b);
    const char *text = json_string_value(c ? json_object_get(at, c) : at);
    return text ? text : "";
}

static double lambda_of(const char *name)
{
    json_t *root = load(name);
    const json_t *metrical = json_object_get(json_object_get(root, "provenance"), "metrical");
    const double lambda = json_number_value(json_object_get(metrical, "transition_lambda"));
    json_decref(root);
    return lambda;
}

/* The weights' own, unless the caller has a wish. */
static void lambda_of_the_weights(void **state)
{
    (void)state;
    write_student("models/steady.a1w", NULL, "250.5");
    static const struct {
        const char *model, *wish;
        double lambda;
    } runs[] = {{"models/steady.a1w", NULL, 250.5},
                {"models/steady.a1w", "50", 50},
                {"models/sure.a1w", NULL, 100},
                {"models/tiny-harmonix.a1w", NULL, 100}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        program_outcome said =
            runs[i].wish ? RUN("-m", runs[i].model, "--transition-lambda", runs[i].wish, "a.wav")
            : strstr(runs[i].model, "harmonix") ? RUN("-m", runs[i].model, "--demix", "none", "a.wav")
                                                : RUN("-m", runs[i].model, "a.wav");
        program_expect(&said, 0);
        program_free(&said);
        assert_true(lambda_of("struct/a.json") == runs[i].lambda);
    }
    char endless[800]; /* digits in front of and behind a point that both are infinite */
    memset(endless, '9', sizeof endless - 1);
    endless[sizeof endless / 2] = '.';
    endless[sizeof endless - 1] = '\0';
    const char *const odd[] = {"-1", "1000001", "", "1e3", endless};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        write_student("models/odd.a1w", NULL, odd[i]);
        expect_run(RUN("-m", "models/odd.a1w", "a.wav"), 3, "the text value transition_lambda");
    }
    /* Of a refined song it is that of the model which had the last word. */
    write_student("models/both.a1w", "constant=-4", "250.5");
    program_outcome said =
        RUN("-m", "models/both.a1w", "--refine", "0.5", REFINER, "-o", "refined", "a.wav");
    program_expect(&said, 0);
    program_free(&said);
    assert_true(lambda_of("refined/a.json") == 100);
}

/* Weights of another shape are the weights' fault, not the song's. */
static void weights_of_another_shape(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *set;
    if (test_tiny_student(&(tiny_student_blocks){2, 0, 1, 1}, &set, &err) != ALLIN1_OK ||
        a1_mapped_write(sandbox_path("models/odd.a1w"), set, true, NULL, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_tensor_set_destroy(&set);
    expect_run(RUN("-m", "models/odd.a1w", "a.wav"), 3,
               "models/odd.a1w: the student's weights have no middle blocks");
}

static void alone(void **state)
{
    (void)state;
    program_outcome said = RUN(STUDENT, "--verbose", "-a", "-k", "--timings", "t.jsonl", "a.wav");
    program_expect(&said, 0);
    expect_text(said.err, "stems: none, the student hears the mix");
    expect_text(said.err, "student: confidence unknown");
    expect_text(said.err, "the student makes no stems, so that none are kept");
    program_free(&said);
    allin1_result *result = check_result("struct/a.json", 3, 0);
    assert_non_null(result->student);
    assert_true(!(result->student->confidence >= 0) && !result->student->refined);
    assert_string_equal(result->provenance.model, "models/tiny-student.a1w");
    allin1_result_free(&result);
    json_t *root = load("struct/a.json");
    assert_string_equal(text_at(root, "provenance", "stems", "origin"), "none");
    assert_string_equal(text_at(root, "provenance", "spectrogram", "origin"), "computed");
    assert_string_equal(text_at(root, "provenance", "network", "model_requested"),
                        "models/tiny-student.a1w");
    assert_true(json_is_null(json_object_get(json_object_get(root, "student"), "confidence")));
    json_decref(root);
    assert_false(sandbox_has("demix"));
    char *lines = sandbox_read("t.jsonl", NULL);
    expect_no_text(lines, "\"demix");
    expect_text(lines, "\"nn\"");
    free(lines);
    expect_run(RUN(STUDENT, "-k", "a.wav"), 0, "a.wav: skipped");
    /* Any number of threads. */
    char *one = comparable_document("struct/a.json");
    expect_run(RUN(STUDENT, "-a", "--threads", "5", "--overwrite", "a.wav"), 0, "a.wav: ");
    char *five = comparable_document("struct/a.json");
    assert_string_equal(one, five);
    free(one);
    free(five);
}

/* a.wav `divisor` times softer: by how many decibels the student heard it louder. */
static double gain_of_softer(int divisor, const char *told)
{
    size_t size;
    char *wav = sandbox_read("a.wav", &size);
    size_t at = 0;
    while (at + 8 < size && memcmp(wav + at, "data", 4) != 0)
        at += 2; /* chunks begin at even places */
    for (at += 8; at + 2 <= size; at += 2) {
        int16_t sample;
        memcpy(&sample, wav + at, sizeof sample);
        sample = (int16_t)(sample / divisor);
        memcpy(wav + at, &sample, sizeof sample);
    }
    sandbox_write("soft.wav", wav, size);
    free(wav);
    program_outcome said = RUN(STUDENT, "--verbose", "--overwrite", "soft.wav");
    program_expect(&said, 0);
    if (told)
        expect_text(said.err, told);
    else
        expect_no_text(said.err, "louder");
    program_free(&said);
    json_t *root = load("struct/soft.json");
    const double written =
        json_number_value(json_object_get(json_object_get(root, "student"), "gain_db"));
    json_decref(root);
    allin1_result *result = check_result("struct/soft.json", 3, 0);
    assert_true(result->student->gain_db == written);
    allin1_result_free(&result);
    return written;
}

static void quiet_songs_are_told(void **state)
{
    (void)state;
    assert_true(gain_of_softer(1, NULL) == 0);
    const double soft = gain_of_softer(64, "dB louder, as the song is quiet (");
    const double softer = gain_of_softer(128, "dB louder, as the song is quiet (");
    /* 20 log10 2; a few samples of sixteen bits are left of the second, so that roundings tell. */
    if (!(soft > 3 && fabs(softer - soft - 6.02) < 0.5))
        fail_msg("heard %g and %g dB louder", soft, softer);
}

static void wrong_for_a_student(void **state)
{
    (void)state;
    static const struct {
        const char *options[6], *reason;
    } cases[] = {
        {{STUDENT, "--demix", "none"}, "hears the mix and needs no demixer"},
        {{"-m", "student", "--demix", "none"}, "hears the mix and needs no demixer"},
        {{STUDENT, "--stems-dir", "."}, "hears the mix and takes no stems"},
        {{STUDENT, "-e"}, "has no embeddings"},
        {{STUDENT, "--refine", "0.5", "--demix", "none"}, "do not tell how sure it is"},
        {{STUDENT, "--refine", "1.5"}, "--refine takes a number"},
        {{"-m", "harmonix-all", "--refine", "0.5"}, "does not go with the model harmonix-all"},
        {{"-m", "models/tiny-harmonix.a1w", "--refine", "0.5"}, "tiny-harmonix.a1w is none"},
        {{STUDENT, "--refine", "0.5", "--refine-model", "student"}, "does not refine a student"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *arguments[8] = {NULL};
        size_t count = 0;
        for (; count < 6 && cases[i].options[count]; count++)
            arguments[count] = cases[i].options[count];
        arguments[count] = "a.wav";
        program_outcome said = program_run(NULL, arguments);
        program_expect(&said, 2);
        expect_text(said.err, cases[i].reason);
        expect_no_text(said.err, "decoding");
        program_free(&said);
    }
    write_student("models/odd.a1w", "constant=1 mood=2", NULL);
    expect_run(RUN("-m", "models/odd.a1w", "a.wav"), 3, "holds \"mood=2\"");
    assert_false(sandbox_has("struct/a.json"));
}

/* The beats, positions and sections of two results are the same. */
static void expect_same_music(const char *a, const char *b)
{
    static const char *const keys[] = {"bpm",      "beats",          "downbeats",
                                       "segments", "beat_positions", "segment_probabilities"};
    json_t *x = load(a), *y = load(b);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!json_equal(json_object_get(x, keys[i]), json_object_get(y, keys[i])))
            fail_msg("%s and %s differ in %s", a, b, keys[i]);
    json_decref(x);
    json_decref(y);
}

static void cascade(void **state)
{
    (void)state;
    expect_run(RUN(SMALL, "-o", "full", "a.wav"), 0, NULL);
    expect_run(RUN(STUDENT, "-o", "quick", "a.wav"), 0, NULL);
    program_outcome said = RUN("-m", "models/unsure.a1w", "--refine", "0.5", REFINER, "--verbose",
                               "--timings", "t.jsonl", "a.wav");
    program_expect(&said, 0);
    expect_text(said.err, ", refined -> ");
    expect_text(said.err, "refined by the full pipeline");
    program_free(&said);
    expect_same_music("struct/a.json", "full/a.json");
    json_t *root = load("struct/a.json");
    const json_t *student = json_object_get(root, "student");
    assert_true(json_is_true(json_object_get(student, "refined")));
    assert_true(json_number_value(json_object_get(student, "confidence")) < 0.5);
    assert_true(json_number_value(json_object_get(student, "refine")) == 0.5);
    assert_string_equal(text_at(root, "provenance", "network", "model"), "models/tiny-harmonix.a1w");
    assert_string_equal(text_at(root, "provenance", "network", "model_requested"),
                        "models/unsure.a1w");
    assert_string_equal(text_at(root, "provenance", "stems", "origin"), "computed");
    json_decref(root);
    said = RUN("show", "struct/a.json");
    program_expect(&said, 0);
    expect_text(said.out, "\n  by the full models, since the student was unsure (");
    program_free(&said);
    char *lines = sandbox_read("t.jsonl", NULL);
    size_t heard = 0;
    for (const char *at = lines; (at = strstr(at, "\"stage\": \"nn\"")); at++)
        heard++;
    assert_int_equal(heard, 2);
    expect_text(lines, "\"model\": \"models/tiny-harmonix.a1w\"");
    expect_text(lines, "\"model_requested\": \"models/unsure.a1w\"");
    free(lines);
    expect_run(RUN("-m", "models/unsure.a1w", "--refine", "0.5", REFINER, "a.wav"), 0, "skipped");

    said = RUN("-m", "models/sure.a1w", "--refine", "0.5", REFINER, "-o", "sure", "a.wav");
    program_expect(&said, 0);
    expect_no_text(said.err, "refined");
    program_free(&said);
    expect_same_music("sure/a.json", "quick/a.json");
    root = load("sure/a.json");
    student = json_object_get(root, "student");
    assert_true(json_is_false(json_object_get(student, "refined")));
    assert_true(json_number_value(json_object_get(student, "confidence")) == 0.982);
    assert_string_equal(text_at(root, "provenance", "stems", "origin"), "none");
    json_decref(root);
    said = RUN("show", "sure/a.json");
    program_expect(&said, 0);
    expect_text(said.out,
                "\n  by the student, expected to agree with the full models on 98% of beats\n");
    program_free(&said);
    /* Another threshold is another result, which happens to be the same here. */
    said = RUN("-m", "models/sure.a1w", "--refine", "0.6", REFINER, "-o", "sure", "a.wav");
    program_expect(&said, 0);
    expect_no_text(said.err, "skipped");
    program_free(&said);
}

/* What is missing is said before a song is read. */
static void cascade_without_the_rest(void **state)
{
    (void)state;
    program_outcome said = RUN("-m", "models/unsure.a1w", "--refine", "0.5", "a.wav");
    program_expect(&said, 3);
    expect_text(said.err, "allin1 models fetch harmonix-all");
    program_free(&said);
    said = RUN("-m", "models/unsure.a1w", "--refine", "0.5", "--refine-model",
               "models/tiny-harmonix.a1w", "a.wav");
    program_expect(&said, 3);
    expect_text(said.err, "allin1 models fetch htdemucs");
    expect_no_text(said.err, "decoding");
    program_free(&said);
    assert_false(sandbox_has("struct"));
}

/* No weights anywhere: what is built in, if this build has it, or word of what is missing. */
static void automatic(void **state)
{
    (void)state;
    program_outcome said = RUN("a.wav");
    program_expect(&said, a1_size_student_a1w ? 0 : 3);
    if (a1_size_student_a1w) {
        expect_text(said.err, "the student built in is used");
        expect_text(said.err, "`allin1 models fetch`");
        json_t *root = load("struct/a.json");
        assert_string_equal(text_at(root, "provenance", "network", "model_requested"), "auto");
        assert_string_equal(text_at(root, "provenance", "network", "model"), "student");
        json_decref(root);
        /* The same student by name is the same result. */
        expect_run(RUN("-m", "student", "a.wav"), 0, "a.wav: skipped");
    } else {
        expect_text(said.err, "allin1 models fetch harmonix-all");
        expect_run(RUN("-m", "student", "a.wav"), 3, "no student is built in");
    }
    program_free(&said);
    /* A demixer, stems and embeddings belong to the full network. */
    expect_run(RUN("--demix", "none", "-o", "x", "a.wav"), 3, "the weights of harmonix-fold0");
    said = RUN("-e", "-o", "x", "a.wav");
    program_expect(&said, 3);
    expect_text(said.err, "the weights of harmonix-fold0");
    expect_no_text(said.err, "the student built in is used");
    program_free(&said);
    expect_run(RUN("--stems-dir", ".", "-o", "x", "a.wav"), 3, "the weights of harmonix-fold0");
    assert_false(sandbox_has("x"));
}

static void required(void **state)
{
    (void)state;
    expect_run(RUN(STUDENT, "--require", "model=harmonix-all", "a.wav"), 4,
               "model=harmonix-all is required, but models/tiny-student.a1w would run");
    expect_run(RUN(STUDENT, "--precision", "fp32", "--require", "demix=fp32", "a.wav"), 4,
               "nothing would be separated: the model models/tiny-student.a1w hears the mix");
    expect_run(RUN(STUDENT, "--require", "model=models/tiny-student.a1w,spectrogram=fast", "a.wav"), 0,
               NULL);
    expect_run(RUN(STUDENT, "--spec-guard", "--spec-guard-max", "0", "--overwrite", "a.wav"), 0,
               "reference is used from here on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(alone, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(quiet_songs_are_told, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(lambda_of_the_weights, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(weights_of_another_shape, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(wrong_for_a_student, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(cascade, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(cascade_without_the_rest, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(automatic, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(required, set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
