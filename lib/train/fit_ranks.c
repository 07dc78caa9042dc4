/* train/fit_ranks.c: nnb_fit by several ranks (.comm) or in shards: refuses what they cannot do, compares what must be
 * the same on all of them, and runs the fit.  Every failure here is one of all ranks, so that none of them waits for
 * another. */
#include <inttypes.h>
#include <string.h>

#include "bag.h"
#include "exact.h"
#include "fit.h"
#include "fit_auto.h"
#include "fit_restarts.h"
#include "kernels.h"
#include "net_bag.h"
#include "status.h"
#include "text.h"
#include "view.h"

/* ---- what is not supported --------------------------------------------------------------------------------------- */

/* The option by which the fit has come here. */
static const char *cause(const nnb_fit_opts *o) { return o->comm ? "comm" : "shards"; }

static nnb_status refuse_method(const nnb_fit_opts *o) {
  if (o->bayes) return nnb__fail(NNB_E_UNSUPPORTED, "bayes is set; wanted no bayes with %s", cause(o));
  if (o->restarts > 1)
    return nnb__fail(NNB_E_UNSUPPORTED, "restarts is %d; wanted at most 1 with %s", o->restarts, cause(o));
  if (o->algo == NNB_AUTO && o->own_rows)
    return nnb__fail(NNB_E_UNSUPPORTED, "algo is auto; wanted a method by name with own_rows");
  if (o->algo == NNB_AUTO) return NNB_OK;
  const nnb__optim_ops *ops = nnb__optim_find(o->algo);
  if (!ops) return NNB_E_ARG;
  if (nnb__optim_traits(ops) & NNB__TRAIT_LINEAR)
    return nnb__fail(NNB_E_UNSUPPORTED, "%s does not train by parts of the rows (%s); wanted lm or another method",
                     ops->name, cause(o));
  return NNB_OK;
}

/* Layers that a part of an update would give other numbers than the whole. */
static nnb_status refuse_layers(const nnb_net *net, const nnb_fit_opts *o) {
  for (int k = 0; k < net->n_nodes; k++)
    if (net->nodes[k].needs.couples_rows || net->nodes[k].needs.buffers > 0)
      return nnb__fail(NNB_E_UNSUPPORTED,
                       "the layer %s learns from all rows of an update together; wanted none with %s",
                       net->nodes[k].name, cause(o));
  return NNB_OK;
}

static nnb_status refuse_own_rows(const nnb_fit_opts *o) {
  if (o->own_rows && o->metrics) return nnb__fail(NNB_E_UNSUPPORTED, "metrics is set; wanted no metrics with own_rows");
  return NNB_OK;
}

static nnb_status check_shards(const nnb_fit_opts *o, const nnb_comm *comm) {
  enum { MOST = 1024 };
  if (o->shards == 0) return NNB_OK;
  if (o->shards > MOST || (o->shards & (o->shards - 1)))
    return nnb__fail(NNB_E_ARG, "shards is %d; wanted a power of two up to %d", o->shards, MOST);
  if (o->own_rows) return nnb__fail(NNB_E_UNSUPPORTED, "shards is set; wanted no shards with own_rows");
  if (comm->size > o->shards)
    return nnb__fail(NNB_E_ARG, "shards is %d; wanted at least %d, the number of ranks", o->shards, comm->size);
  if (!comm->transfer) return nnb__fail(NNB_E_ARG, "comm: transfer is NULL; shards need it");
  return NNB_OK;
}

static nnb_status check(const nnb_net *net, const nnb_data *train, const nnb_fit_opts *o, const nnb_comm *comm) {
  nnb_status status = nnb__opts_check(NNB__FIT_OPTS, o);
  if (!status && !train && !o->own_rows) status = nnb__fail(NNB_E_ARG, "train is NULL");
  if (!status) status = refuse_method(o);
  if (!status) status = refuse_layers(net, o);
  if (!status) status = check_shards(o, comm);
  return status ? status : refuse_own_rows(o);
}

/* ---- what must be the same --------------------------------------------------------------------------------------- */

enum { FACT = 240 };

static uint64_t chain(uint64_t h, const void *p, size_t n) { return nnb__siphash(p, n, (const uint64_t[2]){h, n}); }

/* On these the bits of all that the ranks compute alike depend.  Steps with products of matrices depend on the
 * thresholds, too, of which some follow from the caches of a machine. */
static void describe_computation(const nnb_fit_opts *o, char out[FACT]) {
  char thresholds[512] = "", shown[40] = "";
  nnb_blas_facts blas;
  nnb_blas_info(&blas);
  nnb_get_thresholds(thresholds, sizeof thresholds);
  if (o->algo == NNB_MUON || o->algo == NNB_KFAC)
    snprintf(shown, sizeof shown, ", thresholds %08" PRIx32, (uint32_t)chain(0, thresholds, strlen(thresholds)));
  if (nnb__exact())
    snprintf(out, FACT, "libnnblas %s, %zu bytes, defined arithmetic", nnb_version(), sizeof(real));
  else
    snprintf(out, FACT, "libnnblas %s, %zu bytes, threads %d, kernels %s, %s %s %s%s", nnb_version(), sizeof(real),
             o->threads, nnb__kernel()->level, blas.vendor, blas.version, blas.core, shown);
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* Structure, losses and scalers.  Parameters are those of rank 0, and names do not change a number. */
static nnb_status describe_net(const nnb_net *net, char out[FACT]) {
  nnb__bag bag = {0};
  uint64_t nodes = 0, scalers = 0;
  nnb_status status = nnb__net_to_bag(net, &bag);
  for (size_t i = 0; i < bag.n_entries; i++) {
    const nnb__entry *e = &bag.entries[i];
    if (begins(e->name, "node") || begins(e->name, "loss")) nodes = chain(nodes, e->text, strlen(e->text));
  }
  for (size_t i = 0; i < bag.n_tensors; i++) {
    const nnb__tensor *t = &bag.tensors[i];
    if (begins(t->name, "scaler")) scalers = chain(scalers, t->data, nnb__tensor_count(t) * sizeof(real));
  }
  nnb__format(out, FACT, "%zu parameter(s), layers %08" PRIx32 ", scalers %08" PRIx32, net->n_params, (uint32_t)nodes,
              (uint32_t)scalers);
  nnb__bag_clear(&bag);
  return status;
}

/* Of data that all ranks have, with a fingerprint of its ends. */
static nnb_status describe_data(const nnb_data *data, const nnb_fit_opts *o, char out[FACT]) {
  uint64_t print = 0;
  snprintf(out, FACT, "%s", data ? "with rows of its own" : "none");
  if (o->own_rows || !data) return NNB_OK;
  const nnb_status status = nnb__data_fingerprint_ends(data, &print);
  nnb__format(out, FACT, "%d row(s) %s, fingerprint %016" PRIx64, nnb_data_rows(data),
              nnb__data_is_read(data) ? "from a source" : "in memory", print);
  return status;
}

static void describe_pointers(const nnb_fit_opts *o, char out[FACT]) {
  snprintf(out, FACT, "%s schedule, %s checkpoint", o->own_schedule ? "an own" : "no own", o->checkpoint ? "a" : "no");
}

static nnb_status same_options(nnb__comm *comm, const nnb_fit_opts *o) {
  static const char *const except[] = {"chunk", "checkpoint_seconds", "checkpoint_epochs", NULL},
                           *const except_exact[] = {"chunk", "checkpoint_seconds", "checkpoint_epochs", "threads",
                                                    NULL};
  enum { MOST = 4096 };
  char text[MOST] = "", *ours = NULL;
  nnb_status status = nnb__opts_print(NNB__FIT_OPTS, o, &ours);
  if (!status) snprintf(text, sizeof text, "%s", ours);
  nnb_free(ours);
  if ((status = nnb__comm_agree(comm, status))) return status;
  if ((status = nnb__comm_broadcast(comm, 0, sizeof text, text))) return status;
  text[MOST - 1] = '\0';
  return nnb__comm_agree(comm, nnb__opts_match(NNB__FIT_OPTS, o, "rank 0", text, nnb__exact() ? except_exact : except));
}

static nnb_status same_fact(nnb__comm *comm, nnb_status status, const char *what, const char *fact) {
  status = nnb__comm_agree(comm, status);
  return status ? status : nnb__comm_same(comm, what, fact);
}

static nnb_status compare(nnb__comm *comm, const nnb_net *net, const nnb_data *train, const nnb_data *val,
                          const nnb_fit_opts *o) {
  char fact[FACT];
  describe_computation(o, fact);
  nnb_status status = nnb__comm_same(comm, "the computation", fact);
  if (!status) status = same_options(comm, o);
  describe_pointers(o, fact);
  if (!status) status = nnb__comm_same(comm, "the options", fact);
  if (!status) status = same_fact(comm, describe_net(net, fact), "the net", fact);
  if (status || o->own_rows) return status;
  status = same_fact(comm, describe_data(train, o, fact), "the training data", fact);
  return status ? status : same_fact(comm, describe_data(val, o, fact), "the validation data", fact);
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

/* .shards without comm: one rank. */
static nnb_status alone_sum(void *user, size_t n, double *a) { return (void)user, (void)n, (void)a, NNB_OK; }
static nnb_status alone_sum_float(void *user, size_t n, float *a) { return (void)user, (void)n, (void)a, NNB_OK; }
static nnb_status alone_broadcast(void *user, int root, size_t bytes, void *p) {
  return (void)user, (void)root, (void)bytes, (void)p, NNB_OK;
}
static nnb_status alone_transfer(void *user, int from, int to, size_t bytes, void *p) {
  return (void)user, (void)from, (void)to, (void)bytes, (void)p, NNB_OK;
}
static const nnb_comm alone = {.size = 1,
                               .sum = alone_sum,
                               .sum_float = alone_sum_float,
                               .broadcast = alone_broadcast,
                               .transfer = alone_transfer};

/* A rank other than 0 writes nothing. */
static void leave_to_rank_0(nnb_fit_opts *o, const nnb__comm *comm) {
  if (comm->calls.rank > 0) o->log = NULL, o->progress = NULL;
}

/* .own_rows: whether any rank has a validation set. */
static nnb_status any_val(nnb__ranks *r, const nnb_data *val, bool *any) {
  *any = val != NULL;
  return r->own_rows ? nnb__ranks_any(r, any) : NNB_OK;
}

static nnb_status run(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts, nnb__ranks *r,
                      nnb__choices *choices, double began, nnb_report *report) {
  /* the data of a rank without rows */
  const nnb_data none = {.x = nnb_cview(NULL, 0, net->n_x), .t = nnb_cview(NULL, 0, net->n_y)};
  bool validates;
  nnb_status status = any_val(r, val, &validates);
  if (!train) train = &none;
  if (validates && !val) val = &none;
  if (!status) status = nnb__ranks_count(r, train, val);
  if (status) return status;
  return choices->resumes ? nnb__fit_resume(net, train, val, opts, r, choices, began, report)
                          : nnb__fit_auto(net, train, val, opts, r, choices, began, report);
}

nnb_status nnb__fit_ranks(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *given,
                          nnb_status status, double began, nnb_report *report) {
  nnb__ranks r = {.own_rows = given->own_rows};
  nnb_fit_opts asked = *given, opts;
  if (asked.threads == 0) asked.threads = 1;
  nnb__choices choices = {.asked = &asked};
  const nnb_status opened = nnb__comm_open(&r.comm, given->comm ? given->comm : &alone);
  if (opened) return opened;
  leave_to_rank_0(&asked, &r.comm);
  opts = asked;
  status = nnb__comm_agree(&r.comm, status ? status : check(net, train, &asked, &r.comm.calls));
  if (!status) status = compare(&r.comm, net, train, val, &asked);
  if (!status) status = nnb__choices_open(&choices, &r.comm, &opts);
  if (!status) status = run(net, train, val, &opts, &r, &choices, began, report);
  nnb__choices_close(&choices);
  nnb__ranks_close(&r);
  return status;
}
