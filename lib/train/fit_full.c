/* train/fit_full.c: full-batch training of nnb_fit.  The minimiser's function is the loss over all rows, in chunks,
 * plus ½·l2·‖w‖² over the weights that are not frozen; an iteration is an epoch.  A method for sums of squares gets the
 * residuals of the loss, and the parameters that are not frozen as one vector.
 *
 * A long descent without decay often creeps or stalls where units are saturated or cancel each other.  So a method with
 * .descent is broken off once, and a second descent begins at the same start with a decay that falls to 0; the lower
 * one goes on (docs/defaults.md has the measurements). */
#include <assert.h>
#include <string.h>

#include "alloc.h"
#include "blas.h"
#include "blas_threads.h"
#include "clock.h"
#include "fit.h"
#include "ints.h"
#include "match.h"
#include "minimize_kept.h"
#include "plan.h"
#include "status.h"

typedef struct full {
  nnb__fit *f;
  size_t n_free; /* parameters that are not frozen, for a method for sums of squares */
  double epoch_began;
  int64_t evaluations; /* before this epoch */
  nnb_status status;   /* the error of ending an epoch, if any */
  int turn;            /* the epoch that ends a descent, unless its best loss is below to_beat; 0: none */
  double to_beat;
  bool turned; /* it did */
} full;

nnb_status nnb__fit_full_check(const nnb__fit *f) {
  const nnb_fit_opts *o = &f->opts;
  const char *name = f->ops->name;
  if (o->batch != 0 && o->batch != NNB_FULL_BATCH)
    return nnb__fail(NNB_E_ARG, "batch is %d; wanted 0 or NNB_FULL_BATCH, because %s is a full-batch method", o->batch,
                     name);
  if (o->bayes && o->l2 > 0)
    return nnb__fail(NNB_E_ARG, "l2 is %g; wanted 0, because .bayes estimates the decay", o->l2);
  if (nnb__optim_has(f->ops, NNB__TRAIT_LINEAR) && nnb__linear_params(f->net, NULL) == 0)
    return nnb__fail(
        NNB_E_UNSUPPORTED,
        "%s needs a dense output layer without activation that is not frozen; this net has none; %s works without",
        name, nnb_algo_name(nnb__optim_algo(NNB_AUTO, NNB__TRAIT_SQUARES)));
  if (nnb__optim_has(f->ops, NNB__TRAIT_SQUARES) && nnb__net_n_free(f->net) == 0)
    return nnb__fail(NNB_E_ARG, "%s has nothing to change: all parameters are frozen", name);
  return nnb__net_check_fixed(f->net, name);
}

/* ½·l2·‖w‖²; adds its gradient to g, unless g is NULL. */
static double penalty(const nnb__fit *f, const real *x, real *g) {
  double sum = 0;
  nnb__segment seg[2];
  if (!(f->opts.l2 > 0)) return 0;
  for (int b = 0; b < f->net->n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&f->net->blocks[b], seg); s < n; s++) {
      if (!seg[s].decays) continue;
      sum += nnb__sum_squares(seg[s].n, x + seg[s].off);
      if (g) nnb__axpy(seg[s].n, (real)f->opts.l2, x + seg[s].off, g + seg[s].off);
    }
  return 0.5 * f->opts.l2 * sum;
}

/* Zeros the gradient of frozen parameters: every method then leaves them unchanged. */
static void project(const nnb__fit *f, real *g) {
  for (int i = 0; i < f->net->n_blocks; i++) {
    const nnb__block *b = &f->net->blocks[i];
    size_t n_weights = (size_t)b->rows * (size_t)b->cols;
    if (b->frozen & NNB_WEIGHTS) memset(g + b->off, 0, n_weights * sizeof *g);
    if (b->bias && b->frozen & NNB_BIAS) memset(g + b->off + n_weights, 0, (size_t)b->cols * sizeof *g);
  }
}

/* The loss over rows, and its gradient unless g is NULL; losses of chunks add up. */
static nnb_status loss_of_rows(nnb__fit *f, int row0, int n_rows, double *loss, real *g) {
  nnb_status status = nnb__blas_enter();
  nnb__loss_sum sum = {0};
  *loss = 0;
  if (status) return status;
  if (g && n_rows == 0) memset(g, 0, f->net->n_params * sizeof *g);
  for (int r = 0, n; !status && (n = nnb__chunk(n_rows, r, f->opts.chunk)) > 0; r += n) {
    nnb_batch part;
    if ((f->broken = nnb__fetch(f->net, &f->window, row0 + r, n, &part))) break;
    part.norm = f->norm;
    const nnb_run run = {.training = true, .seed = f->opts.seed, .row0 = row0 + r};
    status = g ? nnb__plan_gradient(f->plan, &part, &run, r > 0, &sum, g) : nnb__plan_loss(f->plan, &part, &run, &sum);
  }
  *loss = nnb__loss_value(sum, f->norm);
  nnb__blas_leave();
  return f->broken ? NNB_E_STATE : status;
}

static nnb_status loss_of_all(const full *u, double *loss, real *g) {
  const nnb_status status = nnb__fit_sum(u->f, u->f->rows.x.rows, loss_of_rows, loss, g);
  return u->f->broken ? NNB_E_STATE : status;
}

static nnb_status objective(void *user, const real *x, double *value, real *g) {
  const full *u = user;
  nnb__fit *f = u->f;
  memcpy(f->net->params, x, f->net->n_params * sizeof *x);
  nnb_status status = loss_of_all(u, value, g);
  *value += penalty(f, x, g);
  if (g) project(f, g);
  return status;
}

/* ---- sums of squares -------------------------------------------------------------------------------------------- */

/* Sets the net's parameters to x, which does not contain the frozen ones for sums of squares. */
static void unpack(const nnb__fit *f, const real *x, real *params) {
  nnb__segment seg[2];
  if (!f->ops->least_squares) {
    memcpy(params, x, f->net->n_params * sizeof *x);
    return;
  }
  for (int b = 0; b < f->net->n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&f->net->blocks[b], seg); s < n; x += seg[s++].n)
      memcpy(params + seg[s].off, x, seg[s].n * sizeof *x);
}

/* Fills x, and the decay of each of its numbers. */
static void pack(const nnb__fit *f, real *x, double *ridge) {
  nnb__segment seg[2];
  for (int b = 0; b < f->net->n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&f->net->blocks[b], seg); s < n; x += seg[s++].n) {
      memcpy(x, f->net->params + seg[s].off, seg[s].n * sizeof *x);
      for (size_t i = 0; ridge && i < seg[s].n; i++) *ridge++ = seg[s].decays ? f->opts.l2 : 0;
    }
}

/* Residuals of the loss from row0 on, in whole rows of the data. */
static nnb_status rows_of(const full *u, const real *x, size_t row0, int k, real *r, real *J, int ldj,
                          nnb__columns columns) {
  nnb__fit *f = u->f;
  const int n_r = (int)nnb__n_residuals(f->net, &f->rows), n = k / n_r;
  const int first = nnb__ranks_slice(f->ranks, f->rows.x.rows).row0 + (int)(row0 / (size_t)n_r);
  nnb_status status = NNB_OK;
  unpack(f, x, f->net->params);
  for (int i = 0, now; !status && (now = nnb__chunk(n, i, f->opts.chunk)) > 0; i += now) {
    size_t off = (size_t)i * (size_t)n_r;
    nnb_batch part;
    if ((f->broken = nnb__fetch(f->net, &f->window, first + i, now, &part))) return f->ranks ? f->broken : NNB_E_STATE;
    status = nnb__plan_rows(f->plan, &part, 0, now, u->f->norm, r + off, J ? J + off * (size_t)ldj : NULL, (size_t)ldj,
                            columns);
  }
  return status;
}
static nnb_status residuals(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  return rows_of(user, x, row0, k, r, J, ldj, NNB__FREE);
}
static nnb_status linear_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  return rows_of(user, x, row0, k, r, J, ldj, NNB__LINEAR);
}

/* ---- Bayesian regularisation ------------------------------------------------------------------------------------ */

/* The number of target values; rows of weight 0 do not count. */
static int count_rows(const nnb_batch *rows) {
  int n = rows->x.rows;
  for (int i = 0; rows->weight && i < rows->x.rows; i++) n -= rows->weight[i] == 0;
  return n;
}

/* Converts the evidence of residuals r = c·√weight·(a - t) to one of targets: 1/β is the variance of a target in the
 * first column, and p(t) = p(r)·|∂r/∂t|. */
static nnb_evidence of_targets(const full *u, nnb_evidence e) {
  const nnb_batch *rows = &u->f->rows;
  const nnb_net *net = u->f->net;
  const double first = nnb__net_root(net, 0, u->f->norm);
  double log_c = 0, log_weight = 0;
  for (int j = 0; j < net->n_y; j++) log_c += log(nnb__net_root(net, j, u->f->norm));
  for (int i = 0; rows->weight && i < rows->x.rows; i++)
    if (rows->weight[i] > 0) log_weight += log((double)rows->weight[i]) / 2;
  e.beta *= first * first;
  e.log_evidence += count_rows(rows) * log_c + net->n_y * log_weight;
  return e;
}

/* The minimiser's function minus the loss. */
static double added(const full *u, const nnb_evidence *e, const real *x) {
  if (!u->f->opts.bayes) return penalty(u->f, u->f->last, NULL);
  return e->beta > 0 ? e->alpha / e->beta * nnb__sum_squares(u->n_free, x) / 2 : 0;
}

/* The loss as a part of the minimiser's value, at least 0: if it is by far the smaller part, rounding may make the
 * difference negative. */
static double loss_within(const full *u, double value, const nnb_evidence *e, const real *x) {
  const double loss = value - added(u, e, x);
  return u->f->ops->least_squares ? fmax(loss, 0) : loss;
}

/* ---- when a descent is broken off ------------------------------------------------------------------------------- */

bool nnb__fit_full_may_repeat(const nnb__fit *f) {
  const nnb_fit_opts *o = &f->given;
  const bool wanted = f->ops->descent > 0 && o->l2 == 0 && !o->bayes && o->patience == 0 && !f->val;
  return wanted && (f->opts.max_epochs == NNB_NONE || f->opts.max_epochs >= 2 * f->ops->descent);
}

/* Whether the descent ends with this epoch, so that another one begins. */
static bool is_turn(full *u) {
  const nnb__fit *f = u->f;
  if (u->turn == 0 || f->report.epochs != u->turn || f->report.best_loss < u->to_beat) return false;
  const bool first = f->report.second_start == 0, limited = f->opts.max_seconds > 0;
  return u->turned = !first || !limited || 2 * f->last_record.total_seconds <= f->opts.max_seconds;
}

static bool is_over(const full *u) { return u->status || u->f->report.stop != NNB_STOP_NONE; }

/* ---- epochs ----------------------------------------------------------------------------------------------------- */

static int end_epoch(void *user, const nnb_min_record *m) {
  full *u = user;
  nnb__fit *f = u->f;
  const double now = nnb__now();
  nnb_record rec = {.epoch = f->report.epochs + 1,
                    .updates = f->descents.iterations + m->iteration,
                    .samples = (f->descents.evaluations + m->evaluations - u->evaluations) * f->n_rows,
                    .seconds = now - u->epoch_began};
  unpack(f, m->x, f->last);
  memcpy(f->net->params, f->last, f->net->n_params * sizeof *f->last);
  memcpy(f->last + f->net->n_params, f->net->params + f->net->n_params, f->net->n_buffers * sizeof *f->last);
  rec.loss = loss_within(u, m->value, m->evidence, m->x);
  if (m->evidence) f->report.evidence = of_targets(u, *m->evidence);
  u->evaluations = f->descents.evaluations + m->evaluations;
  f->report.updates = rec.updates, f->report.samples = u->evaluations * f->n_rows;
  u->status = nnb__fit_end_epoch(f, &rec);
  u->epoch_began = nnb__now();
  return is_over(u) || is_turn(u);
}

/* If the minimiser cannot begin, finds the reason in the loss. */
static nnb_status explain_start(const full *u) {
  double loss;
  char reason[NNB__MESSAGE / 2];
  nnb_status status = loss_of_all(u, &loss, NULL);
  if (!status)
    return nnb__fail(NNB_E_NUMERIC, "the gradient or a derivative is not finite at the start; the loss is %g", loss);
  snprintf(reason, sizeof reason, "%.*s", (int)sizeof reason - 1, nnb_errmsg());
  return nnb__fail(NNB_E_NUMERIC, "at the start %s", reason);
}

/* The stop reason of the fit, if the minimiser ended without one from an epoch. */
static nnb_status conclude(full *u, const nnb_min_report *m, nnb_status status) {
  nnb__fit *f = u->f;
  nnb_report *r = &f->report;
  if (f->broken) return f->broken;
  if (u->status) return u->status;
  if (status == NNB_E_NUMERIC && f->descents.evaluations <= 1) return explain_start(u);
  if (status) return status;
  r->samples = f->descents.evaluations * f->n_rows;
  if (r->stop == NNB_STOP_NONE) r->stop = m->stop;
  if (f->opts.bayes) r->evidence = of_targets(u, m->evidence);
  if (r->epochs == 0) r->loss = loss_within(u, m->value, &m->evidence, f->x);
  if (r->epochs == 0 && !f->val) r->best_loss = r->loss;
  return NNB_OK;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------ */

static void exchange(size_t n, real *a, real *b) {
  for (size_t i = 0; i < n; i++) {
    const real swap = a[i];
    a[i] = b[i], b[i] = swap;
  }
}

/* The file has the net of the last epoch; the minimiser may have evaluated other points since. */
static void write_state(void *user, bool ended) {
  const full *u = user;
  nnb__fit *f = u->f;
  nnb_net *net = f->net;
  if (u->status || f->broken) return;
  memcpy(f->buffers, net->params + net->n_params, net->n_buffers * sizeof *f->buffers);
  exchange(net->n_values, net->params, f->last);
  nnb__fit_checkpoint_write(f, ended);
  exchange(net->n_values, net->params, f->last);
}

/* The net ← the checkpoint's, with its buffers. */
static void prepare_state(nnb__fit *f) {
  nnb_net *net = f->net;
  memcpy(net->params, f->last, net->n_params * sizeof *f->last);
  memcpy(net->params + net->n_params, f->buffers, net->n_buffers * sizeof *f->last);
}

/* ---- a run of a minimiser --------------------------------------------------------------------------------------- */

/* With the starts of nnb_net_init, where all features are odd functions, 6-neuron nets for a parabola, sin, exp and
 * 1/(1 + 25x²) reached weights up to 1e13 without it, and half of them ended above lm. */
static const double linear_ridge = 1e-4;

/* An error of one rank's source is one of all. */
static nnb_status broken_on_all(const full *u, nnb_status status) {
  nnb__fit *f = u->f;
  bool broken = f->broken != NNB_OK;
  if (!f->ranks || !status || u->status) return status;
  const nnb_status failed = nnb__ranks_any(f->ranks, &broken);
  if (failed || broken) f->broken = failed ? failed : status;
  return status;
}

static nnb_status minimize_squares(full *u, const nnb_min_opts *opts, nnb__keep *keep, nnb_min_report *report) {
  nnb__fit *f = u->f;
  const size_t n_r = nnb__n_residuals(f->net, &f->rows);
  const nnb_lsq lsq = {.m = (size_t)nnb__ranks_slice(f->ranks, f->rows.x.rows).n * n_r,
                       .n = u->n_free,
                       .user = u,
                       .rows = residuals,
                       .ridge = f->opts.l2 > 0 ? f->ridge : NULL,
                       .linear = opts->algo == f->opts.algo ? f->linear : NULL,
                       .linear_rows = linear_rows,
                       .linear_ridge = linear_ridge,
                       .group = (int)n_r,
                       .m_known = f->ranks ? 0 : (size_t)count_rows(&f->rows) * n_r}; /* .bayes */
  pack(f, f->x, f->ridge);
  if (f->linear) nnb__linear_params(f->net, f->linear);
  const nnb__tree *tree = f->ranks && f->ranks->shards.tree.n > 0 ? &f->ranks->shards.tree : NULL;
  return broken_on_all(u, nnb__least_squares(&lsq, f->x, opts, keep, nnb__fit_comm(f), tree, f->rows.x.rows, report));
}

/* Runs a method from f->last, or a saved state, for so many iterations; NNB_NONE: without a limit.  end NULL: its
 * iterations are no epochs. */
static nnb_status minimize(full *u, nnb_algo algo, int most, int (*end)(void *, const nnb_min_record *),
                           nnb_min_report *report) {
  nnb__fit *f = u->f;
  const size_t n = f->net->n_params;
  nnb__keep *keep = f->opts.checkpoint && end ? &f->keep : NULL;
  nnb_min_opts opts = {.gradient_tol = (double)REAL_EPS, .on_iteration = end, .user = u};
  nnb__opts_copy(NNB__FIT_OPTS, &f->opts, NNB__MIN_OPTS, &opts);
  opts.algo = algo, opts.max_iterations = most;
  if (f->ranks) opts.max_seconds = 0; /* rank 0 looks at its clock at the end of an epoch */
  if (opts.max_seconds > 0 && (f->keep.from || f->descents.evaluations > 0))
    opts.max_seconds = fmax(f->start + opts.max_seconds - nnb__now(), DBL_MIN);
  nnb_status status;
  if (f->ops->least_squares) {
    status = minimize_squares(u, &opts, keep, report);
  } else {
    memcpy(f->x, f->net->params, n * sizeof *f->x);
    status =
        nnb__minimize(&(nnb_fdf){.n = n, .user = u, .eval = objective}, f->x, &opts, keep, nnb__fit_comm(f), report);
  }
  f->descents.iterations += report->iterations, f->descents.evaluations += report->evaluations;
  return status;
}

/* ---- the descents ----------------------------------------------------------------------------------------------- */

/* The runs of the minimiser: the first descent; the second one, in stages with decay, then without; the first one from
 * where it was broken off, if the second one is not lower. */
enum { FIRST, STAGED, LAST = STAGED + NNB__STAGES, BACK, NO_RUN };
static_assert((int)NO_RUN == (int)NNB__FIT_RUNS, "NNB__FIT_RUNS is not the number of runs");

enum { STAGE_PART = 16, CONSTANT_ITERATIONS = 20 };
static const double first_decay = 0.03, next_decay = 0.1; /* in units of the loss of a constant */

/* The net ← these parameters and buffers, which count as those of the last epoch. */
static void go_to(nnb__fit *f, const real *values) {
  const size_t bytes = f->net->n_values * sizeof *values;
  if (values != f->last) memcpy(f->last, values, bytes);
  memcpy(f->net->params, f->last, bytes);
}

/* From parameters of 0 only the output biases move: *loss ← that of the best constant prediction. */
static nnb_status constant_loss(full *u, double *loss) {
  nnb__fit *f = u->f;
  nnb__segment seg[2];
  nnb_min_report m;
  go_to(f, f->first);
  for (int b = 0; b < f->net->n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&f->net->blocks[b], seg); s < n; s++)
      memset(f->net->params + seg[s].off, 0, seg[s].n * sizeof *f->net->params);
  nnb_status status = minimize(u, f->ops->least_squares ? NNB_LM : NNB_LBFGS, CONSTANT_ITERATIONS, NULL, &m);
  *loss = m.value;
  return status;
}

static double decay_of_stage(const nnb__fit *f, int stage) {
  double decay = first_decay * f->descents.unit;
  while (stage-- > 0) decay *= next_decay;
  return decay;
}

/* Whether the saved run had come to its end. */
static bool had_ended(full *u, int most) {
  const nnb__fit *f = u->f;
  if (is_over(u) || is_turn(u)) return true;
  return most != NNB_NONE && f->report.updates - f->descents.iterations >= most;
}

/* A run from its beginning, or from a saved state. */
static nnb_status run_once(full *u, nnb_min_report *m) {
  nnb__fit *f = u->f;
  const int run = f->descents.run;
  const bool staged = run >= STAGED && run < LAST;
  const nnb_algo algo = staged && f->ops->least_squares ? NNB_LM : f->opts.algo;
  const int most = staged ? f->ops->descent / STAGE_PART : NNB_NONE;
  u->turn = !f->first || staged ? 0 : f->report.second_start + f->ops->descent;
  u->to_beat = run == FIRST ? -HUGE_VAL : f->descents.to_beat;
  if (f->keep.from)
    f->keep.finished = had_ended(u, most);
  else if (run == STAGED || run == BACK)
    go_to(f, run == STAGED ? f->first : f->best);
  if (staged) f->opts.l2 = decay_of_stage(f, run - STAGED);
  const nnb_status status = minimize(u, algo, most, end_epoch, m);
  if (staged) f->opts.l2 = 0, go_to(f, f->last);
  return status;
}

static nnb_status begin_second(full *u) {
  nnb__fit *f = u->f;
  f->descents.to_beat = f->report.best_loss;
  f->report.second_start = f->report.epochs;
  return constant_loss(u, &f->descents.unit);
}

/* The run after one that has ended. */
static int next_run(const full *u, nnb_status status) {
  const nnb__fit *f = u->f;
  const int run = f->descents.run;
  if (run == BACK || is_over(u)) return NO_RUN;
  if (run == FIRST) return !status && u->turned ? STAGED : NO_RUN;
  if (status) return status == NNB_E_NUMERIC ? BACK : NO_RUN;
  if (run == LAST) return f->report.best_loss < f->descents.to_beat ? NO_RUN : BACK;
  return run + 1;
}

static nnb_status descend(full *u, nnb_min_report *m) {
  int *run = &u->f->descents.run;
  for (;;) {
    nnb_status status = run_once(u, m);
    int next = next_run(u, status);
    if (next == NO_RUN) return status;
    if (*run == FIRST) {
      status = begin_second(u);
      if (status && status != NNB_E_NUMERIC) return status;
      if (status) next = BACK;
    }
    *run = next;
  }
}

/* ---- the call --------------------------------------------------------------------------------------------------- */

nnb_status nnb__fit_full(nnb__fit *f) {
  nnb_net *net = f->net;
  full u = {
      .f = f, .n_free = nnb__net_n_free(net), .epoch_began = nnb__now(), .evaluations = f->report.samples / f->n_rows};
  nnb_min_report report;
  f->keep.write = write_state, f->keep.user = &u;
  if (f->keep.from)
    prepare_state(f);
  else
    memcpy(f->last, net->params, net->n_values * sizeof *f->last);
  const nnb_status status = descend(&u, &report);
  const bool malformed = status && f->keep.from; /* the state in the file */
  const bool refused = malformed || (status == NNB_E_NOMEM && f->report.second_start > 0);
  memcpy(net->params, refused ? f->before : f->last, net->n_values * sizeof *f->last);
  return malformed ? nnb__choices_explain(f->opts.checkpoint, status) : conclude(&u, &report, status);
}
