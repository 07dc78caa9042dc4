/* num/kernels/steps.h: the loops of the optimisers' steps: one pass over a run of parameters, built once per level
 * (kernels.h). */
#ifndef NNB__STEPS_H
#define NNB__STEPS_H

#include "level.h"
#include "real.h"

/* The factors of a step; each step reads those in its formula. */
typedef struct nnb__rates {
  real lr;            /* η */
  real keep;          /* 1 - ηλ */
  real mu;            /* μ */
  real beta1, fresh1; /* β₁, 1 - β₁ */
  real beta2, fresh2; /* β₂, 1 - β₂ */
  real root, eps;     /* 1/√(1 - β₂ᵗ), ε */
  real lr_m, lr_g;    /* final factors of m and g */
} nnb__rates;

/* The vectors, n numbers each; those that a step does not use may be NULL. */
typedef struct nnb__run {
  const real *g;
  real *w, *m, *s, *top;
} nnb__run;

typedef void nnb__step(size_t n, const nnb__rates *rates, nnb__run run);

typedef struct nnb__steps {
  nnb__step *sgd;      /* w ← keep·w - ηg */
  nnb__step *momentum; /* m ← μm + g, w ← keep·w - ηm */
  nnb__step *nesterov; /* m ← μm + g, w ← keep·w - η(g + μm) */
  nnb__step *adagrad;  /* s ← s + g², w ← keep·w - ηg/(√s + ε) */
  nnb__step *rmsprop;  /* s ← β₂s + (1-β₂)g², w ← keep·w - ηg/(√s + ε) */
  nnb__step *adam;     /* m ← β₁m + (1-β₁)g, s as in rmsprop, w ← keep·w - lr_m·m/(root·√s + ε) */
  nnb__step *amsgrad;  /* as adam, with top ← max(top, s) and √top */
  nnb__step *nadam;    /* as adam, with w ← keep·w - (lr_m·m + lr_g·g)/(root·√s + ε) */
  nnb__step *lion;     /* w ← keep·w - η·sign(β₁m + (1-β₁)g), m ← β₂m + (1-β₂)g */
  /* mean ← mean + share·(w - mean) */
  void (*average)(size_t n, real share, const real *w, real *mean);
} nnb__steps;

/* The table of the level of this build. */
extern const nnb__steps NNB__STEPS;

#endif
