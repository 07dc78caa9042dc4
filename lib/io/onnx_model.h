/* io/onnx_model.h: models of ONNX as messages of protobuf-c (onnx.proto): parts are added, and the whole becomes the
 * bytes of a file. */
#ifndef NNB__ONNX_MODEL_H
#define NNB__ONNX_MODEL_H

#include "bag.h"
#include "bytes.h"
#include "onnx.pb-c.h"

/* Numbers of ONNX's data types. */
enum {
  NNB__ONNX_FLOAT = 1,
  NNB__ONNX_INT32 = 6,
  NNB__ONNX_INT64 = 7,
  NNB__ONNX_STRING = 8,
  NNB__ONNX_BOOL = 9,
  NNB__ONNX_HALF = 10,
  NNB__ONNX_DOUBLE = 11,
  NNB__ONNX_BFLOAT = 16
};

/* Where gate k of GRU, of z, r, n, is in the library's r, z, n. */
static inline int nnb__onnx_gate(int k) { return k < 2 ? 1 - k : k; }

/* {0} before nnb__onnx_begin. */
typedef struct nnb__onnx_model {
  Nnb__Onnx__Model *message;
  Nnb__Onnx__Graph *graph; /* of the message */
  nnb_status status;       /* of the first call that failed; later ones do nothing */
} nnb__onnx_model;

/* The allocator of messages: that of the library. */
extern ProtobufCAllocator nnb__onnx_allocator;

void nnb__onnx_begin(nnb__onnx_model *m, int opset);
/* Adds a node of one output.  NULL if an earlier call or this one has failed, which the calls below accept. */
Nnb__Onnx__Node *nnb__onnx_node(nnb__onnx_model *m, const char *op, const char *output);
/* Adds a further output.  If the first one has no name, the node is named by this one. */
void nnb__onnx_output(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *output);
void nnb__onnx_input(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *name);
void nnb__onnx_attribute(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *name, int64_t value);
void nnb__onnx_attribute_real(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *name, float value);
void nnb__onnx_attribute_ints(nnb__onnx_model *m, Nnb__Onnx__Node *node, const char *name, const int64_t *values,
                              int n);
/* Adds an initializer; type: NNB__F64, NNB__F32 or NNB__I64.  Returns the memory for its numbers, without alignment, or
 * NULL. */
void *nnb__onnx_tensor(nnb__onnx_model *m, const char *name, nnb__dtype type, int n_dims, const size_t *dim);
/* Adds an input or an output of the graph, any number of samples with n_dims dimensions each. */
void nnb__onnx_end_of_graph(nnb__onnx_model *m, bool output, const char *name, nnb__dtype type, int n_dims,
                            const size_t *dim);
void nnb__onnx_metadata(nnb__onnx_model *m, const char *key, const char *value);

/* *out ← the bytes.  NNB_E_OVERFLOW above 2 GB, which is the limit of the format. */
nnb_status nnb__onnx_pack(const nnb__onnx_model *m, nnb__bytes *out);
void nnb__onnx_clear(nnb__onnx_model *m);

#endif
