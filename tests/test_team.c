/* The library's threads: every part runs once, for any caller and under any load. */
#define _GNU_SOURCE /* sched_setaffinity */
#include "support.h"

#include <nnblas.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "team.h"

enum { MOST_PARTS = 9 };

typedef struct tally {
  atomic_int runs[MOST_PARTS];
  long value[MOST_PARTS]; /* not atomic: a run must order the writes of its parts before its return */
} tally;

static void count_part(void *context, int part) {
  tally *t = context;
  atomic_fetch_add(&t->runs[part], 1);
  t->value[part] += part + 1;
}

static void expect_runs(tally *t, int parts, int times) {
  for (int p = 0; p < MOST_PARTS; p++) {
    ck_assert_int_eq(atomic_load(&t->runs[p]), p < parts ? times : 0);
    ck_assert_int_eq(t->value[p], p < parts ? (long)times * (p + 1) : 0);
  }
}

START_TEST(every_part_runs_once) {
  for (int parts = 0; parts <= MOST_PARTS; parts++) {
    tally t = {0};
    for (int i = 0; i < 1000; i++) {
      nnb__team_run(parts, count_part, &t);
      if (i % 100 == 0) expect_runs(&t, parts, i + 1);
    }
    expect_runs(&t, parts, 1000);
  }
}
END_TEST

static atomic_int jobs_now, most_jobs;

static void sleep_ms(long ms) { nanosleep(&(struct timespec){0, ms * 1000000}, NULL); }

static void count_job(void *context, int job) {
  const int now = atomic_fetch_add(&jobs_now, 1) + 1;
  if (now > atomic_load(&most_jobs)) atomic_store(&most_jobs, now);
  sleep_ms(1);
  count_part(context, job);
  atomic_fetch_sub(&jobs_now, 1);
}

START_TEST(jobs_share_the_threads) {
  for (int threads = 1; threads <= 3; threads++) {
    tally t = {0};
    atomic_store(&most_jobs, 0);
    nnb__team_run_jobs(MOST_PARTS, threads, count_job, &t);
    expect_runs(&t, MOST_PARTS, 1);
    ck_assert_int_le(atomic_load(&most_jobs), threads);
    nnb__team_run_jobs(0, threads, count_job, &t);
    expect_runs(&t, MOST_PARTS, 1);
  }
}
END_TEST

START_TEST(sleeping_threads_wake) { /* longer pauses than the threads spin */
  tally t = {0};
  nnb__team_prepare(4);
  for (int i = 1; i <= 50; i++) {
    sleep_ms(1 + i % 3);
    nnb__team_run(4, count_part, &t);
    expect_runs(&t, 4, i);
  }
}
END_TEST

static void slow_part(void *context, int part) {
  if (part > 0) sleep_ms(5); /* longer than the caller spins */
  count_part(context, part);
}

static void slow_first_part(void *context, int part) {
  if (part == 0) sleep_ms(5); /* so that the threads get their parts */
  count_part(context, part);
}

START_TEST(the_caller_waits_asleep) {
  tally t = {0};
  for (int i = 1; i <= 10; i++) {
    nnb__team_run(3, i % 2 ? slow_part : slow_first_part, &t);
    expect_runs(&t, 3, i);
  }
}
END_TEST

static atomic_int off_caller;
static pthread_t caller;

static void note_thread(void *context, int part) {
  (void)context;
  if (part == 0) {
    ck_assert_msg(pthread_equal(pthread_self(), caller), "part 0 is not on the calling thread");
    sleep_ms(10);
  } else if (!pthread_equal(pthread_self(), caller)) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM)) atomic_fetch_add(&off_caller, 1);
  }
}

START_TEST(threads_take_parts_with_signals_blocked) {
  caller = pthread_self();
  nnb__team_run(3, note_thread, NULL);
  ck_assert_int_eq(atomic_load(&off_caller), 2);
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, NULL, &blocked);
  ck_assert_msg(!sigismember(&blocked, SIGTERM), "the caller's signals are left blocked");
}
END_TEST

static void *call_many(void *arg) {
  for (int i = 0; i < 2000; i++) nnb__team_run(2 + i % 3, count_part, arg);
  return NULL;
}

START_TEST(two_callers_at_once) {
  tally t[2] = {0};
  pthread_t other;
  ck_assert_int_eq(pthread_create(&other, NULL, call_many, &t[1]), 0);
  call_many(&t[0]);
  ck_assert_int_eq(pthread_join(other, NULL), 0);
  for (int c = 0; c < 2; c++) {
    ck_assert_int_eq(atomic_load(&t[c].runs[0]), 2000);
    ck_assert_int_eq(atomic_load(&t[c].runs[1]), 2000);
    ck_assert_int_eq(atomic_load(&t[c].runs[2]), 1333);
    ck_assert_int_eq(atomic_load(&t[c].runs[3]), 666);
  }
}
END_TEST

typedef struct nest {
  tally inner[4];
  atomic_bool strayed;
} nest;

typedef struct inner_call {
  nest *n;
  pthread_t thread;
  int outer;
} inner_call;

static void inner_part(void *context, int part) {
  inner_call *call = context;
  if (!pthread_equal(pthread_self(), call->thread)) atomic_store(&call->n->strayed, true);
  count_part(&call->n->inner[call->outer], part);
}

static void outer_part(void *context, int part) {
  inner_call call = {context, pthread_self(), part};
  nnb__team_prepare(6); /* must not wait either */
  nnb__team_run(5, inner_part, &call);
}

START_TEST(a_nested_call_runs_where_it_is) {
  nest n = {0};
  for (int i = 1; i <= 200; i++) nnb__team_run(4, outer_part, &n);
  ck_assert_msg(!atomic_load(&n.strayed), "a nested part ran on another thread");
  for (int p = 0; p < 4; p++) expect_runs(&n.inner[p], 5, 200);
}
END_TEST

/* Waits at most ten seconds, so that a child that hangs is reported as a failure. */
static int exit_code(pid_t child) {
  int status = 0;
  for (int i = 0; i < 1000; i++) {
    pid_t p = waitpid(child, &status, WNOHANG);
    if (p == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
    sleep_ms(10);
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return -1;
}

static int child_uses_the_team(void) {
  tally t = {0};
  for (int i = 0; i < 100; i++) nnb__team_run(4, count_part, &t);
  for (int p = 0; p < 4; p++)
    if (atomic_load(&t.runs[p]) != 100) return 1;
  return 0;
}

START_TEST(a_child_has_its_own_team) {
  tally t = {0};
  nnb__team_run(4, count_part, &t);
  pid_t child = fork();
  if (child == 0) exit(child_uses_the_team());
  ck_assert_int_eq(exit_code(child), 0);
  nnb__team_run(4, count_part, &t);
  expect_runs(&t, 4, 2);
}
END_TEST

static atomic_bool stop_calling;
static void *call_until_told(void *arg) {
  while (!atomic_load(&stop_calling)) nnb__team_run(4, count_part, arg);
  return NULL;
}

START_TEST(a_child_of_a_busy_process) { /* the team works for another thread while the process forks */
  tally t = {0};
  pthread_t other;
  ck_assert_int_eq(pthread_create(&other, NULL, call_until_told, &t), 0);
  for (int i = 0; i < 20; i++) {
    pid_t child = fork();
    if (child == 0) exit(child_uses_the_team());
    ck_assert_int_eq(exit_code(child), 0);
  }
  atomic_store(&stop_calling, true);
  pthread_join(other, NULL);
}
END_TEST

static void *run_for_ever(void *arg) {
  for (;;) nnb__team_run(4, slow_part, arg);
  return NULL;
}

static void exit_in_part(void *context, int part) {
  (void)context;
  if (part == 1) exit(7);
  sleep_ms(20);
}

START_TEST(exit_does_not_hang) {
  static tally t;
  pid_t busy_elsewhere = fork();
  if (busy_elsewhere == 0) {
    pthread_t other;
    pthread_create(&other, NULL, run_for_ever, &t);
    sleep_ms(20);
    exit(5);
  }
  ck_assert_int_eq(exit_code(busy_elsewhere), 5);
  pid_t inside = fork();
  if (inside == 0) {
    nnb__team_run(2, exit_in_part, NULL);
    exit(0);
  }
  ck_assert_int_eq(exit_code(inside), 7);
  pid_t idle = fork();
  if (idle == 0) {
    nnb__team_run(4, count_part, &t);
    sleep_ms(5); /* asleep */
    exit(6);
  }
  ck_assert_int_eq(exit_code(idle), 6);
}
END_TEST

enum { VERY_MANY = 3000 };

static void count_one_of_many(void *context, int part) { atomic_fetch_add((atomic_int *)context + part, 1); }

START_TEST(more_parts_than_threads_are_allowed) {
  static atomic_int runs[VERY_MANY];
  int parts = under_valgrind() ? 300 : VERY_MANY;
  nnb__team_run(parts, count_one_of_many, runs);
  for (int p = 0; p < parts; p++) ck_assert_int_eq(atomic_load(&runs[p]), 1);
}
END_TEST

START_TEST(the_number_of_threads) {
  int usual = nnb_get_threads();
  ck_assert_int_ge(usual, 1);
  ck_assert_int_eq(nnb_set_threads(3), NNB_OK);
  ck_assert_int_eq(nnb_get_threads(), 3);
  ck_assert_int_eq(nnb_set_threads(-1), NNB_E_ARG);
  ck_assert_str_ne(nnb_errmsg(), "");
  ck_assert_int_eq(nnb_set_threads(1025), NNB_E_ARG);
  ck_assert_int_eq(nnb_get_threads(), 3);
  ck_assert_int_eq(nnb_set_threads(1024), NNB_OK);
  ck_assert_int_eq(nnb_get_threads(), 1024);
  ck_assert_int_eq(nnb_set_threads(0), NNB_OK);
  ck_assert_int_eq(nnb_get_threads(), usual);
}
END_TEST

/* ---- quotas of control groups ------------------------------------------------------------------------------------ */

static const struct group {
  const char *name, *groups, *file, *text, *file2, *text2;
  int want;
} groups[] = {
    {"none", "0::/a/b\n", "sys/fs/cgroup/other", "1", NULL, NULL, 64},
    {"v2, own", "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max", "150000 100000\n", NULL, NULL, 2},
    {"v2, unlimited", "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max", "max 100000\n", NULL, NULL, 64},
    {"v2, around it", "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max", "max 100000\n", "sys/fs/cgroup/a/cpu.max",
     "300000 100000\n", 3},
    {"v2, the least", "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max", "50000 100000\n", "sys/fs/cgroup/cpu.max",
     "800000 100000\n", 1},
    {"v1", "4:memory:/x\n3:cpu,cpuacct:/a\n", "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "210000\n",
     "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n", 3},
    {"v1, unlimited", "3:cpu:/a\n", "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n",
     "sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n", 64},
    {"v1, mounted at the group", "3:cpu:/host/path\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n",
     "sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n", 2},
};

static void write_under(const char *root, const char *file, const char *text) {
  char command[400], path[300];
  snprintf(path, sizeof path, "%s/%s", root, file);
  snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s')\"", path);
  ck_assert_int_eq(system(command), 0);
  FILE *f = fopen(path, "w");
  ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

START_TEST(quotas) {
  const struct group *g = &groups[_i];
  char root[] = "/tmp/nnblas-cgroup-XXXXXX", command[100];
  ck_assert_ptr_nonnull(mkdtemp(root));
  write_under(root, "proc/self/cgroup", g->groups);
  write_under(root, g->file, g->text);
  if (g->file2) write_under(root, g->file2, g->text2);
  int got = nnb__cgroup_processors(root, 64);
  snprintf(command, sizeof command, "rm -r %s", root);
  ck_assert_int_eq(system(command), 0);
  ck_assert_msg(got == g->want, "%s: %d processors, not %d", g->name, got, g->want);
}
END_TEST

START_TEST(no_groups) { ck_assert_int_eq(nnb__cgroup_processors("/nonexistent", 64), 64); }
END_TEST

#ifdef __linux__
static int here; /* the processor of the caller */
static cpu_set_t allowed;
static int beside; /* parts that ran on another processor than the caller's */

static void allow_only(int processor) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET((size_t)processor, &one);
  ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
}

/* The thread ends on the caller's processor, where the scheduler may leave it. */
static void join_the_caller(void *context, int part) {
  atomic_int *started = context;
  if (part == 0) {
    while (!atomic_load(started)) sleep_ms(1);
    return;
  }
  cpu_set_t now;
  ck_assert_int_eq(sched_getaffinity(0, sizeof now, &now), 0);
  ck_assert_msg(CPU_EQUAL(&now, &allowed), "a thread that moved may run where it could before");
  beside += sched_getcpu() != here;
  allow_only(here);
  sched_setaffinity(0, sizeof allowed, &allowed);
  atomic_store(started, 1);
}

START_TEST(threads_leave_the_callers_processor) {
  enum { TIMES = 50 };
  ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  if (CPU_COUNT(&allowed) < 2) {
    puts("skipped: threads_leave_the_callers_processor, on one processor");
    return;
  }
  nnb__team_prepare(2);
  here = sched_getcpu();
  allow_only(here);
  for (int i = 0; i < TIMES; i++) {
    atomic_int started = 0;
    nnb__team_run(2, join_the_caller, &started);
  }
  sched_setaffinity(0, sizeof allowed, &allowed);
  ck_assert_int_ge(beside, TIMES / 2); /* under load the scheduler may move a thread again before its part begins */
}
END_TEST
#endif

int main(void) {
  if (SANITIZED) puts("skipped: fork, after which sanitizers allow no threads");
  Suite *suite = suite_create("team");
  TCase *tc = tcase_create("team");
  tcase_add_test(tc, every_part_runs_once);
  tcase_add_test(tc, jobs_share_the_threads);
  tcase_add_test(tc, sleeping_threads_wake);
  tcase_add_test(tc, the_caller_waits_asleep);
  tcase_add_test(tc, threads_take_parts_with_signals_blocked);
#ifdef __linux__
  tcase_add_test(tc, threads_leave_the_callers_processor);
#endif
  tcase_add_test(tc, two_callers_at_once);
  tcase_add_test(tc, a_nested_call_runs_where_it_is);
  tcase_add_test(tc, more_parts_than_threads_are_allowed);
  tcase_add_test(tc, the_number_of_threads);
  tcase_add_loop_test(tc, quotas, 0, sizeof groups / sizeof *groups);
  tcase_add_test(tc, no_groups);
  if (!SANITIZED) {
    tcase_add_test(tc, a_child_has_its_own_team);
    tcase_add_test(tc, a_child_of_a_busy_process);
    tcase_add_test(tc, exit_does_not_hang);
  }
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
