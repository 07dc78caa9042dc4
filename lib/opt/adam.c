/* opt/adam.c: Adam (Kingma and Ba 2015) and its variants.  The formulas are in num/kernels/steps.h, their factors are
 * computed here. */
#include "elementary.h"
#include "kernels.h"
#include "optim.h"

/* ---- adam ---- */

/* m̂ = m/(1 - β₁ᵗ), √ŝ = √s/√(1 - β₂ᵗ) */
static void adam_begin(nnb_optim *o) {
  const double t = (double)o->updates;
  o->rates.lr_m = (real)(o->lr / (1 - nnb__pow(o->beta1, t)));
  o->rates.root = (real)(1 / sqrt(1 - nnb__pow(o->beta2, t)));
}

static void adam_step(nnb_optim *o, const nnb__segment *s, real *w, const real *g) {
  nnb__optim_run(o, nnb__kernel()->steps->adam, s, w, g);
}

#define USUAL .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8

const nnb__optim_ops nnb__algo_adam = {
    .name = "adam", .lr = 0.001, USUAL, .keeps = NNB__KEEP_M | NNB__KEEP_S, .step = adam_step, .begin = adam_begin};

/* ---- adamw: Loshchilov and Hutter 2019 ---- */

const nnb__optim_ops nnb__algo_adamw = {.name = "adamw",
                                        .lr = 0.001,
                                        USUAL,
                                        .l2 = 0.01,
                                        .keeps = NNB__KEEP_M | NNB__KEEP_S,
                                        .step = adam_step,
                                        .begin = adam_begin};

/* ---- amsgrad: Reddi, Kale, Kumar 2018, with Adam's corrections for the start ---- */

static void amsgrad_step(nnb_optim *o, const nnb__segment *s, real *w, const real *g) {
  nnb__optim_run(o, nnb__kernel()->steps->amsgrad, s, w, g);
}

const nnb__optim_ops nnb__algo_amsgrad = {.name = "amsgrad",
                                          .lr = 0.001,
                                          USUAL,
                                          .keeps = NNB__KEEP_M | NNB__KEEP_S | NNB__KEEP_TOP,
                                          .step = amsgrad_step,
                                          .begin = adam_begin};

/* ---- nadam: Dozat 2016, with its warm-up of the momentum, μ_t = β₁(1 - ½·0.96^(t/250)) ---- */

static double momentum_at(const nnb_optim *o, int64_t t) {
  return o->beta1 * (1 - 0.5 * nnb__pow(0.96, (double)t * 0.004));
}

/* m̂ = μ_{t+1}·m/(1 - Π_{i≤t+1} μ_i) + (1 - μ_t)·g/(1 - Π_{i≤t} μ_i) */
static void nadam_begin(nnb_optim *o) {
  const double now = momentum_at(o, o->updates), next = momentum_at(o, o->updates + 1);
  adam_begin(o);
  o->product *= now;
  o->rates.lr_m = (real)(o->lr * next / (1 - o->product * next));
  o->rates.lr_g = (real)(o->lr * (1 - now) / (1 - o->product));
}

static void nadam_step(nnb_optim *o, const nnb__segment *s, real *w, const real *g) {
  nnb__optim_run(o, nnb__kernel()->steps->nadam, s, w, g);
}

const nnb__optim_ops nnb__algo_nadam = {
    .name = "nadam", .lr = 0.002, USUAL, .keeps = NNB__KEEP_M | NNB__KEEP_S, .step = nadam_step, .begin = nadam_begin};
