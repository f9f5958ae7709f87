/* The five-layer cross transformer between the two branches. */
#include "demix/segment.h"

#include <math.h>
#include <stdio.h>

/* Tokens of one task; the scores of one task and one block of keys stay in the second-level cache. */
#define TASK_TOKENS 96
#define KEY_BLOCK 384

/* The two branches side by side: each step runs over the blocks of both. */
typedef struct stream {
    size_t tokens, tasks;
    const transformer_layer *layer;
    float *x;       /* residual stream, [tokens][width] */
    float *normed;  /* [tokens][width] */
    float *query;   /* [tokens][query_stride] */
    float *key;     /* of the tokens attended to, [key_tokens][key_stride] */
    float *value;
    size_t query_stride, key_stride, key_tokens;
    void *packed_keys, *packed_values; /* [heads] parts, of floats or of bfloat16 */
    float *attended;                    /* [tokens][width] */
    float *hidden;                      /* [tokens][feed_forward] */
    a1_moments *moments;                /* [tasks] */
    float *folded;                      /* [width] */
    float mean;
    const affine *norm;
    float *norm_out; /* where the current layer norm goes */
    const float *norm_in;
    const float *position;
    /* the current product */
    const a1_gemm_weights *weights;
    const float *a;
    float *c, *gamma;
    a1_activation activation;
} stream;

typedef struct passes {
    segment_work *work;
    stream streams[2];
    int with_moments;
    int index;        /* of the layer */
    const char *note; /* what a test calls the current product, or NULL */
} passes;

static size_t block_tokens(const stream *s, size_t task)
{
    const size_t left = s->tokens - task * TASK_TOKENS;
    return left < TASK_TOKENS ? left : TASK_TOKENS;
}

static stream *pick(passes *p, size_t *task)
{
    if (*task < p->streams[0].tasks)
        return &p->streams[0];
    *task -= p->streams[0].tasks;
    return &p->streams[1];
}

static void run_blocks(passes *p, a1_task_fn task)
{
    a1_pool_run(p->work->pool, p->streams[0].tasks + p->streams[1].tasks, task, p);
}

static void norm_block(void *argument, size_t task, unsigned worker)
{
    (void)worker;
    passes *p = argument;
    const size_t width = p->work->model->width;
    stream *s = pick(p, &task);
    const size_t at = task * TASK_TOKENS * width;
    p->work->model->layers->layer_norm(s->norm_in + at, block_tokens(s, task), width, s->norm->mul,
                                       s->norm->add, s->position ? s->position + at : NULL,
                                       s->norm_out + at);
}

static void product_block(void *argument, size_t task, unsigned worker)
{
    passes *p = argument;
    stream *s = pick(p, &task);
    if (!s->weights)
        return;
    const size_t columns = s->activation == A1_ACT_GELU ? p->work->model->feed_forward
                           : s->gamma                   ? p->work->model->width
                                                        : s->weights->panels * 32;
    const size_t first = task * TASK_TOKENS, rows = block_tokens(s, task);
    const a1_gemm_chunk chunk = {s->a + first * s->weights->k, s->weights->k};
    a1_gemm_call call = {.weights = s->weights,
                         .chunks = &chunk,
                         .chunk_count = 1,
                         .lda = s->weights->k,
                         .rows = rows,
                         .c = s->c + first * columns,
                         .ldc = columns,
                         .activation = s->activation,
                         .scale = s->gamma};
    if (s->gamma) {
        call.residual = call.c;
        call.ldr = columns;
    }
    if (p->note) {
        char name[64];
        snprintf(name, sizeof name, "xf_L%d_%c%s", p->index, s == &p->streams[1] ? 't' : 'f',
                 p->note);
        segment_note_product(p->work, worker, name, 0, first, &call, 0);
    }
    segment_product(p->work, worker, &call);
    if (p->with_moments) {
        s->moments[task] = (a1_moments){0, 0};
        p->work->model->layers->moments(call.c, rows, columns, columns, &s->moments[task]);
    }
}

static void norm_out_block(void *argument, size_t task, unsigned worker)
{
    (void)worker;
    passes *p = argument;
    const size_t width = p->work->model->width;
    stream *s = pick(p, &task);
    float *x = s->x + task * TASK_TOKENS * width;
    p->work->model->layers->norm(x, block_tokens(s, task), width, s->mean, s->folded,
                                 s->layer->norm_out.add, x);
}

/* Packs one head's keys and values. */
static void pack_head(void *argument, size_t task, unsigned worker)
{
    (void)worker;
    passes *p = argument;
    const a1_htdemucs *model = p->work->model;
    const size_t head_width = model->width / model->heads, head = task % model->heads;
    const stream *s = &p->streams[task / model->heads];
    const size_t value_panels = (head_width + 31) / 32;
    if (model->layers16) {
        model->layers16->pack_keys(s->key + head * head_width, s->key_stride, s->key_tokens,
                                   head_width,
                                   (uint16_t *)s->packed_keys + head * s->key_tokens * head_width);
        model->layers16->pack_values(s->value + head * head_width, s->key_stride, s->key_tokens,
                                     head_width,
                                     (uint16_t *)s->packed_values +
                                         head * s->key_tokens * value_panels * 32);
        return;
    }
    model->layers->pack_keys(s->key + head * head_width, s->key_stride, s->key_tokens, head_width,
                             (float *)s->packed_keys + head * s->key_tokens * head_width);
    model->layers->pack_values(s->value + head * head_width, s->key_stride, s->key_tokens,
                               head_width,
                               (float *)s->packed_values +
                                   head * s->key_tokens * value_panels * 32);
}

size_t transformer_scratch(const a1_htdemucs *model)
{
    const size_t value_width = (model->width / model->heads + 31) / 32 * 32;
    /* Scores, values; then, on bfloat16, the queries and the powers. */
    return TASK_TOKENS * (KEY_BLOCK + value_width) + TASK_TOKENS * (KEY_BLOCK + value_width) / 2;
}

/* One block of keys for one block of queries of one head: scores, soft-max, weighted values. */
typedef struct attention_block {
    const a1_htdemucs *model;
    const stream *s;
    size_t head, head_width, value_width, rows;
    const float *query;
    float *scores, *values;
    uint16_t *query16, *powers;
    float *maximum;
    double *sum;
} attention_block;

static void attend_keys(const attention_block *b, size_t key, size_t count)
{
    const stream *s = b->s;
    const a1_gemm_plain_call score = {.a = b->query,
                                      .lda = s->query_stride,
                                      .rows = b->rows,
                                      .k = b->head_width,
                                      .b = (const float *)s->packed_keys +
                                           (b->head * s->key_tokens + key) * b->head_width,
                                      .b_panel_stride = b->head_width * 32,
                                      .panels = count / 32,
                                      .c = b->scores,
                                      .ldc = KEY_BLOCK};
    b->model->gemm.run_plain(&score);
    b->model->layers->softmax_block(b->scores, b->rows, count, KEY_BLOCK, b->maximum, b->sum,
                                    b->values, b->value_width);
    const a1_gemm_plain_call weigh = {.a = b->scores,
                                      .lda = KEY_BLOCK,
                                      .rows = b->rows,
                                      .k = count,
                                      .b = (const float *)s->packed_values +
                                           b->head * s->key_tokens * b->value_width + key * 32,
                                      .b_panel_stride = s->key_tokens * 32,
                                      .panels = b->value_width / 32,
                                      .c = b->values,
                                      .ldc = b->value_width,
                                      .accumulate = key > 0};
    b->model->gemm.run_plain(&weigh);
}

static void attend_keys16(const attention_block *b, size_t key, size_t count)
{
    const stream *s = b->s;
    const a1_gemm_plain16_call score = {.a = b->query16,
                                        .lda = b->head_width,
                                        .rows = b->rows,
                                        .k = b->head_width,
                                        .b = (const uint16_t *)s->packed_keys +
                                             (b->head * s->key_tokens + key) * b->head_width,
                                        .b_panel_stride = b->head_width * 32,
                                        .panels = count / 32,
                                        .c = b->scores,
                                        .ldc = KEY_BLOCK};
    b->model->gemm.run_plain16(&score);
    b->model->layers16->softmax_block(b->scores, b->rows, count, KEY_BLOCK, b->powers, b->maximum,
                                      b->sum, b->values, b->value_width);
    const a1_gemm_plain16_call weigh = {.a = b->powers,
                                        .lda = KEY_BLOCK,
                                        .rows = b->rows,
                                        .k = count,
                                        .b = (const uint16_t *)s->packed_values +
                                             b->head * s->key_tokens * b->value_width + key * 32,
                                        .b_panel_stride = s->key_tokens * 32,
                                        .panels = b->value_width / 32,
                                        .c = b->values,
                                        .ldc = b->value_width,
                                        .accumulate = key > 0};
    b->model->gemm.run_plain16(&weigh);
}

/* One head of one block of queries: an online soft-max over blocks of keys. */
static void attend_block(void *argument, size_t task, unsigned worker)
{
    passes *p = argument;
    const a1_htdemucs *model = p->work->model;
    const size_t head_width = model->width / model->heads, head = task % model->heads;
    size_t block = task / model->heads;
    const stream *s = pick(p, &block);
    float maximum[TASK_TOKENS];
    double sum[TASK_TOKENS];
    attention_block b = {.model = model,
                         .s = s,
                         .head = head,
                         .head_width = head_width,
                         .value_width = (head_width + 31) / 32 * 32,
                         .rows = block_tokens(s, block),
                         .query = s->query + block * TASK_TOKENS * s->query_stride +
                                  head * head_width,
                         .scores = p->work->thread_scratch + worker * p->work->thread_stride,
                         .maximum = maximum,
                         .sum = sum};
    b.values = b.scores + TASK_TOKENS * KEY_BLOCK;
    b.powers = (uint16_t *)(void *)(b.values + TASK_TOKENS * b.value_width);
    b.query16 = b.powers + TASK_TOKENS * KEY_BLOCK;
    for (size_t r = 0; r < b.rows; r++) {
        maximum[r] = -INFINITY;
        sum[r] = 0;
    }
    if (model->layers16)
        model->layers16->round_rows(b.query, b.rows, head_width, s->query_stride, b.query16);
    for (size_t key = 0; key < s->key_tokens; key += KEY_BLOCK) {
        const size_t left = s->key_tokens - key, count = left < KEY_BLOCK ? left : KEY_BLOCK;
        if (model->layers16)
            attend_keys16(&b, key, count);
        else
            attend_keys(&b, key, count);
    }
    model->layers->softmax_finish(b.values, b.rows, b.value_width, head_width, sum,
                                  s->attended + block * TASK_TOKENS * model->width +
                                      head * head_width,
                                  model->width);
}

static void note_streams(const passes *p, const char *format, int normed)
{
    if (!p->work->probe)
        return;
    const size_t width = p->work->model->width;
    for (int branch = 0; branch < 2; branch++) {
        const stream *s = &p->streams[branch];
        char layer[16], name[64];
        snprintf(layer, sizeof layer, "xf_L%d_%c", p->index, branch ? 't' : 'f');
        if (format[0] == '_' || format[0] == '\0')
            snprintf(name, sizeof name, "%s%s", layer, format);
        else
            snprintf(name, sizeof name, "%s_%c", format, branch ? 't' : 'f');
        segment_note(p->work, name, 0, 0, s->tokens, width, normed ? s->normed : s->x, width);
    }
}

static void layer_norms(passes *p, const affine *norm0, const affine *norm1, const float *position0,
                        const float *position1, int into_x)
{
    for (int branch = 0; branch < 2; branch++) {
        stream *s = &p->streams[branch];
        s->norm = branch ? norm1 : norm0;
        s->position = branch ? position1 : position0;
        s->norm_in = s->x;
        s->norm_out = into_x ? s->x : s->normed;
    }
    run_blocks(p, norm_block);
}

static void products(passes *p, const a1_gemm_weights *weights0, const a1_gemm_weights *weights1,
                     a1_activation activation)
{
    p->streams[0].weights = weights0;
    p->streams[1].weights = weights1;
    p->streams[0].activation = p->streams[1].activation = activation;
    run_blocks(p, product_block);
}

static void residual_products(passes *p, const a1_gemm_weights *weights0,
                              const a1_gemm_weights *weights1, int second, const float *a0,
                              const float *a1)
{
    for (int branch = 0; branch < 2; branch++) {
        stream *s = &p->streams[branch];
        s->a = branch ? a1 : a0;
        s->c = s->x;
        s->gamma = second ? s->layer->gamma2 : s->layer->gamma1;
    }
    products(p, weights0, weights1, A1_ACT_NONE);
    p->streams[0].gamma = p->streams[1].gamma = NULL;
}

static void run_layer(passes *p, int index)
{
    const a1_htdemucs *model = p->work->model;
    const size_t width = model->width;
    stream *f = &p->streams[0], *t = &p->streams[1];
    const transformer_layer *lf = &model->transformer[0][index];
    const transformer_layer *lt = &model->transformer[1][index];
    const int cross = index % 2;
    f->layer = lf;
    t->layer = lt;
    p->with_moments = 0;
    p->index = index;

    layer_norms(p, &lf->norm1, &lt->norm1, NULL, NULL, 0);
    note_streams(p, "_norm1", 1);
    f->a = f->normed;
    t->a = t->normed;
    f->c = f->query;
    t->c = t->query;
    if (!cross) {
        products(p, &lf->query_key_value, &lt->query_key_value, A1_ACT_NONE);
        for (int branch = 0; branch < 2; branch++) {
            stream *s = &p->streams[branch];
            s->query_stride = s->key_stride = 3 * width;
            s->key = s->query + width;
            s->value = s->query + 2 * width;
            s->key_tokens = s->tokens;
        }
    } else {
        /* Each branch asks the other one as it was before this layer; norm2 belongs to the branch that
         * asks. */
        products(p, &lf->query, &lt->query, A1_ACT_NONE);
        layer_norms(p, &lt->norm2, &lf->norm2, NULL, NULL, 0);
        for (int branch = 0; branch < 2; branch++) {
            const stream *s = &p->streams[1 - branch];
            char name[64];
            snprintf(name, sizeof name, "xf_L%d_%c_norm2kv", index, branch ? 't' : 'f');
            segment_note(p->work, name, 0, 0, s->tokens, width, s->normed, width);
        }
        float *from_f = f->query + f->tokens * width, *from_t = t->query + t->tokens * width;
        f->c = from_f;
        t->c = from_t;
        products(p, &lt->key_value, &lf->key_value, A1_ACT_NONE);
        for (int branch = 0; branch < 2; branch++) {
            stream *s = &p->streams[branch];
            s->query_stride = width;
            s->key_stride = 2 * width;
            s->key = branch ? from_f : from_t;
            s->value = s->key + width;
            s->key_tokens = p->streams[1 - branch].tokens;
        }
    }
    a1_pool_run(p->work->pool, 2 * model->heads, pack_head, p);
    a1_pool_run(p->work->pool, (f->tasks + t->tasks) * model->heads, attend_block, p);
    p->note = "_attn";
    residual_products(p, &lf->project, &lt->project, 0, f->attended, t->attended);
    p->note = NULL;
    note_streams(p, "_res1", 0);

    layer_norms(p, cross ? &lf->norm3 : &lf->norm2, cross ? &lt->norm3 : &lt->norm2, NULL, NULL, 0);
    note_streams(p, "_ffnorm", 1);
    f->a = f->normed;
    t->a = t->normed;
    f->c = f->hidden;
    t->c = t->hidden;
    p->note = "_linear1";
    products(p, &lf->linear1, &lt->linear1, A1_ACT_GELU);
    p->note = "_linear2";
    p->with_moments = 1;
    residual_products(p, &lf->linear2, &lt->linear2, 1, f->hidden, t->hidden);
    p->with_moments = 0;
    p->note = NULL;
    note_streams(p, "_res2", 0);

    for (int branch = 0; branch < 2; branch++) {
        stream *s = &p->streams[branch];
        a1_moments total = {0, 0};
        for (size_t task = 0; task < s->tasks; task++) {
            total.sum += s->moments[task].sum;
            total.square_sum += s->moments[task].square_sum;
        }
        const double values = (double)s->tokens * (double)width;
        const double mean = total.sum / values;
        const double variance = fmax(total.square_sum / values - mean * mean, 0.0);
        const double factor = 1.0 / sqrt(variance + 1e-5);
        for (size_t c = 0; c < width; c++)
            s->folded[c] = (float)((double)s->layer->norm_out.mul[c] * factor);
        s->mean = (float)mean;
    }
    run_blocks(p, norm_out_block);
    note_streams(p, "", 0);
}

/* The 1x1 convolutions at both ends, row by row of the maps. */
typedef struct end_pass {
    segment_work *work;
    const map *maps[2];
    const map *skips;
    const passes *p;
    int up;
} end_pass;

static void end_row(void *argument, size_t task, unsigned worker)
{
    const end_pass *pass = argument;
    const a1_htdemucs *model = pass->work->model;
    const int branch = task >= pass->maps[0]->rows;
    const size_t row = branch ? 0 : task;
    const map *m = pass->maps[branch];
    float *tokens = pass->p->streams[branch].x + row * m->frames * model->width;
    float *at = map_at(m, row, 0);
    const a1_gemm_chunk chunk = {pass->up ? at : tokens, pass->up ? m->channels : model->width};
    a1_gemm_call call = {.weights = pass->up ? &model->upsample[branch] : &model->downsample[branch],
                         .chunks = &chunk,
                         .chunk_count = 1,
                         .lda = chunk.k,
                         .rows = m->frames,
                         .c = pass->up ? tokens : at,
                         .ldc = pass->up ? model->width : m->channels};
    if (!pass->up) {
        call.residual = map_at(&pass->skips[branch], row, 0);
        call.ldr = m->channels;
        segment_note_product(pass->work, worker, branch ? "down_t" : "down_f", row, 0, &call, 0);
    }
    segment_product(pass->work, worker, &call);
}

static int allocate(passes *p)
{
    const a1_htdemucs *model = p->work->model;
    a1_arena *arena = &p->work->arena;
    const size_t width = model->width;
    const size_t value_width = (width / model->heads + 31) / 32 * 32 * model->heads;
    const size_t most = a1_htdemucs_tokens(model, 0) > a1_htdemucs_tokens(model, 1)
                            ? a1_htdemucs_tokens(model, 0)
                            : a1_htdemucs_tokens(model, 1);
    for (int branch = 0; branch < 2; branch++) {
        stream *s = &p->streams[branch];
        *s = (stream){.tokens = a1_htdemucs_tokens(model, branch)};
        s->tasks = (s->tokens + TASK_TOKENS - 1) / TASK_TOKENS;
        s->x = a1_arena_floats(arena, s->tokens * width);
        s->normed = a1_arena_floats(arena, s->tokens * width);
        s->query = a1_arena_floats(arena, s->tokens * 3 * width);
        s->packed_keys = a1_arena_floats(arena, most * width);
        s->packed_values = a1_arena_floats(arena, most * value_width);
        s->attended = a1_arena_floats(arena, s->tokens * width);
        s->hidden = a1_arena_floats(arena, s->tokens * model->feed_forward);
        s->moments = a1_arena_alloc(arena, s->tasks * sizeof *s->moments);
        s->folded = a1_arena_floats(arena, width);
        if (!s->x || !s->normed || !s->query || !s->packed_keys || !s->packed_values ||
            !s->attended || !s->hidden || !s->moments || !s->folded)
            return 0;
    }
    return 1;
}

allin1_status transformer_run(segment_work *work, const map encoded[2], map decoded[2],
                              a1_error *err)
{
    const a1_htdemucs *model = work->model;
    for (int branch = 0; branch < 2; branch++) {
        const map *in = &encoded[branch];
        decoded[branch] = map_create(work, in->rows, in->frames, in->channels, 0);
        if (!decoded[branch].data)
            return a1_fail_memory(err, "a segment of the separator");
        map_zero_pads(&decoded[branch]);
    }
    const size_t mark = a1_arena_mark(&work->arena);
    passes p = {.work = work};
    if (!allocate(&p))
        return a1_fail_memory(err, "the transformer of the separator");
    end_pass ends = {.work = work, .maps = {&encoded[0], &encoded[1]}, .p = &p, .up = 1};
    a1_pool_run(work->pool, encoded[0].rows + 1, end_row, &ends);
    note_streams(&p, "up", 0);
    if (work->probe) {
        layer_norms(&p, &model->norm_in[0], &model->norm_in[1], NULL, NULL, 0);
        note_streams(&p, "xf_normin", 1);
    }
    layer_norms(&p, &model->norm_in[0], &model->norm_in[1], model->position[0], model->position[1],
                1);
    note_streams(&p, "xf_in", 0);
    for (int layer = 0; layer < TRANSFORMER_LAYERS; layer++)
        run_layer(&p, layer);
    ends = (end_pass){
        .work = work, .maps = {&decoded[0], &decoded[1]}, .skips = encoded, .p = &p, .up = 0};
    a1_pool_run(work->pool, decoded[0].rows + 1, end_row, &ends);
    a1_arena_release(&work->arena, mark);
    return ALLIN1_OK;
}
