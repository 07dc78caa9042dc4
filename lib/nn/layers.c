/* nn/layers.c: the built-in layers by name. */
#include <string.h>

#include "layer.h"

const nnb_layer_ops *nnb__layer_find(const char *name) {
  static const nnb_layer_ops *const all[] = {
#define LAYER(name) &nnb__layer_##name,
#include "layers.def"
#undef LAYER
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (strcmp(all[i]->name, name) == 0) return all[i];
  return NULL;
}
