/* While a net is being trained, calls that would change it return NNB_E_STATE, and calls that read it work. */
#include <stdio.h>

#include "toys.h"

enum { ROWS = 30, N_IN = 3, N_OUT = 2, P = 26 };

/* The objects for the calls. */
typedef struct world {
  nnb_net *net; /* 3-4:tanh-2, or the same with an own activation */
  nnb_data *train, *val;
  nnb_plan *plan; /* of the net, and an optimiser with a moving average, made before */
  nnb_optim *optim;
  int tried;
} world;

static real numbers[P], outputs[ROWS * N_OUT];

static void world_make(world *w, nnb_net *net) {
  *w = (world){.net = net, .train = toy_regression(ROWS, N_IN, N_OUT), .val = toy_regression(7, N_IN, N_OUT)};
  ck_ok(nnb_net_init(net, 3));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &w->plan));
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_ADAM, .ema = 0.9}, &w->optim));
  nnb_batch rows;
  ck_ok(nnb_data_batch(w->train, 0, ROWS, &rows));
  ck_ok(nnb_train_step(net, w->plan, &rows, w->optim, NULL)); /* so that there is an average to exchange */
}

static void world_end(world *w) {
  nnb_optim_destroy(w->optim);
  nnb_plan_destroy(w->plan);
  nnb_net_destroy(w->net);
  nnb_data_destroy(w->train), nnb_data_destroy(w->val);
}

static nnb_batch rows_of(const world *w) {
  nnb_batch rows;
  ck_ok(nnb_data_batch(w->train, 0, ROWS, &rows));
  return rows;
}

/* ---- calls that change a net ------------------------------------------------------------------------------------- */

static int try_init(world *w) { return nnb_net_init(w->net, 5); }
static int try_params(world *w) { return nnb_net_params(w->net) ? NNB_OK : NNB_E_STATE; }
static int try_weights(world *w) { return nnb_net_set_weights(w->net, 2, nnb_cview(numbers, N_IN, 4)); }
static int try_bias(world *w) { return nnb_net_set_bias(w->net, 2, nnb_cview(numbers, 1, 4)); }
static int try_freeze(world *w) { return nnb_net_freeze(w->net, 2, NNB_WEIGHTS); }
static int try_thaw(world *w) { return nnb_net_freeze(w->net, 2, 0); }
static int try_dense(world *w) { return nnb_net_dense(w->net, 2, NNB_LINEAR); }
static int try_dense_opts(world *w) { return nnb_net_dense_opts(w->net, &(nnb_dense_opts){.units = 2}); }
static int try_input(world *w) { return nnb_net_input(w->net, 2, NULL); }
static int try_activation(world *w) { return nnb_net_activation(w->net, 2, NNB_TANH); }
static int try_add(world *w) { return nnb_net_add(w->net, (int[]){2}, 1, NNB_TANH); }
static int try_concat(world *w) { return nnb_net_concat(w->net, (int[]){2, 3}, 2); }
static int try_output(world *w) { return nnb_net_output(w->net, 2); }
static int try_loss(world *w) { return nnb_net_loss(w->net, NNB_MAE); }
static int try_output_loss(world *w) { return nnb_net_output_loss(w->net, 3, NNB_MAE, 2); }
static int try_seed(world *w) { return nnb_net_seed(w->net, 9); }
static int try_own_activation(world *w) { return nnb_net_own_activation(w->net, &toy_bump); }
static int try_own_loss(world *w) { return nnb_net_own_loss(w->net, &toy_quartic); }
static int try_own_layer(world *w) {
  return nnb_net_own_layer(w->net, &toy_gain, &(toy_gain_fields){1, 1}, NULL, 0, NNB_LINEAR, NULL);
}
static int try_standardize(world *w) { return nnb_net_standardize(w->net, w->train); }
static int try_scale_inputs(world *w) { return nnb_net_scale_inputs(w->net, w->train, NNB_MINMAX); }
static int try_scale_targets(world *w) { return nnb_net_scale_targets(w->net, w->train, NNB_MINMAX); }
static int try_fit(world *w) { return nnb_fit(w->net, w->train, NULL, &(nnb_fit_opts){.max_epochs = 1}, NULL); }
static int try_solve(world *w) { return nnb_solve_output(w->net, w->train, 0); }
static int try_check(world *w) {
  double worst;
  nnb_batch rows = rows_of(w);
  return nnb_check_gradient(w->net, &rows, &worst);
}
static int try_step(world *w) {
  nnb_batch rows = rows_of(w);
  return nnb_train_step(w->net, w->plan, &rows, w->optim, NULL);
}
static int try_rows(world *w) {
  nnb_batch rows = rows_of(w);
  return nnb_train_rows(w->net, w->plan, &rows, NULL, 0, 4, w->optim, NULL);
}
static int try_optim_step(world *w) { return nnb_optim_step(w->optim, w->net, numbers); }
static int try_average(world *w) { return nnb_optim_average(w->optim, w->net); }
static int try_destroy(world *w) {
  nnb_data_batch(NULL, 0, 0, NULL); /* sets another message */
  nnb_net_destroy(w->net);
  return strstr(nnb_errmsg(), "is running") ? NNB_E_STATE : NNB_OK;
}

static const struct change {
  const char *name;
  int (*run)(world *w);
} changes[] = {
#define CHANGE(name) \
  { #name, try_##name }
    CHANGE(init),         CHANGE(params),        CHANGE(weights),    CHANGE(bias),           CHANGE(freeze),
    CHANGE(thaw),         CHANGE(dense),         CHANGE(dense_opts), CHANGE(input),          CHANGE(activation),
    CHANGE(add),          CHANGE(concat),        CHANGE(output),     CHANGE(loss),           CHANGE(output_loss),
    CHANGE(seed),         CHANGE(own_loss),      CHANGE(own_layer),  CHANGE(own_activation), CHANGE(standardize),
    CHANGE(scale_inputs), CHANGE(scale_targets), CHANGE(fit),        CHANGE(solve),          CHANGE(check),
    CHANGE(step),         CHANGE(rows),          CHANGE(optim_step), CHANGE(average),        CHANGE(destroy),
#undef CHANGE
};
enum { N_CHANGES = sizeof changes / sizeof *changes };

static void try_to_change(world *w) {
  for (int i = 0; i < N_CHANGES; i++) {
    int status = changes[i].run(w);
    ck_assert_msg(status == NNB_E_STATE, "%s while the net is trained: %d (%s)", changes[i].name, status, nnb_errmsg());
    ck_assert_msg(strstr(nnb_errmsg(), "is running"), "%s: %s", changes[i].name, nnb_errmsg());
  }
  ck_ok(nnb_net_status(w->net)); /* a building call at the wrong time leaves no error */
  w->tried++;
}

/* ---- calls that read --------------------------------------------------------------------------------------------- */

static void read_everything(world *w) {
  nnb_net *net = w->net, *copy;
  nnb_batch rows = rows_of(w);
  nnb_metrics m;
  nnb_cmat view;
  nnb_plan *plan;
  nnb_optim *optim;
  void *file;
  size_t bytes;
  double loss;
  ck_ok(nnb_evaluate(net, w->val, &m));
  ck_ok(nnb_net_predict(net, rows.x, nnb_view(outputs, ROWS, N_OUT)));
  ck_ok(nnb_net_copy(net, &copy));
  ck_assert(toy_hash_net(1, copy) == toy_hash_net(1, net));
  ck_assert_ptr_nonnull(nnb_net_params(copy)); /* the copy is not being trained */
  ck_ok(nnb_net_freeze(copy, 2, NNB_BIAS));
  nnb_net_destroy(copy);
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  nnb_free(file);
  ck_ok(nnb_net_weights(net, 2, &view));
  ck_ok(nnb_net_bias(net, 2, &view));
  ck_assert(nnb_net_n_params(net) == P && nnb_net_n_nodes(net) == 3 && nnb_net_find(net, "last") == 3);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_plan_loss(plan, &rows, &loss));
  ck_ok(nnb_plan_gradient(plan, &rows, 0, &loss, numbers));
  ck_ok(nnb_optim_create(net, NULL, &optim));
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
}

/* ---- from on_epoch ----------------------------------------------------------------------------------------------- */

static int on_epoch(void *user, const nnb_record *record) {
  try_to_change(user);
  read_everything(user);
  return record->epoch == 4;
}

static int count_epochs(void *user, const nnb_record *record) { return (void)user, record->epoch == 4; }

static nnb_net *plain_net(void) {
  nnb_net *net;
  ck_ok(nnb_net_parse("3-4:tanh-2:name=last", &net));
  return net;
}

START_TEST(changes_from_on_epoch_are_refused) {
  world plain, w;
  nnb_fit_opts opts = {.algo = (nnb_algo)_i, .batch = _i == NNB_SGD ? 1 : 0, .on_epoch = count_epochs};
  world_make(&plain, plain_net()), world_make(&w, plain_net());
  ck_ok(nnb_fit(plain.net, plain.train, plain.val, &opts, NULL));
  opts.on_epoch = on_epoch, opts.user = &w;
  ck_ok(nnb_fit(w.net, w.train, w.val, &opts, NULL));
  ck_assert_int_ge(w.tried, 1);
  ck_assert_msg(toy_hash_net(1, w.net) == toy_hash_net(1, plain.net), "%s: refused calls changed the fit",
                nnb_algo_name((nnb_algo)_i));
  ck_ok(nnb_net_freeze(w.net, 2, 0)); /* works again afterwards */
  ck_assert_ptr_nonnull(nnb_net_params(w.net));
  ck_ok(nnb_fit(w.net, w.train, w.val, &(nnb_fit_opts){.max_epochs = 1}, NULL));
  world_end(&plain), world_end(&w);
}
END_TEST

/* ---- from own parts ---------------------------------------------------------------------------------------------- */

static world *active; /* NULL: own parts only compute */

static void meddling_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) {
  world *w = active;
  active = NULL;
  if (w) try_to_change(w);
  active = w;
  bump_value(self, z, a);
}
static const nnb_act_ops meddling = {
    .name = "meddling", .traits = NNB_ACT_NEEDS_Z, .value = meddling_value, .pull = bump_pull};

static int run_lm(world *w) {
  return nnb_fit(w->net, w->train, NULL, &(nnb_fit_opts){.algo = NNB_LM, .max_epochs = 2, .threads = 1}, NULL);
}
static int run_adam(world *w) {
  return nnb_fit(w->net, w->train, NULL, &(nnb_fit_opts){.algo = NNB_ADAM, .max_epochs = 2, .threads = 1}, NULL);
}
static int (*const holders[])(world *w) = {run_lm, run_adam, try_solve, try_check};

START_TEST(changes_from_own_parts_are_refused) {
  world w;
  nnb_net *net = nnb_net_create(N_IN);
  nnb_net_dense(net, 4, (nnb_activation)nnb_net_own_activation(net, &meddling));
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = N_OUT, .name = "last"});
  active = NULL;
  ck_ok(nnb_set_threads(1));
  world_make(&w, net);
  active = &w;
  ck_ok(holders[_i](&w));
  active = NULL;
  ck_assert_int_ge(w.tried, 1);
  world_end(&w);
}
END_TEST

/* Drawing the parameters also holds the net, and so does a fit that has not sealed it yet. */
static world *drawing;
static void meddling_init(const void *self, real *p, nnb_rng *rng, real *scratch) {
  if (drawing) {
    ck_assert_int_eq(try_dense(drawing), NNB_E_STATE);
    ck_assert_int_eq(try_weights(drawing), NNB_E_STATE);
    ck_assert_int_eq(try_freeze(drawing), NNB_E_STATE);
    ck_assert_int_eq(try_init(drawing), NNB_E_STATE);
    drawing->tried++;
  }
  gain_init(self, p, rng, scratch);
}

START_TEST(changes_while_parameters_are_drawn_are_refused) {
  nnb_layer_ops ops = toy_gain;
  ops.init = meddling_init;
  world w = {.net = nnb_net_create(N_IN), .train = toy_regression(ROWS, N_IN, 1)};
  nnb_net_own_layer(w.net, &ops, &(toy_gain_fields){1, 1}, NULL, 0, NNB_LINEAR, NULL);
  nnb_net_dense(w.net, 1, NNB_LINEAR);
  drawing = &w;
  if (_i)
    ck_ok(nnb_net_init(w.net, 3));
  else
    ck_ok(nnb_fit(w.net, w.train, NULL, &(nnb_fit_opts){.algo = NNB_ADAM, .max_epochs = 1}, NULL));
  drawing = NULL;
  ck_assert_int_ge(w.tried, 1);
  world_end(&w);
}
END_TEST

/* A net that a refused fit has sealed can be built on again, unless a callback made something for its parameters. */
typedef struct peek {
  nnb_net *net;
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_error_bars *bars;
  int way;
} peek;
enum { N_PEEKS = 6 };
static nnb_status read_and_fail(void *user, int64_t row0, int n, const nnb_rows *rows) {
  peek *p = user;
  nnb_cmat view;
  nnb_data *few = toy_regression(ROWS, N_IN, 1);
  (void)row0, (void)n, (void)rows;
  if (p->way == 1) ck_ok(nnb_plan_create(p->net, NULL, &p->plan));
  if (p->way == 2) ck_ok(nnb_optim_create(p->net, NULL, &p->optim));
  if (p->way == 3) ck_assert_ptr_nonnull(nnb_net_params_read(p->net));
  if (p->way == 4) ck_ok(nnb_net_weights(p->net, 2, &view));
  if (p->way == 5) ck_ok(nnb_error_bars_create(p->net, few, NULL, &p->bars));
  ck_ok(nnb_net_predict(p->net, nnb_cview(numbers, 1, N_IN), nnb_view(outputs, 1, 1)));
  nnb_data_destroy(few);
  return NNB_E_IO;
}

START_TEST(seen_parameters_stay) {
  nnb_data *data;
  peek p = {.net = nnb_net_create(N_IN), .way = _i};
  const nnb_source source = {.rows = ROWS, .n_in = N_IN, .n_out = 1, .read = read_and_fail, .user = &p};
  ck_ok(nnb_data_from_source(&source, &data));
  nnb_net_dense(p.net, 1, NNB_LINEAR);
  ck_assert_int_eq(nnb_fit(p.net, data, NULL, &(nnb_fit_opts){.algo = NNB_ADAM}, NULL), NNB_E_IO);
  ck_assert_int_eq(nnb_net_dense(p.net, 1, NNB_LINEAR), _i == 0 ? 3 : NNB_E_STATE);
  nnb_plan_destroy(p.plan), nnb_optim_destroy(p.optim), nnb_error_bars_destroy(p.bars);
  nnb_net_destroy(p.net), nnb_data_destroy(data);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("held nets, " PRECISION);
  TCase *tc = tcase_create("held");
  tcase_add_loop_test(tc, changes_from_on_epoch_are_refused, 0, NNB_N_ALGOS);
  tcase_add_loop_test(tc, changes_from_own_parts_are_refused, 0, (int)(sizeof holders / sizeof *holders));
  tcase_add_loop_test(tc, changes_while_parameters_are_drawn_are_refused, 0, 2);
  tcase_add_loop_test(tc, seen_parameters_stay, 0, N_PEEKS);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
