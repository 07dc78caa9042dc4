/* io/torch.h: what reading and writing PyTorch's weights share. */
#ifndef NNB__TORCH_H
#define NNB__TORCH_H

#include "seal.h"
#include "torch_names.h"

/* A tensor of a module, and where its numbers are in the net. */
typedef struct nnb__torch_tensor {
  nnb__torch_part part; /* NNB__TORCH_COUNT is nowhere */
  int n_dims;
  size_t dim[4];
  size_t at;         /* of the first number in the parameters or the buffers */
  bool transposed;   /* they are the columns of a matrix there, which has dim[0] columns */
  bool any_sides;    /* sides of 1 do not matter: signals are images of height 1 … */
  int firm;          /* … behind so many dimensions that must be as they are */
  const char *sides; /* what the dimensions are, for messages, or NULL */
} nnb__torch_tensor;

enum { NNB__TORCH_MOST = 5 };

/* Whether the layer, apart from its activation, is a module of torch.nn. */
bool nnb__torch_is_module(const nnb_layer_ops *ops);
/* The tensors of block i as a module, weights first; returns their number. */
int nnb__torch_tensors(const nnb_net *net, int i, nnb__torch_tensor out[NNB__TORCH_MOST]);
/* Whether the options fit a sealed net, of which all layers with parameters must be modules of PyTorch. */
nnb_status nnb__torch_check(const nnb_net *net, const nnb_torch_opts *opts);

#endif
