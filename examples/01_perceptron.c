/* Lesson 1: one neuron as a switch.  A perceptron adds up its weighted inputs and gives 1 if the sum is above a
 * threshold, else 0.  Topics: threshold, weights, bias, the bias as one more weight, the line that a neuron draws. */
#include "show.h"

/* The output of one step neuron for x; z, its weighted sum, as a separate node. */
static double answer(nnb_net *net, int neuron, nnb_cmat x, double *z) {
  nnb_real y;
  nnb_plan *plan = show_plan(net, 1);
  must(nnb_plan_predict(plan, x, nnb_view(&y, 1, 1)));
  *z = kept_at(plan, neuron, NNB_Z, 0, 0);
  nnb_plan_destroy(plan);
  return y;
}

static void threshold_and_weights(void) {
  nnb_net *net = must_have(nnb_net_create(3), "net");
  int neuron = must(nnb_net_dense(net, 1, NNB_STEP));
  nnb_cmat x = nnb_cview((nnb_real[]){0, 1, 1}, 1, 3);
  double z;

  puts("Three inputs, x = (0, 1, 1), threshold 0: the output is 1 if the sum is above the threshold.\n");
  must(nnb_net_set_weights(net, neuron, nnb_cview((nnb_real[]){1, 1, 1}, 3, 1)));
  double y = answer(net, neuron, x, &z);
  show_number("sum", z, "x1 + x2 + x3");
  show_number("output", y, "the step function of it");

  puts("\nWeights give the inputs their importance: w = (2, 3, 4).\n");
  must(nnb_net_set_weights(net, neuron, nnb_cview((nnb_real[]){2, 3, 4}, 3, 1)));
  y = answer(net, neuron, x, &z);
  show_number("weighted_sum", z, "w1·x1 + w2·x2 + w3·x3, the product of a row and a column");
  show_number("weighted_output", y, "");

  puts("\nA threshold θ is a bias b = -θ: sum > θ is the same as sum + b > 0.\n");
  must(nnb_net_set_bias(net, neuron, nnb_cview((nnb_real[]){-5}, 1, 1)));
  y = answer(net, neuron, x, &z);
  show_number("z_threshold_5", z, "the sum above minus 5");
  show_number("output_threshold_5", y, "");
  must(nnb_net_set_bias(net, neuron, nnb_cview((nnb_real[]){-8}, 1, 1)));
  y = answer(net, neuron, x, &z);
  show_number("z_threshold_8", z, "the sum above minus 8");
  show_number("output_threshold_8", y, "all or nothing: just below the threshold is nothing");
  nnb_net_destroy(net);
}

static void bias_as_weight(void) {
  nnb_net *net = must_have(nnb_net_create(4), "net");
  int neuron = must(nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .activation = NNB_STEP, .no_bias = true}));
  double z;

  puts("\nThe bias may be written as one more weight w0 behind an input x0 that is always 1: the same sum.\n");
  must(nnb_net_set_weights(net, neuron, nnb_cview((nnb_real[]){-5, 2, 3, 4}, 4, 1)));
  double y = answer(net, neuron, nnb_cview((nnb_real[]){1, 0, 1, 1}, 1, 4), &z);
  show_number("z_w0", z, "w0·1 + w1·x1 + w2·x2 + w3·x3");
  show_number("output_w0", y, "");
  nnb_net_destroy(net);
}

/* The answers to (0,0), (0,1), (1,0), (1,1). */
static void truth_table(const char *name, double w1, double w2, double b, const char *note) {
  nnb_net *net = must_have(nnb_net_create(2), "net");
  int neuron = must(nnb_net_dense(net, 1, NNB_STEP));
  nnb_real x[] = {0, 0, 0, 1, 1, 0, 1, 1}, y[4];
  must(nnb_net_set_weights(net, neuron, nnb_cview((nnb_real[]){w1, w2}, 2, 1)));
  must(nnb_net_set_bias(net, neuron, nnb_cview((nnb_real[]){b}, 1, 1)));
  must(nnb_net_predict(net, nnb_cview(x, 4, 2), nnb_view(y, 4, 1)));
  show_matrix(name, nnb_cview(y, 1, 4), note);
  nnb_net_destroy(net);
}

int main(int argc, char **argv) {
  show_start(argc, argv, "1. The perceptron", 0);
  threshold_and_weights();
  bias_as_weight();

  puts("\nA neuron with two inputs draws a line, w1·x1 + w2·x2 + b = 0, and says on which side a point lies.");
  puts("Without a bias the line goes through the origin; the bias moves it.  Answers to 00, 01, 10, 11:\n");
  truth_table("no_bias", 1, 1, 0, "w = (1, 1), b = 0: everything but the origin");
  truth_table("and", 1, 1, -1.5, "w = (1, 1), b = -1.5: the line has moved beyond 01 and 10");
  truth_table("nand", -1, -1, 1.5, "the other side of the same line");
  puts("\nNo line has 01 and 10 on one side and 00 and 11 on the other: lesson 7 says what to do then.");
}
