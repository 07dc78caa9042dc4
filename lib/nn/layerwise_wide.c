/* nn/layerwise_wide.c: the first phase of a layer-by-layer run in which layers are divided by columns, or want all rows
 * at once.
 *
 * Wide layers: a BLAS copies both operands of a product into the order that its kernels need.  Parts that share W and
 * have their own rows would each copy all of W.  So if W is too large for the kernels that do not pack, and the batch
 * has fewer rows than the result has columns, each part gets columns instead.
 *
 * Owned layers: a part that reads and changes the same columns of W in every update keeps them in its core's cache.  If
 * the forward product is divided by rows of the batch and the update by rows of W, half of W comes from the other
 * core's cache each time.
 *
 * A layer that couples rows or changes its buffers gets all rows: in one part, or in all of them if it can share out
 * its columns.
 *
 * A run is a list of units, four for each layer.  All parts wait for each other between units, except between two
 * units by rows and between two units by the same columns. */
#include "layerwise_wide.h"

#include "blas.h"
#include "ints.h"
#include "kernels.h"
#include "team.h"
#include "thresholds.h"
#include "view.h"

/* Forward: the product; activation and loss.  Backward: Δ from ∂E/∂A; ∂E/∂A of the inputs. */
typedef enum work { PRODUCT, FINISH, DELTA, BACK } work;

/* WHOLE: one part takes all rows; SHARED: all parts take all rows, and the layer divides its work among them. */
typedef enum division { ROWS, COLUMNS, WHOLE, SHARED } division;

typedef struct unit {
  work what;
  int k; /* the node */
  division by;
} unit;

/* ---- how the units are divided ----------------------------------------------------------------------------------- */

static double weight_bytes(const nnb_needs *needs) { return (double)needs->w_rows * needs->w_cols * sizeof(real); }

static bool is_whole(const nnb__pass *p, int k) {
  return p->job->run.training && nnb__node_wants_whole(&p->plan->net->nodes[k]);
}

/* Whether B×n = (B×m)·(m×n), or the product for ∂E/∂A, is divided by columns. */
static bool by_columns(const nnb__pass *p, int k, int n) {
  const nnb_needs *needs = &p->plan->net->nodes[k].needs;
  if (!needs->by_columns || is_whole(p, k)) return false;
  if (weight_bytes(needs) > nnb__threshold.unpacked_bytes) return p->job->rows < n;
  return p->owned && weight_bytes(needs) >= nnb__threshold.owned_bytes;
}

bool nnb__layerwise_wide_owns(const nnb__pass *p, int k) {
  const nnb__node *node = &p->plan->net->nodes[k];
  return p->owned && node->ops->kron && by_columns(p, k, node->needs.w_cols);
}

/* Whether columns of A follow from the same columns of Z, and likewise Δ. */
static bool elementwise(const nnb__pass *p, int k) {
  const nnb__state *s = &p->plan->state[k];
  return p->plan->net->nodes[k].out_col < 0 && !s->slope.p && !(s->act && s->act->traits & NNB_ACT_ROWWISE);
}

/* Whether node k has one consumer, which has one input and computes ∂E/∂A by columns. */
static bool handed_columns(const nnb__pass *p, int k) {
  const nnb__node *node = &p->plan->net->nodes[k];
  if (node->n_consumers != 1) return false;
  const int reader = p->plan->state[k].first_node;
  return p->plan->net->nodes[reader].n_from == 1 && by_columns(p, reader, node->needs.cols);
}

static division divide(const nnb__pass *p, int k, bool columns) {
  if (is_whole(p, k)) return p->plan->net->nodes[k].needs.by_columns ? SHARED : WHOLE;
  return columns ? COLUMNS : ROWS;
}

static unit unit_at(const nnb__pass *p, int i) {
  const int n = p->plan->net->n_nodes;
  const bool forward = i < 2 * n;
  const int k = forward ? i / 2 : 2 * n - 1 - i / 2;
  const nnb__node *node = &p->plan->net->nodes[k];
  const bool columns = by_columns(p, k, node->needs.w_cols);
  if (forward && i % 2 == 0) return (unit){PRODUCT, k, divide(p, k, columns)};
  if (forward) return (unit){FINISH, k, columns && elementwise(p, k) ? COLUMNS : ROWS};
  if (i % 2 == 0) return (unit){DELTA, k, handed_columns(p, k) && elementwise(p, k) ? COLUMNS : ROWS};
  return (unit){BACK, k, divide(p, k, node->n_from == 1 && by_columns(p, k, node->needs.w_rows))};
}

static bool is_done(const nnb__pass *p, int i) {
  const unit u = unit_at(p, i);
  if (u.what == PRODUCT || u.what == FINISH) return !nnb__node_is_input(&p->plan->net->nodes[u.k]);
  return p->job->what & NNB__BACK && nnb__pass_goes_back(p->plan, u.k);
}

/* Whether a part can go on with unit b before the other parts have ended unit a. */
static bool follows(unit a, unit b) {
  if (a.by == ROWS && b.by == ROWS) return true;
  if (a.by != COLUMNS || b.by != COLUMNS) return false;
  return (a.what == PRODUCT && b.what == FINISH) || (a.what == BACK && b.what == DELTA);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

typedef struct segment {
  const nnb__pass *pass;
  int begin, end; /* units */
  bool load;      /* and the rows before */
} segment;

/* The part's columns of node k: where they begin. */
static int first_column(const nnb__pass *p, int part, int k) {
  return nnb__share(p->plan->net->nodes[k].needs.cols, part, p->row_parts);
}

static void run_unit(const nnb__pass *p, unit u, int part) {
  const nnb__node *node = &p->plan->net->nodes[u.k];
  const bool columns = u.by == COLUMNS || u.by == SHARED;
  const int r0 = u.by == ROWS ? nnb__pass_first_row(p, part) : 0;
  const int n = u.by == ROWS ? nnb__pass_n_rows(p, part) : p->job->rows;
  const int c0 = first_column(p, part, u.k), n_columns = first_column(p, part + 1, u.k) - c0;
  nnb_layer_io io = (u.what == PRODUCT ? nnb__pass_io_forward : nnb__pass_io)(p->plan, u.k, r0, n, part);
  if (columns) io.part = part, io.parts = p->row_parts; /* FINISH and DELTA are never SHARED */
  if (u.what == PRODUCT) node->ops->forward(node->self, &io);
  if (u.what == FINISH && columns) nnb__pass_activate_columns(p, u.k, c0, n_columns);
  if (u.what == FINISH && !columns) nnb__pass_finish(p, part, u.k, r0, n);
  if (u.what == DELTA && columns) nnb__pass_pull_columns(p, u.k, c0, n_columns);
  if (u.what == DELTA && !columns) nnb__pass_delta(p, u.k, r0, n, -1);
  if (u.what == BACK) nnb__pass_hand_back(p->plan, u.k, &io);
}

static void run_segment(void *context, int part) {
  const segment *s = context;
  if (s->load) nnb__pass_load(s->pass, nnb__pass_first_row(s->pass, part), nnb__pass_first_row(s->pass, part + 1));
  for (int i = s->begin; i < s->end; i++)
    if (is_done(s->pass, i)) run_unit(s->pass, unit_at(s->pass, i), part);
}

bool nnb__layerwise_wide_divides(const nnb__pass *p) {
  for (int k = 0; k < p->plan->net->n_nodes; k++)
    if (by_columns(p, k, p->plan->net->nodes[k].needs.w_cols)) return true;
  return false;
}

bool nnb__layerwise_wide_suits(const nnb__pass *p) {
  if (p->row_parts == 1 || (p->job->what & (NNB__RESIDUALS | NNB__TANGENTS | NNB__SECOND))) return false;
  if (NNB__HAS_SLOPES(p->job)) return false;
  return (p->job->run.training && p->plan->net->whole_rows) || nnb__layerwise_wide_divides(p);
}

void nnb__layerwise_wide_run(const nnb__pass *p) {
  const int n = 4 * p->plan->net->n_nodes;
  segment s = {.pass = p, .load = true};
  unit before = {.by = ROWS};
  for (int i = 0; i < n; i++) {
    if (!is_done(p, i)) continue;
    const unit u = unit_at(p, i);
    if (!follows(before, u)) {
      s.end = i;
      nnb__team_run(before.by == WHOLE ? 1 : p->row_parts, run_segment, &s);
      s.begin = i, s.load = false;
    }
    before = u;
  }
  s.end = n;
  nnb__team_run(before.by == WHOLE ? 1 : p->row_parts, run_segment, &s);
}

/* ---- the parameters of owned layers ------------------------------------------------------------------------------ */

void nnb__layerwise_wide_params(const nnb__pass *p, int k, const nnb_sink *sink, int part) {
  const nnb__node *node = &p->plan->net->nodes[k];
  const nnb_needs *needs = &node->needs;
  const int c0 = nnb__share(needs->w_cols, part, p->param_parts);
  const int n = nnb__share(needs->w_cols, part + 1, p->param_parts) - c0;
  nnb_layer_io io = nnb__pass_io(p->plan, k, 0, p->job->rows, part);
  nnb_cmat a, delta;
  node->ops->kron(node->self, &io, &a, &delta);
  delta = nnb__ccols(delta, c0, n);
  if (sink->w)
    nnb__gemm_update(sink->alpha, a, delta, sink->beta,
                     nnb__cols(nnb_view(sink->w, needs->w_rows, needs->w_cols), c0, n));
  if (sink->b) nnb__kernel()->col_sums(delta, sink->alpha, sink->beta_bias, sink->b + c0);
}
