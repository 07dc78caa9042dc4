/* tests/bad.h: shared by the tests of bad calls: each call gives the status in the header and a message with the given
 * words, and changes nothing. */
#ifndef TEST_BAD_H
#define TEST_BAD_H

#include "toys.h"

enum { N = 12, N_IN = 3, N_OUT = 2 };

static nnb_data *data, *classes;
static nnb_net *net;
static nnb_plan *plan, *plain;
static nnb_optim *optim;
static nnb_batch rows;
static real y[N * N_OUT], before[100];
static double loss;
static void *file;
static size_t bytes;

static void setup(void) {
  data = toy_regression(N, N_IN, N_OUT), classes = toy_classes(N, N_IN, N_OUT);
  ck_ok(nnb_net_parse("3-4:tanh:name=hidden-2:linear:name=last", &net));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 8, .want = NNB_GRAD | NNB_DX | NNB_KEEP}, &plan));
  ck_ok(nnb_plan_create(net, NULL, &plain));
  ck_ok(nnb_optim_create(net, NULL, &optim));
  ck_ok(nnb_data_batch(data, 0, 8, &rows));
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  memcpy(before, nnb_net_params_read(net), nnb_net_n_params(net) * sizeof(real));
}

/* After any error the net is unchanged and works. */
static void teardown(void) {
  ck_assert_uint_eq(nnb_net_n_params(net), 26);
  ck_assert_msg(memcmp(before, nnb_net_params_read(net), 26 * sizeof(real)) == 0, "a bad call changed the parameters");
  ck_ok(nnb_train_step(net, plan, &rows, optim, &loss));
  ck_ok(nnb_plan_predict(plan, rows.x, nnb_view(y, 8, N_OUT)));
  ck_assert(isfinite(y[0]) && isfinite(loss));
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan), nnb_plan_destroy(plain);
  nnb_net_destroy(net);
  nnb_data_destroy(data), nnb_data_destroy(classes);
  nnb_free(file);
}

#endif
