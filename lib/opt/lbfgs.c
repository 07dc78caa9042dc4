/* opt/lbfgs.c: limited-memory BFGS: Nocedal, Math. Comp. 35, 1980; Liu and Nocedal 1989 for the scaling; bounds by
 * opt/descend.c. */
#include <string.h>

#include "blas.h"
#include "descend.h"

typedef struct lbfgs {
  size_t n, most, used, newest;
  real *s, *y;         /* most×n, a ring */
  double *rho, *alpha; /* most; rho: 1/sᵀy */
  double gamma;        /* H₀ = γ·I */
} lbfgs;

/* Pair k; 0 is the newest. */
static size_t pair(const lbfgs *b, size_t k) { return (b->newest + b->most - k) % b->most; }

static void scale_into(size_t n, double factor, const real *from, real *to) {
  for (size_t i = 0; i < n; i++) to[i] = (real)(factor * (double)from[i]);
}

/* d ← -H·g by the two loops (Nocedal and Wright 2006, algorithm 7.4) */
static void direction(void *self, const real *g, real *d) {
  lbfgs *b = self;
  const size_t n = b->n;
  scale_into(n, -1, g, d);
  for (size_t k = 0; k < b->used; k++) {
    size_t p = pair(b, k);
    b->alpha[p] = b->rho[p] * nnb__dot(n, b->s + p * n, d);
    nnb__axpy(n, (real)-b->alpha[p], b->y + p * n, d);
  }
  if (b->used) scale_into(n, b->gamma, d, d);
  for (size_t k = b->used; k-- > 0;) {
    size_t p = pair(b, k);
    double beta = b->rho[p] * nnb__dot(n, b->y + p * n, d);
    nnb__axpy(n, (real)(b->alpha[p] - beta), b->s + p * n, d);
  }
  for (size_t i = 0; i < n; i++)
    if (g[i] == 0) d[i] = 0; /* at a bound */
}

/* Pairs without enough curvature are skipped, because they would spoil H. */
static void update(void *self, const real *s, const real *y) {
  lbfgs *b = self;
  const size_t n = b->n;
  double sy = nnb__dot(n, s, y), yy = nnb__sum_squares(n, y);
  if (!(sy > (double)REAL_EPS * sqrt(yy * nnb__sum_squares(n, s)))) return;
  b->newest = (b->newest + 1) % b->most;
  if (b->used < b->most) b->used++;
  memcpy(b->s + b->newest * n, s, n * sizeof *s);
  memcpy(b->y + b->newest * n, y, n * sizeof *y);
  b->rho[b->newest] = 1 / sy;
  b->gamma = sy / yy;
}

static void reset(void *self) { ((lbfgs *)self)->used = 0; }

static void visit(void *self, nnb__visitor *s) {
  lbfgs *b = self;
  nnb__state_size(s, "used", b->most, &b->used);
  nnb__state_size(s, "newest", b->most - 1, &b->newest);
  nnb__state_reals(s, "steps", b->most * b->n, b->s);
  nnb__state_reals(s, "changes", b->most * b->n, b->y);
  nnb__state_doubles(s, "rho", b->most, b->rho);
  nnb__state_number(s, "gamma", 0, HUGE_VAL, &b->gamma);
}

static nnb__min_needs needs(size_t n, const nnb_min_opts *o) {
  (void)n;
  return (nnb__min_needs){NNB__DESCENT_VECTORS + 2 * (size_t)o->memory, 2 * (size_t)o->memory};
}

static nnb_status minimize(nnb__min *m) {
  const size_t most = (size_t)m->stop->opts.memory;
  real *pairs = m->vectors + NNB__DESCENT_VECTORS * m->n;
  lbfgs b = {
      .n = m->n, .most = most, .s = pairs, .y = pairs + most * m->n, .rho = m->doubles, .alpha = m->doubles + most};
  nnb__descent method = {&b, .gtol = 0.9, .unit_step = true, direction, update, reset, visit};
  return nnb__descend(m, &method, m->vectors);
}

const nnb__optim_ops nnb__algo_lbfgs = {
    .name = "lbfgs", .traits = NNB__TRAIT_BOUNDS | NNB__TRAIT_LIMITED, .minimize = minimize, .needs = needs};
