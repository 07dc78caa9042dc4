/* nn/parse.c: "64-32:tanh-10:softmax" as a chain of dense layers, "10:softmax" as one. */
#include <limits.h>
#include <string.h>

#include "attr.h"
#include "build.h"
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

/* The text up to the next ':', '-' or the end.  The '-' of init_scale=1e-3 belongs to the number; in all other fields a
 * '-' ends the field. */
static nnb_status take_field(cursor *c, char out[MOST_FIELD + 1]) {
  size_t n = 0;
  bool number = strncmp(c->at, "init_scale=", 11) == 0;
  for (const char *p = c->at; *p && *p != ':'; p++, n++) {
    bool exponent = number && (p[-1] == 'e' || p[-1] == 'E') && (digit(p[-2]) || p[-2] == '.') && digit(p[1]);
    if (*p == '-' && !exponent) break;
    if (n == MOST_FIELD) return complain(c, "a field is too long");
    out[n] = *p;
  }
  out[n] = '\0';
  if (n == 0) return complain(c, "wanted a field");
  c->at += n;
  return NNB_OK;
}

/* A dense layer while its fields are read. */
typedef struct draft {
  nnb__dense dense;
  bool has_activation;
  char keys[128]; /* of the fields so far, each followed by ':' */
  nnb_activation activation;
  unsigned frozen;
  char name[MOST_FIELD + 1];
} draft;

static bool is(const char *key, size_t n, const char *word) { return strlen(word) == n && memcmp(key, word, n) == 0; }

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
  const nnb_attr *attr = nnb__attr_find(&nnb__layer_dense, field, n);
  return attr && attr->offset != offsetof(nnb__dense, units) /* the size comes first */ &&
         nnb__attr_set(attr, &d->dense, value);
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

/* Reads the size and the fields of a layer. */
static nnb_status take_layer(cursor *c, draft *d) {
  char field[MOST_FIELD + 1];
  nnb_status status = take_size(c, &d->dense.units);
  while (!status && *c->at == ':') {
    c->at++;
    cursor start = *c;
    status = take_field(c, field);
    if (!status && is_repeated(field, d)) return complain(&start, "the same option appears twice");
    if (!status && !apply_field(field, d))
      status = complain(
          &start, "wanted an activation, or act=, bias=, init=, init_scale=, frozen= or name= with a valid value");
  }
  return status;
}

/* Adds the layer after the node *from (0: the node added last); the node or an error. */
static int append(nnb_net *net, const int *from, draft *d) {
  if (d->dense.init == NNB_INIT_AUTO) d->dense.init = (int)nnb__init_for((int)d->activation);
  return nnb__net_append(net, &nnb__layer_dense, &d->dense, from, 1, (int)d->activation, d->frozen,
                         *d->name ? d->name : NULL, "dense");
}

static const draft plain = {.dense = {.bias = 1, .init_scale = 1}};

static nnb_status parse_layer(cursor *c, nnb_net *net) {
  draft d = plain;
  char reason[160];
  const int first = (int)(c->at - c->text) + 1;
  nnb_status status = take_layer(c, &d);
  if (status) return status;
  if (*c->at && *c->at != '-') return complain(c, "wanted '-' or ':'");
  if (!d.has_activation && *c->at == '-') d.activation = NNB_RELU; /* a hidden layer */
  const int node = append(net, NULL, &d);
  if (node > 0 || node == NNB_E_NOMEM) return node > 0 ? NNB_OK : NNB_E_NOMEM;
  snprintf(reason, sizeof reason, "%.159s", nnb_errmsg());
  return nnb__fail(NNB_E_PARSE, "\"%s\": the layer at character %d: %s", c->text, first, reason);
}

nnb_status nnb_net_parse(const char *text, nnb_net **out) {
  if (!text || !out) return nnb__fail(NNB_E_ARG, "text or out is NULL");
  *out = NULL;
  cursor c = {text, text};
  int n_in = 0;
  nnb_status status = take_size(&c, &n_in);
  if (!status && *c.at != '-') status = complain(&c, "wanted '-' and a layer");
  if (status) return status;
  nnb_net *net = nnb_net_create(n_in);
  if (!net) return NNB_E_NOMEM;
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
  draft d = plain;
  cursor c = {text, text};
  nnb_status status = nnb__net_open(net);
  if (!status && !text) status = nnb__fail(NNB_E_ARG, "text is NULL");
  if (!status) status = take_layer(&c, &d);
  if (!status && *c.at) status = complain(&c, "wanted ':' or the end");
  return status ? (int)nnb__net_stick(net, status) : append(net, &from, &d);
}
