/* batch_vs_stochastic: trains the same net, from the same start, on the same data, by plain gradient descent with one
 * update from all rows, with mini-batches of several sizes, and with single samples.  Prints a table and draws the loss
 * against epochs, seconds and samples; with several seeds, its median and quartiles.  --help lists the options. */
#include "batch_vs_stochastic.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

#ifndef EXAMPLE_DATA
#define EXAMPLE_DATA "examples/data"
#endif

static const char help[] =
    "batch_vs_stochastic [options] [train.csv [test.csv] | images labels [test-images test-labels]]\n"
    "  Without files: the 1797 handwritten digits of examples/data/digits.csv.  Without a test file, a fifth of\n"
    "  the rows is kept for testing.  Images and labels are IDX files, as MNIST's, compressed or not.\n\n"
    "  --batches LIST    rows for each update: numbers and \"full\"; default 1,8,32,128,full\n"
    "  --lr LIST         one learning rate for all or one for each batch size; default: by batch size\n"
    "  --epochs N        default 100\n"
    "  --time-limit S    seconds for each run\n"
    "  --net TEXT        as for nnb_net_parse; default 32 tanh neurons between what the data has\n"
    "  --target NAME     the CSV column to predict; default: the last\n"
    "  --classes         the target of a CSV file is a class, even if it looks like a number\n"
    "  --regression      it is a number, even if it looks like a class; default: a text is a class; numbers are\n"
    "                    classes if they are whole and at most 20 of them differ, else a regression\n"
    "  --scale HOW       standardize (default for CSV), minmax or none (default for images)\n"
    "  --precision P     f64 (default) or f32\n"
    "  --seeds LIST      of the start and of the order of the rows, a run for each; default 1.  With several, the\n"
    "                    table and the pictures have medians and quartiles\n"
    "  --threads N       default: as many as there are processors\n"
    "  --out DIR         where curves and pictures go, made if it is not there; default: here\n\n"
    "A run has diverged if its loss became infinite or ended above 10 times the loss at the start.\n";

/* ---- options --------------------------------------------------------------------------------------------------- */

static void fail(const char *what, const char *text) {
  fprintf(stderr, "batch_vs_stochastic: %s: %s (see --help)\n", what, text);
  exit(2);
}

/* A number above `above`, up to the character `end`. */
static double parse_number(const char *what, const char *text, double above, const char **end) {
  char *stop;
  double v = strtod(text, &stop);
  if (stop == text || !(v > above) || !isfinite(v) || (*stop && !(end && *stop == ','))) fail(what, text);
  if (end) *end = stop;
  return v;
}

static int parse_count(const char *what, const char *text, const char **end) {
  double v = parse_number(what, text, 0, end);
  if (v != floor(v) || v > 1e9) fail(what, text);
  return (int)v;
}

static void parse_batches(const char *text, settings *s) {
  s->n_runs = 0;
  for (const char *p = text;; p++) {
    if (s->n_runs == MAX_RUNS) fail("too many batch sizes", text);
    int *batch = &s->batches[s->n_runs++];
    if (strncmp(p, "full", 4) == 0 && (p[4] == ',' || p[4] == 0))
      *batch = NNB_FULL_BATCH, p += 4;
    else
      *batch = parse_count("batch size", p, &p);
    if (*p == 0) return;
  }
}

static int parse_rates(const char *text, double rates[MAX_RUNS]) {
  int n = 0;
  for (const char *p = text;; p++) {
    if (n == MAX_RUNS) fail("too many learning rates", text);
    rates[n++] = parse_number("learning rate", p, 0, &p);
    if (*p == 0) return n;
  }
}

static void parse_seeds(const char *text, settings *s) {
  char *end;
  s->n_seeds = 0;
  for (const char *p = text;; p = end + 1) {
    if (s->n_seeds == MAX_SEEDS) fail("too many seeds", text);
    s->seeds[s->n_seeds++] = strtoull(p, &end, 10);
    if (*p < '0' || *p > '9' || (*end && *end != ',')) fail("seeds", text);
    if (!*end) return;
  }
}

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n > m && strcmp(text + n - m, end) == 0;
}

/* The data: at most four files. */
static void take_files(int argc, char **argv, settings *s) {
  if (argc - optind > 4) fail("too many files", argv[optind + 4]);
  for (s->n_files = 0; optind < argc; optind++) s->files[s->n_files++] = argv[optind];
  if (s->n_files == 0) s->files[s->n_files++] = EXAMPLE_DATA "/digits.csv";
  s->csv = ends_with(s->files[0], ".csv") || ends_with(s->files[0], ".csv.gz");
  if (!s->csv && s->kind != BY_DATA) fail("--classes and --regression are for CSV files", s->files[0]);
  if (s->csv ? s->n_files > 2 : s->n_files % 2 != 0)
    fail("one or two .csv (.csv.gz) files, or images and labels", s->files[0]);
}

static const struct option options[] = {
    {"batches", required_argument, NULL, 'b'},
    {"lr", required_argument, NULL, 'l'},
    {"epochs", required_argument, NULL, 'e'},
    {"time-limit", required_argument, NULL, 't'},
    {"net", required_argument, NULL, 'n'},
    {"target", required_argument, NULL, 'c'},
    {"classes", no_argument, NULL, 'a'},
    {"regression", no_argument, NULL, 'r'},
    {"scale", required_argument, NULL, 'k'},
    {"precision", required_argument, NULL, 'p'},
    {"seeds", required_argument, NULL, 's'},
    {"threads", required_argument, NULL, 'j'},
    {"out", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

/* True for single precision. */
static bool parse_options(int argc, char **argv, settings *s) {
  const char *rates = NULL, *precision = "f64", *dir = NULL;
  for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) switch (c) {
      case 'b':
        parse_batches(optarg, s);
        break;
      case 'l':
        rates = optarg;
        break;
      case 'e':
        s->epochs = parse_count("epochs", optarg, NULL);
        break;
      case 't':
        s->time_limit = parse_number("time limit", optarg, 0, NULL);
        break;
      case 'n':
        s->net = optarg;
        break;
      case 'c':
        s->target = optarg;
        break;
      case 'a':
        s->kind = CLASSES;
        break;
      case 'r':
        s->kind = NUMBERS;
        break;
      case 'k':
        s->scale = optarg;
        break;
      case 'p':
        precision = optarg;
        break;
      case 's':
        parse_seeds(optarg, s);
        break;
      case 'j':
        s->threads = parse_count("threads", optarg, NULL);
        break;
      case 'o':
        dir = optarg;
        break;
      case 'h':
        fputs(help, stdout);
        exit(0);
      default:
        exit(2);
    }
  if (strcmp(precision, "f64") != 0 && strcmp(precision, "f32") != 0) fail("precision", precision);
  if (s->scale && strcmp(s->scale, "standardize") && strcmp(s->scale, "minmax") && strcmp(s->scale, "none"))
    fail("scale", s->scale);
  int n_rates = rates ? parse_rates(rates, s->lrs) : 0;
  if (n_rates > 1 && n_rates != s->n_runs) fail("one learning rate, or one for each batch size", rates);
  for (int k = 1; n_rates == 1 && k < s->n_runs; k++) s->lrs[k] = s->lrs[0];
  take_files(argc, argv, s);
  if (dir) show_into(dir);
  return strcmp(precision, "f32") == 0;
}

int main(int argc, char **argv) {
  settings s = {.batches = {1, 8, 32, 128, NNB_FULL_BATCH}, .n_runs = 5, .epochs = 100, .seeds = {1}, .n_seeds = 1};
  static outcome out;
  bool single = parse_options(argc, argv, &s);
  if (single)
    compare_f32(&s, &out);
  else
    compare_f64(&s, &out);
  printf("%s\n%d rows to train on, %d to test on; net %s, %zu parameters, %s; plain gradient descent.\n\n", out.target,
         out.train_rows, out.test_rows, out.net, out.n_params, single ? "single precision" : "double precision");
  print_table(&s, &out);
  draw(&s, &out);
  for (int k = 0; k < s.n_runs; k++)
    for (int i = 0; i < s.n_seeds; i++) free(out.runs[k].of[i].curve);
}
