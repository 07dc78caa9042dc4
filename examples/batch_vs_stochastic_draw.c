/* What batch_vs_stochastic prints and draws.  With several seeds, at each place: the median over the runs and the
 * quartiles. */
#include <math.h>
#include <stdlib.h>

#include "batch_vs_stochastic.h"
#include "show.h"

typedef struct quartiles {
  double low, median, high; /* infinite where runs have diverged */
} quartiles;

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Between the two numbers around p·(n-1) of sorted ones, which may be infinite. */
static double quantile(const double *v, int n, double p) {
  int i = (int)(p * (n - 1));
  double part = p * (n - 1) - i;
  return part > 0 ? (1 - part) * v[i] + part * v[i + 1] : v[i];
}

static quartiles quartiles_of(double *v, int n) {
  qsort(v, (size_t)n, sizeof *v, ascending);
  return (quartiles){quantile(v, n, 0.25), quantile(v, n, 0.5), quantile(v, n, 0.75)};
}

static const point *end_of(const run *r) { return &r->curve[r->n_points - 1]; }

/* ---- the table -------------------------------------------------------------------------------------------------- */

static const char *batch_name(const runs *r, char text[16]) {
  snprintf(text, 16, r->batch == NNB_FULL_BATCH ? "full" : "%d", r->batch);
  return text;
}

/* A number in a column of this width, or a mark that there is none. */
static const char *cell(char text[48], const char *format, double v) {
  if (!isfinite(v)) return "diverged";
  snprintf(text, 48, format, v);
  return text;
}

static double value_of(const run *r, char what) {
  const point *end = end_of(r);
  if (what == 's') return end->seconds;
  if (what == 'e') return end->epoch;
  if (what == 'u') return (double)end->updates;
  if (what == 'r') return end->seconds > 0 ? (double)end->samples / end->seconds : 0;
  return r->diverged ? HUGE_VAL : what == 'l' ? r->loss : r->quality;
}

/* Over the seeds: of seconds 's', epochs 'e', updates 'u', samples a second 'r', losses 'l' or qualities 'q'.  A
 * diverged run has the worst loss and quality. */
static quartiles over_seeds(const settings *s, const runs *r, char what, bool more_is_better) {
  double v[MAX_SEEDS], sign = more_is_better ? -1 : 1;
  for (int i = 0; i < s->n_seeds; i++) {
    double x = value_of(&r->of[i], what);
    v[i] = isfinite(x) ? sign * x : HUGE_VAL;
  }
  quartiles q = quartiles_of(v, s->n_seeds);
  return more_is_better ? (quartiles){sign * q.high, sign * q.median, sign * q.low} : q;
}

static void print_numbers(const settings *s, const char *format, quartiles q, int width) {
  char text[48], low[48], high[48], range[100];
  printf(" %*s", width, cell(text, format, q.median));
  if (s->n_seeds == 1) return;
  snprintf(range, sizeof range, "(%s-%s)", cell(low, format, q.low), cell(high, format, q.high));
  printf(" %-21s", range);
}

void print_table(const settings *s, const outcome *out) {
  const char *between = s->n_seeds > 1 ? " (quartiles)          " : "";
  printf("%7s %8s %7s %9s %9s %11s%s %13s%s %11s\n", "batch", "lr", "epochs", "updates", "seconds", "train loss",
         between, out->regression ? "test RMSE" : "test accuracy", between, "samples/s");
  for (int k = 0; k < s->n_runs; k++) {
    const runs *r = &out->runs[k];
    bool limited = false;
    char name[16];
    for (int i = 0; i < s->n_seeds; i++) limited |= r->of[i].stop == NNB_STOP_SECONDS;
    printf("%7s %8.3g %7.0f %9.0f %9.3f", batch_name(r, name), r->lr, over_seeds(s, r, 'e', false).median,
           over_seeds(s, r, 'u', false).median, over_seeds(s, r, 's', false).median);
    print_numbers(s, "%.4g", over_seeds(s, r, 'l', false), 11);
    print_numbers(s, "%.4f", over_seeds(s, r, 'q', !out->regression), 13);
    printf(" %11.3g%s\n", over_seeds(s, r, 'r', false).median, limited ? "   time limit" : "");
  }
  if (s->n_seeds > 1) printf("Medians over %d seeds.\n", s->n_seeds);
}

/* ---- curves ----------------------------------------------------------------------------------------------------- */

static FILE *data_file(const char *what, const runs *r) {
  char name[16], path[64];
  snprintf(path, sizeof path, "%s_batch_%s.dat", what, batch_name(r, name));
  return show_file(path);
}

/* The runs, one below the other. */
static void write_curves(const settings *s, const runs *r) {
  FILE *f = data_file("loss", r);
  for (int i = 0; i < s->n_seeds; i++) {
    fprintf(f, "%s# seed %llu: epoch updates seconds loss samples\n", i ? "\n\n" : "",
            (unsigned long long)r->of[i].seed);
    for (int k = 0; k < r->of[i].n_points; k++) {
      const point *p = &r->of[i].curve[k];
      fprintf(f, "%d %lld %.6g %.8g %lld\n", p->epoch, (long long)p->updates, p->seconds, p->loss,
              (long long)p->samples);
    }
  }
  show_close(f);
}

/* After a run has ended, its last loss counts, and a diverged one is infinite. */
static double loss_after(const run *r, int i) {
  if (i < r->n_points && isfinite(r->curve[i].loss)) return r->curve[i].loss;
  return r->diverged ? HUGE_VAL : r->loss;
}

static double loss_at(const run *r, double seconds) {
  int i = 1;
  while (i < r->n_points && r->curve[i].seconds < seconds) i++;
  if (i >= r->n_points) return loss_after(r, i);
  const point *a = &r->curve[i - 1], *b = &r->curve[i];
  double part = b->seconds > a->seconds ? (seconds - a->seconds) / (b->seconds - a->seconds) : 1;
  return isfinite(b->loss) ? a->loss + part * (b->loss - a->loss) : HUGE_VAL;
}

static void write_quartiles(FILE *f, quartiles q) {
  double v[] = {q.low, q.median, q.high};
  for (int i = 0; i < 3; i++) {
    char text[48];
    fprintf(f, " %s", isfinite(v[i]) ? cell(text, "%.8g", v[i]) : "nan");
  }
  fputc('\n', f);
}

static void write_bands_of_epochs(const settings *s, const runs *r) {
  const run *longest = &r->of[0];
  for (int i = 1; i < s->n_seeds; i++)
    if (r->of[i].n_points > longest->n_points) longest = &r->of[i];
  FILE *f = data_file("band", r);
  fprintf(f, "# epoch samples, loss: lower quartile, median, upper quartile of %d seeds\n", s->n_seeds);
  for (int k = 0; k < longest->n_points; k++) {
    double v[MAX_SEEDS];
    for (int i = 0; i < s->n_seeds; i++) v[i] = loss_after(&r->of[i], k);
    fprintf(f, "%d %lld", longest->curve[k].epoch, (long long)longest->curve[k].samples);
    write_quartiles(f, quartiles_of(v, s->n_seeds));
  }
  show_close(f);
}

/* At equal ratios of time, from the end of the first epoch of any run to the end of the last run. */
static void write_bands_of_seconds(const settings *s, const runs *r) {
  enum { TIMES = 120 };
  double from = HUGE_VAL, to = 0;
  for (int i = 0; i < s->n_seeds; i++) {
    const run *one = &r->of[i];
    if (one->n_points > 1) from = fmin(from, one->curve[1].seconds);
    if (!one->diverged) to = fmax(to, end_of(one)->seconds);
  }
  FILE *f = data_file("band_seconds", r);
  fprintf(f, "# seconds, loss: lower quartile, median, upper quartile of %d seeds\n", s->n_seeds);
  for (int k = 0; k < TIMES && from > 0 && to > from; k++) {
    double v[MAX_SEEDS], seconds = from * pow(to / from, k / (TIMES - 1.0));
    for (int i = 0; i < s->n_seeds; i++) v[i] = loss_at(&r->of[i], seconds);
    fprintf(f, "%.6g", seconds);
    write_quartiles(f, quartiles_of(v, s->n_seeds));
  }
  show_close(f);
}

/* ---- pictures --------------------------------------------------------------------------------------------------- */

typedef struct panel {
  const char *title, *axis, *file; /* file: of the bands */
  int column, band, of_band;       /* of x among the curves; among the bands; before the quartiles */
  bool logarithmic, from_start;    /* from_start: the first point is the common start */
} panel;

/* A logarithmic axis has no place for the common start at 0. */
static void plot_panel(FILE *f, const settings *s, const outcome *out, const panel *p) {
  const char *part = p->logarithmic && p->from_start ? "every ::1 " : "";
  fprintf(f, "set title 'by %s'\nset xlabel '%s'\n%s", p->title, p->axis,
          p->logarithmic ? "set logscale x\nset format x '%g'\n" : "");
  if (p->logarithmic) { /* ticks at 1 and 3, because few powers of ten lie in the range */
    for (int k = -6; k < 12; k++) fprintf(f, "%s1e%d, 3e%d", k > -6 ? ", " : "set xtics (", k, k);
    fprintf(f, ")\n");
  }
  for (int k = 0; k < s->n_runs; k++) {
    char name[16];
    int style = k % 6 + 1;
    batch_name(&out->runs[k], name);
    fprintf(f, "%s", k ? ", \\\n  " : "plot ");
    if (s->n_seeds == 1) {
      fprintf(f, "'loss_batch_%s.dat' %susing %d:4 with lines ls %d title '%s'", name, part, p->column, style, name);
      continue;
    }
    fprintf(f, "'%s_batch_%s.dat' %susing %d:%d:%d with filledcurves ls %d ", p->file, name, part, p->band,
            p->of_band + 1, p->of_band + 3, style);
    fprintf(f, "fillstyle transparent solid 0.2 noborder notitle, '' %susing %d:%d with lines ls %d title '%s'", part,
            p->band, p->of_band + 2, style, name);
  }
  fprintf(f, "\n");
}

static void draw_into(FILE *f, const char *picture, const settings *s, const outcome *out) {
  const panel panels[] = {{"epochs", "epochs", "band", 1, 1, 2, false, true},
                          {"time", "seconds", "band_seconds", 3, 1, 1, true, s->n_seeds == 1},
                          {"samples", "rows processed", "band", 5, 2, 2, true, true}};
  char seeds[64] = "";
  if (s->n_seeds > 1) snprintf(seeds, sizeof seeds, "; median and quartiles of %d seeds", s->n_seeds);
  show_plot_head(f, picture, 1350, 460);
  fprintf(f,
          "set multiplot layout 1,3 title 'Plain gradient descent, %d rows, net %s%s' font ',15' noenhanced\n"
          "set grid\nset autoscale noextend\nset logscale y\nset format y '%%g'\nset ylabel 'training loss'\n"
          "set key top right samplen 3 title 'rows per update'\n",
          out->train_rows, out->net, seeds);
  for (int i = 0; i < 3; i++) {
    plot_panel(f, s, out, &panels[i]);
    if (i == 0) fprintf(f, "unset key\n");
  }
  fprintf(f, "unset multiplot\nreset\n");
}

void draw(const settings *s, const outcome *out) {
  for (int k = 0; k < s->n_runs; k++) {
    write_curves(s, &out->runs[k]);
    if (s->n_seeds > 1) write_bands_of_epochs(s, &out->runs[k]), write_bands_of_seconds(s, &out->runs[k]);
  }
  FILE *f = show_file("batch_vs_stochastic.gp");
  draw_into(f, "batch_vs_stochastic.svg", s, out);
  draw_into(f, "batch_vs_stochastic.png", s, out);
  show_close(f);
  show_plot("batch_vs_stochastic.gp");
}
