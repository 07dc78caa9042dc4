/* The BLAS's kernels, when the library may change them, and the BLAS's thread count. */
#include "support.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blas.h"
#include "blas_threads.h"
#include "openblas.h"

/* Each environment needs its own program: this one, started again with the argument "facts". */
typedef struct answer {
  char vendor[32], core[32], found[32], advice[256];
  int switched, slow, coretype_set;
  double product;
} answer;

static void *idle(void *arg) {
  for (;;) pause();
  return arg;
}

/* Runs before the library's constructor, which has no priority. */
__attribute__((constructor(200))) static void another_thread(void) {
  pthread_t thread;
  if (getenv("TEST_ANOTHER_THREAD")) pthread_create(&thread, NULL, idle, NULL);
}

static int print_facts(void) {
  double a[6] = {1, 2, 3, 4, 5, 6}, c[4] = {0};
  nnb__gemm('N', 'T', 1, (nnb_cmat){a, 2, 3, 3}, (nnb_cmat){a, 2, 3, 3}, 0, (nnb_mat){c, 2, 2, 2});
  nnb_blas_facts f;
  nnb_blas_info(&f);
  const char *coretype = getenv("OPENBLAS_CORETYPE");
  return printf("%s\n%s\n%s\n%d\n%d\n%d\n%g\n%s\n", f.vendor, f.core, f.found, f.switched, f.slow, coretype != NULL,
                c[3], f.advice) < 0;
}

static const char *program; /* argv[0]: under valgrind /proc/self/exe is valgrind */

static answer ask(const char *name, const char *value) {
  int fd[2];
  ck_assert_int_eq(pipe(fd), 0);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("NNBLAS_KEEP_BLAS_CORE");
    if (name) setenv(name, value, 1);
    dup2(fd[1], STDOUT_FILENO);
    execl(program, program, "facts", (char *)NULL);
    _exit(127);
  }
  close(fd[1]);
  FILE *stream = fdopen(fd[0], "r");
  ck_assert_ptr_nonnull(stream);
  answer a = {0};
  int n = fscanf(stream, "%31s %31s %31s %d %d %d %lf%*1[\n]%255[^\n]", a.vendor, a.core, a.found, &a.switched, &a.slow,
                 &a.coretype_set, &a.product, a.advice);
  fclose(stream);
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child's status is %d", status);
  ck_assert_int_ge(n, 7);
  ck_assert_msg(a.product == 77, "4² + 5² + 6² is %g", a.product);
  return a;
}

static bool is_openblas(void) {
  nnb_blas_facts f;
  nnb_blas_info(&f);
  return strcmp(f.vendor, "OpenBLAS") == 0 && strcmp(f.core, "unknown") != 0;
}

START_TEST(facts_are_filled) {
  nnb_blas_facts f;
  memset(&f, 0x55, sizeof f);
  nnb_blas_info(&f);
  ck_assert_str_ne(f.vendor, "");
  ck_assert_str_ne(f.version, "");
  ck_assert_str_ne(f.core, "");
  ck_assert_str_ne(f.found, "");
  ck_assert_str_ne(f.threading, "");
  ck_assert_int_ge(f.threads, 1);
  ck_assert_ptr_null(f.reserved[0]);
  if (f.slow) ck_assert_str_ne(f.advice, "");
  if (f.switched) ck_assert_str_ne(f.core, f.found);
  if (!f.switched) ck_assert_str_eq(f.core, f.found);
  if (openblas_get_corename) ck_assert_str_eq(f.core, openblas_get_corename());
}
END_TEST

START_TEST(left_to_itself) {
  answer a = ask(NULL, NULL);
  ck_assert_msg(!a.coretype_set, "OPENBLAS_CORETYPE is left in the environment");
  if (a.switched) {
    ck_assert_str_ne(a.core, a.found);
    ck_assert_int_eq(strcmp(a.found, ask("NNBLAS_KEEP_BLAS_CORE", "1").core), 0);
  }
  if (a.slow) ck_assert_str_ne(a.advice, "");
}
END_TEST

START_TEST(forbidden) {
  answer a = ask("NNBLAS_KEEP_BLAS_CORE", "1"), free_choice = ask("NNBLAS_KEEP_BLAS_CORE", "0");
  ck_assert_int_eq(a.switched, 0);
  ck_assert_str_eq(a.core, a.found);
  ck_assert_str_eq(a.core, free_choice.found);
  if (free_choice.switched) { /* then faster kernels were available */
    ck_assert_int_eq(a.slow, 1);
    ck_assert_ptr_nonnull(strstr(a.advice, "OPENBLAS_CORETYPE="));
  }
}
END_TEST

START_TEST(preset) {
  answer a = ask("OPENBLAS_CORETYPE", "Nehalem");
  ck_assert_int_eq(a.switched, 0);
  ck_assert_int_eq(a.coretype_set, 1);
  ck_assert_str_eq(a.core, a.found);
#if defined(__x86_64__)
  if (strcmp(a.core, "Nehalem") == 0 && __builtin_cpu_supports("avx")) {
    ck_assert_int_eq(a.slow, 1);
    ck_assert_ptr_nonnull(strstr(a.advice, "OPENBLAS_CORETYPE"));
  }
#endif
}
END_TEST

START_TEST(not_beside_other_threads) {
  answer a = ask("TEST_ANOTHER_THREAD", "1");
  ck_assert_int_eq(a.switched, 0);
  ck_assert_str_eq(a.core, a.found);
  if (a.slow) ck_assert_ptr_nonnull(strstr(a.advice, "OPENBLAS_CORETYPE="));
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their runtimes must come first
/* Another BLAS that is loaded before OpenBLAS must not be reported as OpenBLAS. */
START_TEST(another_blas_in_front) {
  static const char *const places[] = {"/usr/lib/x86_64-linux-gnu/blas/libblas.so.3",
                                       "/usr/lib/aarch64-linux-gnu/blas/libblas.so.3", "/usr/lib64/libblas.so.3"};
  const char *blas = NULL;
  for (size_t i = 0; i < sizeof places / sizeof *places && !blas; i++)
    if (access(places[i], R_OK) == 0) blas = places[i];
  if (!blas) {
    fprintf(stderr, "skipped: the reference BLAS is not installed\n");
    return;
  }
  answer a = ask("LD_PRELOAD", blas);
  ck_assert_str_eq(a.vendor, "unknown");
  ck_assert_str_eq(a.core, "unknown");
  ck_assert_str_eq(ask(NULL, NULL).vendor, "OpenBLAS");
}
END_TEST
#endif

/* ---- the BLAS's thread count ------------------------------------------------------------------------------------ */

static bool count_is_ours(void) {
  bool ours = openblas_get_parallel && openblas_get_parallel() == 1;
  if (!ours) puts("skipped: the BLAS is not an OpenBLAS with threads of its own, whose count could be set");
  return ours;
}

START_TEST(one_thread_inside) {
  if (!count_is_ours()) return;
  openblas_set_num_threads(2);
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(nnb__blas_outer_threads(), 2);
    nnb__blas_enter();
    ck_assert_int_eq(openblas_get_num_threads(), 1);
    nnb__blas_enter();
    nnb_blas_facts f;
    nnb_blas_info(&f);
    ck_assert_int_eq(f.threads, 2);
    nnb__blas_leave();
    ck_assert_int_eq(openblas_get_num_threads(), 1);
    nnb__blas_leave();
    ck_assert_int_eq(openblas_get_num_threads(), 2);
  }
  openblas_set_num_threads(1);
  nnb__blas_enter();
  ck_assert_int_eq(openblas_get_num_threads(), 1);
  nnb__blas_leave();
  ck_assert_int_eq(openblas_get_num_threads(), 1);
}
END_TEST

static void *enter_and_leave(void *arg) {
  bool *wrong = arg;
  for (int i = 0; i < 20000; i++) {
    nnb__blas_enter();
    if (openblas_get_num_threads() != 1) *wrong = true;
    nnb__blas_leave();
  }
  return NULL;
}

START_TEST(many_at_once) {
  if (!count_is_ours()) return;
  openblas_set_num_threads(2);
  pthread_t thread[4];
  bool wrong[4] = {false};
  for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_create(&thread[i], NULL, enter_and_leave, &wrong[i]), 0);
  for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
  for (int i = 0; i < 4; i++) ck_assert_msg(!wrong[i], "thread %d saw more than one BLAS thread inside", i);
  ck_assert_int_eq(openblas_get_num_threads(), 2);
}
END_TEST

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "facts") == 0) return print_facts();
  program = argv[0];
  Suite *suite = suite_create("blas_info");
  TCase *tc = tcase_create("facts");
  tcase_add_test(tc, facts_are_filled);
  tcase_add_test(tc, one_thread_inside);
  tcase_add_test(tc, many_at_once);
  if (is_openblas()) {
    tcase_add_test(tc, left_to_itself);
    tcase_add_test(tc, forbidden);
    tcase_add_test(tc, preset);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    tcase_add_test(tc, another_blas_in_front);
#endif
    tcase_add_test(tc, not_beside_other_threads);
  }
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
