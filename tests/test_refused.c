/* A refused call leaves the net bit for bit as it was: nnb_fit refused for every reason, building calls, and files that
 * cannot be loaded. */
#include <limits.h>
#include <stdio.h>

#include "heap.h"
#include "toys.h"

enum { ROWS = 24, N_IN = 3 };

static const char csv_head[] = "a,b,c,y\n", csv_other[] = "a,B,c,y\n";

/* Three inputs and one target of 0 and 1 (times scale), with names; kinds: the target is one of two words. */
static nnb_data *table(const char *head, double scale, bool kinds, const char *first, const char *second) {
  char text[4000];
  nnb_data *data;
  int at = snprintf(text, sizeof text, "%s", head);
  for (int i = 0; i < ROWS; i++) {
    at += snprintf(text + at, sizeof text - (size_t)at, "%g,%g,%g,", i / 7.0 - 1, i % 5 / 3.0, i % 3 - 1.0);
    at += kinds ? snprintf(text + at, sizeof text - (size_t)at, "%s\n", i % 2 ? first : second)
                : snprintf(text + at, sizeof text - (size_t)at, "%g\n", scale * (i % 2));
  }
  nnb_csv_opts opts = {.header = 1};
  ck_ok(nnb_data_parse_csv(text, (size_t)at, "table", &opts, &data));
  return data;
}

/* The same without names, of n_in columns and n_t targets (0: none), all of one weight. */
static nnb_data *plain(int n_in, int n_t, real weight) {
  static real x[ROWS * 5], t[ROWS * 3], w[ROWS];
  nnb_data *data;
  toy_fill(x, ROWS * 5, 1);
  for (int i = 0; i < ROWS * 3; i++) t[i] = (real)(i % 2);
  for (int i = 0; i < ROWS; i++) w[i] = weight;
  nnb_batch rows = {.x = nnb_cview(x, ROWS, n_in), .weight = w};
  if (n_t) rows.t = nnb_cview(t, ROWS, n_t);
  ck_ok(nnb_data_copy(&rows, 0, &data));
  return data;
}

/* ---- the comparison ---------------------------------------------------------------------------------------------- */

typedef struct picture { /* the state of a sealed net */
  void *file;
  size_t bytes;
} picture;

static picture take(nnb_net *net) {
  picture p;
  ck_ok(nnb_net_save_mem(net, &p.file, &p.bytes));
  return p;
}

static void expect_same(nnb_net *net, const picture *before, const char *what) {
  picture now = take(net);
  ck_assert_msg(now.bytes == before->bytes && memcmp(now.file, before->file, now.bytes) == 0, "%s changed the net",
                what);
  nnb_free(now.file);
}

/* ---- nnb_fit ----------------------------------------------------------------------------------------------------- */

enum kind { GOOD, NONE, WIDE, WITHOUT_T, TWO_T, HIGH, ZERO_WEIGHT, KINDS_3, OTHER_COLUMNS };

typedef struct refusal {
  const char *name;
  nnb_status wanted;
  nnb_fit_opts opts;
  const char *net; /* NULL: "3-4:tanh-1:sigmoid" */
  enum kind train, val;
  bool spoilt; /* a parameter is NaN */
} refusal;

static const refusal refusals[] = {
    {.name = "no data", .wanted = NNB_E_ARG, .train = NONE},
    {.name = "columns", .wanted = NNB_E_SHAPE, .train = WIDE},
    {.name = "validation columns", .wanted = NNB_E_SHAPE, .val = WIDE},
    {.name = "no targets", .wanted = NNB_E_ARG, .train = WITHOUT_T},
    {.name = "validation without targets", .wanted = NNB_E_ARG, .val = WITHOUT_T},
    {.name = "targets", .wanted = NNB_E_SHAPE, .train = TWO_T},
    {.name = "validation targets", .wanted = NNB_E_SHAPE, .val = TWO_T},
    {.name = "no probabilities", .wanted = NNB_E_ARG, .train = HIGH},
    {.name = "validation without probabilities", .wanted = NNB_E_ARG, .val = HIGH},
    {.name = "weights", .wanted = NNB_E_ARG, .train = ZERO_WEIGHT},
    {.name = "validation weights", .wanted = NNB_E_ARG, .val = ZERO_WEIGHT},
    {.name = "classes", .wanted = NNB_E_SHAPE, .train = KINDS_3},
    {.name = "validation of other columns", .wanted = NNB_E_SHAPE, .val = OTHER_COLUMNS},
    {.name = "NaN", .wanted = NNB_E_NUMERIC, .spoilt = true},
    {.name = "algorithm", .wanted = NNB_E_ARG, .opts = {.algo = (nnb_algo)99}},
    {.name = "batch", .wanted = NNB_E_ARG, .opts = {.batch = -7}},
    {.name = "chunk", .wanted = NNB_E_ARG, .opts = {.chunk = -1}},
    {.name = "epochs", .wanted = NNB_E_ARG, .opts = {.max_epochs = -7}},
    {.name = "history", .wanted = NNB_E_ARG, .opts = {.history = -7}},
    {.name = "patience", .wanted = NNB_E_ARG, .opts = {.patience = -1}},
    {.name = "target", .wanted = NNB_E_ARG, .opts = {.target_loss = -1}},
    {.name = "seconds", .wanted = NNB_E_ARG, .opts = {.max_seconds = -1}},
    {.name = "threads", .wanted = NNB_E_ARG, .opts = {.threads = -1}},
    {.name = "learning rate", .wanted = NNB_E_ARG, .opts = {.algo = NNB_SGD, .lr = -1}},
    {.name = "momentum", .wanted = NNB_E_ARG, .opts = {.algo = NNB_MOMENTUM, .momentum = 2}},
    {.name = "beta1", .wanted = NNB_E_ARG, .opts = {.algo = NNB_ADAM, .beta1 = 2}},
    {.name = "beta2", .wanted = NNB_E_ARG, .opts = {.algo = NNB_ADAM, .beta2 = 2}},
    {.name = "epsilon", .wanted = NNB_E_ARG, .opts = {.algo = NNB_ADAM, .epsilon = -2}},
    {.name = "l1", .wanted = NNB_E_ARG, .opts = {.l1 = -2}},
    {.name = "l2", .wanted = NNB_E_ARG, .opts = {.l2 = -2}},
    {.name = "clip_norm", .wanted = NNB_E_ARG, .opts = {.clip_norm = -2}},
    {.name = "ema", .wanted = NNB_E_ARG, .opts = {.ema = 2}},
    {.name = "schedule", .wanted = NNB_E_ARG, .opts = {.schedule = (nnb_schedule)99}},
    {.name = "warm-up", .wanted = NNB_E_ARG, .opts = {.warmup = -2}},
    {.name = "cosine without an end", .wanted = NNB_E_ARG, .opts = {.schedule = NNB_COSINE, .max_epochs = NNB_NONE}},
    {.name = "damping", .wanted = NNB_E_ARG, .opts = {.algo = NNB_KFAC, .damping = -2}},
    {.name = "lbfgs with lr", .wanted = NNB_E_ARG, .opts = {.algo = NNB_LBFGS, .lr = 0.1}},
    {.name = "lbfgs in batches", .wanted = NNB_E_ARG, .opts = {.algo = NNB_LBFGS, .batch = 8}},
    {.name = "lbfgs with l2", .wanted = NNB_E_ARG, .opts = {.algo = NNB_LBFGS, .l2 = -3}},
    {.name = "bayes by adam", .wanted = NNB_E_ARG, .opts = {.algo = NNB_ADAM, .bayes = true}},
    {.name = "lm of cross-entropy", .wanted = NNB_E_UNSUPPORTED, .opts = {.algo = NNB_LM}},
    {.name = "bayes of cross-entropy", .wanted = NNB_E_UNSUPPORTED, .opts = {.bayes = true}},
    {.name = "bayes with l2", .wanted = NNB_E_ARG, .opts = {.bayes = true, .l2 = 1}, .net = "3-4:tanh-1"},
    {.name = "varpro without linear outputs",
     .wanted = NNB_E_UNSUPPORTED,
     .opts = {.algo = NNB_VARPRO},
     .net = "3-4:tanh-1:tanh"},
    {.name = "lm of frozen", .wanted = NNB_E_ARG, .opts = {.algo = NNB_LM}, .net = "3-1:frozen=3"},
};
enum { N_REFUSALS = sizeof refusals / sizeof *refusals };

static nnb_data *data_of(enum kind kind) {
  switch (kind) {
    case NONE:
      return NULL;
    case WIDE:
      return plain(5, 1, 1);
    case WITHOUT_T:
      return plain(3, 0, 1);
    case TWO_T:
      return plain(3, 2, 1);
    case HIGH:
      return table(csv_head, 3, false, NULL, NULL);
    case ZERO_WEIGHT:
      return plain(3, 1, 0);
    case KINDS_3: {
      nnb_data *data = toy_classes(ROWS, N_IN, 3);
      return data;
    }
    case OTHER_COLUMNS:
      return table(csv_other, 1, false, NULL, NULL);
    default:
      return table(csv_head, 1, false, NULL, NULL);
  }
}

static nnb_net *net_of(const refusal *r) {
  nnb_net *net;
  ck_ok(nnb_net_parse(r->net ? r->net : "3-4:tanh-1:sigmoid", &net));
  return net;
}

static void must_refuse(const refusal *r, nnb_net *net, nnb_report *report) {
  nnb_data *train = data_of(r->train), *val = r->val ? data_of(r->val) : NULL;
  nnb_status status = nnb_fit(net, train, val, &r->opts, report);
  ck_assert_msg(status == r->wanted, "%s: %s (%s), not %s", r->name, nnb_strstatus(status), nnb_errmsg(),
                nnb_strstatus(r->wanted));
  ck_assert_msg(!nnb_net_column_name(net, 0) && !nnb_net_class_name(net, 0), "%s: names were taken", r->name);
  nnb_data_destroy(train), nnb_data_destroy(val);
}

/* A net with parameters, and the history of the fit before. */
START_TEST(a_refused_fit_leaves_a_trained_net) {
  const refusal *r = &refusals[_i];
  nnb_net *net = net_of(r);
  nnb_data *data = plain(3, 1, 1);
  nnb_report first = {0}, second;
  if (!r->net || strcmp(r->net, "3-1:frozen=3") != 0)
    ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_ADAM, .max_epochs = 3}, &first));
  if (r->spoilt) nnb_net_params(net)[2] = (real)NAN;
  uint64_t bits = toy_hash_net(1, net),
           history = toy_hash(1, first.history, (size_t)first.n_history * sizeof(nnb_record));
  picture before = {0};
  if (!r->spoilt) before = take(net);
  must_refuse(r, net, &second);
  if (!r->spoilt) expect_same(net, &before, r->name);
  ck_assert_msg(toy_hash_net(1, net) == bits, "%s changed the parameters", r->name);
  ck_assert_msg(toy_hash(1, first.history, (size_t)first.n_history * sizeof(nnb_record)) == history,
                "%s: the history of the fit before is gone", r->name);
  ck_assert(second.epochs == 0 && second.n_history == 0 && second.algo != NNB_AUTO);
  nnb_free(before.file);
  nnb_data_destroy(data), nnb_net_destroy(net);
}
END_TEST

/* A net without parameters can still be built, and later draws the same parameters. */
START_TEST(a_refused_fit_does_not_seal) {
  const refusal *r = &refusals[_i];
  if (r->spoilt) return;
  nnb_net *net = net_of(r), *twin = net_of(r);
  must_refuse(r, net, NULL);
  for (int i = 0; i < 2; i++) {
    ck_assert_msg(nnb_net_seed(i ? twin : net, 5) == NNB_OK, "%s: %s", r->name, nnb_errmsg());
    ck_assert_int_gt(nnb_net_dense(i ? twin : net, 2, NNB_TANH), 0);
    ck_ok(nnb_net_init(i ? twin : net, 3));
  }
  picture want = take(twin);
  expect_same(net, &want, r->name);
  nnb_free(want.file);
  nnb_net_destroy(net), nnb_net_destroy(twin);
}
END_TEST

/* Out of memory, allocation by allocation, for each method: no names, no seal, no new parameters. */
START_TEST(a_fit_without_memory_leaves_the_net) {
  const nnb_fit_opts opts = {.algo = (nnb_algo)_i, .max_epochs = 2};
  heap_install();
  nnb_data *train = table(csv_head, 1, false, NULL, NULL), *val = table(csv_head, 1, false, NULL, NULL);
  nnb_net *twin;
  ck_ok(nnb_net_parse("3-4:tanh-1", &twin));
  picture want = take(twin); /* of parameters that have just been drawn */
  nnb_status status = NNB_E_NOMEM;
  for (long k = 1; status; k++) {
    for (int sealed = 0; sealed < 2; sealed++) {
      nnb_net *net;
      ck_ok(nnb_net_parse("3-4:tanh-1", &net));
      if (sealed) ck_assert_ptr_nonnull(nnb_net_params(net));
      heap_fail_at(k, false);
      status = nnb_fit(net, train, val, &opts, NULL);
      heap_fail_at(0, false);
      ck_assert_msg(status == NNB_OK || status == NNB_E_NOMEM, "allocation %ld: %s", k, nnb_errmsg());
      if (status) {
        ck_assert_msg(!nnb_net_column_name(net, 0), "allocation %ld: names were taken", k);
        if (!sealed) ck_assert_msg(nnb_net_seed(net, 0) == NNB_OK, "allocation %ld sealed the net", k);
        expect_same(net, &want, "a fit without memory");
      }
      nnb_net_destroy(net);
    }
  }
  nnb_free(want.file), nnb_net_destroy(twin);
  nnb_data_destroy(train), nnb_data_destroy(val);
  ck_assert_int_eq(heap_live(), 0);
  heap_remove();
}
END_TEST

/* Divergence in the first epoch: nothing of the data is in the net. */
START_TEST(a_fit_that_learnt_nothing_leaves_the_net) {
  nnb_data *train = table(csv_head, 1, false, NULL, NULL);
  nnb_net *net;
  nnb_report r;
  ck_ok(nnb_net_parse("3-1", &net));
  nnb_net_params(net)[0] = 1;
  picture before = take(net);
  nnb_fit_opts opts = {.algo = NNB_SGD, .lr = TOL(1e300, 1e38), .batch = 1};
  ck_assert_int_eq(nnb_fit(net, train, NULL, &opts, &r), NNB_E_NUMERIC);
  ck_assert(r.best_epoch == 0 && r.stop == NNB_STOP_DIVERGED);
  expect_same(net, &before, "a fit that diverged in its first epoch");
  ck_ok(nnb_fit(net, train, NULL, &(nnb_fit_opts){.max_epochs = 2}, NULL));
  ck_assert_str_eq(nnb_net_column_name(net, 1), "b"); /* a fit that succeeds takes the names */
  nnb_free(before.file), nnb_net_destroy(net), nnb_data_destroy(train);
}
END_TEST

/* ---- other calls that change a net ------------------------------------------------------------------------------- */

START_TEST(refused_changes_do_not_seal) {
  static real w[12];
  double worst;
  nnb_data *data = plain(5, 1, 1);
  nnb_net *net;
  nnb_batch rows;
  ck_ok(nnb_data_batch(data, 0, 4, &rows));
  ck_ok(nnb_net_parse("3-4-1", &net));
  ck_assert_int_eq(nnb_net_set_weights(net, 2, nnb_cview(w, 4, 3)), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_net_set_bias(net, 1, nnb_cview(w, 1, 4)), NNB_E_ARG);
  ck_assert_int_eq(nnb_net_freeze(net, 9, NNB_BIAS), NNB_E_ARG);
  ck_assert_int_eq(nnb_net_freeze(net, 2, 8), NNB_E_ARG);
  ck_assert_int_eq(nnb_solve_output(net, data, 0), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_solve_output(net, NULL, 0), NNB_E_ARG);
  ck_assert_int_eq(nnb_check_gradient(net, &rows, &worst), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_train_step(net, NULL, &rows, NULL, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_net_dense(net, 2, NNB_TANH), 4); /* it is not sealed */
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* ---- building ---------------------------------------------------------------------------------------------------- */

static int build_dense(nnb_net *n) { return nnb_net_dense(n, -2, NNB_TANH); }
static int build_activation(nnb_net *n) { return nnb_net_dense(n, 2, (nnb_activation)77); }
static int build_frozen(nnb_net *n) { return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 2, .frozen = 8}); }
static int build_init(nnb_net *n) { return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 2, .init = (nnb_init)88}); }
static int build_from(nnb_net *n) { return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 2, .from = 99}); }
static int build_name(nnb_net *n) { return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 2, .name = "dense1"}); }
static int build_opts(nnb_net *n) { return nnb_net_dense_opts(n, NULL); }
static int build_input(nnb_net *n) { return nnb_net_input(n, 0, NULL); }
static int build_wide(nnb_net *n) { return nnb_net_input(n, INT_MAX, NULL); }
static int build_add(nnb_net *n) { return nnb_net_add(n, (int[]){1, 2}, 2, NNB_LINEAR); }
static int build_concat(nnb_net *n) { return nnb_net_concat(n, NULL, 2); }
static int build_output(nnb_net *n) { return nnb_net_output(n, 1); }
static int build_loss(nnb_net *n) { return nnb_net_loss(n, (nnb_loss)77); }
static int build_output_loss(nnb_net *n) { return nnb_net_output_loss(n, 2, NNB_MSE, 1); }
static int build_own_activation(nnb_net *n) { return nnb_net_own_activation(n, &(nnb_act_ops){.name = "x"}); }
static int build_own_loss(nnb_net *n) { return nnb_net_own_loss(n, &(nnb_loss_ops){.name = "mse"}); }
static int build_own_layer(nnb_net *n) {
  return nnb_net_own_layer(n, &toy_gain, &(toy_gain_fields){-1, 1}, NULL, 0, NNB_LINEAR, NULL);
}
static int build_scaler(nnb_net *n) { return nnb_net_standardize(n, NULL); }
static int build_scaling(nnb_net *n) {
  nnb_data *data = plain(3, 1, 1);
  int status = nnb_net_scale_inputs(n, data, (nnb_scaling)9);
  nnb_data_destroy(data);
  return status;
}
static int build_scaled_columns(nnb_net *n) {
  nnb_data *data = plain(5, 1, 1);
  int status = nnb_net_scale_inputs(n, data, NNB_MINMAX);
  nnb_data_destroy(data);
  return status;
}

static int (*const builders[])(nnb_net *n) = {
    build_dense,    build_activation, build_frozen, build_init,        build_from,
    build_name,     build_opts,       build_input,  build_wide,        build_add,
    build_concat,   build_output,     build_loss,   build_output_loss, build_own_activation,
    build_own_loss, build_own_layer,  build_scaler, build_scaling,     build_scaled_columns,
};
enum { N_BUILDERS = sizeof builders / sizeof *builders };

/* Only the error is recorded; in a sealed net not even that. */
START_TEST(a_refused_building_call_leaves_the_net) {
  nnb_net *net, *open;
  const nnb_real *shift;
  ck_ok(nnb_net_parse("3-4:tanh-2", &net));
  ck_ok(nnb_net_parse("3-4:tanh-2", &open));
  picture before = take(net);
  int status = builders[_i](net);
  ck_assert_msg(status < 0, "builder %d: %d", _i, status);
  ck_ok(nnb_net_status(net));
  expect_same(net, &before, "a building call");
  status = builders[_i](open);
  ck_assert_msg(status < 0, "builder %d: %d", _i, status);
  ck_assert_int_eq(nnb_net_status(open), status); /* the recorded error */
  ck_assert_int_eq(nnb_net_n_nodes(open), 3);
  ck_assert_int_eq(nnb_net_find(open, "dense2"), 3);
  nnb_net_input_scaler(open, &shift, NULL);
  ck_assert_ptr_null(shift);
  ck_assert_int_eq(nnb_net_dense(open, 2, NNB_TANH), status); /* the first error stays */
  ck_assert_int_eq(nnb_fit(open, NULL, NULL, NULL, NULL), status);
  nnb_free(before.file);
  nnb_net_destroy(net), nnb_net_destroy(open);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("refused calls, " PRECISION);
  TCase *tc = tcase_create("refused");
  tcase_add_loop_test(tc, a_refused_fit_leaves_a_trained_net, 0, N_REFUSALS);
  tcase_add_loop_test(tc, a_refused_fit_does_not_seal, 0, N_REFUSALS);
  tcase_add_loop_test(tc, a_fit_without_memory_leaves_the_net, 0, NNB_N_ALGOS);
  tcase_add_test(tc, a_fit_that_learnt_nothing_leaves_the_net);
  tcase_add_test(tc, refused_changes_do_not_seal);
  tcase_add_loop_test(tc, a_refused_building_call_leaves_the_net, 0, N_BUILDERS);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
