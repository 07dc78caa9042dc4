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
  for (int kind = 0; kind < 2; kind++) nnb__release(bag->by_name[kind].slot);
  *bag = (nnb__bag){0};
}

/* ---- names: a hash table with open addressing, for files with very many ------------------------------------------ */

enum { ENTRIES, TENSORS };

static const char *name_of(const nnb__bag *bag, int kind, size_t i) {
  return kind == ENTRIES ? bag->entries[i].name : bag->tensors[i].name;
}

/* FNV-1a (Fowler, Noll, Vo) */
static uint64_t hash(const char *name) {
  uint64_t h = 0xCBF29CE484222325u;
  for (; *name; name++) h = (h ^ (unsigned char)*name) * 0x100000001B3u;
  return h ^ h >> 32;
}

/* The slot where the name is or would go; there is a free one. */
static uint32_t *slot_of(const nnb__bag *bag, int kind, const char *name) {
  const struct nnb__index *index = &bag->by_name[kind];
  for (size_t i = (size_t)hash(name);; i++) {
    uint32_t *slot = &index->slot[i & (index->n_slots - 1)];
    if (*slot == 0 || strcmp(name_of(bag, kind, *slot - 1), name) == 0) return slot;
  }
}

/* Its number, or -1. */
static int64_t find(const nnb__bag *bag, int kind, const char *name) {
  return bag->by_name[kind].n_slots ? (int64_t)*slot_of(bag, kind, name) - 1 : -1;
}

/* Room for name number n in the index, of which at most half is in use. */
static bool grow_index(nnb__bag *bag, int kind, size_t n) {
  struct nnb__index *index = &bag->by_name[kind];
  if (n < index->n_slots / 2) return true;
  size_t n_slots = index->n_slots ? 2 * index->n_slots : 64;
  uint32_t *slot = n < INT32_MAX ? nnb__zalloc(n_slots, sizeof *slot) : NULL;
  if (!slot) return false;
  nnb__release(index->slot);
  *index = (struct nnb__index){slot, n_slots};
  for (size_t i = 0; i < n; i++) *slot_of(bag, kind, name_of(bag, kind, i)) = (uint32_t)(i + 1);
  return true;
}

const nnb__tensor *nnb__bag_find_tensor(const nnb__bag *bag, const char *name) {
  int64_t i = find(bag, TENSORS, name);
  return i < 0 ? NULL : &bag->tensors[i];
}

const char *nnb__bag_find_string(const nnb__bag *bag, const char *name) {
  int64_t i = find(bag, ENTRIES, name);
  return i < 0 ? NULL : bag->entries[i].text;
}

bool nnb__bag_find_number(const nnb__bag *bag, const char *name, double *out) {
  const char *text = nnb__bag_find_string(bag, name);
  return text && nnb__text_to_double(text, out);
}

/* ---- putting ----------------------------------------------------------------------------------------------------- */

static bool may_put(nnb__bag *bag, int kind, const char *name) {
  if (bag->status) return false;
  if (find(bag, kind, name) >= 0) bag->status = nnb__fail(NNB_E_ARG, "the name \"%s\" is used twice", name);
  return !bag->status;
}

void nnb__bag_tensor(nnb__bag *bag, const char *name, nnb__dtype dtype, int n_dims, const size_t *dim,
                     const void *data) {
  if (!may_put(bag, TENSORS, name)) return;
  size_t n = bag->n_tensors;
  char *copy = nnb__strdup(name);
  if (!copy || !nnb__grow(&bag->tensors, &bag->cap_tensors, n + 1, sizeof *bag->tensors) ||
      !grow_index(bag, TENSORS, n)) {
    nnb__release(copy);
    bag->status = nnb__fail_nomem("a tensor's entry");
    return;
  }
  nnb__tensor *t = &bag->tensors[bag->n_tensors++];
  *t = (nnb__tensor){.name = copy, .dtype = dtype, .n_dims = n_dims, .data = data};
  for (int i = 0; i < n_dims; i++) t->dim[i] = dim[i];
  *slot_of(bag, TENSORS, copy) = (uint32_t)bag->n_tensors;
}

void nnb__bag_string(nnb__bag *bag, const char *name, const char *text) {
  if (!may_put(bag, ENTRIES, name)) return;
  size_t n = bag->n_entries;
  char *copy = nnb__strdup(name), *text_copy = nnb__strdup(text);
  if (!copy || !text_copy || !nnb__grow(&bag->entries, &bag->cap_entries, n + 1, sizeof *bag->entries) ||
      !grow_index(bag, ENTRIES, n)) {
    nnb__release(copy);
    nnb__release(text_copy);
    bag->status = nnb__fail_nomem("an entry");
    return;
  }
  bag->entries[bag->n_entries++] = (nnb__entry){copy, text_copy};
  *slot_of(bag, ENTRIES, copy) = (uint32_t)bag->n_entries;
}

void nnb__bag_number(nnb__bag *bag, const char *name, double value) {
  char text[NNB__DOUBLE_TEXT];
  nnb__double_to_text(value, text);
  nnb__bag_string(bag, name, text);
}
