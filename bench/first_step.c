/* bench/first_step.c: the work of a program that trains as soon as it runs. */
#include <stdio.h>
#include <stdlib.h>

#include "precision.h"
#include "start.h"
#include "workload.h"

enum { CHUNK = 1024 };

static int step(const workload *w, nnb_net *net, real *x, int n) {
  int failed = -1;
  nnb_plan *plan = NULL;
  nnb_optim *optim = NULL;
  nnb_plan_opts opts = {.max_rows = CHUNK, .want = NNB_GRAD};
  nnb_optim_opts how = {.algo = w->algo, .lr = w->lr};
  nnb_batch rows = {.x = nnb_cview(x, w->rows, n), .t = nnb_cview(x, w->rows, n)};
  nnb_sums sums;
  if (!nnb_plan_create(net, &opts, &plan) && !nnb_optim_create(net, &how, &optim))
    failed = nnb_train_rows(net, plan, &rows, NULL, 0, w->batch, optim, &sums);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  return failed;
}

#define first_step TWIN(first_step)
int first_step(void) {
  const workload *w = find_workload("W7");
  nnb_net *net = NULL;
  nnb_rng rng;
  int failed = nnb_net_parse(w->net, &net), n = nnb_net_n_in(net);
  size_t values = (size_t)w->rows * (size_t)n;
  real *x = malloc((values + 1) * sizeof *x);
  nnb_rng_init(&rng, 1, 0);
  for (size_t i = 0; x && i < values; i++) x[i] = (real)nnb_rng_uniform(&rng);
  if (!failed && x) failed = step(w, net, x, n);
  if (failed || !x) fprintf(stderr, "first step: %s\n", x ? nnb_errmsg() : "out of memory");
  nnb_net_destroy(net);
  free(x);
  return failed || !x ? -1 : 0;
}
