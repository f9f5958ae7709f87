#include "output/decimal.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef unsigned __int128 wide;

/* value * 10^decimals, rounded half to even. Exact: a 53-bit mantissa times 10^9 fits 83 bits. */
static uint64_t scale(double value, uint64_t power)
{
    int exponent;
    const double fraction = frexp(value, &exponent);
    const wide product = (wide)(uint64_t)ldexp(fraction, 53) * power;
    const int shift = 53 - exponent; /* positive: value is below 10^15 < 2^53 */
    if (shift > 100)
        return 0; /* below 2^-17 of the last decimal */
    const wide quotient = product >> shift;
    const wide rest = product - (quotient << shift);
    const wide half = (wide)1 << (shift - 1);
    const bool up = rest > half || (rest == half && (quotient & 1));
    return (uint64_t)quotient + (up ? 1u : 0u);
}

size_t a1_format_decimal(char out[A1_DECIMAL_SIZE], double value, unsigned decimals)
{
    uint64_t power = 1;
    for (unsigned i = 0; i < decimals; i++)
        power *= 10;
    if (!isfinite(value) || fabs(value) >= 1e15 / (double)power) {
        memcpy(out, "null", 5);
        return 4;
    }
    uint64_t scaled = scale(fabs(value), power);
    char reversed[A1_DECIMAL_SIZE];
    size_t used = 0;
    unsigned left = decimals;
    while (left > 1 && scaled % 10 == 0) {
        scaled /= 10;
        left--;
    }
    for (; left > 0; left--, scaled /= 10)
        reversed[used++] = (char)('0' + scaled % 10);
    reversed[used++] = '.';
    do {
        reversed[used++] = (char)('0' + scaled % 10);
        scaled /= 10;
    } while (scaled > 0);
    if (signbit(value))
        reversed[used++] = '-';
    for (size_t i = 0; i < used; i++)
        out[i] = reversed[used - 1 - i];
    out[used] = '\0';
    return used;
}

bool a1_read_decimal(const char *text, size_t length, double *value)
{
    double digits = 0, scale = 1;
    bool point = false, any = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' && !point) {
            point = true;
        } else if (text[i] >= '0' && text[i] <= '9') {
            digits = digits * 10 + (text[i] - '0');
            scale *= point ? 10 : 1;
            any = true;
        } else {
            return false;
        }
    }
    *value = digits / scale;
    return any && isfinite(*value);
}
