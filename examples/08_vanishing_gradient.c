/* Lesson 8: activations and their slopes, and a gradient that passes through many of them.  The slope of the logistic
 * function is at most ¼, and a chain of n neurons multiplies n slopes.  ReLU has slope 1 where it is not 0. */
#include <math.h>
#include <stdlib.h>

#include "show.h"

/* ---- the functions --------------------------------------------------------------------------------------------- */

/* f and f' at n points: one sample of a net that applies f to its n inputs. */
static void show_activation(nnb_activation f, const nnb_real *z, int n) {
  char name[64];
  nnb_net *net = must_have(nnb_net_create(n), "net");
  int node = must(nnb_net_activation(net, 0, f));
  must(nnb_net_loss(net, NNB_HALF_SSE));
  nnb_plan *plan = show_plan(net, 1);
  nnb_batch batch = {.x = nnb_cview(z, 1, n), .t = nnb_cview(z, 1, n)};
  nnb_real none; /* there are no parameters and no gradient */
  must(nnb_plan_gradient(plan, &batch, 0, NULL, &none));
  show_matrix(nnb_activation_name(f), kept(plan, node, NNB_A), "");
  snprintf(name, sizeof name, "%s_slope", nnb_activation_name(f));
  show_matrix(name, kept(plan, node, NNB_SLOPE), "");
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}

static void show_activations(void) {
  static const nnb_real z[] = {-5, -2, -0.5, 0, 0.5, 2, 5};
  puts(
      "Activations and their slopes.  That of the logistic function is even, σ'(z) = σ'(-z), and at most ¼, at 0; "
      "ReLU");
  puts(
      "has no derivative at 0, where the library takes 0; the step has slope 0 everywhere, so nothing can train it.\n");
  show_matrix("z", nnb_cview(z, 1, 7), "");
  show_activation(NNB_STEP, z, 7);
  show_activation(NNB_SIGMOID, z, 7);
  show_activation(NNB_TANH, z, 7);
  show_activation(NNB_RELU, z, 7);
}

/* ---- a chain --------------------------------------------------------------------------------------------------- */

/* da_n/dx of n neurons in a row, every weight 1, every bias 0, x = 0.5. */
static double through_chain(int n, nnb_activation f) {
  nnb_net *net = must_have(nnb_net_create(1), "net");
  nnb_real x = 0.5, one = 1, zero = 0, slope;
  nnb_plan *plan = NULL;
  for (int k = 0; k < n; k++) must(nnb_net_dense(net, 1, f));
  for (int node = 2; node <= n + 1; node++) {
    must(nnb_net_set_weights(net, node, nnb_cview(&one, 1, 1)));
    must(nnb_net_set_bias(net, node, nnb_cview(&zero, 1, 1)));
  }
  must(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_DX}, &plan));
  must(nnb_plan_vjp(plan, nnb_cview(&x, 1, 1), nnb_cview(&one, 1, 1), nnb_view(&slope, 1, 1)));
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  return slope;
}

static void show_chains(void) {
  puts("\nNeurons in a row, weights 1, biases 0: how far the last one follows the input, ∂a_n/∂x at x = 0.5.\n");
  for (int k = 0, depth[] = {1, 2, 5, 10, 20}; k < 5; k++) {
    char name[32], note[48];
    snprintf(name, sizeof name, "sigmoid_%d", depth[k]);
    snprintf(note, sizeof note, "at most ¼^%d = %.3g", depth[k], pow(0.25, depth[k]));
    show_number(name, through_chain(depth[k], NNB_SIGMOID), note);
    snprintf(name, sizeof name, "relu_%d", depth[k]);
    show_number(name, through_chain(depth[k], NNB_RELU), "");
  }
}

/* ---- a deep net ------------------------------------------------------------------------------------------------ */

enum { N = 400, DEPTH = 10, WIDTH = 16 };

/* Two rings, one inside the other: class 1 is outside. */
static nnb_data *rings(void) {
  static nnb_real x[N * 2];
  static int32_t label[N];
  nnb_data *data = NULL;
  nnb_rng rng;
  nnb_rng_init(&rng, 11, 0);
  for (int i = 0; i < N; i++) {
    double angle = 2 * acos(-1) * nnb_rng_uniform(&rng), radius = (i % 2 ? 1.5 : 0.7) + 0.1 * nnb_rng_normal(&rng);
    label[i] = i % 2, x[2 * i] = radius * cos(angle), x[2 * i + 1] = radius * sin(angle);
  }
  must(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, N, 2), .label = label}, 2, &data));
  return data;
}

static double norm(nnb_cmat m) {
  double sum = 0;
  for (int i = 0; i < m.rows; i++)
    for (int j = 0; j < m.cols; j++) sum += pow(m.p[(size_t)i * (size_t)m.ld + (size_t)j], 2);
  return sqrt(sum);
}

static void show_deep(nnb_activation f, const nnb_data *data) {
  const char *text = nnb_activation_name(f);
  char name[64];
  nnb_net *net = must_have(nnb_net_create(2), "net");
  for (int k = 0; k < DEPTH; k++) must(nnb_net_dense(net, WIDTH, f));
  must(nnb_net_dense(net, 2, NNB_SOFTMAX));
  must(nnb_net_seed(net, 1));

  nnb_plan *plan = show_plan(net, N);
  nnb_batch batch;
  nnb_real *g = must_have(malloc(nnb_net_n_params(net) * sizeof *g), "gradient");
  must(nnb_data_batch(data, 0, N, &batch));
  must(nnb_plan_gradient(plan, &batch, 0, NULL, g));
  double first = norm(kept(plan, 2, NNB_DW)), last = norm(kept(plan, DEPTH + 1, NNB_DW));
  snprintf(name, sizeof name, "%s_dW_layer_1", text);
  show_number(name, first, "size of the gradient at the first hidden layer");
  snprintf(name, sizeof name, "%s_dW_layer_%d", text, DEPTH);
  show_number(name, last, "at the last");
  snprintf(name, sizeof name, "%s_ratio", text);
  show_number(name, first / last, "");
  free(g);
  nnb_plan_destroy(plan);

  nnb_metrics metrics;
  must(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_SGD, .lr = 0.05, .batch = 20, .max_epochs = 100}, NULL));
  must(nnb_evaluate(net, data, &metrics));
  snprintf(name, sizeof name, "%s_accuracy", text);
  show_number(name, metrics.accuracy, "after 100 epochs of plain descent");
  nnb_net_destroy(net);
}

int main(int argc, char **argv) {
  show_start(argc, argv, "8. The vanishing gradient", 5);
  show_activations();
  show_chains();
  nnb_data *data = rings();
  printf("\nA net of %d hidden layers of %d neurons, to tell two rings of points apart:\n\n", DEPTH, WIDTH);
  show_deep(NNB_SIGMOID, data);
  puts("");
  show_deep(NNB_RELU, data);
  nnb_data_destroy(data);
}
