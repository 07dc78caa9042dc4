/* Lesson 14: which optimiser for which problem?  Every method of the library on a small regression without noise, where
 * a low loss matters, and on a classification, where it does not.  All methods process the data equally often, and the
 * cost is measured.  docs/optimisers.md has the conclusions.
 *
 * Methods that step from batch to batch: the learning rate is the best of five (a quarter of the default, the default,
 * 4, 16 and 64 times it; by the training loss at the end) and falls along a cosine to 0.  The full-batch methods need
 * no such choice.  Compiled with -DSINGLE: the same in single precision. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "show.h"

#ifndef EXAMPLE_DATA
#define EXAMPLE_DATA "examples/data"
#endif
#ifdef SINGLE
#include <nnblas/float_on.h>
#define PRECISION "single precision"
#else
#define PRECISION "double precision"
#endif

enum { CURVE = 200, RATES = 5, KFAC_BATCH = 256 }; /* kfac needs larger batches for its curvature */
static const double factors[RATES] = {0.25, 1, 4, 16, 64};

typedef struct problem {
  const char *name, *net_text;
  nnb_data *train, *test;
  nnb_net *start; /* all runs start with a copy */
  int batch, passes;
  double goal; /* a loss that is good enough */
} problem;

typedef struct run {
  bool suits;
  double lr;      /* 0: a full-batch method */
  double loss;    /* on the training rows, at the end */
  double quality; /* on the test rows: root mean squared error, or accuracy */
  double seconds, goal_seconds;
  double at[CURVE], value[CURVE];
  int n;
} run;

/* ---- the problems ----------------------------------------------------------------------------------------------- */

/* The end point of a robot arm of two links (1 and 0.7 long), as a function of the angles of its joints. */
static nnb_data *arm(int n, uint64_t stream) {
  nnb_real *x = must_have(malloc((size_t)n * 2 * sizeof *x), "data"),
           *t = must_have(malloc((size_t)n * 2 * sizeof *t), "data");
  nnb_data *data = NULL;
  nnb_rng rng;
  nnb_rng_init(&rng, 14, stream);
  for (int i = 0; i < n; i++) {
    double shoulder = 3 * nnb_rng_uniform(&rng), elbow = 2.5 * nnb_rng_uniform(&rng);
    x[2 * i] = (nnb_real)shoulder, x[2 * i + 1] = (nnb_real)elbow;
    t[2 * i] = (nnb_real)(cos(shoulder) + 0.7 * cos(shoulder + elbow));
    t[2 * i + 1] = (nnb_real)(sin(shoulder) + 0.7 * sin(shoulder + elbow));
  }
  must(nnb_data_copy(&(nnb_batch){.x = nnb_cview(x, n, 2), .t = nnb_cview(t, n, 2)}, 0, &data));
  free(x);
  free(t);
  return data;
}

static problem regression(void) {
  problem p = {.name = "arm", .net_text = "2-16:tanh-2", .batch = 16, .passes = 400, .goal = 1e-4};
  p.train = arm(400, 1), p.test = arm(400, 2);
  must(nnb_net_parse(p.net_text, &p.start));
  must(nnb_net_standardize(p.start, p.train));
  must(nnb_net_scale_targets(p.start, p.train, NNB_STANDARDIZE));
  must(nnb_net_init(p.start, 1));
  return p;
}

static problem classification(void) {
  problem p = {.name = "digits", .net_text = "64-32:tanh-10:softmax", .batch = 32, .passes = 30, .goal = 0.05};
  nnb_data *all = NULL;
  must(nnb_data_read_csv(EXAMPLE_DATA "/digits.csv", &(nnb_csv_opts){.classify = true}, &all));
  must(nnb_data_split(all, 0.2, 1, &p.train, &p.test));
  nnb_data_destroy(all);
  must(nnb_net_parse(p.net_text, &p.start));
  must(nnb_net_standardize(p.start, p.train));
  must(nnb_net_init(p.start, 1));
  return p;
}

static void end(problem *p) {
  nnb_net_destroy(p->start);
  nnb_data_destroy(p->train);
  nnb_data_destroy(p->test);
}

/* ---- one run ---------------------------------------------------------------------------------------------------- */

/* Processor time of this thread, which does all the work; other programs do not count. */
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct watch {
  nnb_net *net;
  const problem *p;
  run *r;
  double resumed; /* when the clock was last started */
  int64_t samples;
} watch;

/* All values are infinite or NaN if the loss is not finite. */
static nnb_metrics judge(nnb_net *net, const nnb_data *data) {
  nnb_metrics metrics;
  nnb_status status = nnb_evaluate(net, data, &metrics);
  if (status != NNB_E_NUMERIC) must(status);
  if (status) metrics.loss = HUGE_VAL;
  return metrics;
}

/* The clock stops while the loss over all training rows is measured.  Ends the run when the data has been processed
 * often enough: an iteration of a full-batch method may process it several times. */
static int after_epoch(void *user, const nnb_record *record) {
  watch *w = user;
  run *r = w->r;
  r->seconds += now() - w->resumed;
  w->samples += record->samples;
  bool done = w->samples >= (int64_t)w->p->passes * nnb_data_rows(w->p->train);
  int every = w->p->passes / CURVE + 1;
  if (r->n < CURVE && (record->epoch % every == 0 || record->epoch < CURVE / 4 || done)) {
    r->at[r->n] = r->seconds, r->value[r->n] = judge(w->net, w->p->train).loss;
    if (r->goal_seconds == 0 && r->value[r->n] <= w->p->goal) r->goal_seconds = r->seconds;
    r->n++;
  }
  w->resumed = now();
  return done;
}

static run train(const problem *p, nnb_algo algo, double lr) {
  run r = {.suits = true, .lr = lr};
  nnb_net *net = NULL;
  must(nnb_net_copy(p->start, &net));
  watch w = {.net = net, .p = p, .r = &r, .resumed = now()};
  nnb_fit_opts opts = {
      .algo = algo, .max_epochs = p->passes, .threads = 1, .on_epoch = after_epoch, .user = &w, .seed = 1};
  if (lr > 0) opts.lr = lr, opts.batch = algo == NNB_KFAC ? KFAC_BATCH : p->batch, opts.schedule = NNB_COSINE;
  nnb_status status = nnb_fit(net, p->train, NULL, &opts, NULL);
  if (status != NNB_E_NUMERIC) must(status); /* divergence by a large learning rate is a valid result */
  nnb_metrics test = judge(net, p->test);
  r.loss = status ? HUGE_VAL : judge(net, p->train).loss;
  r.quality = isnan(test.accuracy) ? test.rmse : test.accuracy;
  nnb_net_destroy(net);
  return r;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

/* The default learning rate; 0 for a method that has none. */
static double default_lr(const problem *p, nnb_algo algo) {
  nnb_optim *optim = NULL;
  nnb_net *net = NULL;
  must(nnb_net_copy(p->start, &net));
  double lr = nnb_optim_create(net, &(nnb_optim_opts){.algo = algo}, &optim) == NNB_OK ? nnb_optim_lr(optim) : 0;
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
  return lr;
}

static run best_run(const problem *p, nnb_algo algo) {
  double lr = default_lr(p, algo);
  if ((algo == NNB_LM || algo == NNB_VARPRO) && strstr(p->net_text, "softmax"))
    return (run){0}; /* not a sum of
                        squares */
  if (lr == 0) return train(p, algo, 0);
  run best = train(p, algo, lr * factors[0]);
  for (int k = 1; k < RATES; k++) {
    run next = train(p, algo, lr * factors[k]);
    if (next.loss < best.loss) best = next;
  }
  return best;
}

/* ---- table and picture ------------------------------------------------------------------------------------------ */

/* A number, or a dash if there is none; columns are words. */
static void cell(int width, const char *format, bool there, double value) {
  char text[32] = "-";
  if (there) snprintf(text, sizeof text, format, value);
  printf(" %*s", width, text);
}

static void print_run(const run *r, const char *quality) {
  cell(7, "%.3g", r->suits && r->lr > 0, r->lr);
  cell(10, "%.2e", r->suits, r->loss);
  cell(10, quality, r->suits, r->quality);
  cell(9, "%.3f", r->suits, r->seconds);
  cell(9, "%.3f", r->suits && r->goal_seconds > 0, r->goal_seconds);
}

static void print_table(const problem p[2], run runs[2][NNB_N_ALGOS]) {
  printf("%-9s %49s %49s\n", "", "the arm, 2-16:tanh-2", "the digits, 64-32:tanh-10:softmax");
  printf("%-9s", "");
  for (int k = 0; k < 2; k++)
    printf(" %7s %10s %10s %9s %9s", "lr", "loss", k ? "accuracy" : "test RMSE", "seconds", k ? "to 0.05" : "to 1e-4");
  puts("");
  for (nnb_algo algo = NNB_SGD; algo < NNB_N_ALGOS; algo++) {
    printf("%-9s", nnb_algo_name(algo));
    for (int k = 0; k < 2; k++) print_run(&runs[k][algo], k ? "%.4f" : "%.2e");
    puts("");
  }
  printf(
      "\nPasses over the data: %d and %d.  Seconds: processor time of one thread, of the run with the best learning\n"
      "rate, without measuring the loss; and until the training loss was down to a goal.\n",
      p[0].passes, p[1].passes);
}

static void write_curves(const problem *p, const run runs[NNB_N_ALGOS]) {
  for (nnb_algo algo = NNB_SGD; algo < NNB_N_ALGOS; algo++) {
    char name[64];
    if (!runs[algo].suits) continue;
    snprintf(name, sizeof name, "optimiser_%s_%s.dat", p->name, nnb_algo_name(algo));
    FILE *f = show_file(name);
    fprintf(f, "# seconds loss\n");
    for (int i = 0; i < runs[algo].n; i++) fprintf(f, "%.6g %.8g\n", runs[algo].at[i], runs[algo].value[i]);
    show_close(f);
  }
}

static void plot_panel(FILE *f, const problem *p, const nnb_algo *algos, int n) {
  fprintf(f, "set title '%s'\n", p->name);
  for (int k = 0; k < n; k++)
    fprintf(f, "%s'optimiser_%s_%s.dat' with lines ls %d title '%s'", k ? ", " : "plot ", p->name,
            nnb_algo_name(algos[k]), k + 1, nnb_algo_name(algos[k]));
  fprintf(f, "\n");
}

static void draw(const problem p[2], run runs[2][NNB_N_ALGOS]) {
  for (int k = 0; k < 2; k++) write_curves(&p[k], runs[k]);
  FILE *f = show_file("optimisers.gp");
  show_plot_head(f, "optimisers.svg", 1000, 460);
  fprintf(f,
          "set multiplot layout 1,2 title 'Loss against seconds of processor time' font ',15'\nset grid\n"
          "set logscale xy\nset format xy '%%g'\nset xlabel 'seconds'\nset ylabel 'training loss'\n"
          "set key bottom left samplen 3\n");
  plot_panel(f, &p[0], (const nnb_algo[]){NNB_LM, NNB_SGD, NNB_ADAM, NNB_KFAC, NNB_LBFGS, NNB_BFGS}, 6);
  plot_panel(f, &p[1], (const nnb_algo[]){NNB_MUON, NNB_SGD, NNB_ADAM, NNB_KFAC, NNB_LBFGS, NNB_SCG}, 6);
  fprintf(f, "unset multiplot\n");
  show_close(f);
  show_plot("optimisers.gp");
}

/* ---- results that do not depend on the machine ------------------------------------------------------------------- */

static void conclude(run runs[2][NNB_N_ALGOS]) {
  const run *arm_runs = runs[0], *digits = runs[1];
  double best = 0, worst = 1, highest = 0, lowest = HUGE_VAL;
  for (nnb_algo algo = NNB_SGD; algo < NNB_N_ALGOS; algo++) {
    if (!digits[algo].suits) continue;
    best = fmax(best, digits[algo].quality), worst = fmin(worst, digits[algo].quality);
    highest = fmax(highest, digits[algo].loss), lowest = fmin(lowest, digits[algo].loss);
  }
  puts("\nWhat does not depend on the machine.  On the arm a lower loss is a better net, and curvature pays:\n");
  show_number("lm_below_adam", arm_runs[NNB_ADAM].loss / arm_runs[NNB_LM].loss, "adam's loss over lm's");
  show_number("bfgs_below_adam", arm_runs[NNB_ADAM].loss / arm_runs[NNB_BFGS].loss, "over bfgs's");
  puts("\nOn the digits it is not: the last decades of the training loss are overfitting.\n");
  show_number("digits_losses", highest / lowest, "highest final loss over the lowest");
  show_number("digits_worst", worst, "lowest accuracy on rows that were not trained on");
  show_number("digits_best", best, "highest");
}

int main(int argc, char **argv) {
  static run runs[2][NNB_N_ALGOS];
  show_start(argc, argv, "14. Which optimiser for which problem (" PRECISION ")", 4);
  problem p[] = {regression(), classification()};
  for (int k = 0; k < 2; k++)
    for (nnb_algo algo = NNB_SGD; algo < NNB_N_ALGOS; algo++) runs[k][algo] = best_run(&p[k], algo);
  print_table(p, runs);
  draw(p, runs);
  conclude(runs);
  for (int k = 0; k < 2; k++) end(&p[k]);
}
