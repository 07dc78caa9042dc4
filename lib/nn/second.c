/* nn/second.c: derivatives along directions of x, carried forward, and derivatives of these, carried back.
 *
 * Forward, each node has beside Z and A their first derivatives along m directions for each row of the batch, and up to
 * the second ones: with f', f'' at Z
 *
 *   Ż = Ȧ_prev·W      Ȧ = f'Ż
 *   Z̈ = Ä_prev·W      Ä = f'Z̈ + f''Ż²
 *
 * Backward, from the derivatives of a number E by A, Ȧ, Ä of the outputs to those of every node (d, d1, d2):
 *
 *   ∂E/∂Z̈ = f'·d2
 *   ∂E/∂Ż = f'·d1 + 2f''Ż·d2
 *   ∂E/∂Z = f'·d + Σ (f''Ż·d1 + (f''Z̈ + f'''Ż²)·d2)      over the directions
 *
 * The layers are affine, so all of these are further rows of the products forward and back, and ∂E/∂W is the sum of the
 * products [A Ȧ Ä]ᵀ·[d d1 d2]. */
#include "second.h"

#include <string.h>

#include "act_slopes.h"
#include "squares.h"
#include "status.h"

/* The rows of one part.  The matrices have m rows for each row of the batch, one for each direction; `only` ≥ 0: they
 * are read as if there were that direction alone. */
typedef struct jets {
  const nnb__pass *pass;
  const nnb_plan *plan;
  int part, r0, n, m, order, only;
} jets;

/* A net for predictions may be without it. */
static bool is_folded(const nnb__node *node) {
  return node->ops == &nnb__layer_dropout || node->ops == &nnb__layer_batchnorm;
}

nnb_status nnb__check_second(const nnb_net *net, int order) {
  for (int k = 0; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    const nnb_act_ops *act = nnb__net_act(net, node->activation);
    if (nnb__node_is_input(node)) continue;
    if (!node->ops->tangent || !node->needs.affine || node->needs.scratch > 0)
      return nnb__fail(NNB_E_UNSUPPORTED, "%s: the layer %s has no second derivatives; wanted an affine layer%s",
                       node->name, node->ops->name, is_folded(node) ? " (nnb_net_fold makes a net without it)" : "");
    if (!nnb__act_bends(act, order + 1))
      return nnb__fail(NNB_E_UNSUPPORTED, "%s: the activation %s has no derivatives of order %d", node->name, act->name,
                       order + 1);
  }
  return NNB_OK;
}

/* prepare_back is called for Δ and for its derivatives, and the last call would remain. */
static nnb_status check_work(const nnb__node *node) {
  if (node->needs.work == 0 || !node->ops->prepare_back) return NNB_OK;
  return nnb__fail(NNB_E_UNSUPPORTED,
                   "%s: the layer %s keeps numbers of all rows (work), so the net takes no targets of derivatives",
                   node->name, node->ops->name);
}

/* A loss that is computed from Z, or takes classes, has no meaning for derivatives. */
static nnb_status check_loss(const nnb_net *net, const nnb__node *node) {
  const nnb_loss_ops *loss = nnb__net_loss_ops(net, node);
  const bool fused = loss->fused && (int)loss->fuses == node->activation;
  if (!fused && !(loss->traits & (NNB_LOSS_PROBABILITIES | NNB_LOSS_CLASSES))) return NNB_OK;
  return nnb__fail(
      NNB_E_UNSUPPORTED,
      "the loss of %s is %s, which does not take targets of derivatives; mse and other losses of numbers do",
      node->name, loss->name);
}

nnb_status nnb__check_slopes(const nnb_net *net) {
  nnb_status status = nnb__check_second(net, 1);
  if (!status) status = nnb__net_check_uncoupled(net, "a loss with targets of derivatives");
  for (int k = 0; k < net->n_nodes && !status; k++) {
    status = check_work(&net->nodes[k]);
    if (!status && net->nodes[k].out_col >= 0) status = check_loss(net, &net->nodes[k]);
  }
  return status;
}

/* ---- views of the part's rows ------------------------------------------------------------------------------------ */

static nnb_mat of_rows(const jets *j, nnb_mat m) { return nnb__rows(m, j->r0, j->n); }
static int n_directions(const jets *j) { return j->only < 0 ? j->m : 1; }
/* Direction i of all rows. */
static nnb_mat direction(const jets *j, nnb_mat all, int i) {
  return (nnb_mat){all.p ? nnb__row(all, j->r0 * j->m + i) : NULL, j->n, all.cols, all.ld * j->m};
}
static nnb_mat of_directions(const jets *j, nnb_mat all) {
  return j->only < 0 ? nnb__rows(all, j->r0 * j->m, j->n * j->m) : direction(j, all, j->only);
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

static void clear(nnb_mat m) {
  for (int i = 0; i < m.rows; i++) memset(nnb__row(m, i), 0, (size_t)m.cols * sizeof(real));
}

/* The directions are rows of the job's v, in the net's units: x' = (x - shift)·factor.  v.p NULL: those of the x'. */
static void seed_input(const jets *j, int k) {
  const nnb__jet *jet = &j->plan->jets[k];
  const nnb_cmat v = j->pass->job->v;
  const real *factor = j->plan->net->in.factor;
  const int c0 = j->plan->net->nodes[k].x_col;
  const nnb_mat a1 = of_directions(j, jet->a1);
  clear(a1);
  if (j->order > 1) clear(of_directions(j, jet->a2));
  for (int i = 0; i < a1.rows; i++) {
    const int unit = i % j->m - c0;
    if (!v.p && 0 <= unit && unit < a1.cols) nnb__row(a1, i)[unit] = 1;
    for (int c = 0; v.p && c < a1.cols; c++)
      nnb__row(a1, i)[c] = nnb__crow(v, j->r0 + i)[c0 + c] * (factor ? factor[c0 + c] : 1);
  }
}

static void find_slopes(const jets *j, int k) {
  const nnb__state *s = &j->plan->state[k];
  const nnb__jet *jet = &j->plan->jets[k];
  const nnb_cmat z = nnb__read(of_rows(j, s->z)), a = nnb__read(of_rows(j, s->a));
  const nnb_mat f1 = of_rows(j, jet->f1);
  for (int i = 0; i < f1.rows; i++)
    for (int c = 0; c < f1.cols; c++) nnb__row(f1, i)[c] = 1;
  s->act->pull(s->act, z, a, f1);
  nnb__act_slope(s->act, 2, z, a, of_rows(j, jet->f2));
  if (j->order > 1) nnb__act_slope(s->act, 3, z, a, of_rows(j, jet->f3));
}

static void copy(nnb_cmat from, nnb_mat to) {
  for (int i = 0; i < to.rows; i++) memcpy(nnb__row(to, i), nnb__crow(from, i), (size_t)to.cols * sizeof(real));
}

/* Ȧ, Ä from Ż, Z̈, element by element */
static void activate_elements(const jets *j, int k) {
  const nnb__jet *jet = &j->plan->jets[k];
  const nnb_mat a1 = of_directions(j, jet->a1), z1 = of_directions(j, jet->z1);
  for (int i = 0; i < a1.rows; i++) {
    const int row = j->r0 + i / n_directions(j);
    const real *f1 = nnb__row(jet->f1, row), *f2 = nnb__row(jet->f2, row), *z = nnb__row(z1, i);
    for (int c = 0; c < a1.cols; c++) nnb__row(a1, i)[c] = f1[c] * z[c];
    if (j->order == 1) continue;
    const real *zz = nnb__row(of_directions(j, jet->z2), i);
    real *aa = nnb__row(of_directions(j, jet->a2), i);
    for (int c = 0; c < a1.cols; c++) aa[c] = f1[c] * zz[c] + f2[c] * z[c] * z[c];
  }
}

static void activate(const jets *j, int k) {
  const nnb__state *s = &j->plan->state[k];
  const nnb__jet *jet = &j->plan->jets[k];
  if (s->act && !(s->act->traits & NNB_ACT_ROWWISE)) {
    find_slopes(j, k);
    activate_elements(j, k);
    return;
  }
  copy(nnb__read(of_directions(j, jet->z1)), of_directions(j, jet->a1));
  if (j->order > 1) copy(nnb__read(of_directions(j, jet->z2)), of_directions(j, jet->a2));
  for (int i = 0; s->act && i < n_directions(j); i++)
    s->act->push(s->act, nnb__read(of_rows(j, s->z)), nnb__read(of_rows(j, s->a)), direction(j, jet->a1, i));
}

/* The inputs' derivatives for node k: a1 or a2 of the nodes that it reads. */
static const nnb_cmat *inputs_of(const jets *j, int k, int order) {
  const nnb__node *node = &j->plan->net->nodes[k];
  nnb_cmat *list = j->plan->from_t + (size_t)j->part * (size_t)j->plan->longest;
  for (int i = 0; i < node->n_from; i++) {
    const nnb__jet *from = &j->plan->jets[node->from[i] - 1];
    list[i] = nnb__read(of_directions(j, order == 1 ? from->a1 : from->a2));
  }
  return list;
}

static void go_forward(const jets *j) {
  for (int k = 0; k < j->plan->net->n_nodes; k++) {
    const nnb__node *node = &j->plan->net->nodes[k];
    if (nnb__node_is_input(node)) {
      seed_input(j, k);
      continue;
    }
    const nnb__jet *jet = &j->plan->jets[k];
    const nnb_layer_io io = nnb__pass_io(j->plan, k, j->r0, j->n, j->part);
    node->ops->tangent(node->self, &io, inputs_of(j, k, 1), j->m, of_directions(j, jet->z1));
    if (j->order > 1) node->ops->tangent(node->self, &io, inputs_of(j, k, 2), j->m, of_directions(j, jet->z2));
    activate(j, k);
  }
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* d, d1, d2: from the derivatives by A, Ȧ, Ä to those by Z, Ż, Z̈, element by element */
static void pull_elements(const jets *j, int k) {
  const nnb__jet *jet = &j->plan->jets[k];
  const nnb_mat d = of_rows(j, j->plan->state[k].d), d1 = of_directions(j, jet->d1), z1 = of_directions(j, jet->z1);
  for (int i = 0; i < d.rows; i++)
    for (int c = 0; c < d.cols; c++) nnb__row(d, i)[c] *= nnb__row(jet->f1, j->r0 + i)[c];
  for (int i = 0; i < d1.rows; i++) {
    const int row = j->r0 + i / n_directions(j);
    const real *f1 = nnb__row(jet->f1, row), *f2 = nnb__row(jet->f2, row), *z = nnb__row(z1, i);
    real *dz = nnb__row(d, i / n_directions(j)), *one = nnb__row(d1, i);
    for (int c = 0; c < d.cols; c++) dz[c] += f2[c] * z[c] * one[c], one[c] *= f1[c];
    if (j->order == 1) continue;
    const real *f3 = nnb__row(jet->f3, row), *zz = nnb__row(of_directions(j, jet->z2), i);
    real *two = nnb__row(of_directions(j, jet->d2), i);
    for (int c = 0; c < d.cols; c++) {
      dz[c] += (f2[c] * zz[c] + f3[c] * z[c] * z[c]) * two[c];
      one[c] += 2 * f2[c] * z[c] * two[c];
      two[c] *= f1[c];
    }
  }
}

static void pull(const jets *j, int k) {
  const nnb__state *s = &j->plan->state[k];
  const nnb__jet *jet = &j->plan->jets[k];
  if (s->da.p) copy(nnb__read(of_rows(j, s->d)), of_rows(j, s->da));
  if (!s->act) return;
  if (!(s->act->traits & NNB_ACT_ROWWISE)) {
    pull_elements(j, k);
    return;
  }
  const nnb_cmat z = nnb__read(of_rows(j, s->z)), a = nnb__read(of_rows(j, s->a));
  s->act->pull(s->act, z, a, of_rows(j, s->d));
  for (int i = 0; i < n_directions(j); i++) {
    const int at = j->only < 0 ? i : j->only;
    const nnb_mat d1 = direction(j, jet->d1, at);
    nnb__act_bend(s->act, z, a, nnb__read(direction(j, jet->z1, at)), nnb__read(d1), of_rows(j, s->d));
    s->act->pull(s->act, z, a, d1);
  }
}

/* The derivatives by the inputs of node k, from one of its d, d1, d2; order 0: d. */
static void hand_back(const jets *j, int k, int order) {
  const nnb__node *node = &j->plan->net->nodes[k];
  const nnb__jet *jet = &j->plan->jets[k];
  nnb_layer_io io = nnb__pass_io(j->plan, k, j->r0, j->n, j->part);
  if (order > 0) {
    io.delta = nnb__read(of_directions(j, order == 1 ? jet->d1 : jet->d2));
    for (int i = 0; i < node->n_from; i++) {
      const nnb__jet *from = &j->plan->jets[node->from[i] - 1];
      io.da[i] = of_directions(j, order == 1 ? from->d1 : from->d2);
    }
  }
  nnb__pass_hand_back(j->plan, k, &io);
}

/* The number E whose derivatives are carried back. */
typedef struct goal {
  bool loss;     /* the loss, whose derivatives by the outputs are there after the forward passes; else */
  nnb_cmat of;   /* Σ of·ẏ; of.p NULL: */
  int o, c;      /* y, ẏ or ÿ (c 0, 1, 2) of output o, in the data's units, or */
  bool residual; /* in the net's units, times */
  double root;   /* root·√weight */
} goal;

static void add(nnb_mat d, nnb_cmat more) {
  for (int i = 0; more.p && i < d.rows; i++)
    for (int c = 0; c < d.cols; c++) nnb__row(d, i)[c] += nnb__crow(more, i)[c];
}

/* The factor of output o in row i: y = a/factor + shift */
static real seed_at(const jets *j, const goal *e, int o, int i) {
  const real *factor = j->plan->net->out.factor, *weight = j->pass->batch.weight;
  const int row = j->r0 + i / n_directions(j);
  if (e->residual) return (real)e->root * (weight ? R(sqrt)(weight[row]) : 1);
  return (e->of.p ? nnb__crow(e->of, row)[o] : 1) / (factor ? factor[o] : 1);
}

static void seed_output(const jets *j, int k, const goal *e) {
  const nnb__node *node = &j->plan->net->nodes[k];
  const nnb__jet *jet = &j->plan->jets[k];
  const nnb__state *s = &j->plan->state[k];
  const nnb_mat d[] = {of_rows(j, s->d), of_directions(j, jet->d1), of_directions(j, jet->d2)};
  if (e->loss) {
    add(d[0], nnb__crows(nnb__read(s->tap), j->r0, j->n));
    add(d[1], nnb__crows(nnb__read(jet->tap), j->r0 * j->m, j->n * j->m));
    return;
  }
  for (int c = 0; node->n_consumers == 0 && c <= j->order; c++) clear(d[c]);
  for (int i = 0; i < j->n * n_directions(j); i++)
    for (int at = 0, o = node->out_col; at < node->needs.cols; at++, o++)
      if (e->of.p || o == e->o) nnb__row(d[e->of.p ? 1 : e->c], i)[at] += seed_at(j, e, o, i);
}

static void go_back(const jets *j, const goal *e) {
  for (int k = j->plan->net->n_nodes - 1; k >= 0; k--) {
    const nnb__node *node = &j->plan->net->nodes[k];
    if (nnb__node_is_input(node)) continue;
    if (node->out_col >= 0) seed_output(j, k, e);
    pull(j, k);
    for (int order = 0; order <= j->order; order++) hand_back(j, k, order);
  }
}

/* ---- derivatives by the parameters ------------------------------------------------------------------------------- */

/* Row i of node k: ∂E/∂W = Aᵀ·d + Ȧᵀ·d1 + Äᵀ·d2, ∂E/∂b = d */
static void params_row(const jets *j, int k, int i, real *w, real *b) {
  const nnb__node *node = &j->plan->net->nodes[k];
  const nnb__jet *jet = &j->plan->jets[k];
  jets one = *j;
  one.r0 = j->r0 + i, one.n = 1;
  nnb_layer_io io = nnb__pass_io(j->plan, k, one.r0, 1, j->part);
  nnb_sink sink = {.w = w, .b = b, .alpha = 1};
  node->ops->backward_params(node->self, &io, &sink);
  sink.beta = 1, sink.b = NULL;
  for (int order = 1; node->needs.levels == 0 && order <= j->order; order++) {
    io.a = inputs_of(&one, k, order);
    io.delta = nnb__read(of_directions(&one, order == 1 ? jet->d1 : jet->d2));
    node->ops->backward_params(node->self, &io, &sink);
  }
}

/* A row of weight 0 is 0, even if the net's values are not finite. */
static void params_rows(const jets *j, int i, real *J) {
  const nnb_net *net = j->plan->net;
  const real *weight = j->pass->batch.weight;
  const bool weightless = weight && weight[j->r0 + i] == 0;
  for (int n = 0; n < net->n_blocks; n++) {
    const nnb__block *block = &net->blocks[n];
    const unsigned skip = j->pass->job->columns == NNB__EVERY ? 0 : block->frozen;
    const size_t n_w = skip & NNB_WEIGHTS ? 0 : (size_t)block->rows * (size_t)block->cols;
    const size_t n_b = !block->bias || skip & NNB_BIAS ? 0 : (size_t)block->cols;
    const int k = net->block_node[n] - 1;
    if (net->nodes[k].ops->backward_params && !weightless)
      params_row(j, k, i, n_w ? J : NULL, n_b ? J + n_w : NULL);
    else
      memset(J, 0, (n_w + n_b) * sizeof *J);
    J += n_w + n_b;
  }
}

/* ---- targets of derivatives -------------------------------------------------------------------------------------- */

static jets slopes_of(const nnb__pass *p, int part, int r0, int n) {
  return (jets){p, p->plan, part, r0, n, p->plan->net->n_x, 1, -1};
}

/* Adds the loss of the derivatives of output k by each input; computes its derivatives by them if the run goes back. */
static void add_loss(const jets *j, int k) {
  const nnb__node *node = &j->plan->net->nodes[k];
  const nnb__state *s = &j->plan->state[k];
  const nnb__jet *jet = &j->plan->jets[k];
  const real *weight = j->pass->batch.weight;
  const double scale = nnb__slope_scale(j->plan->net, s->loss);
  const double norm = j->pass->job->norm, factor = nnb__pass_scale(node, s, norm) * scale;
  for (int i = 0; i < j->m; i++) {
    const nnb_batch rows = {.t = nnb__ccols(nnb__read(direction(j, j->plan->dt, i)), node->out_col, node->needs.cols),
                            .weight = weight ? weight + j->r0 : NULL,
                            .norm = norm};
    nnb_mat d = {0};
    if (j->pass->job->what & NNB__BACK) d = direction(j, node->n_consumers ? jet->tap : jet->d1, i);
    *nnb__pass_partial_loss(j->plan, j->part, k) +=
        scale * s->loss->value(s->loss, nnb__read(direction(j, jet->a1, i)), &rows, (real)factor, d);
  }
}

void nnb__pass_slopes(const nnb__pass *p, int part, int r0, int n) {
  const jets j = slopes_of(p, part, r0, n);
  go_forward(&j);
  for (int o = 0; p->job->what & NNB__LOSS && o < p->plan->n_outputs; o++) add_loss(&j, p->plan->outputs[o]);
  if (p->job->what & NNB__BACK) go_back(&j, &(goal){.loss = true});
}

void nnb__pass_slope_params(const nnb__pass *p, int k, nnb_layer_io *io, nnb_sink sink, int part) {
  const nnb__node *node = &p->plan->net->nodes[k];
  const jets j = slopes_of(p, part, 0, p->job->rows);
  sink.beta = 1, sink.b = NULL;
  io->a = inputs_of(&j, k, 1);
  io->delta = nnb__read(of_directions(&j, p->plan->jets[k].d1));
  if (sink.w && node->needs.levels == 0) node->ops->backward_params(node->self, io, &sink);
}

/* The residuals of ∂y_o/∂x_i for output k, behind those of the outputs, and their derivatives. */
static void slope_rows(const jets *all, int k, double root) {
  const nnb_net *net = all->plan->net;
  const nnb__job *job = all->pass->job;
  const size_t n_r = nnb__n_residuals(net, job->batch);
  const int c0 = net->nodes[k].out_col;
  jets j = *all;
  for (int o = c0; o < c0 + net->nodes[k].needs.cols; o++)
    for (j.only = 0; j.only < net->n_x; j.only++) {
      const goal e = {.o = o, .c = 1, .residual = true, .root = root};
      const nnb_mat a1 = of_directions(&j, j.plan->jets[k].a1), t = of_directions(&j, j.plan->dt);
      if (job->J) go_back(&j, &e);
      for (int i = 0; i < j.n; i++) {
        const size_t at = (size_t)(j.r0 + i) * n_r + (size_t)(net->n_y + o * net->n_x + j.only);
        const real by = seed_at(&j, &e, o, i);
        job->r[at] = by == 0 ? 0 : by * (nnb__row(a1, i)[o - c0] - nnb__row(t, i)[o]);
        if (job->J) params_rows(&j, i, job->J + at * job->ldj);
      }
    }
}

void nnb__pass_slope_rows(const nnb__pass *p, int part, int r0, int n) {
  const jets j = slopes_of(p, part, r0, n);
  for (int o = 0; o < p->plan->n_outputs; o++) {
    const int k = p->plan->outputs[o];
    const double scale = nnb__slope_scale(p->plan->net, p->plan->state[k].loss);
    slope_rows(&j, k, nnb__output_root(p->plan->net, k, p->job->norm) * sqrt(scale));
  }
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

/* y ← the values and derivatives of the outputs */
static void collect(const jets *j) {
  const nnb_net *net = j->plan->net;
  const real *factor = net->out.factor, *shift = net->out.shift;
  for (int n = 0; n < j->plan->n_outputs; n++) {
    const int k = j->plan->outputs[n];
    const nnb_mat from[] = {j->plan->state[k].a, j->plan->jets[k].a1, j->plan->jets[k].a2};
    for (int i = j->r0; i < j->r0 + j->n; i++)
      for (int c = 0; c <= j->order; c++)
        for (int at = 0, o = net->nodes[k].out_col; at < net->nodes[k].needs.cols; at++, o++) {
          const real v = nnb__row(from[c], i)[at];
          nnb__row(j->pass->job->dy, i)[c * net->n_y + o] = factor ? v / factor[o] + (c == 0 ? shift[o] : 0) : v;
        }
  }
}

static void taylor(const jets *j) {
  const nnb__job *job = j->pass->job;
  const int n_y = j->plan->net->n_y;
  collect(j);
  for (int c = 0; job->J && c <= j->order; c++)
    for (int o = 0; o < n_y; o++) {
      go_back(j, &(goal){.o = o, .c = c});
      for (int i = 0; i < j->n; i++) {
        const size_t row = ((size_t)(j->r0 + i) * (size_t)(j->order + 1) + (size_t)c) * (size_t)n_y + (size_t)o;
        params_rows(j, i, job->J + row * job->ldj);
      }
    }
}

void nnb__pass_second(const nnb__pass *p, int part, int r0, int n) {
  const jets j = {p, p->plan, part, r0, n, 1, p->job->degree, -1};
  go_forward(&j);
  if (p->job->of.p)
    go_back(&j, &(goal){.of = p->job->of});
  else
    taylor(&j);
}
