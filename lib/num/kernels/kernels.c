/* num/kernels/kernels.c: selects one of the levels that were built. */
#include "kernels.h"

#include <stdatomic.h>

#include "act.h"
#include "cpu.h"
#include "exact.h"
#include "loss.h"

/* NNB__LEVELS: the number of levels above plain that were built: 0, or on x86-64 up to 3. */
#if NNB__LEVELS >= 1
extern const nnb__kernels nnb__kernels_v2;
#endif
#if NNB__LEVELS >= 2
extern const nnb__kernels nnb__kernels_v3, nnb__kernels_v3_exact;
#endif
#if NNB__LEVELS >= 3
extern const nnb__kernels nnb__kernels_v4, nnb__kernels_v4_exact;
#endif
#ifdef __aarch64__
extern const nnb__kernels nnb__kernels_plain_exact;
#endif

static const nnb__kernels *const tables[] = {
    &nnb__kernels_plain,
#if NNB__LEVELS >= 1
    &nnb__kernels_v2,
#endif
#if NNB__LEVELS >= 2
    &nnb__kernels_v3,
#endif
#if NNB__LEVELS >= 3
    &nnb__kernels_v4,
#endif
};

const nnb__kernels *nnb__kernel_level(int level) {
  return 0 <= level && level <= NNB__LEVELS && level <= nnb__cpu_level() ? tables[level] : NULL;
}

static atomic_int limit = NNB__LEVELS;

void nnb__kernel_limit(int level) { atomic_store(&limit, level < NNB__LEVELS ? level : NNB__LEVELS); }

static int level_here(void) {
  const int level = nnb__cpu_level(), most = atomic_load_explicit(&limit, memory_order_relaxed);
  return level < most ? level : most;
}

static const nnb__kernels *exact_table(void) {
#ifdef __aarch64__
  return &nnb__kernels_plain_exact;
#endif
#if NNB__LEVELS >= 3
  if (level_here() >= 3) return &nnb__kernels_v4_exact;
#endif
#if NNB__LEVELS >= 2
  if (level_here() >= 2) return &nnb__kernels_v3_exact;
#endif
  return NULL;
}

bool nnb__kernel_has_exact(void) { return exact_table() != NULL; }

const nnb__kernels *nnb__kernel(void) {
  const nnb__kernels *exact = nnb__exact() ? exact_table() : NULL;
  return exact ? exact : tables[level_here()];
}

const nnb_act_ops *nnb__act(nnb_activation activation) { return &nnb__kernel()->acts[activation]; }
const nnb_loss_ops *nnb__loss(nnb_loss loss) { return &nnb__kernel()->losses[loss]; }
