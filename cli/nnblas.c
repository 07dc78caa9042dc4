/* cli/nnblas.c: the command `nnblas`: finds the command named first and runs it. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "files.h"
#include "flag.h"

#define COMMAND_ROW(name, line) {#name, line, name##_argp, name##_command},
const command commands[] = {COMMAND_LIST(COMMAND_ROW){0}};

static int help(void) {
  puts("usage: nnblas COMMAND [ARGUMENT...]\n\nTrains neural networks on tables.\n");
  for (int i = 0; commands[i].name; i++) printf("  %-10s %s\n", commands[i].name, commands[i].line);
  puts(
      "\n  nnblas train iris.csv --target species -o iris.safetensors\n"
      "  nnblas predict iris.safetensors new.csv\n"
      "\n`nnblas COMMAND --help` lists the options of a command.  Results go to standard output, messages and\n"
      "progress to standard error.  Exit codes are those of sysexits.h: 64 usage, 65 data, 66 no input, 73 output\n"
      "file; `nnblas manual` has all.");
  return close_stdout();
}

static int no_command(const char *name) {
  const char *names[sizeof commands / sizeof *commands];
  int n = 0;
  for (; commands[n].name; n++) names[n] = commands[n].name;
  if (!*name) return refuse(EX_USAGE, "which command? `nnblas --help` lists them");
  return refuse(EX_USAGE, "there is no command \"%s\"; `nnblas --help` lists them%s", name,
                did_you_mean(name, names, n));
}

static int run(const command *c, int argc, char **argv) {
  static char name[32]; /* argv keeps it */
  snprintf(name, sizeof name, "nnblas %s", c->name);
  argv[1] = name; /* argp's name of the program */
  const int code = c->run == bench_command ? EX_OK : check_flags(name, c->argp(), argv + 2);
  return code ? code : c->run(argc - 1, argv + 1);
}

int main(int argc, char **argv) {
  signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is an error of writing, not the end */
  const char *name = argc > 1 ? argv[1] : "";
  if (strcmp(name, "--version") == 0) return printf("nnblas %s\n", nnb_version()), close_stdout();
  if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) return help();
  for (int i = 0; commands[i].name; i++)
    if (strcmp(name, commands[i].name) == 0) return run(&commands[i], argc, argv);
  return no_command(name);
}
