/* torch_case IN OUT NET: loads a model of PyTorch, predicts two rows from standard input, and saves it again. */
#include <stdio.h>

#include "../precision.h"

int main(int argc, char **argv) {
  nnb_net *net = NULL;
  real x[200], y[20];
  const nnb_torch_opts opts = {.prefix = "net."};
  if (argc != 4) return fprintf(stderr, "usage: torch_case IN OUT NET\n"), 2;
  if (nnb_net_parse(argv[3], &net)) return fprintf(stderr, "%s\n", nnb_errmsg()), 1;
  const int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  for (int i = 0; i < 2 * n_in && i < 200; i++) {
    double v;
    if (scanf("%lf", &v) != 1) return 2;
    x[i] = (real)v;
  }
  if (nnb_net_load_torch(net, argv[1], &opts) ||
      nnb_net_predict(net, nnb_cview(x, 2, n_in), nnb_view(y, 2, n_out)) || nnb_net_save_torch(net, argv[2], &opts))
    return fprintf(stderr, "%s\n", nnb_errmsg()), 1;
  for (int i = 0; i < 2 * n_out; i++) printf("%.17g\n", (double)y[i]);
  nnb_net_destroy(net);
  return 0;
}
