/* The CSV reader in both precisions.  The first byte chooses the options, the rest is the text. */
#include <nnblas.h>
#include <string.h>

#include "fuzz.h"

static const char *const names[] = {"a", "b", "1"};
static const nnb_csv_opts variants[] = {
    {0},
    {.n_targets = NNB_NONE},
    {.classify = true},
    {.target = "a"},
    {.n_targets = 2, .separator = ';'},
    {.header = NNB_NONE, .class_names = names, .n_class_names = 3},
    {.header = 1, .class_names = names, .n_class_names = 3, .separator = '\t'},
    {.separator = ' '},
    {.target = "1", .comment = '#', .skip_lines = 1},
    {.take = names, .n_take = 2, .n_targets = NNB_NONE, .decimal_comma = true},
    {.leave = names + 1, .n_leave = 2, .header = 1},
};

static void check(const nnb_data *data) {
  nnb_batch b;
  int n = nnb_data_rows(data);
  must(n > 0 && nnb_data_n_in(data) > 0, "data without rows or columns");
  must(nnb_data_batch(data, 0, n, &b) == NNB_OK, "no batch");
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < b.x.cols; j++) must(b.x.p[i * b.x.ld + j] - b.x.p[i * b.x.ld + j] == 0, "x is not finite");
    if (b.label) must(nnb_data_class_name(data, b.label[i]) != NULL, "a class without a name");
  }
}

static void fuzz(const uint8_t *data, size_t size) {
  if (size == 0) return;
  const nnb_csv_opts *opts = &variants[(uint8_t)(data[0] - '0') % (sizeof variants / sizeof *variants)];
  nnb_data *d = NULL;
  nnbf_data *s = NULL;
  nnb_status status = nnb_data_parse_csv((const char *)data + 1, size - 1, "f.csv", opts, &d);
  must((status == NNB_OK) == (d != NULL), "status and data");
  if (d) check(d);
  if (status) must(strlen(nnb_errmsg()) > 0, "a failure without a sentence");
  status = nnbf_data_parse_csv((const char *)data + 1, size - 1, "f.csv", opts, &s);
  must((status == NNB_OK) == (s != NULL), "status and data");
  if (s) must(d && nnbf_data_rows(s) == nnb_data_rows(d), "the precisions differ");
  nnb_data_destroy(d);
  nnbf_data_destroy(s);
}
