/* io/torch_load.c: parameters of PyTorch's modules into the layers of a net. */
#include "real.h"
/* the precision first */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bytes.h"
#include "safetensors.h"
#include "seal.h"
#include "status.h"
#include "tensor.h"
#include "text.h"
#include "torch.h"

typedef struct module {
  const char *name; /* without prefix, from the table of names or from the options */
  const nnb__tensor *part[NNB__TORCH_N_PARTS];
  const char *odd[NNB__TORCH_N_PARTS]; /* why a part that is there is not in `part` (safetensors.h) */
} module;

typedef struct loader {
  nnb_net *net;
  const nnb_torch_opts *opts;
  const nnb__bag *bag, *others; /* others: what a bag cannot have */
  nnb__table names;
  module *modules; /* one for each name */
} loader;

/* ---- which tensor belongs to which layer ------------------------------------------------------------------------- */

/* t: the tensor of that name, without the prefix, or NULL and why the bag does not have it */
static nnb_status add_tensor(loader *l, const nnb__tensor *t, const char *odd, const char *name) {
  char shown[NNB__SHOWN_TEXT];
  nnb__torch_part part;
  const int64_t n = nnb__torch_module(name, &part);
  if (n < 0 && l->opts->ignore_others) return NNB_OK;
  if (n < 0)
    return nnb__fail(NNB_E_PARSE, "the tensor \"%s\" is neither a weight nor a bias (ignore_others accepts it)",
                     nnb__show(t->name, strlen(t->name), shown));
  int64_t k = nnb__table_find(&l->names, name, (size_t)n);
  if (k < 0) k = nnb__table_add(&l->names, name, (size_t)n);
  if (k < 0) return nnb__fail_nomem("the names of the modules");
  l->modules[k].name = l->names.text[k];
  l->modules[k].part[part] = t, l->modules[k].odd[part] = odd;
  return NNB_OK;
}

static nnb_status find_modules(loader *l) {
  const char *prefix = l->opts->prefix ? l->opts->prefix : "";
  const size_t n = strlen(prefix);
  nnb_status status = NNB_OK;
  l->modules = nnb__zalloc(l->bag->n_tensors + l->others->n_entries, sizeof *l->modules);
  if (!l->modules) return nnb__fail_nomem("the modules");
  for (size_t i = 0; i < l->bag->n_tensors && !status; i++) {
    const nnb__tensor *t = &l->bag->tensors[i];
    char shown[2][NNB__SHOWN_TEXT];
    if (strncmp(t->name, prefix, n) == 0)
      status = add_tensor(l, t, NULL, t->name + n);
    else if (!l->opts->ignore_others)
      status = nnb__fail(NNB_E_PARSE, "the tensor \"%s\" does not begin with \"%s\" (ignore_others accepts it)",
                         nnb__show(t->name, strlen(t->name), shown[0]), nnb__show(prefix, n, shown[1]));
  }
  for (size_t i = 0; i < l->others->n_entries && !status; i++) { /* there are some with ignore_others only */
    const nnb__entry *e = &l->others->entries[i];
    if (strncmp(e->name, prefix, n) == 0) status = add_tensor(l, NULL, e->text, e->name + n);
  }
  return status;
}

static int by_name(const void *a, const void *b) {
  return nnb__torch_compare(((const module *)a)->name, ((const module *)b)->name);
}

static bool has_part(const module *m, int part) { return m->part[part] || m->odd[part]; }
static bool has_weight(const module *m) { return has_part(m, NNB__TORCH_WEIGHT) || has_part(m, NNB__TORCH_WEIGHT_X); }

/* l->modules ← the modules with a weight, in the order of their numbers */
static nnb_status order_by_numbers(loader *l) {
  char shown[2][NNB__SHOWN_TEXT];
  size_t n = 0;
  for (size_t i = 0; i < l->names.n; i++)
    if (!l->opts->ignore_others || has_weight(&l->modules[i])) l->modules[n++] = l->modules[i];
  if (n != (size_t)l->net->n_blocks)
    return nnb__fail(NNB_E_SHAPE, "the file has %zu module(s), the net %d layer(s) with parameters", n,
                     l->net->n_blocks);
  qsort(l->modules, n, sizeof *l->modules, by_name);
  for (size_t i = 1; i < n; i++) {
    const char *a = l->modules[i - 1].name, *b = l->modules[i].name;
    if (!nnb__torch_in_series(a, b))
      return nnb__fail(NNB_E_ARG, "the order of \"%s\" and \"%s\" is not in their names; wanted names in the options",
                       nnb__show(a, strlen(a), shown[0]), nnb__show(b, strlen(b), shown[1]));
  }
  return NNB_OK;
}

/* l->modules ← those of the options' names */
static nnb_status order_by_options(loader *l) {
  char shown[NNB__SHOWN_TEXT];
  const size_t n = (size_t)l->opts->n_names, used = l->names.n;
  module *ordered = nnb__zalloc(n, sizeof *ordered);
  if (!ordered) return nnb__fail_nomem("the modules");
  nnb_status status = NNB_OK;
  for (size_t i = 0; i < n && !status; i++) {
    const char *name = l->opts->names[i];
    const int64_t k = nnb__table_find(&l->names, name, strlen(name));
    if (k < 0)
      status = nnb__fail(NNB_E_PARSE, "the file has no module \"%s\"", nnb__show(name, strlen(name), shown));
    else
      ordered[i] = l->modules[k];
    for (size_t j = 0; j < i && !status; j++)
      if (strcmp(l->opts->names[j], name) == 0)
        status = nnb__fail(NNB_E_ARG, "names[%zu] and names[%zu] are both \"%s\"", j, i,
                           nnb__show(name, strlen(name), shown));
  }
  if (!status && used > n && !l->opts->ignore_others)
    status = nnb__fail(
        NNB_E_PARSE, "the file has %zu module(s), but only %zu name(s) are given (ignore_others accepts it)", used, n);
  nnb__release(l->modules);
  l->modules = ordered;
  return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

enum { SHAPE_TEXT = 120 };

/* "4×3", "12 numbers", "one number" */
static const char *shape_text(int n_dims, const size_t *dim, char out[SHAPE_TEXT]) {
  size_t n = 0;
  for (int i = 0; i < n_dims; i++) n += (size_t)snprintf(out + n, SHAPE_TEXT - n, "%s%zu", i ? "×" : "", dim[i]);
  snprintf(out + n, SHAPE_TEXT - n, "%s", n_dims == 0 ? "one number" : n_dims == 1 ? " numbers" : "");
  return out;
}

static bool has_shape(const nnb__tensor *t, int n_dims, const size_t *dim) {
  bool same = t->n_dims == n_dims;
  for (int i = 0; i < n_dims; i++) same = same && t->dim[i] == dim[i];
  return same;
}

/* Whether the shapes are the same but for sides of 1 behind the firm dimensions. */
static bool has_sides(const nnb__tensor *t, const nnb__torch_tensor *want) {
  int i = 0, j = 0;
  for (;; i++, j++) {
    while (i >= want->firm && i < t->n_dims && t->dim[i] == 1) i++;
    while (j >= want->firm && j < want->n_dims && want->dim[j] == 1) j++;
    if (i == t->n_dims || j == want->n_dims) return i == t->n_dims && j == want->n_dims;
    if (t->dim[i] != want->dim[j]) return false;
  }
}

static nnb_status check_tensor(const module *m, const nnb__torch_tensor *want) {
  char shown[NNB__SHOWN_TEXT], came[SHAPE_TEXT], wanted[SHAPE_TEXT];
  const nnb__tensor *t = m->part[want->part];
  const char *name = nnb__torch_parts[want->part], *sides = want->n_dims > 1 ? want->sides : NULL;
  nnb__show(m->name, strlen(m->name), shown);
  if (m->odd[want->part])
    return nnb__fail(NNB_E_UNSUPPORTED, "the %s of the module \"%s\" %s", name, shown, m->odd[want->part]);
  if (!t) return nnb__fail(NNB_E_SHAPE, "the module \"%s\" has no %s, the layer has one", shown, name);
  if (!nnb__tensor_is_real(t))
    return nnb__fail(NNB_E_PARSE, "the %s of the module \"%s\" has no floating-point numbers", name, shown);
  if (has_shape(t, want->n_dims, want->dim) || (want->any_sides && t->n_dims != want->n_dims && has_sides(t, want)))
    return NNB_OK;
  return nnb__fail(NNB_E_SHAPE, "the %s of the module \"%s\" is %s; wanted %s%s%s%s", name, shown,
                   shape_text(t->n_dims, t->dim, came), shape_text(want->n_dims, want->dim, wanted), sides ? " (" : "",
                   sides ? sides : "", sides ? ")" : "");
}

/* Whether all tensors have their shapes, and there are no others. */
static nnb_status check_module(const module *m, int n, const nnb__torch_tensor *tensors) {
  bool known[NNB__TORCH_N_PARTS] = {false};
  char shown[NNB__SHOWN_TEXT];
  nnb_status status = NNB_OK;
  for (int i = 0; i < n && !status; i++) {
    known[tensors[i].part] = true;
    if (tensors[i].part != NNB__TORCH_COUNT) status = check_tensor(m, &tensors[i]);
  }
  for (int part = 0; part < NNB__TORCH_N_PARTS && !status; part++)
    if (has_part(m, part) && !known[part])
      status = nnb__fail(NNB_E_SHAPE, "the module \"%s\" has a %s, the layer has none",
                         nnb__show(m->name, strlen(m->name), shown), nnb__torch_parts[part]);
  return status;
}

/* w ← Wᵀ, rows×cols, in pieces */
static nnb_status read_transposed(const nnb__tensor *t, size_t rows, size_t cols, real *w) {
  real piece[1 << 10];
  const size_t most = sizeof piece / sizeof *piece;
  nnb_status status = NNB_OK;
  for (size_t k = 0, n; k < rows * cols && !status; k += n) {
    n = rows * cols - k < most ? rows * cols - k : most;
    status = nnb__tensor_reals(t, k, n, piece);
    for (size_t m = 0; m < n && !status; m++) w[(k + m) % rows * cols + (k + m) / rows] = piece[m];
  }
  return status;
}

static nnb_status read_tensor(const nnb__tensor *t, const nnb__torch_tensor *to, real *values) {
  size_t n = 1;
  if (to->part == NNB__TORCH_COUNT) return NNB_OK;
  for (int i = 0; i < to->n_dims; i++) n *= to->dim[i];
  if (to->transposed) return read_transposed(t, n / to->dim[0], to->dim[0], values + to->at);
  return nnb__tensor_reals(t, 0, n, values + to->at);
}

/* The parameters of block i, and its buffers, in values */
static nnb_status read_module(const loader *l, int i, real *values) {
  const module *m = &l->modules[i];
  nnb__torch_tensor tensors[NNB__TORCH_MOST];
  const int n = nnb__torch_tensors(l->net, i, tensors);
  nnb_status status = check_module(m, n, tensors);
  for (int k = 0; k < n && !status; k++) status = read_tensor(m->part[tensors[k].part], &tensors[k], values);
  return status;
}

/* file: where the tensors are, or NULL: in memory. */
static nnb_status read_all(loader *l, const nnb__file *file) {
  nnb_net *net = l->net;
  nnb_status status = find_modules(l);
  if (!status) status = l->opts->names ? order_by_options(l) : order_by_numbers(l);
  if (status) return status;
  real *values = nnb__alloc(net->n_values, sizeof *values);
  if (!values) return nnb__fail_nomem("the parameters");
  memcpy(values, net->params, net->n_values * sizeof *values);
  for (int i = 0; i < net->n_blocks && !status; i++) status = read_module(l, i, values);
  if (file) status = nnb__file_confirm(file, status);
  if (!status) memcpy(net->params, values, net->n_values * sizeof *values);
  nnb__release(values);
  return status;
}

/* What both ways of loading begin and end with: the net is as it was if it fails. */
static nnb_status check(nnb_net *net, const nnb_torch_opts **opts, nnb__change *change) {
  static const nnb_torch_opts defaults = {0};
  if (!*opts) *opts = &defaults;
  nnb_status status = nnb__net_begin(net, change);
  if (status) return status;
  status = nnb__torch_check(net, *opts);
  if (status) nnb__net_end(change, true);
  return status;
}

static nnb_status take(nnb_net *net, const nnb__bag *bag, const nnb__bag *others, const nnb_torch_opts *opts,
                       const nnb__file *file) {
  loader l = {.net = net, .opts = opts, .bag = bag, .others = others};
  nnb_status status = read_all(&l, file);
  nnb__table_clear(&l.names);
  nnb__release(l.modules);
  return status;
}

nnb_status nnb_net_load_torch_mem(nnb_net *net, const void *file, size_t bytes, const nnb_torch_opts *opts) {
  if (!net || !file) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "file" : "net");
  nnb__bag bag = {0}, others = {0};
  nnb__change change;
  nnb_status status = check(net, &opts, &change);
  if (status) return status;
  status = nnb__safetensors_parse_some(file, bytes, "the file in memory", &bag, opts->ignore_others ? &others : NULL);
  if (!status) status = take(net, &bag, &others, opts, NULL);
  nnb__net_end(&change, status != NNB_OK);
  nnb__bag_clear(&bag);
  nnb__bag_clear(&others);
  return status;
}

nnb_status nnb_net_load_torch(nnb_net *net, const char *path, const nnb_torch_opts *opts) {
  if (!net || !path) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "path" : "net");
  nnb__bag bag = {0}, others = {0};
  nnb__change change;
  nnb__file file;
  nnb__store store;
  nnb_status status = nnb__file_open(&file, path);
  if (status) return status;
  status = check(net, &opts, &change);
  if (!status) {
    status = nnb__safetensors_open_some(&file, &store, &bag, opts->ignore_others ? &others : NULL);
    if (!status) status = take(net, &bag, &others, opts, &file);
    nnb__net_end(&change, status != NNB_OK);
    nnb__bag_clear(&bag);
    nnb__bag_clear(&others);
  }
  nnb__file_close(&file);
  return status;
}
