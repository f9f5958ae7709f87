/* Conversions between float32 and the two 16-bit floats, bit for bit as IEEE 754 defines them. */
#ifndef A1_TENSOR_HALF_H
#define A1_TENSOR_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t a1_f32_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float a1_bits_f32(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Exact for every value: subnormals, infinities and NaN payloads included, whatever a flush-to-zero
 * mode says. Without branches, so that compilers turn loops over it into vectors. */
static inline float a1_half_to_f32(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t magnitude = half & 0x7fffu;
    /* A subnormal is its fraction times 2^-24: the integer converts exactly, the product is normal.
     */
    const uint32_t tiny = a1_f32_bits((float)(int32_t)magnitude * 0x1p-24f);
    const uint32_t rebias = magnitude >= 0x7c00u ? 0x70000000u : 0x38000000u;
    return a1_bits_f32(sign | (magnitude < 0x400u ? tiny : (magnitude << 13) + rebias));
}

/* Rounds to nearest, ties to even; overflows to infinity; a NaN stays a NaN. */
static inline uint16_t a1_f32_to_half(float value)
{
    const uint32_t bits = a1_f32_bits(value);
    const uint32_t sign = bits >> 16 & 0x8000u;
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        const uint32_t payload = magnitude >> 13 & 0x3ffu;
        return (uint16_t)(sign | 0x7c00u | (payload ? payload : 0x200u));
    }
    if (magnitude >= 0x47800000u) /* 65536 and above, infinity too */
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude < 0x38800000u) { /* below 2^-14: a subnormal half counts steps of 2^-24 */
        const uint32_t exponent = magnitude >> 23;
        if (exponent < 102) /* below 2^-25: rounds to zero */
            return (uint16_t)sign;
        const uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
        const uint32_t shift = 126 - exponent; /* 14 to 24 */
        const uint32_t kept = mantissa >> shift;
        const uint32_t rest = mantissa & ((1u << shift) - 1), half = 1u << (shift - 1);
        return (uint16_t)(sign | (kept + (rest > half || (rest == half && (kept & 1)))));
    }
    /* A carry out of the fraction moves into the exponent, up to infinity: as it should. */
    const uint32_t rounded = magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u);
    return (uint16_t)(sign | rounded >> 13);
}

static inline float a1_bf16_to_f32(uint16_t value)
{
    return a1_bits_f32((uint32_t)value << 16);
}

#endif
