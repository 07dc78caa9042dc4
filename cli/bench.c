/* cli/bench.c: `nnblas bench`: runs nnblas-bench, which stands beside nnblas or in PATH. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"

const struct argp *bench_argp(void) {
  static const struct argp argp = {
      .args_doc = "[ARGUMENT...]",
      .doc =
          "Runs nnblas-bench, which measures training and prediction on this machine.  All arguments are passed to it; "
          "`nnblas bench --help` lists them."};
  return &argp;
}

/* Runs the nnblas-bench in the folder of this program; returns only if there is none. */
static void run_beside(char **argv) {
  char path[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0) return;
  path[n] = '\0';
  char *name = strrchr(path, '/');
  if (!name || (size_t)(name - path) + sizeof "/nnblas-bench" > sizeof path) return;
  strcpy(name, "/nnblas-bench");
  execv(path, argv);
}

int bench_command(int argc, char **argv) {
  (void)argc;
  argv[0] = (char[]){"nnblas-bench"};
  signal(SIGXFSZ, SIG_DFL); /* as it was */
  run_beside(argv);
  execvp(argv[0], argv);
  return refuse(EX_UNAVAILABLE,
                "nnblas-bench is neither beside nnblas nor in PATH (%s); builds with -Dbench=true have it",
                strerror(errno));
}
