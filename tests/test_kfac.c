/* K-FAC: factors, proposed change and quadratic model against dense matrices made from one-row gradients; the
 * distributions of drawn targets. */
#include <math.h>
#include <string.h>

#include "blas.h"
#include "kfac.h"
#include "lapack.h"
/* after the private headers */
#include "kfac_trainer.h"

/* ---- dense algebra in double, independent of the library --------------------------------------------------------- */

/* x ← A⁻¹x by elimination with pivots; A: n×n, destroyed. */
static void solve(int n, double *a, double *x) {
  for (int k = 0; k < n; k++) {
    int p = k;
    for (int i = k + 1; i < n; i++)
      if (fabs(a[i * n + k]) > fabs(a[p * n + k])) p = i;
    for (int j = 0; j < n; j++) {
      double held = a[k * n + j];
      a[k * n + j] = a[p * n + j], a[p * n + j] = held;
    }
    double held = x[k];
    x[k] = x[p], x[p] = held;
    for (int i = k + 1; i < n; i++) {
      double by = a[i * n + k] / a[k * n + k];
      for (int j = k; j < n; j++) a[i * n + j] -= by * a[k * n + j];
      x[i] -= by * x[k];
    }
  }
  for (int k = n - 1; k >= 0; k--) {
    for (int j = k + 1; j < n; j++) x[k] -= a[k * n + j] * x[j];
    x[k] /= a[k * n + k];
  }
}

/* The gradients of single rows, each multiplied by the root of its share of the loss: Σ g·gᵀ is the Fisher matrix of
 * the data's targets. */
static void row_gradients(trainer *t, const nnb_batch *rows, double *g) {
  real one[MOST_PARAMS];
  for (int i = 0; i < rows->x.rows; i++) {
    nnb_batch row = {.x = nnb_cview(rows->x.p + i * rows->x.ld, 1, rows->x.cols), .norm = rows->x.rows};
    if (rows->label)
      row.label = rows->label + i;
    else
      row.t = nnb_cview(rows->t.p + i * rows->t.ld, 1, rows->t.cols);
    ck_ok(nnb_plan_gradient(t->plan, &row, 0, NULL, one));
    for (size_t p = 0; p < t->n; p++) g[(size_t)i * t->n + p] = (double)one[p] * sqrt(rows->x.rows);
  }
}

/* ---- the factors ------------------------------------------------------------------------------------------------ */

static const char *const one_layer[] = {"4-3:softmax", "4-3:linear", "4-3:sigmoid", "4-3:tanh"};

/* With one row, E āāᵀ ⊗ E δδᵀ is g·gᵀ. */
START_TEST(one_row_has_a_kronecker_fisher) {
  trainer t = start(one_layer[_i], 1, &(nnb_optim_opts){.data_fisher = true});
  real x[4], y[3] = {0, 1, 0}, g[MOST_PARAMS];
  toy_fill(x, 4, 5);
  nnb_batch row = {.x = nnb_cview(x, 1, 4), .t = nnb_cview(y, 1, 3)};
  ck_ok(nnb_plan_gradient(t.plan, &row, 0, NULL, g));
  ck_ok(nnb_train_step(t.net, t.plan, &row, t.optim, NULL));
  const nnb__kfac_block *b = &t.optim->kfac->block[0];
  ck_assert_int_eq(b->in.n, 5);
  ck_assert_int_eq(b->out.n, 3);
  for (int p = 0; p < 15; p++)
    for (int q = 0; q < 15; q++)
      ck_near(mean_at(&b->in, p / 3, q / 3) * mean_at(&b->out, p % 3, q % 3), (double)g[p] * (double)g[q],
              20 * (double)REAL_EPS, "%s: F(%d, %d)", one_layer[_i], p, q);
  end(&t);
}
END_TEST

/* Means over the rows of all chunks, with weights: a row of weight 2 counts twice. */
START_TEST(chunks_and_weights_are_the_same_rows) {
  enum { ROWS = 12 };
  const nnb_optim_opts opts = {.data_fisher = true};
  trainer whole = start("4-5:tanh-3", ROWS, &opts), parts = start("4-5:tanh-3", 5, &opts);
  trainer heavy = start("4-5:tanh-3", ROWS, &opts);
  real x[ROWS * 4], y[ROWS * 3], weight[ROWS / 2];
  toy_fill(x, sizeof x / sizeof *x, 6), toy_fill(y, sizeof y / sizeof *y, 7);
  memcpy(x + 24, x, 24 * sizeof *x), memcpy(y + 18, y, 18 * sizeof *y);
  for (int i = 0; i < ROWS / 2; i++) weight[i] = 2;
  nnb_batch rows = {.x = nnb_cview(x, ROWS, 4), .t = nnb_cview(y, ROWS, 3)};
  nnb_batch half = {.x = nnb_cview(x, ROWS / 2, 4), .t = nnb_cview(y, ROWS / 2, 3), .weight = weight};
  for (int k = 0; k < 3; k++) {
    ck_ok(nnb_train_rows(whole.net, whole.plan, &rows, NULL, 0, ROWS, whole.optim, NULL));
    ck_ok(nnb_train_rows(heavy.net, heavy.plan, &half, NULL, 0, ROWS, heavy.optim, NULL));
    if (k == 0) ck_ok(nnb_train_rows(parts.net, parts.plan, &rows, NULL, 0, ROWS, parts.optim, NULL));
    for (int b = 0; b < 2; b++) {
      const nnb__kfac_block *w = &whole.optim->kfac->block[b], *p = &parts.optim->kfac->block[b];
      const nnb__kfac_block *h = &heavy.optim->kfac->block[b];
      for (int side = 0; side < 2; side++) {
        const nnb__factor *fw = side ? &w->out : &w->in, *fp = side ? &p->out : &p->in, *fh = side ? &h->out : &h->in;
        for (int i = 0; i < fw->n * fw->n; i++) {
          if (i % fw->n > i / fw->n) continue;
          if (k == 0) ck_near(fp->mean[i], fw->mean[i], TOL(1e-13, 1e-5), "chunks: block %d, %d", b, i);
          ck_near(fh->mean[i], fw->mean[i], TOL(1e-11, 1e-3), "weights: block %d, %d", b, i);
        }
      }
    }
  }
  for (size_t p = 0; p < whole.n; p++)
    ck_near(nnb_net_params_read(heavy.net)[p], nnb_net_params_read(whole.net)[p], TOL(1e-10, 2e-2), "parameter %zu", p);
  end(&whole), end(&parts), end(&heavy);
}
END_TEST

static const struct {
  const char *net;
  nnb_loss loss;
} drawn[] = {{"2-3:softmax", NNB_LOSS_AUTO}, {"2-3:sigmoid", NNB_LOSS_AUTO}, {"2-3:linear", NNB_HALF_SSE},
             {"2-3:linear", NNB_SSE},        {"2-3:linear", NNB_MSE},        {"2-3:linear", NNB_MAE},
             {"2-3:softmax", NNB_MSE}};

/* The Fisher matrix of one row with respect to z, from the outputs a. */
static double fisher(int which, const double *a, int i, int j) {
  double f = 0;
  switch (which) {
    case 0:
      return (i == j ? a[i] : 0) - a[i] * a[j];
    case 1:
      return i == j ? a[i] * (1 - a[i]) : 0;
    case 2:
      return i == j;
    case 3:
      return i == j ? 2 : 0;
    case 4:
      return i == j ? 2.0 / 3 : 0;
    case 5:
      return i == j ? 1.0 / 3 : 0;
    default: /* J·Jᵀ·⅔ with J = diag(a) - aaᵀ */
      for (int k = 0; k < 3; k++)
        f += 2.0 / 3 * ((i == k ? a[i] : 0) - a[i] * a[k]) * ((j == k ? a[j] : 0) - a[j] * a[k]);
      return f;
  }
}

START_TEST(targets_are_drawn_from_the_model) {
  enum { DRAWS = 20000 };
  nnb_net *net;
  nnb_plan *plan;
  nnb_optim *optim;
  real x[] = {(real)0.5, -1}, y[3] = {0}, a[3];
  double p[3];
  ck_ok(nnb_net_parse(drawn[_i].net, &net));
  ck_ok(nnb_net_loss(net, drawn[_i].loss));
  /* a mean over all updates, for a net that hardly changes */
  nnb_optim_opts opts = {.algo = NNB_KFAC, .lr = 1e-30, .beta2 = 1 - 1e-9, .invert_every = 1 << 30, .seed = 3};
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 1, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_optim_create(net, &opts, &optim));
  ck_ok(nnb_plan_predict(plan, nnb_cview(x, 1, 2), nnb_view(a, 1, 3)));
  for (int j = 0; j < 3; j++) p[j] = (double)a[j];
  nnb_batch row = {.x = nnb_cview(x, 1, 2), .t = nnb_cview(y, 1, 3)};
  for (int k = 0; k < DRAWS; k++) ck_ok(nnb_train_step(net, plan, &row, optim, NULL));
  for (int i = 0; i < 3; i++)
    for (int j = 0; j <= i; j++) /* at least four standard deviations of the mean of this number of products */
      ck_near(mean_at(&optim->kfac->block[0].out, i, j), fisher(_i, p, i, j), 0.08, "%s, %s: G(%d, %d)", drawn[_i].net,
              nnb_loss_name(drawn[_i].loss), i, j);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* ---- the step --------------------------------------------------------------------------------------------------- */

/* -(A + πγI)⁻¹·∇W·(G + γ/π·I)⁻¹ of one block */
static void reference_proposal(const nnb__kfac_block *b, double lambda, const double *g, double *out) {
  const int rows = b->in.n, cols = b->out.n;
  double in = 0, on = 0, a[64 * 64], x[64], half[MOST_PARAMS];
  for (int i = 0; i < rows; i++) in += mean_at(&b->in, i, i) / rows;
  for (int i = 0; i < cols; i++) on += mean_at(&b->out, i, i) / cols;
  const double pi = sqrt(in / on), gamma = sqrt(lambda);
  for (int j = 0; j < cols; j++) {
    for (int i = 0; i < rows * rows; i++)
      a[i] = mean_at(&b->in, i / rows, i % rows) + (i % (rows + 1) ? 0 : pi * gamma);
    for (int i = 0; i < rows; i++) x[i] = g[i * cols + j];
    solve(rows, a, x);
    for (int i = 0; i < rows; i++) half[i * cols + j] = x[i];
  }
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < cols * cols; j++)
      a[j] = mean_at(&b->out, j / cols, j % cols) + (j % (cols + 1) ? 0 : gamma / pi);
    for (int j = 0; j < cols; j++) x[j] = half[i * cols + j];
    solve(cols, a, x);
    for (int j = 0; j < cols; j++) out[i * cols + j] = -x[j];
  }
}

/* Of F: the diagonal of a Kronecker product adds up to the product of the sums. */
static double mean_of_diagonal(const struct nnb__kfac *kfac, size_t n) {
  double sum = 0;
  for (int b = 0; b < kfac->n_blocks; b++) {
    double in = 0, out = 0;
    for (int i = 0; i < kfac->block[b].in.n; i++) in += mean_at(&kfac->block[b].in, i, i);
    for (int i = 0; i < kfac->block[b].out.n; i++) out += mean_at(&kfac->block[b].out, i, i);
    sum += in * out;
  }
  return sum / (double)n;
}

/* xᵀ(F + λI)y from the gradients of rows */
static double form(const double *g, int rows, size_t n, double lambda, const double *x, const double *y) {
  double sum = 0;
  for (int i = 0; i < rows; i++) {
    double u = 0, v = 0;
    for (size_t p = 0; p < n; p++) u += g[(size_t)i * n + p] * x[p], v += g[(size_t)i * n + p] * y[p];
    sum += u * v;
  }
  for (size_t p = 0; p < n; p++) sum += lambda * x[p] * y[p];
  return sum;
}

/* Whether the update was undone, as it must be if it raised the loss. */
static bool taken_back(trainer *t, const nnb_batch *rows, const double *before, const double *change) {
  real now[MOST_PARAMS], *w = nnb_net_params(t->net);
  double loss[2];
  bool moved = false;
  memcpy(now, w, t->n * sizeof *now);
  for (int after = 0; after < 2; after++) {
    for (size_t p = 0; p < t->n; p++) w[p] = (real)(before[p] + after * change[p]);
    ck_ok(nnb_plan_loss(t->plan, rows, &loss[after]));
  }
  memcpy(w, now, t->n * sizeof *now);
  for (size_t p = 0; p < t->n; p++) moved = moved || t->optim->m[p] != 0;
  ck_assert_msg(moved == (loss[1] <= loss[0]), "the loss from %g to %g: %s", loss[0], loss[1],
                moved ? "kept" : "taken back");
  return !moved;
}

/* α and μ at the minimum of the quadratic, α at most `most` and μ within [-½, 1]; m: the matrix, r: the right-hand
 * side. */
static void bounded_minimum(const double m[4], const double r[2], double most, bool momentum, double out[2]) {
  double matrix[] = {m[0], m[1], m[2], m[3]};
  out[0] = r[0], out[1] = r[1];
  if (momentum)
    solve(2, matrix, out);
  else
    out[0] = r[0] / m[0], out[1] = 0;
  if (out[0] > most) {
    out[0] = most;
    if (momentum) out[1] = (r[1] - m[1] * most) / m[3];
  }
  if (out[1] < -0.5 || out[1] > 1) {
    out[1] = out[1] > 1 ? 1 : -0.5;
    out[0] = fmin((r[0] - m[1] * out[1]) / m[0], most);
  }
}

/* Six updates, each from dense matrices of the net before it. */
START_TEST(steps_are_those_of_dense_matrices) {
  enum { ROWS = 9 };
  static const char *const nets[] = {"4-5:tanh-3", "4-5:tanh-3:softmax"};
  static double rows_g[ROWS * MOST_PARAMS];
  double g[MOST_PARAMS], delta[MOST_PARAMS], last[MOST_PARAMS] = {0}, before[MOST_PARAMS];
  const bool momentum = _i / 2;
  double stiffness = 0;
  int taken = 0;
  trainer t = start(nets[_i % 2], ROWS,
                    &(nnb_optim_opts){.data_fisher = true,
                                      .invert_every = 1,
                                      .lr = 0.5,
                                      .l2 = 0.02,
                                      .damping = 3,
                                      .momentum = momentum ? 0 : NNB_NONE});
  real x[ROWS * 4], y[ROWS * 3];
  toy_fill(x, sizeof x / sizeof *x, 8), toy_fill(y, sizeof y / sizeof *y, 9);
  for (int i = 0; i < ROWS * 3; i++)
    if (_i % 2) y[i] = i % 3 == i / 3 % 3;
  nnb_batch rows = {.x = nnb_cview(x, ROWS, 4), .t = nnb_cview(y, ROWS, 3)};
  for (int k = 0; k < 6; k++) {
    const struct nnb__kfac *kfac = t.optim->kfac;
    row_gradients(&t, &rows, rows_g);
    for (size_t p = 0; p < t.n; p++) {
      before[p] = (double)nnb_net_params_read(t.net)[p], g[p] = 0;
      for (int i = 0; i < ROWS; i++) g[p] += rows_g[(size_t)i * t.n + p] / sqrt(ROWS);
    }
    double lambda = kfac->lambda;
    ck_ok(nnb_train_step(t.net, t.plan, &rows, t.optim, NULL));
    if (k == 0) lambda = 3 * mean_of_diagonal(kfac, t.n);
    for (int b = 0; b < 2; b++)
      reference_proposal(&kfac->block[b], lambda, g + kfac->block[b].off, delta + kfac->block[b].off);
    double gd = 0, gl = 0, largest = 0, x_min[2];
    for (size_t p = 0; p < t.n; p++) gd += g[p] * delta[p], gl += g[p] * last[p];
    double aa = form(rows_g, ROWS, t.n, lambda, delta, delta), ab = form(rows_g, ROWS, t.n, lambda, delta, last);
    double bb = form(rows_g, ROWS, t.n, lambda, last, last);
    bounded_minimum((double[]){aa, ab, ab, bb}, (double[]){-gd, -gl}, stiffness > 0 ? 1.5 / stiffness : HUGE_VAL,
                    momentum && bb > 0 /* there was a last change */, x_min);
    stiffness = k == 0 ? -aa / gd : 0.9 * stiffness - 0.1 * aa / gd;
    for (size_t p = 0; p < t.n; p++) {
      last[p] = 0.5 * (x_min[0] * delta[p] + x_min[1] * last[p]);
      largest = fmax(largest, fabs(last[p]));
    }
    const bool back = taken_back(&t, &rows, before, last);
    taken += back;
    for (size_t p = 0; p < t.n; p++) {
      bool bias = (p >= 20 && p < 25) || p >= 40;
      double want = back ? before[p] : (bias ? 1 : 1 - 0.5 * 0.02) * before[p] + last[p]; /* an undone step has no
                                                                                             decay */
      ck_near(nnb_net_params_read(t.net)[p], want, TOL(1e-10, 2e-3) * (largest + 1), "%s, update %d: parameter %zu",
              nets[_i % 2], k + 1, p);
      last[p] = (double)t.optim->m[p]; /* so that differences do not accumulate */
    }
  }
  ck_assert_int_le(taken, 2);
  end(&t);
}
END_TEST

/* Linear regression without noise is one quadratic: full batches reach its minimum. */
START_TEST(a_quadratic_is_solved) {
  enum { ROWS = 200 };
  static real x[ROWS * 6], y[ROWS * 2];
  trainer t = start("6-2:linear", 64, &(nnb_optim_opts){.seed = 1});
  toy_fill(x, sizeof x / sizeof *x, 10);
  /* condition number 4000 about; a loop of its own, as clang 14 reads columns of x before they are written in one */
  for (int i = 0; i < ROWS; i++) x[i * 6 + 1] = x[i * 6] + x[i * 6 + 1] / 30;
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < 2; j++) y[i * 2 + j] = x[i * 6 + j] - 2 * x[i * 6 + 3 + j] + (real)0.5;
  nnb_batch rows = {.x = nnb_cview(x, ROWS, 6), .t = nnb_cview(y, ROWS, 2)};
  nnb_sums sums;
  for (int k = 0; k < 150; k++) ck_ok(nnb_train_rows(t.net, t.plan, &rows, NULL, 0, ROWS, t.optim, &sums));
  ck_assert_msg(sums.loss < TOL(1e-9, 1e-8), "the loss is %g after 150 updates", sums.loss);
  end(&t);
}
END_TEST

/* ---- the parts below -------------------------------------------------------------------------------------------- */

START_TEST(inverses_and_shared_products) {
  enum { N = 50 };
  static real a[60 * N], c[N * N], inverse[N * N], product[N * N], alone[N * N];
  toy_fill(a, sizeof a / sizeof *a, 17);
  for (int i = 0; i < N * N; i++) c[i] = (real)NAN;
  nnb__gram(1, nnb_cview(a, 60, N), 0, nnb_view(c, N, N));
  for (int i = 0; i < N; i++)
    for (int j = 0; j <= i; j++) {
      double want = 0;
      for (int k = 0; k < 60; k++) want += (double)a[k * N + i] * (double)a[k * N + j];
      ck_near(c[i * N + j], want, 100 * (double)REAL_EPS, "AᵀA(%d, %d)", i, j);
    }
  for (int i = 0; i < N; i++) c[i * N + i] += 1;
  memcpy(inverse, c, sizeof c);
  ck_assert(nnb__invert_positive(N, inverse));
  for (int i = 0; i < N; i++)
    for (int j = i + 1; j < N; j++) c[i * N + j] = c[j * N + i];
  nnb__gemm_shared(3, 'N', 'N', 1, nnb_cview(c, N, N), nnb_cview(inverse, N, N), 0, nnb_view(product, N, N));
  nnb__gemm('N', 'N', 1, nnb_cview(c, N, N), nnb_cview(inverse, N, N), 0, nnb_view(alone, N, N));
  for (int i = 0; i < N * N; i++) {
    ck_near(product[i], i % (N + 1) == 0, 2000 * (double)REAL_EPS, "C·C⁻¹, %d", i);
    ck_near(product[i], alone[i], 100 * (double)REAL_EPS, "shared or alone, %d", i);
  }
  static real wide[600 * 300], narrow[600 * 200], split[300 * 200], whole[300 * 200];
  toy_fill(wide, sizeof wide / sizeof *wide, 18), toy_fill(narrow, sizeof narrow / sizeof *narrow, 19);
  nnb__gemm_shared(3, 'T', 'N', 2, nnb_cview(wide, 600, 300), nnb_cview(narrow, 600, 200), 0,
                   nnb_view(split, 300, 200));
  nnb__gemm('T', 'N', 2, nnb_cview(wide, 600, 300), nnb_cview(narrow, 600, 200), 0, nnb_view(whole, 300, 200));
  for (int i = 0; i < 300 * 200; i++) ck_near(split[i], whole[i], 2000 * (double)REAL_EPS, "AᵀB, %d", i);
  real bad[] = {1, 0, 2, 1};
  ck_assert(!nnb__invert_positive(2, bad));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kfac, " PRECISION);
  TCase *tc = tcase_create("kfac");
  tcase_add_loop_test(tc, one_row_has_a_kronecker_fisher, 0, (int)(sizeof one_layer / sizeof *one_layer));
  tcase_add_test(tc, chunks_and_weights_are_the_same_rows);
  tcase_add_loop_test(tc, targets_are_drawn_from_the_model, 0, (int)(sizeof drawn / sizeof *drawn));
  tcase_add_loop_test(tc, steps_are_those_of_dense_matrices, 0, 4);
  tcase_add_test(tc, a_quadratic_is_solved);
  tcase_add_test(tc, inverses_and_shared_products);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
