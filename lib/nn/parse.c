/* nn/parse.c: "64-32:tanh-10:softmax" as a chain of dense layers. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "status.h"

enum { MOST_FIELD = 63 };

typedef struct cursor {
  const char *text, *at;
} cursor;

static nnb_status complain(const cursor *c, const char *wanted) {
  return nnb__fail(NNB_E_PARSE, "\"%s\": %s at character %d%s", c->text, wanted, (int)(c->at - c->text) + 1,
                   *c->at ? "" : ", where it ends");
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

/* The text up to the next ':', '-' or end.  A '-' that follows an 'e' and precedes a digit belongs to a number, 1e-3. */
static nnb_status take_field(cursor *c, char out[MOST_FIELD + 1]) {
  size_t n = 0;
  for (const char *p = c->at; *p && *p != ':'; p++, n++) {
    bool exponent = n > 1 && p[-1] == 'e' && p[-2] >= '.' && p[-2] <= '9' && p[1] >= '0' && p[1] <= '9';
    if (*p == '-' && !exponent) break;
    if (n == MOST_FIELD) return complain(c, "a field is too long");
    out[n] = *p;
  }
  out[n] = '\0';
  if (n == 0) return complain(c, "wanted a field");
  c->at += n;
  return NNB_OK;
}

static bool take_number(const char *text, double lo, double hi, double *out) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end || !(value >= lo && value <= hi)) return false;
  *out = value;
  return true;
}

/* One "key=value" or activation into the options. */
static bool apply(const char *field, nnb_dense_opts *opts, bool *has_act, char name[MOST_FIELD + 1]) {
  const char *eq = strchr(field, '=');
  double number;
  if (!eq || strncmp(field, "act=", 4) == 0) {
    *has_act = true;
    return nnb_activation_find(eq ? eq + 1 : field, &opts->activation);
  }
  size_t n = (size_t)(eq - field);
  const char *value = eq + 1;
  if (n == 4 && memcmp(field, "bias", n) == 0) {
    opts->no_bias = value[0] == '0';
    return (value[0] == '0' || value[0] == '1') && !value[1];
  }
  if (n == 4 && memcmp(field, "init", n) == 0) return nnb_init_find(value, &opts->init);
  if (n == 4 && memcmp(field, "name", n) == 0) return opts->name = strcpy(name, value), true;
  if (n == 6 && memcmp(field, "frozen", n) == 0 && take_number(value, 0, 3, &number)) {
    opts->frozen = (unsigned)number;
    return number == opts->frozen;
  }
  return n == 10 && memcmp(field, "init_scale", n) == 0 && take_number(value, 0, 1e300, &opts->init_scale);
}

static nnb_status parse_layer(cursor *c, nnb_net *net) {
  nnb_dense_opts opts = {0};
  char field[MOST_FIELD + 1], name[MOST_FIELD + 1];
  bool has_act = false;
  nnb_status status = take_size(c, &opts.units);
  while (!status && *c->at == ':') {
    c->at++;
    cursor start = *c;
    status = take_field(c, field);
    if (!status && !apply(field, &opts, &has_act, name))
      status = complain(&start, "wanted an activation, or act=, bias=, init=, init_scale=, frozen= or name= with a value that it can have,");
  }
  if (status) return status;
  if (*c->at && *c->at != '-') return complain(c, "wanted '-' or ':'");
  if (!has_act && *c->at == '-') opts.activation = NNB_RELU; /* a hidden layer */
  int node = nnb_net_dense_opts(net, &opts);
  return node < 0 ? (nnb_status)node : NNB_OK;
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
