/* FANN's training files in both precisions: read, or refused with a message. */
#include <nnblas.h>

#include "fuzz.h"

static void fuzz(const uint8_t *data, size_t size) {
  nnb_data *d = NULL;
  nnbf_data *s = NULL;
  nnb_batch b;
  nnb_status status = nnb_data_parse_fann((const char *)data, size, "f.data", &d);
  must((status == NNB_OK) == (d != NULL), "status and data");
  if (status) must(*nnb_errmsg() != '\0', "a failure without a sentence");
  if (d) {
    const int n = nnb_data_rows(d);
    must(nnb_data_batch(d, 0, n, &b) == NNB_OK && n > 0 && b.x.cols > 0 && b.t.cols > 0, "no batch");
    must((size_t)n * (size_t)(b.x.cols + b.t.cols) <= size, "more numbers than the file can hold");
  }
  status = nnbf_data_parse_fann((const char *)data, size, "f.data", &s);
  must((status == NNB_OK) == (s != NULL), "status and data");
  if (s) must(d != NULL, "the precisions differ");
  nnb_data_destroy(d);
  nnbf_data_destroy(s);
}
