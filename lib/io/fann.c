/* io/fann.c: training files of FANN (fann_save_train): the numbers of pairs, inputs and outputs, then for each pair its
 * inputs and its outputs, all separated by blanks or line ends. */
#include "real.h"
/* the precision first */
#include <string.h>

#include "alloc.h"
#include "bytes.h"
#include "data.h"
#include "status.h"
#include "table_text.h"
#include "text.h"

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct scanner {
  const char *text, *end, *at;
  const char *name;
} scanner;

/* What begins at s->at is wrong. */
static nnb_status fail_here(const scanner *s, const char *sentence) {
  size_t line = 1;
  for (const char *p = s->text; p < s->at; p++) line += *p == '\n';
  return nnb__fail(NNB_E_PARSE, "%s:%zu: %s", s->name, line, sentence);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* The next word; its length, 0 at the end. */
static size_t find_word(scanner *s) {
  size_t n = 0;
  while (s->at < s->end && is_blank(*s->at)) s->at++;
  while (s->at + n < s->end && !is_blank(s->at[n])) n++;
  return n;
}

static nnb_status read_count(scanner *s, const char *what, int *out) {
  char sentence[100], shown[NNB__SHOWN_TEXT];
  const size_t n = find_word(s);
  int64_t value = 0;
  size_t i = 0;
  for (; i < n && s->at[i] >= '0' && s->at[i] <= '9' && value <= INT32_MAX; i++) value = 10 * value + (s->at[i] - '0');
  *out = (int)value;
  if (n > 0 && i == n && value >= 1 && value <= INT32_MAX) return s->at += n, NNB_OK;
  snprintf(sentence, sizeof sentence, "the number of %s is \"%s\"; wanted 1 … %d", what, nnb__show(s->at, n, shown),
           INT32_MAX);
  return fail_here(s, sentence);
}

static nnb_status fail_number(scanner *s, size_t n, int pair) {
  char sentence[160], shown[NNB__SHOWN_TEXT];
  if (n == 0)
    snprintf(sentence, sizeof sentence, "the file ends within pair %d", pair + 1);
  else
    snprintf(sentence, sizeof sentence, "\"%s\" is not a finite number%s", nnb__show(s->at, n, shown),
             sizeof(real) == sizeof(float) ? " in single precision" : "");
  return fail_here(s, sentence);
}

static nnb_status read_numbers(scanner *s, int pair, int count, real *to) {
  for (int j = 0; j < count; j++) {
    const size_t n = find_word(s);
    if (!nnb__table_text_read(s->at, n, '.', &to[j])) return fail_number(s, n, pair);
    s->at += n;
  }
  return NNB_OK;
}

static nnb_status read_pairs(scanner *s, int pairs, int n_in, int n_out, real *x, real *t) {
  nnb_status status = NNB_OK;
  for (int i = 0; i < pairs && !status; i++) {
    status = read_numbers(s, i, n_in, x + (size_t)i * (size_t)n_in);
    if (!status) status = read_numbers(s, i, n_out, t + (size_t)i * (size_t)n_out);
  }
  if (!status && find_word(s) > 0) status = fail_here(s, "there is more than the first line announces");
  return status;
}

/* A number takes two bytes at least, so at most 4 times the memory of the text is taken. */
static nnb_status check_size(const scanner *s, int pairs, int n_in, int n_out) {
  size_t n;
  const size_t left = (size_t)(s->end - s->at);
  if (nnb__mul((size_t)pairs, (size_t)n_in + (size_t)n_out, &n) && n <= left / 2 + 1) return NNB_OK;
  return fail_here(s, "the first line announces more numbers than there are");
}

nnb_status nnb_data_parse_fann(const char *text, size_t bytes, const char *name, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!text && bytes) return nnb__fail(NNB_E_ARG, "text is NULL");
  if (!text) text = "";
  scanner s = {text, text + bytes, text, name ? name : "text"};
  int pairs = 0, n_in = 0, n_out = 0;
  nnb_status status = read_count(&s, "pairs", &pairs);
  if (!status) status = read_count(&s, "inputs", &n_in);
  if (!status) status = read_count(&s, "outputs", &n_out);
  if (!status) status = check_size(&s, pairs, n_in, n_out);
  if (status) return status;
  real *x = nnb__alloc((size_t)pairs * (size_t)n_in, sizeof *x),
       *t = nnb__alloc((size_t)pairs * (size_t)n_out, sizeof *t);
  status = x && t ? read_pairs(&s, pairs, n_in, n_out, x, t) : nnb__fail_nomem(s.name);
  if (!status) return nnb__data_adopt(x, pairs, n_in, t, n_out, NULL, 0, NULL, NULL, out);
  nnb__release(x);
  nnb__release(t);
  return status;
}

nnb_status nnb_data_read_fann(const char *path, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!path) return nnb__fail(NNB_E_ARG, "path is NULL");
  nnb__bytes file = {0};
  nnb_status status = nnb__bytes_read(path, true, &file);
  if (!status) status = nnb_data_parse_fann((const char *)file.p, file.n, path, out);
  nnb__bytes_clear(&file);
  return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void put_line(nnb__table_text *out, const real *p, int n) {
  for (int j = 0; j < n; j++) {
    if (j > 0) nnb__table_text_put(out, " ", 1);
    nnb__table_text_number(out, p[j]);
  }
  nnb__table_text_put(out, "\n", 1);
}

static void put_class(nnb__table_text *out, int label, int n_classes) {
  for (int k = 0; k < n_classes; k++)
    nnb__table_text_put(out, k == 0 ? k == label ? "1" : "0" : k == label ? " 1" : " 0", k == 0 ? 1 : 2);
  nnb__table_text_put(out, "\n", 1);
}

nnb_status nnb_data_write_fann(const nnb_data *data, const char *path) {
  char head[64];
  if (!data || !path) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "path" : "data");
  if (!*path) return nnb__fail(NNB_E_ARG, "path is empty");
  nnb_status status = nnb__data_in_memory(data, "nnb_data_write_fann");
  if (!status) status = nnb__data_without_dt(data, "nnb_data_write_fann");
  if (status) return status;
  const int n_out = nnb_data_n_out(data);
  if (data->weight)
    return nnb__fail(NNB_E_UNSUPPORTED, "the data has sample weights, for which FANN's files have no place");
  if (n_out == 0) return nnb__fail(NNB_E_ARG, "the data has no targets, which FANN's files need");
  nnb__table_text out = {0};
  snprintf(head, sizeof head, "%d %d %d\n", data->x.rows, data->x.cols, n_out);
  nnb__table_text_put(&out, head, strlen(head));
  for (int i = 0; i < data->x.rows && !out.status; i++) {
    put_line(&out, data->x.p + (size_t)i * (size_t)data->x.ld, data->x.cols);
    if (data->label)
      put_class(&out, data->label[i], n_out);
    else
      put_line(&out, data->t.p + (size_t)i * (size_t)data->t.ld, n_out);
  }
  return nnb__table_text_save(&out, path);
}
