/* Every allocation of a format, and of an evaluation, fails once. */
#include "support/golden.h"
#include "support/sandbox.h"

#include <allin1/evaluation.h>
#include <allin1/formats.h>
#include <math.h>
#include <string.h>

#include "faults/allocations.h"

#define BEATS 400
#define SECTIONS 60

static double beats[BEATS], downbeats[BEATS / 4];
static unsigned positions[BEATS];
static allin1_segment segments[SECTIONS];

static const allin1_result result = {.path = "/music/a song.wav",
                                     .duration = 240,
                                     .bpm = 120,
                                     .tempo = 120,
                                     .beats_per_bar = 4,
                                     .beat_count = BEATS,
                                     .beats = beats,
                                     .beat_positions = positions,
                                     .downbeat_count = BEATS / 4,
                                     .downbeats = downbeats,
                                     .segment_count = SECTIONS,
                                     .segments = segments,
                                     .provenance = {.version = "1"}};

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < BEATS; i++) {
        beats[i] = 0.33 + (double)i * 0.51;
        positions[i] = (unsigned)(i % 4) + 1;
        downbeats[i / 4] = beats[i / 4 * 4];
    }
    for (size_t i = 0; i < SECTIONS; i++)
        segments[i] = (allin1_segment){(double)i * 4, (double)i * 4 + 4,
                                       i % 2 ? "verse" : "chorus", NAN, NULL};
    return 0;
}

static allin1_status take_over(a1_error *err, const allin1_error *error, allin1_status status)
{
    assert_int_equal(error->status, status);
    return status == ALLIN1_OK ? status : a1_fail(err, status, "%s", error->message);
}

static allin1_status one_format(void *user, a1_error *err)
{
    allin1_error error;
    char *content;
    size_t size;
    const allin1_status status = allin1_result_format(&result, user, &content, &size, &error);
    assert_true((content != NULL) == (status == ALLIN1_OK));
    allin1_string_free(content);
    return take_over(err, &error, status);
}

static void formats_in_memory(void **state)
{
    (void)state;
    size_t count;
    const allin1_format *formats = allin1_formats(&count);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        strcpy(name, formats[i].name);
        allocations_fail_each(name, one_format, name, 1);
    }
}

static allin1_status evaluating(void *user, a1_error *err)
{
    (void)user;
    allin1_annotation annotation;
    allin1_error error;
    allin1_scores scores;
    allin1_mean means[ALLIN1_MEASURES];
    assert_true(allin1_annotation_of_result(&result, NULL, &annotation));
    allin1_status status = allin1_evaluate(&annotation, &annotation, NULL, &scores, &error);
    A1_TRY(take_over(err, &error, status));
    status = allin1_mean_scores(&scores, 1, 0, means, &error);
    A1_TRY(take_over(err, &error, status));
    const char *name = "x";
    char *text = allin1_evaluation_json(&name, &scores, 1, means);
    allin1_string_free(text);
    return text ? ALLIN1_OK : a1_fail_memory(err, "an evaluation");
}

static void an_evaluation(void **state)
{
    (void)state;
    allocations_fail_each("an evaluation", evaluating, NULL, 1);
}

static allin1_status reading(void *user, a1_error *err)
{
    allin1_annotation *annotation;
    allin1_error error;
    const allin1_status status = allin1_annotation_load(user, &annotation, &error);
    assert_true((annotation != NULL) == (status == ALLIN1_OK));
    if (annotation)
        allin1_annotation_free(&annotation);
    return take_over(err, &error, status);
}

/* JSON is read by another library, whose allocations do not fail here. */
static void annotations(void **state)
{
    (void)state;
    static const char *const formats[] = {"jams", "lab", "beats", "harmonix", "harmonix-beats"};
    sandbox_make();
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char path[1024];
        strcpy(path, sandbox_path("a%s", allin1_format_find(formats[i])->suffix));
        assert_int_equal(allin1_save_format(NULL, &result, formats[i], path, NULL), ALLIN1_OK);
        allocations_fail_each(formats[i], reading, path, 1);
    }
    sandbox_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_evaluation, set_up),
        cmocka_unit_test_setup(annotations, set_up),
        cmocka_unit_test_setup(formats_in_memory, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
