/* opt/bfgs.c */
#include "minimize.h"

static nnb_status minimize(nnb__min *m) {
  nnb__stop_because(m->stop, NNB_STOP_STALLED);
  return NNB_OK;
}

const nnb__optim_ops nnb__algo_bfgs = {.name = "bfgs", .minimize = minimize};
