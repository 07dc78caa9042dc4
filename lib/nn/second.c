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
#include "status.h"

/* The rows of one part; m directions for each row. */
typedef struct jets {
  const nnb__pass *pass;
  const nnb_plan *plan;
  int part, r0, n, m, order;
} jets;

nnb_status nnb__check_second(const nnb_net *net, int order) {
  for (int k = 0; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    const nnb_act_ops *act = nnb__net_act(net, node->activation);
    if (nnb__node_is_input(node)) continue;
    if (!node->ops->tangent || !node->needs.affine || node->needs.scratch > 0)
      return nnb__fail(NNB_E_UNSUPPORTED, "%s: the layer %s has no second derivatives; wanted an affine layer",
                       node->name, node->ops->name);
    if (!nnb__act_bends(act, order + 1))
      return nnb__fail(NNB_E_UNSUPPORTED, "%s: the activation %s has no derivatives of order %d", node->name, act->name,
                       order + 1);
  }
  return NNB_OK;
}

/* ---- views of the part's rows ------------------------------------------------------------------------------------ */

static nnb_mat of_rows(const jets *j, nnb_mat m) { return nnb__rows(m, j->r0, j->n); }
static nnb_mat of_directions(const jets *j, nnb_mat m) { return nnb__rows(m, j->r0 * j->m, j->n * j->m); }
/* Direction i of all rows. */
static nnb_mat direction(const jets *j, nnb_mat all, int i) {
  const nnb_mat rows = of_directions(j, all);
  return (nnb_mat){nnb__row(rows, i), j->n, rows.cols, rows.ld * j->m};
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* The directions are rows of the job's u, in the net's units: x' = (x - shift)·factor. */
static void seed_input(const jets *j, int k) {
  const nnb__jet *jet = &j->plan->jets[k];
  const real *factor = j->plan->net->in.factor;
  const int c0 = j->plan->net->nodes[k].x_col;
  const nnb_mat a1 = of_directions(j, jet->a1);
  for (int i = 0; i < a1.rows; i++) {
    const real *u = nnb__crow(j->pass->job->v, j->r0 * j->m + i) + c0;
    for (int c = 0; c < a1.cols; c++) nnb__row(a1, i)[c] = factor ? u[c] * factor[c0 + c] : u[c];
    if (j->order > 1) memset(nnb__row(of_directions(j, jet->a2), i), 0, (size_t)a1.cols * sizeof(real));
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
    const int row = j->r0 + i / j->m;
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
  for (int i = 0; s->act && i < j->m; i++)
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
    const int row = j->r0 + i / j->m;
    const real *f1 = nnb__row(jet->f1, row), *f2 = nnb__row(jet->f2, row), *z = nnb__row(z1, i);
    real *dz = nnb__row(d, i / j->m), *one = nnb__row(d1, i);
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
  if (!s->act) return;
  if (!(s->act->traits & NNB_ACT_ROWWISE)) {
    pull_elements(j, k);
    return;
  }
  const nnb_cmat z = nnb__read(of_rows(j, s->z)), a = nnb__read(of_rows(j, s->a));
  s->act->pull(s->act, z, a, of_rows(j, s->d));
  for (int i = 0; i < j->m; i++) {
    const nnb_mat d1 = direction(j, jet->d1, i);
    nnb__act_bend(s->act, z, a, nnb__read(direction(j, jet->z1, i)), nnb__read(d1), of_rows(j, s->d));
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

static void clear(nnb_mat m) {
  for (int i = 0; i < m.rows; i++) memset(nnb__row(m, i), 0, (size_t)m.cols * sizeof(real));
}

/* The number E whose derivatives are carried back: Σ of·y of the derivatives along the directions (of.p not NULL), or
 * one number of y: output o of order c. */
typedef struct goal {
  nnb_cmat of;
  int o, c;
} goal;

static void seed_output(const jets *j, int k, const goal *e) {
  const nnb__node *node = &j->plan->net->nodes[k];
  const nnb__jet *jet = &j->plan->jets[k];
  const real *factor = j->plan->net->out.factor; /* y = a/factor + shift */
  const nnb_mat d[] = {of_rows(j, j->plan->state[k].d), of_directions(j, jet->d1), of_directions(j, jet->d2)};
  for (int c = 0; node->n_consumers == 0 && c <= j->order; c++) clear(d[c]);
  for (int i = 0; i < j->n * j->m; i++)
    for (int at = 0, o = node->out_col; at < node->needs.cols; at++, o++) {
      const real by = factor ? factor[o] : 1;
      if (e->of.p) nnb__row(d[1], i)[at] += nnb__crow(e->of, j->r0 + i / j->m)[o] / by;
      if (!e->of.p && o == e->o) nnb__row(d[e->c], i)[at] += 1 / by;
    }
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
  const jets one = {j->pass, j->plan, j->part, j->r0 + i, 1, j->m, j->order};
  nnb_layer_io io = nnb__pass_io(j->plan, k, one.r0, 1, j->part);
  nnb_sink sink = {.w = w, .b = b, .alpha = 1};
  node->ops->backward_params(node->self, &io, &sink);
  sink.beta = 1, sink.b = NULL;
  for (int order = 1; order <= j->order; order++) {
    io.a = inputs_of(&one, k, order);
    io.delta = nnb__read(of_directions(&one, order == 1 ? jet->d1 : jet->d2));
    node->ops->backward_params(node->self, &io, &sink);
  }
}

static void params_rows(const jets *j, int i, real *J) {
  const nnb_net *net = j->plan->net;
  for (int n = 0; n < net->n_blocks; n++) {
    const nnb__block *block = &net->blocks[n];
    const int k = net->block_node[n] - 1;
    real *w = J + block->off, *b = block->bias ? w + (size_t)block->rows * (size_t)block->cols : NULL;
    if (net->nodes[k].ops->backward_params)
      params_row(j, k, i, w, b);
    else
      memset(w, 0, (size_t)(block->rows + block->bias) * (size_t)block->cols * sizeof *w);
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
  const jets j = {p, p->plan, part, r0, n, 1, p->job->degree};
  go_forward(&j);
  if (p->job->of.p)
    go_back(&j, &(goal){.of = p->job->of});
  else
    taylor(&j);
}
