#include "support/network_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "weights/file_map.h"
#include "weights/npz.h"

a1_tensor_set *test_npz(const char *relative)
{
    const char *path = test_golden(relative);
    a1_error err = {0};
    a1_file_map map;
    a1_tensor_set *set = NULL;
    if (a1_file_map_open(&map, path, &err) != ALLIN1_OK ||
        a1_tensor_set_create(&set, &err) != ALLIN1_OK ||
        a1_npz_parse(map.data, map.size, path, set, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_file_map_close(&map);
    return set;
}

double *test_tensor(const a1_tensor_set *set, const char *name, size_t *count)
{
    a1_error err = {0};
    const a1_tensor *tensor = a1_tensor_set_find(set, name);
    if (!tensor)
        fail_msg("there is no array %s", name);
    *count = a1_tensor_count(tensor);
    float *floats = malloc((*count ? *count : 1) * sizeof *floats);
    double *values = malloc((*count ? *count : 1) * sizeof *values);
    assert_true(floats && values);
    if (a1_tensor_to_f32(tensor, floats, &err) != ALLIN1_OK)
        fail_msg("%s: %s", name, err.message);
    for (size_t i = 0; i < *count; i++)
        values[i] = (double)floats[i];
    free(floats);
    return values;
}

a1_tensor_set *test_fold(unsigned index)
{
    char relative[64];
    snprintf(relative, sizeof relative, "weights/harmonix/harmonix-fold%u_mlx.npz", index);
    return test_npz(relative);
}

a1_network *test_network(size_t count, allin1_cpu_level level)
{
    a1_tensor_set *sets[TEST_FOLDS];
    a1_error err = {0};
    a1_cpu cpu;
    a1_network *network = NULL;
    for (unsigned i = 0; i < count; i++)
        sets[i] = test_fold(i);
    if (a1_cpu_select(&cpu, level, &err) != ALLIN1_OK ||
        a1_network_create(&network, (const a1_tensor_set *const *)sets, count, &cpu, NULL, &err) !=
            ALLIN1_OK)
        fail_msg("%s", err.message);
    for (unsigned i = 0; i < count; i++)
        a1_tensor_set_destroy(&sets[i]);
    return network;
}

typedef struct generator {
    a1_tensor_set *set;
    uint64_t random;
    const char *omit, *reshape;
} generator;

static allin1_status add_tensor(void *user, const char *name, unsigned rank, const size_t *shape,
                                float *values)
{
    generator *g = user;
    a1_tensor tensor = {.name = name, .dtype = A1_F32, .rank = rank, .data = values};
    size_t count = 1, inputs = 1;
    for (unsigned i = 0; i < rank; i++) {
        count *= tensor.shape[i] = shape[i];
        inputs *= i > 0 ? shape[i] : 1;
    }
    /* Layers then pass on what they get at about its size; norms scale by 1. */
    const int norm = strstr(name, "norm") && strstr(name, "weight");
    for (size_t i = 0; i < count; i++)
        values[i] = (norm ? 1.0f : 0.0f) +
                    test_random(&g->random) * (rank > 1 ? 1.5f / sqrtf((float)inputs) : 0.3f);
    if (g->omit && strcmp(name, g->omit) == 0)
        return ALLIN1_OK;
    if (g->reshape && strcmp(name, g->reshape) == 0)
        tensor.shape[0]--;
    return a1_tensor_set_add(g->set, &tensor, NULL);
}

test_random_fold test_random_fold_create(uint64_t seed, const char *omit, const char *reshape)
{
    test_random_fold fold = {.weights = malloc(sizeof *fold.weights)};
    assert_non_null(fold.weights);
    assert_int_equal(a1_tensor_set_create(&fold.set, NULL), ALLIN1_OK);
    generator g = {fold.set, seed, omit, reshape};
    assert_int_equal(a1_fold_weights_visit(fold.weights, add_tensor, &g), ALLIN1_OK);
    return fold;
}

void test_random_fold_destroy(test_random_fold *fold)
{
    a1_tensor_set_destroy(&fold->set);
    free(fold->weights);
    fold->weights = NULL;
}
