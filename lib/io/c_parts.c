/* io/c_parts.c: the formulas are those of num/kernels/act_vec.h and loss_vec.h, element by element. */
#include "c_parts.h"

/* ---- helpers ----------------------------------------------------------------------------------------------------- */

#define EACH(body) "  for (int j = 0; j < n; ++j) {\n    " body "\n  }\n}\n"

static const char *const helpers[NNB__C_N_HELPERS] = {
    [NNB__C_ZERO] = "/* y = 0 */\nstatic void @_zero(int n, $ *y)\n{\n" EACH("y[j] = 0.0~;"),
    [NNB__C_COPY] = "/* y = x */\nstatic void @_copy(int n, const $ *x, $ *y)\n{\n" EACH("y[j] = x[j];"),
    [NNB__C_ADD] = "/* y = y + x */\nstatic void @_add(int n, const $ *x, $ *y)\n{\n" EACH("y[j] += x[j];"),
    [NNB__C_TIMES] =
        "/* y = y * factor */\nstatic void @_times(int n, const $ *factor, $ *y)\n{\n" EACH("y[j] *= factor[j];"),
    [NNB__C_MULTIPLY] =
        "/* y = y + x W, W: n_in rows of n_out */\n"
        "static void @_multiply(int n_in, int n_out, const ^ *w, const $ *x, $ *y)\n{\n"
        "  const ^ *row = w;\n"
        "  for (int i = 0; i < n_in; ++i) {\n"
        "    const $ xi = x[i];\n"
        "    for (int j = 0; j < n_out; ++j) {\n"
        "      y[j] += xi * ($)row[j];\n"
        "    }\n"
        "    row = &row[n_out];\n"
        "  }\n}\n",
    [NNB__C_BACK] =
        "/* x = x + W d */\n"
        "static void @_back(int n_in, int n_out, const ^ *w, const $ *d, $ *x)\n{\n"
        "  const ^ *row = w;\n"
        "  for (int i = 0; i < n_in; ++i) {\n"
        "    $ sum = 0.0~;\n"
        "    for (int j = 0; j < n_out; ++j) {\n"
        "      sum += ($)row[j] * d[j];\n"
        "    }\n"
        "    x[i] += sum;\n"
        "    row = &row[n_out];\n"
        "  }\n}\n",
    [NNB__C_SCALE] =
        "/* y = (x - shift) * factor */\n"
        "static void @_scale(int n, const $ *shift, const $ *factor, const $ *x, $ *y)\n{\n" EACH(
            "y[j] = (x[j] - shift[j]) * factor[j];"),
    [NNB__C_UNSCALE] =
        "/* y = y / factor + shift */\n"
        "static void @_unscale(int n, const $ *shift, const $ *factor, $ *y)\n{\n" EACH(
            "y[j] = (y[j] / factor[j]) + shift[j];"),
    [NNB__C_DESCEND] =
        "/* W = W - lr x d */\n"
        "static void @_descend(int n_in, int n_out, $ lr, const $ *x, const $ *d, $ *w)\n{\n"
        "  $ *row = w;\n"
        "  for (int i = 0; i < n_in; ++i) {\n"
        "    const $ c = lr * x[i];\n"
        "    for (int j = 0; j < n_out; ++j) {\n"
        "      row[j] -= c * d[j];\n"
        "    }\n"
        "    row = &row[n_out];\n"
        "  }\n}\n",
    [NNB__C_DESCEND_BIAS] =
        "/* b = b - lr d */\nstatic void @_descend_bias(int n, $ lr, const $ *d, $ *b)\n{\n" EACH("b[j] -= lr * d[j];"),
};

void nnb__c_put_helper(nnb__c_text *out, nnb__c_helper helper) {
  nnb__c_paste(out, "\n");
  nnb__c_paste(out, helpers[helper] ? helpers[helper] : nnb__c_layer_helper(helper));
}

/* ---- activations ------------------------------------------------------------------------------------------------- */

#define SELU_SCALE "1.05070098735548049342~"
#define SELU_ALPHA "1.67326324235437728482~"
#define SELU_SLOPE "1.75809934084737685994~" /* scale·alpha */

static const char softmax_value[] =
    "  $ most = v[0];\n"
    "  $ sum = 0.0~;\n"
    "  for (int j = 1; j < n; ++j) {\n"
    "    most = (v[j] > most) ? v[j] : most;\n"
    "  }\n"
    "  for (int j = 0; j < n; ++j) {\n"
    "    v[j] = exp~(v[j] - most);\n"
    "    sum += v[j];\n"
    "  }\n"
    "  for (int j = 0; j < n; ++j) {\n"
    "    v[j] /= sum;\n"
    "  }\n";
static const char softmax_pull[] =
    "  $ sum = 0.0~;\n"
    "  for (int j = 0; j < n; ++j) {\n"
    "    sum += v[j] * d[j];\n"
    "  }\n"
    "  for (int j = 0; j < n; ++j) {\n"
    "    d[j] = v[j] * (d[j] - sum);\n"
    "  }\n";

static const nnb__c_act acts[] = {
    {.activation = NNB_LINEAR},
    {.activation = NNB_STEP, .value = "(z > 0.0~) ? 1.0~ : ((z < 0.0~) ? 0.0~ : z)"},
    {.activation = NNB_SIGMOID, .value = "1.0~ / (1.0~ + exp~(-z))", .pull = "g * (a * (1.0~ - a))"},
    {.activation = NNB_TANH, .value = "tanh~(z)", .pull = "g * ((1.0~ - a) * (1.0~ + a))"},
    {.activation = NNB_RELU, .value = "(z < 0.0~) ? 0.0~ : z", .pull = "(a > 0.0~) ? g : 0.0~"},
    {.activation = NNB_LEAKY_RELU, .value = "(z > 0.0~) ? z : (0.01~ * z)", .pull = "(a > 0.0~) ? g : (0.01~ * g)"},
    {.activation = NNB_ELU, .value = "(z > 0.0~) ? z : expm1~(z)", .pull = "(a > 0.0~) ? g : ((a + 1.0~) * g)"},
    {.activation = NNB_SELU,
     .value = SELU_SCALE " * ((z > 0.0~) ? z : (" SELU_ALPHA " * expm1~(z)))",
     .pull = "g * ((a > 0.0~) ? " SELU_SCALE " : (a + " SELU_SLOPE "))"},
    {.activation = NNB_GELU,
     .from_z = true,
     .value = "(z < -40.0~) ? 0.0~ : (0.5~ * (z * erfc~(-0.70710678118654752440~ * z)))",
     .pull = "g * ((0.5~ * erfc~(-0.70710678118654752440~ * z)) +\n"
             "           (((z < -40.0~) || (z > 40.0~)) ? 0.0~ : (0.39894228040143267794~ * (z * exp~(-0.5~ * (z * "
             "z))))))"},
    {.activation = NNB_SILU,
     .from_z = true,
     .value = "(z < -800.0~) ? 0.0~ : (z / (1.0~ + exp~(-z)))",
     .pull = "g * ((1.0~ / (1.0~ + exp~(-z))) +\n"
             "           (((z < -800.0~) || (z > 800.0~)) ? 0.0~ : (z / ((1.0~ + exp~(z)) * (1.0~ + exp~(-z))))))"},
    {.activation = NNB_SOFTPLUS,
     .value = "((z > 0.0~) ? z : 0.0~) + log1p~(exp~((z > 0.0~) ? -z : z))",
     .pull = "g * -expm1~(-a)"},
    {.activation = NNB_SOFTMAX, .value_rows = softmax_value, .pull_rows = softmax_pull},
};

const nnb__c_act *nnb__c_act_find(int activation) {
  for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
    if ((int)acts[i].activation == activation) return &acts[i];
  return NULL;
}

void nnb__c_put_value(nnb__c_text *out, const nnb__c_act *act) {
  const char *name = nnb_activation_name(act->activation);
  nnb__c_put(out, "\nstatic void @_act_%s(int n, $ *v)\n{\n", name);
  if (act->value) nnb__c_paste(out, "  for (int j = 0; j < n; ++j) {\n    const $ z = v[j];\n    v[j] = ");
  nnb__c_paste(out, act->value ? act->value : act->value_rows);
  nnb__c_paste(out, act->value ? ";\n  }\n}\n" : "}\n");
}

void nnb__c_put_pull(nnb__c_text *out, const nnb__c_act *act) {
  const char *name = nnb_activation_name(act->activation);
  nnb__c_put(out, "\nstatic void @_act_%s_pull(int n, const $ *v, $ *d)\n{\n", name);
  if (act->pull)
    nnb__c_put(out, "  for (int j = 0; j < n; ++j) {\n    const $ %c = v[j];\n    const $ g = d[j];\n    d[j] = ",
               act->from_z ? 'z' : 'a');
  nnb__c_paste(out, act->pull ? act->pull : act->pull_rows);
  nnb__c_paste(out, act->pull ? ";\n  }\n}\n" : "}\n");
}

/* ---- losses ------------------------------------------------------------------------------------------------------ */

static const nnb__c_loss losses[] = {
    {.loss = NNB_HALF_SSE, .slope = "a[j] - t[j]"},
    {.loss = NNB_SSE, .slope = "2.0~ * (a[j] - t[j])"},
    {.loss = NNB_MSE, .mean = true, .slope = "2.0~ * (a[j] - t[j])"},
    {.loss = NNB_MAE, .mean = true, .slope = "(a[j] > t[j]) ? 1.0~ : ((a[j] < t[j]) ? -1.0~ : 0.0~)"},
    {.loss = NNB_HUBER,
     .mean = true,
     .slope = "((a[j] - t[j]) > delta) ? delta : (((a[j] - t[j]) < -delta) ? -delta : (a[j] - t[j]))",
     .limited = true},
    {.loss = NNB_BINARY_CROSS_ENTROPY,
     .slope = "((1.0~ - t[j]) / (((1.0~ - a[j]) > `) ? (1.0~ - a[j]) : `)) -\n"
              "                 (t[j] / ((a[j] > `) ? a[j] : `))",
     .fused = true,
     .fuses = NNB_SIGMOID},
    {.loss = NNB_CROSS_ENTROPY,
     .slope = "-t[j] / ((a[j] > `) ? a[j] : `)",
     .fused = true,
     .fuses = NNB_SOFTMAX,
     .times_total = true},
};

const nnb__c_loss *nnb__c_loss_find(nnb_loss loss) {
  for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
    if (losses[i].loss == loss) return &losses[i];
  return NULL;
}

void nnb__c_put_slope(nnb__c_text *out, const nnb__c_loss *loss, bool fused) {
  nnb__c_paste(out, "\n/* d = d + c * slope of the loss */\n");
  nnb__c_put(out, "static void @_%s_%sslope(int n, $ c, %sconst $ *a, const $ *t, $ *d)\n{\n",
             nnb_loss_name(loss->loss), fused ? "logit_" : "", loss->limited ? "$ delta, " : "");
  if (fused && loss->times_total)
    nnb__c_paste(out, "  $ total = 0.0~;\n  for (int j = 0; j < n; ++j) {\n    total += t[j];\n  }\n");
  nnb__c_paste(out, "  for (int j = 0; j < n; ++j) {\n    d[j] += c * (");
  nnb__c_paste(out, !fused ? loss->slope : loss->times_total ? "(total * a[j]) - t[j]" : "a[j] - t[j]");
  nnb__c_paste(out, ");\n  }\n}\n");
}
