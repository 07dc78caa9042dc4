/* opt/cg.c: nonlinear conjugate gradients with the direction of Hager and Zhang (SIAM J. Optim. 16, 2005), which
 * satisfies gᵀd ≤ -⅞·‖g‖² for every line search. */
#include <string.h>

#include "blas.h"
#include "descend.h"

typedef struct cg {
  size_t n;
  real *d, *y; /* n each: the last direction, and the change of the gradient along it */
  bool begun;
} cg;

/* β = (y - 2d·‖y‖²/dᵀy)ᵀg/dᵀy, at least η = -1/(‖d‖·min(0.01, ‖g_before‖)): eqs. 1.3 to 1.6 */
static double beta(const cg *c, const real *g) {
  double dy = nnb__dot(c->n, c->d, c->y), dd = nnb__sum_squares(c->n, c->d);
  if (!(dy > 0)) return 0;
  double before = 0; /* ‖g - y‖² */
  for (size_t i = 0; i < c->n; i++) before += (double)(g[i] - c->y[i]) * (double)(g[i] - c->y[i]);
  double b = (nnb__dot(c->n, c->y, g) - 2 * nnb__sum_squares(c->n, c->y) * nnb__dot(c->n, c->d, g) / dy) / dy;
  double least = -1 / (sqrt(dd) * fmin(0.01, sqrt(before)));
  return fmax(b, least);
}

/* d ← -g + β·d */
static void direction(void *self, const real *g, real *d) {
  cg *c = self;
  const real b = c->begun ? (real)beta(c, g) : 0;
  for (size_t i = 0; i < c->n; i++) d[i] = (b != 0 ? b * c->d[i] : 0) - g[i];
  memcpy(c->d, d, c->n * sizeof *d);
}

static void update(void *self, const real *s, const real *y) {
  cg *c = self;
  (void)s;
  memcpy(c->y, y, c->n * sizeof *y);
  c->begun = true;
}

static void reset(void *self) { ((cg *)self)->begun = false; }

static void visit(void *self, nnb__visitor *s) {
  cg *c = self;
  nnb__state_reals(s, "direction", c->n, c->d);
  nnb__state_reals(s, "y", c->n, c->y);
  nnb__state_flag(s, "begun", &c->begun);
}

static nnb__min_needs needs(size_t n, const nnb_min_opts *o) {
  (void)n, (void)o;
  return (nnb__min_needs){.vectors = NNB__DESCENT_VECTORS + 2};
}

static nnb_status minimize(nnb__min *m) {
  real *vectors = m->vectors + NNB__DESCENT_VECTORS * m->n;
  cg c = {.n = m->n, .d = vectors, .y = vectors + m->n};
  nnb__descent method = {&c, .gtol = 0.1, .unit_step = false, direction, update, reset, visit};
  return nnb__descend(m, &method, m->vectors);
}

const nnb__optim_ops nnb__algo_cg = {.name = "cg", .minimize = minimize, .needs = needs};
