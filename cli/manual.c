/* cli/manual.c: `nnblas manual`: the manual page, nnblas(1), from the lists that the commands themselves read. */
#include <errno.h>
#include <string.h>

#include "command.h"
#include "files.h"
#include "flag.h"

/* Text of troff: no line begins a request, minus signs can be searched for and copied. */
static void text(const char *s) {
  if (*s == '.' || *s == '\'') fputs("\\&", stdout);
  for (; *s; s++) {
    if (*s == '-')
      fputs("\\-", stdout);
    else if (*s == '\\')
      fputs("\\e", stdout);
    else if (*s == '\v')
      fputs("\n.PP\n", stdout);
    else
      putchar(*s);
  }
  putchar('\n');
}

static void print_flag(const flag *f) {
  if (f->group) fputs(".SS ", stdout), text(f->group);
  fputs(".TP\n\\fB", stdout);
  if (f->letter) printf("\\-%c\\fR, \\fB", f->letter);
  fputs("\\-\\-", stdout);
  for (const char *c = f->name; *c; c++) fputs(*c == '-' ? "\\-" : (char[]){*c, '\0'}, stdout);
  if (f->arg) printf("\\fR=\\fI%s", f->arg);
  puts("\\fR");
  text(f->doc);
}

/* A way to call the command for each line of argp's args_doc. */
static void print_synopsis(const command *c, const char *arguments) {
  do {
    int n = (int)strcspn(arguments, "\n");
    printf(".B nnblas %s\n[\\fIoption\\fR ...]%s%.*s\n.br\n", c->name, n ? " " : "", n, arguments);
    arguments += n + (arguments[n] != '\0');
  } while (*arguments);
}

static void print_command(const command *c) {
  flag flags[MOST_FLAGS];
  const struct argp *argp = c->argp();
  int n = flags_of(argp, flags);
  printf(".SH \"NNBLAS %s\"\n", c->name);
  print_synopsis(c, argp->args_doc ? argp->args_doc : "");
  puts(".PP");
  text(argp->doc);
  for (int i = 0; i < n; i++) print_flag(&flags[i]);
}

static void print_page(void) {
  printf(".TH NNBLAS 1 \"\" \"nnblas %s\" \"User Commands\"\n", nnb_version());
  puts(".SH NAME\nnnblas \\- train neural networks on tables");
  puts(".SH SYNOPSIS\n.B nnblas\n\\fIcommand\\fR [\\fIargument\\fR ...]");
  puts(".SH DESCRIPTION");
  for (const command *c = commands; c->name; c++) {
    printf(".TP\n.B nnblas %s\n", c->name);
    text(c->line);
  }
  puts(".PP\nResults go to standard output, messages and progress to standard error.");
  for (const command *c = commands; c->name; c++) print_command(c);
  puts(
      ".SH \"EXIT STATUS\"\n0 on success, else one of sysexits.h: 64 usage, 65 data, 66 no input, 69 a program is "
      "missing, 70 a fault of nnblas or of gnuplot, 71 memory, 73 output file cannot be made, 74 writing failed, 75 "
      "stopped by a signal.");
  puts(
      ".SH EXAMPLES\n.nf\nnnblas train iris.csv \\-\\-target species \\-o iris.safetensors\n"
      "nnblas predict iris.safetensors new.csv\n.fi");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  if (key != ARGP_KEY_ARG) return ARGP_ERR_UNKNOWN;
  argp_error(state, "it takes no argument, and not %s", arg);
  return 0;
}

const struct argp *manual_argp(void) {
  static const struct argp argp = {.parser = parse, .doc = "Prints the manual page in the form that man reads."};
  return &argp;
}

int manual_command(int argc, char **argv) {
  argp_parse(manual_argp(), argc, argv, 0, NULL, NULL);
  print_page();
  return close_stdout();
}
