/* io/csv_write.c: data as comma-separated text (RFC 4180, lines end in "\n"). */
#include "real.h"
/* the precision first */
#include <string.h>

#include "alloc.h"
#include "data.h"
#include "save.h"
#include "status.h"
#include "text.h"

typedef struct csv {
  char *p;
  size_t n, cap;
  nnb_status status;
} csv;

static void put(csv *out, const char *text, size_t n) {
  if (!out->status && !nnb__grow(&out->p, &out->cap, out->n + n, 1)) out->status = nnb__fail_nomem("the CSV text");
  if (out->status) return;
  memcpy(out->p + out->n, text, n);
  out->n += n;
}

/* In quotes where the reader would see something else without. */
static void put_text(csv *out, const char *text) {
  const size_t n = strlen(text);
  const bool plain = n > 0 && !strpbrk(text, "\",\r\n") && text[0] != ' ' && text[n - 1] != ' ' && text[0] != '\t' &&
                     text[n - 1] != '\t';
  if (plain) {
    put(out, text, n);
    return;
  }
  put(out, "\"", 1);
  for (const char *end; (end = strchr(text, '"')); text = end + 1) {
    put(out, text, (size_t)(end - text));
    put(out, "\"\"", 2);
  }
  put(out, text, strlen(text));
  put(out, "\"", 1);
}

static void put_number(csv *out, real value) {
  char text[NNB__DOUBLE_TEXT];
  if (sizeof(real) == sizeof(double))
    nnb__double_to_text((double)value, text);
  else
    nnb__format(text, sizeof text, "%.9g", (double)value);
  put(out, text, strlen(text));
}

static void put_name(csv *out, const nnb_data *data, int column, const char *word, int number) {
  char made[24];
  const char *name = nnb_data_column_name(data, column);
  snprintf(made, sizeof made, number ? "%s%d" : "%s", word, number);
  if (column > 0) put(out, ",", 1);
  put_text(out, name ? name : made);
}

static void put_head(csv *out, const nnb_data *data) {
  const int n_in = data->x.cols;
  for (int j = 0; j < n_in; j++) put_name(out, data, j, "x", j + 1);
  if (data->label) put_name(out, data, n_in, "class", 0);
  for (int j = 0; data->t.p && j < data->t.cols; j++) put_name(out, data, n_in + j, "t", j + 1);
  put(out, "\n", 1);
}

static void put_class(csv *out, const nnb_data *data, int32_t label) {
  const char *name = nnb_data_class_name(data, label);
  char number[16];
  snprintf(number, sizeof number, "%d", (int)label);
  put_text(out, name ? name : number);
}

static void put_row(csv *out, const nnb_data *data, int i) {
  for (int j = 0; j < data->x.cols; j++) {
    if (j > 0) put(out, ",", 1);
    put_number(out, data->x.p[(size_t)i * (size_t)data->x.ld + (size_t)j]);
  }
  if (data->label) put(out, ",", 1), put_class(out, data, data->label[i]);
  for (int j = 0; data->t.p && j < data->t.cols; j++) {
    put(out, ",", 1);
    put_number(out, data->t.p[(size_t)i * (size_t)data->t.ld + (size_t)j]);
  }
  put(out, "\n", 1);
}

nnb_status nnb_data_write_csv(const nnb_data *data, const char *path) {
  if (!data || !path) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "path" : "data");
  if (!*path) return nnb__fail(NNB_E_ARG, "path is empty");
  if (data->weight)
    return nnb__fail(NNB_E_UNSUPPORTED, "the data has sample weights, for which a CSV file has no column");
  csv out = {0};
  put_head(&out, data);
  for (int i = 0; i < data->x.rows && !out.status; i++) put_row(&out, data, i);
  const nnb__piece piece = {out.p, out.n};
  nnb_status status = out.status ? out.status : nnb__save(path, &piece, 1);
  nnb__release(out.p);
  return status;
}
