/** libnnblas: training neural networks as matrix operations, in C.
 *
 *  A layer is A' = f(A·W + b), a row is a sample, and the matrix products of the forward and the backward pass go
 *  through cblas, but for some shapes that a kernel of the library's own does faster.  A complete program
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
 *  Where to read: nnblas/core.h, status, enumerations, options, reports; nnblas/typed.h, data, nets, fit, predict,
 *  save, load, and under the hood plans, gradients, steps; nnblas/extend.h, your own activations, losses, layers.
 *  All of it exists twice: nnb_… in double and nnbf_… in single precision.
 *
 *  The library never prints, exits or aborts, and allocates nothing while it trains or predicts.                     */
#ifndef NNBLAS_H
#define NNBLAS_H

#include "nnblas/core.h"

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

#ifdef __cplusplus
}
#endif
#endif
