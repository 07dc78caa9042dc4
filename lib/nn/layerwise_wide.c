/* nn/layerwise_wide.c: the first phase of a layer-by-layer run for wide layers, and for layers that want all rows at
 * once: all threads wait for each other after each layer.
 *
 * A BLAS copies both operands of a product into the order that its kernels need.  Parts that share W and have their own
 * rows would each copy all of W.  So if W is too large for the kernels that do not pack, and the batch has fewer rows
 * than the result has columns, each part gets columns instead.  A layer that couples rows or
 * changes its buffers is run by one part. */
#include "layerwise_wide.h"

#include "ints.h"
#include "team.h"
#include "thresholds.h"

typedef struct step {
  const nnb__pass *pass;
  int k; /* the node */
} step;

/* Whether B×n = (B×m)·(m×n), or the product for ∂E/∂A, is divided by columns. */
static bool by_columns(const nnb_needs *needs, int rows, int n) {
  double bytes = (double)needs->w_rows * needs->w_cols * sizeof(real);
  return needs->by_columns && rows < n && bytes > nnb__threshold.unpacked_bytes;
}

bool nnb__layerwise_wide_suits(const nnb__pass *p) {
  if (p->row_parts == 1 || (p->job->what & NNB__RESIDUALS)) return false;
  if (p->job->run.training && p->plan->net->whole_rows) return true;
  for (int k = 0; k < p->plan->net->n_nodes; k++)
    if (by_columns(&p->plan->net->nodes[k].needs, p->job->rows, p->plan->net->nodes[k].needs.w_cols)) return true;
  return false;
}

/* Whether one part takes all rows through the layer. */
static bool is_whole(const step *s) {
  return s->pass->job->run.training && nnb__node_wants_whole(&s->pass->plan->net->nodes[s->k]);
}

typedef nnb_layer_io make_io(const nnb_plan *plan, int k, int r0, int n, int part);

static nnb_layer_io step_io(const step *s, int part, bool columns, make_io *make) {
  const nnb__pass *p = s->pass;
  if (is_whole(s)) return make(p->plan, s->k, 0, p->job->rows, part);
  if (!columns) return make(p->plan, s->k, nnb__pass_first_row(p, part), nnb__pass_n_rows(p, part), part);
  nnb_layer_io io = make(p->plan, s->k, 0, p->job->rows, part);
  io.part = part, io.parts = p->row_parts;
  return io;
}

static void step_load(void *context, int part) {
  const nnb__pass *p = ((const step *)context)->pass;
  nnb__pass_load(p, nnb__pass_first_row(p, part), nnb__pass_first_row(p, part + 1));
}

static void step_forward(void *context, int part) {
  const step *s = context;
  const nnb__node *node = &s->pass->plan->net->nodes[s->k];
  const bool columns = by_columns(&node->needs, s->pass->job->rows, node->needs.w_cols);
  nnb_layer_io io = step_io(s, part, columns, nnb__pass_io_forward);
  node->ops->forward(node->self, &io);
}

static void step_finish(void *context, int part) {
  const step *s = context;
  nnb__pass_finish(s->pass, part, s->k, nnb__pass_first_row(s->pass, part), nnb__pass_n_rows(s->pass, part));
}

static void step_delta(void *context, int part) {
  const step *s = context;
  nnb__pass_delta(s->pass, s->k, nnb__pass_first_row(s->pass, part), nnb__pass_n_rows(s->pass, part), -1);
}

static void step_back(void *context, int part) {
  const step *s = context;
  const nnb_needs *needs = &s->pass->plan->net->nodes[s->k].needs;
  nnb_layer_io io = step_io(s, part, by_columns(needs, s->pass->job->rows, needs->w_rows), nnb__pass_io);
  nnb__pass_hand_back(s->pass->plan, s->k, &io);
}

void nnb__layerwise_wide_run(const nnb__pass *p) {
  const nnb_plan *plan = p->plan;
  const int parts = p->row_parts;
  step s = {.pass = p};
  nnb__team_run(parts, step_load, &s);
  for (s.k = 0; s.k < plan->net->n_nodes; s.k++) {
    if (nnb__node_is_input(&plan->net->nodes[s.k])) continue;
    nnb__team_run(is_whole(&s) ? 1 : parts, step_forward, &s);
    nnb__team_run(parts, step_finish, &s);
  }
  for (s.k = plan->net->n_nodes - 1; s.k >= 0 && (p->job->what & NNB__BACK); s.k--) {
    if (!nnb__pass_goes_back(plan, s.k)) continue;
    nnb__team_run(parts, step_delta, &s);
    nnb__team_run(is_whole(&s) ? 1 : parts, step_back, &s);
  }
}
