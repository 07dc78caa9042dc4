/* Lesson 17: convolution: one weight on many arrows, and its derivative as a sum over paths.
 *     a signal x1 … x4; the window (w1 w2) at three places: z_p = w1·x_p + w2·x_(p+1) + b, a_p = σ(z_p)
 *     y = v1·a1 + v2·a2 + v3·a3 + c     E = ½(t - y)²
 * The numbers were chosen for the lesson. */
#include <stdlib.h>

#include "show.h"

enum { N = 4, PLACES = 3, WINDOW = 2, HIDDEN = 2, OUTPUT = 3 }; /* HIDDEN, OUTPUT: nodes; 1 is the input */

static const nnb_real x[N] = {0.5, -0.3, 0.8, 0.1}, w[WINDOW] = {0.7, -0.4}, b = 0.1;
static const nnb_real v[PLACES] = {0.6, -0.5, 0.9}, c = 0.2, t = 1;

static nnb_batch sample(void) { return (nnb_batch){.x = nnb_cview(x, 1, N), .t = nnb_cview(&t, 1, 1)}; }

static void finish(nnb_net *net) {
  must(nnb_net_dense(net, 1, NNB_LINEAR));
  must(nnb_net_loss(net, NNB_HALF_SSE));
  must(nnb_net_set_weights(net, OUTPUT, nnb_cview(v, PLACES, 1)));
  must(nnb_net_set_bias(net, OUTPUT, nnb_cview(&c, 1, 1)));
}

/* A signal is an image of height 1; W has a row for each number of the window and a column for each channel. */
static nnb_net *convolution(void) {
  nnb_net *net = must_have(nnb_net_create(N), "net");
  must(nnb_net_shape(net, 1, 1, 1, N));
  must(nnb_net_conv(net, 1, WINDOW, NNB_SIGMOID));
  finish(net);
  must(nnb_net_set_weights(net, HIDDEN, nnb_cview(w, WINDOW, 1)));
  must(nnb_net_set_bias(net, HIDDEN, nnb_cview(&b, 1, 1)));
  return net;
}

/* The same net with a weight of its own for each arrow. */
static nnb_net *separate_weights(void) {
  nnb_real every[N * PLACES] = {0}, biases[PLACES] = {b, b, b};
  nnb_net *net = must_have(nnb_net_create(N), "net");
  must(nnb_net_dense(net, PLACES, NNB_SIGMOID));
  finish(net);
  for (int p = 0; p < PLACES; p++)
    for (int k = 0; k < WINDOW; k++) every[(p + k) * PLACES + p] = w[k];
  must(nnb_net_set_weights(net, HIDDEN, nnb_cview(every, N, PLACES)));
  must(nnb_net_set_bias(net, HIDDEN, nnb_cview(biases, 1, PLACES)));
  return net;
}

static void forward(const nnb_plan *plan, double e) {
  puts("Forward.  Each place of the window uses the same two weights:\n");
  show_matrix("z", kept(plan, HIDDEN, NNB_Z), "z_p = w1·x_p + w2·x_(p+1) + b");
  show_matrix("a", kept(plan, HIDDEN, NNB_A), "σ(z)");
  show_number("y", kept_at(plan, OUTPUT, NNB_Z, 0, 0), "Σ v_p·a_p + c");
  show_number("half_sse", e, "E = ½(t - y)²");
}

/* The paths from E to weight k, one through each place of the window. */
static void paths(const nnb_plan *plan, int k) {
  double sum = 0;
  for (int p = 0; p < PLACES; p++) {
    char name[20], note[60];
    const double term = kept_at(plan, HIDDEN, NNB_DELTA, 0, p) * x[p + k];
    snprintf(name, sizeof name, "w%d_path%d", k + 1, p + 1);
    snprintf(note, sizeof note, "δ_%d·x%d: E, y, a%d, z%d, w%d", p + 1, p + k + 1, p + 1, p + 1, k + 1);
    show_number(name, term, note);
    sum += term;
  }
  char name[20], sum_name[20];
  snprintf(sum_name, sizeof sum_name, "w%d_sum", k + 1);
  snprintf(name, sizeof name, "dE_dw%d", k + 1);
  show_number(sum_name, sum, "the three together");
  show_number(name, kept_at(plan, HIDDEN, NNB_DW, k, 0), "what the library computes");
  puts("");
}

static void backward(nnb_net *net, const nnb_plan *plan) {
  const nnb_batch batch = sample();
  double worst;
  puts("\nBackward, to the sums z_p:\n");
  show_number("dE_dy", kept_at(plan, OUTPUT, NNB_DELTA, 0, 0), "y - t");
  show_matrix("dE_da", kept(plan, HIDDEN, NNB_DA), "(y - t)·v_p");
  show_matrix("dE_dz", kept(plan, HIDDEN, NNB_DELTA), "δ_p = (y - t)·v_p·a_p(1 - a_p)");
  puts(
      "\nA weight stands at three arrows, one for each place, so three paths lead from E to it.  Its derivative is "
      "their");
  puts("sum:\n");
  for (int k = 0; k < WINDOW; k++) paths(plan, k);
  show_number("dE_db", kept_at(plan, HIDDEN, NNB_DB, 0, 0), "δ_1 + δ_2 + δ_3");
  must(nnb_check_gradient(net, &batch, &worst));
  show_number("worst_error", worst, "against central differences, relative");
}

static void compare(void) {
  nnb_net *net = separate_weights();
  nnb_plan *plan = show_plan(net, 1);
  nnb_batch batch = sample();
  nnb_real *g = must_have(malloc(nnb_net_n_params(net) * sizeof *g), "memory");
  must(nnb_plan_gradient(plan, &batch, 0, NULL, g));
  puts(
      "\nWith a weight of its own at each arrow, the terms stand side by side in ∂E/∂W, a 4×3 matrix: w1 on the "
      "diagonal,");
  puts("w2 below it.  Weights that are 0 have derivatives, too: a dense layer could use those arrows.\n");
  show_matrix("dE_dW", kept(plan, HIDDEN, NNB_DW), "");
  printf(
      "\nThe dense layer has %d weights, the convolution %d.  For LeNet's first layer these are 784·3456 and 25·6.\n",
      N * PLACES, WINDOW);
  free(g);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}

int main(int argc, char **argv) {
  show_start(argc, argv, "17. Convolution: a shared weight is a sum over paths", 6);
  printf("x = (%g, %g, %g, %g), w = (%g, %g), b = %g, v = (%g, %g, %g), c = %g, target t = %g\n\n", x[0], x[1], x[2],
         x[3], w[0], w[1], b, v[0], v[1], v[2], c, t);
  nnb_net *net = convolution();
  nnb_plan *plan = show_plan(net, 1);
  nnb_batch batch = sample();
  nnb_real g[WINDOW + 1 + PLACES + 1];
  double e;
  must(nnb_plan_gradient(plan, &batch, 0, &e, g));
  forward(plan, e);
  backward(net, plan);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  compare();
}
