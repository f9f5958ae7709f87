/* Every allocation of a whole analysis, and of its documents, fails once. */
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/small_program.h"

#include <stdlib.h>
#include <string.h>

#include "faults/allocations.h"
#include "output/numpy.h"
#include "output/result.h"
#include "support/tiny_model.h"
#include "weights/mapped.h"

#define FRAMES 30

static char model_path[1024], demix_model_path[1024], sound_path[1024], json_path[1024];
static char refine_model_path[1024];
static double refine;
static float spectrogram[4 * FRAMES * 81];

static int set_up(void **state)
{
    (void)state;
    small_sandbox();
    strcpy(model_path, sandbox_path("models/tiny-harmonix.a1w"));
    strcpy(demix_model_path, sandbox_path("models/tiny-htdemucs.a1w"));
    strcpy(refine_model_path, model_path);
    refine = 0;
    strcpy(sound_path, sandbox_path("a.wav"));
    strcpy(json_path, sandbox_path("a.json"));
    make_sound("a.wav", MUSIC, 0.2);
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof spectrogram / sizeof *spectrogram; i++)
        spectrogram[i] = 1 + test_random(&seed);
    return 0;
}

static allin1_status take_over(a1_error *err, const allin1_error *error, allin1_status status)
{
    assert_int_equal(error->status, status);
    return status == ALLIN1_OK ? status : a1_fail(err, status, "%s", error->message);
}

static allin1_status open_small(allin1_context **context, a1_error *err)
{
    allin1_settings settings;
    allin1_error error;
    allin1_settings_default(&settings);
    settings.model = model_path;
    settings.demix_model = demix_model_path;
    settings.weights_dir = sandbox_path("models");
    settings.refine = refine;
    settings.refine_model = refine_model_path;
    settings.threads = 2;
    const allin1_status status = allin1_open(context, &settings, &error);
    assert_true((*context != NULL) == (status == ALLIN1_OK));
    return take_over(err, &error, status);
}

static allin1_status only_open(void *user, a1_error *err)
{
    (void)user;
    allin1_context *context;
    const allin1_status status = open_small(&context, err);
    allin1_close(&context);
    return status;
}

static allin1_status from_a_spectrogram(void *user, a1_error *err)
{
    (void)user;
    const allin1_request want = {.want_activations = 1, .want_embeddings = 1, .name = "x"};
    allin1_context *context;
    allin1_result *result = NULL;
    allin1_error error;
    A1_TRY(open_small(&context, err));
    const allin1_status status =
        allin1_analyze_spectrogram(context, spectrogram, FRAMES, &want, &result, &error);
    assert_true((result != NULL) == (status == ALLIN1_OK));
    allin1_result_free(&result);
    allin1_close(&context);
    return take_over(err, &error, status);
}

/* With a context that is open: what is left are the stages and the by-products. */
static allin1_status from_a_file(void *user, a1_error *err)
{
    allin1_request want = {.want_activations = 1, .keep_byproducts = 1};
    want.demix_dir = sandbox_path("stems");
    want.spec_file = sandbox_path("spec.npy");
    want.recompute_demix = 1;
    allin1_result *result = NULL;
    allin1_error error;
    const allin1_status status =
        allin1_analyze_file(user, sound_path, &want, &result, &error);
    allin1_result_free(&result);
    return take_over(err, &error, status);
}

static allin1_status save_and_load(void *user, a1_error *err)
{
    const allin1_result *result = user;
    allin1_result *read;
    allin1_error error;
    allin1_status status = allin1_save_json(NULL, result, NULL, json_path, &error);
    A1_TRY(take_over(err, &error, status));
    status = allin1_save_activations(NULL, result, sandbox_path("a.npz"), &error);
    A1_TRY(take_over(err, &error, status));
    status = allin1_save_embeddings(NULL, result, sandbox_path("a.npy"), &error);
    A1_TRY(take_over(err, &error, status));
    status = allin1_load_json(json_path, &read, NULL, &error);
    allin1_result_free(&read);
    return take_over(err, &error, status);
}

static void opening(void **state)
{
    (void)state;
    allocations_fail_each("opening", only_open, NULL, 1);
}

static void analysing_a_spectrogram(void **state)
{
    (void)state;
    allocations_fail_each("a spectrogram", from_a_spectrogram, NULL, 101);
}

static void each_allocation_of_a_file(const char *what)
{
    a1_error err = {0};
    allin1_context *context;
    assert_int_equal(open_small(&context, &err), ALLIN1_OK);
    assert_int_equal(from_a_file(context, &err), ALLIN1_OK); /* models are loaded once */
    /* The decoder does without a reservation that it cannot have: such a run may succeed. */
    bool hit = true;
    unsigned nth = 0;
    for (nth = 1; hit; nth++) {
        err = (a1_error){0};
        allocations_fail_at(nth);
        const allin1_status status = from_a_file(context, &err);
        hit = allocations_failed();
        assert_int_equal(allocations_left(), 0);
        if (status != ALLIN1_OK) {
            assert_true(hit);
            assert_int_equal(status, ALLIN1_ERROR_MEMORY);
            expect_text(err.message, "memory");
        }
    }
    print_message("%s: %u allocations\n", what, nth - 2);
    assert_true(nth > 10);
    allin1_close(&context);
}

static void analysing_a_file(void **state)
{
    (void)state;
    each_allocation_of_a_file("a file");
}

static void guessing_its_stems(void **state)
{
    (void)state;
    strcpy(demix_model_path, "none");
    each_allocation_of_a_file("a file without a demixer");
}

/* It is unsure of itself, so that the full pipeline comes after it. */
static void asking_a_student_first(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *student;
    strcpy(model_path, sandbox_path("models/unsure.a1w"));
    refine = 0.5;
    if (test_tiny_student(&(tiny_student_blocks){2, 1, 1, 1}, &student, &err) != ALLIN1_OK ||
        a1_tensor_set_put_text(student, "confidence", "constant=-1", &err) != ALLIN1_OK ||
        a1_mapped_write(model_path, student, true, NULL, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_tensor_set_destroy(&student);
    allocations_fail_each("opening a cascade", only_open, NULL, 1);
    each_allocation_of_a_file("a file through a cascade");
}

static void writing_and_reading(void **state)
{
    (void)state;
    const allin1_request want = {.want_activations = 1, .want_embeddings = 1, .name = "x"};
    a1_error err = {0};
    allin1_context *context;
    allin1_result *result;
    assert_int_equal(open_small(&context, &err), ALLIN1_OK);
    assert_int_equal(
        allin1_analyze_spectrogram(context, spectrogram, FRAMES, &want, &result, NULL), ALLIN1_OK);
    allocations_fail_each("saving and loading", save_and_load, result, 1);
    allin1_result_free(&result);
    allin1_close(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opening, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(analysing_a_spectrogram, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(analysing_a_file, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(guessing_its_stems, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(asking_a_student_first, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(writing_and_reading, set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
