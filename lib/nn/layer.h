/* nn/layer.h: the built-in layers.  They use nnb_layer_ops of extend.h, as own layers do.  Layers compute the linear
 * part only; the plan applies the activation. */
#ifndef NNB__LAYER_H
#define NNB__LAYER_H

#include "patches.h"
#include "real.h"

#define LAYER(name) extern const nnb_layer_ops nnb__layer_##name;
#include "layers.def"
#undef LAYER

/* The structs of the layers that have fields. */
typedef struct nnb__input {
  int units;
} nnb__input;

typedef struct nnb__dense {
  int units, bias;
  int init; /* nnb_init, never NNB_INIT_AUTO */
  double init_scale;
  int n_in; /* set by shape */
} nnb__dense;

typedef struct nnb__conv {
  int channels, bias;
  int height, width, stride, pad; /* as in nnb_conv_opts; height is completed by shape */
  int init;                       /* nnb_init, never NNB_INIT_AUTO */
  double init_scale;
  nnb__patches patches; /* set by shape */
} nnb__conv;

typedef struct nnb__pool {
  int height, width, stride; /* as in nnb_pool_opts; height and stride are completed by shape */
  nnb__patches patches;      /* set by shape */
} nnb__pool;

typedef struct nnb__dropout {
  double p;
} nnb__dropout;

typedef struct nnb__norm { /* layernorm and batchnorm */
  double epsilon, momentum;
  int channels, pixels; /* set by shape: γ and β have one number for each channel */
} nnb__norm;

extern const nnb__norm nnb__norm_defaults;

typedef struct nnb__embedding {
  int levels, units;
  int init; /* nnb_init, never NNB_INIT_AUTO */
  double init_scale;
} nnb__embedding;

extern const nnb__embedding nnb__embedding_defaults; /* numbers of deviation 1, as in PyTorch */

typedef struct nnb__gru {
  int units, sequence;
  int init; /* nnb_init, never NNB_INIT_AUTO */
  double init_scale;
  int channels, steps; /* set by shape */
} nnb__gru;

extern const nnb__gru nnb__gru_defaults;

/* The shape of a node whose columns are those of what it reads: theirs, if all of them are read alike. */
void nnb__take_shape(int n_from, nnb_needs *needs);

/* The built-in layer with that name, or NULL. */
const nnb_layer_ops *nnb__layer_find(const char *name);

/* Fills the weights of a layer, n_in×n_out, row by row.  fan_out: the number of outputs that a number of the input
 * affects; n_out for dense layers.  scratch: nnb__init_scratch() numbers. */
void nnb__init_weights(nnb_init init, double scale, int n_in, int n_out, double fan_out, real *w, nnb_rng *rng,
                       real *scratch);
size_t nnb__init_scratch(nnb_init init, int n_in, int n_out);

/* The default initialiser for an activation (NNB_INIT_AUTO of core.h). */
nnb_init nnb__init_for(int activation);

#endif
