/* tests/lsq_race.h: least-squares problems for comparing methods: those of Moré, Garbow and Hillstrom and of NIST, from
 * their starts times 1, 10 and 100.  Evaluations of r and J are counted as MINPACK counts them: r and J of the start, r
 * of each trial point, J of each accepted point. */
#ifndef TEST_LSQ_RACE_H
#define TEST_LSQ_RACE_H

#include <nnblas.h>
#include <stdlib.h>
#include <string.h>

#include "mgh.h"
#include "nist.h"

enum { RACE_MOST_M = 250, RACE_MOST_N = 12, RACE_MOST_EVALUATIONS = 2000 };
enum { RACE_CASES = 3 * (MGH_PROBLEMS + 2 * NIST_SETS) };
static const double race_factors[3] = {1, 10, 100};
/* Ends with lower f count as equal: this is rounding of residuals of size 1 and more. */
static const double race_zero = 1e-20;

typedef struct race_case {
  char name[64];
  const mgh *problem; /* or NULL: nist */
  nist_data nist;
  int n, m;
  double start[RACE_MOST_N];
} race_case;

/* f = ½ Σ r² and its cost so far. */
typedef struct race_run {
  const race_case *c;
  double target;  /* the value to reach */
  int n_r, n_J;   /* evaluations */
  int r_to, J_to; /* evaluations until f ≤ target; 0: not reached */
  double last_x[RACE_MOST_N], end;
} race_run;

/* Case i of RACE_CASES.  False if NIST's data cannot be read. */
static inline bool race_load(int i, const char *nist_folder, race_case *c) {
  const int kind = i / 3;
  const double factor = race_factors[i % 3];
  bool zero = true;
  memset(c, 0, sizeof *c);
  if (kind < MGH_PROBLEMS) {
    c->problem = &mgh_problems[kind], c->n = c->problem->n, c->m = c->problem->m;
    memcpy(c->start, c->problem->start, (size_t)c->n * sizeof *c->start);
    snprintf(c->name, sizeof c->name, "%s, x%g", c->problem->name, factor);
  } else {
    const int at = kind - MGH_PROBLEMS;
    if (!nist_read(nist_folder, &nist_sets[at / 2], &c->nist)) return false;
    c->n = c->nist.n, c->m = c->nist.m;
    memcpy(c->start, c->nist.start[at % 2], (size_t)c->n * sizeof *c->start);
    snprintf(c->name, sizeof c->name, "%s %d, x%g", c->nist.set->name, at % 2 + 1, factor);
  }
  for (int j = 0; j < c->n; j++) zero &= c->start[j] == 0, c->start[j] *= factor;
  for (int j = 0; zero && j < c->n; j++) c->start[j] = factor == 1 ? 0 : factor; /* as in MINPACK's own tests */
  return true;
}

/* r, and J (m×n, row by row) unless that is NULL. */
static inline void race_eval(const race_case *c, const double *x, double *r, double *J) {
  static double unused[RACE_MOST_M * RACE_MOST_N];
  if (c->problem) {
    double *to = J ? J : unused;
    memset(to, 0, sizeof(double) * (size_t)c->m * (size_t)c->n);
    c->problem->eval(c->n, c->m, x, r, to);
    return;
  }
  for (int i = 0; i < c->m; i++) r[i] = nist_residual(&c->nist, x, i, J ? J + (size_t)i * (size_t)c->n : NULL);
}

static inline void race_count(race_run *run, const double *x, const double *r, bool with_J) {
  const size_t bytes = (size_t)run->c->n * sizeof *x;
  double f = 0;
  for (int i = 0; i < run->c->m; i++) f += r[i] * r[i] / 2;
  if (memcmp(run->last_x, x, bytes) != 0 || run->n_r == 0) run->n_r++;
  memcpy(run->last_x, x, bytes);
  if (f <= run->target && run->r_to == 0) run->r_to = run->n_r, run->J_to = run->n_J;
  run->n_J += with_J;
}

static inline nnb_status race_rows(void *user, const double *x, size_t row0, int k, double *r, double *J, int ldj) {
  race_run *run = user;
  static double own[RACE_MOST_M * RACE_MOST_N];
  if (row0 != 0 || k != run->c->m) return NNB_E_STATE; /* small problems must come in one block */
  race_eval(run->c, x, r, J ? own : NULL);
  race_count(run, x, r, J != NULL);
  for (int i = 0; J && i < k; i++)
    memcpy(J + (size_t)i * (size_t)ldj, own + i * run->c->n, (size_t)run->c->n * sizeof *J);
  return NNB_OK;
}

/* nnb_least_squares with its defaults.  False if it rejects the start. */
static inline bool race_ours(const race_case *c, double target, race_run *run, nnb_min_report *report) {
  double x[RACE_MOST_N];
  *run = (race_run){.c = c, .target = target};
  memcpy(x, c->start, sizeof x);
  nnb_lsq lsq = {.m = (size_t)c->m, .n = (size_t)c->n, .user = run, .rows = race_rows};
  nnb_min_opts opts = {.max_iterations = NNB_NONE, .max_evaluations = 2 * RACE_MOST_EVALUATIONS};
  bool ok = nnb_least_squares(&lsq, x, &opts, report) == NNB_OK;
  run->end = ok ? report->value : HUGE_VAL;
  return ok;
}

static inline double race_target(double end1, double end2) { return fmax((1 + 1e-6) * fmin(end1, end2), race_zero); }

#endif
