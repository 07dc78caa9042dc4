/* The runs of batch_vs_stochastic; with -DSINGLE every nnb_ name is its single-precision twin. */
#include "batch_vs_stochastic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "show.h"

#ifdef SINGLE
#include <nnblas/float_on.h>
#define compare compare_f32
#else
#define compare compare_f64
#endif

/* ---- data ------------------------------------------------------------------------------------------------------ */

static int by_size(const void *a, const void *b) {
  nnb_real x = *(const nnb_real *)a, y = *(const nnb_real *)b;
  return (x > y) - (x < y);
}

/* The number of different target values; *whole: all of them are whole numbers. */
static int different(const nnb_data *data, bool *whole) {
  int n = nnb_data_rows(data), count = 1;
  nnb_batch rows;
  nnb_real *v = must_have(malloc((size_t)n * sizeof *v), "target");
  must(nnb_data_batch(data, 0, n, &rows));
  *whole = true;
  for (int i = 0; i < n; i++) {
    v[i] = rows.t.p[(size_t)i * (size_t)rows.t.ld];
    *whole = *whole && (double)v[i] == floor((double)v[i]);
  }
  qsort(v, (size_t)n, sizeof *v, by_size);
  for (int i = 1; i < n; i++) count += v[i] != v[i - 1];
  free(v);
  return count;
}

static nnb_data *read_as(const char *path, const settings *s, bool classify) {
  nnb_data *data = NULL;
  must(nnb_data_read_csv(path, &(nnb_csv_opts){.target = s->target, .classify = classify}, &data));
  return data;
}

/* The training file: its target decides between classes and a regression, unless the options do. */
static nnb_data *read_training(const char *path, const settings *s, outcome *out) {
  nnb_data *data = read_as(path, s, s->kind == CLASSES);
  bool whole = false, text = s->kind != CLASSES && nnb_data_n_classes(data) > 0;
  int count = nnb_data_n_classes(data) ? nnb_data_n_classes(data) : different(data, &whole);
  if (text && s->kind == NUMBERS) {
    fprintf(stderr, "%s: the target is text; --regression needs numbers\n", path);
    exit(2);
  }
  if (s->kind == BY_DATA && !text && whole && count <= MOST_CLASSES) {
    nnb_data_destroy(data);
    data = read_as(path, s, true);
    snprintf(out->target, sizeof out->target,
             "The target has %d different whole numbers: taken as classes (--regression: as numbers).", count);
  } else if (nnb_data_n_classes(data)) {
    snprintf(out->target, sizeof out->target, "The target has %d classes.", count);
  } else {
    snprintf(out->target, sizeof out->target, "The target has %d different numbers: a regression%s.", count,
             s->kind == BY_DATA ? " (--classes: classes)" : "");
  }
  out->regression = !nnb_data_n_classes(data);
  return data;
}

/* The classes of a test file are those of the training file, in the same order. */
static nnb_data *read_test(const char *path, const settings *s, const nnb_data *like) {
  int n = nnb_data_n_classes(like);
  const char **names = must_have(malloc(((size_t)n + 1) * sizeof *names), "names of classes");
  nnb_csv_opts opts = {.target = s->target, .classify = n > 0};
  nnb_data *data = NULL;
  for (int k = 0; k < n; k++) {
    names[k] = nnb_data_class_name(like, k);
    if (names[k]) opts.class_names = names, opts.n_class_names = k + 1;
  }
  must(nnb_data_read_csv(path, &opts, &data));
  free(names);
  return data;
}

/* The test rows are a separate file, or a fifth of the only one, always the same fifth. */
static void load(const settings *s, nnb_data **train, nnb_data **test, outcome *out) {
  nnb_data *all = NULL;
  const char *const *f = s->files;
  if (s->csv) {
    all = read_training(f[0], s, out);
    if (s->n_files == 2) *test = read_test(f[1], s, all);
  } else {
    must(nnb_data_read_idx(f[0], f[1], &all));
    snprintf(out->target, sizeof out->target, "The labels have %d classes.", nnb_data_n_classes(all));
    if (s->n_files == 4) must(nnb_data_read_idx(f[2], f[3], test));
  }
  *train = all;
  if (*test) return;
  must(nnb_data_split(all, 0.2, 1, train, test));
  nnb_data_destroy(all);
}

/* ---- the net --------------------------------------------------------------------------------------------------- */

/* The net that all runs start from: initialised, but not trained. */
static nnb_net *starting_net(const settings *s, uint64_t seed, const nnb_data *train, outcome *out) {
  nnb_net *net = NULL;
  const char *scale = s->scale ? s->scale : s->csv ? "standardize" : "none"; /* pixels are 0 … 1 already */
  if (s->net)
    snprintf(out->net, sizeof out->net, "%s", s->net);
  else
    snprintf(out->net, sizeof out->net, "%d-32:tanh-%d:%s", nnb_data_n_in(train), nnb_data_n_out(train),
             out->regression ? "linear" : "softmax");
  must(nnb_net_parse(out->net, &net));
  if (strcmp(scale, "none") != 0)
    must(nnb_net_scale_inputs(net, train, strcmp(scale, "minmax") == 0 ? NNB_MINMAX : NNB_STANDARDIZE));
  if (out->regression) must(nnb_net_scale_targets(net, train, NNB_STANDARDIZE));
  must(nnb_net_init(net, seed));
  out->n_params = nnb_net_n_params(net);
  return net;
}

/* Larger batches allow larger steps: their gradients are less noisy, and they make fewer steps. */
static double default_lr(int batch, int rows) {
  double size = batch == NNB_FULL_BATCH || batch > rows ? rows : batch;
  return fmin(0.01 * pow(size, 0.6), 0.6);
}

/* ---- one run --------------------------------------------------------------------------------------------------- */

typedef struct watch {
  nnb_net *net;
  const nnb_data *train;
  run *run;
  int epochs;
  char name[48]; /* of the run */
  bool terminal;
} watch;

static double training_loss(nnb_net *net, const nnb_data *train) {
  nnb_metrics metrics;
  nnb_status status = nnb_evaluate(net, train, &metrics);
  if (status == NNB_E_NUMERIC) return HUGE_VAL;
  must(status);
  return metrics.loss;
}

/* The loss in a record is the mean of the losses before each update, which is different for one update and for a
 * thousand.  So the loss over all training rows is measured after each epoch, and the time for that is not counted. */
static int after_epoch(void *user, const nnb_record *record) {
  watch *w = user;
  run *r = w->run;
  point *last = &r->curve[r->n_points - 1];
  r->curve[r->n_points++] = (point){record->epoch, record->updates, last->samples + record->samples,
                                    last->seconds + record->seconds, training_loss(w->net, w->train)};
  if (w->terminal)
    fprintf(stderr, "\r%s: epoch %d of %d, loss %.4g, %.1f s\033[K", w->name, record->epoch, w->epochs,
            r->curve[r->n_points - 1].loss, r->curve[r->n_points - 1].seconds);
  return 0;
}

static void name_run(const settings *s, int batch, uint64_t seed, char name[48]) {
  int n = snprintf(name, 48, "batch ");
  n += snprintf(name + n, 48 - (size_t)n, batch == NNB_FULL_BATCH ? "full" : "%d", batch);
  if (s->n_seeds > 1) snprintf(name + n, 48 - (size_t)n, ", seed %llu", (unsigned long long)seed);
}

static void one_run(const settings *s, const runs *like, const nnb_net *start, const nnb_data *train,
                    const nnb_data *test, bool regression, run *r) {
  nnb_net *net = NULL;
  nnb_metrics metrics;
  nnb_report report = {0};
  must(nnb_net_copy(start, &net));
  r->curve = must_have(malloc(((size_t)s->epochs + 1) * sizeof *r->curve), "curve");
  r->curve[r->n_points++] = (point){.loss = training_loss(net, train)};

  watch w = {.net = net, .train = train, .run = r, .epochs = s->epochs, .terminal = isatty(STDERR_FILENO)};
  name_run(s, like->batch, r->seed, w.name);
  nnb_fit_opts opts = {.algo = NNB_SGD,
                       .lr = like->lr,
                       .batch = like->batch,
                       .max_epochs = s->epochs,
                       .seed = r->seed,
                       .threads = s->threads,
                       .max_seconds = s->time_limit,
                       .on_epoch = after_epoch,
                       .user = &w};
  nnb_status status = nnb_fit(net, train, NULL, &opts, &report);
  if (w.terminal) fprintf(stderr, "\r\033[K");
  if (status != NNB_E_NUMERIC) must(status); /* divergence by a large learning rate is a valid result */
  r->stop = report.stop;
  status = nnb_evaluate(net, test, &metrics);
  if (status != NNB_E_NUMERIC) must(status);
  r->quality = regression ? metrics.rmse : metrics.accuracy;
  r->loss = r->curve[r->n_points - 1].loss;
  r->diverged = status || report.stop == NNB_STOP_DIVERGED || !(r->loss <= 10 * r->curve[0].loss);
  nnb_net_destroy(net);
}

void compare(const settings *s, outcome *out) {
  nnb_data *train = NULL, *test = NULL;
  load(s, &train, &test, out);
  out->train_rows = nnb_data_rows(train), out->test_rows = nnb_data_rows(test);
  for (int k = 0; k < s->n_runs; k++) {
    runs *r = &out->runs[k];
    r->batch = s->batches[k];
    r->lr = s->lrs[k] > 0 ? s->lrs[k] : default_lr(r->batch, out->train_rows);
  }
  for (int i = 0; i < s->n_seeds; i++) {
    nnb_net *start = starting_net(s, s->seeds[i], train, out);
    for (int k = 0; k < s->n_runs; k++) {
      out->runs[k].of[i].seed = s->seeds[i];
      one_run(s, &out->runs[k], start, train, test, out->regression, &out->runs[k].of[i]);
    }
    nnb_net_destroy(start);
  }
  nnb_data_destroy(train);
  nnb_data_destroy(test);
}
