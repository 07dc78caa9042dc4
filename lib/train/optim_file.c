/* train/optim_file.c: a net and the state of its optimiser in one model file, for your own training loops. */
#include <string.h>

#include "alloc.h"
#include "bytes.h"
#include "net_bag.h"
#include "optim_state.h"
#include "rows.h"
#include "safetensors.h"
#include "status.h"

/* ---- saving ----------------------------------------------------------------------------------------------------- */

static nnb_status fill(nnb_optim *optim, nnb_net *net, nnb__bag *bag) {
  nnb_status status = nnb__net_check(net);
  if (!status) status = nnb__net_seal(net);
  if (!status) status = nnb__check_optim(net, optim);
  if (!status) status = nnb__net_to_bag(net, bag);
  return status ? status : nnb__optim_put(optim, bag);
}

nnb_status nnb_optim_save(nnb_optim *optim, nnb_net *net, const char *path) {
  if (!path || !*path) return nnb__fail(NNB_E_ARG, "path is %s", path ? "empty" : "NULL");
  nnb__bag bag = {0};
  nnb_status status = fill(optim, net, &bag);
  if (!status) status = nnb__safetensors_save(&bag, path);
  nnb__bag_clear(&bag);
  return status;
}

nnb_status nnb_optim_save_mem(nnb_optim *optim, nnb_net *net, void **out, size_t *bytes) {
  if (!out || !bytes) return nnb__fail(NNB_E_ARG, "out or bytes is NULL");
  *out = NULL, *bytes = 0;
  nnb__bag bag = {0};
  nnb__bytes file = {0};
  nnb_status status = fill(optim, net, &bag);
  if (!status) status = nnb__safetensors_to_mem(&bag, &file);
  nnb__bag_clear(&bag);
  *out = file.p, *bytes = file.n;
  return status;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

/* Everything is checked before anything changes. */
static nnb_status take(nnb_optim *optim, nnb_net *net, const nnb__bag *bag) {
  nnb_status status = nnb__net_match(net, bag);
  if (!status) status = nnb__optim_check(optim, bag);
  if (status) return status;
  real *values = nnb__alloc(net->n_values, sizeof *values);
  status = values ? nnb__net_values_from_bag(net, bag, values) : nnb__fail_nomem("the parameters of a file");
  if (!status) {
    memcpy(net->params, values, net->n_values * sizeof *values);
    nnb__optim_take(optim, bag);
  }
  nnb__release(values);
  return status;
}

static nnb_status load(nnb_optim *optim, nnb_net *net, const void *file, size_t bytes, const char *name) {
  nnb__bag bag = {0};
  nnb_status status = nnb__safetensors_parse(file, bytes, name, &bag);
  if (!status) status = take(optim, net, &bag);
  nnb__bag_clear(&bag);
  return status;
}

static nnb_status check(const nnb_optim *optim, nnb_net *net) {
  nnb_status status = nnb__net_check(net);
  if (!status) status = nnb__net_idle(net);
  if (!status) status = nnb__net_seal(net);
  return status ? status : nnb__check_optim(net, optim);
}

nnb_status nnb_optim_load_mem(nnb_optim *optim, nnb_net *net, const void *file, size_t bytes) {
  if (!file) return nnb__fail(NNB_E_ARG, "file is NULL");
  nnb_status status = check(optim, net);
  return status ? status : load(optim, net, file, bytes, "the file in memory");
}

nnb_status nnb_optim_load(nnb_optim *optim, nnb_net *net, const char *path) {
  if (!path) return nnb__fail(NNB_E_ARG, "path is NULL");
  nnb__bytes file = {0};
  nnb_status status = check(optim, net);
  if (!status) status = nnb__bytes_read(path, false, &file);
  if (!status) status = load(optim, net, file.p, file.n, path);
  nnb__bytes_clear(&file);
  return status;
}
