/* Lesson 12: full-batch, mini-batch and stochastic gradient descent at the smallest scale: ten samples, two weights, y
 * = w1·x1 + w2·x2.  Ten samples make one step, or each makes its own.  batch_vs_stochastic is the same at the scale of
 * a real problem. */
#include "show.h"

enum { N = 10 };

/* t = 2·x1 - x2, with small errors. */
static const nnb_real x[N * 2] = {0.5, 1.0, -1.0, 0.3,  0.8, -0.6, -0.4, -0.9, 1.2,  0.1,
                                  0.2, 0.7, -0.7, -1.1, 0.9, 0.4,  -1.3, 0.6,  -0.1, -0.5};
static const nnb_real t[N] = {0.05, -2.25, 2.2, 0.15, 2.25, -0.35, -0.25, 1.45, -3.15, 0.35};
static const double lr = 0.1;

static nnb_batch rows(int first, int n) {
  return (nnb_batch){.x = nnb_cview(x + 2 * first, n, 2), .t = nnb_cview(t + first, n, 1)};
}

static nnb_net *two_weights(void) {
  const nnb_real w[] = {0, 0};
  nnb_net *net = must_have(nnb_net_create(2), "net");
  must(nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .no_bias = true}));
  must(nnb_net_loss(net, NNB_MSE));
  must(nnb_net_set_weights(net, 2, nnb_cview(w, 2, 1)));
  return net;
}

static void show_weights(nnb_net *net, const char *name, const char *note) {
  show_matrix(name, nnb_cview(nnb_net_params_read(net), 1, 2), note);
}

static nnb_optim *plain_descent(nnb_net *net) {
  nnb_optim *optim = NULL;
  must(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = lr}, &optim));
  return optim;
}

/* The first updates, one at a time. */
static void show_first(int batch) {
  nnb_net *net = two_weights();
  nnb_plan *plan = show_plan(net, N);
  nnb_optim *optim = plain_descent(net);
  nnb_real g[2];
  for (int k = 0; k < 2 && k * batch < N; k++) {
    char name[40];
    nnb_batch some = rows(k * batch, batch);
    must(nnb_plan_gradient(plan, &some, 0, NULL, g)); /* only to show it; the step computes it again */
    snprintf(name, sizeof name, "gradient_%d_batch_%d", k + 1, batch);
    show_matrix(name, nnb_cview(g, 1, 2), "");
    must(nnb_train_step(net, plan, &some, optim, NULL));
    snprintf(name, sizeof name, "w_%d_batch_%d", k + 1, batch);
    show_weights(net, name, "");
  }
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}

/* Whole epochs, rows in order: ⌈10/batch⌉ updates each. */
static void show_epochs(int batch, int epochs) {
  char name[40];
  nnb_net *net = two_weights();
  nnb_plan *plan = show_plan(net, N);
  nnb_optim *optim = plain_descent(net);
  nnb_batch all = rows(0, N);
  nnb_sums sums = {0};
  double loss;
  for (int k = 0; k < epochs; k++) must(nnb_train_rows(net, plan, &all, NULL, 0, batch, optim, &sums));
  must(nnb_plan_loss(plan, &all, &loss));
  snprintf(name, sizeof name, "updates_batch_%d", batch);
  show_number(name, (double)sums.updates * epochs, "");
  snprintf(name, sizeof name, "w_end_batch_%d", batch);
  show_weights(net, name, "");
  snprintf(name, sizeof name, "loss_end_batch_%d", batch);
  show_number(name, loss, "mean squared error over all ten");
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}

int main(int argc, char **argv) {
  show_start(argc, argv, "12. Ten samples, two weights", 4);
  printf("Weights start at (0, 0), learning rate %g, loss the mean squared error of the batch.\n\n", lr);
  puts("Full batch: all ten samples give one gradient, which makes one update.\n");
  show_first(10);
  puts("\nMini-batch: the mean over the first five, an update, then the other five with the new weights.\n");
  show_first(5);
  puts("\nStochastic: the first sample, an update; then the second, which sees the weights the first has changed.\n");
  show_first(1);
  puts("\nTwenty epochs of each, the same learning rate.  An epoch costs the same arithmetic in all three:\n");
  show_epochs(10, 20);
  show_epochs(5, 20);
  show_epochs(1, 20);
}
