/* Lesson 4: four inputs, three hidden neurons, one output, three samples at once, in twelve steps; the matrix form of
 * lesson 3.  The example is from S. Ray's "Understanding and coding neural networks from scratch" and its many
 * translations.  The matrices keep their names: X, y, wh, bh, wout, bout, E, slope, d_output, d_hiddenlayer.
 *     A row is a sample:  hidden_layer_input = X·wh + bh,  output_layer_input = hiddenlayer_activations·wout + bout */
#include <math.h>
#include <string.h>

#include "show.h"

enum { HIDDEN = 2, OUTPUT = 3, N = 3, I = 4, H = 3 };

static const nnb_real X[N * I] = {1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1}, y[N] = {1, 1, 0};
static const nnb_real wh[I * H] = {0.42, 0.88, 0.55, 0.10, 0.73, 0.68, 0.60, 0.18, 0.47, 0.92, 0.11, 0.52};
static const nnb_real bh[H] = {0.46, 0.72, 0.08}, wout[H] = {0.30, 0.25, 0.23}, bout[1] = {0.69};
static const double lr = 0.1;

static nnb_net *four_three(int outputs, const nnb_real *w, const nnb_real *b) {
  nnb_net *net = must_have(nnb_net_create(I), "net");
  must(nnb_net_dense(net, H, NNB_SIGMOID));
  must(nnb_net_dense(net, outputs, NNB_SIGMOID));
  must(nnb_net_loss(net, NNB_HALF_SSE));
  must(nnb_net_set_weights(net, HIDDEN, nnb_cview(wh, I, H)));
  must(nnb_net_set_bias(net, HIDDEN, nnb_cview(bh, 1, H)));
  must(nnb_net_set_weights(net, OUTPUT, nnb_cview(w, H, outputs)));
  must(nnb_net_set_bias(net, OUTPUT, nnb_cview(b, 1, outputs)));
  return net;
}

static nnb_optim *plain_descent(nnb_net *net) {
  nnb_optim *optim = NULL;
  must(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = lr}, &optim));
  return optim;
}

static nnb_batch all_rows(void) { return (nnb_batch){.x = nnb_cview(X, N, I), .t = nnb_cview(y, N, 1)}; }

/* ---- the twelve steps ------------------------------------------------------------------------------------------ */

static void show_forward(const nnb_plan *plan) {
  puts("Step 0: the data, a row for each sample.\n");
  show_matrix("X", nnb_cview(X, N, I), "");
  show_matrix("y", nnb_cview(y, N, 1), "");
  puts("\nStep 1: weights and biases.  They are drawn at random once, at the start; here they are given.\n");
  show_matrix("wh", nnb_cview(wh, I, H), "");
  show_matrix("bh", nnb_cview(bh, 1, H), "");
  show_matrix("wout", nnb_cview(wout, H, 1), "");
  show_matrix("bout", nnb_cview(bout, 1, 1), "");
  puts("\nStep 2: what goes into the hidden layer.  Reads X, wh, bh.\n");
  show_matrix("hidden_layer_input", kept(plan, HIDDEN, NNB_Z), "X·wh + bh");
  puts("\nStep 3: the activation.  Reads hidden_layer_input.\n");
  show_matrix("hidden_activations", kept(plan, HIDDEN, NNB_A), "sigmoid(hidden_layer_input)");
  puts("\nStep 4: the same again.  Reads hidden_activations, wout, bout.\n");
  show_matrix("output_layer_input", kept(plan, OUTPUT, NNB_Z), "hidden_activations·wout + bout");
  show_matrix("output", kept(plan, OUTPUT, NNB_A), "sigmoid(output_layer_input)");
}

static void show_backward(const nnb_plan *plan) {
  puts("\nFrom here on a sign differs.  The article computes E = y - output and adds lr times the result; the library");
  puts("computes ∂E/∂output = output - y and subtracts.  Steps 5 to 9 show the article's sign: minus the library's.");
  puts("\nStep 5: the error.  Reads y, output.\n");
  show_negative("E", kept(plan, OUTPUT, NNB_DA), "y - output");
  puts("\nStep 6: the slopes, from the activations: a(1 - a).  Reads output, hidden_activations.\n");
  show_matrix("slope_output_layer", kept(plan, OUTPUT, NNB_SLOPE), "");
  show_matrix("slope_hidden_layer", kept(plan, HIDDEN, NNB_SLOPE), "");
  puts("\nStep 7: the delta of the output layer, element by element.  Reads E, slope_output_layer.\n");
  show_negative("d_output", kept(plan, OUTPUT, NNB_DELTA), "E ∘ slope_output_layer");
  puts("\nStep 8: the error goes back through the weights.  Reads d_output, wout (the old one).\n");
  show_negative("error_at_hidden", kept(plan, HIDDEN, NNB_DA), "d_output·woutᵀ");
  puts("\nStep 9: the delta of the hidden layer.  Reads error_at_hidden, slope_hidden_layer.\n");
  show_negative("d_hiddenlayer", kept(plan, HIDDEN, NNB_DELTA), "error_at_hidden ∘ slope_hidden_layer");
}

static void show_update(nnb_net *net, const nnb_plan *plan) {
  nnb_cmat view;
  puts("\nStep 10: the weights.  Reads hidden_activations, d_output, X, d_hiddenlayer.\n");
  show_negative("wout_increment", kept(plan, OUTPUT, NNB_DW), "hidden_activationsᵀ·d_output");
  show_negative("wh_increment", kept(plan, HIDDEN, NNB_DW), "Xᵀ·d_hiddenlayer");
  must(nnb_net_weights(net, OUTPUT, &view));
  show_matrix("wout_new", view, "wout + lr·wout_increment");
  must(nnb_net_weights(net, HIDDEN, &view));
  show_matrix("wh_new", view, "wh + lr·wh_increment");
  puts("\nStep 11: the biases, with the column sums of the deltas.  Reads d_output, d_hiddenlayer.\n");
  must(nnb_net_bias(net, OUTPUT, &view));
  show_matrix("bout_new", view, "");
  must(nnb_net_bias(net, HIDDEN, &view));
  show_matrix("bh_new", view, "");
}

/* ---- further updates --------------------------------------------------------------------------------------------- */

static void show_full_batch(nnb_net *net, nnb_plan *plan, nnb_optim *optim) {
  static const int stops[] = {1, 2, 10, 100, 1000, 4999, 5000, 10000};
  nnb_batch batch = all_rows();
  char name[32];
  show_decimals(6);
  puts("\nOne forward and one backward pass over all the data is an epoch.  Full batch, one update an epoch:\n");
  for (int done = 1, s = 0; s < 8; done++) {
    if (done != stops[s]) {
      must(nnb_train_step(net, plan, &batch, optim, NULL));
      continue;
    }
    double e;
    if (done > 1) must(nnb_train_step(net, plan, &batch, optim, NULL)); /* step 11 was the first */
    must(nnb_plan_loss(plan, &batch, &e));
    snprintf(name, sizeof name, "loss_after_%d", done);
    show_number(name, e, "½Σ(y - output)²");
    if (done == 4999 || done == 5000) {
      snprintf(name, sizeof name, "output_after_%d", done);
      show_matrix(name, kept(plan, OUTPUT, NNB_A), "");
    }
    s++;
  }
  puts("\nThe article's program trains for 5000 epochs and prints the output of its last forward pass, which saw");
  puts("4999 updates.");
}

/* The loss after `epochs` epochs of updates from `size` rows each, taken in order. */
static double in_order(int size, int epochs) {
  nnb_net *net = four_three(1, wout, bout);
  nnb_plan *plan = show_plan(net, N);
  nnb_optim *optim = plain_descent(net);
  nnb_batch rows = all_rows();
  double e;
  for (int k = 0; k < epochs; k++) must(nnb_train_rows(net, plan, &rows, NULL, 0, size, optim, NULL));
  must(nnb_plan_loss(plan, &rows, &e));
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  return e;
}

/* ---- two output neurons ---------------------------------------------------------------------------------------- */

static void show_two_outputs(void) {
  const nnb_real w[H * 2] = {0.30, 0.20, 0.25, 0.35, 0.23, 0.27}, b[2] = {0.69, 0.41};
  const nnb_real one_hot[N * 2] = {1, 0, 1, 0, 0, 1};
  nnb_net *net = four_three(2, w, b);
  nnb_plan *plan = show_plan(net, N);
  nnb_optim *optim = plain_descent(net);
  nnb_batch batch = {.x = nnb_cview(X, N, I), .t = nnb_cview(one_hot, N, 2)};
  int32_t classes[N];
  nnb_cmat view;
  double e;

  show_decimals(3);
  puts("\nOne output neuron says 0 or 1; two may say one class each.  The second column of weights and targets was");
  puts("made up for this lesson.  The hidden layer now gets the sum of what two deltas send back:\n");
  must(nnb_train_step(net, plan, &batch, optim, &e));
  show_number("two_loss", e, "");
  show_matrix("two_output", kept(plan, OUTPUT, NNB_A), "");
  show_negative("two_d_output", kept(plan, OUTPUT, NNB_DELTA), "");
  show_negative("two_d_hiddenlayer", kept(plan, HIDDEN, NNB_DELTA), "");
  must(nnb_net_weights(net, OUTPUT, &view));
  show_matrix("two_wout_new", view, "");
  must(nnb_net_weights(net, HIDDEN, &view));
  show_matrix("two_wh_new", view, "");
  for (int k = 1; k < 5000; k++) must(nnb_train_step(net, plan, &batch, optim, NULL));
  must(nnb_net_classify(net, batch.x, classes));
  show_matrix("two_classes", nnb_cview((nnb_real[]){classes[0], classes[1], classes[2]}, 1, N),
              "after 5000 updates: the output with the larger value");
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}

/* ---- not the library: two errors found in print, in plain C ------------------------------------------------------ */

typedef struct by_hand {
  double wh[I * H], bh[H], wout[H], bout, e;
} by_hand;

static by_hand start_by_hand(void) {
  by_hand n = {.bout = bout[0]};
  memcpy(n.wh, wh, sizeof wh), memcpy(n.bh, bh, sizeof bh), memcpy(n.wout, wout, sizeof wout);
  return n;
}

static double sigmoid(double z) { return 1 / (1 + exp(-z)); }

static double forward(const by_hand *n, int row, double h[H]) {
  double z = n->bout;
  for (int j = 0; j < H; j++) {
    double s = n->bh[j];
    for (int i = 0; i < I; i++) s += X[row * I + i] * n->wh[i * H + j];
    h[j] = sigmoid(s), z += h[j] * n->wout[j];
  }
  return sigmoid(z);
}

/* One full-batch update, new = old + step·(…), with `factor` in the output's delta. */
static void update(by_hand *n, double factor, double step) {
  by_hand old = *n;
  for (int r = 0; r < N; r++) {
    double h[H], o = forward(&old, r, h), d = (y[r] - o) * o * (1 - o) * factor;
    n->bout += step * d;
    for (int j = 0; j < H; j++) {
      double dh = d * old.wout[j] * h[j] * (1 - h[j]);
      n->wout[j] += step * h[j] * d, n->bh[j] += step * dh;
      for (int i = 0; i < I; i++) n->wh[i * H + j] += step * X[r * I + i] * dh;
    }
  }
  double h[H];
  n->e = 0;
  for (int r = 0; r < N; r++) n->e += pow(y[r] - forward(n, r, h), 2) / 2;
}

static void show_slips(void) {
  by_hand n = start_by_hand();
  show_decimals(5);
  puts(
      "\nTwo slips that are in print.  The text under one figure puts lr into d_output and then multiplies by lr once");
  puts("more, so that the step is lr²; in plain C (the library does not do this):\n");
  update(&n, lr, lr);
  show_matrix("literal_wout", nnb_cview(n.wout, H, 1), "");
  show_matrix("literal_wh", nnb_cview(n.wh, I, H), "");
  show_number("literal_bout", n.bout, "");
  show_matrix("literal_bh", nnb_cview(n.bh, 1, H), "");
  puts("\nThe section on the mathematics has ∂E/∂wh and then adds it: uphill.\n");
  n = start_by_hand();
  for (int k = 1; k <= 100; k++) {
    update(&n, 1, -lr);
    if (k == 1) show_number("wrong_sign_loss_1", n.e, "");
    if (k == 10) show_number("wrong_sign_loss_10", n.e, "");
  }
  show_number("wrong_sign_loss_100", n.e, "");
}

int main(int argc, char **argv) {
  show_start(argc, argv, "4. The 4-3-1 example in twelve steps", 3);
  nnb_net *net = four_three(1, wout, bout);
  nnb_plan *plan = show_plan(net, N);
  nnb_optim *optim = plain_descent(net);
  nnb_batch batch = all_rows();
  double first;
  must(nnb_train_step(net, plan, &batch, optim, &first)); /* all twelve at once; the plan keeps the intermediates */
  show_forward(plan);
  show_backward(plan);
  show_update(net, plan);
  show_number("loss_before", first, "½Σ(y - output)² before the update");
  show_full_batch(net, plan, optim);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);

  puts("\nStochastic: an update after each sample, so that the second one sees weights the first has changed.");
  puts("Mini-batch: after each two (the last batch has one).  In order, after one and two epochs:\n");
  show_number("sgd_epoch_1", in_order(1, 1), "");
  show_number("sgd_epoch_2", in_order(1, 2), "");
  show_number("minibatch_epoch_1", in_order(2, 1), "");
  show_number("minibatch_epoch_2", in_order(2, 2), "");
  show_two_outputs();
  show_slips();
}
