/* Weights of PyTorch in both precisions, with and without names: loaded and saved again, or refused and the net is as
 * it was. */
#include <nnblas.h>
#include <string.h>

#include "fuzz.h"

enum { P = 4 * 4 + 5 * 2 };

static void load(const uint8_t *data, size_t size, const nnb_torch_opts *opts) {
  nnb_net *net = NULL;
  double before[P];
  void *file = NULL;
  size_t bytes = 0;
  must(nnb_net_parse("3-4:tanh-2", &net) == NNB_OK && nnb_net_n_params(net) == P, "the net");
  memcpy(before, nnb_net_params_read(net), sizeof before);
  if (nnb_net_load_torch_mem(net, data, size, opts)) {
    must(memcmp(before, nnb_net_params_read(net), sizeof before) == 0, "a refused file changed the net");
    must(*nnb_errmsg() != '\0', "no sentence");
  } else {
    memcpy(before, nnb_net_params_read(net), sizeof before);
    must(nnb_net_save_torch_mem(net, NULL, &file, &bytes) == NNB_OK, "what was loaded cannot be saved");
    must(nnb_net_load_torch_mem(net, file, bytes, NULL) == NNB_OK, "what was saved cannot be loaded");
    must(memcmp(before, nnb_net_params_read(net), sizeof before) == 0, "other parameters");
  }
  nnb_free(file);
  nnb_net_destroy(net);
}

static void load_single(const uint8_t *data, size_t size) {
  nnbf_net *net = NULL;
  must(nnbf_net_parse("3-4:tanh-2", &net) == NNB_OK, "the net");
  nnbf_net_load_torch_mem(net, data, size, NULL);
  nnbf_net_destroy(net);
}

static void fuzz(const uint8_t *data, size_t size) {
  static const char *const names[] = {"fc1", "out"};
  load(data, size, NULL);
  load(data, size, &(nnb_torch_opts){.names = names, .n_names = 2, .ignore_others = true, .prefix = "m."});
  load_single(data, size);
}
