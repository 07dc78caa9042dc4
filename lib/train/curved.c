/* train/curved.c: an update by K-FAC (opt/kfac.h): the gradient of all rows, scores of sampled rows of each chunk for
 * the factors, the curvature along two directions from the scores of the last chunk. */
#include "curved.h"

#include <string.h>

#include "ints.h"
#include "kfac.h"

static double weight_of(const nnb__update *u, int row0, int n) {
  return nnb__sum_weights(u->rows, u->order, u->row0 + row0, n);
}

/* Where the gradient and the means go, and how. */
typedef struct gathering {
  real *means; /* NULL: the optimiser's */
  double keep; /* of what is there */
  double all;  /* the weight of the update's rows */
} gathering;

/* Adds the scores of the first rows of a chunk to the means of the factors. */
static void feed(const nnb__update *u, const nnb__job *job, void *context) {
  const gathering *t = context;
  const struct nnb__kfac *k = u->optim->kfac;
  const int sampled = nnb__kfac_rows(job->rows), at = job->row0 - u->row0;
  const double seen = weight_of(u, at, sampled), chunk = weight_of(u, at, job->rows);
  nnb__draw draw = {.seed = k->seed, .update = u->optim->updates, .data = k->data};
  nnb__kfac_feeding feeding = {.optim = u->optim, .keep = at == 0 ? t->keep : 1, .to = t->means};
  nnb__plan_scores(u->plan, job, sampled, &draw);
  if (seen > 0) feeding.out = (1 - k->keep) * chunk / seen, feeding.in = feeding.out / t->all;
  for (int r = 0, n; (n = nnb__chunk(sampled, r, NNB__KFAC_PANEL)) > 0; r += n) {
    nnb__plan_pairs(u->plan, job, r, n, k->product, nnb__kfac_feed, &feeding);
    feeding.keep = 1;
  }
}

static nnb__loss_sum gather(const nnb__update *u, real *g, gathering *to) {
  nnb__target target = {.dst = g, .alpha = 1};
  return nnb__update_run(u, NNB__LOSS | NNB__OUTPUT | NNB__BACK, &target, feed, to);
}

nnb__loss_sum nnb__curved_gather(const nnb__update *u, real *g) {
  gathering to = {.means = g + u->net->n_params, .all = u->norm};
  memset(to.means, 0, u->optim->kfac->n_means * sizeof *g);
  return gather(u, g, &to);
}

static void propose(const nnb__update *u, int rows) {
  nnb_optim *o = u->optim;
  o->kfac->rows = rows;
  nnb__optim_clip(o, u->net->blocks, u->net->n_blocks, o->g);
  nnb__kfac_propose(o, u->net->blocks, o->g);
}

void nnb__curved_propose(const nnb__update *u, int rows, const real *sum) {
  const size_t n = u->net->n_params;
  memcpy(u->optim->g, sum, n * sizeof *sum);
  nnb__kfac_merge(u->optim, sum + n);
  propose(u, rows);
}

/* vᵀ·F·v of the directions, from the scores of the last chunk, which the plan still has. */
double nnb__curved_look(const nnb__update *u, double weight) {
  struct nnb__kfac *k = u->optim->kfac;
  const nnb__job job = nnb__update_job(u, nnb__update_chunks(u) - 1, NNB__BACK, NULL);
  const int sampled = nnb__kfac_rows(job.rows);
  const double seen = weight_of(u, job.row0 - u->row0, sampled), scale = seen > 0 ? weight / seen : 0;
  for (int r = 0, n; (n = nnb__chunk(sampled, r, NNB__KFAC_PANEL)) > 0; r += n) {
    nnb__kfac_along_begin(u->optim);
    nnb__plan_pairs(u->plan, &job, r, n, k->product, nnb__kfac_along, u->optim);
    nnb__kfac_along_end(u->optim, n, scale);
  }
  return seen;
}

bool nnb__curved_step(const nnb__update *u) {
  nnb_optim *o = u->optim;
  nnb__kfac_solve(o, o->g);
  nnb__optim_apply(o, u->net->blocks, u->net->n_blocks, u->net->params);
  return nnb__kfac_asks(o);
}

void nnb__curved_finish(const nnb__update *u, const double *after, double before) {
  nnb_optim *o = u->optim;
  const nnb_net *net = u->net;
  const bool kept = !after || nnb__kfac_judge(o, net->blocks, before, *after, net->params);
  const int decaying = kept ? net->n_blocks : 0; /* an undone update has no decay */
  nnb__kfac_decay(o, net->blocks, decaying, net->params);
  nnb__optim_end(o, net->blocks, decaying, net->params);
}

nnb__loss_sum nnb__update_curved(const nnb__update *u) {
  nnb_plan *plan = u->plan;
  nnb_optim *o = u->optim;
  const double weight = weight_of(u, 0, u->n);
  nnb__kfac_begin(o);
  const nnb__loss_sum before = gather(u, plan->g ? plan->g : o->g, &(gathering){.keep = o->kfac->keep, .all = weight});
  if (plan->g) memcpy(o->g, plan->g, u->net->n_params * sizeof *plan->g); /* the plan shows it before clipping */
  propose(u, u->n);
  nnb__curved_look(u, weight);
  double after;
  const bool asks = nnb__curved_step(u);
  if (asks) after = nnb__loss_value(nnb__update_run(u, NNB__LOSS, NULL, NULL, NULL), u->norm);
  nnb__curved_finish(u, asks ? &after : NULL, nnb__loss_value(before, u->norm));
  return before;
}
