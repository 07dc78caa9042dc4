#include "start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

static const char flag[] = "--first-step";

int start_child(int argc, char **argv) {
  if (argc != 5 || strcmp(argv[1], flag)) return -1;
  if (nnb_set_threads(atoi(argv[3])) || (!strcmp(argv[2], "f32") ? first_step_f32 : first_step_f64)()) return 1;
  return printf("%.9f\n", clock_seconds() - strtod(argv[4], NULL)) < 0;
}

/* The clock continues through exec. */
static void become(const char *precision, int threads, const int pipe_end[2]) {
  char count[16], start[32];
  snprintf(count, sizeof count, "%d", threads);
  if (dup2(pipe_end[1], STDOUT_FILENO) < 0) _exit(127);
  close(pipe_end[0]), close(pipe_end[1]);
  snprintf(start, sizeof start, "%.9f", clock_seconds());
  execl("/proc/self/exe", "first-step", flag, precision, count, start, (char *)NULL);
  _exit(127);
}

static int run_once(const char *precision, int threads, double *seconds) {
  int ends[2], status = -1;
  char text[64] = "";
  fflush(NULL);
  if (pipe(ends)) return -1;
  pid_t child = fork();
  if (child == 0) become(precision, threads, ends);
  close(ends[1]);
  FILE *f = fdopen(ends[0], "r");
  bool read_it = f && fgets(text, sizeof text, f);
  if (f)
    fclose(f);
  else
    close(ends[0]);
  if (child < 0 || waitpid(child, &status, 0) != child || status || !read_it) return -1;
  *seconds = strtod(text, NULL);
  return 0;
}

int start_seconds(const char *precision, int threads, int n, double *seconds) {
  for (int i = 0; i < n; i++)
    if (run_once(precision, threads, &seconds[i]))
      return fprintf(stderr, "the first step in a new process failed\n"), -1;
  return 0;
}
