/* cli/watch.c: see watch.h. */
#include "watch.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

static atomic_int interrupted; /* read by the threads of a cross-validation */
static struct sigaction before_int, before_term;
static nnb_progress bar;
static nnb_callback callbacks[3];

static void interrupt(int signal) {
  (void)signal;
  interrupted = 1;
}

static int only_interrupt(void *user, const nnb_record *record) {
  (void)user, (void)record;
  return interrupted;
}

static void say_runs(const char *text) {
  if (isatty(STDERR_FILENO) != 1) return;
  fprintf(stderr, "\r%s\033[K", text);
  fflush(stderr);
  bar.drawn = true; /* nnb_progress_end removes it */
}

int watch_run(void *user, int done, int runs) {
  (void)user;
  char text[256];
  snprintf(text, sizeof text, "%s: %d of %d run%s", bar.title, done, runs, plural(runs));
  say_runs(text);
  return interrupted;
}

static void catch_signals(void) {
  struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_int);
  sigaction(SIGTERM, &action, &before_term);
}

void watch_begin(nnb_fit_opts *opts, const char *what) {
  bar = (nnb_progress){.stream = stderr, .title = what, .no_plain = true, .erase = true};
  callbacks[0] = (nnb_callback){nnb_progress_epoch, &bar};
  callbacks[1] = (nnb_callback){only_interrupt, NULL};
  opts->callbacks = callbacks;
  catch_signals();
}

void watch_begin_runs(nnb_fit_opts *opts, const char *what) {
  watch_begin(opts, what);
  opts->callbacks = callbacks + 1; /* not the epochs of single runs */
  say_runs(what);
}

void watch_end(void) {
  nnb_progress_end(&bar);
  sigaction(SIGINT, &before_int, NULL);
  sigaction(SIGTERM, &before_term, NULL);
}

bool watch_interrupted(void) { return interrupted != 0; }
