/* nn/net_memory.c: concats can double their columns again and again, so that a small file is a huge net. */
#include "net_memory.h"

#include "status.h"

enum { MEMORY_PER_BYTE = 64, LEAST_FILE = 1 << 20 };

nnb_status nnb__net_check_memory(const nnb_net *net, size_t file_bytes, size_t max_bytes) {
  double most = MEMORY_PER_BYTE * (double)(file_bytes > LEAST_FILE ? file_bytes : LEAST_FILE), numbers = 0;
  if (max_bytes) most = (double)max_bytes;
  for (int i = 0; i < net->n_nodes; i++) {
    const nnb__node *node = &net->nodes[i];
    numbers += ((double)node->needs.w_rows + node->needs.bias) * node->needs.w_cols + (double)node->needs.buffers;
    numbers += (double)node->needs.cols + (double)node->needs.scratch + (double)node->needs.init_scratch;
    numbers += (double)node->needs.work;
    for (int k = 0; k < node->n_from; k++) numbers += net->nodes[node->from[k] - 1].needs.cols;
  }
  const double bytes = numbers * (double)sizeof(real);
  if (bytes <= most) return NNB_OK;
  return nnb__fail(
      NNB_E_UNSUPPORTED,
      "the model needs %.0f bytes of memory; the limit for a file of %zu bytes is %.0f (max_bytes of the load "
      "options raises it)",
      bytes, file_bytes, most);
}
