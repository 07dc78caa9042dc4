/* nn/init.c: initial weights.  I: n_in, O: fan_out, s: scale. */
#include <string.h>

#include "layer.h"
#include "orthogonal.h"

static void fill_uniform(double bound, size_t n, real *w, nnb_rng *rng) {
  for (size_t i = 0; i < n; i++) w[i] = (real)(bound * (2 * nnb_rng_uniform(rng) - 1));
}

static void fill_normal(double deviation, size_t n, real *w, nnb_rng *rng) {
  for (size_t i = 0; i < n; i++) w[i] = (real)(deviation * nnb_rng_normal(rng));
}

static void fill_orthogonal(double s, int n_in, int n_out, real *w, nnb_rng *rng, real *scratch) {
  size_t n = (size_t)n_in * (size_t)n_out;
  fill_normal(1, n, w, rng);
  nnb__orthogonalize(nnb_view(w, n_in, n_out), scratch);
  for (size_t i = 0; i < n; i++) w[i] *= (real)s;
}

void nnb__init_weights(nnb_init init, double s, int n_in, int n_out, double out, real *w, nnb_rng *rng, real *scratch) {
  double in = n_in;
  size_t n = (size_t)n_in * (size_t)n_out;
  switch (init) {
    case NNB_INIT_ZEROS:
    case NNB_N_INITS:
      fill_uniform(0, n, w, rng);
      break;
    case NNB_INIT_UNIFORM:
      fill_uniform(s, n, w, rng);
      break;
    case NNB_INIT_NORMAL:
      fill_normal(s, n, w, rng);
      break;
    case NNB_INIT_AUTO:
    case NNB_INIT_GLOROT_UNIFORM:
      fill_uniform(s * sqrt(6 / (in + out)), n, w, rng);
      break;
    case NNB_INIT_GLOROT_NORMAL:
      fill_normal(s * sqrt(2 / (in + out)), n, w, rng);
      break;
    case NNB_INIT_HE_UNIFORM:
      fill_uniform(s * sqrt(6 / in), n, w, rng);
      break;
    case NNB_INIT_HE_NORMAL:
      fill_normal(s * sqrt(2 / in), n, w, rng);
      break;
    case NNB_INIT_LECUN:
      fill_normal(s * sqrt(1 / in), n, w, rng);
      break;
    case NNB_INIT_ORTHOGONAL:
      fill_orthogonal(s, n_in, n_out, w, rng, scratch);
      break;
  }
}

size_t nnb__init_scratch(nnb_init init, int n_in, int n_out) {
  return init == NNB_INIT_ORTHOGONAL ? nnb__orthogonal_work(n_in, n_out) : 0;
}

nnb_init nnb__init_for(int activation) {
  static const nnb_init inits[NNB_N_ACTIVATIONS] = {
#define ACTIVATION(NAME, name, KIND, init, loss) [NAME] = init,
#include "activations.def"
  };
  const bool own = activation < 0 || activation >= NNB_N_ACTIVATIONS;
  return own ? NNB_INIT_GLOROT_UNIFORM : inits[activation];
}
