/* Decimal numbers, whatever the locale: as Python prints them after round(), and read. */
#ifndef A1_OUTPUT_DECIMAL_H
#define A1_OUTPUT_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>

#define A1_DECIMAL_SIZE 32
#define A1_DECIMAL_MAX 9 /* decimals */

/* Writes what repr(round(value, decimals)) gives in Python: rounded half to even on the exact binary
 * value, without superfluous zeros but with at least one decimal ("0.0", "2.8", "-0.0"). `decimals` is
 * 1 to A1_DECIMAL_MAX. "null" for values that are not finite or not below 10^(15 - decimals) in size:
 * beyond that a double does not hold the decimals. Returns the length without the final NUL. */
size_t a1_format_decimal(char out[A1_DECIMAL_SIZE], double value, unsigned decimals);

/* "0.24" to 0.24; false for anything but digits with at most one point, and for more of them than a
 * double holds. `*value` is then unspecified. */
bool a1_read_decimal(const char *text, size_t length, double *value);

#endif
