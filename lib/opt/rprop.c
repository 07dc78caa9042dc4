/* opt/rprop.c: iRPROP+: Igel and Hüsken, Neurocomputing 50, 2003, "Empirical evaluation of the improved Rprop learning
 * algorithms".  Each variable has its own step size, and only the signs of the gradient are used. */
#include <string.h>

#include "minimize.h"

/* η⁺, η⁻, Δ₀ and Δ_max of the paper */
static const real faster = (real)1.2, slower = (real)0.5, first = (real)0.0125, longest = 50;

typedef struct rprop {
  size_t n;
  real *size;   /* n: Δ */
  real *moved;  /* n: Δw, the last change */
  real *before; /* n: the previous gradient; 0 where its sign does not count */
  real *x, *g;  /* n: the next point, and its gradient */
  real *best_x, *best_g;
  double best;
  bool risen; /* f is higher at m->x than at the previous point */
} rprop;

static real sign(real v) { return (real)((v > 0) - (v < 0)); }

/* x ← the point after m->x. */
static void propose(const nnb__min *m, rprop *r) {
  for (size_t i = 0; i < m->n; i++) {
    const real g = m->g[i], turned = sign(g) * sign(r->before[i]);
    if (turned > 0) r->size[i] = R(fmin)(r->size[i] * faster, longest);
    if (turned < 0) r->size[i] = R(fmax)(r->size[i] * slower, REAL_EPS / 2 * R(fabs)(m->x[i]));
    if (turned >= 0)
      r->moved[i] = -sign(g) * r->size[i];
    else
      r->moved[i] = r->risen ? -r->moved[i] : 0; /* the step crossed the minimum: undo it if f has risen */
    r->before[i] = turned < 0 ? 0 : g;
    r->x[i] = m->x[i] + r->moved[i];
  }
}

/* f is not defined at x: takes smaller steps from the same point, and ignores the last ones. */
static void shrink(const nnb__min *m, rprop *r) {
  for (size_t i = 0; i < m->n; i++) r->size[i] *= slower, r->before[i] = 0;
}

static void keep_best(const nnb__min *m, rprop *r) {
  if (!(m->value < r->best)) return;
  r->best = m->value;
  memcpy(r->best_x, m->x, m->n * sizeof *m->x);
  memcpy(r->best_g, m->g, m->n * sizeof *m->g);
}

static nnb_status iterate(nnb__min *m, rprop *r) {
  double f;
  propose(m, r);
  nnb_status status = nnb__min_eval(m, r->x, &f, r->g);
  if (status) return status;
  if (isfinite(f)) {
    r->risen = f > m->value;
    nnb__min_move(m, r->x, f, r->g);
    keep_best(m, r);
  } else {
    shrink(m, r);
    if (memcmp(r->x, m->x, m->n * sizeof *m->x) == 0) nnb__stop_because(m->stop, NNB_STOP_STALLED);
    nnb__stop_early(m->stop);
  }
  return NNB_OK;
}

/* A fit keeps its best epoch itself. */
static void visit(void *self, nnb__visitor *s) {
  rprop *r = self;
  nnb__state_reals(s, "sizes", r->n, r->size);
  nnb__state_reals(s, "moved", r->n, r->moved);
  nnb__state_reals(s, "before", r->n, r->before);
  nnb__state_flag(s, "risen", &r->risen);
}

static void begin(const nnb__min *m, rprop *r) {
  for (size_t i = 0; i < m->n; i++) r->size[i] = first, r->moved[i] = r->before[i] = 0;
}

static nnb__min_needs needs(size_t n, const nnb_min_opts *o) {
  (void)n, (void)o;
  return (nnb__min_needs){.vectors = 7};
}

static nnb_status minimize(nnb__min *m) {
  const size_t n = m->n;
  real *v = m->vectors;
  rprop r = {n, v, v + n, v + 2 * n, v + 3 * n, v + 4 * n, v + 5 * n, v + 6 * n, HUGE_VAL, false};
  bool resumed;
  nnb_status status = nnb__min_begin(m, visit, &r, &resumed);
  if (status) return status;
  if (!resumed) begin(m, &r);
  keep_best(m, &r);
  m->stop->idle = 500; /* f may rise for long, and step sizes need time to grow */
  while (!status && nnb__min_goes_on(m)) status = iterate(m, &r);
  memcpy(m->x, r.best_x, n * sizeof *m->x);
  memcpy(m->g, r.best_g, n * sizeof *m->g);
  m->value = r.best;
  return status;
}

const nnb__optim_ops nnb__algo_rprop = {.name = "rprop", .minimize = minimize, .needs = needs};
