/* What every processor and compiler must compute alike: hashes that every build has to reproduce.
 */
#include "real.h"
/* the precision first */
#include "elementary.h"
#include "toys.h"

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

/* orthogonal is left out: its factorisation is LAPACK's. */
static const struct {
  const char *net;
  uint64_t hash[2]; /* double, single */
} starts[] = {
    {"7-50:relu-9:tanh-5", {0x37426620e9c86a63, 0x5d84c7d2a976c3a0}},
    {"7-50:selu-9:sigmoid-5:softmax", {0xa6c45702ef07c4d4, 0x0e27ef56ff94d1bf}},
    {"20-30:init=normal-10:init=uniform-6:init=lecun", {0x45ac18de76daf9f7, 0xa9292c5333cf898a}},
    {"20-30:init=glorot_normal-10:init=he_uniform-6:init=he_normal", {0x45f9f8a32d05f93c, 0x730ba1d3ffc96e5f}},
    {"1x12x12-conv6@5:relu-maxpool2-20:tanh-3:softmax", {0xbde79137dd4b4dd7, 0x1f951c9278188f19}},
};

static bool is_hash(const char *of, uint64_t hash, const uint64_t wanted[2]) {
  const uint64_t want = wanted[sizeof(real) == sizeof(float)];
  if (hash != want)
    fprintf(stderr, "%s: the hash is 0x%016llx; wanted 0x%016llx\n", of, (unsigned long long)hash,
            (unsigned long long)want);
  return hash == want;
}

START_TEST(initial_weights) {
  bool all = true;
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
  ck_assert(all);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("exact " PRECISION);
  TCase *tc = tcase_create("exact");
  tcase_add_test(tc, functions_are_close_to_libm);
  tcase_add_test(tc, functions_at_their_ends);
  tcase_add_test(tc, initial_weights);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
