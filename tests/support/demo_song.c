#include "support/demo_song.h"

#include "support/golden.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

program_outcome demo_run(const char *const *arguments)
{
    const char *program = getenv("ALLIN1_PROGRAM");
    const char *slash = program ? strrchr(program, '/') : NULL;
    char path[4096], kept[4096];
    snprintf(path, sizeof path, "%.*srender_demo", slash ? (int)(slash - program + 1) : 0,
             program ? program : "");
    if (!program || access(path, X_OK) != 0) {
        print_message("[ NOTE     ] skipped: render_demo was not built beside $ALLIN1_PROGRAM\n");
        skip();
    }
    snprintf(kept, sizeof kept, "%s", program);
    setenv("ALLIN1_PROGRAM", path, 1);
    const program_outcome outcome = program_run(NULL, arguments);
    setenv("ALLIN1_PROGRAM", kept, 1);
    return outcome;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("the truth has no number \"%s\"", key);
    return json_number_value(value);
}

static const json_t *array(const json_t *object, const char *key, size_t limit)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > limit)
        fail_msg("the truth has no list \"%s\" of up to %zu entries", key, limit);
    return value;
}

demo_truth demo_read_truth(const char *name)
{
    demo_truth truth = {0};
    json_error_t error;
    json_t *root = json_load_file(sandbox_path("%s", name), 0, &error);
    if (!root)
        fail_msg("%s: %s", name, error.text);
    truth.tempo = number(root, "tempo");
    truth.duration = number(root, "duration");
    const json_t *beats = array(root, "beats", DEMO_MAX_BEATS);
    const json_t *downbeats = array(root, "downbeats", DEMO_MAX_BEATS);
    const json_t *positions = array(root, "beat_positions", DEMO_MAX_BEATS);
    const json_t *sections = array(root, "segments", DEMO_MAX_SECTIONS);
    truth.beat_count = json_array_size(beats);
    truth.downbeat_count = json_array_size(downbeats);
    truth.position_count = json_array_size(positions);
    truth.section_count = json_array_size(sections);
    for (size_t i = 0; i < truth.beat_count; i++)
        truth.beats[i] = json_number_value(json_array_get(beats, i));
    for (size_t i = 0; i < truth.downbeat_count; i++)
        truth.downbeats[i] = json_number_value(json_array_get(downbeats, i));
    for (size_t i = 0; i < truth.position_count; i++)
        truth.positions[i] = (int)json_integer_value(json_array_get(positions, i));
    for (size_t i = 0; i < truth.section_count; i++) {
        const json_t *section = json_array_get(sections, i);
        const char *label = json_string_value(json_object_get(section, "label"));
        assert_non_null(label);
        truth.sections[i].start = number(section, "start");
        truth.sections[i].end = number(section, "end");
        snprintf(truth.sections[i].label, sizeof truth.sections[i].label, "%s", label);
    }
    json_decref(root);
    return truth;
}

static unsigned long little(const char *bytes, int count)
{
    unsigned long value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

int16_t *demo_read_wav(const char *name, size_t *frames)
{
    size_t size;
    char *bytes = sandbox_read(name, &size);
    assert_true(size > 44);
    assert_memory_equal(bytes, "RIFF", 4);
    assert_int_equal(little(bytes + 4, 4), size - 8);
    assert_memory_equal(bytes + 8, "WAVEfmt ", 8);
    assert_int_equal(little(bytes + 16, 4), 16);
    assert_int_equal(little(bytes + 20, 2), 1);     /* PCM */
    assert_int_equal(little(bytes + 22, 2), 2);     /* channels */
    assert_int_equal(little(bytes + 24, 4), 44100); /* rate */
    assert_int_equal(little(bytes + 34, 2), 16);    /* bits */
    assert_memory_equal(bytes + 36, "data", 4);
    assert_int_equal(little(bytes + 40, 4), size - 44);
    *frames = (size - 44) / 4;
    int16_t *samples = malloc(*frames * 4);
    assert_non_null(samples);
    for (size_t i = 0; i < *frames * 2; i++)
        samples[i] = (int16_t)little(bytes + 44 + 2 * i, 2);
    free(bytes);
    return samples;
}
