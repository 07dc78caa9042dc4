/* tests/precision.h: one test source for both precisions.  Compiled with NNB_SINGLE, the nnb_ names of the rest of the
 * file mean their single-precision twins. */
#ifndef TEST_PRECISION_H
#define TEST_PRECISION_H

#include <float.h>
#include <nnblas.h>

#ifdef NNB_SINGLE
#include <nnblas/float_on.h>
#define REAL_EPS FLT_EPSILON
#define PRECISION "single"
#define TOL(double_tol, single_tol) (single_tol)
#else
#define REAL_EPS DBL_EPSILON
#define PRECISION "double"
#define TOL(double_tol, single_tol) (double_tol)
#endif

typedef nnb_real real;

#endif
