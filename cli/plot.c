/* cli/plot.c: see plot.h. */
#include "plot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"

static bool ends_in(const char *path, const char *ending) {
  size_t n = strlen(path), k = strlen(ending);
  return n > k && strcmp(path + n - k, ending) == 0;
}

static bool on_terminal(const char *path) { return strcmp(path, "-") == 0; }

enum { PLOT = 0xa00 };

static error_t parse(int key, char *arg, struct argp_state *state) {
  if (key != PLOT) return ARGP_ERR_UNKNOWN;
  if (!on_terminal(arg) && !ends_in(arg, ".png") && !ends_in(arg, ".svg"))
    argp_failure(state, EX_USAGE, 0, "--plot wants a file .png or .svg, or -, not %s", arg);
  *(const char **)state->input = arg;
  return 0;
}

static const struct argp_option option[] = {
    {"plot", PLOT, "FILE", 0, "draw the result by gnuplot: FILE.png, FILE.svg, or - for the terminal", 0},
    {0},
};
const struct argp plot_flag_argp = {.options = option, .parser = parse};

/* ---- gnuplot ----------------------------------------------------------------------------------------------------- */

/* A text of gnuplot between single quotes. */
static void quoted(FILE *f, const char *text) {
  fputc('\'', f);
  for (; *text; text++) {
    if (*text == '\'') fputc('\'', f);
    fputc(*text == '\n' ? ' ' : *text, f);
  }
  fputc('\'', f);
}

static void begin(FILE *f, const char *path) {
  if (on_terminal(path)) {
    fputs("set terminal dumb 100,30\n", f);
  } else {
    fprintf(f, "set terminal %s size 900,600\nset output ", ends_in(path, ".svg") ? "svg" : "pngcairo");
    quoted(f, path);
    fputc('\n', f);
  }
  fputs("set encoding utf8\nset autoscale noextend\nset grid linecolor rgb '#d0d0d0'\n", f);
}

static int keep_script(const char *path, const char *script) {
  char *name = malloc(strlen(path) + 4);
  if (!name) return refuse(EX_OSERR, "out of memory");
  strcat(strcpy(name, path), ".gp");
  FILE *f = NULL;
  int code = open_result(name, &f);
  if (!code) fputs(script, f);
  if (!code) code = close_result(name, f);
  free(name);
  return code;
}

static int run_gnuplot(const char *script) {
  fflush(stdout);
  FILE *gnuplot = popen("command -v gnuplot >/dev/null || exit 127; gnuplot", "w");
  if (!gnuplot) return refuse(EX_OSERR, "gnuplot cannot be started: %s", strerror(errno));
  fputs(script, gnuplot);
  int status = pclose(gnuplot);
  if (status == 0) return EX_OK;
  return WIFEXITED(status) && WEXITSTATUS(status) == 127
             ? refuse(EX_UNAVAILABLE, "pictures are drawn by gnuplot, which is not installed")
             : refuse(EX_SOFTWARE, "gnuplot failed");
}

/* Draws what write puts into a script. */
static int draw(const char *path, void (*write)(FILE *f, const void *what), const void *what) {
  char *script = NULL;
  size_t bytes;
  FILE *f = open_memstream(&script, &bytes);
  if (!f) return refuse(EX_OSERR, "out of memory");
  begin(f, path);
  write(f, what);
  bool lost = fclose(f) != 0;
  int code = lost ? refuse(EX_OSERR, "out of memory") : on_terminal(path) ? EX_OK : keep_script(path, script);
  if (!code) code = run_gnuplot(script);
  free(script);
  return code;
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

static void write_curve(FILE *f, const void *what) {
  const nnb_report *r = what;
  bool validated = r->n_history > 0 && !isnan(r->history[0].val_loss), positive = true;
  fputs("$curve << END\n", f);
  for (int i = 0; i < r->n_history; i++) {
    fprintf(f, "%d %.17g %.17g\n", r->history[i].epoch, r->history[i].loss, r->history[i].val_loss);
    positive = positive && r->history[i].loss > 0;
  }
  fprintf(f, "END\n%sset xlabel 'epoch'\nset ylabel 'loss'\nset title 'Learning curve (%s)' noenhanced\n",
          positive ? "set logscale y\n" : "", nnb_algo_name(r->algo));
  fputs("plot $curve using 1:2 with lines linewidth 2 title 'training'", f);
  fputs(validated ? ", '' using 1:3 with lines linewidth 2 title 'validation'\n" : "\n", f);
}

int plot_curve(const char *path, const nnb_report *report) { return draw(path, write_curve, report); }

typedef struct predictions {
  const nnb_net *net;
  const scores *scores;
  const nnb_batch *rows;
  const nnb_real *y; /* rows×columns; NULL for classes */
} predictions;

static void write_regression(FILE *f, const void *what) {
  const predictions *p = what;
  int cols = p->rows->t.cols;
  for (int j = 0; j < cols; j++) {
    fprintf(f, "$p%d << END\n", j);
    for (int i = 0; i < p->rows->t.rows; i++)
      fprintf(f, "%.17g %.17g\n", p->rows->t.p[(size_t)i * (size_t)p->rows->t.ld + (size_t)j],
              p->y[(size_t)i * (size_t)cols + (size_t)j]);
    fputs("END\n", f);
  }
  fputs(
      "set xlabel 'true'\nset ylabel 'predicted'\nset key top left noenhanced\nplot x with lines linecolor "
      "rgb '#808080' notitle",
      f);
  for (int j = 0; j < cols; j++) {
    const char *name = nnb_net_column_name(p->net, nnb_net_n_in(p->net) + j);
    fprintf(f, ", $p%d with points pointtype 7 pointsize 0.5 title ", j);
    quoted(f, name ? name : "target");
  }
  fputc('\n', f);
}

static void write_labels(FILE *f, char axis, const predictions *p) {
  char number[16];
  fprintf(f, "set %ctics noenhanced (", axis);
  for (int c = 0; c < p->scores->n_classes; c++) {
    const char *name = nnb_net_class_name(p->net, c);
    snprintf(number, sizeof number, "%d", c);
    if (c) fputs(", ", f);
    quoted(f, name ? name : number);
    fprintf(f, " %d", c);
  }
  fputs(")\n", f);
}

static void write_confusion(FILE *f, const void *what) {
  const predictions *p = what;
  int k = p->scores->n_classes;
  fputs("$m << END\n", f);
  for (int i = 0; i < k; i++)
    for (int j = 0; j < k; j++) fprintf(f, "%d %d %lld\n", j, i, (long long)p->scores->confusion[i * k + j]);
  fprintf(f,
          "END\nset xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\nunset key\nunset grid\nset xlabel 'predicted'\n"
          "set ylabel 'true'\nset palette defined (0 'white', 1 '#4080c0')\nset cblabel 'rows'\n",
          k - 1, k - 1);
  write_labels(f, 'x', p);
  write_labels(f, 'y', p);
  fputs("plot $m using 1:2:3 with image, '' using 1:2:3 with labels\n", f);
}

int plot_scores(const char *path, nnb_net *net, const nnb_data *data, const scores *s) {
  nnb_batch rows;
  nnb_status status = nnb_data_batch(data, 0, s->rows, &rows);
  if (status) return fail(status);
  predictions p = {net, s, &rows, NULL};
  if (s->n_classes) return draw(path, write_confusion, &p);
  nnb_real *y = malloc((size_t)s->rows * (size_t)rows.t.cols * sizeof *y);
  if (!y) return refuse(EX_OSERR, "out of memory");
  status = nnb_net_predict(net, rows.x, nnb_view(y, s->rows, rows.t.cols));
  p.y = y;
  int code = status ? fail(status) : draw(path, write_regression, &p);
  free(y);
  return code;
}
