/* cli/watch.c: see watch.h. */
#include "watch.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static atomic_int interrupted; /* read by the threads of a cross-validation */
static struct sigaction before_int, before_term;
static struct {
  const char *what;
  int max_epochs;
  bool terminal, drawn;
  double last; /* seconds of the fit at which the line was drawn */
} line;

static void interrupt(int signal) {
  (void)signal;
  interrupted = 1;
}

static int columns(void) {
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

static void show(const char *text) {
  fprintf(stderr, "\r%.*s\033[K", columns() - 1, text);
  fflush(stderr);
  line.drawn = true;
}

static void draw(const nnb_record *r) {
  char text[512];
  int n = snprintf(text, sizeof text, "%s: epoch %d", line.what, r->epoch);
  if (line.max_epochs > 0) n += snprintf(text + n, sizeof text - (size_t)n, " of %d", line.max_epochs);
  n += snprintf(text + n, sizeof text - (size_t)n, ", loss %.4g", r->loss);
  if (!isnan(r->val_loss)) n += snprintf(text + n, sizeof text - (size_t)n, ", validation %.4g", r->val_loss);
  snprintf(text + n, sizeof text - (size_t)n, ", %.3g samples/s, %.1f s",
           r->seconds > 0 ? (double)r->samples / r->seconds : 0.0, r->total_seconds);
  show(text);
}

static int on_epoch(void *user, const nnb_record *record) {
  (void)user;
  if (line.terminal && (!line.drawn || record->total_seconds > line.last + 0.1)) {
    line.last = record->total_seconds;
    draw(record);
  }
  return interrupted;
}

int watch_run(void *user, int done, int runs) {
  (void)user;
  char text[256];
  snprintf(text, sizeof text, "%s: %d of %d runs", line.what, done, runs);
  if (line.terminal) show(text);
  return interrupted;
}

static int only_interrupt(void *user, const nnb_record *record) {
  (void)user, (void)record;
  return interrupted;
}

static void catch_signals(void) {
  struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_int);
  sigaction(SIGTERM, &action, &before_term);
}

void watch_begin(nnb_fit_opts *opts, const char *what) {
  line.what = what, line.max_epochs = opts->max_epochs, line.drawn = false, line.last = 0;
  line.terminal = isatty(STDERR_FILENO) == 1;
  opts->on_epoch = on_epoch;
  catch_signals();
}

void watch_begin_runs(nnb_fit_opts *opts, const char *what) {
  watch_begin(opts, what);
  opts->on_epoch = only_interrupt;
  if (line.terminal) show(what);
}

void watch_end(void) {
  if (line.drawn) fputs("\r\033[K", stderr);
  sigaction(SIGINT, &before_int, NULL);
  sigaction(SIGTERM, &before_term, NULL);
}

bool watch_interrupted(void) { return interrupted != 0; }
