/* io/csv_write.c: data as comma-separated text (RFC 4180, lines end in "\n"). */
#include "real.h"
/* the precision first */
#include <string.h>

#include "csv_layout.h"
#include "data.h"
#include "status.h"
#include "table_text.h"
#include "text.h"

/* In quotes where the reader would see something else without. */
static void put_text(nnb__table_text *out, const char *text) {
  const size_t n = strlen(text);
  const bool plain = n > 0 && !strpbrk(text, "\",;\t\r\n") && text[0] != ' ' && text[n - 1] != ' ' &&
                     strncmp(text, "\xEF\xBB\xBF", 3) != 0; /* a byte-order mark */
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

enum { MADE_NAME = 24 };

static int n_columns(const nnb_data *data) {
  return data->x.cols + (data->label != NULL) + (data->t.p ? data->t.cols : 0);
}

static const char *column_name(const nnb_data *data, int column, char made[MADE_NAME]) {
  const char *name = nnb_data_column_name(data, column);
  const int n_in = data->x.cols;
  if (name) return name;
  if (column < n_in)
    snprintf(made, MADE_NAME, "x%d", column + 1);
  else if (data->label)
    snprintf(made, MADE_NAME, "class");
  else
    snprintf(made, MADE_NAME, "t%d", column - n_in + 1);
  return made;
}

static void put_head(nnb__table_text *out, const nnb_data *data) {
  char made[MADE_NAME];
  for (int j = 0; j < n_columns(data); j++) {
    if (j > 0) nnb__table_text_put(out, ",", 1);
    put_text(out, column_name(data, j, made));
  }
  nnb__table_text_put(out, "\n", 1);
}

static const char *class_name(const nnb_data *data, int32_t label, char number[MADE_NAME]) {
  const char *name = nnb_data_class_name(data, label);
  if (name) return name;
  snprintf(number, MADE_NAME, "%d", (int)label);
  return number;
}

static void put_class(nnb__table_text *out, const nnb_data *data, int32_t label) {
  char number[MADE_NAME];
  put_text(out, class_name(data, label, number));
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

/* ---- what would be read as other data ---------------------------------------------------------------------------- */

/* What the reader takes a text for. */
static nnb__csv_kind kind_of(const char *text) {
  static const nnb__csv csv = {.point = '.'};
  return nnb__csv_kind_of(&csv, &(nnb__csv_field){.text = text, .n = strlen(text)});
}

/* The reader must take the first row for names: no numbers, and enough texts above numbers (csv_first.c). */
static nnb_status check_columns(const nnb_data *data) {
  char made[MADE_NAME], shown[NNB__SHOWN_TEXT];
  int texts = 0, words = 0, above_numbers = 0, odd = -1;
  for (int j = 0; j < n_columns(data); j++) {
    const char *name = column_name(data, j, made);
    const nnb__csv_kind kind = kind_of(name);
    if (nnb__csv_is_number(kind, name))
      return nnb__fail(NNB_E_ARG,
                       "the name of column %d is \"%s\"; wanted one that is not a number, or the row of names is read "
                       "as data",
                       j + 1, nnb__show(name, strlen(name), shown));
    if (kind != NNB__CSV_TEXT && odd < 0) odd = j;
    texts += kind == NNB__CSV_TEXT, words += kind == NNB__CSV_ODD;
    above_numbers += kind == NNB__CSV_TEXT && !(data->label && j == data->x.cols);
  }
  if (texts > words && above_numbers > 0) return NNB_OK;
  const char *name = column_name(data, odd, made);
  return nnb__fail(
      NNB_E_ARG,
      "the name of column %d is \"%s\", which is read as a missing value; wanted more columns with other names, "
      "or the row of names is read as data",
      odd + 1, nnb__show(name, strlen(name), shown));
}

/* Classes that are numbers are known by these (csv_classes.c). */
static bool is_shortest(const char *number) {
  char text[NNB__DOUBLE_TEXT];
  double value = 0;
  nnb__text_to_double(number, &value);
  nnb__double_to_text(value == 0 ? 0.0 : value, text);
  return strcmp(text, number) == 0;
}

/* Whether the class of a row is a text: then "inf" is one, too. */
static bool has_text_class(const nnb_data *data) {
  char number[MADE_NAME];
  for (int i = 0; data->label && i < data->x.rows; i++)
    if (kind_of(class_name(data, data->label[i], number)) == NNB__CSV_TEXT) return true;
  return false;
}

static nnb_status check_classes(const nnb_data *data) {
  char number[MADE_NAME], shown[NNB__SHOWN_TEXT];
  const bool texts = has_text_class(data);
  bool numbers = false;
  for (int i = 0; data->label && i < data->x.rows; i++) {
    const char *name = class_name(data, data->label[i], number);
    const nnb__csv_kind kind = kind_of(name);
    const bool is_number = kind == NNB__CSV_NUMBER;
    if (i > 0 && is_number != numbers)
      return nnb__fail(NNB_E_ARG, "the class of row %d is named \"%s\"; wanted names that are all numbers, or none",
                       i + 1, nnb__show(name, strlen(name), shown));
    numbers = is_number;
    if (nnb__csv_is_missing(&(nnb__csv_field){.text = name, .n = strlen(name)}) || (kind == NNB__CSV_ODD && !texts))
      return nnb__fail(NNB_E_ARG,
                       "the class of row %d is named \"%s\", which is read as a missing value or as a number that is "
                       "not finite; wanted another name",
                       i + 1, nnb__show(name, strlen(name), shown));
    if (is_number && !is_shortest(name))
      return nnb__fail(NNB_E_ARG,
                       "the class of row %d is named \"%s\", which is read as another way to write the same number; "
                       "wanted its shortest text",
                       i + 1, nnb__show(name, strlen(name), shown));
  }
  return NNB_OK;
}

nnb_status nnb_data_write_csv(const nnb_data *data, const char *path) {
  if (!data || !path) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "path" : "data");
  if (!*path) return nnb__fail(NNB_E_ARG, "path is empty");
  nnb_status status = nnb__data_in_memory(data, "nnb_data_write_csv");
  if (!status) status = nnb__data_without_dt(data, "nnb_data_write_csv");
  if (status) return status;
  if (data->weight)
    return nnb__fail(NNB_E_UNSUPPORTED, "the data has sample weights, for which a CSV file has no column");
  status = check_columns(data);
  if (!status) status = check_classes(data);
  if (status) return status;
  nnb__table_text out = {0};
  put_head(&out, data);
  for (int i = 0; i < data->x.rows && !out.status; i++) put_row(&out, data, i);
  return nnb__table_text_save(&out, path);
}
