/* Loading a net in both precisions; one that loads predicts, and is saved and loaded again.  A file with the state of
 * an optimiser is loaded into one with the options of the seed `state`. */
#include <nnblas.h>
#include <string.h>

#include "fuzz.h"

/* A table is read by the columns of the net, if they fit. */
static void read_table(const nnb_net *net) {
  static const char text[] = "sex,age,port,fare\nmale,,S,1\n";
  const nnb_csv_opts opts = {.columns = nnb_net_columns(net), .n_targets = NNB_NONE, .unseen_levels = true};
  nnb_data *data = NULL;
  if (opts.columns && !nnb_data_parse_csv(text, strlen(text), "t", &opts, &data))
    must(nnb_data_n_in(data) == nnb_net_n_in(net), "another number of inputs");
  nnb_data_destroy(data);
}

static void use(nnb_net *net) {
  void *file = NULL;
  size_t bytes = 0;
  nnb_net *again = NULL;
  int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  must(nnb_net_save_mem(net, &file, &bytes) == NNB_OK, "what was loaded cannot be saved");
  must(nnb_net_load_mem(file, bytes, NULL, &again) == NNB_OK, "what was saved cannot be loaded");
  must(nnb_net_n_params(again) == nnb_net_n_params(net), "another number of parameters");
  nnb_free(file);
  nnb_net_destroy(again);
  read_table(net);
  if (n_in < 1 || n_out < 1 || n_in > 1 << 16 || n_out > 1 << 16) return;
  double *x = calloc((size_t)n_in, sizeof *x), *y = calloc((size_t)n_out, sizeof *y);
  if (x && y) nnb_net_predict(net, nnb_cview(x, 1, n_in), nnb_view(y, 1, n_out));
  free(x);
  free(y);
}

/* The state is taken or refused; what was taken trains and can be saved. */
static void resume(nnb_net *net, const uint8_t *data, size_t size) {
  const nnb_optim_opts opts = {.algo = NNB_KFAC, .schedule = NNB_PLATEAU, .ema = 0.9};
  nnb_optim *optim = NULL;
  void *file = NULL;
  size_t bytes;
  if (nnb_net_n_params(net) > 1 << 12 || nnb_optim_create(net, &opts, &optim)) return;
  if (nnb_optim_load_mem(optim, net, data, size) == NNB_OK)
    must(nnb_optim_save_mem(optim, net, &file, &bytes) == NNB_OK, "what was loaded cannot be saved");
  nnb_free(file);
  nnb_optim_destroy(optim);
}

static void fuzz(const uint8_t *data, size_t size) {
  nnb_net *net = NULL;
  nnbf_net *single = NULL;
  nnb_status status = nnb_net_load_mem(data, size, NULL, &net);
  must((status == NNB_OK) == (net != NULL), "status and net");
  if (net) use(net);
  if (net) resume(net, data, size);
  nnb_net_destroy(net);
  status = nnbf_net_load_mem(data, size, NULL, &single);
  must((status == NNB_OK) == (single != NULL), "status and net");
  nnbf_net_destroy(single);
}
