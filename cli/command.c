/* cli/command.c: exit codes, messages and numbers, the same in every command. */
#include "command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "as_flags.h"

int refuse(int code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("nnblas: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  return code;
}

static int exit_code(nnb_status status) {
  switch (status) {
    case NNB_OK:
      return EX_OK;
    case NNB_E_ARG:
    case NNB_E_UNSUPPORTED:
      return EX_USAGE;
    case NNB_E_PARSE:
    case NNB_E_SHAPE:
    case NNB_E_NUMERIC:
    case NNB_E_OVERFLOW:
      return EX_DATAERR;
    case NNB_E_IO:
      return EX_NOINPUT;
    case NNB_E_NOMEM:
      return EX_OSERR;
    default:
      return EX_SOFTWARE;
  }
}

int fail(nnb_status status) {
  fputs("nnblas: ", stderr);
  print_as_flags(stderr, nnb_errmsg());
  fputc('\n', stderr);
  return exit_code(status);
}

int fail_input(nnb_status status) {
  const int code = fail(status);
  return status == NNB_E_UNSUPPORTED ? EX_DATAERR : code;
}

int fail_output(nnb_status status) {
  const int code = fail(status);
  return status == NNB_E_IO ? EX_CANTCREAT : code;
}

int print_summary(const nnb_data *data) {
  char *text = NULL;
  size_t bytes;
  FILE *memory = open_memstream(&text, &bytes);
  const nnb_status status = memory ? nnb_data_summary(data, memory) : NNB_E_NOMEM;
  const bool lost = !memory || fclose(memory) != 0;
  for (const char *line = text; !status && !lost && *line;) { /* the others have names of files and columns */
    const size_t n = strcspn(line, "\n");
    char *one = strndup(line, n);
    if (one && strncmp(one, "note: ", 6) == 0)
      print_as_flags(stdout, one);
    else
      printf("%.*s", (int)n, line);
    free(one);
    putchar('\n');
    line += n + (line[n] == '\n');
  }
  free(text);
  fflush(stdout);
  return status && memory ? fail(status) : lost ? refuse(EX_OSERR, "out of memory") : EX_OK;
}

const char *did_you_mean(const char *word, const char *const *names, int n) {
  static char hint[256];
  const char *name = nnb_nearest(word, names, n);
  hint[0] = '\0';
  if (name) snprintf(hint, sizeof hint, "; did you mean %s?", name);
  return hint;
}

void print_number(FILE *stream, double x) {
  char text[32];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, x);
    if (strtod(text, NULL) == x) break;
  }
  fputs(text, stream);
}

void print_field(FILE *stream, const char *text) {
  if (!strpbrk(text, ",\"\r\n") && text[0] != ' ' && text[strlen(text) - (*text != 0)] != ' ') {
    fputs(text, stream);
    return;
  }
  fputc('"', stream);
  for (; *text; text++) {
    if (*text == '"') fputc('"', stream);
    fputc(*text, stream);
  }
  fputc('"', stream);
}

const char *or_dash(const char *text) { return text ? text : "-"; }

static error_t parse_json(int key, char *arg, struct argp_state *state) {
  (void)arg;
  if (key != 'j') return ARGP_ERR_UNKNOWN;
  *(bool *)state->input = true;
  return 0;
}

static const struct argp_option json_option[] = {
    {"json", 'j', 0, 0, "print the results as one JSON object", 0},
    {0},
};
const struct argp json_flag_argp = {.options = json_option, .parser = parse_json};

/* The bytes of the character of UTF-8 that text begins with; 0: it begins with none. */
static size_t character(const char *text) {
  for (size_t n = 1; n <= 4 && strnlen(text, n) == n; n++) {
    json_t *one = json_stringn(text, n); /* NULL: not UTF-8 */
    json_decref(one);
    if (one) return n;
  }
  return 0;
}

json_t *text_json(const char *text) {
  char *out = NULL;
  size_t bytes;
  json_t *whole = text ? json_string(text) : json_null();
  FILE *f = whole ? NULL : open_memstream(&out, &bytes);
  if (!f) return whole;
  for (size_t n; *text; text += n > 0 ? n : 1)
    if ((n = character(text)) > 0)
      fwrite(text, n, 1, f);
    else
      fputs("\xEF\xBF\xBD", f); /* U+FFFD */
  whole = fclose(f) == 0 ? json_string(out) : NULL;
  free(out);
  return whole;
}

int print_json(json_t *object) {
  if (!object) return refuse(EX_OSERR, "out of memory");
  bool lost = json_dumpf(object, stdout, JSON_INDENT(2)) || putchar('\n') < 0;
  json_decref(object);
  return lost ? refuse(EX_IOERR, "standard output: writing failed") : EX_OK;
}
