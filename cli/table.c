/* cli/table.c: see table.h. */
#include "table.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"

/* ---- flags ------------------------------------------------------------------------------------------------------- */

enum { NO_HEADER = 0x800, HEADER, TARGETS, SKIP, COMMENT, DECIMAL_COMMA, MISSING, CATEGORIES, CATEGORY };
enum { DEFAULT_CATEGORIES = 32 };

static const struct argp_option options[] = {
    {"target", 't', "COLUMN", 0, "the column to predict, by name or number (default: the last one)", 0},
    {"targets", TARGETS, "NUMBER", 0, "this many columns at the end are targets, numbers (1)", 0},
    {"classes", 'c', 0, 0, "the target has classes, although it has numbers", 0},
    {"leave", 'x', "COLUMN", 0, "a column to ignore, by name or number; may be given several times", 0},
    {"separator", 's', "CHARACTER", 0, "between fields: a character, tab, or blank (default: found out)", 0},
    {"header", HEADER, 0, 0, "the first line has the names of the columns", 0},
    {"no-header", NO_HEADER, 0, 0, "the first line has data (default: found out)", 0},
    {"skip-lines", SKIP, "NUMBER", 0, "lines to skip at the start", 0},
    {"comment", COMMENT, "CHARACTER", 0, "lines that begin with this character are skipped", 0},
    {"decimal-comma", DECIMAL_COMMA, 0, 0, "numbers have a comma in place of the point", 0},
    {0},
};

static char character_of(const char *flag, const char *text, struct argp_state *state) {
  if (strcmp(text, "tab") == 0) return '\t';
  if (strcmp(text, "blank") == 0) return ' ';
  if (strlen(text) != 1) argp_failure(state, EX_USAGE, 0, "%s wants one character, not \"%s\"", flag, text);
  return text[0];
}

static int count_of(const char *flag, const char *text, long least, struct argp_state *state) {
  char *end;
  long n = strtol(text, &end, 10);
  if (end == text || *end || n < least || n > INT_MAX)
    argp_failure(state, EX_USAGE, 0, "%s wants a number of at least %ld, not \"%s\"", flag, least, text);
  return (int)n;
}

/* Adds a column to a list; returns the list. */
static const char *const *add_column(const char *flag, const char **list, int *n, const char *column,
                                     struct argp_state *state) {
  if (*n == MOST_LEFT) argp_failure(state, EX_USAGE, 0, "%s: at most %d columns", flag, MOST_LEFT);
  list[(*n)++] = column;
  return list;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  table_flags *f = state->input;
  switch (key) {
    case 't':
      f->csv.target = arg;
      return 0;
    case TARGETS:
      f->csv.n_targets = count_of("--targets", arg, 1, state);
      return 0;
    case 'c':
      f->csv.classify = true;
      return 0;
    case 'x':
      f->csv.leave = add_column("--leave", f->leave, &f->csv.n_leave, arg, state);
      return 0;
    case 's':
      f->csv.separator = character_of("--separator", arg, state);
      return 0;
    case HEADER:
      f->csv.header = 1;
      return 0;
    case NO_HEADER:
      f->csv.header = NNB_NONE;
      return 0;
    case SKIP:
      f->csv.skip_lines = count_of("--skip-lines", arg, 0, state);
      return 0;
    case COMMENT:
      f->csv.comment = character_of("--comment", arg, state);
      return 0;
    case DECIMAL_COMMA:
      f->csv.decimal_comma = true;
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

const struct argp table_flags_argp = {.options = options, .parser = parse};

static const struct argp_option column_options[] = {
    {"missing", MISSING, "NAME", 0,
     "what a missing value becomes: mean, the mean of its column, beside a column that marks it; error (mean)", 0},
    {"categories", CATEGORIES, "NUMBER", 0,
     "the most different texts of a column that is not the target; one with more is left out, with a note; 0: it must "
     "have numbers (32)",
     0},
    {"category", CATEGORY, "COLUMN", 0, "a column of numbers that are categories; may be given several times", 0},
    {0},
};

static nnb_missing missing_of(const char *text, struct argp_state *state) {
  if (strcmp(text, "mean") == 0) return NNB_MISSING_MEAN;
  if (strcmp(text, "error") != 0) argp_failure(state, EX_USAGE, 0, "--missing wants mean or error, not \"%s\"", text);
  return NNB_MISSING_ERROR;
}

static error_t parse_columns(int key, char *arg, struct argp_state *state) {
  table_flags *f = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      f->csv.missing = NNB_MISSING_MEAN, f->csv.categories = DEFAULT_CATEGORIES, f->csv.leave_unusable = true;
      return 0;
    case MISSING:
      f->csv.missing = missing_of(arg, state);
      return 0;
    case CATEGORIES:
      f->csv.categories = count_of("--categories", arg, 0, state);
      return 0;
    case CATEGORY:
      f->csv.category = add_column("--category", f->category, &f->csv.n_category, arg, state);
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

const struct argp column_flags_argp = {.options = column_options, .parser = parse_columns};

bool table_flags_given(const table_flags *f) {
  const nnb_csv_opts *o = &f->csv;
  return o->target || o->n_targets || o->classify || o->n_leave || o->n_category || o->separator || o->header ||
         o->skip_lines || o->comment || o->decimal_comma;
}

bool column_flags_given(const table_flags *f) {
  return f->csv.missing != NNB_MISSING_MEAN || f->csv.categories != DEFAULT_CATEGORIES;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* All of a stream; *bytes its length.  NULL: errno says why. */
static char *read_all(FILE *stream, size_t *bytes) {
  char *text = NULL;
  size_t room = 0, n = 0, got;
  do {
    if (n == room) {
      room = room ? 2 * room : 1 << 16;
      char *more = realloc(text, room);
      if (!more) return free(text), NULL;
      text = more;
    }
    got = fread(text + n, 1, room - n, stream);
    n += got;
  } while (got > 0);
  if (ferror(stream)) return free(text), NULL;
  *bytes = n;
  return text;
}

static int stdin_error; /* why it could not be read */

static bool is_stdin(const char *path) { return strcmp(path, "-") == 0; }

nnb_status parse_table(const char *path, const nnb_csv_opts *opts, nnb_data **out) {
  if (!is_stdin(path)) return nnb_data_read_csv(path, opts, out);
  static char *text; /* kept for another reading */
  static size_t bytes;
  if (!text && !(text = read_all(stdin, &bytes))) stdin_error = errno;
  return text ? nnb_data_parse_csv(text, bytes, "standard input", opts, out) : NNB_E_IO;
}

int fail_table(const char *path, nnb_status status) {
  const bool unread = is_stdin(path) && status == NNB_E_IO; /* which the library did not read */
  if (!unread) return fail_input(status);
  return refuse(stdin_error == ENOMEM ? EX_OSERR : EX_NOINPUT, "standard input: %s", strerror(stdin_error));
}

int read_table(const char *path, const nnb_csv_opts *opts, nnb_data **out) {
  nnb_status status = parse_table(path, opts, out);
  return !status ? EX_OK : fail_table(path, status);
}

int open_table(const char *path, const nnb_csv_opts *opts, nnb_data **out) {
  if (is_stdin(path)) return refuse(EX_USAGE, "--stream reads a file many times; standard input cannot be that");
  nnb_status status = nnb_data_open_csv(path, opts, out);
  return status ? fail_input(status) : EX_OK;
}
