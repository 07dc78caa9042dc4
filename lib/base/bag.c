/* base/bag.c */
#include "bag.h"

#include <string.h>

#include "alloc.h"
#include "status.h"
#include "text.h"

size_t nnb__dtype_size(nnb__dtype dtype) {
  static const size_t size[] = {
      [NNB__F64] = 8, [NNB__F32] = 4, [NNB__I64] = 8, [NNB__I32] = 4, [NNB__U8] = 1, [NNB__F16] = 2, [NNB__BF16] = 2};
  return size[dtype];
}

size_t nnb__tensor_count(const nnb__tensor *tensor) {
  size_t n = 1;
  for (int i = 0; i < tensor->n_dims; i++) n *= tensor->dim[i];
  return n;
}

void nnb__bag_clear(nnb__bag *bag) {
  for (size_t i = 0; i < bag->n_entries; i++) nnb__release(bag->entries[i].text);
  nnb__release(bag->tensors);
  nnb__release(bag->entries);
  nnb__table_clear(&bag->tensor_names);
  nnb__table_clear(&bag->entry_names);
  *bag = (nnb__bag){0};
}

/* ---- lookup ------------------------------------------------------------------------------------------------------ */

/* The number of a name in one of the two tables, or -1. */
static int64_t find(const nnb__table *names, const char *name) { return nnb__table_find(names, name, strlen(name)); }

const nnb__tensor *nnb__bag_find_tensor(const nnb__bag *bag, const char *name) {
  int64_t i = find(&bag->tensor_names, name);
  return i < 0 ? NULL : &bag->tensors[i];
}

const char *nnb__bag_find_string(const nnb__bag *bag, const char *name) {
  int64_t i = find(&bag->entry_names, name);
  return i < 0 ? NULL : bag->entries[i].text;
}

bool nnb__bag_find_number(const nnb__bag *bag, const char *name, double *out) {
  const char *text = nnb__bag_find_string(bag, name);
  return text && nnb__text_to_double(text, out);
}

/* ---- insertion --------------------------------------------------------------------------------------------------- */

static bool may_put(nnb__bag *bag, const nnb__table *names, const char *name) {
  if (bag->status) return false;
  if (find(names, name) >= 0) bag->status = nnb__fail(NNB_E_ARG, "the name \"%s\" is used twice", name);
  return !bag->status;
}

void nnb__bag_tensor(nnb__bag *bag, const char *name, nnb__dtype dtype, int n_dims, const size_t *dim,
                     const void *data) {
  nnb__table *names = &bag->tensor_names;
  size_t n = bag->n_tensors;
  if (!may_put(bag, names, name)) return;
  if (!nnb__grow(&bag->tensors, &bag->cap_tensors, n + 1, sizeof *bag->tensors) ||
      nnb__table_add(names, name, strlen(name)) < 0) {
    bag->status = nnb__fail_nomem("a tensor's entry");
    return;
  }
  nnb__tensor *t = &bag->tensors[bag->n_tensors++];
  *t = (nnb__tensor){.name = names->text[n], .dtype = dtype, .n_dims = n_dims, .data = data};
  for (int i = 0; i < n_dims; i++) t->dim[i] = dim[i];
}

void nnb__bag_stored(nnb__bag *bag, const char *name, nnb__dtype dtype, int n_dims, const size_t *dim,
                     const nnb__store *store, uint64_t at) {
  nnb__bag_tensor(bag, name, dtype, n_dims, dim, NULL);
  if (bag->status) return;
  bag->tensors[bag->n_tensors - 1].store = store;
  bag->tensors[bag->n_tensors - 1].at = at;
}

void nnb__bag_string(nnb__bag *bag, const char *name, const char *text) {
  nnb__table *names = &bag->entry_names;
  size_t n = bag->n_entries;
  if (!may_put(bag, names, name)) return;
  char *copy = nnb__strdup(text);
  if (!copy || !nnb__grow(&bag->entries, &bag->cap_entries, n + 1, sizeof *bag->entries) ||
      nnb__table_add(names, name, strlen(name)) < 0) {
    nnb__release(copy);
    bag->status = nnb__fail_nomem("an entry");
    return;
  }
  bag->entries[bag->n_entries++] = (nnb__entry){names->text[n], copy};
}

void nnb__bag_number(nnb__bag *bag, const char *name, double value) {
  char text[NNB__DOUBLE_TEXT];
  nnb__double_to_text(value, text);
  nnb__bag_string(bag, name, text);
}
