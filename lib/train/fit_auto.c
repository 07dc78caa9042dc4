/* train/fit_auto.c: NNB_AUTO of nnb_fit: what the options leave open is chosen by how well copies of the net predict
 * rows that they were not trained on.  docs/defaults.md has the reasons and the measurements.
 *
 * Little data: a path from strong to weak decay, each stage of L-BFGS from where the stage before ended, on the
 * training part of each of two folds at once, until the loss on their test parts no longer falls.  Then the better copy
 * goes on with all rows and the best decay. Much data: Adam with one cycle of the learning rate; rate and decay by
 * short cycles. */
#include "fit_auto.h"

#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "data.h"
#include "fit.h"
#include "ints.h"
#include "metrics.h"
#include "seal.h"
#include "status.h"
#include "team.h"

enum { FEW_ROWS = 30, MANY_ROWS = 2000 };
static const double many_products = 2e7; /* rows times parameters */

/* The path.  Decay is in units of the loss of the best constant prediction, so that neither the loss nor the scale of
 * the targets matters. */
enum { FOLDS = 2, STAGES = 10, FIRST_STAGE = 15, IDLE_STAGES = 2, LAST_STAGE = 3, FEW_ITERATIONS = 300 };
static const double first_decay = 0.1, next_decay = 0.2, next_stage = 1.2, few_decay = 1e-3;
static const double least_gain = 0.02; /* of the loss, by a stage that counts as progress */
static const double learnt = 0.98;     /* of the loss of a constant: above, a copy has learned nothing */

/* The cycle. */
enum { BATCH = 128, RATES = 3, LEAST_EPOCHS = 4, MOST_EPOCHS = 40, TRIAL = 4, STOPPED_PATIENCE = 10 };
static const double rates[RATES] = {1e-2, 3e-3, 1e-3}, cycle_decay = 0.1;

static const double search_share = 0.6; /* of max_seconds */

/* A copy of the net, the rows it is trained on, and those it is judged by. */
typedef struct trial {
  nnb_net *net;
  const nnb_data *train, *test;
  nnb_data *own_train, *own_test; /* to be released, or NULL */
  nnb_fit_opts opts;
  bool keeps;     /* goes on from its parameters; otherwise from the start */
  double unit;    /* the loss of a constant prediction on train … */
  double nothing; /* … and on test */
  double score;   /* the loss on test, as a part of that; INFINITY: none */
  double seconds;
  nnb_status status; /* lack of memory; anything else is a score */
} trial;

typedef struct search {
  nnb_net *net;
  const nnb_data *train, *val;
  const nnb_fit_opts *given;
  double began;
  int threads;
  real *start, *best; /* the parameters and buffers at the start, and the best of a trial */
  trial trial[RATES];
  int n;
  const nnb_data *chosen_train, *chosen_val; /* what the net is trained by */
  nnb_fit_opts chosen;
  nnb__choices *choices;
  nnb_report *report;
} search;

/* ---- trials ----------------------------------------------------------------------------------------------------- */

static void set_params(const nnb_net *net, const real *from) {
  memcpy(net->params, from, net->n_values * sizeof *from);
}

/* Seconds that the trials may still take; 0: no limit. */
static double seconds_left(const search *s) {
  if (!(s->given->max_seconds > 0)) return 0;
  return fmax(s->began + search_share * s->given->max_seconds - nnb__now(), DBL_MIN);
}

static bool out_of_time(const search *s) {
  return s->given->max_seconds > 0 && nnb__now() >= s->began + search_share * s->given->max_seconds;
}

static double loss_on(trial *t, const nnb_data *data) {
  nnb_metrics m;
  nnb_status status = nnb__evaluate(t->net, data, 1, &m);
  if (status == NNB_E_NOMEM) t->status = status;
  return status ? HUGE_VAL : m.loss;
}

static nnb_status train_copy(trial *t, const nnb_data *data, const nnb_fit_opts *opts) {
  nnb_report r;
  nnb_status status = nnb__fit_run(t->net, data, NULL, opts, NULL, NULL, nnb__now(), &r);
  if (status == NNB_E_NOMEM) t->status = status;
  t->seconds = r.seconds / (r.epochs > 0 ? r.epochs : 1);
  return status;
}

/* From parameters of 0 only the output biases move: the loss of the best constant prediction.  1 where that has no
 * meaning. */
static double constant_loss(trial *t, const nnb_data *data) {
  const nnb_fit_opts opts = {.algo = NNB_LBFGS, .max_epochs = 20, .threads = 1, .history = NNB_NONE};
  memset(t->net->params, 0, t->net->n_params * sizeof(real));
  const double loss = train_copy(t, data, &opts) ? 1 : loss_on(t, data);
  return loss > 0 && isfinite(loss) ? loss : 1;
}

static void measure_constant(void *context, int i) {
  trial *t = (trial *)context + i;
  t->unit = constant_loss(t, t->train);
  const double nothing = loss_on(t, t->test);
  t->nothing = nothing > 0 && isfinite(nothing) ? nothing : 1;
}

static void run_trial(void *context, int i) {
  trial *t = (trial *)context + i;
  t->score = train_copy(t, t->train, &t->opts) ? HUGE_VAL : loss_on(t, t->test) / t->nothing;
}

/* All trials; each by one thread, so that their number changes nothing. */
static nnb_status run_all(search *s, nnb__part_fn run) {
  nnb__team_run_jobs(s->n, s->threads, run, s->trial);
  for (int i = 0; i < s->n; i++)
    if (s->trial[i].status) return nnb__fail_nomem("a trial of a fit");
  return NNB_OK;
}

static nnb_status add_trial(search *s, const nnb_data *train, const nnb_data *test) {
  trial *t = &s->trial[s->n++];
  t->train = train, t->test = test, t->nothing = 1;
  return nnb_net_copy(s->net, &t->net);
}

static void release(search *s) {
  for (int i = 0; i < s->n; i++) {
    nnb_net_destroy(s->trial[i].net);
    nnb_data_destroy(s->trial[i].own_train);
    nnb_data_destroy(s->trial[i].own_test);
  }
  nnb__release(s->start);
  nnb__release(s->best);
}

/* *l2 ← a decay in units of the loss of a constant on all rows.  Spoils the first trial. */
static nnb_status scale_decay(search *s, double decay, double *l2) {
  trial *t = &s->trial[0];
  *l2 = decay * constant_loss(t, s->train);
  return t->status ? nnb__fail_nomem("a trial of a fit") : NNB_OK;
}

/* ---- the fit that counts ---------------------------------------------------------------------------------------- */

static nnb_status choose(search *s, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts,
                         nnb_choice choice, int trials) {
  s->choices->choice = (int)choice, s->choices->trials = trials;
  s->choices->held_rows = nnb_data_rows(s->train) - nnb_data_rows(train);
  s->chosen_train = train, s->chosen_val = val, s->chosen = *opts;
  return NNB_OK;
}

/* What rank 0 has chosen. */
typedef struct decision {
  nnb_algo algo;
  nnb_schedule schedule;
  int batch, max_epochs, patience, choice, trials, held_rows;
  double lr, l2, held_loss, held_share;
  bool validates;
} decision;

static decision decision_of(const search *s) {
  const nnb_fit_opts *o = &s->chosen;
  const nnb__choices *c = s->choices;
  return (decision){.algo = o->algo,
                    .schedule = o->schedule,
                    .batch = o->batch,
                    .max_epochs = o->max_epochs,
                    .patience = o->patience,
                    .choice = c->choice,
                    .trials = c->trials,
                    .held_rows = c->held_rows,
                    .lr = o->lr,
                    .l2 = o->l2,
                    .held_loss = c->held_loss,
                    .held_share = c->held_share,
                    .validates = s->chosen_val != NULL};
}

/* On a rank other than 0.  The rows held out are those of rank 0: a function of the seed. */
static nnb_status take_decision(search *s, const decision *d) {
  nnb_fit_opts *o = &s->chosen;
  nnb__choices *c = s->choices;
  trial *t = &s->trial[s->n++];
  *o = *s->given;
  o->algo = d->algo, o->schedule = d->schedule, o->batch = d->batch, o->max_epochs = d->max_epochs;
  o->patience = d->patience, o->lr = d->lr, o->l2 = d->l2;
  c->choice = d->choice, c->trials = d->trials, c->held_rows = d->held_rows;
  c->held_loss = d->held_loss, c->held_share = d->held_share;
  s->chosen_train = s->train, s->chosen_val = d->validates ? s->val : NULL;
  if (!(d->held_share > 0)) return NNB_OK;
  const nnb_status status = nnb__data_split(s->train, d->held_share, o->seed, &t->own_train, &t->own_test);
  s->chosen_train = t->own_train, s->chosen_val = t->own_test;
  return status;
}

static nnb_status share_decision(search *s, nnb__ranks *r, nnb_status status) {
  nnb__comm *comm = &r->comm;
  if ((status = nnb__comm_agree(comm, status))) return status;
  decision d;
  memset(&d, 0, sizeof d);
  if (comm->calls.rank == 0) d = decision_of(s);
  if ((status = nnb__comm_broadcast(comm, 0, sizeof d, &d))) return status;
  status = nnb__comm_agree(comm, comm->calls.rank == 0 ? NNB_OK : take_decision(s, &d));
  return status ? status : nnb__ranks_count(r, s->chosen_train, s->chosen_val);
}

static nnb_status train_net(search *s, nnb__ranks *ranks) {
  const nnb_status status =
      nnb__fit_run(s->net, s->chosen_train, s->chosen_val, &s->chosen, ranks, s->choices, s->began, s->report);
  if (status && s->report->best_epoch == 0) set_params(s->net, s->start);
  return status;
}

/* ---- little data: the path -------------------------------------------------------------------------------------- */

static nnb_status make_folds(search *s) {
  if (s->val) return add_trial(s, s->train, s->val);
  nnb_status status = NNB_OK;
  for (int k = 0; !status && k < FOLDS; k++) {
    status = add_trial(s, NULL, NULL);
    trial *t = &s->trial[k];
    if (!status) status = nnb__data_fold(s->train, FOLDS, k, s->given->seed, &t->own_train, &t->own_test);
    t->train = t->own_train, t->test = t->own_test;
  }
  return status;
}

/* One stage of every trial; *score ← the mean, *better ← the trial of the least. */
static nnb_status run_stage(search *s, double decay, int iterations, double *score, int *better) {
  for (int i = 0; i < s->n; i++) {
    trial *t = &s->trial[i];
    const bool learns = t->keeps && t->score <= learnt;
    if (!learns) set_params(t->net, s->start); /* weights that the decay took to 0 would stay there */
    t->keeps = true;
    t->opts = (nnb_fit_opts){.algo = NNB_LBFGS,
                             .l2 = s->given->l2 != 0 ? s->given->l2 : decay * t->unit,
                             .max_epochs = iterations,
                             .max_seconds = seconds_left(s),
                             .seed = s->given->seed,
                             .threads = 1,
                             .history = NNB_NONE};
  }
  nnb_status status = run_all(s, run_trial);
  *score = 0, *better = 0;
  for (int i = 0; i < s->n; i++) {
    *score += s->trial[i].score / s->n;
    if (s->trial[i].score < s->trial[*better].score) *better = i;
  }
  return status;
}

/* Where the path was best: best ← its parameters, *decay and *iterations those of the stage. */
static nnb_status follow_path(search *s, double *decay, int *iterations, int *trials, double *held_loss) {
  const int most = s->given->max_epochs > 0 ? s->given->max_epochs : INT_MAX;
  double now = first_decay, length = FIRST_STAGE, score, least = HUGE_VAL;
  int better, idle = 0;
  nnb_status status = NNB_OK;
  if (s->val) {
    set_params(s->trial[0].net, s->start);
    least = loss_on(&s->trial[0], s->val) / s->trial[0].nothing;
    if (s->trial[0].status) return nnb__fail_nomem("a trial of a fit");
  }
  *decay = now, *iterations = nnb__smaller((int)length, most);
  for (int k = 0; k < STAGES && idle < IDLE_STAGES && !out_of_time(s); k++, now *= next_decay, length *= next_stage) {
    status = run_stage(s, now, nnb__smaller((int)length, most), &score, &better);
    if (status) return status;
    *trials += s->n;
    idle = score < (1 - least_gain) * least || score > learnt ? 0 : idle + 1;
    if (!(score < least)) continue;
    least = *held_loss = score, *decay = now, *iterations = (int)length;
    memcpy(s->best, s->trial[better].net->params, s->net->n_values * sizeof *s->best);
  }
  return status;
}

static nnb_status fit_by_path(search *s) {
  double decay = first_decay, held_loss = HUGE_VAL;
  int iterations = FIRST_STAGE, trials = 0;
  nnb_status status = make_folds(s);
  if (!status) status = run_all(s, measure_constant);
  if (!status) status = follow_path(s, &decay, &iterations, &trials, &held_loss);
  if (status) return status;
  nnb_fit_opts opts = *s->given;
  opts.algo = NNB_LBFGS;
  if (opts.l2 == 0) status = scale_decay(s, decay, &opts.l2);
  if (status) return status;
  if (opts.max_epochs == 0) opts.max_epochs = LAST_STAGE * iterations;
  set_params(s->net, s->best);
  if (!s->val) s->choices->held_loss = held_loss;
  return choose(s, s->train, s->val, &opts, s->val ? NNB_CHOICE_VALIDATION : NNB_CHOICE_FOLDS, trials);
}

static nnb_status fit_few_rows(search *s) {
  nnb_status status = add_trial(s, s->train, s->train);
  if (status) return status;
  nnb_fit_opts opts = *s->given;
  opts.algo = NNB_LBFGS;
  if (opts.l2 == 0) status = scale_decay(s, few_decay, &opts.l2);
  if (status) return status;
  if (opts.max_epochs == 0) opts.max_epochs = FEW_ITERATIONS;
  return choose(s, s->train, NULL, &opts, NNB_CHOICE_FEW_ROWS, 0);
}

/* ---- much data: the cycle --------------------------------------------------------------------------------------- */

static int cycle_epochs(const search *s) {
  if (s->given->max_epochs > 0) return s->given->max_epochs;
  const double e = 12 * sqrt(60000.0 / nnb_data_rows(s->train));
  return (int)fmin(fmax(e, LEAST_EPOCHS), MOST_EPOCHS);
}

static nnb_fit_opts cycle(const search *s, double lr, double l2, int epochs) {
  nnb_fit_opts opts = *s->given;
  opts.algo = NNB_ADAM, opts.schedule = NNB_ONE_CYCLE;
  opts.batch = BATCH, opts.lr = lr, opts.max_epochs = epochs;
  if (opts.l2 == 0) opts.l2 = l2;
  return opts;
}

static nnb_fit_opts short_cycle(const search *s, double lr, double l2, int epochs) {
  nnb_fit_opts opts = cycle(s, lr, l2, epochs / TRIAL > 0 ? epochs / TRIAL : 1);
  opts.threads = 1, opts.history = NNB_NONE, opts.max_seconds = seconds_left(s);
  opts.target_loss = 0, opts.patience = 0;
  nnb__fit_quiet(&opts);
  nnb__fit_without_checkpoint(&opts);
  return opts;
}

/* *lr, *l2 ← those of the short cycle that predicts best: the rate first, then whether decay helps. */
static nnb_status choose_cycle(search *s, int epochs, double *lr, double *l2, int *trials) {
  for (int i = 0; i < s->n; i++) /* NOLINTNEXTLINE: there are as many rates */
    s->trial[i].opts = short_cycle(s, rates[i], cycle_decay, epochs);
  nnb_status status = run_all(s, run_trial);
  if (status) return status;
  int better = 1; /* where none has a score, the middle */
  for (int i = 0; i < s->n; i++)
    if (s->trial[i].score < s->trial[better].score) better = i;
  *lr = rates[better], *l2 = cycle_decay, *trials = s->n;
  if (s->given->l2 != 0 || out_of_time(s)) return NNB_OK;
  trial *t = &s->trial[better];
  const double with_decay = t->score;
  set_params(t->net, s->start);
  t->opts = short_cycle(s, *lr, NNB_NONE, epochs);
  run_trial(t, 0);
  ++*trials;
  if (t->score < with_decay) *l2 = NNB_NONE;
  return t->status ? nnb__fail_nomem("a trial of a fit") : NNB_OK;
}

/* Epochs that the rest of max_seconds allows, by how long those of the trials took. */
static int affordable(const search *s, int epochs) {
  double slowest = 0;
  if (!(s->given->max_seconds > 0)) return epochs;
  for (int i = 0; i < s->n; i++) slowest = fmax(slowest, s->trial[i].seconds);
  const double left = s->began + s->given->max_seconds - nnb__now();
  return slowest * epochs > left ? (int)fmax(left / slowest, 1) : epochs;
}

static nnb_status fit_by_cycle(search *s) {
  const nnb_data *train = s->train, *test = s->val;
  const double held_out = 0.05;
  double lr = rates[1], l2 = cycle_decay;
  int trials = 0, epochs = cycle_epochs(s);
  nnb_status status = NNB_OK;
  for (int i = 0; !status && i < RATES; i++) {
    status = add_trial(s, train, test);
    trial *first = &s->trial[0];
    if (!status && i == 0 && !test)
      status = nnb__data_split(s->train, held_out, s->given->seed, &first->own_train, &first->own_test);
    if (first->own_train) train = first->own_train, test = first->own_test;
    s->trial[i].train = train, s->trial[i].test = test;
  }
  if (!status) status = choose_cycle(s, epochs, &lr, &l2, &trials);
  if (status) return status;
  epochs = affordable(s, epochs);
  nnb_fit_opts opts = cycle(s, lr, l2, epochs);
  if (opts.patience == 0) opts.patience = nnb__smaller(epochs, epochs / 2 + 5);
  s->choices->held_share = test == s->val ? 0 : held_out;
  return choose(s, train, test, &opts, s->val ? NNB_CHOICE_VALIDATION : NNB_CHOICE_HELD_OUT, trials);
}

/* ---- options of the step are given ------------------------------------------------------------------------------ */

static nnb_status fit_by_steps(search *s) {
  const double held_out = 0.1;
  nnb_fit_opts opts = *s->given;
  if (s->val || opts.max_epochs != 0 || nnb_data_rows(s->train) < FEW_ROWS)
    return choose(s, s->train, s->val, &opts, NNB_CHOICE_NONE, 0);
  trial *t = &s->trial[s->n++];
  nnb_status status = nnb__data_split(s->train, held_out, opts.seed, &t->own_train, &t->own_test);
  if (status) return status;
  if (opts.patience == 0) opts.patience = STOPPED_PATIENCE;
  s->choices->held_share = held_out;
  return choose(s, t->own_train, t->own_test, &opts, NNB_CHOICE_HELD_OUT, 0);
}

/* ---- the choice ------------------------------------------------------------------------------------------------- */

/* Which options make it adam: those that lbfgs does not take, and batch. */
static bool says_steps(const nnb_fit_opts *o) {
  return o->batch != 0 || nnb__opts_not_taken(NNB__FIT_OPTS, o, NNB__TRAIT_MINIMIZES);
}

static nnb_status fit_by_choice(search *s) {
  const int rows = nnb_data_rows(s->train);
  const double products = (double)rows * (double)s->net->n_params;
  if (nnb__data_is_read(s->train) || (s->val && nnb__data_is_read(s->val))) /* which is read by one thread, in full */
    return choose(s, s->train, s->val, s->given, NNB_CHOICE_NONE, 0);
  if (says_steps(s->given)) return fit_by_steps(s);
  if (rows > MANY_ROWS && products > many_products) return fit_by_cycle(s);
  if (s->net->drawing) return fit_by_steps(s); /* lbfgs minimises one function */
  return rows < FEW_ROWS && !s->val ? fit_few_rows(s) : fit_by_path(s);
}

nnb_status nnb__fit_auto(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *given,
                         nnb__ranks *ranks, nnb__choices *choices, double began, nnb_report *report) {
  search s = {
      .net = net, .train = train, .val = val, .given = given, .began = began, .choices = choices, .report = report};
  if (given->algo == NNB_AUTO && !given->bayes && train && train->dt.p)
    return nnb__fail(NNB_E_UNSUPPORTED,
                     "auto chooses by predictions, not by derivatives, and the training data has targets of these "
                     "(dt); name the method, for instance .algo = NNB_LBFGS or NNB_LM");
  if (given->algo != NNB_AUTO || given->bayes)
    return nnb__fit_run(net, train, val, given, ranks, choices, began, report);
  *report = nnb__fit_no_report(given->algo);
  nnb_status status = nnb__fit_check(net, train, val, given);
  if (status && !ranks) return status;
  s.threads = given->threads > 0 ? given->threads : nnb_get_threads();
  s.start = nnb__memdup(net->params, net->n_values, sizeof *s.start);
  s.best = nnb__memdup(net->params, net->n_values, sizeof *s.best);
  if (!status && (!s.start || !s.best)) status = nnb__fail_nomem("a fit");
  if (!status && (!ranks || ranks->comm.calls.rank == 0)) status = fit_by_choice(&s);
  if (ranks) status = share_decision(&s, ranks, status);
  if (!status)
    status = train_net(&s, ranks);
  else if (s.start)
    set_params(net, s.start);
  release(&s);
  return status;
}
