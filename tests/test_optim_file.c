/* nnb_optim_save and nnb_optim_load: every stepping method goes on with the same bits; what does not fit is refused and
 * changes nothing. */
#include <sys/stat.h>

#include "heap.h"
#include "toys.h"

enum { ROWS = 60, STEPS = 10 };

static nnb_algo algos[NNB_N_ALGOS];
static int n_algos;

/* ---- a training ------------------------------------------------------------------------------------------------- */

typedef struct training {
  nnb_net *net;
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_data *data;
} training;

static training start(const nnb_optim_opts *opts, uint64_t seed) {
  training t = {.data = toy_classes(ROWS, 4, 3)};
  ck_ok(nnb_net_parse("4-6:tanh-5:relu-3:softmax", &t.net));
  ck_ok(nnb_net_init(t.net, seed));
  ck_ok(nnb_plan_create(t.net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &t.plan));
  ck_ok(nnb_optim_create(t.net, opts, &t.optim));
  return t;
}

static void end(training *t) {
  nnb_optim_destroy(t->optim);
  nnb_plan_destroy(t->plan);
  nnb_net_destroy(t->net);
  nnb_data_destroy(t->data);
}

/* Updates from..to, of 20 rows each; an epoch of the schedule with every second one, whose loss falls once. */
static void steps(training *t, int from, int to) {
  for (int k = from; k < to; k++) {
    nnb_batch rows;
    ck_ok(nnb_data_batch(t->data, k % 3 * 20, 20, &rows));
    ck_ok(nnb_train_step(t->net, t->plan, &rows, t->optim, NULL));
    if (k % 2 == 0) ck_ok(nnb_optim_epoch(t->optim, k == 0 ? 0.5 : 0.7));
  }
}

static bool same_params(training *a, training *b) {
  return memcmp(nnb_net_params_read(a->net), nnb_net_params_read(b->net), nnb_net_n_params(a->net) * sizeof(real)) == 0;
}

static const nnb_optim_opts variants[] = {
    {.seed = 5},
    {.schedule = NNB_COSINE, .epochs = 7, .epoch_updates = 3, .warmup = 1, .l1 = 1e-4, .l2 = 1e-3},
    {.schedule = NNB_PLATEAU, .lr_step = 3, .ema = 0.9, .clip_norm = 0.5},
};
enum { N_VARIANTS = sizeof variants / sizeof *variants };

/* ---- the same bits ---------------------------------------------------------------------------------------------- */

START_TEST(goes_on_with_the_same_bits) {
  nnb_optim_opts opts = variants[_i % N_VARIANTS];
  opts.algo = algos[_i / N_VARIANTS];
  if (opts.algo == NNB_KFAC) opts.invert_every = 7; /* so that old inverses are needed after the load */
  const char *name = nnb_algo_name(opts.algo);
  training whole = start(&opts, 1), first = start(&opts, 1), second = start(&opts, 2);
  void *file;
  size_t bytes;
  steps(&whole, 0, STEPS), steps(&first, 0, STEPS);
  ck_ok(nnb_optim_set_lr(whole.optim, 0.01)); /* a part of the state */
  ck_ok(nnb_optim_set_lr(first.optim, 0.01));
  ck_ok(nnb_optim_save_mem(first.optim, first.net, &file, &bytes));
  steps(&second, 5, 6); /* what the optimiser did before does not count */
  ck_ok(nnb_optim_load_mem(second.optim, second.net, file, bytes));
  ck_assert_msg(same_params(&first, &second), "%s: other parameters", name);
  ck_assert_msg(nnb_optim_lr(first.optim) == nnb_optim_lr(second.optim), "%s: another rate", name);
  steps(&whole, STEPS, 2 * STEPS);
  steps(&second, STEPS, 2 * STEPS);
  ck_assert_msg(same_params(&whole, &second), "%s, variant %d: other bits", name, _i % N_VARIANTS);
  ck_assert_msg(!same_params(&first, &second), "%s: nothing changed", name);
  if (opts.ema > 0) {
    ck_ok(nnb_optim_average(whole.optim, whole.net));
    ck_ok(nnb_optim_average(second.optim, second.net));
    ck_assert_msg(same_params(&whole, &second), "%s: another average", name);
  }
  nnb_free(file);
  end(&whole), end(&first), end(&second);
}
END_TEST

/* Before the first step, and while the net holds the average. */
START_TEST(any_moment_can_be_saved) {
  nnb_optim_opts opts = {.algo = algos[_i], .ema = 0.8};
  training a = start(&opts, 1), b = start(&opts, 2);
  void *file;
  size_t bytes;
  ck_ok(nnb_optim_save_mem(a.optim, a.net, &file, &bytes));
  ck_ok(nnb_optim_load_mem(b.optim, b.net, file, bytes));
  nnb_free(file);
  steps(&a, 0, 5), steps(&b, 0, 5);
  ck_assert(same_params(&a, &b));
  ck_ok(nnb_optim_average(a.optim, a.net));
  ck_ok(nnb_optim_save_mem(a.optim, a.net, &file, &bytes));
  steps(&b, 5, 7);
  ck_ok(nnb_optim_load_mem(b.optim, b.net, file, bytes));
  ck_assert(same_params(&a, &b));
  nnb_batch rows;
  ck_ok(nnb_data_batch(b.data, 0, 20, &rows));
  ck_assert_int_eq(nnb_train_step(b.net, b.plan, &rows, b.optim, NULL), NNB_E_STATE);
  ck_ok(nnb_optim_average(a.optim, a.net));
  ck_ok(nnb_optim_average(b.optim, b.net));
  ck_assert(same_params(&a, &b));
  steps(&a, 5, 9), steps(&b, 5, 9);
  ck_assert(same_params(&a, &b));
  nnb_free(file);
  end(&a), end(&b);
}
END_TEST

/* A file on disk is a model: nnb_net_load reads the net. */
START_TEST(the_file_is_a_model) {
  const nnb_optim_opts opts = {.algo = NNB_ADAM};
  training t = start(&opts, 1), u = start(&opts, 2);
  char path[TOY_PATH];
  nnb_net *net;
  steps(&t, 0, 4);
  ck_ok(nnb_optim_save(t.optim, t.net, toy_path(path, "optim.safetensors")));
  ck_ok(nnb_net_load(path, NULL, &net));
  ck_assert_mem_eq(nnb_net_params_read(net), nnb_net_params_read(t.net), nnb_net_n_params(net) * sizeof(real));
  ck_ok(nnb_optim_load(u.optim, net, path)); /* into the net of the file, too */
  ck_ok(nnb_optim_load(u.optim, u.net, path));
  steps(&t, 4, 8), steps(&u, 4, 8);
  ck_assert(same_params(&t, &u));
  ck_assert_int_eq(nnb_optim_load(u.optim, u.net, "/nowhere/x.safetensors"), NNB_E_IO);
  ck_assert_int_eq(nnb_optim_save(u.optim, u.net, "/nowhere/x.safetensors"), NNB_E_IO);
  ck_assert_int_eq(nnb_optim_save(u.optim, u.net, ""), NNB_E_ARG);
  remove(path);
  nnb_net_destroy(net);
  end(&t), end(&u);
}
END_TEST

/* ---- refusals --------------------------------------------------------------------------------------------------- */

static void ck_refused(training *t, const void *file, size_t bytes, nnb_status want, const char *words) {
  const size_t n = nnb_net_n_params(t->net) * sizeof(real);
  void *before, *after;
  size_t n_before, n_after;
  ck_ok(nnb_optim_save_mem(t->optim, t->net, &before, &n_before));
  real *w = malloc(n);
  memcpy(w, nnb_net_params_read(t->net), n);
  nnb_status status = nnb_optim_load_mem(t->optim, t->net, file, bytes);
  ck_assert_msg(status == want && strstr(nnb_errmsg(), words), "%s (%s); wanted %s with \"%s\"", nnb_strstatus(status),
                nnb_errmsg(), nnb_strstatus(want), words);
  ck_assert_mem_eq(w, nnb_net_params_read(t->net), n);
  ck_ok(nnb_optim_save_mem(t->optim, t->net, &after, &n_after));
  ck_assert(n_before == n_after && memcmp(before, after, n_after) == 0);
  free(w), nnb_free(before), nnb_free(after);
}

START_TEST(what_does_not_fit_is_refused) {
  const nnb_optim_opts opts = {.algo = NNB_ADAM, .lr = 0.01};
  training t = start(&opts, 1), sgd = start(&(nnb_optim_opts){.algo = NNB_SGD}, 1);
  training fast = start(&(nnb_optim_opts){.algo = NNB_ADAM, .lr = 0.02}, 1);
  training longer = start(&(nnb_optim_opts){.algo = NNB_ADAM, .lr = 0.01, .epochs = 9}, 1);
  nnb_net *relu, *model;
  nnb_optim *other;
  void *file, *plain;
  size_t bytes, n_plain;
  steps(&t, 0, 3);
  ck_ok(nnb_optim_save_mem(t.optim, t.net, &file, &bytes));
  ck_refused(&sgd, file, bytes, NNB_E_ARG, "algo is sgd; the training in the file has algo=adam");
  ck_refused(&fast, file, bytes, NNB_E_ARG, "lr is 0.02; the training in the file has lr=0.01");
  ck_ok(nnb_optim_load_mem(longer.optim, longer.net, file, bytes)); /* a constant rate does not read .epochs */
  ck_ok(nnb_net_parse("4-6:relu-5:relu-3:softmax", &relu));
  ck_ok(nnb_optim_create(relu, &opts, &other));
  training changed = {.net = relu, .optim = other};
  ck_refused(&changed, file, bytes, NNB_E_ARG, "\"node.2.act\" is \"tanh\" there and \"relu\" here");
  ck_ok(nnb_net_freeze(t.net, 2, NNB_BIAS));
  ck_refused(&t, file, bytes, NNB_E_ARG, "\"node.2.frozen\" is \"0\" there and \"2\" here");
  ck_ok(nnb_net_freeze(t.net, 2, 0));
  ck_ok(nnb_net_copy(t.net, &model));
  ck_ok(nnb_net_save_mem(model, &plain, &n_plain));
  ck_refused(&t, plain, n_plain, NNB_E_ARG, "no state of an optimiser");
  ck_refused(&t, "no file", 7, NNB_E_PARSE, "too few");
  nnb_free(file), nnb_free(plain);
  nnb_net_destroy(relu), nnb_net_destroy(model), nnb_optim_destroy(other);
  end(&t), end(&sgd), end(&fast), end(&longer);
}
END_TEST

/* What only the file's net has is another net, too. */
START_TEST(what_only_the_file_has) {
  static const nnb_optim_opts opts = {.algo = NNB_ADAM};
  for (int kind = 0; kind < 3; kind++) {
    nnb_net *net[2];
    nnb_optim *optim[2];
    void *file;
    size_t bytes;
    for (int k = 0; k < 2; k++) {
      net[k] = nnb_net_create(4);
      const int hidden = nnb_net_dense(net[k], 3, NNB_SIGMOID);
      if (kind == 2 && k == 0) nnb_net_shape(net[k], hidden, 3, 1, 1);
      nnb_net_output(net[k], nnb_net_dense(net[k], 3, NNB_LINEAR));
      if (kind == 0 && k == 0) nnb_net_output(net[k], hidden);
      if (kind == 1) nnb_net_loss_opts(net[k], &(nnb_loss_opts){.loss = NNB_HUBER, .delta = k ? 0 : 0.25});
      ck_ok(nnb_optim_create(net[k], &opts, &optim[k]));
    }
    ck_ok(nnb_optim_save_mem(optim[0], net[0], &file, &bytes));
    ck_assert_int_eq(nnb_optim_load_mem(optim[1], net[1], file, bytes), NNB_E_ARG);
    ck_assert_msg(strstr(nnb_errmsg(), "is there and not here") != NULL, "%s", nnb_errmsg());
    ck_ok(nnb_optim_load_mem(optim[0], net[0], file, bytes));
    nnb_free(file);
    for (int k = 0; k < 2; k++) nnb_optim_destroy(optim[k]), nnb_net_destroy(net[k]);
  }
}
END_TEST

/* Values that no state has are refused. */
START_TEST(damaged_files_are_refused) {
  static const struct {
    const char *key, *bad;
  } damages[] = {{"nnblas.state.updates\":\"", "-"},
                 {"nnblas.state.updates\":\"", "x"},
                 {"nnblas.state.base_lr\":\"", "n"},
                 {"nnblas.state.momenta\":\"", "9"},
                 {"nnblas.state/m\":{\"dtype\":\"F", "9"}};
  training t = start(&(nnb_optim_opts){.algo = NNB_ADAM}, 1);
  void *file;
  size_t bytes;
  steps(&t, 0, 3);
  ck_ok(nnb_optim_save_mem(t.optim, t.net, &file, &bytes));
  for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
    char *copy = malloc(bytes), *at = NULL;
    memcpy(copy, file, bytes);
    for (size_t k = 8; !at && k + 100 < bytes; k++)
      if (memcmp(copy + k, damages[i].key, strlen(damages[i].key)) == 0) at = copy + k + strlen(damages[i].key);
    ck_assert_msg(at, "no %s", damages[i].key);
    *at = *damages[i].bad;
    nnb_status status = nnb_optim_load_mem(t.optim, t.net, copy, bytes);
    ck_assert_msg(status == NNB_E_PARSE || status == NNB_E_UNSUPPORTED, "%s%s: %s", damages[i].key, damages[i].bad,
                  nnb_strstatus(status));
    free(copy);
  }
  ck_ok(nnb_optim_load_mem(t.optim, t.net, file, bytes));
  nnb_free(file);
  end(&t);
}
END_TEST

/* ---- memory ----------------------------------------------------------------------------------------------------- */

START_TEST(any_allocation_may_fail) {
  heap_install();
  training t = start(&(nnb_optim_opts){.algo = NNB_KFAC}, 1);
  void *file, *again;
  size_t bytes, n;
  steps(&t, 0, 3);
  ck_ok(nnb_optim_save_mem(t.optim, t.net, &file, &bytes));
  const long live = heap_live();
  bool failed = true;
  for (long k = 1; failed; k++) {
    heap_fail_at(k, false);
    nnb_status saved = nnb_optim_save_mem(t.optim, t.net, &again, &n);
    failed = heap_has_failed();
    heap_fail_at(0, false);
    ck_assert_msg(failed ? saved == NNB_E_NOMEM : saved == NNB_OK, "allocation %ld: %s", k, nnb_errmsg());
    nnb_free(again);
    ck_assert_int_eq(heap_live(), live);
  }
  failed = true;
  for (long k = 1; failed; k++) {
    heap_fail_at(k, false);
    nnb_status loaded = nnb_optim_load_mem(t.optim, t.net, file, bytes);
    failed = heap_has_failed();
    heap_fail_at(0, false);
    ck_assert_msg(failed ? loaded == NNB_E_NOMEM : loaded == NNB_OK, "allocation %ld: %s", k, nnb_errmsg());
    ck_assert_int_eq(heap_live(), live);
  }
  nnb_free(file);
  end(&t);
  ck_assert_int_eq(heap_live(), 0);
  heap_remove();
}
END_TEST

int main(void) {
  n_algos = toy_steppers(algos);
  Suite *s = suite_create("optim_file " PRECISION);
  TCase *tc = tcase_create("all");
  tcase_set_timeout(tc, 120);
  tcase_add_loop_test(tc, goes_on_with_the_same_bits, 0, n_algos * N_VARIANTS);
  tcase_add_loop_test(tc, any_moment_can_be_saved, 0, n_algos);
  tcase_add_test(tc, the_file_is_a_model);
  tcase_add_test(tc, what_does_not_fit_is_refused);
  tcase_add_test(tc, what_only_the_file_has);
  tcase_add_test(tc, damaged_files_are_refused);
  tcase_add_test(tc, any_allocation_may_fail);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
