/* NPY and NPZ in both precisions: read, or refused with a message; NPY also as a file that stays open. */
#include "fuzz_file.h"
/* first */
#include <nnblas.h>

static size_t count(const nnb_array *a) {
  size_t n = 1;
  for (int i = 0; i < a->n_dims; i++) n *= a->dim[i];
  return n;
}

static volatile double last;

static void check(nnb_status status, nnb_array *a, size_t size) {
  nnb_mat view;
  must(status ? a->p == NULL && *nnb_errmsg() != '\0' : a->p != NULL, "status, array and sentence");
  if (!status) {
    const size_t n = count(a);
    must(n <= 1032 * (size + 1), "more numbers than the file can hold");
    for (size_t i = 0; i < n; i++) last = a->p[i]; /* reads every number */
    nnb_array_view(a, &view);
  }
  nnb_array_clear(a);
}

/* Rows that stay in the file, the last column as target: all are read. */
static void open_rows(const uint8_t *data, size_t size) {
  char path[40];
  nnb_data *rows = NULL;
  const int fd = fuzz_file(data, size, path);
  const nnb_status status = nnb_data_open_npy(path, NULL, 1, 0, &rows);
  must(status ? rows == NULL && *nnb_errmsg() != '\0' : rows != NULL, "status, data and sentence");
  if (rows && nnb_data_n_in(rows) < 1000) {
    nnb_net *net = nnb_net_create(nnb_data_n_in(rows));
    must(nnb_net_standardize(net, rows) == NNB_OK || *nnb_errmsg() != '\0', "no sentence");
    nnb_net_destroy(net);
  }
  nnb_data_destroy(rows);
  close(fd);
}

static void fuzz(const uint8_t *data, size_t size) {
  nnb_array a;
  open_rows(data, size);
  nnbf_array single;
  check(nnb_array_parse_npy(data, size, "f", &a), &a, size);
  check(nnb_array_parse_npz(data, size, "f", NULL, &a), &a, size);
  check(nnb_array_parse_npz(data, size, "f", "a", &a), &a, size);
  nnbf_array_parse_npy(data, size, "f", &single);
  nnbf_array_clear(&single);
}
