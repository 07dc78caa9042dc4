/* Lesson 10: how many hidden neurons?  The number cannot be known beforehand, so it is found by experiment.
 * Cross-validation divides the data into five parts; each is once the test set for a net trained on the other four, and
 * the number with the best mean is chosen. */
#include <math.h>

#include "show.h"

enum { N = 120, FOLDS = 5, EPOCHS = 600 };

/* Noisy samples of a curve with two bends. */
static nnb_data *samples(void) {
  static nnb_real x[N], t[N];
  nnb_data *data = NULL;
  nnb_rng rng;
  nnb_rng_init(&rng, 5, 0);
  for (int i = 0; i < N; i++) {
    x[i] = 6 * nnb_rng_uniform(&rng) - 3;
    t[i] = sin(2 * x[i]) + 0.3 * x[i] + 0.15 * nnb_rng_normal(&rng);
  }
  must(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, N, 1), .t = nnb_cview(t, N, 1)}, 0, &data));
  return data;
}

/* The errors of one net on its training data and on other data. */
static double one_fold(int hidden, const nnb_data *train, const nnb_data *test, double *train_rmse) {
  nnb_net *net = must_have(nnb_net_create(1), "net");
  nnb_metrics on_train, on_test;
  must(nnb_net_standardize(net, train));
  must(nnb_net_scale_targets(net, train, NNB_STANDARDIZE));
  must(nnb_net_dense(net, hidden, NNB_TANH));
  must(nnb_net_dense(net, 1, NNB_LINEAR));
  must(nnb_net_seed(net, 1));
  nnb_fit_opts opts = {.algo = NNB_NESTEROV, .lr = 0.02, .batch = 16, .max_epochs = EPOCHS};
  must(nnb_fit(net, train, NULL, &opts, NULL));
  opts.lr /= 10; /* smaller steps, to converge */
  must(nnb_fit(net, train, NULL, &opts, NULL));
  must(nnb_evaluate(net, train, &on_train));
  must(nnb_evaluate(net, test, &on_test));
  *train_rmse += on_train.rmse / FOLDS;
  nnb_net_destroy(net);
  return on_test.rmse;
}

int main(int argc, char **argv) {
  show_start(argc, argv, "10. How many neurons?", 4);
  static const int sizes[] = {1, 2, 4, 8, 16, 32};
  enum { SIZES = sizeof sizes / sizeof *sizes };
  double best_error = HUGE_VAL;
  int best = 0;
  nnb_data *data = samples();
  printf(
      "%d samples of sin(2x) + 0.3x with noise of deviation 0.15: no net can be much better than 0.15 on samples it\n",
      N);
  printf("has not seen.  Root mean squared errors, means over %d folds:\n\n", FOLDS);
  for (int s = 0; s < SIZES; s++) {
    double train_rmse = 0, test_rmse = 0;
    for (int fold = 0; fold < FOLDS; fold++) {
      nnb_data *train = NULL, *test = NULL;
      must(nnb_data_fold(data, FOLDS, fold, 1, &train, &test));
      test_rmse += one_fold(sizes[s], train, test, &train_rmse) / FOLDS;
      nnb_data_destroy(train);
      nnb_data_destroy(test);
    }
    char name[32], note[64];
    snprintf(name, sizeof name, "test_rmse_%d", sizes[s]);
    snprintf(note, sizeof note, "on what it was trained on %.4f; %d parameters", train_rmse, 3 * sizes[s] + 1);
    show_number(name, test_rmse, note);
    if (test_rmse < best_error) best_error = test_rmse, best = sizes[s];
  }
  puts("\nToo few cannot bend enough; more fit better, to a point, and cost more.  The best here:\n");
  show_number("best_size", best, "hidden neurons");
  show_number("best_rmse", best_error, "");
  nnb_data_destroy(data);
}
