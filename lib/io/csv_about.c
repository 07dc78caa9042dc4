/* io/csv_about.c: what was inferred from a CSV file, in words. */
#include "csv_about.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "decimal.h"
#include "text.h"

/* Fewer rows for each value make no class. */
enum { ROWS_PER_VALUE = 10 };

typedef struct words {
  char *p;
  size_t n, cap;
  bool failed;
} words;

static void add(words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(words *w, const char *format, ...) {
  char piece[200];
  va_list args;
  va_start(args, format);
  nnb__vformat(piece, sizeof piece, format, args);
  va_end(args);
  const size_t n = strlen(piece);
  if (w->failed || !nnb__grow(&w->p, &w->cap, w->n + n + 1, 1)) {
    w->failed = true;
    return;
  }
  memcpy(w->p + w->n, piece, n + 1);
  w->n += n;
}

static void add_separator(words *w, char separator) {
  if (separator == ' ' || separator == '\t')
    add(w, "%s", separator == ' ' ? "blanks" : "tabs");
  else
    add(w, "'%c'", separator);
}

static void add_file(words *w, const nnb__csv_layout *l) {
  static const char *const first[] = {"no header", "names in the first row",
                                      "rows, inputs and class names in the first row"};
  add(w, "%.100s: %d row%s of %d column%s separated by ", l->csv->name, l->rows, l->rows == 1 ? "" : "s", l->columns,
      l->columns == 1 ? "" : "s");
  add_separator(w, l->csv->separator);
  add(w, ", %s\n", first[l->first]);
}

/* "species (last column, 3 classes)" */
static void add_target(words *w, const nnb__csv_layout *l, int n_classes) {
  char shown[NNB__SHOWN_TEXT];
  const int c = l->target[0];
  if (l->first == NNB__CSV_NAMES && *l->head[c])
    add(w, "%s (", nnb__show(l->head[c], strlen(l->head[c]), shown));
  else
    add(w, "column %d (", c + 1);
  if (c == 0 || c == l->columns - 1)
    add(w, "%s column, ", c == 0 ? "first" : "last");
  else if (l->first == NNB__CSV_NAMES)
    add(w, "column %d, ", c + 1);
  if (l->classes)
    add(w, "%d class(es))", n_classes);
  else
    add(w, "numbers)");
}

/* "columns 2, 4 to 6 (numbers)", in the order of the file */
static void add_targets(words *w, const nnb__csv_layout *l) {
  add(w, "targets: columns ");
  for (int i = 0, end; i < l->n_targets; i = end) {
    for (end = i + 1; end < l->n_targets && l->target[end] == l->target[end - 1] + 1;) end++;
    add(w, i ? ", %d" : "%d", l->target[i] + 1);
    if (end > i + 1) add(w, " to %d", l->target[end - 1] + 1);
  }
  add(w, " (numbers)");
}

/* "; 14 missing in "age", 2 in "port"" */
static void add_missing(words *w, const nnb__csv_layout *l) {
  enum { SHOWN = 8 };
  char shown[NNB__SHOWN_TEXT];
  int n = 0;
  for (int i = 0; i < l->n_in; i++) {
    const nnb__csv_input *in = &l->input[i];
    if (in->n_missing == 0 || n++ >= SHOWN) continue;
    add(w, "%s%d %sin ", n == 1 ? "; " : ", ", in->n_missing, n == 1 ? "missing " : "");
    if (l->first == NNB__CSV_NAMES && *l->head[in->column])
      add(w, "\"%s\"", nnb__show(l->head[in->column], strlen(l->head[in->column]), shown));
    else
      add(w, "column %d", in->column + 1);
  }
  if (n > SHOWN) add(w, ", some in %d other column(s)", n - SHOWN);
}

static void add_columns(words *w, const nnb__csv_layout *l, int n_classes) {
  const int left = l->columns - l->n_in - l->n_targets;
  if (l->n_targets == 1) {
    add(w, "target: ");
    add_target(w, l, n_classes);
  } else if (l->n_targets > 1) {
    add_targets(w, l);
  } else {
    add(w, "no target");
  }
  const int texts = l->encoding->n_texts;
  add(w, "; %d numeric", l->n_in - texts);
  if (texts > 0) add(w, ", %d categorical", texts);
  if (left > 0) add(w, "; %d left out", left);
  add_missing(w, l);
  add(w, "\n");
}

static void add_notes(words *w, const nnb__csv_layout *l, int few_targets, int few_first) {
  const bool one = l->n_targets == 1 && !l->classes;
  if (one && few_targets > 1 && l->rows >= ROWS_PER_VALUE * few_targets)
    add(w, "note: the target has only %d different values, all whole; .classify = true makes them classes\n",
        few_targets);
  else if (one && !l->opts->target && few_first > 1 && l->rows >= ROWS_PER_VALUE * few_first && l->input[0].column == 0)
    add(w,
        "note: the first column has only %d different values, all whole, and may be the target: .target = \"1\" and "
        ".classify = true make it that\n",
        few_first);
}

/* Whether n texts are numbers if a comma is the decimal point, and only then. */
static bool have_commas(const nnb__csv_layout *l, char *const *text, size_t n) {
  double value;
  size_t commas = 0;
  for (size_t i = 0; i < n; i++) {
    if (nnb__decimal(text[i], strlen(text[i]), ',', &value) != NNB__DECIMAL) return false;
    commas += strchr(text[i], ',') != NULL;
  }
  return commas > 0 && l->csv->point == '.';
}

/* Such columns became categories, or classes, without an error. */
static void add_commas(words *w, const nnb__csv_layout *l, char *const *class_names, int n_classes) {
  char shown[NNB__SHOWN_TEXT];
  static const char advice[] = "numbers with a decimal comma; .decimal_comma = true reads them so\n";
  for (int i = 0; i < l->n_in + l->n_unusable; i++) {
    const nnb__csv_input *in = &l->input[i];
    const char *name = l->first == NNB__CSV_NAMES ? l->head[in->column] : "";
    if (!in->texts || !have_commas(l, in->levels.text, in->levels.n)) continue;
    if (*name)
      add(w, "note: the texts of \"%s\" are %s", nnb__show(name, strlen(name), shown), advice);
    else
      add(w, "note: the texts of column %d are %s", in->column + 1, advice);
  }
  if (class_names && have_commas(l, class_names, (size_t)n_classes)) add(w, "note: the classes are %s", advice);
}

enum { REASON = 64 };

/* Why .leave_unusable left out the column of an input. */
static void say_why(const nnb__csv_layout *l, const nnb__csv_input *in, char out[REASON]) {
  if (in->decided)
    snprintf(out, REASON, "it has more than %d different texts", l->opts->categories);
  else
    snprintf(out, REASON, "it has no value in any row");
}

static void add_unusable(words *w, const nnb__csv_layout *l) {
  char shown[NNB__SHOWN_TEXT], why[REASON];
  for (int i = l->n_in; i < l->n_in + l->n_unusable; i++) {
    const nnb__csv_input *in = &l->input[i];
    const char *name = l->first == NNB__CSV_NAMES ? l->head[in->column] : "";
    if (*name)
      add(w, "note: \"%s\"", nnb__show(name, strlen(name), shown));
    else
      add(w, "note: column %d", in->column + 1);
    say_why(l, in, why);
    add(w, " is left out: %s\n", why);
  }
}

bool nnb__csv_left_out(const nnb__csv_layout *l, char ***out) {
  char number[16], why[REASON];
  *out = l->n_unusable ? nnb__zalloc(2 * (size_t)l->n_unusable, sizeof **out) : NULL;
  if (l->n_unusable && !*out) return false;
  for (int i = 0; i < l->n_unusable; i++) {
    const nnb__csv_input *in = &l->input[l->n_in + i];
    const char *name = l->first == NNB__CSV_NAMES ? l->head[in->column] : "";
    snprintf(number, sizeof number, "%d", in->column + 1);
    say_why(l, in, why);
    (*out)[2 * i] = nnb__strdup(*name ? name : number);
    (*out)[2 * i + 1] = nnb__strdup(why);
    if (!(*out)[2 * i] || !(*out)[2 * i + 1]) return false;
  }
  return true;
}

char *nnb__csv_about(const nnb__csv_layout *layout, char *const *class_names, int n_classes, int few_targets,
                     int few_first) {
  words w = {0};
  add_file(&w, layout);
  add_columns(&w, layout, n_classes);
  add_unusable(&w, layout);
  add_notes(&w, layout, few_targets, few_first);
  add_commas(&w, layout, class_names, n_classes);
  if (!w.failed) return w.p;
  nnb__release(w.p);
  return NULL;
}
