/* The step of Levenberg–Marquardt within bounds is the minimum of the damped model, by the conditions of Karush, Kuhn
 * and Tucker. */
#include "lm.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "precision.h"
#include "support.h"

enum { N = 12, M = 20 };

/* Residuals A·x - b; the larger `alike`, the more similar are the columns of A. */
typedef struct linear {
  double A[M][N], b[M];
} linear;

static linear draw(nnb_rng *rng, double alike) {
  linear l;
  for (int i = 0; i < M; i++) {
    double common = nnb_rng_normal(rng);
    l.b[i] = nnb_rng_normal(rng);
    for (int j = 0; j < N; j++) l.A[i][j] = (nnb_rng_normal(rng) + alike * common) * pow(10, j % 4 - 2);
  }
  return l;
}

static nnb_status rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  const linear *l = user;
  for (int i = 0; i < k; i++) {
    const double *a = l->A[row0 + (size_t)i];
    double sum = -l->b[row0 + (size_t)i];
    for (int j = 0; j < N; j++) sum += a[j] * (double)x[j];
    r[i] = (real)sum;
    for (int j = 0; J && j < N; j++) J[i * ldj + j] = (real)a[j];
  }
  return NNB_OK;
}

/* Of ½‖A(x + v) - b‖² + ½λ‖Dv‖². */
static double slope(const nnb__lm *lm, const linear *l, int j) {
  const nnb__system *s = &lm->system;
  double sum = s->lambda * s->d[j] * s->d[j] * lm->v[j];
  for (int i = 0; i < M; i++) {
    double r = -l->b[i];
    for (int k = 0; k < N; k++) r += (double)(real)l->A[i][k] * ((double)s->x[k] + lm->v[k]);
    sum += (double)(real)l->A[i][j] * r;
  }
  return sum;
}

static void ck_least(const nnb__lm *lm, const linear *l, const char *what) {
  const nnb__system *s = &lm->system;
  const nnb__box *b = &lm->box;
  double scale = sqrt(2 * s->f);
  for (int j = 0; j < N; j++) {
    double g = slope(lm, l, j) / (s->d[j] * scale), low = (double)b->lower[j] - (double)s->x[j];
    double high = (double)b->upper[j] - (double)s->x[j];
    bool at_low = lm->v[j] == low, at_high = lm->v[j] == high;
    ck_assert_double_eq_tol(b->slope[j] / (s->d[j] * scale), g, TOL(1e-10, 1e-5));
    ck_assert_msg(lm->v[j] >= low && lm->v[j] <= high, "%s: v%d is %g, not in [%g, %g]", what, j, lm->v[j], low, high);
    ck_assert_msg(fabs(g) < TOL(1e-10, 1e-5) || (at_low && g > 0) || (at_high && g < 0),
                  "%s, λ %g: v%d is %g in [%g, %g], the slope there %g", what, s->lambda, j, lm->v[j], low, high, g);
  }
}

/* Boxes of all sizes around x, which is at some of its bounds at the start; some fix variables. */
static void draw_box(nnb_rng *rng, double *lower, double *upper, real *x) {
  for (int j = 0; j < N; j++) {
    const uint32_t kind = nnb_rng_below(rng, 8);
    const double width = pow(10, 4 * nnb_rng_uniform(rng) - 2);
    lower[j] = nnb_rng_normal(rng), upper[j] = lower[j] + (kind == 0 ? 0 : width);
    x[j] = (real)(kind < 3 ? lower[j] : kind < 5 ? upper[j] : lower[j] + width * nnb_rng_uniform(rng));
    if (kind == 6) lower[j] = -HUGE_VAL;
    if (kind == 7) upper[j] = HUGE_VAL;
  }
}

START_TEST(step_is_least) {
  static const double lambdas[] = {0, 1e-6, 1e-3, 1, 1e3, 1e12};
  nnb_rng rng;
  nnb_rng_init(&rng, 17, (uint64_t)_i);
  linear l = draw(&rng, _i % 4 == 0 ? 0 : pow(10, _i % 4 - 1));
  double lower[N], upper[N];
  real x[N];
  draw_box(&rng, lower, upper, x);
  nnb_lsq problem = {.m = M, .n = N, .user = &l, .rows = rows};
  nnb__stop stop;
  nnb__lm lm = {.system = {.model = &nnb__full_model, .problem = &problem, .stop = &stop, .x = x}, .point = x};
  nnb_min_opts opts = {.lower = lower, .upper = upper};
  size_t bytes;
  ck_assert_int_eq(nnb__stop_begin(&stop, &opts, NNB_LM, NNB__TRAIT_SQUARES | NNB__TRAIT_BOUNDS, (double)REAL_EPS),
                   NNB_OK);
  ck_assert_int_eq(nnb__lm_measure(&lm, &bytes), NNB_OK);
  char *memory = malloc(bytes + NNB__ALIGN);
  ck_assert_ptr_nonnull(memory);
  nnb__lm_lay_out(&lm, memory + (NNB__ALIGN - (uintptr_t)memory % NNB__ALIGN) % NNB__ALIGN);
  ck_assert_int_eq(nnb__lm_begin(&lm), NNB_OK);
  for (int k = 0; k < 12; k++) {
    bool done;
    lm.system.lambda = lambdas[k % 6];
    ck_assert_int_eq(nnb__box_step(&lm.box, lm.v, &done), NNB_OK);
    ck_assert_msg(done, "λ %g: no step", lm.system.lambda);
    ck_least(&lm, &l, k < 6 ? "normal equations" : "QR");
    if (k == 5) ck_assert_int_eq(nnb__system_turn_to_qr(&lm.system), NNB_OK);
  }
  free(memory);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("lm in a box, " PRECISION);
  TCase *tc = tcase_create("lm in a box");
  tcase_add_loop_test(tc, step_is_least, 0, 200);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
