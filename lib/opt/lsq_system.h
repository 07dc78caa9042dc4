/* opt/lsq_system.h: the linear model of a sum of squares around x, and its damped system (JᵀJ + λD²)·v = -g.
 *
 * lsq_system.c reads the residuals and J in blocks of rows and sums them to JᵀJ or to a QR factor; lsq_damped.c scales,
 * factorises and solves.  Numbers are double in both precisions; x, residuals and Jacobian are real. */
#ifndef NNB__LSQ_SYSTEM_H
#define NNB__LSQ_SYSTEM_H

#include "arena.h"
#include "optim.h"
#include "stop.h"

typedef struct nnb__system nnb__system;

/* Where the numbers of a system come from: all variables (nnb__full_model) or a projection (varpro.c). */
typedef struct nnb__lsq_model {
  /* *f ← f(x_new); INFINITY where it is not defined or not finite. */
  nnb_status (*value)(nnb__system *s, double *f);
  /* f, g and normal at x.  f is INFINITY where one of them is not finite. */
  nnb_status (*linearise)(nnb__system *s);
} nnb__lsq_model;

/* f(x) = ½‖r‖² + ½ Σ ridge·x² is, for r linear around x, f + gᵀv + ½ vᵀ(JᵀJ)v; JᵀJ includes the ridge. */
struct nnb__system {
  const nnb__lsq_model *model;
  const nnb_lsq *problem;
  nnb__stop *stop;
  size_t m;
  int n;
  int rows;        /* of a block */
  int ld;          /* of rows of J: n derivatives, the residual, zeros up to a whole vector */
  bool whole;      /* J holds all m rows, else one block */
  bool by_qr;      /* normal holds L of JᵀJ = L·Lᵀ, from a QR factorisation: JᵀJ itself would be too inexact */
  real *x, *x_new; /* n: the point of the model, and a trial point */
  real *r, *r_new; /* m: the residuals there */
  real *J;
  bool current; /* J and r are those of x: set to false by whoever moves x */
  double f;
  double penalty;           /* a term of f that is not the problem's … */
  nnb__slope penalty_slope; /* … and its largest derivative */
  double ridge;                  /* of every variable, where the problem has none of its own */
  double *normal;                /* n×n: JᵀJ or L; lower triangle, row by row */
  double *g;                     /* n: behind normal */
  double lambda;
  double *d;                /* n: D, the largest norms that the columns of J have had, 0 where always 0; one number for
                               all with .bayes */
  double floor, floor_part; /* no D_i counts as less than floor: a part of the largest, halved from point to point */
  const double *second;     /* n×n, symmetric: added to JᵀJ in the damped system; NULL: nothing */
  const bool *held;         /* n: variables that stay where they are; NULL: none */
  double *factor;           /* n×n: L of D⁻¹(JᵀJ)D⁻¹ + λI */
  double *inverse_scale;    /* n: D⁻¹ */
  double *chunk;            /* rows of J in double, or the columns of a QR update */
};

/* The model of all variables. */
extern const nnb__lsq_model nnb__full_model;

/* n, m, ld and rows from the problem.  NNB_E_OVERFLOW. */
nnb_status nnb__system_sizes(nnb__system *s);
/* The arrays that a system in n variables needs, but for x, r, r_new and J. */
void nnb__system_take(nnb__system *s, nnb__arena *arena);
/* NNB_E_OVERFLOW where the arena is larger than stop->opts.max_bytes. */
nnb_status nnb__system_check_bytes(const nnb__system *s, const nnb__arena *arena);

/* The number of rows in the block at row0. */
int nnb__system_block(const nnb__system *s, size_t row0);
/* The caller's residuals of the block at row0, x being all variables of the problem, and J's rows unless J is NULL.
 * linear_only: the columns of the linear variables are enough. */
nnb_status nnb__system_rows(const nnb__system *s, const real *x, size_t row0, real *r, real *J, bool linear_only);
/* r ← r(x), *f ← f(x), x being all variables of the problem; INFINITY where f is not defined or not finite. */
nnb_status nnb__system_residuals(nnb__system *s, const real *x, real *r, double *f);
/* ½·Σ ridge·x² */
double nnb__system_ridge_value(const nnb__system *s, const real *x);
/* g and the diagonal of JᵀJ are finite. */
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
/* The same model by QR, from now on. */
nnb_status nnb__system_turn_to_qr(nnb__system *s);
/* factor ← that of JᵀJ + λD², of the variables that are not held.  *done: false where rounding leaves it without one.
 */
nnb_status nnb__system_factorise(nnb__system *s, bool *done);
/* v ← -(JᵀJ + λD²)⁻¹·v of the variables that are not held, 0 of the others. */
void nnb__system_solve(const nnb__system *s, double *v);
/* ‖D·v‖ */
double nnb__system_norm(const nnb__system *s, const double *v);

/* What the diagonal of JᵀJ is raised by. */
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
