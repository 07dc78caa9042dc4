/* train/scores_print.c: scores as tables for people.  Compiled once. */
#include <math.h>
#include <string.h>

#include "scores.h"
#include "text.h"

enum { LEAST = 8, MOST = 24, NUMBER = 10, TEXT = 64 }; /* widths of names and numbers */

/* Bytes of an UTF-8 text that takes at most n places, and the places. */
static int cut(const char *text, int n, int *places) {
  int bytes = 0;
  for (*places = 0; text[bytes]; bytes++) {
    const bool starts = ((unsigned char)text[bytes] & 0xC0) != 0x80;
    if (starts && *places == n) break;
    *places += starts;
  }
  return bytes;
}

/* The name of a part, or its number within its question. */
static const char *name_of(const nnb_scores *s, int k, char number[TEXT]) {
  const int q = s->part[k].question;
  if (s->part[k].name) return s->part[k].name;
  snprintf(number, TEXT, "%d", q < 0 || s->question[q].label ? k + 1 : k - s->question[q].part);
  return number;
}

static void put_left(FILE *f, const char *text, int width) {
  int places;
  const int bytes = cut(text, width, &places);
  fprintf(f, "%.*s%*s", bytes, text, width - places, "");
}

static void put_right(FILE *f, const char *text, int width) {
  int places;
  const int bytes = cut(text, width, &places);
  fprintf(f, "%*s%.*s", width - places, "", bytes, text);
}

/* NaN: "-" */
static void put_number(FILE *f, const char *format, double x) {
  char text[TEXT];
  if (isnan(x))
    snprintf(text, sizeof text, "-");
  else
    nnb__format(text, sizeof text, format, x);
  put_right(f, text, NUMBER);
}

static int width_of_names(const nnb_scores *s) {
  char number[TEXT];
  int width = LEAST;
  for (int k = 0; k < s->n_parts; k++) {
    int places;
    cut(name_of(s, k, number), MOST, &places);
    if (places > width) width = places;
  }
  return width;
}

/* ---- metrics ----------------------------------------------------------------------------------------------------- */

typedef struct column {
  nnb_metric metric;
  const char *title, *format;
} column;
static const column of_answers[] = {{NNB_METRIC_PRECISION, "precision", "%.3f"},
                                    {NNB_METRIC_RECALL, "recall", "%.3f"},
                                    {NNB_METRIC_F1, "F1", "%.3f"},
                                    {NNB_METRIC_AUC, "AUC", "%.3f"}};
static const column of_values[] = {
    {NNB_METRIC_RMSE, "RMSE", "%.4g"}, {NNB_METRIC_MAE, "MAE", "%.4g"}, {NNB_METRIC_R2, "R²", "%.4g"}};
enum { N_OF_ANSWERS = sizeof of_answers / sizeof *of_answers, N_OF_VALUES = sizeof of_values / sizeof *of_values };

/* The table of the parts that answer questions, or of those that do not. */
static void put_table(FILE *f, const nnb_scores *s, bool asked, int width) {
  const column *columns = asked ? of_answers : of_values;
  const int n = asked ? N_OF_ANSWERS : N_OF_VALUES;
  char number[TEXT];
  put_left(f, asked ? (s->question[0].label ? "label" : "class") : "target", width);
  for (int c = 0; c < n; c++) put_right(f, columns[c].title, NUMBER);
  put_right(f, "rows", NUMBER), fputc('\n', f);
  for (int k = 0; k < s->n_parts; k++) {
    if ((s->part[k].question >= 0) != asked) continue;
    put_left(f, name_of(s, k, number), width);
    for (int c = 0; c < n; c++) put_number(f, columns[c].format, nnb_scores_part(s, columns[c].metric, k));
    put_number(f, "%.6g", nnb_scores_support(s, k)), fputc('\n', f);
  }
  put_left(f, "mean", width);
  for (int c = 0; c < n; c++) put_number(f, columns[c].format, nnb_scores_get(s, columns[c].metric));
  put_number(f, "%.6g", s->weight), fputc('\n', f);
}

static void put_whole(FILE *f, const nnb_scores *s) {
  char text[200];
  nnb__format(text, sizeof text, "accuracy %.4g, balanced accuracy %.4g, log loss %.4g\n",
              nnb_scores_get(s, NNB_METRIC_ACCURACY), nnb_scores_get(s, NNB_METRIC_BALANCED_ACCURACY),
              nnb_scores_get(s, NNB_METRIC_LOG_LOSS));
  fputs(text, f);
}

void nnb_scores_print(const nnb_scores *s, FILE *stream) {
  if (!s || !stream) return;
  bool unasked = false;
  for (int k = 0; k < s->n_parts; k++) unasked = unasked || s->part[k].question < 0;
  if (s->n_questions > 0) put_table(stream, s, true, width_of_names(s)), put_whole(stream, s);
  if (unasked && s->has_t) put_table(stream, s, false, width_of_names(s));
}

/* ---- confusion --------------------------------------------------------------------------------------------------- */

static void put_confusion(FILE *f, const nnb_scores *s, const nnb__question *q, int width) {
  const int place = width < NUMBER ? NUMBER : width + 1;
  char text[TEXT];
  put_left(f, "true", width), fputs("  predicted as\n", f);
  put_left(f, "", width);
  for (int j = 0; j < q->n_parts; j++) fputc(' ', f), put_right(f, name_of(s, q->part + j, text), place - 1);
  fputc('\n', f);
  for (int i = 0; i < q->n_parts; i++) {
    put_left(f, name_of(s, q->part + i, text), width);
    for (int j = 0; j < q->n_parts; j++) {
      nnb__format(text, sizeof text, "%.6g", q->confusion[(size_t)i * (size_t)q->n_parts + (size_t)j]);
      put_right(f, text, place);
    }
    fputc('\n', f);
  }
}

void nnb_scores_print_confusion(const nnb_scores *s, FILE *stream) {
  if (!s || !stream) return;
  for (int i = 0; i < s->n_questions; i++)
    if (s->question[i].confusion) put_confusion(stream, s, &s->question[i], width_of_names(s));
}
