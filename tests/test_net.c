/* Nets: strings, copies, initial parameters, names, summary, weights, freezing, sticky errors. */
#include "toys.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))

static void same_params(nnb_net *got, nnb_net *want, const char *what) {
  size_t n = nnb_net_n_params(want);
  ck_assert_uint_eq(nnb_net_n_params(got), n);
  for (size_t i = 0; i < n; i++) {
    real a = nnb_net_params(got)[i], b = nnb_net_params(want)[i];
    ck_assert_msg(memcmp(&a, &b, sizeof a) == 0, "%s: parameter %d is %.9g, expected exactly %.9g", what, (int)i,
                  (double)a, (double)b);
  }
}

/* The summary of a net: its visible structure. */
enum { TABLE = 4000 };
static char *table(const nnb_net *net, char out[TABLE]) {
  FILE *f = tmpfile();
  ck_assert_ptr_nonnull(f);
  ck_ok(nnb_net_summary(net, f));
  rewind(f);
  out[fread(out, 1, TABLE - 1, f)] = '\0';
  fclose(f);
  return out;
}

/* ---- strings --------------------------------------------------------------------------------------------------------
 */

static const struct good {
  const char *text;
  int n_in;
  nnb_dense_opts layers[4];
} goods[] = {
    {"3-2", 3, {{.units = 2}}},
    {"64-32:tanh-10:softmax", 64, {{.units = 32, .activation = NNB_TANH}, {.units = 10, .activation = NNB_SOFTMAX}}},
    {"4-7-5-1", 4, {{.units = 7, .activation = NNB_RELU}, {.units = 5, .activation = NNB_RELU}, {.units = 1}}},
    {"4-7:linear-1:sigmoid", 4, {{.units = 7}, {.units = 1, .activation = NNB_SIGMOID}}},
    {"2-3:act=gelu:bias=0-2:bias=1", 2, {{.units = 3, .activation = NNB_GELU, .no_bias = true}, {.units = 2}}},
    {"2-3:init=orthogonal:init_scale=1e-3-2",
     2,
     {{.units = 3, .activation = NNB_RELU, .init = NNB_INIT_ORTHOGONAL, .init_scale = 1e-3}, {.units = 2}}},
    {"2-3:init_scale=0.25:init=normal:selu:name=first-2:name=last:frozen=3",
     2,
     {{.units = 3, .activation = NNB_SELU, .init = NNB_INIT_NORMAL, .init_scale = 0.25, .name = "first"},
      {.units = 2, .name = "last", .frozen = NNB_WEIGHTS | NNB_BIAS}}},
    {"2-3:frozen=1-3:frozen=2-1:frozen=0",
     2,
     {{.units = 3, .activation = NNB_RELU, .frozen = NNB_WEIGHTS},
      {.units = 3, .activation = NNB_RELU, .frozen = NNB_BIAS},
      {.units = 1}}},
    {"3-2:name=layer2e-1", 3, {{.units = 2, .activation = NNB_RELU, .name = "layer2e"}, {.units = 1}}},
};

START_TEST(a_string_is_its_calls) {
  const struct good *g = &goods[_i];
  char a[TABLE], b[TABLE];
  nnb_net *net, *calls = nnb_net_create(g->n_in);
  ck_ok(nnb_net_parse(g->text, &net));
  for (int l = 0; l < LENGTH(g->layers) && g->layers[l].units; l++) nnb_net_dense_opts(calls, &g->layers[l]);
  ck_ok(nnb_net_status(calls));
  ck_assert_str_eq(table(net, a), table(calls, b));
  same_params(net, calls, g->text);
  nnb_net_destroy(net);
  nnb_net_destroy(calls);
}
END_TEST

static const struct bad_text {
  const char *text;
  int at; /* the character in the message, from 1 */
} bads[] = {
    {"", 1},
    {"x", 1},
    {"3", 2},
    {"0-2", 1},
    {"3-", 3},
    {"3-0", 3},
    {"3-2-", 5},
    {"3--2", 3},
    {" 3-2", 1},
    {"3-2:", 5},
    {"3-2:tan", 5},
    {"3-2:tanh:", 10},
    {"3-2:tanh;4", 5},
    {"3-2x", 4},
    {"3 -2", 2},
    {"3-99999999999", 3},
    {"3-2:act=", 5},
    {"3-2:bias=2", 3},
    {"3-2:bias=", 5},
    {"3-2:init=glorot", 5},
    {"3-2:init_scale=x", 5},
    {"3-2:init_scale=nan", 5},
    {"3-2:init_scale=0x1", 5},
    {"3-2:tanh:frozen=4", 10},
    {"3-2:frozen=-1", 5},
    {"3-2:name=", 5},
    {"3-2:units=4", 5},
    {"3-2:color=red", 5},
    {"3-2:n_in=4", 5},
    {"3-2:name=a.b", 3},
    {"3-2:name=a-2:name=a", 12},
    {"3-2:name=input", 3},
};

START_TEST(a_bad_string_names_its_place) {
  const struct bad_text *b = &bads[_i];
  char place[40];
  nnb_net *net = (nnb_net *)&net;
  nnb_status status = nnb_net_parse(b->text, &net);
  ck_assert_msg(status == NNB_E_PARSE, "\"%s\": %s: %s", b->text, nnb_strstatus(status), nnb_errmsg());
  ck_assert_ptr_null(net);
  snprintf(place, sizeof place, "character %d", b->at);
  const char *found = strstr(nnb_errmsg(), place);
  ck_assert_msg(found && (found[strlen(place)] < '0' || found[strlen(place)] > '9'), "expected %s: %s", place,
                nnb_errmsg());
}
END_TEST

static const struct hint {
  const char *text, *words;
} hints[] = {
    {"3-2:tahn", "with a valid value; did you mean tanh?"},
    {"3-2:act=tahn:name=a", "with a valid value; did you mean tanh?"},
    {"3-2:bais=0", "with a valid value; did you mean bias?"},
    {"3-2:fozen=1", "with a valid value; did you mean frozen?"},
    {"3-2:init=he_norml", "with a valid value; did you mean he_normal?"},
    {"3-2:bias=x", NULL},
    {"3-2:red", NULL},
    {"1x4x4-cnov3@2-1",
     "wanted a layer size from 1 to 2147483647, or conv, maxpool, avgpool, flatten, dropout, layernorm, "
     "batchnorm, embed, gru; did you mean conv?"},
    {"1x4x4-max_pool2-1", "did you mean maxpool?"},
    {"3-4-batchnrom-1", "did you mean batchnorm?"},
    {"3-x", NULL},
};

START_TEST(a_bad_string_gets_a_hint) {
  const struct hint *h = &hints[_i];
  nnb_net *net;
  ck_assert_int_eq(nnb_net_parse(h->text, &net), NNB_E_PARSE);
  ck_assert_msg(strstr(nnb_errmsg(), h->words ? h->words : "wanted") != NULL, "%s", nnb_errmsg());
  ck_assert_msg(h->words || !strstr(nnb_errmsg(), "did you mean"), "%s", nnb_errmsg());
}
END_TEST

/* ---- single layers -------------------------------------------------------------------------------------------------
 */

START_TEST(a_layer_from_text) {
  nnb_net *net = nnb_net_create(3);
  nnb_cmat w;
  ck_assert_int_eq(nnb_net_layer(net, 0, "4:tanh:name=first"), 2);
  ck_assert_int_eq(nnb_net_layer(net, 1, "5:bias=0:frozen=1"), 3);
  ck_assert_int_eq(nnb_net_layer(net, 2, "2"), 4); /* linear, after the first */
  ck_assert(nnb_net_output(net, 3) == 3 && nnb_net_output(net, 4) == 4);
  ck_ok(nnb_net_weights(net, 4, &w));
  ck_assert(w.rows == 4 && w.cols == 2);
  ck_assert_int_eq(nnb_net_bias(net, 3, &w), NNB_E_ARG);
  ck_assert_int_eq(nnb_net_find(net, "first"), 2);
  ck_assert_int_eq(nnb_net_layer(net, 0, "4"), NNB_E_STATE);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(a_bad_layer_sticks) {
  static const struct {
    const char *text, *place;
  } layers[] = {{"", "character 1"}, {"4:tan", "character 3"}, {"4-2", "character 2"}, {"4:tanh:", "character 8"}};
  for (int i = 0; i < LENGTH(layers); i++) {
    nnb_net *net = nnb_net_create(3);
    ck_assert_int_eq(nnb_net_layer(net, 0, layers[i].text), NNB_E_PARSE);
    ck_assert_msg(strstr(nnb_errmsg(), layers[i].place), "\"%s\": %s", layers[i].text, nnb_errmsg());
    ck_assert_int_eq(nnb_net_dense(net, 2, NNB_TANH), NNB_E_PARSE);
    ck_assert_int_eq(nnb_net_status(net), NNB_E_PARSE);
    nnb_net_destroy(net);
  }
  nnb_net *net = nnb_net_create(3);
  ck_assert_int_eq(nnb_net_layer(net, 7, "4"), NNB_E_ARG); /* no such node */
  nnb_net_destroy(net);
}
END_TEST

/* ---- copies
 * ----------------------------------------------------------------------------------------------------------- */

START_TEST(a_copy_is_equal_and_apart) {
  char a[TABLE], b[TABLE];
  real x[4 * 6], y[2][3 * 6];
  nnb_net *net = toy_graph(), *copy, *second;
  nnb_data *data = toy_regression(20, 4, 3);
  nnb_net_standardize(net, data);
  nnb_net_scale_targets(net, data, NNB_MINMAX);
  if (_i) { /* sealed and then changed */
    toy_fill(nnb_net_params(net), nnb_net_n_params(net), 5);
    ck_ok(nnb_net_freeze(net, 3, NNB_WEIGHTS));
  }
  ck_ok(nnb_net_copy(net, &copy));
  ck_ok(nnb_net_copy(copy, &second));
  ck_assert_str_eq(table(copy, a), table(net, b));
  same_params(copy, net, "copy");
  toy_fill(x, LENGTH(x), 3);
  ck_ok(nnb_net_predict(net, nnb_cview(x, 6, 4), nnb_view(y[0], 6, 3)));
  nnb_net_params(net)[0] += 1;
  nnb_net_destroy(net);
  ck_ok(nnb_net_predict(copy, nnb_cview(x, 6, 4), nnb_view(y[1], 6, 3)));
  ck_assert_mem_eq(y[0], y[1], sizeof y[0]);
  ck_ok(nnb_fit(copy, data, NULL, &(nnb_fit_opts){.max_epochs = 2, .lr = 1e-3}, NULL));
  ck_ok(nnb_net_predict(second, nnb_cview(x, 6, 4), nnb_view(y[1], 6, 3)));
  ck_assert_mem_eq(y[0], y[1], sizeof y[0]);
  nnb_net_destroy(copy);
  nnb_net_destroy(second);
  nnb_data_destroy(data);
}
END_TEST

/* ---- initial parameters
 * ------------------------------------------------------------------------------------------------ */

enum { I = 120, O = 90 };

/* The test core_lists compares them with the words of core.h. */
static const nnb_init auto_init[NNB_N_ACTIVATIONS] = {
#define ACTIVATION(NAME, name, KIND, init, loss) [NAME] = init,
#include "../lib/base/activations.def"
};

/* The deviation of the weights, and whether they are uniform (then none exceeds √3 times it). */
static double deviation_of(nnb_init init, nnb_activation f, double s, bool *uniform) {
  if (init == NNB_INIT_AUTO) init = auto_init[f];
  *uniform = init == NNB_INIT_UNIFORM || init == NNB_INIT_GLOROT_UNIFORM || init == NNB_INIT_HE_UNIFORM;
  switch (init) {
    case NNB_INIT_UNIFORM:
      return s / sqrt(3);
    case NNB_INIT_NORMAL:
      return s;
    case NNB_INIT_GLOROT_UNIFORM:
    case NNB_INIT_GLOROT_NORMAL:
      return s * sqrt(2.0 / (I + O));
    case NNB_INIT_HE_UNIFORM:
    case NNB_INIT_HE_NORMAL:
      return s * sqrt(2.0 / I);
    case NNB_INIT_LECUN:
      return s * sqrt(1.0 / I);
    default:
      return 0;
  }
}

static void check_moments(nnb_cmat w, double deviation, bool uniform, const char *name) {
  double mean = 0, squares = 0, fourth = 0, largest = 0;
  const double n = I * O;
  for (int i = 0; i < I * O; i++) {
    double v = (double)w.p[i];
    mean += v / n, squares += v * v / n, fourth += v * v * v * v / n, largest = fmax(largest, fabs(v));
  }
  ck_assert_msg(fabs(mean) <= 5 * deviation / sqrt(n), "%s: mean %g, deviation %g", name, mean, deviation);
  ck_assert_msg(fabs(sqrt(squares) - deviation) <= 0.05 * deviation, "%s: deviation %g, expected %g", name,
                sqrt(squares), deviation);
  if (deviation == 0) return;
  double kurtosis = fourth / (squares * squares), expected = uniform ? 1.8 : 3; /* of the two distributions */
  ck_assert_msg(fabs(kurtosis - expected) <= 0.3, "%s: kurtosis %g, expected %g", name, kurtosis, expected);
  if (uniform) ck_assert_msg(largest <= deviation * sqrt(3) * 1.000001, "%s: %g", name, largest);
}

/* QᵀQ = s²·1 for the shorter side */
static void check_orthogonal(nnb_cmat w, double s) {
  for (int a = 0; a < w.cols; a++)
    for (int b = 0; b <= a; b++) {
      double dot = 0;
      for (int i = 0; i < w.rows; i++) dot += (double)w.p[i * w.ld + a] * (double)w.p[i * w.ld + b];
      ck_assert_msg(fabs(dot - (a == b) * s * s) <= 100 * (double)REAL_EPS, "(QᵀQ)(%d, %d) is %g", a, b, dot);
    }
}

START_TEST(initial_weights) {
  nnb_activation f = _i < NNB_N_ACTIVATIONS ? (nnb_activation)_i : NNB_LINEAR;
  nnb_init init = _i < NNB_N_ACTIVATIONS ? NNB_INIT_AUTO : (nnb_init)(_i - NNB_N_ACTIVATIONS);
  static const double scales[] = {0, 0.5};
  for (int k = 0; k < 2; k++) {
    char name[80];
    nnb_net *net = nnb_net_create(I);
    nnb_cmat w, b;
    bool uniform = false;
    double s = scales[k] > 0 ? scales[k] : 1;
    snprintf(name, sizeof name, PRECISION ", %s for %s, scale %g", nnb_init_name(init), nnb_activation_name(f), s);
    nnb_dense_opts opts = {.units = O, .activation = f, .init = init, .init_scale = scales[k]};
    ck_assert_int_eq(nnb_net_dense_opts(net, &opts), 2);
    nnb_net_seed(net, 9);
    ck_ok(nnb_net_weights(net, 2, &w));
    ck_ok(nnb_net_bias(net, 2, &b));
    ck_assert(w.rows == I && w.cols == O && b.rows == 1 && b.cols == O);
    for (int i = 0; i < O; i++) ck_assert_msg(b.p[i] == 0, "%s: a bias is %g", name, (double)b.p[i]);
    if (init == NNB_INIT_ORTHOGONAL)
      check_orthogonal(w, s);
    else {
      double deviation = deviation_of(init, f, s, &uniform);
      check_moments(w, deviation, uniform, name);
    }
    nnb_net_destroy(net);
  }
}
END_TEST

/* The share of equal numbers in two blocks of weights. */
static double share_equal(nnb_cmat a, nnb_cmat b) {
  int n = a.rows * a.cols, equal = 0;
  for (int i = 0; i < n; i++) equal += a.p[i] == b.p[i];
  return (double)equal / n;
}

START_TEST(seeds_and_streams) {
  nnb_net *net, *same, *other;
  nnb_cmat first, second, third;
  ck_ok(nnb_net_parse("20-20:tanh-20:tanh", &net));
  ck_ok(nnb_net_parse("20-20:tanh-20:tanh", &same));
  ck_ok(nnb_net_parse("20-20:tanh-20:tanh", &other));
  nnb_net_seed(net, 4), nnb_net_seed(same, 4), nnb_net_seed(other, 5);
  same_params(same, net, "same seed");
  ck_ok(nnb_net_weights(net, 2, &first));
  ck_ok(nnb_net_weights(net, 3, &second));
  ck_ok(nnb_net_weights(other, 2, &third));
  ck_assert(share_equal(first, second) < 0.02); /* each layer has its own random stream */
  ck_assert(share_equal(first, third) < 0.02);
  ck_ok(nnb_net_init(other, 4)); /* the same as the first sealing */
  same_params(other, net, "nnb_net_init");
  nnb_net_params(other)[399] = 7, nnb_net_params(other)[410] = 7; /* a weight and a bias */
  ck_ok(nnb_net_init(other, 4));
  same_params(other, net, "nnb_net_init again");
  nnb_net_destroy(net), nnb_net_destroy(same), nnb_net_destroy(other);
}
END_TEST

/* ---- reading and changing --------------------------------------------------------------------------------------- */

START_TEST(summary_has_rows_and_totals) {
  char text[TABLE], total[60];
  nnb_net *net;
  ck_ok(nnb_net_parse("30-20:tanh:frozen=1-10:softmax:name=classes", &net));
  table(net, text);
  static const char *const words[] = {"input",   "dense1",         "dense, tanh", "weights",
                                      "classes", "dense, softmax", "620",         "210"};
  for (int i = 0; i < LENGTH(words); i++) ck_assert_msg(strstr(text, words[i]), "no \"%s\" in\n%s", words[i], text);
  const char *last = strstr(text, "total");
  ck_assert_msg(last, "%s", text);
  snprintf(total, sizeof total, "%zu", 830 * sizeof(real));
  ck_assert_msg(strstr(last, "830") && strstr(last, total), "%s", last);
  int lines = 0;
  for (const char *c = text; *c; c++) lines += *c == '\n';
  ck_assert_int_eq(lines, 5);
  ck_assert_int_eq(nnb_net_summary(net, NULL), NNB_E_ARG);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(names_and_numbers) {
  nnb_net *net = toy_graph();
  ck_ok(nnb_net_status(net));
  ck_assert_int_eq(nnb_net_n_in(net), 4);
  ck_assert_int_eq(nnb_net_n_out(net), 3);
  for (int k = 1; k <= nnb_net_n_nodes(net); k++) ck_assert_int_eq(nnb_net_find(net, nnb_net_node_name(net, k)), k);
  ck_assert_int_eq(nnb_net_find(net, "left"), 3);
  ck_assert_int_eq(nnb_net_find(net, "nobody"), 0);
  ck_assert_int_eq(nnb_net_find(NULL, "left"), 0);
  ck_assert_ptr_null(nnb_net_node_name(net, 0));
  ck_assert_ptr_null(nnb_net_node_name(net, nnb_net_n_nodes(net) + 1));
  nnb_net_destroy(net);
}
END_TEST

START_TEST(a_name_by_default_is_never_taken) {
  nnb_net *net = nnb_net_create(2);
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .name = "dense2"});
  int second = nnb_net_dense(net, 2, NNB_TANH);
  ck_ok(nnb_net_status(net));
  ck_assert_str_eq(nnb_net_node_name(net, second), "dense3");
  nnb_net_destroy(net);
}
END_TEST

START_TEST(weights_are_views_and_copies) {
  nnb_net *net;
  nnb_cmat w, b;
  real wide[3 * 5], bias[] = {7, 8};
  for (int i = 0; i < 15; i++) wide[i] = (real)i;
  ck_ok(nnb_net_parse("3-2:tanh-4:bias=0", &net));
  ck_ok(nnb_net_set_weights(net, 2, (nnb_cmat){wide, 3, 2, 5})); /* with a leading dimension */
  ck_ok(nnb_net_set_bias(net, 2, nnb_cview(bias, 1, 2)));
  ck_ok(nnb_net_weights(net, 2, &w));
  ck_ok(nnb_net_bias(net, 2, &b));
  ck_assert_ptr_eq(w.p, nnb_net_params_read(net));
  ck_assert_ptr_eq(b.p, w.p + 6);
  static const real want[] = {0, 1, 5, 6, 10, 11, 7, 8};
  for (int i = 0; i < 8; i++) ck_assert_msg(w.p[i] == want[i], "%d: %g", i, (double)w.p[i]);
  ck_assert_int_eq(nnb_net_set_weights(net, 2, nnb_cview(wide, 2, 3)), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_net_set_bias(net, 2, nnb_cview(wide, 2, 1)), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_net_bias(net, 3, &b), NNB_E_ARG);
  ck_assert_int_eq(nnb_net_weights(net, 1, &w), NNB_E_ARG);
  ck_assert_int_eq(nnb_net_weights(net, 4, &w), NNB_E_ARG);
  ck_assert_int_eq(nnb_net_freeze(net, 2, 4), NNB_E_ARG);
  ck_assert_int_eq(nnb_net_freeze(net, 9, 0), NNB_E_ARG);
  nnb_net_destroy(net);
}
END_TEST

/* ---- sticky errors ----------------------------------------------------------------------------------------------- */

static int no_units(nnb_net *net) { return nnb_net_dense(net, 0, NNB_TANH); }
static int no_activation(nnb_net *net) { return nnb_net_dense(net, 2, (nnb_activation)77); }
static int no_node(nnb_net *net) { return nnb_net_activation(net, 9, NNB_TANH); }
static int uneven(nnb_net *net) { return nnb_net_add(net, (int[]){1, nnb_net_dense(net, 2, NNB_TANH)}, 2, NNB_LINEAR); }
static int name_taken(nnb_net *net) { return nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .name = "input"}); }
static int output_input(nnb_net *net) { return nnb_net_output(net, 1); }
static int loss_of_none(nnb_net *net) { return nnb_net_output_loss(net, 1, NNB_MSE, 1); }
static int no_loss(nnb_net *net) { return nnb_net_loss(net, (nnb_loss)50); }

static const struct mistake {
  int (*make)(nnb_net *net);
  nnb_status status;
} mistakes[] = {
    {no_units, NNB_E_ARG},   {no_activation, NNB_E_ARG}, {no_node, NNB_E_ARG},      {uneven, NNB_E_SHAPE},
    {name_taken, NNB_E_ARG}, {output_input, NNB_E_ARG},  {loss_of_none, NNB_E_ARG}, {no_loss, NNB_E_ARG},
};

START_TEST(the_first_error_stays) {
  const struct mistake *m = &mistakes[_i];
  nnb_net *net = nnb_net_create(3), *copy;
  nnb_plan *plan;
  char message[300];
  ck_assert_int_eq(m->make(net), m->status);
  snprintf(message, sizeof message, "%s", nnb_errmsg());
  ck_assert(*message);
  ck_assert_int_eq(nnb_net_dense(net, 2, NNB_TANH), m->status);
  ck_assert_int_eq(nnb_plan_create(net, NULL, &plan), m->status);
  ck_assert_str_eq(nnb_errmsg(), message);
  ck_assert_int_eq(nnb_net_status(net), m->status);
  ck_assert_int_eq(nnb_net_copy(net, &copy), m->status);
  ck_assert_uint_eq(nnb_net_n_params(net), 0);
  ck_assert_ptr_null(nnb_net_params(net));
  ck_assert_int_eq(nnb_net_n_in(net), 0);
  nnb_net_destroy(net);
  ck_assert_int_eq(m->make(NULL), NNB_E_ARG);
}
END_TEST

START_TEST(a_sealed_net_takes_nothing_more) {
  nnb_net *net = nnb_net_create(2);
  ck_assert_int_eq(nnb_net_dense(net, 2, NNB_TANH), 2);
  ck_assert_uint_eq(nnb_net_n_params(net), 6);
  ck_assert_int_eq(nnb_net_dense(net, 2, NNB_TANH), NNB_E_STATE);
  ck_assert_int_eq(nnb_net_seed(net, 1), NNB_E_STATE);
  ck_assert_int_eq(nnb_net_loss(net, NNB_MSE), NNB_E_STATE);
  ck_ok(nnb_net_status(net)); /* this is not an error of the net */
  nnb_net_destroy(net);
  net = nnb_net_create(2); /* unused nodes, and no nodes at all */
  ck_assert_uint_eq(nnb_net_n_params(net), 0);
  nnb_net_dense(net, 2, NNB_TANH);
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .from = 1});
  ck_assert_uint_eq(nnb_net_n_params(net), 0);
  ck_assert_msg(strstr(nnb_errmsg(), "dense1"), "%s", nnb_errmsg());
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("net " PRECISION);
  TCase *tc = tcase_create("net");
  tcase_add_loop_test(tc, a_string_is_its_calls, 0, LENGTH(goods));
  tcase_add_loop_test(tc, a_bad_string_names_its_place, 0, LENGTH(bads));
  tcase_add_loop_test(tc, a_bad_string_gets_a_hint, 0, LENGTH(hints));
  tcase_add_test(tc, a_layer_from_text);
  tcase_add_test(tc, a_bad_layer_sticks);
  tcase_add_loop_test(tc, a_copy_is_equal_and_apart, 0, 2);
  tcase_add_loop_test(tc, initial_weights, 0, (int)NNB_N_ACTIVATIONS + (int)NNB_N_INITS);
  tcase_add_test(tc, seeds_and_streams);
  tcase_add_test(tc, summary_has_rows_and_totals);
  tcase_add_test(tc, names_and_numbers);
  tcase_add_test(tc, a_name_by_default_is_never_taken);
  tcase_add_test(tc, weights_are_views_and_copies);
  tcase_add_loop_test(tc, the_first_error_stays, 0, LENGTH(mistakes));
  tcase_add_test(tc, a_sealed_net_takes_nothing_more);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
