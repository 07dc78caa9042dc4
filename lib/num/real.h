/* num/real.h: the precision of this compilation.  Every typed source includes it first.  Sources are written in plain
 * nnb_ names and real; with NNB_SINGLE they become the single-precision twins. */
#ifndef NNB__REAL_H
#define NNB__REAL_H

#include <float.h>
#include <math.h>

#include "nnblas/core.h"

typedef double nnb_real;
typedef float nnbf_real;

#ifdef NNB_SINGLE
#include "float_names.h"
#include "nnblas/float_on.h"
#define REAL_EPS        FLT_EPSILON
#define REAL_MAX        FLT_MAX
#define REAL_MIN        FLT_MIN
#define NNB__REAL_DTYPE NNB__F32
#define R(name)         name##f /* the function of this precision: R(exp)(x) is expf(x) */
#else
#define REAL_EPS        DBL_EPSILON
#define REAL_MAX        DBL_MAX
#define REAL_MIN        DBL_MIN
#define NNB__REAL_DTYPE NNB__F64
#define R(name)         name
#endif

typedef nnb_real real;

#include "nnblas/typed.h"
/* extend.h needs the types of typed.h */
#include "nnblas/extend.h"

#endif
