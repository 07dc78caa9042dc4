/* nn/net_match.c: whether a file describes a given net: structure, names, scalers and precision, but not the values of
 * its parameters. */
#include <string.h>

#include "net_bag.h"
#include "net_keys.h"
#include "status.h"
#include "text.h"

static nnb_status fail_text(const char *key, const char *here, const char *there) {
  char shown[2][NNB__SHOWN_TEXT];
  if (!there) return nnb__fail(NNB_E_ARG, "the file has another net: it has no \"%s\"", key);
  return nnb__fail(NNB_E_ARG, "the file has another net: \"%s\" is \"%s\" there and \"%s\" here", key,
                   nnb__show(there, strlen(there), shown[0]), nnb__show(here, strlen(here), shown[1]));
}

/* Whether a key tells of layers or losses.  Others may be missing here: a net in training has no names yet. */
static bool is_of_structure(const char *key) { return strncmp(key, "node.", 5) == 0 || strncmp(key, "loss", 4) == 0; }

static nnb_status match_texts(const nnb__bag *here, const nnb__bag *file) {
  char shown[NNB__SHOWN_TEXT];
  for (size_t i = 0; i < here->n_entries; i++) {
    const nnb__entry *e = &here->entries[i];
    const char *there = nnb__bag_find_string(file, e->name);
    if (!there || strcmp(there, e->text) != 0) return fail_text(e->name, e->text, there);
  }
  for (size_t i = 0; i < file->n_entries; i++) {
    const char *key = file->entries[i].name;
    if (is_of_structure(key) && !nnb__bag_find_string(here, key))
      return nnb__fail(NNB_E_ARG, "the file has another net: \"%s\" is there and not here",
                       nnb__show(key, strlen(key), shown));
  }
  return NNB_OK;
}

static nnb_status match_shapes(const nnb__bag *here, const nnb__bag *file) {
  for (size_t i = 0; i < here->n_tensors; i++) {
    const nnb__tensor *t = &here->tensors[i], *there = nnb__bag_find_tensor(file, t->name);
    if (there && there->dtype != t->dtype)
      return nnb__fail(NNB_E_ARG, "the net in the file has another precision: its tensor \"%s\" is not %s", t->name,
                       t->dtype == NNB__F64 ? "F64" : "F32");
    if (!there || there->n_dims != t->n_dims || memcmp(there->dim, t->dim, (size_t)t->n_dims * sizeof *t->dim) != 0)
      return nnb__fail(NNB_E_ARG, "the file has another net: its tensor \"%s\" is missing or has another shape",
                       t->name);
  }
  return NNB_OK;
}

/* The tensors of the same shape in both, if any. */
static nnb_status match_scalers(const nnb__bag *here, const nnb__bag *file) {
  static const char *const names[] = {"scaler.input.shift", "scaler.input.factor", "scaler.target.shift",
                                      "scaler.target.factor"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const nnb__tensor *a = nnb__bag_find_tensor(here, names[i]), *b = nnb__bag_find_tensor(file, names[i]);
    if (!a && !b) continue;
    if (!a || memcmp(a->data, b->data, nnb__tensor_count(a) * nnb__dtype_size(a->dtype)) != 0)
      return nnb__fail(NNB_E_ARG, "the net in the file has another \"%s\"", names[i]);
  }
  return NNB_OK;
}

nnb_status nnb__net_match(nnb_net *net, const nnb__bag *file) {
  nnb__bag here = {0};
  if (!nnb__bag_find_string(file, "nnblas")) return nnb__fail(NNB_E_PARSE, "the file is not a libnnblas model");
  nnb_status status = nnb__net_describe(net, &here);
  if (!status) status = match_texts(&here, file);
  if (!status) status = match_shapes(&here, file);
  if (!status) status = match_scalers(&here, file);
  nnb__bag_clear(&here);
  return status;
}
