/* Weights of PyTorch in both precisions, with and without names, for two nets: loaded and saved again, or refused and
 * the net is as it was. */
#include <nnblas.h>
#include <string.h>

#include "fuzz.h"

enum { MOST = 100 };

static void load(const char *text, const uint8_t *data, size_t size, const nnb_torch_opts *opts) {
  nnb_net *net = NULL;
  double before[MOST];
  void *file = NULL;
  size_t bytes = 0;
  must(nnb_net_parse(text, &net) == NNB_OK && nnb_net_n_params(net) <= MOST, "the net");
  const size_t n = nnb_net_n_params(net) * sizeof *before;
  memcpy(before, nnb_net_params_read(net), n);
  if (nnb_net_load_torch_mem(net, data, size, opts)) {
    must(memcmp(before, nnb_net_params_read(net), n) == 0, "a refused file changed the net");
    must(*nnb_errmsg() != '\0', "no sentence");
  } else {
    memcpy(before, nnb_net_params_read(net), n);
    must(nnb_net_save_torch_mem(net, NULL, &file, &bytes) == NNB_OK, "what was loaded cannot be saved");
    must(nnb_net_load_torch_mem(net, file, bytes, NULL) == NNB_OK, "what was saved cannot be loaded");
    must(memcmp(before, nnb_net_params_read(net), n) == 0, "other parameters");
  }
  nnb_free(file);
  nnb_net_destroy(net);
}

static void load_single(const char *text, const uint8_t *data, size_t size) {
  nnbf_net *net = NULL;
  must(nnbf_net_parse(text, &net) == NNB_OK, "the net");
  nnbf_net_load_torch_mem(net, data, size, NULL);
  nnbf_net_destroy(net);
}

static void fuzz(const uint8_t *data, size_t size) {
  static const char *const texts[] = {"3-4:tanh-2", "3-embed4x2-gru2-2"};
  static const char *const names[][3] = {{"fc1", "out"}, {"emb", "rnn", "out"}};
  for (int k = 0; k < 2; k++) {
    load(texts[k], data, size, NULL);
    load(texts[k], data, size,
         &(nnb_torch_opts){.names = names[k], .n_names = 2 + k, .ignore_others = true, .prefix = "m."});
    load_single(texts[k], data, size);
  }
}
