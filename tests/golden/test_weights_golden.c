/* The published weights: every tensor under its name, with its shape and its values. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/weight_files.h"
#include "weights/file_map.h"
#include "weights/npz.h"
#include "weights/onnx.h"
#include "weights/weights.h"

/* The table agrees with the sums beside the files, and every array with an independent reader. */
static void test_harmonix(void **state)
{
    (void)state;
    const char *sums_path = test_golden("weights/harmonix/SHA256SUMS");
    const char *folder = test_golden("weights");
    static const char *const thresholds[] = {"0.22", "0.22", "0.24", "0.28",
                                             "0.21", "0.24", "0.32", "0.19"};
    test_bytes sums = test_load(sums_path);
    test_put(&sums, "", 1);
    for (int fold = 0; fold < 8; fold++) {
        char name[32], line[160];
        a1_error err = {0};
        a1_tensor_set *set = NULL;
        static a1_weights_info info;
        snprintf(name, sizeof name, "harmonix-fold%d", fold);
        const a1_model_file *file = a1_model_file_find(name);
        assert_non_null(file);
        snprintf(line, sizeof line, "%s  %s", file->sources[0].sha256, file->sources[0].name);
        assert_non_null(strstr((const char *)sums.data, line));
        snprintf(line, sizeof line, "%s  %s", file->companion->sha256, file->companion->name);
        assert_non_null(strstr((const char *)sums.data, line));
        if (a1_weights_load(folder, name, NULL, &set, &info, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        assert_string_equal(info.digest, file->digest);
        assert_string_equal(a1_tensor_set_text(set, "best_threshold_downbeat"), thresholds[fold]);
        assert_int_equal(a1_tensor_set_count(set), 491);
        size_t values = 0;
        for (size_t i = 0; i < a1_tensor_set_count(set); i += fold ? 37 : 1) {
            const a1_tensor *tensor = a1_tensor_set_at(set, i);
            const size_t count = a1_tensor_count(tensor);
            snprintf(line, sizeof line, "weights/harmonix/%s", file->sources[0].name);
            float *expected = test_read_floats(test_golden(line), tensor->name, count);
            assert_memory_equal(tensor->data, expected, count * sizeof *expected);
            free(expected);
            values += count;
        }
        if (fold == 0)
            assert_int_equal(values, 300631);
        a1_tensor_set_destroy(&set);
    }
    test_bytes_free(&sums);
}

static json_t *load_binding(void)
{
    json_error_t error;
    json_t *binding = json_load_file(test_golden("golden/htdemucs/binding.json"), 0, &error);
    if (!binding)
        fail_msg("binding.json: %s", error.text);
    return binding;
}

/* The weights of this machine, found as any program would find them. */
static a1_tensor_set *load_htdemucs(void)
{
    a1_error err = {0};
    a1_tensor_set *set = NULL;
    const allin1_status status = a1_weights_load(NULL, "htdemucs", NULL, &set, NULL, &err);
    if (status == ALLIN1_ERROR_WEIGHTS_MISSING) {
        print_message("[ NOTE     ] skipped: %s\n", err.message);
        skip();
    }
    if (status != ALLIN1_OK)
        fail_msg("%s", err.message);
    return set;
}

static unsigned read_shape(const json_t *shape, size_t lengths[A1_MAX_RANK])
{
    const unsigned rank = (unsigned)json_array_size(shape);
    assert_true(rank <= A1_MAX_RANK);
    for (unsigned axis = 0; axis < rank; axis++)
        lengths[axis] = (size_t)json_integer_value(json_array_get(shape, axis));
    return rank;
}

static void test_htdemucs_tensors(void **state)
{
    (void)state;
    a1_error err = {0};
    json_t *binding = load_binding(), *entry;
    a1_tensor_set *set = load_htdemucs();
    size_t index, values = 0;
    json_array_foreach(json_object_get(binding, "entries"), index, entry)
    {
        size_t shape[A1_MAX_RANK];
        const a1_tensor *tensor;
        const unsigned rank = read_shape(json_object_get(entry, "shape_torch"), shape);
        const char *name = json_string_value(json_object_get(entry, "torch"));
        if (a1_tensor_set_require(set, name, rank, shape, &tensor, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
    }
    for (size_t i = 0; i < a1_tensor_set_count(set); i++)
        values += a1_tensor_count(a1_tensor_set_at(set, i));
    assert_int_equal(a1_tensor_set_count(set),
                     json_integer_value(json_object_get(binding, "torch_tensors")));
    assert_int_equal(values, json_integer_value(json_object_get(binding, "torch_parameters")));
    char digest[A1_SHA256_HEX];
    assert_int_equal(a1_tensor_set_digest(set, digest, &err), ALLIN1_OK);
    assert_string_equal(digest, a1_model_file_find("htdemucs")->digest);
    assert_string_equal(a1_tensor_set_text(set, "heads"), "8");
    a1_tensor_set_destroy(&set);
    json_decref(binding);
}

/* The stage golden of the frequency embedding is 0.2 * 10 * table, channel by row: it pins values,
 * not only names. float32 of a float64 product: half an ulp of values below 1. */
static void test_htdemucs_embedding(void **state)
{
    (void)state;
    const char *path = test_golden("golden/htdemucs/stage_freq_emb.npy");
    a1_tensor_set *set = load_htdemucs();
    const a1_tensor *table = a1_tensor_set_find(set, "freq_emb.embedding.weight");
    test_array stage = test_read_array(path, NULL);
    static float values[512 * 48], turned[512 * 48];
    assert_int_equal(stage.count, 512 * 48);
    assert_int_equal(a1_tensor_to_f32(table, values, NULL), ALLIN1_OK);
    for (size_t row = 0; row < 512; row++)
        for (size_t channel = 0; channel < 48; channel++)
            turned[channel * 512 + row] = 2.0f * values[row * 48 + channel];
    test_close("frequency embedding", turned, stage.values, stage.count, 6e-8);
    test_array_free(&stage);
    a1_tensor_set_destroy(&set);
}

/* Element `index` of a torch tensor's part that an initialiser holds, by the rule of binding.json.
 */
static size_t source_index(const char *rule, size_t index, size_t columns, size_t rows)
{
    if (strstr(rule, "transpose")) /* (rows, columns) here, (columns, rows) there */
        return index % columns * rows + index / columns;
    return index;
}

/* Every single value against the ONNX file itself, when $ALLIN1_HTDEMUCS_ONNX names it. The rules
 * are read from binding.json: nothing of the binding under test is used. */
static void test_htdemucs_values(void **state)
{
    (void)state;
    const char *path = getenv("ALLIN1_HTDEMUCS_ONNX");
    if (!path || !*path) {
        print_message("[ NOTE     ] skipped: ALLIN1_HTDEMUCS_ONNX does not name htdemucs.onnx\n");
        skip();
    }
    a1_error err = {0};
    json_t *binding = load_binding(), *entry;
    a1_tensor_set *set = load_htdemucs(), *onnx = NULL;
    a1_file_map map;
    size_t index, compared = 0;
    assert_int_equal(a1_file_map_open(&map, path, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_create(&onnx, &err), ALLIN1_OK);
    if (a1_onnx_parse(map.data, map.size, path, onnx, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    assert_int_equal(a1_tensor_set_count(onnx),
                     json_integer_value(json_object_get(binding, "initialisers")));
    json_array_foreach(json_object_get(binding, "entries"), index, entry)
    {
        const char *rule = json_string_value(json_object_get(entry, "transform"));
        const char *name = json_string_value(json_object_get(entry, "torch"));
        const a1_tensor *from =
            a1_tensor_set_find(onnx, json_string_value(json_object_get(entry, "onnx")));
        const a1_tensor *to = a1_tensor_set_find(set, name);
        assert_non_null(from);
        assert_non_null(to);
        const size_t count = a1_tensor_count(from), whole = a1_tensor_count(to);
        const size_t columns = to->rank > 1 ? whole / to->shape[0] : 1, rows = count / columns;
        const json_t *part = json_object_get(entry, "rows");
        const size_t first =
            part ? (size_t)json_integer_value(json_array_get(part, 0)) * columns : 0;
        const float scale = strstr(rule, "scale") ? 10.0f : 1.0f;
        const float *there = from->data;
        float *here = malloc(whole * sizeof *here);
        assert_non_null(here);
        assert_int_equal(a1_tensor_to_f32(to, here, &err), ALLIN1_OK);
        for (size_t i = 0; i < count; i++)
            if (here[first + i] * scale != there[source_index(rule, i, columns, rows)])
                fail_msg("%s, value %zu: %.9g is not %.9g", name, first + i,
                         (double)(here[first + i] * scale),
                         (double)there[source_index(rule, i, columns, rows)]);
        compared += count;
        free(here);
    }
    assert_int_equal(compared, json_integer_value(json_object_get(binding, "torch_parameters")));
    a1_tensor_set_destroy(&onnx);
    a1_tensor_set_destroy(&set);
    a1_file_map_close(&map);
    json_decref(binding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_harmonix),
        cmocka_unit_test(test_htdemucs_tensors),
        cmocka_unit_test(test_htdemucs_embedding),
        cmocka_unit_test(test_htdemucs_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
