/* io/onnx_acts.c: the formulas. */
#include "onnx_acts.h"

#include "onnx_model.h"

#define ROOT2      1.41421356237309504880
#define SELU_SCALE 1.05070098735548049342
#define SELU_ALPHA 1.67326324235437728482

static const nnb__onnx_act both[NNB_N_ACTIVATIONS] = {
    [NNB_LINEAR] = {{{"Identity", "z"}}}, [NNB_STEP] = {{{"Greater", "z#", 0}, {"Cast", "a", -1, "to"}}},
    [NNB_SIGMOID] = {{{"Sigmoid", "z"}}}, [NNB_TANH] = {{{"Tanh", "z"}}},
    [NNB_RELU] = {{{"Relu", "z"}}},       [NNB_SOFTMAX] = {{{"Softmax", "z", 1, "axis"}}},
};

/* ½z(1 + erf(z/√2)) as PyTorch writes it; Elu, LeakyRelu and Selu with the constants that ONNX has by default */
static const nnb__onnx_act in_single[NNB_N_ACTIVATIONS] = {
    [NNB_LEAKY_RELU] = {{{"LeakyRelu", "z"}}},
    [NNB_ELU] = {{{"Elu", "z"}}},
    [NNB_SELU] = {{{"Selu", "z"}}},
    [NNB_GELU] = {{{"Div", "z#", ROOT2}, {"Erf", "a"}, {"Add", "b#", 1}, {"Mul", "zc"}, {"Mul", "d#", 0.5}}},
    [NNB_SILU] = {{{"Sigmoid", "z"}, {"Mul", "za"}}},
    [NNB_SOFTPLUS] = {{{"Softplus", "z"}}},
};

static const nnb__onnx_act in_double[NNB_N_ACTIVATIONS] = {
    [NNB_LEAKY_RELU] = {{{"Mul", "z#", 0.01}, {"Max", "za"}}},
    /* max(z, 0) + (e^min(z, 0) - 1) */
    [NNB_ELU] = {{{"Relu", "z"}, {"Min", "z#", 0}, {"Exp", "b"}, {"Sub", "c#", 1}, {"Add", "ad"}}},
    [NNB_SELU] = {{{"Relu", "z"},
                   {"Min", "z#", 0},
                   {"Exp", "b"},
                   {"Sub", "c#", 1},
                   {"Mul", "d#", SELU_ALPHA},
                   {"Add", "ae"},
                   {"Mul", "f#", SELU_SCALE}}},
    /* the error function in single precision */
    [NNB_GELU] = {{{"Div", "z#", ROOT2},
                   {"Cast", "a", NNB__ONNX_FLOAT, "to"},
                   {"Erf", "b"},
                   {"Cast", "c", NNB__ONNX_DOUBLE, "to"},
                   {"Add", "d#", 1},
                   {"Mul", "ze"},
                   {"Mul", "f#", 0.5}}},
    /* z/(1 + e^-z) */
    [NNB_SILU] = {{{"Neg", "z"}, {"Exp", "a"}, {"Add", "b#", 1}, {"Div", "zc"}}},
    /* max(z, 0) + log(1 + e^-|z|) */
    [NNB_SOFTPLUS] =
        {{{"Relu", "z"}, {"Abs", "z"}, {"Neg", "b"}, {"Exp", "c"}, {"Add", "d#", 1}, {"Log", "e"}, {"Add", "af"}}},
};

const nnb__onnx_act *nnb__onnx_act_find(int activation, bool single) {
  if (activation >= NNB_N_ACTIVATIONS) return NULL; /* own ones */
  const nnb__onnx_act *act = &both[activation];
  if (!act->step[0].op) act = single ? &in_single[activation] : &in_double[activation];
  return act->step[0].op ? act : NULL;
}
