/* The result of a product, or of a pass through a net, does not depend on the way it was computed: the kernels of each
 * level, the BLAS, blocks, threads and chunks agree with sums in long double, to rounding. */
#include "real.h"

#include <stdio.h>
#include <string.h>

#include "blas.h"
#include "cpu.h"
#include "kernels.h"
#include "run.h"
#include "support.h"

#ifdef NNB_SINGLE
#define PRECISION "single"
#else
#define PRECISION "double"
#endif

enum { GAP = 3, LEVELS = 4 }; /* columns after a row that must not change */

static real *room(size_t n) {
  real *p = malloc((n + 1) * sizeof *p);
  ck_assert_ptr_nonnull(p);
  return p;
}
static real *numbers(size_t n, uint64_t stream) {
  real *p = room(n);
  nnb_rng rng;
  nnb_rng_init(&rng, 7, stream);
  for (size_t i = 0; i < n; i++) p[i] = (real)(2 * nnb_rng_uniform(&rng) - 1);
  return p;
}

/* ---- products --------------------------------------------------------------------------------------------------- */

typedef struct product {
  char ta, tb;
  int m, n, k;
  real alpha, beta;
} product;
typedef struct operands { /* in memory, with GAP after each row */
  nnb_cmat a, b;
  nnb_mat c;
} operands;
/* One way to compute a product; false: it does not take such products. */
typedef bool way(const product *p, const operands *o, const nnb__kernels *kernels);

static nnb__strided strided(char ta, nnb_cmat a) {
  size_t ld = (size_t)a.ld;
  return (nnb__strided){a.p, ta == 'T' ? 1 : ld, ta == 'T' ? ld : 1};
}
static bool by_gemm(const product *p, const operands *o, const nnb__kernels *kernels) {
  (void)kernels;
  nnb__gemm(p->ta, p->tb, p->alpha, o->a, o->b, p->beta, o->c);
  return true;
}
static bool by_mm(const product *p, const operands *o, const nnb__kernels *kernels) {
  if (p->tb == 'T') return false;
  kernels->mm(p->m, p->n, p->k, p->alpha, strided(p->ta, o->a), o->b.p, (size_t)o->b.ld, p->beta, o->c.p,
              (size_t)o->c.ld);
  return true;
}
static bool by_copy(const product *p, const operands *o, const nnb__kernels *kernels) {
  kernels->mm_copy(p->m, p->n, p->k, p->alpha, strided(p->ta, o->a), o->b.p, (size_t)o->b.ld, p->tb == 'T', p->beta,
                   o->c.p, (size_t)o->c.ld);
  return true;
}
static bool by_row(const product *p, const operands *o, const nnb__kernels *kernels) {
  if (p->tb == 'T' || p->m != 1) return false;
  kernels->mm_row(p->n, p->k, p->alpha, o->a.p, strided(p->ta, o->a).col, o->b.p, (size_t)o->b.ld, p->beta, o->c.p);
  return true;
}
static const struct {
  const char *name;
  way *run;
} ways[] = {{"gemm", by_gemm}, {"mm", by_mm}, {"mm_copy", by_copy}, {"mm_row", by_row}};
enum { N_WAYS = sizeof ways / sizeof *ways };

static long double at(nnb_cmat m, char t, int i, int j) {
  return (long double)(t == 'T' ? m.p[(size_t)j * (size_t)m.ld + (size_t)i]
                                : m.p[(size_t)i * (size_t)m.ld + (size_t)j]);
}

/* want ← beta·C + alpha·op(A)·op(B), and size ← 1 + the sum of magnitudes, m×n each */
static void expect(const product *p, const operands *o, const real *before, long double *want, long double *size) {
  for (int i = 0; i < p->m; i++)
    for (int j = 0; j < p->n; j++) {
      long double sum = 0, all = 0;
      for (int l = 0; l < p->k; l++) {
        long double x = at(o->a, p->ta, i, l) * at(o->b, p->tb, l, j);
        sum += x, all += fabsl(x);
      }
      size_t to = (size_t)i * (size_t)p->n + (size_t)j;
      long double c = p->beta != 0 ? (long double)before[(size_t)i * (size_t)o->c.ld + (size_t)j] : 0;
      want[to] = (long double)p->alpha * sum + (long double)p->beta * c;
      size[to] = 1 + all;
    }
}

static void compare(const product *p, const operands *o, const real *before, const long double *want,
                    const long double *size, const char *name, const char *level) {
  for (int i = 0; i < p->m; i++) {
    const real *row = o->c.p + (size_t)i * (size_t)o->c.ld;
    for (int j = 0; j < p->n; j++) {
      size_t from = (size_t)i * (size_t)p->n + (size_t)j;
      if (!(fabsl((long double)row[j] - want[from]) <= 4 * (long double)REAL_EPS * size[from]))
        ck_abort_msg(PRECISION ": %s (%s) %c%c %dx%dx%d alpha %g beta %g: (%d, %d) is %.17g, expected %.17Lg", name,
                     level, p->ta, p->tb, p->m, p->n, p->k, (double)p->alpha, (double)p->beta, i, j, (double)row[j],
                     want[from]);
    }
    const real *gap = before + (size_t)i * (size_t)o->c.ld + p->n;
    if (memcmp(row + p->n, gap, GAP * sizeof *row) != 0)
      ck_abort_msg(PRECISION ": %s (%s) %c%c %dx%dx%d wrote behind row %d", name, level, p->ta, p->tb, p->m, p->n, p->k,
                   i);
  }
}

/* The product in every way at every level from first to last. */
static void check(product p, int first, int last) {
  int ra = p.ta == 'T' ? p.k : p.m, ca = p.ta == 'T' ? p.m : p.k, rb = p.tb == 'T' ? p.n : p.k,
      cb = p.tb == 'T' ? p.k : p.n;
  size_t n_c = (size_t)p.m * (size_t)(p.n + GAP), n_want = (size_t)p.m * (size_t)p.n;
  real *a = numbers((size_t)ra * (size_t)(ca + GAP), 1), *b = numbers((size_t)rb * (size_t)(cb + GAP), 2);
  real *before = numbers(n_c, 3), *c = room(n_c);
  long double *want = malloc((2 * n_want + 1) * sizeof *want), *size = want + n_want;
  ck_assert_ptr_nonnull(want);
  operands o = {{a, ra, ca, ca + GAP}, {b, rb, cb, cb + GAP}, {c, p.m, p.n, p.n + GAP}};
  for (int l = 0; p.m == 1 && l < p.k; l += 3) a[(size_t)l * (size_t)(p.ta == 'T' ? o.a.ld : 1)] = 0;
  expect(&p, &o, before, want, size);
  for (int level = first; level <= last; level++) {
    const nnb__kernels *kernels = nnb__kernel_level(level);
    if (!kernels) break;
    for (int w = level > first; w < N_WAYS; w++) { /* gemm once: it chooses a level itself */
      memcpy(c, before, n_c * sizeof *c);
      for (int i = 0; p.beta == 0 && i < p.m; i++)
        for (int j = 0; j < p.n; j++) c[(size_t)i * (size_t)o.c.ld + (size_t)j] = (real)NAN;
      if (ways[w].run(&p, &o, kernels)) compare(&p, &o, before, want, size, ways[w].name, kernels->level);
    }
  }
  free(a), free(b), free(before), free(c), free(want);
}

static const char transposes[4][3] = {"NN", "TN", "NT", "TT"};
static const real factors[4] = {1, 0, -1, (real)0.5};

/* Factors and transposes alternate: all of them occur with every size of an axis. */
static void check_size(int m, int n, int k, unsigned turn, int first, int last) {
  const char *t = transposes[turn % 4];
  check((product){t[0], t[1], m, n, k, factors[turn / 4 % 4], factors[turn / 16 % 4]}, first, last);
}

/* Every pair of 0 … 40 on every two axes, with the third alternating. */
START_TEST(small_sizes) {
  enum { MOST = 40 };
  unsigned turn = 0;
  for (int i = 0; i <= MOST; i++)
    for (int j = 0; j <= MOST; j++, turn += 7) {
      int other = (int)(turn * 13 % (MOST + 1));
      check_size(i, j, other, turn, 0, LEVELS - 1);
      check_size(i, other, j, turn + 1, 0, LEVELS - 1);
      check_size(other, i, j, turn + 2, 0, LEVELS - 1);
    }
}
END_TEST

/* Both sides of the limits in num/blas/blas.c, num/kernels/mm.c and num/kernels/mm_row.c: multiply-adds, bytes, rows,
 * blocks. */
START_TEST(thresholds) {
  enum { LANES = 64 / sizeof(real) };
  const int half = (int)(((size_t)3 << 19) / sizeof(real) / 512); /* 1.5 MB in rows of 512 */
  const int sizes[][3] = {{100, 100, 100},
                          {100, 100, 101},
                          {5, half, 512},
                          {5, half + 1, 512},
                          {half, 512, 4},
                          {half + 1, 512, 4},
                          {11, 33, 32},
                          {12, 33, 32},
                          {11, 32, 32},
                          {128, half + 1, 512 / 4},
                          {129, 65, 129},
                          {47, 50, 129},
                          {48, 50, 128},
                          {49, 50, 127},
                          {97, 30, 63},
                          {97, 30, 64},
                          {97, 30, 65},
                          {1, 8 * LANES, 255},
                          {1, 8 * LANES + 1, 256},
                          {1, 13 * LANES - 1, 257},
                          {1, 30, 784},
                          {1, 784, 32},
                          {1, 784, 33},
                          {255, 257, 1},
                          {256, 257, 1},
                          {24, 3 * LANES, 300},
                          {25, 3 * LANES + 1, 300},
                          {23, 4 * LANES, 300},
                          {26, 6 * LANES - 1, 40}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (unsigned t = 0; t < 4; t++)
      check_size(sizes[s][0], sizes[s][1], sizes[s][2], t + 4 * (unsigned)(s % 4), LEVELS - 2, LEVELS - 1);
}
END_TEST

/* Numbers that are not finite reach the results as IEEE 754 says, but with own kernels not from a row of B with a 0 in
 * a single row of A. */
START_TEST(not_finite) {
  enum { N = 37, K = 20 };
  const bool own = nnb__cpu_level() >= 2;
  for (int m = 1; m <= 13; m += 4) {
    real *a = numbers((size_t)m * K, 1), *b = numbers(N * K, 2), *c = room((size_t)m * N);
    b[5 * N + 3] = (real)NAN;
    for (int i = 0; i < m; i++) a[i * K + 7] = 0;
    for (int j = 0; j < N; j++) b[7 * N + j] = m == 1 && own ? (real)INFINITY : 1;
    nnb__gemm('N', 'N', 1, nnb_cview(a, m, K), nnb_cview(b, K, N), 0, nnb_view(c, m, N));
    for (int i = 0; i < m; i++)
      for (int j = 0; j < N; j++)
        ck_assert_msg(isnan(c[i * N + j]) ? j == 3 : j != 3 && isfinite(c[i * N + j]),
                      PRECISION ": %d rows: (%d, %d) is %g", m, i, j, (double)c[i * N + j]);
    free(a), free(b), free(c);
  }
}
END_TEST

/* ---- nets ------------------------------------------------------------------------------------------------------- */

enum { N_IN = 37, HIDDEN = 41, N_OUT = 10, MOST_ROWS = 300, P = (N_IN + 1) * HIDDEN + (HIDDEN + 1) * N_OUT };

typedef struct result {
  double loss;
  real y[MOST_ROWS * N_OUT], g[P];
} result;

static real inputs[MOST_ROWS * N_IN];
static int32_t labels[MOST_ROWS];

/* Z = A·W + b for one row, in long double */
static void row_times(int n_in, int n_out, const long double *a, const real *w, long double *z) {
  for (int j = 0; j < n_out; j++) z[j] = (long double)w[(size_t)n_in * (size_t)n_out + (size_t)j];
  for (int i = 0; i < n_in; i++)
    for (int j = 0; j < n_out; j++) z[j] += a[i] * (long double)w[i * n_out + j];
}
static void add_outer(int n_in, int n_out, const long double *a, const long double *d, long double *g) {
  for (int i = 0; i < n_in; i++)
    for (int j = 0; j < n_out; j++) g[i * n_out + j] += a[i] * d[j];
  for (int j = 0; j < n_out; j++) g[n_in * n_out + j] += d[j];
}

/* 37-41-10, relu, softmax with cross-entropy, written out row by row. */
static void by_hand(const real *w, int rows, result *r) {
  static long double g[P];
  const real *w2 = w + (N_IN + 1) * HIDDEN;
  long double loss = 0;
  memset(g, 0, sizeof g);
  for (int i = 0; i < rows; i++) {
    long double x[N_IN], a[HIDDEN], z[N_OUT], d[N_OUT], da[HIDDEN], sum = 0;
    for (int j = 0; j < N_IN; j++) x[j] = (long double)inputs[i * N_IN + j];
    row_times(N_IN, HIDDEN, x, w, a);
    for (int j = 0; j < HIDDEN; j++) a[j] = a[j] > 0 ? a[j] : 0;
    row_times(HIDDEN, N_OUT, a, w2, z);
    for (int j = 0; j < N_OUT; j++) sum += expl(z[j]);
    loss += logl(sum) - z[labels[i]];
    for (int j = 0; j < N_OUT; j++) {
      r->y[i * N_OUT + j] = (real)(expl(z[j]) / sum);
      d[j] = (expl(z[j]) / sum - (j == labels[i])) / rows;
    }
    for (int k = 0; k < HIDDEN; k++) {
      da[k] = 0;
      for (int j = 0; j < N_OUT; j++) da[k] += d[j] * (long double)w2[k * N_OUT + j];
      if (a[k] <= 0) da[k] = 0;
    }
    add_outer(N_IN, HIDDEN, x, da, g);
    add_outer(HIDDEN, N_OUT, a, d, g + (N_IN + 1) * HIDDEN);
  }
  r->loss = (double)(loss / rows);
  for (int i = 0; i < P; i++) r->g[i] = (real)g[i];
}

static void must(nnb_status status) {
  if (status) ck_abort_msg("%s: %s", nnb_strstatus(status), nnb_errmsg());
}

static void near(double got, double want, const char *what, int rows, int threads, unsigned wants, const char *level) {
  if (!(fabs(got - want) <= 200 * (double)REAL_EPS * fmax(1, fabs(want))))
    ck_abort_msg(PRECISION ": %s of %d rows, %d threads, want %u, %s kernels: %.17g, expected %.17g", what, rows,
                 threads, wants, level, got, want);
}

/* Predictions, loss and gradient by one plan, and by one executor unless exec is NULL.  False: it declines. */
static bool by_plan(nnb_net *net, int rows, int threads, unsigned wants, const nnb__exec *exec, const char *level,
                    const result *want) {
  static result r;
  nnb_plan *plan;
  nnb_batch batch = {.x = nnb_cview(inputs, rows, N_IN), .label = labels};
  must(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = rows, .threads = threads, .want = wants}, &plan));
  if (exec && !nnb__plan_force(plan, exec)) {
    nnb_plan_destroy(plan);
    return false;
  }
  must(nnb_plan_predict(plan, batch.x, nnb_view(r.y, rows, N_OUT)));
  for (int i = 0; i < rows * N_OUT; i++)
    near((double)r.y[i], (double)want->y[i], "an output", rows, threads, wants, level);
  must(nnb_plan_loss(plan, &batch, &r.loss));
  near(r.loss, want->loss, "the loss", rows, threads, wants, level);
  if (wants & NNB_GRAD) {
    must(nnb_plan_gradient(plan, &batch, 0, &r.loss, r.g));
    near(r.loss, want->loss, "the gradient's loss", rows, threads, wants, level);
    for (int i = 0; i < P; i++) near((double)r.g[i], (double)want->g[i], "a derivative", rows, threads, wants, level);
  }
  nnb_plan_destroy(plan);
  return true;
}

START_TEST(nets) {
  static const int batches[] = {1, 2, 3, 7, 8, 12, 31, 32, 33, 48, 49, 128, 129, MOST_ROWS};
  static const unsigned wants[] = {0, NNB_GRAD, NNB_GRAD | NNB_DX, NNB_GRAD | NNB_KEEP};
  static const nnb__exec *const execs[] = {NULL, &nnb__exec_chain_rows, &nnb__exec_chain_blocks, &nnb__exec_layerwise};
  static const char shared[] = "thread_flops=0,private_bytes=0",
                    wide[] = "thread_flops=0,private_bytes=0,unpacked_bytes=0,unpacked_sum_bytes=0",
                    owned[] = "private_rows=1e9,owned_flops=0,owned_bytes=0",
                    half_owned[] = "private_rows=1e9,owned_flops=0,owned_bytes=5e3";
  static const struct {
    int n;
    const char *thresholds;
  } threads[] = {{1, NULL}, {2, NULL}, {4, NULL},  {3, shared}, {2, wide},
                 {3, wide}, {4, wide}, {2, owned}, {3, owned},  {4, half_owned}};
  enum { N_EXECS = sizeof execs / sizeof *execs, N_THREADS = sizeof threads / sizeof *threads };
  int ran[N_EXECS] = {0};
  static result want;
  const nnb__kernels *kernels = nnb__kernel_level(_i);
  if (!kernels) return;
  nnb__kernel_limit(_i);
  real *x = numbers(MOST_ROWS * N_IN, 9);
  memcpy(inputs, x, sizeof inputs);
  free(x);
  for (int i = 0; i < MOST_ROWS; i++) labels[i] = i * 7 % N_OUT;
  nnb_net *net;
  must(nnb_net_parse("37-41-10:softmax", &net));
  ck_assert_uint_eq(nnb_net_n_params(net), P);
  for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
    by_hand(nnb_net_params(net), batches[b], &want);
    for (int t = 0; t < N_THREADS; t++)
      for (size_t w = 0; w < sizeof wants / sizeof *wants; w++)
        for (int e = 0; e < N_EXECS; e++) {
          must(nnb_set_thresholds(threads[t].thresholds));
          ran[e] += by_plan(net, batches[b], threads[t].n, wants[w], execs[e], kernels->level, &want);
        }
    must(nnb_set_thresholds(NULL));
  }
  for (int e = 0; e < N_EXECS; e++) ck_assert_msg(ran[e] > 0, "%s never ran", execs[e] ? execs[e]->name : "any");
  nnb_net_destroy(net);
  nnb__kernel_limit(LEVELS);
}
END_TEST

/* A plan that only predicts keeps two layers at a time, for any number of layers, and threads do not share rows. */
START_TEST(two_layers_at_a_time) {
  enum { ROWS = 512, W = 70 }; /* too wide for blocks of rows */
  static real one[ROWS * 3], four[ROWS * 3];
  real *x = numbers((size_t)ROWS * W, 4);
  size_t shallow, deep;
  nnb_net *small, *net;
  nnb_plan *plan;
  must(nnb_net_parse("70-70-9-70-3", &small));
  must(nnb_net_parse("70-70-9-70-7-70-5-70-3-50-3", &net));
  must(nnb_plan_bytes(small, &(nnb_plan_opts){.max_rows = ROWS, .threads = 1}, &shallow));
  must(nnb_plan_bytes(net, &(nnb_plan_opts){.max_rows = ROWS, .threads = 1}, &deep));
  ck_assert_msg(deep < shallow + ROWS * 9 * sizeof(real), "%zu bytes for 4 layers, %zu for 10", shallow, deep);
  for (int i = 0; i < 20; i++) {
    must(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .threads = i ? 4 : 1}, &plan));
    must(nnb_plan_predict(plan, nnb_cview(x, ROWS, W), nnb_view(i ? four : one, ROWS, 3)));
    for (int j = 0; i && j < ROWS * 3; j++)
      if (!(fabs((double)(four[j] - one[j])) <= 200 * (double)REAL_EPS))
        ck_abort_msg(PRECISION ": output %d is %.17g with 4 threads, expected %.17g", j, (double)four[j],
                     (double)one[j]);
    nnb_plan_destroy(plan);
  }
  nnb_net_destroy(small);
  nnb_net_destroy(net);
  free(x);
}
END_TEST

/* One epoch over shuffled rows, by plans of other sizes, threads and levels: the same weights. */
START_TEST(training) {
  enum { BATCH = 50, N_PLANS = 4 };
  static const int plan_rows[N_PLANS] = {BATCH, 7, BATCH, 300}, threads[N_PLANS] = {1, 2, 4, 3};
  static real after[N_PLANS][P];
  int32_t order[MOST_ROWS];
  if (!nnb__kernel_level(_i)) return;
  for (int i = 0; i < MOST_ROWS; i++) order[i] = (i * 37) % MOST_ROWS, labels[i] = i * 7 % N_OUT;
  real *x = numbers(MOST_ROWS * N_IN, 9);
  for (int k = 0; k < N_PLANS; k++) {
    nnb__kernel_limit(k ? _i : LEVELS);
    nnb_net *net;
    nnb_plan *plan;
    nnb_optim *optim;
    nnb_batch rows = {.x = nnb_cview(x, MOST_ROWS, N_IN), .label = labels};
    must(nnb_net_parse("37-41-10:softmax", &net));
    must(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = 0.05}, &optim));
    must(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = plan_rows[k], .threads = threads[k], .want = NNB_GRAD},
                         &plan));
    must(nnb_train_rows(net, plan, &rows, order, MOST_ROWS, BATCH, optim, NULL));
    memcpy(after[k], nnb_net_params(net), sizeof after[k]);
    for (int i = 0; i < P; i++)
      if (!(fabs((double)(after[k][i] - after[0][i])) <= 200 * (double)REAL_EPS))
        ck_abort_msg(PRECISION ": plan of %d rows, %d threads: parameter %d is %.17g, expected %.17g", plan_rows[k],
                     threads[k], i, (double)after[k][i], (double)after[0][i]);
    nnb_plan_destroy(plan);
    nnb_optim_destroy(optim);
    nnb_net_destroy(net);
  }
  nnb__kernel_limit(LEVELS);
  free(x);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("paths, " PRECISION);
  TCase *t = tcase_create("paths");
  tcase_add_test(t, small_sizes);
  tcase_add_test(t, thresholds);
  tcase_add_test(t, not_finite);
  tcase_add_loop_test(t, nets, 0, LEVELS);
  tcase_add_test(t, two_layers_at_a_time);
  tcase_add_loop_test(t, training, 0, LEVELS);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
