/* bench/slot_fit.c: W6, small regressions: the time of nnb_fit to a mean squared error, from several starts, with lm
 * and with varpro.  Files hold 64-bit numbers: <name>x.f64 rows, <name>y.f64 targets, <name>s.f64 starts, weights I×O
 * and then the bias, layer by layer; without a file of starts they are drawn uniformly from (-0.7, 0.7). */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "precision.h"
#include "slot.h"

enum { STARTS = 7, TARGETS = 6, PASSES = 5 };
static const double LONG = 0.5; /* seconds of passes that are enough, because disturbances are short */

typedef struct regression {
  const char *name, *net;
  double target[TARGETS]; /* falling; 0 after the last */
} regression;

static const regression regressions[] = {
    {"W6a", "1-10:tanh-1", {1e-3, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12}},
    {"W6b", "8-15:tanh-1", {1e-1, 1e-2, 1e-3, 2e-4, 1e-4}},
    {"W6concrete", "8-15:tanh-1", {0.2, 0.1, 0.05, 0.04}},
    {"W6yacht", "6-15:tanh-1", {1e-2, 1e-3, 3e-4, 1e-4}},
};

typedef struct course { /* of one fit */
  double began, limit, last;
  double seconds[TARGETS], epochs[TARGETS]; /* to each target; infinite if not reached */
  const regression *what;
} course;

/* Processor time of this thread: other programs do not count. */
static double thread_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int complain(const char *what, const char *why) {
  fprintf(stderr, "nnblas_bench: %s: %s\n", what, why);
  return -1;
}

static real *load(const char *name, const char *suffix, size_t *n) {
  char path[1024];
  const char *folder = getenv("PB_DATA");
  snprintf(path, sizeof path, "%s/%s%s", folder ? folder : "data", name, suffix);
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  real *out = NULL;
  long bytes = fseek(f, 0, SEEK_END) ? 0 : ftell(f);
  *n = bytes > 0 ? (size_t)bytes / sizeof(double) : 0;
  if (*n && !fseek(f, 0, SEEK_SET)) out = malloc(*n * sizeof *out);
  for (size_t i = 0; out && i < *n; i++) {
    double value = 0;
    if (fread(&value, sizeof value, 1, f) != 1) value = (double)NAN;
    out[i] = (real)value;
  }
  fclose(f);
  return out;
}

static int note(void *user, const nnb_record *record) {
  course *c = user;
  double now = thread_seconds() - c->began;
  for (int k = 0; k < TARGETS && c->what->target[k] > 0; k++)
    if (record->loss <= c->what->target[k] && isinf(c->seconds[k])) c->seconds[k] = now, c->epochs[k] = record->epoch;
  return now > c->limit;
}

static void set_start(nnb_net *net, int start, const real *given) {
  size_t P = nnb_net_n_params(net);
  real *w = nnb_net_params(net);
  nnb_rng rng;
  nnb_rng_init(&rng, (uint64_t)start + 1, 0);
  for (size_t i = 0; i < P; i++)
    w[i] = given ? given[(size_t)start * P + i] : (real)(1.4 * nnb_rng_uniform(&rng) - 0.7);
}

static int fit_once(const regression *what, const nnb_data *data, nnb_algo algo, int start, const real *given,
                    course *c) {
  const char *limit = getenv("PB_LIM");
  nnb_net *net = NULL;
  nnb_status status = nnb_net_parse(what->net, &net);
  if (!status) status = (nnb_status)nnb_net_loss(net, NNB_MSE);
  if (status) return complain(what->net, nnb_errmsg());
  *c = (course){.what = what, .limit = limit ? atof(limit) : 3};
  for (int k = 0; k < TARGETS; k++) {
    c->seconds[k] = c->epochs[k] = HUGE_VAL;
    if (what->target[k] > 0) c->last = what->target[k];
  }
  set_start(net, start, given);
  nnb_fit_opts opts = {.algo = algo, .max_epochs = NNB_NONE, .target_loss = c->last, .on_epoch = note, .user = c};
  c->began = thread_seconds();
  status = nnb_fit(net, data, NULL, &opts, NULL);
  nnb_net_destroy(net);
  return status ? complain(what->name, nnb_errmsg()) : 0;
}

static int rising(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void print_number(const char *key, double value) {
  if (isfinite(value))
    printf(",\"%s\":%.5g", key, value);
  else
    printf(",\"%s\":null", key);
}

static void print_target(const regression *what, const char *peer, int threads, int k, const course *c) {
  double ms[STARTS], epochs[STARTS];
  int reached = 0;
  for (int s = 0; s < STARTS; s++) {
    ms[s] = 1e3 * c[s].seconds[k], epochs[s] = c[s].epochs[k];
    reached += isfinite(ms[s]);
  }
  qsort(ms, STARTS, sizeof *ms, rising), qsort(epochs, STARTS, sizeof *epochs, rising);
  printf("{\"peer\":\"%s\",\"workload\":\"%s mse<=%g\",\"dtype\":\"%s\",\"threads\":%d,\"metric\":\"ms\"", peer,
         what->name, what->target[k], PRECISION, threads);
  print_number("value", ms[STARTS / 2]), print_number("iters", epochs[STARTS / 2]);
  printf(",\"reached\":\"%d/%d\"", reached, STARTS);
  print_number("best_ms", ms[0]), print_number("worst_ms", ms[STARTS - 1]);
  printf("}\n");
}

/* Times of one start: c ← the medians of n passes, which differ in time only. */
static void take_medians(course pass[PASSES][STARTS], int n, course c[STARTS]) {
  for (int s = 0; s < STARTS; s++) {
    c[s] = pass[0][s];
    for (int k = 0; k < TARGETS; k++) {
      double seconds[PASSES];
      for (int i = 0; i < n; i++) seconds[i] = pass[i][s].seconds[k];
      qsort(seconds, (size_t)n, sizeof *seconds, rising);
      c[s].seconds[k] = seconds[n / 2];
    }
  }
}

static int run(const regression *what, const nnb_data *data, int threads, const real *given) {
  static const struct {
    const char *peer;
    nnb_algo algo;
  } ways[] = {{"libnnblas-lm", NNB_LM}, {"libnnblas-varpro", NNB_VARPRO}};
  static course pass[PASSES][STARTS], c[STARTS], warm;
  for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
    if (fit_once(what, data, ways[w].algo, 0, given, &warm)) return -1;
    const double began = thread_seconds();
    int n = 0;
    while (n == 0 || (n < PASSES && thread_seconds() - began < LONG)) {
      for (int s = 0; s < STARTS; s++)
        if (fit_once(what, data, ways[w].algo, s, given, &pass[n][s])) return -1;
      n++;
    }
    take_medians(pass, n, c);
    for (int k = 0; k < TARGETS && what->target[k] > 0; k++) print_target(what, ways[w].peer, threads, k, c);
  }
  return 0;
}

#define slot_fit TWIN(slot_fit)
int slot_fit(const char *name, int threads) {
  const regression *what = NULL;
  size_t n_x = 0, n_y = 0, n_s = 0;
  nnb_data *data = NULL;
  for (size_t i = 0; i < sizeof regressions / sizeof *regressions; i++)
    if (!strcmp(regressions[i].name, name)) what = &regressions[i];
  if (!what) return SLOT_UNKNOWN;
  if (threads != 1) return complain(name, "it measures the time of one thread; wanted 1 thread"), 1;
  int n_in = atoi(what->net), failed = -1;
  real *x = load(name, "x.f64", &n_x), *y = load(name, "y.f64", &n_y), *starts = load(name, "s.f64", &n_s);
  size_t hidden = (size_t)atoi(strchr(what->net, '-') + 1), P = ((size_t)n_in + 2) * hidden + 1;
  if (!x || !y || n_y < 1 || n_x != n_y * (size_t)n_in || (starts && n_s < STARTS * P)) {
    complain(name, "PB_DATA has no files x.f64 and y.f64 of it that fit together, or too few starts");
    goto done;
  }
  nnb_batch rows = {.x = nnb_cview(x, (int)n_y, n_in), .t = nnb_cview(y, (int)n_y, 1)};
  if (nnb_data_wrap(&rows, 0, &data)) {
    complain(name, nnb_errmsg());
    goto done;
  }
  failed = run(what, data, threads, starts);
done:
  nnb_data_destroy(data);
  free(x), free(y), free(starts);
  return failed ? 1 : 0;
}
