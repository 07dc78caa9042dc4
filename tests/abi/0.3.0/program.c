/* A program as users have compiled it: options, reports, records, own layers, both precisions.  It is compiled with the
 * headers of a released version and runs on the library of today, which must read and fill its structs as they were.
 * Ends with 0, or with 1 and a line for the first thing that is not as it was. */
#include <nnblas.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 40 };

#define check(what)                                                                    \
  do {                                                                                 \
    if (!(what)) return printf("line %d: %s; %s\n", __LINE__, #what, nnb_errmsg()), 1; \
  } while (0)

/* Z = factor·w_j·A_j */
typedef struct gain {
  double factor;
} gain;

static nnb_status gain_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self;
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "gain reads one node, not %d", n_from);
  needs->cols = needs->w_cols = cols[0];
  needs->w_rows = 1;
  needs->no_decay = true;
  needs->scratch = 1;
  return NNB_OK;
}

static void gain_forward(const void *self, const nnb_layer_io *io) {
  const double factor = ((const gain *)self)->factor;
  for (int i = 0; i < io->z.rows; i++)
    for (int j = 0; j < io->z.cols; j++)
      io->z.p[i * io->z.ld + j] = factor * io->w[j] * io->a[0].p[i * io->a[0].ld + j];
}

static void gain_backward_data(const void *self, const nnb_layer_io *io, int k) {
  const double factor = ((const gain *)self)->factor;
  for (int i = 0; i < io->delta.rows; i++)
    for (int j = 0; j < io->delta.cols; j++) {
      double *d = &io->da[k].p[i * io->da[k].ld + j];
      *d = (io->da_beta == 0 ? 0 : *d) + factor * io->w[j] * io->delta.p[i * io->delta.ld + j];
    }
}

static void gain_backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  const double factor = ((const gain *)self)->factor;
  if (!sink->w || io->part != io->parts - 1) return;
  for (int j = 0; j < io->delta.cols; j++) {
    double sum = 0;
    for (int i = 0; i < io->delta.rows; i++)
      sum += factor * io->a[0].p[i * io->a[0].ld + j] * io->delta.p[i * io->delta.ld + j];
    sink->w[j] = (sink->beta == 0 ? 0 : sink->beta * sink->w[j]) + sink->alpha * sum;
  }
}

static void gain_init(const void *self, double *w, nnb_rng *rng, double *scratch) {
  (void)self, (void)scratch;
  w[0] = 0.5 + nnb_rng_uniform(rng);
}

static const nnb_attr gain_attrs[] = {{"factor", NNB_ATTR_REAL, offsetof(gain, factor)}, {NULL, NNB_ATTR_INT, 0}};
static const nnb_layer_ops gain_ops = {.name = "gain",
                                       .size = sizeof(gain),
                                       .attrs = gain_attrs,
                                       .shape = gain_shape,
                                       .forward = gain_forward,
                                       .backward_data = gain_backward_data,
                                       .backward_params = gain_backward_params,
                                       .init = gain_init};

static double last_loss, last_seconds;
static int on_epoch(void *user, const nnb_record *record) {
  int *n = (int *)user;
  last_loss = record->loss, last_seconds = record->total_seconds;
  return record->epoch == ++*n && record->samples == ROWS && record->lr > 0 ? 0 : 1;
}

static nnb_data *make_data(void) {
  static double x[ROWS * 2], t[ROWS];
  nnb_rng rng;
  nnb_data *data = NULL;
  nnb_rng_init(&rng, 1, 0);
  for (int i = 0; i < ROWS; i++) {
    x[2 * i] = 2 * nnb_rng_uniform(&rng) - 1, x[2 * i + 1] = 2 * nnb_rng_uniform(&rng) - 1;
    t[i] = x[2 * i] * x[2 * i + 1];
  }
  nnb_batch rows = {.x = nnb_cview(x, ROWS, 2), .t = nnb_cview(t, ROWS, 1)};
  return nnb_data_wrap(&rows, 0, &data) ? NULL : data;
}

static nnb_net *make_net(void) {
  nnb_net *net = nnb_net_create(2);
  nnb_dense_opts hidden = {.units = 5, .activation = NNB_TANH, .name = "hidden", .init = NNB_INIT_GLOROT_NORMAL};
  nnb_net_dense_opts(net, &hidden);
  nnb_net_own_layer(net, &gain_ops, &(gain){2}, NULL, 0, NNB_LINEAR, "gain");
  nnb_net_dense(net, 1, NNB_LINEAR);
  return net;
}

static int test_fit(void) {
  nnb_data *data = make_data();
  nnb_net *net = make_net(), *loaded;
  nnb_report report;
  nnb_metrics metrics;
  int epochs = 0;
  nnb_fit_opts opts = {.algo = NNB_MOMENTUM,
                       .batch = 8,
                       .seed = 5,
                       .max_epochs = 7,
                       .lr = 0.01,
                       .momentum = 0.8,
                       .l2 = 1e-4,
                       .clip_norm = 1,
                       .schedule = NNB_COSINE,
                       .history = 3,
                       .on_epoch = on_epoch,
                       .user = &epochs};
  check(data && net);
  check(nnb_fit(net, data, data, &opts, &report) == NNB_OK);
  check(report.stop == NNB_STOP_EPOCHS && report.algo == NNB_MOMENTUM && report.epochs == 7 && epochs == 7);
  check(report.updates == 35 && report.samples == 7 * ROWS && report.loss == last_loss &&
        report.seconds >= last_seconds);
  check(report.n_history == 3 || report.n_history == 2);
  check(report.history[report.n_history - 1].epoch == 7 && report.history[report.n_history - 1].updates == 35);
  check(report.best_epoch >= 0 && report.best_epoch <= 7 && report.best_loss > 0);
  nnb_training training;
  check(nnb_net_training(net, &training) && training.algo == NNB_MOMENTUM && training.epochs == 7);
  check(training.rows == ROWS && training.seed == 5 && training.loss == report.loss && training.version[0]);
  training.metric = NNB_METRIC_R2, training.score = 0.5, training.score_rows = 9;
  check(nnb_net_set_training(net, &training) == NNB_OK);
  check(nnb_evaluate(net, data, &metrics) == NNB_OK);
  check(metrics.rows == ROWS && fabs(metrics.loss - report.best_loss) <= 1e-12 && metrics.rmse > 0);
  void *file;
  size_t bytes;
  const nnb_layer_ops *layers[] = {&gain_ops};
  nnb_load_opts load = {.layers = layers, .n_layers = 1};
  check(nnb_net_save_mem(net, &file, &bytes) == NNB_OK);
  check(nnb_net_load_mem(file, bytes, &load, &loaded) == NNB_OK);
  check(nnb_net_n_params(loaded) == 15 + 5 + 6);
  check(memcmp(nnb_net_params_read(loaded), nnb_net_params_read(net), 26 * sizeof(double)) == 0);
  nnb_free(file), nnb_net_destroy(loaded), nnb_net_destroy(net), nnb_data_destroy(data);
  return 0;
}

static int test_rungs(void) {
  nnb_data *data = make_data();
  nnb_net *net = make_net();
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_batch rows;
  nnb_sums sums;
  double worst, loss, grad[26];
  nnb_plan_opts plan_opts = {.max_rows = ROWS, .threads = 1, .want = NNB_GRAD};
  nnb_optim_opts optim_opts = {.algo = NNB_ADAM,
                               .lr = 0.02,
                               .beta1 = 0.8,
                               .epoch_updates = 5,
                               .epochs = 2,
                               .schedule = NNB_STEPWISE,
                               .lr_step = 1,
                               .lr_factor = 0.5};
  check(nnb_data_batch(data, 0, ROWS, &rows) == NNB_OK && rows.x.rows == ROWS && rows.t.cols == 1 && !rows.label);
  check(nnb_check_gradient(net, &rows, &worst) == NNB_OK && worst < 1e-6);
  check(nnb_plan_create(net, &plan_opts, &plan) == NNB_OK);
  check(nnb_optim_create(net, &optim_opts, &optim) == NNB_OK);
  check(nnb_plan_gradient(plan, &rows, 0, &loss, grad) == NNB_OK && loss > 0);
  check(nnb_train_rows(net, plan, &rows, NULL, 0, 8, optim, &sums) == NNB_OK);
  check(sums.rows == ROWS && sums.updates == 5 && sums.weight == ROWS && sums.loss > 0);
  check(nnb_train_step(net, plan, &rows, optim, &loss) == NNB_OK && fabs(nnb_optim_lr(optim) - 0.01) < 1e-15);
  nnb_optim_destroy(optim), nnb_plan_destroy(plan), nnb_net_destroy(net), nnb_data_destroy(data);
  return 0;
}

static nnb_status bowl(void *user, const double *x, double *f, double *g) {
  (void)user;
  *f = (x[0] - 3) * (x[0] - 3);
  if (g) g[0] = 2 * (x[0] - 3);
  return NNB_OK;
}
static nnb_status line(void *user, const double *x, size_t row0, int k, double *r, double *J, int ldj) {
  (void)user;
  for (int i = 0; i < k; i++) {
    r[i] = x[0] - (double)(row0 + (size_t)i);
    if (J) J[i * ldj] = 1;
  }
  return NNB_OK;
}
static int on_iteration(void *user, const nnb_min_record *record) {
  *(int64_t *)user = record->iteration;
  return record->value >= 0 && record->evaluations > 0 && record->x ? 0 : 1;
}

static int test_minimisers(void) {
  const double lower[] = {-1}, upper[] = {2};
  double x[] = {0};
  int64_t seen = 0;
  nnb_min_report report;
  nnb_min_opts opts = {.algo = NNB_LBFGS,
                       .max_iterations = 50,
                       .lower = lower,
                       .upper = upper,
                       .on_iteration = on_iteration,
                       .user = &seen};
  check(nnb_minimize(&(nnb_fdf){.n = 1, .eval = bowl}, x, &opts, &report) == NNB_OK);
  check(x[0] == 2 && report.value == 1 && report.start_value == 9 && report.algo == NNB_LBFGS &&
        report.iterations == seen);
  x[0] = 10;
  opts = (nnb_min_opts){.algo = NNB_LM, .max_iterations = 50};
  check(nnb_least_squares(&(nnb_lsq){.m = 3, .n = 1, .rows = line}, x, &opts, &report) == NNB_OK);
  check(fabs(x[0] - 1) < 1e-12 && fabs(report.value - 1) < 1e-12 && report.algo == NNB_LM && report.evaluations > 1);
  return 0;
}

static int test_text(void) {
  nnb_data *data;
  nnb_csv_opts csv = {.header = NNB_NONE, .separator = ';', .n_targets = 2};
  nnb_fit_opts opts = {0};
  nnb_blas_facts facts;
  char *text;
  check(nnb_data_parse_csv("1;2;3\n4;5;6\n", 12, "text", &csv, &data) == NNB_OK);
  check(nnb_data_n_in(data) == 1 && nnb_data_n_out(data) == 2 && nnb_data_rows(data) == 2);
  nnb_data_destroy(data);
  check(nnb_fit_opts_parse("algo=adam max_epochs=9 lr=0.5 patience=4 in_order", &opts) == NNB_OK);
  check(opts.algo == NNB_ADAM && opts.max_epochs == 9 && opts.lr == 0.5 && opts.patience == 4 && opts.in_order);
  check(nnb_fit_opts_print(&opts, &text) == NNB_OK && strstr(text, "patience=4"));
  nnb_free(text);
  nnb_blas_info(&facts);
  check(facts.vendor[0] && facts.core[0]);
  return 0;
}

static int test_single(void) {
  float x[] = {1, 2, 3, 4}, t[] = {2, 4, 6, 8};
  nnbf_data *data;
  nnbf_net *net = nnbf_net_create(1);
  nnb_report report;
  nnb_fit_opts opts = {.algo = NNB_LBFGS, .max_epochs = 20};
  nnbf_batch rows = {.x = nnbf_cview(x, 4, 1), .t = nnbf_cview(t, 4, 1)};
  nnbf_net_dense(net, 1, NNB_LINEAR);
  check(nnbf_data_wrap(&rows, 0, &data) == NNB_OK);
  check(nnbf_fit(net, data, NULL, &opts, &report) == NNB_OK && report.loss < 1e-6);
  nnbf_net_destroy(net), nnbf_data_destroy(data);
  return 0;
}

/* Layers of images, a loss with options, and the net in other formats. */
static int test_images(void) {
  nnb_net *net = nnb_net_create(36);
  nnb_conv_opts conv = {.channels = 2,
                        .width = 3,
                        .pad = 1,
                        .activation = NNB_TANH,
                        .name = "seen",
                        .no_bias = true,
                        .init = NNB_INIT_GLOROT_UNIFORM};
  nnb_pool_opts pool = {.kind = NNB_POOL_AVERAGE, .width = 2, .stride = 3, .name = "pooled"};
  nnb_loss_opts loss = {.loss = NNB_CROSS_ENTROPY, .label_smoothing = 0.1};
  nnb_c_opts c = {.name = "abi", .numbers = NNB_C_F32, .step = true};
  nnb_torch_opts torch = {.prefix = "model.", .ignore_others = true};
  nnb_onnx_opts onnx = {.opset = 99};
  check(nnb_net_shape(net, 0, 1, 6, 6) == NNB_OK && nnb_net_conv_opts(net, &conv) > 0);
  check(nnb_net_pool_opts(net, &pool) > 0 && nnb_net_dense(net, 3, NNB_SOFTMAX) > 0);
  check(nnb_net_loss_opts(net, &loss) == NNB_OK && nnb_net_init(net, 3) == NNB_OK);
  nnb_shape seen = nnb_net_node_shape(net, nnb_net_find(net, "seen"));
  nnb_shape pooled = nnb_net_node_shape(net, nnb_net_find(net, "pooled"));
  check(seen.channels == 2 && seen.height == 6 && seen.width == 6);
  check(pooled.channels == 2 && pooled.height == 2 && pooled.width == 2);
  check(nnb_net_n_params(net) == 9 * 2 + 8 * 3 + 3);
  char *source;
  void *file;
  size_t bytes;
  check(nnb_net_write_c_mem(net, &c, &source, &bytes) == NNB_OK && strstr(source, "abi_step") &&
        strstr(source, "float"));
  check(nnb_net_save_torch_mem(net, &torch, &file, &bytes) == NNB_OK);
  check(nnb_net_load_torch_mem(net, file, bytes, &torch) == NNB_OK);
  nnb_free(file), nnb_free(source);
  check(nnb_net_save_onnx_mem(net, &onnx, &file, &bytes) != NNB_OK &&
        (strstr(nnb_errmsg(), "99") || strstr(nnb_errmsg(), "protobuf")));
  nnb_net_destroy(net);
  return 0;
}

static int on_run(void *user, int done, int runs) {
  *(int *)user += done <= runs;
  return 0;
}

static int test_selection(void) {
  nnb_data *data = make_data();
  nnb_net *net, *best;
  nnb_cv_report report;
  nnb_search_report found;
  nnb_scores *scores;
  int ended = 0;
  nnb_fit_opts fit = {.algo = NNB_LBFGS, .max_epochs = 5, .metrics = NNB_METRIC_R2 | NNB_METRIC_MAE};
  nnb_cv_opts cv = {.folds = 4, .repeats = 2, .seed = 3, .threads = 1, .on_run = on_run, .user = &ended};
  nnb_search_opts search = {
      .method = NNB_SEARCH_GRID, .layers = "3:tanh", .cv = {.folds = 2, .threads = 1}, .metric = NNB_METRIC_MAE};
  check(nnb_net_for_data(data, "3:tanh", &net) == NNB_OK);
  check(nnb_cross_validate(net, data, &fit, &cv, &report) == NNB_OK && ended == 8 && report.n_runs == 8);
  check(report.run[7].repeat == 1 && report.run[7].fold == 3 && report.run[7].test_rows == ROWS / 4);
  check(report.run[7].algo == NNB_LBFGS && report.run[7].epochs == 5 && report.run[7].metrics.rows == ROWS / 4);
  check(report.rmse.mean > 0 && report.rmse.min <= report.rmse.mean && report.rmse.mean <= report.rmse.max);
  check(report.rmse.error > report.rmse.plain_error && !report.stopped && report.seconds > 0);
  nnb_cv_score mae = nnb_cv_report_metric(&report, NNB_METRIC_MAE);
  check(mae.mean > 0 && mae.mean <= report.rmse.mean);
  check(nnb_search(data, "l2=0,0.1", &fit, &search, &best, &found) == NNB_OK && found.n == 2 && found.left_out == 0);
  check(found.candidate[0].status == NNB_OK && found.candidate[0].cv.n_runs == 2 && found.candidate[0].text[0]);
  check(found.candidate[0].score.mean <= found.candidate[1].score.mean && found.candidate[1].behind.mean >= 0);
  check(strcmp(found.score, "mae") == 0 && found.fit.epochs == 5 && found.fit.algo == NNB_LBFGS);
  check(nnb_net_score(best, data, &(nnb_score_opts){.no_auc = true, .threads = 1}, &scores) == NNB_OK);
  nnb_scores_destroy(scores), nnb_search_report_clear(&found), nnb_cv_report_clear(&report);
  nnb_net_destroy(best), nnb_net_destroy(net), nnb_data_destroy(data);
  return 0;
}

static nnb_status read_rows(void *user, int64_t row0, int n, const nnb_rows *rows) {
  nnb_batch all;
  nnb_status status = nnb_data_batch((nnb_data *)user, (int)row0, n, &all);
  for (int i = 0; !status && i < n; i++) {
    if (rows->x.p) memcpy(rows->x.p + i * rows->x.ld, all.x.p + i * all.x.ld, 2 * sizeof(double));
    if (rows->t.p) rows->t.p[i * rows->t.ld] = all.t.p[i * all.t.ld];
    if (rows->weight) rows->weight[i] = 2;
  }
  return status;
}

static nnb_status alone(void *user, size_t n, double *a) { return (void)n, (void)a, ++*(int *)user, NNB_OK; }
static nnb_status alone_float(void *user, size_t n, float *a) { return (void)user, (void)n, (void)a, NNB_OK; }
static nnb_status alone_bytes(void *user, int root, size_t bytes, void *p) {
  return (void)user, (void)root, (void)bytes, (void)p, NNB_OK;
}
static double halved(void *user, double epoch) { return ++*(int *)user, epoch < 2 ? 1 : 0.5; }

/* Data from a source, a communicator of one rank, an own schedule, a progress line, and error bars. */
static int test_sources(void) {
  nnb_data *memory = make_data(), *data;
  nnb_net *net;
  nnb_report report;
  nnb_error_bars *bars;
  int sums = 0, factors = 0;
  double x[] = {0.5, 0.5}, y, sd;
  nnb_source source = {.rows = ROWS, .n_in = 2, .n_out = 1, .weighted = true, .user = memory, .read = read_rows};
  nnb_comm comm = {.size = 1, .user = &sums, .sum = alone, .sum_float = alone_float, .broadcast = alone_bytes};
  nnb_own_schedule schedule = {halved, &factors};
  nnb_progress line_of = {.stream = stdout, .title = "abi", .columns = 60, .no_plain = true};
  nnb_fit_opts opts = {.algo = NNB_SGD, .batch = 10, .max_epochs = 4, .lr = 0.05, .own_schedule = &schedule};
  nnb_error_bars_opts bar_opts = {.evidence = {.alpha = 0.1, .beta = 50}, .threads = 1};
  check(nnb_data_from_source(&source, &data) == NNB_OK && nnb_data_rows(data) == ROWS);
  check(nnb_net_for_data(memory, "3:tanh", &net) == NNB_OK);
  opts.comm = &comm, opts.on_epoch = nnb_progress_epoch, opts.user = &line_of;
  check(nnb_fit(net, data, NULL, &opts, &report) == NNB_OK && report.epochs == 4 && factors >= 16);
  nnb_progress_end(&line_of);
  check(line_of.columns == 60 && !line_of.drawn);
  check(nnb_error_bars_create(net, memory, &bar_opts, &bars) == NNB_OK);
  check(nnb_error_bars_predict(bars, nnb_cview(x, 1, 2), nnb_view(&y, 1, 1), nnb_view(&sd, 1, 1), (nnb_mat){0}) ==
        NNB_OK);
  check(sd > 0);
  nnb_error_bars_destroy(bars), nnb_net_destroy(net), nnb_data_destroy(data), nnb_data_destroy(memory);
  return 0;
}

static int test_tables(void) {
  double numbers[] = {1, 2, 3, 4, 5, 6};
  nnb_array array = {.p = numbers, .n_dims = 2, .dim = {3, 2}};
  nnb_mat view;
  nnb_data *data;
  nnb_csv_opts csv = {.categories = 5, .missing = NNB_MISSING_MEAN};
  static const char text[] = "size,kind,y\n1,a,2\n,b,3\n3,a,4\n";
  check(nnb_array_view(&array, &view) == NNB_OK && view.rows == 3 && view.cols == 2 && view.p == numbers);
  check(nnb_data_parse_csv(text, sizeof text - 1, "text", &csv, &data) == NNB_OK);
  const nnb_column *size = nnb_columns_at(nnb_data_columns(data), 0), *kind = nnb_columns_at(nnb_data_columns(data), 1);
  check(size && size->missing && size->mean == 2 && size->n == 2 && !size->levels && strcmp(size->name, "size") == 0);
  check(kind && kind->n_levels == 2 && kind->first == 2 && strcmp(kind->levels[1], "b") == 0);
  nnb_data_destroy(data);
  return 0;
}

int main(void) {
  int failed = test_fit() || test_rungs() || test_minimisers() || test_text() || test_single() || test_images() ||
               test_selection() || test_sources() || test_tables();
  if (!failed) printf("compiled with %d, runs on %s\n", NNB_VERSION, nnb_version());
  return failed;
}
