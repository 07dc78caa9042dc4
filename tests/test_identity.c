/* Two ways through a plan that must give the same: rows and batches, graphs and chains, threads, memory, scalers,
 * weights; and vᵀ·∂y/∂x against differences. */
#include "toys.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
enum { ROWS = 13, MOST = 2048 };

static const double rounding = 300 * (double)REAL_EPS;

static void near(double got, double want, double tol, const char *what, int i) {
  ck_assert_msg(fabs(got - want) <= tol * fmax(1, fabs(want)), PRECISION ": %s[%d] is %.17g, expected %.17g", what, i,
                got, want);
}
static void all_near(const real *got, const real *want, size_t n, double tol, const char *what) {
  for (size_t i = 0; i < n; i++) near((double)got[i], (double)want[i], tol, what, (int)i);
}
static void same_bits(const real *got, const real *want, size_t n, const char *what) {
  for (size_t i = 0; i < n; i++)
    ck_assert_msg(memcmp(&got[i], &want[i], sizeof(real)) == 0, PRECISION ": %s[%d] is %.17g, expected exactly %.17g",
                  what, (int)i, (double)got[i], (double)want[i]);
}

static nnb_net *parsed(const char *text) {
  nnb_net *net;
  ck_ok(nnb_net_parse(text, &net));
  return net;
}

/* Rows of numbers in (-1, 1); targets are positive, so that every loss accepts them. */
typedef struct rows {
  real x[ROWS * 8], t[ROWS * 8], weight[ROWS];
  nnb_batch batch;
} rows;

static void fill_rows(rows *r, const nnb_net *net) {
  int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  toy_fill(r->x, LENGTH(r->x), 5);
  toy_fill(r->t, LENGTH(r->t), 6);
  toy_fill(r->weight, ROWS, 7);
  for (int i = 0; i < LENGTH(r->t); i++) r->t[i] = (r->t[i] + 2) / 4;
  for (int i = 0; i < ROWS; i++) r->weight[i] += (real)1.25;
  r->batch = (nnb_batch){.x = nnb_cview(r->x, ROWS, n_in), .t = nnb_cview(r->t, ROWS, n_out), .weight = r->weight};
}

static nnb_batch row_of(const rows *r, int i, double norm) {
  const nnb_batch *b = &r->batch;
  return (nnb_batch){.x = nnb_cview(b->x.p + i * b->x.ld, 1, b->x.cols),
                     .t = nnb_cview(b->t.p + i * b->t.ld, 1, b->t.cols),
                     .weight = b->weight + i,
                     .norm = norm};
}

/* The results of a plan for a batch. */
typedef struct result {
  real y[MOST], g[MOST * 64];
  double loss;
} result;

static void compute(nnb_plan *plan, const nnb_batch *batch, int n_out, result *r) {
  ck_ok(nnb_plan_predict(plan, batch->x, nnb_view(r->y, batch->x.rows, n_out)));
  ck_ok(nnb_plan_gradient(plan, batch, 0, &r->loss, r->g));
}

static const char *const nets[] = {"5-7:tanh-3:softmax", "4-6:gelu-6:relu:bias=0-2", "3-8:selu-1:sigmoid",
                                   "6-33:silu-17:softplus-5"};
enum { N_NETS = LENGTH(nets) };

/* ---- batches -------------------------------------------------------------------------------------------------------
 */

START_TEST(a_batch_of_one_is_a_row) {
  static result all, one;
  static real sum[MOST];
  nnb_net *net = _i < N_NETS ? parsed(nets[_i]) : toy_graph();
  rows r;
  fill_rows(&r, net);
  int n_out = nnb_net_n_out(net);
  size_t n = nnb_net_n_params(net);
  double norm = 0, loss = 0;
  nnb_plan *many = toy_plan(net, ROWS, 1, NNB_GRAD), *single = toy_plan(net, 1, 1, NNB_GRAD);
  compute(many, &r.batch, n_out, &all);
  for (int i = 0; i < ROWS; i++) norm += (double)r.weight[i];
  memset(sum, 0, sizeof sum);
  for (int i = 0; i < ROWS; i++) {
    nnb_batch b = row_of(&r, i, norm);
    compute(single, &b, n_out, &one);
    all_near(one.y, all.y + i * n_out, (size_t)n_out, rounding, "output");
    loss += one.loss;
    for (size_t k = 0; k < n; k++) sum[k] += one.g[k];
  }
  near(loss, all.loss, rounding, "loss", 0);
  all_near(sum, all.g, n, rounding, "gradient");
  nnb_plan_destroy(many);
  nnb_plan_destroy(single);
  nnb_net_destroy(net);
}
END_TEST

/* Weight 2 is the row twice, weight 0 is the row left out, for every loss. */
START_TEST(a_weight_counts_rows) {
  static result weighted, counted;
  nnb_loss loss = (nnb_loss)(_i + 1);
  nnb_net *net = parsed(loss == NNB_CROSS_ENTROPY ? "5-7:tanh-3:softmax" : "5-7:tanh-3:sigmoid");
  nnb_net_loss(net, loss);
  rows r, twice;
  fill_rows(&r, net);
  twice = r;
  int n = 0;
  for (int i = 0; i < ROWS / 2; i++) {
    r.weight[i] = (real)(i % 3);
    for (int k = 0; k < i % 3; k++, n++) {
      memcpy(twice.x + n * 5, r.x + i * 5, 5 * sizeof(real));
      memcpy(twice.t + n * 3, r.t + i * 3, 3 * sizeof(real));
    }
  }
  r.batch.x.rows = r.batch.t.rows = ROWS / 2;
  nnb_batch rows_twice = {.x = nnb_cview(twice.x, n, 5), .t = nnb_cview(twice.t, n, 3)};
  nnb_plan *plan = toy_plan(net, ROWS, 0, NNB_GRAD);
  compute(plan, &r.batch, 3, &weighted);
  compute(plan, &rows_twice, 3, &counted);
  near(weighted.loss, counted.loss, rounding, nnb_loss_name(loss), 0);
  all_near(weighted.g, counted.g, nnb_net_n_params(net), rounding, nnb_loss_name(loss));
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* ---- graphs --------------------------------------------------------------------------------------------------------
 */

/* "5-7:tanh-6:relu-3:softmax" by node numbers, and with its activations as nodes. */
static nnb_net *by_numbers(bool split) {
  static const nnb_activation f[] = {NNB_TANH, NNB_RELU, NNB_SOFTMAX};
  static const int units[] = {7, 6, 3};
  nnb_net *net = nnb_net_create(5);
  for (int l = 0, from = 1; l < 3; l++) {
    nnb_init init = f[l] == NNB_RELU ? NNB_INIT_HE_NORMAL : NNB_INIT_GLOROT_UNIFORM;
    nnb_dense_opts opts = {.units = units[l], .from = from, .activation = split ? NNB_LINEAR : f[l], .init = init};
    from = nnb_net_dense_opts(net, &opts);
    if (split) from = nnb_net_activation(net, from, f[l]);
    if (l == 2) nnb_net_output(net, from);
  }
  ck_ok(nnb_net_status(net));
  return net;
}

START_TEST(a_chain_by_numbers_is_a_sequential_net) {
  static result want, got;
  nnb_net *chain = parsed("5-7:tanh-6:relu-3:softmax"), *net = by_numbers(_i);
  rows r;
  fill_rows(&r, chain);
  size_t n = nnb_net_n_params(chain);
  ck_assert_uint_eq(nnb_net_n_params(net), n);
  if (_i) /* nodes in between: other streams of random numbers */
    memcpy(nnb_net_params(net), nnb_net_params(chain), n * sizeof(real));
  else
    same_bits(nnb_net_params(net), nnb_net_params(chain), n, "parameter");
  nnb_plan *a = toy_plan(chain, ROWS, 0, NNB_GRAD), *b = toy_plan(net, ROWS, 0, NNB_GRAD);
  compute(a, &r.batch, 3, &want);
  compute(b, &r.batch, 3, &got);
  if (_i) { /* nodes in between: another order of sums */
    all_near(got.y, want.y, ROWS * 3, rounding, "output");
    all_near(got.g, want.g, n, rounding, "gradient");
    near(got.loss, want.loss, rounding, "loss", 0);
  } else {
    same_bits(got.y, want.y, ROWS * 3, "output");
    same_bits(got.g, want.g, n, "gradient");
    ck_assert_msg(got.loss == want.loss, "loss %.17g and %.17g", got.loss, want.loss);
  }
  nnb_plan_destroy(a);
  nnb_plan_destroy(b);
  nnb_net_destroy(chain);
  nnb_net_destroy(net);
}
END_TEST

/* Several inputs are columns of one x, several outputs of one y, in order of declaration. */
START_TEST(columns_in_order_of_declaration) {
  nnb_net *net = nnb_net_create(2);
  int second = nnb_net_input(net, 3, NULL), a = nnb_net_activation(net, second, NNB_LINEAR),
      b = nnb_net_activation(net, 1, NNB_LINEAR);
  nnb_net_output(net, a);
  nnb_net_output(net, b);
  real x[] = {1, 2, 3, 4, 5}, y[5], want[] = {3, 4, 5, 1, 2};
  ck_ok(nnb_net_predict(net, nnb_cview(x, 1, 5), nnb_view(y, 1, 5)));
  same_bits(y, want, 5, "output");
  nnb_net_destroy(net);
}
END_TEST

/* ---- plans ---------------------------------------------------------------------------------------------------------
 */

START_TEST(keep_scales_what_grad_held) {
  static result r0;
  static real grad[MOST], want[MOST];
  nnb_net *net = parsed(nets[_i]);
  rows r;
  fill_rows(&r, net);
  size_t n = nnb_net_n_params(net);
  nnb_plan *plain = toy_plan(net, ROWS, 0, NNB_GRAD), *keeping = toy_plan(net, ROWS, 0, NNB_GRAD | NNB_KEEP);
  compute(plain, &r.batch, nnb_net_n_out(net), &r0);
  static const double keeps[] = {0, 1, 0.5};
  for (int k = 0; k < 6; k++) {
    double keep = keeps[k % 3];
    for (size_t i = 0; i < n; i++) {
      grad[i] = keep == 0 ? (real)NAN : (real)(0.1 * (double)(i % 7) - 0.3);
      want[i] = r0.g[i] + (keep == 0 ? 0 : (real)keep * grad[i]);
    }
    ck_ok(nnb_plan_gradient(k < 3 ? plain : keeping, &r.batch, keep, NULL, grad));
    all_near(grad, want, n, rounding, k < 3 ? "gradient" : "gradient of a keeping plan");
  }
  nnb_plan_destroy(plain);
  nnb_plan_destroy(keeping);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(a_keeping_plan_agrees) {
  static result want, got;
  static const unsigned more[] = {NNB_KEEP, NNB_DX, NNB_KEEP | NNB_DX};
  nnb_net *net = _i < N_NETS ? parsed(nets[_i]) : toy_graph();
  rows r;
  fill_rows(&r, net);
  int n_out = nnb_net_n_out(net);
  nnb_plan *plain = toy_plan(net, ROWS, 0, NNB_GRAD);
  compute(plain, &r.batch, n_out, &want);
  for (int k = 0; k < LENGTH(more); k++) {
    nnb_plan *plan = toy_plan(net, ROWS, 0, NNB_GRAD | more[k]);
    compute(plan, &r.batch, n_out, &got);
    all_near(got.y, want.y, (size_t)(ROWS * n_out), rounding, "output");
    all_near(got.g, want.g, nnb_net_n_params(net), rounding, "gradient");
    near(got.loss, want.loss, rounding, "loss", k);
    nnb_plan_destroy(plan);
  }
  nnb_plan_destroy(plain);
  nnb_net_destroy(net);
}
END_TEST

/* The gradient of the batch itself, even if clipping changes it before the update. */
START_TEST(a_keeping_plan_shows_what_is_not_clipped) {
  static result r0;
  nnb_net *net = parsed("3-2:tanh");
  rows r;
  fill_rows(&r, net);
  nnb_plan *plan = toy_plan(net, ROWS, 0, NNB_GRAD | NNB_KEEP);
  nnb_optim *optim;
  nnb_cmat dw;
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .clip_norm = 1e-3}, &optim));
  compute(plan, &r.batch, nnb_net_n_out(net), &r0);
  ck_ok(nnb_train_step(net, plan, &r.batch, optim, NULL));
  ck_ok(nnb_plan_view(plan, 2, NNB_DW, &dw));
  same_bits(dw.p, r0.g, 6, "gradient of the weights");
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(a_plan_in_the_callers_memory) {
  static result want, got;
  nnb_net *net = parsed(nets[_i]);
  rows r;
  fill_rows(&r, net);
  int n_out = nnb_net_n_out(net);
  nnb_plan_opts opts = {.max_rows = ROWS, .want = NNB_GRAD | NNB_KEEP};
  nnb_plan *plan, *own;
  size_t bytes;
  ck_ok(nnb_plan_bytes(net, &opts, &bytes));
  char *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
  memset(memory, 0xA5, bytes);
  ck_ok(nnb_plan_create(net, &opts, &own));
  opts.mem = memory, opts.mem_bytes = bytes;
  ck_ok(nnb_plan_create(net, &opts, &plan));
  compute(own, &r.batch, n_out, &want);
  compute(plan, &r.batch, n_out, &got);
  same_bits(got.y, want.y, (size_t)(ROWS * n_out), "output");
  same_bits(got.g, want.g, nnb_net_n_params(net), "gradient");
  nnb_plan_destroy(plan);
  nnb_plan_destroy(own);
  opts.mem_bytes = bytes - 1;
  ck_assert_int_eq(nnb_plan_create(net, &opts, &plan), NNB_E_ARG);
  ck_assert_ptr_null(plan);
  opts.mem = memory + 8, opts.mem_bytes = bytes;
  ck_assert_int_eq(nnb_plan_create(net, &opts, &plan), NNB_E_ARG);
  free(memory);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(threads_agree) {
  enum { B = 96 };
  static result r[4];
  static real x[B * 70], after[4][MOST * 64];
  static int32_t label[B];
  static const int threads[] = {1, 2, 3, 3};
  size_t n = 0;
  toy_fill(x, LENGTH(x), 8);
  for (int i = 0; i < B; i++) label[i] = i % 10;
  nnb_batch batch = {.x = nnb_cview(x, B, 70), .label = label};
  for (int k = 0; k < 4; k++) {
    nnb_net *net = parsed("70-150:tanh-150:silu-10:softmax");
    nnb_plan *plan = toy_plan(net, B, threads[k], NNB_GRAD);
    nnb_optim *optim;
    n = nnb_net_n_params(net);
    ck_assert_uint_le(n, LENGTH(after[0]));
    ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_MOMENTUM}, &optim));
    compute(plan, &batch, 10, &r[k]);
    for (int i = 0; i < 3; i++) ck_ok(nnb_train_step(net, plan, &batch, optim, NULL));
    memcpy(after[k], nnb_net_params(net), n * sizeof(real));
    nnb_optim_destroy(optim);
    nnb_plan_destroy(plan);
    nnb_net_destroy(net);
  }
  for (int k = 1; k < 3; k++) {
    near(r[k].loss, r[0].loss, rounding, "loss", k);
    all_near(r[k].y, r[0].y, B * 10, rounding, "output");
    all_near(r[k].g, r[0].g, n, rounding, "gradient");
    all_near(after[k], after[0], n, rounding, "parameter");
  }
  same_bits(r[3].y, r[2].y, B * 10, "output");
  same_bits(r[3].g, r[2].g, n, "gradient");
  same_bits(after[3], after[2], n, "parameter");
  ck_assert(r[3].loss == r[2].loss);
}
END_TEST

/* Batches that a plan rejects, in the order of its checks. */
START_TEST(refusals) {
  nnb_net *net = parsed("5-3:softmax");
  nnb_plan *plan = toy_plan(net, 4, 0, 0), *none;
  rows r;
  real y[ROWS * 3], g[18];
  nnb_cmat view;
  double loss;
  fill_rows(&r, net);
  nnb_batch four = r.batch, wrong = r.batch;
  four.x.rows = four.t.rows = 4, wrong.x.rows = 4;
  int32_t label[] = {0, 1, 3, 2};
  nnb_batch labelled = {.x = four.x, .label = label};
  ck_assert_int_eq(nnb_plan_predict(plan, r.batch.x, nnb_view(y, ROWS, 3)), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_plan_predict(plan, nnb_cview(r.x, 4, 4), nnb_view(y, 4, 3)), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_plan_predict(plan, four.x, nnb_view(y, 4, 2)), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_plan_loss(plan, &wrong, &loss), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_plan_loss(plan, &labelled, &loss), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_plan_gradient(plan, &four, 0, &loss, g), NNB_E_STATE);
  ck_assert_int_eq(nnb_plan_vjp(plan, four.x, four.t, nnb_view(y, 4, 5)), NNB_E_STATE);
  ck_assert_int_eq(nnb_plan_view(plan, 2, NNB_A, &view), NNB_E_STATE);
  ck_assert_int_eq(nnb_plan_create(net, &(nnb_plan_opts){.want = 64}, &none), NNB_E_ARG);
  ck_assert_int_eq(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = -1}, &none), NNB_E_ARG);
  r.x[7] = (real)NAN;
  ck_assert_int_eq(nnb_plan_loss(plan, &four, &loss), NNB_E_NUMERIC);
  ck_assert_msg(strstr(nnb_errmsg(), "row 2, column 3"), "%s", nnb_errmsg());
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* ---- scalers -------------------------------------------------------------------------------------------------------
 */

typedef struct scaled {
  nnb_data *data;
  nnb_batch raw;
  real x[ROWS * 3], t[ROWS * 2];   /* in the data's units … */
  real sx[ROWS * 3], st[ROWS * 2]; /* … and scaled by hand */
  double factor[2], shift[2];      /* of the targets */
} scaled;

/* x' = (x - shift)·factor */
static void scale_columns(const real *from, int cols, nnb_scaling how, real *to, double *shift, double *factor) {
  for (int j = 0; j < cols; j++) {
    double mean = 0, squares = 0, lo = HUGE_VAL, hi = -HUGE_VAL;
    for (int i = 0; i < ROWS; i++) {
      double v = (double)from[i * cols + j];
      mean += v / ROWS, lo = fmin(lo, v), hi = fmax(hi, v);
    }
    for (int i = 0; i < ROWS; i++) squares += pow((double)from[i * cols + j] - mean, 2) / ROWS;
    shift[j] = how == NNB_MINMAX ? lo : mean;
    factor[j] = how == NNB_MINMAX ? 1 / (hi - lo) : 1 / sqrt(squares);
    for (int i = 0; i < ROWS; i++) to[i * cols + j] = (real)(((double)from[i * cols + j] - shift[j]) * factor[j]);
  }
}

static void make_scaled(scaled *s, nnb_scaling how) {
  double shift[3], factor[3];
  toy_fill(s->x, LENGTH(s->x), 9);
  toy_fill(s->t, LENGTH(s->t), 10);
  for (int i = 0; i < LENGTH(s->x); i++) s->x[i] = s->x[i] * (real)(1 + 5 * (i % 3)) + (real)(2 * (i % 3));
  for (int i = 0; i < LENGTH(s->t); i++) s->t[i] = s->t[i] * (real)(1 + 8 * (i % 2)) - 3;
  scale_columns(s->x, 3, how, s->sx, shift, factor);
  scale_columns(s->t, 2, how, s->st, s->shift, s->factor);
  s->raw = (nnb_batch){.x = nnb_cview(s->x, ROWS, 3), .t = nnb_cview(s->t, ROWS, 2)};
  ck_ok(nnb_data_wrap(&s->raw, 0, &s->data));
}

START_TEST(scalers_are_hand_scaled_data) {
  static result got, want;
  scaled s;
  nnb_scaling how = _i % 2 ? NNB_MINMAX : NNB_STANDARDIZE;
  bool targets = _i >= 2;
  const real *shift, *factor;
  make_scaled(&s, how);
  nnb_net *net = parsed("3-6:tanh-2"), *plain = parsed("3-6:tanh-2");
  ck_assert_int_eq(nnb_net_scale_inputs(net, s.data, how), NNB_OK);
  if (targets) ck_assert_int_eq(nnb_net_scale_targets(net, s.data, how), NNB_OK);
  nnb_batch by_hand = {.x = nnb_cview(s.sx, ROWS, 3), .t = nnb_cview(targets ? s.st : s.t, ROWS, 2)};
  nnb_plan *a = toy_plan(net, ROWS, 0, NNB_GRAD), *b = toy_plan(plain, ROWS, 0, NNB_GRAD);
  compute(a, &s.raw, 2, &got);
  compute(b, &by_hand, 2, &want);
  for (int i = 0; i < ROWS * 2 && targets; i++)
    want.y[i] = (real)((double)want.y[i] / s.factor[i % 2] + s.shift[i % 2]);
  all_near(got.y, want.y, ROWS * 2, rounding, "output");
  near(got.loss, want.loss, rounding, "loss", 0);
  all_near(got.g, want.g, nnb_net_n_params(net), rounding, "gradient");
  nnb_net_target_scaler(net, &shift, &factor);
  ck_assert_int_eq(shift != NULL, targets);
  nnb_net_input_scaler(net, &shift, &factor);
  nnb_scale(nnb_view(s.x, ROWS, 3), shift, factor);
  all_near(s.x, s.sx, ROWS * 3, rounding, "scaled input");
  ck_assert_int_eq(nnb_net_standardize(net, s.data), NNB_E_STATE); /* sealed by now */
  nnb_plan_destroy(a);
  nnb_plan_destroy(b);
  nnb_net_destroy(net);
  nnb_net_destroy(plain);
  nnb_data_destroy(s.data);
}
END_TEST

/* v·y by the five-point rule, in the data's units */
static double slope(nnb_plan *plan, real *at, const nnb_batch *batch, int row, const real *v, int n_out) {
  static const int steps[] = {1, -1, 2, -2};
  static const double factor[] = {8, -8, -1, 1};
  real y[ROWS * 8], x = *at, h = (real)TOL(1e-3, 0.0625);
  double sum = 0;
  for (int k = 0; k < 4; k++) {
    *at = x + (real)steps[k] * h;
    ck_ok(nnb_plan_predict(plan, batch->x, nnb_view(y, ROWS, n_out)));
    for (int j = 0; j < n_out; j++)
      sum += factor[k] * (double)v[row * n_out + j] * (double)y[row * n_out + j] / (12 * (double)h);
  }
  *at = x;
  return sum;
}

START_TEST(vjp_against_differences) {
  scaled s;
  rows r;
  real v[ROWS * 8], dx[ROWS * 8];
  make_scaled(&s, NNB_MINMAX);
  nnb_net *net = _i == 0 ? toy_graph() : parsed(_i == 1 ? "3-5:tanh-2" : "3-4:gelu-3:softmax-2:tanh");
  if (_i) nnb_net_scale_inputs(net, s.data, NNB_MINMAX), nnb_net_scale_targets(net, s.data, NNB_STANDARDIZE);
  fill_rows(&r, net);
  toy_fill(v, LENGTH(v), 12);
  int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  real *x = _i ? s.x : r.x;
  nnb_batch batch = {.x = nnb_cview(x, ROWS, n_in)};
  unsigned want = _i == 2 ? NNB_DX | NNB_GRAD | NNB_KEEP : NNB_DX;
  nnb_plan *plan = toy_plan(net, ROWS, 0, want), *other = toy_plan(net, ROWS, 0, 0);
  ck_ok(nnb_plan_vjp(plan, batch.x, nnb_cview(v, ROWS, n_out), nnb_view(dx, ROWS, n_in)));
  for (int i = 0; i < ROWS * n_in; i++)
    near((double)dx[i], slope(other, &x[i], &batch, i / n_in, v, n_out), TOL(1e-8, 2e-3), "dx", i);
  nnb_plan_destroy(plan);
  nnb_plan_destroy(other);
  nnb_net_destroy(net);
  nnb_data_destroy(s.data);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("identity " PRECISION);
  TCase *tc = tcase_create("identity");
  tcase_add_loop_test(tc, a_batch_of_one_is_a_row, 0, N_NETS + 1);
  tcase_add_loop_test(tc, a_weight_counts_rows, 0, NNB_N_LOSSES - 1);
  tcase_add_loop_test(tc, a_chain_by_numbers_is_a_sequential_net, 0, 2);
  tcase_add_test(tc, columns_in_order_of_declaration);
  tcase_add_loop_test(tc, keep_scales_what_grad_held, 0, N_NETS);
  tcase_add_loop_test(tc, a_keeping_plan_agrees, 0, N_NETS + 1);
  tcase_add_test(tc, a_keeping_plan_shows_what_is_not_clipped);
  tcase_add_loop_test(tc, a_plan_in_the_callers_memory, 0, N_NETS);
  tcase_add_test(tc, threads_agree);
  tcase_add_test(tc, refusals);
  tcase_add_loop_test(tc, scalers_are_hand_scaled_data, 0, 4);
  tcase_add_loop_test(tc, vjp_against_differences, 0, 3);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
