/* The safetensors reader; an accepted file is written and read again. */
#include <string.h>

#include "fuzz.h"
#include "safetensors.h"

static void compare(const nnb__bag *a, const nnb__bag *b) {
  must(a->n_tensors == b->n_tensors && a->n_entries == b->n_entries, "another number");
  for (size_t i = 0; i < a->n_tensors; i++) {
    const nnb__tensor *s = &a->tensors[i], *t = nnb__bag_find_tensor(b, s->name);
    must(t && s->dtype == t->dtype && s->n_dims == t->n_dims, "another tensor");
    must(memcmp(s->dim, t->dim, (size_t)s->n_dims * sizeof *s->dim) == 0, "another shape");
    must(memcmp(s->data, t->data, nnb__tensor_count(s) * nnb__dtype_size(s->dtype)) == 0, "other numbers");
  }
  for (size_t i = 0; i < a->n_entries; i++) {
    const char *text = nnb__bag_find_string(b, a->entries[i].name);
    must(text && strcmp(text, a->entries[i].text) == 0, "another text");
  }
}

static void fuzz(const uint8_t *data, size_t size) {
  nnb__bag bag = {0}, again = {0};
  nnb__bytes file = {0};
  if (nnb__safetensors_parse(data, size, "f", &bag)) {
    must(bag.n_tensors + bag.n_entries == 0, "a refused file leaves something");
    return;
  }
  must(nnb__safetensors_to_mem(&bag, &file) == NNB_OK, "what was read cannot be written");
  must(nnb__safetensors_parse(file.p, file.n, "g", &again) == NNB_OK, "what was written cannot be read");
  compare(&bag, &again);
  nnb__bag_clear(&again);
  nnb__bytes_clear(&file);
  nnb__bag_clear(&bag);
}
