/* A program outside of the project, against an installed libnnblas: exclusive or, in both precisions, C99. */
#include <math.h>
#include <nnblas.h>
#include <string.h>

static int fail(const char *what) {
  fprintf(stderr, "outside.c: %s: %s\n", what, nnb_errmsg());
  return 1;
}

static int in_double(void) {
  double x[] = {0, 0, 0, 1, 1, 0, 1, 1}, t[] = {0, 1, 1, 0}, y[4];
  nnb_batch rows = {.x = nnb_cview(x, 4, 2), .t = nnb_cview(t, 4, 1)};
  nnb_fit_opts opts = {.lr = 0.3, .batch = NNB_FULL_BATCH, .max_epochs = 2000};
  nnb_data *data = NULL;
  nnb_net *net = nnb_net_create(2);
  int i;

  if (nnb_data_wrap(&rows, 0, &data)) return fail("nnb_data_wrap");
  nnb_net_dense(net, 4, NNB_TANH);
  nnb_net_dense(net, 1, NNB_SIGMOID);
  if (nnb_fit(net, data, NULL, &opts, NULL)) return fail("nnb_fit");
  if (nnb_net_predict(net, rows.x, nnb_view(y, 4, 1))) return fail("nnb_net_predict");
  for (i = 0; i < 4; i++)
    if (!(fabs(y[i] - t[i]) < 0.2)) return fprintf(stderr, "row %d: wanted %g, got %g\n", i, t[i], y[i]), 1;
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  return 0;
}

static int in_single(void) {
  float x[] = {0, 0, 0, 1, 1, 0, 1, 1}, t[] = {0, 1, 1, 0}, y[4];
  nnbf_batch rows = {.x = nnbf_cview(x, 4, 2), .t = nnbf_cview(t, 4, 1)};
  nnb_fit_opts opts = {.lr = 0.3, .batch = NNB_FULL_BATCH, .max_epochs = 2000};
  nnbf_data *data = NULL;
  nnbf_net *net = nnbf_net_create(2);
  int i;

  if (nnbf_data_wrap(&rows, 0, &data)) return fail("nnbf_data_wrap");
  nnbf_net_dense(net, 4, NNB_TANH);
  nnbf_net_dense(net, 1, NNB_SIGMOID);
  if (nnbf_fit(net, data, NULL, &opts, NULL)) return fail("nnbf_fit");
  if (nnbf_net_predict(net, rows.x, nnbf_view(y, 4, 1))) return fail("nnbf_net_predict");
  for (i = 0; i < 4; i++)
    if (!(fabs((double)y[i] - (double)t[i]) < 0.2)) return fprintf(stderr, "row %d is wrong (single)\n", i), 1;
  nnbf_net_destroy(net);
  nnbf_data_destroy(data);
  return 0;
}

/* argv[1]: the version the package files name */
int main(int argc, char **argv) {
  char macros[32];
  snprintf(macros, sizeof macros, "%d.%d.%d", NNB_VERSION_MAJOR, NNB_VERSION_MINOR, NNB_VERSION_PATCH);
  if (NNB_VERSION != NNB_VERSION_MAJOR * 10000 + NNB_VERSION_MINOR * 100 + NNB_VERSION_PATCH)
    return fprintf(stderr, "NNB_VERSION is %d, of %s\n", NNB_VERSION, macros), 1;
  if (strcmp(macros, nnb_version()) != 0 || argc != 2 || strcmp(argv[1], macros) != 0)
    return fprintf(stderr, "versions: header %s, library %s, package %s\n", macros, nnb_version(), argv[1]), 1;
  return in_double() || in_single();
}
