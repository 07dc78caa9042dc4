/* tests/kfac_trainer.h: a net with everything that K-FAC needs to train it; included after the private headers. */
#ifndef TEST_KFAC_TRAINER_H
#define TEST_KFAC_TRAINER_H

#include <math.h>

#include "kfac.h"
/* after the private headers */
#include "precision.h"
#include "toys.h"

#define ck_near(got, want, tol, ...)                                                               \
  do {                                                                                             \
    double g_ = (double)(got), w_ = (double)(want), t_ = (double)(tol);                            \
    char what_[120];                                                                               \
    snprintf(what_, sizeof what_, __VA_ARGS__);                                                    \
    ck_assert_msg(fabs(g_ - w_) <= t_, "%s is %.12g, not %.12g (within %.3g)", what_, g_, w_, t_); \
  } while (0)

enum { MOST_ROWS = 300, MOST_PARAMS = 200 };

typedef struct trainer {
  nnb_net *net;
  nnb_plan *plan;
  nnb_optim *optim;
  size_t n;
} trainer;

static inline trainer start(const char *text, int max_rows, const nnb_optim_opts *more) {
  trainer t = {0};
  nnb_optim_opts opts = *more;
  opts.algo = NNB_KFAC;
  ck_ok(nnb_net_parse(text, &t.net));
  t.n = nnb_net_n_params(t.net);
  ck_ok(nnb_plan_create(t.net, &(nnb_plan_opts){.max_rows = max_rows, .want = NNB_GRAD}, &t.plan));
  ck_ok(nnb_optim_create(t.net, &opts, &t.optim));
  return t;
}

static inline void end(trainer *t) {
  nnb_optim_destroy(t->optim);
  nnb_plan_destroy(t->plan);
  nnb_net_destroy(t->net);
}

static inline double mean_at(const nnb__factor *f, int i, int j) {
  return (double)f->mean[i > j ? i * f->n + j : j * f->n + i];
}

#endif
