/* train/fit_restarts.c: nnb_fit from several starts (.restarts): each is fitted by one thread on a copy of the net, and
 * the best one once more on the net itself, also by one thread, so that the number of threads changes nothing.
 *
 * Start 0 is the net as it is, start i has weights drawn from seed + i.  With .bayes all but start 0 are a tenth of
 * that, and start 1 is a tenth of the net as it is: small weights leave it to the evidence which of them grow
 * (docs/defaults.md). */
#include "fit_restarts.h"

#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "data.h"
#include "fit.h"
#include "fit_auto.h"
#include "ints.h"
#include "status.h"
#include "team.h"

enum { BAYES_STARTS = 2, BAYES_EPOCHS = 100 }; /* the evidence tells the better start by then */
static const double bayes_scale = 0.1;
static const double share = 0.6; /* of max_seconds, for all starts together */

typedef struct starts {
  nnb_net *net;
  const nnb_data *train, *val;
  const nnb_fit_opts *given;
  double seconds; /* for one of them; 0: no limit */
  double *score;  /* n: lower is better */
  nnb_status *status;
} starts;

static int count(const nnb_fit_opts *o) { return o->restarts > 0 ? o->restarts : o->bayes ? BAYES_STARTS : 1; }

/* The parameters of net that are not frozen ← those of from, times a factor. */
static void take(nnb_net *net, const real *from, double factor) {
  nnb__segment seg[2];
  for (int b = 0; b < net->n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&net->blocks[b], seg); s < n; s++)
      for (size_t i = 0; i < seg[s].n; i++) net->params[seg[s].off + i] = (real)factor * from[seg[s].off + i];
}

/* net, which has the parameters of before ← start i. */
static nnb_status put_start(const starts *s, nnb_net *net, int i) {
  const bool bayes = s->given->bayes, drawn = i > (bayes ? 1 : 0);
  nnb_net *fresh = NULL;
  nnb_status status = drawn ? nnb_net_copy(net, &fresh) : NNB_OK;
  if (!status && drawn) status = nnb_net_init(fresh, s->given->seed + (uint64_t)i);
  if (!status && i > 0) take(net, drawn ? fresh->params : net->params, bayes ? bayes_scale : 1);
  nnb_net_destroy(fresh);
  return status;
}

static double judge(const starts *s, const nnb_report *r) {
  if (s->val) return r->best_loss;
  if (s->given->bayes) return -r->evidence.log_evidence;
  return r->choice == NNB_CHOICE_FOLDS ? r->held_loss : r->best_loss;
}

static void run_start(void *context, int i) {
  starts *s = context;
  nnb_net *copy = NULL;
  nnb_report r;
  nnb__choices choices = {.asked = s->given};
  nnb_fit_opts opts = *s->given;
  opts.threads = 1, opts.history = NNB_NONE, opts.max_seconds = s->seconds;
  nnb__fit_quiet(&opts);
  nnb__fit_without_checkpoint(&opts);
  if (opts.bayes && (opts.max_epochs <= 0 || opts.max_epochs > BAYES_EPOCHS)) opts.max_epochs = BAYES_EPOCHS;
  s->score[i] = HUGE_VAL;
  nnb_status status = nnb_net_copy(s->net, &copy);
  if (!status) status = put_start(s, copy, i);
  if (!status) status = nnb__fit_auto(copy, s->train, s->val, &opts, NULL, &choices, nnb__now(), &r);
  if (!status) s->score[i] = judge(s, &r);
  s->status[i] = status == NNB_E_NOMEM ? status : NNB_OK;
  nnb_net_destroy(copy);
}

static nnb_status run_starts(starts *s, int n) {
  const bool one_reader = nnb__data_is_read(s->train) || (s->val && nnb__data_is_read(s->val));
  const int given = s->given->threads > 0 ? s->given->threads : nnb_get_threads(), threads = one_reader ? 1 : given;
  const int rounds = (n - 1) / nnb__smaller(n, threads) + 1;
  s->seconds = s->given->max_seconds > 0 ? fmax(share * s->given->max_seconds / rounds, DBL_MIN) : 0;
  nnb__team_run_jobs(n, threads, run_start, s);
  for (int i = 0; i < n; i++)
    if (s->status[i]) return nnb__fail_nomem("a start of a fit");
  return NNB_OK;
}

static nnb_status train_best(const starts *s, int n, nnb__choices *choices, double began, nnb_report *report) {
  real *before = nnb__memdup(s->net->params, s->net->n_values, sizeof *before);
  nnb_fit_opts opts = *s->given;
  int best = 0;
  if (!before) return nnb__fail_nomem("a start of a fit");
  for (int i = 1; i < n; i++)
    if (s->score[i] < s->score[best]) best = i;
  opts.threads = 1;
  choices->starts = n, choices->start = best;
  nnb_status status = put_start(s, s->net, best);
  if (!status) status = nnb__fit_auto(s->net, s->train, s->val, &opts, NULL, choices, began, report);
  if (status && report->best_epoch == 0) memcpy(s->net->params, before, s->net->n_values * sizeof *before);
  nnb__release(before);
  return status;
}

static nnb_status fit_anew(nnb_net *net, const nnb_data *train, const nnb_data *val, nnb__choices *choices,
                           double began, nnb_report *report) {
  const nnb_fit_opts *given = choices->asked;
  const int n = count(given);
  if (n == 1) return nnb__fit_auto(net, train, val, given, NULL, choices, began, report);
  nnb_status status = nnb__fit_check(net, train, val, given);
  if (status) return status;
  starts s = {.net = net, .train = train, .val = val, .given = given};
  s.score = nnb__alloc((size_t)n, sizeof *s.score);
  s.status = nnb__alloc((size_t)n, sizeof *s.status);
  status = s.score && s.status ? run_starts(&s, n) : nnb__fail_nomem("the starts of a fit");
  if (!status) status = train_best(&s, n, choices, began, report);
  nnb__release(s.score);
  nnb__release(s.status);
  return status;
}

nnb_status nnb__fit_resume(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts,
                           nnb__ranks *ranks, nnb__choices *choices, double began, nnb_report *report) {
  nnb_data *own_train = NULL, *own_val = NULL;
  nnb_status status = ranks ? NNB_OK : nnb__fit_check(net, train, val, opts);
  const bool held_out = !status && choices->held_share > 0;
  if (held_out) status = nnb__data_split(train, choices->held_share, opts->seed, &own_train, &own_val);
  if (held_out && !status) train = own_train, val = own_val;
  if (ranks) status = nnb__comm_agree(&ranks->comm, status);
  if (ranks && held_out && !status) status = nnb__ranks_count(ranks, train, val);
  if (!status) status = nnb__fit_run(net, train, val, opts, ranks, choices, began, report);
  nnb_data_destroy(own_train);
  nnb_data_destroy(own_val);
  return status;
}

nnb_status nnb__fit_restarts(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *given,
                             double began, nnb_report *report) {
  nnb__choices choices = {.asked = given};
  nnb_fit_opts opts;
  *report = nnb__fit_no_report(given->algo);
  nnb_status status = nnb__choices_open(&choices, NULL, &opts);
  if (!status && choices.resumes)
    status = nnb__fit_resume(net, train, val, &opts, NULL, &choices, began, report);
  else if (!status)
    status = fit_anew(net, train, val, &choices, began, report);
  nnb__choices_close(&choices);
  return status;
}
