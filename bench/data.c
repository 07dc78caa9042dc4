#include "data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *take(size_t n, size_t size) {
  if (size && n > (SIZE_MAX - 64) / size) return NULL;
  return aligned_alloc(64, (n * size + 64) / 64 * 64);
}

/* ---- the laws --------------------------------------------------------------------------------------------------- */

static void fill(data_law law, nnb_rng *rng, size_t n, float *x) {
  for (size_t i = 0; i < n; i++) {
    if (law == LAW_UNIFORM)
      x[i] = (float)nnb_rng_uniform(rng);
    else if (law == LAW_SPARSE)
      x[i] = nnb_rng_below(rng, 5) ? 0 : (float)nnb_rng_uniform(rng);
    else
      x[i] = (float)(nnb_rng_normal(rng) * (law == LAW_MATRIX ? 0.5 : 1));
  }
}

static int largest(const double *z, int n) {
  int best = 0;
  for (int k = 1; k < n; k++)
    if (z[k] > z[best]) best = k;
  return best;
}

/* The class of a sparse row: the largest of (x - mean)·T, T normal; a column's mean is 1/10. */
static int sparse_class(const bench_data *d, int row, const double *T, double *z) {
  const float *x = d->x + (size_t)row * (size_t)d->n_in;
  for (int k = 0; k < d->n_out; k++) z[k] = T[(size_t)d->n_in * (size_t)d->n_out + (size_t)k];
  for (int j = 0; j < d->n_in; j++)
    for (int k = 0; x[j] != 0 && k < d->n_out; k++) z[k] += (double)x[j] * T[(size_t)j * (size_t)d->n_out + (size_t)k];
  return largest(z, d->n_out);
}

static int sparse_labels(bench_data *d, nnb_rng *rng) {
  size_t n_in = (size_t)d->n_in, n_out = (size_t)d->n_out;
  double *T = malloc((n_in + 2) * n_out * sizeof *T); /* T; -mean·T; z */
  if (!T) return -1;
  for (size_t k = 0; k < n_out; k++) T[n_in * n_out + k] = 0;
  for (size_t i = 0; i < n_in * n_out; i++) {
    T[i] = nnb_rng_normal(rng);
    T[n_in * n_out + i % n_out] -= 0.1 * T[i];
  }
  for (int i = 0; i < d->rows; i++) d->label[i] = sparse_class(d, i, T, T + (n_in + 1) * n_out);
  free(T);
  return 0;
}

static int make_labels(data_law law, bench_data *d, nnb_rng *rng) {
  if (law == LAW_SPARSE) return sparse_labels(d, rng);
  for (int i = 0; i < d->rows; i++)
    d->label[i] = law == LAW_UNIFORM ? (int32_t)(d->x[(size_t)i * (size_t)d->n_in] * (float)d->n_out)
                                     : (int32_t)nnb_rng_below(rng, (uint32_t)d->n_out);
  return 0;
}

/* e^A = Σ A^k/k! of a 2×2 matrix with entries of about ½. */
static void exponential(const float *a, float *out) {
  double term[4] = {1, 0, 0, 1}, sum[4] = {1, 0, 0, 1};
  for (int k = 1; k < 30; k++) {
    double next[4];
    for (int i = 0; i < 4; i++)
      next[i] = (term[i / 2 * 2] * (double)a[i % 2] + term[i / 2 * 2 + 1] * (double)a[2 + i % 2]) / k;
    for (int i = 0; i < 4; i++) sum[i] += term[i] = next[i];
  }
  for (int i = 0; i < 4; i++) out[i] = (float)sum[i];
}

/* Targets as numbers: exponentials, a sign, the unit vector of the class, or normal numbers for one output. */
static void make_targets(data_law law, bench_data *d, nnb_rng *rng) {
  size_t n_in = (size_t)d->n_in, n_out = (size_t)d->n_out;
  for (size_t i = 0; i < (size_t)d->rows; i++) {
    if (law == LAW_MATRIX)
      exponential(d->x + i * n_in, d->t + i * n_out);
    else if (law == LAW_PRODUCT)
      d->t[i] = d->x[i * n_in] * d->x[i * n_in + 1] > 0;
    else if (n_out == 1)
      d->t[i] = (float)nnb_rng_normal(rng);
    else
      for (size_t k = 0; k < n_out; k++) d->t[i * n_out + k] = d->label[i] == (int32_t)k;
  }
}

int make_data(const workload *w, int limit, bench_data *out) {
  const net_layout net = layout_of(w->net);
  int rows = limit && limit < w->rows ? limit : w->rows;
  bool classes = net.n_out > 1 && w->law != LAW_MATRIX, targets = w->loss != NNB_CROSS_ENTROPY;
  bench_data d = {.rows = rows > w->batch ? rows : w->batch, .n_in = net.n_in, .n_out = net.n_out};
  size_t N = (size_t)d.rows, n_in = (size_t)d.n_in, n_out = (size_t)d.n_out;
  nnb_rng rng;
  nnb_rng_init(&rng, 1, 0);
  *out = (bench_data){0};
  d.x = take(N, n_in * sizeof *d.x);
  d.label = classes ? take(N, sizeof *d.label) : NULL;
  d.t = targets ? take(N, n_out * sizeof *d.t) : NULL;
  if (!d.x || (classes && !d.label) || (targets && !d.t)) return free_data(&d), -1;
  fill(w->law, &rng, N * n_in, d.x);
  if (classes && make_labels(w->law, &d, &rng)) return free_data(&d), -1;
  if (targets) make_targets(w->law, &d, &rng);
  *out = d;
  return 0;
}

void free_data(bench_data *data) {
  free(data->x), free(data->t), free(data->label);
  *data = (bench_data){0};
}

/* ---- the files -------------------------------------------------------------------------------------------------- */

static int write_file(const char *folder, const char *name, const char *suffix, const void *values, size_t n) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
  FILE *f = fopen(path, "wb");
  bool good = f && fwrite(values, 4, n, f) == n;
  if (f && fclose(f)) good = false;
  if (!good) perror(path);
  return good ? 0 : -1;
}

static int write_data(const char *folder, const workload *w) {
  bench_data d;
  if (make_data(w, 0, &d)) return fprintf(stderr, "nnblas_bench: out of memory\n"), -1;
  size_t rows = (size_t)d.rows;
  int failed = write_file(folder, w->data, "x.f32", d.x, rows * (size_t)d.n_in);
  if (d.label) failed |= write_file(folder, w->data, "y.i32", d.label, rows);
  if (d.t) failed |= write_file(folder, w->data, "y.f32", d.t, rows * (size_t)d.n_out);
  free_data(&d);
  return failed;
}

/* Weights as O×I and then the bias, layer by layer: normal, of deviation √(2/I) before relu and √(2/(I+O)) else. */
static int write_weights(const char *folder, const workload *w) {
  const net_layout net = layout_of(w->net);
  const char *named = strchr(w->net, ':'); /* hidden layers without a name are relu */
  bool relu = !named || named > strrchr(w->net, '-');
  size_t n = 0, at = 0;
  for (int l = 0; l < net.n_layers; l++) n += (size_t)(net.layer[l].inputs + 1) * (size_t)net.layer[l].units;
  float *p = calloc(n, sizeof *p);
  if (!p) return fprintf(stderr, "nnblas_bench: out of memory\n"), -1;
  nnb_rng rng;
  nnb_rng_init(&rng, 2, 0);
  for (int l = 0; l < net.n_layers; l++) {
    const int inputs = net.layer[l].inputs, units = net.layer[l].units;
    size_t weights = (size_t)inputs * (size_t)units;
    double deviation = sqrt(2.0 / (relu ? inputs : inputs + units));
    for (size_t i = 0; i < weights; i++) p[at + i] = (float)(nnb_rng_normal(&rng) * deviation);
    at += weights + (size_t)units;
  }
  int failed = write_file(folder, w->init, "init.f32", p, n);
  free(p);
  return failed;
}

int write_files(const char *folder) {
  static const char *const data[] = {"W1", "W2b32", "W3i", "W3x", "W7", "W10"};
  static const char *const init[] = {"W1", "W2b32", "W3i", "W3x", "W4", "W5s", "W7", "W9b32", "W10"};
  for (size_t i = 0; i < sizeof data / sizeof *data; i++)
    if (write_data(folder, find_workload(data[i]))) return -1;
  for (size_t i = 0; i < sizeof init / sizeof *init; i++)
    if (write_weights(folder, find_workload(init[i]))) return -1;
  return 0;
}
