/* io/onnx_pool.h: the memory for reading one file: it has a limit, and all of it is released at once. */
#ifndef NNB__ONNX_POOL_H
#define NNB__ONNX_POOL_H

#include "onnx_model.h"

typedef struct nnb__onnx_block nnb__onnx_block;
typedef struct nnb__onnx_pool {
  nnb__onnx_block *last;
  size_t left;          /* bytes that may still be taken */
  bool failed, refused; /* something was not had; because of the limit */
} nnb__onnx_pool;

/* Zeroed memory; NULL beyond the limit or out of memory. */
void *nnb__onnx_take(nnb__onnx_pool *pool, size_t n, size_t size);
/* Counts the time for n numbers as memory that is not had back: many nodes may share one long constant.  false: beyond
 * the limit. */
bool nnb__onnx_spend(nnb__onnx_pool *pool, size_t n);
/* The status of a NULL or false: NNB_E_NOMEM, or NNB_E_UNSUPPORTED beyond the limit. */
nnb_status nnb__onnx_pool_fail(const nnb__onnx_pool *pool, const char *file);
/* The pool as an allocator of protobuf-c, which copies a pointer to the pool. */
ProtobufCAllocator nnb__onnx_pool_allocator(nnb__onnx_pool *pool);
void nnb__onnx_pool_clear(nnb__onnx_pool *pool);

#endif
