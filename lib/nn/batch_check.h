/* nn/batch_check.h: checks of batches at the door: shapes against the net, labels against the outputs, weights. */
#ifndef NNB__BATCH_CHECK_H
#define NNB__BATCH_CHECK_H

#include "net.h"

/* Columns as the net wants them, and at most `most` rows (0: any number). */
nnb_status nnb__check_x(const nnb_net *net, nnb_cmat x, int most);
/* y is rows×n_y; name is for the message. */
nnb_status nnb__check_y(const nnb_net *net, int rows, nnb_cmat y, const char *name);
/* NNB_E_SHAPE for a net with several outputs: class labels need exactly one. */
nnb_status nnb__check_one_output(const nnb_net *net);
/* Rows of weight 0 alone are fine: they may be one of many batches. */
nnb_status nnb__check_batch(const nnb_net *net, const nnb_batch *batch, int most);
/* For calls over all the data there is: nnb__check_batch and nnb__check_weight_sum. */
nnb_status nnb__check_rows(const nnb_net *net, const nnb_batch *rows);
/* NNB_E_ARG for a sum of weights that nothing can be divided by: 0, or so small or large that 1/sum or the sum of the
 * weighted losses would not be a normal number. */
nnb_status nnb__check_weight_sum(double sum);
/* Σ weight of the rows that order[row0 … row0 + n - 1] names (order NULL: rows row0 …).  A positive sum is at least
 * REAL_MIN, so that a few rows of tiny weights can be divided by it. */
double nnb__sum_weights(const nnb_batch *batch, const int32_t *order, int row0, int n);
/* Whether x and t hold finite numbers only. */
bool nnb__batch_finite(const nnb_batch *batch);
/* NNB_E_NUMERIC; the message has the loss and the first number of the batch that is not finite, if there is one. */
nnb_status nnb__fail_loss(double loss, const nnb_batch *batch);

#endif
