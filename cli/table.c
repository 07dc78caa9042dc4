/* cli/table.c: see table.h. */
#include "table.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"

/* ---- flags ------------------------------------------------------------------------------------------------------- */

enum { NO_HEADER = 0x800, HEADER, SKIP, COMMENT, DECIMAL_COMMA };

static const struct argp_option options[] = {
    {0, 0, 0, 0, "How the table is read:", 2},
    {"target", 't', "COLUMN", 0, "the column to predict, by name or number (default: the last one)", 0},
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

static int lines_of(const char *text, struct argp_state *state) {
  char *end;
  long n = strtol(text, &end, 10);
  if (end == text || *end || n < 0 || n > INT_MAX)
    argp_failure(state, EX_USAGE, 0, "--skip-lines wants a number of lines, not \"%s\"", text);
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
      f->csv.skip_lines = lines_of(arg, state);
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

/* The names of n columns of net from the first one on; 0 names where one of them has none. */
static int names_of(const nnb_net *net, int first, int n, const char **names) {
  for (int i = 0; i < n; i++)
    if (!(names[i] = nnb_net_column_name(net, first + i))) return 0;
  return n;
}

static int names_of_classes(const nnb_net *net, int n, const char **names) {
  for (int i = 0; i < n; i++)
    if (!(names[i] = nnb_net_class_name(net, i))) return 0;
  return n;
}

int read_table_for(const nnb_net *net, const char *path, const nnb_csv_opts *flags, bool with_target, nnb_data **out) {
  int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  const char **names = malloc((size_t)(n_in + n_out) * sizeof *names);
  if (!names) return refuse(EX_OSERR, "out of memory");
  nnb_csv_opts opts = *flags;
  opts.n_take = names_of(net, 0, n_in, names);
  opts.take = opts.n_take ? names : NULL;
  if (opts.take) opts.leave = NULL, opts.n_leave = 0;
  if (!with_target) {
    opts.n_targets = NNB_NONE, opts.target = NULL;
  } else {
    if (!opts.target) opts.target = nnb_net_column_name(net, n_in);
    opts.n_class_names = names_of_classes(net, n_out, names + n_in);
    opts.class_names = opts.n_class_names ? names + n_in : NULL;
  }
  int code = read_table(path, &opts, out);
  free(names);
  return code;
}
