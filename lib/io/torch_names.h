/* io/torch_names.h: names of modules as PyTorch writes them: "layers.2.fc". */
#ifndef NNB__TORCH_NAMES_H
#define NNB__TORCH_NAMES_H

#include "nnblas/core.h"

/* The order of names in which numbers count as numbers: "2" before "10". */
int nnb__torch_compare(const char *a, const char *b);
/* Whether the names differ in one number alone, so that their order is meant. */
bool nnb__torch_in_series(const char *a, const char *b);
/* The length of the module's name in "MODULE.weight" or "MODULE.bias" (0 for these words alone), or -1; *bias says
 * which. */
int64_t nnb__torch_module(const char *name, bool *bias);

#endif
