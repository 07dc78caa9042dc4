/* bench/slot_work.c: the workloads.  Same data, same initial weights, same loss and the same order of rows for every
 * library; the files hold f32 and i32 numbers, weights as O×I and then the bias, layer by layer. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "precision.h"
#include "slot.h"

typedef enum how {
  BY_STEP, /* nnb_train_step, a batch at a time                                       */
  BY_ROWS, /* nnb_train_rows, `call` rows at a time                                   */
  PREDICT, /* nnb_plan_predict, always the same rows                                  */
  NOT_YET
} how;

typedef struct workload {
  const char *name, *net, *data, *init;
  how how;
  nnb_loss loss;
  int rows, batch, call; /* rows 0: all of the file; call: rows in one call by rows */
  double lr;
  int warm; /* updates before the loss is noted and the clock starts */
  const char *metric;
} workload;

#define W1_NET  "1024-2048-2048-1000:softmax"
#define W2_NET  "784-128-64-10:softmax"
#define W3I_NET "4-8:sigmoid-3:sigmoid"
#define W3X_NET "2-3:sigmoid-3:sigmoid"
#define W4_NET  "784-128:sigmoid-10:sigmoid"
#define CE      NNB_CROSS_ENTROPY
#define HALF    NNB_HALF_SSE

static const workload workloads[] = {
    {"W1", W1_NET, "W1", "W1", BY_STEP, CE, 0, 256, 256, 0.01, 4, "samples/s"},
    {"W2b32", W2_NET, "W2", "W2", BY_STEP, CE, 0, 32, 32, 0.1, 20, "s/epoch"},
    {"W2b128", W2_NET, "W2", "W2", BY_STEP, CE, 0, 128, 128, 0.1, 20, "s/epoch"},
    {"W2full", W2_NET, "W2", "W2", BY_ROWS, CE, 60000, 60000, 60000, 0.1, 2, "s/epoch"},
    {"W3i", W3I_NET, "W3i", "W3i", BY_ROWS, HALF, 150, 1, 150, 0.1, 0, "samples/s"},
    {"W3x", W3X_NET, "W3x", "W3x", BY_ROWS, HALF, 150, 1, 150, 0.1, 0, "samples/s"},
    {"W3ifull", W3I_NET, "W3i", "W3i", BY_STEP, HALF, 150, 150, 150, 0.1 / 150, 0, "samples/s"},
    {"W3xfull", W3X_NET, "W3x", "W3x", BY_STEP, HALF, 150, 150, 150, 0.1 / 150, 0, "samples/s"},
    {"W4", W4_NET, "W2", "W4", BY_ROWS, HALF, 6000, 1, 500, 0.1, 0, "samples/s"},
    {"W5m", W2_NET, "W2", "W2", PREDICT, CE, 1, 1, 1, 0, 0, "ns/sample"},
    {"W5s", "10-20-20-1", "W2", "W5s", PREDICT, HALF, 1, 1, 1, 0, 0, "ns/sample"},
    {"W5mb1024", W2_NET, "W2", "W2", PREDICT, CE, 1024, 1024, 1024, 0, 0, "ns/sample"},
    {"W5sb1024", "10-20-20-1", "W2", "W5s", PREDICT, HALF, 1024, 1024, 1024, 0, 0, "ns/sample"},
    {.name = "W7", .how = NOT_YET, .metric = "Adam"},
};

typedef struct slot {
  const workload *w;
  int threads, next; /* next: the row whose turn it is */
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
  real *out = values ? aligned_alloc(64, (*n * sizeof(real) + 64) / 64 * 64) : NULL;
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
    if (nnb_net_weights(s->net, node, &w)) return free(p), complain("weights", nnb_errmsg());
    size_t inputs = (size_t)w.rows, units = (size_t)w.cols;
    for (size_t i = 0; i < inputs; i++)
      for (size_t o = 0; o < units; o++) dst[at + i * units + o] = p[at + o * inputs + i];
    memcpy(dst + at + inputs * units, p + at + inputs * units, units * sizeof(real));
    at += (inputs + 1) * units;
  }
  free(p);
  return 0;
}

/* Class numbers as rows of a unit matrix: what a squared error is measured against. */
static real *unit_rows(const int32_t *label, int rows, int classes) {
  real *t = calloc((size_t)rows * (size_t)classes, sizeof *t);
  for (int i = 0; t && i < rows; i++) t[(size_t)i * (size_t)classes + (size_t)label[i]] = 1;
  return t;
}

/* Targets: a file of labels with W1 and W2 (and W4, which shares its data), a file of numbers with W3. */
static int load_targets(slot *s, int rows) {
  size_t n = 0;
  int n_out = nnb_net_n_out(s->net);
  if (s->w->name[1] == '3') {
    s->t = load_reals(s->w->data, "y.f32", 0, &n);
    n /= (size_t)n_out;
  } else {
    s->label = load(s->w->data, "y.i32", (size_t)rows, &n);
    if (s->label && s->w->loss == HALF) s->t = unit_rows(s->label, rows, n_out);
  }
  if (n < (size_t)rows) return complain(s->w->data, "too few targets");
  if (s->t)
    s->rows.t = nnb_cview(s->t, rows, n_out);
  else
    s->rows.label = s->label;
  return 0;
}

static int load_data(slot *s) {
  size_t n, n_in = (size_t)nnb_net_n_in(s->net);
  s->x = load_reals(s->w->data, "x.f32", (size_t)s->w->rows * n_in, &n);
  if (!s->x) return -1;
  int rows = (int)(n / n_in);
  if (rows < s->w->rows || rows < s->w->batch) return complain(s->w->data, "too few rows");
  s->rows.x = nnb_cview(s->x, rows, (int)n_in);
  return s->w->how == PREDICT ? 0 : load_targets(s, rows);
}

/* ---- the work --------------------------------------------------------------------------------------------------- */

/* n rows from the one whose turn it is. */
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
  s->loss = sums.loss; /* a mean already: cross-entropy is one */
  return failed;
}

/* One call; returns the rows it went through, -1 on failure. */
static int call(slot *s, how manner) {
  if (manner == PREDICT)
    return nnb_plan_predict(s->plan, s->rows.x, nnb_view(s->y, s->w->batch, nnb_net_n_out(s->net))) ? -1 : s->w->batch;
  if (manner == BY_ROWS) return by_rows(s) ? -1 : s->w->call;
  return step(s, s->w->batch) ? -1 : s->w->batch;
}

/* Rows a second: a quarter of the budget to warm up, then the median of five parts of the rest. */
static double rate(slot *s, how manner) {
  const char *text = getenv("PB_BUDGET");
  double budget = text ? atof(text) : 0.6, start = clock_seconds(), used, part[5];
  long calls = 0;
  do {
    if (call(s, manner) < 0) return complain(s->w->name, nnb_errmsg());
    calls++;
    used = clock_seconds() - start;
  } while (used < budget / 4);
  long each = (long)(budget / 5 * (double)calls / used);
  if (each < 1) each = 1;
  for (int i = 0; i < 5; i++) {
    double rows = 0;
    start = clock_seconds();
    for (long k = 0; k < each; k++) {
      int n = call(s, manner);
      if (n < 0) return complain(s->w->name, nnb_errmsg());
      rows += n;
    }
    part[i] = rows / (clock_seconds() - start);
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

/* 2·m·n·k of the products of a training step, for one row. */
static double row_flops(const slot *s) {
  double products = 0;
  for (int node = 2; node <= nnb_net_n_nodes(s->net); node++) {
    nnb_cmat w;
    if (!nnb_net_weights(s->net, node, &w)) products += (node > 2 ? 3.0 : 2.0) * w.rows * w.cols;
  }
  return 2 * products;
}

/* An epoch is 60,000 rows. */
static double as_metric(const char *metric, double rows_per_s) {
  if (!strcmp(metric, "s/epoch")) return 60000 / rows_per_s;
  if (!strcmp(metric, "ns/sample")) return 1e9 / rows_per_s;
  return rows_per_s;
}

static int run(slot *s) {
  for (int i = 0; i < s->w->warm; i++)
    if (call(s, s->w->how) < 0) return complain(s->w->name, nnb_errmsg());
  double loss = s->loss, r = rate(s, s->w->how);
  if (r < 0) return -1;
  print_line(s, "libnnblas", s->w->metric, as_metric(s->w->metric, r), loss);
  if (!strcmp(s->w->name, "W1")) print_line(s, "libnnblas", "GFLOP/s", 1e-9 * r * row_flops(s), loss);
  if (s->w->how == BY_ROWS && s->w->batch == 1) { /* the same through one call a row, as some peers must */
    s->next = 0;
    if ((r = rate(s, BY_STEP)) < 0) return -1;
    print_line(s, "libnnblas-step", s->w->metric, as_metric(s->w->metric, r), loss);
  }
  return 0;
}

static int make(slot *s) {
  const workload *w = s->w;
  if (nnb_net_parse(w->net, &s->net) || nnb_net_loss(s->net, w->loss)) return complain(w->net, nnb_errmsg());
  if (load_weights(s) || load_data(s)) return -1;
  /* A full batch of 60,000 goes through in chunks. */
  nnb_plan_opts opts = {.max_rows = w->batch < 1024 ? w->batch : 1024, .threads = s->threads};
  opts.want = w->how == PREDICT ? 0 : NNB_GRAD;
  nnb_optim_opts sgd = {.algo = NNB_SGD, .lr = w->lr};
  if (nnb_plan_create(s->net, &opts, &s->plan)) return complain(w->name, nnb_errmsg());
  if (w->how != PREDICT && nnb_optim_create(s->net, &sgd, &s->optim)) return complain(w->name, nnb_errmsg());
  s->y = malloc((size_t)w->batch * (size_t)nnb_net_n_out(s->net) * sizeof(real));
  return s->y ? 0 : complain(w->name, "out of memory");
}

static void clear(slot *s) {
  nnb_optim_destroy(s->optim);
  nnb_plan_destroy(s->plan);
  nnb_net_destroy(s->net);
  free(s->x), free(s->t), free(s->y), free(s->label);
}

static const workload *find(const char *name) {
  for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
    if (!strcmp(workloads[i].name, name)) return &workloads[i];
  return NULL;
}

#define slot_run TWIN(slot_run)
int slot_run(const char *name, int threads) {
  slot s = {.w = find(name), .threads = threads};
  if (!s.w) return fprintf(stderr, "nnblas_bench: no workload \"%s\"\n", name), SLOT_UNKNOWN;
  if (s.w->how == NOT_YET) {
    fprintf(stderr, "nnblas_bench: %s, a fit by %s, is not measured by this program\n", name, s.w->metric);
    return SLOT_UNKNOWN;
  }
  int failed = make(&s) || run(&s);
  clear(&s);
  return failed ? 1 : 0;
}
