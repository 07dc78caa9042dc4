/* bench/slot_work.c: the workloads.  Same data, same initial weights, same loss and the same order of rows for every
 * library; the files hold f32 and i32 numbers, weights as O×I and then the bias, layer by layer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "measure.h"
#include "precision.h"
#include "slot.h"
#include "start.h"

enum { CHUNK = 1024 }; /* rows of a larger batch that are processed at a time: nnb_fit's default */

typedef struct slot {
  const workload *w;
  int threads, next; /* next: the next row */
  nnb_net *net;
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_batch rows;
  real *x, *t, *y;
  int32_t *label;
  double loss; /* of the last update */
} slot;

static int complain(const char *what, const char *why) {
  fprintf(stderr, "nnblas_bench: %s: %s\n", what, why);
  return -1;
}

/* ---- the files -------------------------------------------------------------------------------------------------- */

/* At most limit (0: all) 4-byte values of data/<name><suffix>; *n: how many.  NULL on failure. */
static void *load(const char *name, const char *suffix, size_t limit, size_t *n) {
  char path[1024];
  const char *folder = getenv("PB_DATA");
  void *values = NULL;
  snprintf(path, sizeof path, "%s/%s%s", folder ? folder : "data", name, suffix);
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END)) goto fail;
  long bytes = ftell(f);
  if (bytes < 4 || fseek(f, 0, SEEK_SET)) goto fail;
  *n = (size_t)bytes / 4;
  if (limit && *n > limit) *n = limit;
  values = malloc(*n * 4);
  if (!values || fread(values, 4, *n, f) != *n) goto fail;
  fclose(f);
  return values;
fail:
  if (f) fclose(f);
  free(values);
  perror(path);
  return NULL;
}

static real *load_reals(const char *name, const char *suffix, size_t limit, size_t *n) {
  float *values = load(name, suffix, limit, n);
  real *out = values ? take(*n, sizeof *out) : NULL;
  for (size_t i = 0; out && i < *n; i++) out[i] = (real)values[i];
  free(values);
  return out;
}

/* The parameters are [W; b] with W as I×O; the file has W as O×I. */
static int load_weights(slot *s) {
  size_t n, at = 0;
  real *p = load_reals(s->w->init, "init.f32", 0, &n), *dst = nnb_net_params(s->net);
  if (!p || !dst) return free(p), -1;
  if (n != nnb_net_n_params(s->net)) return free(p), complain(s->w->init, "a wrong number of weights");
  for (int node = 2; node <= nnb_net_n_nodes(s->net); node++) {
    nnb_cmat w;
    if (nnb_net_weights(s->net, node, &w)) continue; /* a pool has none */
    size_t inputs = (size_t)w.rows, units = (size_t)w.cols;
    for (size_t i = 0; i < inputs; i++)
      for (size_t o = 0; o < units; o++) dst[at + i * units + o] = p[at + o * inputs + i];
    memcpy(dst + at + inputs * units, p + at + inputs * units, units * sizeof(real));
    at += (inputs + 1) * units;
  }
  free(p);
  return 0;
}

/* Class numbers as rows of a unit matrix: the targets of a squared error. */
static real *unit_rows(const int32_t *label, int rows, int classes) {
  real *t = calloc((size_t)rows * (size_t)classes, sizeof *t);
  for (int i = 0; t && i < rows; i++) t[(size_t)i * (size_t)classes + (size_t)label[i]] = 1;
  return t;
}

/* Targets: a file of labels with W1 and W2 (and W4, which shares its data), a file of numbers with the others. */
static int load_targets(slot *s, int rows) {
  size_t n = 0;
  int n_out = nnb_net_n_out(s->net);
  if (s->w->law != LAW_NORMAL && s->w->law != LAW_SPARSE) {
    s->t = load_reals(s->w->data, "y.f32", 0, &n);
    n /= (size_t)n_out;
  } else {
    s->label = load(s->w->data, "y.i32", (size_t)rows, &n);
    if (s->label && s->w->loss == NNB_HALF_SSE) s->t = unit_rows(s->label, rows, n_out);
  }
  if (n < (size_t)rows) return complain(s->w->data, "too few targets");
  if (s->t)
    s->rows.t = nnb_cview(s->t, rows, n_out);
  else
    s->rows.label = s->label;
  return 0;
}

/* Predictions always use the same rows. */
static int load_data(slot *s) {
  const workload *w = s->w;
  size_t n, n_in = (size_t)nnb_net_n_in(s->net);
  s->x = load_reals(w->data, "x.f32", (size_t)(w->manner == PREDICT ? w->batch : w->rows) * n_in, &n);
  if (!s->x) return -1;
  int rows = (int)(n / n_in);
  if (rows < w->batch || rows < w->call) return complain(w->data, "too few rows");
  s->rows.x = nnb_cview(s->x, rows, (int)n_in);
  return w->manner == PREDICT ? 0 : load_targets(s, rows);
}

/* ---- the work --------------------------------------------------------------------------------------------------- */

/* n rows from the next one on. */
static nnb_batch turn(slot *s, int n) {
  nnb_batch part = s->rows;
  size_t row = (size_t)s->next;
  part.x.p += row * (size_t)part.x.cols, part.x.rows = n;
  if (part.t.p) part.t.p += row * (size_t)part.t.cols, part.t.rows = n;
  if (part.label) part.label += row;
  s->next += n;
  if (s->next + n > s->rows.x.rows) s->next = 0;
  return part;
}

static int step(slot *s, int n) {
  nnb_batch batch = turn(s, n);
  return nnb_train_step(s->net, s->plan, &batch, s->optim, &s->loss);
}

static int by_rows(slot *s) {
  nnb_sums sums;
  nnb_batch part = turn(s, s->w->call);
  nnb_status failed = nnb_train_rows(s->net, s->plan, &part, NULL, 0, s->w->batch, s->optim, &sums);
  s->loss = sums.loss; /* already a mean, because the loss is a cross-entropy */
  return failed;
}

/* One call; returns the number of rows it processed, -1 on failure. */
static int call(slot *s, manner how) {
  if (how == PREDICT)
    return nnb_plan_predict(s->plan, s->rows.x, nnb_view(s->y, s->w->batch, nnb_net_n_out(s->net))) ? -1 : s->w->batch;
  if (how == BY_ROWS) return by_rows(s) ? -1 : s->w->call;
  return step(s, s->w->batch) ? -1 : s->w->batch;
}

/* PB_CLOCK=cpu: the processor time of all threads, for shared machines; for one thread. */
static double now(void) {
  const char *text = getenv("PB_CLOCK");
  return text && !strcmp(text, "cpu") ? clock_cpu_seconds() : clock_seconds();
}

/* Rows per second: all rows once and a quarter of the budget to warm up, then the median of five parts of the rest. */
static double rate(slot *s, manner how) {
  const char *text = getenv("PB_BUDGET");
  double budget = text ? atof(text) : 0.6, start = now(), used, part[5];
  long calls = 0, warmed = 0;
  do {
    int n = call(s, how);
    if (n < 0) return complain(s->w->name, nnb_errmsg());
    calls++, warmed += n;
    used = now() - start;
  } while (used < budget / 4 || warmed < s->rows.x.rows);
  long each = (long)(budget / 5 * (double)calls / used);
  if (each < 1) each = 1;
  for (int i = 0; i < 5; i++) {
    double rows = 0;
    start = now();
    for (long k = 0; k < each; k++) {
      int n = call(s, how);
      if (n < 0) return complain(s->w->name, nnb_errmsg());
      rows += n;
    }
    part[i] = rows / (now() - start);
  }
  return spread_of(part, 5).median;
}

static void print_line(const slot *s, const char *peer, const char *metric, double value, double loss) {
  printf("{\"peer\":\"%s\",\"workload\":\"%s\",\"dtype\":\"%s\",\"threads\":%d,\"metric\":\"%s\",\"value\":%.8g", peer,
         s->w->name, PRECISION, s->threads, metric, value);
  if (s->w->warm) printf(",\"loss\":%.8g", loss);
  printf("}\n");
  fflush(stdout);
}

/* An epoch is all rows of the workload. */
static double as_metric(const workload *w, double rows_per_s) {
  if (!strcmp(w->metric, "s/epoch")) return w->rows / rows_per_s;
  if (!strcmp(w->metric, "ms/epoch")) return 1e3 * w->rows / rows_per_s;
  if (!strcmp(w->metric, "ns/sample")) return 1e9 / rows_per_s;
  return rows_per_s;
}

static int run(slot *s) {
  for (int i = 0; i < s->w->warm; i++)
    if (call(s, s->w->manner) < 0) return complain(s->w->name, nnb_errmsg());
  double loss = s->loss, r = rate(s, s->w->manner);
  if (r < 0) return -1;
  print_line(s, "libnnblas", s->w->metric, as_metric(s->w, r), loss);
  if (!strcmp(s->w->name, "W1"))
    print_line(s, "libnnblas", "GFLOP/s", 1e-9 * r / s->w->batch * workload_flops(s->w), loss);
  const char *steps = getenv("PB_STEPS"); /* 0: without the next measurement */
  if (steps && !strcmp(steps, "0")) return 0;
  if (s->w->manner == BY_ROWS && s->w->batch == 1) { /* the same with one call per row, as some peers need */
    s->next = 0;
    if ((r = rate(s, BY_STEP)) < 0) return -1;
    print_line(s, "libnnblas-step", s->w->metric, as_metric(s->w, r), loss);
  }
  return 0;
}

static int make(slot *s) {
  const workload *w = s->w;
  if (nnb_net_parse(w->net, &s->net) || nnb_net_loss(s->net, w->loss)) return complain(w->net, nnb_errmsg());
  if (load_weights(s) || load_data(s)) return -1;
  nnb_plan_opts opts = {.max_rows = w->batch < CHUNK ? w->batch : CHUNK, .threads = s->threads};
  opts.want = w->manner == PREDICT ? 0 : NNB_GRAD;
  nnb_optim_opts optim = {.algo = w->algo, .lr = w->lr};
  if (nnb_plan_create(s->net, &opts, &s->plan)) return complain(w->name, nnb_errmsg());
  if (w->manner != PREDICT && nnb_optim_create(s->net, &optim, &s->optim)) return complain(w->name, nnb_errmsg());
  s->y = malloc((size_t)w->batch * (size_t)nnb_net_n_out(s->net) * sizeof(real));
  return s->y ? 0 : complain(w->name, "out of memory");
}

static void clear(slot *s) {
  nnb_optim_destroy(s->optim);
  nnb_plan_destroy(s->plan);
  nnb_net_destroy(s->net);
  free(s->x), free(s->t), free(s->y), free(s->label);
}

/* W8: milliseconds from exec to the end of the first training step. */
static int run_start(int threads) {
  double seconds[21];
  if (start_seconds(PRECISION, threads, 21, seconds)) return 1;
  printf(
      "{\"peer\":\"libnnblas\",\"workload\":\"W8\",\"dtype\":\"%s\",\"threads\":%d,\"metric\":\"ms\","
      "\"value\":%.8g}\n",
      PRECISION, threads, 1e3 * spread_of(seconds, 21).median);
  return 0;
}

#define slot_run TWIN(slot_run)
int slot_run(const char *name, int threads) {
  if (!strcmp(name, "W8")) return run_start(threads);
  slot s = {.w = find_workload(name), .threads = threads};
  if (!s.w) return fprintf(stderr, "nnblas_bench: no workload \"%s\"\n", name), SLOT_UNKNOWN;
  int failed = make(&s) || run(&s);
  clear(&s);
  return failed ? 1 : 0;
}
