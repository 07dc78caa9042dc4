/* Lesson 18: norms and dropout on a deep net: what they change.
 *     layer norm   z ← γ ⊙ (z - μ)/√(σ² + ε) + β, μ and σ² of the row
 *     batch norm   the same with μ and σ² of each column over the batch
 *     dropout      in training each number is 0 with probability p and else multiplied by 1/(1 - p): no unit can rely
 *                  on one other unit */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

enum { DEPTH = 10, N = 400, FEW = 60, MANY = 2000 };

/* Two rings, one inside the other: class 1 is outside.  A share of the labels is wrong. */
static nnb_data *rings(int n, double wrong, uint64_t seed) {
  nnb_real *x = must_have(malloc((size_t)n * 2 * sizeof *x), "memory");
  int32_t *label = must_have(malloc((size_t)n * sizeof *label), "memory");
  nnb_data *data = NULL;
  nnb_rng rng;
  nnb_rng_init(&rng, seed, 0);
  for (int i = 0; i < n; i++) {
    const double angle = 6.283185307179586 * nnb_rng_uniform(&rng), r = 1 + i % 2 + 0.25 * nnb_rng_normal(&rng);
    x[2 * i] = r * cos(angle), x[2 * i + 1] = r * sin(angle);
    label[i] = i % 2;
    if (nnb_rng_uniform(&rng) < wrong) label[i] = 1 - label[i];
  }
  const nnb_batch rows = {.x = nnb_cview(x, n, 2), .label = label};
  must(nnb_data_copy(&rows, 2, &data));
  free(x), free(label);
  return data;
}

/* ---- norms ----------------------------------------------------------------------------------------------------- */

/* DEPTH layers of 16 sigmoid units, each with that norm, or none. */
static nnb_net *deep_net(const char *norm) {
  char layer[40];
  nnb_net *net = must_have(nnb_net_create(2), "net");
  snprintf(layer, sizeof layer, "%s:sigmoid", norm);
  for (int k = 0; k < DEPTH; k++) {
    must(nnb_net_dense(net, 16, *norm ? NNB_LINEAR : NNB_SIGMOID));
    if (*norm) must(nnb_net_layer(net, 0, layer));
  }
  must(nnb_net_dense(net, 2, NNB_SOFTMAX));
  return net;
}

/* ‖∂E/∂W‖ of the first layer over that of the last hidden one, before any step. */
static double gradient_ratio(nnb_net *net, const nnb_data *data) {
  nnb_batch batch;
  nnb_plan *plan = NULL;
  nnb_cmat w;
  double norm[2] = {0};
  const size_t n = nnb_net_n_params(net);
  nnb_real *grad = must_have(malloc(n * sizeof *grad), "memory");
  must(nnb_data_batch(data, 0, N, &batch));
  must(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = N, .want = NNB_GRAD}, &plan));
  must(nnb_plan_gradient(plan, &batch, 0, NULL, grad));
  const int nodes[2] = {2, nnb_net_find(net, "dense10")};
  for (int k = 0; k < 2; k++) {
    must(nnb_net_weights(net, nodes[k], &w));
    const nnb_real *g = grad + (w.p - nnb_net_params_read(net));
    for (int i = 0; i < w.rows * w.cols; i++) norm[k] += g[i] * g[i];
  }
  nnb_plan_destroy(plan);
  free(grad);
  return sqrt(norm[0] / norm[1]);
}

static void train_deep(const char *norm, const char *name) {
  char line[40];
  nnb_data *data = rings(N, 0, 1), *fresh = rings(MANY, 0, 2);
  nnb_net *net = deep_net(norm);
  nnb_metrics m;
  snprintf(line, sizeof line, "%s_ratio", name);
  show_number(line, gradient_ratio(net, data), "gradient of the first hidden layer / of the last one, at the start");
  must(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_ADAM, .lr = 0.01, .max_epochs = 60, .threads = 1}, NULL));
  must(nnb_evaluate(net, fresh, &m));
  snprintf(line, sizeof line, "%s_accuracy", name);
  show_number(line, m.accuracy, "new points, after 60 epochs");
  nnb_net_destroy(net);
  nnb_data_destroy(data), nnb_data_destroy(fresh);
}

/* ---- dropout --------------------------------------------------------------------------------------------------- */

/* FEW points, of which a sixth has the wrong label, and a net that can learn the noise, too. */
static void train_wide(const char *text, const char *name) {
  char line[40];
  nnb_data *data = rings(FEW, 1 / 6.0, 3), *fresh = rings(MANY, 0, 4);
  nnb_net *net = NULL;
  nnb_metrics few, many;
  must(nnb_net_parse(text, &net));
  must(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_ADAM, .max_epochs = 800, .threads = 1}, NULL));
  must(nnb_evaluate(net, data, &few));
  must(nnb_evaluate(net, fresh, &many));
  snprintf(line, sizeof line, "%s_training", name);
  show_number(line, few.accuracy, "of the points that it was trained on, wrong labels included");
  snprintf(line, sizeof line, "%s_new", name);
  show_number(line, many.accuracy, "of new points");
  snprintf(line, sizeof line, "%s_new_loss", name);
  show_number(line, many.loss, "their cross-entropy: what being sure and wrong costs");
  nnb_net_destroy(net);
  nnb_data_destroy(data), nnb_data_destroy(fresh);
}

int main(int argc, char **argv) {
  show_start(argc, argv, "Norms and dropout: what they change", 4);
  printf("%d layers of 16 sigmoid units on two rings, as in lesson 8:\n\n", DEPTH);
  train_deep("", "plain");
  train_deep("layernorm", "layernorm");
  train_deep("batchnorm", "batchnorm");
  puts("\nLayer norm gives each row numbers of about 1, but after some layers of sigmoids all rows are nearly");
  puts("the same row, and stay so.  Batch norm subtracts what all rows have in common: their differences go on.");
  printf("\n%d points of the rings, a sixth of them with the wrong label, and a net of 128 and 128 units:\n\n", FEW);
  train_wide("2-128:relu-128:relu-2:softmax", "without");
  train_wide("2-128:relu-dropout0.5-128:relu-dropout0.5-2:softmax", "dropout");
  puts("\nDropout does not find more of the right labels here; but the net without it is sure of the noise that it");
  puts("learnt, and pays for that where it is wrong.");
}
