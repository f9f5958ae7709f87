/* How much a run costs, counted from the shapes. */
#include "network/fold_weights.h"
#include "network/network.h"

#define KERNEL 3 /* of the first and third convolution, both ways */

/* Multiplications and additions of a linear layer. */
static double linear(size_t outputs, size_t inputs)
{
    return 2.0 * (double)outputs * (double)inputs;
}

/* Queries, keys, values and output of one attention over `neighbours`. */
static double attention(size_t neighbours)
{
    return 4 * linear(A1_NET_DIM, A1_NET_DIM) + 2 * linear(neighbours, A1_NET_DIM);
}

/* One frame of one stem through the embedding. */
static double embedding(void)
{
    const size_t after1 = A1_NET_BANDS0 - A1_NET_CONV1_WIDTH + 1;
    const size_t after2 = A1_NET_BANDS1 - KERNEL + 1;
    return (A1_NET_BANDS - KERNEL + 1) * linear(A1_NET_CONV0, KERNEL * KERNEL) +
           (double)after1 * linear(A1_NET_DIM, A1_NET_CONV1_WIDTH * A1_NET_CONV0) +
           (double)after2 * linear(A1_NET_DIM, KERNEL * KERNEL * A1_NET_DIM);
}

/* One frame of one stem through one block. */
static double block(void)
{
    const double time = 2 * attention(A1_NET_WINDOW) + linear(A1_NET_TIME_HIDDEN, 2 * A1_NET_DIM) +
                        linear(A1_NET_DIM, A1_NET_TIME_HIDDEN);
    const double instruments = attention(A1_NET_WINDOW * A1_NET_WINDOW) +
                               2 * linear(A1_NET_INSTRUMENT_HIDDEN, A1_NET_DIM);
    return time + instruments;
}

double a1_network_operations(const a1_network *network, size_t frames)
{
    const double frame = A1_NET_STEMS * (embedding() + A1_NET_BLOCKS * block()) +
                         linear(A1_NET_HEAD_OUTPUTS, A1_NET_STEMS * A1_NET_DIM);
    return (double)a1_network_folds(network) * (double)frames * frame;
}
