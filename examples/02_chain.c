/* Lesson 2: two neurons in a row, x → (w1, b1) → a1 → (w2, b2) → a2, and the chain rule.
 *     z1 = w1·x + b1   a1 = σ(z1)   z2 = w2·a1 + b2   a2 = σ(z2)   E = ½(t - a2)²
 * The tutorial that this lesson follows has formulas but no numbers; the numbers here were chosen for the lesson. */
#include <math.h>

#include "show.h"

enum { HIDDEN = 2, OUTPUT = 3 }; /* nodes; 1 is the input */

static const nnb_real x = 0.5, w1 = 0.4, b1 = 0.1, w2 = 0.6, b2 = -0.2, t = 0.9;
static const double eta = 0.5;

static nnb_batch sample(void) { return (nnb_batch){.x = nnb_cview(&x, 1, 1), .t = nnb_cview(&t, 1, 1)}; }

static nnb_net *chain(nnb_loss loss) {
  nnb_net *net = must_have(nnb_net_create(1), "net");
  must(nnb_net_dense(net, 1, NNB_SIGMOID));
  must(nnb_net_dense(net, 1, NNB_SIGMOID));
  must(nnb_net_loss(net, loss));
  must(nnb_net_set_weights(net, HIDDEN, nnb_cview(&w1, 1, 1)));
  must(nnb_net_set_bias(net, HIDDEN, nnb_cview(&b1, 1, 1)));
  must(nnb_net_set_weights(net, OUTPUT, nnb_cview(&w2, 1, 1)));
  must(nnb_net_set_bias(net, OUTPUT, nnb_cview(&b2, 1, 1)));
  return net;
}

static void derivatives(void) {
  nnb_net *net = chain(NNB_HALF_SSE);
  nnb_plan *plan = show_plan(net, 1);
  nnb_batch batch = sample();
  nnb_real g[4]; /* w1, b1, w2, b2 */
  double e, worst;
  must(nnb_plan_gradient(plan, &batch, 0, &e, g));

  puts("Forward, from left to right:\n");
  show_number("z1", kept_at(plan, HIDDEN, NNB_Z, 0, 0), "w1·x + b1");
  show_number("a1", kept_at(plan, HIDDEN, NNB_A, 0, 0), "σ(z1)");
  show_number("z2", kept_at(plan, OUTPUT, NNB_Z, 0, 0), "w2·a1 + b2");
  show_number("a2", kept_at(plan, OUTPUT, NNB_A, 0, 0), "σ(z2)");
  show_number("half_sse", e, "E = ½(t - a2)²");

  puts("\nBackward: each derivative is the product of those along the path from E to it.\n");
  show_number("dE_da2", kept_at(plan, OUTPUT, NNB_DA, 0, 0), "a2 - t");
  show_number("da2_dz2", kept_at(plan, OUTPUT, NNB_SLOPE, 0, 0), "a2(1 - a2)");
  show_number("dE_dz2", kept_at(plan, OUTPUT, NNB_DELTA, 0, 0), "δ2 = (a2 - t)·a2(1 - a2)");
  show_number("dE_dw2", kept_at(plan, OUTPUT, NNB_DW, 0, 0), "δ2·a1");
  show_number("dE_db2", kept_at(plan, OUTPUT, NNB_DB, 0, 0), "δ2·1");
  show_number("dE_da1", kept_at(plan, HIDDEN, NNB_DA, 0, 0), "δ2·w2: what stands at the arrow");
  show_number("da1_dz1", kept_at(plan, HIDDEN, NNB_SLOPE, 0, 0), "a1(1 - a1)");
  show_number("dE_dz1", kept_at(plan, HIDDEN, NNB_DELTA, 0, 0), "δ1 = δ2·w2·a1(1 - a1)");
  show_number("dE_dw1", kept_at(plan, HIDDEN, NNB_DW, 0, 0), "δ1·x");
  show_number("dE_db1", kept_at(plan, HIDDEN, NNB_DB, 0, 0), "δ1·1");
  must(nnb_check_gradient(net, &batch, &worst));
  show_number("worst_error", worst, "against central differences, relative");

  puts("\nA sign to watch.  The tutorial's δ has (t - a) in it, which is the negative derivative:\n");
  show_negative("tutorial_delta2", kept(plan, OUTPUT, NNB_DELTA), "");
  show_negative("tutorial_delta1", kept(plan, HIDDEN, NNB_DELTA), "");
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}

/* y(u(x)): every circle of the graph is a function, every arrow a factor. */
static void chain_rule(void) {
  nnb_net *net = chain(NNB_HALF_SSE);
  nnb_plan *plan = NULL;
  nnb_real one = 1, product;
  must(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_DX}, &plan));
  must(nnb_plan_vjp(plan, nnb_cview(&x, 1, 1), nnb_cview(&one, 1, 1), nnb_view(&product, 1, 1)));
  puts("\nThe same rule tells how the output follows the input: da2/dx is the product along x → z1 → a1 → z2 → a2.\n");
  show_number("da2_dx", product, "w1 · a1(1-a1) · w2 · a2(1-a2)");
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}

/* E after one update by the library.  frozen: the parts of both layers that do not change. */
static double loss_after_update(unsigned frozen, nnb_real after[4]) {
  nnb_net *net = chain(NNB_HALF_SSE);
  nnb_plan *plan = show_plan(net, 1);
  nnb_optim *optim = NULL;
  nnb_batch batch = sample();
  double e;
  must(nnb_net_freeze(net, HIDDEN, frozen));
  must(nnb_net_freeze(net, OUTPUT, frozen));
  must(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = eta}, &optim));
  must(nnb_train_step(net, plan, &batch, optim, NULL));
  must(nnb_plan_loss(plan, &batch, &e));
  for (int i = 0; i < 4; i++) after[i] = nnb_net_params_read(net)[i];
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  return e;
}

/* Not the library: the mistake, in plain C. */
static double sigmoid(double z) { return 1 / (1 + exp(-z)); }
static double loss_after_wrong_update(void) {
  double a1 = sigmoid(w1 * x + b1), a2 = sigmoid(w2 * a1 + b2);
  double d2 = (t - a2) * a2 * (1 - a2), d1 = d2 * w2 * a1 * (1 - a1); /* with the tutorial's sign */
  double v1 = w1 - eta * d1 * x, v2 = w2 - eta * d2 * a1;             /* and a minus: the error increases */
  a2 = sigmoid(v2 * sigmoid(v1 * x + b1) + b2);
  return (t - a2) * (t - a2) / 2;
}

int main(int argc, char **argv) {
  show_start(argc, argv, "2. Two neurons in a row, and the chain rule", 6);
  printf("x = %g, w1 = %g, b1 = %g, w2 = %g, b2 = %g, target t = %g, learning rate η = %g\n\n", x, w1, b1, w2, b2, t,
         eta);
  derivatives();
  chain_rule();

  nnb_real after[4];
  puts("\nOne update, w ← w - η·∂E/∂w, makes the loss smaller:\n");
  show_number("loss_weights_only", loss_after_update(NNB_BIAS, after), "biases frozen");
  show_number("loss_with_biases", loss_after_update(0, after), "biases trained as well");
  show_number("w1_new", after[0], "");
  show_number("b1_new", after[1], "");
  show_number("w2_new", after[2], "");
  show_number("b2_new", after[3], "");
  puts("\nδ with (t - a) goes with a plus in the update, δ with (a - t) with a minus.  Mixed up, in plain C (the");
  puts("library does not do this), the loss grows:\n");
  show_number("loss_after_wrong_sign", loss_after_wrong_update(), "");

  puts("\nThe sum of squared errors without the ½ doubles every derivative:\n");
  nnb_net *net = chain(NNB_SSE);
  nnb_plan *plan = show_plan(net, 1);
  nnb_batch batch = sample();
  nnb_real g[4];
  double e;
  must(nnb_plan_gradient(plan, &batch, 0, &e, g));
  show_number("sse", e, "(t - a2)²");
  show_number("sse_dE_dw2", g[2], "");
  show_number("sse_dE_dw1", g[0], "");
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
