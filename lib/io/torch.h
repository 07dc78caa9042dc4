/* io/torch.h: what reading and writing PyTorch's weights share. */
#ifndef NNB__TORCH_H
#define NNB__TORCH_H

#include "seal.h"
#include "torch_names.h"

/* Whether the options fit a sealed net, of which all layers with parameters must be dense. */
nnb_status nnb__torch_check(const nnb_net *net, const nnb_torch_opts *opts);

#endif
