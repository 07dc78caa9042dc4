/* The CSV reader in both precisions.  The first byte chooses the options, the rest is the text. */
#include "fuzz_file.h"
/* first */
#include <nnblas.h>
#include <string.h>

#include "csv_scan.h"

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
    {.missing = NNB_MISSING_MEAN, .categories = 3},
    {.missing = NNB_MISSING_MEAN, .categories = 2, .category = names, .n_category = 1, .n_targets = NNB_NONE},
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

/* The same text read as it was before is the same. */
static void read_again(const char *text, size_t size, const nnb_csv_opts *opts, const nnb_data *before) {
  nnb_csv_opts as = {.columns = nnb_data_columns(before), .header = opts->header, .separator = opts->separator};
  nnb_data *again = NULL;
  nnb_batch a, b;
  as.n_targets = NNB_NONE, as.comment = opts->comment, as.skip_lines = opts->skip_lines;
  as.decimal_comma = opts->decimal_comma;
  if (as.header == NNB_NONE || nnb_data_parse_csv(text, size, "f.csv", &as, &again)) return;
  const int rows = nnb_data_rows(again);
  must(nnb_data_n_in(again) == nnb_data_n_in(before), "another number of inputs");
  must(nnb_data_batch(again, 0, rows, &a) == NNB_OK, "no batch");
  must(nnb_data_batch(before, 0, nnb_data_rows(before), &b) == NNB_OK, "no batch");
  for (int k = 0; k < rows * a.x.cols && rows == b.x.rows; k++) must(a.x.p[k] == b.x.p[k], "another input");
  nnb_data_destroy(again);
}

/* The same text as a file whose rows stay there, by small windows, gives the same data or the same error; another one
 * if a NUL byte, which is looked for first in memory, is not the first error of the file. */
static void open_file(const char *text, size_t size, const nnb_csv_opts *opts, nnb_status wanted,
                      const nnb_data *read) {
  char path[40];
  nnb_data *opened = NULL;
  if (size >= 2 && memcmp(text, "\x1f\x8b", 2) == 0) return; /* compressed */
  const int fd = fuzz_file((const uint8_t *)text, size, path);
  nnb__csv_window = 3 + size / 5;
  const nnb_status status = nnb_data_open_csv(path, opts, &opened);
  must(status == wanted || (status && memchr(text, '\0', size)), "opened and read are not the same");
  if (opened) {
    nnb_net *net = NULL;
    must(nnb_data_rows(opened) == nnb_data_rows(read), "another number of rows");
    must(nnb_data_n_in(opened) == nnb_data_n_in(read), "another number of inputs");
    if (nnb_net_for_data(opened, "none", &net)) must(*nnb_errmsg() != '\0', "no sentence"); /* it reads all rows */
    nnb_net_destroy(net);
  }
  nnb_data_destroy(opened);
  close(fd);
}

static void fuzz(const uint8_t *data, size_t size) {
  if (size == 0) return;
  const nnb_csv_opts *opts = &variants[(uint8_t)(data[0] - '0') % (sizeof variants / sizeof *variants)];
  nnb_data *d = NULL;
  nnbf_data *s = NULL;
  nnb_status status = nnb_data_parse_csv((const char *)data + 1, size - 1, "f.csv", opts, &d);
  must((status == NNB_OK) == (d != NULL), "status and data");
  if (d) check(d), read_again((const char *)data + 1, size - 1, opts, d);
  if (status) must(strlen(nnb_errmsg()) > 0, "a failure without a sentence");
  open_file((const char *)data + 1, size - 1, opts, status, d);
  status = nnbf_data_parse_csv((const char *)data + 1, size - 1, "f.csv", opts, &s);
  must((status == NNB_OK) == (s != NULL), "status and data");
  if (s) must(d && nnbf_data_rows(s) == nnb_data_rows(d), "the precisions differ");
  nnb_data_destroy(d);
  nnbf_data_destroy(s);
}
