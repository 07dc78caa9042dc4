/* opt/minimize.c: shared by the minimisers: an evaluation, a move, the norm of the gradient. */
#include "minimize.h"

#include <string.h>

#include "alloc.h"
#include "bounds.h"
#include "status.h"
#include "view.h"

nnb_status nnb__min_eval(nnb__min *m, const real *x, double *f, real *g) {
  *f = HUGE_VAL;
  unsigned messages = nnb__fail_count();
  nnb_status status = m->f->eval(m->f->user, x, f, g);
  nnb__stop_count(m->stop);
  if (status && status != NNB_E_NUMERIC) return nnb__fail_callback(status, "eval", messages);
  if (status || !isfinite(*f) || (g && !nnb__all_finite(m->n, g))) *f = HUGE_VAL;
  return NNB_OK;
}

static void visit(void *self, nnb__visitor *s) {
  nnb__min *m = self;
  nnb__state_reals(s, "x", m->n, m->x);
  nnb__state_reals(s, "gradient", m->n, m->g);
  nnb__state_number(s, "value", -DBL_MAX, DBL_MAX, &m->value);
  m->visit(m->self, s);
}

nnb_status nnb__min_begin(nnb__min *m, nnb__visit *of_method, void *self, bool *resumed) {
  m->visit = of_method, m->self = self;
  return nnb__keep_begin(m->stop, visit, m, resumed);
}

double nnb__min_norm(const nnb__min *m) {
  real norm = 0;
  for (size_t i = 0; i < m->n; i++) {
    bool held = m->lower && nnb__held((double)m->g[i], m->x[i], m->lower[i], m->upper[i]);
    if (!held) norm = R(fmax)(norm, R(fabs)(m->g[i]));
  }
  return (double)norm;
}

nnb__slope nnb__min_slope(const nnb__min *m) {
  const double norm = nnb__min_norm(m);
  return (nnb__slope){norm, norm};
}

bool nnb__min_move(nnb__min *m, const real *x_new, double f, const real *g_new) {
  double step = nnb__max_difference(m->n, x_new, m->x);
  memcpy(m->x, x_new, m->n * sizeof *m->x);
  memcpy(m->g, g_new, m->n * sizeof *m->g);
  m->value = f;
  return nnb__stop_iteration(m->stop, f, nnb__min_slope(m), step, m->x);
}
