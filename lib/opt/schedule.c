/* opt/schedule.c: the formulas of NNB_SCHEDULE_LIST.  u: updates after the warm-up, n: their total. */
#include "schedule.h"

#include <math.h>

#include "elementary.h"
#include "exact.h"
#include "status.h"

static const double pi = 3.14159265358979323846;

/* ---- options ---------------------------------------------------------------------------------------------------- */

bool nnb__schedule_needs_epochs(nnb_schedule kind) { return kind == NNB_COSINE || kind == NNB_ONE_CYCLE; }

static nnb_status check_opts(const nnb_optim_opts *o) {
  if (o->epochs == 0 && nnb__schedule_needs_epochs(o->schedule))
    return nnb__fail(NNB_E_ARG, "%s needs a limit of the epochs", nnb_schedule_name(o->schedule));
  if (o->own_schedule && !o->own_schedule->factor) return nnb__fail(NNB_E_ARG, "own_schedule has no factor");
  if (o->own_schedule && o->schedule != NNB_CONSTANT)
    return nnb__fail(NNB_E_ARG, "schedule is %s; wanted constant, because there is an own_schedule",
                     nnb_schedule_name(o->schedule));
  if (o->epochs > 0 && o->warmup > (double)o->epochs)
    return nnb__fail(NNB_E_ARG, "warmup is %g epochs; wanted at most %lld, the number of epochs", o->warmup,
                     (long long)o->epochs);
  return NNB_OK;
}

nnb_status nnb__schedule_init(nnb__schedule *s, const nnb_optim_opts *o) {
  static const double factors[] = {
      [NNB_STEPWISE] = 0.1, [NNB_EXPONENTIAL] = 0.95, [NNB_ONE_CYCLE] = 0.04, [NNB_PLATEAU] = 0.1};
  nnb_status status = check_opts(o);
  if (status) return status;
  *s = (nnb__schedule){.kind = o->schedule, .lr_min = o->lr_min, .scale = 1, .best = HUGE_VAL};
  if (o->own_schedule) s->own = *o->own_schedule;
  s->epoch = (double)o->epoch_updates;
  s->total = (double)o->epochs * s->epoch;
  s->warmup = o->warmup > 0 ? o->warmup * s->epoch : s->kind == NNB_ONE_CYCLE ? 0.3 * s->total : 0;
  s->factor = o->lr_factor > 0 ? o->lr_factor : factors[s->kind];
  s->step = o->lr_step > 0 ? o->lr_step : s->kind == NNB_PLATEAU ? 10 : 30;
  return NNB_OK;
}

/* ---- formulas --------------------------------------------------------------------------------------------------- */

/* From a to b along half a period of the cosine; part: from 0 to 1. */
static double glide(double a, double b, double part) {
  part = fmin(fmax(part, 0), 1);
  return b + (a - b) * (1 + nnb__cos(pi * part)) / 2;
}

/* The last update of the rise is the first of the fall; its rate is η. */
static double one_cycle(const nnb__schedule *s, double lr, double u) {
  double first = lr * s->factor, last = fmax(fmin(s->lr_min, lr), first * 1e-4), peak = fmax(s->warmup - 1, 0);
  return u < peak ? glide(first, lr, u / peak) : glide(lr, last, (u - peak) / fmax(s->total - 1 - peak, 1));
}

/* NaN for a factor that is negative or not finite.  What the program computes there has nothing to do with the
 * arithmetic of this fit. */
static double own_factor(const nnb__schedule *s, double epoch) {
  const bool exact = nnb__exact_set(false);
  const double factor = s->own.factor(s->own.user, epoch);
  nnb__exact_set(exact);
  return factor >= 0 && isfinite(factor) ? factor : (double)NAN;
}

double nnb__schedule_lr(const nnb__schedule *s, double lr, int64_t update) {
  double u = (double)update - s->warmup, n = fmax(s->total - s->warmup, 1);
  if (s->kind == NNB_ONE_CYCLE) return one_cycle(s, lr, (double)update);
  if (u < 0) return lr * fmin((double)(update + 1) / s->warmup, 1);
  const double least = fmin(lr, s->lr_min); /* lr may have been set lower in the meantime */
  switch (s->kind) {
    case NNB_STEPWISE:
      lr *= nnb__pow(s->factor, floor(u / (s->epoch * s->step)));
      break;
    case NNB_EXPONENTIAL:
      lr *= nnb__pow(s->factor, u / s->epoch);
      break;
    case NNB_COSINE:
      return glide(lr, least, u / n);
    case NNB_PLATEAU:
      lr *= s->scale;
      break;
    default:
      if (!s->own.factor) return lr;
      lr *= own_factor(s, u / s->epoch);
      break;
  }
  return lr > least || isnan(lr) ? lr : least;
}

void nnb__schedule_epoch(nnb__schedule *s, double loss) {
  s->waited++;
  if (loss < s->best) s->best = loss, s->waited = 0;
  if (s->waited < s->step) return;
  s->scale *= s->factor, s->waited = 0;
}
