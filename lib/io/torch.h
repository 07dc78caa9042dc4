/* io/torch.h: what reading and writing PyTorch's weights share. */
#ifndef NNB__TORCH_H
#define NNB__TORCH_H

#include "seal.h"
#include "torch_names.h"

/* Whether the options fit a sealed net, of which all layers with parameters must be modules of PyTorch. */
nnb_status nnb__torch_check(const nnb_net *net, const nnb_torch_opts *opts);
/* dim ← the shape of the weight of block i in PyTorch; returns the number of dimensions. */
int nnb__torch_shape(const nnb_net *net, int i, size_t dim[4]);
/* Whether it is batch normalisation, which has running means. */
bool nnb__torch_has_running(const nnb_net *net, int i);
/* Whether it is an embedding, whose table is not transposed. */
bool nnb__torch_has_table(const nnb_net *net, int i);

#endif
