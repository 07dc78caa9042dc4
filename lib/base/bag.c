/* base/bag.c */
#include "bag.h"

#include <string.h>

#include "alloc.h"
#include "status.h"
#include "text.h"

size_t nnb__dtype_size(nnb__dtype dtype) {
  static const size_t size[] = {[NNB__F64] = 8, [NNB__F32] = 4, [NNB__I64] = 8, [NNB__I32] = 4, [NNB__U8] = 1};
  return size[dtype];
}

size_t nnb__tensor_count(const nnb__tensor *tensor) {
  size_t n = 1;
  for (int i = 0; i < tensor->n_dims; i++) n *= tensor->dim[i];
  return n;
}

void nnb__bag_clear(nnb__bag *bag) {
  for (size_t i = 0; i < bag->n_tensors; i++) nnb__release(bag->tensors[i].name);
  for (size_t i = 0; i < bag->n_entries; i++) {
    nnb__release(bag->entries[i].name);
    nnb__release(bag->entries[i].text);
  }
  nnb__release(bag->tensors);
  nnb__release(bag->entries);
  *bag = (nnb__bag){0};
}

const nnb__tensor *nnb__bag_find_tensor(const nnb__bag *bag, const char *name) {
  for (size_t i = 0; i < bag->n_tensors; i++)
    if (strcmp(bag->tensors[i].name, name) == 0) return &bag->tensors[i];
  return NULL;
}

const char *nnb__bag_find_string(const nnb__bag *bag, const char *name) {
  for (size_t i = 0; i < bag->n_entries; i++)
    if (strcmp(bag->entries[i].name, name) == 0) return bag->entries[i].text;
  return NULL;
}

bool nnb__bag_find_number(const nnb__bag *bag, const char *name, double *out) {
  const char *text = nnb__bag_find_string(bag, name);
  return text && nnb__text_to_double(text, out);
}

static bool refuse_twice(nnb__bag *bag, const char *name, bool there) {
  if (there) bag->status = nnb__fail(NNB_E_ARG, "the name \"%s\" is used twice", name);
  return there;
}

void nnb__bag_tensor(nnb__bag *bag, const char *name, nnb__dtype dtype, int n_dims, const size_t *dim,
                     const void *data) {
  if (bag->status || refuse_twice(bag, name, !bag->distinct && nnb__bag_find_tensor(bag, name))) return;
  char *copy = nnb__strdup(name);
  if (!copy || !nnb__grow(&bag->tensors, &bag->cap_tensors, bag->n_tensors + 1, sizeof *bag->tensors)) {
    nnb__release(copy);
    bag->status = nnb__fail_nomem("a tensor's entry");
    return;
  }
  nnb__tensor *t = &bag->tensors[bag->n_tensors++];
  *t = (nnb__tensor){.name = copy, .dtype = dtype, .n_dims = n_dims, .data = data};
  for (int i = 0; i < n_dims; i++) t->dim[i] = dim[i];
}

void nnb__bag_string(nnb__bag *bag, const char *name, const char *text) {
  if (bag->status || refuse_twice(bag, name, !bag->distinct && nnb__bag_find_string(bag, name))) return;
  char *copy = nnb__strdup(name), *text_copy = nnb__strdup(text);
  if (!copy || !text_copy || !nnb__grow(&bag->entries, &bag->cap_entries, bag->n_entries + 1, sizeof *bag->entries)) {
    nnb__release(copy);
    nnb__release(text_copy);
    bag->status = nnb__fail_nomem("an entry");
    return;
  }
  bag->entries[bag->n_entries++] = (nnb__entry){copy, text_copy};
}

void nnb__bag_number(nnb__bag *bag, const char *name, double value) {
  char text[NNB__DOUBLE_TEXT];
  nnb__double_to_text(value, text);
  nnb__bag_string(bag, name, text);
}
