/* HTDemucs against the float64 run of the original model: every stage of one segment, the final stems, and
 * the edge cases. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demix/segment.h"
#include "support/golden.h"
#include "weights/weights.h"

#define SEGMENT ((size_t)A1_DEMIX_SEGMENT)

static a1_htdemucs *model;
static a1_pool *pool;
static a1_cpu cpu;

static void need_model(void)
{
    if (model)
        return;
    a1_error err = {0};
    a1_tensor_set *set = NULL;
    const allin1_status status = a1_weights_load(NULL, "htdemucs", NULL, &set, NULL, &err);
    if (status == ALLIN1_ERROR_WEIGHTS_MISSING) {
        print_message("[ NOTE     ] skipped: the separator's weights are not installed\n");
        skip();
    }
    if (status != ALLIN1_OK)
        fail_msg("%s", err.message);
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, &err), ALLIN1_OK);
    assert_int_equal(a1_pool_create(&pool, 0, &err), ALLIN1_OK);
    if (a1_htdemucs_create(&model, set, &cpu, A1_DEMIX_FP32, pool, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_tensor_set_destroy(&set);
}

/* One stored stage. Along each axis the reference keeps a few indices: where[axis][i] is the place of index
 * i in the file, or -1. Axes are brought to (channel, row, frame). */
typedef struct stage {
    char name[64];
    unsigned rank;
    size_t full[4], stored[4];
    int *where[4];
    float *values;
    double tolerance;
    double worst, square_error, square_value;
    size_t seen, count;
} stage;

static stage *stages;
static size_t stage_count;

static int *index_places(const json_t *rule, size_t length, size_t stored)
{
    int *places = malloc(length * sizeof *places);
    assert_non_null(places);
    int next = 0;
    for (size_t i = 0; i < length; i++) {
        int keep = json_is_string(rule);
        if (!keep) {
            const size_t head = (size_t)json_integer_value(json_object_get(rule, "head"));
            const size_t step = (size_t)json_integer_value(json_object_get(rule, "step"));
            const size_t tail = (size_t)json_integer_value(json_object_get(rule, "tail"));
            keep = i < head || i % step == 0 || i + tail >= length;
        }
        places[i] = keep ? next++ : -1;
    }
    assert_int_equal(next, (int)stored);
    return places;
}

static void load_stages(void)
{
    if (stages)
        return;
    json_error_t error;
    json_t *root = json_load_file(test_golden("golden/htdemucs/stages.json"), 0, &error);
    if (!root)
        fail_msg("stages.json: %s", error.text);
    const json_t *list = json_object_get(root, "stages");
    stage_count = json_array_size(list);
    stages = calloc(stage_count, sizeof *stages);
    for (size_t i = 0; i < stage_count; i++) {
        const json_t *item = json_array_get(list, i);
        stage *s = &stages[i];
        snprintf(s->name, sizeof s->name, "%s", json_string_value(json_object_get(item, "name")));
        s->rank = (unsigned)json_array_size(json_object_get(item, "full_shape"));
        s->count = 1;
        for (unsigned axis = 0; axis < s->rank; axis++) {
            s->full[axis] = (size_t)json_integer_value(
                json_array_get(json_object_get(item, "full_shape"), axis));
            s->stored[axis] = (size_t)json_integer_value(
                json_array_get(json_object_get(item, "stored_shape"), axis));
            s->where[axis] = index_places(json_array_get(json_object_get(item, "slicing"), axis),
                                          s->full[axis], s->stored[axis]);
            s->count *= s->stored[axis];
        }
        /* golden/htdemucs/README.md: a float32 implementation with careful sums stays within ten times
         * what PyTorch's float32 differs from float64. The embedding and the positions are computed in
         * double and rounded once: half a unit in the last place of values up to 2. */
        const json_t *noise = json_object_get(item, "f32_max_abs");
        s->tolerance = json_is_number(noise) ? 10 * json_number_value(noise) : 1.2e-7;
        char path[256];
        snprintf(path, sizeof path, "golden/htdemucs/%s",
                 json_string_value(json_object_get(item, "file")));
        s->values = test_read_floats(test_golden(path), NULL, s->count);
    }
    json_decref(root);
}

static stage *find_stage(const char *name)
{
    for (size_t i = 0; i < stage_count; i++)
        if (strcmp(stages[i].name, name) == 0)
            return &stages[i];
    return NULL;
}

static void check_value(stage *s, size_t at, float value)
{
    double difference = fabs((double)value - (double)s->values[at]);
    if (isnan(difference))
        difference = INFINITY;
    s->worst = difference > s->worst ? difference : s->worst;
    s->square_error += difference * difference;
    s->square_value += (double)s->values[at] * (double)s->values[at];
    s->seen++;
}

static int ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Where packed column `slot` lies: the channel, and for transposed convolutions the phase. Products report
 * their columns in packed order (see gemm.h and model.c). */
static int unpack_slot(const stage *s, const char *name, size_t slot, size_t *channel, size_t *phase)
{
    *phase = 0;
    *channel = slot;
    const size_t channels = s->full[0];
    if (ends_with(name, "_rewrite") || ends_with(name, "_expand") || ends_with(name, "_norm2")) {
        *channel = slot / 32 * 16 + slot % 16 + (slot % 32 < 16 ? 0 : channels / 2);
        return slot / 32 * 16 + slot % 16 < channels / 2;
    }
    if (strstr(name, "_dec") && (ends_with(name, "_convtr") || strlen(name) == 6)) {
        const size_t per_phase = (channels + 15) / 16;
        *phase = slot / 16 / per_phase;
        *channel = slot / 16 % per_phase * 16 + slot % 16;
        return *phase < 4 && *channel < channels;
    }
    return *channel < channels;
}

/* Tokens of the frequency branch are row-major here and frame-major in the reference. */
static void check_tokens(stage *s, size_t frames, size_t first, size_t channels, const float *data,
                         size_t stride)
{
    for (size_t f = 0; f < frames; f++) {
        size_t token = first + f;
        if (s->full[0] == 2688)
            token = token % SPEC_FRAMES * 8 + token / SPEC_FRAMES;
        const int row = s->where[0][token];
        for (size_t c = 0; row >= 0 && c < channels && c < s->full[1]; c++)
            if (s->where[1][c] >= 0)
                check_value(s, (size_t)row * s->stored[1] + (size_t)s->where[1][c],
                            data[f * stride + c]);
    }
}

static void probe(void *user, const char *name, size_t row, size_t frame, size_t frames,
                  size_t channels, const float *data, size_t stride)
{
    (void)user;
    if (strcmp(name, "freq_pre_denorm") == 0)
        name = "f_dec3";
    if (strcmp(name, "time_pre_denorm") == 0)
        name = "t_dec3";
    else if (strlen(name) == 6 && strcmp(name + 2, "dec3") == 0 && strcmp(name, "f_dec3") != 0)
        return; /* the last step's product: its result arrives as time_pre_denorm */
    stage *s = find_stage(name);
    if (!s)
        return;
    if (strncmp(name, "xf_", 3) == 0) {
        check_tokens(s, frames, frame, channels, data, stride);
        return;
    }
    if (strcmp(name, "norm_stats") == 0) {
        for (size_t i = 0; i < 4; i++)
            check_value(s, i, data[i]);
        return;
    }
    /* up_f comes as tokens, row-major. */
    const int from_tokens = strcmp(name, "up_f") == 0;
    const int packed = strcmp(name, "f_dec3") != 0 || stride != 16;
    const int transposed = strstr(name, "_dec") && (ends_with(name, "_convtr") || strlen(name) == 6) &&
                           packed && strcmp(name, "t_dec3") != 0;
    if (strcmp(name, "f_dec3") == 0 && transposed)
        return;
    /* A level's output is trimmed by two on the left; the bare convolution is not. */
    const size_t trim = transposed && !ends_with(name, "_convtr") ? 2 : 0;
    for (size_t slot = 0; slot < channels; slot++) {
        size_t channel = slot, phase = 0;
        if (packed && strcmp(name, "t_dec3") != 0 && !unpack_slot(s, name, slot, &channel, &phase))
            continue;
        const int c = channel < s->full[0] ? s->where[0][channel] : -1;
        for (size_t f = 0; c >= 0 && f < frames; f++) {
            size_t r = row, t = frame + f;
            if (from_tokens) {
                r = t / SPEC_FRAMES;
                t = t % SPEC_FRAMES;
            }
            if (transposed) {
                size_t *const moved = s->rank == 3 ? &r : &t;
                if (4 * *moved + phase < trim)
                    continue;
                *moved = 4 * *moved + phase - trim;
            }
            size_t at = (size_t)c;
            if (s->rank == 3) {
                if (r >= s->full[1] || s->where[1][r] < 0)
                    continue;
                at = at * s->stored[1] + (size_t)s->where[1][r];
            }
            const unsigned last = s->rank - 1;
            if (t >= s->full[last] || s->where[last][t] < 0)
                continue;
            check_value(s, at * s->stored[last] + (size_t)s->where[last][t],
                        data[f * stride + slot]);
        }
    }
}

/* The tables that are added, and the two halves of the output, which no probe reports. */
static void check_tables(void)
{
    stage *s = find_stage("pos1d");
    check_tokens(s, 1344, 0, 512, model->position[1], 512);
    s = find_stage("pos2d");
    for (size_t c = 0; c < 512; c++)
        for (size_t r = 0; r < 8; r++)
            for (size_t f = 0; f < SPEC_FRAMES; f++)
                if (s->where[2][f] >= 0)
                    check_value(s,
                                ((size_t)s->where[0][c] * s->stored[1] + (size_t)s->where[1][r]) *
                                        s->stored[2] +
                                    (size_t)s->where[2][f],
                                model->position[0][(r * SPEC_FRAMES + f) * 512 + c]);
    s = find_stage("freq_emb");
    for (size_t c = 0; c < 48; c++)
        for (size_t r = 0; r < 512; r++)
            check_value(s, c * 512 + r,
                        model->encoder[0][0].embedding[r * model->encoder[0][0].rewrite.panels * 16 +
                                                       c]);
}

static void check_halves(stage *s, float *const stems[4][2])
{
    for (size_t stem = 0; stem < 4; stem++)
        for (size_t c = 0; c < 2; c++)
            for (size_t i = 0; i < SEGMENT; i++)
                if (s->where[2][i] >= 0)
                    check_value(s, (stem * 2 + c) * s->stored[2] + (size_t)s->where[2][i],
                                stems[stem][c][i]);
}

static void run_segment(const float *mix, segment_probe see, void *user, a1_pool *threads,
                        float *out)
{
    a1_error err = {0};
    segment_work work;
    assert_int_equal(segment_work_create(&work, model, threads, &err), ALLIN1_OK);
    work.probe = see;
    work.probe_user = user;
    const float *const channels[2] = {mix, mix + SEGMENT};
    float *stems[4][2];
    for (size_t i = 0; i < 8; i++)
        stems[i / 2][i % 2] = out + i * SEGMENT;
    if (segment_run(&work, channels, stems, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    segment_work_destroy(&work);
}

static float *golden_mix(void)
{
    return test_read_floats(test_golden("golden/unit/htdemucs_in_mix_f32.npy"), NULL, 2 * SEGMENT);
}

/* The two halves of the synthesis, each with the other branch silent: what they add to the stems. */
typedef struct halves {
    float *frequency, *time;
    float statistics[4];
} halves;

static void keep_halves(void *user, const char *name, size_t row, size_t frame, size_t frames,
                        size_t channels, const float *data, size_t stride)
{
    halves *h = user;
    probe(NULL, name, row, frame, frames, channels, data, stride);
    if (strcmp(name, "norm_stats") == 0)
        memcpy(h->statistics, data, sizeof h->statistics);
    float *to = strcmp(name, "freq_pre_denorm") == 0   ? h->frequency + row * SPEC_FRAMES * 16
                : strcmp(name, "time_pre_denorm") == 0 ? h->time
                                                       : NULL;
    for (size_t f = 0; to && f < frames; f++)
        memcpy(to + f * channels, data + f * stride, channels * sizeof *to);
}

static void synthesise_half(const halves *h, int branch, const char *name, float *out)
{
    a1_error err = {0};
    segment_work work;
    assert_int_equal(segment_work_create(&work, model, pool, &err), ALLIN1_OK);
    const map f = map_create(&work, SPEC_ROWS, SPEC_FRAMES, 16, 0);
    const map t = map_create(&work, 1, SEGMENT, 8, 0);
    for (size_t row = 0; row < SPEC_ROWS; row++)
        for (size_t i = 0; i < SPEC_FRAMES * 16; i++)
            map_at(&f, row, 0)[i] = branch ? 0 : h->frequency[row * SPEC_FRAMES * 16 + i];
    for (size_t i = 0; i < SEGMENT * 8; i++)
        map_at(&t, 0, 0)[i] = branch ? h->time[i] : 0;
    const segment_statistics statistics[2] = {
        {branch ? 0 : h->statistics[0], branch ? 0 : h->statistics[1]},
        {branch ? h->statistics[2] : 0, branch ? h->statistics[3] : 0}};
    float *stems[4][2];
    for (size_t i = 0; i < 8; i++)
        stems[i / 2][i % 2] = out + i * SEGMENT;
    assert_int_equal(spectral_synthesise(&work, &f, &t, statistics, stems, &err), ALLIN1_OK);
    check_halves(find_stage(name), stems);
    segment_work_destroy(&work);
}

static void check_restored_spectrum(const halves *h)
{
    stage *s = find_stage("out_f");
    for (size_t c = 0; c < 16; c++)
        for (size_t row = 0; row < SPEC_ROWS; row++)
            for (size_t f = 0; s->where[2][row] >= 0 && f < SPEC_FRAMES; f++)
                if (s->where[3][f] >= 0)
                    check_value(s,
                                (c * s->stored[2] + (size_t)s->where[2][row]) * s->stored[3] +
                                    (size_t)s->where[3][f],
                                h->frequency[(row * SPEC_FRAMES + f) * 16 + c] * h->statistics[1] +
                                    h->statistics[0]);
}

static void every_stage(void **state)
{
    (void)state;
    load_stages();
    need_model();
    float *mix = golden_mix(), *out = malloc(8 * SEGMENT * sizeof *out);
    halves h = {.frequency = malloc((size_t)SPEC_ROWS * SPEC_FRAMES * 16 * sizeof(float)),
                .time = malloc(SEGMENT * 8 * sizeof(float))};
    assert_true(out && h.frequency && h.time);
    run_segment(mix, keep_halves, &h, NULL, out);
    check_tables();
    stage *final = find_stage("out");
    for (size_t i = 0; i < 8 * SEGMENT; i++)
        check_value(final, i, out[i]);
    check_restored_spectrum(&h);
    synthesise_half(&h, 0, "out_f_time", out);
    synthesise_half(&h, 1, "out_t", out);
    int failures = 0;
    for (size_t i = 0; i < stage_count; i++) {
        const stage *s = &stages[i];
        const double snr = 10 * log10(s->square_value / s->square_error);
        const int bad = s->seen != s->count || !(s->worst <= s->tolerance);
        failures += bad;
        print_message("[ %s ] %-22s %7zu of %7zu values, off by %.2e of %.2e allowed, %.1f dB\n",
                      bad ? "WRONG" : "NOTE ", s->name, s->seen, s->count, s->worst, s->tolerance,
                      snr);
    }
    free(mix);
    free(out);
    free(h.frequency);
    free(h.time);
    assert_int_equal(failures, 0);
}

/* The stems of the segment at every CPU level, and the same bits for any number of threads. */
static void stems_of_every_level(void **state)
{
    (void)state;
    need_model();
    float *mix = golden_mix(), *out = malloc(8 * SEGMENT * sizeof *out);
    float *truth =
        test_read_floats(test_golden("golden/htdemucs/stage_out.npy"), NULL, 8 * SEGMENT);
    float *again = malloc(8 * SEGMENT * sizeof *again);
    assert_true(out && again);
    run_segment(mix, NULL, NULL, pool, out);
    a1_pool *three = NULL;
    assert_int_equal(a1_pool_create(&three, 3, NULL), ALLIN1_OK);
    run_segment(mix, NULL, NULL, three, again);
    a1_pool_destroy(&three);
    assert_memory_equal(out, again, 8 * SEGMENT * sizeof *out);
    run_segment(mix, NULL, NULL, NULL, again);
    assert_memory_equal(out, again, 8 * SEGMENT * sizeof *out);

    const a1_gemm_kernels gemm = model->gemm;
    const a1_layer_kernels *layers = model->layers;
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t l = 0; l < count; l++) {
        const a1_cpu limited = {.level = levels[l]};
        model->gemm = a1_gemm_kernels_get(&limited);
        model->layers = a1_layer_kernels_get(&limited);
        run_segment(mix, NULL, NULL, pool, out);
        for (size_t stem = 0; stem < 4; stem++) {
            double error = 0, value = 0, worst = 0;
            for (size_t i = stem * 2 * SEGMENT; i < (stem + 1) * 2 * SEGMENT; i++) {
                const double d = (double)out[i] - (double)truth[i];
                error += d * d;
                value += (double)truth[i] * (double)truth[i];
                worst = fabs(d) > worst ? fabs(d) : worst;
            }
            const double snr = 10 * log10(value / error);
            print_message("[ NOTE     ] %s, stem %zu: %.1f dB, largest %.2e\n",
                          allin1_cpu_level_string(levels[l]), stem, snr, worst);
            /* 100 dB and 1e-4: golden/htdemucs/README.md; catches each mistake in sensitivity.json. */
            assert_true(snr >= 100.0);
            assert_true(worst <= 1e-4);
        }
    }
    model->gemm = gemm;
    model->layers = layers;
    free(mix);
    free(out);
    free(again);
    free(truth);
}

/* The weaker test against the files that ONNX Runtime made: 70 dB, as golden/unit/README.md says. */
static void stems_of_the_runtime(void **state)
{
    (void)state;
    need_model();
    float *mix = golden_mix(), *out = malloc(8 * SEGMENT * sizeof *out);
    float *other =
        test_read_floats(test_golden("golden/unit/htdemucs_out_stems_f32.npy"), NULL, 8 * SEGMENT);
    assert_non_null(out);
    run_segment(mix, NULL, NULL, pool, out);
    for (size_t stem = 0; stem < 4; stem++) {
        double error = 0, value = 0;
        for (size_t i = stem * 2 * SEGMENT; i < (stem + 1) * 2 * SEGMENT; i++) {
            const double d = (double)out[i] - (double)other[i];
            error += d * d;
            value += (double)other[i] * (double)other[i];
        }
        assert_true(10 * log10(value / error) >= 70.0);
    }
    free(mix);
    free(out);
    free(other);
}

typedef struct edge {
    float *frequency, *time;
} edge;

static void keep_edge(void *user, const char *name, size_t row, size_t frame, size_t frames,
                      size_t channels, const float *data, size_t stride)
{
    (void)frame;
    edge *e = user;
    float *to = strcmp(name, "freq_pre_denorm") == 0   ? e->frequency + row * SPEC_FRAMES * 16
                : strcmp(name, "time_pre_denorm") == 0 ? e->time
                                                       : NULL;
    for (size_t f = 0; to && f < frames; f++)
        memcpy(to + f * channels, data + f * stride, channels * sizeof *to);
}

static void fill_case(const char *name, const float *golden, float *mix)
{
    memset(mix, 0, 2 * SEGMENT * sizeof *mix);
    for (size_t i = 0; i < SEGMENT; i++) {
        const int inside = i >= 127890 && i <= 216089;
        for (size_t c = 0; c < 2; c++) {
            const float value = golden[c * SEGMENT + i];
            float *to = &mix[c * SEGMENT + i];
            if (strcmp(name, "tiny") == 0)
                *to = value * 1e-5f;
            else if (strcmp(name, "dc") == 0)
                *to = c ? -0.125f : 0.25f;
            else if (strcmp(name, "padded") == 0 && inside)
                *to = value;
        }
    }
    if (strcmp(name, "impulse") == 0) {
        mix[171990] = 1.0f;
        mix[SEGMENT + 100] = -0.5f;
    }
}

static void check_part(const char *name, const char *part, const json_t *facts, const float *actual,
                       const float *expected, size_t count)
{
    /* Ten times the float32 noise of the original, as for the stages. */
    const double tolerance = 10 * json_number_value(json_object_get(facts, "f32_max_abs"));
    double worst = 0;
    for (size_t i = 0; i < count; i++) {
        const double d = fabs((double)actual[i] - (double)expected[i]);
        worst = d > worst || isnan(d) ? d : worst;
    }
    print_message("[ NOTE     ] %s %s: off by %.2e of %.2e allowed\n", name, part, worst, tolerance);
    if (!(worst <= tolerance))
        fail_msg("%s %s is off by %.3g, allowed %.3g", name, part, worst, tolerance);
}

static void edge_cases(void **state)
{
    (void)state;
    static const char *const names[] = {"silent", "tiny", "dc", "padded", "impulse"};
    static const size_t rows[23] = {0,    1,    2,    3,    129,  258,  387,  516,
                                    645,  774,  903,  1032, 1161, 1290, 1419, 1548,
                                    1677, 1806, 1935, 2044, 2045, 2046, 2047};
    const char *facts_path = test_golden("golden/htdemucs/cases.json");
    need_model();
    json_t *root = json_load_file(facts_path, 0, NULL);
    assert_non_null(root);
    float *golden = golden_mix(), *mix = malloc(2 * SEGMENT * sizeof *mix);
    float *out = malloc(8 * SEGMENT * sizeof *out);
    test_array times = test_read_array(test_golden("golden/htdemucs/case_time_index_i32.npy"), NULL);
    edge e = {malloc((size_t)SPEC_ROWS * SPEC_FRAMES * 16 * sizeof(float)),
              malloc(SEGMENT * 8 * sizeof(float))};
    float *actual = malloc(8 * times.count * sizeof *actual);
    float *bands = malloc((size_t)16 * 23 * 53 * sizeof *bands);
    assert_true(mix && out && e.frequency && e.time && actual && bands);
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        const json_t *facts = json_object_get(json_object_get(root, "cases"), names[n]);
        fill_case(names[n], golden, mix);
        run_segment(mix, keep_edge, &e, pool, out);
        char path[128];
        snprintf(path, sizeof path, "golden/htdemucs/case_%s_stems.npy", names[n]);
        float *expected = test_read_floats(test_golden(path), NULL, 8 * times.count);
        for (size_t c = 0; c < 8; c++)
            for (size_t i = 0; i < times.count; i++)
                actual[c * times.count + i] = out[c * SEGMENT + (size_t)times.values[i]];
        check_part(names[n], "stems", json_object_get(facts, "stems"), actual, expected,
                   8 * times.count);
        free(expected);
        snprintf(path, sizeof path, "golden/htdemucs/case_%s_time_pre_denorm.npy", names[n]);
        expected = test_read_floats(test_golden(path), NULL, 8 * times.count);
        for (size_t c = 0; c < 8; c++)
            for (size_t i = 0; i < times.count; i++)
                actual[c * times.count + i] = e.time[(size_t)times.values[i] * 8 + c];
        check_part(names[n], "time", json_object_get(facts, "time_pre_denorm"), actual, expected,
                   8 * times.count);
        free(expected);
        snprintf(path, sizeof path, "golden/htdemucs/case_%s_freq_pre_denorm.npy", names[n]);
        expected = test_read_floats(test_golden(path), NULL, (size_t)16 * 23 * 53);
        for (size_t c = 0; c < 16; c++)
            for (size_t r = 0; r < 23; r++)
                for (size_t f = 0; f < 53; f++) {
                    const size_t frame = f < 3 ? f : f < 50 ? (f - 2) * 7 : 283 + f;
                    bands[(c * 23 + r) * 53 + f] =
                        e.frequency[(rows[r] * SPEC_FRAMES + frame) * 16 + c];
                }
        check_part(names[n], "frequency", json_object_get(facts, "freq_pre_denorm"), bands, expected,
                   (size_t)16 * 23 * 53);
        free(expected);
    }
    json_decref(root);
    test_array_free(&times);
    free(golden);
    free(mix);
    free(out);
    free(actual);
    free(bands);
    free(e.frequency);
    free(e.time);
}

static int release(void **state)
{
    (void)state;
    a1_htdemucs_destroy(&model);
    a1_pool_destroy(&pool);
    for (size_t i = 0; i < stage_count; i++) {
        for (unsigned axis = 0; axis < stages[i].rank; axis++)
            free(stages[i].where[axis]);
        free(stages[i].values);
    }
    free(stages);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stage),
        cmocka_unit_test(stems_of_every_level),
        cmocka_unit_test(stems_of_the_runtime),
        cmocka_unit_test(edge_cases),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
