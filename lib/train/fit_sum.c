/* train/fit_sum.c: the sums of a fit over its ranks. */
#include "fit.h"

typedef struct nnb__fit fit;

nnb__comm *nnb__fit_comm(const fit *f) { return f->ranks ? &f->ranks->comm : NULL; }

nnb_status nnb__fit_add(fit *f, nnb_status status, double *loss, size_t n, real *g) {
  if (!f->ranks) return status;
  status = nnb__ranks_add(f->ranks, f->broken ? f->broken : status, loss, n, g);
  f->broken = status == NNB_E_NUMERIC ? NNB_OK : status;
  return status;
}
