/* bench/optimisers/tables.c: compares Muon with averaged weights and AdamW with and without, on ten tables and MNIST,
 * with the same effort of tuning, in single precision and with public calls only.
 *
 *     NNBLAS_DATA=FOLDER build/bench/optimisers/tables [NAME ...]
 *                                                  NAME: a table or mnist; without any: all
 *
 * Each method trains with five learning rates, half a power of ten apart around its default, on four fifths of a fold's
 * training rows, and validates every epoch on the last fifth; the net of the best epoch of the best rate is tested.
 * Tables: nets n-64-64-out of relu units, 60 epochs of batch 32, a cosine schedule, ten folds (those of the data set if
 * it has some); inputs and regression targets are standardised.  MNIST: 784-128-64-10, 4 epochs of batch 128, three
 * seeds, rates chosen on the first of them by the last 10,000 training images.  A line for each method and table: mean
 * and standard error over folds or seeds of 1 - R² (the unexplained variance) or of the error rate on the test rows,
 * both in per cent, and seconds of processor time for everything. */
#include <math.h>
#include <nnblas.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FOLDS = 10, RATES = 5, SEEDS = 3 };

static const struct method {
  const char *name;
  nnb_algo algo;
  double ema, rates[RATES];
} methods[] = {{"adamw", NNB_ADAMW, 0, {3e-4, 1e-3, 3e-3, 1e-2, 3e-2}},
               {"adamw, averaged", NNB_ADAMW, 0.99, {3e-4, 1e-3, 3e-3, 1e-2, 3e-2}},
               {"muon, averaged", NNB_MUON, 0.99, {5e-3, 1.5e-2, 5e-2, 1.5e-1, 5e-1}}};
enum { METHODS = sizeof methods / sizeof *methods };

static const struct table {
  const char *name, *path, *targets; /* targets: a separate file */
  int skip;                          /* lines before the data */
  char separator;
  bool classes, folds; /* folds: the masks of the data set */
} tables[] = {
    {"airfoil", "uci-regression/airfoil/data.csv.gz", NULL, 0, ',', false, true},
    {"concrete", "uci-regression/concrete/data.csv.gz", NULL, 0, ',', false, true},
    {"energy", "uci-regression/energy/data.csv.gz", NULL, 0, ',', false, true},
    {"housing", "uci-regression/housing/data.csv.gz", NULL, 0, ',', false, true},
    {"yacht", "uci-regression/yacht/data.csv.gz", NULL, 0, ',', false, true},
    {"diabetes", "diabetes/diabetes_data_raw.csv.gz", "diabetes/diabetes_target.csv.gz", 0, ' ', false, false},
    {"iris", "iris/iris.csv", NULL, 1, ',', true, false},
    {"wine", "wine/wine_data.csv", NULL, 1, ',', true, false},
    {"wdbc", "wdbc/breast_cancer.csv", NULL, 1, ',', true, false},
    {"digits", "digits/digits.csv.gz", NULL, 0, ',', true, false},
};
enum { TABLES = sizeof tables / sizeof *tables };

static void stop_if(nnb_status status) {
  if (!status) return;
  fprintf(stderr, "tables: %s\n", nnb_errmsg());
  exit(1);
}

static double cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the data --------------------------------------------------------------------------------------------------- */

static const char *data_path(const char *name) {
  static char path[1024];
  snprintf(path, sizeof path, "%s/%s", getenv("NNBLAS_DATA"), name);
  return path;
}

static nnbf_data *read_csv(const char *name, int skip, const nnb_csv_opts *opts) {
  nnbf_data *data = NULL;
  if (skip == 0) {
    stop_if(nnbf_data_read_csv(data_path(name), opts, &data));
    return data;
  }
  static char text[1 << 20]; /* for a header that is not a row of the table */
  FILE *f = fopen(data_path(name), "rb");
  size_t n = f ? fread(text, 1, sizeof text, f) : 0;
  if (f) fclose(f);
  char *rows = memchr(text, '\n', n);
  if (!rows) {
    fprintf(stderr, "tables: cannot read %s\n", name);
    exit(1);
  }
  stop_if(nnbf_data_parse_csv(rows + 1, n - (size_t)(rows + 1 - text), name, opts, &data));
  return data;
}

static nnbf_data *read_table(const struct table *t) {
  nnb_csv_opts opts = {.header = NNB_NONE, .separator = t->separator, .classify = t->classes};
  if (!t->targets) return read_csv(t->path, t->skip, &opts);
  nnbf_data *data = NULL;
  nnbf_batch x, y;
  opts.n_targets = NNB_NONE;
  nnbf_data *inputs = read_csv(t->path, t->skip, &opts), *targets = read_csv(t->targets, t->skip, &opts);
  stop_if(nnbf_data_batch(inputs, 0, nnbf_data_rows(inputs), &x));
  stop_if(nnbf_data_batch(targets, 0, nnbf_data_rows(targets), &y));
  x.t = y.x;
  stop_if(nnbf_data_copy(&x, 0, &data));
  nnbf_data_destroy(inputs);
  nnbf_data_destroy(targets);
  return data;
}

/* The rows whose mask is `which`. */
static nnbf_data *masked(const nnbf_data *all, const nnbf_data *mask, int fold, bool which) {
  nnbf_batch rows, m;
  nnbf_data *out = NULL;
  stop_if(nnbf_data_batch(all, 0, nnbf_data_rows(all), &rows));
  stop_if(nnbf_data_batch(mask, 0, nnbf_data_rows(mask), &m));
  float *x = malloc((size_t)rows.x.rows * (size_t)(rows.x.cols + 1) * sizeof *x);
  float *t = x ? x + (size_t)rows.x.rows * (size_t)rows.x.cols : NULL;
  int n = 0;
  stop_if(x ? NNB_OK : NNB_E_NOMEM);
  for (int i = 0; i < rows.x.rows; i++) {
    if ((m.x.p[i * m.x.ld + fold] != 0) != which) continue;
    memcpy(x + (size_t)n * (size_t)rows.x.cols, rows.x.p + (size_t)i * (size_t)rows.x.ld,
           (size_t)rows.x.cols * sizeof *x);
    t[n++] = rows.t.p[(size_t)i * (size_t)rows.t.ld];
  }
  nnbf_batch some = {.x = nnbf_cview(x, n, rows.x.cols), .t = nnbf_cview(t, n, 1)};
  stop_if(nnbf_data_copy(&some, 0, &out));
  free(x);
  return out;
}

static void fold_of(const struct table *t, const nnbf_data *all, int fold, nnbf_data **train, nnbf_data **test) {
  if (!t->folds) {
    stop_if(nnbf_data_fold(all, FOLDS, fold, 1, train, test));
    return;
  }
  char name[200];
  nnb_csv_opts opts = {.header = NNB_NONE, .n_targets = NNB_NONE};
  snprintf(name, sizeof name, "uci-regression/%s/test_mask.csv.gz", t->name);
  nnbf_data *mask = read_csv(name, 0, &opts);
  *train = masked(all, mask, fold, false), *test = masked(all, mask, fold, true);
  nnbf_data_destroy(mask);
}

/* ---- one fit ---------------------------------------------------------------------------------------------------- */

typedef struct task {
  const nnbf_data *train, *val, *test;
  int wide, narrow, epochs, batch;
} task;

/* The error rate or the unexplained variance on the test rows, in per cent; *val_loss: the criterion of the choice. */
static double score(const task *t, const struct method *m, double lr, uint64_t seed, double *val_loss) {
  nnbf_net *net = nnbf_net_create(nnbf_data_n_in(t->train));
  const int classes = nnbf_data_n_classes(t->train);
  nnb_fit_opts opts = {.algo = m->algo,
                       .lr = lr,
                       .ema = m->ema,
                       .batch = t->batch,
                       .max_epochs = t->epochs,
                       .schedule = NNB_COSINE,
                       .seed = seed,
                       .history = NNB_NONE};
  nnb_report report;
  nnb_metrics metrics;
  nnbf_net_seed(net, seed);
  if (t->batch == 32) nnbf_net_standardize(net, t->train);
  if (!classes) nnbf_net_scale_targets(net, t->train, NNB_STANDARDIZE);
  nnbf_net_dense(net, t->wide, NNB_RELU);
  nnbf_net_dense(net, t->narrow, NNB_RELU);
  nnbf_net_dense(net, nnbf_data_n_out(t->train), classes ? NNB_SOFTMAX : NNB_LINEAR);
  nnb_status status = nnbf_fit(net, t->train, t->val, &opts, &report);
  *val_loss = report.best_loss;
  if (status == NNB_E_NUMERIC)
    *val_loss = HUGE_VAL;
  else
    stop_if(status);
  stop_if(nnbf_evaluate(net, t->test, &metrics));
  nnbf_net_destroy(net);
  return 100 * (classes ? 1 - metrics.accuracy : 1 - metrics.r2);
}

/* Returns the score of the rate with the best validation, and its number. */
static double tuned(const task *t, const struct method *m, uint64_t seed, int *rate) {
  double least = HUGE_VAL, chosen = (double)NAN, val;
  *rate = 0;
  for (int r = 0; r < RATES; r++) {
    double s = score(t, m, m->rates[r], seed, &val);
    if (val < least) least = val, chosen = s, *rate = r;
  }
  return chosen;
}

static void print_scores(const char *name, const struct method *m, int n, const double *s, double seconds) {
  double mean = 0, squares = 0;
  for (int i = 0; i < n; i++) mean += s[i] / n;
  for (int i = 0; i < n; i++) squares += (s[i] - mean) * (s[i] - mean);
  printf("%-10s %-16s %7.2f ± %5.2f  %7.1f s ", name, m->name, mean, sqrt(squares / (n - 1) / n), seconds);
}

/* ---- what is compared ------------------------------------------------------------------------------------------- */

static void run_table(const struct table *t) {
  double s[METHODS][FOLDS], seconds[METHODS] = {0};
  int rate[METHODS][FOLDS];
  nnbf_data *all = read_table(t);
  for (int f = 0; f < FOLDS; f++) {
    nnbf_data *train, *test, *fitted, *val;
    fold_of(t, all, f, &train, &test);
    stop_if(nnbf_data_split(train, 0.2, 7, &fitted, &val));
    task one = {.train = fitted, .val = val, .test = test, .wide = 64, .narrow = 64, .epochs = 60, .batch = 32};
    for (int m = 0; m < METHODS; m++) {
      double began = cpu_now();
      s[m][f] = tuned(&one, &methods[m], (uint64_t)f, &rate[m][f]);
      seconds[m] += cpu_now() - began;
    }
    nnbf_data_destroy(train), nnbf_data_destroy(test), nnbf_data_destroy(fitted), nnbf_data_destroy(val);
  }
  for (int m = 0; m < METHODS; m++) {
    print_scores(t->name, &methods[m], FOLDS, s[m], seconds[m]);
    for (int f = 0; f < FOLDS; f++) printf(" %g", methods[m].rates[rate[m][f]]);
    printf("\n");
  }
  fflush(stdout);
  nnbf_data_destroy(all);
}

static void run_mnist(void) {
  nnbf_data *all, *test, *train, *val;
  nnbf_batch rows;
  char images[1024], labels[1024];
  snprintf(images, sizeof images, "%s", data_path("mnist/train-images-idx3-ubyte.gz"));
  snprintf(labels, sizeof labels, "%s", data_path("mnist/train-labels-idx1-ubyte.gz"));
  stop_if(nnbf_data_read_idx(images, labels, &all));
  snprintf(images, sizeof images, "%s", data_path("mnist/t10k-images-idx3-ubyte.gz"));
  snprintf(labels, sizeof labels, "%s", data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  stop_if(nnbf_data_read_idx(images, labels, &test));
  stop_if(nnbf_data_batch(all, 0, 50000, &rows));
  stop_if(nnbf_data_wrap(&rows, 10, &train));
  stop_if(nnbf_data_batch(all, 50000, 10000, &rows));
  stop_if(nnbf_data_wrap(&rows, 10, &val));
  task one = {.train = train, .val = val, .test = test, .wide = 128, .narrow = 64, .epochs = 4, .batch = 128};
  for (int m = 0; m < METHODS; m++) {
    double s[SEEDS], began = cpu_now(), loss;
    int rate;
    s[0] = tuned(&one, &methods[m], 0, &rate);
    for (int i = 1; i < SEEDS; i++) s[i] = score(&one, &methods[m], methods[m].rates[rate], (uint64_t)i, &loss);
    print_scores("mnist", &methods[m], SEEDS, s, cpu_now() - began);
    printf(" %g\n", methods[m].rates[rate]);
    fflush(stdout);
  }
  nnbf_data_destroy(train), nnbf_data_destroy(val), nnbf_data_destroy(all), nnbf_data_destroy(test);
}

static bool wanted(int argc, char **argv, const char *name) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], name) == 0) return true;
  return argc == 1;
}

int main(int argc, char **argv) {
  if (!getenv("NNBLAS_DATA")) return fprintf(stderr, "tables: NNBLAS_DATA must name the folder of the data\n"), 1;
  nnb_set_threads(1);
  for (int i = 0; i < TABLES; i++)
    if (wanted(argc, argv, tables[i].name)) run_table(&tables[i]);
  if (wanted(argc, argv, "mnist")) run_mnist();
  return 0;
}
