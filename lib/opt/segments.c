/* opt/segments.c: the segments of a block, and one of the loops of num/kernels/steps.h over a segment. */
#include "optim.h"

int nnb__block_segments(const nnb__block *block, nnb__segment out[2]) {
  size_t n_weights = (size_t)block->rows * (size_t)block->cols;
  int n = 0;
  if (n_weights && !(block->frozen & NNB_WEIGHTS))
    out[n++] = (nnb__segment){block->off, n_weights, block->rows, block->cols, true, !block->spared};
  if (block->bias && !(block->frozen & NNB_BIAS))
    out[n++] = (nnb__segment){block->off + n_weights, (size_t)block->cols, 1, block->cols, false, false};
  return n;
}

void nnb__optim_run(const nnb_optim *o, nnb__step *step, const nnb__segment *s, real *w, const real *g) {
  nnb__rates rates = o->rates;
  rates.keep = (real)(s->decays ? 1 - o->lr * o->l2 : 1);
  nnb__run run = {.g = g + s->off, .w = w + s->off};
  if (o->m) run.m = o->m + s->off;
  if (o->s) run.s = o->s + s->off;
  if (o->top) run.top = o->top + s->off;
  step(s->n, &rates, run);
}
