/* opt/optim_state.c: the state of an optimiser in a bag. */
#include "optim_state.h"

#include "alloc.h"
#include "kfac.h"
#include "status.h"

static const char opts_key[] = "nnblas.state.optim";

void nnb__optim_visit(nnb_optim *o, nnb__visitor *s) {
  const size_t n = o->n_params;
  nnb__state_whole(s, "updates", 0, INT64_MAX - 1, &o->updates);
  nnb__state_number(s, "base_lr", 0, DBL_MAX, &o->base_lr);
  nnb__state_number(s, "lr", 0, DBL_MAX, &o->lr);
  nnb__state_number(s, "momenta", 0, 1, &o->product);
  nnb__state_number(s, "plateau.scale", 0, 1, &o->schedule.scale);
  nnb__state_number(s, "plateau.best", -HUGE_VAL, HUGE_VAL, &o->schedule.best);
  nnb__state_number(s, "plateau.waited", 0, DBL_MAX, &o->schedule.waited);
  if (o->m) nnb__state_reals(s, "m", n, o->m);
  if (o->s) nnb__state_reals(s, "s", n, o->s);
  if (o->top) nnb__state_reals(s, "top", n, o->top);
  if (o->mean) nnb__state_reals(s, "average", n, o->mean);
  if (o->mean) nnb__state_flag(s, "exchanged", &o->exchanged);
  if (o->kfac) nnb__kfac_visit(o->kfac, s);
}

nnb_status nnb__optim_put(nnb_optim *optim, nnb__bag *bag) {
  char *text;
  nnb_status status = nnb__opts_print(NNB__OPTIM_OPTS, &optim->opts, &text);
  if (status) return status;
  nnb__bag_string(bag, opts_key, text);
  nnb__release(text);
  nnb__visitor state = {.way = NNB__STATE_SAVE, .out = bag};
  nnb__optim_visit(optim, &state);
  return bag->status ? bag->status : state.status;
}

/* The number of epochs changes nothing where the schedule does not read it. */
static const char *const *free_options(const nnb_optim *o) {
  static const char *const none[] = {NULL}, *const epochs[] = {"epochs", NULL};
  return nnb__schedule_needs_epochs(o->opts.schedule) ? none : epochs;
}

nnb_status nnb__optim_check(nnb_optim *optim, const nnb__bag *bag) {
  const char *text = nnb__bag_find_string(bag, opts_key);
  if (!text)
    return nnb__fail(NNB_E_ARG,
                     "the file has a net but no state of an optimiser; nnb_optim_save and the checkpoints of nnb_fit "
                     "write one");
  nnb_status status =
      nnb__opts_match(NNB__OPTIM_OPTS, &optim->opts, "the training in the file", text, free_options(optim));
  nnb__visitor state = {.way = NNB__STATE_CHECK, .in = bag};
  if (!status) nnb__optim_visit(optim, &state);
  return status ? status : state.status;
}

void nnb__optim_take(nnb_optim *optim, const nnb__bag *bag) {
  nnb__visitor state = {.way = NNB__STATE_LOAD, .in = bag};
  nnb__optim_visit(optim, &state);
}
