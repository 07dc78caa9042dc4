/* cli/curves.c: see curves.h. */
#include "curves.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "gnuplot.h"

typedef struct point {
  double epoch, loss, val_loss, seconds; /* NaN: not known */
} point;

typedef struct curve {
  char *name; /* NULL: the only one */
  point *at;
  int n;
} curve;

typedef struct curves {
  curve *of;
  int n;
  const char *method; /* NULL: several, or not known */
} curves;

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

static void write_points(FILE *f, const curves *c) {
  for (int i = 0; i < c->n; i++) {
    fprintf(f, "# epoch, seconds, loss, validation loss\n$run%d << END\n", i);
    for (int k = 0; k < c->of[i].n; k++) {
      const point *p = &c->of[i].at[k];
      fprintf(f, "%.17g %.17g %.17g %.17g\n", p->epoch, p->seconds, p->loss, p->val_loss);
    }
    fputs("END\n", f);
  }
}

static bool has_validation(const curve *c) {
  for (int k = 0; k < c->n; k++)
    if (!isnan(c->at[k].val_loss)) return true;
  return false;
}

static bool has_seconds(const curves *c) {
  for (int i = 0; i < c->n; i++)
    for (int k = 0; k < c->of[i].n; k++)
      if (!(c->of[i].at[k].seconds >= 0)) return false;
  return true;
}

static void scale_losses(FILE *f, const curves *c) {
  double lo = HUGE_VAL, hi = -HUGE_VAL;
  for (int i = 0; i < c->n; i++)
    for (int k = 0; k < c->of[i].n; k++) {
      const point *p = &c->of[i].at[k];
      lo = fmin(lo, fmin(p->loss, p->val_loss)), hi = fmax(hi, fmax(p->loss, p->val_loss));
    }
  gnuplot_log_axis(f, 'y', lo, hi);
}

/* With one run the two losses have two colours; with several each run has one, and validation is dashed. */
static void write_line(FILE *f, const curves *c, int i, int val, int column, bool terminal) {
  const char *dash = c->n > 1 && val ? "(6,4)" : "1";
  char text[256];
  fprintf(f, "$run%d using %d:%d with lines ", i, column, 3 + val);
  if (!terminal) fprintf(f, "linewidth 2 linecolor rgb '%s' dashtype %s ", gnuplot_colour(c->n > 1 ? i : val), dash);
  if (c->n > 1 && val && !terminal) {
    fputs("notitle", f);
    return;
  }
  if (c->n > 1)
    snprintf(text, sizeof text, "%s%s", c->of[i].name, val ? ", validation" : "");
  else
    snprintf(text, sizeof text, "%s", val ? "validation" : "training");
  fputs("title ", f), gnuplot_text(f, text);
}

static void write_panel(FILE *f, const curves *c, int column, const char *axis, bool terminal) {
  fprintf(f, "set xrange [0:*]\nset xlabel '%s'\nplot ", axis);
  const char *comma = "";
  for (int i = 0; i < c->n; i++)
    for (int val = 0; val <= has_validation(&c->of[i]); val++, comma = ", ")
      fputs(comma, f), write_line(f, c, i, val, column, terminal);
  fputc('\n', f);
}

static void write_title(FILE *f, const curves *c, bool terminal) {
  bool validated = false;
  for (int i = 0; i < c->n; i++) validated = validated || has_validation(&c->of[i]);
  fprintf(f, "set title 'Learning curve%s%s%s%s' noenhanced\n", c->n > 1 ? "s" : "", c->method ? ", " : "",
          c->method ? c->method : "", c->n > 1 && validated && !terminal ? " (dashed: validation)" : "");
}

static void write(FILE *f, const void *what, bool terminal) {
  const curves *c = what;
  scale_losses(f, c);
  fprintf(f, "set ylabel 'loss'\nset key %s samplen 2\n",
          c->n > 1 && !terminal ? "outside bottom center horizontal height 1" : "top right");
  write_title(f, c, terminal);
  write_panel(f, c, 1, "epoch", terminal);
  if (terminal || !has_seconds(c)) return;
  fputs("set title 'The same by time'\n", f);
  write_panel(f, c, 2, "seconds", terminal);
}

static void write_all(FILE *f, const void *what, bool terminal) {
  write_points(f, what);
  write(f, what, terminal);
}

static int draw(const char *path, const curves *c) {
  int across = has_seconds(c) ? 2 : 1;
  return draw_picture(path, &(picture){across == 2 ? 1100 : 700, 460, across, 1, write_all, c});
}

/* ---- the history of a fit ---------------------------------------------------------------------------------------- */

int plot_history(const char *path, const nnb_report *report) {
  point *at = malloc(((size_t)report->n_history + 1) * sizeof *at);
  if (!at) return refuse(EX_OSERR, "out of memory");
  for (int i = 0; i < report->n_history; i++) {
    const nnb_record *r = &report->history[i];
    at[i] = (point){r->epoch, r->loss, r->val_loss, r->total_seconds};
  }
  curve one = {NULL, at, report->n_history};
  int code = draw(path, &(curves){&one, 1, nnb_algo_name(report->algo)});
  free(at);
  return code;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

enum { EPOCH, LOSS, VAL_LOSS, SECONDS, N_FIELDS, MOST_COLUMNS = 256 };

/* Which field each column has, N_FIELDS for none; returns the number of columns.  total_seconds is preferred. */
static int read_head(char *line, int field[MOST_COLUMNS]) {
  static const char *const names[] = {"epoch", "loss", "val_loss", "total_seconds"};
  bool total = strstr(line, "total_seconds") != NULL;
  int n = 0;
  for (char *name = strtok(line, ",\r\n"); name && n < MOST_COLUMNS; name = strtok(NULL, ",\r\n"), n++) {
    field[n] = N_FIELDS;
    for (int k = 0; k < N_FIELDS; k++)
      if (strcmp(name, names[k]) == 0 || (k == SECONDS && !total && strcmp(name, "seconds") == 0)) field[n] = k;
  }
  return n;
}

/* An empty field is NaN.  False if the line does not have n numbers. */
static bool read_row(const char *line, const int field[MOST_COLUMNS], int n, point *out) {
  const double nan = (double)NAN;
  double value[N_FIELDS + 1] = {nan, nan, nan, nan};
  for (int i = 0; i < n; i++) {
    char *end;
    double x = strtod(line, &end);
    value[field[i]] = end == line ? nan : x;
    if (*end == '\r') end++;
    if (*end != (i + 1 < n ? ',' : '\n') && !(i + 1 == n && *end == '\0')) return false;
    line = end + 1;
  }
  *out = (point){value[EPOCH], value[LOSS], value[VAL_LOSS], value[SECONDS]};
  return true;
}

static bool is_head(const int field[MOST_COLUMNS], int n) {
  bool epoch = false, loss = false;
  for (int i = 0; i < n; i++) epoch = epoch || field[i] == EPOCH, loss = loss || field[i] == LOSS;
  return epoch && loss;
}

static int read_lines(FILE *f, const char *path, curve *out) {
  char *line = NULL;
  size_t room = 0;
  int field[MOST_COLUMNS], n = 0, code = EX_OK, space = 0;
  if (getline(&line, &room, f) > 0) n = read_head(line, field);
  if (ferror(f))
    code = refuse(EX_NOINPUT, "%s: reading failed: %s", path, strerror(errno));
  else if (!is_head(field, n))
    code = refuse(EX_DATAERR, "%s: wanted columns epoch and loss, as train --log FILE writes", path);
  while (!code && getline(&line, &room, f) > 0) {
    if (out->n == space) {
      space = space ? 2 * space : 256;
      point *more = realloc(out->at, (size_t)space * sizeof *more);
      if (!more) {
        code = refuse(EX_OSERR, "out of memory");
        break;
      }
      out->at = more;
    }
    if (read_row(line, field, n, &out->at[out->n]))
      out->n++;
    else
      code = refuse(EX_DATAERR, "%s:%d: wanted %d number%s, as in its first line", path, out->n + 2, n, plural(n));
  }
  if (!code && ferror(f)) code = refuse(EX_NOINPUT, "%s: reading failed: %s", path, strerror(errno));
  free(line);
  if (!code && out->n == 0) code = refuse(EX_DATAERR, "%s has no epochs", path);
  return code;
}

/* The name of a run: its file without folder and ending. */
static char *name_of(const char *path) {
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
  return strndup(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

static int read_log(const char *path, curve *out) {
  FILE *f = fopen(path, "r");
  if (!f) return refuse(EX_NOINPUT, "%s: %s", path, strerror(errno));
  out->name = name_of(path);
  int code = out->name ? read_lines(f, path, out) : refuse(EX_OSERR, "out of memory");
  fclose(f);
  return code;
}

int plot_logs(const char *path, char *const *logs, int n) {
  curve *of = calloc((size_t)n, sizeof *of);
  int code = of ? EX_OK : refuse(EX_OSERR, "out of memory");
  for (int i = 0; i < n && !code; i++) code = read_log(logs[i], &of[i]);
  if (!code) code = draw(path, &(curves){of, n, NULL});
  for (int i = 0; i < n && of; i++) free(of[i].name), free(of[i].at);
  free(of);
  return code;
}
