/* cli/as_flags.c: see as_flags.h. */
#include "as_flags.h"

#include <ctype.h>
#include <nnblas.h>
#include <stdbool.h>
#include <string.h>

typedef struct replacement {
  const char *words, *flag;
} replacement;

static const replacement rows[] = {
    {".target = \"1\"", "--target=1"},
    {".classify = true", "--classes"},
    {".decimal_comma = true", "--decimal-comma"},
    {".decimal_comma", "--decimal-comma"},
    {".header = 1", "--header"},
    {".missing = NNB_MISSING_MEAN", "--missing=mean"},
    {".unseen_levels", "--unseen-levels"},
    {".categories", "--categories"},
    {".category", "--category"},
    {".leave", "--leave"},
    {".bayes", "--bayes"},
    {"n_targets", "--targets"},
    {"but checkpoint names", "but --checkpoint names"},
    {"the file checkpoint", "the file of --checkpoint"},
    {"nnb_get_threads(), with comm or shards 1", "one for each processor"},
    {"(lm, varpro, nnb_plan_rows, nnb_solve_output)", "(lm, varpro)"},
    {".class_names allows classes of both kinds", "classes are all numbers or all texts"},
    {".class_names allows both", "classes are all numbers or all texts"},
    {"class_names", "the classes of the net"},
    {"columns has names; this needs a header", "the net's columns have names; leave out --no-header"},
    {"clip_norm may", "--clip-norm may"},
    {"max_epochs: give", "--max-epochs: give"},
    {"but metrics is 0", "but --metrics is not given"},
    {"in NNB_SCHEDULE_LIST", "that of the schedule"},
    {"NNB_FULL_BATCH", "full"},
};
/* Only at the start of a message: elsewhere a file or a column may have such a name. */
static const replacement first_rows[] = {
    {"target is set", "--target is set"}, {"folds is", "--folds is"},
    {"repeats is", "--repeats is"},       {"label_smoothing is", "--label-smoothing is"},
    {"delta is", "--delta is"},           {"fraction 0", "--hold-out 0"},
    {"fraction 1", "--hold-out 1"},
};
enum { N_ROWS = sizeof rows / sizeof *rows, N_FIRST = sizeof first_rows / sizeof *first_rows };

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Whether a word ends before text: a name of a file, "n_targets.csv:", goes on. */
static bool ends(const char *text) {
  return strchr(" ,;)\"", *text) /* or at '\0' */ || (*text == '.' && isdigit((unsigned char)text[1]));
}

/* Whether text begins with words, and these end there. */
static bool begins(const char *text, const char *words) {
  const size_t n = strlen(words);
  return strncmp(text, words, n) == 0 && (!in_word(words[n - 1]) || ends(text + n));
}

/* "max_epochs" as "--max-epochs" */
static void put_flag(FILE *stream, const char *field) {
  fputs("--", stream);
  for (; in_word(*field); field++) fputc(*field == '_' ? '-' : *field, stream);
}

/* Writes the flag of the option that text begins with; the length of its name, or 0.  A message says "lr is …" at its
 * start; elsewhere only a description may name options, those of several words. */
static size_t put_option(FILE *stream, const char *text, bool starts, bool describes) {
  nnb_option o;
  for (int i = 0; nnb_fit_option(i, &o); i++) {
    const size_t n = strlen(o.name);
    const bool states = starts && strncmp(text, o.name, n) == 0 && strncmp(text + n, " is ", 4) == 0;
    if (states || (describes && strchr(o.name, '_') && begins(text, o.name))) return put_flag(stream, o.name), n;
  }
  return 0;
}

/* Writes what text begins with in other words; the number of bytes that this stands for, or 0. */
static size_t translate(FILE *stream, const char *text, bool is_first, bool describes) {
  size_t n = 4;
  for (int i = 0; i < N_ROWS; i++)
    if (begins(text, rows[i].words)) return fputs(rows[i].flag, stream), strlen(rows[i].words);
  for (int i = 0; i < N_FIRST && is_first; i++)
    if (begins(text, first_rows[i].words)) return fputs(first_rows[i].flag, stream), strlen(first_rows[i].words);
  if (strncmp(text, "NNB_", n) != 0) return put_option(stream, text, is_first, describes);
  while (in_word(text[n])) n++;
  if (!ends(text + n)) return 0;
  for (size_t i = 4; i < n; i++) fputc(tolower((unsigned char)text[i]), stream);
  return n;
}

/* Behind the name of a struct of options, "nnb_cv_opts: " or "nnb_fit_opts, character 4: ", if text begins with one. */
static const char *without_struct(const char *text) {
  const size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
  const char *colon = strstr(text, ": ");
  const bool named = n > 9 && strncmp(text, "nnb_", 4) == 0 && strncmp(text + n - 5, "_opts", 5) == 0;
  return named && colon && (text[n] == ':' || strncmp(text + n, ", character ", 12) == 0) ? colon + 2 : text;
}

static void print(FILE *stream, const char *text, bool describes) {
  const char *begin = without_struct(text);
  for (const char *at = begin; *at;) {
    const bool word = at == begin || at[-1] == ' ' || at[-1] == '(';
    const size_t n = word ? translate(stream, at, at == begin, describes) : 0;
    if (n == 0) fputc(*at, stream);
    at += n > 0 ? n : 1;
  }
}

void print_as_flags(FILE *stream, const char *text) { print(stream, text, false); }

void print_help_as_flags(FILE *stream, const char *text) { print(stream, text, true); }
