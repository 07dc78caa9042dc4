/* train/fit_batches.c: mini-batch training of nnb_fit: an epoch is one call of nnb__train_rows. */
#include <string.h>

#include "clock.h"
#include "fit.h"
#include "plan.h"
#include "rows.h"
#include "status.h"
#include "text.h"
#include "view.h"

typedef struct nnb__fit fit;

static nnb_status train_epoch(fit *f, nnb_sums *sums) {
  nnb__total total = {0};
  const int N = f->rows.x.rows;
  if (!f->local && !f->ranks)
    return nnb__train_rows(f->net, f->plan, &f->rows, f->order, f->order ? N : 0, f->opts.batch, f->optim, sums);
  nnb_status status = f->local ? nnb__fit_source_epoch(f, &total)
                               : nnb__ranks_train(f->ranks, f->net, f->plan, &f->rows, f->order, N, f->opts.batch,
                                                  f->optim, &total, NULL, NULL);
  *sums = nnb__total_sums(&total);
  return status;
}

/* One pass over the data.  Between two passes the net has the averaged weights, if there are any.  NNB_E_NUMERIC if the
 * loss or a parameter is no longer finite. */
static nnb_status run_epoch(fit *f, nnb_record *rec) {
  double began = nnb__now();
  bool averaged = f->opts.ema > 0;
  nnb_sums sums = {0};
  if (f->epoch_start && rec->epoch > 1)
    memcpy(f->epoch_start, f->net->params, f->net->n_values * sizeof *f->epoch_start);
  if (averaged && rec->epoch > 1) nnb__average(f->optim, f->net);
  if (f->order) nnb_epoch_order(f->opts.seed, rec->epoch, f->rows.x.rows, f->opts.block, f->order);
  nnb_status status = train_epoch(f, &sums);
  f->report.updates += sums.updates, f->report.samples += sums.rows;
  if (!status && averaged) status = nnb__average(f->optim, f->net);
  rec->lr = nnb_optim_lr(f->optim);
  rec->loss = sums.loss, rec->updates = f->report.updates, rec->samples = sums.rows;
  rec->seconds = nnb__now() - began;
  f->report.loss = rec->loss, f->report.val_loss = (double)NAN;
  if (!status && !nnb__all_finite(f->net->n_params, f->net->params))
    status = nnb__fail(NNB_E_NUMERIC, "a parameter is no longer finite");
  if (!status) status = nnb__fit_end_epoch(f, rec);
  if (!status) nnb_optim_epoch(f->optim, f->val ? rec->val_loss : rec->loss);
  return status;
}

static nnb_status explain_divergence(const fit *f, int epoch) {
  const nnb_report *r = &f->report;
  char reason[NNB__MESSAGE / 2], advice[100] = "", kept[40] = "from the start";
  snprintf(reason, sizeof reason, "%.*s", (int)sizeof reason - 1, nnb_errmsg());
  if (!isfinite(f->optim->lr))
    nnb__format(advice, sizeof advice, "own_schedule gave a factor that is not a finite number of 0 or more; ");
  else if (nnb__batch_finite(&f->rows))
    nnb__format(advice, sizeof advice, "a learning rate below %g%s may help; ", f->optim->lr,
                f->opts.clip_norm > 0 ? "" : " or clip_norm");
  if (r->best_epoch > 0)
    snprintf(kept, sizeof kept, "%s epoch %d", f->epoch_start ? "from before" : "of", r->best_epoch);
  return nnb__fail(NNB_E_NUMERIC, "diverged in epoch %d, update %lld: %s; %sthe net has the parameters %s", epoch,
                   (long long)r->updates, reason, advice, kept);
}

nnb_status nnb__fit_batches(fit *f) {
  nnb_report *r = &f->report;
  nnb_status status = NNB_OK;
  while (!status && r->stop == NNB_STOP_NONE) {
    status = run_epoch(f, &(nnb_record){.epoch = r->epochs + 1});
    if (!status) nnb__fit_checkpoint_write(f, r->stop != NNB_STOP_NONE);
  }
  return status == NNB_E_NUMERIC && !f->broken ? explain_divergence(f, r->epochs + 1) : status;
}
