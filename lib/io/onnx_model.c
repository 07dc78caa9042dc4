/* io/onnx_model.c: messages are built as protobuf-c would have read them, each in memory of its own, so that it can
 * release them. */
#include "onnx_model.h"

#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "status.h"

static void *allocate(void *context, size_t bytes) { return (void)context, nnb__alloc(bytes, 1); }
static void release(void *context, void *p) { (void)context, nnb__release(p); }
ProtobufCAllocator nnb__onnx_allocator = {.alloc = allocate, .free = release};

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static void *fail(nnb__onnx_model *m) {
  if (!m->status) m->status = nnb__fail_nomem("the ONNX model");
  return NULL;
}

static void *make(nnb__onnx_model *m, const ProtobufCMessageDescriptor *kind) {
  void *message = m->status ? NULL : nnb__alloc(1, kind->sizeof_message);
  if (!message) return fail(m);
  protobuf_c_message_init(kind, message);
  return message;
}

static void *make_room(nnb__onnx_model *m, void *list_address, size_t n, size_t size) {
  const bool full = n == 0 || (n >= 8 && (n & (n - 1)) == 0); /* 8, 16, 32, … */
  size_t capacity = n;
  if (m->status || (full && !nnb__grow(list_address, &capacity, n + 1, size))) return fail(m);
  return list_address;
}

/* Appends a pointer to a list of messages or strings, which owns it then.  It is released if that fails. */
static void *append(nnb__onnx_model *m, void *list_address, size_t *n, void *item) {
  void **list;
  if (!item || !make_room(m, list_address, *n, sizeof item)) return nnb__release(item), fail(m);
  memcpy(&list, list_address, sizeof list);
  return list[(*n)++] = item;
}

static void set(nnb__onnx_model *m, char **place, const char *text) {
  *place = m->status ? NULL : nnb__strdup(text);
  if (!*place) fail(m);
}

static void append_text(nnb__onnx_model *m, char ***list, size_t *n, const char *text) {
  char *copy = NULL;
  set(m, &copy, text);
  append(m, list, n, copy);
}

/* A new message at the end of a list of the owner. */
#define ADD(m, owner, field, kind) \
  append(m, &(owner)->field, &(owner)->n_##field, make(m, &nnb__onnx__##kind##__descriptor))

/* ---- the model --------------------------------------------------------------------------------------------------- */

/* The version of the format that came with a version of the operators. */
static int64_t ir_version(int opset) {
  return opset <= 9 ? 4 : opset == 10 ? 5 : opset == 11 ? 6 : opset <= 14 ? 7 : 8;
}

void nnb__onnx_begin(nnb__onnx_model *m, int opset) {
  char version[40];
  snprintf(version, sizeof version, "%d.%d.%d", NNB_VERSION_MAJOR, NNB_VERSION_MINOR, NNB_VERSION_PATCH);
  if (!(m->message = make(m, &nnb__onnx__model__descriptor))) return;
  m->message->has_ir_version = true, m->message->ir_version = ir_version(opset);
  set(m, &m->message->producer_name, "libnnblas");
  set(m, &m->message->producer_version, version);
  Nnb__Onnx__Opset *operators = ADD(m, m->message, opset_import, opset);
  if (!operators) return;
  set(m, &operators->domain, "");
  operators->has_version = true, operators->version = opset;
  if ((m->graph = ADD(m, m->message, graph, graph))) set(m, &m->graph->name, "net");
}

Nnb__Onnx__Node *nnb__onnx_node(nnb__onnx_model *m, const char *op, const char *output) {
  if (m->status) return NULL;
  Nnb__Onnx__Node *node = ADD(m, m->graph, node, node);
  if (!node) return NULL;
  set(m, &node->name, output); /* unique, as its output is */
  set(m, &node->op_type, op);
  append_text(m, &node->output, &node->n_output, output);
  return node;
}

void nnb__onnx_output(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *output) {
  if (!node) return;
  append_text(m, &node->output, &node->n_output, output);
  if (!node->name || *node->name) return;
  nnb__release(node->name);
  set(m, &node->name, output);
}

void nnb__onnx_input(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *name) {
  if (node) append_text(m, &node->input, &node->n_input, name);
}

static Nnb__Onnx__Attribute *attribute(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *name) {
  Nnb__Onnx__Attribute *a = node && !m->status ? ADD(m, node, attribute, attribute) : NULL;
  if (a) set(m, &a->name, name), a->has_type = true;
  return a;
}

void nnb__onnx_attribute(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *name, int64_t value) {
  Nnb__Onnx__Attribute *a = attribute(m, node, name);
  if (a) a->type = 2, a->has_i = true, a->i = value;
}

void nnb__onnx_attribute_real(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *name, float value) {
  Nnb__Onnx__Attribute *a = attribute(m, node, name);
  if (a) a->type = 1, a->has_f = true, a->f = value;
}

void nnb__onnx_attribute_ints(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *name, const int64_t *values,
                              int n) {
  Nnb__Onnx__Attribute *a = attribute(m, node, name);
  if (a) a->type = 7;
  for (int i = 0; a && i < n && make_room(m, &a->ints, a->n_ints, sizeof *a->ints); i++)
    a->ints[a->n_ints++] = values[i];
}

static int32_t number_of(nnb__dtype type) {
  return type == NNB__F64 ? NNB__ONNX_DOUBLE : type == NNB__F32 ? NNB__ONNX_FLOAT : NNB__ONNX_INT64;
}

void *nnb__onnx_tensor(nnb__onnx_model *m, const char *name, nnb__dtype type, int n_dims, const size_t *dim) {
  size_t bytes = nnb__dtype_size(type); /* the numbers are in memory, so their sizes do not overflow */
  if (m->status) return NULL;
  Nnb__Onnx__Tensor *t = ADD(m, m->graph, initializer, tensor);
  if (!t) return NULL;
  set(m, &t->name, name);
  t->has_data_type = true, t->data_type = number_of(type);
  for (int i = 0; i < n_dims && make_room(m, &t->dims, t->n_dims, sizeof *t->dims); i++) {
    t->dims[t->n_dims++] = (int64_t)dim[i];
    bytes *= dim[i];
  }
  if (m->status || !(t->raw_data.data = nnb__alloc(bytes, 1))) return fail(m);
  t->has_raw_data = true, t->raw_data.len = bytes;
  return t->raw_data.data;
}

void nnb__onnx_end_of_graph(nnb__onnx_model *m, bool output, const char *name, nnb__dtype type, int n_dims,
                            const size_t *dim) {
  if (m->status) return;
  Nnb__Onnx__ValueInfo *value = output ? ADD(m, m->graph, output, value_info) : ADD(m, m->graph, input, value_info);
  Nnb__Onnx__Type *kind = value ? ADD(m, value, type, type) : NULL;
  Nnb__Onnx__TensorType *tensor = kind ? ADD(m, kind, tensor_type, tensor_type) : NULL;
  Nnb__Onnx__Shape *shape = tensor ? ADD(m, tensor, shape, shape) : NULL;
  Nnb__Onnx__Dimension *rows = shape ? ADD(m, shape, dim, dimension) : NULL;
  if (!rows) return;
  set(m, &value->name, name);
  set(m, &rows->dim_param, "batch");
  tensor->has_elem_type = true, tensor->elem_type = number_of(type);
  for (int i = 0; i < n_dims; i++) {
    Nnb__Onnx__Dimension *side = ADD(m, shape, dim, dimension);
    if (!side) return;
    side->has_dim_value = true, side->dim_value = (int64_t)dim[i];
  }
}

void nnb__onnx_metadata(nnb__onnx_model *m, const char *key, const char *value) {
  Nnb__Onnx__Pair *pair = m->status ? NULL : ADD(m, m->message, metadata_props, pair);
  if (!pair) return;
  set(m, &pair->key, key);
  set(m, &pair->value, value);
}

nnb_status nnb__onnx_pack(const nnb__onnx_model *m, nnb__bytes *out) {
  if (m->status) return m->status;
  const size_t n = nnb__onnx__model__get_packed_size(m->message);
  if (n > INT_MAX) return nnb__fail(NNB_E_OVERFLOW, "the net needs %zu bytes; an ONNX file has at most 2 GB", n);
  *out = (nnb__bytes){.p = nnb__alloc(n, 1), .n = n, .cap = n};
  if (!out->p) return *out = (nnb__bytes){0}, nnb__fail_nomem("the ONNX file");
  nnb__onnx__model__pack(m->message, out->p);
  return NNB_OK;
}

void nnb__onnx_clear(nnb__onnx_model *m) {
  if (m->message) nnb__onnx__model__free_unpacked(m->message, &nnb__onnx_allocator);
  *m = (nnb__onnx_model){0};
}
