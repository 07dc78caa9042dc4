/* Bad calls that build nets (tests/bad.h). */
#include <limits.h>

#include "bad.h"

/* ---- building -------------------------------------------------------------------------------------------------------
 */

START_TEST(building_after_sealing) {
  static const char words[] = "is sealed";
  bad(NNB_E_STATE, words, nnb_net_dense(net, 2, NNB_TANH));
  bad(NNB_E_STATE, words, nnb_net_dense_opts(net, NULL));
  bad(NNB_E_STATE, words, nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .init_scale = -1}));
  bad(NNB_E_STATE, words, nnb_net_input(net, 2, NULL));
  bad(NNB_E_STATE, words, nnb_net_input(net, INT_MAX, NULL));
  bad(NNB_E_STATE, words, nnb_net_activation(net, 0, NNB_TANH));
  bad(NNB_E_STATE, words, nnb_net_add(net, NULL, 0, NNB_TANH));
  bad(NNB_E_STATE, words, nnb_net_concat(net, (int[]){1, 2}, 2));
  bad(NNB_E_STATE, words, nnb_net_output(net, 3));
  bad(NNB_E_STATE, words, nnb_net_loss(net, NNB_MSE));
  bad(NNB_E_STATE, words, nnb_net_output_loss(net, 3, NNB_MSE, 1));
  bad(NNB_E_STATE, words, nnb_net_seed(net, 3));
  bad(NNB_E_STATE, words, nnb_net_standardize(net, data));
  bad(NNB_E_STATE, words, nnb_net_scale_targets(net, data, NNB_MINMAX));
  bad(NNB_E_STATE, words, nnb_net_own_activation(net, &toy_bump));
  bad(NNB_E_STATE, words, nnb_net_own_loss(net, &toy_quartic));
  bad(NNB_E_STATE, words, nnb_net_own_layer(net, NULL, NULL, NULL, 0, NNB_LINEAR, NULL));
  ck_ok(nnb_net_status(net)); /* these errors are not sticky */
}
END_TEST

static int add_unequal(nnb_net *n) {
  nnb_net_dense(n, 4, NNB_TANH);
  return nnb_net_add(n, (int[]){1, 2}, 2, NNB_LINEAR);
}
static int add_nothing(nnb_net *n) { return nnb_net_add(n, NULL, 2, NNB_LINEAR); }
static int add_zero(nnb_net *n) { return nnb_net_add(n, (int[]){1}, 0, NNB_LINEAR); }
static int concat_negative(nnb_net *n) { return nnb_net_concat(n, (int[]){1}, -3); }
static int concat_missing(nnb_net *n) { return nnb_net_concat(n, (int[]){1, 5}, 2); }
static int activation_of_missing(nnb_net *n) { return nnb_net_activation(n, 9, NNB_TANH); }
static int bad_activation(nnb_net *n) { return nnb_net_dense(n, 2, NNB_N_ACTIVATIONS); }
static int negative_activation(nnb_net *n) { return nnb_net_activation(n, 0, (nnb_activation)-1); }
static int own_activation_missing(nnb_net *n) { return nnb_net_dense(n, 2, NNB_OWN_ACTIVATION); }
static int no_units(nnb_net *n) { return nnb_net_dense(n, 0, NNB_TANH); }
static int negative_units(nnb_net *n) { return nnb_net_dense(n, INT_MIN, NNB_TANH); }
static int no_columns(nnb_net *n) { return nnb_net_input(n, 0, NULL); }
static int dense_opts_null(nnb_net *n) { return nnb_net_dense_opts(n, NULL); }
static int bad_init(nnb_net *n) { return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 1, .init = NNB_N_INITS}); }
static int bad_scale(nnb_net *n) {
  return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 1, .init_scale = (double)NAN});
}
static int negative_scale(nnb_net *n) { return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 1, .init_scale = -1}); }
static int bad_frozen(nnb_net *n) { return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 1, .frozen = 4}); }
static int from_missing(nnb_net *n) { return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 1, .from = 3}); }
static int from_negative(nnb_net *n) { return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 1, .from = -4}); }
static int same_name(nnb_net *n) {
  nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 1, .name = "twice"});
  return nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 1, .name = "twice"});
}
static int automatic_name_taken(nnb_net *n) {
  nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 1, .name = "input2"});
  return nnb_net_input(n, 1, "dense.1");
}
static int empty_name(nnb_net *n) { return nnb_net_input(n, 1, ""); }
static int blank_name(nnb_net *n) { return nnb_net_input(n, 1, "a b"); }
static int long_name(nnb_net *n) {
  return nnb_net_input(n, 1, "a-name-of-more-than-sixty-characters-a-name-of-more-than-sixty-characters-a-name");
}
static int output_missing(nnb_net *n) { return nnb_net_output(n, 7); }
static int output_input(nnb_net *n) { return nnb_net_output(n, 1); }
static int output_twice(nnb_net *n) {
  nnb_net_output(n, nnb_net_dense(n, 2, NNB_TANH));
  return nnb_net_output(n, 2);
}
static int bad_loss(nnb_net *n) { return nnb_net_loss(n, NNB_N_LOSSES); }
static int own_loss_missing(nnb_net *n) { return nnb_net_loss(n, NNB_OWN_LOSS); }
static int loss_of_no_output(nnb_net *n) { return nnb_net_output_loss(n, nnb_net_dense(n, 1, NNB_TANH), NNB_MSE, 1); }
static int factor_zero(nnb_net *n) {
  return nnb_net_output_loss(n, nnb_net_output(n, nnb_net_dense(n, 1, NNB_TANH)), NNB_MSE, 0);
}
static int factor_nan(nnb_net *n) {
  return nnb_net_output_loss(n, nnb_net_output(n, nnb_net_dense(n, 1, NNB_TANH)), NNB_MSE, (double)NAN);
}
static int own_activation_null(nnb_net *n) { return nnb_net_own_activation(n, NULL); }
static int own_activation_half(nnb_net *n) {
  return nnb_net_own_activation(n, &(nnb_act_ops){.name = "x", .value = bump_value});
}
static int own_loss_null(nnb_net *n) { return nnb_net_own_loss(n, NULL); }
static int own_loss_half(nnb_net *n) { return nnb_net_own_loss(n, &(nnb_loss_ops){.name = "x"}); }
static int own_layer_null(nnb_net *n) { return nnb_net_own_layer(n, NULL, NULL, NULL, 0, NNB_LINEAR, NULL); }
static int own_layer_builtin(nnb_net *n) {
  nnb_layer_ops false_dense = toy_gain;
  false_dense.name = "dense";
  return nnb_net_own_layer(n, &false_dense, &(toy_gain_fields){1, 1}, NULL, 0, NNB_LINEAR, NULL);
}
static int own_layer_twice(nnb_net *n) {
  nnb_layer_ops other = toy_gain;
  nnb_net_own_layer(n, &toy_gain, &(toy_gain_fields){1, 1}, NULL, 0, NNB_LINEAR, NULL);
  return nnb_net_own_layer(n, &other, &(toy_gain_fields){1, 1}, NULL, 0, NNB_LINEAR, NULL);
}
static int own_layer_attr(nnb_net *n) {
  static const nnb_attr attrs[] = {{"shape", NNB_ATTR_INT, offsetof(toy_gain_fields, power)}, {0}};
  nnb_layer_ops taken = toy_gain;
  taken.attrs = attrs;
  return nnb_net_own_layer(n, &taken, &(toy_gain_fields){1, 1}, NULL, 0, NNB_LINEAR, NULL);
}
static int own_layer_attrs(nnb_net *n) {
  static const nnb_attr attrs[] = {{"power", NNB_ATTR_INT, offsetof(toy_gain_fields, power)},
                                   {"power", NNB_ATTR_INT, offsetof(toy_gain_fields, power)},
                                   {0}};
  nnb_layer_ops twice = toy_gain;
  twice.attrs = attrs;
  return nnb_net_own_layer(n, &twice, &(toy_gain_fields){1, 1}, NULL, 0, NNB_LINEAR, NULL);
}
static int own_layer_self(nnb_net *n) { return nnb_net_own_layer(n, &toy_gain, NULL, NULL, 0, NNB_LINEAR, NULL); }
static int own_layer_shape(nnb_net *n) {
  return nnb_net_own_layer(n, &toy_gain, &(toy_gain_fields){0, 1}, NULL, 0, NNB_LINEAR, "mine");
}
static int own_layer_from(nnb_net *n) {
  return nnb_net_own_layer(n, &toy_gain, &(toy_gain_fields){1, 1}, NULL, 2, NNB_LINEAR, NULL);
}
static const nnb_act_ops false_tanh = {.name = "tanh", .value = bump_value, .pull = bump_pull};
static int own_activation_builtin(nnb_net *n) { return nnb_net_own_activation(n, &false_tanh); }
static const nnb_loss_ops false_mse = {.name = "mse", .value = quartic_value};
static int own_loss_builtin(nnb_net *n) { return nnb_net_own_loss(n, &false_mse); }

static const struct {
  int (*call)(nnb_net *n);
  nnb_status status;
  const char *words;
} mistakes[] = {
    {add_unequal, NNB_E_SHAPE, "add1: a sum needs nodes of equal width"},
    {add_nothing, NNB_E_ARG, "add"},
    {add_zero, NNB_E_ARG, "add"},
    {concat_negative, NNB_E_ARG, "concat"},
    {concat_missing, NNB_E_ARG, "no node 5"},
    {activation_of_missing, NNB_E_ARG, "no node 9"},
    {bad_activation, NNB_E_ARG, "no activation"},
    {negative_activation, NNB_E_ARG, "no activation -1"},
    {own_activation_missing, NNB_E_ARG, "no activation 1000"},
    {no_units, NNB_E_ARG, "dense1"},
    {negative_units, NNB_E_ARG, "-2147483648"},
    {no_columns, NNB_E_ARG, "input2"},
    {dense_opts_null, NNB_E_ARG, "NULL"},
    {bad_init, NNB_E_ARG, "initialiser"},
    {bad_scale, NNB_E_ARG, "init_scale"},
    {negative_scale, NNB_E_ARG, "init_scale is -1"},
    {bad_frozen, NNB_E_ARG, "frozen is 4"},
    {from_missing, NNB_E_ARG, "no node 3"},
    {from_negative, NNB_E_ARG, "no node -4"},
    {same_name, NNB_E_ARG, "twice"},
    {automatic_name_taken, NNB_E_ARG, "dense.1"},
    {empty_name, NNB_E_ARG, "name"},
    {blank_name, NNB_E_ARG, "a b"},
    {long_name, NNB_E_ARG, "60"},
    {output_missing, NNB_E_ARG, "no node 7"},
    {output_input, NNB_E_ARG, "input"},
    {output_twice, NNB_E_ARG, "already an output"},
    {bad_loss, NNB_E_ARG, "no loss"},
    {own_loss_missing, NNB_E_ARG, "no loss 1000"},
    {loss_of_no_output, NNB_E_ARG, "not an output"},
    {factor_zero, NNB_E_ARG, "factor of a loss is 0"},
    {factor_nan, NNB_E_ARG, "factor of a loss"},
    {own_activation_null, NNB_E_ARG, "REQUIRED"},
    {own_activation_half, NNB_E_ARG, "REQUIRED"},
    {own_activation_builtin, NNB_E_ARG, "tanh"},
    {own_loss_null, NNB_E_ARG, "REQUIRED"},
    {own_loss_half, NNB_E_ARG, "REQUIRED"},
    {own_loss_builtin, NNB_E_ARG, "mse"},
    {own_layer_null, NNB_E_ARG, "REQUIRED"},
    {own_layer_builtin, NNB_E_ARG, "dense"},
    {own_layer_twice, NNB_E_ARG, "another one with the name \"gain\""},
    {own_layer_attr, NNB_E_ARG, "the name of the attribute \"shape\" is taken"},
    {own_layer_attrs, NNB_E_ARG, "the name of the attribute \"power\" is taken"},
    {own_layer_self, NNB_E_ARG, "self"},
    {own_layer_shape, NNB_E_ARG, "mine: a gain reads 1 node"},
    {own_layer_from, NNB_E_ARG, "from"},
};

/* The net keeps the first error, and every later call returns it. */
START_TEST(mistakes_in_building_stick) {
  nnb_net *n = nnb_net_create(N_IN), *copy;
  nnb_report report;
  nnb_plan *p;
  const char *words = mistakes[_i].words;
  nnb_status status = mistakes[_i].status;
  check_bad((nnb_status)mistakes[_i].call(n), status, words, words);
  bad(status, words, nnb_net_status(n));
  bad(status, words, nnb_net_dense(n, 2, NNB_TANH));
  bad(status, words, nnb_net_dense_opts(n, NULL));
  bad(status, words, nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 1, .init = (nnb_init)-1}));
  bad(status, words, nnb_net_input(n, INT_MAX, NULL));
  bad(status, words, nnb_net_add(n, NULL, 0, NNB_TANH));
  bad(status, words, nnb_net_own_layer(n, NULL, NULL, NULL, 0, NNB_LINEAR, NULL));
  bad(status, words, nnb_net_own_activation(n, NULL));
  bad(status, words, nnb_net_output(n, 99));
  bad(status, words, nnb_net_loss(n, (nnb_loss)99));
  bad(status, words, nnb_net_output_loss(n, 99, NNB_MSE, 1));
  bad(status, words, nnb_net_standardize(n, NULL));
  bad(status, words, nnb_net_seed(n, 1));
  bad(status, words, nnb_plan_create(n, NULL, &p));
  bad(status, words, nnb_net_init(n, 1));
  bad(status, words, nnb_fit(n, data, NULL, NULL, &report));
  ck_assert_int_eq(report.stop, NNB_STOP_ERROR);
  bad(status, words, nnb_net_copy(n, &copy));
  bad(status, words, nnb_net_save(n, "/nowhere/x"));
  bad(status, words, nnb_net_summary(n, stderr));
  ck_assert(nnb_net_n_in(n) == 0 && nnb_net_n_out(n) == 0 && nnb_net_n_params(n) == 0);
  nnb_net_destroy(n);
}
END_TEST

START_TEST(nets_that_lead_nowhere) {
  nnb_plan *p;
  nnb_net *n = nnb_net_create(N_IN);
  bad(NNB_E_STATE, "the last node is an input", nnb_plan_create(n, NULL, &p));
  ck_assert_int_eq(nnb_net_n_out(n), 0);
  int a = nnb_net_dense(n, 2, NNB_TANH), b = nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 2, .from = 1});
  bad(NNB_E_STATE, "node 2 (dense1) is not used by any output", nnb_fit(n, data, NULL, NULL, NULL));
  nnb_net_add(n, (int[]){a, b}, 2, NNB_LINEAR); /* nodes can still be added */
  ck_ok(nnb_fit(n, data, NULL, &(nnb_fit_opts){.max_epochs = 1}, NULL));
  nnb_net_destroy(n);
  n = nnb_net_create(N_IN);
  nnb_net_dense(n, 2, NNB_TANH);
  nnb_net_input(n, 1, NULL);
  bad(NNB_E_STATE, "the last node is an input", nnb_net_init(n, 0));
  nnb_net_output(n, 2);
  bad(NNB_E_STATE, "is not used by any output", nnb_net_init(n, 0));
  nnb_net_destroy(n);
  n = nnb_net_create(0);
  bad(NNB_E_ARG, "0 columns; wanted at least 1", nnb_net_status(n));
  nnb_net_destroy(n);
  n = nnb_net_create(-5);
  bad(NNB_E_ARG, "-5", nnb_net_dense(n, 1, NNB_TANH));
  nnb_net_destroy(n);
}
END_TEST

/* A cross-entropy needs outputs and targets that are probabilities. */
static const struct {
  const char *text;
  nnb_loss loss;
  const char *words; /* NULL: accepted */
} losses[] = {
    {"3-2:name=o", NNB_CROSS_ENTROPY,
     "the output o has the activation linear, but the loss cross_entropy needs softmax"},
    {"3-2:sigmoid:name=o", NNB_CROSS_ENTROPY, "the output o has the activation sigmoid"},
    {"3-2:relu:name=o", NNB_BINARY_CROSS_ENTROPY, "binary_cross_entropy needs sigmoid"},
    {"3-2:tanh", NNB_BINARY_CROSS_ENTROPY, "dense1 has the activation tanh"},
    {"3-2:softmax", NNB_CROSS_ENTROPY, NULL},
    {"3-2:softmax:name=o", NNB_BINARY_CROSS_ENTROPY,
     "o has the activation softmax, but the loss binary_cross_entropy needs sigm"},
    {"3-2:sigmoid:name=o", NNB_CROSS_ENTROPY, "o has the activation sigmoid, but the loss cross_entropy needs softmax"},
    {"3-2:sigmoid", NNB_BINARY_CROSS_ENTROPY, NULL},
    {"3-2:softmax", NNB_LOSS_AUTO, NULL},
    {"3-2:sigmoid", NNB_LOSS_AUTO, NULL},
    {"3-2:sigmoid", NNB_HALF_SSE, NULL},
};

START_TEST(losses_of_outputs) {
  nnb_net *n;
  ck_ok(nnb_net_parse(losses[_i].text, &n));
  ck_ok(nnb_net_loss(n, losses[_i].loss));
  if (losses[_i].words) {
    bad(NNB_E_ARG, losses[_i].words, nnb_fit(n, data, NULL, NULL, NULL));
    ck_ok(nnb_net_loss(n, NNB_LOSS_AUTO)); /* the loss can still be changed */
  }
  ck_ok(nnb_net_init(n, 1));
  nnb_net_destroy(n);
}
END_TEST

/* From the probabilities of a concatenation a cross-entropy would lose its gradient: each node must be an output. */
START_TEST(losses_of_joined_and_own_outputs) {
  nnb_net *n = nnb_net_create(N_IN);
  int a = nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 2, .activation = NNB_SOFTMAX, .from = 1});
  int b = nnb_net_dense_opts(n, &(nnb_dense_opts){.units = 2, .from = 1});
  int own = nnb_net_own_activation(n, &toy_bump), c = nnb_net_activation(n, b, (nnb_activation)own);
  int both = nnb_net_concat(n, (int[]){a, c}, 2);
  nnb_net_output(n, both), nnb_net_output(n, c), nnb_net_output(n, a);
  ck_ok(nnb_net_output_loss(n, both, NNB_CROSS_ENTROPY, 1));
  ck_ok(nnb_net_output_loss(n, c, NNB_CROSS_ENTROPY, 1));
  bad(NNB_E_ARG, "concat1 is a concatenation, which cross_entropy does not take; declare each", nnb_net_init(n, 1));
  ck_ok(nnb_net_output_loss(n, both, NNB_BINARY_CROSS_ENTROPY, 1));
  bad(NNB_E_ARG, "concat1 is a concatenation", nnb_net_init(n, 1));
  ck_ok(nnb_net_output_loss(n, both, NNB_MSE, 1));
  ck_ok(nnb_net_init(n, 1));
  nnb_net_destroy(n);
}
END_TEST

/* For outputs and other nodes, and for every way to add the node. */
/* Files keep factor, delta … of outputs under the names that attributes have. */
START_TEST(attributes_of_outputs) {
  static const nnb_attr attrs[] = {{"factor", NNB_ATTR_REAL, offsetof(toy_gain_fields, factor)}, {0}};
  nnb_layer_ops taken = toy_gain;
  taken.attrs = attrs;
  nnb_net *n = nnb_net_create(N_IN);
  nnb_net_own_layer(n, &taken, &(toy_gain_fields){1, 1}, NULL, 0, NNB_LINEAR, NULL);
  bad(NNB_E_ARG, "the attribute \"factor\" is taken where the layer is an output", nnb_net_init(n, 1));
  nnb_net_dense(n, 1, NNB_LINEAR);
  ck_ok(nnb_net_init(n, 1));
  nnb_net_destroy(n);
}
END_TEST

START_TEST(a_softmax_of_one_unit_is_refused) {
  static const char *const texts[] = {"3-1:softmax", "3-1:softmax-2", "3-4:tanh-1:softmax"};
  nnb_net *n;
  for (int i = 0; i < 3; i++) {
    ck_ok(nnb_net_parse(texts[i], &n));
    bad(NNB_E_ARG, "a softmax of one unit, which is always 1", nnb_fit(n, data, NULL, NULL, NULL));
    nnb_net_destroy(n);
  }
  n = nnb_net_create(N_IN);
  nnb_net_dense(n, 1, NNB_LINEAR);
  nnb_net_activation(n, 0, NNB_SOFTMAX);
  bad(NNB_E_ARG, "activation1 is a softmax of one unit", nnb_plan_create(n, NULL, &(nnb_plan *){NULL}));
  nnb_net_destroy(n);
}
END_TEST

static const struct {
  const char *text, *words;
} bad_texts[] = {
    {"", "character 1"},
    {"3", "character 2"},
    {"3-", "character 3"},
    {"-3", "character 1"},
    {"0-3", "layer size"},
    {"3-0", "layer size"},
    {"3-2147483648", "layer size"},
    {"99999999999999999999-1", "layer size"},
    {"3-4:", "field"},
    {"3-4:blah", "activation"},
    {"3-4:tanh:", "field"},
    {"3-4:bias=2", "bias="},
    {"3-4:init=none", "init="},
    {"3-4:init_scale=x", "init_scale="},
    {"3-4:frozen=4", "frozen="},
    {"3-4:frozen=0.5", "frozen="},
    {"3-4 -5", "wanted"},
    {"3--4", "layer size"},
    {"3-4x", "wanted"},
    {"a-4", "layer size"},
    {"3-4:=", "activation"},
    {"3-4:name=", "name"},
    {"3-4:tanh:relu", "character 10: the same option appears twice"},
    {"3-4:act=tanh:relu", "appears twice"},
    {"3-4:init=zeros:bias=1:init=zeros", "appears twice"},
    {"3-4:name=a:name=b", "appears twice"},
};

START_TEST(bad_texts_of_nets) {
  for (size_t i = 0; i < sizeof bad_texts / sizeof *bad_texts; i++) {
    nnb_net *n = net;
    nnb_status status = nnb_net_parse(bad_texts[i].text, &n);
    ck_assert_msg(status == NNB_E_PARSE, "\"%s\": %s (%s)", bad_texts[i].text, nnb_strstatus(status), nnb_errmsg());
    ck_assert_msg(strstr(nnb_errmsg(), bad_texts[i].words), "\"%s\": \"%s\" says nothing of \"%s\"", bad_texts[i].text,
                  nnb_errmsg(), bad_texts[i].words);
    ck_assert_ptr_null(n);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bad nets, " PRECISION);
  TCase *tc = tcase_create("bad nets");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_add_test(tc, building_after_sealing);
  tcase_add_loop_test(tc, mistakes_in_building_stick, 0, sizeof mistakes / sizeof *mistakes);
  tcase_add_test(tc, nets_that_lead_nowhere);
  tcase_add_loop_test(tc, losses_of_outputs, 0, sizeof losses / sizeof *losses);
  tcase_add_test(tc, losses_of_joined_and_own_outputs);
  tcase_add_test(tc, attributes_of_outputs);
  tcase_add_test(tc, a_softmax_of_one_unit_is_refused);
  tcase_add_test(tc, bad_texts_of_nets);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
