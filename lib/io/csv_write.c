/* io/csv_write.c: data as comma-separated text (RFC 4180, lines end in "\n"). */
#include "real.h"
/* the precision first */
#include <string.h>

#include "data.h"
#include "status.h"
#include "table_text.h"

/* In quotes where the reader would see something else without. */
static void put_text(nnb__table_text *out, const char *text) {
  const size_t n = strlen(text);
  const bool plain = n > 0 && !strpbrk(text, "\",\r\n") && text[0] != ' ' && text[n - 1] != ' ' && text[0] != '\t' &&
                     text[n - 1] != '\t';
  if (plain) {
    nnb__table_text_put(out, text, n);
    return;
  }
  nnb__table_text_put(out, "\"", 1);
  for (const char *end; (end = strchr(text, '"')); text = end + 1) {
    nnb__table_text_put(out, text, (size_t)(end - text));
    nnb__table_text_put(out, "\"\"", 2);
  }
  nnb__table_text_put(out, text, strlen(text));
  nnb__table_text_put(out, "\"", 1);
}

static void put_name(nnb__table_text *out, const nnb_data *data, int column, const char *word, int number) {
  char made[24];
  const char *name = nnb_data_column_name(data, column);
  snprintf(made, sizeof made, number ? "%s%d" : "%s", word, number);
  if (column > 0) nnb__table_text_put(out, ",", 1);
  put_text(out, name ? name : made);
}

static void put_head(nnb__table_text *out, const nnb_data *data) {
  const int n_in = data->x.cols;
  for (int j = 0; j < n_in; j++) put_name(out, data, j, "x", j + 1);
  if (data->label) put_name(out, data, n_in, "class", 0);
  for (int j = 0; data->t.p && j < data->t.cols; j++) put_name(out, data, n_in + j, "t", j + 1);
  nnb__table_text_put(out, "\n", 1);
}

static void put_class(nnb__table_text *out, const nnb_data *data, int32_t label) {
  const char *name = nnb_data_class_name(data, label);
  char number[16];
  snprintf(number, sizeof number, "%d", (int)label);
  put_text(out, name ? name : number);
}

static void put_row(nnb__table_text *out, const nnb_data *data, int i) {
  for (int j = 0; j < data->x.cols; j++) {
    if (j > 0) nnb__table_text_put(out, ",", 1);
    nnb__table_text_number(out, data->x.p[(size_t)i * (size_t)data->x.ld + (size_t)j]);
  }
  if (data->label) nnb__table_text_put(out, ",", 1), put_class(out, data, data->label[i]);
  for (int j = 0; data->t.p && j < data->t.cols; j++) {
    nnb__table_text_put(out, ",", 1);
    nnb__table_text_number(out, data->t.p[(size_t)i * (size_t)data->t.ld + (size_t)j]);
  }
  nnb__table_text_put(out, "\n", 1);
}

nnb_status nnb_data_write_csv(const nnb_data *data, const char *path) {
  if (!data || !path) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "path" : "data");
  if (!*path) return nnb__fail(NNB_E_ARG, "path is empty");
  nnb_status status = nnb__data_in_memory(data, "nnb_data_write_csv");
  if (!status) status = nnb__data_without_dt(data, "nnb_data_write_csv");
  if (status) return status;
  if (data->weight)
    return nnb__fail(NNB_E_UNSUPPORTED, "the data has sample weights, for which a CSV file has no column");
  nnb__table_text out = {0};
  put_head(&out, data);
  for (int i = 0; i < data->x.rows && !out.status; i++) put_row(&out, data, i);
  return nnb__table_text_save(&out, path);
}
