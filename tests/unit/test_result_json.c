/* A result's document: written as the reference writes it, and read back whatever is in it. */
#include "support/files.h"
#include "support/full_result.h"
#include "support/golden.h"
#include "support/sandbox.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <allin1/allin1.h>

static const char *const golden_files[] = {
    "golden/songs/apex_aleph/Apex Aleph.json",
    "golden/songs/digital_pursuit/digital-pursuit.json",
    "golden/songs/elveszett_lelkek/06_-_Elveszett_Lelkek.json",
    "golden/songs/love_theme/love_theme.json",
    "golden/songs/victory/victory.json",
};

/* Up to where the reference's document closes, ours has the same bytes. */
static void same_bytes_as_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_files / sizeof *golden_files; i++) {
        const char *path = test_golden(golden_files[i]);
        allin1_result *result;
        allin1_error error;
        if (allin1_load_json(path, &result, NULL, &error) != ALLIN1_OK)
            fail_msg("%s", error.message);
        char *ours = allin1_result_json(result, NULL);
        assert_non_null(ours);
        size_t size;
        char *theirs = (char *)test_read_bytes(path, &size);
        const size_t shared = size - strlen("\n}");
        assert_memory_equal(theirs + shared, "\n}", 2);
        for (size_t at = 0; at < shared; at++)
            if (ours[at] != theirs[at])
                fail_msg("%s: byte %zu differs: ours \"%.40s\", theirs \"%.40s\"", path, at,
                         ours + at, theirs + at);
        assert_memory_equal(ours + shared, ",\n", 2);
        free(theirs);
        allin1_string_free(ours);
        allin1_result_free(&result);
    }
}

/* Reading what was written gives the same document, with the facts that are read. */
static void survives_a_round_trip(void **state)
{
    (void)state;
    sandbox_make();
    const allin1_result *result = &test_full_result;
    const allin1_arrays arrays = {.activations = "/a/x.activ.npz"};
    allin1_error error;
    allin1_arrays kept;
    allin1_result *read;
    assert_int_equal(
        allin1_save_json(NULL, result, &arrays, sandbox_path("out/x.json"), &error), ALLIN1_OK);
    assert_int_equal(allin1_load_json(sandbox_path("out/x.json"), &read, &kept, &error), ALLIN1_OK);
    assert_string_equal(read->path, result->path);
    assert_int_equal(read->bpm, 120);
    assert_true(read->tempo == 120.04 && read->duration == 2.0);
    assert_int_equal(read->beats_per_bar, 3);
    assert_int_equal(read->beat_count, 3);
    assert_int_equal(read->beat_positions[2], 3);
    assert_int_equal(read->segment_count, 2);
    assert_string_equal(read->segments[1].label, "verse");
    assert_true(read->segments[1].probability == 0.75);
    assert_memory_equal(read->segments[0].probabilities, result->segments[0].probabilities,
                        10 * sizeof(double));
    assert_null(read->segments[1].probabilities);
    assert_int_equal(read->tempo_curve_count, 3);
    assert_memory_equal(read->tempo_curve_times, result->beats, 3 * sizeof(double));
    assert_memory_equal(read->tempo_curve, result->tempo_curve, 3 * sizeof(double));
    assert_true(read->tempo_confidence == 0.625);
    assert_int_equal(read->tempo_alternative_count, 2);
    assert_true(read->tempo_alternatives[1].bpm == 60.02);
    assert_true(read->tempo_alternatives[0].confidence == 0.25);
    assert_string_equal(read->tempo_alternatives[0].relation, "double");
    assert_memory_equal(read->beat_confidences, result->beat_confidences, 3 * sizeof(double));
    assert_true(read->downbeat_confidences[0] == 1);
    assert_string_equal(read->provenance.key, "k");
    assert_string_equal(read->provenance.version, "9");
    assert_string_equal(read->provenance.input_sha256, "s");
    assert_string_equal(read->provenance.model, "harmonix-all");
    assert_string_equal(kept.activations, "/a/x.activ.npz");
    assert_null(kept.embeddings);
    allin1_result_free(&read);
    sandbox_remove();
}

/* No beat: empty lists and null, as JSON that any parser takes. */
static void nothing_found(void **state)
{
    (void)state;
    const allin1_result result = {.path = "", .tempo = NAN, .tempo_confidence = NAN,
                                  .provenance = {.version = ""}};
    char *text = allin1_result_json(&result, NULL);
    json_error_t reason;
    json_t *root = json_loads(text, 0, &reason);
    assert_non_null(root);
    assert_true(json_is_null(json_object_get(root, "bpm")));
    assert_true(json_is_null(json_object_get(root, "tempo")));
    assert_true(json_is_null(json_object_get(root, "beats_per_bar")));
    assert_int_equal(json_array_size(json_object_get(root, "beats")), 0);
    expect_text(text, "  \"segments\": [],\n");
    json_decref(root);
    allin1_string_free(text);
}

static allin1_status load_text(const char *text, size_t size, allin1_error *error)
{
    allin1_result *result = NULL;
    sandbox_write("x.json", text, size);
    const allin1_status status = allin1_load_json(sandbox_path("x.json"), &result, NULL, error);
    assert_true((status == ALLIN1_OK) == (result != NULL));
    allin1_result_free(&result);
    return status;
}

#define HEAD "{\"path\": \"p\", "
#define LISTS "\"downbeats\": [], \"beat_positions\": [], \"segments\": []}"

static void wrong_content(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "is empty"},
        {"[", "not JSON: line 1"},
        {"nonsense", "not JSON"},
        {"[]", "not an object"},
        {"{}", "\"path\""},
        {"{\"path\": 3}", "\"path\""},
        {HEAD "\"beats\": 3}", "\"beats\""},
        {HEAD "\"beats\": [\"a\"], " LISTS, "beats[0]"},
        {HEAD "\"beats\": [-1], " LISTS, "beats[0]"},
        {HEAD "\"beats\": [1e300], " LISTS, "beats[0]"},
        {HEAD "\"beats\": [2, 1], " LISTS, "beats[1]"},
        {HEAD "\"beats\": [1], " LISTS, "\"beat_positions\""},
        {HEAD "\"beats\": [1], \"downbeats\": [], \"beat_positions\": [0], \"segments\": []}",
         "beat_positions[0]"},
        {HEAD "\"beats\": [1], \"downbeats\": [], \"beat_positions\": [1.5], \"segments\": []}",
         "beat_positions[0]"},
        {HEAD "\"beats\": [], \"downbeats\": [], \"beat_positions\": [], \"segments\": {}}",
         "\"segments\""},
        {HEAD "\"beats\": [], \"downbeats\": [], \"beat_positions\": [], \"segments\": [3]}",
         "segments[0]"},
        {HEAD "\"beats\": [], \"downbeats\": [], \"beat_positions\": [], \"segments\": "
              "[{\"start\": 2, \"end\": 1, \"label\": \"x\"}]}",
         "segments[0]"},
        {HEAD "\"beats\": [], \"bpm\": \"fast\", " LISTS, "\"bpm\""},
        {HEAD "\"beats\": [], \"bpm\": -1, " LISTS, "\"bpm\""},
        {HEAD "\"beats\": [], \"duration\": 1e300, " LISTS, "\"duration\""},
        {HEAD "\"beats\": [], \"segment_label_probabilities\": {}, " LISTS, "\"values\""},
        {HEAD "\"beats\": [], \"segment_label_probabilities\": {\"values\": [[]]}, " LISTS,
         "as long as"},
        {HEAD "\"beats\": [], \"segment_label_probabilities\": {\"values\": [], \"labels\": [\"x\"]}, "
         LISTS, "\"labels\""},
        {HEAD "\"beats\": [], \"downbeats\": [], \"beat_positions\": [], \"segments\": "
              "[{\"start\": 0, \"end\": 1, \"label\": \"x\"}], \"segment_label_probabilities\": "
              "{\"labels\": [\"start\", \"end\", \"intro\", \"outro\", \"break\", \"bridge\", \"inst\", "
              "\"solo\", \"verse\", \"chorus\"], \"values\": [[0, 0, 2, 0, 0, 0, 0, 0, 0, 0]]}}",
         "values[0]"},
        {HEAD "\"beats\": [], \"beat_confidences\": [0.5], " LISTS, "\"beat_confidences\""},
        {HEAD "\"beats\": [1], \"downbeats\": [], \"beat_positions\": [1], \"segments\": [], "
              "\"beat_confidences\": [1.5]}", "beat_confidences[0]"},
        {HEAD "\"beats\": [], \"tempo_confidence\": 2, " LISTS, "\"tempo_confidence\""},
        {HEAD "\"beats\": [], \"tempo_alternatives\": {}, " LISTS, "\"tempo_alternatives\""},
        {HEAD "\"beats\": [], \"tempo_alternatives\": [{\"bpm\": 3}], " LISTS,
         "tempo_alternatives[0]"},
        {HEAD "\"beats\": [], \"tempo_curve\": 3, " LISTS, "\"times\""},
        {HEAD "\"beats\": [], \"tempo_curve\": {\"times\": [1, 0]}, " LISTS, "times[1]"},
        {HEAD "\"beats\": [], \"tempo_curve\": {\"times\": [1], \"bpm\": []}, " LISTS, "\"bpm\""},
        {HEAD "\"beats\": [], \"tempo_curve\": {\"times\": [1], \"bpm\": [0]}, " LISTS,
         "tempo_curve.bpm[0]"},
    };
    sandbox_make();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        allin1_error error;
        const allin1_status status = load_text(cases[i].text, strlen(cases[i].text), &error);
        if (status != ALLIN1_ERROR_FORMAT)
            fail_msg("case %zu, %s: status %d", i, cases[i].text, (int)status);
        expect_text(error.message, cases[i].reason);
        expect_text(error.message, "x.json");
    }
    allin1_error error;
    assert_int_equal(load_text(HEAD "\"beats\": [], " LISTS, strlen(HEAD "\"beats\": [], " LISTS),
                               &error),
                     ALLIN1_OK);
    sandbox_remove();
}

/* A document cut at any place, or with any byte changed, gives an error or a result, nothing else. */
static void damaged_at_every_place(void **state)
{
    (void)state;
    size_t size;
    char *text = (char *)test_read_bytes(test_golden(golden_files[4]), &size);
    sandbox_make();
    allin1_error error;
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(load_text(text, cut, &error), ALLIN1_ERROR_FORMAT);
    for (size_t at = 0; at < size; at++) {
        static const char changes[] = {'"', '9', '-', '[', '}', '\0', '\xff'};
        const char old = text[at];
        text[at] = changes[at % sizeof changes];
        const allin1_status status = load_text(text, size, &error);
        assert_true(status == ALLIN1_OK || status == ALLIN1_ERROR_FORMAT);
        text[at] = old;
    }
    free(text);
    sandbox_remove();
}

static void unreadable_files(void **state)
{
    (void)state;
    sandbox_make();
    allin1_result *result;
    allin1_error error;
    assert_int_equal(allin1_load_json(sandbox_path("none.json"), &result, NULL, &error),
                     ALLIN1_ERROR_IO);
    expect_text(error.message, "none.json: No such file");
    assert_null(result);
    assert_int_equal(allin1_load_json(sandbox_path("."), &result, NULL, &error), ALLIN1_ERROR_IO);
    expect_text(error.message, "is a folder");
    assert_int_equal(allin1_load_json("/dev/zero", &result, NULL, &error), ALLIN1_ERROR_IO);
    assert_int_equal(allin1_load_json(NULL, &result, NULL, &error), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_load_json("x", NULL, NULL, NULL), ALLIN1_ERROR_ARGUMENT);
    allin1_result_free(NULL);
    sandbox_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_as_the_reference),
        cmocka_unit_test_teardown(survives_a_round_trip, sandbox_clean_up),
        cmocka_unit_test(nothing_found),
        cmocka_unit_test_teardown(wrong_content, sandbox_clean_up),
        cmocka_unit_test_teardown(damaged_at_every_place, sandbox_clean_up),
        cmocka_unit_test_teardown(unreadable_files, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
