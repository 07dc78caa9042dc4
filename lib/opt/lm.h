/* opt/lm.h: Levenberg–Marquardt in parts: a linear model of the residuals, of all variables (lm_solve.c) or of some
 * while the others are solved for (varpro.c), the damped system (lm_solve.c), its solution within bounds (lm_box.c),
 * the step and its damping (lm.c).  Inside, numbers are double in both precisions; x, residuals and Jacobian are real.
 */
#ifndef NNB__LM_H
#define NNB__LM_H

#include "arena.h"
#include "optim.h"
#include "stop.h"

typedef struct nnb__lm nnb__lm;

/* What the step is made from. */
typedef struct nnb__lm_model {
  /* f at x_new; INFINITY where it is not defined or not finite. */
  nnb_status (*value)(nnb__lm *lm, double *f);
  /* f, g, normal at x, and what the model keeps besides.  f is INFINITY where one of them is not finite. */
  nnb_status (*linearise)(nnb__lm *lm);
} nnb__lm_model;

struct nnb__lm {
  const nnb__lm_model *model;
  const nnb_lsq *problem;
  nnb__stop *stop;
  size_t m;
  int n;
  int rows;   /* of a block */
  int ld;     /* of rows of J: those of the problem, r, and zeros up to a whole vector */
  bool whole; /* J holds all m rows, else one block */
  bool by_qr; /* normal holds L of JᵀJ = L·Lᵀ, found by QR, because JᵀJ itself would not be exact enough */
  real *x, *x_new;
  const real *point; /* the variables of the problem, where x stands for some of them only; else x */
  double moved;      /* the largest change of one of the others in the last step */
  bool accelerates;  /* bends its steps */
  bool fast;         /* … not where the last one lowered f by much */
  bool stalled;      /* nothing is gained any more */
  double slow;       /* stalled, too, when so many … */
  int slow_over;     /* … iterations leave more than this part of f; 0: not */
  real *r, *r_new;   /* m: the residuals at x and x_new */
  real *J;           /* rows of n, and r */
  /* f(x) = ½‖r‖² + ½ Σ ridge·x², linear in r around x: f + gᵀv + ½ vᵀ(JᵀJ)v; lower triangles, row by row */
  double f, *g;      /* g: behind normal */
  double aside;      /* a part of f that is not the problem's … */
  double aside_norm; /* … and its largest derivative */
  double *normal;    /* n×n: JᵀJ, or L */
  double *factor;    /* n×n: L of D⁻¹(JᵀJ)D⁻¹ + λI */
  double *d;         /* D: the largest norms that the columns of J have had, 0 for a column that was always 0; with
                        .bayes one number for all */
  double floor, part; /* no D_i counts as less than this: a part of the largest or of ‖r‖, halved from point to point */
  double lambda, growth;
  double ridge; /* α/β, where it is not the problem's own */
  nnb_evidence evidence, next;
  double left;   /* what is left to gain, in units of the log evidence */
  int calm;      /* iterations for which that has been next to nothing */
  double *pairs; /* secants: NNB__PAIRS times s, w and y */
  int first_pair, n_pairs;
  double least_squares;  /* what ½‖r‖² is taken for where it is less: rounding */
  double *v, *a, *p, *t; /* n: velocity, acceleration, step; right-hand side */
  /* With bounds, else NULL; n each: */
  real *lower, *upper;
  bool *held;                /* at a bound, and to stay there: no variables of the damped system */
  double *slope, *slope_new; /* the slope of the damped model at v: what is left of it are pushes against bounds */
  double *chunk;             /* rows of J in double, or columns for the QR */
};

/* The model of all variables. */
extern const nnb__lm_model nnb__lm_full;

/* Lays a problem out in memory: *bytes, at most stop->opts.max_bytes, or NNB_E_OVERFLOW. */
nnb_status nnb__lm_measure(nnb__lm *lm, size_t *bytes);
void nnb__lm_lay_out(nnb__lm *lm, void *memory);
/* Parts of it: n, m and rows from the problem; what systems in n variables need. */
nnb_status nnb__lm_sizes(nnb__lm *lm);
void nnb__lm_take_system(nnb__lm *lm, nnb__arena *arena);
nnb_status nnb__lm_check_bytes(const nnb__lm *lm, const nnb__arena *arena);

/* The model at x, where damping and scales start anew.  NNB_E_NUMERIC where it is not finite. */
nnb_status nnb__lm_begin(nnb__lm *lm);
/* Steps from there until stop says that it is time to end, or nothing is gained any more. */
nnb_status nnb__lm_search(nnb__lm *lm);
double nnb__lm_gradient_norm(const nnb__lm *lm);
/* Tells stop how it ended. */
void nnb__lm_end(const nnb__lm *lm, double gradient_norm);

/* The next block of rows from row0 on. */
int nnb__lm_block(const nnb__lm *lm, size_t row0);
/* The caller's residuals of the block at row0 for all variables of the problem, and their derivatives unless J is NULL;
 * linear_only: those with respect to linear variables may be all. */
nnb_status nnb__lm_ask(const nnb__lm *lm, const real *x, size_t row0, real *r, real *J, bool linear_only);
/* r ← r(x), *f ← f(x) for all variables of the problem; INFINITY where it is not defined or not finite. */
nnb_status nnb__lm_residuals(nnb__lm *lm, const real *x, real *r, double *f);
/* The same model by QR, from now on. */
nnb_status nnb__lm_turn_to_qr(nnb__lm *lm);
/* ½·Σ ridge·x² */
double nnb__lm_ridge_value(const nnb__lm *lm, const real *x);
/* f, g and the diagonal of normal are finite. */
bool nnb__lm_finite(const nnb__lm *lm);
/* out ← (JᵀJ)·v, the ridge within */
void nnb__lm_times(const nnb__lm *lm, const double *v, double *out);
/* D ← max(D, the norms of J's columns): Moré 1978, section 6. */
void nnb__lm_rescale(nnb__lm *lm);
/* factor ← that of JᵀJ + λD², of the variables that are not held.  False where rounding leaves it without one. */
nnb_status nnb__lm_factorise(nnb__lm *lm, bool *done);
/* x ← -(JᵀJ + λD²)⁻¹·x of the variables that are not held, 0 of the others. */
void nnb__lm_solve(const nnb__lm *lm, double *x);
/* v ← the step within bounds, and what is held in it.  False where the system has no solution. */
nnb_status nnb__lm_step_in_box(nnb__lm *lm, bool *done);
/* out ← Jᵀs for m numbers s, with J at x. */
nnb_status nnb__lm_pull(nnb__lm *lm, const real *s, double *out);
/* What the diagonal of JᵀJ is raised by. */
static inline double nnb__lm_ridge(const nnb__lm *lm, int i) {
  return lm->problem->ridge ? lm->problem->ridge[i] : lm->ridge;
}
/* D_i, 1 where it is 0. */
static inline double nnb__lm_scale(const nnb__lm *lm, int i) {
  double d = lm->d[i] > lm->floor ? lm->d[i] : lm->floor;
  return d > 0 ? d : 1;
}

static inline double nnb__lm_dot(const nnb__lm *lm, const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < lm->n; i++) sum += a[i] * b[i];
  return sum;
}

/* Bayesian regularisation (evidence.c).  First guesses of α and β, at x, where the model has no ridge yet. */
void nnb__evidence_begin(nnb__lm *lm);
/* evidence ← that of the present α and β; next: the α and β to follow.  *gradient_norm ← that of f with these. */
nnb_status nnb__evidence_measure(nnb__lm *lm, double *gradient_norm);
/* Goes on to them: f, g and normal change. */
nnb_status nnb__evidence_update(nnb__lm *lm);
/* Near a minimum, where secants tell of the Hessian. */
bool nnb__evidence_near(const nnb__lm *lm);
/* Whether nothing has been left to gain for some time. */
bool nnb__evidence_settled(nnb__lm *lm);

/* Secants (secant.c): corrections of A + λD² from the last steps. */
enum { NNB__PAIRS = 5 };
void nnb__secants_forget(nnb__lm *lm);
/* Of the step from x_before, with its gradient, to x; f must be the same. */
void nnb__secants_note(nnb__lm *lm, const real *x_before, const double *g_before);
/* v ← -(A + S + λD²)⁻¹·v, like nnb__lm_solve */
void nnb__secants_solve(nnb__lm *lm, double *v);

#endif
