/* train/curved.c: an update by K-FAC (opt/kfac.h): the gradient of all rows, scores of sampled rows of each chunk for
 * the factors, the curvature along two directions from the scores of the last chunk. */
#include "curved.h"

#include <string.h>

#include "ints.h"
#include "kfac.h"

static double weight_of(const nnb__update *u, int row0, int n) {
  return nnb__sum_weights(u->rows, u->order, u->row0 + row0, n);
}

/* Adds the scores of the first rows of a chunk to the means of the factors. */
static void feed(const nnb__update *u, const nnb__job *job, void *context) {
  const double keep = *(const double *)context;
  struct nnb__kfac *k = u->optim->kfac;
  const int sampled = nnb__kfac_rows(job->rows), at = job->row0 - u->row0;
  const double seen = weight_of(u, at, sampled), chunk = weight_of(u, at, job->rows), all = weight_of(u, 0, u->n);
  nnb__draw draw = {.seed = k->seed, .update = u->optim->updates, .data = k->data};
  nnb__kfac_feeding feeding = {.optim = u->optim, .keep = at == 0 ? keep : 1};
  nnb__plan_scores(u->plan, job, sampled, &draw);
  if (seen > 0) feeding.out = (1 - keep) * chunk / seen, feeding.in = feeding.out / all;
  for (int r = 0, n; (n = nnb__chunk(sampled, r, NNB__KFAC_PANEL)) > 0; r += n) {
    nnb__plan_pairs(u->plan, job, r, n, k->product, nnb__kfac_feed, &feeding);
    feeding.keep = 1;
  }
}

/* The gradient and the factors of all chunks. */
static nnb__loss_sum gather(const nnb__update *u) {
  nnb_plan *plan = u->plan;
  nnb__target target = {.dst = plan->g ? plan->g : u->optim->g, .alpha = 1};
  double keep = nnb__kfac_keep(u->optim);
  nnb__loss_sum sum = nnb__update_run(u, NNB__LOSS | NNB__OUTPUT | NNB__BACK, &target, feed, &keep);
  if (plan->g) memcpy(u->optim->g, plan->g, u->net->n_params * sizeof *plan->g); /* the plan shows it before clipping */
  return sum;
}

/* vᵀ·F·v of the directions, from the scores of the last chunk, which the plan still has. */
static void look_along(const nnb__update *u) {
  struct nnb__kfac *k = u->optim->kfac;
  const nnb__job job = nnb__update_job(u, nnb__update_chunks(u) - 1, NNB__BACK, NULL);
  const int sampled = nnb__kfac_rows(job.rows);
  const double seen = weight_of(u, job.row0 - u->row0, sampled), scale = seen > 0 ? weight_of(u, 0, u->n) / seen : 0;
  for (int r = 0, n; (n = nnb__chunk(sampled, r, NNB__KFAC_PANEL)) > 0; r += n) {
    nnb__kfac_along_begin(u->optim);
    nnb__plan_pairs(u->plan, &job, r, n, k->product, nnb__kfac_along, u->optim);
    nnb__kfac_along_end(u->optim, n, scale);
  }
}

static double loss_now(const nnb__update *u) {
  return nnb__loss_value(nnb__update_run(u, NNB__LOSS, NULL, NULL, NULL), u->norm);
}

nnb__loss_sum nnb__update_curved(const nnb__update *u) {
  nnb_optim *o = u->optim;
  const nnb_net *net = u->net;
  o->kfac->rows = u->n;
  nnb__loss_sum before = gather(u);
  nnb__optim_clip(o, net->blocks, net->n_blocks, o->g);
  nnb__kfac_propose(o, net->blocks, o->g);
  look_along(u);
  nnb__kfac_solve(o, o->g);
  nnb__optim_apply(o, net->blocks, net->n_blocks, net->params);
  bool kept = true;
  if (nnb__kfac_asks(o))
    kept = nnb__kfac_judge(o, net->blocks, nnb__loss_value(before, u->norm), loss_now(u), net->params);
  const int decaying = kept ? net->n_blocks : 0; /* an undone update has no decay */
  nnb__kfac_decay(o, net->blocks, decaying, net->params);
  nnb__optim_end(o, net->blocks, decaying, net->params);
  return before;
}
