/* opt/algos.c: the table of the optimisers, and lookups in it. */
#include <assert.h>

#include "optim.h"
#include "status.h"

static const nnb__optim_ops *const algos[] = {
    [NNB_AUTO] = NULL,
#define ALGO(name) &nnb__algo_##name,
#include "algos.def"
#undef ALGO
};
static_assert(sizeof algos / sizeof *algos == NNB_N_ALGOS, "one row of algos.def for each of NNB_ALGO_LIST");

unsigned nnb__optim_traits(const nnb__optim_ops *ops) {
  unsigned steps = ops->step || ops->open ? NNB__TRAIT_STEPS : 0, minimizes = ops->minimize ? NNB__TRAIT_MINIMIZES : 0;
  return steps | minimizes | (ops->least_squares ? NNB__TRAIT_SQUARES : 0) | ops->traits;
}

bool nnb__optim_has(const nnb__optim_ops *ops, unsigned traits) { return (nnb__optim_traits(ops) & traits) == traits; }

const char *nnb__optim_names(unsigned traits, char out[NNB__ALGO_NAMES]) {
  const char *names[NNB_N_ALGOS];
  int n = 0;
  size_t used = 0;
  for (int i = NNB_AUTO + 1; i < NNB_N_ALGOS; i++)
    if (nnb__optim_has(algos[i], traits)) names[n++] = algos[i]->name;
  *out = '\0';
  for (int i = 0; i < n && used < NNB__ALGO_NAMES; i++)
    used += (size_t)snprintf(out + used, NNB__ALGO_NAMES - used, "%s%s",
                             i == 0      ? ""
                             : i < n - 1 ? ", "
                                         : " and ",
                             names[i]);
  return out;
}

nnb_algo nnb__optim_algo(nnb_algo algo, unsigned wants) {
  static const nnb_algo suits[] = {NNB_ADAM, NNB_LBFGS, NNB_LM, NNB_VARPRO};
  for (size_t i = 0; algo == NNB_AUTO && i < sizeof suits / sizeof *suits; i++)
    if (nnb__optim_has(algos[suits[i]], wants)) return suits[i];
  return algo;
}

const nnb__optim_ops *nnb__optim_find(nnb_algo algo) {
  if ((int)algo > NNB_AUTO && algo < NNB_N_ALGOS) return algos[algo];
  nnb__fail(NNB_E_ARG, "algo is %d; wanted a value of nnb_algo", (int)algo);
  return NULL;
}
