/* opt/varpro.h: variable projection: r(a, c) = Φ(a)·c + y(a) is linear in c, so c is solved for at every a, and a
 * smaller problem in a alone remains, min_a ½‖P r‖² with P = I - ΦΦ⁺.
 *
 * Golub and Pereyra 1973, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
 * separate"; its Jacobian without the term that vanishes with the residuals, after Kaufman 1975, "A variable projection
 * method for solving separable nonlinear least squares problems".
 *
 * Here is that problem, on which lm.c makes its steps: a model of nnb__system.  varpro.c begins, ends and continues. */
#ifndef NNB__VARPRO_H
#define NNB__VARPRO_H

#include "lm.h"

/* ½·ρ·Σ (‖column of J_c‖·c)², which is part of f.  Without it, nearly dependent columns of J_c let c grow without bound
 * for the last digits of f, to values that no later step could reduce.  ρ falls as f does. */
typedef struct nnb__linear_penalty {
  double rho;
  double *columns;     /* n_c: ‖column‖² at the start */
  double norm2_at_0;   /* ‖r‖² at c = 0 there */
  bool choosing_first; /* the first ρ is not known yet */
} nnb__linear_penalty;

typedef struct nnb__varpro {
  nnb__lm lm;              /* of a; its system's model is nnb__varpro_model */
  int n, n_c, n_a, *which; /* numbers of variables; the index of each c, followed by that of each a */
  real *all, *trial;       /* n: the problem's x, and the same with c solved for a new a */
  bool solved;             /* trial's c minimises f for its a, and r is that of trial */
  real *J, *r;
  double *A, *g; /* JᵀJ in the problem's order and Jᵀr, or L of [J_c J_a r], n + 1 apart */
  double *C, *y; /* n_c×n_c and n_c: of c; or L of [J_c r], (n_c + 1)² */
  double *W;     /* n_a + 1 rows of n_c */
  bool keeps;    /* kept has [J_c r] of all rows, else of a block */
  double *kept;  /* row by row */
  double *block; /* rows or columns of J and r, of QR_ROWS or a whole block */
  double *scale; /* n_c */
  double *ridge; /* n: the problem's, and for each c that of the penalty */
  nnb__linear_penalty penalty;
  bool no_effect; /* of a */
  double *solve_work;
  int *pivots;
} nnb__varpro;

extern const nnb__lsq_model nnb__varpro_model;

/* Sets n, n_c and n_a from the problem, and the system's n to n_a. */
void nnb__varpro_count(nnb__varpro *v);
void nnb__varpro_take(nnb__varpro *v, nnb__arena *arena);
/* Sets which, and a from all. */
void nnb__varpro_order(nnb__varpro *v);
void nnb__varpro_gather(nnb__varpro *v);
/* trial ← a and the c that minimises f there, *f ← that minimum, or infinity.  The model stays. */
nnb_status nnb__varpro_solve(nnb__varpro *v, const real *a, double *f);
/* all ← trial */
void nnb__varpro_accept(nnb__varpro *v);
/* The penalty of c at x, all variables. */
double nnb__varpro_penalty(const nnb__varpro *v, const real *x);
/* Its part of a checkpoint. */
void nnb__varpro_visit(nnb__varpro *v, nnb__visitor *s);

#endif
