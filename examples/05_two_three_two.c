/* Lesson 5: a 2-3-2 net without biases, sigmoid, learning rate 0.1, after "The Mathematics of Neural Networks: a
 * complete example".
 *
 * The numbers are made up.  Those of the source were in pictures that are lost; its text has two deltas, -0.0984 and
 * 0.1479.  Inputs and weights here were chosen so that these two result; many other choices are possible. */
#include "show.h"

enum { HIDDEN = 2, OUTPUT = 3 };

static const nnb_real x[] = {0.8, 0.3}, expected[] = {1, 0};
static const nnb_real W1[] = {0.2, 0.9, 0.4,  /* w1 w3 w5: from x1 to h1 h2 h3 */
                              0.3, 0.9, 0.2}; /* w2 w4 w6: from x2             */
static const nnb_real W2[] = {0.3, 0.7,       /* w7 w10: from h1 to o1 o2      */
                              0.2, 0.1,       /* w8 w11                        */
                              0.1, 0.5};      /* w9 w12                        */
static const double lr = 0.1;

static nnb_net *two_three_two(void) {
  nnb_net *net = must_have(nnb_net_create(2), "net");
  must(nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 3, .activation = NNB_SIGMOID, .no_bias = true}));
  must(nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .activation = NNB_SIGMOID, .no_bias = true}));
  must(nnb_net_loss(net, NNB_MSE));
  must(nnb_net_set_weights(net, HIDDEN, nnb_cview(W1, 2, 3)));
  must(nnb_net_set_weights(net, OUTPUT, nnb_cview(W2, 3, 2)));
  return net;
}

static void show_passes(const nnb_plan *plan, double mse) {
  puts("Forward: s is a weighted sum, a its activation.\n");
  show_matrix("s_h", kept(plan, HIDDEN, NNB_Z), "");
  show_matrix("a_h", kept(plan, HIDDEN, NNB_A), "");
  show_matrix("s_o", kept(plan, OUTPUT, NNB_Z), "");
  show_matrix("a_o", kept(plan, OUTPUT, NNB_A), "");
  show_number("mse", mse, "with two outputs also ½Σ(a - expected)²: no factor in the delta");

  puts("\nBackward, weight 7 (from h1 to o1) as the example: three partial derivatives.\n");
  show_number("dE_da_o1", kept_at(plan, OUTPUT, NNB_DA, 0, 0), "a_o1 - expected1");
  show_number("da_o1_ds_o1", kept_at(plan, OUTPUT, NNB_SLOPE, 0, 0), "a_o1(1 - a_o1)");
  show_number("ds_o1_dw7", kept_at(plan, HIDDEN, NNB_A, 0, 0), "a_h1");
  show_number("dE_dw7", kept_at(plan, OUTPUT, NNB_DW, 0, 0), "their product");
  puts(
      "\nThe first two are the node's delta; the source prints -0.0984 and 0.1479.  Every weight that ends in the "
      "node");
  puts("uses it again:\n");
  show_matrix("delta_o", kept(plan, OUTPUT, NNB_DELTA), "");
  show_matrix("grad_W2", kept(plan, OUTPUT, NNB_DW), "a_hᵀ·delta_o");
  puts("\nOne layer back, ∂s_o/∂a_h is simply the weight between the two, the old one:\n");
  show_matrix("dE_da_h", kept(plan, HIDDEN, NNB_DA), "delta_o·W2ᵀ");
  show_matrix("delta_h", kept(plan, HIDDEN, NNB_DELTA), "dE_da_h ∘ a_h(1 - a_h)");
  show_matrix("grad_W1", kept(plan, HIDDEN, NNB_DW), "xᵀ·delta_h");
}

static void show_update(nnb_net *net, nnb_plan *plan, const nnb_batch *batch, nnb_optim *optim) {
  nnb_cmat w;
  double mse, worst;
  must(nnb_check_gradient(net, batch, &worst));
  show_number("worst_error", worst, "against central differences, relative");
  must(nnb_train_step(net, plan, batch, optim, NULL));
  puts("\nSubtract the learning rate times the gradient from every weight, w7' = w7 - 0.1·∂E/∂w7:\n");
  must(nnb_net_weights(net, HIDDEN, &w));
  show_matrix("W1_new", w, "");
  must(nnb_net_weights(net, OUTPUT, &w));
  show_matrix("W2_new", w, "");
  must(nnb_plan_loss(plan, batch, &mse));
  show_matrix("a_o_second", kept(plan, OUTPUT, NNB_A), "the second forward pass");
  show_number("mse_second", mse, "");
}

/* Several samples, several epochs: every sample once is an epoch. */
static void show_epochs(void) {
  const nnb_real xs[] = {0.8, 0.3, 0.1, 0.9}, ts[] = {1, 0, 0, 1};
  nnb_batch rows = {.x = nnb_cview(xs, 2, 2), .t = nnb_cview(ts, 2, 2)};
  nnb_net *net = two_three_two();
  nnb_data *data = NULL;
  nnb_report report;
  must(nnb_data_wrap(&rows, 0, &data));
  must(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_SGD, .lr = lr, .batch = 1, .max_epochs = 2000}, &report));
  puts("\nA net sees several instances, each of them once in an epoch, for several epochs.  With a second instance,");
  puts("(0.1, 0.9) → (0, 1), one update after each:\n");
  show_number("epochs", report.epochs, "");
  show_number("updates", (double)report.updates, "");
  show_number("mse_first_epoch", report.history[0].loss, "");
  show_number("mse_last_epoch", report.loss, "");
  nnb_data_destroy(data);
  nnb_net_destroy(net);
}

int main(int argc, char **argv) {
  show_start(argc, argv, "5. The 2-3-2 example (a stand-in for lost numbers)", 4);
  nnb_net *net = two_three_two();
  nnb_plan *plan = show_plan(net, 1);
  nnb_optim *optim = NULL;
  nnb_batch batch = {.x = nnb_cview(x, 1, 2), .t = nnb_cview(expected, 1, 2)};
  nnb_real g[12];
  double mse;
  must(nnb_plan_gradient(plan, &batch, 0, &mse, g));
  show_passes(plan, mse);
  must(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = lr}, &optim));
  show_update(net, plan, &batch, optim);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  show_epochs();
}
