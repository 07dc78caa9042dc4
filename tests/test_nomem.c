/* Every allocation of every call fails once: the call reports it, loses nothing, and works when it is repeated. */
#include <stdio.h>

#include "heap.h"
#include "toys.h"

enum { ROWS = 40, N_IN = 4 };

static const char csv_text[] =
    "a,b,c,kind\n1,2,3,red\n4,5,6,blue\n7,8,9,\"very red\"\n1,0,1,red\n2,2,2,blue\n3,3,4,blue\n";

/* The objects for the calls; made before anything fails. */
typedef struct world {
  nnb_data *train, *val, *named, *flow;
  nnb_net *net; /* 4-6:tanh-3:softmax, unsealed at first */
  nnb_plan *plan;
  void *file; /* a model in memory */
  size_t file_bytes;
  char path[TOY_PATH], csv_path[TOY_PATH], model_path[TOY_PATH];
  uint64_t digest; /* hash of the call's result */
} world;

static void note(world *w, const void *p, size_t bytes) { w->digest = toy_hash(w->digest, p, bytes); }

static char *read_file(const char *path, size_t *bytes) {
  FILE *f = fopen(path, "rb");
  char *p = malloc(1 << 16);
  ck_assert(f && p);
  *bytes = fread(p, 1, 1 << 16, f);
  fclose(f);
  return p;
}

static void world_make(world *w, bool sealed) {
  *w = (world){.digest = 1};
  nnb_csv_opts first = {.header = 1};
  w->train = toy_classes(ROWS, N_IN, 3), w->val = toy_classes(15, N_IN, 3);
  w->flow = toy_regression(ROWS, N_IN, 3);
  ck_ok(nnb_data_parse_csv(csv_text, sizeof csv_text - 1, "kinds", &first, &w->named));
  ck_ok(nnb_net_parse("4-6:tanh-3:softmax", &w->net));
  if (sealed) ck_ok(nnb_net_init(w->net, 3));
  nnb_net *graph = toy_graph();
  ck_ok(nnb_net_status(graph));
  ck_ok(nnb_net_save_mem(graph, &w->file, &w->file_bytes));
  nnb_net_destroy(graph);
  toy_path(w->path, "nomem.safetensors");
  toy_path(w->csv_path, "nomem.csv");
  toy_path(w->model_path, "nomem-model.safetensors");
  FILE *f = fopen(w->csv_path, "w");
  ck_assert(f && fputs(csv_text, f) >= 0 && fclose(f) == 0);
  f = fopen(w->path, "w");
  ck_assert(f && fputs("the old file", f) >= 0 && fclose(f) == 0);
}

static void world_end(world *w) {
  nnb_plan_destroy(w->plan);
  nnb_net_destroy(w->net);
  nnb_data_destroy(w->train);
  nnb_data_destroy(w->val);
  nnb_data_destroy(w->named);
  nnb_data_destroy(w->flow);
  nnb_free(w->file);
  remove(w->path);
  remove(w->csv_path);
  remove(w->model_path);
}

static const nnb_load_opts *own_parts(void) {
  static const nnb_act_ops *const acts[] = {&toy_bump};
  static const nnb_loss_ops *const losses[] = {&toy_quartic};
  static const nnb_layer_ops *const layers[] = {&toy_gain};
  static const nnb_load_opts opts = {
      .activations = acts, .n_activations = 1, .losses = losses, .n_losses = 1, .layers = layers, .n_layers = 1};
  return &opts;
}

/* ---- the calls -------------------------------------------------------------------------------------------------- */

/* Ends a net that a call made. */
static nnb_status judge_net(world *w, nnb_net *net) {
  nnb_status status = net ? nnb_net_status(net) : NNB_E_NOMEM;
  if (!status) status = nnb_net_init(net, 5);
  if (!status) w->digest = toy_hash_net(w->digest, net);
  nnb_net_destroy(net);
  return status;
}

static nnb_status do_create(world *w) {
  nnb_net *net = nnb_net_create(3);
  nnb_status status = net ? nnb_net_status(net) : NNB_E_NOMEM;
  if (!status) note(w, nnb_net_node_name(net, 1), 5);
  nnb_net_destroy(net);
  return status;
}

static nnb_status do_build(world *w) {
  nnb_net *net = toy_graph();
  return judge_net(w, net);
}

static nnb_status do_chain_with_scalers(world *w) {
  nnb_net *net = nnb_net_create(N_IN);
  if (!net) return NNB_E_NOMEM;
  nnb_net_standardize(net, w->flow);
  nnb_net_dense(net, 5, NNB_RELU);
  nnb_net_dense(net, 3, NNB_LINEAR);
  nnb_net_scale_targets(net, w->flow, NNB_MINMAX);
  nnb_net_scale_inputs(net, w->flow, NNB_STANDARDIZE);
  return judge_net(w, net);
}

static nnb_status do_parse(world *w) {
  nnb_net *net;
  nnb_status status = nnb_net_parse("4-6:tanh:init=orthogonal-3:softmax:name=head", &net);
  if (status) ck_assert_ptr_null(net);
  return status ? status : judge_net(w, net);
}

static nnb_status do_parse_table(world *w) {
  nnb_net *net;
  nnb_status status = nnb_net_parse("2-embed3x2-gru2:tanh-2", &net);
  return status ? status : judge_net(w, net);
}

static nnb_status do_parse_images(world *w) {
  nnb_net *net;
  nnb_status status = nnb_net_parse("1x2x2-conv2@2:tanh:pad=1-maxpool2:stride=1-flatten-3:softmax", &net);
  return status ? status : judge_net(w, net);
}

static nnb_status do_copy(world *w) {
  nnb_net *copy;
  nnb_status status = nnb_net_copy(w->net, &copy);
  if (status) {
    ck_assert_ptr_null(copy);
    return status;
  }
  return judge_net(w, copy);
}

static nnb_status do_copy_graph(world *w) {
  nnb_net *net = NULL, *copy = NULL;
  nnb_status status = nnb_net_load_mem(w->file, w->file_bytes, own_parts(), &net);
  if (!status) status = nnb_net_copy(net, &copy);
  if (!status) w->digest = toy_hash_net(w->digest, copy);
  nnb_net_destroy(copy);
  nnb_net_destroy(net);
  return status;
}

static nnb_status do_fold_net(world *w) {
  nnb_net *net = NULL, *folded = NULL;
  nnb_status status = nnb_net_parse("4-5:linear-batchnorm:tanh-dropout0.5-layernorm-3", &net);
  if (!status) status = nnb_net_fold(net, &folded);
  if (!status) w->digest = toy_hash_net(w->digest, folded);
  nnb_net_destroy(folded);
  nnb_net_destroy(net);
  return status;
}

static nnb_status do_seal(world *w) {
  nnb_status status = nnb_net_init(w->net, 9);
  if (!status) w->digest = toy_hash_net(w->digest, w->net);
  return status;
}

static nnb_status do_plan(world *w) {
  nnb_plan *plan;
  nnb_status status = nnb_plan_create(w->net, &(nnb_plan_opts){.max_rows = 8, .want = NNB_GRAD | NNB_KEEP}, &plan);
  if (status) {
    ck_assert_ptr_null(plan);
    return status;
  }
  w->digest = toy_hash_net(w->digest, w->net);
  nnb_plan_destroy(plan);
  return NNB_OK;
}

static nnb_status do_steps(world *w) {
  nnb_plan *plan = NULL;
  nnb_optim *optim = NULL;
  nnb_batch rows;
  nnb_status status = nnb_plan_create(w->net, &(nnb_plan_opts){.max_rows = 8, .want = NNB_GRAD}, &plan);
  if (!status) status = nnb_optim_create(w->net, &(nnb_optim_opts){.algo = NNB_MOMENTUM}, &optim);
  if (!status) status = nnb_data_batch(w->train, 0, ROWS, &rows);
  if (!status) status = nnb_train_rows(w->net, plan, &rows, NULL, 0, 8, optim, NULL);
  if (!status) w->digest = toy_hash_net(w->digest, w->net);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  return status;
}

/* All vectors of optimisers: amsgrad's three, muon's scratch, an average. */
static nnb_status do_optimisers(world *w) {
  static const nnb_algo algos[] = {NNB_AMSGRAD, NNB_MUON, NNB_KFAC};
  nnb_status status = NNB_OK;
  for (int k = 0; k < 3 && !status; k++) {
    nnb_optim *optim;
    nnb_optim_opts opts = {.algo = algos[k], .ema = 0.9, .schedule = NNB_ONE_CYCLE, .epochs = 3};
    status = nnb_optim_create(w->net, &opts, &optim);
    if (status) ck_assert_ptr_null(optim);
    double lr = nnb_optim_lr(optim);
    note(w, &lr, sizeof lr);
    nnb_optim_destroy(optim);
  }
  return status;
}

static nnb_status fit(world *w, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts) {
  nnb_report report;
  nnb_status status = nnb_fit(w->net, train, val, opts, &report);
  if (status) {
    ck_assert_int_eq(report.stop, NNB_STOP_ERROR);
    return status;
  }
  w->digest = toy_hash_net(w->digest, w->net);
  note(w, &report.loss, sizeof report.loss);
  note(w, &report.n_history, sizeof report.n_history);
  return NNB_OK;
}

static nnb_status do_fit(world *w) {
  return fit(w, w->train, w->val, &(nnb_fit_opts){.batch = 7, .max_epochs = 6, .history = 4, .seed = 2, .ema = 0.9});
}

static nnb_status do_cross_validate(world *w) {
  const nnb_fit_opts fit_opts = {.algo = NNB_SCG, .max_epochs = 2, .metrics = NNB_METRIC_AUC | NNB_METRIC_F1};
  const double weight[] = {1, 2, 3};
  const nnb_cv_opts opts = {.folds = 2, .threads = 1, .weigh_classes = true, .class_weight = weight};
  nnb_cv_report report;
  nnb_status status = nnb_cross_validate(w->net, w->train, &fit_opts, &opts, &report);
  ck_assert(!status || (report.run == NULL && report.values == NULL && report.n_runs == 0));
  const double f1 = nnb_cv_report_metric(&report, NNB_METRIC_F1).mean;
  if (!status) note(w, &report.loss.mean, sizeof report.loss.mean), note(w, &f1, sizeof f1);
  nnb_cv_report_clear(&report);
  return status;
}

static nnb_status do_search(world *w) {
  const nnb_fit_opts fit_opts = {.algo = NNB_SCG, .max_epochs = 2};
  const nnb_loss_opts loss = {.label_smoothing = 0.1};
  const nnb_search_opts opts = {.layers = "2",
                                .metric = NNB_METRIC_LOG_LOSS,
                                .loss = &loss,
                                .cv = {.folds = 2, .threads = 1, .weigh_classes = true}};
  nnb_search_report report;
  nnb_net *best;
  nnb_status status = nnb_search(w->train, "l2=0,0.1", &fit_opts, &opts, &best, &report);
  ck_assert(!status || (report.candidate == NULL && report.n == 0 && best == NULL));
  if (!status) note(w, &report.candidate[0].score.mean, sizeof(double)), w->digest = toy_hash_net(w->digest, best);
  nnb_search_report_clear(&report);
  nnb_net_destroy(best);
  return status;
}

static nnb_status do_fit_full(world *w) {
  return fit(
      w, w->train, NULL,
      &(nnb_fit_opts){
          .algo = NNB_SGD, .batch = NNB_FULL_BATCH, .chunk = 16, .max_epochs = 3, .in_order = true, .clip_norm = 1});
}

static nnb_status do_fit_lm(world *w) {
  nnb_net *net = NULL;
  nnb_report report;
  nnb_status status = nnb_net_parse("4-3:tanh-3", &net);
  if (!status)
    status = nnb_fit(net, w->flow, NULL, &(nnb_fit_opts){.algo = NNB_LM, .l2 = 0.1, .max_epochs = 3}, &report);
  if (!status) w->digest = toy_hash_net(w->digest, net);
  nnb_net_destroy(net);
  return status;
}

static nnb_status do_solve_output(world *w) {
  nnb_net *net = NULL;
  nnb_status status = nnb_net_parse("4-3:tanh-3", &net);
  if (!status) status = nnb_solve_output(net, w->flow, 0.1);
  if (!status) w->digest = toy_hash_net(w->digest, net);
  nnb_net_destroy(net);
  return status;
}

/* A fit with .bayes, and error bars from its result. */
static nnb_status do_error_bars(world *w) {
  nnb_net *net = NULL;
  nnb_error_bars *bars = NULL, *copy = NULL;
  nnb_report report;
  nnb_batch rows;
  real y[ROWS * 3], sd[ROWS * 3];
  ck_ok(nnb_data_batch(w->flow, 0, ROWS, &rows));
  nnb_status status = nnb_net_parse("4-3:tanh-3", &net);
  if (!status) status = nnb_fit(net, w->flow, NULL, &(nnb_fit_opts){.bayes = true, .max_epochs = 3}, &report);
  if (!status) status = nnb_error_bars_create(net, w->flow, &(nnb_error_bars_opts){.evidence = report.evidence}, &bars);
  if (!status) status = nnb_error_bars_copy(bars, &copy);
  if (status) ck_assert_ptr_null(copy);
  if (!status) status = nnb_error_bars_predict(copy, rows.x, nnb_view(y, ROWS, 3), nnb_view(sd, ROWS, 3), (nnb_mat){0});
  if (!status) note(w, y, sizeof y), note(w, sd, sizeof sd);
  nnb_error_bars_destroy(bars);
  nnb_error_bars_destroy(copy);
  nnb_net_destroy(net);
  return status;
}

static nnb_algo method; /* of the loop over all methods */

static nnb_status do_fit_by_method(world *w) {
  nnb_net *net = NULL;
  nnb_fit_opts opts = {.algo = method, .max_epochs = 3, .ema = method < NNB_RPROP ? 0.9 : 0};
  nnb_status status = nnb_net_parse("4-4:tanh-3", &net);
  if (!status) status = nnb_fit(net, w->flow, w->flow, &opts, NULL);
  if (!status) w->digest = toy_hash_net(w->digest, net);
  nnb_net_destroy(net);
  return status;
}

static nnb_status do_fit_with_names(world *w) {
  nnb_net *net = NULL;
  nnb_status status = nnb_net_parse("3-4-3:softmax", &net);
  if (!status) status = nnb_fit(net, w->named, NULL, &(nnb_fit_opts){.max_epochs = 2}, NULL);
  if (!status) {
    ck_assert_str_eq(nnb_net_column_name(net, 2), "c");
    ck_assert_str_eq(nnb_net_class_name(net, 2), "very red");
    w->digest = toy_hash_net(w->digest, net);
  }
  nnb_net_destroy(net);
  return status;
}

static nnb_status do_evaluate(world *w) {
  nnb_metrics m;
  nnb_status status = nnb_evaluate(w->net, w->train, &m);
  if (!status) note(w, &m.loss, sizeof m.loss), note(w, &m.accuracy, sizeof m.accuracy);
  return status;
}

static nnb_status do_score(world *w) {
  nnb_scores *scores;
  nnb_status status = nnb_net_score(w->net, w->train, NULL, &scores);
  if (!status) {
    const double auc = nnb_scores_get(scores, NNB_METRIC_AUC);
    note(w, &auc, sizeof auc);
  }
  nnb_scores_destroy(scores);
  return status;
}

static nnb_status do_fit_with_metrics(world *w) {
  char path[TOY_PATH];
  const nnb_fit_opts opts = {.algo = NNB_SGD,
                             .max_epochs = 2,
                             .log = toy_path(path, "nomem-log.csv"),
                             .metrics = NNB_METRIC_AUC,
                             .train_metrics = true};
  nnb_report r;
  nnb_status status = nnb_fit(w->net, w->train, w->val, &opts, &r);
  if (!status) {
    const double auc = nnb_record_train_metric(&r.history[r.n_history - 1], NNB_METRIC_AUC);
    note(w, &auc, sizeof auc);
  }
  remove(path);
  return status;
}

static nnb_status do_predict(world *w) {
  real y[ROWS * 3];
  nnb_batch rows;
  ck_ok(nnb_data_batch(w->train, 0, ROWS, &rows));
  nnb_status status = nnb_net_predict(w->net, rows.x, nnb_view(y, ROWS, 3));
  if (!status) note(w, y, sizeof y);
  return status;
}

static nnb_status do_jacobian(world *w) {
  nnb_batch rows;
  ck_ok(nnb_data_batch(w->train, 0, ROWS, &rows));
  real J[ROWS * 3 * 8];
  nnb_status status = nnb_net_jacobian(w->net, rows.x, nnb_view(J, ROWS, 3 * rows.x.cols));
  if (!status) note(w, J, (size_t)(ROWS * 3 * rows.x.cols) * sizeof *J);
  return status;
}

/* Data with targets of derivatives, learned by lm and by steps, and second derivatives of the net. */
static nnb_status do_derivatives(world *w) {
  real x[ROWS * 2], t[ROWS], dt[ROWS * 2], h[ROWS * 2];
  nnb_data *data = NULL;
  nnb_net *net = NULL;
  nnb_plan *plan = NULL;
  toy_fill(x, ROWS * 2, 1), toy_fill(t, ROWS, 2), toy_fill(dt, ROWS * 2, 3);
  const nnb_batch rows = {.x = nnb_cview(x, ROWS, 2), .t = nnb_cview(t, ROWS, 1), .dt = nnb_cview(dt, ROWS, 2)};
  nnb_status status = nnb_data_copy(&rows, 0, &data);
  if (!status) status = nnb_net_parse("2-3:tanh-1", &net);
  if (!status) status = nnb_fit(net, data, data, &(nnb_fit_opts){.algo = NNB_LM, .max_epochs = 2}, NULL);
  if (!status) status = nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_ADAM, .max_epochs = 1}, NULL);
  if (!status) status = nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_SECOND}, &plan);
  if (!status) status = nnb_plan_hvp(plan, rows.x, rows.t, rows.x, nnb_view(h, ROWS, 2));
  if (!status) note(w, h, sizeof h);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  return status;
}

static nnb_status do_classify(world *w) {
  int32_t label[ROWS];
  nnb_batch rows;
  ck_ok(nnb_data_batch(w->train, 0, ROWS, &rows));
  nnb_status status = nnb_net_classify(w->net, rows.x, label);
  if (!status) note(w, label, sizeof label);
  return status;
}

static nnb_status do_check_gradient(world *w) {
  double worst;
  nnb_batch rows;
  ck_ok(nnb_data_batch(w->train, 0, 3, &rows));
  nnb_status status = nnb_check_gradient(w->net, &rows, &worst);
  if (!status) note(w, &worst, sizeof worst), w->digest = toy_hash_net(w->digest, w->net);
  return status;
}

/* Ends data that a call made. */
static nnb_status judge_data(world *w, nnb_status status, nnb_data *data) {
  if (status) {
    ck_assert_ptr_null(data);
    return status;
  }
  nnb_batch rows;
  ck_ok(nnb_data_batch(data, 0, nnb_data_rows(data), &rows));
  for (int i = 0; i < rows.x.rows; i++) {
    note(w, rows.x.p + (size_t)i * (size_t)rows.x.ld, (size_t)rows.x.cols * sizeof(real));
    if (rows.t.p) note(w, rows.t.p + (size_t)i * (size_t)rows.t.ld, (size_t)rows.t.cols * sizeof(real));
    if (rows.label) note(w, rows.label + i, sizeof *rows.label);
  }
  for (int k = 0; nnb_data_class_name(data, k); k++) note(w, nnb_data_class_name(data, k), 1);
  nnb_data_destroy(data);
  return NNB_OK;
}

static nnb_status do_parse_csv(world *w) {
  nnb_data *data;
  nnb_status status = nnb_data_parse_csv(csv_text, sizeof csv_text - 1, "kinds", NULL, &data);
  return judge_data(w, status, data);
}

static nnb_status do_parse_numbers(world *w) {
  static const char text[] = "1;2;3;0\n4;5;6;1\n\n7;8;9;1\n";
  nnb_csv_opts opts = {.separator = ';', .header = NNB_NONE, .classify = true};
  nnb_data *data;
  nnb_status status = nnb_data_parse_csv(text, sizeof text - 1, "numbers", &opts, &data);
  if ((status = judge_data(w, status, data))) return status;
  opts.classify = false, opts.n_targets = 2;
  status = nnb_data_parse_csv(text, sizeof text - 1, "numbers", &opts, &data);
  return judge_data(w, status, data);
}

static nnb_status do_read_csv(world *w) {
  static const char *const classes[] = {"blue", "red", "very red"};
  nnb_csv_opts opts = {.target = "kind", .class_names = classes, .n_class_names = 3};
  nnb_data *data;
  nnb_status status = nnb_data_read_csv(w->csv_path, &opts, &data);
  return judge_data(w, status, data);
}

static nnb_status do_open_csv(world *w) {
  nnb_data *data;
  nnb_status status = nnb_data_open_csv(w->csv_path, &(nnb_csv_opts){.target = "kind"}, &data);
  if (status) return status;
  const int rows = nnb_data_rows(data);
  note(w, &rows, sizeof rows);
  nnb_data_destroy(data);
  return NNB_OK;
}

static nnb_status do_wrap(world *w) {
  nnb_batch rows;
  nnb_data *data;
  ck_ok(nnb_data_batch(w->flow, 0, 5, &rows));
  nnb_status status = nnb_data_wrap(&rows, 0, &data);
  return judge_data(w, status, data);
}

static nnb_status do_data_copy(world *w) {
  real weight[5] = {1, 2, 3, 4, 5};
  nnb_batch rows;
  nnb_data *data;
  ck_ok(nnb_data_batch(w->train, 0, 5, &rows));
  rows.weight = weight;
  nnb_status status = nnb_data_copy(&rows, 3, &data);
  return judge_data(w, status, data);
}

static nnb_status do_split(world *w) {
  nnb_data *a, *b;
  nnb_status status = nnb_data_split(w->named, 0.4, 1, &a, &b);
  nnb_status first = judge_data(w, status, a), second = judge_data(w, status, b);
  return first ? first : second;
}

static nnb_status do_edit(world *w) {
  static const int32_t rows[] = {1, 0}, columns[] = {0};
  nnb_data *d;
  nnb_status status = nnb_data_take_rows(w->named, rows, 2, &d);
  status = judge_data(w, status, d);
  if (!status) status = nnb_data_take_columns(w->named, columns, 1, &d), status = judge_data(w, status, d);
  if (!status) status = nnb_data_shuffle(w->named, 1, &d), status = judge_data(w, status, d);
  if (!status) status = nnb_data_merge(w->named, w->named, &d), status = judge_data(w, status, d);
  return status;
}

static nnb_status do_weigh(world *w) {
  static const int32_t rows[] = {1, 0};
  nnb_data *d;
  nnb_batch got;
  nnb_status status = nnb_data_take_rows(w->named, rows, 2, &d);
  if (status) return judge_data(w, status, d);
  status = nnb_data_weigh_classes(d, NULL);
  ck_ok(nnb_data_batch(d, 0, 2, &got));
  if (status) ck_assert_ptr_null(got.weight);
  if (!status) note(w, got.weight, 2 * sizeof(real));
  nnb_data_destroy(d);
  return status;
}

static nnb_status do_fold(world *w) {
  nnb_data *a, *b;
  nnb_status status = nnb_data_fold(w->named, 3, 1, 1, &a, &b);
  nnb_status first = judge_data(w, status, a), second = judge_data(w, status, b);
  return first ? first : second;
}

static nnb_status do_save(world *w) {
  size_t bytes;
  nnb_status status = nnb_net_save(w->net, w->path);
  char *file = read_file(w->path, &bytes);
  if (status) ck_assert_msg(bytes == 12 && memcmp(file, "the old file", 12) == 0, "the old file is not whole");
  if (!status) note(w, file, bytes);
  free(file);
  return status;
}

static nnb_status do_save_mem(world *w) {
  void *file;
  size_t bytes;
  nnb_status status = nnb_net_save_mem(w->net, &file, &bytes);
  if (status) {
    ck_assert(!file && bytes == 0);
    return status;
  }
  note(w, file, bytes);
  nnb_free(file);
  return NNB_OK;
}

/* An archive of two arrays, one of which is read; the file is then an NPY file. */
static nnb_status do_arrays(world *w) {
  static real numbers[12];
  static const char *const keys[] = {"first", "second"};
  const nnb_array arrays[] = {{.p = numbers, .n_dims = 2, .dim = {3, 4}}, {.p = numbers, .n_dims = 1, .dim = {7}}};
  nnb_array back = {0};
  nnb_status status = nnb_array_write_npz(w->model_path, keys, arrays, 2, NNB_ARRAY_I32);
  if (!status) status = nnb_array_read_npz(w->model_path, "second", &back);
  if (!status) note(w, back.p, 7 * sizeof(real));
  nnb_array_clear(&back);
  if (!status) status = nnb_array_write_npy(w->model_path, arrays, NNB_ARRAY_SAME);
  if (!status) status = nnb_array_read_npy(w->model_path, &back);
  if (!status) note(w, back.p, 12 * sizeof(real));
  nnb_array_clear(&back);
  return status;
}

static void note_file(world *w, const char *path) {
  size_t bytes;
  char *file = read_file(path, &bytes);
  note(w, file, bytes);
  free(file);
}

static nnb_status do_fann(world *w) {
  nnb_data *data;
  nnb_status status = nnb_data_write_fann(w->flow, w->model_path);
  if (status) return status;
  note_file(w, w->model_path);
  status = nnb_data_read_fann(w->model_path, &data);
  return judge_data(w, status, data);
}

static nnb_status do_write_csv(world *w) {
  nnb_status status = nnb_data_write_csv(w->named, w->model_path);
  if (!status) note_file(w, w->model_path);
  return status;
}

static nnb_status do_write_idx(world *w) {
  const real x[] = {0, 1};
  const int32_t label[] = {0, 1};
  const nnb_batch rows = {.x = nnb_cview(x, 2, 1), .label = label};
  nnb_data *pixels;
  nnb_status status = nnb_data_wrap(&rows, 0, &pixels);
  if (!status) status = nnb_data_write_idx(pixels, w->model_path, w->path, 1);
  nnb_data_destroy(pixels);
  if (!status) note_file(w, w->model_path), note_file(w, w->path);
  return status;
}

static nnb_status do_save_torch_mem(world *w) {
  void *file;
  size_t bytes;
  nnb_status status = nnb_net_save_torch_mem(w->net, NULL, &file, &bytes);
  if (status) {
    ck_assert(!file && bytes == 0);
    return status;
  }
  status = nnb_net_load_torch_mem(w->net, file, bytes, NULL);
  if (!status) note(w, file, bytes);
  nnb_free(file);
  return status;
}

static nnb_status do_torch(world *w) {
  static const char *const names[] = {"fc1", "out"};
  const nnb_torch_opts opts = {.prefix = "m.", .names = names, .n_names = 2};
  nnb_status status = nnb_net_save_torch(w->net, w->model_path, &opts);
  if (!status) status = nnb_net_load_torch(w->net, w->model_path, &opts);
  if (!status) w->digest = toy_hash_net(w->digest, w->net);
  return status;
}

static const char of_images[] = "2x3x3-conv2@2:tanh-batchnorm-maxpool2-layernorm-2";

static nnb_status do_torch_images(world *w) {
  void *file = NULL;
  size_t bytes = 0;
  nnb_net *net = NULL;
  nnb_status status = nnb_net_parse(of_images, &net);
  if (!status) status = nnb_net_save_torch_mem(net, NULL, &file, &bytes);
  if (!status) status = nnb_net_load_torch_mem(net, file, bytes, NULL);
  if (!status) note(w, file, bytes), w->digest = toy_hash_net(w->digest, net);
  nnb_net_destroy(net);
  nnb_free(file);
  return status;
}

static nnb_status do_write_c_images(world *w) {
  char *text = NULL;
  size_t bytes = 0;
  nnb_net *net = NULL;
  nnb_status status = nnb_net_parse(of_images, &net);
  if (!status) status = nnb_net_write_c_mem(net, NULL, &text, &bytes);
  if (!status) note(w, text, bytes);
  nnb_net_destroy(net);
  nnb_free(text);
  return status;
}

#ifdef NNB_HAVE_ONNX
static nnb_status do_save_onnx_mem(world *w) {
  void *file;
  size_t bytes;
  nnb_net *back;
  nnb_status status = nnb_net_save_onnx_mem(w->net, NULL, &file, &bytes);
  if (status) {
    ck_assert(!file && bytes == 0);
    return status;
  }
  status = nnb_net_load_onnx_mem(file, bytes, NULL, &back);
  ck_assert((status == NNB_OK) == (back != NULL));
  if (!status) note(w, file, bytes), w->digest = toy_hash_net(w->digest, back);
  nnb_net_destroy(back);
  nnb_free(file);
  return status;
}

static nnb_status onnx_and_back(world *w, const char *layers) {
  void *file = NULL;
  size_t bytes = 0;
  nnb_net *net = NULL, *back = NULL;
  nnb_status status = nnb_net_parse(layers, &net);
  if (!status) status = nnb_net_save_onnx_mem(net, NULL, &file, &bytes);
  if (!status) status = nnb_net_load_onnx_mem(file, bytes, NULL, &back);
  if (!status) w->digest = toy_hash_net(w->digest, back);
  nnb_net_destroy(net), nnb_net_destroy(back);
  nnb_free(file);
  return status;
}
static nnb_status do_onnx_images(world *w) { return onnx_and_back(w, of_images); }
static nnb_status do_onnx_sequences(world *w) { return onnx_and_back(w, "3-embed4x2-gru2:sequence=1-gru2-1"); }

static nnb_status do_onnx(world *w) {
  nnb_net *back = NULL;
  nnb_status status = nnb_net_save_onnx(w->net, w->model_path, NULL);
  if (!status) status = nnb_net_load_onnx(w->model_path, NULL, &back);
  if (!status) w->digest = toy_hash_net(w->digest, back);
  nnb_net_destroy(back);
  return status;
}
#endif

static nnb_status do_write_c_mem(world *w) {
  char *text;
  size_t bytes;
  nnb_status status = nnb_net_write_c_mem(w->net, &(nnb_c_opts){.step = true}, &text, &bytes);
  if (!status) note(w, text, bytes);
  nnb_free(text);
  return status;
}

static nnb_status do_write_c(world *w) {
  nnb_status status = nnb_net_write_c(w->net, w->path, &(nnb_c_opts){.numbers = NNB_C_I8});
  size_t bytes;
  char *text = read_file(w->path, &bytes);
  if (status) ck_assert_msg(bytes == 12 && memcmp(text, "the old file", 12) == 0, "the old file is damaged");
  if (!status) note(w, text, bytes);
  free(text);
  return status;
}

static nnb_status do_load_mem(world *w) {
  nnb_net *net;
  nnb_status status = nnb_net_load_mem(w->file, w->file_bytes, own_parts(), &net);
  if (!status) return judge_net(w, net);
  ck_assert_ptr_null(net);
  return status;
}

static nnb_status do_load(world *w) {
  nnb_net *net;
  FILE *f = fopen(w->model_path, "wb");
  ck_assert(f && fwrite(w->file, 1, w->file_bytes, f) == w->file_bytes && fclose(f) == 0);
  nnb_status status = nnb_net_load(w->model_path, own_parts(), &net);
  if (!status) return judge_net(w, net);
  ck_assert_ptr_null(net);
  return status;
}

static const struct call {
  const char *name;
  nnb_status (*run)(world *w);
  bool sealed; /* the net already has its parameters */
} calls[] = {
    {"nnb_net_create", do_create, false},
    {"building a graph", do_build, false},
    {"building with scalers", do_chain_with_scalers, false},
    {"nnb_net_parse", do_parse, false},
    {"nnb_net_parse, images", do_parse_images, false},
    {"nnb_net_parse, tables", do_parse_table, false},
    {"nnb_net_copy, unsealed", do_copy, false},
    {"nnb_net_copy", do_copy, true},
    {"nnb_net_copy of a graph", do_copy_graph, false},
    {"nnb_net_fold", do_fold_net, false},
    {"nnb_net_init", do_seal, false},
    {"nnb_plan_create, unsealed", do_plan, false},
    {"nnb_plan_create", do_plan, true},
    {"nnb_train_rows", do_steps, false},
    {"nnb_optim_create", do_optimisers, false},
    {"nnb_fit", do_fit, false},
    {"nnb_fit, full batch", do_fit_full, true},
    {"nnb_fit by lm", do_fit_lm, false},
    {"nnb_solve_output", do_solve_output, false},
    {"nnb_fit with .bayes, nnb_error_bars_create", do_error_bars, false},
    {"nnb_fit taking names", do_fit_with_names, false},
    {"nnb_evaluate", do_evaluate, false},
    {"nnb_net_score", do_score, false},
    {"nnb_fit with metrics and a log", do_fit_with_metrics, false},
    {"nnb_cross_validate", do_cross_validate, false},
    {"nnb_search", do_search, false},
    {"nnb_net_predict", do_predict, false},
    {"nnb_net_jacobian", do_jacobian, false},
    {"targets of derivatives, nnb_plan_hvp", do_derivatives, false},
    {"nnb_net_classify", do_classify, true},
    {"nnb_check_gradient", do_check_gradient, false},
    {"nnb_data_parse_csv", do_parse_csv, false},
    {"nnb_data_parse_csv, numbers", do_parse_numbers, false},
    {"nnb_data_read_csv", do_read_csv, false},
    {"nnb_data_open_csv", do_open_csv, false},
    {"nnb_data_write_fann, nnb_data_read_fann", do_fann, false},
    {"nnb_data_wrap", do_wrap, false},
    {"nnb_data_copy", do_data_copy, false},
    {"nnb_data_split", do_split, false},
    {"nnb_data_fold", do_fold, false},
    {"rows, columns, shuffling and merging of data", do_edit, false},
    {"weights by class", do_weigh, false},
    {"nnb_net_save", do_save, false},
    {"nnb_net_save_mem", do_save_mem, true},
    {"nnb_net_load", do_load, false},
    {"nnb_net_load_mem", do_load_mem, false},
    {"nnb_net_write_c", do_write_c, false},
    {"nnb_net_write_c_mem", do_write_c_mem, true},
    {"the same of images", do_write_c_images, true},
#ifdef NNB_HAVE_ONNX
    {"nnb_net_save_onnx, nnb_net_load_onnx", do_onnx, false},
    {"nnb_net_save_onnx_mem, nnb_net_load_onnx_mem", do_save_onnx_mem, true},
    {"the same of images", do_onnx_images, true},
    {"the same of an embedding and GRUs", do_onnx_sequences, true},
#endif
    {"nnb_net_save_torch, nnb_net_load_torch", do_torch, false},
    {"nnb_net_save_torch_mem, nnb_net_load_torch_mem", do_save_torch_mem, true},
    {"the same of images", do_torch_images, true},
    {"nnb_array_write_npz, nnb_array_read_npz and the same of NPY", do_arrays, false},
    {"nnb_data_write_csv", do_write_csv, false},
    {"nnb_data_write_idx", do_write_idx, false},
};
enum { N_CALLS = sizeof calls / sizeof *calls };

/* The call with allocation k failing, and again without; returns whether there was an allocation k. */
static bool fail_once(const struct call *c, long k, bool all, uint64_t want) {
  world w;
  heap_install();
  world_make(&w, c->sealed);
  heap_fail_at(k, all);
  nnb_status status = c->run(&w);
  bool failed = heap_has_failed();
  heap_fail_at(0, false);
  ck_assert_msg(status == (failed ? NNB_E_NOMEM : NNB_OK), "%s, allocation %ld: %s (%s)", c->name, k,
                nnb_strstatus(status), nnb_errmsg());
  if (status) {
    ck_assert_msg(strstr(nnb_errmsg(), "memory"), "%s, allocation %ld: \"%s\"", c->name, k, nnb_errmsg());
    w.digest = 1;
    status = c->run(&w);
    ck_assert_msg(!status, "%s again after allocation %ld: %s (%s)", c->name, k, nnb_strstatus(status), nnb_errmsg());
  }
  ck_assert_msg(w.digest == want, "%s after allocation %ld failed: other bits than without", c->name, k);
  world_end(&w);
  ck_assert_msg(heap_live() == 0, "%s, allocation %ld: %ld blocks are lost", c->name, k, heap_live());
  heap_remove();
  return failed;
}

static void fail_each(const struct call *c) {
  world w;
  heap_install();
  world_make(&w, c->sealed);
  ck_assert_msg(c->run(&w) == NNB_OK, "%s: %s", c->name, nnb_errmsg());
  uint64_t want = w.digest;
  ck_assert_msg(want != 1, "%s: the test notes nothing", c->name);
  world_end(&w);
  ck_assert_int_eq(heap_live(), 0);
  heap_remove();
  for (int all = 0; all < 2; all++) {
    long k = 1;
    while (fail_once(c, k, all, want)) k++;
    ck_assert_msg(k > 1, "%s: the test makes nothing fail", c->name);
  }
}

START_TEST(each_allocation_fails) { fail_each(&calls[_i]); }
END_TEST

START_TEST(each_allocation_of_each_method_fails) {
  method = (nnb_algo)_i;
  fail_each(&(struct call){nnb_algo_name(method), do_fit_by_method, false});
}
END_TEST

/* Sealing that ran out of memory is undone: nodes can still be added. */
START_TEST(a_net_grows_after_sealing_failed) {
  for (long k = 1;; k++) {
    heap_install();
    nnb_net *net = nnb_net_create(3);
    nnb_net_dense(net, 4, NNB_TANH);
    heap_fail_at(k, false);
    size_t n = nnb_net_n_params(net);
    bool failed = heap_has_failed();
    heap_fail_at(0, false);
    ck_assert_uint_eq(n, failed ? 0 : 16);
    if (failed) {
      for (int i = 0; i < 20; i++) ck_assert_int_gt(nnb_net_dense(net, 30, NNB_TANH), 0);
      nnb_net *fresh = NULL;
      ck_ok(nnb_net_copy(net, &fresh));
      ck_assert_msg(toy_hash_net(1, net) == toy_hash_net(1, fresh), "allocation %ld: other parameters", k);
      nnb_net_destroy(fresh);
    }
    nnb_net_destroy(net);
    ck_assert_int_eq(heap_live(), 0);
    heap_remove();
    if (!failed) break;
  }
}
END_TEST

/* Out of memory while building is sticky, like any first error. */
START_TEST(a_failed_builder_sticks) {
  heap_install();
  nnb_net *net = nnb_net_create(3);
  heap_fail_at(1, true);
  ck_assert_int_eq(nnb_net_dense(net, 4, NNB_TANH), NNB_E_NOMEM);
  heap_fail_at(0, false);
  ck_assert_int_eq(nnb_net_dense(net, 4, NNB_TANH), NNB_E_NOMEM);
  ck_assert_int_eq(nnb_net_status(net), NNB_E_NOMEM);
  nnb_net_destroy(net);
  ck_assert_int_eq(heap_live(), 0);
  heap_remove();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("nomem, " PRECISION);
  TCase *tc = tcase_create("allocations");
  tcase_add_loop_test(tc, each_allocation_fails, 0, N_CALLS);
  tcase_add_loop_test(tc, each_allocation_of_each_method_fails, 0, NNB_N_ALGOS);
  tcase_add_test(tc, a_net_grows_after_sealing_failed);
  tcase_add_test(tc, a_failed_builder_sticks);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
