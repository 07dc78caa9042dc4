/* nn/batch_check.h: checks of batches in public calls: shapes against the net, labels against the outputs, weights. */
#ifndef NNB__BATCH_CHECK_H
#define NNB__BATCH_CHECK_H

#include "net.h"

/* x has the net's columns, and at most `most` rows (0: any number). */
nnb_status nnb__check_x(const nnb_net *net, nnb_cmat x, int most);
/* The columns of x that are to be whole numbers are; row0: the number of the first row, for the message. */
nnb_status nnb__check_whole(const nnb_net *net, nnb_cmat x, int row0);
/* y is rows×n_y; name is for the message. */
nnb_status nnb__check_y(const nnb_net *net, int rows, nnb_cmat y, const char *name);
/* J is rows×(n_y·n_x). */
nnb_status nnb__check_jacobian(const nnb_net *net, int rows, nnb_mat J);
/* y is rows×((order + 1)·n_y). */
nnb_status nnb__check_taylor(const nnb_net *net, int rows, int order, nnb_mat y);
/* NNB_E_SHAPE for a net with several outputs: class labels need exactly one output. */
nnb_status nnb__check_one_output(const nnb_net *net);
/* All weights may be 0, because a batch may be one of many. */
nnb_status nnb__check_batch(const nnb_net *net, const nnb_batch *batch, int most);
/* For calls over all data: nnb__check_batch and nnb__check_weight_sum. */
nnb_status nnb__check_rows(const nnb_net *net, const nnb_batch *rows);
/* NNB_E_ARG if the sum of the weights cannot be a divisor: 0, or so small or large that 1/sum or the sum of the
 * weighted losses would not be a normal number. */
nnb_status nnb__check_weight_sum(double sum);
/* Σ weight of the rows order[row0 … row0 + n - 1] (order NULL: rows row0 …).  A positive sum is at least REAL_MIN, so
 * it can divide a few rows of tiny weights. */
double nnb__sum_weights(const nnb_batch *batch, const int32_t *order, int row0, int n);
/* Whether all numbers of x and t are finite. */
bool nnb__batch_finite(const nnb_batch *batch);
/* NNB_E_NUMERIC; the message has the loss, and the first number of the batch that is not finite, if there is one. */
nnb_status nnb__fail_loss(double loss, const nnb_batch *batch);

#endif
