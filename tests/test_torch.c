/* Weights of PyTorch: names, layouts, types, refusals.  tests/golden/make_torch.py made the golden files with PyTorch.
 */
#include "bad.h"

static const char *const two[] = {"hidden", "last"};

static nnb_net *copy_of(nnb_net *what) {
  nnb_net *copy;
  ck_ok(nnb_net_copy(what, &copy));
  return copy;
}

static void ck_same(nnb_net *a, nnb_net *b) {
  ck_assert_uint_eq(nnb_net_n_params(a), nnb_net_n_params(b));
  ck_assert(memcmp(nnb_net_params_read(a), nnb_net_params_read(b), nnb_net_n_params(a) * sizeof(real)) == 0);
}

/* net as a file with those options, into a copy that was drawn again */
static void round_trip(const nnb_torch_opts *out, const nnb_torch_opts *in) {
  nnb_net *copy = copy_of(net);
  void *saved;
  size_t n;
  ck_ok(nnb_net_init(copy, 99));
  ck_ok(nnb_net_save_torch_mem(net, out, &saved, &n));
  ck_ok(nnb_net_load_torch_mem(copy, saved, n, in));
  ck_same(net, copy);
  nnb_free(saved);
  nnb_net_destroy(copy);
}

START_TEST(round_trips) {
  const nnb_torch_opts prefix = {.prefix = "model."}, named = {.names = two, .n_names = 2};
  const nnb_torch_opts both = {.prefix = "a.b.", .names = two, .n_names = 2};
  round_trip(NULL, NULL);
  round_trip(&prefix, &prefix);
  round_trip(&named, &named);
  round_trip(&both, &both);
  char path[TOY_PATH];
  nnb_net *copy = copy_of(net);
  ck_ok(nnb_net_init(copy, 99));
  ck_ok(nnb_net_save_torch(net, toy_path(path, "torch.safetensors"), NULL));
  ck_ok(nnb_net_load_torch(copy, path, NULL));
  ck_same(net, copy);
  remove(path);
  nnb_net_destroy(copy);
}
END_TEST

/* Twelve layers: "2" comes before "10". */
START_TEST(numbers_count_as_numbers) {
  nnb_net *deep = nnb_net_create(2);
  void *saved;
  size_t n;
  for (int i = 0; i < 12; i++) nnb_net_dense(deep, 2, NNB_TANH);
  nnb_net *copy = copy_of(deep);
  ck_ok(nnb_net_init(copy, 99));
  ck_ok(nnb_net_save_torch_mem(deep, NULL, &saved, &n));
  ck_ok(nnb_net_load_torch_mem(copy, saved, n, NULL));
  ck_same(deep, copy);
  nnb_free(saved);
  nnb_net_destroy(deep), nnb_net_destroy(copy);
}
END_TEST

/* Convolutions, norms with their running means, signals, tables, recurrent units; names as
 * torch.nn.Sequential has them. */
START_TEST(layers_of_images) {
  static const struct {
    const char *net, *last, *shape;
  } cases[] = {
      {"1x6x6-conv2@3:tanh-batchnorm:relu-maxpool2-layernorm-3", "\"7.weight\"", "\"0.weight\":{\"dtype\":\"F"},
      {"2x8-conv3@3:silu-avgpool2-flatten-3:linear-batchnorm-2", "\"6.weight\"", "\"shape\":[3,2,3]"},
      {"2x4x4-layernorm-conv2@2:bias=0-2", "\"4.bias\"", "\"shape\":[2,4,4]"},
      {"2x8-conv3@3:silu-layernorm-2", "\"2.bias\"", "\"shape\":[3,6]"},
      {"2x2x4-conv3@2:tanh-conv2@1x2-2", "\"2.bias\"", "\"shape\":[2,3,1,2]"}, /* an image that has become flat */
      {"1-embed7x5:tanh-2", "\"2.weight\"", "\"0.weight\":{\"dtype\":\"F"},
      {"6-embed7x5-conv2@3-2", "\"4.weight\"", "\"shape\":[7,5]"},
      {"2x6-gru3-2", "\"1.weight\"", "\"0.weight_hh_l0\":{\"dtype\":\"F"},
      {"6-embed7x5-gru4:sequence=1-gru3:tanh-2", "\"4.weight\"", "\"shape\":[12,5]"},
      {"2x6-gru3:sequence=1-2", "\"2.weight\"", "\"shape\":[9,3]"}, /* Flatten is module 1 */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nnb_net *one, *copy;
    void *saved;
    size_t n;
    ck_ok(nnb_net_parse(cases[i].net, &one));
    for (size_t k = 0; k < nnb_net_n_params(one); k++) nnb_net_params(one)[k] += (real)sin(1.3 * (double)k);
    for (int k = 1; k <= nnb_net_n_nodes(one); k++) {
      nnb_cmat old;
      const real fresh[] = {1, 2, 3, (real)0.5, (real)0.25, 7};
      if (!nnb_net_buffers(one, k, &old)) ck_ok(nnb_net_set_buffers(one, k, nnb_cview(fresh, 1, old.cols)));
    }
    copy = copy_of(one);
    ck_ok(nnb_net_init(copy, 99));
    ck_ok(nnb_net_save_torch_mem(one, NULL, &saved, &n));
    size_t header = 0;
    for (int k = 0; k < 4; k++) header |= (size_t)((uint8_t *)saved)[k] << 8 * k;
    char *text = calloc(1, header + 1);
    memcpy(text, (char *)saved + 8, header);
    ck_assert_msg(strstr(text, cases[i].last) && strstr(text, cases[i].shape), "%s", text);
    free(text);
    ck_ok(nnb_net_load_torch_mem(copy, saved, n, NULL));
    ck_same(one, copy);
    for (int k = 1; k <= nnb_net_n_nodes(one); k++) {
      nnb_cmat a, b;
      if (nnb_net_buffers(one, k, &a)) continue;
      ck_ok(nnb_net_buffers(copy, k, &b));
      ck_assert(memcmp(a.p, b.p, (size_t)a.cols * sizeof(real)) == 0);
    }
    nnb_free(saved);
    nnb_net_destroy(one), nnb_net_destroy(copy);
  }
}
END_TEST

/* A net of other layers, and a file without the running means, are refused by name. */
START_TEST(other_layers_are_refused) {
  nnb_net *norm, *layer;
  void *saved;
  size_t n;
  ck_ok(nnb_net_parse("3-2:linear-batchnorm", &norm));
  ck_ok(nnb_net_parse("3-2:linear-layernorm", &layer));
  ck_ok(nnb_net_save_torch_mem(layer, NULL, &saved, &n));
  bad(NNB_E_SHAPE, "the module \"1\" has no running_mean", nnb_net_load_torch_mem(norm, saved, n, NULL));
  nnb_free(saved);
  ck_ok(nnb_net_save_torch_mem(norm, NULL, &saved, &n));
  bad(NNB_E_SHAPE, "the module \"1\" has a running_mean, the layer has none",
      nnb_net_load_torch_mem(layer, saved, n, NULL));
  nnb_free(saved);
  nnb_net_destroy(norm), nnb_net_destroy(layer);
}
END_TEST

/* ---- files written here ------------------------------------------------------------------------------------------ */

/* header and data as a file; data is a multiple of 8 bytes */
static size_t make(uint8_t *out, const char *header, const void *values, size_t n_values) {
  const size_t n = strlen(header);
  for (int i = 0; i < 8; i++) out[i] = (uint8_t)((uint64_t)n >> 8 * i);
  memcpy(out + 8, header, n);
  memcpy(out + 8 + n, values, n_values);
  return 8 + n + n_values;
}

static void refuse(nnb_status wanted, const char *words, const char *header, size_t n, const nnb_torch_opts *opts) {
  static const uint8_t zeros[1024];
  uint8_t out[2048];
  nnb_net *copy = copy_of(net);
  const size_t size = make(out, header, zeros, n);
  check_bad(nnb_net_load_torch_mem(copy, out, size, opts), wanted, words, header);
  ck_same(net, copy);
  nnb_net_destroy(copy);
}

/* A layer norm of signals, images of height 1, is read as C×W and as C×1×W, and not in another order or as one row. */
START_TEST(sides_of_one) {
  static const struct {
    const char *shape;
    bool read;
  } shapes[] = {{"[2,3]", true}, {"[2,1,3]", true}, {"[3,2]", false}, {"[6]", false}, {"[6,1]", false}};
  static const double values[12] = {1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6};
  static const char part[] = "\"%s\":{\"dtype\":\"F64\",\"shape\":%s,\"data_offsets\":[%d,%d]}";
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    nnb_net *one;
    uint8_t out[1024];
    char w[200], b[200], header[500];
    ck_ok(nnb_net_parse("2x3-layernorm", &one));
    snprintf(w, sizeof w, part, "0.weight", shapes[i].shape, 0, 48);
    snprintf(b, sizeof b, part, "0.bias", shapes[i].shape, 48, 96);
    snprintf(header, sizeof header, "{%s,%s}", w, b);
    const size_t n = make(out, header, values, sizeof values);
    const nnb_status status = nnb_net_load_torch_mem(one, out, n, NULL);
    if (shapes[i].read) {
      ck_assert_msg(!status, "%s: %s", shapes[i].shape, nnb_errmsg());
      for (int k = 0; k < 12; k++) ck_assert(nnb_net_params_read(one)[k] == (real)values[k]);
    } else {
      ck_assert_msg(status && strstr(nnb_errmsg(), "the weight of the module \"0\" "), "%s: %s", shapes[i].shape,
                    nnb_errmsg());
    }
    nnb_net_destroy(one);
  }
}
END_TEST

/* Outputs and channels are no sides: a convolution is read with or without a height of 1, and not turned. */
START_TEST(kernels_are_not_turned) {
  nnb_net *turn[2];
  void *saved;
  size_t n;
  for (int i = 0; i < 2; i++) {
    turn[i] = nnb_net_create(16);
    nnb_net_shape(turn[i], 1, 1, 4, 4);
    nnb_net_conv_opts(turn[i],
                      &(nnb_conv_opts){.channels = 1, .height = i ? 1 : 3, .width = i ? 3 : 1, .no_bias = true});
  }
  ck_ok(nnb_net_save_torch_mem(turn[0], NULL, &saved, &n));
  check_bad(nnb_net_load_torch_mem(turn[1], saved, n, NULL), NNB_E_SHAPE, "is 1×1×3×1; wanted 1×1×1×3", "3×1 into 1×3");
  ck_ok(nnb_net_load_torch_mem(turn[0], saved, n, NULL));
  nnb_free(saved);
  nnb_net_destroy(turn[0]), nnb_net_destroy(turn[1]);
}
END_TEST

START_TEST(sides_of_convolutions) {
  static const struct {
    const char *net, *shape, *sentence; /* NULL: it is read */
  } cases[] = {
      {"1x8-conv4@3:bias=0", "4,1,3", NULL},
      {"1x8-conv4@3:bias=0", "4,1,1,3", NULL},
      {"1x8-conv4@3:bias=0", "4,3,1", "the weight of the module \"0\" is 4×3×1; wanted 4×1×3 (outputs×channels×…)"},
      {"1x8-conv4@3:bias=0", "4,3", "is 4×3; wanted 4×1×3"},
      {"1x8-conv4@3:bias=0", "1,4,3", "is 1×4×3; wanted 4×1×3"},
      {"3x8-conv1@4:bias=0", "1,3,4", NULL},
      {"3x8-conv1@4:bias=0", "3,4", "is 3×4; wanted 1×3×4"},
      {"3x8-conv1@4:bias=0", "3,1,4", "is 3×1×4; wanted 1×3×4"},
      {"3x2x2-conv4@1:bias=0", "4,3,1,1", NULL},
      {"3x2x2-conv4@1:bias=0", "4,3", NULL},
      {"3x2x2-conv4@1:bias=0", "4,1,3", "is 4×1×3; wanted 4×3×1×1"},
  };
  static const double values[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nnb_net *one;
    uint8_t out[1024];
    char header[200];
    ck_ok(nnb_net_parse(cases[i].net, &one));
    snprintf(header, sizeof header, "{\"0.weight\":{\"dtype\":\"F64\",\"shape\":[%s],\"data_offsets\":[0,96]}}",
             cases[i].shape);
    const size_t n = make(out, header, values, sizeof values);
    const nnb_status status = nnb_net_load_torch_mem(one, out, n, NULL);
    if (cases[i].sentence)
      check_bad(status, NNB_E_SHAPE, cases[i].sentence, header);
    else
      ck_assert_msg(!status, "%s: %s", header, nnb_errmsg());
    nnb_net_destroy(one);
  }
}
END_TEST

#define W0 "\"0.weight\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[0,48]}"
#define B0 "\"0.bias\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[48,64]}"
#define W1 "\"2.weight\":{\"dtype\":\"F32\",\"shape\":[2,4],\"data_offsets\":[64,96]}"
#define B1 "\"2.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[96,104]}"

START_TEST(wrong_files_are_refused) {
  static const char *const twice[] = {"0", "0"}, *const missing[] = {"0", "3"}, *const one[] = {"0"};
  refuse(NNB_E_SHAPE, "1 module, the net 2 layers", "{" W0 "," B0 "}", 64, NULL);
  refuse(NNB_E_SHAPE, "\"2\" has no bias", "{" W0 "," B0 "," W1 "}", 96, NULL);
  refuse(NNB_E_SHAPE, "weight of the module \"0\" is 3×4; wanted 4×3 (outputs×inputs)",
         "{\"0.weight\":{\"dtype\":\"F32\",\"shape\":[3,4],\"data_offsets\":[0,48]}," B0 "," W1 "," B1 "}", 104, NULL);
  refuse(NNB_E_SHAPE, "bias of the module \"0\" is 4×1; wanted 4 numbers",
         "{" W0 ",\"0.bias\":{\"dtype\":\"F32\",\"shape\":[4,1],\"data_offsets\":[48,64]}," W1 "," B1 "}", 104, NULL);
  refuse(NNB_E_PARSE, "no floating-point",
         "{" W0 ",\"0.bias\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[48,64]}," W1 "," B1 "}", 104, NULL);
  refuse(NNB_E_PARSE, "\"mean\" is neither a weight nor a bias",
         "{" W0 "," B0 "," W1 "," B1 ",\"mean\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[104,112]}}", 112,
         NULL);
  refuse(NNB_E_PARSE, "does not begin with \"m.\"", "{" W0 "," B0 "," W1 "," B1 "}", 104,
         &(nnb_torch_opts){.prefix = "m."});
  refuse(NNB_E_ARG, "both \"0\"", "{" W0 "," B0 "," W1 "," B1 "}", 104,
         &(nnb_torch_opts){.names = twice, .n_names = 2});
  refuse(NNB_E_PARSE, "no module \"3\"", "{" W0 "," B0 "," W1 "," B1 "}", 104,
         &(nnb_torch_opts){.names = missing, .n_names = 2});
  refuse(NNB_E_SHAPE, "1 name; the net has 2 layers", "{" W0 "," B0 "," W1 "," B1 "}", 104,
         &(nnb_torch_opts){.names = one, .n_names = 1});
  refuse(NNB_E_ARG, "the order of \"b\" and \"c\"",
         "{\"c.weight\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[0,48]},"
         "\"b.weight\":{\"dtype\":\"F32\",\"shape\":[2,4],\"data_offsets\":[48,80]}}",
         80, NULL);
  refuse(NNB_E_ARG, "reserved", "{}", 0, &(nnb_torch_opts){.reserved = {&rows}});
}
END_TEST

/* A module g of parts with those shapes, all zeros, "" for a part that is not there, and what is wrong with it for the
 * net. */
typedef struct wrong_gru {
  const char *net, *w, *u, *b, *c, *words;
} wrong_gru;

static size_t add_part(char *header, size_t at, size_t *from, const char *part, const char *shape) {
  if (!*shape) return at;
  size_t a = 1, b = 1;
  sscanf(shape, "%zu,%zu", &a, &b);
  const size_t n = 4 * a * b;
  at += (size_t)sprintf(header + at, "%s\"m.g.%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                        at > 1 ? "," : "", part, shape, *from, *from + n);
  *from += n;
  return at;
}

static void refuse_gru(const wrong_gru *c, const char *more) {
  static const uint8_t zeros[1024];
  char header[1500] = "{";
  uint8_t out[4096];
  size_t at = 1, from = 0;
  nnb_net *one, *copy;
  ck_ok(nnb_net_parse(c->net, &one));
  copy = copy_of(one);
  at = add_part(header, at, &from, "weight_ih_l0", c->w), at = add_part(header, at, &from, "weight_hh_l0", c->u);
  at = add_part(header, at, &from, "bias_ih_l0", c->b), at = add_part(header, at, &from, "bias_hh_l0", c->c);
  at = add_part(header, at, &from, more, "1");
  strcpy(header + at, "}");
  const size_t size = make(out, header, zeros, from);
  check_bad(nnb_net_load_torch_mem(one, out, size, &(nnb_torch_opts){.prefix = "m.", .ignore_others = true}),
            NNB_E_SHAPE, c->words, header);
  ck_same(one, copy);
  nnb_net_destroy(one), nnb_net_destroy(copy);
}

/* An LSTM has four gates, an RNN one; a second layer or direction has no place, whatever else is ignored. */
START_TEST(recurrent_modules_that_do_not_fit) {
  static const wrong_gru cases[] = {
      {"2x5-gru3", "12,2", "12,3", "12", "12",
       "weight_ih_l0 of the module \"g\" is 12×2; wanted 9×2 (3·units×channels)"},
      {"2x5-gru3", "3,2", "3,3", "3", "3", "weight_ih_l0 of the module \"g\" is 3×2; wanted 9×2"},
      {"2x5-gru3", "9,2", "3,9", "9", "9", "weight_hh_l0 of the module \"g\" is 3×9; wanted 9×3 (3·units×units)"},
      {"2x5-gru3", "9,2", "9,3", "9,1", "9", "bias_ih_l0 of the module \"g\" is 9×1; wanted 9 numbers"},
      {"2x5-gru3", "9,2", "9,3", "9", "", "the module \"g\" has no bias_hh_l0, the layer has one"},
      {"2x5-gru3", "9,2", "9,3", "", "", "the module \"g\" has no bias_ih_l0, the layer has one"},
      {"2-3", "9,2", "9,3", "9", "9", "the module \"g\" has no weight, the layer has one"},
      {"2-embed7x3", "9,2", "9,3", "9", "9", "the module \"g\" has no weight, the layer has one"},
  };
  static const wrong_gru fits = {"2x5-gru3", "9,2", "9,3",
                                 "9",        "9",   "has a second layer or direction, the layer has none"};
  static const wrong_gru weight = {"2x5-gru3", "9,2", "9,3", "9", "9", "has a weight, the layer has none"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refuse_gru(&cases[i], "other");
  refuse_gru(&fits, "weight_ih_l1"), refuse_gru(&fits, "bias_hh_l0_reverse"), refuse_gru(&weight, "weight");
}
END_TEST

/* The table is not transposed, and a table of another size is refused. */
START_TEST(tables) {
  static const float values[6] = {1, 2, 3, 4, 5, 6};
  static const char header[] = "{\"e.weight\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[0,24]}}";
  static const char *const shapes[] = {"3,2", "2,3", "6"};
  static const char *const words[] = {"", "is 2×3; wanted 3×2 (levels×units)", "is 6 numbers; wanted 3×2"};
  for (int i = 0; i < 3; i++) {
    nnb_net *one;
    uint8_t out[1024];
    char text[200];
    ck_ok(nnb_net_parse("1-embed3x2", &one));
    snprintf(text, sizeof text, header, shapes[i]);
    const size_t n = make(out, text, values, sizeof values);
    if (i > 0) bad(NNB_E_SHAPE, words[i], nnb_net_load_torch_mem(one, out, n, NULL));
    if (i == 0) ck_ok(nnb_net_load_torch_mem(one, out, n, NULL));
    for (int k = 0; i == 0 && k < 6; k++) ck_assert(nnb_net_params_read(one)[k] == (real)values[k]);
    nnb_net_destroy(one);
  }
}
END_TEST

START_TEST(others_are_ignored_if_asked) {
  static const uint8_t zeros[112];
  uint8_t out[2048];
  nnb_net *copy = copy_of(net);
  const size_t n =
      make(out, "{" W0 "," B0 "," W1 "," B1 ",\"mean\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[104,112]}}",
           zeros, 112);
  ck_ok(nnb_net_load_torch_mem(copy, out, n, &(nnb_torch_opts){.ignore_others = true}));
  for (size_t i = 0; i < nnb_net_n_params(copy); i++) ck_assert(nnb_net_params_read(copy)[i] == 0);
  nnb_net_destroy(copy);
}
END_TEST

/* Tensors that a net cannot have, at the end of a file that fits: ignored if asked, refused by name if not, and where
 * their module is that of a layer. */
START_TEST(others_of_any_type) {
  static const struct {
    const char *dtype, *shape;
    size_t n;
    const char *why;
  } cases[] = {{"BOOL", "8", 8, "dtype \"BOOL\"; wanted F64"},
               {"I8", "2,4", 8, "dtype \"I8\""},
               {"U8", "8", 8, NULL},
               {"I16", "4", 8, "dtype \"I16\""},
               {"I32", "2", 8, NULL},
               {"I64", "1", 8, NULL},
               {"U16", "4", 8, "dtype \"U16\""},
               {"U32", "2", 8, "dtype \"U32\""},
               {"U64", "1", 8, "dtype \"U64\""},
               {"F8_E4M3", "8", 8, "dtype \"F8_E4M3\""},
               {"F8_E5M2", "8", 8, "dtype \"F8_E5M2\""},
               {"F4_OF_LATER", "16", 8, "dtype \"F4_OF_LATER\""},
               {"F32", "1,1,1,1,2", 8, "5 dimensions"},
               {"BOOL", "1,2,2,2,1", 8, "dtype \"BOOL\""}};
  static const uint8_t zeros[112];
  static const char *const names[] = {"mask", "attention.bias", "9.weight", "0.bias"};
  const nnb_torch_opts ignore = {.ignore_others = true},
                       hidden = {.ignore_others = true, .names = (const char *const[]){"0", "2"}, .n_names = 2};
  uint8_t out[2048];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int k = 0; k < 4; k++) {
      nnb_net *copy = copy_of(net);
      char header[700], sentence[100];
      snprintf(header, sizeof header,
               "{" W0 "%s," W1 "," B1 ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%d,%d]}}",
               k < 3 ? "," B0 : ",\"b\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[48,64]}", names[k],
               cases[i].dtype, cases[i].shape, 104, 112);
      const size_t n = make(out, header, zeros, 112);
      const nnb_status named = nnb_net_load_torch_mem(copy, out, n, &hidden);
      if (k < 3) ck_assert_msg(!named, "%s: %s", header, nnb_errmsg());
      if (k == 3) { /* the layer needs it */
        ck_assert_msg(named == (cases[i].why ? NNB_E_UNSUPPORTED : NNB_E_PARSE), "%s: %s", header, nnb_errmsg());
        ck_assert_msg(strstr(nnb_errmsg(), "the bias of the module \"0\" ") &&
                          strstr(nnb_errmsg(), cases[i].why ? cases[i].why : "no floating-point numbers"),
                      "%s: %s", header, nnb_errmsg());
        ck_same(net, copy);
      }
      const nnb_status some = nnb_net_load_torch_mem(copy, out, n, &ignore);
      if (k < 2) ck_assert_msg(!some, "%s: %s", header, nnb_errmsg());
      if (k == 2)
        ck_assert_msg(some == NNB_E_SHAPE && strstr(nnb_errmsg(), "3 modules, the net 2"), "%s", nnb_errmsg());
      snprintf(sentence, sizeof sentence, "tensor \"%s\"", names[k]);
      const nnb_status all = nnb_net_load_torch_mem(copy, out, n, NULL);
      ck_assert_msg(all && (!cases[i].why || (all == NNB_E_UNSUPPORTED && strstr(nnb_errmsg(), sentence) &&
                                              strstr(nnb_errmsg(), cases[i].why))),
                    "%s: %s", header, nnb_errmsg());
      nnb_net_destroy(copy);
    }
}
END_TEST

/* Others are checked as the tensors of the net are. */
START_TEST(damaged_others) {
  const nnb_torch_opts ignore = {.ignore_others = true};
#define M(dtype, shape, end) \
  "{" W0 "," B0 "," W1 "," B1 ",\"m\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[104," end "]}}"
  refuse(NNB_E_PARSE, "its shape and its data_offsets do not match", M("BOOL", "[7]", "112"), 112, &ignore);
  refuse(NNB_E_PARSE, "its shape and its data_offsets do not match", M("F32", "[1,1,1,1,3]", "112"), 112, &ignore);
  refuse(NNB_E_PARSE, "its data is outside of the file", M("I8", "[16]", "120"), 112, &ignore);
  refuse(NNB_E_PARSE, "ends 4 bytes before the file", M("NEW", "[4]", "108"), 112, &ignore);
  refuse(NNB_E_PARSE, "its shape is not a list", M("I8", "8", "112"), 112, &ignore);
  refuse(NNB_E_PARSE, "its shape has an invalid size", M("I8", "[-8]", "112"), 112, &ignore);
#undef M
}
END_TEST

/* Numbers of 16 bits, among them the smallest and the largest; F64 beyond float. */
START_TEST(all_types) {
  static const uint16_t half[] = {0x3C00, 0xC000, 0x0001, 0x7BFF, 0x8000, 0x7C00, 0x03FF, 0x0400},
                        upper[] = {0x3F80, 0xC000, 0x0001, 0x7F7F, 0x8000, 0x7F80, 0x0080, 0x4049};
  static const float half_is[] = {1, -2, 0x1p-24f, 65504, -0.0f, INFINITY, 0x1.ff8p-15f, 0x1p-14f},
                     upper_is[] = {1, -2, 0x1p-133f, 0x1.fep127f, -0.0f, INFINITY, 0x1p-126f, 0x1.92p1f};
  uint8_t out[1024];
  nnb_net *one = nnb_net_create(8);
  nnb_net_dense_opts(one, &(nnb_dense_opts){.units = 1, .no_bias = true});
  for (int k = 0; k < 2; k++) {
    char header[200];
    snprintf(header, sizeof header, "{\"weight\":{\"dtype\":\"%s\",\"shape\":[1,8],\"data_offsets\":[0,16]}}",
             k ? "BF16" : "F16");
    const size_t n = make(out, header, k ? upper : half, 16);
    ck_ok(nnb_net_load_torch_mem(one, out, n, NULL));
    for (int i = 0; i < 8; i++) {
      const real got = nnb_net_params_read(one)[i], want = (real)(k ? upper_is : half_is)[i];
      ck_assert_msg(got == want && signbit(got) == signbit(want), "%s %d: %g, not %g", header, i, (double)got,
                    (double)want);
    }
  }
  const double large[8] = {1, 2, 3, 4, 5, 6, 7, 1e300};
  const size_t n = make(out, "{\"weight\":{\"dtype\":\"F64\",\"shape\":[1,8],\"data_offsets\":[0,64]}}", large, 64);
  if (sizeof(real) == 8)
    ck_ok(nnb_net_load_torch_mem(one, out, n, NULL));
  else
    bad(NNB_E_PARSE, "too large for single precision", nnb_net_load_torch_mem(one, out, n, NULL));
  nnb_net_destroy(one);
}
END_TEST

/* What PyTorch predicts: golden/torch has models, their input and the outputs of two rows. */
static void ck_golden(const char *name, const char *text, const nnb_torch_opts *opts) {
  char path[400];
  double want[4], x[20], scale = 0;
  real xs[20], ys[4];
  nnb_net *model;
  ck_ok(nnb_net_parse(text, &model));
  const int n_in = nnb_net_n_in(model);
  snprintf(path, sizeof path, TORCH_DATA "/%s.txt", name);
  FILE *f = fopen(path, "r");
  ck_assert_msg(f, "no %s", path);
  for (int i = 0; i < 2 * n_in; i++) ck_assert_int_eq(fscanf(f, "%lf", &x[i]), 1);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(fscanf(f, "%lf", &want[i]), 1);
  fclose(f);
  for (int i = 0; i < 2 * n_in; i++) xs[i] = (real)x[i];
  for (int i = 0; i < 4; i++) scale = fmax(scale, fabs(want[i]));
  snprintf(path, sizeof path, TORCH_DATA "/%s.safetensors", name);
  ck_ok(nnb_net_load_torch(model, path, opts));
  ck_ok(nnb_net_predict(model, nnb_cview(xs, 2, n_in), nnb_view(ys, 2, 2)));
  for (int i = 0; i < 4; i++)
    ck_assert_msg(fabs((double)ys[i] - want[i]) < TOL(1e-14, 1e-6) * scale, "%s: %.17g, not %.17g", name, (double)ys[i],
                  want[i]);
  nnb_net_destroy(model);
}

START_TEST(golden_files) {
  static const char *const types[] = {"f64", "f32", "f16", "bf16"};
  for (int k = 0; k < 4; k++) ck_golden(types[k], "3-5:tanh-4:silu-2", &(nnb_torch_opts){.prefix = "net."});
}
END_TEST

/* An embedding, a recurrent module of which all states are read, and one of which the last one is: by order and by
 * name.
 */
START_TEST(golden_words) {
  static const char *const names[] = {"0", "1", "2", "3"};
  const char text[] = "5-embed7x3-gru4:sequence=1-gru3-2";
  ck_golden("words", text, &(nnb_torch_opts){.prefix = "net."});
  ck_golden("words", text, &(nnb_torch_opts){.prefix = "net.", .names = names, .n_names = 4});
}
END_TEST

int main(void) {
  Suite *suite = suite_create("torch " PRECISION);
  TCase *t = tcase_create("torch");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, round_trips);
  tcase_add_test(t, layers_of_images);
  tcase_add_test(t, other_layers_are_refused);
  tcase_add_test(t, numbers_count_as_numbers);
  tcase_add_test(t, wrong_files_are_refused);
  tcase_add_test(t, others_are_ignored_if_asked);
  tcase_add_test(t, all_types);
  tcase_add_test(t, sides_of_one);
  tcase_add_test(t, sides_of_convolutions);
  tcase_add_test(t, kernels_are_not_turned);
  tcase_add_test(t, others_of_any_type);
  tcase_add_test(t, damaged_others);
  tcase_add_test(t, recurrent_modules_that_do_not_fit);
  tcase_add_test(t, tables);
  tcase_add_test(t, golden_files);
  tcase_add_test(t, golden_words);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
