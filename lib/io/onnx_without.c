/* io/onnx_without.c: the calls for ONNX in a library that was built without protobuf-c. */
#include "real.h"
/* the precision first */
#include "status.h"

static nnb_status refuse(void) {
  return nnb__fail(NNB_E_UNSUPPORTED, "this library was built without protobuf-c, which ONNX files need");
}

nnb_status nnb_net_save_onnx(const nnb_net *net, const char *path, const nnb_onnx_opts *opts) {
  (void)opts;
  return net && path ? refuse() : nnb__fail(NNB_E_ARG, "%s is NULL", net ? "path" : "net");
}

nnb_status nnb_net_save_onnx_mem(const nnb_net *net, const nnb_onnx_opts *opts, void **out, size_t *bytes) {
  (void)opts;
  if (!net || !out || !bytes) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "out or bytes" : "net");
  *out = NULL, *bytes = 0;
  return refuse();
}

nnb_status nnb_net_load_onnx(const char *path, const nnb_onnx_opts *opts, nnb_net **out) {
  (void)opts;
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  return path ? refuse() : nnb__fail(NNB_E_ARG, "path is NULL");
}

nnb_status nnb_net_load_onnx_mem(const void *file, size_t bytes, const nnb_onnx_opts *opts, nnb_net **out) {
  (void)bytes, (void)opts;
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  return file ? refuse() : nnb__fail(NNB_E_ARG, "file is NULL");
}
