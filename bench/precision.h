/* bench/precision.h: for sources that are compiled twice, the second time with NNB_SINGLE.  Public headers only. */
#ifndef BENCH_PRECISION_H
#define BENCH_PRECISION_H

#include <nnblas.h>

#ifdef NNB_SINGLE
#include <nnblas/float_on.h>
#define TWIN(name) name##_f32
#define PRECISION  "f32"
#else
#define TWIN(name) name##_f64
#define PRECISION  "f64"
#endif

typedef nnb_real real;

#endif
