/* bench/two_runs.c: a difference counts where the quartiles of the two runs do not overlap. */
#include "two_runs.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* What a line may have, with KEY_q1 and KEY_q3 beside KEY. */
static const struct quantity {
  const char *name, *key;
  bool time; /* less is better */
  const char *more, *less;
} quantities[] = {
    {"samples/s", "samples_per_s", false, "faster", "slower"},
    {"ratio", "ratio", false, "better", "worse"},
    {"share", "gemm_share", false, "better", "worse"},
    {"ms", "ms", true, "faster", "slower"},
    {"ns p50", "ns_p50", true, "faster", "slower"},
    {"ns p99", "ns_p99", true, "faster", "slower"},
    {"ns worst", "ns_worst", true, "faster", "slower"},
};
enum { N_QUANTITIES = sizeof quantities / sizeof *quantities };

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *line, const char *key) {
  const char *text = json_string_value(json_object_get(line, key));
  return text ? text : "";
}

static bool is_workload(const json_t *line) { return *text_of(line, "workload"); }
static const char *figure_of(const json_t *line) { return text_of(line, is_workload(line) ? "figure" : "mode"); }

static const char *name_of(const json_t *line, char name[200]) {
  if (is_workload(line))
    snprintf(name, 200, "%s", text_of(line, "workload"));
  else
    snprintf(name, 200, "%s@%lld", text_of(line, "shape"),
             (long long)json_integer_value(json_object_get(line, "batch")));
  return name;
}

/* The line of a run that measured the same. */
static json_t *find(const json_t *run, const json_t *line) {
  static const char *const names[] = {"workload", "shape", "batch", "figure", "mode", "precision", "threads", "ranks"};
  for (size_t i = 0; i < json_array_size(run); i++) {
    json_t *other = json_array_get(run, i);
    bool same = true;
    for (size_t k = 0; k < sizeof names / sizeof *names && same; k++) {
      json_t *x = json_object_get(line, names[k]), *y = json_object_get(other, names[k]);
      same = x == y || json_equal(x, y);
    }
    if (same) return other;
  }
  return NULL;
}

static bool ends(FILE *f) {
  int c;
  while ((c = getc(f)) != EOF && isspace(c)) continue;
  return c == EOF || ungetc(c, f) == EOF;
}

/* NULL with a message on stderr. */
static json_t *read_run(const char *path) {
  FILE *f = fopen(path, "r");
  if (!f) return fprintf(stderr, "nnblas-bench: %s: %s\n", path, strerror(errno)), NULL;
  json_t *run = json_array();
  const char *wrong = run ? NULL : "out of memory";
  while (!wrong && !ends(f)) {
    json_error_t error;
    json_t *line = json_loadf(f, JSON_DISABLE_EOF_CHECK, &error);
    if (!line || (!is_workload(line) && !*text_of(line, "shape")))
      wrong = "not the lines that nnblas-bench --json prints";
    else if (find(run, line))
      wrong = "a figure is there twice; compare files of one run each";
    if (json_array_append_new(run, line) && !wrong) wrong = "out of memory";
  }
  fclose(f);
  if (!wrong && json_array_size(run) == 0) wrong = "empty";
  if (!wrong) return run;
  fprintf(stderr, "nnblas-bench: %s: %s\n", path, wrong);
  json_decref(run);
  return NULL;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

typedef struct change {
  double a, b, ratio, low, high; /* of b to a: of the medians, the least and the most of the quartiles */
  bool spread;                   /* quartiles were measured */
} change;

static double number(const json_t *line, const char *key, const char *ending, double otherwise) {
  char name[64];
  snprintf(name, sizeof name, "%s%s", key, ending);
  const json_t *value = json_object_get(line, name);
  return json_is_number(value) ? json_number_value(value) : otherwise;
}

static bool change_of(const json_t *x, const json_t *y, const char *key, change *out) {
  double a = number(x, key, "", 0), b = number(y, key, "", 0);
  if (!(a > 0) || !(b > 0)) return false;
  *out = (change){.a = a, .b = b, .ratio = b / a};
  double a1 = number(x, key, "_q1", 0), a3 = number(x, key, "_q3", 0);
  double b1 = number(y, key, "_q1", 0), b3 = number(y, key, "_q3", 0);
  out->spread = a1 > 0 && a3 > 0 && b1 > 0 && b3 > 0;
  if (out->spread) out->low = b1 / a3, out->high = b3 / a1;
  return true;
}

/* "" if the quartiles overlap or were not measured. */
static const char *verdict(const struct quantity *q, const change *c) {
  if (!c->spread || (c->low <= 1 && c->high >= 1)) return "";
  return (c->ratio > 1) != q->time ? q->more : q->less;
}

static void print_change(const json_t *line, const struct quantity *q, const change *c) {
  char name[200], range[32] = "";
  const char *word = verdict(q, c);
  if (c->spread) snprintf(range, sizeof range, "%.3f-%.3f", c->low, c->high);
  printf("%-18s %-4s %3lld %-8s %-10s %11.4g %11.4g %7.3f %13s  ", name_of(line, name), text_of(line, "precision"),
         (long long)json_integer_value(json_object_get(line, "threads")), figure_of(line), q->name, c->a, c->b,
         c->ratio, range);
  double gain = q->time ? c->a / c->b - 1 : c->ratio - 1;
  if (*word)
    printf("B is %.3g %% %s\n", 100 * (gain < 0 ? -gain : gain), word);
  else
    puts(c->spread ? "no difference beyond the spread" : "spread not measured");
}

static void print_change_json(const json_t *line, const struct quantity *q, const change *c) {
  char name[200];
  const char *word = verdict(q, c);
  json_t *o = json_pack("{s:s, s:s, s:O, s:s, s:s, s:f, s:f, s:f}", "name", name_of(line, name), "precision",
                        text_of(line, "precision"), "threads", json_object_get(line, "threads"), "figure",
                        figure_of(line), "quantity", q->name, "a", c->a, "b", c->b, "b_over_a", c->ratio);
  if (o && c->spread)
    json_object_set_new(o, "low", json_real(c->low)), json_object_set_new(o, "high", json_real(c->high));
  if (o) json_object_set_new(o, "verdict", json_string(*word ? word : c->spread ? "same" : "unknown"));
  json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(7));
  putchar('\n');
  json_decref(o);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static const char *const machine[] = {"nnblas_version", "blas", "blas_version", "blas_core", "clock"};

static void print_run(char letter, const char *path, const json_t *run) {
  const json_t *line = json_array_get(run, 0);
  printf("%c: %s: nnblas %s, %s %s, core %s, %s time\n", letter, path, text_of(line, machine[0]),
         text_of(line, machine[1]), text_of(line, machine[2]), text_of(line, machine[3]), text_of(line, machine[4]));
}

static void print_head_of(const char *a, const json_t *x, const char *b, const json_t *y) {
  print_run('A', a, x), print_run('B', b, y);
  for (size_t i = 1; i < sizeof machine / sizeof *machine; i++)
    if (strcmp(text_of(json_array_get(x, 0), machine[i]), text_of(json_array_get(y, 0), machine[i])))
      printf("note: the runs differ in %s, so rates and times differ by more than the library\n", machine[i]);
  printf("\n%-18s %-4s %3s %-8s %-10s %11s %11s %7s %13s\n", "workload or shape", "prec", "thr", "figure", "quantity",
         "A", "B", "B/A", "(quartiles)");
}

typedef struct counts {
  int better, worse, all;
} counts;

static void compare_lines(const json_t *x, const json_t *y, bool json, counts *n) {
  for (int k = 0; k < N_QUANTITIES; k++) {
    change c;
    if (!change_of(x, y, quantities[k].key, &c)) continue;
    const char *word = verdict(&quantities[k], &c);
    n->all++, n->better += word == quantities[k].more, n->worse += word == quantities[k].less;
    (json ? print_change_json : print_change)(x, &quantities[k], &c);
  }
}

static void print_alone(char letter, const json_t *run, const json_t *other) {
  char name[200];
  for (size_t i = 0; i < json_array_size(run); i++) {
    const json_t *line = json_array_get(run, i);
    if (!find(other, line))
      printf("only in %c: %s %s %lld %s\n", letter, name_of(line, name), text_of(line, "precision"),
             (long long)json_integer_value(json_object_get(line, "threads")), figure_of(line));
  }
}

static int print_all(const char *a, const json_t *x, const char *b, const json_t *y, bool json) {
  counts n = {0};
  if (!json) print_head_of(a, x, b, y);
  for (size_t i = 0; i < json_array_size(x); i++) {
    const json_t *line = json_array_get(x, i), *other = find(y, line);
    if (other) compare_lines(line, other, json, &n);
  }
  if (!n.all) return fprintf(stderr, "nnblas-bench: %s and %s measured nothing in common\n", a, b), -1;
  if (json) return 0;
  print_alone('A', x, y), print_alone('B', y, x);
  printf("\nB against A: %d better, %d worse, %d without a difference beyond the spread\n", n.better, n.worse,
         n.all - n.better - n.worse);
  return 0;
}

int compare_runs(const char *a, const char *b, bool json) {
  json_t *x = read_run(a), *y = x ? read_run(b) : NULL;
  int failed = x && y ? print_all(a, x, b, y, json) : -1;
  json_decref(x), json_decref(y);
  return failed;
}
