/* fork() while other threads seal, train, save and set thread counts: the child finds every lock free, and trains,
 * predicts and saves like its parent. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "toys.h"

/* Both precisions have the same locks. */
enum { FORKS = sizeof(real) == sizeof(double) ? 500 : 100, ROWS = 40, N_IN = 100, SECONDS = 20 };

static nnb_data *data;
static atomic_bool over;

/* Trains one epoch with two threads, with all products in the BLAS, and returns a hash of parameters, predictions and
 * file.  0: something failed. */
static uint64_t work(void) {
  real y[ROWS * 10];
  void *file = NULL;
  size_t bytes = 0;
  nnb_batch rows;
  nnb_net *net = NULL;
  uint64_t digest = 0;
  nnb_fit_opts opts = {.algo = NNB_MOMENTUM, .batch = 20, .max_epochs = 1, .threads = 2, .seed = 4};
  nnb_status status = nnb_net_parse("100-30:tanh:init=orthogonal-10:softmax", &net);
  if (!status) status = nnb_fit(net, data, NULL, &opts, NULL);
  if (!status) status = nnb_data_batch(data, 0, ROWS, &rows);
  if (!status) status = nnb_net_predict(net, rows.x, nnb_view(y, ROWS, 10));
  if (!status) status = nnb_net_save_mem(net, &file, &bytes);
  if (!status) digest = toy_hash(toy_hash(toy_hash_net(1, net), y, sizeof y), file, bytes);
  nnb_free(file);
  nnb_net_destroy(net);
  return digest;
}

static void sleep_us(long us) { nanosleep(&(struct timespec){0, us * 1000}, NULL); }

static void *seal_for_ever(void *arg) {
  while (!atomic_load(&over)) {
    nnb_net *net = nnb_net_create(100);
    nnb_net_dense(net, 300, NNB_TANH);
    nnb_net_n_params(net);
    nnb_net_destroy(net);
    sleep_us(200); /* leaves processors for the children */
  }
  return arg;
}

static void *work_for_ever(void *arg) {
  while (!atomic_load(&over)) {
    work();
    sleep_us(200);
  }
  return arg;
}

static void *save_for_ever(void *arg) {
  char path[TOY_PATH];
  toy_path(path, "fork.safetensors");
  nnb_net *net = nnb_net_create(4), *copy = NULL;
  nnb_net_dense(net, 3, NNB_TANH);
  while (!atomic_load(&over)) {
    if (!nnb_net_save(net, path) && !nnb_net_load(path, NULL, &copy)) nnb_net_destroy(copy);
    sleep_us(200);
  }
  nnb_net_destroy(net);
  remove(path);
  return arg;
}

static void *set_threads_for_ever(void *arg) {
  nnb_blas_facts facts;
  for (int i = 0; !atomic_load(&over); i++) {
    nnb_set_threads(1 + i % 3);
    nnb_blas_info(&facts);
    if (i % 100 == 0) sleep_us(200);
  }
  return arg;
}

typedef void *(*loop)(void *);
static const loop loops[] = {seal_for_ever, work_for_ever, work_for_ever, save_for_ever, set_threads_for_ever};
enum { N_LOOPS = sizeof loops / sizeof *loops };

/* Returns 0, or what differs. */
static int child(uint64_t want, int blas_threads) {
  nnb_blas_facts facts;
  signal(SIGALRM, SIG_DFL); /* Check's handler would end the whole test */
  alarm(SECONDS);
  nnb_blas_info(&facts);
  if (facts.threads != blas_threads) return 1;
  if (work() != want) return 2;
  nnb_blas_info(&facts);
  return facts.threads == blas_threads ? 0 : 3;
}

START_TEST(children_of_a_busy_process) {
  pthread_t thread[N_LOOPS];
  nnb_blas_facts facts;
  data = toy_classes(ROWS, N_IN, 10);
  ck_ok(nnb_set_thresholds("unpacked_least=0,unpacked_bytes=0,unpacked_sum_bytes=0,transposed_numbers=0,"
                           "transposed_most=0"));
  nnb_blas_info(&facts);
  uint64_t want = work();
  ck_assert_uint_ne(want, 0);
  for (int i = 0; i < N_LOOPS; i++) ck_assert_int_eq(pthread_create(&thread[i], NULL, loops[i], NULL), 0);
  for (int i = 0; i < FORKS; i++) {
    int status;
    pid_t pid = fork();
    if (pid == 0) _exit(child(want, facts.threads));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(!WIFSIGNALED(status), "child %d of %d ended by signal %d (%d: it hung for %d s)", i, FORKS,
                  WTERMSIG(status), SIGALRM, SECONDS);
    ck_assert_msg(WEXITSTATUS(status) == 0, "child %d of %d: %s", i, FORKS,
                  WEXITSTATUS(status) == 2 ? "other numbers than its parent" : "another thread count of the BLAS");
    sleep_us(100 * (i % 7));
  }
  atomic_store(&over, true);
  for (int i = 0; i < N_LOOPS; i++) pthread_join(thread[i], NULL);
  nnb_data_destroy(data);
}
END_TEST

/* A callback may fork: it holds no lock that the child would miss. */
static int fork_in_epoch(void *user, const nnb_record *record) {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) _exit(work() == *(uint64_t *)user ? 0 : 1);
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert_msg(status == 0, "the child of epoch %d has status %d", record->epoch, status);
  return 0;
}

START_TEST(a_child_of_a_callback) {
  nnb_net *net;
  data = toy_classes(ROWS, N_IN, 10);
  uint64_t want = work();
  ck_ok(nnb_net_parse("100-120:tanh-10:softmax", &net));
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.max_epochs = 5, .on_epoch = fork_in_epoch, .user = &want}, NULL));
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

int main(void) {
  if (SANITIZED || under_valgrind()) {
    printf("skipped: a child of a process with threads inherits the sanitizer's locks, or what valgrind calls lost\n");
    return 77;
  }
  Suite *suite = suite_create("fork, " PRECISION);
  TCase *tc = tcase_create("fork");
  tcase_set_timeout(tc, 240);
  tcase_add_test(tc, children_of_a_busy_process);
  tcase_add_test(tc, a_child_of_a_callback);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
