/* cli/command.c: exit codes, messages and numbers, the same in every command. */
#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

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
  if (!status && !lost) print_as_flags(stdout, text);
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

static bool is_stdout(const char *path) { return !path || strcmp(path, "-") == 0; }

int open_result(const char *path, FILE **out) {
  *out = is_stdout(path) ? stdout : fopen(path, "w");
  return *out ? EX_OK : refuse(EX_CANTCREAT, "%s: %s", path, strerror(errno));
}

int close_result(const char *path, FILE *stream) {
  bool lost = ferror(stream) != 0;
  if (is_stdout(path) ? fflush(stream) : fclose(stream)) lost = true;
  return lost ? refuse(EX_IOERR, "%s: writing failed: %s", is_stdout(path) ? "standard output" : path, strerror(errno))
              : EX_OK;
}

static bool are_one_file(const char *a, const char *b) {
  struct stat s, t;
  return strcmp(a, b) == 0 ||
         (stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino && S_ISREG(s.st_mode));
}

int spare(const char *input, const char *flag, const char *output) {
  if (!output || !input || is_stdout(input) || !are_one_file(output, input)) return EX_OK;
  return refuse(EX_USAGE, "%s %s would overwrite a file that is read; give another name", flag, output);
}

int apart(const char *flag, const char *path, const char *other_flag, const char *other) {
  if (!path || !other || is_stdout(path) || !are_one_file(path, other)) return EX_OK;
  return refuse(EX_USAGE, "%s and %s want two files, not twice %s", flag, other_flag, path);
}

/* Whether files can be made beside path. */
static int check_folder(const char *path) {
  char *folder = strdup(path);
  if (!folder) return refuse(EX_OSERR, "out of memory");
  char *slash = strrchr(folder, '/');
  if (slash) slash[slash == folder] = '\0';
  int code = EX_OK;
  if (access(slash ? folder : ".", W_OK | X_OK) != 0) code = refuse(EX_CANTCREAT, "%s: %s", path, strerror(errno));
  free(folder);
  return code;
}

int check_output(const char *flag, const char *path, bool whole) {
  struct stat s;
  if (!path) return EX_OK;
  if (strcmp(path, "-") == 0) return refuse(EX_USAGE, "%s wants the name of a file, not -", flag);
  const bool exists = stat(path, &s) == 0;
  if (exists && (whole ? !S_ISREG(s.st_mode) : S_ISDIR(s.st_mode)))
    return refuse(EX_CANTCREAT, "%s %s: it exists and is no regular file", flag, path);
  if (whole || !exists) return check_folder(path);
  return access(path, W_OK) == 0 ? EX_OK : refuse(EX_CANTCREAT, "%s: %s", path, strerror(errno));
}

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
