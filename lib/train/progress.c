/* train/progress.c: nnb_progress.  Compiled once. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "nnblas/core.h"
#include "text.h"

static const double interval = 0.2; /* seconds between two lines */
enum { TEXT = 512, COLUMNS = 80, MOST_COLUMNS = 400, LEAST_BAR = 10, MOST_BAR = 30 };

/* ---- the stream -------------------------------------------------------------------------------------------------- */

static bool can_redraw(const nnb_progress *p) {
  const char *term = getenv("TERM");
  return term && strcmp(term, "dumb") != 0 && isatty(fileno(p->stream)) == 1;
}

static int columns(const nnb_progress *p) {
  struct winsize size;
  const char *words = getenv("COLUMNS");
  int n = p->columns;
  if (n <= 0 && ioctl(fileno(p->stream), TIOCGWINSZ, &size) == 0) n = size.ws_col;
  if (n <= 0 && words) n = atoi(words);
  if (n <= 0) n = COLUMNS;
  return n > MOST_COLUMNS ? MOST_COLUMNS : n;
}

/* ---- the words --------------------------------------------------------------------------------------------------- */

/* Appends by printf's rules, with a decimal point; what does not fit is cut. */
static void put(char text[TEXT], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(char text[TEXT], const char *format, ...) {
  const size_t used = strlen(text);
  va_list args;
  va_start(args, format);
  nnb__vformat(text + used, TEXT - used, format, args);
  va_end(args);
}

static void put_epoch(char text[TEXT], const nnb_progress *p, const nnb_record *r) {
  if (p->title) put(text, "%s: ", p->title);
  put(text, "epoch %d", r->epoch);
  if (r->max_epochs > 0) put(text, " of %d", r->max_epochs);
}

static void put_scores(char text[TEXT], const nnb_record *r, const char *validation) {
  const unsigned first = r->metrics & (~r->metrics + 1);
  put(text, "  loss %.4g", r->loss);
  if (!isnan(r->val_loss)) put(text, "  %s %.4g", validation, r->val_loss);
  if (first) put(text, "  %s %.4g", nnb_metric_name((nnb_metric)first), nnb_record_metric(r, (nnb_metric)first));
}

static void put_duration(char text[TEXT], double seconds, const char *what) {
  const long s = seconds < 1e8 ? (long)(seconds + 0.5) : 99999999;
  if (s >= 3600)
    put(text, "  %ld:%02ld:%02ld %s", s / 3600, s / 60 % 60, s % 60, what);
  else
    put(text, "  %ld:%02ld %s", s / 60, s % 60, what);
}

static void put_speed(char text[TEXT], const nnb_record *r) {
  const int left = r->max_epochs - r->epoch;
  put(text, "  %.3g samples/s", r->seconds > 0 ? (double)r->samples / r->seconds : 0);
  if (r->max_epochs > 0 && left > 0 && r->stop == NNB_STOP_NONE)
    put_duration(text, r->total_seconds / r->epoch * left, "left");
  else
    put_duration(text, r->total_seconds, "in all");
}

/* "  [=====>    ]" where there is room for it. */
static void put_bar(char text[TEXT], const nnb_record *r, int room) {
  const int width = room - 4 > MOST_BAR ? MOST_BAR : room - 4;
  if (width < LEAST_BAR || r->max_epochs <= 0) return;
  const int done = (int)((double)width * fmin((double)r->epoch / r->max_epochs, 1));
  put(text, "  [");
  for (int i = 0; i < width; i++) put(text, "%s", i < done ? "=" : i == done ? ">" : " ");
  put(text, "]");
}

/* Places on the terminal: characters of UTF-8. */
static int places(const char *text) {
  int n = 0;
  for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
  return n;
}

/* Cuts after n places. */
static void cut(char *text, int n) {
  for (; *text; text++)
    if (((unsigned char)*text & 0xC0) != 0x80 && n-- == 0) {
      *text = '\0';
      return;
    }
}

static void draw(nnb_progress *p, const nnb_record *r) {
  char head[TEXT] = "", rest[TEXT] = "";
  const int width = columns(p) - 1; /* a terminal may move on after a character in the last column */
  put_epoch(head, p, r);
  put_scores(rest, r, "validation"), put_speed(rest, r);
  put_bar(head, r, width - places(head) - places(rest));
  put(head, "%s", rest);
  cut(head, width);
  fprintf(p->stream, "\r%s\033[K", head);
  p->drawn = true;
}

static void write_line(const nnb_progress *p, const nnb_record *r) {
  char text[TEXT] = "";
  put_epoch(text, p, r), put_scores(text, r, "validation"), put_speed(text, r);
  fprintf(p->stream, "%s\n", text);
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

int nnb_progress_epoch(void *progress, const nnb_record *r) {
  nnb_progress *p = progress;
  if (!p || !p->stream || !r) return 0;
  const bool first = p->last == 0, due = r->total_seconds >= p->last + interval, last = r->stop != NNB_STOP_NONE;
  if (!(first || due || last)) return 0;
  const bool redraws = can_redraw(p);
  if (!redraws && p->no_plain) return 0;
  p->last = fmax(r->total_seconds, 1e-9); /* 0: no line yet */
  if (redraws)
    draw(p, r);
  else
    write_line(p, r);
  fflush(p->stream);
  return 0;
}

void nnb_progress_end(nnb_progress *p) {
  if (!p || !p->stream) return;
  if (p->drawn) fputs(p->erase ? "\r\033[K" : "\n", p->stream), fflush(p->stream);
  p->drawn = false, p->last = 0;
}
