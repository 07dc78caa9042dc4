/* nn/attr.c */
#include "attr.h"

#include <limits.h>
#include <string.h>

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
