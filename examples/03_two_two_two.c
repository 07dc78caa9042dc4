/* Lesson 3: the 2-2-2 example of Matt Mazur's "A Step by Step Backpropagation Example", which many tutorials retell.
 * Two inputs, two hidden and two output neurons, all sigmoid, E = ½Σ(target - out)², learning rate 0.5, biases fixed.
 *     net_h1 = w1·i1 + w2·i2 + b1    net_h2 = w3·i1 + w4·i2 + b1
 *     net_o1 = w5·h1 + w6·h2 + b2    net_o2 = w7·h1 + w8·h2 + b2                                                     */
#include <math.h>

#include "show.h"

enum { HIDDEN = 2, OUTPUT = 3 };

static const nnb_real inputs[] = {0.05, 0.10}, targets[] = {0.01, 0.99};
static const nnb_real w_hidden[] = {0.15, 0.25,  /* w1 w3: column j has the input weights of neuron j */
                                    0.20, 0.30}; /* w2 w4 */
static const nnb_real w_output[] = {0.40, 0.50,  /* w5 w7 */
                                    0.45, 0.55}; /* w6 w8 */
static const nnb_real b_hidden[] = {0.35, 0.35}, b_output[] = {0.60, 0.60};
static const double eta = 0.5;

static nnb_batch sample(void) { return (nnb_batch){.x = nnb_cview(inputs, 1, 2), .t = nnb_cview(targets, 1, 2)}; }

static nnb_net *two_two_two(nnb_loss loss, unsigned frozen) {
  nnb_net *net = must_have(nnb_net_create(2), "net");
  must(nnb_net_dense(net, 2, NNB_SIGMOID));
  must(nnb_net_dense(net, 2, NNB_SIGMOID));
  must(nnb_net_loss(net, loss));
  must(nnb_net_set_weights(net, HIDDEN, nnb_cview(w_hidden, 2, 2)));
  must(nnb_net_set_bias(net, HIDDEN, nnb_cview(b_hidden, 1, 2)));
  must(nnb_net_set_weights(net, OUTPUT, nnb_cview(w_output, 2, 2)));
  must(nnb_net_set_bias(net, OUTPUT, nnb_cview(b_output, 1, 2)));
  must(nnb_net_freeze(net, HIDDEN, frozen));
  must(nnb_net_freeze(net, OUTPUT, frozen));
  return net;
}

/* ---- one forward and one backward pass ------------------------------------------------------------------------- */

static void show_forward(const nnb_plan *plan, double e) {
  puts("Forward pass:\n");
  show_number("net_h1", kept_at(plan, HIDDEN, NNB_Z, 0, 0), "w1·i1 + w2·i2 + b1");
  show_number("net_h2", kept_at(plan, HIDDEN, NNB_Z, 0, 1), "");
  show_number("out_h1", kept_at(plan, HIDDEN, NNB_A, 0, 0), "1/(1 + exp(-net_h1))");
  show_number("out_h2", kept_at(plan, HIDDEN, NNB_A, 0, 1), "");
  show_number("net_o1", kept_at(plan, OUTPUT, NNB_Z, 0, 0), "w5·out_h1 + w6·out_h2 + b2");
  show_number("net_o2", kept_at(plan, OUTPUT, NNB_Z, 0, 1), "");
  double o1 = kept_at(plan, OUTPUT, NNB_A, 0, 0), o2 = kept_at(plan, OUTPUT, NNB_A, 0, 1);
  show_number("out_o1", o1, "");
  show_number("out_o2", o2, "");
  show_number("E_o1", (targets[0] - o1) * (targets[0] - o1) / 2, "½(target - out)²");
  show_number("E_o2", (targets[1] - o2) * (targets[1] - o2) / 2, "");
  show_number("E_total", e, "their sum");
}

static void show_output_layer(const nnb_plan *plan) {
  puts("\nBackward, output layer.  How E follows w5 is a product of three factors, and w5 touches E_o1 only:\n");
  show_number("dE_dout_o1", kept_at(plan, OUTPUT, NNB_DA, 0, 0), "-(target - out)");
  show_number("dout_o1_dnet_o1", kept_at(plan, OUTPUT, NNB_SLOPE, 0, 0), "out(1 - out)");
  show_number("dnet_o1_dw5", kept_at(plan, HIDDEN, NNB_A, 0, 0), "out_h1");
  show_number("dE_dw5", kept_at(plan, OUTPUT, NNB_DW, 0, 0), "their product");
  puts("\nThe first two factors together are the neuron's δ = ∂E/∂net, which w6 needs again:\n");
  show_number("delta_o1", kept_at(plan, OUTPUT, NNB_DELTA, 0, 0), "");
  show_number("delta_o2", kept_at(plan, OUTPUT, NNB_DELTA, 0, 1), "");
  show_number("dE_dw6", kept_at(plan, OUTPUT, NNB_DW, 1, 0), "δ_o1·out_h2");
  show_number("dE_dw7", kept_at(plan, OUTPUT, NNB_DW, 0, 1), "δ_o2·out_h1");
  show_number("dE_dw8", kept_at(plan, OUTPUT, NNB_DW, 1, 1), "");
}

static void show_hidden_layer(const nnb_plan *plan) {
  double d1 = kept_at(plan, OUTPUT, NNB_DELTA, 0, 0), d2 = kept_at(plan, OUTPUT, NNB_DELTA, 0, 1);
  puts("\nHidden layer.  out_h1 goes to both outputs, so both errors reach w1, and the two paths are added.  The");
  puts("factors on the way are w5 … w8 as they were, before any update:\n");
  show_number("dEo1_dout_h1", d1 * w_output[0], "δ_o1·w5, by way of o1");
  show_number("dEo2_dout_h1", d2 * w_output[1], "δ_o2·w7, by way of o2");
  show_number("dE_dout_h1", kept_at(plan, HIDDEN, NNB_DA, 0, 0), "their sum");
  show_number("dEo1_dout_h2", d1 * w_output[2], "");
  show_number("dEo2_dout_h2", d2 * w_output[3], "");
  show_number("dE_dout_h2", kept_at(plan, HIDDEN, NNB_DA, 0, 1), "");
  show_number("dout_h1_dnet_h1", kept_at(plan, HIDDEN, NNB_SLOPE, 0, 0), "out_h1(1 - out_h1)");
  show_number("delta_h1", kept_at(plan, HIDDEN, NNB_DELTA, 0, 0), "");
  show_number("delta_h2", kept_at(plan, HIDDEN, NNB_DELTA, 0, 1), "");
  show_number("dE_dw1", kept_at(plan, HIDDEN, NNB_DW, 0, 0), "δ_h1·i1");
  show_number("dE_dw2", kept_at(plan, HIDDEN, NNB_DW, 1, 0), "δ_h1·i2");
  show_number("dE_dw3", kept_at(plan, HIDDEN, NNB_DW, 0, 1), "");
  show_number("dE_dw4", kept_at(plan, HIDDEN, NNB_DW, 1, 1), "");
}

/* ---- 10000 updates --------------------------------------------------------------------------------------------- */

static void show_training(nnb_net *net, nnb_plan *plan) {
  nnb_optim *optim = NULL;
  nnb_batch batch = sample();
  nnb_cmat w;
  double e, e_before_last = 0;
  must(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = eta}, &optim));

  puts("\nThe update, w ← w - 0.5·∂E/∂w, every gradient from the old weights:\n");
  must(nnb_train_step(net, plan, &batch, optim, NULL));
  must(nnb_net_weights(net, HIDDEN, &w));
  show_matrix("w1_w3_w2_w4", w, "");
  must(nnb_net_weights(net, OUTPUT, &w));
  show_matrix("w5_w7_w6_w8", w, "");
  must(nnb_plan_loss(plan, &batch, &e));
  show_number("E_after_1", e, "");

  puts("\nRepeating it:\n");
  for (int update = 2; update <= 10000; update++) {
    char name[32];
    must(nnb_train_step(net, plan, &batch, optim, &e_before_last)); /* the loss before the update */
    if (update != 10 && update != 100 && update != 1000) continue;
    must(nnb_plan_loss(plan, &batch, &e));
    snprintf(name, sizeof name, "E_after_%d", update);
    show_number(name, e, "");
  }
  must(nnb_plan_loss(plan, &batch, &e));
  show_number("E_after_9999", e_before_last, "what the forward pass of update 10000 sees");
  show_number("E_after_10000", e, "");
  show_matrix("out_after_10000", kept(plan, OUTPUT, NNB_A), "");
  int32_t larger;
  must(nnb_net_classify(net, batch.x, &larger));
  show_number("class", larger, "the output with the larger value: 1, as in the target (0.01, 0.99)");
  nnb_optim_destroy(optim);
}

/* ---- not the library: the two mistakes in the article's printed results ------------------------------------------ */

typedef struct by_hand {
  double w[9], b1, b2, h1, h2, o1, o2, e;
} by_hand; /* w[1] … w[8] */

static by_hand start_by_hand(void) {
  return (by_hand){.w = {0, .15, .20, .25, .30, .40, .45, .50, .55}, .b1 = .35, .b2 = .60};
}

static double sigmoid(double z) { return 1 / (1 + exp(-z)); }

static void forward(by_hand *n) {
  double *w = n->w;
  n->h1 = sigmoid(w[1] * inputs[0] + w[2] * inputs[1] + n->b1);
  n->h2 = sigmoid(w[3] * inputs[0] + w[4] * inputs[1] + n->b1);
  n->o1 = sigmoid(w[5] * n->h1 + w[6] * n->h2 + n->b2);
  n->o2 = sigmoid(w[7] * n->h1 + w[8] * n->h2 + n->b2);
  n->e = (pow(targets[0] - n->o1, 2) + pow(targets[1] - n->o2, 2)) / 2;
}

/* in_turn: the output weights change first, and the hidden deltas use the new ones.  shared: each layer has one bias,
 * trained with the sum of its neurons' deltas. */
static void update(by_hand *n, bool in_turn, bool shared) {
  double *w = n->w, old[9];
  for (int k = 0; k < 9; k++) old[k] = w[k];
  double d1 = (n->o1 - targets[0]) * n->o1 * (1 - n->o1), d2 = (n->o2 - targets[1]) * n->o2 * (1 - n->o2);
  w[5] -= eta * d1 * n->h1, w[6] -= eta * d1 * n->h2, w[7] -= eta * d2 * n->h1, w[8] -= eta * d2 * n->h2;
  const double *v = in_turn ? w : old;
  double g1 = (d1 * v[5] + d2 * v[7]) * n->h1 * (1 - n->h1), g2 = (d1 * v[6] + d2 * v[8]) * n->h2 * (1 - n->h2);
  w[1] -= eta * g1 * inputs[0], w[2] -= eta * g1 * inputs[1];
  w[3] -= eta * g2 * inputs[0], w[4] -= eta * g2 * inputs[1];
  if (shared) n->b1 -= eta * (g1 + g2), n->b2 -= eta * (d1 + d2);
  forward(n);
}

static void show_sequential(void) {
  by_hand n = start_by_hand();
  puts("\nThe article prints 0.291027924 after one update, outputs 0.015912196 and 0.984065734 and a loss of");
  puts("0.0000351085 after 10000.  No single procedure gives all four: the last is the loss above after 9999 updates,");
  puts("with the old weights; the other three come from changing the output weights first and letting the hidden");
  puts("gradients see the new ones, although the text says that the original weights are used.  That order, in");
  puts("plain C (the library does not do this):\n");
  forward(&n);
  update(&n, true, false);
  show_number("sequential_w1", n.w[1], "the article has 0.149780716, from the old weights");
  show_number("sequential_E_1", n.e, "");
  for (int k = 2; k <= 10000; k++) update(&n, true, false);
  show_number("sequential_o1_10000", n.o1, "");
  show_number("sequential_o2_10000", n.o2, "");
  show_number("sequential_E_10000", n.e, "");
}

/* ---- biases, losses -------------------------------------------------------------------------------------------- */

static double loss_after_one(unsigned frozen) {
  nnb_net *net = two_two_two(NNB_HALF_SSE, frozen);
  nnb_plan *plan = show_plan(net, 1);
  nnb_optim *optim = NULL;
  nnb_batch batch = sample();
  double e;
  must(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = eta}, &optim));
  must(nnb_train_step(net, plan, &batch, optim, NULL));
  must(nnb_plan_loss(plan, &batch, &e));
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  return e;
}

static double first_loss(nnb_loss loss) {
  nnb_net *net = two_two_two(loss, 0);
  nnb_plan *plan = show_plan(net, 1);
  nnb_batch batch = sample();
  double e;
  must(nnb_plan_loss(plan, &batch, &e));
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  return e;
}

int main(int argc, char **argv) {
  show_start(argc, argv, "3. The 2-2-2 example, step by step", 9);
  nnb_net *net = two_two_two(NNB_HALF_SSE, NNB_BIAS);
  nnb_plan *plan = show_plan(net, 1);
  nnb_batch batch = sample();
  nnb_real g[12];
  double e;
  must(nnb_plan_gradient(plan, &batch, 0, &e, g));
  show_forward(plan, e);
  show_output_layer(plan);
  show_hidden_layer(plan);
  show_training(net, plan);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);

  show_sequential();

  puts("\nThe article keeps the biases.  Trained, one for each neuron, they help in the first update:\n");
  show_number("E_1_biases_fixed", loss_after_one(NNB_BIAS), "");
  show_number("E_1_biases_trained", loss_after_one(0), "");
  by_hand n = start_by_hand();
  forward(&n);
  update(&n, false, true);
  show_number("E_1_biases_shared", n.e, "one b1 and one b2 for two neurons each, in plain C");

  puts("\nThe same outputs under three losses.  With exactly two outputs and one sample, ½Σ is also the mean:\n");
  show_number("sse", first_loss(NNB_SSE), "Σ(t - a)²");
  show_number("half_sse", first_loss(NNB_HALF_SSE), "½Σ(t - a)²");
  show_number("mse", first_loss(NNB_MSE), "mean over samples and outputs");
}
