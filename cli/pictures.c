/* cli/pictures.c: see pictures.h; the decision boundary is in boundary.c. */
#include "pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "gnuplot.h"

/* ---- classes: the confusion matrix ------------------------------------------------------------------------------- */

enum { MOST_NUMBERS = 30 }; /* in each row: more could not be read */

typedef struct confusion {
  const nnb_net *net;
  int n;
  nnb_scores *scores;
} confusion;

static void write_ticks(FILE *f, char axis, const confusion *c) {
  size_t longest = 0;
  char number[16];
  fprintf(f, "set %ctics scale 0 noenhanced (", axis);
  for (int i = 0; i < c->n; i++) {
    const char *name = nnb_net_class_name(c->net, i);
    snprintf(number, sizeof number, "%d", i);
    if (i) fputs(", ", f);
    gnuplot_text(f, name ? name : number);
    fprintf(f, " %d", i);
    if (name && strlen(name) > longest) longest = strlen(name);
  }
  fputs(")\n", f);
  if (axis == 'x' && longest * (size_t)c->n > 50) fputs("set xtics rotate by 45 right\n", f);
}

static void write_matrix(FILE *f, const confusion *c) {
  fputs("# predicted, true, rows, share of the true class\n$m << END\n", f);
  for (int i = 0; i < c->n; i++) {
    const double all = nnb_scores_support(c->scores, i);
    for (int j = 0; j < c->n; j++) {
      const double rows = nnb_scores_confusion(c->scores, i, j);
      fprintf(f, "%d %d %.0f %.6g\n", j, i, rows, all > 0 ? rows / all : 0);
    }
  }
  fputs("END\n", f);
}

/* The numbers on light squares, or those on dark ones. */
static void write_numbers(FILE *f, char side, const char *colour, int n) {
  fprintf(f, ", '' using 1:2:($4 %c= 0.5 ? sprintf('%%d', $3) : '') with labels font ',%d' textcolor rgb '%s'", side,
          n > 12 ? 8 : 11, colour);
}

static void write_confusion(FILE *f, const void *what, bool terminal) {
  const confusion *c = what;
  write_matrix(f, c);
  fprintf(f, "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\nunset key\nunset grid\n", c->n - 1, c->n - 1);
  fputs("set xlabel 'predicted'\nset ylabel 'true'\n", f);
  write_ticks(f, 'x', c), write_ticks(f, 'y', c);
  if (terminal) {
    fputs("plot $m using 1:2:3 with labels\n", f);
    return;
  }
  fputs(
      "set title 'Confusion matrix: rows of the table'\nset size square\nset cbrange [0:1]\n"
      "set palette defined (0 '#ffffff', 1 '#08519c')\nset cblabel 'share of the true class'\n"
      "plot $m using 1:2:4 with image",
      f);
  if (c->n <= MOST_NUMBERS) write_numbers(f, '<', "#202020", c->n), write_numbers(f, '>', "#ffffff", c->n);
  fputc('\n', f);
}

int plot_confusion(const char *path, nnb_net *net, const nnb_data *data) {
  confusion c = {net, nnb_data_n_classes(data), NULL};
  if (!c.n) return refuse(EX_DATAERR, "a confusion matrix is of classes, and the target has numbers: see predicted");
  nnb_status status = nnb_net_score(net, data, &(nnb_score_opts){.no_auc = true}, &c.scores);
  int code = status ? fail(status) : EX_OK, size = 420 + (c.n > 6 ? 24 * c.n : 0);
  if (size > 1600) size = 1600;
  if (!code) code = draw_picture(path, &(picture){size + 140, size + 40, 1, 1, write_confusion, &c});
  nnb_scores_destroy(c.scores);
  return code;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

enum { MOST_PANELS = 12 }; /* targets that are drawn */

typedef struct predictions {
  const nnb_net *net;
  nnb_batch rows;
  nnb_real *y, *sd; /* rows×n; sd NULL: no error bars */
  int n;            /* targets */
} predictions;

static size_t at(const predictions *p, int i, int j) { return (size_t)i * (size_t)p->n + (size_t)j; }
static double true_value(const predictions *p, int i, int j) {
  return p->rows.t.p[(size_t)i * (size_t)p->rows.t.ld + (size_t)j];
}

static int panels(const predictions *p) { return p->n < MOST_PANELS ? p->n : MOST_PANELS; }

/* In the terminal the label of the y axis has no room, so it stands in the title. */
static void write_title(FILE *f, const predictions *p, int j, const char *y, const char *more) {
  const char *name = nnb_net_column_name(p->net, nnb_net_n_in(p->net) + j);
  char text[400], number[32];
  snprintf(number, sizeof number, "target %d", j + 1);
  snprintf(text, sizeof text, "%s%s%s: %d row%s%s", y, *y ? ", " : "", name ? name : number, p->rows.t.rows,
           plural(p->rows.t.rows), more);
  fputs("set title ", f), gnuplot_text(f, text), fputs(" noenhanced\n", f);
}

/* true, predicted, deviation of a new measurement */
static void write_pairs(FILE *f, const predictions *p) {
  fputs("# true, predicted, deviation expected of a new measurement\n", f);
  for (int j = 0; j < panels(p); j++) {
    fprintf(f, "$target%d << END\n", j);
    for (int i = 0; i < p->rows.t.rows; i++)
      fprintf(f, "%.17g %.17g %.17g\n", true_value(p, i, j), p->y[at(p, i, j)], p->sd ? p->sd[at(p, i, j)] : 0.0);
    fputs("END\n", f);
  }
}

/* Both axes have the same range, a little wider than the numbers. */
static void write_square(FILE *f, const predictions *p, int j) {
  double lo = HUGE_VAL, hi = -HUGE_VAL;
  for (int i = 0; i < p->rows.t.rows; i++) {
    double y = p->y[at(p, i, j)], sd = p->sd ? p->sd[at(p, i, j)] : 0;
    lo = fmin(lo, fmin(true_value(p, i, j), y - sd)), hi = fmax(hi, fmax(true_value(p, i, j), y + sd));
  }
  double edge = hi > lo ? 0.04 * (hi - lo) : 1;
  fprintf(f, "set xrange [%.10g:%.10g]\nset yrange [%.10g:%.10g]\n", lo - edge, hi + edge, lo - edge, hi + edge);
}

static const char *points(const predictions *p, bool terminal) {
  if (terminal) return "with points";
  return p->rows.t.rows > 500 ? "with points pointtype 7 pointsize 0.35 linecolor rgb '#600072b2'"
                              : "with points pointtype 7 pointsize 0.6 linecolor rgb '#0072b2'";
}

static void write_predicted(FILE *f, const void *what, bool terminal) {
  const predictions *p = what;
  write_pairs(f, p);
  fputs("set xlabel 'true'\nset ylabel 'predicted'\nunset key\n", f);
  if (!terminal) fputs("set size square\nset bars 0\n", f); /* without caps, which hide the points of large tables */
  for (int j = 0; j < panels(p); j++) {
    write_title(f, p, j, terminal ? "predicted" : "", p->sd && !terminal ? ", bars of ±1 deviation" : "");
    write_square(f, p, j);
    fprintf(f, "plot x with lines %s", terminal ? "" : "linecolor rgb '#808080'");
    if (p->sd && !terminal)
      fprintf(f, ", $target%d using 1:2:3 with yerrorbars pointtype 0 linecolor rgb '#90b8d8'", j);
    fprintf(f, ", $target%d using 1:2 %s\n", j, points(p, terminal));
  }
}

/* How often residuals of target j fall into each of about √rows intervals. */
static void write_frequencies(FILE *f, const predictions *p, int j) {
  int rows = p->rows.t.rows, n = (int)fmin(60, fmax(5, sqrt(rows))), often[60] = {0};
  double lo = HUGE_VAL, hi = -HUGE_VAL;
  for (int i = 0; i < rows; i++) {
    double r = true_value(p, i, j) - p->y[at(p, i, j)];
    lo = fmin(lo, r), hi = fmax(hi, r);
  }
  double width = hi > lo ? (hi - lo) / n : 1;
  for (int i = 0; i < rows; i++) {
    int k = (int)((true_value(p, i, j) - p->y[at(p, i, j)] - lo) / width);
    often[k < n ? k : n - 1]++;
  }
  fputs("# middle of an interval, rows in it\n$often << END\n", f);
  for (int k = 0; k < n; k++) fprintf(f, "%.10g %d\n", lo + (k + 0.5) * width, often[k]);
  fprintf(f, "END\nset boxwidth %.10g\n", width);
}

static void write_residuals(FILE *f, const void *what, bool terminal) {
  const predictions *p = what;
  write_pairs(f, p);
  fputs(
      "set xlabel 'predicted'\nset ylabel 'true - predicted'\nunset key\n"
      "set offsets graph 0.03, graph 0.03, graph 0.05, graph 0.05\n"
      "set xzeroaxis linetype 1 linecolor rgb '#606060'\n",
      f);
  if (p->n == 1 && !terminal) write_frequencies(f, p, 0);
  for (int j = 0; j < panels(p); j++) {
    write_title(f, p, j, terminal ? "true - predicted" : "", "");
    fprintf(f, "plot $target%d using 2:($1 - $2) %s\n", j, points(p, terminal));
  }
  if (p->n > 1 || terminal) return;
  fputs(
      "set title 'How often'\nset xlabel 'true - predicted'\nset ylabel 'rows'\n"
      "set offsets 0, 0, graph 0.06, 0\nset yrange [0:*]\nset style fill solid 0.6\n"
      "plot $often using 1:2 with boxes linecolor rgb '#0072b2'\n",
      f);
}

static int predict(nnb_net *net, nnb_error_bars *bars, predictions *p) {
  size_t n = (size_t)p->rows.x.rows * (size_t)p->n;
  p->y = malloc(n * sizeof *p->y), p->sd = bars ? malloc(n * sizeof *p->sd) : NULL;
  if (!p->y || (bars && !p->sd)) return refuse(EX_OSERR, "out of memory");
  nnb_mat y = nnb_view(p->y, p->rows.x.rows, p->n), none = {0};
  nnb_status status = bars ? nnb_error_bars_predict(bars, p->rows.x, y, none, nnb_view(p->sd, y.rows, y.cols))
                           : nnb_net_predict(net, p->rows.x, y);
  return status ? fail(status) : EX_OK;
}

/* Draws the predictions of numbers; alone: panels for a single target. */
static int draw(const char *path, nnb_net *net, const nnb_data *data, nnb_error_bars *bars, picture *to, int alone) {
  predictions p = {.net = net, .n = nnb_data_n_out(data)};
  if (nnb_data_n_classes(data))
    return refuse(EX_DATAERR, "this picture is of numbers, and the target has classes: see confusion");
  nnb_status status = nnb_data_batch(data, 0, nnb_data_rows(data), &p.rows);
  int code = status ? fail(status) : predict(net, bars, &p), n = p.n == 1 ? alone : panels(&p);
  to->across = n < 3 ? n : n < 5 ? 2 : n < 10 ? 3 : 4;
  to->down = (n + to->across - 1) / to->across;
  to->width *= to->across, to->height *= to->down, to->what = &p;
  if (!code) code = draw_picture(path, to);
  free(p.y), free(p.sd);
  return code;
}

int plot_predicted(const char *path, nnb_net *net, const nnb_data *data, nnb_error_bars *bars) {
  return draw(path, net, data, bars, &(picture){.width = 520, .height = 520, .write = write_predicted}, 1);
}

int plot_residuals(const char *path, nnb_net *net, const nnb_data *data) {
  return draw(path, net, data, NULL, &(picture){.width = 520, .height = 420, .write = write_residuals}, 2);
}

int plot_scores(const char *path, nnb_net *net, const nnb_data *data) {
  return nnb_data_n_classes(data) ? plot_confusion(path, net, data) : plot_predicted(path, net, data, NULL);
}
