/* io/onnx_load.c: reads nets from ONNX files. */
#include "real.h"
/* the precision first */
#include "bytes.h"
#include "onnx_net.h"
#include "safetensors.h"
#include "status.h"

/* The memory for reading: this many bytes for each byte of a file, and at least that for a file of one megabyte. */
enum { MEMORY_PER_BYTE = 64, LEAST_FILE = 1 << 20 };

static nnb_status check(const nnb_onnx_opts *opts) {
  for (size_t i = 0; i < sizeof opts->reserved / sizeof *opts->reserved; i++)
    if (opts->reserved[i])
      return nnb__fail(NNB_E_ARG, "nnb_onnx_opts: a reserved word is not 0; initialise the struct with {0}");
  if (!nnb__little_endian)
    return nnb__fail(NNB_E_UNSUPPORTED, "ONNX files are little-endian, and this computer is not");
  return NNB_OK;
}

static nnb_status load(const void *file, size_t bytes, const char *name, const char *path, const nnb_onnx_opts *opts,
                       nnb_net **out) {
  static const nnb_onnx_opts defaults = {0};
  if (!opts) opts = &defaults;
  const size_t counted = bytes > LEAST_FILE ? bytes : LEAST_FILE;
  nnb__onnx_pool pool = {.left = counted > SIZE_MAX / MEMORY_PER_BYTE ? SIZE_MAX : counted * MEMORY_PER_BYTE};
  nnb__onnx_graph g = {.file = name, .path = path, .external = opts->external_data, .pool = &pool, .file_bytes = bytes};
  nnb_status status = check(opts);
  if (!status) status = nnb__onnx_read(&g, file, bytes);
  if (!status) status = nnb__onnx_build(&g, opts->max_bytes, out);
  nnb__onnx_graph_clear(&g);
  nnb__onnx_pool_clear(&pool);
  return status;
}

nnb_status nnb_net_load_onnx_mem(const void *file, size_t bytes, const nnb_onnx_opts *opts, nnb_net **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!file) return nnb__fail(NNB_E_ARG, "file is NULL");
  return load(file, bytes, "the model in memory", NULL, opts, out);
}

nnb_status nnb_net_load_onnx(const char *path, const nnb_onnx_opts *opts, nnb_net **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!path) return nnb__fail(NNB_E_ARG, "path is NULL");
  nnb__bytes file = {0};
  nnb_status status = nnb__bytes_read(path, false, &file);
  if (!status) status = load(file.p, file.n, path, path, opts, out);
  nnb__bytes_clear(&file);
  return status;
}
