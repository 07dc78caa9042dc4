/* nn/linear.c: the parameters in which the outputs are jointly linear: those of dense output layers without activation
 * that no other node reads. */
#include "linear.h"

bool nnb__is_linear_output(const nnb_net *net, int k) {
  const nnb__node *node = &net->nodes[k];
  return node->out_col >= 0 && node->n_consumers == 0 && node->ops == &nnb__layer_dense &&
         node->activation == NNB_LINEAR;
}

size_t nnb__linear_params(const nnb_net *net, bool *linear) {
  size_t count = 0;
  for (int b = 0; b < net->n_blocks; b++) {
    const nnb__block *block = &net->blocks[b];
    bool yes = nnb__is_linear_output(net, net->block_node[b] - 1);
    size_t n = 0;
    if (!(block->frozen & NNB_WEIGHTS)) n += (size_t)block->rows * (size_t)block->cols;
    if (block->bias && !(block->frozen & NNB_BIAS)) n += (size_t)block->cols;
    for (size_t i = 0; linear && i < n; i++) *linear++ = yes;
    if (yes) count += n;
  }
  return count;
}
