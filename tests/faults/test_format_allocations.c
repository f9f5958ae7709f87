/* Every allocation of a format, and of an evaluation, fails once. */
#include "support/golden.h"
#include "support/sandbox.h"

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
                                       i % 2 ? "verse" : "chorus", NAN};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(formats_in_memory, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
