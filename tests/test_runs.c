/* What layers know about the run (nnb_run): a dropout layer whose masks do not depend on threads and chunks. */
#include <stdatomic.h>

#include "toys.h"

/* A batch of the wide net is enough work for several threads, which test_masks_of_batches asserts. */
enum { ROWS = 400, BATCH = 150, COLS = 3, NARROW = 4, WIDE = 100, MOST_UPDATES = 10 };

/* What dropout saw and drew, by update and row; each row is written by one thread. */
typedef struct record {
  bool seen[MOST_UPDATES][ROWS];
  real x[MOST_UPDATES][ROWS][COLS], mask[MOST_UPDATES][ROWS][COLS];
} record;

static atomic_bool was_split; /* a part began after the first row */

typedef struct dropout {
  record *record;
} dropout;

/* mask ← 0 or 2 for each column */
static void draw(const nnb_run *run, int i, real mask[COLS]) {
  nnb_rng rng;
  nnb_rng_init(&rng, run->seed + (uint64_t)run->node * 0x9E3779B97F4A7C15u,
               (uint64_t)run->update << 32 | (uint32_t)(run->row0 + i));
  for (int j = 0; j < COLS; j++) mask[j] = !run->training || nnb_rng_uniform(&rng) < 0.5 ? 1 : 0;
  for (int j = 0; j < COLS && run->training; j++) mask[j] *= 2;
}

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self;
  if (n_from != 1 || cols[0] != COLS) return nnb_layer_fail(NNB_E_SHAPE, "dropout reads one node of %d columns", COLS);
  needs->cols = COLS;
  return NNB_OK;
}

static void forward(const void *self, const nnb_layer_io *io) {
  record *r = ((const dropout *)self)->record;
  for (int i = 0; i < io->z.rows; i++) {
    real mask[COLS];
    const int at = io->run->row0 + i;
    const bool noted = r && io->run->training && io->run->update < MOST_UPDATES && at < ROWS;
    if (at > 0 && i == 0) atomic_store(&was_split, true);
    draw(io->run, i, mask);
    for (int j = 0; j < COLS; j++) io->z.p[i * io->z.ld + j] = mask[j] * io->a[0].p[i * io->a[0].ld + j];
    if (!noted) continue;
    r->seen[io->run->update][at] = true;
    memcpy(r->x[io->run->update][at], io->a[0].p + i * io->a[0].ld, sizeof mask);
    memcpy(r->mask[io->run->update][at], mask, sizeof mask);
  }
}

static void backward_data(const void *self, const nnb_layer_io *io, int k) {
  (void)self;
  nnb_mat da = io->da[k];
  for (int i = 0; i < da.rows; i++) {
    real mask[COLS];
    draw(io->run, i, mask);
    for (int j = 0; j < COLS; j++) {
      real *d = &da.p[i * da.ld + j], old = io->da_beta == 0 ? 0 : *d;
      *d = old + mask[j] * io->delta.p[i * io->delta.ld + j];
    }
  }
}

static const nnb_layer_ops dropout_ops = {
    .name = "drops", .size = sizeof(dropout), .shape = shape, .forward = forward, .backward_data = backward_data};

/* 3-(dropout)-width:tanh-width:tanh-1 */
static nnb_net *make_net(bool drops, record *r, int width) {
  nnb_net *net = nnb_net_create(COLS);
  ck_assert(net);
  if (drops) ck_assert_int_gt(nnb_net_own_layer(net, &dropout_ops, &(dropout){r}, NULL, 0, NNB_LINEAR, NULL), 0);
  nnb_net_dense(net, width, NNB_TANH);
  nnb_net_dense(net, width, NNB_TANH);
  nnb_net_dense(net, 1, NNB_LINEAR);
  nnb_net_seed(net, 5);
  return net;
}

static nnb_net *fit(record *r, nnb_fit_opts opts) {
  nnb_data *data = toy_regression(ROWS, COLS, 1);
  nnb_net *net = make_net(true, r, WIDE);
  memset(r, 0, sizeof *r);
  ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
  nnb_data_destroy(data);
  return net;
}

static void assert_near(nnb_net *a, nnb_net *b, double tol) {
  const real *p = nnb_net_params_read(a), *q = nnb_net_params_read(b);
  for (size_t i = 0; i < nnb_net_n_params(a); i++) ck_assert_double_eq_tol((double)p[i], (double)q[i], tol);
}

static record one, other;

/* The same masks and rows, bit for bit, for any number of threads and any chunk. */
static void compare_runs(nnb_fit_opts opts, double tol) {
  static const struct { int threads, chunk; } ways[] = {{3, 0}, {1, 40}, {3, 100}};
  opts.threads = 1;
  nnb_net *net = fit(&one, opts);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    opts.threads = ways[i].threads, opts.chunk = ways[i].chunk;
    atomic_store(&was_split, false);
    nnb_net *again = fit(&other, opts);
    ck_assert(atomic_load(&was_split));
    ck_assert_mem_eq(&one, &other, sizeof one);
    assert_near(net, again, tol);
    nnb_net_destroy(again);
  }
  nnb_net_destroy(net);
}

START_TEST(test_masks_of_batches) {
  compare_runs((nnb_fit_opts){.algo = NNB_SGD, .batch = BATCH, .max_epochs = 3, .lr = 0.05, .seed = 9},
               TOL(1e-12, 1e-5));
  for (int r = 0; r < BATCH; r++)
    ck_assert(one.seen[1][r] && one.seen[9][r] == (r < ROWS - 2 * BATCH)); /* the rest of an epoch */
  ck_assert(memcmp(one.mask[1], one.mask[2], sizeof one.mask[1]) != 0);
  nnb_net_destroy(
      fit(&other,
          (nnb_fit_opts){.algo = NNB_SGD, .batch = BATCH, .max_epochs = 3, .in_order = true, .lr = 0.05, .seed = 8}));
  ck_assert(memcmp(one.mask[1], other.mask[1], sizeof one.mask[1]) != 0);
}
END_TEST

/* One function throughout: the one of update 0. */
START_TEST(test_masks_of_minimisers) {
  nnb_fit_opts opts = {.algo = NNB_LBFGS, .max_epochs = 2, .seed = 9};
  compare_runs(opts, TOL(1e-9, 1e-2));
  for (int r = 0; r < ROWS; r++) ck_assert(one.seen[0][r] && !one.seen[1][r]);
}
END_TEST

/* A step by hand has the optimiser's seed and count; one more step continues them. */
START_TEST(test_steps) {
  nnb_data *data = toy_regression(ROWS, COLS, 1);
  nnb_batch batch;
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_net *net = make_net(true, &one, WIDE);
  memset(&one, 0, sizeof one);
  ck_ok(nnb_data_batch(data, 0, ROWS, &batch));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD, .threads = 2}, &plan));
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_ADAM, .seed = 9}, &optim));
  for (int t = 0; t < 2; t++) ck_ok(nnb_train_step(net, plan, &batch, optim, NULL));
  nnb_net_destroy(
      fit(&other, (nnb_fit_opts){.algo = NNB_ADAM, .batch = ROWS, .max_epochs = 2, .in_order = true, .seed = 9}));
  ck_assert_mem_eq(&one, &other, sizeof one);
  nnb_optim_destroy(optim), nnb_plan_destroy(plan), nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* Two layers of one net draw their own masks. */
START_TEST(test_nodes) {
  nnb_data *data = toy_regression(ROWS, COLS, COLS);
  nnb_net *net = nnb_net_create(COLS);
  nnb_fit_opts opts = {.algo = NNB_SGD, .batch = ROWS, .max_epochs = 1, .lr = 0.01};
  memset(&one, 0, sizeof one), memset(&other, 0, sizeof other);
  ck_assert_int_eq(nnb_net_own_layer(net, &dropout_ops, &(dropout){&one}, NULL, 0, NNB_LINEAR, NULL), 2);
  ck_assert_int_eq(nnb_net_own_layer(net, &dropout_ops, &(dropout){&other}, NULL, 0, NNB_LINEAR, NULL), 3);
  nnb_net_dense(net, COLS, NNB_LINEAR);
  ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
  ck_assert(one.seen[1][ROWS - 1] && other.seen[1][ROWS - 1]);
  ck_assert(memcmp(one.mask[1], other.mask[1], sizeof one.mask[1]) != 0);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* Predictions and evaluations are those of the net without dropout; a gradient check has its masks. */
START_TEST(test_not_training) {
  nnb_data *data = toy_regression(ROWS, COLS, 1);
  nnb_net *net = make_net(true, &one, NARROW), *plain = make_net(false, NULL, NARROW);
  nnb_batch batch;
  real y[2][ROWS];
  double loss[2], worst;
  nnb_plan *plan[2];
  memset(&one, 0, sizeof one), memset(&other, 0, sizeof other);
  ck_ok(nnb_data_batch(data, 0, ROWS, &batch));
  ck_assert_uint_eq(nnb_net_n_params(net), nnb_net_n_params(plain));
  memcpy(nnb_net_params(plain), nnb_net_params_read(net), nnb_net_n_params(net) * sizeof(real));
  for (int i = 0; i < 2; i++) {
    ck_ok(nnb_plan_create(i ? plain : net, &(nnb_plan_opts){.max_rows = ROWS}, &plan[i]));
    ck_ok(nnb_plan_loss(plan[i], &batch, &loss[i]));
    ck_ok(nnb_plan_predict(plan[i], batch.x, nnb_view(y[i], ROWS, 1)));
    nnb_plan_destroy(plan[i]);
  }
  ck_assert_mem_eq(&one, &other, sizeof one);
  ck_assert_double_eq_tol(loss[0], loss[1], TOL(1e-12, 1e-5));
  for (int i = 0; i < ROWS; i++) ck_assert_double_eq_tol((double)y[0][i], (double)y[1][i], TOL(1e-12, 1e-5));
  ck_ok(nnb_check_gradient(net, &batch, &worst));
  ck_assert_double_le(worst, TOL(1e-6, 1e-2));
  ck_assert(one.seen[0][ROWS - 1]);
  nnb_net_destroy(net), nnb_net_destroy(plain), nnb_data_destroy(data);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("runs, " PRECISION);
  TCase *tcase = tcase_create("runs");
  tcase_add_test(tcase, test_masks_of_batches);
  tcase_add_test(tcase, test_masks_of_minimisers);
  tcase_add_test(tcase, test_steps);
  tcase_add_test(tcase, test_nodes);
  tcase_add_test(tcase, test_not_training);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
