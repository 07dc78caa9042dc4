/* tests/precision.h: one test source for both precisions.  With NNB_SINGLE, the nnb_ names in the rest of the file mean
 * their single-precision twins.  If a test includes private headers, these come first and have done that already. */
#ifndef TEST_PRECISION_H
#define TEST_PRECISION_H

#include <float.h>

#ifndef NNB__REAL_H
#include <nnblas.h>
#ifdef NNB_SINGLE
#include <nnblas/float_on.h>
#define REAL_EPS FLT_EPSILON
#else
#define REAL_EPS DBL_EPSILON
#endif
typedef nnb_real real;
#endif

#ifdef NNB_SINGLE
#define PRECISION                   "single"
#define TOL(double_tol, single_tol) (single_tol)
#else
#define PRECISION                   "double"
#define TOL(double_tol, single_tol) (double_tol)
#endif

#endif
