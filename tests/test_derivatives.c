/* Derivatives of outputs by inputs, and derivatives of these: nnb_plan_jacobian, nnb_plan_jvp, nnb_plan_hvp and
 * nnb_plan_taylor against central differences of the same net in plain loops in long double, against nnb_plan_vjp, and
 * against PyTorch. */
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
  nnb_plan *plan = toy_plan(f.net, ROWS, 0, NNB_DX);
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
  nnb_plan *plan = toy_plan(net, N, 1 + _i / 2, NNB_DX);
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
  nnb_plan *plan = toy_plan(net, N, 1, NNB_DX);
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
  nnb_plan *plan = toy_plan(net, N, 2, layer_nets[_i].affine ? NNB_SECOND : NNB_DX);
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
  nnb_plan *plan = toy_plan(net, N, 1, NNB_DX), *other = toy_plan(net, N, 4, NNB_DX),
           *single = toy_plan(net, 1, 1, NNB_DX);
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
  nnb_plan *plan = toy_plan(net, 1, 1, NNB_DX);
  bad(NNB_E_UNSUPPORTED, "gain", nnb_plan_jvp(plan, nnb_cview(x, 1, 3), nnb_cview(x, 1, 3), nnb_view(dy, 1, 7)));
  nnb_plan_destroy(plan);
  bad(NNB_E_UNSUPPORTED, "gain", nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_SECOND}, &plan));
  nnb_net_destroy(net);
  ck_ok(nnb_net_parse("3-4:tanh-2:softmax", &net));
  plan = toy_plan(net, 1, 1, NNB_SECOND);
  const nnb_cmat row = nnb_cview(x, 1, 3);
  bad(NNB_E_UNSUPPORTED, "softmax", nnb_plan_taylor(plan, row, row, 2, nnb_view(dy, 1, 6), NULL, 0));
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
  nnb_plan *plan = toy_plan(f.net, ROWS, 0, NNB_SECOND);
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
  nnb_plan *plan = toy_plan(f.net, ROWS, 0, NNB_SECOND);
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
  nnb_plan *plan = toy_plan(net, B, 1, NNB_SECOND);
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
    plan = toy_plan(net, 1, 1, NNB_SECOND);
    ck_ok(nnb_plan_taylor(plan, row, row, 1, nnb_view(y, 1, 4), NULL, 0));
    bad(NNB_E_UNSUPPORTED, "rows", nnb_plan_taylor(plan, row, row, 2, nnb_view(y, 1, 6), NULL, 0));
    nnb_plan_destroy(plan);
  } else {
    bad(NNB_E_UNSUPPORTED, "rows", nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_SECOND}, &plan));
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
  tcase_add_loop_test(tc, slopes_of_whole_rows, 0, 2);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
