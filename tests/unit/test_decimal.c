/* Numbers as Python's round() and repr() print them, and as they are read. */
#include "support/golden.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "output/decimal.h"

static void expect(double value, unsigned decimals, const char *text)
{
    char out[A1_DECIMAL_SIZE];
    const size_t length = a1_format_decimal(out, value, decimals);
    if (strcmp(out, text) != 0)
        fail_msg("%.17g with %u decimals: \"%s\" instead of \"%s\"", value, decimals, out, text);
    assert_int_equal(length, strlen(text));
}

/* Values for which Python's answer is known, ties and near-ties among them. */
static void known_values(void **state)
{
    (void)state;
    expect(0.0, 2, "0.0");
    expect(-0.0, 2, "-0.0");
    expect(2.8, 2, "2.8");
    expect(5.64, 2, "5.64");
    expect(100.0, 2, "100.0");
    expect(0.1 + 0.2, 2, "0.3");
    expect(0.125, 2, "0.12"); /* exact ties go to the even digit */
    expect(0.375, 2, "0.38");
    expect(2.5, 1, "2.5");
    expect(0.25, 1, "0.2");
    expect(0.75, 1, "0.8");
    expect(2.675, 2, "2.67"); /* the double lies below the tie */
    expect(1.005, 2, "1.0");
    expect(0.005, 2, "0.01"); /* above it */
    expect(0.015, 2, "0.01");
    expect(0.025, 2, "0.03");
    expect(0.045, 2, "0.04");
    expect(0.995, 2, "0.99");
    expect(9.995, 2, "9.99");
    expect(99.99499999999999, 2, "99.99");
    expect(99.995, 2, "100.0");
    expect(-0.001, 2, "-0.0");
    expect(1e-30, 2, "0.0");
    expect(5e-324, 2, "0.0");
    expect(999999999999.985, 2, "999999999999.98");
    expect(73.8921, 3, "73.892");
    expect(0.24, 6, "0.24");
    expect(123456.789012345, 6, "123456.789012");
}

static void outside_the_range(void **state)
{
    (void)state;
    expect(NAN, 2, "null");
    expect(INFINITY, 2, "null");
    expect(-INFINITY, 2, "null");
    expect(1e13, 2, "null");
    expect(-1e300, 2, "null");
    expect(9999999999999.98, 2, "9999999999999.98");
}

/* Every time on the grid of the output is written back as itself. */
static void every_hundredth(void **state)
{
    (void)state;
    for (int i = 0; i < 400000; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d.%02d", i / 100, i % 100);
        if (text[strlen(text) - 1] == '0')
            text[strlen(text) - 1] = '\0';
        expect(i / 100.0, 2, text);
    }
}

/* The C library rounds the exact binary value as well; what differs are the zeros. */
static void random_values(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 300000; i++) {
        const double size = pow(10, 9 * (double)test_random(&seed));
        const double value = (double)test_random(&seed) * (size > 1e9 ? 1e9 : size);
        const unsigned decimals = 1 + (unsigned)i % 6;
        char text[64];
        snprintf(text, sizeof text, "%.*f", (int)decimals, value);
        while (text[strlen(text) - 1] == '0' && text[strlen(text) - 2] != '.')
            text[strlen(text) - 1] = '\0';
        expect(value, decimals, text);
    }
}

static void digits_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0}, {"0.24", 0.24}, {".5", 0.5}, {"7.", 7}, {"1000000", 1e6}, {"007.250", 7.25}};
    double value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(a1_read_decimal(good[i].text, strlen(good[i].text), &value));
        assert_true(value == good[i].value);
    }
    assert_true(a1_read_decimal("12.5 more", 4, &value) && value == 12.5);
    static const char *const bad[] = {"", ".", "-1", "+1", "1e3", "1,5", "1.2.3", " 1", "1 ", "nan", "0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(a1_read_decimal(bad[i], strlen(bad[i]), &value));
    char endless[801]; /* digits that are infinite, and infinite parts */
    memset(endless, '9', sizeof endless);
    assert_false(a1_read_decimal(endless, sizeof endless, &value));
    endless[400] = '.';
    assert_false(a1_read_decimal(endless, sizeof endless, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_read),
        cmocka_unit_test(known_values),    cmocka_unit_test(outside_the_range),
        cmocka_unit_test(every_hundredth), cmocka_unit_test(random_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
