/* num/kernels/loss.h: the losses: tables of functions over views (nnb_loss_ops in extend.h). */
#ifndef NNB__LOSS_H
#define NNB__LOSS_H

#include "level.h"
#include "real.h"

/* Targets drawn from the density ∝ e^-ℓ(a, t) (nnb_loss_ops): rows of t from rows of a. */
typedef void nnb__sample(const nnb_loss_ops *self, nnb_cmat a, nnb_rng *rng, nnb_mat t);
nnb__sample nnb__sample_normal, nnb__sample_half_normal, nnb__sample_laplace, nnb__sample_bernoulli, nnb__sample_class;

/* The table of a built-in loss other than NNB_LOSS_AUTO. */
const nnb_loss_ops *nnb__loss(nnb_loss loss);

/* The tables of the level of this build. */
extern const nnb_loss_ops NNB__LOSSES[NNB_N_LOSSES];

#endif
