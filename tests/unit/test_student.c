/* The student against a plain version of tools/train/model.py in double precision. */
#include "support/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "student/level.h"
#include "student/student.h"
#include "support/tiny_model.h"

#define WIDTH TINY_STUDENT_WIDTH
#define CYCLE 8
#define FRONT 12
#define PLACES 27
#define BANDS A1_STUDENT_BANDS
#define MOST 1100   /* the middle's widest dilation meets itself */
#define LONG 3200   /* more than one task of coarse steps */

/* More middle and coarse blocks than dilations there, and more fine ones than those; the norms that the middle
 * reads and writes lie in the first or the second buffer as blocks are even or odd; the late blocks
 * reach further than the fine ones, or less far. */
static const tiny_student_blocks blocks = {.fine = 10, .middle = 10, .late = 3, .coarse = 10};
static const tiny_student_blocks others[] = {
    {.fine = 3, .middle = 9, .late = 2, .coarse = 1}, {.fine = 2, .middle = 1, .late = 4, .coarse = 1}};

static a1_tensor_set *make_weights(const tiny_student_blocks *made)
{
    a1_tensor_set *set;
    a1_error err = {0};
    if (test_tiny_student(made, &set, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    return set;
}

/* The plain version ------------------------------------------------------------------------------- */

static const float *values_of(const a1_tensor_set *set, const char *name, const char *what)
{
    char full[64];
    snprintf(full, sizeof full, "%s.%s", name, what);
    const a1_tensor *tensor = a1_tensor_set_find(set, full);
    assert_non_null(tensor);
    return tensor->data;
}

/* out[t][o] = bias + sum over taps: in[t * stride + (tap - first) * dilation], zero outside. */
static double *plain_conv(const a1_tensor_set *set, const char *name, const double *in, size_t steps,
                          size_t inputs, size_t outputs, size_t taps, long first, long dilation,
                          long stride)
{
    const float *weight = values_of(set, name, "weight"), *bias = values_of(set, name, "bias");
    const size_t rows = steps / (size_t)stride;
    double *out = malloc(rows * outputs * sizeof *out);
    assert_non_null(out);
    for (size_t t = 0; t < rows; t++) {
        for (size_t o = 0; o < outputs; o++) {
            double sum = bias[o];
            for (size_t tap = 0; tap < taps; tap++) {
                const long at = (long)t * stride + ((long)tap - first) * dilation;
                if (at < 0 || at >= (long)steps)
                    continue;
                for (size_t i = 0; i < inputs; i++)
                    sum += weight[(o * inputs + i) * taps + tap] * in[(size_t)at * inputs + i];
            }
            out[t * outputs + o] = sum;
        }
    }
    return out;
}

static void plain_rectify(double *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = fmax(x[i], 0);
}

static double *plain_norm(const a1_tensor_set *set, const char *name, const double *x, size_t rows)
{
    const float *weight = values_of(set, name, "weight"), *bias = values_of(set, name, "bias");
    double *out = malloc(rows * WIDTH * sizeof *out);
    assert_non_null(out);
    for (size_t t = 0; t < rows; t++) {
        double mean = 0, variance = 0;
        for (size_t c = 0; c < WIDTH; c++)
            mean += x[t * WIDTH + c] / WIDTH;
        for (size_t c = 0; c < WIDTH; c++)
            variance += pow(x[t * WIDTH + c] - mean, 2) / WIDTH;
        for (size_t c = 0; c < WIDTH; c++)
            out[t * WIDTH + c] = (x[t * WIDTH + c] - mean) / sqrt(variance + 1e-5) * weight[c] + bias[c];
    }
    return out;
}

/* Changes x, and returns its norm. */
static double *plain_tower(const a1_tensor_set *set, const char *name, double *x, size_t rows,
                           size_t count, size_t cycle)
{
    char full[64];
    for (size_t i = 0; i < count; i++) {
        snprintf(full, sizeof full, "%s.%zu.norm", name, i);
        double *normed = plain_norm(set, full, x, rows);
        snprintf(full, sizeof full, "%s.%zu.conv", name, i);
        double *hidden = plain_conv(set, full, normed, rows, WIDTH, WIDTH, 3, 1, 1L << i % cycle, 1);
        plain_rectify(hidden, rows * WIDTH);
        snprintf(full, sizeof full, "%s.%zu.mix", name, i);
        double *mixed = plain_conv(set, full, hidden, rows, WIDTH, WIDTH, 1, 0, 1, 1);
        for (size_t k = 0; k < rows * WIDTH; k++)
            x[k] += mixed[k];
        free(normed);
        free(hidden);
        free(mixed);
    }
    snprintf(full, sizeof full, "%s_norm", name);
    return plain_norm(set, full, x, rows);
}

/* [frames][FRONT * PLACES], channels in PyTorch's order. */
static double *plain_front(const a1_tensor_set *set, const float *bands, size_t frames, size_t padded)
{
    const float *weight = values_of(set, "front", "weight"), *bias = values_of(set, "front", "bias");
    double *out = malloc(padded * FRONT * PLACES * sizeof *out);
    assert_non_null(out);
    for (size_t t = 0; t < padded; t++) {
        for (size_t c = 0; c < FRONT; c++) {
            for (size_t p = 0; p < PLACES; p++) {
                double sum = bias[c];
                for (size_t i = 0; i < 3; i++) {
                    for (size_t j = 0; j < 5; j++) {
                        const long frame = (long)(t + i) - 1, band = (long)(3 * p + j) - 1;
                        if (frame >= 0 && frame < (long)frames && band >= 0 && band < BANDS)
                            sum += weight[(c * 3 + i) * 5 + j] * bands[frame * BANDS + band];
                    }
                }
                out[t * FRONT * PLACES + c * PLACES + p] = fmax(sum, 0);
            }
        }
    }
    return out;
}

/* Means of every `steps` rows. */
static double *plain_means(const double *x, size_t rows, size_t steps)
{
    double *means = calloc(rows / steps * WIDTH, sizeof *means);
    assert_non_null(means);
    for (size_t t = 0; t < rows; t++)
        for (size_t c = 0; c < WIDTH; c++)
            means[t / steps * WIDTH + c] += x[t * WIDTH + c] / (double)steps;
    return means;
}

/* beat, downbeat, section, then the ten labels: [13][frames]. */
static double *plain_student(const a1_tensor_set *set, const tiny_student_blocks *made,
                             const float *bands, size_t frames)
{
    const size_t coarse = (frames + 31) / 32, fine = coarse * 16, padded = coarse * 32;
    double *front = plain_front(set, bands, frames, padded);
    double *x = plain_conv(set, "reduce", front, padded, FRONT * PLACES, WIDTH, 4, 1, 1, 2);
    plain_rectify(x, fine * WIDTH);
    double *first = plain_tower(set, "fine", x, fine, made->fine, 16);
    double *often = plain_means(first, fine, 4);
    double *found = plain_tower(set, "middle", often, fine / 4, made->middle, CYCLE);
    double *up = plain_conv(set, "up", found, fine / 4, WIDTH, WIDTH, 1, 0, 1, 1);
    for (size_t t = 0; t < fine; t++)
        for (size_t c = 0; c < WIDTH; c++)
            x[t * WIDTH + c] += up[t / 4 * WIDTH + c];
    double *normed = plain_tower(set, "late", x, fine, made->late, 16);
    double *pooled = plain_means(normed, fine, 16);
    double *out = malloc(13 * frames * sizeof *out);
    assert_non_null(out);
    double *wide = plain_tower(set, "coarse", pooled, coarse, made->coarse, CYCLE);
    double *heads = plain_conv(set, "beats", normed, fine, WIDTH, 6, 1, 0, 1, 1);
    double *context = plain_conv(set, "context", wide, coarse, WIDTH, 11, 1, 0, 1, 1);
    for (size_t t = 0; t < frames; t++) {
        for (size_t h = 0; h < 3; h++)
            out[h * frames + t] = heads[t / 2 * 6 + h * 2 + t % 2];
        out[2 * frames + t] += context[t / 32 * 11];
        for (size_t l = 0; l < 10; l++)
            out[(3 + l) * frames + t] = context[t / 32 * 11 + 1 + l];
    }
    free(front);
    free(x);
    free(first);
    free(often);
    free(found);
    free(up);
    free(normed);
    free(pooled);
    free(wide);
    free(heads);
    free(context);
    return out;
}

/* The tests --------------------------------------------------------------------------------------- */

static float *make_bands(size_t frames)
{
    float *bands = malloc(frames * BANDS * sizeof *bands);
    uint64_t seed = 5;
    assert_non_null(bands);
    for (size_t i = 0; i < frames * BANDS; i++)
        bands[i] = 1 + test_random(&seed);
    return bands;
}

static float *run(const a1_student *student, a1_pool *pool, const float *bands, size_t frames)
{
    float *out = malloc(13 * frames * sizeof *out);
    assert_non_null(out);
    const a1_student_output output = {out, out + frames, out + 2 * frames, out + 3 * frames};
    assert_int_equal(a1_student_run(student, pool, bands, frames, &output, NULL, NULL), ALLIN1_OK);
    return out;
}

/* Rows of `wide` values that lie `tempo` rows apart in `in`, between its rows where need be. */
static double *plain_played(const double *in, size_t rows, size_t wide, double tempo, size_t count)
{
    double *out = malloc(count * wide * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < count; i++) {
        const double at = fmin((double)i * tempo, (double)(rows - 1)), low = floor(at);
        const size_t next = (size_t)fmin(low + 1, (double)(rows - 1));
        for (size_t k = 0; k < wide; k++)
            out[i * wide + k] = in[(size_t)low * wide + k] * (1 - (at - low)) +
                                in[next * wide + k] * (at - low);
    }
    return out;
}

/* What the song says when it is moved up by so many bands and played so many times as fast. */
static double *plain_view(const a1_tensor_set *set, const tiny_student_blocks *made,
                          const float *bands, size_t frames, long shift, double tempo)
{
    double *moved = calloc(frames * BANDS, sizeof *moved);
    assert_non_null(moved);
    for (size_t i = 0; i < frames * BANDS; i++) {
        const long from = (long)(i % BANDS) - shift;
        if (from >= 0 && from < BANDS)
            moved[i] = bands[i / BANDS * BANDS + (size_t)from];
    }
    const size_t count = (size_t)fmax(1, floor((double)frames / tempo));
    double *played = plain_played(moved, frames, BANDS, tempo, count);
    float *heard = malloc(count * BANDS * sizeof *heard);
    double *out = malloc(13 * frames * sizeof *out);
    assert_true(heard && out);
    for (size_t i = 0; i < count * BANDS; i++)
        heard[i] = (float)played[i];
    double *said = plain_student(set, made, heard, count);
    for (size_t row = 0; row < 13; row++) {
        double *there = plain_played(said + row * count, count, 1, 1 / tempo, frames);
        memcpy(out + row * frames, there, frames * sizeof *there);
        free(there);
    }
    free(moved);
    free(played);
    free(heard);
    free(said);
    return out;
}

/* The mean of the views that the weights name. */
static double *plain_views(const a1_tensor_set *set, const tiny_student_blocks *made,
                           const float *bands, size_t frames)
{
    const a1_tensor *shifts = a1_tensor_set_find(set, "shifts");
    const a1_tensor *tempos = a1_tensor_set_find(set, "tempos");
    const size_t views = shifts ? shifts->shape[0] : tempos ? tempos->shape[0] : 1;
    double *mean = calloc(13 * frames, sizeof *mean);
    assert_non_null(mean);
    size_t own = 0; /* views at the song's own tempo: the form is theirs */
    for (size_t v = 0; v < views; v++)
        own += !tempos || ((const float *)tempos->data)[v] == 1;
    for (size_t v = 0; v < views; v++) {
        const float shift = shifts ? ((const float *)shifts->data)[v] : 0;
        const float tempo = tempos ? ((const float *)tempos->data)[v] : 1;
        double *one = plain_view(set, made, bands, frames, (long)shift, (double)tempo);
        for (size_t i = 0; i < 2 * frames; i++)
            mean[i] += one[i] / (double)views;
        if (own == 0 || tempo == 1)
            for (size_t i = 2 * frames; i < 13 * frames; i++)
                mean[i] += one[i] / (double)(own == 0 ? views : own);
        free(one);
    }
    return mean;
}

static void expect_plain(const a1_student *student, const a1_tensor_set *set,
                         const tiny_student_blocks *made, const float *bands, size_t frames)
{
    float *actual = run(student, NULL, bands, frames);
    double *expected = plain_views(set, made, bands, frames);
    /* Logits near 1 after some 55 products of up to 1,344 terms, each good to 1e-6. */
    test_close("logits", actual, expected, 13 * frames, 1e-4);
    free(actual);
    free(expected);
}

/* Whatever the depths, which are read off the names. */
static void every_depth(void **state)
{
    (void)state;
    float *bands = make_bands(LONG);
    a1_cpu cpu;
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        a1_tensor_set *set = make_weights(&others[i]);
        a1_student *student;
        assert_int_equal(a1_student_create(&student, set, &cpu, NULL), ALLIN1_OK);
        expect_plain(student, set, &others[i], bands, i == 0 ? LONG : MOST);
        a1_student_destroy(&student);
        a1_tensor_set_destroy(&set);
    }
    free(bands);
}

/* `values` must outlive the set. */
static void put_row(a1_tensor_set *set, const char *name, const float *values, size_t count)
{
    const a1_tensor row = {
        .name = name, .dtype = A1_F32, .rank = 1, .shape = {count}, .data = values};
    if (count > 0)
        assert_int_equal(a1_tensor_set_add(set, &row, NULL), ALLIN1_OK);
}

/* One view that is not the song as it is; several; moved until next to nothing is left; slower and
 * faster, the slowest or the song's own tempo not the first; none at its own; and a song of one frame. */
static void every_view(void **state)
{
    (void)state;
    static const struct {
        float shifts[3], tempos[3];
        size_t moved, played, frames;
    } cases[] = {{{2}, {0}, 1, 0, MOST},
                 {{0, 1, -1}, {0}, 3, 0, MOST},
                 {{-80, 7, 80}, {0}, 3, 0, MOST},
                 {{0}, {1.25F}, 0, 1, MOST},
                 {{0, 1, -1}, {1, 1.25F, 0.7998F}, 3, 3, MOST},
                 {{1, 0, -1}, {1.25F, 1, 1}, 3, 3, MOST},
                 {{0}, {0.5F, 2, 0.9F}, 0, 3, MOST - 1},
                 {{0}, {2, 0.5F}, 0, 2, 1}};
    float *bands = make_bands(MOST);
    a1_cpu cpu;
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        a1_tensor_set *set = make_weights(&others[0]);
        a1_student *student;
        put_row(set, "shifts", cases[i].shifts, cases[i].moved);
        put_row(set, "tempos", cases[i].tempos, cases[i].played);
        assert_int_equal(a1_student_create(&student, set, &cpu, NULL), ALLIN1_OK);
        expect_plain(student, set, &others[0], bands, cases[i].frames);
        a1_student_destroy(&student);
        a1_tensor_set_destroy(&set);
    }
    free(bands);
}

static void views_that_are_none(void **state)
{
    (void)state;
    static const float half[17] = {0.5F}, outside[] = {0, -81}, none[] = {NAN}, as_it_is[2] = {0};
    static const float fast[] = {1, 2.5F}, three[] = {1, 1, 1};
    static const struct {
        const float *shifts, *tempos;
        size_t moved, played;
        const char *reason;
    } cases[] = {{half, NULL, 1, 0, "0.5, is not a whole number"},
                 {outside, NULL, 2, 0, "-81, is not a whole number of fewer than 81 bands"},
                 {none, NULL, 1, 0, "is not a whole number"},
                 {half, NULL, 17, 0, "shifts are not one row of 1 to 16 values"},
                 {NULL, half, 0, 17, "tempos are not one row of 1 to 16 values"},
                 {as_it_is, fast, 2, 2, "tempos, 2.5, is not 0.5 to 2"},
                 {NULL, none, 0, 1, "is not 0.5 to 2"},
                 {as_it_is, three, 2, 3, "has shifts for 2 views and tempos for 3"}};
    a1_cpu cpu;
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        a1_tensor_set *set = make_weights(&others[1]);
        a1_student *student;
        a1_error err = {0};
        put_row(set, "shifts", cases[i].shifts, cases[i].moved);
        put_row(set, "tempos", cases[i].tempos, cases[i].played);
        assert_int_equal(a1_student_create(&student, set, &cpu, &err), ALLIN1_ERROR_FORMAT);
        assert_non_null(strstr(err.message, cases[i].reason));
        a1_tensor_set_destroy(&set);
    }
}

static void every_length_at_every_level(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 31, 32, 33, 191, 192, 193, MOST};
    a1_tensor_set *set = make_weights(&blocks);
    float *bands = make_bands(MOST);
    for (allin1_cpu_level level = ALLIN1_CPU_SCALAR; level <= ALLIN1_CPU_AVX512; level++) {
        a1_cpu cpu;
        a1_student *student;
        if (a1_cpu_select(&cpu, level, NULL) != ALLIN1_OK)
            continue;
        assert_int_equal(a1_student_create(&student, set, &cpu, NULL), ALLIN1_OK);
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
            expect_plain(student, set, &blocks, bands, lengths[i]);
        a1_student_destroy(&student);
    }
    free(bands);
    a1_tensor_set_destroy(&set);
}

static void any_pool_gives_the_same_bits(void **state)
{
    (void)state;
    static const float tempos[] = {1, 1.25F, 0.8F};
    a1_tensor_set *set = make_weights(&blocks);
    put_row(set, "tempos", tempos, 3);
    float *bands = make_bands(MOST);
    a1_cpu cpu;
    a1_student *student;
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    assert_int_equal(a1_student_create(&student, set, &cpu, NULL), ALLIN1_OK);
    float *first = run(student, NULL, bands, MOST);
    for (unsigned threads = 2; threads <= 5; threads++) {
        a1_pool *pool;
        assert_int_equal(a1_pool_create(&pool, threads, NULL), ALLIN1_OK);
        float *again = run(student, pool, bands, MOST);
        assert_memory_equal(first, again, 13 * MOST * sizeof *first);
        free(again);
        a1_pool_destroy(&pool);
    }
    free(first);
    free(bands);
    a1_student_destroy(&student);
    a1_tensor_set_destroy(&set);
}

/* The spectrogram of the same sound `gain` times as loud. */
static float *louder(const float *bands, size_t frames, double gain)
{
    float *out = malloc(frames * BANDS * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < frames * BANDS; i++)
        out[i] = (float)log10(1 + gain * (pow(10, (double)bands[i]) - 1));
    return out;
}

static void quiet_songs_are_heard_louder(void **state)
{
    (void)state;
    a1_tensor_set *set = make_weights(&blocks);
    a1_cpu cpu;
    a1_student *student;
    float gain;
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    assert_int_equal(a1_student_create(&student, set, &cpu, NULL), ALLIN1_OK);
    float *bands = make_bands(MOST);
    assert_int_equal(a1_student_gain(bands, MOST, &gain, NULL), ALLIN1_OK);
    assert_true(gain == 1);
    /* Just loud enough, and from there 20, 40 and 60 dB down. */
    float *soft = louder(bands, MOST, 1e-2);
    assert_int_equal(a1_student_gain(soft, MOST, &gain, NULL), ALLIN1_OK);
    assert_true(gain > 5 && gain < 20);
    float *enough = louder(bands, MOST, 1e-2 * (double)gain * 1.000001);
    float *same = run(student, NULL, enough, MOST);
    for (int step = 1; step <= 3; step++) {
        float *quiet = louder(enough, MOST, pow(10, -step));
        assert_int_equal(a1_student_gain(quiet, MOST, &gain, NULL), ALLIN1_OK);
        const double wanted = fmin(100, pow(10, step));
        if (!(fabs((double)gain - wanted) < 1e-3 * wanted))
            fail_msg("%d dB down the gain is %g", 20 * step, (double)gain);
        float *out = run(student, NULL, quiet, MOST);
        double worst = 0;
        for (size_t i = 0; i < 13 * MOST; i++)
            worst = fmax(worst, fabs((double)out[i] - (double)same[i]));
        /* 60 dB down 20 are missing; else roundings of the values, 1e-4 in a logit as above. */
        if (step < 3 ? worst > 1e-4 : worst < 1e-2)
            fail_msg("%d dB down logits differ by %g", 20 * step, worst);
        free(out);
        free(quiet);
    }
    memset(soft, 0, MOST * BANDS * sizeof *soft);
    assert_int_equal(a1_student_gain(soft, MOST, &gain, NULL), ALLIN1_OK);
    assert_true(gain == 1);
    free(same);
    free(enough);
    free(soft);
    free(bands);
    a1_student_destroy(&student);
    a1_tensor_set_destroy(&set);
}

static void eight_bits_mean_their_scaled_values(void **state)
{
    (void)state;
    a1_tensor_set *set = make_weights(&blocks), *sets[2];
    float *bands = make_bands(MOST), *out[2];
    a1_cpu cpu;
    for (int i = 0; i < 2; i++)
        assert_int_equal(a1_tensor_set_create(&sets[i], NULL), ALLIN1_OK);
    assert_int_equal(test_eight_bits(set, sets[0], sets[1], NULL), ALLIN1_OK);
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    for (int i = 0; i < 2; i++) {
        a1_student *student;
        assert_int_equal(a1_student_create(&student, sets[i], &cpu, NULL), ALLIN1_OK);
        out[i] = run(student, NULL, bands, MOST);
        a1_student_destroy(&student);
    }
    assert_memory_equal(out[0], out[1], 13 * MOST * sizeof **out);
    for (int i = 0; i < 2; i++) {
        free(out[i]);
        a1_tensor_set_destroy(&sets[i]);
    }
    free(bands);
    a1_tensor_set_destroy(&set);
}

/* A matrix of 8-bit integers without its scales. */
static void eight_bits_need_scales(void **state)
{
    (void)state;
    a1_tensor_set *set = make_weights(&blocks), *bare;
    a1_cpu cpu;
    a1_student *student;
    a1_error err = {0};
    assert_int_equal(a1_tensor_set_create(&bare, NULL), ALLIN1_OK);
    for (size_t i = 0; i < a1_tensor_set_count(set); i++) {
        a1_tensor tensor = *a1_tensor_set_at(set, i);
        if (strcmp(tensor.name, "up.weight") == 0)
            tensor.dtype = A1_I8;
        assert_int_equal(a1_tensor_set_add(bare, &tensor, NULL), ALLIN1_OK);
    }
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    assert_int_equal(a1_student_create(&student, bare, &cpu, &err), ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "up.weight.scale"));
    a1_tensor_set_destroy(&bare);
    a1_tensor_set_destroy(&set);
}

static void weights_that_are_none(void **state)
{
    (void)state;
    a1_cpu cpu;
    a1_student *student;
    a1_error err = {0};
    a1_tensor_set *set;
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_create(&set, NULL), ALLIN1_OK);
    assert_int_equal(a1_student_create(&student, set, &cpu, &err), ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "reduce.bias"));
    assert_null(student);
    a1_tensor_set_destroy(&set);

    set = make_weights(&(tiny_student_blocks){0, 1, 1, 1});
    assert_int_equal(a1_student_create(&student, set, &cpu, &err), ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "fine blocks"));
    a1_tensor_set_destroy(&set);

    set = make_weights(&(tiny_student_blocks){1, 1, 0, 1});
    assert_int_equal(a1_student_create(&student, set, &cpu, &err), ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "late blocks"));
    a1_tensor_set_destroy(&set);

    set = make_weights(&(tiny_student_blocks){1, 1, 1, 17});
    assert_int_equal(a1_student_create(&student, set, &cpu, &err), ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "more than 16 coarse blocks"));
    a1_tensor_set_destroy(&set);

    set = make_weights(&blocks);
    assert_int_equal(a1_student_create(&student, set, &cpu, &err), ALLIN1_OK);
    const a1_student_output output = {0};
    assert_int_equal(a1_student_run(student, NULL, NULL, 0, &output, NULL, &err), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(a1_student_run(student, NULL, NULL, A1_STUDENT_MAX_FRAMES + 1, &output, NULL,
                                    &err),
                     ALLIN1_ERROR_ARGUMENT);
    a1_student_destroy(&student);
    a1_tensor_set_destroy(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_at_every_level),
        cmocka_unit_test(every_depth),
        cmocka_unit_test(every_view),
        cmocka_unit_test(views_that_are_none),
        cmocka_unit_test(any_pool_gives_the_same_bits),
        cmocka_unit_test(quiet_songs_are_heard_louder),
        cmocka_unit_test(eight_bits_mean_their_scaled_values),
        cmocka_unit_test(eight_bits_need_scales),
        cmocka_unit_test(weights_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
