/* nnb_fit in public calls: a plan, an optimiser, and one nnb_train_rows for each epoch.  Copy it if nnb_fit does not do
 * what you need.  It gives the same bits as nnb_fit; the program exits with 1 if it does not. */
#include <nnblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Any optimiser that steps from batch to batch, with shuffled mini-batches, for max_epochs epochs.  These fields of
 * opts must be set: algo, lr, momentum, batch, chunk, max_epochs, seed. */
static nnb_status fit_by_hand(nnb_net *net, const nnb_data *data, const nnb_fit_opts *opts, double *last_loss) {
  int n = nnb_data_rows(data), batch = opts->batch == NNB_FULL_BATCH || opts->batch > n ? n : opts->batch;
  nnb_plan_opts plan_opts = {.max_rows = batch < opts->chunk ? batch : opts->chunk, .want = NNB_GRAD};
  nnb_optim_opts optim_opts = {.algo = opts->algo, .lr = opts->lr, .momentum = opts->momentum};
  nnb_plan *plan = NULL;
  nnb_optim *optim = NULL;
  nnb_batch rows;
  int32_t *order = malloc((size_t)n * sizeof *order);

  nnb_status status = order ? nnb_plan_create(net, &plan_opts, &plan) : NNB_E_NOMEM;
  if (!status) status = nnb_optim_create(net, &optim_opts, &optim);
  if (!status) status = nnb_data_batch(data, 0, n, &rows); /* views: nothing is copied */
  for (int epoch = 0; !status && epoch < opts->max_epochs; epoch++) {
    nnb_sums sums;
    nnb_rng rng;
    nnb_rng_init(&rng, opts->seed, (uint64_t)epoch); /* the order depends only on the seed and the epoch */
    nnb_rng_shuffle(&rng, order, n);
    const bool all = batch == n; /* one update: the order of its rows does not matter */
    status = nnb_train_rows(net, plan, &rows, all ? NULL : order, all ? 0 : n, batch, optim, &sums);
    *last_loss = sums.loss;
  }
  free(order);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  return status;
}

/* Points in four clouds; opposite clouds belong to the same class. */
static nnb_data *clouds(void) {
  enum { N = 203 };
  static nnb_real x[N * 2];
  static int32_t label[N];
  nnb_data *data = NULL;
  nnb_rng rng;
  nnb_rng_init(&rng, 1, 0);
  for (int i = 0; i < N; i++) {
    int right = i & 1, top = i >> 1 & 1;
    x[2 * i] = right + 0.2 * nnb_rng_normal(&rng), x[2 * i + 1] = top + 0.2 * nnb_rng_normal(&rng);
    label[i] = right ^ top;
  }
  nnb_batch rows = {.x = nnb_cview(x, N, 2), .label = label};
  return nnb_data_copy(&rows, 2, &data) ? NULL : data;
}

/* Trains one copy in each way.  Returns 1 if parameters and loss have the same bits, 0 if not, -1 for an error. */
static int same_bits(const nnb_net *start, const nnb_data *data, const nnb_fit_opts *opts) {
  nnb_net *a = NULL, *b = NULL;
  nnb_report report;
  double loss = 0;
  int same = -1;
  if (nnb_net_copy(start, &a) || nnb_net_copy(start, &b)) goto done;
  if (nnb_fit(a, data, NULL, opts, &report) || fit_by_hand(b, data, opts, &loss)) goto done;
  size_t bytes = nnb_net_n_params(a) * sizeof(nnb_real);
  same = memcmp(nnb_net_params_read(a), nnb_net_params_read(b), bytes) == 0 && report.loss == loss;
  printf("  %-9s batch %4d   nnb_fit %.12f   by hand %.12f   same bits: %s\n", nnb_algo_name(opts->algo), opts->batch,
         report.loss, loss, same ? "yes" : "no");
done:
  nnb_net_destroy(a);
  nnb_net_destroy(b);
  return same;
}

int main(int argc, char **argv) {
  if (argc > 1) {
    bool help = strcmp(argv[1], "--help") == 0;
    fprintf(help ? stdout : stderr, "usage: %s\nnnb_fit beside the same loop in public calls; no options.\n", argv[0]);
    return help ? 0 : 2;
  }
  static const nnb_algo algos[] = {NNB_SGD, NNB_MOMENTUM, NNB_NESTEROV, NNB_ADAM};
  static const int batches[] = {1, 16, 50, NNB_FULL_BATCH};
  nnb_data *data = clouds();
  nnb_net *net = NULL;
  int all = 0;
  if (!data || nnb_net_parse("2-8:tanh-2:softmax", &net) || nnb_net_init(net, 1)) goto failed;
  puts("Loss of the last epoch, trained by nnb_fit and by the loop written out:\n");
  for (int k = 0; k < 16; k++) {
    nnb_fit_opts opts = {.algo = algos[k / 4],
                         .lr = 0.1,
                         .momentum = 0.5,
                         .batch = batches[k % 4],
                         .chunk = 64,
                         .max_epochs = 20,
                         .seed = 42};
    int same = same_bits(net, data, &opts);
    if (same < 0) goto failed;
    all += same;
  }
  printf("\n  same_bits              = %d   of 16\n", all);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  return all == 16 ? 0 : 1;
failed:
  fprintf(stderr, "%s\n", nnb_errmsg());
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  return 1;
}
