/* nn/kron.c: for K-FAC: scores, which are Δ for targets drawn from the model, and the rows of A and Δ of each layer. */
#include "kron.h"

#include <string.h>

#include "ints.h"
#include "jacobian.h"
#include "squares.h"
#include "team.h"

typedef struct scores {
  nnb__pass pass; /* its job is the member below */
  nnb__job job;
  nnb__draw draw;
} scores;

static bool is_mean(const nnb_loss_ops *loss) { return loss->traits & (NNB_LOSS_MEAN_ROWS | NNB_LOSS_MEAN_ALL); }

static bool can_draw(const nnb_plan *plan) {
  for (int o = 0; o < plan->n_outputs; o++)
    if (!plan->state[plan->outputs[o]].loss->sample) return false;
  return true;
}

/* ---- targets drawn from the model ------------------------------------------------------------------------------- */

/* The plan's t ← targets of rows [r0, r0 + n), each row from its own random stream. */
static void draw_targets(const scores *s, int r0, int n) {
  const nnb_plan *plan = s->pass.plan;
  for (int i = r0; i < r0 + n; i++) {
    nnb_rng rng;
    nnb_rng_init(&rng, s->draw.seed, (uint64_t)s->draw.update << 32 | (uint32_t)(s->job.before + s->job.row0 + i));
    for (int o = 0; o < plan->n_outputs; o++) {
      const nnb__node *node = &plan->net->nodes[plan->outputs[o]];
      const nnb__state *state = &plan->state[plan->outputs[o]];
      nnb_mat t = nnb__rows(nnb__cols(plan->t, node->out_col, node->needs.cols), i, 1);
      state->loss->sample(state->loss, nnb__crows(nnb__read(state->a), i, 1), &rng, t);
    }
  }
}

static void subtract(nnb_cmat a, nnb_cmat t, nnb_mat d) {
  for (int i = 0; i < d.rows; i++)
    for (int j = 0; j < d.cols; j++) nnb__row(d, i)[j] = nnb__crow(a, i)[j] - nnb__crow(t, i)[j];
}

/* Multiplies rows by √(c·weight), c: the factor of the output's loss; a row of weight 0 becomes 0. */
static void scale_rows(nnb_mat d, double c, const real *weight) {
  for (int i = 0; i < d.rows; i++) {
    const real root = (real)sqrt(weight ? c * (double)weight[i] : c);
    if (root == 0)
      memset(nnb__row(d, i), 0, (size_t)d.cols * sizeof(real));
    else
      for (int j = 0; j < d.cols; j++) nnb__row(d, i)[j] *= root;
  }
}

/* d of output k ← the derivative of its loss at the drawn targets */
static void load_score(const scores *s, int k, int r0, int n) {
  const nnb__node *node = &s->pass.plan->net->nodes[k];
  const nnb__state *state = &s->pass.plan->state[k];
  nnb_cmat a = nnb__crows(nnb__read(state->a), r0, n);
  nnb_cmat t = nnb__crows(nnb__ccols(nnb__read(s->pass.plan->t), node->out_col, node->needs.cols), r0, n);
  nnb_mat d = nnb__rows(node->n_consumers ? state->tap : state->d, r0, n);
  const real *weight = s->pass.batch.weight;
  if (state->fused)
    subtract(a, t, d); /* ∂ℓ/∂z = a - t */
  else
    state->loss->value(state->loss, a, &(nnb_batch){.t = t, .norm = 1}, 1, d);
  scale_rows(d, nnb__pass_scale(node, state, s->job.norm), weight ? weight + r0 : NULL);
}

static void draw_and_go_back(void *context, int part) {
  const scores *s = context;
  const nnb_plan *plan = s->pass.plan;
  const int parts = s->pass.row_parts, rows = s->job.rows;
  const int r0 = nnb__share(rows, part, parts), n = nnb__share(rows, part + 1, parts) - r0;
  draw_targets(s, r0, n);
  for (int o = 0; o < plan->n_outputs; o++) load_score(s, plan->outputs[o], r0, n);
  nnb__pass_back(&s->pass, part, r0, n, -1);
}

/* ---- targets of the data ---------------------------------------------------------------------------------------- */

/* What the layer computes from Δ for its parameters, for rows [0, n) */
static void prepare(const nnb_plan *plan, int k, int n) {
  const nnb__node *node = &plan->net->nodes[k];
  if (!plan->state[k].needs_d || !node->ops->prepare_back) return;
  const nnb_layer_io io = nnb__pass_io(plan, k, 0, n, 0);
  node->ops->prepare_back(node->self, &io);
}

/* Δ of a row is ω·∂E_i/∂z, with ω its share of the loss.  Divided by √ω it becomes √ω·∂E_i/∂z. */
static void rescale(const scores *s) {
  const nnb_plan *plan = s->pass.plan;
  const bool mean = is_mean(plan->state[plan->outputs[0]].loss);
  for (int k = 0; k < plan->net->n_nodes; k++) {
    for (int i = 0; plan->state[k].needs_d && i < s->job.rows; i++) {
      const double weight = s->pass.batch.weight ? (double)s->pass.batch.weight[i] : 1;
      const double share = mean ? weight / s->job.norm : weight;
      const real by = (real)(share > 0 ? 1 / sqrt(share) : 0);
      for (int j = 0; j < plan->state[k].d.cols; j++) nnb__row(plan->state[k].d, i)[j] *= by;
    }
    prepare(plan, k, s->job.rows);
  }
}

/* ---- the calls -------------------------------------------------------------------------------------------------- */

void nnb__plan_scores(nnb_plan *plan, const nnb__job *job, int n, const nnb__draw *draw) {
  scores s = {.job = *job, .draw = *draw, .pass = {.plan = plan}};
  s.pass.job = &s.job;
  s.job.rows = n, s.job.what = NNB__SCORES | NNB__BACK;
  s.pass.batch.weight = nnb__pass_weights(plan, job);
  s.pass.row_parts = nnb__pass_parts(plan->flops * n, plan->threads, n);
  if (job->run.training && plan->net->whole_rows) s.pass.row_parts = 1; /* for layers that want all rows */
  if (draw->data || !can_draw(plan))
    rescale(&s);
  else
    nnb__team_run(s.pass.row_parts, draw_and_go_back, &s);
  plan->what &= ~(unsigned)NNB__BACK;
}

/* A block without pairs: the gradient of one row at a time. */
static void visit_rows(const nnb_plan *plan, int k, int r0, nnb__pairs pairs, real *gradient, nnb__pairs_fn *visit,
                       void *context) {
  const nnb_needs *needs = &plan->net->nodes[k].needs;
  const size_t n_weights = (size_t)needs->w_rows * (size_t)needs->w_cols;
  const size_t n = n_weights + (needs->bias ? (size_t)needs->w_cols : 0);
  const real *weight = pairs.weight;
  const int rows = pairs.rows;
  pairs.rows = 1;
  for (int i = 0; i < rows; i++) {
    memset(gradient, 0, n * sizeof *gradient); /* for a layer without backward functions */
    nnb__pass_layer_rows(plan, k, 0, r0 + i, 1, gradient, needs->bias ? gradient + n_weights : NULL, n);
    pairs.row = i, pairs.delta = nnb_cview(gradient, 1, (int)n), pairs.weight = weight ? weight + i : NULL;
    visit(context, &pairs);
  }
}

void nnb__plan_pairs(nnb_plan *plan, const nnb__job *job, int r0, int n, real *gradient, nnb__pairs_fn *visit,
                     void *context) {
  const real *weight = nnb__pass_weights(plan, job);
  for (int b = 0; b < plan->net->n_blocks; b++) {
    const int k = plan->net->block_node[b] - 1;
    const nnb__node *node = &plan->net->nodes[k];
    nnb__pairs pairs = {.block = b, .rows = n, .weight = weight ? weight + r0 : NULL};
    if (node->ops->kron) {
      nnb_layer_io io = nnb__pass_io(plan, k, r0, n, 0);
      node->ops->kron(node->self, &io, &pairs.a, &pairs.delta);
      visit(context, &pairs);
    } else {
      visit_rows(plan, k, r0, pairs, gradient, visit, context);
    }
  }
}
