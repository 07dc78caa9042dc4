/* io/c_gru.c: gated recurrent units in emitted C source.  A record g of a step has h before it, r, z, n and u, as in
 * nn/gru.c; a prediction has one record for all steps.  The δ, e, are those of r, z, n and u; where all steps keep
 * theirs, a step of the parameters reads them.  The parameters are [W; U; c] and b. */
#include "c_layers.h"

enum { PLACE = NNB__C_PLACE };
typedef nnb__c_writer writer;

static const nnb__gru *gru_at(const writer *w, int k) { return w->net->nodes[k - 1].self; }

static const char *weights_of_h(const writer *w, int k, char out[PLACE]) {
  const nnb__gru *d = gru_at(w, k);
  return nnb__c_params_from(w, k, NNB__C_WEIGHTS, (int64_t)d->channels * d->units * 3, out);
}

/* name = &array[at], or that of step k, `size` numbers apart */
static void put_step_of(writer *w, const char *name, char array, int64_t at, int size) {
  nnb__c_put(&w->body, "    %s = &%c[%lld", name, array, (long long)at);
  if (size > 0) nnb__c_put(&w->body, " + (k * %d)", size);
  nnb__c_paste(&w->body, "];\n");
}

static int record_size(const writer *w, const nnb__gru *d) { return w->kept ? NNB__C_RECORD * d->units : 0; }
static void put_record(writer *w, int k, const char *name) {
  put_step_of(w, name, 's', w->kept ? w->layout.place[k - 1].record : w->layout.record, record_size(w, gru_at(w, k)));
}

/* ∂E/∂h, and behind it the δ */
static const char *derivatives_of_h(const writer *w, int k, char out[PLACE]) {
  return nnb__c_place_in(out, 'd', w->layout.place[k - 1].delta);
}
static void put_deltas(writer *w, int k, const char *name) {
  const int units = gru_at(w, k)->units;
  put_step_of(w, name, 'd', w->layout.place[k - 1].delta + units, w->opts->step ? NNB__C_DELTA * units : 0);
}

/* A call of another helper within a loop over the steps */
static void call_inside(writer *w, nnb__c_helper helper, int n, const char *x, const char *y) {
  nnb__c_paste(&w->body, "  ");
  nnb__c_call(w, helper, n, x, y);
}

/* Weights that are integers: numbers for r, z, n, u ← times the factors of r, z, n, n */
static void put_factors(writer *w, int k, char array, int at) {
  const int units = gru_at(w, k)->units;
  char p[PLACE], to[PLACE];
  call_inside(w, NNB__C_TIMES, 3 * units, nnb__c_params(w, k, NNB__C_FACTOR, p), nnb__c_place_in(to, array, at));
  call_inside(w, NNB__C_TIMES, units, nnb__c_params_from(w, k, NNB__C_FACTOR, 2 * units, p),
              nnb__c_place_in(to, array, at + 3 * units));
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* The sums: b, then what W, U and c add; integers have the bias last. */
static void put_sums(writer *w, int k) {
  const nnb__gru *d = gru_at(w, k);
  const int units = d->units;
  char x[PLACE], p[PLACE], sums[PLACE], u[PLACE];
  nnb__c_place_in(sums, 'g', units), nnb__c_place_in(u, 'g', 4 * units);
  if (!w->integers) call_inside(w, NNB__C_COPY, 3 * units, nnb__c_params(w, k, NNB__C_BIAS, p), sums);
  call_inside(w, NNB__C_ZERO, w->integers ? 4 * units : units, NULL, w->integers ? sums : u);
  w->helper[NNB__C_GRU_SUMS] = true;
  nnb__c_put(&w->body, "    @_gru_sums(%d, %d, %d, k, %s, %s, g);\n", d->channels, units, d->steps,
             nnb__c_params(w, k, NNB__C_WEIGHTS, p), nnb__c_values(w, w->net->nodes[k - 1].from[0], x));
  if (!w->integers) return;
  put_factors(w, k, 'g', units);
  call_inside(w, NNB__C_ADD, 3 * units, nnb__c_params(w, k, NNB__C_BIAS, p), sums);
}

void nnb__c_put_gru(writer *w, int k) {
  const nnb__gru *d = gru_at(w, k);
  char h[PLACE], z[PLACE];
  nnb__c_place_in(h, 's', w->kept ? w->layout.place[k - 1].record : w->layout.record);
  nnb__c_call(w, NNB__C_ZERO, d->units, NULL, h);
  nnb__c_put(&w->body, "  for (int k = 0; k < %d; ++k) {\n", d->steps);
  put_record(w, k, "$ *g");
  put_sums(w, k);
  w->helper[NNB__C_GRU_STATE] = true;
  nnb__c_put(&w->body, "    @_gru_state(%d, %d, %d, %s, g, %s);\n  }\n", d->units, record_size(w, d),
             d->sequence ? d->steps : 1, d->sequence ? "k" : "0", nnb__c_values(w, k, z));
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

static void put_back_x(writer *w, int k) {
  const nnb__gru *d = gru_at(w, k);
  const int from = w->net->nodes[k - 1].from[0];
  const bool first = nnb__node_is_input(&w->net->nodes[from - 1]);
  char x[PLACE], p[PLACE];
  if (first) nnb__c_paste(&w->body, "    if (to_inputs != 0) {\n  ");
  w->helper[NNB__C_GRU_BACK_X] = true;
  nnb__c_put(&w->body, "    @_gru_back_x(%d, %d, %d, k, %s, e, %s);\n", d->channels, d->units, d->steps,
             nnb__c_params(w, k, NNB__C_WEIGHTS, p), nnb__c_derivatives(w, from, x));
  if (first) nnb__c_paste(&w->body, "    }\n");
}

/* ∂E/∂h ← ∂E/∂h + that of step k's output */
static void put_back_sequence(writer *w, int k) {
  const nnb__gru *d = gru_at(w, k);
  const nnb__c_place *p = &w->layout.place[k - 1];
  nnb__c_put(&w->body, "    for (int j = 0; j < %d; ++j) {\n      d[%lld + j] += d[(%lld + (j * %d)) + k];\n    }\n",
             d->units, (long long)p->delta, (long long)p->d, d->steps);
}

void nnb__c_back_gru(writer *w, int k) {
  const nnb__gru *d = gru_at(w, k);
  char h[PLACE], z[PLACE], p[PLACE];
  derivatives_of_h(w, k, h);
  if (!d->sequence) nnb__c_call(w, NNB__C_ADD, d->units, nnb__c_derivatives(w, k, z), h);
  nnb__c_put(&w->body, "  for (int k = %d; k >= 0; --k) {\n", d->steps - 1);
  put_record(w, k, "const $ *g");
  put_deltas(w, k, "$ *e");
  if (d->sequence) put_back_sequence(w, k);
  w->helper[NNB__C_GRU_PULL] = w->helper[NNB__C_GRU_BACK_H] = true;
  nnb__c_put(&w->body, "    @_gru_pull(%d, g, %s, e);\n", d->units, h);
  if (w->integers) put_factors(w, k, 'e', 0);
  nnb__c_put(&w->body, "    @_gru_back_h(%d, %s, e, %s);\n", d->units, weights_of_h(w, k, p), h);
  put_back_x(w, k);
  nnb__c_paste(&w->body, "  }\n");
}

/* ---- a step of the parameters ------------------------------------------------------------------------------------ */

void nnb__c_descend_gru(writer *w, int k) {
  const nnb__gru *d = gru_at(w, k);
  const nnb__node *node = &w->net->nodes[k - 1];
  const bool weights = !(node->frozen & NNB_WEIGHTS), bias = !(node->frozen & NNB_BIAS);
  char x[PLACE], p[PLACE];
  if (!weights && !bias) return;
  nnb__c_put(&w->body, "  for (int k = 0; k < %d; ++k) {\n", d->steps);
  if (weights) put_record(w, k, "const $ *g");
  put_deltas(w, k, "const $ *e");
  w->helper[NNB__C_GRU_DESCEND] |= weights, w->helper[NNB__C_DESCEND_BIAS] |= bias;
  if (weights)
    nnb__c_put(&w->body, "    @_gru_descend(%d, %d, %d, k, lr, %s, g, e, %s);\n", d->channels, d->units, d->steps,
               nnb__c_values(w, node->from[0], x), nnb__c_params(w, k, NNB__C_WEIGHTS, p));
  if (bias)
    nnb__c_put(&w->body, "    @_descend_bias(%d, lr, e, %s);\n", 3 * d->units, nnb__c_params(w, k, NNB__C_BIAS, p));
  nnb__c_paste(&w->body, "  }\n");
}
