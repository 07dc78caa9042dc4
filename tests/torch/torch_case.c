/* torch_case IN OUT: loads the model of make_torch.py, predicts two rows from standard input, and saves it again. */
#include <stdio.h>

#include "../precision.h"

int main(int argc, char **argv) {
  nnb_net *net = NULL;
  real x[6], y[4];
  const nnb_torch_opts opts = {.prefix = "net."};
  if (argc != 3) return fprintf(stderr, "usage: torch_case IN OUT\n"), 2;
  for (int i = 0; i < 6; i++) {
    double v;
    if (scanf("%lf", &v) != 1) return 2;
    x[i] = (real)v;
  }
  if (nnb_net_parse("3-5:tanh-4:silu-2", &net) || nnb_net_load_torch(net, argv[1], &opts) ||
      nnb_net_predict(net, nnb_cview(x, 2, 3), nnb_view(y, 2, 2)) || nnb_net_save_torch(net, argv[2], &opts))
    return fprintf(stderr, "%s\n", nnb_errmsg()), 1;
  for (int i = 0; i < 4; i++) printf("%.17g\n", (double)y[i]);
  nnb_net_destroy(net);
  return 0;
}
