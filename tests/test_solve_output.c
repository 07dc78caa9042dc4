/* nnb_solve_output: against normal equations in long double and against the gradient of the loss, of any rank. */
#include "toys.h"

enum { N_IN = 4, MOST_N = 40 };

/* ---- a reference ------------------------------------------------------------------------------------------------ */

/* A·x = b by Gaussian elimination with pivots, both overwritten; n columns at most MOST_N. */
static void eliminate(int n, long double A[][MOST_N], long double *b, long double *x) {
  for (int k = 0; k < n; k++) {
    int best = k;
    for (int i = k; i < n; i++)
      if (fabsl(A[i][k]) > fabsl(A[best][k])) best = i;
    for (int j = 0; j < n; j++) {
      long double t = A[k][j];
      A[k][j] = A[best][j], A[best][j] = t;
    }
    long double t = b[k];
    b[k] = b[best], b[best] = t;
    ck_assert_msg(A[k][k] != 0, "the reference's matrix is singular");
    for (int i = k + 1; i < n; i++) {
      long double f = A[i][k] / A[k][k];
      for (int j = k; j < n; j++) A[i][j] -= f * A[k][j];
      b[i] -= f * b[k];
    }
  }
  for (int i = n - 1; i >= 0; i--) {
    x[i] = b[i];
    for (int j = i + 1; j < n; j++) x[i] -= A[i][j] * x[j];
    x[i] /= A[i][i];
  }
}

/* The values of node `node` for all rows of the data, followed by a column of ones: N×(cols + 1). */
static long double *features(nnb_net *net, const nnb_data *data, int node, int *cols) {
  int N = nnb_data_rows(data);
  nnb_plan *plan;
  nnb_batch all;
  nnb_cmat a;
  ck_ok(nnb_data_batch(data, 0, N, &all));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = N, .want = NNB_KEEP}, &plan));
  double loss;
  ck_ok(nnb_plan_loss(plan, &all, &loss));
  ck_ok(nnb_plan_view(plan, node, NNB_A, &a));
  *cols = a.cols + 1;
  long double *out = malloc((size_t)N * (size_t)*cols * sizeof *out);
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < a.cols; j++) out[i * *cols + j] = (long double)a.p[i * a.ld + j];
    out[i * *cols + a.cols] = 1;
  }
  nnb_plan_destroy(plan);
  return out;
}

/* Rows × columns, and a target for each output. */
typedef struct sample {
  int N, O;
  nnb_data *data;
  real *x, *t, *w;
} sample;

static sample make_sample(int N, int O, bool weighted) {
  sample s = {.N = N, .O = O};
  s.x = malloc((size_t)(N * N_IN) * sizeof *s.x);
  s.t = malloc((size_t)(N * O) * sizeof *s.t);
  s.w = malloc((size_t)N * sizeof *s.w);
  toy_fill(s.x, (size_t)(N * N_IN), 11), toy_fill(s.t, (size_t)(N * O), 12), toy_fill(s.w, (size_t)N, 13);
  for (int i = 0; i < N; i++) s.w[i] = i % 7 == 3 ? 0 : 1 + s.w[i] / 2;
  nnb_batch rows = {.x = nnb_cview(s.x, N, N_IN), .t = nnb_cview(s.t, N, O), .weight = weighted ? s.w : NULL};
  ck_ok(nnb_data_wrap(&rows, 0, &s.data));
  return s;
}

static void free_sample(sample *s) {
  nnb_data_destroy(s->data);
  free(s->x), free(s->t), free(s->w);
}

static nnb_net *make_net(const char *text, nnb_loss loss) {
  nnb_net *net = NULL;
  ck_ok(nnb_net_parse(text, &net));
  ck_ok(nnb_net_loss(net, loss));
  return net;
}

/* The largest |∂(loss + ½·ridge·Σw²)/∂p| over [W; b] of a node. */
static double slope(nnb_net *net, const nnb_data *data, int node, double ridge) {
  nnb_plan *plan;
  nnb_batch all;
  nnb_cmat W, b = {0};
  ck_ok(nnb_data_batch(data, 0, nnb_data_rows(data), &all));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = nnb_data_rows(data), .want = NNB_GRAD}, &plan));
  size_t P = nnb_net_n_params(net);
  real *g = malloc(P * sizeof *g);
  ck_ok(nnb_plan_gradient(plan, &all, 0, NULL, g));
  ck_ok(nnb_net_weights(net, node, &W));
  size_t off = (size_t)(W.p - nnb_net_params_read(net)), n_w = (size_t)W.rows * (size_t)W.cols;
  double worst = 0;
  for (size_t i = 0; i < n_w; i++) worst = fmax(worst, fabs((double)g[off + i] + ridge * (double)W.p[i]));
  if (nnb_net_bias(net, node, &b) == NNB_OK)
    for (int j = 0; j < b.cols; j++) worst = fmax(worst, fabs((double)g[off + n_w + (size_t)j]));
  free(g);
  nnb_plan_destroy(plan);
  return worst;
}

static double norm_of_params(nnb_net *net, int node) {
  nnb_cmat W, b;
  double sum = 0;
  ck_ok(nnb_net_weights(net, node, &W));
  ck_ok(nnb_net_bias(net, node, &b));
  for (int i = 0; i < W.rows * W.cols; i++) sum += (double)W.p[i] * (double)W.p[i];
  for (int j = 0; j < b.cols; j++) sum += (double)b.p[j] * (double)b.p[j];
  return sqrt(sum);
}

/* ---- full rank -------------------------------------------------------------------------------------------------- */

static const struct {
  const char *net;
  int N, O;
  nnb_loss loss;
  bool weighted;
  double ridge;
} cases[] = {
    {"4-6:tanh-3", 60, 3, NNB_MSE, false, 0},
    {"4-6:tanh-3", 60, 3, NNB_HALF_SSE, true, 0},
    {"4-1", 50, 1, NNB_SSE, false, 0},
    {"4-9:sigmoid-2", 700, 2, NNB_MSE, true, 0.01},
    {"4-12:tanh-5:tanh-4", 30, 4, NNB_SSE, true, 3},
    {"4-6:tanh-1", 257, 1, NNB_HALF_SSE, false, 100},
    {"4-3:tanh-2:bias=0", 60, 2, NNB_MSE, false, 0},
};
enum { N_CASES = sizeof cases / sizeof *cases };

/* Column o of [W; b] by normal equations: c·FᵀDF + ridge, c the factor of the loss's square, ½c(t-a)². */
static void reference(const long double *F, int n, int N, int O, const sample *s, int o, int which, int n_w,
                      long double *x) {
  static long double A[MOST_N][MOST_N], b[MOST_N];
  bool weighted = cases[which].weighted;
  long double total = 0, c = cases[which].loss == NNB_HALF_SSE ? 1 : 2;
  for (int i = 0; i < N; i++) total += weighted ? (long double)s->w[i] : 1;
  if (cases[which].loss == NNB_MSE) c /= total * O;
  memset(A, 0, sizeof A), memset(b, 0, sizeof b);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < n; j++) {
      const long double *row = F + i * (n_w + 1), d = c * (weighted ? (long double)s->w[i] : 1);
      for (int k = 0; k < n; k++) A[j][k] += d * row[j] * row[k];
      b[j] += d * row[j] * (long double)s->t[i * O + o];
    }
  for (int j = 0; j < n_w; j++) A[j][j] += (long double)cases[which].ridge;
  eliminate(n, A, b, x);
}

START_TEST(is_what_normal_equations_say) {
  int O = cases[_i].O, n;
  sample s = make_sample(cases[_i].N, O, cases[_i].weighted);
  nnb_net *net = make_net(cases[_i].net, cases[_i].loss);
  int last = nnb_net_n_nodes(net);
  ck_ok(nnb_solve_output(net, s.data, cases[_i].ridge));
  long double *F = features(net, s.data, last - 1, &n), x[MOST_N];
  nnb_cmat W, b;
  ck_ok(nnb_net_weights(net, last, &W));
  bool bias = nnb_net_bias(net, last, &b) == NNB_OK;
  int n_w = n - 1;
  for (int o = 0; o < O; o++) {
    reference(F, bias ? n : n_w, s.N, O, &s, o, _i, n_w, x);
    for (int j = 0; j < (bias ? n : n_w); j++) {
      double got = (double)(j < n_w ? W.p[j * W.ld + o] : b.p[o]);
      ck_assert_msg(fabs(got - (double)x[j]) <= TOL(1e-9, 2e-4) * (1 + fabs((double)x[j])),
                    "%s, parameter %d of output %d: %.12g, reference %.12Lg", cases[_i].net, j, o, got, x[j]);
    }
  }
  double g = slope(net, s.data, last, cases[_i].ridge);
  ck_assert_msg(g < TOL(1e-10, 1e-3), "%s: the slope at the solution is %g", cases[_i].net, g);
  free(F);
  nnb_net_destroy(net);
  free_sample(&s);
}
END_TEST

/* Columns in very different units make no difference. */
START_TEST(units_do_not_matter) {
  sample s = make_sample(80, 1, false);
  for (int i = 0; i < s.N; i++) s.x[i * N_IN] *= (real)TOL(1e12, 1e6), s.x[i * N_IN + 1] *= (real)TOL(1e-9, 1e-5);
  nnb_net *net = make_net("4-1", NNB_MSE);
  ck_ok(nnb_solve_output(net, s.data, 0));
  int n;
  long double *F = features(net, s.data, 1, &n);
  nnb_cmat W;
  ck_ok(nnb_net_weights(net, 2, &W));
  for (int j = 0; j < n; j++) { /* Fᵀr = 0, column by column */
    long double sum = 0, size = 0;
    for (int i = 0; i < s.N; i++) {
      long double r = -(long double)s.t[i];
      for (int k = 0; k < n; k++) r += F[i * n + k] * (k < n - 1 ? (long double)W.p[k] : (long double)W.p[n - 1]);
      sum += r * F[i * n + j], size += fabsl(r * F[i * n + j]);
    }
    ck_assert_msg(fabsl(sum) <= TOL(1e-12L, 1e-5L) * size, "column %d: %Lg of %Lg", j, sum, size);
  }
  free(F);
  nnb_net_destroy(net);
  free_sample(&s);
}
END_TEST

START_TEST(scalers_count) {
  sample s = make_sample(90, 2, true);
  for (int i = 0; i < s.N; i++) s.t[2 * i] = 100 + 30 * s.t[2 * i], s.x[i * N_IN] = 5 + s.x[i * N_IN];
  nnb_net *net = make_net("4-5:tanh-2", NNB_MSE);
  ck_ok(nnb_net_standardize(net, s.data));
  ck_ok(nnb_net_scale_targets(net, s.data, NNB_STANDARDIZE));
  ck_ok(nnb_solve_output(net, s.data, 0.001));
  ck_assert_double_lt(slope(net, s.data, 3, 0.001), TOL(1e-12, 1e-5));
  nnb_metrics m;
  ck_ok(nnb_evaluate(net, s.data, &m));
  ck_assert_msg(m.loss < 1 && m.r2 > 0, "loss %g, r² %g", m.loss, m.r2);
  nnb_net_destroy(net);
  free_sample(&s);
}
END_TEST

/* Labels are unit vectors. */
START_TEST(labels_are_targets) {
  nnb_data *data = toy_classes(80, N_IN, 3);
  nnb_net *net = make_net("4-8:tanh-3", NNB_MSE);
  ck_ok(nnb_solve_output(net, data, 0));
  ck_assert_double_lt(slope(net, data, 3, 0), TOL(1e-12, 1e-5));
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(frozen_parts_stay) {
  for (unsigned parts = NNB_WEIGHTS; parts <= NNB_BIAS; parts++) {
    sample s = make_sample(60, 2, true);
    nnb_net *net = make_net("4-5:tanh-2", NNB_HALF_SSE);
    real *p = nnb_net_params(net);
    nnb_cmat W, b;
    ck_ok(nnb_net_weights(net, 3, &W));
    ck_ok(nnb_net_bias(net, 3, &b));
    const size_t at_b = (size_t)(b.p - p), P = nnb_net_n_params(net);
    p[at_b] = (real)0.7, p[at_b + 1] = (real)-0.3;
    ck_ok(nnb_net_freeze(net, 3, parts));
    real *before = malloc(P * sizeof *before);
    memcpy(before, p, P * sizeof *p);
    ck_ok(nnb_solve_output(net, s.data, 0));
    const bool weights_stay = parts == NNB_WEIGHTS;
    size_t from = weights_stay ? at_b : at_b - 10, to = weights_stay ? P : at_b;
    for (size_t i = 0; i < P; i++)
      ck_assert_msg((p[i] == before[i]) == (i < from || i >= to), "parameter %d, frozen %u", (int)i, parts);
    nnb_plan *plan;
    nnb_batch all;
    real *g = malloc(P * sizeof *g);
    ck_ok(nnb_data_batch(s.data, 0, s.N, &all));
    ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = s.N, .want = NNB_GRAD}, &plan));
    ck_ok(nnb_plan_gradient(plan, &all, 0, NULL, g));
    for (size_t i = from; i < to; i++) ck_assert_double_le(fabs((double)g[i]), TOL(1e-11, 1e-4));
    nnb_plan_destroy(plan);
    free(before), free(g);
    nnb_net_destroy(net);
    free_sample(&s);
  }
}
END_TEST

/* Two outputs with a loss each, fed by different nodes; the hidden layers stay. */
START_TEST(several_outputs) {
  sample s = make_sample(70, 3, true);
  nnb_net *net = nnb_net_create(N_IN);
  int a = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 6, .from = 1, .activation = NNB_TANH});
  int b = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 3, .from = a, .activation = NNB_SIGMOID});
  int first = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = a});
  int second = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .from = b});
  nnb_net_output(net, second), nnb_net_output(net, first);
  nnb_net_output_loss(net, first, NNB_HALF_SSE, 0.25);
  nnb_net_output_loss(net, second, NNB_MSE, 3);
  real *p = nnb_net_params(net), before[4 * 6 + 6 + 6 * 3 + 3];
  memcpy(before, p, sizeof before);
  ck_ok(nnb_solve_output(net, s.data, 0.02));
  ck_assert(memcmp(before, p, sizeof before) == 0);
  ck_assert_double_lt(slope(net, s.data, first, 0.02), TOL(1e-11, 1e-4));
  ck_assert_double_lt(slope(net, s.data, second, 0.02), TOL(1e-11, 1e-4));
  nnb_net_destroy(net);
  free_sample(&s);
}
END_TEST

/* ---- less than full rank ---------------------------------------------------------------------------------------- */

/* Equal units share the weight of one, a dead unit gets none. */
START_TEST(equal_units_share) {
  sample s = make_sample(60, 1, false);
  nnb_net *net = make_net("4-5:relu-1", NNB_MSE);
  real *p = nnb_net_params(net);
  for (int i = 0; i < N_IN; i++) p[5 * i + 1] = p[5 * i], p[5 * i + 4] = 0;
  p[5 * N_IN + 4] = -1; /* unit 4 is 0 everywhere, unit 1 the same as unit 0 */
  ck_ok(nnb_solve_output(net, s.data, 0));
  nnb_cmat W;
  ck_ok(nnb_net_weights(net, 3, &W));
  ck_assert_msg(fabs((double)(W.p[0] - W.p[1])) < TOL(1e-12, 1e-5) && fabs((double)W.p[4]) < TOL(1e-13, 1e-6),
                "%g and %g, %g", (double)W.p[0], (double)W.p[1], (double)W.p[4]);
  ck_assert_double_lt(slope(net, s.data, 3, 0), TOL(1e-12, 1e-5));
  nnb_net_destroy(net);
  free_sample(&s);
}
END_TEST

/* Fewer rows than units: the residuals vanish, and [W; b] is Fᵀ(FFᵀ)⁻¹T, the shortest solution. */
START_TEST(fewer_rows_than_units) {
  enum { N = 8 };
  static long double A[MOST_N][MOST_N], y[MOST_N];
  sample s = make_sample(N, 1, false);
  nnb_net *net = make_net("4-20:tanh-1", NNB_MSE);
  ck_ok(nnb_solve_output(net, s.data, 0));
  nnb_metrics m;
  ck_ok(nnb_evaluate(net, s.data, &m));
  ck_assert_msg(m.loss < TOL(1e-24, 1e-9), "loss %g", m.loss);
  int n;
  long double *F = features(net, s.data, 2, &n), t[N], norm = 0;
  for (int i = 0; i < N; i++) {
    t[i] = (long double)s.t[i];
    for (int j = 0; j < N; j++) {
      A[i][j] = 0;
      for (int k = 0; k < n; k++) A[i][j] += F[i * n + k] * F[j * n + k];
    }
  }
  eliminate(N, A, t, y);
  for (int k = 0; k < n; k++) {
    long double x = 0;
    for (int i = 0; i < N; i++) x += F[i * n + k] * y[i];
    norm += x * x;
  }
  double got = norm_of_params(net, 3), want = (double)sqrtl(norm);
  ck_assert_msg(fabs(got - want) < TOL(1e-9, 1e-3) * want, "‖[W; b]‖ is %.12g, the shortest %.12g", got, want);
  free(F);
  nnb_net_destroy(net);
  free_sample(&s);
}
END_TEST

/* ---- memory, failures ------------------------------------------------------------------------------------------- */

static struct ledger { size_t now, most; } ledger;

static void *count_alloc(void *user, size_t bytes) {
  (void)user;
  size_t *p = malloc(bytes + 64);
  if (!p) return NULL;
  *p = bytes, ledger.now += bytes;
  if (ledger.now > ledger.most) ledger.most = ledger.now;
  return (char *)p + 64;
}

static void count_release(void *user, void *p) {
  (void)user;
  if (!p) return;
  size_t *start = (size_t *)(void *)((char *)p - 64);
  ledger.now -= *start;
  free(start);
}

START_TEST(memory_does_not_grow_with_rows) {
  size_t most[2];
  for (int big = 0; big < 2; big++) {
    nnb_set_allocator(&(nnb_allocator){count_alloc, count_release, NULL});
    sample s = make_sample(big ? 40000 : 1000, 1, false);
    nnb_net *net = make_net("4-10:tanh-1", NNB_MSE);
    ck_assert(nnb_net_n_params(net) > 0);
    size_t before = ledger.now;
    ledger.most = 0;
    ck_ok(nnb_solve_output(net, s.data, 0));
    most[big] = ledger.most - before;
    ck_assert_double_lt(slope(net, s.data, 3, 0), TOL(1e-13, 1e-6));
    nnb_net_destroy(net);
    free_sample(&s);
    nnb_set_allocator(NULL);
  }
  ck_assert_msg(most[0] == most[1], "%zu bytes for 1000 rows, %zu for 40000", most[0], most[1]);
}
END_TEST

START_TEST(says_what_it_cannot) {
  sample s = make_sample(20, 2, false);
  nnb_net *net = make_net("4-5:tanh-2:sigmoid", NNB_MSE);
  bad(NNB_E_UNSUPPORTED, "without activation", nnb_solve_output(net, s.data, 0));
  nnb_net_destroy(net);
  net = make_net("4-5:tanh-2", NNB_MAE);
  bad(NNB_E_UNSUPPORTED, "mae", nnb_solve_output(net, s.data, 0));
  nnb_net_destroy(net);
  net = nnb_net_create(N_IN);
  int first = nnb_net_dense(net, 1, NNB_LINEAR), second = nnb_net_dense(net, 1, NNB_LINEAR);
  nnb_net_output(net, first), nnb_net_output(net, second);
  bad(NNB_E_UNSUPPORTED, "no other node reads", nnb_solve_output(net, s.data, 0));
  nnb_net_destroy(net);
  net = make_net("4-5:tanh-2", NNB_MSE);
  bad(NNB_E_ARG, "ridge", nnb_solve_output(net, s.data, -1));
  bad(NNB_E_ARG, "ridge", nnb_solve_output(net, s.data, (double)NAN));
  bad(NNB_E_ARG, "data", nnb_solve_output(net, NULL, 0));
  bad(NNB_E_ARG, "NULL", nnb_solve_output(NULL, s.data, 0));
  ck_ok(nnb_net_freeze(net, 3, NNB_WEIGHTS | NNB_BIAS));
  bad(NNB_E_ARG, "frozen", nnb_solve_output(net, s.data, 0));
  ck_ok(nnb_net_freeze(net, 3, 0));
  sample three = make_sample(20, 3, false);
  ck_assert_int_eq(nnb_solve_output(net, three.data, 0), NNB_E_SHAPE);
  real *p = nnb_net_params(net), kept = p[26];
  p[0] = (real)NAN;
  ck_assert_int_eq(nnb_solve_output(net, s.data, 0), NNB_E_NUMERIC);
  ck_assert(p[26] == kept); /* the parameters are those from before */
  nnb_net_destroy(net);
  free_sample(&s), free_sample(&three);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("solve output, " PRECISION);
  TCase *tc = tcase_create("solve output");
  tcase_add_loop_test(tc, is_what_normal_equations_say, 0, N_CASES);
  tcase_add_test(tc, units_do_not_matter);
  tcase_add_test(tc, scalers_count);
  tcase_add_test(tc, labels_are_targets);
  tcase_add_test(tc, frozen_parts_stay);
  tcase_add_test(tc, several_outputs);
  tcase_add_test(tc, equal_units_share);
  tcase_add_test(tc, fewer_rows_than_units);
  tcase_add_test(tc, memory_does_not_grow_with_rows);
  tcase_add_test(tc, says_what_it_cannot);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
