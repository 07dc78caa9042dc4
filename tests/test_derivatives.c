/* Derivatives of outputs by inputs, and derivatives of these: nnb_plan_jacobian, nnb_plan_jvp, nnb_plan_hvp and
 * nnb_plan_taylor against central differences of the same net in plain loops in long double, against nnb_plan_vjp, and
 * against PyTorch. */
#include <stdatomic.h>

#include "golden/derivatives.h"
#include "toys.h"

typedef long double wide;
enum { ROWS = 7, UNITS = 5, MOST = 6, MOST_PARAMS = 150 };

/* ---- the reference ----------------------------------------------------------------------------------------------- */

/* The smallest |z| of all units since it was set: differences across the kinks of relu and others are no slopes. */
static wide nearest;

static void activate(int act, int n, wide *z) {
  wide sum = 0, at = z[0];
  for (int j = 1; j < n; j++) at = fmaxl(at, z[j]);
  for (int j = 0; j < n; j++) sum += expl(z[j] - at);
  for (int j = 0; j < n; j++) {
    const wide v = z[j], down = expm1l(fminl(v, 0));
    nearest = fminl(nearest, fabsl(v));
    switch (act) {
      case NNB_SIGMOID:
        z[j] = 1 / (1 + expl(-v));
        break;
      case NNB_TANH:
        z[j] = tanhl(v);
        break;
      case NNB_RELU:
        z[j] = fmaxl(v, 0);
        break;
      case NNB_LEAKY_RELU:
        z[j] = v > 0 ? v : v / 100;
        break;
      case NNB_ELU:
        z[j] = v > 0 ? v : down;
        break;
      case NNB_SELU:
        z[j] = 1.05070098735548049342L * (v > 0 ? v : 1.67326324235437728482L * down);
        break;
      case NNB_GELU:
        z[j] = v * erfcl(-v / sqrtl(2)) / 2;
        break;
      case NNB_SILU:
        z[j] = v / (1 + expl(-v));
        break;
      case NNB_SOFTPLUS:
        z[j] = log1pl(expl(v));
        break;
      case NNB_SOFTMAX:
        z[j] = expl(v - at) / sum;
        break;
      default:
        break; /* linear */
    }
  }
}

typedef struct reference {
  int n_in, n_out, act, out_act;
  wide w[MOST_PARAMS];
  const real *shift, *factor, *y_shift, *y_factor; /* NULL: none */
} reference;

/* z ← a·W + b; returns what follows the block. */
static const wide *dense(const wide *w, int n, int m, const wide *a, wide *z) {
  for (int j = 0; j < m; j++) {
    z[j] = w[n * m + j];
    for (int i = 0; i < n; i++) z[j] += a[i] * w[i * m + j];
  }
  return w + (n + 1) * m;
}

/* y of the net that make_net makes */
static void outputs(const reference *r, const wide *x, wide *y) {
  wide in[MOST], one[UNITS], two[UNITS], joined[UNITS + MOST];
  const wide *w = r->w;
  for (int i = 0; i < r->n_in; i++) in[i] = r->shift ? (x[i] - (wide)r->shift[i]) * (wide)r->factor[i] : x[i];
  w = dense(w, r->n_in, UNITS, in, one);
  activate(r->act, UNITS, one);
  w = dense(w, UNITS, UNITS, one, two);
  activate(r->act, UNITS, two);
  for (int j = 0; j < UNITS; j++) joined[j] = one[j] + two[j];
  activate(NNB_TANH, UNITS, joined);
  memcpy(joined + UNITS, in, (size_t)r->n_in * sizeof *in);
  dense(w, UNITS + r->n_in, r->n_out, joined, y);
  activate(r->out_act, r->n_out, y);
  for (int o = 0; r->y_factor && o < r->n_out; o++) y[o] = y[o] / (wide)r->y_factor[o] + (wide)r->y_shift[o];
}

/* dy ← the derivative of this order of y(x + s·u) at s = 0, by the rules of five points; their error is h⁴ */
static void slope(const reference *r, const wide *x, const real *u, int order, wide *dy) {
  static const int factor[][5] = {{0, 0, 12, 0, 0}, {1, -8, 0, 8, -1}, {-1, 16, -30, 16, -1}};
  const wide h = order == 1 ? 0x1p-13L : 0x1p-11L;
  wide y[MOST], at[MOST];
  for (int o = 0; o < r->n_out; o++) dy[o] = 0;
  for (int k = 0; k < 5; k++) {
    for (int i = 0; i < r->n_in; i++) at[i] = x[i] + (k - 2) * h * (wide)u[i];
    outputs(r, at, y);
    for (int o = 0; o < r->n_out; o++) dy[o] += factor[order][k] * y[o] / (12 * powl(h, order));
  }
}

static bool has_kink(int act) { return act == NNB_RELU || act == NNB_LEAKY_RELU || act == NNB_ELU || act == NNB_SELU; }

/* Whether a unit is within 0.01 of a kink at this row. */
static bool near_kink(const reference *r, const wide *x) {
  wide y[MOST];
  nearest = 1;
  outputs(r, x, y);
  return has_kink(r->act) && nearest < 0.01L;
}

/* ---- nets -------------------------------------------------------------------------------------------------------- */

typedef struct fixture {
  nnb_net *net;
  nnb_data *data;
  real x[ROWS * MOST], t[ROWS * MOST], u[ROWS * MOST];
  reference r;
} fixture;

static void make(fixture *f, int n_in, int n_out, int act, int out_act, bool scaled) {
  f->r = (reference){.n_in = n_in, .n_out = n_out, .act = act, .out_act = out_act};
  toy_fill(f->x, ROWS * MOST, 21), toy_fill(f->t, ROWS * MOST, 22), toy_fill(f->u, ROWS * MOST, 23);
  nnb_net *net = f->net = nnb_net_create(n_in);
  if (scaled) {
    const nnb_batch rows = {.x = nnb_cview(f->x, ROWS, n_in), .t = nnb_cview(f->t, ROWS, n_out)};
    ck_ok(nnb_data_wrap(&rows, 0, &f->data));
    ck_ok(nnb_net_standardize(net, f->data));
    ck_ok(nnb_net_scale_targets(net, f->data, NNB_MINMAX));
  } else {
    f->data = NULL;
  }
  const int one = nnb_net_dense(net, UNITS, (nnb_activation)act);
  const int two = nnb_net_dense(net, UNITS, (nnb_activation)act);
  const int sum = nnb_net_add(net, (int[]){one, two}, 2, NNB_TANH);
  nnb_net_concat(net, (int[]){sum, 1}, 2);
  nnb_net_dense(net, n_out, (nnb_activation)out_act);
  ck_ok(nnb_net_loss(net, NNB_MSE));
  toy_fill(nnb_net_params(net), nnb_net_n_params(net), 5);
  for (size_t p = 0; p < nnb_net_n_params(net); p++) f->r.w[p] = (wide)nnb_net_params_read(net)[p];
  nnb_net_input_scaler(net, &f->r.shift, &f->r.factor);
  nnb_net_target_scaler(net, &f->r.y_shift, &f->r.y_factor);
}

static void end(fixture *f) {
  nnb_net_destroy(f->net);
  nnb_data_destroy(f->data);
}

static nnb_plan *plan_of(nnb_net *net, int rows, int threads, unsigned want) {
  nnb_plan *plan;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = rows, .threads = threads, .want = want}, &plan));
  return plan;
}

/* The row in the numbers of the reference. */
static const wide *widened(const real *x, int n) {
  static wide out[MOST];
  for (int i = 0; i < n; i++) out[i] = (wide)x[i];
  return out;
}

static void near_within(double tolerance, double got, wide want, double scale, const char *what, int i) {
  if (!long_double_is_longer()) tolerance *= TOL(1e4, 1); /* the differences lose as many digits */
  const double error = fabs(got - (double)want), most = tolerance * fmax(scale, fabs((double)want));
  ck_assert_msg(error <= most, "test %s, number %d: %.17g, expected %.17g", what, i, got, (double)want);
}

static void near(double got, wide want, double scale, const char *what, int i) {
  near_within(TOL(1e-12, 1e-4), got, want, scale, what, i);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static const struct {
  int n_in, n_out;
  bool scaled;
} shapes[] = {{4, 2, false}, {2, 4, false}, {3, 3, true}, {2, 5, true}, {1, 1, false}};

/* Each activation, forward and backward, with scalers and without. */
START_TEST(against_differences) {
  const int act = _i % NNB_N_ACTIVATIONS, which = _i / NNB_N_ACTIVATIONS;
  const int n_in = shapes[which].n_in, n_out = shapes[which].n_out;
  if (act == NNB_STEP) return;
  fixture f;
  make(&f, n_in, n_out, act, n_out > 1 ? act : NNB_TANH, shapes[which].scaled);
  real J[ROWS * MOST * MOST], dy[ROWS * MOST], y[ROWS * MOST], same[ROWS * MOST];
  const nnb_cmat x = nnb_cview(f.x, ROWS, n_in);
  nnb_plan *plan = plan_of(f.net, ROWS, 0, NNB_DX);
  ck_ok(nnb_plan_jacobian(plan, x, nnb_view(y, ROWS, n_out), nnb_view(J, ROWS, n_out * n_in)));
  ck_ok(nnb_plan_jvp(plan, x, nnb_cview(f.u, ROWS, n_in), nnb_view(dy, ROWS, n_out)));
  ck_ok(nnb_plan_predict(plan, x, nnb_view(same, ROWS, n_out)));
  ck_assert(memcmp(y, same, (size_t)(ROWS * n_out) * sizeof *y) == 0);
  for (int b = 0; b < ROWS; b++) {
    wide want[MOST];
    if (near_kink(&f.r, widened(f.x + b * n_in, n_in))) continue;
    for (int i = 0; i < n_in; i++) {
      real unit[MOST] = {0};
      unit[i] = 1;
      slope(&f.r, widened(f.x + b * n_in, n_in), unit, 1, want);
      for (int o = 0; o < n_out; o++)
        near((double)J[(b * n_out + o) * n_in + i], want[o], 1, "jacobian", (b * n_out + o) * n_in + i);
    }
    slope(&f.r, widened(f.x + b * n_in, n_in), f.u + b * n_in, 1, want);
    for (int o = 0; o < n_out; o++) near((double)dy[b * n_out + o], want[o], 1, "jvp", b * n_out + o);
  }
  nnb_plan_destroy(plan);
  end(&f);
}
END_TEST

/* A net of all kinds of nodes and two outputs; its own layer has no tangent, or one. */
static nnb_net *graph(bool tangents) {
  static nnb_layer_ops gain;
  gain = toy_gain;
  gain.tangent = tangents ? toy_gain_tangent : NULL;
  nnb_net *net = nnb_net_create(3);
  const int a = nnb_net_dense(net, 5, NNB_TANH);
  const int g = nnb_net_own_layer(net, &gain, &(toy_gain_fields){.power = 2, .factor = 0.25}, &a, 1, NNB_SOFTMAX, NULL);
  const int both = nnb_net_concat(net, (int[]){g, 1}, 2);
  const int head = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 4, .from = both, .activation = NNB_SIGMOID});
  const int tail = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 3, .from = head, .activation = NNB_SILU});
  nnb_net_output(net, tail);
  nnb_net_output(net, head);
  ck_ok(nnb_net_loss(net, NNB_MSE));
  toy_fill(nnb_net_params(net), nnb_net_n_params(net), 5);
  return net;
}

/* The Jacobian, forward or backward, for any number of rows and threads and with gaps, is made of vᵀ·∂y/∂x for each
 * output.  More rows than a tile has. */
START_TEST(rows_of_vjp) {
  enum { N = 300, N_IN = 3, N_OUT = 7, LD = N_IN * N_OUT + 2 };
  static real x[N * N_IN], v[N * N_OUT], dx[N * N_IN], J[N * LD], dense_J[N * N_IN * N_OUT];
  nnb_net *net = graph(_i % 2);
  nnb_plan *plan = plan_of(net, N, 1 + _i / 2, NNB_DX);
  toy_fill(x, N * N_IN, 1);
  for (int i = 0; i < N * LD; i++) J[i] = 42;
  const nnb_cmat rows = nnb_cview(x, N, N_IN);
  ck_ok(nnb_plan_jacobian(plan, rows, (nnb_mat){0}, (nnb_mat){J, N, N_IN * N_OUT, LD}));
  ck_ok(nnb_plan_jacobian(plan, rows, (nnb_mat){0}, nnb_view(dense_J, N, N_IN * N_OUT)));
  for (int o = 0; o < N_OUT; o++) {
    for (int i = 0; i < N * N_OUT; i++) v[i] = (real)(i % N_OUT == o);
    ck_ok(nnb_plan_vjp(plan, rows, nnb_cview(v, N, N_OUT), nnb_view(dx, N, N_IN)));
    for (int i = 0; i < N * N_IN; i++) {
      const int at = i / N_IN * N_IN * N_OUT + o * N_IN + i % N_IN;
      near((double)J[i / N_IN * LD + o * N_IN + i % N_IN], (wide)dx[i], 0.1, "with gaps", i);
      near((double)dense_J[at], (wide)dx[i], 0.1, "without", i);
    }
  }
  for (int i = 0; i < N; i++) ck_assert(J[i * LD + LD - 1] == 42 && J[i * LD + LD - 2] == 42);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* More outputs than a tile has rows: a row of the batch takes several tiles. */
START_TEST(many_outputs) {
  enum { N = 3, N_OUT = 1100 };
  static real J[N * N_OUT * 2], rest[N * N_OUT * 2], dy[N * N_OUT];
  real x[N * 2], u[N * 2];
  nnb_net *net = NULL;
  toy_fill(x, N * 2, 1);
  for (int i = 0; i < N * 2; i++) u[i] = (real)(i % 2);
  ck_ok(nnb_net_parse(_i ? "2-4:tanh-1100" : "1100-4:tanh-1100:sigmoid-2", &net));
  const int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  nnb_plan *plan = plan_of(net, N, 1, NNB_DX);
  if (_i) {
    ck_ok(nnb_plan_jacobian(plan, nnb_cview(x, N, n_in), (nnb_mat){0}, nnb_view(J, N, n_in * n_out)));
    ck_ok(nnb_plan_jvp(plan, nnb_cview(x, N, n_in), nnb_cview(u, N, n_in), nnb_view(dy, N, n_out)));
    for (int i = 0; i < N * n_out; i++) near((double)J[2 * i + 1], (wide)dy[i], 0.1, "jvp", i);
  } else {
    static real wide_x[N * N_OUT];
    toy_fill(wide_x, N * N_OUT, 1);
    ck_ok(nnb_plan_jacobian(plan, nnb_cview(wide_x, N, n_in), (nnb_mat){0}, nnb_view(J, N, n_in * n_out)));
    for (int o = 0; o < n_out; o++) {
      const real v[] = {o == 0, o == 1, o == 0, o == 1, o == 0, o == 1};
      ck_ok(nnb_plan_vjp(plan, nnb_cview(wide_x, N, n_in), nnb_cview(v, N, n_out), nnb_view(dy, N, n_in)));
      for (int i = 0; i < N * n_in; i++) rest[(i / n_in * n_out + o) * n_in + i % n_in] = dy[i];
    }
    for (int i = 0; i < N * n_in * n_out; i++) near((double)J[i], (wide)rest[i], 0.1, "vjp", i);
  }
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* Every kind of layer: the Jacobian against vᵀ·∂y/∂x, derivatives along u against J·u, H·u of affine layers against
 * differences. */
static const struct {
  const char *text;
  bool affine;
} layer_nets[] = {{"1x6x6-conv2@3:tanh-conv3@2:silu-3", true},
                  {"1x6x6-conv2@3:tanh-maxpool2-3:softmax", false},
                  {"1x6x6-conv2@3:silu-avgpool2-flatten-3", false},
                  {"36-6:tanh-layernorm-5:gelu-batchnorm-3", false},
                  {"36-8:tanh-dropout0.5-batchnorm:relu-3", false}};

START_TEST(layers_agree) {
  enum { N = 3, N_IN = 36, N_OUT = 3 };
  static real x[N * N_IN], u[N * N_IN], J[N * N_OUT * N_IN], dx[N * N_IN], h[N * N_IN], side[2][N * N_IN];
  real v[N * N_OUT], dy[N * N_OUT];
  nnb_net *net = NULL;
  ck_ok(nnb_net_parse(layer_nets[_i].text, &net));
  toy_fill(x, N * N_IN, 1), toy_fill(u, N * N_IN, 2), toy_fill(v, N * N_OUT, 3);
  toy_fill(nnb_net_params(net), nnb_net_n_params(net), 5);
  const nnb_cmat rows = nnb_cview(x, N, N_IN);
  nnb_plan *plan = plan_of(net, N, 2, layer_nets[_i].affine ? NNB_SECOND : NNB_DX);
  ck_ok(nnb_plan_jacobian(plan, rows, (nnb_mat){0}, nnb_view(J, N, N_OUT * N_IN)));
  ck_ok(nnb_plan_jvp(plan, rows, nnb_cview(u, N, N_IN), nnb_view(dy, N, N_OUT)));
  ck_ok(nnb_plan_vjp(plan, rows, nnb_cview(v, N, N_OUT), nnb_view(dx, N, N_IN)));
  for (int b = 0; b < N; b++) {
    for (int o = 0; o < N_OUT; o++) {
      double sum = 0;
      for (int i = 0; i < N_IN; i++) sum += (double)J[(b * N_OUT + o) * N_IN + i] * (double)u[b * N_IN + i];
      near((double)dy[b * N_OUT + o], (wide)sum, 1, "J·u", o);
    }
    for (int i = 0; i < N_IN; i++) {
      double sum = 0;
      for (int o = 0; o < N_OUT; o++) sum += (double)J[(b * N_OUT + o) * N_IN + i] * (double)v[b * N_OUT + o];
      near((double)dx[b * N_IN + i], (wide)sum, 1, "vJ", i);
    }
  }
  real again[N * N_IN];
  ck_ok(nnb_net_jvp(net, rows, nnb_cview(u, N, N_IN), nnb_view(again, N, N_OUT)));
  for (int i = 0; i < N * N_OUT; i++) near((double)again[i], (wide)dy[i], 1, "dy of the net", i);
  if (layer_nets[_i].affine) {
    const real step = (real)TOL(1e-5, 1e-2);
    ck_ok(nnb_plan_hvp(plan, rows, nnb_cview(v, N, N_OUT), nnb_cview(u, N, N_IN), nnb_view(h, N, N_IN)));
    ck_ok(nnb_net_hvp(net, rows, nnb_cview(v, N, N_OUT), nnb_cview(u, N, N_IN), nnb_view(again, N, N_IN)));
    for (int i = 0; i < N * N_IN; i++) near((double)again[i], (wide)h[i], 1, "h of the net", i);
    for (int s = 0; s < 2; s++) {
      for (int i = 0; i < N * N_IN; i++) x[i] += (s ? -2 : 1) * step * u[i];
      ck_ok(nnb_plan_vjp(plan, rows, nnb_cview(v, N, N_OUT), nnb_view(side[s], N, N_IN)));
    }
    for (int i = 0; i < N * N_IN; i++)
      near_within(TOL(1e-8, 1e-2), (double)h[i], (wide)(side[0][i] - side[1][i]) / (2 * (wide)step), 1, "H·u", i);
  }
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* Any number of threads, and a row alone, agree to rounding. */
START_TEST(threads_and_single_rows) {
  enum { N = 64, N_IN = 40, N_OUT = 8 };
  static real x[N * N_IN], one[N * N_IN * N_OUT], four[N * N_IN * N_OUT], row[N_IN * N_OUT];
  nnb_net *net = NULL;
  ck_ok(nnb_net_parse("40-60:gelu-8:softmax", &net));
  toy_fill(x, N * N_IN, 1);
  nnb_plan *plan = plan_of(net, N, 1, NNB_DX), *other = plan_of(net, N, 4, NNB_DX),
           *single = plan_of(net, 1, 1, NNB_DX);
  ck_ok(nnb_plan_jacobian(plan, nnb_cview(x, N, N_IN), (nnb_mat){0}, nnb_view(one, N, N_IN * N_OUT)));
  ck_ok(nnb_plan_jacobian(other, nnb_cview(x, N, N_IN), (nnb_mat){0}, nnb_view(four, N, N_IN * N_OUT)));
  for (int i = 0; i < N * N_IN * N_OUT; i++) near((double)four[i], (wide)one[i], 0.1, "threads", i);
  for (int i = 0; i < N; i += 9) {
    ck_ok(nnb_plan_jacobian(single, nnb_cview(x + i * N_IN, 1, N_IN), (nnb_mat){0}, nnb_view(row, 1, N_IN * N_OUT)));
    for (int j = 0; j < N_IN * N_OUT; j++)
      near((double)row[j], (wide)one[i * N_IN * N_OUT + j], 0.1, "a single row", j);
  }
  nnb_plan_destroy(plan), nnb_plan_destroy(other), nnb_plan_destroy(single);
  nnb_net_destroy(net);
}
END_TEST

/* A layer without a tangent: no derivative along a direction, with its name. */
START_TEST(refusals) {
  real x[3] = {0}, dy[7];
  nnb_net *net = graph(false);
  nnb_plan *plan = plan_of(net, 1, 1, NNB_DX);
  ck_assert_int_eq(nnb_plan_jvp(plan, nnb_cview(x, 1, 3), nnb_cview(x, 1, 3), nnb_view(dy, 1, 7)), NNB_E_UNSUPPORTED);
  ck_assert_msg(strstr(nnb_errmsg(), "gain"), "%s", nnb_errmsg());
  nnb_plan_destroy(plan);
  ck_assert_int_eq(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_SECOND}, &plan), NNB_E_UNSUPPORTED);
  ck_assert_msg(strstr(nnb_errmsg(), "gain"), "%s", nnb_errmsg());
  nnb_net_destroy(net);
  ck_ok(nnb_net_parse("3-4:tanh-2:softmax", &net));
  plan = plan_of(net, 1, 1, NNB_SECOND);
  const nnb_cmat row = nnb_cview(x, 1, 3);
  ck_assert_int_eq(nnb_plan_taylor(plan, row, row, 2, nnb_view(dy, 1, 6), NULL, 0), NNB_E_UNSUPPORTED);
  ck_assert_msg(strstr(nnb_errmsg(), "softmax"), "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_plan_taylor(plan, row, row, 3, nnb_view(dy, 1, 6), NULL, 0), NNB_E_ARG);
  ck_ok(nnb_plan_taylor(plan, row, row, 1, nnb_view(dy, 1, 4), NULL, 0));
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* H·u against differences of the derivatives along u. */
START_TEST(hvp_against_differences) {
  static const int step[] = {-2, -1, 1, 2}, factor[] = {1, -8, 8, -1};
  const int act = _i % NNB_N_ACTIVATIONS, which = _i / NNB_N_ACTIVATIONS;
  const int n_in = shapes[which].n_in, n_out = shapes[which].n_out;
  const wide h = 0x1p-12L;
  if (act == NNB_STEP) return;
  fixture f;
  make(&f, n_in, n_out, act, n_out > 1 ? act : NNB_TANH, shapes[which].scaled);
  real got[ROWS * MOST];
  nnb_plan *plan = plan_of(f.net, ROWS, 0, NNB_SECOND);
  ck_ok(nnb_plan_hvp(plan, nnb_cview(f.x, ROWS, n_in), nnb_cview(f.t, ROWS, n_out), nnb_cview(f.u, ROWS, n_in),
                     nnb_view(got, ROWS, n_in)));
  for (int b = 0; b < ROWS; b++)
    for (int i = 0; i < n_in && !near_kink(&f.r, widened(f.x + b * n_in, n_in)); i++) {
      wide want = 0, dy[MOST], at[MOST];
      for (int k = 0; k < 4; k++) {
        memcpy(at, widened(f.x + b * n_in, n_in), (size_t)n_in * sizeof *at);
        at[i] += step[k] * h;
        slope(&f.r, at, f.u + b * n_in, 1, dy);
        for (int o = 0; o < n_out; o++) want += (wide)f.t[b * n_out + o] * factor[k] * dy[o] / (12 * h);
      }
      near_within(TOL(1e-9, 3e-4), (double)got[b * n_in + i], want, 1, "hvp", b * n_in + i);
    }
  nnb_plan_destroy(plan);
  end(&f);
}
END_TEST

/* Values, first and second derivatives along a direction, and their derivatives by every parameter. */
START_TEST(taylor_against_differences) {
  static const int step[] = {-2, -1, 1, 2}, factor[] = {1, -8, 8, -1};
  const int act = _i % NNB_N_ACTIVATIONS, which = _i / NNB_N_ACTIVATIONS, order = act == NNB_SOFTMAX ? 1 : 2;
  const int n_in = shapes[which].n_in, n_out = shapes[which].n_out, cols = (order + 1) * n_out;
  const wide h = 0x1p-12L;
  if (act == NNB_STEP) return;
  static real J[ROWS * 3 * MOST * MOST_PARAMS];
  fixture f;
  make(&f, n_in, n_out, act, n_out > 1 ? act : NNB_TANH, shapes[which].scaled);
  const int P = (int)nnb_net_n_params(f.net);
  ck_assert_int_le(P, MOST_PARAMS);
  real y[ROWS * 3 * MOST];
  nnb_plan *plan = plan_of(f.net, ROWS, 0, NNB_SECOND);
  ck_ok(nnb_plan_taylor(plan, nnb_cview(f.x, ROWS, n_in), nnb_cview(f.u, ROWS, n_in), order, nnb_view(y, ROWS, cols), J,
                        MOST_PARAMS));
  for (int b = 0; b < ROWS; b += 3)
    for (int c = 0; c <= order; c++) {
      wide want[MOST], moved[MOST], x[MOST];
      memcpy(x, widened(f.x + b * n_in, n_in), (size_t)n_in * sizeof *x);
      if (near_kink(&f.r, x)) continue;
      slope(&f.r, x, f.u + b * n_in, c, want);
      const int row = b * cols + c * n_out;
      for (int o = 0; o < n_out; o++) near_within(TOL(1e-9, 1e-3), (double)y[row + o], want[o], 1, "taylor", row + o);
      for (int p = 0; p < P; p += 1 + p % 3) {
        const wide before = f.r.w[p];
        memset(want, 0, sizeof want);
        for (int k = 0; k < 4; k++) {
          f.r.w[p] = before + step[k] * h;
          slope(&f.r, x, f.u + b * n_in, c, moved);
          for (int o = 0; o < n_out; o++) want[o] += factor[k] * moved[o] / (12 * h);
        }
        f.r.w[p] = before;
        for (int o = 0; o < n_out; o++)
          near_within(TOL(1e-7, 1e-3), (double)J[(row + o) * MOST_PARAMS + p], want[o], 1, "by parameters", p);
      }
    }
  nnb_plan_destroy(plan);
  end(&f);
}
END_TEST

static void same(const real *got, const double *want, int n, const char *what) {
  double most = 0;
  for (int i = 0; i < n; i++) most = fmax(most, fabs(want[i]));
  for (int i = 0; i < n; i++) near((double)got[i], (wide)want[i], most, what, i);
}

static void take(const double *from, real *to, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] = (real)from[i];
}

START_TEST(against_pytorch) {
  enum { B = 2 };
  real x[B * MOST], t[B * MOST], u[B * MOST], v[B * MOST], J[B * MOST * MOST], y[B * 3 * MOST], h[B * MOST];
  static real by_w[B * 3 * MOST * MOST_PARAMS];
  nnb_net *net = NULL;
  ck_ok(nnb_net_parse(golden_derivatives[_i].text, &net));
  const int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net), order = golden_derivatives[_i].order;
  take(golden_derivatives[_i].x, x, (size_t)(B * n_in)), take(golden_derivatives[_i].u, u, (size_t)(B * n_in));
  take(golden_derivatives[_i].t, t, (size_t)(B * n_out)), take(golden_derivatives[_i].v, v, (size_t)(B * n_out));
  const nnb_batch rows = {.x = nnb_cview(x, B, n_in), .t = nnb_cview(t, B, n_out)};
  nnb_data *data;
  ck_ok(nnb_data_wrap(&rows, 0, &data));
  if (golden_derivatives[_i].scaled) {
    ck_ok(nnb_net_scale_inputs(net, data, NNB_MINMAX));
    ck_ok(nnb_net_scale_targets(net, data, NNB_MINMAX));
    ck_ok(nnb_net_loss(net, NNB_MSE));
  }
  const int P = (int)nnb_net_n_params(net), cols = (order + 1) * n_out;
  take(golden_derivatives[_i].params, nnb_net_params(net), (size_t)P);
  nnb_plan *plan = plan_of(net, B, 1, NNB_SECOND);
  const nnb_cmat along = nnb_cview(u, B, n_in);
  ck_ok(nnb_plan_jacobian(plan, rows.x, (nnb_mat){0}, nnb_view(J, B, n_out * n_in)));
  same(J, golden_derivatives[_i].J, B * n_out * n_in, "jacobian");
  ck_ok(nnb_plan_jvp(plan, rows.x, along, nnb_view(y, B, n_out)));
  same(y, golden_derivatives[_i].jvp, B * n_out, "jvp");
  ck_ok(nnb_plan_hvp(plan, rows.x, nnb_cview(v, B, n_out), along, nnb_view(h, B, n_in)));
  same(h, golden_derivatives[_i].hvp, B * n_in, "hvp");
  ck_ok(nnb_plan_taylor(plan, rows.x, along, order, nnb_view(y, B, cols), by_w, P));
  same(y, golden_derivatives[_i].taylor, B * cols, "taylor");
  same(by_w, golden_derivatives[_i].by_w, B * cols * P, "taylor by the parameters");
  nnb_plan_destroy(plan);
  nnb_data_destroy(data);
  nnb_net_destroy(net);
}
END_TEST

/* ---- targets of derivatives -------------------------------------------------------------------------------------- */

static nnb_status affine_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  needs->affine = true;
  return toy_gain.shape(self, cols, n_from, needs);
}

/* All kinds of nodes that take such targets; another node reads one of the outputs. */
static nnb_net *affine_graph(void) {
  static nnb_layer_ops gain;
  gain = toy_gain;
  gain.shape = affine_shape, gain.tangent = toy_gain_tangent;
  nnb_net *net = nnb_net_create(2);
  const int second = nnb_net_input(net, 1, NULL);
  const int a = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 4, .from = 1, .activation = NNB_TANH});
  const int g = nnb_net_own_layer(net, &gain, &(toy_gain_fields){.power = 2, .factor = 0.25}, &a, 1, NNB_SOFTMAX, NULL);
  const int b = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 4, .from = second, .activation = NNB_GELU});
  const int sum = nnb_net_add(net, (int[]){g, b}, 2, NNB_LINEAR);
  const int both = nnb_net_concat(net, (int[]){sum, 1}, 2);
  const int head = nnb_net_dense_opts(
      net, &(nnb_dense_opts){.units = 2, .from = both, .activation = NNB_SIGMOID, .frozen = NNB_BIAS});
  const int tail = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = head, .activation = NNB_SILU});
  nnb_net_output(net, tail);
  nnb_net_output(net, head);
  ck_ok(nnb_net_output_loss(net, tail, NNB_HALF_SSE, 0.5));
  return net;
}

enum { SLOPE_NETS = 5 };
static nnb_net *slope_net(int which, nnb_data *data) {
  static const char *const text[] = {"3-5:tanh-3", "3-4:silu-4:softplus-3:sigmoid", "3-6:gelu-3:softmax", "3-4:elu-3"};
  nnb_net *net = NULL;
  if (which == SLOPE_NETS - 1)
    net = affine_graph();
  else
    ck_ok(nnb_net_parse(text[which], &net));
  if (which % 2) nnb_net_standardize(net, data), nnb_net_scale_targets(net, data, NNB_MINMAX);
  ck_ok(nnb_net_loss_opts(net, &(nnb_loss_opts){.loss = which == 1 ? NNB_HUBER : NNB_MSE, .derivatives = 0.7}));
  return net;
}

typedef struct slope_rows {
  real x[ROWS * 3], t[ROWS * 3], dt[ROWS * 9], w[ROWS];
  nnb_batch batch;
} slope_rows;

static nnb_data *make_rows(slope_rows *r) {
  nnb_data *data;
  toy_fill(r->x, ROWS * 3, 31), toy_fill(r->t, ROWS * 3, 32), toy_fill(r->dt, ROWS * 9, 33), toy_fill(r->w, ROWS, 34);
  for (int i = 0; i < ROWS; i++) r->w[i] = i == 2 ? 0 : 1 + r->w[i] / 2;
  r->batch = (nnb_batch){
      .x = nnb_cview(r->x, ROWS, 3), .t = nnb_cview(r->t, ROWS, 3), .dt = nnb_cview(r->dt, ROWS, 9), .weight = r->w};
  ck_ok(nnb_data_wrap(&r->batch, 0, &data));
  return data;
}

static nnb_net *drawn(nnb_net *net) {
  toy_fill(nnb_net_params(net), nnb_net_n_params(net), 5);
  return net;
}

START_TEST(gradients_of_slopes) {
  slope_rows r;
  double worst;
  nnb_data *data = make_rows(&r);
  nnb_net *net = drawn(slope_net(_i, data));
  ck_ok(nnb_check_gradient(net, &r.batch, &worst));
  ck_assert_msg(worst < TOL(1e-6, 2e-2), "net %d: worst %g", _i, worst);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* The loss is that of the outputs and, as further outputs, of their derivatives in the net's units. */
START_TEST(loss_of_slopes) {
  slope_rows r;
  nnb_data *data = make_rows(&r);
  nnb_net *net = drawn(slope_net(_i, data));
  const nnb_real *shift, *in, *out;
  nnb_net_input_scaler(net, &shift, &in);
  nnb_net_target_scaler(net, &shift, &out);
  nnb_plan *plan;
  const unsigned want = NNB_DX | NNB_DT;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .threads = 3, .want = want}, &plan));
  double with, without, weight = 0, sum = 0;
  real J[ROWS * 9];
  ck_ok(nnb_plan_loss(plan, &r.batch, &with));
  ck_ok(nnb_plan_jacobian(plan, r.batch.x, (nnb_mat){0}, nnb_view(J, ROWS, 9)));
  r.batch.dt = (nnb_cmat){0};
  ck_ok(nnb_plan_loss(plan, &r.batch, &without));
  for (int i = 0; i < ROWS; i++) {
    weight += (double)r.w[i];
    for (int k = 0; k < 9; k++) {
      const double scale = in ? (double)out[k / 3] / (double)in[k % 3] : 1;
      const double d = scale * ((double)J[9 * i + k] - (double)r.dt[9 * i + k]);
      const double huber = fabs(d) < 1 ? d * d / 2 : fabs(d) - 0.5;
      sum += (double)r.w[i] * (_i == 1 ? huber : d * d);
    }
  }
  near(with - without, (wide)(0.7 * sum / (9 * weight)), 1, "loss", _i);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* ½·Σr² is the loss and Jᵀr its gradient; also gathered in another order, in chunks and with several threads. */
START_TEST(residuals_of_slopes) {
  enum { N_R = 12, MOST_P = 100 };
  static real J[ROWS * N_R * MOST_P];
  real res[ROWS * N_R], grad[MOST_P], chunked[MOST_P];
  slope_rows r;
  double loss, sum = 0, half;
  nnb_data *data = make_rows(&r);
  nnb_net *net = drawn(slope_net(_i == 1 ? 3 : _i, data));
  const int P = (int)nnb_net_n_params(net);
  ck_assert_int_le(P, MOST_P);
  nnb_plan *plan, *small;
  const unsigned want = NNB_GRAD | NNB_ROWS | NNB_DT;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .threads = 2, .want = want}, &plan));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 3, .threads = 1, .want = want}, &small));
  ck_ok(nnb_plan_gradient(plan, &r.batch, 0, &loss, grad));
  ck_ok(nnb_plan_rows(plan, &r.batch, res, J, P));
  for (int i = 0; i < ROWS * N_R; i++) sum += (double)res[i] * (double)res[i] / 2;
  near(sum, (wide)loss, 1, "loss of residuals", _i);
  for (int p = 0; p < P; p++) {
    double g = 0;
    for (int i = 0; i < ROWS * N_R; i++) g += (double)res[i] * (double)J[i * P + p];
    near(g, (wide)grad[p], 1, "Jᵀr", p);
  }
  double total = 0;
  for (int i = 0; i < ROWS; i++) total += (double)r.w[i];
  loss = 0;
  for (int i = 0; i < ROWS; i += 3) {
    nnb_batch part;
    ck_ok(nnb_data_batch(data, i, i + 3 <= ROWS ? 3 : ROWS - i, &part));
    part.norm = total;
    ck_ok(nnb_plan_gradient(small, &part, i > 0, &half, chunked));
    loss += half;
  }
  near(loss, (wide)sum, 1, "loss in chunks", _i);
  for (int p = 0; p < P; p++) near((double)chunked[p], (wide)grad[p], 1, "gradient in chunks", p);
  nnb_plan_destroy(plan), nnb_plan_destroy(small);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* sin(3x) at 6 points with its slope: every method that takes such targets lowers the loss, and lm and lbfgs learn the
 * curve between the points. */
START_TEST(fits_of_slopes) {
  enum { N = 6 };
  real x[N], t[N], dt[N];
  for (int i = 0; i < N; i++) {
    x[i] = (real)(-1 + 0.4 * i), t[i] = (real)sin(3 * (double)x[i]), dt[i] = (real)(3 * cos(3 * (double)x[i]));
  }
  const nnb_batch rows = {.x = nnb_cview(x, N, 1), .t = nnb_cview(t, N, 1), .dt = nnb_cview(dt, N, 1)};
  nnb_data *data;
  ck_ok(nnb_data_copy(&rows, 0, &data));
  ck_assert_int_eq(nnb_data_write_csv(data, "/nonexistent/slopes.csv"), NNB_E_UNSUPPORTED);
  ck_assert_int_eq(nnb_data_write_fann(data, "/nonexistent/slopes.data"), NNB_E_UNSUPPORTED);
  for (int k = NNB_AUTO + 1; k < NNB_N_ALGOS; k++) {
    nnb_net *net = NULL;
    nnb_report report;
    ck_ok(nnb_net_parse("1-8:tanh-1", &net));
    ck_ok(nnb_net_standardize(net, data));
    ck_ok(nnb_net_scale_targets(net, data, NNB_STANDARDIZE));
    nnb_plan *plan;
    nnb_batch all;
    double before, after;
    ck_ok(nnb_data_batch(data, 0, N, &all));
    ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = N, .want = NNB_DT}, &plan));
    ck_ok(nnb_plan_loss(plan, &all, &before));
    const bool exact = k == NNB_LM || k == NNB_LBFGS;
    const nnb_fit_opts opts = {.algo = (nnb_algo)k, .max_epochs = exact ? 300 : 20, .batch = 0};
    const nnb_status status = nnb_fit(net, data, NULL, &opts, &report);
    if (k == NNB_KFAC || k == NNB_VARPRO) {
      ck_assert_int_eq(status, NNB_E_UNSUPPORTED);
      ck_assert_msg(strstr(nnb_errmsg(), "dt"), "%s", nnb_errmsg());
    } else {
      ck_ok(status);
      ck_ok(nnb_plan_loss(plan, &all, &after));
      ck_assert_msg(after < before, "method %d: %g, before %g", k, after, before);
    }
    if (exact)
      for (int i = 0; i < 50; i++) {
        real at = (real)(-1 + 0.04 * i), y;
        ck_ok(nnb_net_predict(net, nnb_cview(&at, 1, 1), nnb_view(&y, 1, 1)));
        ck_assert_msg(fabs((double)y - sin(3 * (double)at)) < 0.02, "method %d at %g: %g", k, (double)at, (double)y);
      }
    nnb_plan_destroy(plan);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

static void refused(nnb_status status, nnb_status want, const char *words) {
  ck_assert_msg(status == want && strstr(nnb_errmsg(), words), "%d, not %d: %s", status, want, nnb_errmsg());
}

START_TEST(refusals_of_slopes) {
  slope_rows r;
  double value;
  nnb_data *data = make_rows(&r), *other = NULL;
  nnb_net *net = NULL;
  nnb_plan *plan;
  nnb_batch batch = r.batch;
  batch.dt.cols = 8;
  refused(nnb_data_wrap(&batch, 0, &other), NNB_E_SHAPE, "wanted 7×(3·3)");
  batch = r.batch, batch.t.p = NULL;
  refused(nnb_data_wrap(&batch, 0, &other), NNB_E_ARG, "no t");
  r.dt[4] = (real)NAN;
  refused(nnb_data_wrap(&r.batch, 0, &other), NNB_E_ARG, "dt has NaN in row 1, column 5");
  r.dt[4] = 0;
  refused(nnb_data_take_columns(data, (int32_t[]){0}, 1, &other), NNB_E_UNSUPPORTED, "dt");
  refused(nnb_data_merge(data, data, &other), NNB_E_UNSUPPORTED, "dt");
  ck_ok(nnb_net_parse("3-4:tanh-3", &net));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS}, &plan));
  refused(nnb_plan_loss(plan, &r.batch, &value), NNB_E_STATE, "NNB_DT");
  batch = r.batch, batch.dt.rows = 2;
  refused(nnb_plan_loss(plan, &batch, &value), NNB_E_SHAPE, "dt is 2×9");
  refused(nnb_fit(net, data, NULL, NULL, NULL), NNB_E_UNSUPPORTED, "name the method");
  refused(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LM, .bayes = true}, NULL), NNB_E_UNSUPPORTED, "bayes");
  refused(nnb_solve_output(net, data, 0), NNB_E_UNSUPPORTED, "dt");
  nnb_error_bars *bars;
  refused(nnb_error_bars_create(net, data, NULL, &bars), NNB_E_UNSUPPORTED, "dt");
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  ck_ok(nnb_net_parse("3-4:tanh-3:softmax", &net));
  refused(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_DT}, &plan), NNB_E_UNSUPPORTED, "cross_entropy");
  nnb_net_destroy(net);
  net = nnb_net_create(1);
  refused(nnb_net_loss_opts(net, &(nnb_loss_opts){.derivatives = -1}), NNB_E_ARG, "derivatives is -1");
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* A row of weight 0 has residuals and rows of J of 0, even if its values are not finite; and so have all rows if all
 * weights are 0. */
START_TEST(weightless_rows_of_slopes) {
  enum { N_R = 12, MOST_P = 100 };
  static real J[ROWS * N_R * MOST_P];
  real res[ROWS * N_R];
  slope_rows r;
  nnb_data *data = make_rows(&r);
  nnb_net *net = drawn(slope_net(0, data));
  const int P = (int)nnb_net_n_params(net);
  ck_assert_int_le(P, MOST_P);
  nnb_plan *plan = plan_of(net, ROWS, 1, NNB_ROWS | NNB_DT);
  for (int i = 0; _i && i < ROWS; i++) r.w[i] = 0;
  for (int j = 0; j < 3; j++) r.x[2 * 3 + j] = (real)(_i ? 1 : NAN);
  for (int i = 0; i < ROWS * N_R * P; i++) J[i] = 42;
  ck_ok(nnb_plan_rows(plan, &r.batch, res, J, P));
  for (int i = 0; i < ROWS * N_R; i++) {
    const bool zero = r.w[i / N_R] == 0;
    ck_assert_msg(zero ? res[i] == 0 : isfinite(res[i]) && res[i] != 0, "residual %d is %g", i, (double)res[i]);
    for (int p = 0; p < P; p++)
      ck_assert_msg(zero ? J[i * P + p] == 0 : isfinite(J[i * P + p]), "row %d of J, parameter %d: %g", i, p,
                    (double)J[i * P + p]);
  }
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* A gain with a buffer: the number of its forward passes that change it, and of their rows. */
static atomic_int passes, passed_rows;
static void counting_forward(const void *self, const nnb_layer_io *io) {
  if (io->new_buffers) atomic_fetch_add(&passes, 1);
  if (io->new_buffers) atomic_fetch_add(&passed_rows, io->z.rows);
  toy_gain.forward(self, io);
}

/* Without and with dt, a layer with buffers gets all rows in one call. */
START_TEST(whole_rows_of_slopes) {
  enum { N = 64, N_IN = 30 };
  static real x[N * N_IN], t[N], dt[N * N_IN], grad[2000];
  static nnb_layer_ops counting;
  counting = toy_gain;
  counting.shape = toy_whole_shape, counting.forward = counting_forward, counting.tangent = toy_gain_tangent;
  toy_fill(x, N * N_IN, 1), toy_fill(t, N, 2), toy_fill(dt, N * N_IN, 3);
  nnb_net *net = nnb_net_create(N_IN);
  const int a = nnb_net_dense(net, 30, NNB_TANH);
  nnb_net_own_layer(net, &counting, &(toy_gain_fields){.power = 2, .factor = 0.25}, &a, 1, NNB_LINEAR, NULL);
  nnb_net_dense(net, 1, NNB_LINEAR);
  ck_assert_uint_le(nnb_net_n_params(net), sizeof grad / sizeof *grad);
  nnb_plan *plan = plan_of(net, N, 4, NNB_GRAD | NNB_DT);
  const nnb_batch batch = {
      .x = nnb_cview(x, N, N_IN), .t = nnb_cview(t, N, 1), .dt = _i ? nnb_cview(dt, N, N_IN) : (nnb_cmat){0}};
  passes = passed_rows = 0;
  ck_ok(nnb_plan_gradient(plan, &batch, 0, NULL, grad));
  const int n_passes = passes, n_rows = passed_rows;
  ck_assert_int_eq(n_passes, 1);
  ck_assert_int_eq(n_rows, N);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

static void sum_up(const void *self, const nnb_layer_io *io) {
  (void)self;
  for (int i = 0; i < io->delta.rows; i++) io->work[0] += io->delta.p[i * io->delta.ld];
}

/* A layer that sums Δ over the rows would sum the derivatives by directions, too. */
START_TEST(no_slopes_with_work) {
  static nnb_layer_ops working;
  working = toy_gain;
  working.shape = toy_working_shape, working.tangent = toy_gain_tangent, working.prepare_back = sum_up;
  nnb_net *net = nnb_net_create(2);
  nnb_plan *plan;
  nnb_net_own_layer(net, &working, &(toy_gain_fields){.power = 2, .factor = 0.25}, (int[]){1}, 1, NNB_LINEAR, NULL);
  refused(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_DT}, &plan), NNB_E_UNSUPPORTED, "work");
  nnb_plan_destroy(plan_of(net, 1, 1, NNB_SECOND));
  nnb_net_destroy(net);
}
END_TEST

/* ---- own activations --------------------------------------------------------------------------------------------- */

static void pass_on(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) {
  (void)self;
  for (int i = 0; i < z.rows; i++) memcpy(a.p + i * a.ld, z.p + i * z.ld, (size_t)z.cols * sizeof *z.p);
}
static void pass_back(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, (void)a, (void)d;
}
static void no_slope(const nnb_act_ops *self, int order, nnb_cmat z, nnb_cmat a, nnb_mat s) {
  (void)self, (void)order, (void)z, (void)a, (void)s;
}
static void no_bend(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_cmat dz, nnb_cmat v, nnb_mat d) {
  (void)self, (void)z, (void)a, (void)dz, (void)v, (void)d;
}

/* The slope of an activation over whole rows does not count. */
START_TEST(slopes_of_whole_rows) {
  static nnb_act_ops act;
  act =
      (nnb_act_ops){.name = "rows", .traits = NNB_ACT_ROWWISE, .value = pass_on, .pull = pass_back, .slope = no_slope};
  if (_i) act.push = pass_back, act.bend = no_bend;
  nnb_net *net = nnb_net_create(2);
  nnb_plan *plan;
  real x[] = {1, 2}, y[6];
  const nnb_cmat row = nnb_cview(x, 1, 2);
  nnb_net_dense(net, 2, (nnb_activation)nnb_net_own_activation(net, &act));
  if (_i) {
    plan = plan_of(net, 1, 1, NNB_SECOND);
    ck_ok(nnb_plan_taylor(plan, row, row, 1, nnb_view(y, 1, 4), NULL, 0));
    refused(nnb_plan_taylor(plan, row, row, 2, nnb_view(y, 1, 6), NULL, 0), NNB_E_UNSUPPORTED, "rows");
    nnb_plan_destroy(plan);
  } else {
    refused(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_SECOND}, &plan), NNB_E_UNSUPPORTED, "rows");
  }
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("derivatives, " PRECISION);
  TCase *tc = tcase_create("derivatives");
  tcase_add_loop_test(tc, against_differences, 0, (int)(sizeof shapes / sizeof *shapes) * NNB_N_ACTIVATIONS);
  tcase_add_loop_test(tc, rows_of_vjp, 0, 6);
  tcase_add_loop_test(tc, many_outputs, 0, 2);
  tcase_add_loop_test(tc, layers_agree, 0, (int)(sizeof layer_nets / sizeof *layer_nets));
  tcase_add_test(tc, threads_and_single_rows);
  tcase_add_test(tc, refusals);
  tcase_add_loop_test(tc, hvp_against_differences, 0, (int)(sizeof shapes / sizeof *shapes) * NNB_N_ACTIVATIONS);
  tcase_add_loop_test(tc, taylor_against_differences, 0, (int)(sizeof shapes / sizeof *shapes) * NNB_N_ACTIVATIONS);
  tcase_add_loop_test(tc, against_pytorch, 0, (int)(sizeof golden_derivatives / sizeof *golden_derivatives));
  tcase_add_loop_test(tc, gradients_of_slopes, 0, SLOPE_NETS);
  tcase_add_loop_test(tc, loss_of_slopes, 0, SLOPE_NETS - 1);
  tcase_add_loop_test(tc, residuals_of_slopes, 0, SLOPE_NETS);
  tcase_add_test(tc, fits_of_slopes);
  tcase_add_test(tc, refusals_of_slopes);
  tcase_add_loop_test(tc, weightless_rows_of_slopes, 0, 2);
  tcase_add_loop_test(tc, whole_rows_of_slopes, 0, 2);
  tcase_add_test(tc, no_slopes_with_work);
  tcase_add_loop_test(tc, slopes_of_whole_rows, 0, 2);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
