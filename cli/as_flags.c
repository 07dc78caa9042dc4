/* cli/as_flags.c: texts of the library, which speak of options as fields and enumerators, in the words of the command.
 */
#include <ctype.h>
#include <string.h>

#include "command.h"

static const struct {
  const char *words, *flag;
} rows[] = {
    {".target = \"1\"", "--target=1"},
    {".classify = true", "--classes"},
    {".decimal_comma = true", "--decimal-comma"},
    {".header = 1", "--header"},
    {".missing = NNB_MISSING_MEAN", "--missing=mean"},
    {".unseen_levels", "--unseen-levels"},
    {".categories", "--categories"},
    {".category", "--category"},
    {".leave", "--leave"},
    {".bayes", "--bayes"},
    {"n_targets", "--targets"},
    {"target is", "--target is"},
    {"folds is", "--folds is"},
    {"repeats is", "--repeats is"},
    {"batch is", "--batch is"},
    {"bayes is", "--bayes is"},
    {"exact is", "--exact is"},
    {"history is", "--history is"},
    {"threads is", "--threads is"},
    {"restarts is", "--restarts is"},
    {"fraction", "--hold-out"},
    {"checkpoint names", "--checkpoint names"},
    {"the file checkpoint", "the file of --checkpoint"},
    {"nnb_get_threads(), with comm or shards 1", "one for each processor"},
    {"in NNB_SCHEDULE_LIST", "that of the schedule"},
    {"NNB_FULL_BATCH", "full"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Whether text begins with words, and these end there. */
static bool begins(const char *text, const char *words) {
  const size_t n = strlen(words);
  return strncmp(text, words, n) == 0 && !(in_word(words[n - 1]) && in_word(text[n]));
}

static int find(const char *text) {
  for (int i = 0; i < N_ROWS; i++)
    if (begins(text, rows[i].words)) return i;
  return -1;
}

/* The length of an option of several words, "max_epochs", that text begins with; 0: none. */
static size_t option_at(const char *text) {
  nnb_option o;
  for (int i = 0; nnb_fit_option(i, &o); i++)
    if (strchr(o.name, '_') && begins(text, o.name)) return strlen(o.name);
  return 0;
}

/* Writes what text begins with in other words; the number of bytes that this stands for, or 0. */
static size_t translate(FILE *stream, const char *text) {
  const int i = find(text);
  if (i >= 0) return fputs(rows[i].flag, stream), strlen(rows[i].words);
  size_t n = option_at(text);
  if (n > 0) fputs("--", stream);
  for (size_t k = 0; k < n; k++) fputc(text[k] == '_' ? '-' : text[k], stream);
  if (n > 0 || strncmp(text, "NNB_", 4) != 0) return n;
  for (n = 4; in_word(text[n]); n++) fputc(tolower((unsigned char)text[n]), stream);
  return n;
}

/* Behind the name of a struct of options, "nnb_cv_opts: ", if text begins with one. */
static const char *without_struct(const char *text) {
  const char *colon = strstr(text, "_opts: ");
  return strncmp(text, "nnb_", 4) == 0 && colon && colon == text + strcspn(text, " :") - 5 ? colon + 7 : text;
}

void print_as_flags(FILE *stream, const char *text) {
  const char *begin = without_struct(text);
  for (const char *at = begin; *at;) {
    const bool word = at == begin || at[-1] == ' ' || at[-1] == '(';
    const size_t n = word ? translate(stream, at) : 0;
    if (n == 0) fputc(*at, stream);
    at += n > 0 ? n : 1;
  }
}
