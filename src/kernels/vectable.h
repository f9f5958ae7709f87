/* exp and GELU by table, where the instruction set can look up a vector of floats at once;
 * elsewhere those of vecmath.h.
 *
 * gelu(x) = max(x, 0) - h(|x|) with h(a) = a (1 - Phi(a)), which is below 3e-7 beyond 5.33. h is a
 * polynomial on each of VW intervals: our own minimax fits in double. The absolute error is below
 * 4e-7 and half a unit in the last place, less than that of vf_gelu, and there is no division.
 *
 * e^x is 2^k, times a root of 2 from the table, times a polynomial for the little that is left. */
#ifndef A1_KERNELS_VECTABLE_H
#define A1_KERNELS_VECTABLE_H

#include "kernels/vecmath.h"

#if VW == 16 || VW == 8

#if VW == 16

#define VF_GELU_DEGREE 4
#define VF_GELU_SCALE 2.875f /* interval i is centred on i / scale */
#define VF_GELU_LAST 15.46875f
static const float vf_gelu_coefficients[VF_GELU_DEGREE + 1][VW] = {
    {1.610719e-09f, -0.126603603f, -0.169268414f, -0.15481402f, -0.114179596f, -0.0713146329f,
     -0.0384960659f, -0.0181400273f, -0.00750243943f, -0.00273205107f, -0.000877701794f,
     -0.000249071483f, -6.24862005e-05f, -1.3866832e-05f, -2.72319789e-06f, -4.73387132e-07f},
    {-0.173913196f, -0.0811732635f, -0.00885211211f, 0.0324009061f, 0.0447976477f, 0.0389273949f,
     0.0263962746f, 0.0148450918f, 0.00710449135f, 0.00293170311f, 0.00105114141f, 0.00032903711f,
     9.0212794e-05f, 2.17125071e-05f, 4.59496778e-06f, 8.56089059e-07f},
    {0.0482674316f, 0.0426833257f, 0.0287236981f, 0.0127577772f, 0.000589724863f, -0.00544947386f,
     -0.00644039689f, -0.00489243492f, -0.00288670952f, -0.00140194222f, -0.000575093087f,
     -0.000202059178f, -6.13218435e-05f, -1.61640128e-05f, -3.71490296e-06f, -7.46480907e-07f},
    {-1.08150525e-05f, -0.00352477236f, -0.00533578079f, -0.00490818638f, -0.00305151846f,
     -0.00105847279f, 0.000221489769f, 0.000669879781f, 0.000604722823f, 0.00037909759f,
     0.000187341968f, 7.64110955e-05f, 2.63053244e-05f, 7.74222372e-06f, 1.96405222e-06f,
     4.31824191e-07f},
    {-0.00095484464f, -0.000720631273f, -0.00016273791f, 0.000338994607f, 0.00053194887f,
     0.00042862416f, 0.000208060432f, 3.10926407e-05f, -4.83649746e-05f, -5.65999071e-05f,
     -3.77379765e-05f, -1.87936985e-05f, -7.53233917e-06f, -2.51004531e-06f, -7.0779987e-07f,
     -1.70725883e-07f}};

#define VF_EXP_MAGIC 786432.0f /* 1.5 * 2^19, whose unit in the last place is 1 / VW */
/* 2^(i / VW). */
static const float vf_exp_roots[VW] = {1.0f,        1.04427373f, 1.09050775f, 1.13878858f,
                                       1.18920708f, 1.24185777f, 1.29683959f, 1.35425556f,
                                       1.41421354f, 1.47682619f, 1.54221082f, 1.61049032f,
                                       1.68179286f, 1.75625217f, 1.8340081f,  1.91520655f};

/* The entries of `table` that the low bits of `index` choose. */
A1_INLINE vf vf_lookup_(vf table, vf index)
{
    return _mm512_permutexvar_ps(_mm512_castps_si512(index), table);
}

/* x 2^floor(n), where t = n + VF_EXP_MAGIC. */
A1_INLINE vf vf_scale_(vf x, vf n, vf t)
{
    (void)t;
    return _mm512_scalef_ps(x, n);
}

#else

#define VF_GELU_DEGREE 5
#define VF_GELU_SCALE 1.4f
#define VF_GELU_LAST 7.46875f
static const float vf_gelu_coefficients[VF_GELU_DEGREE + 1][VW] = {
    {-8.99263863e-09f, -0.169661f, -0.109377109f, -0.0344191007f, -0.00610668771f, -0.000634004362f,
     -3.90391251e-05f, -1.43421335e-06f},
    {-0.357141554f, -0.0119497012f, 0.0920444801f, 0.0499981716f, 0.0122162635f, 0.00160255271f,
     0.000118927484f, 5.10690506e-06f},
    {0.203511178f, 0.117486566f, -0.00147165847f, -0.0265597794f, -0.0105931694f, -0.00185955164f,
     -0.000170616564f, -8.65452239e-06f},
    {0.000265959679f, -0.046781674f, -0.0244539324f, 0.00308869872f, 0.00486800913f, 0.00128802692f,
     0.000153050205f, 9.43252871e-06f},
    {-0.0183501672f, -0.00239019492f, 0.00927175488f, 0.00313918269f, -0.000928049558f,
     -0.000573668047f, -9.94382935e-05f, -8.04661704e-06f},
    {0.0018983779f, 0.00419205427f, -3.11951699e-05f, -0.00149029237f, -0.00017207129f,
     0.000147853716f, 4.29610445e-05f, 4.56765565e-06f}};

#define VF_EXP_MAGIC 1572864.0f /* 1.5 * 2^20 */
static const float vf_exp_roots[VW] = {1.0f,        1.09050775f, 1.18920708f, 1.29683959f,
                                       1.41421354f, 1.54221082f, 1.68179286f, 1.8340081f};

A1_INLINE vf vf_lookup_(vf table, vf index)
{
    return _mm256_permutevar8x32_ps(table, _mm256_castps_si256(index));
}

A1_INLINE vf vf_scale_(vf x, vf n, vf t)
{
    (void)n;
    /* The bits of t above those of the root are the integer, ready to be added to the exponent. */
    const __m256i integer = _mm256_andnot_si256(_mm256_set1_epi32(VW - 1), _mm256_castps_si256(t));
    return _mm256_castsi256_ps(
        _mm256_add_epi32(_mm256_castps_si256(x), _mm256_slli_epi32(integer, 20)));
}

#endif

typedef struct vf_gelu_table {
    vf c[VF_GELU_DEGREE + 1];
} vf_gelu_table;

A1_INLINE vf_gelu_table vf_gelu_load(void)
{
    vf_gelu_table table;
#pragma GCC unroll 8
    for (int i = 0; i <= VF_GELU_DEGREE; i++)
        table.c[i] = vf_load(vf_gelu_coefficients[i]);
    return table;
}

A1_INLINE vf vf_gelu_by_table(vf x, const vf_gelu_table *table)
{
    const vf a = vf_min(vf_abs(x), vf_set1(VF_GELU_LAST / VF_GELU_SCALE));
    /* Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits. */
    const vf magic = vf_set1(12582912.0f), scale = vf_set1(VF_GELU_SCALE);
    const vf t = vf_fma(a, scale, magic);
    const vf r = vf_fma(a, scale, magic - t);
    vf p = vf_lookup_(table->c[VF_GELU_DEGREE], t);
#pragma GCC unroll 8
    for (int i = VF_GELU_DEGREE - 1; i >= 0; i--)
        p = vf_fma(p, r, vf_lookup_(table->c[i], t));
    return p + vf_max(x, vf_zero());
}

/* e^x, relative error below 3e-7 for x above -20; x is clamped below at -87, and must be below 88.
 */
A1_INLINE vf vf_exp_by_table(vf x)
{
    x = vf_max(x, vf_set1(-87.0f));
    const vf magic = vf_set1(VF_EXP_MAGIC);
    const vf t = vf_fma(x, vf_set1(1.44269504088896341f), magic);
    const vf n = t - magic;
    const vf r = vf_fnma(n, vf_set1(0.693147180559945309f), x);
#if VW == 16
    vf p = vf_fma(r, vf_set1(0.16666667f), vf_set1(0.5f));
#else
    vf p = vf_fma(r, vf_set1(0.041666667f), vf_set1(0.16666667f));
    p = vf_fma(p, r, vf_set1(0.5f));
#endif
    p = vf_fma(p, r, vf_set1(1.0f));
    p = vf_fma(p, r, vf_set1(1.0f));
    return vf_scale_(p * vf_lookup_(vf_load(vf_exp_roots), t), n, t);
}

#else

typedef struct vf_gelu_table {
    char none;
} vf_gelu_table;

A1_INLINE vf_gelu_table vf_gelu_load(void)
{
    return (vf_gelu_table){0};
}

A1_INLINE vf vf_gelu_by_table(vf x, const vf_gelu_table *table)
{
    (void)table;
    return vf_gelu(x);
}

A1_INLINE vf vf_exp_by_table(vf x)
{
    return vf_exp(x);
}

#endif

#endif
