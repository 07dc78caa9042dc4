/* bench/ceiling.h: the matrix products of a step in cblas, and nothing else.  Typed: compiled twice. */
#ifndef BENCH_CEILING_H
#define BENCH_CEILING_H

#include "precision.h"

#define ceiling_infer   TWIN(ceiling_infer)
#define ceiling_train   TWIN(ceiling_train)
#define ceiling_threads TWIN(ceiling_threads)

typedef struct ceiling_layer {
  nnb_cmat a;     /* B×I, the input of the layer; p NULL: the step's x */
  nnb_cmat delta; /* B×O */
  real *w;        /* I×O, changed by training */
  int inputs, units;
  int places; /* a convolution has as many rows of a and delta for each row of the batch; else 1 */
} ceiling_layer;

typedef struct ceiling {
  const ceiling_layer *layer;
  int n_layers;
  real *out; /* result of products other than updates: B × the largest width, times places */
  real lr;
} ceiling;

/* A·W of each layer, for as many rows as x has: at most those of a and delta. */
void ceiling_infer(const ceiling *c, nnb_cmat x);
/* The same, then from the last layer to the first Δ·Wᵀ (not for the first) and W ← W - lr·Aᵀ·Δ. */
void ceiling_train(const ceiling *c, nnb_cmat x);
/* Sets the BLAS's own thread count, as a user of cblas would; returns the present count, 0: unknown. */
int ceiling_threads(int threads);

#endif
