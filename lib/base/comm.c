/* base/comm.c: see comm.h. */
#include "comm.h"

#include <string.h>

#include "status.h"

nnb_status nnb__comm_open(nnb__comm *c, const nnb_comm *calls) {
  *c = (nnb__comm){.calls = *calls};
  if (calls->size < 1 || calls->rank < 0 || calls->rank >= calls->size)
    return nnb__fail(NNB_E_ARG, "comm: rank %d of %d; wanted a rank from 0 to size - 1", calls->rank, calls->size);
  if (!calls->sum || !calls->sum_float || !calls->broadcast)
    return nnb__fail(NNB_E_ARG, "comm: sum, sum_float or broadcast is NULL");
  return NNB_OK;
}

/* The status of a call named `what`; an error is kept. */
static nnb_status take(nnb__comm *c, nnb_status status, const char *what, unsigned before) {
  if (status) c->broken = nnb__fail_callback(status, what, before);
  return c->broken;
}

nnb_status nnb__comm_sum(nnb__comm *c, size_t n, double *a) {
  if (!c || n == 0 || c->broken) return c ? c->broken : NNB_OK;
  const unsigned before = nnb__fail_count();
  return take(c, c->calls.sum(c->calls.user, n, a), "comm.sum", before);
}

nnb_status nnb__comm_sum_float(nnb__comm *c, size_t n, float *a) {
  if (!c || n == 0 || c->broken) return c ? c->broken : NNB_OK;
  const unsigned before = nnb__fail_count();
  return take(c, c->calls.sum_float(c->calls.user, n, a), "comm.sum_float", before);
}

nnb_status nnb__comm_broadcast(nnb__comm *c, int root, size_t bytes, void *p) {
  if (!c || bytes == 0 || c->broken) return c ? c->broken : NNB_OK;
  const unsigned before = nnb__fail_count();
  return take(c, c->calls.broadcast(c->calls.user, root, bytes, p), "comm.broadcast", before);
}

nnb_status nnb__comm_transfer(nnb__comm *c, int from, int to, size_t bytes, void *p) {
  if (!c || bytes == 0 || c->broken) return c ? c->broken : NNB_OK;
  const unsigned before = nnb__fail_count();
  return take(c, c->calls.transfer(c->calls.user, from, to, bytes, p), "comm.transfer", before);
}

/* Every rank learns which one failed first, and why.  Ranks ask one after the other, so that nothing is allocated. */
static nnb_status explain(nnb__comm *c, nnb_status status) {
  if (c->calls.size == 1) return status;
  char message[NNB__MESSAGE] = "";
  int32_t first = NNB_OK;
  int q = -1;
  while (first == NNB_OK && ++q < c->calls.size) {
    first = status;
    if (nnb__comm_broadcast(c, q, sizeof first, &first)) return c->broken;
  }
  if (status) snprintf(message, sizeof message, "%s", nnb_errmsg());
  if (nnb__comm_broadcast(c, q, sizeof message, message)) return c->broken;
  message[sizeof message - 1] = '\0';
  return nnb__fail((nnb_status)first, "rank %d of %d: %.*s", q, c->calls.size, NNB__MESSAGE - 40, message);
}

nnb_status nnb__comm_add(nnb__comm *c, nnb_status status, size_t n, double *a) {
  if (!c) return status;
  a[n] = status ? 1 : 0;
  if (nnb__comm_sum(c, n + 1, a)) return c->broken;
  return a[n] > 0 ? explain(c, status) : NNB_OK;
}

nnb_status nnb__comm_agree(nnb__comm *c, nnb_status status) {
  double failed;
  return nnb__comm_add(c, status, 0, &failed);
}

nnb_status nnb__comm_same(nnb__comm *c, const char *what, const char *text) {
  char theirs[NNB__MESSAGE / 2] = "", ours[NNB__MESSAGE / 2];
  if (!c) return NNB_OK;
  snprintf(ours, sizeof ours, "%s", text);
  if (c->calls.rank == 0) memcpy(theirs, ours, sizeof ours);
  nnb_status status = nnb__comm_broadcast(c, 0, sizeof theirs, theirs);
  if (status) return status;
  theirs[sizeof theirs - 1] = '\0';
  if (strcmp(ours, theirs) != 0)
    status = nnb__fail(NNB_E_ARG, "%s: %.180s here, %.180s on rank 0; wanted the same", what, ours, theirs);
  return nnb__comm_agree(c, status);
}
