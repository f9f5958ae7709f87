#include "support/golden.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#include "support/files.h"

const char *test_shared_dir(void)
{
    static char path[2048];
    const char *shared = getenv("ALLIN1_SHARED");
    if (shared && *shared)
        return shared;
    const char *source = getenv("ALLIN1_SOURCE");
    snprintf(path, sizeof path, "%s/../shared", source ? source : ".");
    return path;
}

const char *test_golden(const char *relative)
{
    static char paths[5][4096];
    static unsigned turn;
    char *path = paths[turn++ % 5];
    snprintf(path, sizeof paths[0], "%s/%s", test_shared_dir(), relative);
    struct stat info;
    if (stat(path, &info) != 0) {
        print_message("[ NOTE     ] skipped: %s is not there\n", path);
        skip();
    }
    return path;
}

static unsigned char *read_member(const char *path, const char *member, size_t *size)
{
    zip_t *archive = zip_open(path, ZIP_RDONLY, NULL);
    if (!archive)
        fail_msg("%s is not a zip archive", path);
    char name[256];
    snprintf(name, sizeof name, "%s.npy", member);
    zip_stat_t info;
    if (zip_stat(archive, name, 0, &info) != 0)
        fail_msg("%s has no member %s", path, name);
    unsigned char *bytes = malloc((size_t)info.size + 1);
    assert_non_null(bytes);
    zip_file_t *file = zip_fopen(archive, name, 0);
    assert_non_null(file);
    if (zip_fread(file, bytes, info.size) != (zip_int64_t)info.size)
        fail_msg("%s: member %s cannot be read", path, name);
    zip_fclose(file);
    zip_discard(archive);
    *size = (size_t)info.size;
    return bytes;
}

static double half_to_double(uint16_t half)
{
    const int exponent = half >> 10 & 31;
    const double fraction = half & 1023, sign = half >> 15 ? -1.0 : 1.0;
    if (exponent == 31)
        return fraction != 0 ? NAN : sign * INFINITY;
    return exponent == 0 ? sign * ldexp(fraction, -24) : sign * ldexp(1024 + fraction, exponent - 25);
}

static double element(const unsigned char *at, char kind, size_t size)
{
    union {
        float f;
        double d;
        int8_t i1;
        int16_t i2;
        int32_t i4;
        int64_t i8;
        uint8_t u1;
        uint16_t u2;
    } value;
    memcpy(&value, at, size);
    if (kind == 'f')
        return size == 2 ? half_to_double(value.u2) : size == 4 ? (double)value.f : value.d;
    if (kind == 'u' || kind == 'b')
        return value.u1;
    return size == 1   ? value.i1
           : size == 2 ? value.i2
           : size == 4 ? (double)value.i4
                       : (double)value.i8;
}

/* Where the element stored at `i` belongs, when the first index runs fastest in the file. */
static size_t c_order(const test_array *array, size_t i, bool by_columns)
{
    if (!by_columns)
        return i;
    size_t place = 0, stride = array->count;
    for (unsigned axis = 0; axis < array->rank; axis++) {
        stride /= array->shape[axis];
        place += i % array->shape[axis] * stride;
        i /= array->shape[axis];
    }
    return place;
}

test_array test_read_array(const char *path, const char *member)
{
    size_t size;
    unsigned char *bytes = member ? read_member(path, member, &size) : test_read_bytes(path, &size);
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        fail_msg("%s is not a numpy array", path);
    const size_t prefix = bytes[6] == 1 ? 10 : 12;
    size_t header = bytes[8] | (size_t)bytes[9] << 8;
    if (prefix == 12)
        header |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (prefix + header > size)
        fail_msg("%s: its header is cut", path);
    char *text = malloc(header + 1);
    assert_non_null(text);
    memcpy(text, bytes + prefix, header);
    text[header] = '\0';
    test_array array = {.count = 1};
    const char *type = strstr(text, "'descr': '");
    const char *shape = strstr(text, "'shape': (");
    const bool by_columns = strstr(text, "'fortran_order': True") != NULL;
    if (!type || !shape)
        fail_msg("%s: header not understood: %s", path, text);
    const char kind = type[11];
    const size_t width = (size_t)(type[12] - '0');
    const char *at = shape + 10;
    while (*at >= '0' && *at <= '9') {
        char *end;
        array.shape[array.rank] = strtoul(at, &end, 10);
        array.count *= array.shape[array.rank++];
        at = end + (*end == ',');
        at += *at == ' ';
    }
    if (prefix + header + array.count * width > size)
        fail_msg("%s: its data is cut", path);
    array.values = malloc((array.count ? array.count : 1) * sizeof *array.values);
    assert_non_null(array.values);
    for (size_t i = 0; i < array.count; i++)
        array.values[c_order(&array, i, by_columns)] =
            element(bytes + prefix + header + i * width, kind, width);
    free(text);
    free(bytes);
    return array;
}

float *test_read_floats(const char *path, const char *member, size_t expected_count)
{
    test_array array = test_read_array(path, member);
    if (expected_count && array.count != expected_count)
        fail_msg("%s: %zu values where %zu were expected", path, array.count, expected_count);
    float *floats = malloc((array.count ? array.count : 1) * sizeof *floats);
    assert_non_null(floats);
    for (size_t i = 0; i < array.count; i++)
        floats[i] = (float)array.values[i];
    test_array_free(&array);
    return floats;
}

void test_array_free(test_array *array)
{
    free(array->values);
    *array = (test_array){0};
}

void test_close(const char *what, const float *actual, const double *expected, size_t count,
                double tolerance)
{
    size_t worst = 0;
    double largest = -1;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)actual[i] - expected[i]);
        if (isnan(difference))
            difference = INFINITY;
        if (difference > largest) {
            largest = difference;
            worst = i;
        }
    }
    if (largest > tolerance)
        fail_msg("%s: element %zu of %zu is %.9g and should be %.9g: off by %.3g, allowed %.3g",
                 what, worst, count, (double)actual[worst], expected[worst], largest, tolerance);
    print_message("[ NOTE     ] %s: largest difference %.3g of %.3g allowed\n", what, largest,
                  tolerance);
}

float test_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*state >> 40) / 8388608.0 - 1.0);
}
