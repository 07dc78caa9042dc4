/* Nets of any layers, each with one batch: two ways to the same result agree, a saved net or training comes back, and a
 * refused fit changes nothing.  Derivatives are compared with central differences. */
#include "drawn_net.h"
/* first */
#include <math.h>
#include <string.h>

/* So few parameters that methods with their cube stay far below a second under the sanitizers. */
enum { ROWS = 5, MOST_COLUMNS = 60, MOST_PARAMS = 120, MOST_Y = ROWS * MOST_COLUMNS };

typedef struct subject {
  nnb_net *net;
  int n_in, n_out, n_y; /* n_y: numbers of all rows' outputs */
  size_t n_params;
  bool smooth;   /* no step: rounding does not change an output by 1 */
  bool one_loss; /* the loss of training is that of evaluations */
  bool varies;   /* the columns are not whole numbers for an embedding: they can be changed a little */
  double x[MOST_Y], y[MOST_Y], t[MOST_Y], weight[ROWS];
  nnb_batch batch;
} subject;

/* As must(), and shows the net. */
static void holds(const subject *s, bool condition, const char *what) {
  if (!condition) nnb_net_summary(s->net, stderr), fprintf(stderr, "last message: %s\n", nnb_errmsg());
  must(condition, what);
}

static void is_ok(const subject *s, nnb_status status, const char *what) { holds(s, status == NNB_OK, what); }

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static double largest(const double *a, size_t n) {
  double most = 0;
  for (size_t i = 0; i < n; i++)
    if (!(fabs(a[i]) <= most)) most = fabs(a[i]);
  return most;
}

/* The largest difference, in units of 1 + the largest number of a. */
static double distance(const double *a, const double *b, size_t n) {
  double most = 0;
  for (size_t i = 0; i < n; i++)
    if (!(fabs(a[i] - b[i]) <= most)) most = fabs(a[i] - b[i]);
  return most / (1 + largest(a, n));
}

static void is_near(const subject *s, const double *y, double tolerance, const char *what) {
  holds(s, !s->smooth || distance(s->y, y, (size_t)s->n_y) <= tolerance, what);
}

static void predicts_as(const subject *s, const nnb_net *net, double tolerance, const char *what) {
  double y[MOST_Y];
  is_ok(s, nnb_net_predict(net, s->batch.x, nnb_view(y, ROWS, s->n_out)), what);
  if (tolerance == 0)
    holds(s, memcmp(y, s->y, (size_t)s->n_y * sizeof *y) == 0, what);
  else
    is_near(s, y, tolerance, what);
}

static nnb_plan *plan_of(const subject *s, nnb_net *net, int rows, int threads, unsigned want) {
  nnb_plan *plan = NULL;
  const nnb_plan_opts opts = {.max_rows = rows, .threads = threads, .want = want};
  is_ok(s, nnb_plan_create(net, &opts, &plan), "no plan");
  return plan;
}

static nnb_net *copy_of(const subject *s) {
  nnb_net *copy = NULL;
  is_ok(s, nnb_net_copy(s->net, &copy), "no copy");
  return copy;
}

static bool same_params(const subject *s, nnb_net *const nets[2]) {
  return memcmp(nnb_net_params_read(nets[0]), nnb_net_params_read(nets[1]), s->n_params * sizeof(double)) == 0;
}

static double *numbers(size_t n) {
  double *p = calloc(n + 1, sizeof *p);
  must(p != NULL, "no memory");
  return p;
}

static double *drawn_numbers(size_t n) {
  double *p = numbers(n);
  for (size_t i = 0; i < n; i++) p[i] = draw_real(-1, 1);
  return p;
}

/* ---- predictions ------------------------------------------------------------------------------------------------- */

static void copies(const subject *s) {
  nnb_net *other = copy_of(s);
  void *file = NULL, *again = NULL;
  size_t bytes = 0, bytes_again = 0;
  predicts_as(s, other, 0, "a copy predicts other bits");
  nnb_net_destroy(other);
  is_ok(s, nnb_net_save_mem(s->net, &file, &bytes), "it cannot be saved");
  is_ok(s, nnb_net_load_mem(file, bytes, NULL, &other), "what was saved cannot be loaded");
  predicts_as(s, other, 0, "a loaded net predicts other bits");
  is_ok(s, nnb_net_save_mem(other, &again, &bytes_again), "a loaded net cannot be saved");
  holds(s, bytes == bytes_again && memcmp(file, again, bytes) == 0, "another file");
  nnb_net_destroy(other);
  nnb_free(file), nnb_free(again);
}

static void executors(const subject *s) {
  double y[MOST_Y];
  nnb_net *other = NULL;
  nnb_plan *plan = plan_of(s, s->net, ROWS, 2, 0);
  is_ok(s, nnb_plan_predict(plan, s->batch.x, nnb_view(y, ROWS, s->n_out)), "no prediction by two threads");
  is_near(s, y, 1e-9, "two threads predict otherwise");
  nnb_plan_destroy(plan);
  for (int i = 0; i < ROWS; i++)
    is_ok(s,
          nnb_net_predict(s->net, nnb_cview(s->x + i * s->n_in, 1, s->n_in), nnb_view(y + i * s->n_out, 1, s->n_out)),
          "no prediction of a row");
  is_near(s, y, 1e-9, "rows alone are predicted otherwise");
  is_ok(s, nnb_net_fold(s->net, &other), "it cannot be folded");
  predicts_as(s, other, 1e-7, "a folded net predicts otherwise");
  nnb_net_destroy(other);
  other = copy_of(s);
  if (nnb_net_exact(other, true) == NNB_OK) predicts_as(s, other, 1e-9, "exact predictions differ");
  nnb_net_destroy(other);
}

static void single(const subject *s) {
  nnbf_net *other = NULL;
  float x[MOST_Y], y[MOST_Y];
  double wide[MOST_Y];
  is_ok(s, nnb_net_to_single(s->net, &other), "it cannot be converted");
  for (int i = 0; i < ROWS * s->n_in; i++) x[i] = (float)s->x[i];
  is_ok(s, nnbf_net_predict(other, nnbf_cview(x, ROWS, s->n_in), nnbf_view(y, ROWS, s->n_out)), "no prediction in f32");
  for (int i = 0; i < s->n_y; i++) wide[i] = (double)y[i];
  is_near(s, wide, 2e-2, "f32 predicts otherwise");
  nnbf_net_destroy(other);
}

#ifdef NNB_HAVE_ONNX
static void onnx(const subject *s) {
  void *file = NULL;
  size_t bytes = 0;
  nnb_net *other = NULL;
  is_ok(s, nnb_net_save_onnx_mem(s->net, NULL, &file, &bytes), "no ONNX model");
  is_ok(s, nnb_net_load_onnx_mem(file, bytes, NULL, &other), "its ONNX model cannot be read");
  predicts_as(s, other, 1e-6, "its ONNX model predicts otherwise");
  nnb_net_destroy(other);
  nnb_free(file);
}
#endif

static void c_source(const subject *s, const nnb_c_opts *opts) {
  char *text = NULL;
  size_t bytes = 0;
  const nnb_status status = nnb_net_write_c_mem(s->net, opts, &text, &bytes);
  if (opts->step && !s->one_loss && status == NNB_E_UNSUPPORTED) return;
  is_ok(s, status, "no C source");
  holds(s, strlen(text) == bytes, "C source of another length");
  nnb_free(text);
}

static void c_sources(const subject *s) {
  for (nnb_c_numbers kind = NNB_C_SAME; kind <= NNB_C_I8; kind++) {
    c_source(s, &(nnb_c_opts){.numbers = kind});
    if (kind < NNB_C_I16) c_source(s, &(nnb_c_opts){.numbers = kind, .step = true});
  }
}

/* ---- derivatives by the inputs ----------------------------------------------------------------------------------- */

typedef struct directions {
  double *u, *v, *J, *dy, *dx, *h; /* u: of x, v: of y; the results of jacobian, jvp, vjp, hvp */
} directions;

static void products_of_jacobian(const subject *s, const directions *d) {
  double *dy = numbers((size_t)s->n_y), *dx = numbers((size_t)(ROWS * s->n_in));
  const double tolerance = 1e-8 * (1 + largest(d->J, (size_t)(s->n_y * s->n_in)));
  for (int k = 0; k < s->n_y; k++) /* k = row·n_out + output */
    for (int i = 0, row = k / s->n_out * s->n_in; i < s->n_in; i++) {
      dy[k] += d->J[k * s->n_in + i] * d->u[row + i];
      dx[row + i] += d->J[k * s->n_in + i] * d->v[k];
    }
  holds(s, distance(dy, d->dy, (size_t)s->n_y) <= tolerance, "J·u and jvp differ");
  holds(s, distance(dx, d->dx, (size_t)(ROWS * s->n_in)) <= tolerance, "vᵀJ and vjp differ");
  free(dy), free(dx);
}

/* Step lengths of differences.  One of them must give the derivative: beside a kink of relu the others may cross it. */
static const double lengths[] = {1e-6, 1e-7, 1e-5};

/* Whether (f(x + ηu) - f(x - ηu))/2η is the derivative, n numbers.  f: predictions, or vjp along v. */
static bool is_slope(const subject *s, const directions *d, const double *derivative, size_t n, nnb_plan *vjp) {
  double *x = numbers((size_t)(ROWS * s->n_in)), *f[2] = {numbers(n), numbers(n)};
  bool good = false;
  for (int k = 0; k < 3 && !good; k++) {
    for (int side = 0; side < 2; side++) {
      for (int i = 0; i < ROWS * s->n_in; i++) x[i] = s->x[i] + (side ? -1 : 1) * lengths[k] * d->u[i];
      const nnb_cmat at = nnb_cview(x, ROWS, s->n_in);
      is_ok(s,
            vjp ? nnb_plan_vjp(vjp, at, nnb_cview(d->v, ROWS, s->n_out), nnb_view(f[side], ROWS, s->n_in))
                : nnb_net_predict(s->net, at, nnb_view(f[side], ROWS, s->n_out)),
            "beside x");
    }
    for (size_t i = 0; i < n; i++) f[0][i] = (f[0][i] - f[1][i]) / (2 * lengths[k]);
    good = distance(derivative, f[0], n) <= 1e-3 * (1 + largest(f[1], n));
  }
  free(x), free(f[0]), free(f[1]);
  return good;
}

static void second(const subject *s, const directions *d, nnb_plan *vjp) {
  double *u = drawn_numbers((size_t)(ROWS * s->n_in)), *h = numbers((size_t)(ROWS * s->n_in));
  const nnb_cmat v = nnb_cview(d->v, ROWS, s->n_out);
  is_ok(s, nnb_net_hvp(s->net, s->batch.x, v, nnb_cview(u, ROWS, s->n_in), nnb_view(h, ROWS, s->n_in)), "no hvp");
  double a = 0, b = 0;
  for (int i = 0; i < ROWS * s->n_in; i++) a += u[i] * d->h[i], b += d->u[i] * h[i];
  const double size = 1 + largest(h, (size_t)(ROWS * s->n_in)) + largest(d->h, (size_t)(ROWS * s->n_in));
  holds(s, fabs(a - b) <= 1e-8 * ROWS * s->n_in * size, "H is not symmetric");
  holds(s, !s->varies || is_slope(s, d, d->h, (size_t)(ROWS * s->n_in), vjp), "hvp is no slope of vjp");
  free(u), free(h);
}

static void derivatives(const subject *s) {
  const size_t n_x = (size_t)(ROWS * s->n_in), n_y = (size_t)s->n_y;
  directions d = {.u = drawn_numbers(n_x),
                  .v = drawn_numbers(n_y),
                  .J = numbers(n_y * (size_t)s->n_in),
                  .dy = numbers(n_y),
                  .dx = numbers(n_x),
                  .h = numbers(n_x)};
  const nnb_cmat x = s->batch.x, u = nnb_cview(d.u, ROWS, s->n_in), v = nnb_cview(d.v, ROWS, s->n_out);
  nnb_plan *plan = plan_of(s, s->net, ROWS, 0, NNB_DX);
  is_ok(s, nnb_net_jacobian(s->net, x, nnb_view(d.J, ROWS, s->n_out * s->n_in)), "no Jacobian");
  is_ok(s, nnb_plan_vjp(plan, x, v, nnb_view(d.dx, ROWS, s->n_in)), "no vjp");
  is_ok(s, nnb_net_jvp(s->net, x, u, nnb_view(d.dy, ROWS, s->n_out)), "no jvp");
  if (largest(d.J, n_y * (size_t)s->n_in) < 1e4) {
    products_of_jacobian(s, &d);
    holds(s, !s->varies || is_slope(s, &d, d.dy, n_y, NULL), "jvp is no slope of the predictions");
    const nnb_status status = nnb_net_hvp(s->net, x, v, u, nnb_view(d.h, ROWS, s->n_in));
    holds(s, status == NNB_OK || status == NNB_E_UNSUPPORTED, "no hvp");
    if (status == NNB_OK && largest(d.h, n_x) < 1e4) second(s, &d, plan);
  }
  nnb_plan_destroy(plan);
  free(d.u), free(d.v), free(d.J), free(d.dy), free(d.dx), free(d.h);
}

/* ---- derivatives by the parameters ------------------------------------------------------------------------------- */

/* Gradient and loss of the batch in chunks of two rows, by two threads. */
static double by_chunks(const subject *s, double *gradient) {
  nnb_plan *plan = plan_of(s, s->net, 2, 2, NNB_GRAD);
  double sum = 0, norm = 0, loss = 0;
  for (int i = 0; i < ROWS; i++) norm += s->weight[i];
  for (int i = 0; i < ROWS; i += 2, sum += loss) {
    const int n = i + 2 > ROWS ? 1 : 2;
    const nnb_batch chunk = {.x = nnb_cview(s->x + i * s->n_in, n, s->n_in),
                             .t = nnb_cview(s->t + i * s->n_out, n, s->n_out),
                             .weight = s->weight + i,
                             .norm = norm};
    is_ok(s, nnb_plan_gradient(plan, &chunk, i > 0, &loss, gradient), "no gradient of a chunk");
  }
  nnb_plan_destroy(plan);
  return sum;
}

/* Whether the loss changes along a direction as the gradient says. */
static bool is_slope_of_loss(const subject *s, nnb_plan *plan, const double *gradient) {
  double *w = nnb_net_params(s->net), *old = numbers(s->n_params), *u = drawn_numbers(s->n_params);
  double along = 0, loss[2] = {0};
  bool good = false;
  for (size_t i = 0; i < s->n_params; i++) old[i] = w[i], along += gradient[i] * u[i];
  for (int k = 0; k < 3 && !good; k++) {
    for (int side = 0; side < 2; side++) {
      for (size_t i = 0; i < s->n_params; i++) w[i] = old[i] + (side ? -1 : 1) * lengths[k] * u[i];
      is_ok(s, nnb_plan_loss(plan, &s->batch, &loss[side]), "no loss beside w");
    }
    const double slope = (loss[0] - loss[1]) / (2 * lengths[k]);
    good = fabs(slope - along) <= 1e-3 * (1 + fabs(along) + fabs(loss[0]));
  }
  memcpy(w, old, s->n_params * sizeof *w);
  free(old), free(u);
  return good;
}

/* Jᵀr is the gradient and ½Σr² the loss, where the loss is a sum of squares. */
static void by_rows(const subject *s, const double *gradient, double loss) {
  nnb_plan *plan = NULL;
  const nnb_plan_opts opts = {.max_rows = ROWS, .want = NNB_ROWS};
  const nnb_status status = nnb_plan_create(s->net, &opts, &plan);
  holds(s, status == NNB_OK || status == NNB_E_UNSUPPORTED, "no plan of rows");
  if (status) return;
  double *r = numbers((size_t)s->n_y), *J = numbers((size_t)s->n_y * s->n_params), *sum = numbers(s->n_params);
  double squares = 0;
  is_ok(s, nnb_plan_rows(plan, &s->batch, r, J, (int)s->n_params), "no rows");
  for (int k = 0; k < s->n_y; k++) {
    squares += 0.5 * r[k] * r[k];
    for (size_t i = 0; i < s->n_params; i++) sum[i] += J[(size_t)k * s->n_params + i] * r[k];
  }
  holds(s, fabs(squares - loss) <= 1e-9 * (1 + fabs(loss)), "the residuals have another loss");
  holds(s, distance(gradient, sum, s->n_params) <= 1e-8, "the rows have another gradient");
  nnb_plan_destroy(plan);
  free(r), free(J), free(sum);
}

static void gradients(const subject *s) {
  double loss = 0, with_gradient = 0, *g = numbers(s->n_params), *chunks = numbers(s->n_params);
  nnb_plan *plan = plan_of(s, s->net, ROWS, 0, NNB_GRAD);
  is_ok(s, nnb_plan_loss(plan, &s->batch, &loss), "no loss");
  is_ok(s, nnb_plan_gradient(plan, &s->batch, 0, &with_gradient, g), "no gradient");
  if (s->one_loss && s->smooth && largest(g, s->n_params) < 1e4) {
    holds(s, fabs(loss - with_gradient) <= 1e-9 * (1 + fabs(loss)), "the gradient has another loss");
    holds(s, fabs(by_chunks(s, chunks) - loss) <= 1e-8 * (1 + fabs(loss)), "chunks have another loss");
    holds(s, distance(g, chunks, s->n_params) <= 1e-8, "chunks have another gradient");
    holds(s, is_slope_of_loss(s, plan, g), "the gradient is no slope of the loss");
    by_rows(s, g, loss);
  }
  nnb_plan_destroy(plan);
  free(g), free(chunks);
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

static const nnb_algo by_batches[] = {NNB_SGD,   NNB_MOMENTUM, NNB_NESTEROV, NNB_ADAGRAD, NNB_RMSPROP, NNB_ADAM,
                                      NNB_ADAMW, NNB_AMSGRAD,  NNB_NADAM,    NNB_LION,    NNB_MUON};

/* A training that goes on from a file has the bits of one that was not interrupted. */
static void states(const subject *s) {
  nnb_optim_opts opts = {.lr = 0.01, .algo = by_batches[draw(sizeof by_batches / sizeof *by_batches)]};
  if (one_in(4)) opts.clip_norm = 0.5;
  if (one_in(4)) opts.ema = 0.9;
  nnb_net *nets[2] = {copy_of(s), copy_of(s)};
  nnb_optim *optims[2] = {NULL, NULL};
  void *file = NULL;
  size_t bytes = 0;
  nnb_status status[2] = {NNB_OK, NNB_OK};
  for (int k = 0; k < 2; k++) is_ok(s, nnb_optim_create(nets[k], &opts, &optims[k]), "no optimiser");
  nnb_plan *plans[2] = {plan_of(s, nets[0], ROWS, 0, NNB_GRAD), plan_of(s, nets[1], ROWS, 0, NNB_GRAD)};
  for (int k = 0; k < 2 && status[0] == NNB_OK; k++)
    status[0] = nnb_train_step(nets[0], plans[0], &s->batch, optims[0], NULL);
  is_ok(s, nnb_optim_save_mem(optims[0], nets[0], &file, &bytes), "a state cannot be saved");
  if (status[0] == NNB_OK) {
    is_ok(s, nnb_optim_load_mem(optims[1], nets[1], file, bytes), "what was saved cannot be loaded");
    for (int k = 0; k < 2; k++) status[k] = nnb_train_step(nets[k], plans[k], &s->batch, optims[k], NULL);
    holds(s, status[0] == status[1], "a resumed training ends otherwise");
    holds(s, status[0] || same_params(s, nets), "a resumed training has other bits");
  }
  for (int k = 0; k < 2; k++) nnb_plan_destroy(plans[k]), nnb_optim_destroy(optims[k]), nnb_net_destroy(nets[k]);
  nnb_free(file);
}

/* A fit in the defined arithmetic has the same bits with two threads and other chunks, or is refused for both. */
static void exact_fits(const subject *s, const nnb_data *data) {
  nnb_fit_opts opts = {.max_epochs = 2, .exact = true, .lr = 0.01, .threads = 1};
  nnb_net *nets[2] = {copy_of(s), copy_of(s)};
  nnb_status status[2];
  opts.algo = one_in(2) ? NNB_ADAM : NNB_SGD, opts.batch = 1 + draw(6);
  for (int k = 0; k < 2; k++, opts.threads = 2, opts.chunk = 2) status[k] = nnb_fit(nets[k], data, NULL, &opts, NULL);
  holds(s, status[0] == status[1], "exact: two threads end otherwise");
  holds(s, status[0] || same_params(s, nets), "exact: two threads have other bits");
  for (int k = 0; k < 2; k++) nnb_net_destroy(nets[k]);
}

/* A refused fit leaves the net as it is; after any other one the parameters are finite. */
static void fits(const subject *s, const nnb_data *data) {
  static const char *const texts[] = {"",
                                      "algo=sgd batch=2",
                                      "algo=adam batch=2 threads=2",
                                      "algo=lbfgs",
                                      "algo=bfgs",
                                      "algo=scg threads=2",
                                      "algo=cg",
                                      "algo=rprop",
                                      "algo=lm",
                                      "algo=lm restarts=2",
                                      "algo=varpro",
                                      "bayes",
                                      "algo=kfac batch=full",
                                      "algo=muon lr=0.001",
                                      "algo=lion ema=0.9",
                                      "algo=nadam schedule=cosine warmup=0.5 clip_norm=1"};
  nnb_fit_opts opts = {.max_epochs = 3};
  nnb_net *net = copy_of(s);
  void *before = NULL, *after = NULL;
  size_t bytes[2] = {0, 0};
  is_ok(s, nnb_fit_opts_parse(texts[draw(sizeof texts / sizeof *texts)], &opts), "the options");
  is_ok(s, nnb_net_save_mem(net, &before, &bytes[0]), "a copy cannot be saved");
  const nnb_status status = nnb_fit(net, data, NULL, &opts, NULL);
  if (status && status != NNB_E_NUMERIC) {
    is_ok(s, nnb_net_save_mem(net, &after, &bytes[1]), "it cannot be saved after a refused fit");
    holds(s, bytes[0] == bytes[1] && memcmp(before, after, bytes[0]) == 0, "a refused fit changed the net");
  }
  for (size_t i = 0; i < s->n_params; i++) holds(s, isfinite(nnb_net_params_read(net)[i]), "it is not finite");
  nnb_net_destroy(net);
  nnb_free(before), nnb_free(after);
}

/* The loss does not rise. */
static void solved_outputs(const subject *s, const nnb_data *data) {
  nnb_net *net = copy_of(s);
  nnb_metrics before, after;
  if (nnb_evaluate(net, data, &before) == NNB_OK && nnb_solve_output(net, data, 0) == NNB_OK) {
    is_ok(s, nnb_evaluate(net, data, &after), "no loss");
    holds(s, after.loss <= before.loss * (1 + 1e-9) + 1e-12, "solving the output raised the loss");
  }
  nnb_net_destroy(net);
}

static void training(const subject *s) {
  nnb_data *data = NULL;
  is_ok(s, nnb_data_wrap(&s->batch, 0, &data), "no data");
  gradients(s);
  states(s);
  exact_fits(s, data);
  fits(s, data);
  solved_outputs(s, data);
  nnb_data_destroy(data);
}

/* ---- a net and a batch ------------------------------------------------------------------------------------------- */

/* Targets are from 0 to 1 and have the sum 1, so that any loss takes them. */
static void draw_rows(subject *s, int levels) {
  for (int i = 0; i < ROWS * s->n_in; i++) s->x[i] = levels ? draw(levels) : draw_real(-1.5, 1.5);
  for (int i = 0; i < ROWS; i++) {
    double sum = 0;
    for (int o = 0; o < s->n_out; o++) sum += s->t[i * s->n_out + o] = draw_real(0.05, 0.95);
    for (int o = 0; o < s->n_out && s->n_out > 1; o++) s->t[i * s->n_out + o] /= sum;
    s->weight[i] = one_in(4) ? 0 : draw_real(0.5, 2);
  }
  s->weight[0] = 1;
  s->batch =
      (nnb_batch){.x = nnb_cview(s->x, ROWS, s->n_in), .t = nnb_cview(s->t, ROWS, s->n_out), .weight = s->weight};
}

/* Whether all numbers within the net are moderate.  A power of 297 behind a softmax has outputs below 1, but no digit
 * of them is right in single precision. */
static bool is_moderate(const subject *s) {
  double y[MOST_Y];
  bool moderate = true;
  nnb_plan *plan = plan_of(s, s->net, ROWS, 1, NNB_KEEP);
  is_ok(s, nnb_plan_predict(plan, s->batch.x, nnb_view(y, ROWS, s->n_out)), "no prediction that keeps");
  for (int k = 2; k <= nnb_net_n_nodes(s->net); k++) {
    nnb_cmat z = {0};
    if (nnb_plan_view(plan, k, NNB_Z, &z) != NNB_OK) continue; /* of another input */
    for (int i = 0; i < z.rows; i++) moderate &= largest(z.p + (size_t)i * (size_t)z.ld, (size_t)z.cols) < 1e6;
  }
  nnb_plan_destroy(plan);
  return moderate;
}

/* Moves the parameters away from the initial zeros and ones.  False if the net is refused, or large. */
static bool prepare(subject *s, int levels) {
  s->n_in = nnb_net_n_in(s->net), s->n_out = nnb_net_n_out(s->net);
  if (s->n_in > MOST_COLUMNS || s->n_out > MOST_COLUMNS) return false;
  s->n_params = nnb_net_n_params(s->net), s->n_y = ROWS * s->n_out;
  double *w = nnb_net_params(s->net);
  if (s->n_params > MOST_PARAMS || !w) return false;
  for (size_t i = 0; i < s->n_params; i++) w[i] += draw_real(-0.2, 0.2);
  draw_rows(s, levels);
  if (nnb_net_predict(s->net, s->batch.x, nnb_view(s->y, ROWS, s->n_out)) == NNB_OK)
    return largest(s->y, (size_t)s->n_y) < 1e6 && is_moderate(s);
  holds(s, *nnb_errmsg() != '\0', "a failure without a sentence");
  return false;
}

static void fuzz(const uint8_t *data, size_t size) {
  static subject s;
  drawn_net drawn;
  draw_net(data, size, &drawn);
  s = (subject){.net = drawn.net, .smooth = !drawn.steps, .one_loss = !drawn.differs, .varies = drawn.levels == 0};
  if (s.net && prepare(&s, drawn.levels)) {
    copies(&s);
    executors(&s);
    single(&s);
#ifdef NNB_HAVE_ONNX
    onnx(&s);
#endif
    c_sources(&s);
    if (s.smooth) derivatives(&s);
    training(&s);
  }
  nnb_net_destroy(s.net);
}
