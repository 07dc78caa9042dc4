/* opt/linesearch.h: a step along a descent direction. */
#ifndef NNB__LINESEARCH_H
#define NNB__LINESEARCH_H

#include "minimize.h"

/* φ(a) = f(x + a·d).  The strong Wolfe conditions, with φ'(0) < 0:
 *   φ(a) ≤ φ(0) + ftol·a·φ'(0)   and   |φ'(a)| ≤ gtol·|φ'(0)|,   0 < ftol < ½, ftol < gtol < 1. */
typedef struct nnb__line {
  const real *d; /* n */
  double slope;  /* φ'(0) = gᵀd < 0 */
  double ftol, gtol;
  double most; /* the longest step allowed */
  real *x, *g; /* n each: x + a·d between the bounds, and the gradient there */
  double a, f; /* a: the first trial, then the accepted step; f: φ(a) */
} nnb__line;

typedef enum nnb__line_end {
  NNB__LINE_WOLFE,  /* both conditions hold, as far as rounding allows a comparison of values */
  NNB__LINE_LOWER,  /* only φ(a) < φ(0): the longest step, a limit was reached, or rounding */
  NNB__LINE_FAILED, /* no lower point found; x, g, f are undefined */
  NNB__LINE_ERROR   /* see *status */
} nnb__line_end;

/* Moré and Thuente 1994, "Line search algorithms with guaranteed sufficient decrease". */
nnb__line_end nnb__line_wolfe(nnb__min *m, nnb__line *line, nnb_status *status);

/* Backtracking along the projected path until f(x(a)) ≤ f(x) + ftol·gᵀ(x(a) - x): Bertsekas 1982, "Projected Newton
 * methods for optimization problems with simple constraints". */
nnb__line_end nnb__line_project(nnb__min *m, nnb__line *line, nnb_status *status);

#endif
