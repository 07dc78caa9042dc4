/* After a first call, predictions and training steps allocate nothing: neither with the library's allocator nor, in the
 * libraries below it, with malloc. */
#include <errno.h>
#include <stdatomic.h>

#include "heap.h"
#include "toys.h"

#if defined(__GLIBC__) && !SANITIZED
#define COUNTED 1
#endif

/* ---- counting malloc and related functions ----------------------------------------------------------------------- */

static atomic_long n_mallocs;

#ifdef COUNTED
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *p, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes) {
  atomic_fetch_add(&n_mallocs, 1);
  return __libc_malloc(bytes);
}
void *calloc(size_t n, size_t bytes) {
  atomic_fetch_add(&n_mallocs, 1);
  return __libc_calloc(n, bytes);
}
void *realloc(void *p, size_t bytes) {
  atomic_fetch_add(&n_mallocs, 1);
  return __libc_realloc(p, bytes);
}
void *aligned_alloc(size_t alignment, size_t bytes) {
  atomic_fetch_add(&n_mallocs, 1);
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void **out, size_t alignment, size_t bytes) {
  atomic_fetch_add(&n_mallocs, 1);
  *out = __libc_memalign(alignment, bytes);
  return *out ? 0 : ENOMEM;
}
#endif

typedef struct counts {
  long ours, all;
} counts;

static counts count(void) { return (counts){heap_allocs(), atomic_load(&n_mallocs)}; }

#define ck_none_since(before, ...)                                                                             \
  do {                                                                                                         \
    counts after = count();                                                                                    \
    long ours = after.ours - (before).ours, all = after.all - (before).all;                                    \
    char what[200];                                                                                            \
    snprintf(what, sizeof what, __VA_ARGS__);                                                                  \
    if (ours || all) ck_abort_msg("%s: %ld allocations by the library, %ld calls of malloc", what, ours, all); \
  } while (0)

/* ---- the nets ---------------------------------------------------------------------------------------------------- */

enum { ROWS = 300, N_IN = 20, N_OUT = 10, BATCH = 128, ROUNDS = 5 };

static const char *const nets[] = {"20-3:tanh-10:softmax", "20-64:gelu-64:elu-10:softmax", "20-256-256-10:softmax",
                                   "20-256:selu:frozen=1-10:linear"};
enum { N_NETS = sizeof nets / sizeof *nets };

typedef struct fixture {
  const char *text;
  int threads;
  nnb_data *data;
  nnb_net *net;
  nnb_batch rows, batch, one;
  real *y, *grad;
} fixture;

static fixture make(int i) {
  fixture f = {.text = nets[i % N_NETS], .threads = 1 + i / N_NETS};
  heap_install();
  f.data = toy_classes(ROWS, N_IN, N_OUT);
  ck_ok(nnb_net_parse(f.text, &f.net));
  ck_ok(nnb_data_batch(f.data, 0, ROWS, &f.rows));
  ck_ok(nnb_data_batch(f.data, 0, BATCH, &f.batch));
  ck_ok(nnb_data_batch(f.data, 7, 1, &f.one));
  f.y = malloc(sizeof *f.y * ROWS * N_OUT);
  f.grad = malloc(sizeof *f.grad * nnb_net_n_params(f.net));
  ck_assert(f.y && f.grad);
  return f;
}

static void end(fixture *f) {
  free(f->y);
  free(f->grad);
  nnb_net_destroy(f->net);
  nnb_data_destroy(f->data);
  ck_assert_int_eq(heap_live(), 0);
  heap_remove();
}

START_TEST(predictions_and_losses) {
  fixture f = make(_i);
  nnb_plan *plan;
  double loss;
  nnb_plan_opts opts = {.max_rows = BATCH, .threads = f.threads, .want = NNB_GRAD | NNB_DX};
  ck_ok(nnb_plan_create(f.net, &opts, &plan));
  real *dx = malloc(sizeof *dx * BATCH * N_IN), *J = malloc(sizeof *J * BATCH * N_OUT * N_IN);
  real *by_w = malloc(sizeof *by_w * BATCH * 2 * N_OUT * nnb_net_n_params(f.net));
  nnb_plan *second;
  counts before = count();
  for (int round = 0; round <= ROUNDS; round++) {
    nnb_batch *b = round % 2 ? &f.one : &f.batch;
    nnb_status status = nnb_plan_predict(plan, b->x, nnb_view(f.y, b->x.rows, N_OUT));
    if (round > 1) ck_none_since(before, "%s, %d threads, nnb_plan_predict", f.text, f.threads);
    if (!status) status = nnb_plan_loss(plan, b, &loss);
    if (round > 1) ck_none_since(before, "%s, %d threads, nnb_plan_loss", f.text, f.threads);
    if (!status) status = nnb_plan_gradient(plan, b, 0.5 * (round > 0), &loss, f.grad);
    if (round > 1) ck_none_since(before, "%s, %d threads, nnb_plan_gradient", f.text, f.threads);
    if (!status) status = nnb_plan_vjp(plan, b->x, nnb_cview(f.y, b->x.rows, N_OUT), nnb_view(dx, b->x.rows, N_IN));
    if (round > 1) ck_none_since(before, "%s, %d threads, nnb_plan_vjp", f.text, f.threads);
    if (!status) status = nnb_plan_jvp(plan, b->x, b->x, nnb_view(f.y, b->x.rows, N_OUT));
    if (round > 1) ck_none_since(before, "%s, %d threads, nnb_plan_jvp", f.text, f.threads);
    if (!status) status = nnb_plan_jacobian(plan, b->x, (nnb_mat){0}, nnb_view(J, b->x.rows, N_OUT * N_IN));
    if (round > 1) ck_none_since(before, "%s, %d threads, nnb_plan_jacobian", f.text, f.threads);
    if (status) ck_abort_msg("%s", nnb_errmsg());
    if (round <= 1) before = count();
  }
  ck_ok(nnb_plan_create(f.net, &(nnb_plan_opts){.max_rows = BATCH, .threads = f.threads, .want = NNB_SECOND}, &second));
  for (int round = 0; round <= ROUNDS; round++) {
    nnb_batch *b = round % 2 ? &f.one : &f.batch;
    const nnb_cmat v = nnb_cview(f.y, b->x.rows, N_OUT);
    nnb_status status = nnb_plan_hvp(second, b->x, v, b->x, nnb_view(dx, b->x.rows, N_IN));
    if (round > 1) ck_none_since(before, "%s, %d threads, nnb_plan_hvp", f.text, f.threads);
    if (!status)
      status =
          nnb_plan_taylor(second, b->x, b->x, 1, nnb_view(J, b->x.rows, 2 * N_OUT), by_w, (int)nnb_net_n_params(f.net));
    if (round > 1) ck_none_since(before, "%s, %d threads, nnb_plan_taylor", f.text, f.threads);
    if (status) ck_abort_msg("%s", nnb_errmsg());
    if (round <= 1) before = count();
  }
  nnb_plan_destroy(second);
  free(dx), free(J), free(by_w);
  nnb_plan_destroy(plan);
  end(&f);
}
END_TEST

static const nnb_optim_opts optims[] = {{.algo = NNB_SGD, .lr = 1e-3, .l1 = 1e-4, .l2 = 1e-3},
                                        {.algo = NNB_SGD, .lr = 1e-3, .l2 = 1e-3},
                                        {.algo = NNB_MOMENTUM, .lr = 1e-4},
                                        {.algo = NNB_NESTEROV, .lr = 1e-4, .clip_norm = 1}};

static void train(fixture *f, const nnb_optim_opts *opts) {
  nnb_plan *plan;
  nnb_optim *optim;
  int32_t order[ROWS];
  ck_ok(nnb_plan_create(f->net, &(nnb_plan_opts){.max_rows = BATCH, .threads = f->threads, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_optim_create(f->net, opts, &optim));
  for (int i = 0; i < ROWS; i++) order[i] = (7 * i) % ROWS;
  counts before = count();
  for (int round = 0; round <= ROUNDS; round++) {
    nnb_sums sums;
    double loss;
    nnb_status status = nnb_train_step(f->net, plan, &f->batch, optim, &loss);
    if (!status) status = nnb_train_step(f->net, plan, &f->one, optim, &loss);
    if (round) ck_none_since(before, "%s, %d threads, nnb_train_step", f->text, f->threads);
    if (!status) status = nnb_train_rows(f->net, plan, &f->rows, order, ROWS, 32, optim, &sums);
    if (!status) status = nnb_train_rows(f->net, plan, &f->rows, NULL, 0, 1, optim, NULL);
    if (!status) status = nnb_train_rows(f->net, plan, &f->rows, order, ROWS, ROWS, optim, &sums);
    if (round) ck_none_since(before, "%s, %d threads, nnb_train_rows", f->text, f->threads);
    if (!status) status = nnb_plan_gradient(plan, &f->batch, 0, NULL, f->grad);
    if (!status) status = nnb_optim_step(optim, f->net, f->grad);
    if (round) ck_none_since(before, "%s, %d threads, nnb_optim_step", f->text, f->threads);
    if (status) ck_abort_msg("%s", nnb_errmsg());
    if (!round) before = count();
  }
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
}

START_TEST(training_steps) {
  fixture f = make(_i);
  for (size_t k = 0; k < sizeof optims / sizeof *optims; k++) train(&f, &optims[k]);
  end(&f);
}
END_TEST

/* OpenBLAS 0.3.21 allocates in small products, depending on their shape. */
START_TEST(products_of_many_shapes) {
  static const int rows[] = {1, 2, 7, 40};
  static real x[40 * 100], t[40 * 40], y[40 * 40], grad[101 * 40];
  toy_fill(x, sizeof x / sizeof *x, 1), toy_fill(t, sizeof t / sizeof *t, 2);
  int n_in = (int[]){8, 16, 31, 32, 33, 100}[_i];
  for (int n_out = 1; n_out <= 40; n_out++) {
    nnb_plan *plan;
    nnb_net *net = nnb_net_create(n_in);
    ck_assert_int_gt(nnb_net_dense(net, n_out, NNB_LINEAR), 0);
    ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 40, .want = NNB_GRAD | NNB_DX}, &plan));
    counts before = count();
    for (int round = 0; round < 2; round++) {
      for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        int b = rows[k];
        nnb_batch batch = {.x = nnb_cview(x, b, n_in), .t = nnb_cview(t, b, n_out)};
        nnb_status status = nnb_plan_gradient(plan, &batch, 1, NULL, grad);
        if (!status) status = nnb_plan_predict(plan, batch.x, nnb_view(y, b, n_out));
        if (status) ck_abort_msg("%s", nnb_errmsg());
        if (round) ck_none_since(before, "%d inputs, %d outputs, %d rows", n_in, n_out, b);
      }
      if (!round) before = count();
    }
    nnb_plan_destroy(plan);
    nnb_net_destroy(net);
  }
}
END_TEST

typedef struct watch {
  counts first;
  int epochs;
  long ours, all; /* between the end of the first epoch and the end of the last */
} watch;

static int on_epoch(void *user, const nnb_record *record) {
  watch *w = user;
  counts now = count();
  if (record->epoch == 1) w->first = now;
  w->ours = now.ours - w->first.ours, w->all = now.all - w->first.all;
  w->epochs = record->epoch;
  return 0;
}

START_TEST(fits_after_their_start) {
  static const int batches[] = {1, 50, NNB_FULL_BATCH};
  fixture f = make(_i);
  for (int k = 0; k < 3; k++) {
    watch w = {.epochs = 0};
    char path[TOY_PATH];
    nnb_fit_opts opts = {.batch = batches[k],
                         .log = toy_path(path, "steady.csv"),
                         .metrics = nnb_data_n_classes(f.data) ? NNB_METRIC_AUC : NNB_METRIC_R2,
                         .train_metrics = true,
                         .chunk = 120,
                         .max_epochs = 8,
                         .history = 3,
                         .threads = f.threads,
                         .lr = 1e-3,
                         .on_epoch = on_epoch,
                         .user = &w};
    ck_ok(nnb_fit(f.net, f.data, f.data, &opts, NULL));
    remove(path);
    ck_assert_int_eq(w.epochs, 8);
    ck_assert_msg(w.ours == 0 && w.all == 0,
                  "%s, batch %d, %d threads: %ld allocations by the library, %ld calls of malloc", f.text, batches[k],
                  f.threads, w.ours, w.all);
  }
  end(&f);
}
END_TEST

/* Every method, on nets small enough for those with P² memory. */
START_TEST(fits_by_every_method) {
  nnb_data *data;
  heap_install();
  data = toy_regression(ROWS, N_IN, 3);
  for (int threads = 1; threads <= 2; threads++) {
    nnb_net *net;
    watch w = {.epochs = 0};
    nnb_fit_opts opts = {.algo = (nnb_algo)_i, .max_epochs = 8, .threads = threads, .on_epoch = on_epoch, .user = &w};
    ck_ok(nnb_net_parse("20-10:tanh-3", &net));
    ck_ok(nnb_fit(net, data, data, &opts, NULL));
    ck_assert_int_ge(w.epochs, 2);
    ck_assert_msg(w.ours == 0 && w.all == 0, "%s, %d threads: %ld allocations by the library, %ld calls of malloc",
                  nnb_algo_name((nnb_algo)_i), threads, w.ours, w.all);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
  heap_remove();
}
END_TEST

#ifdef COUNTED
START_TEST(the_count_counts) {
  long before = atomic_load(&n_mallocs);
  nnb_net *net;
  ck_ok(nnb_net_parse("2-2", &net));
  ck_assert_int_gt(atomic_load(&n_mallocs), before);
  nnb_net_destroy(net);
}
END_TEST
#endif

/* Targets of derivatives: losses, gradients, updates and residuals. */
START_TEST(derivative_targets) {
  enum { N = 24, X = 3, Y = 2, P = 4 * 8 + 9 * 2 };
  real x[N * X], t[N * Y], dt[N * X * Y], r[N * Y * (1 + X)], grad[P];
  static real J[N * Y * (1 + X) * P];
  nnb_net *net = NULL;
  nnb_plan *plan;
  nnb_optim *optim;
  double loss;
  heap_install();
  toy_fill(x, N * X, 1), toy_fill(t, N * Y, 2), toy_fill(dt, N * X * Y, 3);
  const nnb_batch rows = {.x = nnb_cview(x, N, X), .t = nnb_cview(t, N, Y), .dt = nnb_cview(dt, N, X * Y)};
  ck_ok(nnb_net_parse("3-8:silu-2", &net));
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = 0.01}, &optim));
  const nnb_plan_opts opts = {.max_rows = N, .threads = 1 + _i, .want = NNB_GRAD | NNB_ROWS | NNB_DT};
  ck_ok(nnb_plan_create(net, &opts, &plan));
  counts before = count();
  for (int round = 0; round <= ROUNDS; round++) {
    nnb_status status = nnb_plan_loss(plan, &rows, &loss);
    if (!status) status = nnb_plan_gradient(plan, &rows, 0, &loss, grad);
    if (!status) status = nnb_train_step(net, plan, &rows, optim, &loss);
    if (!status) status = nnb_plan_rows(plan, &rows, r, J, P);
    if (status) ck_abort_msg("%s", nnb_errmsg());
    if (round > 1) ck_none_since(before, "%d threads, targets of derivatives", 1 + _i);
    if (round <= 1) before = count();
  }
  nnb_plan_destroy(plan);
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
  ck_assert_int_eq(heap_live(), 0);
  heap_remove();
}
END_TEST

int main(void) {
#ifndef COUNTED
  puts("skipped: calls of malloc, which are counted only without a sanitizer and with glibc");
#endif
  Suite *suite = suite_create("steady, " PRECISION);
  TCase *tc = tcase_create("steady");
  tcase_add_loop_test(tc, predictions_and_losses, 0, 2 * N_NETS);
  tcase_add_loop_test(tc, training_steps, 0, 2 * N_NETS);
  tcase_add_loop_test(tc, derivative_targets, 0, 2);
  tcase_add_loop_test(tc, products_of_many_shapes, 0, 6);
  tcase_add_loop_test(tc, fits_after_their_start, 0, 2 * N_NETS);
  tcase_add_loop_test(tc, fits_by_every_method, 0, NNB_N_ALGOS);
#ifdef COUNTED
  if (under_valgrind())
    puts("skipped: calls of malloc, which valgrind replaces");
  else
    tcase_add_test(tc, the_count_counts);
#endif
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
