/* cli/boundary.c: the decision boundary: the class that a net predicts at each point of two inputs, and the rows of a
 * table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "gnuplot.h"
#include "pictures.h"

enum { ACROSS = 200, DOWN = 160, TERMINAL_ACROSS = 70, TERMINAL_DOWN = 18 };

typedef struct boundary {
  nnb_net *net;
  nnb_batch rows;
  int classes, x, y, across, down; /* x, y: inputs; across, down: points of the grid */
  double lo[2], hi[2];             /* ranges of x and y */
  int32_t *label;                  /* down×across */
} boundary;

static double value(const boundary *b, int i, int j) {
  return b->rows.x.p[(size_t)i * (size_t)b->rows.x.ld + (size_t)j];
}

/* ---- the grid ---------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* A value that occurs, so an input of 0 and 1 stays one of them. */
static double median(const boundary *b, int j, double *v) {
  int n = b->rows.x.rows;
  for (int i = 0; i < n; i++) v[i] = value(b, i, j);
  qsort(v, (size_t)n, sizeof *v, ascending);
  return v[(n - 1) / 2];
}

static double of_grid(const boundary *b, int axis, int k) {
  int n = axis ? b->down : b->across;
  return b->lo[axis] + (b->hi[axis] - b->lo[axis]) * (k + 0.5) / n;
}

static void find_range(boundary *b, int axis) {
  int j = axis ? b->y : b->x;
  double lo = HUGE_VAL, hi = -HUGE_VAL;
  for (int i = 0; i < b->rows.x.rows; i++) lo = fmin(lo, value(b, i, j)), hi = fmax(hi, value(b, i, j));
  double edge = hi > lo ? 0.06 * (hi - lo) : 1;
  b->lo[axis] = lo - edge, b->hi[axis] = hi + edge;
}

/* The points of the grid, row by row from below. */
static void fill(const boundary *b, nnb_real *x, double *v) {
  int n = b->across * b->down, cols = b->rows.x.cols;
  for (int j = 0; j < cols; j++) {
    nnb_real rest = (nnb_real)median(b, j, v);
    for (int k = 0; k < n; k++)
      x[(size_t)k * (size_t)cols + (size_t)j] = j == b->x   ? (nnb_real)of_grid(b, 0, k % b->across)
                                                : j == b->y ? (nnb_real)of_grid(b, 1, k / b->across)
                                                            : rest;
  }
}

static int classify(boundary *b) {
  size_t n = (size_t)b->across * (size_t)b->down, cols = (size_t)b->rows.x.cols;
  nnb_real *x = malloc(n * cols * sizeof *x);
  double *v = malloc((size_t)b->rows.x.rows * sizeof *v);
  b->label = malloc(n * sizeof *b->label);
  int code = x && v && b->label ? EX_OK : refuse(EX_OSERR, "out of memory");
  if (!code) fill(b, x, v);
  nnb_status status = code ? NNB_OK : nnb_net_classify(b->net, nnb_cview(x, (int)n, (int)cols), b->label);
  free(x), free(v);
  return status ? fail(status) : code;
}

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

static void write_name(FILE *f, const char *before, const boundary *b, int input) {
  char text[200];
  const char *name = nnb_net_column_name(b->net, input);
  if (name)
    snprintf(text, sizeof text, "%s", name);
  else
    snprintf(text, sizeof text, "input %d", input + 1);
  fputs(before, f), gnuplot_text(f, text), fputs(" noenhanced\n", f);
}

static void write_data(FILE *f, const boundary *b) {
  fputs("# x, y, predicted class\n$grid << END\n", f);
  for (int k = 0; k < b->across * b->down; k++)
    fprintf(f, "%.8g %.8g %d\n", of_grid(b, 0, k % b->across), of_grid(b, 1, k / b->across), (int)b->label[k]);
  fputs("END\n# x, y, true class\n$rows << END\n", f);
  for (int i = 0; i < b->rows.x.rows; i++)
    fprintf(f, "%.17g %.17g %d\n", value(b, i, b->x), value(b, i, b->y), (int)b->rows.label[i]);
  fputs("END\n", f);
}

/* Each class has a light shade of its colour. */
static void write_palette(FILE *f, const boundary *b) {
  fprintf(f, "unset colorbox\nset cbrange [-0.5:%d.5]\nset palette maxcolors %d defined (", b->classes - 1, b->classes);
  for (int c = 0; c < b->classes; c++) {
    unsigned rgb = (unsigned)strtoul(gnuplot_colour(c) + 1, NULL, 16), light = 0;
    for (int shift = 0; shift < 24; shift += 8) light |= (255 - (255 - (rgb >> shift & 255)) / 3) << shift;
    fprintf(f, "%s%d '#%06x'", c ? ", " : "", c, light);
  }
  fputs(")\n", f);
}

/* A class in the key, without points of its own in the picture. */
static void write_class(FILE *f, const boundary *b, int c, bool terminal) {
  char number[16];
  const char *name = nnb_net_class_name(b->net, c);
  snprintf(number, sizeof number, "%d", c);
  if (terminal)
    fprintf(f, "%s$grid using 1:($3 == %d ? $2 : 1/0) with points pointtype %d title ", c ? ", " : "", c, c + 1);
  else
    fprintf(
        f,
        ", $rows using 1:($3 == %d ? $2 : 1/0) with points pointtype 7 pointsize 0.9 linecolor rgb '#ffffff' notitle"
        ", $rows using 1:($3 == %d ? $2 : 1/0) with points pointtype 7 pointsize 0.7 linecolor rgb '%s' title ",
        c, c, gnuplot_colour(c));
  gnuplot_text(f, name ? name : number);
}

static void write(FILE *f, const void *what, bool terminal) {
  const boundary *b = what;
  write_data(f, b);
  write_name(f, "set xlabel ", b, b->x), write_name(f, "set ylabel ", b, b->y);
  fprintf(f, "set title 'What is predicted%s'\n",
          b->rows.x.cols > 2 ? ", other inputs at their median"
          : terminal         ? ""
                             : ", and the rows of the table");
  if (!terminal) write_palette(f, b);
  fprintf(f,
          "set xrange [%.10g:%.10g]\nset yrange [%.10g:%.10g]\nunset grid\nset key outside right top Left reverse "
          "samplen 1\nplot ",
          b->lo[0], b->hi[0], b->lo[1], b->hi[1]);
  if (!terminal) fputs("$grid using 1:2:3 with image notitle", f);
  for (int c = 0; c < b->classes; c++) write_class(f, b, c, terminal);
  fputc('\n', f);
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

static int no_input(const char *flag, const nnb_net *net, const char *column) {
  const int n = nnb_net_n_in(net);
  const char **names = malloc((size_t)n * sizeof *names);
  if (!names) return refuse(EX_OSERR, "out of memory");
  for (int j = 0; j < n; j++) names[j] = nnb_net_column_name(net, j);
  refuse(EX_USAGE, "%s: the net has no input \"%s\"; `nnblas info MODEL` lists its %d input%s%s", flag, column, n,
         plural(n), did_you_mean(column, names, n));
  free(names);
  return EX_USAGE;
}

static int find_input(const char *flag, const nnb_net *net, const char *column, int *input) {
  int n = nnb_net_n_in(net);
  for (int j = 0; j < n; j++) {
    const char *name = nnb_net_column_name(net, j);
    if (name && strcmp(name, column) == 0) return *input = j, EX_OK;
  }
  char *end;
  long number = strtol(column, &end, 10);
  if (end != column && !*end && number >= 1 && number <= n) return *input = (int)number - 1, EX_OK;
  return no_input(flag, net, column);
}

static int find_inputs(boundary *b, const char *x, const char *y) {
  if (x && y) {
    int code = find_input("--x", b->net, x, &b->x);
    if (!code) code = find_input("--y", b->net, y, &b->y);
    return code || b->x != b->y ? code : refuse(EX_USAGE, "--x and --y are the same input");
  }
  b->x = 0, b->y = 1;
  return !x && !y && b->rows.x.cols == 2
             ? EX_OK
             : refuse(EX_USAGE, "the net has %d input%s: --x and --y say which two are the axes", b->rows.x.cols,
                      plural(b->rows.x.cols));
}

int plot_boundary(const char *path, nnb_net *net, const nnb_data *data, const char *x, const char *y) {
  bool terminal = strcmp(path, "-") == 0;
  boundary b = {.net = net, .classes = nnb_data_n_classes(data)};
  b.across = terminal ? TERMINAL_ACROSS : ACROSS, b.down = terminal ? TERMINAL_DOWN : DOWN;
  if (!b.classes)
    return refuse(EX_DATAERR, "a decision boundary is of classes, and the target has numbers: see predicted");
  nnb_status status = nnb_data_batch(data, 0, nnb_data_rows(data), &b.rows);
  int code = status ? fail(status) : find_inputs(&b, x, y);
  if (!code) find_range(&b, 0), find_range(&b, 1), code = classify(&b);
  if (!code) code = draw_picture(path, &(picture){760, 520, 1, 1, write, &b});
  free(b.label);
  return code;
}
