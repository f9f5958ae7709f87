/* A network that costs next to nothing, and a trifle after it that costs much: where results are
 * computed only when they are looked at, the network's cost is booked under the next stage's name.
 */
#include "timings/comparison.h"

#include <math.h>
#include <string.h>

#include <allin1/allin1.h>

#define MUCH_MORE 5.0 /* times as much as the network */
#define REASONS_NEEDED 2
#define FRAMES_PER_SECOND 100.0
#define PREP_SECONDS_A_FRAME                                                                       \
    2e-6                /* sigmoids of two numbers and a few sums: 0.05 us here, and some 0.5      \
                           us in an array language */
#define LONG_SONG 900.0 /* seconds: where the length is not recorded */
#define FOLD_OPERATIONS                                                                            \
    3.07e8 /* floating-point operations of one fold for a second of audio (60 G for                \
              195.57 s, docs/SPEED.md) */
#define FASTEST                                                                                    \
    1e13 /* operations a second: an estimate. The small matrices of the network reach a            \
            fraction of any device's peak */
#define IDLE_SHARE 0.5 /* of one processor */
#define SAME 1.03      /* times: unchanged */
#define CHANGED 1.15   /* times: the neighbours did change */

/* Devices on which arithmetic is queued, and done when a result is read. */
static bool is_lazy(const char *device)
{
    static const char *const lazy[] = {"mlx", "gpu", "mps", "metal", "cuda", "xla", "tpu", "jax"};
    for (size_t i = 0; i < sizeof lazy / sizeof *lazy; i++)
        if (strncmp(device, lazy[i], strlen(lazy[i])) == 0)
            return true;
    return false;
}

static unsigned folds_of(const char *model)
{
    if (strcmp(model, "harmonix-all") == 0)
        return 8;
    return strncmp(model, "harmonix-fold", 13) == 0 ? 1 : 0;
}

static double mean_audio(const a1_stage_node *node)
{
    return node->audio_spans ? node->audio_seconds / (double)node->audio_spans : NAN;
}

static double mean_cost(const a1_stage_node *node)
{
    return node->spans ? node->total / (double)node->spans : NAN;
}

typedef struct suspects {
    const allin1_timing_records *timings;
    const a1_stage_node *nn, *next;
    const char *next_name;
    double nn_cost, next_cost; /* a span, seconds */
} suspects;

/* The first stage that begins when the network has ended. */
static const a1_stage_node *first_after(const allin1_timing_records *t, const a1_stage_node *nn)
{
    static const char *const readers[] = {ALLIN1_STAGE_METRICAL_PREP,
                                          ALLIN1_STAGE_FUNCTIONAL_PROBS};
    const a1_time_record *network = NULL, *first = NULL;
    for (size_t i = 0; i < t->count && !network; i++)
        if (&t->nodes[t->records[i].node] == nn)
            network = &t->records[i];
    for (size_t i = 0; network && i < t->count; i++) {
        const a1_time_record *r = &t->records[i];
        const char *stage = a1_timings_text(t, r->stage);
        if (r->pass != network->pass ||
            (strcmp(stage, readers[0]) != 0 && strcmp(stage, readers[1]) != 0))
            continue;
        if (!first || (r->start < first->start && r->start >= network->start))
            first = r;
    }
    return first ? &t->nodes[first->node] : NULL;
}

static bool find_suspects(const allin1_timing_records *t, suspects *s)
{
    *s = (suspects){.timings = t};
    for (size_t i = 1; i <= t->node_count && !s->nn; i++)
        if (strcmp(a1_timings_text(t, t->nodes[i].stage), ALLIN1_STAGE_NN) == 0)
            s->nn = &t->nodes[i];
    s->next = s->nn ? first_after(t, s->nn) : NULL;
    if (!s->next)
        return false;
    s->next_name = a1_timings_text(t, s->next->stage);
    s->nn_cost = mean_cost(s->nn);
    s->next_cost = mean_cost(s->next);
    return s->next_cost > MUCH_MORE * s->nn_cost;
}

static void give(a1_finding_draft *draft, a1_text *text, unsigned *reasons)
{
    a1_finding_cause(draft, text);
    ++*reasons;
}

static void look_at_device(a1_finding_draft *draft, const suspects *s, unsigned *reasons)
{
    const char *device = a1_node_fact(s->timings, s->nn, A1_FACT_DEVICE);
    a1_text text = {0};
    if (!is_lazy(device))
        return;
    a1_text_format(
        &text,
        "The device is %s, where work is queued and done when its result is first read: the "
        "clock of nn may have stopped before the network ran.",
        device);
    give(draft, &text, reasons);
}

static void look_at_preparing(a1_finding_draft *draft, const suspects *s, unsigned *reasons)
{
    const double audio = mean_audio(s->next);
    const double length = isnan(audio) ? LONG_SONG : audio;
    const double frame = s->next_cost / (length * FRAMES_PER_SECOND);
    a1_text text = {0};
    if (!(frame > PREP_SECONDS_A_FRAME))
        return;
    a1_text_format(&text,
                   "%s only turns a few numbers a frame into probabilities, which takes well "
                   "under a microsecond; here it would be %.1f us a frame%s.",
                   s->next_name, frame * 1e6,
                   isnan(audio) ? ", were the song a quarter of an hour long" : "");
    give(draft, &text, reasons);
}

static void look_at_network(a1_finding_draft *draft, const suspects *s, unsigned *reasons)
{
    const unsigned folds = folds_of(a1_node_fact(s->timings, s->nn, A1_FACT_MODEL));
    const double audio = mean_audio(s->nn);
    const double rate = folds * FOLD_OPERATIONS * audio / s->nn_cost;
    a1_text text = {0};
    if (!(rate > FASTEST))
        return;
    a1_text_format(&text,
                   "The network of %u fold%s needs %.0f GFLOP for %.1f s of audio: in %.1f ms "
                   "that were %.0f TFLOP/s.",
                   folds, folds == 1 ? "" : "s", folds * FOLD_OPERATIONS * audio * 1e-9, audio,
                   s->nn_cost * 1e3, rate * 1e-12);
    give(draft, &text, reasons);
}

static void look_at_processor(a1_finding_draft *draft, const suspects *s, unsigned *reasons)
{
    const double share = s->next->cpu_seconds / s->next->cpu_cost;
    a1_text text = {0};
    if (!(share < IDLE_SHARE))
        return;
    a1_text_format(&text, "The processor worked only %.0f %% of the time of %s: it waited.",
                   share * 100, s->next_name);
    give(draft, &text, reasons);
}

/* Whether all else changed, and this stage did not. */
static void look_at_change(a1_finding_draft *draft, const suspects *s, unsigned *reasons)
{
    const a1_comparison *c = draft->comparison;
    const allin1_timing_row *next = a1_row_of(c, s->next_name);
    double most = 1;
    if (!next || isnan(next->saved) || fabs(log(next->speed_up)) > log(SAME))
        return;
    for (size_t i = 0; i < c->shown.row_count; i++)
        if (&c->rows[i] != next && c->compared[i].changed && isfinite(c->rows[i].speed_up))
            most = fmax(most, c->rows[i].speed_up);
    if (most < CHANGED)
        return;
    a1_text text = {0};
    a1_text_format(&text,
                   "%s is the same in both files (%.1f and %.1f ms) while other stages became "
                   "up to %.2fx faster: no work on the code after the network reaches it.",
                   s->next_name, next->before * 1e3, next->after * 1e3, most);
    give(draft, &text, reasons);
}

static allin1_status suspect(a1_comparison *c, const allin1_timing_records *t, const char *where,
                             a1_error *err)
{
    suspects s;
    a1_finding_draft draft;
    a1_text text = {0};
    unsigned reasons = 0;
    if (!find_suspects(t, &s))
        return ALLIN1_OK;
    a1_finding_begin(&draft, c, ALLIN1_FINDING_SUSPICION, ALLIN1_STAGE_NN);
    a1_text_format(&text,
                   "%snn takes %.1f ms, and %s right after it %.1f ms, %.0f times as much: the "
                   "network's cost may be booked there.",
                   where, s.nn_cost * 1e3, s.next_name, s.next_cost * 1e3, s.next_cost / s.nn_cost);
    a1_finding_title(&draft, &text);
    look_at_device(&draft, &s, &reasons);
    look_at_preparing(&draft, &s, &reasons);
    look_at_network(&draft, &s, &reasons);
    look_at_processor(&draft, &s, &reasons);
    look_at_change(&draft, &s, &reasons);
    a1_text_format(&text,
                   "What would show it: force the evaluation at the end of nn (in MLX "
                   "mx.eval(logits), in PyTorch torch.cuda.synchronize()) and measure again. If "
                   "%s falls and nn rises, the cost was the network's.",
                   s.next_name);
    a1_finding_cause(&draft, &text);
    if (reasons < REASONS_NEEDED)
        return draft.failed ? a1_fail_memory(err, "a comparison") : ALLIN1_OK;
    return a1_finding_end(&draft, err);
}

allin1_status a1_find_suspicions(a1_comparison *c, a1_error *err)
{
    suspects s;
    const size_t found = c->shown.finding_count;
    A1_TRY(suspect(c, c->after, "", err));
    if (c->shown.finding_count == found && find_suspects(c->before, &s))
        return suspect(c, c->before, "in BEFORE ", err);
    return ALLIN1_OK;
}
