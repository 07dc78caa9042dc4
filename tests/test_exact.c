/* What every processor and compiler must compute alike (docs/arithmetic.md): hashes that every build has to reproduce.
 */
#include "real.h"
/* the precision first */
#include "blas.h"
#include "elementary.h"
#include "exact.h"
#include "kernels.h"
#include "rank_threads.h"
#include "view.h"

#define NO_KERNELS "no fused multiply-adds on this processor, or no kernels for them in this build"

/* ---- functions of base/elementary.h ------------------------------------------------------------------------------ */

/* The error in units of the last place of the result, against libm. */
static double ulps_of(double got, double want) {
  int exponent;
  if (got == want) return 0;
  frexp(want, &exponent);
  return fabs(got - want) / ldexp(1, exponent - DBL_MANT_DIG);
}

START_TEST(functions_are_close_to_libm) {
  nnb_rng rng;
  nnb_rng_init(&rng, 5, 0);
  for (int i = 0; i < 20000; i++) {
    const double u = 1 - nnb_rng_uniform(&rng), x = 1400 * (u - 0.5), turn = 100 * (u - 0.5),
                 n = nnb_rng_below(&rng, 1000);
    ck_assert_double_le(ulps_of(nnb__log(u), log(u)), 2);
    ck_assert_double_le(ulps_of(nnb__log(ldexp(u, i % 2000 - 1000)), log(ldexp(u, i % 2000 - 1000))), 2);
    ck_assert_double_le(ulps_of(nnb__exp(x), exp(x)), 2);
    ck_assert_double_le(ulps_of(nnb__cos(turn), cos(turn)), 2);
    ck_assert_double_le(ulps_of(nnb__pow(0.9 + u / 10, n), pow(0.9 + u / 10, n)), 2);
    ck_assert_double_le(ulps_of(nnb__pow(u, 0.3), pow(u, 0.3)), 8);
  }
}
END_TEST

START_TEST(functions_at_their_ends) {
  const double big = (double)INFINITY;
  ck_assert(nnb__log(0) == -big && nnb__log(big) == big && nnb__log(1) == 0 && isnan(nnb__log(-1)));
  ck_assert(nnb__exp(-1e9) == 0 && nnb__exp(1e9) == big && nnb__exp(0) == 1 && isnan(nnb__exp((double)NAN)));
  ck_assert(nnb__exp(-744.5) > 0 && nnb__exp(709.7) < big);
  ck_assert(nnb__cos(0) == 1 && nnb__cos(3.141592653589793116) == -1);
  ck_assert(nnb__pow(0, 0) == 1 && nnb__pow(0, 3) == 0 && nnb__pow(0, 0.5) == 0 && nnb__pow(0, -1) == big);
  ck_assert(nnb__pow(3, 4) == 81 && nnb__pow(2, -3) == 0.125 && nnb__pow(2, 3000) == big && nnb__pow(0.5, 3000) == 0);
}
END_TEST

/* ---- initial weights --------------------------------------------------------------------------------------------- */

static const struct {
  const char *net;
  uint64_t hash[2]; /* double, single */
} starts[] = {
    {"7-50:relu-9:tanh-5", {0x37426620e9c86a63, 0x5d84c7d2a976c3a0}},
    {"7-50:selu-9:sigmoid-5:softmax", {0xa6c45702ef07c4d4, 0x0e27ef56ff94d1bf}},
    {"20-30:init=normal-10:init=uniform-6:init=lecun", {0x45ac18de76daf9f7, 0xa9292c5333cf898a}},
    {"20-30:init=glorot_normal-10:init=he_uniform-6:init=he_normal", {0x45f9f8a32d05f93c, 0x730ba1d3ffc96e5f}},
    {"20-33:init=orthogonal-70:init=orthogonal-9:init=orthogonal", {0x1da56823d1f93668, 0x20079e35a9095d8f}},
    {"1x12x12-conv6@5:relu-maxpool2-20:tanh-3:softmax", {0xbde79137dd4b4dd7, 0x1f951c9278188f19}},
};

static bool is_hash(const char *of, uint64_t hash, const uint64_t wanted[2]) {
  const uint64_t want = wanted[sizeof(real) == sizeof(float)];
  if (hash != want)
    fprintf(stderr, "%s: the hash is 0x%016llx; wanted 0x%016llx\n", of, (unsigned long long)hash,
            (unsigned long long)want);
  return hash == want;
}

START_TEST(initial_weights) { /* by each level of kernels */
  bool all = true;
  nnb__kernel_limit(_i);
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
    uint64_t hash = 1;
    for (uint64_t seed = 0; seed < 20; seed++) {
      nnb_net *net;
      ck_ok(nnb_net_parse(starts[i].net, &net));
      ck_ok(nnb_net_init(net, seed));
      hash = toy_hash_net(hash, net);
      nnb_net_destroy(net);
    }
    all = is_hash(starts[i].net, hash, starts[i].hash) && all;
  }
  nnb__kernel_limit(3);
  ck_assert(all);
}
END_TEST

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* C ← beta·C + op(A)·op(B) as docs/arithmetic.md says. */
static void plain_product(char ta, char tb, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c) {
  const int depth = ta == 'T' ? a.rows : a.cols;
  for (int i = 0; i < c.rows; i++)
    for (int j = 0; j < c.cols; j++) {
      real sum = beta == 0 ? 0 : nnb__row(c, i)[j];
      for (int k = 0; k < depth; k++)
        sum = R(fma)(ta == 'T' ? nnb__crow(a, k)[i] : nnb__crow(a, i)[k],
                     tb == 'T' ? nnb__crow(b, j)[k] : nnb__crow(b, k)[j], sum);
      nnb__row(c, i)[j] = sum + 0;
    }
}

static void compare_products(int level, char ta, char tb, int m, int n, int k) {
  enum { MOST = 700 * 131 };
  static real a[MOST], b[MOST], c[MOST], wanted[MOST];
  toy_fill(a, (size_t)(m * k), 1), toy_fill(b, (size_t)(n * k), 2);
  const nnb_cmat op_a = ta == 'T' ? nnb_cview(a, k, m) : nnb_cview(a, m, k),
                 op_b = tb == 'T' ? nnb_cview(b, n, k) : nnb_cview(b, k, n);
  for (int beta = 0; beta < 2; beta++) {
    toy_fill(c, (size_t)(m * n), 3), toy_fill(wanted, (size_t)(m * n), 3);
    plain_product(ta, tb, op_a, op_b, (real)beta, nnb_view(wanted, m, n));
    const bool exact = nnb__exact_set(true);
    nnb__gemm(ta, tb, 1, op_a, op_b, (real)beta, nnb_view(c, m, n));
    nnb__exact_set(exact);
    ck_assert_msg(memcmp(c, wanted, (size_t)(m * n) * sizeof *c) == 0, "%c%c %d×%d by %d, beta %d, level %d", ta, tb, m,
                  n, k, beta, level);
  }
}

START_TEST(products) {
  static const int size[][3] = {{1, 1, 1},     {1, 131, 700}, {1, 37, 9}, {5, 3, 300},
                                {29, 50, 131}, {131, 47, 29}, {2, 16, 2}};
  nnb__kernel_limit(_i);
  for (size_t i = 0; i < sizeof size / sizeof *size && nnb__kernel_has_exact(); i++)
    for (int way = 0; way < 3; way++) {
      ck_ok(nnb_set_thresholds(way == 0 ? "unpacked_bytes=0" : NULL));
      compare_products(_i, way == 1 ? 'T' : 'N', way == 2 ? 'T' : 'N', size[i][0], size[i][1], size[i][2]);
    }
  nnb__kernel_limit(3);
}
END_TEST

/* ---- trained nets ------------------------------------------------------------------------------------------------ */

enum { N = 90, N_VAL = 37, MOST_N = 450, IN = 6, OUT = 3 };

/* Random numbers, and of every fourth row zeros: no libm makes them. */
static nnb_data *make_data(int rows, bool classes, bool weighted, uint64_t stream) {
  real x[MOST_N * IN], t[MOST_N * OUT], weight[MOST_N];
  int32_t label[MOST_N];
  nnb_data *data;
  nnb_rng rng;
  nnb_rng_init(&rng, 3, stream);
  toy_fill(x, MOST_N * IN, stream);
  toy_fill(t, MOST_N * OUT, stream + 1);
  for (int i = 0; i < rows; i++) {
    label[i] = (int32_t)nnb_rng_below(&rng, OUT), weight[i] = (real)(nnb_rng_below(&rng, 4)) / 2;
    for (int j = 0; i % 4 == 0 && j < IN; j += 2) x[i * IN + j] = 0;
  }
  nnb_batch all = {.x = nnb_cview(x, rows, IN), .weight = weighted ? weight : NULL};
  if (classes)
    all.label = label;
  else
    all.t = nnb_cview(t, rows, OUT);
  ck_ok(nnb_data_copy(&all, classes ? OUT : 0, &data));
  return data;
}

/* A training; hash: of the trained net, its predictions and losses, in double and in single precision. */
typedef struct training {
  const char *net, *opts;
  nnb_loss loss;
  bool classes, weighted, validates;
  uint64_t hash[2];
} training;

static const training trainings[] = {
    /* by single rows, and the same where no executor fuses an update with the next row */
    {"6-20:tanh-3",
     "algo=sgd batch=1 max_epochs=2 l2=0.01",
     NNB_LOSS_AUTO,
     false,
     true,
     false,
     {0xe25504fa240bb2b2, 0xea335b56be46b0d4}},
    {"6-20:tanh-3",
     "algo=sgd batch=1 max_epochs=2 l2=0.01 clip_norm=1e6",
     NNB_LOSS_AUTO,
     false,
     true,
     false,
     {0xe25504fa240bb2b2, 0xea335b56be46b0d4}},
    {"6-40:sigmoid-7:relu-3:softmax",
     "algo=sgd batch=1 max_epochs=2 lr=0.1",
     NNB_LOSS_AUTO,
     true,
     false,
     true,
     {0x48aa18aeb818ae78, 0x6078d2ca21325151}},
    {"6-40:sigmoid-7:relu-3:softmax",
     "algo=sgd batch=1 max_epochs=2 lr=0.1 clip_norm=1e6",
     NNB_LOSS_AUTO,
     true,
     false,
     true,
     {0x48aa18aeb818ae78, 0x6078d2ca21325151}},
    {"6-9:gelu-3:sigmoid",
     "algo=sgd batch=1 max_epochs=2",
     NNB_BINARY_CROSS_ENTROPY,
     true,
     true,
     false,
     {0x1e0f73d9648e600c, 0xd737dc4562eb4ff1}},
    {"6-9:gelu-3:sigmoid",
     "algo=sgd batch=1 max_epochs=2 clip_norm=1e6",
     NNB_BINARY_CROSS_ENTROPY,
     true,
     true,
     false,
     {0x1e0f73d9648e600c, 0xd737dc4562eb4ff1}},
    /* layers with one output */
    {"6-8:sigmoid-1:sigmoid-3",
     "algo=sgd batch=1 max_epochs=2 lr=0.1",
     NNB_LOSS_AUTO,
     false,
     true,
     true,
     {0x8b5ce82c17c388f3, 0x27515c8a9ad8ba1c}},
    {"6-8:sigmoid-1:sigmoid-3",
     "algo=sgd batch=1 max_epochs=2 lr=0.1 clip_norm=1e6",
     NNB_LOSS_AUTO,
     false,
     true,
     true,
     {0x8b5ce82c17c388f3, 0x27515c8a9ad8ba1c}},
    {"6-40:relu-1:tanh-3",
     "algo=sgd batch=1 max_epochs=2 l2=0.01",
     NNB_LOSS_AUTO,
     false,
     true,
     true,
     {0xfe878707b59f163d, 0xef8c2ffc783810ac}},
    {"6-40:relu-1:tanh-3",
     "algo=sgd batch=1 max_epochs=2 l2=0.01 clip_norm=1e6",
     NNB_LOSS_AUTO,
     false,
     true,
     true,
     {0xfe878707b59f163d, 0xef8c2ffc783810ac}},
    {"6-21:tanh-1:sigmoid-3",
     "algo=momentum batch=33 max_epochs=3",
     NNB_LOSS_AUTO,
     false,
     true,
     true,
     {0x17822b391aa54704, 0xe9dfd2cf695c43f8}},
    {"6-20:tanh-3",
     "algo=sgd batch=16 max_epochs=3",
     NNB_LOSS_AUTO,
     false,
     false,
     true,
     {0x4faf115ef2f493ce, 0xcf72f79e05842210}},
    {"6-40:relu-33:gelu-3",
     "algo=adam batch=20 max_epochs=3",
     NNB_LOSS_AUTO,
     false,
     true,
     false,
     {0x959192fcf827700f, 0x73fc37c29ff237ea}},
    {"6-17:sigmoid-3:softmax",
     "algo=momentum batch=33 max_epochs=3 l2=0.01",
     NNB_LOSS_AUTO,
     true,
     false,
     true,
     {0x623e83abe3e182f5, 0x210fa2bc724d42a0}},
    {"6-25:silu-layernorm:elu-3:softmax",
     "algo=nesterov batch=25 max_epochs=3",
     NNB_LOSS_AUTO,
     true,
     true,
     false,
     {0x98fbf9af4c5f92bd, 0x975945ed9c78ca11}},
    {"6-30:softplus-dropout0.3-3",
     "algo=adamw batch=40 max_epochs=4 ema=0.9 clip_norm=0.1 schedule=cosine warmup=1",
     NNB_LOSS_AUTO,
     false,
     false,
     false,
     {0x2ab08b14ceaf56a6, 0xa50f111b64dffc93}},
    {"1x2x3-conv5@2:leaky_relu-9:selu-3",
     "algo=amsgrad batch=30 max_epochs=3",
     NNB_HUBER,
     false,
     true,
     false,
     {0x0e2b3aa692bb6da2, 0x6e06bd8bdf8041b0}},
    {"1x2x3-conv4@1:tanh-maxpool2-3:sigmoid",
     "algo=rmsprop batch=30 max_epochs=3 schedule=exponential lr_factor=0.7",
     NNB_BINARY_CROSS_ENTROPY,
     true,
     false,
     false,
     {0x64477fc54eefd27b, 0x6436d7a58b3c5461}},
    {"6-20:linear-batchnorm:relu-3",
     "algo=nadam batch=45 max_epochs=3",
     NNB_SSE,
     false,
     false,
     true,
     {0x5bfe8b0860eb645f, 0xb9472dbe097b81e1}},
    {"1x2x3-conv4@2:linear-batchnorm:tanh-3",
     "algo=adam batch=45 max_epochs=2",
     NNB_SSE,
     false,
     false,
     true,
     {0x9a94aaf8de8d170e, 0xb0b6435cb7b57f2c}},
    {"2x3-gru5:sequence=1-gru4-3",
     "algo=adam batch=30 max_epochs=2",
     NNB_SSE,
     false,
     false,
     true,
     {0x09ff4b5a663ccded, 0x1b995724f140c384}},
    {"6-24:tanh-16:relu-3",
     "algo=muon batch=18 max_epochs=3",
     NNB_HALF_SSE,
     false,
     false,
     false,
     {0x54e01fdd651974c5, 0xaecc68d6bfee842d}},
    {"6-70:tanh-3",
     "algo=lion batch=90 max_epochs=4 l1=0.01",
     NNB_MAE,
     false,
     true,
     false,
     {0x8e8301442f8ceb0e, 0x4939562c9fd8cc1c}},
    {NULL,
     "algo=adagrad batch=11 max_epochs=2",
     NNB_LOSS_AUTO,
     false,
     false,
     true,
     {0x83be2a43ebf3a7d1, 0x85c7f2eaef5b1337}},
    {"6-20:tanh-3",
     "algo=scg max_epochs=6",
     NNB_LOSS_AUTO,
     false,
     true,
     false,
     {0x91d3e2278b97944c, 0xd15a6d559ca6c7d7}},
    {"6-20:sigmoid-3:softmax",
     "algo=cg max_epochs=6",
     NNB_LOSS_AUTO,
     true,
     false,
     true,
     {0x4e10eb76e589c647, 0xe1f6756ffbc909e0}},
    {"6-20:tanh-3",
     "algo=lbfgs max_epochs=8 l2=0.001",
     NNB_LOSS_AUTO,
     false,
     false,
     false,
     {0x3a7cd4ab9a7fa527, 0x1e54acad452a5576}},
    {"6-9:tanh-3",
     "algo=bfgs max_epochs=6",
     NNB_LOSS_AUTO,
     false,
     false,
     false,
     {0x78cfd8daf88d007a, 0x0733250502392869}},
    {NULL, "algo=rprop max_epochs=6", NNB_LOSS_AUTO, false, true, false, {0xfcd8a206c08c7280, 0xb038664a671dea49}},
};

/* What must change nothing. */
typedef struct manner {
  const char *opts; /* more of them */
  int level;        /* of kernels */
  const char *thresholds;
} manner;

/* Sums, products and concatenations, and an output that another node reads. */
static nnb_net *make_graph(void) {
  nnb_net *net = nnb_net_create(IN);
  const int a = nnb_net_layer(net, 1, "10:tanh"), b = nnb_net_layer(net, 1, "10:relu");
  const int product = nnb_net_product(net, (const int[]){a, b}, 2, NNB_LINEAR),
            sum = nnb_net_add(net, (const int[]){a, product}, 2, NNB_TANH);
  const int y = nnb_net_layer(net, sum, "2:linear"), both = nnb_net_concat(net, (const int[]){y, b}, 2);
  const int z = nnb_net_layer(net, both, "1:linear");
  ck_assert_int_gt(nnb_net_output(net, y), 0);
  ck_assert_int_gt(nnb_net_output(net, z), 0);
  return net;
}

static nnb_net *make_net(const training *t, const nnb_data *data) {
  nnb_net *net = t->net ? NULL : make_graph();
  if (t->net) ck_ok(nnb_net_parse(t->net, &net));
  if (t->loss) ck_assert_int_ge(nnb_net_loss(net, t->loss), 0);
  if (!strstr(t->net ? t->net : "", "sigmoid")) ck_ok(nnb_net_standardize(net, data));
  ck_ok(nnb_net_init(net, 5));
  return net;
}

static uint64_t train(const training *t, const manner *m, int rows, const nnb_comm *comm) {
  nnb_data *data = make_data(rows, t->classes, t->weighted, 1),
           *val = t->validates ? make_data(N_VAL, t->classes, false, 9) : NULL;
  nnb_net *net = make_net(t, data);
  nnb_fit_opts opts = {.exact = true, .comm = comm};
  nnb_report report;
  real x[N * IN], y[N * OUT];
  toy_fill(x, N * IN, 20);
  ck_ok(nnb_fit_opts_parse(t->opts, &opts));
  ck_ok(nnb_fit_opts_parse(m->opts, &opts));
  ck_ok(nnb_fit(net, data, val, &opts, &report));
  ck_ok(nnb_net_exact(net, true));
  ck_ok(nnb_net_predict(net, nnb_cview(x, N, IN), nnb_view(y, N, OUT)));
  uint64_t hash = toy_hash(toy_hash_net(1, net), y, sizeof y);
  hash = toy_hash(toy_hash(hash, &report.loss, sizeof report.loss), &report.best_loss, sizeof report.best_loss);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  nnb_data_destroy(val);
  return hash;
}

static bool trains_alike(const training *t, size_t n, int rows) {
  static const manner manners[] = {{"", 3, ""},
                                   {"", 2, ""},
                                   {"threads=2", 3, ""},
                                   {"threads=3 chunk=7", 3, ""},
                                   {"chunk=1", 2, ""},
                                   {"threads=3", 2, "thread_flops=1,private_bytes=0"},
                                   {"threads=2 chunk=33", 3, "thread_flops=1,unpacked_bytes=0,owned_flops=1"}};
  bool all = true;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < sizeof manners / sizeof *manners; k++) {
      char name[300];
      nnb__kernel_limit(manners[k].level);
      ck_ok(nnb_set_thresholds(NULL));
      ck_ok(nnb_set_thresholds(manners[k].thresholds));
      snprintf(name, sizeof name, "%s, %s, %s, level %d, %s", t[i].net ? t[i].net : "graph", t[i].opts, manners[k].opts,
               manners[k].level, manners[k].thresholds);
      all = is_hash(name, train(&t[i], &manners[k], rows, NULL), t[i].hash) && all;
    }
  nnb__kernel_limit(3);
  ck_ok(nnb_set_thresholds(NULL));
  return all;
}

START_TEST(trained_nets) { ck_assert(trains_alike(trainings, sizeof trainings / sizeof *trainings, N)); }
END_TEST

/* Updates of several groups of a narrow chain; 450 rows of the second net are worth two threads. */
static const training by_groups[] = {
    {"6-20:tanh-9:sigmoid-3",
     "algo=adam batch=450 max_epochs=3",
     NNB_LOSS_AUTO,
     false,
     true,
     false,
     {0xa75137d18a3ef3f5, 0xb92260ced275b901}},
    {"6-64:tanh-64:relu-3:softmax",
     "algo=sgd batch=200 max_epochs=3 l2=0.01",
     NNB_LOSS_AUTO,
     true,
     false,
     false,
     {0x8a03db0e7c144fc5, 0x6ca0fa1cbff59f99}},
    {"6-64:tanh-64:relu-3:softmax",
     "algo=sgd batch=192 max_epochs=3 l2=0.01",
     NNB_LOSS_AUTO,
     true,
     false,
     false,
     {0xc1c4ab4c0dd0902f, 0xe524875b6c754725}},
    {"6-20:tanh-3",
     "algo=lbfgs max_epochs=6",
     NNB_LOSS_AUTO,
     false,
     false,
     false,
     {0x81f74dd686ee0be0, 0x07f83e40f1b8343f}},
};

START_TEST(groups) { ck_assert(trains_alike(by_groups, sizeof by_groups / sizeof *by_groups, MOST_N)); }
END_TEST

/* The gradient of 450 rows, by plans that go through the net in several ways, and half of it added */
START_TEST(gradients_of_groups) {
  static const nnb_plan_opts opts[] = {
      {.threads = 1}, {.threads = 3}, {.want = NNB_KEEP}, {.want = NNB_DX, .threads = 2}};
  enum { WAYS = sizeof opts / sizeof *opts, P = 7 * 64 + 65 * 33 + 34 * 3 };
  static real grad[WAYS][P], kept[P], gone_on[P];
  nnb_data *data = make_data(MOST_N, false, true, 1);
  nnb_batch rows;
  ck_ok(nnb_data_batch(data, 0, MOST_N, &rows));
  for (int i = 0; i < WAYS; i++) {
    nnb_net *net;
    nnb_plan *plan;
    nnb_plan_opts o = opts[i];
    o.max_rows = MOST_N, o.want |= NNB_GRAD;
    toy_fill(grad[i], P, 3);
    ck_ok(nnb_net_parse("6-64:tanh-33:relu-3", &net));
    ck_ok(nnb_net_exact(net, true));
    ck_ok(nnb_plan_create(net, &o, &plan));
    ck_assert_uint_eq(nnb_net_n_params(net), P);
    ck_ok(nnb_plan_gradient(plan, &rows, 0, NULL, grad[i]));
    ck_assert_msg(memcmp(grad[i], grad[0], sizeof *grad) == 0, "way %d", i);
    memcpy(kept, grad[i], sizeof kept);
    ck_ok(nnb_plan_gradient(plan, &rows, 0.5, NULL, kept));
    for (int k = 0; k < P; k++)
      if (o.want & NNB_KEEP)
        ck_assert_double_eq((double)kept[k], (double)((real)0.5 * grad[i][k] + grad[i][k]));
      else
        ck_assert_double_le(fabs((double)kept[k] - 1.5 * (double)grad[i][k]), 100 * (double)REAL_EPS);
    if (!(o.want & NNB_KEEP)) ck_assert_msg(i == 0 || memcmp(kept, gone_on, sizeof kept) == 0, "way %d goes on", i);
    if (i == 0) memcpy(gone_on, kept, sizeof kept);
    nnb_plan_destroy(plan);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* Losses of rows that are one group, and so one gradient, but two threads predict them: within the plan's memory. */
START_TEST(losses_of_a_group) {
  enum { ROWS = 190, BEHIND = 1 << 20 };
  nnb_data *data = make_data(ROWS, false, true, 1);
  nnb_batch rows;
  ck_ok(nnb_data_batch(data, 0, ROWS, &rows));
  for (int grad = 0; grad < 2; grad++) {
    nnb_net *net;
    nnb_plan *plan, *alone;
    nnb_plan_opts opts = {.max_rows = ROWS, .threads = 2, .want = grad ? NNB_GRAD : 0};
    double loss, wanted;
    ck_ok(nnb_net_parse("6-50:tanh-50:relu-50:relu-50:relu-50:tanh-50:relu-3", &net));
    ck_ok(nnb_net_exact(net, true));
    ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .threads = 1}, &alone));
    ck_ok(nnb_plan_bytes(net, &opts, &opts.mem_bytes));
    const size_t bytes = (opts.mem_bytes + BEHIND) / 64 * 64;
    unsigned char *mem = aligned_alloc(64, bytes);
    ck_assert_ptr_nonnull(mem);
    memset(mem, 7, bytes);
    opts.mem = mem;
    ck_ok(nnb_plan_create(net, &opts, &plan));
    ck_ok(nnb_plan_loss(plan, &rows, &loss));
    ck_ok(nnb_plan_loss(alone, &rows, &wanted));
    ck_assert_double_eq(loss, wanted);
    for (size_t i = opts.mem_bytes; i < bytes; i++)
      if (mem[i] != 7) ck_abort_msg("byte %zu", i);
    nnb_plan_destroy(plan), nnb_plan_destroy(alone);
    free(mem);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* ---- ranks ------------------------------------------------------------------------------------------------------- */

typedef struct rank_task {
  const training *training;
  const manner *manner;
} rank_task;

static void train_rank(rank_thread *r) {
  const rank_task *t = r->context;
  r->digest = train(t->training, &t->manner[r->comm.rank % 2], N, &r->comm);
}

/* Also ranks of different machines: with other kernels, threads and chunks. */
static const training by_ranks[] = {
    {"6-20:tanh-dropout0.2-3:softmax",
     "algo=adam batch=40 max_epochs=3 shards=8",
     NNB_LOSS_AUTO,
     true,
     true,
     true,
     {0xdb9b5638baa448ee, 0x2f266decdcc635fc}},
    {"6-20:tanh-3",
     "algo=lbfgs max_epochs=6 shards=4",
     NNB_LOSS_AUTO,
     false,
     false,
     true,
     {0x84a7129b090257d2, 0x511491a9246de8e8}},
};

START_TEST(ranks) {
  static const manner manners[] = {{"threads=2", 3, ""}, {"chunk=3", 3, ""}};
  static rank_thread rank[MOST_RANKS];
  bool all = true;
  for (size_t i = 0; i < sizeof by_ranks / sizeof *by_ranks; i++) {
    char name[200];
    rank_task task = {&by_ranks[i], manners};
    snprintf(name, sizeof name, "%s, %s", by_ranks[i].net, by_ranks[i].opts);
    all = is_hash(name, train(task.training, &manners[0], N, NULL), by_ranks[i].hash) && all;
    for (int size = 1; size <= MOST_RANKS; size++) {
      run_ranks(size, rank, train_rank, &task);
      for (int q = 0; q < size; q++) all = is_hash(name, rank[q].digest, by_ranks[i].hash) && all;
    }
  }
  ck_assert(all);
}
END_TEST

/* ---- predictions and own loops ----------------------------------------------------------------------------------- */

START_TEST(rows_alone_and_together) {
  static const char *const nets[] = {"6-50:relu-20:gelu-3:softmax", "6-33:tanh-layernorm-3",
                                     "1x2x3-conv5@2:silu-3:sigmoid"};
  for (size_t k = 0; k < sizeof nets / sizeof *nets; k++) {
    nnb_net *net;
    nnb_plan *plan;
    real x[N * IN], together[N * OUT], alone[OUT];
    toy_fill(x, N * IN, 6);
    for (int i = 0; i < N * IN; i += 3) x[i] = 0;
    ck_ok(nnb_net_parse(nets[k], &net));
    ck_ok(nnb_net_exact(net, true));
    ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = N, .threads = 2}, &plan));
    ck_ok(nnb_plan_predict(plan, nnb_cview(x, N, IN), nnb_view(together, N, OUT)));
    for (int i = 0; i < N; i++) {
      ck_ok(nnb_plan_predict(plan, nnb_cview(x + i * IN, 1, IN), nnb_view(alone, 1, OUT)));
      ck_assert_msg(memcmp(alone, together + i * OUT, sizeof alone) == 0, "%s: row %d", nets[k], i);
    }
    nnb_plan_destroy(plan);
    nnb_net_destroy(net);
  }
}
END_TEST

/* Units alone in their layer, with inputs that are 0: trained by single rows and by an optimiser's step, and predicted
 * alone and with others. */
START_TEST(one_output) {
  enum { ROWS = 30, MOST_IN = 70 };
  static const int n_in[] = {3, 9, 15, 33, 40, 64, 65, MOST_IN};
  static real x[ROWS * MOST_IN], t[ROWS], y[ROWS], alone;
  toy_fill(t, ROWS, 7);
  for (size_t k = 0; k < sizeof n_in / sizeof *n_in; k++) {
    uint64_t hash[4];
    nnb_data *data;
    toy_fill(x, (size_t)(ROWS * n_in[k]), 8);
    for (int i = 0; i < ROWS * n_in[k]; i += 3) x[i] = 0;
    const nnb_batch rows = {.x = nnb_cview(x, ROWS, n_in[k]), .t = nnb_cview(t, ROWS, 1)};
    ck_ok(nnb_data_wrap(&rows, 0, &data));
    for (int way = 0; way < 4; way++) {
      nnb_net *net = nnb_net_create(n_in[k]);
      nnb__kernel_limit(2 + way % 2);
      nnb_net_dense(net, 1, NNB_TANH);
      const nnb_fit_opts opts = {
          .algo = NNB_SGD, .batch = 1, .max_epochs = 2, .exact = true, .clip_norm = way < 2 ? 0 : 1e6};
      ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
      ck_ok(nnb_net_exact(net, true));
      ck_ok(nnb_net_predict(net, rows.x, nnb_view(y, ROWS, 1)));
      for (int i = 0; i < ROWS; i++) {
        ck_ok(nnb_net_predict(net, nnb_cview(x + i * n_in[k], 1, n_in[k]), nnb_view(&alone, 1, 1)));
        ck_assert_msg(memcmp(&alone, &y[i], sizeof alone) == 0, "%d inputs, way %d, row %d", n_in[k], way, i);
      }
      hash[way] = toy_hash(toy_hash_net(1, net), y, sizeof y);
      ck_assert_msg(hash[way] == hash[0], "%d inputs, way %d", n_in[k], way);
      nnb_net_destroy(net);
    }
    nnb_data_destroy(data);
  }
  nnb__kernel_limit(3);
}
END_TEST

/* A layer of one unit whose columns are divided among threads: one of them has none. */
START_TEST(one_output_of_two_threads) {
  enum { ROWS = 64, COLS = 100 };
  static real x[ROWS * COLS], t[ROWS];
  char before[512];
  nnb_data *data;
  uint64_t hash = 0;
  toy_fill(x, ROWS * COLS, 8), toy_fill(t, ROWS, 7);
  nnb_get_thresholds(before, sizeof before);
  ck_ok(nnb_set_thresholds("private_rows=1e9,owned_flops=0,owned_bytes=0"));
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, ROWS, COLS), .t = nnb_cview(t, ROWS, 1)}, 0, &data));
  for (int way = 0; way < 6; way++) {
    nnb_net *net;
    const nnb_fit_opts opts = {
        .algo = NNB_SGD, .batch = ROWS, .max_epochs = 3, .exact = true, .threads = 1 + (way > 0)};
    ck_ok(nnb_net_parse("100-64:tanh-1", &net));
    ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
    if (way == 0) hash = toy_hash_net(1, net);
    ck_assert_msg(toy_hash_net(1, net) == hash, "run %d", way);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
  ck_ok(nnb_set_thresholds(before));
}
END_TEST

static nnb_status line(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  (void)user;
  for (int i = 0; i < k; i++) {
    const real at = (real)row0 + (real)i;
    r[i] = x[0] + x[1] * at - (1 + 2 * at);
    if (J) J[i * ldj] = 1, J[i * ldj + 1] = at;
  }
  return NNB_OK;
}

/* What a callback or a source computes has the ordinary arithmetic, and all methods. */
static int computes_something_else(void *user, const nnb_record *record) {
  const nnb_lsq lsq = {.m = 9, .n = 2, .rows = line};
  real x[] = {0, 0};
  nnb_net *net = NULL;
  nnb_plan *plan = NULL;
  (void)record;
  if (nnb_least_squares(&lsq, x, NULL, NULL) || fabs((double)x[1] - 2) > 1e-3) return 1;
  if (nnb_net_parse("2-3:tanh-1", &net) || nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_SECOND}, &plan)) return 1;
  nnb_plan_destroy(plan), nnb_net_destroy(net);
  ++*(int *)user;
  return 0;
}

static nnb_status read_and_compute(void *user, int64_t row0, int n, const nnb_rows *rows) {
  toy_fill(rows->x.p, (size_t)n * IN, (uint64_t)row0 + 1);
  toy_fill(rows->t.p, (size_t)n * OUT, (uint64_t)row0 + 2);
  return computes_something_else(user, NULL) ? NNB_E_STATE : NNB_OK;
}

START_TEST(sources_are_free) {
  nnb_data *data;
  nnb_net *net;
  int calls = 0;
  const nnb_source source = {.rows = 1, .n_in = IN, .n_out = OUT, .read = read_and_compute, .user = &calls};
  ck_ok(nnb_data_from_source(&source, &data));
  ck_ok(nnb_net_parse("6-20:tanh-3", &net));
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_ADAM, .max_epochs = 2, .exact = true}, NULL));
  ck_assert_int_gt(calls, 0);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

static double factor_and_compute(void *user, double epoch) {
  (void)epoch;
  return computes_something_else(user, NULL) ? -1 : 1;
}

START_TEST(callbacks_are_free) {
  nnb_data *data = make_data(N, false, false, 1);
  nnb_net *net;
  int calls = 0, factors = 0;
  const nnb_own_schedule schedule = {.factor = factor_and_compute, .user = &factors};
  const nnb_fit_opts opts = {.algo = NNB_ADAM,
                             .max_epochs = 2,
                             .exact = true,
                             .own_schedule = &schedule,
                             .on_epoch = computes_something_else,
                             .user = &calls};
  ck_ok(nnb_net_parse("6-20:tanh-3", &net));
  ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
  ck_assert_msg(calls == 2 && factors >= 2, "%d, %d: %s", calls, factors, nnb_errmsg());
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* nnb_train_rows is what nnb_fit does. */
START_TEST(own_loop) {
  nnb_data *data = make_data(N, false, false, 1);
  nnb_net *net[2];
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_batch rows;
  ck_ok(nnb_net_parse("6-20:tanh-3", &net[0]));
  ck_ok(nnb_net_copy(net[0], &net[1]));
  ck_ok(nnb_fit(net[0], data, NULL,
                &(nnb_fit_opts){.algo = NNB_ADAM, .batch = 16, .max_epochs = 2, .exact = true, .in_order = true},
                NULL));
  ck_ok(nnb_net_exact(net[1], true));
  ck_ok(nnb_plan_create(net[1], &(nnb_plan_opts){.max_rows = 5, .want = NNB_GRAD, .threads = 2}, &plan));
  ck_ok(nnb_optim_create(net[1], &(nnb_optim_opts){.algo = NNB_ADAM}, &optim));
  ck_ok(nnb_data_batch(data, 0, N, &rows));
  for (int epoch = 0; epoch < 2; epoch++) ck_ok(nnb_train_rows(net[1], plan, &rows, NULL, 0, 16, optim, NULL));
  ck_assert_uint_eq(toy_hash_net(1, net[1]), toy_hash_net(1, net[0]));
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net[0]), nnb_net_destroy(net[1]);
  nnb_data_destroy(data);
}
END_TEST

/* ---- what is not defined ----------------------------------------------------------------------------------------- */

START_TEST(refused) {
  nnb_data *data = make_data(N, false, false, 1);
  static const struct {
    nnb_algo algo;
    const char *words;
  } methods[] = {{NNB_LM, "lm is not defined"},
                 {NNB_VARPRO, "varpro is not"},
                 {NNB_KFAC, "kfac is not"},
                 {NNB_AUTO, "algo is auto"}};
  nnb_net *net;
  nnb_plan *plan;
  ck_ok(nnb_net_parse("6-4:tanh-3", &net));
  const uint64_t before = toy_hash_net(1, net);
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    ck_assert_int_eq(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = methods[i].algo, .exact = true}, NULL),
                     NNB_E_UNSUPPORTED);
    ck_assert_msg(strstr(nnb_errmsg(), methods[i].words) != NULL, "%s", nnb_errmsg());
  }
  ck_ok(nnb_net_exact(net, true));
  ck_assert_int_eq(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_SECOND}, &plan), NNB_E_UNSUPPORTED);
  ck_assert_int_eq(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LM}, NULL), NNB_E_UNSUPPORTED);
  ck_ok(nnb_net_exact(net, false));
  nnb__kernel_limit(1);
  if (!nnb__kernel_has_exact()) { /* arm64 always has */
    ck_assert_int_eq(nnb_net_exact(net, true), NNB_E_UNSUPPORTED);
    ck_assert(strstr(nnb_errmsg(), "fused multiply-adds") != NULL);
    ck_assert_int_eq(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_ADAM, .exact = true}, NULL),
                     NNB_E_UNSUPPORTED);
  }
  nnb__kernel_limit(3);
  ck_assert_uint_eq(toy_hash_net(1, net), before);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* ---- for tests/exact/second.py ----------------------------------------------------------------------------------- */

static FILE *out; /* the file of --print */

static void print_reals(const char *name, size_t n, const real *x) {
  fprintf(out, "%s", name);
  for (size_t i = 0; i < n; i++) fprintf(out, " %a", (double)x[i]);
  fprintf(out, "\n");
}

/* A training with rows in order, as text: what it starts from and what it ends with. */
static void print_training(const char *text, nnb_algo algo, double lr, bool classes, int n, int batch) {
  enum { EPOCHS = 3 };
  nnb_data *data = make_data(n, classes, true, 1);
  const nnb_fit_opts opts = {.algo = algo,
                             .lr = lr,
                             .batch = batch,
                             .max_epochs = EPOCHS,
                             .in_order = true,
                             .exact = true,
                             .threads = 2,
                             .chunk = 3};
  nnb_report report;
  nnb_net *net;
  nnb_batch rows;
  real y[MOST_N * OUT];
  ck_ok(nnb_net_parse(text, &net));
  fprintf(out, "net %s\nalgo %s %a %d %d\n", text, nnb_algo_name(algo), lr, batch, EPOCHS);
  print_reals("start", nnb_net_n_params(net), nnb_net_params_read(net));
  ck_ok(nnb_data_batch(data, 0, n, &rows));
  for (int i = 0; i < n; i++) {
    print_reals("x", IN, rows.x.p + i * rows.x.ld);
    if (classes)
      fprintf(out, "label %d\n", (int)rows.label[i]);
    else
      print_reals("t", OUT, rows.t.p + i * rows.t.ld);
    print_reals("weight", 1, rows.weight + i);
  }
  /* the fit puts back the start of the best epoch only after a divergence */
  ck_ok(nnb_fit(net, data, NULL, &opts, &report));
  ck_ok(nnb_net_exact(net, true));
  ck_ok(nnb_net_predict(net, rows.x, nnb_view(y, n, OUT)));
  print_reals("end", nnb_net_n_params(net), nnb_net_params_read(net));
  fprintf(out, "loss %a\n", report.loss);
  print_reals("outputs", (size_t)n * OUT, y);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}

START_TEST(print_trainings) {
  fprintf(out, PRECISION "\n");
  print_training("6-9:tanh-3", NNB_ADAM, 0.01, false, 23, 7);
  print_training("6-7:sigmoid-4:relu-3:softmax", NNB_MOMENTUM, 0.125, true, 23, 7);
  print_training("6-5:tanh-3:softmax", NNB_ADAM, 0.05, true, 23, 20);
  print_training("6-5:tanh-3", NNB_ADAM, 0.01, false, 201, 201);
  print_training("6-70:relu-3:softmax", NNB_MOMENTUM, 0.125, true, 23, 7);
  print_training("6-11:sigmoid-1:tanh-3", NNB_MOMENTUM, 0.125, false, 23, 7);
  ck_assert_int_eq(fflush(out), 0);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, functions_are_close_to_libm);
  tcase_add_test(tc, functions_at_their_ends);
  tcase_add_loop_test(tc, initial_weights, 0, 4);
  if (!nnb__kernel_has_exact()) {
    printf("skipped: " NO_KERNELS "\n");
    return;
  }
  tcase_add_loop_test(tc, products, 2, 4);
  tcase_add_test(tc, trained_nets);
  tcase_add_test(tc, groups);
  tcase_add_test(tc, gradients_of_groups);
  tcase_add_test(tc, losses_of_a_group);
  tcase_add_test(tc, ranks);
  tcase_add_test(tc, rows_alone_and_together);
  tcase_add_test(tc, one_output);
  tcase_add_test(tc, one_output_of_two_threads);
  tcase_add_test(tc, callbacks_are_free);
  tcase_add_test(tc, sources_are_free);
  tcase_add_test(tc, own_loop);
  tcase_add_test(tc, refused);
}

/* test_exact [FILE]: the tests, or only the file that tests/exact/second.py reads. */
int main(int argc, char **argv) {
  Suite *suite = suite_create("exact " PRECISION);
  TCase *tc = tcase_create("exact");
  if (argc == 1) {
    add_tests(tc);
  } else if (!nnb__kernel_has_exact()) {
    puts(NO_KERNELS);
    return 77;
  } else {
    out = fopen(argv[1], "w");
    if (!out) return 1;
    tcase_add_test(tc, print_trainings);
  }
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
