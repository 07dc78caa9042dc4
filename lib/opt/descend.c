/* opt/descend.c: direction, line search, update, until the stopping rule ends it.  With bounds it is the two-metric
 * projection of Bertsekas (SIAM J. Control Optim. 20, 1982): variables at a bound that the gradient pushes against it
 * are held, the method works on the others, and steps that would leave the box are projected onto it. */
#include "descend.h"

#include <string.h>

#include "blas.h"
#include "linesearch.h"

typedef struct loop {
  nnb__min *m;
  const nnb__descent *method;
  nnb__line line;
  real *d, *free_g, *y; /* n each; free_g: the gradient, 0 where a variable is held */
  double slope_before, step_before;
  bool fresh; /* the method has learned nothing since the start or a reset */
} loop;

/* The distance within which a variable counts as at its bound: Bertsekas's ε, so that a bound is not approached in ever
 * smaller steps. */
static real near_bound(const nnb__min *m) {
  double squares = 0;
  for (size_t i = 0; i < m->n; i++) {
    double moved = (double)(R(fmin)(R(fmax)(m->x[i] - m->g[i], m->lower[i]), m->upper[i]) - m->x[i]);
    squares += moved * moved;
  }
  return (real)fmin(sqrt((double)REAL_EPS), sqrt(squares));
}

/* Sets free_g, and d of the held variables, which go to their bound. */
static bool hold(loop *l, bool set_d) {
  nnb__min *m = l->m;
  bool any = false;
  if (!set_d) memcpy(l->free_g, m->g, m->n * sizeof *m->g);
  if (!m->lower) return false;
  const real near = near_bound(m);
  for (size_t i = 0; i < m->n; i++) {
    bool low = m->g[i] > 0 && m->x[i] <= m->lower[i] + near, high = m->g[i] < 0 && m->x[i] >= m->upper[i] - near;
    if (!low && !high) continue;
    any = true;
    if (set_d)
      l->d[i] = (low ? m->lower[i] : m->upper[i]) - m->x[i];
    else
      l->free_g[i] = 0;
  }
  return any;
}

/* Computes d and its slope; d is -g if the method's direction does not descend. */
static void choose_direction(loop *l) {
  nnb__min *m = l->m;
  hold(l, false);
  for (int attempt = 0; attempt < 2; attempt++) {
    l->method->direction(l->method->self, l->free_g, l->d);
    hold(l, true);
    l->line.slope = nnb__dot(m->n, m->g, l->d);
    if (l->line.slope < 0) return;
    l->method->reset(l->method->self);
    l->fresh = true;
  }
}

/* The longest step inside the box. */
static double longest_step(const loop *l) {
  const nnb__min *m = l->m;
  double most = 1e20;
  for (size_t i = 0; m->lower && i < m->n; i++) {
    real bound = l->d[i] > 0 ? m->upper[i] : m->lower[i];
    if (l->d[i] != 0) most = fmin(most, (double)(bound - m->x[i]) / (double)l->d[i]);
  }
  return most;
}

/* The first step moves x by no more than its size, and no more than 1.  Later steps are expected to lower f as much as
 * the previous one: Nocedal and Wright 2006, eq. 3.60. */
static double first_trial(const loop *l) {
  const nnb__min *m = l->m;
  if (!l->fresh && l->method->unit_step) return 1;
  if (l->step_before > 0 && !l->fresh) return l->step_before * l->slope_before / l->line.slope;
  double norm = sqrt(nnb__sum_squares(m->n, l->d)), size = sqrt(nnb__sum_squares(m->n, m->x));
  return fmin(1, (size > 0 ? fmin(1, size) : 1) / norm);
}

static nnb__line_end search(loop *l, nnb_status *status) {
  l->line.a = first_trial(l);
  double inside = longest_step(l);
  l->line.most = 1e20;
  if (inside < l->line.a) return nnb__line_project(l->m, &l->line, status);
  l->line.most = inside;
  return nnb__line_wolfe(l->m, &l->line, status);
}

/* s (in d) and y, for the method; with bounds 0 for variables that were held. */
static void learn(loop *l) {
  nnb__min *m = l->m;
  for (size_t i = 0; i < m->n; i++) {
    bool held = l->free_g[i] == 0 && m->g[i] != 0;
    l->d[i] = held ? 0 : l->line.x[i] - m->x[i];
    l->y[i] = held ? 0 : l->line.g[i] - m->g[i];
  }
  l->method->update(l->method->self, l->d, l->y);
  l->fresh = false;
}

/* Discards what the method has learned, unless that is nothing. */
static void restart(loop *l) {
  if (l->fresh) nnb__stop_because(l->m->stop, NNB_STOP_STALLED);
  if (nnb__stop_early(l->m->stop)) return;
  l->method->reset(l->method->self);
  l->fresh = true;
}

static nnb_status iterate(loop *l) {
  nnb_status status = NNB_OK;
  choose_direction(l);
  if (!(l->line.slope < 0)) {
    nnb__stop_because(l->m->stop, NNB_STOP_STALLED);
    return NNB_OK;
  }
  const nnb__line_end end = search(l, &status);
  if (end == NNB__LINE_ERROR) return status;
  if (end == NNB__LINE_FAILED) {
    restart(l);
    return NNB_OK;
  }
  l->slope_before = l->line.slope, l->step_before = l->line.a;
  learn(l);
  nnb__min_move(l->m, l->line.x, l->line.f, l->line.g);
  return NNB_OK;
}

static void visit(void *self, nnb__visitor *s) {
  loop *l = self;
  nnb__state_number(s, "slope_before", -HUGE_VAL, HUGE_VAL, &l->slope_before);
  nnb__state_number(s, "step_before", -HUGE_VAL, HUGE_VAL, &l->step_before);
  nnb__state_flag(s, "fresh", &l->fresh);
  l->method->visit(l->method->self, s);
}

nnb_status nnb__descend(nnb__min *m, const nnb__descent *method, real *vectors) {
  const size_t n = m->n;
  loop l = {.m = m, .method = method, .d = vectors, .free_g = vectors + n, .y = vectors + 2 * n, .fresh = true};
  l.line = (nnb__line){.d = l.d, .ftol = 1e-4, .gtol = method->gtol, .x = vectors + 3 * n, .g = vectors + 4 * n};
  bool resumed;
  nnb_status status = nnb__min_begin(m, visit, &l, &resumed);
  if (!resumed) method->reset(method->self);
  while (!status && nnb__min_goes_on(m)) status = iterate(&l);
  return status;
}
