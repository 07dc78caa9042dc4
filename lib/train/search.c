/* train/search.c: nnb_search: candidates from a space, measured by cross-validation on the same parts. */
#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "cv_report.h"
#include "cv_runs.h"
#include "data.h"
#include "ints.h"
#include "optim.h"
#include "search_report.h"
#include "space.h"
#include "status.h"

enum { DRAWN = 20, DRAWN_HALVING = 27, FACTOR = 3, MOST = 10000, TRIES = 20, EPOCHS = 100 };
enum { STREAM = 0x73656172 };           /* of the random numbers, for a given seed */
static const double search_share = 0.8; /* of max_seconds */

typedef struct entry {
  nnb_candidate c; /* its text and message are its own */
  char *layers;
  nnb_fit_opts fit;
  nnb_net *net;
  bool measured;
} entry;

typedef struct search {
  const nnb_data *data;
  nnb_search_opts opts; /* complete */
  nnb__space space;
  nnb__cv cv;
  entry *entry; /* in the order of the last stage: first those that are in it */
  int n;
  size_t capacity;
  nnb_metric metric; /* of the score */
  double began;
} search;

static bool halves(const search *s) { return s->opts.method == NNB_SEARCH_HALVING; }

static void release(search *s) {
  for (int i = 0; i < s->n; i++) {
    nnb__candidate_clear(&s->entry[i].c);
    nnb__release(s->entry[i].layers);
    nnb_net_destroy(s->entry[i].net);
  }
  nnb__release(s->entry);
  nnb__space_clear(&s->space);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static nnb_status check(const search *s) {
  const nnb_search_opts *o = &s->opts;
  if ((int)o->method < 0 || o->method >= NNB_N_SEARCH_METHODS)
    return nnb__fail(NNB_E_ARG, "nnb_search_opts: method is %d; wanted a value of nnb_search_method", (int)o->method);
  if (o->candidates < 1 || o->candidates > MOST)
    return nnb__fail(NNB_E_ARG, "nnb_search_opts: candidates is %d; wanted 0 to %d", o->candidates, MOST);
  if (strcmp(nnb_metric_name(s->metric), "?") == 0)
    return nnb__fail(NNB_E_ARG, "nnb_search_opts: metric is %d; wanted a value of nnb_metric", (int)s->metric);
  if (o->factor < 2) return nnb__fail(NNB_E_ARG, "nnb_search_opts: factor is %d; wanted 0, or 2 or more", o->factor);
  if (!(o->max_seconds >= 0))
    return nnb__fail(NNB_E_ARG, "nnb_search_opts: max_seconds is %g; wanted 0 or more", o->max_seconds);
  if (halves(s) && (nnb__space_has(&s->space, "max_epochs") || s->cv.given->max_epochs < 0))
    return nnb__fail(NNB_E_ARG, "halving sets max_epochs: give one number, the limit of its last stage");
  for (size_t i = 0; i < sizeof o->reserved / sizeof *o->reserved; i++)
    if (o->reserved[i])
      return nnb__fail(NNB_E_ARG, "nnb_search_opts: a reserved word is not 0; initialise the struct with {0}");
  return NNB_OK;
}

static nnb_status begin(search *s, const char *space, const nnb_fit_opts *fit, const nnb_search_opts *given) {
  if (given) s->opts = *given;
  nnb_status status = nnb__cv_begin(&s->cv, s->data, fit, &s->opts.cv);
  if (!status) status = nnb__space_parse(space, &s->space);
  if (status) return status;
  if (s->opts.candidates == 0) s->opts.candidates = halves(s) ? DRAWN_HALVING : DRAWN;
  if (s->opts.factor == 0) s->opts.factor = FACTOR;
  s->metric = s->opts.metric ? s->opts.metric : nnb_data_n_classes(s->data) > 0 ? NNB_METRIC_ACCURACY : NNB_METRIC_RMSE;
  s->cv.metrics |= (unsigned)s->metric;
  if (s->opts.max_seconds > 0) s->cv.deadline = s->began + search_share * s->opts.max_seconds;
  return check(s);
}

/* ---- candidates -------------------------------------------------------------------------------------------------- */

/* 0: a method that nnb_fit chooses, which takes every option. */
static unsigned traits_of(nnb_algo algo) {
  const nnb__optim_ops *ops = algo == NNB_AUTO ? NULL : nnb__optim_find(algo);
  return ops ? nnb__optim_traits(ops) : 0;
}

static bool is_known(const search *s, const char *text) {
  for (int i = 0; i < s->n; i++)
    if (strcmp(s->entry[i].c.text, text) == 0) return true;
  return false;
}

/* Adds the candidate of a choice, unless it is there already. */
static nnb_status add(search *s, const nnb__choice *choice) {
  nnb__proposal p;
  const char *layers = s->opts.layers ? s->opts.layers : "20:tanh";
  nnb_status status = nnb__space_propose(&s->space, choice, s->cv.given, layers, traits_of, &p);
  if (status) return status;
  nnb_net *net = NULL;
  const bool known = is_known(s, p.text);
  if (!known && !nnb__grow(&s->entry, &s->capacity, (size_t)s->n + 1, sizeof *s->entry))
    status = nnb__fail_nomem("a candidate");
  if (!status && !known) status = nnb_net_for_data(s->data, p.layers, &net);
  if (!status && !known && s->opts.loss) status = (nnb_status)nnb_net_loss_opts(net, s->opts.loss);
  if (!status && !known) status = (nnb_status)nnb_net_seed(net, p.fit.seed);
  if (status || known) {
    nnb_net_destroy(net);
    nnb__proposal_clear(&p);
    return status;
  }
  s->entry[s->n] = (entry){.c = {.text = p.text, .number = s->n}, .layers = p.layers, .fit = p.fit, .net = net};
  s->n++;
  return NNB_OK;
}

static nnb_status take_all(search *s, double size) {
  nnb__choice choice[NNB__MOST_ITEMS];
  nnb_status status = NNB_OK;
  if (size > MOST) return nnb__fail(NNB_E_ARG, "space: %.0f combinations; a grid has at most %d", size, MOST);
  for (int i = 0; i < (int)size && !status; i++) {
    nnb__space_at(&s->space, i, choice);
    status = add(s, choice);
  }
  return status;
}

static nnb_status take(search *s) {
  const double finite = nnb__space_size(&s->space, true);
  const int wanted = s->opts.candidates;
  if (s->opts.method == NNB_SEARCH_GRID) return take_all(s, nnb__space_size(&s->space, false));
  if (finite <= wanted) return take_all(s, finite);
  nnb__choice choice[NNB__MOST_ITEMS];
  nnb_status status = NNB_OK;
  nnb_rng rng;
  nnb_rng_init(&rng, s->opts.cv.seed, STREAM);
  for (int tries = 0; s->n < wanted && tries < TRIES * wanted && !status; tries++) {
    nnb__space_draw(&s->space, &rng, choice);
    status = add(s, choice);
  }
  return status;
}

/* ---- stages ------------------------------------------------------------------------------------------------------ */

/* Candidates that a stage of n leaves for the next one; 0: it is the last. */
static int kept(const search *s, int n) { return halves(s) && n > s->opts.factor ? (n - 1) / s->opts.factor + 1 : 0; }

/* The epochs of the last stage. */
static int most_epochs(const search *s) { return s->cv.given->max_epochs > 0 ? s->cv.given->max_epochs : EPOCHS; }

static int epochs_of_stage(const search *s, int stage, int stages) {
  const double e = ceil(most_epochs(s) / pow(s->opts.factor, stages - 1 - stage));
  return e < 1 ? 1 : (int)e;
}

/* What a case measured, into its entry, if all of its runs ended or one failed. */
static void note(search *s, nnb__cv_case *c, entry *e, int stage) {
  const int n = s->cv.n_runs;
  bool ended = true;
  for (int r = 0; r < n; r++) ended = ended && c->result.run[r].train_rows > 0;
  if (c->status) {
    nnb_cv_report_clear(&e->c.cv);
    e->c.status = c->status, e->c.message = c->message, e->c.stage = stage;
    c->message = NULL;
  } else if (ended) {
    nnb_cv_report_clear(&e->c.cv);
    nnb__cv_summarise(c->result, n, s->cv.metrics, &e->c.cv);
    for (int r = 0; r < n; r++) e->c.cv.seconds += c->result.run[r].seconds;
    e->c.score = nnb_cv_report_metric(&e->c.cv, s->metric);
    e->c.stage = stage, e->c.epochs = halves(s) ? c->fit.max_epochs : 0, e->measured = true;
    c->result = (nnb__cv_result){0};
  }
}

static nnb_status run_stage(search *s, int alive, int stage, int stages) {
  nnb__cv_case *cases = nnb__zalloc((size_t)alive, sizeof *cases);
  nnb_status status = cases ? NNB_OK : nnb__fail_nomem("a stage of a search");
  for (int i = 0; i < alive && !status; i++) {
    cases[i].net = s->entry[i].net, cases[i].fit = s->entry[i].fit;
    if (halves(s)) cases[i].fit.max_epochs = epochs_of_stage(s, stage, stages);
    status = nnb__cv_case_open(&s->cv, &cases[i]);
  }
  s->cv.cases = cases, s->cv.n_cases = alive;
  if (!status) status = nnb__cv_run_all(&s->cv);
  for (int i = 0; i < alive && cases; i++) {
    if (!status) note(s, &cases[i], &s->entry[i], stage);
    nnb__cv_case_close(&cases[i]);
  }
  nnb__release(cases);
  return status;
}

/* Puts the entries into order, best first, by insertion: few, and nearly in order after the first stage. */
static void sort(search *s) {
  for (int i = 1; i < s->n; i++) {
    const entry e = s->entry[i];
    int j = i;
    for (; j > 0; j--) {
      const entry *before = &s->entry[j - 1];
      const bool e_counts = e.measured || e.c.status, before_counts = before->measured || before->c.status;
      const int order =
          e_counts && before_counts ? nnb__candidate_order(&e.c, &before->c, s->metric) : before_counts - e_counts;
      if (order >= 0) break;
      s->entry[j] = *before;
    }
    s->entry[j] = e;
  }
}

static int measured(const search *s) {
  int n = 0;
  for (int i = 0; i < s->n; i++) n += s->entry[i].measured && !s->entry[i].c.status;
  return n;
}

static nnb_status run(search *s) {
  int stages = 0;
  double runs = 0;
  for (int n = s->n; n > 0; n = kept(s, n)) runs += (double)n * s->cv.n_runs, stages++;
  if (runs > INT_MAX) return nnb__fail(NNB_E_OVERFLOW, "%.0f runs are too many", runs);
  s->cv.all = (int)runs;
  nnb_status status = NNB_OK;
  for (int n = s->n, stage = 0; n > 0 && !status && !s->cv.stopped && !s->cv.late; stage++) {
    status = run_stage(s, n, stage, stages);
    if (!status) sort(s);
    n = nnb__smaller(kept(s, n), measured(s));
  }
  if (status || s->cv.stopped) return status;
  if (measured(s) > 0 && isnan(s->entry[0].c.score.mean))
    return nnb__fail(NNB_E_ARG, "%s is NaN in a part for every candidate; fewer folds make parts larger",
                     nnb_metric_name(s->metric));
  if (measured(s) > 0) return NNB_OK;
  if (s->n > 0 && s->entry[0].c.status)
    return nnb__fail(s->entry[0].c.status, "no candidate could be measured; %s: %s", s->entry[0].c.text,
                     s->entry[0].c.message ? s->entry[0].c.message : "");
  return nnb__fail(NNB_E_ARG, "max_seconds is %g: too short to measure one candidate", s->opts.max_seconds);
}

/* ---- the result -------------------------------------------------------------------------------------------------- */

static nnb_status train_best(search *s, nnb_net **best, nnb_report *report) {
  entry *e = &s->entry[0];
  nnb_fit_opts opts = e->fit;
  opts.threads = 1;
  if (halves(s)) opts.max_epochs = most_epochs(s);
  if (s->opts.max_seconds > 0) {
    const double left = fmax(s->began + s->opts.max_seconds - nnb__now(), DBL_MIN);
    if (!(opts.max_seconds > 0) || left < opts.max_seconds) opts.max_seconds = left;
  }
  nnb_data *weighed = NULL;
  nnb_status status = NNB_OK;
  if (s->opts.cv.weigh_classes) status = nnb__data_take(s->data, NULL, nnb_data_rows(s->data), &weighed);
  if (!status && weighed) status = nnb__cv_weigh(&s->opts.cv, weighed);
  if (!status) status = nnb_fit(e->net, weighed ? weighed : s->data, NULL, &opts, report);
  nnb_data_destroy(weighed);
  if (!status) *best = e->net, e->net = NULL;
  return status;
}

/* Hands the entries that count over to the report. */
static nnb_status report_all(search *s, nnb_search_report *report) {
  int n = 0;
  for (int i = 0; i < s->n; i++) n += s->entry[i].measured || s->entry[i].c.status;
  nnb_candidate *list = nnb__zalloc((size_t)n, sizeof *list);
  nnb_status status = list ? NNB_OK : nnb__fail_nomem("the report of a search");
  for (int i = 0; i < n && !status; i++) { /* the others are behind them */
    if (!s->entry[i].c.message && !(s->entry[i].c.message = nnb__strdup(""))) status = nnb__fail_nomem("a message");
  }
  if (status) {
    nnb__release(list);
  } else {
    for (int i = 0; i < n; i++) list[i] = s->entry[i].c, s->entry[i].c = (nnb_candidate){0};
    nnb__candidates_behind(list, n, s->metric);
    *report = (nnb_search_report){.n = n,
                                  .candidate = list,
                                  .left_out = s->n - n,
                                  .score = nnb_metric_name(s->metric),
                                  .stopped = s->cv.stopped,
                                  .seconds = nnb__now() - s->began,
                                  .fit = report->fit};
  }
  return status;
}

nnb_status nnb_search(const nnb_data *data, const char *space, const nnb_fit_opts *fit, const nnb_search_opts *opts,
                      nnb_net **best, nnb_search_report *report) {
  search s = {.data = data, .began = nnb__now()};
  nnb_search_report unused;
  if (!report) report = &unused;
  *report = (nnb_search_report){0};
  if (best) *best = NULL;
  nnb_status status = begin(&s, space, fit, opts);
  if (!status) status = take(&s);
  if (!status) status = run(&s);
  if (!status && best && !s.cv.stopped) status = train_best(&s, best, &report->fit);
  if (!status && report != &unused) status = report_all(&s, report);
  if (status) {
    if (best) nnb_net_destroy(*best), *best = NULL;
    *report = (nnb_search_report){0};
  }
  release(&s);
  return status;
}
