/* How much a segment costs, counted from the shapes. */
#include "demix/model.h"

/* Multiplications and additions of a product that gives rows x outputs values of `inputs` terms. */
static double product(size_t rows, size_t outputs, size_t inputs)
{
    return 2.0 * (double)rows * (double)outputs * (double)inputs;
}

static double residual_branches(const dconv_layer layers[DCONV_LAYERS], size_t positions,
                                size_t channels)
{
    double sum = 0;
    for (int d = 0; d < DCONV_LAYERS; d++)
        sum += product(positions, layers[d].hidden, 3 * channels) +
               product(positions, 2 * channels, layers[d].hidden);
    return sum;
}

static double encoder(const a1_htdemucs *model, int branch, size_t i)
{
    const encoder_level *level = &model->encoder[branch][i];
    const size_t positions = branch ? model->lengths[i + 1] : model->rows[i + 1] * SPEC_FRAMES;
    return product(positions, level->channels, 8 * level->in_channels) +
           residual_branches(level->dconv, positions, level->channels) +
           product(positions, 2 * level->channels, level->channels);
}

static double decoder(const a1_htdemucs *model, int branch, size_t step)
{
    const decoder_level *level = &model->decoder[branch][step];
    const size_t positions =
        branch ? model->lengths[LEVELS - step] : model->rows[LEVELS - step] * SPEC_FRAMES;
    return product(positions, 2 * level->channels, (branch ? 3 : 9) * level->channels) +
           residual_branches(level->dconv, positions, level->channels) +
           product(positions, 8 * level->out_channels, level->channels);
}

/* `tokens` ask, `others` are looked at. */
static double attention_layer(const a1_htdemucs *model, size_t tokens, size_t others)
{
    const size_t width = model->width;
    return product(tokens, 2 * width, width) + product(others, 2 * width, width) +
           2 * product(tokens, others, width) + 2 * product(tokens, model->feed_forward, width);
}

static double transformer(const a1_htdemucs *model)
{
    double sum = 0;
    for (int branch = 0; branch < 2; branch++) {
        const size_t tokens = a1_htdemucs_tokens(model, branch);
        const size_t others = a1_htdemucs_tokens(model, !branch);
        sum += 2 * product(tokens, model->width, model->channels[LEVELS - 1]);
        for (int layer = 0; layer < TRANSFORMER_LAYERS; layer++)
            sum += attention_layer(model, tokens, layer % 2 ? others : tokens);
    }
    return sum;
}

double a1_htdemucs_operations(const a1_htdemucs *model)
{
    double sum = transformer(model);
    for (int branch = 0; branch < 2; branch++)
        for (size_t i = 0; i < LEVELS; i++)
            sum += encoder(model, branch, i) + decoder(model, branch, i);
    return sum;
}
