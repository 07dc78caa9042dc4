/* read_cases: for each line "MODEL X Y" of standard input, reads the ONNX file, predicts the rows of the NPY file X and
 * writes Y; X "-": only reads it.  Prints "read" or the status and the message, a line each.  MODEL.again gets the net
 * as ONNX file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../precision.h"

static nnb_status predict(nnb_net *net, const char *from, const char *to) {
  nnb_array x = {0}, y = {.n_dims = 2};
  nnb_mat rows;
  nnb_status status = nnb_array_read_npy(from, &x);
  if (!status) status = nnb_array_view(&x, &rows);
  if (!status) {
    y.dim[0] = (size_t)rows.rows, y.dim[1] = (size_t)nnb_net_n_out(net);
    y.p = malloc(y.dim[0] * y.dim[1] * sizeof *y.p);
    status = nnb_net_predict(net, nnb_cview(rows.p, rows.rows, rows.cols), nnb_view(y.p, rows.rows, (int)y.dim[1]));
  }
  if (!status) status = nnb_array_write_npy(to, &y, NNB_ARRAY_F64);
  nnb_array_clear(&x), free(y.p);
  return status;
}

static nnb_status run(const char *model, const char *x, const char *y) {
  char again[1100];
  nnb_net *net;
  nnb_status status = nnb_net_load_onnx(model, &(nnb_onnx_opts){.external_data = true}, &net);
  if (!status && strcmp(x, "-") != 0) status = predict(net, x, y);
  snprintf(again, sizeof again, "%s.again", y);
  if (!status && strcmp(x, "-") != 0) status = nnb_net_save_onnx(net, again, NULL);
  nnb_net_destroy(net);
  return status;
}

int main(void) {
  char line[4000], model[1000], x[1000], y[1000];
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%999s %999s %999s", model, x, y) != 3) return 2;
    const nnb_status status = run(model, x, y);
    if (status)
      printf("%s: %s\n", nnb_strstatus(status), nnb_errmsg());
    else
      printf("read\n");
  }
  return 0;
}
