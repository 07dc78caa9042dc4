/* train/rows.c: the three levels below nnb_fit: a step from a gradient, an update from a batch, updates over rows. */
#include "rows.h"

#include <string.h>

#include "blas.h"
#include "blas_threads.h"
#include "curved.h"
#include "exact.h"
#include "ints.h"
#include "net_chain.h"
#include "status.h"

/* The gradient of a single row does not follow from numbers that prepare_back computes from all rows. */
static nnb_status check_work(const nnb_net *net, const char *method) {
  for (int k = 0; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    if (node->needs.w_cols > 0 && node->needs.work > 0 && node->ops->prepare_back && !node->ops->kron)
      return nnb__fail(NNB_E_UNSUPPORTED,
                       "%s needs gradients of single rows, and the layer %s (%s) keeps numbers of all rows (work)",
                       method, node->name, node->ops->name);
  }
  return NNB_OK;
}

nnb_status nnb__optim_make(nnb_net *net, const nnb_optim_opts *opts, nnb_optim **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  nnb_status status = nnb__net_seal(net);
  if (!status) status = nnb__optim_create(net->n_params, net->blocks, net->n_blocks, opts, out);
  if (status || !nnb__optim_has((*out)->ops, NNB__TRAIT_PAIRS)) return status;
  status = nnb__net_check_uncoupled(net, (*out)->ops->name);
  if (!status) status = check_work(net, (*out)->ops->name);
  if (status) nnb_optim_destroy(*out), *out = NULL;
  return status;
}

nnb_status nnb_optim_create(nnb_net *net, const nnb_optim_opts *opts, nnb_optim **out) {
  const nnb_status status = nnb__optim_make(net, opts, out);
  if (!status) nnb__net_show(net);
  return status;
}

nnb_status nnb__check_optim(const nnb_net *net, const nnb_optim *optim) {
  if (!optim) return nnb__fail(NNB_E_ARG, "optim is NULL");
  if (optim->n_params != net->n_params)
    return nnb__fail(NNB_E_SHAPE, "the optimiser was made for %zu parameter(s); the net has %zu", optim->n_params,
                     net->n_params);
  if (optim->shape != nnb__shape_of_blocks(net->blocks, net->n_blocks))
    return nnb__fail(NNB_E_SHAPE, "the optimiser was made for a net with other layer shapes");
  return NNB_OK;
}

static nnb_status check_trains(const nnb_net *net, const nnb_optim *optim) {
  nnb_status status = nnb__check_optim(net, optim);
  if (!status && optim->exchanged)
    return nnb__fail(NNB_E_STATE, "the net holds the averaged weights; call nnb_optim_average again before training");
  return status;
}

nnb_status nnb__average(nnb_optim *optim, nnb_net *net) {
  nnb_status status = nnb__check_optim(net, optim);
  return status ? status : nnb__optim_exchange(optim, net->params);
}

/* The first checks of every call that makes updates. */
static nnb_status check_net(const nnb_net *net) {
  nnb_status status = nnb__net_check(net);
  return status ? status : nnb__net_idle(net);
}

nnb_status nnb_optim_average(nnb_optim *optim, nnb_net *net) {
  nnb_status status = check_net(net);
  if (!status) status = nnb__net_seal(net);
  return status ? status : nnb__average(optim, net);
}

nnb_status nnb_optim_step(nnb_optim *optim, nnb_net *net, real *grad) {
  if (!grad) return nnb__fail(NNB_E_ARG, "grad is NULL");
  nnb_status status = check_net(net);
  if (!status) status = nnb__net_seal(net);
  if (!status) status = check_trains(net, optim);
  if (!status && nnb__optim_has(optim->ops, NNB__TRAIT_PAIRS))
    status = nnb__fail(NNB_E_UNSUPPORTED, "%s needs more than a gradient; use nnb_train_step or nnb_train_rows",
                       optim->ops->name);
  if (!status) status = nnb__blas_enter();
  if (status) return status;
  const bool exact = nnb__exact_set(net->exact);
  nnb__optim_begin(optim);
  nnb__optim_step(optim, net->blocks, net->n_blocks, net->params, grad);
  nnb__exact_set(exact);
  nnb__blas_leave();
  return NNB_OK;
}

/* In the defined arithmetic: whether a plain step can be made where the gradient is formed, with the same bits. */
static bool forms_in_weights(const nnb__update *u) {
  const int most = u->plan->group > 1 ? u->plan->group : NNB__UPDATE_ROWS;
  return nnb__optim_is_plain(u->optim) && u->n <= most && nnb__net_is_dense(u->net);
}

static nnb__loss_sum make_update(const nnb__update *u) {
  nnb_net *net = u->net;
  nnb_plan *plan = u->plan;
  nnb_optim *optim = u->optim;
  nnb__target target;
  optim->threads = plan->threads;
  nnb__optim_begin(optim);
  if (nnb__optim_has(optim->ops, NNB__TRAIT_PAIRS)) return nnb__update_curved(u);
  bool offered = !plan->g && (!plan->exact || forms_in_weights(u)) &&
                 nnb__optim_offer(optim, net->params, nnb__update_chunks(u), &target);
  if (!offered) target = (nnb__target){.dst = plan->g ? plan->g : optim->g, .alpha = 1};
  nnb__loss_sum sum = nnb__update_run(u, NNB__LOSS | NNB__BACK, &target, NULL, NULL);
  if (plan->g) memcpy(optim->g, plan->g, net->n_params * sizeof *plan->g); /* the plan shows it before clipping */
  if (offered)
    nnb__optim_finish(optim, net->blocks, net->n_blocks, net->params);
  else
    nnb__optim_step(optim, net->blocks, net->n_blocks, net->params, optim->g);
  return sum;
}

static nnb__loss_sum update(const nnb__update *u) {
  const bool exact = nnb__exact_set(u->plan->exact);
  const nnb__loss_sum sum = make_update(u);
  nnb__exact_set(exact);
  return sum;
}

static nnb_status check_training(nnb_net *net, nnb_plan *plan, const nnb_batch *batch, const nnb_optim *optim,
                                 int most) {
  if (!plan) return nnb__fail(NNB_E_ARG, "plan is NULL");
  if (plan->net != net) return nnb__fail(NNB_E_ARG, "the plan was made for another net");
  if (!(plan->want & NNB_GRAD)) return nnb__fail(NNB_E_STATE, "the plan was made without NNB_GRAD");
  nnb_status status = check_trains(net, optim);
  if (!status) status = nnb__check_plan_batch(plan, batch, most);
  if (!status && plan->exact && nnb__optim_has(optim->ops, NNB__TRAIT_PAIRS))
    status =
        nnb__fail(NNB_E_UNSUPPORTED, "%s is not defined to the bit; wanted another method, or a net that is not exact",
                  optim->ops->name);
  if (status || !batch->dt.p || !nnb__optim_has(optim->ops, NNB__TRAIT_PAIRS)) return status;
  return nnb__fail(NNB_E_UNSUPPORTED, "%s does not take targets of derivatives (dt)", optim->ops->name);
}

nnb_status nnb_train_step(nnb_net *net, nnb_plan *plan, const nnb_batch *batch, nnb_optim *optim, double *loss) {
  nnb_status status = check_net(net);
  if (!status) status = check_training(net, plan, batch, optim, plan ? plan->max_rows : 0);
  if (status) return status;
  double norm = batch->norm > 0 ? batch->norm : nnb__sum_weights(batch, NULL, 0, batch->x.rows);
  nnb__update one = {.net = net, .plan = plan, .rows = batch, .n = batch->x.rows, .norm = norm, .optim = optim};
  if ((status = nnb__blas_enter())) return status;
  double value = nnb__loss_value(update(&one), norm);
  nnb__blas_leave();
  if (loss) *loss = value;
  return isfinite(value) ? NNB_OK : nnb__fail_loss(value, batch);
}

static nnb_status check_rows(const nnb_batch *rows, const int32_t *order, int n, int batch) {
  if (batch < 1) return nnb__fail(NNB_E_ARG, "batch is %d; wanted at least 1", batch);
  if (order ? n < 1 : n != 0)
    return nnb__fail(NNB_E_ARG, "n is %d; wanted %s", n,
                     order ? "the number of entries in order" : "0 without an order");
  if (rows->norm != 0)
    return nnb__fail(NNB_E_ARG, "norm is %g; wanted 0, because each update divides by its own weights", rows->norm);
  for (int i = 0; i < n; i++)
    if (order[i] < 0 || order[i] >= rows->x.rows)
      return nnb__fail(NNB_E_ARG, "order[%d] is %d; wanted a row from 0 to %d", i, (int)order[i], rows->x.rows - 1);
  return nnb__check_weight_sum(nnb__sum_weights(rows, order, 0, order ? n : rows->x.rows));
}

typedef struct plain {
  nnb_optim *optim;
  real *w;
} plain;
static void begin_plain(void *context, nnb__target *target) {
  plain *p = context;
  nnb__optim_begin(p->optim);
  nnb__optim_offer(p->optim, p->w, 1, target);
}
/* Makes one update per row, with the executor that fuses an update with the next forward pass.  False if there is
 * none. */
static bool update_rows(nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order, int n,
                        nnb_optim *optim, nnb__total *total) {
  plain p = {optim, net->params};
  nnb__updates u = {.batch = rows, .order = order, .rows = n, .begin = begin_plain, .context = &p};
  u.sum = total->sum, u.weight = total->weight;
  if (!nnb__optim_is_plain(optim) || !nnb__plan_updates(plan, &u)) return false;
  total->rows += u.made, total->updates += u.made;
  total->sum = u.sum, total->weight = u.weight, total->value = u.value;
  return true;
}

static nnb_status update_batches(nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order, int n,
                                 int batch, nnb_optim *optim, nnb__total *total) {
  const int before = (int)total->rows; /* of an epoch, whose rows an int counts */
  nnb_status status = nnb__blas_enter();
  if (status) return status;
  for (int row0 = 0, now; isfinite(total->value) && (now = nnb__chunk(n, row0, batch)) > 0; row0 += now) {
    nnb__update one = {.net = net, .plan = plan, .rows = rows, .order = order, .row0 = row0, .n = now, .optim = optim};
    one.norm = nnb__sum_weights(rows, order, row0, now), one.before = before;
    nnb__loss_sum loss = update(&one);
    total->value = nnb__loss_value(loss, one.norm);
    total->sum.mean += loss.mean, total->sum.sum += loss.sum;
    total->weight += one.norm, total->rows += now, total->updates++;
  }
  nnb__blas_leave();
  return NNB_OK;
}

nnb_status nnb__train_more(nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order, int n, int batch,
                           nnb_optim *optim, nnb__total *total) {
  if (batch > 1 || !update_rows(net, plan, rows, order, n, optim, total)) {
    nnb_status status = update_batches(net, plan, rows, order, n, batch, optim, total);
    if (status) return status;
  }
  return isfinite(total->value) ? NNB_OK : nnb__fail_loss(total->value, rows);
}

nnb_sums nnb__total_sums(const nnb__total *t) {
  return (nnb_sums){
      .loss = nnb__loss_value(t->sum, t->weight), .weight = t->weight, .rows = t->rows, .updates = t->updates};
}

nnb_status nnb__train_rows(nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order, int n, int batch,
                           nnb_optim *optim, nnb_sums *sums) {
  nnb__total total = {0};
  nnb_status status = check_training(net, plan, rows, optim, 0);
  if (status) return status;
  if ((status = check_rows(rows, order, n, batch))) return status;
  if (!order) n = rows->x.rows;
  if ((status = nnb__check_chunks(net, nnb__smaller(batch, n), plan->max_rows))) return status;
  status = nnb__train_more(net, plan, rows, order, n, batch, optim, &total);
  if (sums) *sums = nnb__total_sums(&total);
  return status;
}

nnb_status nnb_train_rows(nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order, int n, int batch,
                          nnb_optim *optim, nnb_sums *sums) {
  if (sums) *sums = (nnb_sums){0};
  nnb_status status = check_net(net);
  return status ? status : nnb__train_rows(net, plan, rows, order, n, batch, optim, sums);
}
