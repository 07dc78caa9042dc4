/* nn/net_memory.h: a limit on the memory of nets that come from files. */
#ifndef NNB__NET_MEMORY_H
#define NNB__NET_MEMORY_H

#include "net.h"

/* Whether the memory for the parameters, and for one row of all nodes' inputs and outputs, is at most max_bytes; 0: 64
 * times the bytes of the file, or of one megabyte if it is smaller.  NNB_E_UNSUPPORTED. */
nnb_status nnb__net_check_memory(const nnb_net *net, size_t file_bytes, size_t max_bytes);

#endif
