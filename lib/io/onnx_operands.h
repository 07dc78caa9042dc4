/* io/onnx_operands.h: attributes and operands of the nodes of an ONNX file, for the files that translate operators. */
#ifndef NNB__ONNX_OPERANDS_H
#define NNB__ONNX_OPERANDS_H

#include "onnx_graph.h"

/* The status of a node that the library cannot read; g and node are those of the function that uses it. */
#ifdef __clang_analyzer__ /* as in base/status.h */
#define NNB__ONNX_REFUSE(...) (nnb__onnx_fail(g, node, NNB_E_UNSUPPORTED, __VA_ARGS__), NNB_E_UNSUPPORTED)
#else
#define NNB__ONNX_REFUSE(...) nnb__onnx_fail(g, node, NNB_E_UNSUPPORTED, __VA_ARGS__)
#endif

/* An attribute, or NULL; its number, or `otherwise` where it has none. */
const Nnb__Onnx__Attribute *nnb__onnx_attribute_of(const Nnb__Onnx__Node *node, const char *name);
int64_t nnb__onnx_int_of(const Nnb__Onnx__Node *node, const char *name, int64_t otherwise);
double nnb__onnx_real_of(const Nnb__Onnx__Node *node, const char *name, double otherwise);
/* NNB_E_PARSE if an attribute is there twice, or is no number of the type that it is read with. */
nnb_status nnb__onnx_check_attributes(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node);
/* Whether a text attribute is there and is another text than `text`. */
bool nnb__onnx_differs(const Nnb__Onnx__Node *node, const char *name, const char *text);

/* The decimal number with the fewest digits that has this value in single precision: the ε that a program had before it
 * wrote a file of single precision. */
double nnb__onnx_decimal(double value);

/* *out ← the value of input i, 0 if it is left out */
nnb_status nnb__onnx_operand(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node, size_t i, int *out);
/* The constant of input i; NULL: left out */
nnb_status nnb__onnx_constant(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node, size_t i,
                              const nnb__onnx_const **out);
/* The value of input i, which must be such; rows; images or signals. */
nnb_status nnb__onnx_numbers(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node, size_t i, int *out);
nnb_status nnb__onnx_rows(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node, size_t i, int *out);
nnb_status nnb__onnx_images(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node, size_t i, int *out);
/* The value whose tensor in this order input i is (onnx_graph.h). */
nnb_status nnb__onnx_in_order(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node, size_t i, const char *order,
                              int *out);
/* Whether c has n numbers, in n_dims dimensions at most, of which the last one may be the only one that is not 1. */
bool nnb__onnx_is_vector(const nnb__onnx_const *c, size_t n);

/* Whether c, beside a value, is one number, or one for each column or each channel of it: index j·count/cols is that of
 * column j. */
bool nnb__onnx_fits(const nnb__onnx_const *c, const nnb__onnx_value *v);
/* Whether c, beside a value, is one number. */
bool nnb__onnx_scalar(const nnb__onnx_const *c, const nnb__onnx_value *v, double *out);

/* axis ← the axes, from the attribute or, since some version, from input 1; at most 4 */
nnb_status nnb__onnx_axes(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int64_t axis[4], size_t *n);

/* Names value k by the node's first output. */
nnb_status nnb__onnx_define(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int k);
/* Adds a value with that name.  cols 0, rank 0: those of v.from. */
nnb_status nnb__onnx_make(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, nnb__onnx_value v);

#endif
