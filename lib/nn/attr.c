/* nn/attr.c */
#include "attr.h"

#include <limits.h>
#include <string.h>

#include "status.h"

nnb_status nnb__attr_check(const nnb_layer_ops *ops, bool output) {
  static const char *const taken[] = {
      "layer",  "name", "from",   "act",   "frozen",         "shape",
      "output", "loss", "factor", "delta", "label_smoothing"}; /* the last four: of outputs */
  const size_t n = sizeof taken / sizeof *taken - (output ? 0 : 4);
  for (const nnb_attr *at = ops->attrs; at && at->name; at++) {
    bool used = false;
    for (size_t i = 0; i < n; i++) used |= strcmp(at->name, taken[i]) == 0;
    for (const nnb_attr *other = ops->attrs; other < at; other++) used |= strcmp(at->name, other->name) == 0;
    if (used)
      return nnb__fail(NNB_E_ARG, "layer %s: the name of the attribute \"%.60s\" is taken%s; wanted another name",
                       ops->name, at->name, output ? " where the layer is an output" : "");
  }
  return NNB_OK;
}

const nnb_attr *nnb__attr_find(const nnb_layer_ops *ops, const char *name, size_t n) {
  for (const nnb_attr *at = ops->attrs; at && at->name; at++)
    if (strlen(at->name) == n && memcmp(at->name, name, n) == 0) return at;
  return NULL;
}

const char *nnb__attr_get(const nnb_attr *attr, const void *self, char text[NNB__DOUBLE_TEXT]) {
  const char *field = (const char *)self + attr->offset;
  int number = 0;
  double value = 0;
  if (attr->type == NNB_ATTR_REAL) {
    memcpy(&value, field, sizeof value);
    nnb__double_to_text(value, text);
    return text;
  }
  memcpy(&number, field, sizeof number);
  if (attr->type == NNB_ATTR_INIT) return nnb_init_name((nnb_init)number);
  snprintf(text, NNB__DOUBLE_TEXT, "%d", number);
  return text;
}

bool nnb__attr_set(const nnb_attr *attr, void *self, const char *text) {
  char *field = (char *)self + attr->offset;
  double value;
  nnb_init init;
  if (attr->type == NNB_ATTR_INIT) {
    if (!nnb_init_find(text, &init)) return false;
    memcpy(field, &(int){(int)init}, sizeof(int));
    return true;
  }
  if (!nnb__text_to_double(text, &value) || !isfinite(value)) return false;
  if (attr->type == NNB_ATTR_REAL) {
    memcpy(field, &value, sizeof value);
    return true;
  }
  if (!(value >= INT_MIN && value <= INT_MAX) || value != floor(value)) return false;
  memcpy(field, &(int){(int)value}, sizeof(int));
  return true;
}
