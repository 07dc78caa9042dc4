/* bench/optimisers/starts.c: from how many starts lm, varpro and bfgs reach a training loss.  Public calls only.
 *
 *     starts FILE.csv [HIDDEN [LOSS [SECONDS [STARTS]]]]      (15:tanh, 3e-4, 2, 16)
 *
 * The last column of FILE is the target; inputs and target are standardised, weights drawn from the seeds 0, 1, …  For
 * each method, with one descent (.l2 = NNB_NONE) and as it is: the starts that reached the loss within so many seconds
 * of processor time, their epochs and seconds, and the geometric mean of the losses at the end. */
#include <math.h>
#include <nnblas.h>
#include <stdlib.h>
#include <time.h>

typedef struct task {
  nnb_data *data;
  char net[200];
  double loss, seconds;
  int starts;
  double began; /* of the present fit, in processor time */
} task;

static void stop_if(nnb_status status) {
  if (!status) return;
  fprintf(stderr, "starts: %s\n", nnb_errmsg());
  exit(1);
}

static double cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int out_of_time(void *user, const nnb_record *record) {
  const task *t = user;
  (void)record;
  return cpu_now() - t->began >= t->seconds;
}

static double fit_from(task *t, nnb_algo algo, bool once, int seed, int *epochs) {
  nnb_net *net;
  nnb_report r;
  nnb_fit_opts opts = {.algo = algo,
                       .l2 = once ? NNB_NONE : 0,
                       .max_epochs = NNB_NONE,
                       .target_loss = t->loss,
                       .history = NNB_NONE,
                       .on_epoch = out_of_time,
                       .user = t};
  stop_if(nnb_net_parse(t->net, &net));
  stop_if(nnb_net_seed(net, (uint64_t)seed));
  stop_if(nnb_net_standardize(net, t->data));
  stop_if(nnb_net_scale_targets(net, t->data, NNB_STANDARDIZE));
  t->began = cpu_now();
  stop_if(nnb_fit(net, t->data, NULL, &opts, &r));
  nnb_net_destroy(net);
  *epochs = r.epochs;
  return r.best_loss;
}

static void run(task *t, nnb_algo algo, bool once) {
  int reached = 0, epochs = 0;
  double logs = 0, seconds = 0;
  for (int seed = 0, n; seed < t->starts; seed++) {
    const double loss = fit_from(t, algo, once, seed, &n);
    logs += log(loss);
    if (!(loss <= t->loss)) continue;
    reached++, epochs += n, seconds += cpu_now() - t->began;
  }
  const int n = reached > 0 ? reached : 1;
  printf("%-7s %-13s %2d of %d starts, %5d epochs and %.2f s in the mean; mean loss %.3g\n", nnb_algo_name(algo),
         once ? "one descent" : "as it is", reached, t->starts, epochs / n, seconds / n, exp(logs / t->starts));
  fflush(stdout);
}

int main(int argc, char **argv) {
  static const nnb_algo algos[] = {NNB_LM, NNB_VARPRO, NNB_BFGS};
  if (argc < 2) return fprintf(stderr, "starts FILE.csv [HIDDEN [LOSS [SECONDS [STARTS]]]]\n"), 1;
  task t = {.loss = argc > 3 ? atof(argv[3]) : 3e-4,
            .seconds = argc > 4 ? atof(argv[4]) : 2,
            .starts = argc > 5 ? atoi(argv[5]) : 16};
  stop_if(nnb_set_threads(1));
  stop_if(nnb_data_read_csv(argv[1], NULL, &t.data));
  snprintf(t.net, sizeof t.net, "%d-%s-%d:linear", nnb_data_n_in(t.data), argc > 2 ? argv[2] : "15:tanh",
           nnb_data_n_out(t.data));
  for (size_t i = 0; i < sizeof algos / sizeof *algos; i++) run(&t, algos[i], true), run(&t, algos[i], false);
  nnb_data_destroy(t.data);
  return 0;
}
