/* cli/command.h: what the commands of nnblas share: how they are called, how they fail, how they print.
 * The files that they write are in files.h. */
#ifndef COMMAND_H
#define COMMAND_H

#include <argp.h>
#include <jansson.h>
#include <nnblas.h>
#include <stdbool.h>
#include <stdio.h>

/* One command: its name, one line of help, its options, and what it does.  argv[0] is "nnblas NAME".  run returns the
 * exit code. */
typedef struct command {
  const char *name, *line;
  const struct argp *(*argp)(void);
  int (*run)(int argc, char **argv);
} command;

#define COMMAND_LIST(X)                                                           \
  X(train, "train a net on a CSV file, report how well it predicts, and save it") \
  X(predict, "predict the rows of a CSV file with a saved net")                   \
  X(score, "measure how well a saved net predicts a CSV file with targets")       \
  X(cv, "estimate by cross-validation how well a net would predict")              \
  X(search, "search for the layers and options that predict best")                \
  X(plot, "draw learning curves, or how a saved net predicts")                    \
  X(info, "show what a saved net is")                                             \
  X(convert, "write a net or a table in another format")                          \
  X(bench, "measure training and prediction on this machine: nnblas-bench")       \
  X(completion, "print what makes a shell complete commands and options")         \
  X(manual, "print the manual page")

#define COMMAND_DECLARE(name, line)     \
  const struct argp *name##_argp(void); \
  int name##_command(int argc, char **argv);
COMMAND_LIST(COMMAND_DECLARE)

/* All commands, ended by a row of zeros. */
extern const command commands[];

/* Prints "nnblas: " and the sentence of printf's rules to stderr; returns code. */
int refuse(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the message of the library's last failed call to stderr, with flags for fields; returns the exit code of
 * status, one of sysexits.h. */
int fail(nnb_status status);
/* The same where a file was read, or written. */
int fail_input(nnb_status status);
int fail_output(nnb_status status);

/* nnb_data_summary with flags for fields, on standard output; an exit code. */
int print_summary(const nnb_data *data);

/* "; did you mean NAME?" for the one of n names that word may be a misspelling of, or ""; valid until the next call. */
const char *did_you_mean(const char *word, const char *const *names, int n);

/* The ending of a noun behind the number n: "" for 1, else "s". */
static inline const char *plural(long long n) { return n == 1 ? "" : "s"; }

/* A number in the fewest digits that read back as the same number. */
void print_number(FILE *stream, double x);

/* A field of a CSV file, quoted where that is needed. */
void print_field(FILE *stream, const char *text);

/* text, or "-" where it is NULL. */
const char *or_dash(const char *text);

/* The flag --json, as a child of a command's argp; its input is a bool. */
extern const struct argp json_flag_argp;

/* text as a value of JSON: null for NULL, and U+FFFD for each byte that is not UTF-8.  NULL: out of memory. */
json_t *text_json(const char *text);

/* Prints an object to standard output and releases it; NULL: out of memory.  Returns the exit code. */
int print_json(json_t *object);

#endif
