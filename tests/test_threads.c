/* Many threads on one net, and two fits at once: the same bits as alone.  Also runs under ThreadSanitizer. */
#include <pthread.h>

#include "toys.h"

enum { THREADS = 8, ROWS = 60, ROUNDS = 20 };

static void *start_all(int n, void *(*fn)(void *), void *args, size_t size) {
  pthread_t thread[THREADS];
  for (int i = 0; i < n; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, fn, (char *)args + (size_t)i * size), 0);
  for (int i = 0; i < n; i++) pthread_join(thread[i], NULL);
  return args;
}

/* ---- predictions ------------------------------------------------------------------------------------------------ */

typedef struct predictor {
  nnb_net *net;
  nnb_cmat x;
  nnb_status status;
  uint64_t digest;
  pthread_barrier_t *together;
  int plan_threads;
} predictor;

/* A thread's own plan, made while the others make theirs on a net that may not be sealed yet. */
static void *predict(void *arg) {
  predictor *p = arg;
  nnb_plan *plan = NULL;
  real y[ROWS * 3];
  pthread_barrier_wait(p->together);
  p->status = nnb_plan_create(p->net, &(nnb_plan_opts){.max_rows = ROWS, .threads = p->plan_threads}, &plan);
  p->digest = 1;
  for (int i = 0; i < ROUNDS && !p->status; i++) {
    p->status = nnb_plan_predict(plan, p->x, nnb_view(y, ROWS, 3));
    p->digest = toy_hash(p->digest, y, sizeof y);
  }
  nnb_plan_destroy(plan);
  return NULL;
}

static const char *const nets[] = {"4-6:tanh-3:softmax", "4-256-256-3", "4-128:gelu:init=orthogonal-300:elu-3:sigmoid"};
static const int plan_threads[] = {1, 2};

static void predict_together(const char *text, int n_plan_threads) {
  nnb_data *data = toy_classes(ROWS, 4, 3);
  nnb_batch rows;
  ck_ok(nnb_data_batch(data, 0, ROWS, &rows));
  uint64_t want = 0;
  for (int n = 1; n <= THREADS; n = n == 1 ? THREADS : THREADS + 1) {
    nnb_net *net;
    pthread_barrier_t together;
    predictor p[THREADS];
    ck_ok(nnb_net_parse(text, &net));
    pthread_barrier_init(&together, NULL, (unsigned)n);
    for (int i = 0; i < n; i++)
      p[i] = (predictor){.net = net, .x = rows.x, .together = &together, .plan_threads = n_plan_threads};
    start_all(n, predict, p, sizeof *p);
    if (n == 1) want = p[0].digest;
    for (int i = 0; i < n; i++) {
      ck_assert_int_eq(p[i].status, NNB_OK);
      ck_assert_msg(p[i].digest == want, "%s: thread %d of %d predicts other bits than one alone", text, i, n);
    }
    pthread_barrier_destroy(&together);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}

START_TEST(many_threads_predict_on_one_net) {
  for (size_t k = 0; k < sizeof nets / sizeof *nets; k++) predict_together(nets[k], plan_threads[_i]);
}
END_TEST

/* ---- evaluations and whole-call predictions ---------------------------------------------------------------------- */

typedef struct judge {
  nnb_net *net;
  const nnb_data *data;
  nnb_status status;
  nnb_metrics metrics;
} judge;

static void *evaluate(void *arg) {
  judge *j = arg;
  real y[ROWS * 3];
  int32_t label[ROWS];
  nnb_batch rows;
  nnb_net *copy = NULL;
  j->status = nnb_evaluate(j->net, j->data, &j->metrics);
  if (!j->status) j->status = nnb_data_batch(j->data, 0, ROWS, &rows);
  if (!j->status) j->status = nnb_net_predict(j->net, rows.x, nnb_view(y, ROWS, 3));
  if (!j->status) j->status = nnb_net_classify(j->net, rows.x, label);
  if (!j->status) j->status = nnb_net_copy(j->net, &copy);
  nnb_net_destroy(copy);
  return NULL;
}

START_TEST(many_threads_evaluate_one_net) {
  nnb_net *net;
  judge j[THREADS];
  nnb_data *data = toy_classes(ROWS, 4, 3);
  ck_ok(nnb_net_parse("4-40:tanh-3:softmax", &net));
  ck_ok(nnb_net_init(net, 1));
  for (int i = 0; i < THREADS; i++) j[i] = (judge){.net = net, .data = data};
  start_all(THREADS, evaluate, j, sizeof *j);
  for (int i = 0; i < THREADS; i++) {
    ck_assert_int_eq(j[i].status, NNB_OK);
    ck_assert_double_eq(j[i].metrics.loss, j[0].metrics.loss);
  }
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* ---- fits -------------------------------------------------------------------------------------------------------- */

typedef struct fitter {
  const nnb_data *data;
  const char *text;
  nnb_fit_opts opts;
  nnb_status status;
  uint64_t digest;
} fitter;

static void *fit(void *arg) {
  fitter *f = arg;
  nnb_net *net = NULL;
  f->status = nnb_net_parse(f->text, &net);
  if (!f->status) f->status = nnb_fit(net, f->data, f->data, &f->opts, NULL);
  if (!f->status) f->digest = toy_hash_net(1, net);
  nnb_net_destroy(net);
  return NULL;
}

START_TEST(two_fits_at_once) {
  nnb_data *data = toy_classes(400, 4, 3);
  nnb_blas_facts before, after;
  nnb_blas_info(&before);
  fitter alone[2], both[2];
  alone[0] =
      (fitter){.data = data, .text = "4-128-128-3:softmax", .opts = {.batch = 100, .max_epochs = 6, .threads = 2}};
  alone[1] = (fitter){.data = data,
                      .text = "4-100:tanh-3:softmax",
                      .opts = {.algo = NNB_SGD, .batch = NNB_FULL_BATCH, .chunk = 150, .max_epochs = 12, .threads = 2}};
  memcpy(both, alone, sizeof both);
  for (int i = 0; i < 2; i++) fit(&alone[i]);
  start_all(2, fit, both, sizeof *both);
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(alone[i].status, NNB_OK);
    ck_assert_int_eq(both[i].status, NNB_OK);
    ck_assert_msg(both[i].digest == alone[i].digest, "%s: other bits beside another fit", alone[i].text);
  }
  nnb_blas_info(&after);
  ck_assert_msg(before.threads == after.threads, "the BLAS had %d threads, now %d", before.threads, after.threads);
  nnb_data_destroy(data);
}
END_TEST

/* ---- errors are each thread's own ---------------------------------------------------------------------------------
 */

static void *complain(void *arg) {
  int *n = arg;
  char wanted[20];
  snprintf(wanted, sizeof wanted, "n is %d", 2000 + *n);
  for (int i = 0; i < 200; i++)
    if (nnb_set_threads(2000 + *n) != NNB_E_ARG || !strstr(nnb_errmsg(), wanted)) *n = -1;
  return NULL;
}

START_TEST(messages_belong_to_their_threads) {
  int n[THREADS];
  for (int i = 0; i < THREADS; i++) n[i] = i;
  start_all(THREADS, complain, n, sizeof *n);
  for (int i = 0; i < THREADS; i++) ck_assert_int_eq(n[i], i);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("threads, " PRECISION);
  TCase *tc = tcase_create("threads");
  tcase_add_loop_test(tc, many_threads_predict_on_one_net, 0, 2);
  tcase_add_test(tc, many_threads_evaluate_one_net);
  tcase_add_test(tc, two_fits_at_once);
  tcase_add_test(tc, messages_belong_to_their_threads);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
