/* train/curved.h: an update by K-FAC. */
#ifndef NNB__CURVED_H
#define NNB__CURVED_H

#include "update.h"

/* Makes one update, with an optimiser that needs pairs; returns the loss before it. */
nnb__loss_sum nnb__update_curved(const nnb__update *u);

/* The same in parts, for the rows of one rank.  gather: the loss, in g the gradient, and behind it the optimiser's
 * n_means numbers of these rows, which belong to the means of the factors.  After the sum of both over the ranks,
 * propose gets the rows of the whole update and the sum.  look: the curvature along the directions (the optimiser's),
 * from the scores of the last chunk, with this weight in all; returns the weight of their rows.  step: from the
 * curvature of all ranks; true: the loss after it is wanted.  finish: after it; after NULL: the loss was not wanted. */
nnb__loss_sum nnb__curved_gather(const nnb__update *u, real *g);
void nnb__curved_propose(const nnb__update *u, int rows, const real *sum);
double nnb__curved_look(const nnb__update *u, double weight);
bool nnb__curved_step(const nnb__update *u);
void nnb__curved_finish(const nnb__update *u, const double *after, double before);

#endif
