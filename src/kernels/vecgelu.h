/* GELU by table, where the instruction set can look up 32 floats at once.
 *
 * gelu(x) = max(x, 0) - h(|x|) with h(a) = a (1 - Phi(a)), which is below 2.5e-7 beyond 5.35. h is
 * a cubic on each of 32 intervals centred on multiples of 1 / 5.875: our own minimax fits in
 * double. The absolute error is below 4.5e-7 everywhere, which is that of vf_gelu, without its
 * division. */
#ifndef A1_KERNELS_VECGELU_H
#define A1_KERNELS_VECGELU_H

#include "kernels/vecmath.h"

#if VW == 16

typedef struct vf_gelu_table {
    vf c0[2], c1[2], c2[2], c3[2];
} vf_gelu_table;

static const float vf_gelu_c0[32] = {
    2.7129996e-08f,   -0.0736032352f,   -0.124856882f,    -0.155643448f,    -0.168839321f,
    -0.167971909f,    -0.156829119f,    -0.139083669f,    -0.117986217f,    -0.0961611643f,
    -0.0755163208f,   -0.057255879f,    -0.0419711918f,   -0.0297770128f,   -0.0204616915f,
    -0.0136264814f,   -0.0087983394f,   -0.00550988922f,  -0.00334756309f,  -0.00197357149f,
    -0.00112925272f,  -0.00062719878f,  -0.000338178099f, -0.000177032722f, -8.99837032e-05f,
    -4.44124926e-05f, -2.12863706e-05f, -9.90771696e-06f, -4.47855973e-06f, -1.96612314e-06f,
    -8.38307244e-07f, -3.47157624e-07f};
static const float vf_gelu_c1[32] = {
    -0.0851081237f,  -0.0622116067f,  -0.0406134836f,  -0.0214448646f,  -0.00554138748f,
    0.00663854042f,  0.0150297647f,   0.0199159496f,   0.0218400918f,   0.0214923285f,
    0.0195982419f,   0.0168264154f,   0.013726376f,    0.0106995972f,   0.00799938384f,
    0.00575119676f,  0.00398376398f,  0.00266240817f,  0.00171857956f,  0.0010723694f,
    0.000647276873f, 0.000378130761f, 0.000213891268f, 0.00011719342f,  6.22166626e-05f,
    3.20123218e-05f, 1.59673036e-05f, 7.72206658e-06f, 3.62155833e-06f, 1.64733001e-06f,
    7.26849407e-07f, 3.11125717e-07f};
static const float vf_gelu_c2[32] = {
    0.0115756979f,    0.0112140086f,    0.0102650318f,    0.00881589949f,   0.00703970902f,
    0.00513379788f,   0.00328769977f,   0.00165595836f,   0.000340975996f,  -0.00061241549f,
    -0.0012115353f,   -0.00150282506f,  -0.00155540346f,  -0.00144516176f,  -0.00124223938f,
    -0.00100322324f,  -0.000768056663f, -0.00056061818f,  -0.00039164981f,  -0.000262589747f,
    -0.000169311446f, -0.000105145918f, -6.29676651e-05f, -3.63979525e-05f, -2.03238942e-05f,
    -1.09694347e-05f, -5.72584486e-06f, -2.89179502e-06f, -1.41362329e-06f, -6.69083988e-07f,
    -3.06712678e-07f, -1.36205529e-07f};
static const float vf_gelu_c3[32] = {
    -5.57021885e-05f, -0.000217915775f, -0.000408194668f, -0.000548343523f, -0.000624912791f,
    -0.000635273464f, -0.000586996845f, -0.000495255983f, -0.000379003643f, -0.000257063017f,
    -0.000144960301f, -5.30673642e-05f, 1.38338428e-05f,  5.58183856e-05f,  7.63818389e-05f,
    8.08046316e-05f,  7.4700627e-05f,   6.30322465e-05f,  4.95566892e-05f,  3.67238135e-05f,
    2.58344789e-05f,  1.73350109e-05f,  1.1132026e-05f,   6.85829082e-06f,  4.06122717e-06f,
    2.31487547e-06f,  1.27153498e-06f,  6.73698992e-07f,  3.44568633e-07f,  1.70230763e-07f,
    8.12811436e-08f,  3.75261102e-08f};

A1_INLINE vf_gelu_table vf_gelu_load(void)
{
    return (vf_gelu_table){{vf_load(vf_gelu_c0), vf_load(vf_gelu_c0 + 16)},
                           {vf_load(vf_gelu_c1), vf_load(vf_gelu_c1 + 16)},
                           {vf_load(vf_gelu_c2), vf_load(vf_gelu_c2 + 16)},
                           {vf_load(vf_gelu_c3), vf_load(vf_gelu_c3 + 16)}};
}

A1_INLINE vf vf_gelu_by_table(vf x, const vf_gelu_table *table)
{
    const vf a = vf_min(vf_abs(x), vf_set1(31.4375f / 5.875f));
    /* Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits, which is all that the
     * permutation looks at. */
    const vf magic = vf_set1(12582912.0f);
    const vf t = vf_fma(a, vf_set1(5.875f), magic);
    const vf r = _mm512_fmsub_ps(a, vf_set1(5.875f), t - magic);
    const __m512i index = _mm512_castps_si512(t);
    vf p = _mm512_permutex2var_ps(table->c3[0], index, table->c3[1]);
    p = vf_fma(p, r, _mm512_permutex2var_ps(table->c2[0], index, table->c2[1]));
    p = vf_fma(p, r, _mm512_permutex2var_ps(table->c1[0], index, table->c1[1]));
    p = vf_fma(p, r, _mm512_permutex2var_ps(table->c0[0], index, table->c0[1]));
    return p + vf_max(x, vf_zero());
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

#endif

#endif
