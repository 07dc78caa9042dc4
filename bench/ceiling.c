/* bench/ceiling.c: with normal_ceiling.c the only files of bench that include cblas.h.  The ceiling is the installed
 * BLAS unchanged, never the library's own kernels.  A batch of one row uses gemv and ger, which are faster there than
 * gemm. */
#include "ceiling.h"

#include <cblas.h>

#undef I /* OpenBLAS's header includes complex.h */

#ifdef NNB_SINGLE
#define gemm cblas_sgemm
#define gemv cblas_sgemv
#define ger  cblas_sger
#else
#define gemm cblas_dgemm
#define gemv cblas_dgemv
#define ger  cblas_dger
#endif

/* Weak: another BLAS may not have these functions.  (cblas.h of OpenBLAS also declares them.) */
extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));

int ceiling_threads(int threads) {
  if (!openblas_set_num_threads || !openblas_get_num_threads) return 0;
  openblas_set_num_threads(threads);
  return openblas_get_num_threads();
}

/* out ← A·W */
static void forward(const ceiling_layer *l, nnb_cmat a, real *out) {
  int I = l->inputs, O = l->units;
  if (a.rows == 1)
    gemv(CblasRowMajor, CblasTrans, I, O, 1, l->w, O, a.p, 1, 0, out, 1);
  else
    gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, a.rows, O, I, 1, a.p, a.ld, l->w, O, 0, out, O);
}

/* out ← Δ·Wᵀ */
static void backward(const ceiling_layer *l, int rows, real *out) {
  int I = l->inputs, O = l->units;
  nnb_cmat d = l->delta;
  if (rows == 1)
    gemv(CblasRowMajor, CblasNoTrans, I, O, 1, l->w, O, d.p, 1, 0, out, 1);
  else
    gemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, I, O, 1, d.p, d.ld, l->w, O, 0, out, I);
}

/* W ← W - lr·Aᵀ·Δ */
static void update(const ceiling_layer *l, nnb_cmat a, real lr) {
  int I = l->inputs, O = l->units;
  nnb_cmat d = l->delta;
  if (a.rows == 1)
    ger(CblasRowMajor, I, O, -lr, a.p, 1, d.p, 1, l->w, O);
  else
    gemm(CblasRowMajor, CblasTrans, CblasNoTrans, I, O, a.rows, -lr, a.p, a.ld, d.p, d.ld, 1, l->w, O);
}

/* The input of layer l, for as many rows of the batch as x has. */
static nnb_cmat input(const ceiling *c, int l, nnb_cmat x) {
  const ceiling_layer *layer = &c->layer[l];
  nnb_cmat a = layer->a.p ? layer->a : x;
  a.rows = x.rows * layer->places;
  return a;
}

void ceiling_infer(const ceiling *c, nnb_cmat x) {
  for (int l = 0; l < c->n_layers; l++) forward(&c->layer[l], input(c, l, x), c->out);
}

void ceiling_train(const ceiling *c, nnb_cmat x) {
  ceiling_infer(c, x);
  for (int l = c->n_layers; l-- > 0;) {
    if (l) backward(&c->layer[l], x.rows * c->layer[l].places, c->out);
    update(&c->layer[l], input(c, l, x), c->lr);
  }
}
