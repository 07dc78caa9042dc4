/* io/torch_names.h: names of modules as PyTorch writes them: "layers.2.fc". */
#ifndef NNB__TORCH_NAMES_H
#define NNB__TORCH_NAMES_H

#include "nnblas/core.h"

/* The order of names in which numbers count as numbers: "2" before "10". */
int nnb__torch_compare(const char *a, const char *b);
/* Whether the names differ in one number alone, so that their order is meant. */
bool nnb__torch_in_series(const char *a, const char *b);
/* The parts of a module. */
typedef enum nnb__torch_part {
  NNB__TORCH_WEIGHT,
  NNB__TORCH_BIAS,
  NNB__TORCH_MEAN,     /* running_mean of batch normalisation */
  NNB__TORCH_VARIANCE, /* running_var */
  NNB__TORCH_COUNT,    /* num_batches_tracked, which the library does not need */
  NNB__TORCH_WEIGHT_X, /* weight_ih_l0 of recurrent modules, and so on */
  NNB__TORCH_WEIGHT_H,
  NNB__TORCH_BIAS_X,
  NNB__TORCH_BIAS_H,
  NNB__TORCH_FURTHER, /* one of these with another end, as weight_ih_l1 and weight_ih_l0_reverse */
  NNB__TORCH_N_PARTS
} nnb__torch_part;
extern const char *const nnb__torch_parts[NNB__TORCH_N_PARTS];

/* The length of the module's name in "MODULE.PART" (0 for the part alone), or -1; *part says which. */
int64_t nnb__torch_module(const char *name, nnb__torch_part *part);

#endif
