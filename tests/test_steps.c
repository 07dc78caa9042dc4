/* The loops of the optimisers' steps, at every level and length, against their formulas written out. */
#include "real.h"
/* the precision first */
#include <string.h>

#include "kernels.h"
#include "support.h"

enum { MOST = 70, GUARD = 4, N_VECTORS = 5 };
enum { G, W, M, S, TOP };

typedef struct rule {
  const char *name;
  size_t offset; /* in nnb__steps */
  void (*plain)(const nnb__rates *c, double v[N_VECTORS]);
} rule;

static const nnb__rates rates = {.lr = (real)0.1,
                                 .keep = (real)0.99,
                                 .mu = (real)0.9,
                                 .beta1 = (real)0.8,
                                 .fresh1 = (real)0.2,
                                 .beta2 = (real)0.95,
                                 .fresh2 = (real)0.05,
                                 .root = (real)1.7,
                                 .eps = (real)1e-3,
                                 .lr_m = (real)0.3,
                                 .lr_g = (real)0.05};

/* Each number once, in double. */
static void sgd(const nnb__rates *c, double v[]) { v[W] = (double)c->keep * v[W] - (double)c->lr * v[G]; }
static void momentum(const nnb__rates *c, double v[]) {
  v[M] = (double)c->mu * v[M] + v[G];
  v[W] = (double)c->keep * v[W] - (double)c->lr * v[M];
}
static void nesterov(const nnb__rates *c, double v[]) {
  v[M] = (double)c->mu * v[M] + v[G];
  v[W] = (double)c->keep * v[W] - (double)c->lr * (v[G] + (double)c->mu * v[M]);
}
static void adagrad(const nnb__rates *c, double v[]) {
  v[S] += v[G] * v[G];
  v[W] = (double)c->keep * v[W] - (double)c->lr * v[G] / (sqrt(v[S]) + (double)c->eps);
}
static void averages(const nnb__rates *c, double v[]) {
  v[M] = (double)c->beta1 * v[M] + (double)c->fresh1 * v[G];
  v[S] = (double)c->beta2 * v[S] + (double)c->fresh2 * v[G] * v[G];
}
static void rmsprop(const nnb__rates *c, double v[]) {
  double m = v[M];
  averages(c, v);
  v[M] = m;
  v[W] = (double)c->keep * v[W] - (double)c->lr * v[G] / (sqrt(v[S]) + (double)c->eps);
}
static void adam(const nnb__rates *c, double v[]) {
  averages(c, v);
  v[W] = (double)c->keep * v[W] - (double)c->lr_m * v[M] / ((double)c->root * sqrt(v[S]) + (double)c->eps);
}
static void amsgrad(const nnb__rates *c, double v[]) {
  averages(c, v);
  v[TOP] = fmax(v[TOP], v[S]);
  v[W] = (double)c->keep * v[W] - (double)c->lr_m * v[M] / ((double)c->root * sqrt(v[TOP]) + (double)c->eps);
}
static void nadam(const nnb__rates *c, double v[]) {
  averages(c, v);
  double by = (double)c->lr_m * v[M] + (double)c->lr_g * v[G];
  v[W] = (double)c->keep * v[W] - by / ((double)c->root * sqrt(v[S]) + (double)c->eps);
}
static void lion(const nnb__rates *c, double v[]) {
  double d = (double)c->beta1 * v[M] + (double)c->fresh1 * v[G];
  v[W] = (double)c->keep * v[W] - (double)c->lr * ((d > 0) - (d < 0));
  v[M] = (double)c->beta2 * v[M] + (double)c->fresh2 * v[G];
}

#define RULE(name) \
  { #name, offsetof(nnb__steps, name), name }
static const rule rules[] = {RULE(sgd),  RULE(momentum), RULE(nesterov), RULE(adagrad), RULE(rmsprop),
                             RULE(adam), RULE(amsgrad),  RULE(nadam),    RULE(lion)};
enum { N_RULES = sizeof rules / sizeof *rules };

static void fill(real v[N_VECTORS][MOST + GUARD]) {
  nnb_rng rng;
  nnb_rng_init(&rng, 5, 0);
  for (int k = 0; k < N_VECTORS; k++)
    for (int i = 0; i < MOST + GUARD; i++) {
      double x = 2 * nnb_rng_uniform(&rng) - 1;
      v[k][i] = (real)(k >= S ? fabs(x) : x);
    }
  v[G][3] = 0, v[M][3] = 0; /* lion: neither up nor down */
}

static void check_run(const rule *r, const nnb__kernels *kernels, int n) {
  static real v[N_VECTORS][MOST + GUARD], old[N_VECTORS][MOST + GUARD];
  nnb__step *step;
  fill(v);
  memcpy(old, v, sizeof old);
  memcpy(&step, (const char *)kernels->steps + r->offset, sizeof step);
  step((size_t)n, &rates, (nnb__run){v[G], v[W], v[M], v[S], v[TOP]});
  for (int i = 0; i < MOST + GUARD; i++) {
    double want[N_VECTORS];
    for (int k = 0; k < N_VECTORS; k++) want[k] = (double)old[k][i];
    if (i < n) r->plain(&rates, want);
    for (int k = 0; k < N_VECTORS; k++)
      ck_assert_msg(fabs((double)v[k][i] - want[k]) <= (i < n ? 50 * (double)REAL_EPS : 0),
                    "%s, %s, n = %d: vector %d at %d is %.17g, not %.17g", r->name, kernels->level, n, k, i,
                    (double)v[k][i], want[k]);
  }
}

START_TEST(each_rule_is_its_formula) {
  for (int level = 0; nnb__kernel_level(level); level++)
    for (int n = 0; n <= MOST; n++) check_run(&rules[_i], nnb__kernel_level(level), n);
}
END_TEST

START_TEST(what_is_no_number_stays_none) {
  for (int level = 0; nnb__kernel_level(level); level++)
    for (int n = 1; n <= 20; n += 19) {
      real v[N_VECTORS][MOST + GUARD];
      nnb__step *step;
      fill(v);
      v[G][0] = (real)NAN;
      memcpy(&step, (const char *)nnb__kernel_level(level)->steps + rules[_i].offset, sizeof step);
      step((size_t)n, &rates, (nnb__run){v[G], v[W], v[M], v[S], v[TOP]});
      ck_assert_msg(isnan(v[W][0]), "%s, level %d: a gradient of NaN gives %g", rules[_i].name, level, (double)v[W][0]);
    }
}
END_TEST

START_TEST(average_moves_by_its_share) {
  for (int level = 0; nnb__kernel_level(level); level++) {
    real w[37], mean[37];
    for (int i = 0; i < 37; i++) w[i] = (real)i, mean[i] = (real)(2 * i);
    nnb__kernel_level(level)->steps->average(37, (real)0.25, w, mean);
    for (int i = 0; i < 37; i++) ck_assert_msg(mean[i] == (real)(1.75 * i), "%d: %g", i, (double)mean[i]);
    nnb__kernel_level(level)->steps->average(37, 1, w, mean);
    for (int i = 0; i < 37; i++) ck_assert_msg(mean[i] == w[i], "%d: %g", i, (double)mean[i]);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("steps");
  TCase *tests = tcase_create("steps");
  tcase_add_loop_test(tests, each_rule_is_its_formula, 0, N_RULES);
  tcase_add_loop_test(tests, what_is_no_number_stays_none, 0, N_RULES);
  tcase_add_test(tests, average_moves_by_its_share);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
