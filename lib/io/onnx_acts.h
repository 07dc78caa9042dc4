/* io/onnx_acts.h: activations as operators of ONNX. */
#ifndef NNB__ONNX_ACTS_H
#define NNB__ONNX_ACTS_H

#include "nnblas/core.h"

/* A step of a formula: op of its operands, with names of one letter: z, what the activation is applied to; a, b, …: the
 * results of the first step, the second, …; #: the constant c. */
typedef struct nnb__onnx_step {
  const char *op;
  const char *in;
  double c;
  const char *attribute; /* or NULL: c is the value of this attribute (of "to": -1 for the type of the net) */
} nnb__onnx_step;

enum { NNB__ONNX_STEPS = 7 };
typedef struct nnb__onnx_act {
  nnb__onnx_step step[NNB__ONNX_STEPS + 1]; /* the last one has no op */
} nnb__onnx_act;

/* NULL for an activation that cannot be written.  ONNX Runtime has Elu, Selu, LeakyRelu, Softplus and Erf in single
 * precision only, and fuses x·Sigmoid(x) into an operator of single precision; so these are other formulas in double.
 */
const nnb__onnx_act *nnb__onnx_act_find(int activation, bool single);

#endif
