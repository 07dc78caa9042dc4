/* nn/derivatives.c: derivatives of the outputs by the inputs, as further rows of the layers' products.
 *
 * Forward, a row of the batch has one row for each direction in x; backward, one for each direction in y.  They go
 * through the layers in tiles of some rows of the batch with some directions each: rows i·m … i·m+m-1 of a tile belong
 * to row i.  So a dense layer has one product for all of them, and an activation one slope for m rows. */
#include "derivatives.h"

#include <string.h>

#include "ints.h"
#include "status.h"

typedef struct tile {
  const nnb__pass *pass;
  const nnb_plan *plan;
  int part;
  int i0, b; /* rows of the batch */
  int d0, m; /* directions of each */
} tile;

/* ---- what a net can ---------------------------------------------------------------------------------------------- */

/* The first node whose layer or activation has no derivative along a direction, or NULL. */
static const nnb__node *without_tangent(const nnb_net *net) {
  for (int k = 0; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    const nnb_act_ops *act = nnb__net_act(net, node->activation);
    if (!nnb__node_is_input(node) && (!node->ops->tangent || (act->traits & NNB_ACT_ROWWISE && !act->push)))
      return node;
  }
  return NULL;
}

nnb_status nnb__check_tangents(const nnb_net *net) {
  const nnb__node *node = without_tangent(net);
  if (!node) return NNB_OK;
  return nnb__fail(NNB_E_UNSUPPORTED,
                   "%s has no derivative along a direction (%s of the %s); nnb_plan_vjp and nnb_plan_jacobian go "
                   "without",
                   node->name, node->ops->tangent ? "push" : "tangent",
                   node->ops->tangent ? "activation" : node->ops->name);
}

/* ---- tiles ------------------------------------------------------------------------------------------------------ */

/* The tile's rows of node k: the derivatives of its A, or by its A. */
static nnb_mat rows_of(const tile *t, int k) {
  return nnb__rows(t->plan->tiles[t->part * t->plan->net->n_nodes + k], 0, t->b * t->m);
}

/* Direction d of all rows of the batch. */
static nnb_mat direction(const tile *t, nnb_mat rows, int d) {
  return (nnb_mat){rows.p ? nnb__row(rows, d) : NULL, t->b, rows.cols, rows.ld * t->m};
}

/* ---- activations ------------------------------------------------------------------------------------------------- */

static void multiply(const tile *t, nnb_cmat slope, nnb_mat rows) {
  for (int i = 0; i < rows.rows; i++) {
    const real *s = nnb__crow(slope, i / t->m);
    real *row = nnb__row(rows, i);
    for (int j = 0; j < rows.cols; j++) row[j] *= s[j];
  }
}

/* rows ← rows·∂a/∂z (backward), or rows·(∂a/∂z)ᵀ */
static void through_activation(const tile *t, int k, nnb_mat rows, bool forward) {
  const nnb__state *s = &t->plan->state[k];
  if (!s->act) return;
  const nnb_cmat z = nnb__crows(nnb__read(s->z), t->i0, t->b), a = nnb__crows(nnb__read(s->a), t->i0, t->b);
  if (s->act->traits & NNB_ACT_ROWWISE) {
    for (int d = 0; d < t->m; d++) (forward ? s->act->push : s->act->pull)(s->act, z, a, direction(t, rows, d));
  } else if (t->m == 1) {
    s->act->pull(s->act, z, a, rows);
  } else {
    const nnb_mat slope = nnb__cols(nnb__rows(t->plan->slopes[t->part], 0, t->b), 0, rows.cols);
    for (int i = 0; i < t->b; i++)
      for (int j = 0; j < slope.cols; j++) nnb__row(slope, i)[j] = 1;
    s->act->pull(s->act, z, a, slope);
    multiply(t, nnb__read(slope), rows);
  }
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* The derivative of an input by each direction: a unit vector of x, or a row of the job's v; in the net's units, x' =
 * (x - shift)·factor. */
static void seed_forward(const tile *t, int k, nnb_mat rows) {
  const nnb__job *job = t->pass->job;
  const real *factor = t->plan->net->in.factor;
  const int c0 = t->plan->net->nodes[k].x_col;
  for (int i = 0; i < rows.rows; i++) {
    real *row = nnb__row(rows, i);
    const int c = t->d0 + i % t->m - c0; /* of a unit vector */
    if (job->v.p)
      memcpy(row, nnb__crow(job->v, t->i0 + i) + c0, (size_t)rows.cols * sizeof *row);
    else
      memset(row, 0, (size_t)rows.cols * sizeof *row);
    if (!job->v.p && 0 <= c && c < rows.cols) row[c] = 1;
    for (int j = 0; factor && j < rows.cols; j++) row[j] *= factor[c0 + j];
  }
}

/* J or dy ← the rows of output k: y = a/factor + shift */
static void collect_forward(const tile *t, int k, nnb_cmat rows) {
  const nnb_mat dy = t->pass->job->dy;
  const nnb_net *net = t->plan->net;
  const real *factor = net->out.factor;
  const int stride = t->pass->job->v.p ? 1 : net->n_x; /* from an output to the next */
  for (int i = 0; i < rows.rows; i++) {
    real *to = nnb__row(dy, t->i0 + i / t->m) + t->d0 + i % t->m;
    for (int j = 0, o = net->nodes[k].out_col; j < rows.cols; j++, o++)
      to[(size_t)o * (size_t)stride] = factor ? nnb__crow(rows, i)[j] / factor[o] : nnb__crow(rows, i)[j];
  }
}

static void go_forward(const tile *t) {
  nnb_cmat *da = t->plan->from_t + (size_t)t->part * (size_t)t->plan->longest;
  for (int k = 0; k < t->plan->net->n_nodes; k++) {
    const nnb__node *node = &t->plan->net->nodes[k];
    const nnb_mat rows = rows_of(t, k);
    if (nnb__node_is_input(node)) {
      seed_forward(t, k, rows);
      continue;
    }
    for (int i = 0; i < node->n_from; i++) da[i] = nnb__read(rows_of(t, node->from[i] - 1));
    const nnb_layer_io io = nnb__pass_io(t->plan, k, t->i0, t->b, t->part);
    node->ops->tangent(node->self, &io, da, t->m, rows);
    through_activation(t, k, rows, true);
    if (node->out_col >= 0) collect_forward(t, k, nnb__read(rows));
  }
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* Adds the derivative of each direction's output by this node's A. */
static void seed_back(const tile *t, const nnb__node *node, nnb_mat rows) {
  const real *factor = t->plan->net->out.factor;
  for (int i = 0; i < rows.rows; i++) {
    const int o = t->d0 + i % t->m, j = o - node->out_col;
    if (node->n_consumers == 0) memset(nnb__row(rows, i), 0, (size_t)rows.cols * sizeof(real));
    if (0 <= j && j < rows.cols) nnb__row(rows, i)[j] += factor ? 1 / factor[o] : 1;
  }
}

/* Where the derivatives by node k go: for an input its columns of J. */
static nnb_mat rows_by(const tile *t, int k) {
  const nnb_net *net = t->plan->net;
  const nnb_mat J = t->pass->job->dy;
  if (!nnb__node_is_input(&net->nodes[k])) return rows_of(t, k);
  real *first = nnb__row(J, t->i0) + (size_t)t->d0 * (size_t)net->n_x + net->nodes[k].x_col;
  return (nnb_mat){first, t->b * t->m, net->nodes[k].needs.cols, net->n_x};
}

/* The derivatives by the inputs of node k, from its Δ: at once for a layer that needs nothing of a row but Δ. */
static void hand_back(const tile *t, int k, nnb_mat delta) {
  const nnb__node *node = &t->plan->net->nodes[k];
  nnb_layer_io io = nnb__pass_io(t->plan, k, t->i0, t->b, t->part);
  const bool at_once = node->needs.affine && node->needs.scratch == 0;
  for (int i = 0; i < node->n_from; i++) {
    const int from = node->from[i] - 1;
    const nnb_mat to = rows_by(t, from);
    if (i) io.cols_before += io.a[i - 1].cols;
    io.da_beta = t->plan->state[from].first_node == k && t->plan->state[from].first_k == i ? 0 : 1;
    for (int d = 0; d < (at_once ? 1 : t->m); d++) {
      io.delta = nnb__read(at_once ? delta : direction(t, delta, d));
      io.da[i] = at_once ? to : direction(t, to, d);
      if (node->ops->prepare_back) node->ops->prepare_back(node->self, &io);
      node->ops->backward_data(node->self, &io, i);
    }
  }
}

static void unscale_rows(const tile *t) {
  const nnb_net *net = t->plan->net;
  const nnb_mat J = t->pass->job->dy;
  for (int i = 0; net->in.factor && i < t->b * t->m; i++) {
    real *row = nnb__row(J, t->i0 + i / t->m) + (size_t)(t->d0 + i % t->m) * (size_t)net->n_x;
    for (int j = 0; j < net->n_x; j++) row[j] *= net->in.factor[j];
  }
}

static void go_back(const tile *t) {
  for (int k = t->plan->net->n_nodes - 1; k >= 0; k--) {
    const nnb__node *node = &t->plan->net->nodes[k];
    if (nnb__node_is_input(node)) continue;
    const nnb_mat rows = rows_of(t, k);
    if (node->out_col >= 0) seed_back(t, node, rows);
    through_activation(t, k, rows, false);
    hand_back(t, k, rows);
  }
  unscale_rows(t);
}

/* ---- the rows ---------------------------------------------------------------------------------------------------- */

void nnb__pass_derivatives(const nnb__pass *p, int part, int r0, int n) {
  const nnb_net *net = p->plan->net;
  const bool forward = p->job->v.p || (net->n_x < net->n_y && !without_tangent(net));
  const int directions = p->job->v.p ? 1 : forward ? net->n_x : net->n_y;
  int b = p->plan->tile_rows / directions;
  /* rows of J of several rows of the batch are one matrix only without gaps */
  if (b == 0 || (!forward && p->job->dy.ld != p->job->dy.cols)) b = 1;
  for (int i = 0; i < n; i += b)
    for (int d = 0; d < directions; d += p->plan->tile_rows) {
      const tile t = {
          p, p->plan, part, r0 + i, nnb__smaller(b, n - i), d, nnb__smaller(p->plan->tile_rows, directions - d)};
      (forward ? go_forward : go_back)(&t);
    }
}
