/* num/act.c: the activations, built once per level (see kernels.h).  Of each: the function, its slope (from a, or from
 * z where the trait says so), and the two entries of its table row. */
#include <assert.h>

#include "act_vec.h"
#include "kernels.h"
#include "softmax.h"

/* ---- linear ---- */

static void linear_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) {
  (void)self;
  if (a.p == z.p) return;
  for (int i = 0; i < z.rows; i++) {
    for (int j = 0; j < z.cols; j++) nnb__row(a, i)[j] = nnb__crow(z, i)[j];
  }
}
static void linear_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, (void)a, (void)d;
}

/* ---- step ---- */

static void step_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) { (void)self, map(z, a, step); }
static void step_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, map2(a, d, zero);
}

/* ---- sigmoid ---- */

static void sigmoid_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) { (void)self, map(z, a, sigmoid_any); }
static void sigmoid_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, map2(a, d, pull_sigmoid);
}

/* ---- tanh ---- */

static void tanh_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) { (void)self, map(z, a, tanh_any); }
static void tanh_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, map2(a, d, pull_tanh);
}

/* ---- relu ---- */

static void relu_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) { (void)self, map(z, a, relu); }
static void relu_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, map2(a, d, pull_relu);
}

/* ---- leaky_relu ---- */

static void leaky_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) { (void)self, map(z, a, leaky); }
static void leaky_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, map2(a, d, pull_leaky);
}

/* ---- elu ---- */

static void elu_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) { (void)self, map(z, a, elu); }
static void elu_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, map2(a, d, pull_elu);
}

/* ---- selu ---- */

static void selu_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) { (void)self, map(z, a, selu); }
static void selu_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, map2(a, d, pull_selu);
}

/* ---- gelu ---- */

static void gelu_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) { (void)self, map(z, a, gelu); }
static void gelu_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)a, map2(z, d, pull_gelu);
}

/* ---- silu ---- */

static void silu_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) { (void)self, map(z, a, silu); }
static void silu_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)a, map2(z, d, pull_silu);
}

/* ---- softplus ---- */

static void softplus_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) { (void)self, map(z, a, softplus_any); }
static void softplus_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, map2(a, d, pull_softplus);
}

/* ---- softmax ---- */

static void softmax_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) {
  (void)self;
  for (int i = 0; i < z.rows; i++) row_softmax(z.cols, nnb__crow(z, i), nnb__row(a, i), 1);
}

/* d_j ← a_j·(d_j - Σ_k a_k·d_k) */
static void softmax_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z;
  for (int i = 0; i < a.rows; i++) {
    const real *p = nnb__crow(a, i);
    real *q = nnb__row(d, i);
    int n = a.cols, j = 0;
    vec dot = row_dot(n, p, q);
    for (; j + LANES <= n; j += LANES) store(q + j, load(p + j) * (load(q + j) - dot));
    if (j < n) store_part(q + j, n - j, load_part(p + j, n - j) * (load_part(q + j, n - j) - dot));
  }
}

/* ---- the table ---- */

const nnb_act_ops NNB__ACTS[] = {
    [NNB_LINEAR] = {.name = "linear", .value = linear_value, .pull = linear_pull},
    [NNB_STEP] = {.name = "step", .value = step_value, .pull = step_pull},
    [NNB_SIGMOID] = {.name = "sigmoid", .value = sigmoid_value, .pull = sigmoid_pull},
    [NNB_TANH] = {.name = "tanh", .value = tanh_value, .pull = tanh_pull},
    [NNB_RELU] = {.name = "relu", .value = relu_value, .pull = relu_pull},
    [NNB_LEAKY_RELU] = {.name = "leaky_relu", .value = leaky_value, .pull = leaky_pull},
    [NNB_ELU] = {.name = "elu", .value = elu_value, .pull = elu_pull},
    [NNB_SELU] = {.name = "selu", .value = selu_value, .pull = selu_pull},
    [NNB_GELU] = {.name = "gelu", .traits = NNB_ACT_NEEDS_Z, .value = gelu_value, .pull = gelu_pull},
    [NNB_SILU] = {.name = "silu", .traits = NNB_ACT_NEEDS_Z, .value = silu_value, .pull = silu_pull},
    [NNB_SOFTPLUS] = {.name = "softplus", .value = softplus_value, .pull = softplus_pull},
    [NNB_SOFTMAX] = {.name = "softmax", .traits = NNB_ACT_ROWWISE, .value = softmax_value, .pull = softmax_pull},
};
static_assert(sizeof NNB__ACTS / sizeof *NNB__ACTS == NNB_N_ACTIVATIONS, "one row for each activation");
