/* opt/lsq_system.h: the linear model of a sum of squares around x, and its damped system (JᵀJ + λD²)·v = -g.
 *
 * lsq_system.c reads the residuals and J in blocks of rows and sums them to JᵀJ or to a QR factor; lsq_damped.c scales,
 * factorises and solves.  Numbers are double in both precisions; x, residuals and Jacobian are real. */
#ifndef NNB__LSQ_SYSTEM_H
#define NNB__LSQ_SYSTEM_H

#include "arena.h"
#include "optim.h"
#include "state.h"
#include "stop.h"

typedef struct nnb__system nnb__system;

/* The source of a system: all variables (nnb__full_model) or a projection (varpro.c). */
typedef struct nnb__lsq_model {
  /* *f ← f(x_new); INFINITY if f is not defined there or not finite. */
  nnb_status (*value)(nnb__system *s, double *f);
  /* Computes f, g and normal at x.  f is INFINITY if one of them is not finite. */
  nnb_status (*linearise)(nnb__system *s);
} nnb__lsq_model;

/* For r linear around x, f(x + v) = f + gᵀv + ½ vᵀ(JᵀJ)v with f(x) = ½‖r‖² + ½ Σ ridge·x²; JᵀJ includes the ridge. */
struct nnb__system {
  const nnb__lsq_model *model;
  const nnb_lsq *problem;
  nnb__stop *stop;
  size_t m; /* of this rank, as r and J (stop->comm) */
  int n;
  int rows;   /* of a block */
  int ld;     /* length of a row of J: n derivatives, the residual, zeros up to a whole vector */
  bool whole; /* J has all m rows, else one block */
  bool by_qr; /* normal has L of JᵀJ = L·Lᵀ, from a QR factorisation, because JᵀJ itself would be too inexact */
  bool ill;   /* a trial has shown that it would be: by_qr from the next model on */
  real *x, *x_new; /* n: the point of the model, and a trial point */
  real *r, *r_new; /* m: the residuals there */
  real *J;
  bool current; /* J and r belong to x; code that moves x sets it to false */
  double f;
  double penalty;           /* a term of f that does not belong to the problem */
  nnb__slope penalty_slope; /* its largest derivative */
  double ridge;             /* of every variable, if the problem has no ridge */
  double *normal;           /* n×n: JᵀJ or L; lower triangle, row by row */
  double *g;                /* n: follows normal in memory */
  double lambda;
  double *d;                /* n: D, the largest norms of the columns of J so far, 0 if always 0; one number for all
                               with .bayes */
  double floor, floor_part; /* lower bound of all D_i: a part of the largest, halved from point to point */
  const double *second;     /* n×n, symmetric: added to JᵀJ in the damped system; NULL: nothing */
  const bool *held;         /* n: variables that do not move; NULL: none */
  double *factor;           /* n×n: L of D⁻¹(JᵀJ)D⁻¹ + λI */
  double *inverse_scale;    /* n: D⁻¹ */
  double *chunk;            /* rows of J in double, or the columns of a QR update */
  double *joined;           /* n×n: to join the QR factors of ranks; NULL: there is one rank, or a tree */
  double *upper;            /* with stop->tree, levels×(n + 1)×n: the models of upper ranges */
  double *halves;           /* S×2 and a number more: ½‖r‖² of each range */
};

/* The model of all variables. */
extern const nnb__lsq_model nnb__full_model;

/* n, m, ld and rows from the problem.  NNB_E_OVERFLOW. */
nnb_status nnb__system_sizes(nnb__system *s);
/* The arrays of a system in n variables, without x, r, r_new and J. */
void nnb__system_take(nnb__system *s, nnb__arena *arena);
/* NNB_E_OVERFLOW if the arena is larger than stop->opts.max_bytes. */
nnb_status nnb__system_check_bytes(const nnb__system *s, const nnb__arena *arena);

/* The state of a system: the point, the model and its scales, without r and J. */
void nnb__system_visit(nnb__system *s, nnb__visitor *v);
/* r and J at x again, for a loaded state of nnb__full_model; does not count as an evaluation. */
nnb_status nnb__system_restore(nnb__system *s);

/* The number of rows in the block at row0; blocks end where ranges of stop->tree end. */
int nnb__system_block(const nnb__system *s, size_t row0);
/* The caller's residuals of the block at row0, and its rows of J unless J is NULL; x has all variables of the problem.
 * linear_only: the columns of the linear variables suffice. */
nnb_status nnb__system_rows(const nnb__system *s, const real *x, size_t row0, real *r, real *J, bool linear_only);
/* r ← r(x), *f ← f(x), x has all variables of the problem; INFINITY if f is not defined or not finite. */
nnb_status nnb__system_residuals(nnb__system *s, const real *x, real *r, double *f);
/* ½·Σ ridge·x² */
double nnb__system_ridge_value(const nnb__system *s, const real *x);
/* Whether g and the diagonal of JᵀJ are finite. */
bool nnb__system_finite(const nnb__system *s);
/* (JᵀJ)_ii */
double nnb__system_column_square(const nnb__system *s, int i);
/* L·Lᵀ ← L·Lᵀ + diag(value)², value(i) ≥ 0 */
void nnb__system_add_diagonal(nnb__system *s, double *l, double (*value)(const nnb__system *s, int i));
/* out ← (JᵀJ)·v */
void nnb__system_times(const nnb__system *s, const double *v, double *out);
/* out ← Jᵀu for m numbers u, with J at x, without the ridge. */
nnb_status nnb__system_pull(nnb__system *s, const real *u, double *out);

/* D ← max(D, the norms of J's columns): Moré 1978, section 6. */
void nnb__system_rescale(nnb__system *s);
/* Computes the same model by QR, which is used from then on. */
nnb_status nnb__system_turn_to_qr(nnb__system *s);
/* factor ← that of JᵀJ + λD² for the variables that are not held.  *done: false if rounding makes it not positive
 * definite. */
nnb_status nnb__system_factorise(nnb__system *s, bool *done);
/* v ← -(JᵀJ + λD²)⁻¹·v for the variables that are not held; 0 for the others. */
void nnb__system_solve(const nnb__system *s, double *v);
/* ‖D·v‖ */
double nnb__system_norm(const nnb__system *s, const double *v);

/* The ridge of variable i, which is added to the diagonal of JᵀJ. */
static inline double nnb__system_ridge(const nnb__system *s, int i) {
  return s->problem->ridge ? s->problem->ridge[i] : s->ridge;
}
/* D_i, 1 where it is 0. */
static inline double nnb__system_scale(const nnb__system *s, int i) {
  double d = s->d[i] > s->floor ? s->d[i] : s->floor;
  return d > 0 ? d : 1;
}

static inline double nnb__dot_double(int n, const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

#endif
