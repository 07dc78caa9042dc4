/* Models that are read from their file in pieces: memory, and files that are cut. */
#include "precision.h"
/* the precision first */
#include <sys/stat.h>
#include <sys/wait.h>

#include "alloc_count.h"
#include "toys.h"

enum { WIDE = 1500 }; /* 2.25 million weights: 18 MB in double precision */
static const double weights = 1e-6 * WIDE * WIDE * sizeof(real);

/* The peak of this process's resident memory in MB. */
static double peak(void) {
  FILE *f = fopen("/proc/self/status", "r");
  char line[200];
  double kb = 0;
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmHWM: %lf", &kb) == 1) break;
  if (f) fclose(f);
  return 1.024e-3 * kb;
}

static nnb_net *wide_net(void) {
  nnb_net *net = nnb_net_create(WIDE);
  nnb_net_dense(net, WIDE, NNB_LINEAR);
  ck_ok(nnb_net_init(net, 3));
  return net;
}

/* What fn(path) returns in a process of its own, whose peak is its own. */
static int run(int (*fn)(const char *path), const char *path) {
  int status = 0;
  const pid_t child = fork();
  if (child == 0) _exit(fn(path));
  ck_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
  return WEXITSTATUS(status);
}

static int write_model(const char *path) {
  nnb_net *net = wide_net();
  const nnb_status status = nnb_net_save(net, path);
  nnb_net_destroy(net);
  return status != NNB_OK;
}

static int write_torch(const char *path) {
  nnb_net *net = wide_net();
  const nnb_status status = nnb_net_save_torch(net, path, NULL);
  nnb_net_destroy(net);
  return status != NNB_OK;
}

static int judge(const char *what, double took, double most) {
  printf("%s: %.1f MB, the weights have %.1f MB\n", what, took, weights);
  fflush(stdout);
  return took < most ? 0 : 1;
}

static int read_model(const char *path) {
  nnb_net *net;
  const double before = peak();
  if (nnb_net_load(path, NULL, &net)) return 2;
  const int verdict = judge("model", peak() - before, weights + 4);
  nnb_net_destroy(net);
  return verdict;
}

/* The net is there; its new weights are complete before they replace the others. */
static int read_torch(const char *path) {
  nnb_net *net = wide_net();
  const double before = peak();
  if (nnb_net_load_torch(net, path, NULL)) return 2;
  const int verdict = judge("torch", peak() - before, weights + 4);
  nnb_net_destroy(net);
  return verdict;
}

START_TEST(memory) {
  char path[TOY_PATH];
  toy_path(path, "wide.safetensors");
  ck_assert_int_eq(run(write_model, path), 0);
  ck_assert_int_eq(run(read_model, path), 0);
  ck_assert_int_eq(run(write_torch, path), 0);
  ck_assert_int_eq(run(read_torch, path), 0);
  unlink(path);
}
END_TEST

/* More numbers than a piece has, and the same net as from memory. */
START_TEST(pieces) {
  char path[TOY_PATH];
  nnb_net *net, *back, *torch;
  toy_path(path, "pieces.safetensors");
  ck_ok(nnb_net_parse("40-60:tanh-7", &net));
  ck_ok(nnb_net_parse("40-60:tanh-7", &torch));
  ck_ok(nnb_net_init(torch, 9));
  ck_ok(nnb_net_save(net, path));
  ck_ok(nnb_net_load(path, NULL, &back));
  ck_assert(toy_hash_net(1, net) == toy_hash_net(1, back));
  ck_ok(nnb_net_save_torch(net, path, NULL));
  ck_ok(nnb_net_load_torch(torch, path, NULL));
  ck_assert(toy_hash_net(1, net) == toy_hash_net(1, torch));
  nnb_net_destroy(net), nnb_net_destroy(back), nnb_net_destroy(torch);
  unlink(path);
}
END_TEST

#ifndef NNB_SINGLE
/* A file of single precision is converted as it is read. */
START_TEST(other_precision) {
  char path[TOY_PATH];
  nnb_net *net, *back, *wanted;
  nnbf_net *single;
  toy_path(path, "single.safetensors");
  ck_ok(nnb_net_parse("40-60:tanh-7", &net));
  ck_ok(nnb_net_to_single(net, &single));
  ck_ok(nnbf_net_to_double(single, &wanted));
  ck_ok(nnbf_net_save(single, path));
  ck_ok(nnb_net_load(path, NULL, &back));
  ck_assert(toy_hash_net(1, wanted) == toy_hash_net(1, back));
  ck_ok(nnbf_net_save_torch(single, path, NULL));
  ck_ok(nnb_net_load_torch(net, path, NULL));
  ck_assert(toy_hash_net(1, wanted) == toy_hash_net(1, net));
  nnb_net_destroy(net), nnb_net_destroy(back), nnb_net_destroy(wanted), nnbf_net_destroy(single);
  unlink(path);
}
END_TEST
#endif

/* Refused at every length; the net of torch's weights stays as it was. */
START_TEST(cut_off) {
  char path[TOY_PATH];
  struct stat st;
  nnb_net *net, *back;
  toy_path(path, "cut.safetensors");
  ck_ok(nnb_net_parse("3-4:tanh-2", &net));
  for (int torch = 0; torch < 2; torch++) {
    ck_ok(torch ? nnb_net_save_torch(net, path, NULL) : nnb_net_save(net, path));
    ck_assert_int_eq(stat(path, &st), 0);
    const uint64_t before = toy_hash_net(1, net);
    for (off_t n = st.st_size; n-- > 0;) {
      ck_assert_int_eq(truncate(path, n), 0);
      const nnb_status status = torch ? nnb_net_load_torch(net, path, NULL) : nnb_net_load(path, NULL, &back);
      ck_assert_msg(status == NNB_E_PARSE, "%s", nnb_errmsg());
      ck_assert(torch || !back);
    }
    ck_assert(toy_hash_net(1, net) == before);
  }
  ck_assert_int_eq(nnb_net_load("/nowhere", NULL, &back), NNB_E_IO);
  ck_assert_int_eq(nnb_net_load_torch(net, "/nowhere", NULL), NNB_E_IO);
  nnb_net_destroy(net);
  unlink(path);
}
END_TEST

static nnb_status load_both(void *path) {
  nnb_net *net = NULL;
  nnb_status status = nnb_net_load(path, NULL, &net);
  if (!status) status = nnb_net_save_torch(net, path, NULL);
  if (!status) status = nnb_net_load_torch(net, path, NULL);
  if (!status) status = nnb_net_save(net, path);
  nnb_net_destroy(net);
  return status;
}

START_TEST(allocations) {
  char path[TOY_PATH];
  nnb_net *net;
  toy_path(path, "allocations.safetensors");
  ck_ok(nnb_net_parse("3-4:tanh-2", &net));
  ck_ok(nnb_net_save(net, path));
  nnb_net_destroy(net);
  for (long k = 1, calls = k; calls >= k; k++) {
    alloc_count_begin(k);
    const nnb_status status = load_both(path);
    calls = alloc_count.calls;
    const long live = alloc_count.live;
    alloc_count_end();
    ck_assert_msg((status == NNB_OK || status == NNB_E_NOMEM) && live == 0, "%ld: %s", k, nnb_errmsg());
    ck_ok(nnb_net_parse("3-4:tanh-2", &net));
    ck_ok(nnb_net_save(net, path));
    nnb_net_destroy(net);
  }
  unlink(path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("large_file, " PRECISION);
  TCase *tcase = tcase_create("large_file");
  tcase_set_timeout(tcase, 120);
  if (SANITIZED || under_valgrind())
    puts("skipped: how much memory is needed, because sanitizers and valgrind need memory themselves");
  else
    tcase_add_test(tcase, memory);
  tcase_add_test(tcase, pieces);
#ifndef NNB_SINGLE
  tcase_add_test(tcase, other_precision);
#endif
  tcase_add_test(tcase, cut_off);
  tcase_add_test(tcase, allocations);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
