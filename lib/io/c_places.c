/* io/c_places.c: addresses in the function of emitted C source that is being written. */
#include "c_writer.h"

const char *nnb__c_place_in(char out[NNB__C_PLACE], char array, int64_t at) {
  snprintf(out, NNB__C_PLACE, "&%c[%lld]", array, (long long)at);
  return out;
}

/* Where the function being written has the values of a node. */
const char *nnb__c_values(const nnb__c_writer *w, int k, char out[NNB__C_PLACE]) {
  const nnb__c_place *p = &w->layout.place[k - 1];
  if (w->kept) return nnb__c_place_in(out, 's', p->keep);
  return p->slot == NNB__C_NOWHERE ? nnb__c_place_in(out, 'x', w->net->nodes[k - 1].x_col)
                                   : nnb__c_place_in(out, 's', p->slot);
}

const char *nnb__c_derivatives(const nnb__c_writer *w, int k, char out[NNB__C_PLACE]) {
  return nnb__c_place_in(out, 'd', w->layout.place[k - 1].d);
}

const char *nnb__c_params_from(const nnb__c_writer *w, int k, nnb__c_part part, int64_t first, char out[NNB__C_PLACE]) {
  const nnb__c_place *p = &w->layout.place[k - 1];
  const nnb__node *node = &w->net->nodes[k - 1];
  const int64_t off = (int64_t)node->off, weights = (int64_t)node->needs.w_rows * node->needs.w_cols;
  const bool norm = node->ops == &nnb__layer_layernorm || node->ops == &nnb__layer_batchnorm;
  if (!w->integers) return nnb__c_place_in(out, 'p', (part == NNB__C_BIAS ? off + weights : off) + first);
  if (norm && part == NNB__C_WEIGHTS) part = NNB__C_FACTOR; /* which stay numbers */
  static const char *const field[] = {[NNB__C_WEIGHTS] = "w", [NNB__C_FACTOR] = "factor", [NNB__C_BIAS] = "bias"};
  const int64_t at[] = {[NNB__C_WEIGHTS] = p->w, [NNB__C_FACTOR] = p->factor, [NNB__C_BIAS] = p->bias};
  snprintf(out, NNB__C_PLACE, "&p->%s[%lld]", field[part], (long long)(at[part] + first));
  return out;
}

const char *nnb__c_params(const nnb__c_writer *w, int k, nnb__c_part part, char out[NNB__C_PLACE]) {
  return nnb__c_params_from(w, k, part, 0, out);
}

/* @_zero(n, y); and similar ones; x NULL: without it */
void nnb__c_call(nnb__c_writer *w, nnb__c_helper helper, int n, const char *x, const char *y) {
  static const char *const names[] = {
      [NNB__C_ZERO] = "zero", [NNB__C_COPY] = "copy", [NNB__C_ADD] = "add", [NNB__C_TIMES] = "times"};
  w->helper[helper] = true;
  nnb__c_put(&w->body, "  @_%s(%d, %s%s%s);\n", names[helper], n, x ? x : "", x ? ", " : "", y);
}
