/* io/model.c: saves and loads a net, as a bag. */
#include "real.h"
/* the precision first */
#include "bytes.h"
#include "net_bag.h"
#include "safetensors.h"
#include "seal.h"
#include "status.h"

nnb_status nnb_net_save(const nnb_net *net, const char *path) {
  if (!net || !path) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "path" : "net");
  if (!*path) return nnb__fail(NNB_E_ARG, "path is empty");
  nnb__bag bag = {0};
  nnb_status status = nnb__net_to_bag(net, &bag);
  if (!status) status = nnb__safetensors_save(&bag, path);
  nnb__bag_clear(&bag);
  return status;
}

nnb_status nnb_net_save_mem(const nnb_net *net, void **out, size_t *bytes) {
  if (!net || !out || !bytes) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "out or bytes" : "net");
  *out = NULL, *bytes = 0;
  nnb__bag bag = {0};
  nnb__bytes file = {0};
  nnb_status status = nnb__net_to_bag(net, &bag);
  if (!status) status = nnb__safetensors_to_mem(&bag, &file);
  nnb__bag_clear(&bag);
  *out = file.p, *bytes = file.n;
  return status;
}

nnb_status nnb_net_load_mem(const void *file, size_t bytes, const nnb_load_opts *opts, nnb_net **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!file) return nnb__fail(NNB_E_ARG, "file is NULL");
  nnb__bag bag = {0};
  nnb_status status = nnb__safetensors_parse(file, bytes, "the model in memory", &bag);
  if (!status) status = nnb__net_from_bag(&bag, bytes, opts, out);
  nnb__bag_clear(&bag);
  return status;
}

nnb_status nnb_net_load(const char *path, const nnb_load_opts *opts, nnb_net **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!path) return nnb__fail(NNB_E_ARG, "path is NULL");
  nnb__file file;
  nnb__store store;
  nnb__bag bag = {0};
  nnb_status status = nnb__file_open(&file, path);
  if (status) return status;
  status = nnb__safetensors_open(&file, &store, &bag);
  if (!status) status = nnb__net_from_bag(&bag, (size_t)file.size, opts, out);
  status = nnb__file_confirm(&file, status);
  if (status) nnb_net_destroy(*out), *out = NULL;
  nnb__bag_clear(&bag);
  nnb__file_close(&file);
  return status;
}
