/* num/kernels/steps.c: the loops of the optimisers' steps (steps.h).  They are limited by memory bandwidth: each number
 * is read and written once. */
#include "steps.h"

#include "vec.h"

/* One vec from i on, with k lanes in the run. */
typedef void step_at(const nnb__rates *c, const nnb__run *r, size_t i, int k);

INLINE void each(size_t n, const nnb__rates *rates, nnb__run r, step_at at) {
  const nnb__rates c = *rates; /* a copy that no store can change, so it stays in registers */
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) at(&c, &r, i, LANES);
  if (i < n) at(&c, &r, i, (int)(n - i));
}

INLINE void descend(const nnb__rates *c, const nnb__run *r, size_t i, int k, vec by) {
  store_up_to(r->w + i, k, c->keep * load_up_to(r->w + i, k) - by);
}

/* ---- the gradient and its momentum ------------------------------------------------------------------------------ */

INLINE void sgd_at(const nnb__rates *c, const nnb__run *r, size_t i, int k) {
  descend(c, r, i, k, c->lr * load_up_to(r->g + i, k));
}
static void sgd(size_t n, const nnb__rates *rates, nnb__run r) { each(n, rates, r, sgd_at); }

/* m ← μm + g */
INLINE vec gather(const nnb__rates *c, const nnb__run *r, size_t i, int k, vec g) {
  vec m = c->mu * load_up_to(r->m + i, k) + g;
  store_up_to(r->m + i, k, m);
  return m;
}
INLINE void momentum_at(const nnb__rates *c, const nnb__run *r, size_t i, int k) {
  descend(c, r, i, k, c->lr * gather(c, r, i, k, load_up_to(r->g + i, k)));
}
static void momentum(size_t n, const nnb__rates *rates, nnb__run r) { each(n, rates, r, momentum_at); }

INLINE void nesterov_at(const nnb__rates *c, const nnb__run *r, size_t i, int k) {
  vec g = load_up_to(r->g + i, k);
  descend(c, r, i, k, c->lr * (g + c->mu * gather(c, r, i, k, g)));
}
static void nesterov(size_t n, const nnb__rates *rates, nnb__run r) { each(n, rates, r, nesterov_at); }

/* 0 and NaN stay what they are. */
INLINE vec sign(vec x) { return pick(less((vec){0}, x), fill(1), pick(less(x, (vec){0}), fill(-1), x)); }
INLINE void lion_at(const nnb__rates *c, const nnb__run *r, size_t i, int k) {
  vec g = load_up_to(r->g + i, k), m = load_up_to(r->m + i, k), d = c->beta1 * m + c->fresh1 * g;
  store_up_to(r->m + i, k, c->beta2 * m + c->fresh2 * g);
  descend(c, r, i, k, c->lr * sign(d));
}
static void lion(size_t n, const nnb__rates *rates, nnb__run r) { each(n, rates, r, lion_at); }

/* ---- scaled by the root of squares ------------------------------------------------------------------------------ */

INLINE void adagrad_at(const nnb__rates *c, const nnb__run *r, size_t i, int k) {
  vec g = load_up_to(r->g + i, k), s = load_up_to(r->s + i, k) + g * g;
  store_up_to(r->s + i, k, s);
  descend(c, r, i, k, c->lr * g / (root(s) + c->eps));
}
static void adagrad(size_t n, const nnb__rates *rates, nnb__run r) { each(n, rates, r, adagrad_at); }

/* s ← β₂s + (1-β₂)g² */
INLINE vec average_squares(const nnb__rates *c, const nnb__run *r, size_t i, int k, vec g) {
  vec s = c->beta2 * load_up_to(r->s + i, k) + c->fresh2 * g * g;
  store_up_to(r->s + i, k, s);
  return s;
}
INLINE void rmsprop_at(const nnb__rates *c, const nnb__run *r, size_t i, int k) {
  vec g = load_up_to(r->g + i, k), s = average_squares(c, r, i, k, g);
  descend(c, r, i, k, c->lr * g / (root(s) + c->eps));
}
static void rmsprop(size_t n, const nnb__rates *rates, nnb__run r) { each(n, rates, r, rmsprop_at); }

/* m ← β₁m + (1-β₁)g */
INLINE vec average_gradient(const nnb__rates *c, const nnb__run *r, size_t i, int k, vec g) {
  vec m = c->beta1 * load_up_to(r->m + i, k) + c->fresh1 * g;
  store_up_to(r->m + i, k, m);
  return m;
}
INLINE void adam_at(const nnb__rates *c, const nnb__run *r, size_t i, int k) {
  vec g = load_up_to(r->g + i, k), m = average_gradient(c, r, i, k, g), s = average_squares(c, r, i, k, g);
  descend(c, r, i, k, c->lr_m * m / (c->root * root(s) + c->eps));
}
static void adam(size_t n, const nnb__rates *rates, nnb__run r) { each(n, rates, r, adam_at); }

INLINE void amsgrad_at(const nnb__rates *c, const nnb__run *r, size_t i, int k) {
  vec g = load_up_to(r->g + i, k), m = average_gradient(c, r, i, k, g), s = average_squares(c, r, i, k, g);
  vec top = larger(s, load_up_to(r->top + i, k)); /* a NaN in s is kept */
  store_up_to(r->top + i, k, top);
  descend(c, r, i, k, c->lr_m * m / (c->root * root(top) + c->eps));
}
static void amsgrad(size_t n, const nnb__rates *rates, nnb__run r) { each(n, rates, r, amsgrad_at); }

INLINE void nadam_at(const nnb__rates *c, const nnb__run *r, size_t i, int k) {
  vec g = load_up_to(r->g + i, k), m = average_gradient(c, r, i, k, g), s = average_squares(c, r, i, k, g);
  descend(c, r, i, k, (c->lr_m * m + c->lr_g * g) / (c->root * root(s) + c->eps));
}
static void nadam(size_t n, const nnb__rates *rates, nnb__run r) { each(n, rates, r, nadam_at); }

/* ---- the average ------------------------------------------------------------------------------------------------ */

INLINE void average_at(const nnb__rates *c, const nnb__run *r, size_t i, int k) {
  vec mean = load_up_to(r->m + i, k);
  store_up_to(r->m + i, k, mean + c->lr * (load_up_to(r->g + i, k) - mean));
}
static void average(size_t n, real share, const real *w, real *mean) {
  each(n, &(nnb__rates){.lr = share}, (nnb__run){.g = w, .m = mean}, average_at);
}

const nnb__steps NNB__STEPS = {
    .sgd = sgd,
    .momentum = momentum,
    .nesterov = nesterov,
    .adagrad = adagrad,
    .rmsprop = rmsprop,
    .adam = adam,
    .amsgrad = amsgrad,
    .nadam = nadam,
    .lion = lion,
    .average = average,
};
