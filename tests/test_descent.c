/* All ways of training agree: fit, the loop over train_rows, train_step, gradient and step, and the optimisers'
 * formulas in plain loops; frozen parameters do not change by a bit. */
#include "toys.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
enum { N = 50, N_IN = 4, N_OUT = 3, MOST_P = 128, EPOCHS = 3 };

static const char net_text[] = "4-6:tanh-5:silu:bias=0-3:sigmoid";
enum { MIDDLE = 3, LAST = 4 }; /* nodes */

static const double rounding = TOL(1e-13, 2e-5);

static void all_near(const real *got, const real *want, size_t n, double tol, const char *what) {
  for (size_t i = 0; i < n; i++) {
    double a = (double)got[i], b = (double)want[i];
    ck_assert_msg(fabs(a - b) <= tol * fmax(1, fabs(b)), PRECISION ", %s: parameter %d is %.17g, expected %.17g", what,
                  (int)i, a, b);
  }
}
static void same_bits(const real *got, const real *want, size_t n, const char *what) {
  for (size_t i = 0; i < n; i++)
    ck_assert_msg(memcmp(&got[i], &want[i], sizeof(real)) == 0,
                  PRECISION ", %s: parameter %d is %.17g, expected exactly %.17g", what, (int)i, (double)got[i],
                  (double)want[i]);
}

/* ---- the settings: algorithm × l1 × l2 × clip × weights of samples
 * ---------------------------------------------------- */

typedef struct setting {
  nnb_optim_opts optim;
  bool weighted;
  char name[120];
} setting;
enum { N_SETTINGS = 3 * 2 * 2 * 2 * 2 };

static setting setting_at(int i) {
  static const nnb_algo algos[] = {NNB_SGD, NNB_MOMENTUM, NNB_NESTEROV};
  setting s = {.optim = {.algo = algos[i % 3], .lr = 0.05, .momentum = 0.8}};
  if (i / 3 & 1) s.optim.l1 = 0.02;
  if (i / 3 & 2) s.optim.l2 = 0.3;
  if (i / 3 & 4) s.optim.clip_norm = 0.02;
  s.weighted = i / 3 & 8;
  snprintf(s.name, sizeof s.name, "%s, l1 %g, l2 %g, clip %g%s", nnb_algo_name(s.optim.algo), s.optim.l1, s.optim.l2,
           s.optim.clip_norm, s.weighted ? ", weights" : "");
  return s;
}

/* A net, rows, a plan and an optimiser. */
typedef struct rig {
  nnb_net *net;
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_batch all;
  size_t n;
  real x[N * N_IN], t[N * N_OUT], weight[N];
} rig;

static void open_rig(rig *r, const setting *s, int max_rows) {
  ck_ok(nnb_net_parse(net_text, &r->net));
  ck_ok(nnb_net_init(r->net, 3));
  toy_fill(r->x, LENGTH(r->x), 1), toy_fill(r->t, LENGTH(r->t), 2), toy_fill(r->weight, N, 3);
  for (int i = 0; i < N * N_OUT; i++) r->t[i] = (r->t[i] + 1) / 2;
  for (int i = 0; i < N; i++) r->weight[i] = i % 9 ? r->weight[i] + 1 : 0;
  r->all = (nnb_batch){.x = nnb_cview(r->x, N, N_IN), .t = nnb_cview(r->t, N, N_OUT)};
  if (s->weighted) r->all.weight = r->weight;
  r->n = nnb_net_n_params(r->net);
  ck_assert_uint_le(r->n, MOST_P);
  real *b;
  ck_assert_ptr_nonnull(b = nnb_net_params(r->net));
  for (size_t i = 0; i < r->n; i++) b[i] += (real)(0.01 * (double)(i % 5)); /* biases too */
  ck_ok(nnb_plan_create(r->net, &(nnb_plan_opts){.max_rows = max_rows, .want = NNB_GRAD}, &r->plan));
  ck_ok(nnb_optim_create(r->net, &s->optim, &r->optim));
}

static void close_rig(rig *r) {
  nnb_optim_destroy(r->optim);
  nnb_plan_destroy(r->plan);
  nnb_net_destroy(r->net);
}

/* The batch that rows order[row0 …] make, copied. */
typedef struct gathered {
  real x[N * N_IN], t[N * N_OUT], weight[N];
} gathered;
static nnb_batch gather(const rig *r, const int32_t *order, int row0, int n, gathered *to) {
  for (int i = 0; i < n; i++) {
    int row = order ? order[row0 + i] : row0 + i;
    memcpy(to->x + i * N_IN, r->x + row * N_IN, N_IN * sizeof(real));
    memcpy(to->t + i * N_OUT, r->t + row * N_OUT, N_OUT * sizeof(real));
    to->weight[i] = r->weight[row];
  }
  nnb_batch b = {.x = nnb_cview(to->x, n, N_IN), .t = nnb_cview(to->t, n, N_OUT)};
  if (r->all.weight) b.weight = to->weight;
  return b;
}

static void shuffled(uint64_t seed, int epoch, int32_t *order) {
  nnb_rng rng;
  nnb_rng_init(&rng, seed, (uint64_t)epoch);
  nnb_rng_shuffle(&rng, order, N);
}

/* ---- fit, train_rows, gradient and step
 * ------------------------------------------------------------------------------ */

static void fit(rig *r, const setting *s, int batch, bool in_order, nnb_report *report) {
  nnb_fit_opts o = {.algo = s->optim.algo, .batch = batch, .max_epochs = EPOCHS, .in_order = in_order, .seed = 42};
  o.lr = s->optim.lr, o.momentum = s->optim.momentum, o.l1 = s->optim.l1, o.l2 = s->optim.l2;
  o.clip_norm = s->optim.clip_norm;
  nnb_data *data;
  ck_ok(nnb_data_wrap(&r->all, 0, &data));
  ck_ok(nnb_fit(r->net, data, NULL, &o, report));
  nnb_data_destroy(data);
}

START_TEST(fit_is_its_loops) {
  static const int batches[] = {1, 7, 32, NNB_FULL_BATCH};
  setting s = setting_at(_i);
  for (int k = 0; k < 2 * LENGTH(batches); k++) {
    rig a, b, c;
    int batch = batches[k / 2] > 0 ? batches[k / 2] : N;
    bool in_order = k % 2;
    nnb_report report;
    nnb_sums sums = {0};
    gathered part;
    int32_t order[N];
    real g[MOST_P];
    open_rig(&a, &s, batch), open_rig(&b, &s, batch), open_rig(&c, &s, batch);
    fit(&a, &s, batches[k / 2], in_order, &report);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      shuffled(42, epoch, order);
      const int32_t *rows = in_order || batch == N ? NULL : order; /* the rows of one update are not shuffled */
      ck_ok(nnb_train_rows(b.net, b.plan, &b.all, rows, rows ? b.all.x.rows : 0, batch, b.optim, &sums));
      for (int row0 = 0; row0 < N; row0 += batch) {
        nnb_batch one = gather(&c, rows, row0, N - row0 < batch ? N - row0 : batch, &part);
        ck_ok(nnb_plan_gradient(c.plan, &one, 0, NULL, g));
        ck_ok(nnb_optim_step(c.optim, c.net, g));
      }
    }
    same_bits(nnb_net_params(a.net), nnb_net_params(b.net), a.n, s.name);
    all_near(nnb_net_params(c.net), nnb_net_params(b.net), a.n, rounding, s.name);
    ck_assert_int_eq(sums.rows, N);
    ck_assert_int_eq(sums.updates, (N + batch - 1) / batch);
    ck_assert_int_eq(report.updates, EPOCHS * sums.updates);
    ck_assert_msg(report.loss == sums.loss, "fit says %.17g, train_rows %.17g", report.loss, sums.loss);
    close_rig(&a), close_rig(&b), close_rig(&c);
  }
}
END_TEST

START_TEST(chunks_are_the_whole) {
  setting s = setting_at(_i);
  rig a, b;
  nnb_sums whole, chunked;
  int32_t order[N];
  shuffled(1, 0, order);
  open_rig(&a, &s, N), open_rig(&b, &s, 7);
  for (int i = 0; i < 5; i++) {
    ck_ok(nnb_train_rows(a.net, a.plan, &a.all, i % 2 ? order : NULL, i % 2 ? N : 0, N, a.optim, &whole));
    ck_ok(nnb_train_rows(b.net, b.plan, &b.all, i % 2 ? order : NULL, i % 2 ? N : 0, N, b.optim, &chunked));
    ck_assert_int_eq(chunked.updates, 1);
    ck_assert_msg(fabs(whole.loss - chunked.loss) <= rounding, "%s: loss %.17g in chunks, %.17g at once", s.name,
                  chunked.loss, whole.loss);
  }
  all_near(nnb_net_params(b.net), nnb_net_params(a.net), a.n, rounding, s.name);
  close_rig(&a), close_rig(&b);
}
END_TEST

/* The first n entries of an order, and rows named twice. */
START_TEST(part_of_an_order) {
  setting s = setting_at(1);
  rig a, b;
  gathered part;
  nnb_sums sums;
  static const int32_t order[] = {4, 4, 9, 0, 49, 3};
  open_rig(&a, &s, 3), open_rig(&b, &s, 3);
  ck_ok(nnb_train_rows(a.net, a.plan, &a.all, order, 5, 3, a.optim, &sums));
  ck_assert_int_eq(sums.rows, 5);
  ck_assert_int_eq(sums.updates, 2);
  nnb_batch one = gather(&b, order, 0, 3, &part);
  ck_ok(nnb_train_step(b.net, b.plan, &one, b.optim, NULL));
  one = gather(&b, order, 3, 2, &part);
  ck_ok(nnb_train_step(b.net, b.plan, &one, b.optim, NULL));
  all_near(nnb_net_params(a.net), nnb_net_params(b.net), a.n, rounding, "part of an order");
  ck_assert_int_eq(nnb_train_rows(a.net, a.plan, &a.all, (int32_t[]){50}, 1, 1, a.optim, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_train_rows(a.net, a.plan, &a.all, NULL, 5, 1, a.optim, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_train_rows(a.net, a.plan, &a.all, order, 0, 1, a.optim, NULL), NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), "n is 0"), "%s", nnb_errmsg());
  nnb_batch normed = a.all;
  normed.norm = 3;
  ck_assert_int_eq(nnb_train_rows(a.net, a.plan, &normed, NULL, 0, 1, a.optim, NULL), NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), "norm is 3"), "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_train_step(a.net, a.plan, &a.all, a.optim, NULL), NNB_E_SHAPE); /* 50 rows, a plan for 3 */
  close_rig(&a), close_rig(&b);
}
END_TEST

/* ---- the formulas
 * ------------------------------------------------------------------------------------------------------ */

enum { IS_BIAS = 1, IS_FROZEN = 2 };

/* Finds the biases and the frozen parameters from the views into the vector. */
static void mark(nnb_net *net, const unsigned frozen[LAST + 1], unsigned *kind) {
  const real *p = nnb_net_params_read(net);
  for (int k = 2; k <= LAST; k++) {
    nnb_cmat w, b;
    ck_ok(nnb_net_weights(net, k, &w));
    for (int i = 0; i < w.rows * w.cols; i++) kind[w.p - p + i] = frozen[k] & NNB_WEIGHTS ? IS_FROZEN : 0;
    if (nnb_net_bias(net, k, &b)) continue;
    for (int i = 0; i < b.cols; i++) kind[b.p - p + i] = IS_BIAS | (frozen[k] & NNB_BIAS ? IS_FROZEN : 0u);
  }
}

/* One step of core.h's formulas. */
static void plain_step(const nnb_optim_opts *o, const unsigned *kind, size_t n, const real *grad, double *w,
                       double *v) {
  double squares = 0, scale = 1;
  for (size_t i = 0; i < n; i++)
    if (!(kind[i] & IS_FROZEN)) squares += (double)grad[i] * (double)grad[i];
  if (o->clip_norm > 0 && sqrt(squares) > o->clip_norm) scale = o->clip_norm / sqrt(squares);
  for (size_t i = 0; i < n; i++) {
    if (kind[i] & IS_FROZEN) continue;
    double g = scale * (double)grad[i], move = g, decay = kind[i] & IS_BIAS ? 0 : 1;
    if (o->algo != NNB_SGD) v[i] = o->momentum * v[i] + g;
    if (o->algo == NNB_MOMENTUM) move = v[i];
    if (o->algo == NNB_NESTEROV) move = g + o->momentum * v[i];
    w[i] = (1 - o->lr * o->l2 * decay) * w[i] - o->lr * move;
    if (decay > 0) w[i] = copysign(fmax(fabs(w[i]) - o->lr * o->l1, 0), w[i]);
  }
}

static const unsigned frozen_parts[][LAST + 1] = {
    {0},
    {[2] = NNB_WEIGHTS},
    {[LAST] = NNB_BIAS},
    {[2] = NNB_WEIGHTS | NNB_BIAS, [MIDDLE] = NNB_WEIGHTS},
    {[2] = NNB_BIAS, [MIDDLE] = NNB_WEIGHTS, [LAST] = NNB_WEIGHTS},
};

START_TEST(steps_are_their_formulas) {
  setting s = setting_at(_i / LENGTH(frozen_parts));
  const unsigned *frozen = frozen_parts[_i % LENGTH(frozen_parts)];
  rig fused, apart;
  real start[MOST_P], g[MOST_P];
  double w[MOST_P], v[MOST_P] = {0}, loss, before;
  unsigned kind[MOST_P] = {0};
  open_rig(&fused, &s, N), open_rig(&apart, &s, N);
  for (int k = 2; k <= LAST; k++) {
    ck_ok(nnb_net_freeze(fused.net, k, frozen[k]));
    ck_ok(nnb_net_freeze(apart.net, k, frozen[k]));
  }
  mark(fused.net, frozen, kind);
  memcpy(start, nnb_net_params(fused.net), fused.n * sizeof(real));
  for (size_t i = 0; i < fused.n; i++) w[i] = (double)start[i];
  for (int step = 0; step < 6; step++) {
    ck_ok(nnb_plan_gradient(apart.plan, &apart.all, 0, &before, g));
    plain_step(&s.optim, kind, apart.n, g, w, v);
    ck_ok(nnb_optim_step(apart.optim, apart.net, g));
    ck_ok(nnb_train_step(fused.net, fused.plan, &fused.all, fused.optim, &loss));
    ck_assert_msg(fabs(loss - before) <= rounding, "loss %.17g, expected %.17g", loss, before);
    const real *a = nnb_net_params_read(apart.net), *f = nnb_net_params_read(fused.net);
    for (size_t i = 0; i < apart.n; i++) {
      ck_assert_msg(fabs((double)a[i] - w[i]) <= rounding,
                    PRECISION ", %s, step %d: parameter %d is %.17g, expected %.17g", s.name, step, (int)i,
                    (double)a[i], w[i]);
      if (!(kind[i] & IS_FROZEN)) continue;
      same_bits(&a[i], &start[i], 1, "frozen"), same_bits(&f[i], &start[i], 1, "frozen, fused");
    }
    all_near(f, a, apart.n, rounding, s.name);
  }
  close_rig(&fused), close_rig(&apart);
}
END_TEST

/* With NNB_NONE as momentum it is plain descent; a new rate holds from then on. */
START_TEST(no_momentum_and_a_new_rate) {
  setting plain = {.optim = {.algo = NNB_SGD, .lr = 0.2}}, none = plain;
  none.optim.algo = _i ? NNB_NESTEROV : NNB_MOMENTUM, none.optim.momentum = NNB_NONE, none.optim.lr = 0.7;
  rig a, b;
  open_rig(&a, &plain, N), open_rig(&b, &none, N);
  ck_ok(nnb_optim_set_lr(b.optim, 0.2));
  for (int i = 0; i < 4; i++) {
    ck_ok(nnb_train_step(a.net, a.plan, &a.all, a.optim, NULL));
    ck_ok(nnb_train_step(b.net, b.plan, &b.all, b.optim, NULL));
  }
  all_near(nnb_net_params(b.net), nnb_net_params(a.net), a.n, rounding, "no momentum");
  static const double bad[] = {0, -1, (double)NAN, (double)INFINITY};
  for (int i = 0; i < LENGTH(bad); i++) ck_assert_int_eq(nnb_optim_set_lr(b.optim, bad[i]), NNB_E_ARG);
  close_rig(&a), close_rig(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("descent " PRECISION);
  TCase *tc = tcase_create("descent");
  tcase_add_loop_test(tc, fit_is_its_loops, 0, N_SETTINGS);
  tcase_add_loop_test(tc, chunks_are_the_whole, 0, N_SETTINGS);
  tcase_add_test(tc, part_of_an_order);
  tcase_add_loop_test(tc, steps_are_their_formulas, 0, N_SETTINGS * LENGTH(frozen_parts));
  tcase_add_loop_test(tc, no_momentum_and_a_new_rate, 0, 2);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
