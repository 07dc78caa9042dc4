/* cli/table.c: see table.h. */
#include "table.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"

/* ---- flags ------------------------------------------------------------------------------------------------------- */

enum { NO_HEADER = 0x800, HEADER, TARGETS, SKIP, COMMENT, DECIMAL_COMMA };

static const struct argp_option options[] = {
    {0, 0, 0, 0, "How the table is read:", 2},
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

static void leave(table_flags *f, const char *column, struct argp_state *state) {
  if (f->csv.n_leave == MOST_LEFT) argp_failure(state, EX_USAGE, 0, "--leave: at most %d columns", MOST_LEFT);
  f->leave[f->csv.n_leave++] = column;
  f->csv.leave = f->leave;
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
      leave(f, arg, state);
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

int read_table(const char *path, const nnb_csv_opts *opts, nnb_data **out) {
  if (strcmp(path, "-") != 0) {
    nnb_status status = nnb_data_read_csv(path, opts, out);
    return status ? fail(status) : EX_OK;
  }
  size_t bytes = 0;
  char *text = read_all(stdin, &bytes);
  if (!text) return refuse(EX_NOINPUT, "standard input: %s", strerror(errno));
  nnb_status status = nnb_data_parse_csv(text, bytes, "standard input", opts, out);
  free(text);
  return status ? fail(status) : EX_OK;
}
