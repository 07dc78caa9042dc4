/* io/onnx_pool.c: a list of blocks. */
#include "onnx_pool.h"

#include <string.h>

#include "alloc.h"
#include "status.h"

struct nnb__onnx_block {
  nnb__onnx_block *before;
  max_align_t memory[]; /* what was asked for */
};

void *nnb__onnx_take(nnb__onnx_pool *pool, size_t n, size_t size) {
  size_t bytes;
  pool->refused = !nnb__mul(n, size, &bytes) || bytes > SIZE_MAX - sizeof(nnb__onnx_block) ||
                  bytes + sizeof(nnb__onnx_block) > pool->left;
  nnb__onnx_block *block = pool->refused ? NULL : nnb__zalloc(bytes + sizeof *block, 1);
  pool->failed |= !block;
  if (!block) return NULL;
  pool->left -= bytes + sizeof *block;
  block->before = pool->last;
  pool->last = block;
  return block->memory;
}

bool nnb__onnx_spend(nnb__onnx_pool *pool, size_t n) {
  size_t bytes;
  const bool enough = nnb__mul(n, sizeof(double), &bytes) && bytes <= pool->left;
  if (enough) pool->left -= bytes;
  pool->failed |= !enough, pool->refused = !enough;
  return enough;
}

nnb_status nnb__onnx_pool_fail(const nnb__onnx_pool *pool, const char *file) {
  if (!pool->refused) return nnb__fail_nomem(file);
  return nnb__fail(NNB_E_UNSUPPORTED, "%s: reading it takes more than 64 times its size of memory or time", file);
}

static void *take(void *pool, size_t bytes) { return nnb__onnx_take(pool, bytes, 1); }
static void keep(void *pool, void *p) { (void)pool, (void)p; } /* until the pool is cleared */

ProtobufCAllocator nnb__onnx_pool_allocator(nnb__onnx_pool *pool) {
  return (ProtobufCAllocator){.alloc = take, .free = keep, .allocator_data = pool};
}

void nnb__onnx_pool_clear(nnb__onnx_pool *pool) {
  for (nnb__onnx_block *block = pool->last, *before; block; block = before) {
    before = block->before;
    nnb__release(block);
  }
  pool->last = NULL;
}
