/* nn/net_keys.h: the names in the bag of a net.
 *
 *   nnblas 1; nodes n; loss, its options loss.delta and loss.label_smoothing; seed; columns n, column.i; classes n,
 *   class.i
 *   training.…: base/training.h
 *   table n and its columns, where they are not the inputs themselves: base/columns.h
 *   node.k.layer, .name, .from "1,2", .act, .frozen, one key per attribute of the layer; outputs: .output (first
 *   column), .loss, .factor, .delta, .label_smoothing; nodes with a shape: .shape "3,8,8"
 *   tensors NAME.weight [I, O], NAME.bias [O] and NAME.buffers [n] per node; scaler.input.shift, .factor,
 *   scaler.target.shift, .factor; a min-max scaler: scaler.input.scaling "minmax", scaler.target.scaling */
#ifndef NNB__NET_KEYS_H
#define NNB__NET_KEYS_H

#include <stdio.h>

#define NNB__MINMAX_TEXT "minmax"

enum { NNB__NET_FORMAT = 1, NNB__KEY = 160 };

static inline const char *nnb__node_key(char key[NNB__KEY], int k, const char *field) {
  snprintf(key, NNB__KEY, "node.%d.%s", k, field);
  return key;
}

static inline const char *nnb__part_key(char key[NNB__KEY], const char *name, const char *part) {
  snprintf(key, NNB__KEY, "%s.%s", name, part);
  return key;
}

#endif
