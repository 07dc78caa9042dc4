/* nn/parse.c: "64-32:tanh-10:softmax" or "1x28x28-conv6@5:tanh-10:softmax" as a chain of layers, "10:softmax" as one.
 */
#include <limits.h>
#include <string.h>

#include "attr.h"
#include "build.h"
#include "nearest.h"
#include "status.h"

enum { MOST_FIELD = 63 };

typedef struct cursor {
  const char *text, *at;
} cursor;

static nnb_status complain(const cursor *c, const char *wanted) {
  return nnb__fail(NNB_E_PARSE, "\"%s\", character %d%s: %s", c->text, (int)(c->at - c->text) + 1,
                   *c->at ? "" : " (the end)", wanted);
}

/* A positive number that fits into an int. */
static nnb_status take_size(cursor *c, int *out) {
  long long value = 0;
  const char *p = c->at;
  for (; *p >= '0' && *p <= '9' && value <= INT_MAX; p++) value = 10 * value + (*p - '0');
  if (p == c->at || value < 1 || value > INT_MAX) return complain(c, "wanted a layer size from 1 to 2147483647");
  c->at = p;
  *out = (int)value;
  return NNB_OK;
}

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* The text up to the next ':', '-' or the end.  number: the '-' of 1e-3 belongs to it; else a '-' ends the field. */
static nnb_status take_field(cursor *c, bool number, char out[MOST_FIELD + 1]) {
  size_t n = 0;
  for (const char *p = c->at; *p && *p != ':'; p++, n++) {
    bool exponent = number && n >= 2 && (p[-1] == 'e' || p[-1] == 'E') && (digit(p[-2]) || p[-2] == '.') && digit(p[1]);
    if (*p == '-' && !exponent) break;
    if (n == MOST_FIELD) return complain(c, "a field is too long");
    out[n] = *p;
  }
  out[n] = '\0';
  if (n == 0) return complain(c, "wanted a field");
  c->at += n;
  return NNB_OK;
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

/* A layer while its fields are read. */
typedef struct draft {
  const nnb_layer_ops *ops;
  union {
    nnb__dense dense;
    nnb__conv conv;
    nnb__pool pool;
    nnb__dropout dropout;
    nnb__norm norm;
    nnb__embedding embedding;
    nnb__gru gru;
  } self;
  nnb_activation hidden; /* without a field for it, where another layer follows */
  bool has_activation;
  char keys[128]; /* of the fields so far, each followed by ':' */
  nnb_activation activation;
  unsigned frozen;
  char name[MOST_FIELD + 1];
} draft;

/* The sides of a window: "5", or "3x5", height and width. */
static nnb_status take_window(cursor *c, int *height, int *width) {
  nnb_status status = take_size(c, width);
  if (status || *c->at != 'x') return status;
  c->at++, *height = *width;
  return take_size(c, width);
}

static nnb_status take_dense(cursor *c, draft *d) {
  d->self.dense = (nnb__dense){.bias = 1, .init_scale = 1};
  return take_size(c, &d->self.dense.units);
}
static nnb_status take_conv(cursor *c, draft *d) {
  nnb__conv *conv = &d->self.conv;
  *conv = (nnb__conv){.bias = 1, .init_scale = 1, .stride = 1};
  nnb_status status = take_size(c, &conv->channels);
  if (!status && *c->at != '@') return complain(c, "wanted '@' and the size of the window, as in conv6@5");
  if (!status) c->at++, status = take_window(c, &conv->height, &conv->width);
  return status;
}
static nnb_status take_pool(cursor *c, draft *d) {
  d->self.pool = (nnb__pool){0};
  return take_window(c, &d->self.pool.height, &d->self.pool.width);
}
static nnb_status take_nothing(cursor *c, draft *d) {
  (void)c, (void)d;
  return NNB_OK;
}
static nnb_status take_dropout(cursor *c, draft *d) {
  char text[MOST_FIELD + 1];
  cursor start = *c;
  nnb_status status = take_field(c, true, text);
  if (!status && nnb__attr_set(nnb__attr_find(d->ops, "p", 1), &d->self, text)) return NNB_OK;
  return complain(&start, "wanted the probability of dropping a number, as in dropout0.2");
}
static nnb_status take_norm(cursor *c, draft *d) {
  (void)c;
  d->self.norm = nnb__norm_defaults;
  return NNB_OK;
}

static nnb_status take_embedding(cursor *c, draft *d) {
  nnb__embedding *e = &d->self.embedding;
  *e = nnb__embedding_defaults;
  nnb_status status = take_size(c, &e->levels);
  if (!status && *c->at != 'x') return complain(c, "wanted 'x' and the number of units, as in embed10x4");
  if (!status) c->at++, status = take_size(c, &e->units);
  return status;
}

static nnb_status take_gru(cursor *c, draft *d) {
  d->self.gru = nnb__gru_defaults;
  return take_size(c, &d->self.gru.units);
}

/* The layers that a string can have: the word before the sizes, the fields that the sizes set, and the activation of a
 * layer that has none and is not the last one. */
static const struct {
  const char *word;
  const nnb_layer_ops *ops;
  nnb_status (*take)(cursor *c, draft *d);
  const char *sizes[3];
  nnb_activation hidden;
} layers[] = {
    {"conv", &nnb__layer_conv, take_conv, {"channels", "height", "width"}, NNB_RELU},
    {"maxpool", &nnb__layer_maxpool, take_pool, {"height", "width"}, NNB_LINEAR},
    {"avgpool", &nnb__layer_avgpool, take_pool, {"height", "width"}, NNB_LINEAR},
    {"flatten", &nnb__layer_flatten, take_nothing, {0}, NNB_LINEAR},
    {"dropout", &nnb__layer_dropout, take_dropout, {"p"}, NNB_LINEAR},
    {"layernorm", &nnb__layer_layernorm, take_norm, {0}, NNB_LINEAR},
    {"batchnorm", &nnb__layer_batchnorm, take_norm, {0}, NNB_LINEAR},
    {"embed", &nnb__layer_embedding, take_embedding, {"levels", "units"}, NNB_LINEAR},
    {"gru", &nnb__layer_gru, take_gru, {"units"}, NNB_LINEAR},
    {"", &nnb__layer_dense, take_dense, {"units"}, NNB_RELU}, /* the last one: every text begins with "" */
};

static bool is(const char *key, size_t n, const char *word) { return strlen(word) == n && memcmp(key, word, n) == 0; }

/* Whether a field of the layer was set by its sizes. */
static bool is_size(const nnb_layer_ops *ops, const char *name) {
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    for (size_t j = 0; layers[i].ops == ops && j < 3 && layers[i].sizes[j]; j++)
      if (strcmp(layers[i].sizes[j], name) == 0) return true;
  return false;
}

/* Applies one "key=value", or an activation, to the draft: a field of every node, or an attribute of the layer. */
static bool apply_field(const char *field, draft *d) {
  const char *eq = strchr(field, '=');
  size_t n = eq ? (size_t)(eq - field) : 0;
  const char *value = eq ? eq + 1 : field;
  if (!eq || is(field, n, "act")) return d->has_activation = nnb_activation_find(value, &d->activation);
  if (is(field, n, "name")) return strcpy(d->name, value), *value != '\0';
  if (is(field, n, "frozen")) {
    d->frozen = (unsigned)(value[0] - '0');
    return d->frozen <= (NNB_WEIGHTS | NNB_BIAS) && !value[1];
  }
  const nnb_attr *attr = nnb__attr_find(d->ops, field, n);
  return attr && !is_size(d->ops, attr->name) && nnb__attr_set(attr, &d->self, value);
}

/* Whether the field at c is an attribute that is a real number. */
static bool is_real(const nnb_layer_ops *ops, const cursor *c) {
  const nnb_attr *attr = nnb__attr_find(ops, c->at, strcspn(c->at, "=:-"));
  return attr && attr->type == NNB_ATTR_REAL;
}

/* Whether the field's key was seen before; remembers it.  All valid keys fit into d->keys. */
static bool is_repeated(const char *field, draft *d) {
  char key[MOST_FIELD + 3];
  const char *eq = strchr(field, '=');
  snprintf(key, sizeof key, ":%.*s:", eq ? (int)(eq - field) : 3, eq ? field : "act");
  if (strstr(d->keys, key)) return true;
  size_t n = strlen(d->keys);
  if (n + strlen(key) < sizeof d->keys) strcpy(d->keys + n, key);
  return false;
}

static void try_activations(nnb__nearest *nearest, const char *word) {
  for (int i = 0; i < NNB_N_ACTIVATIONS; i++)
    nnb__nearest_try(nearest, word, strcspn(word, ":-"), nnb_activation_name((nnb_activation)i));
}

static void try_inits(nnb__nearest *nearest, const char *word) {
  for (int i = 0; i < NNB_N_INITS; i++)
    nnb__nearest_try(nearest, word, strcspn(word, ":-"), nnb_init_name((nnb_init)i));
}

static void try_keys(nnb__nearest *nearest, const char *word, size_t n, const nnb_layer_ops *ops) {
  static const char *const fields[] = {"act", "name", "frozen"};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) nnb__nearest_try(nearest, word, n, fields[i]);
  for (const nnb_attr *attr = ops->attrs; attr && attr->name; attr++)
    if (!is_size(ops, attr->name)) nnb__nearest_try(nearest, word, n, attr->name);
}

/* The name that the field at `at` may have misspelt. */
static nnb__nearest nearest_field(const char *at, const nnb_layer_ops *ops) {
  nnb__nearest nearest = {0};
  const size_t n = strcspn(at, "=:-");
  const nnb_attr *attr = nnb__attr_find(ops, at, n);
  if (at[n] != '=')
    try_activations(&nearest, at);
  else if (is(at, n, "act"))
    try_activations(&nearest, at + n + 1);
  else if (attr && attr->type == NNB_ATTR_INIT)
    try_inits(&nearest, at + n + 1);
  else
    try_keys(&nearest, at, n, ops);
  return nearest.distance > 0 ? nearest : (nnb__nearest){0}; /* 0: the name is right, its value is not */
}

/* "wanted an activation, or act=, bias=, …, frozen= or name= with a valid value" */
static nnb_status complain_of_field(const cursor *c, const nnb_layer_ops *ops) {
  char keys[100] = "", hint[NNB__HINT];
  for (const nnb_attr *at = ops->attrs; at && at->name; at++) {
    const size_t n = strlen(keys);
    if (!is_size(ops, at->name)) snprintf(keys + n, sizeof keys - n, " %s=,", at->name);
  }
  char text[200 + NNB__HINT];
  const nnb__nearest nearest = nearest_field(c->at, ops);
  snprintf(text, sizeof text, "wanted an activation, or act=,%s frozen= or name= with a valid value%s", keys,
           nnb__nearest_hint(&nearest, hint));
  return complain(c, text);
}

/* A layer that begins with letters, but not with the word of one. */
static nnb_status complain_of_word(const cursor *c) {
  char text[200 + NNB__HINT] = "wanted a layer size from 1 to 2147483647, or", hint[NNB__HINT];
  nnb__nearest nearest = {0};
  const size_t n = strcspn(c->at, "0123456789:-@");
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
    const size_t used = strlen(text);
    if (!*layers[i].word) continue;
    nnb__nearest_try(&nearest, c->at, n, layers[i].word);
    snprintf(text + used, sizeof text - used, "%s %s", i ? "," : "", layers[i].word);
  }
  strcat(text, nnb__nearest_hint(&nearest, hint));
  return complain(c, text);
}

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/* Reads the kind, the sizes and the fields of a layer. */
static nnb_status take_layer(cursor *c, draft *d) {
  char field[MOST_FIELD + 1];
  size_t i = 0;
  while (strncmp(c->at, layers[i].word, strlen(layers[i].word)) != 0) i++;
  if (!*layers[i].word && letter(*c->at)) return complain_of_word(c);
  d->ops = layers[i].ops, d->hidden = layers[i].hidden;
  c->at += strlen(layers[i].word);
  nnb_status status = layers[i].take(c, d);
  while (!status && *c->at == ':') {
    c->at++;
    cursor start = *c;
    status = take_field(c, is_real(d->ops, c), field);
    if (!status && is_repeated(field, d)) return complain(&start, "the same option appears twice");
    if (!status && !apply_field(field, d)) status = complain_of_field(&start, d->ops);
  }
  return status;
}

/* Adds the layer after the node *from (0: the node added last); the node or an error. */
static int append(nnb_net *net, const int *from, draft *d) {
  const nnb_attr *init = nnb__attr_find(d->ops, "init", 4);
  if (init) {
    int *field = (int *)(void *)((char *)&d->self + init->offset);
    if (*field == NNB_INIT_AUTO) *field = (int)nnb__init_for((int)d->activation);
  }
  return nnb__net_append(net, d->ops, &d->self, from, 1, (int)d->activation, d->frozen, *d->name ? d->name : NULL,
                         d->ops->name);
}

static nnb_status parse_layer(cursor *c, nnb_net *net) {
  draft d = {0};
  char reason[160];
  const int first = (int)(c->at - c->text) + 1;
  nnb_status status = take_layer(c, &d);
  if (status) return status;
  if (*c->at && *c->at != '-') return complain(c, "wanted '-' or ':'");
  if (!d.has_activation && *c->at == '-') d.activation = d.hidden;
  const int node = append(net, NULL, &d);
  if (node > 0 || node == NNB_E_NOMEM) return node > 0 ? NNB_OK : NNB_E_NOMEM;
  snprintf(reason, sizeof reason, "%.159s", nnb_errmsg());
  return nnb__fail(NNB_E_PARSE, "\"%s\": the layer at character %d: %s", c->text, first, reason);
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

/* "784" columns, or images: "1x28x28", channels, height and width; "3x100", channels and width. */
static nnb_status take_inputs(cursor *c, int *cols, nnb_shape *shape) {
  int side[3] = {0}, n = 0;
  const cursor start = *c;
  nnb_status status = take_size(c, &side[n++]);
  while (!status && n < 3 && *c->at == 'x') c->at++, status = take_size(c, &side[n++]);
  if (status) return status;
  *cols = side[0];
  for (int i = 1; i < n; i++)
    if (__builtin_mul_overflow(*cols, side[i], cols)) return complain(&start, "more inputs than an int can count");
  *shape = n == 1 ? (nnb_shape){0} : (nnb_shape){side[0], n == 3 ? side[1] : 1, side[n - 1]};
  return NNB_OK;
}

nnb_status nnb_net_parse(const char *text, nnb_net **out) {
  if (!text || !out) return nnb__fail(NNB_E_ARG, "text or out is NULL");
  *out = NULL;
  cursor c = {text, text};
  int n_in = 0;
  nnb_shape shape = {0};
  nnb_status status = take_inputs(&c, &n_in, &shape);
  if (!status && *c.at != '-') status = complain(&c, "wanted '-' and a layer");
  if (status) return status;
  nnb_net *net = nnb_net_create(n_in);
  if (!net) return NNB_E_NOMEM;
  if (shape.channels > 0) status = (nnb_status)nnb_net_shape(net, 0, shape.channels, shape.height, shape.width);
  while (!status && *c.at == '-') {
    c.at++;
    status = parse_layer(&c, net);
  }
  if (status)
    nnb_net_destroy(net);
  else
    *out = net;
  return status;
}

int nnb_net_layer(nnb_net *net, int from, const char *text) {
  draft d = {0};
  cursor c = {text, text};
  nnb_status status = nnb__net_open(net);
  if (!status && !text) status = nnb__fail(NNB_E_ARG, "text is NULL");
  if (!status) status = take_layer(&c, &d);
  if (!status && *c.at) status = complain(&c, "wanted ':' or the end");
  return status ? (int)nnb__net_stick(net, status) : append(net, &from, &d);
}
