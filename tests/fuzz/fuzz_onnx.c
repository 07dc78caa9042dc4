/* Models of ONNX in both precisions: refused with a message, or a net that predicts, is saved and read again with the
 * same parameters. */
#include <nnblas.h>
#include <string.h>

#include "fuzz.h"

enum { MOST = 1 << 24 }; /* bytes of a net */

static void predict(nnb_net *net) {
  const int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  double *x = calloc((size_t)n_in, sizeof *x), *y = calloc((size_t)n_out, sizeof *y);
  must(x && y, "memory");
  must(nnb_net_predict(net, nnb_cview(x, 1, n_in), nnb_view(y, 1, n_out)) == NNB_OK, "no prediction");
  free(x), free(y);
}

static void again(nnb_net *net) {
  void *file = NULL;
  size_t bytes = 0;
  nnb_net *twin = NULL;
  const size_t n = nnb_net_n_params(net);
  must(nnb_net_save_onnx_mem(net, NULL, &file, &bytes) == NNB_OK, "what was loaded cannot be saved");
  must(nnb_net_load_onnx_mem(file, bytes, &(nnb_onnx_opts){.max_bytes = 2 * MOST}, &twin) == NNB_OK,
       "what was saved cannot be loaded");
  must(nnb_net_n_params(twin) == n, "another number of parameters");
  must(n == 0 || memcmp(nnb_net_params_read(net), nnb_net_params_read(twin), n * sizeof(double)) == 0,
       "other parameters");
  nnb_net_destroy(twin);
  nnb_free(file);
}

static void fuzz(const uint8_t *data, size_t size) {
  nnb_net *net = NULL;
  nnbf_net *single = NULL;
  const nnb_onnx_opts opts = {.max_bytes = MOST};
  const uint8_t none[1] = {0};
  const void *file = data ? data : none;
  const nnb_status status = nnb_net_load_onnx_mem(file, size, &opts, &net);
  must(status == NNB_OK || (!net && *nnb_errmsg()), "a refusal without a message");
  must(status == NNB_OK || status == NNB_E_PARSE || status == NNB_E_UNSUPPORTED, "another status");
  if (net) predict(net), again(net);
  nnb_net_destroy(net);
  nnbf_net_load_onnx_mem(file, size, &opts, &single);
  nnbf_net_destroy(single);
}
