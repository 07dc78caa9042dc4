/** libnnblas: training neural networks as matrix operations, in C.
 *
 *  A layer is A' = f(A·W + b), and a row of a matrix is a sample.  The matrix products of the forward and the backward
 *  pass use cblas, or the library's own kernels for shapes where these are faster.  A complete program
 *  (cc xor.c $(pkg-config --cflags --libs nnblas)):
 *
 *      #include <nnblas.h>
 *
 *      int main(void) {
 *        double x[] = {0, 0, 0, 1, 1, 0, 1, 1}, t[] = {0, 1, 1, 0}, y[4];
 *        nnb_batch rows = {.x = nnb_cview(x, 4, 2), .t = nnb_cview(t, 4, 1)};
 *        nnb_data *data = NULL;
 *        nnb_data_wrap(&rows, 0, &data);
 *        nnb_net *net = nnb_net_create(2);
 *        nnb_net_dense(net, 4, NNB_TANH);
 *        nnb_net_dense(net, 1, NNB_SIGMOID);
 *        nnb_fit_opts opts = {.lr = 0.3, .batch = NNB_FULL_BATCH, .max_epochs = 2000};
 *        if (nnb_fit(net, data, NULL, &opts, NULL) || nnb_net_predict(net, rows.x, nnb_view(y, 4, 1)))
 *          return fprintf(stderr, "%s\n", nnb_errmsg()), 1;
 *        for (int i = 0; i < 4; i++) printf("%g xor %g = %.3f\n", x[2 * i], x[2 * i + 1], y[i]);
 *        nnb_net_destroy(net);
 *        nnb_data_destroy(data);
 *      }
 *
 *  The headers: nnblas/core.h has status, enumerations, options and reports; nnblas/typed.h has data, nets, training,
 *  prediction and files, then plans, gradients and steps; nnblas/extend.h is for your own activations, losses, layers.
 *  Every type and call that has real numbers (typed.h, extend.h) exists twice: nnb_… in double and nnbf_… in single
 *  precision.  What core.h has, as options and reports, serves both.
 *
 *  The library never prints, exits or aborts.  Calls on a plan (nnb_plan_predict, nnb_train_step) allocate nothing.  */
#ifndef NNBLAS_H
#define NNBLAS_H

#include "nnblas/core.h"
/** The numbers of each precision. */
typedef double nnb_real;
typedef float nnbf_real;

#ifdef __cplusplus
extern "C" {
#endif

#include "nnblas/typed.h"
#include "nnblas/extend.h"

#include "nnblas/float_on.h"
#include "nnblas/typed.h"
#include "nnblas/extend.h"
#include "nnblas/float_off.h"

/** A net in the other precision: structure, parameters, buffers, scalers, names, frozen parameters and what it was
 *  trained by, but not nnb_net_exact.  Seals the net.
 *  NNB_E_UNSUPPORTED for own parts; NNB_E_PARSE if a number is too large for float; NNB_E_NOMEM. */
NNB_API nnb_status nnb_net_to_single(const nnb_net *net, nnbf_net **out);
NNB_API nnb_status nnbf_net_to_double(const nnbf_net *net, nnb_net **out);

#ifdef __cplusplus
}
#endif
#endif
