/* io/onnx_acts.c: the formulas. */
#include "onnx_acts.h"

#include "onnx_model.h"

#define ROOT2      1.41421356237309504880
#define SELU_SCALE 1.05070098735548049342
#define SELU_ALPHA 1.67326324235437728482

#define OF(name, operands) \
  { .op = name, .in = operands }
#define WITH(name, operands, constant) \
  { .op = name, .in = operands, .c = constant }
#define SET(name, operands, value, called) \
  { .op = name, .in = operands, .c = value, .attribute = called }

static const nnb__onnx_act both[NNB_N_ACTIVATIONS] = {
    [NNB_LINEAR] = {{OF("Identity", "z")}}, [NNB_STEP] = {{WITH("Greater", "z#", 0), SET("Cast", "a", -1, "to")}},
    [NNB_SIGMOID] = {{OF("Sigmoid", "z")}}, [NNB_TANH] = {{OF("Tanh", "z")}},
    [NNB_RELU] = {{OF("Relu", "z")}},       [NNB_SOFTMAX] = {{SET("Softmax", "z", 1, "axis")}},
};

/* ½z(1 + erf(z/√2)) as PyTorch writes it; Elu, LeakyRelu and Selu with the constants that ONNX has by default */
static const nnb__onnx_act in_single[NNB_N_ACTIVATIONS] = {
    [NNB_LEAKY_RELU] = {{OF("LeakyRelu", "z")}},
    [NNB_ELU] = {{OF("Elu", "z")}},
    [NNB_SELU] = {{OF("Selu", "z")}},
    [NNB_GELU] = {{WITH("Div", "z#", ROOT2), OF("Erf", "a"), WITH("Add", "b#", 1), OF("Mul", "zc"),
                   WITH("Mul", "d#", 0.5)}},
    [NNB_SILU] = {{OF("Sigmoid", "z"), OF("Mul", "za")}},
    [NNB_SOFTPLUS] = {{OF("Softplus", "z")}},
};

static const nnb__onnx_act in_double[NNB_N_ACTIVATIONS] = {
    [NNB_LEAKY_RELU] = {{WITH("Mul", "z#", 0.01), OF("Max", "za")}},
    /* max(z, 0) + (e^min(z, 0) - 1) */
    [NNB_ELU] = {{OF("Relu", "z"), WITH("Min", "z#", 0), OF("Exp", "b"), WITH("Sub", "c#", 1), OF("Add", "ad")}},
    [NNB_SELU] = {{OF("Relu", "z"), WITH("Min", "z#", 0), OF("Exp", "b"), WITH("Sub", "c#", 1),
                   WITH("Mul", "d#", SELU_ALPHA), OF("Add", "ae"), WITH("Mul", "f#", SELU_SCALE)}},
    /* the error function in single precision */
    [NNB_GELU] = {{WITH("Div", "z#", ROOT2), SET("Cast", "a", NNB__ONNX_FLOAT, "to"), OF("Erf", "b"),
                   SET("Cast", "c", NNB__ONNX_DOUBLE, "to"), WITH("Add", "d#", 1), OF("Mul", "ze"),
                   WITH("Mul", "f#", 0.5)}},
    /* z/(1 + e^-z) */
    [NNB_SILU] = {{OF("Neg", "z"), OF("Exp", "a"), WITH("Add", "b#", 1), OF("Div", "zc")}},
    /* max(z, 0) + log(1 + e^-|z|) */
    [NNB_SOFTPLUS] = {{OF("Relu", "z"), OF("Abs", "z"), OF("Neg", "b"), OF("Exp", "c"), WITH("Add", "d#", 1),
                       OF("Log", "e"), OF("Add", "af")}},
};

const nnb__onnx_act *nnb__onnx_act_find(int activation, bool single) {
  if (activation >= NNB_N_ACTIVATIONS) return NULL; /* own ones */
  const nnb__onnx_act *act = &both[activation];
  if (!act->step[0].op) act = single ? &in_single[activation] : &in_double[activation];
  return act->step[0].op ? act : NULL;
}
