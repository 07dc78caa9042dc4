/* NPY and NPZ in both precisions: read, or refused with a message. */
#include <nnblas.h>
#include <string.h>

#include "fuzz.h"

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

static void fuzz(const uint8_t *data, size_t size) {
  nnb_array a;
  nnbf_array single;
  check(nnb_array_parse_npy(data, size, "f", &a), &a, size);
  check(nnb_array_parse_npz(data, size, "f", NULL, &a), &a, size);
  check(nnb_array_parse_npz(data, size, "f", "a", &a), &a, size);
  nnbf_array_parse_npy(data, size, "f", &single);
  nnbf_array_clear(&single);
}
