/* Little address space: every call ends, with NNB_E_NOMEM if it could not be done.  OpenBLAS alone would request its
 * work buffer again and again. */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "toys.h"

enum { ROWS = 64, N_IN = 100, N_OUT = 10, SECONDS = 20, FINE = 0, NO_MEMORY = 1, WRONG = 2 };

static const int mib_left[] = {1, 30, 60, 100, 130, 150, 300, 600, 2000};
enum { N_LIMITS = sizeof mib_left / sizeof *mib_left };

/* The present size of this process, and this much more. */
static void leave(int mib) {
  unsigned long pages = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  ck_assert(f && fscanf(f, "%lu", &pages) == 1 && fclose(f) == 0);
  rlim_t bytes = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)mib << 20);
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &(struct rlimit){bytes, bytes}), 0);
}

static int judge(nnb_status status) {
  if (!status) return FINE;
  if (status == NNB_E_NOMEM && strstr(nnb_errmsg(), "memory")) return NO_MEMORY;
  printf("%s: %s\n", nnb_strstatus(status), nnb_errmsg());
  return WRONG;
}

typedef struct world {
  nnb_data *classes, *flow;
  nnb_net *net, *small;
} world;

static int do_fit(world *w) {
  return judge(nnb_fit(w->net, w->classes, NULL, &(nnb_fit_opts){.max_epochs = 2, .batch = 32, .threads = 2}, NULL));
}

static int do_fit_lm(world *w) {
  return judge(nnb_fit(w->small, w->flow, NULL, &(nnb_fit_opts){.algo = NNB_LM, .max_epochs = 2}, NULL));
}

static int do_fit_lbfgs(world *w) {
  return judge(nnb_fit(w->net, w->classes, NULL, &(nnb_fit_opts){.algo = NNB_LBFGS, .max_epochs = 2}, NULL));
}

static int do_fit_muon(world *w) {
  return judge(nnb_fit(w->net, w->classes, NULL, &(nnb_fit_opts){.algo = NNB_MUON, .max_epochs = 2}, NULL));
}

static int do_fit_kfac(world *w) {
  return judge(nnb_fit(w->net, w->classes, NULL, &(nnb_fit_opts){.algo = NNB_KFAC, .max_epochs = 2}, NULL));
}

static int do_solve_output(world *w) { return judge(nnb_solve_output(w->small, w->flow, 0.1)); }

static int do_orthogonal(world *w) {
  nnb_net *net = NULL;
  (void)w;
  nnb_status status = nnb_net_parse("50-50:tanh:init=orthogonal-10", &net);
  if (!status) status = nnb_net_init(net, 1);
  nnb_net_destroy(net);
  return judge(status);
}

static int do_error_bars(world *w) {
  nnb_error_bars *bars = NULL;
  nnb_status status = nnb_error_bars_create(w->small, w->flow, NULL, &bars);
  nnb_error_bars_destroy(bars);
  return judge(status);
}

static int do_predict(world *w) {
  static real y[ROWS * N_OUT];
  nnb_batch rows;
  ck_ok(nnb_data_batch(w->classes, 0, ROWS, &rows));
  return judge(nnb_net_predict(w->net, rows.x, nnb_view(y, ROWS, N_OUT)));
}

static int do_evaluate(world *w) {
  nnb_metrics m;
  return judge(nnb_evaluate(w->net, w->classes, &m));
}

enum { PREDICTORS = 6 };

/* Each thread has its own plan, and needs a work buffer. */
static void *predict_often(void *arg) {
  world *w = ((void **)arg)[0];
  int *verdict = ((void **)arg)[1];
  for (int i = 0; i < 20 && *verdict == FINE; i++) *verdict = do_predict(w);
  return NULL;
}

static int do_predict_together(world *w) {
  pthread_t thread[PREDICTORS];
  void *arg[PREDICTORS][2];
  int verdict[PREDICTORS] = {FINE}, n = 0, worst = FINE;
  for (; n < PREDICTORS; n++) {
    arg[n][0] = w, arg[n][1] = &verdict[n];
    if (pthread_create(&thread[n], NULL, predict_often, arg[n]) != 0) break; /* no memory for its stack */
  }
  for (int i = 0; i < n; i++) {
    pthread_join(thread[i], NULL);
    if (verdict[i] > worst) worst = verdict[i];
  }
  return worst;
}

static const struct call {
  const char *name;
  int (*run)(world *w);
} calls[] = {{"nnb_fit", do_fit},
             {"lm", do_fit_lm},
             {"lbfgs", do_fit_lbfgs},
             {"muon", do_fit_muon},
             {"kfac", do_fit_kfac},
             {"nnb_solve_output", do_solve_output},
             {"orthogonal weights", do_orthogonal},
             {"nnb_error_bars_create", do_error_bars},
             {"nnb_net_predict", do_predict},
             {"nnb_evaluate", do_evaluate},
             {"nnb_net_predict in several threads", do_predict_together}};
enum { N_CALLS = sizeof calls / sizeof *calls };

static int in_child(const struct call *c, int mib) {
  world w;
  signal(SIGALRM, SIG_DFL); /* Check's handler would end the whole test */
  alarm(SECONDS);
  ck_ok(nnb_set_thresholds("unpacked_least=0,unpacked_bytes=0,unpacked_sum_bytes=0,transposed_numbers=0,"
                           "transposed_most=0"));
  w.classes = toy_classes(ROWS, N_IN, N_OUT), w.flow = toy_regression(ROWS, 5, 2);
  ck_ok(nnb_net_parse("100-120:tanh-10:softmax", &w.net));
  ck_ok(nnb_net_parse("5-6:tanh-2", &w.small));
  leave(mib);
  return c->run(&w);
}

START_TEST(calls_end) {
  const struct call *c = &calls[_i];
  int fine = 0;
  for (int k = 0; k < N_LIMITS; k++) {
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) _exit(in_child(c, mib_left[k]));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(!WIFSIGNALED(status), "%s with %d MiB left ended by signal %d (%d: not within %d s)", c->name,
                  mib_left[k], WTERMSIG(status), SIGALRM, SECONDS);
    ck_assert_msg(WEXITSTATUS(status) <= NO_MEMORY, "%s with %d MiB left: neither done nor out of memory", c->name,
                  mib_left[k]);
    fine += WEXITSTATUS(status) == FINE;
    if (k == N_LIMITS - 1) ck_assert_msg(WEXITSTATUS(status) == FINE, "%s is out of memory with 2 GiB left", c->name);
  }
  ck_assert_int_gt(fine, 0);
}
END_TEST

/* The threads map memory at the same moment as OpenBLAS does, so what fits may be gone when it is requested. */
START_TEST(threads_end) {
  const struct call *c = &calls[N_CALLS - 1];
  enum { CHILDREN = 150 };
  for (int k = 0; k < CHILDREN; k++) {
    int status, mib = 140 + 7 * k % 560;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) _exit(in_child(c, mib));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(!WIFSIGNALED(status), "%d MiB left: ended by signal %d", mib, WTERMSIG(status));
    ck_assert_int_le(WEXITSTATUS(status), NO_MEMORY);
  }
}
END_TEST

int main(void) {
  if (SANITIZED || under_valgrind()) {
    printf("skipped: sanitizers and valgrind use the address space\n");
    return 77;
  }
  if (access("/proc/self/statm", R_OK) != 0) {
    printf("skipped: there is no /proc/self/statm\n");
    return 77;
  }
  Suite *suite = suite_create("little memory, " PRECISION);
  TCase *tc = tcase_create("address space");
  tcase_set_timeout(tc, 240);
  tcase_add_loop_test(tc, calls_end, 0, N_CALLS);
  tcase_add_test(tc, threads_end);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
