/* num/kernels/sample.c: targets drawn from the distribution that belongs to a loss, with density ∝ e^-ℓ(a, t). */
#include <string.h>

#include "elementary.h"
#include "loss.h"
#include "view.h"

/* t ← a + deviation·ε */
static void add_normal(nnb_cmat a, double deviation, nnb_rng *rng, nnb_mat t) {
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++)
      nnb__row(t, i)[j] = (real)((double)nnb__crow(a, i)[j] + deviation * nnb_rng_normal(rng));
}

/* ½r²: a normal distribution of variance 1 */
void nnb__sample_normal(const nnb_loss_ops *self, nnb_cmat a, nnb_rng *rng, nnb_mat t) {
  (void)self;
  add_normal(a, 1, rng, t);
}

/* r²: variance ½ */
void nnb__sample_half_normal(const nnb_loss_ops *self, nnb_cmat a, nnb_rng *rng, nnb_mat t) {
  (void)self;
  add_normal(a, 0.70710678118654752440, rng, t);
}

/* |r|: the Laplace distribution, an exponential distribution of either sign */
void nnb__sample_laplace(const nnb_loss_ops *self, nnb_cmat a, nnb_rng *rng, nnb_mat t) {
  (void)self;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) {
      double u = 2 * nnb_rng_uniform(rng) - 1, size = -nnb__log(1 - fabs(u)); /* |u| ≤ 1, and 1 only for u = -1 */
      nnb__row(t, i)[j] = (real)((double)nnb__crow(a, i)[j] + (u < 0 ? -fmin(size, 40) : size));
    }
}

/* 1 with probability a, else 0 */
void nnb__sample_bernoulli(const nnb_loss_ops *self, nnb_cmat a, nnb_rng *rng, nnb_mat t) {
  (void)self;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) nnb__row(t, i)[j] = nnb_rng_uniform(rng) < (double)nnb__crow(a, i)[j];
}

/* The unit vector of class j with probability a_j/Σ a */
void nnb__sample_class(const nnb_loss_ops *self, nnb_cmat a, nnb_rng *rng, nnb_mat t) {
  (void)self;
  for (int i = 0; i < a.rows; i++) {
    const real *p = nnb__crow(a, i);
    double sum = 0;
    for (int j = 0; j < a.cols; j++) sum += (double)p[j];
    double left = sum * nnb_rng_uniform(rng);
    int chosen = 0;
    while (chosen < a.cols - 1 && (left -= (double)p[chosen]) >= 0) chosen++;
    memset(nnb__row(t, i), 0, (size_t)a.cols * sizeof(real));
    nnb__row(t, i)[chosen] = 1;
  }
}
