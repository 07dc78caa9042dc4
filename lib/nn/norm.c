/* nn/norm.c: what the layers that normalise share. */
#include "norm.h"

const nnb__norm nnb__norm_defaults = {.epsilon = 1e-5, .momentum = 0.1};

nnb_status nnb__norm_check(const nnb__norm *d, int n_from, const char *name) {
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "%s has %d input node(s); wanted 1", name, n_from);
  if (d->epsilon > 0 && !isinf(d->epsilon)) return NNB_OK;
  return nnb_layer_fail(NNB_E_ARG, "epsilon is %g; wanted a positive number", d->epsilon);
}

void nnb__norm_init(const void *self, real *w, nnb_rng *rng, real *scratch) {
  (void)rng, (void)scratch;
  for (int c = 0; c < ((const nnb__norm *)self)->channels; c++) w[c] = 1;
}

static void put(real *to, real alpha, real beta, int n, const double *sum) {
  for (int j = 0; j < n; j++) to[j] = (beta == 0 ? 0 : beta * to[j]) + alpha * (real)sum[j];
}

void nnb__norm_put(const nnb_sink *sink, int c, int n, const double *gain, const double *bias) {
  if (sink->w) put(sink->w + c, sink->alpha, sink->beta, n, gain);
  if (sink->b) put(sink->b + c, sink->alpha, sink->beta_bias, n, bias);
}
