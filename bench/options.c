#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <nnblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const mode_name[N_MODES] = {"train", "infer", "fit", "latency"};

static const char help[] =
    "usage: nnblas-bench [options]\n"
    "Training and inference throughput, beside the same matrix products through cblas alone.\n"
    "\n"
    "  -a, --all             every workload of bench/README.md and its bars; what runs without options\n"
    "  -w, --workloads LIST  some of them: W1,W2b32\n"
    "  -s, --shapes LIST     instead of the workloads: widths joined by '-', then @batch, joined by ','\n"
    "                        (1024-2048-2048-1000@256,784-128-64-10@32,784-128-64-10@128)\n"
    "  -m, --mode LIST       for shapes: train: nnb_train_step, rows in order; infer: nnb_plan_predict;\n"
    "                        fit: nnb_fit, shuffled; latency: nnb_plan_predict with one row, each call by\n"
    "                        itself                                   (train,infer)\n"
    "  -T, --tune            find the thresholds of this machine: see nnb_set_thresholds\n"
    "  -p, --precision P     f32, f64 or both                         (both)\n"
    "  -t, --threads LIST    numbers of threads, or all               (1,2 for workloads, 1,all for shapes)\n"
    "  -r, --rounds N        at least so many rounds                  (7 for workloads, 5 for shapes)\n"
    "  -S, --seconds S       at least so long                         (0 for workloads, 1 for shapes)\n"
    "  -q, --quick           fewer rows and rounds: whether it runs, not how fast; judges no bars\n"
    "  -c, --cpu-time        the thread's time on the processor, not the wall's: for busy machines;\n"
    "                        one thread only\n"
    "  -j, --json            one JSON object a line instead of the table\n"
    "  -C, --compare A B     two files with the lines of --json, side by side; measures nothing\n"
    "      --mpi [...]       by the ranks of MPI: mpirun -n 2 nnblas-bench --mpi; it has options of its own:\n"
    "                        nnblas-bench --mpi --help\n"
    "  -h, --help            this text\n"
    "\n"
    "bench/README.md explains the columns.  The workloads:\n\n";

static void print_help(void) {
  char text[256];
  fputs(help, stdout);
  for (int i = 0; i < n_workloads; i++) printf("  %-10s %s\n", workloads[i].name, workload_words(&workloads[i], text));
  printf("  %-10s %s\n", "W8", "start of a program: W7's net, from exec to the end of the first step; with --all only");
}

static int refuse(const char *what, const char *text) {
  fprintf(stderr, "nnblas-bench: %s, not \"%s\"\n", what, text);
  return -1;
}

/* Reads a number of lo … hi at *text and moves *text behind it; 0 if there is none. */
static int read_count(const char **text, int lo, int hi) {
  char *end;
  if (**text < '0' || **text > '9') return 0;
  errno = 0;
  long n = strtol(*text, &end, 10);
  if (errno || n < lo || n > hi) return 0;
  *text = end;
  return (int)n;
}

/* A single output is linear with mse, several are softmax with cross-entropy. */
static int finish_shape(const char *text, size_t length, int n_out, const char *batch, options *o) {
  bench_shape *s = &o->shape[o->n_shapes];
  const char *p = batch;
  s->batch = read_count(&p, 1, 1 << 24);
  if (!s->batch || *p || length >= sizeof s->text) return -1;
  memcpy(s->text, text, length), s->text[length] = 0;
  memcpy(s->net, text, length), strcpy(s->net + length, n_out > 1 ? ":softmax" : ":linear");
  o->n_shapes++;
  return 0;
}

static int parse_shape(const char *text, options *o) {
  const char *wanted = "a shape is widths and a batch such as 784-128-64-10@32", *p = text;
  if (o->n_shapes == MAX_SHAPES) return refuse("at most 64 shapes", text);
  for (int n = 0;; n++, p++) {
    if (n > MAX_LAYERS) return refuse("a shape has at most 32 layers", text);
    int width = read_count(&p, 1, INT_MAX - 1);
    if (!width) return refuse(wanted, text);
    if (*p == '-') continue;
    if (n == 0 || *p != '@' || finish_shape(text, (size_t)(p - text), width, p + 1, o)) return refuse(wanted, text);
    return 0;
  }
}

static int parse_workload(const char *text, options *o) {
  const workload *w = find_workload(text);
  if (!w) return refuse("a workload is one of bench/README.md, such as W2b32", text);
  if (o->n_only == MAX_SHAPES) return refuse("at most 64 workloads", text);
  o->only[o->n_only++] = w;
  return 0;
}

static int parse_mode(const char *text, options *o) {
  for (int m = 0; m < N_MODES; m++)
    if (!strcmp(text, mode_name[m])) return o->mode[m] = true, 0;
  return refuse("a mode is train, infer, fit or latency", text);
}

static int parse_precision(const char *text, options *o) {
  bool both = !strcmp(text, "both");
  o->f32 = both || !strcmp(text, "f32");
  o->f64 = both || !strcmp(text, "f64");
  return o->f32 || o->f64 ? 0 : refuse("a precision is f32, f64 or both", text);
}

static int parse_threads(const char *text, options *o) {
  const char *p = text;
  int n = strcmp(text, "all") ? read_count(&p, 1, 1024) : nnb_get_threads();
  if (!n || (p != text && *p)) return refuse("a thread count is 1 to 1024, or all", text);
  bench_job *job = &o->job;
  for (int i = 0; i < job->n_counts; i++)
    if (job->count[i] == n) return 0;
  if (job->n_counts == MAX_COUNTS) return refuse("at most 16 thread counts", text);
  job->count[job->n_counts++] = n;
  return 0;
}

/* parse(part, o) for each part of a list joined by ','. */
static int each(const char *list, int (*parse)(const char *, options *), options *o) {
  for (const char *p = list;;) {
    char part[256];
    size_t n = strcspn(p, ",");
    if (n >= sizeof part) return refuse("the parts of a list are short", list);
    memcpy(part, p, n), part[n] = 0;
    if (parse(part, o)) return -1;
    if (!p[n]) return 0;
    p += n + 1;
  }
}

static int parse_rounds(const char *text, options *o) {
  const char *p = text;
  o->effort.rounds = read_count(&p, 1, MAX_ROUNDS);
  return o->effort.rounds && !*p ? 0 : refuse("--rounds is 1 to 500", text);
}

static int parse_seconds(const char *text, options *o) {
  char *end;
  o->effort.seconds = strtod(text, &end);
  bool good = end != text && !*end && o->effort.seconds >= 0 && o->effort.seconds <= 3600;
  return good ? 0 : refuse("--seconds is 0 to 3600", text);
}

static int defaults(options *o, bool shapes) {
  bool any_mode = false;
  for (int m = 0; m < N_MODES; m++) any_mode = any_mode || o->mode[m];
  if (shapes && (o->n_only || o->tune))
    return refuse("shapes and modes go without --all, --workloads and --tune", "both");
  if (shapes && !o->n_shapes) each("1024-2048-2048-1000@256,784-128-64-10@32,784-128-64-10@128", parse_shape, o);
  if (!any_mode) each("train,infer", parse_mode, o);
  if (!o->job.n_counts) each(o->job.cpu_time ? "1" : shapes ? "1,all" : "1,2", parse_threads, o);
  for (int i = 0; o->job.cpu_time && i < o->job.n_counts; i++)
    if (o->job.count[i] > 1) return refuse("--cpu-time goes with --threads 1", "more");
  if (!o->effort.rounds) o->effort.rounds = o->quick ? 3 : shapes ? 5 : 7;
  if (o->effort.seconds < 0) o->effort.seconds = shapes && !o->quick;
  o->effort.part_seconds = o->quick ? 0.002 : 0.02;
  return 0;
}

static int take_files(int n, char **files, options *o) {
  if (n != 2) return refuse("--compare takes two files", n ? files[n - 1] : "none");
  o->compare[0] = files[0], o->compare[1] = files[1];
  return 0;
}

long latency_calls(const options *o) { return o->quick ? 1000 : 100000; }

static const struct option table[] = {
    {"all", 0, NULL, 'a'},     {"workloads", 1, NULL, 'w'}, {"shapes", 1, NULL, 's'},   {"mode", 1, NULL, 'm'},
    {"tune", 0, NULL, 'T'},    {"precision", 1, NULL, 'p'}, {"threads", 1, NULL, 't'},  {"rounds", 1, NULL, 'r'},
    {"seconds", 1, NULL, 'S'}, {"quick", 0, NULL, 'q'},     {"cpu-time", 0, NULL, 'c'}, {"json", 0, NULL, 'j'},
    {"help", 0, NULL, 'h'},    {"compare", 0, NULL, 'C'},   {NULL, 0, NULL, 0}};

int parse_options(int argc, char **argv, options *o) {
  *o = (options){.f32 = true, .f64 = true, .effort.seconds = -1};
  bool shapes = false, all = false, compare = false;
  for (int c, bad = 0; (c = getopt_long(argc, argv, "aw:s:m:Tp:t:r:S:qcjhC", table, NULL)) != -1;) {
    switch (c) {
      case 'a':
        all = true;
        break;
      case 'w':
        bad = each(optarg, parse_workload, o);
        break;
      case 's':
        shapes = true;
        bad = each(optarg, parse_shape, o);
        break;
      case 'm':
        shapes = true;
        bad = each(optarg, parse_mode, o);
        break;
      case 'T':
        o->tune = true;
        break;
      case 'p':
        bad = parse_precision(optarg, o);
        break;
      case 't':
        bad = each(optarg, parse_threads, o);
        break;
      case 'r':
        bad = parse_rounds(optarg, o);
        break;
      case 'S':
        bad = parse_seconds(optarg, o);
        break;
      case 'q':
        o->quick = true;
        break;
      case 'c':
        o->job.cpu_time = true;
        break;
      case 'j':
        o->json = true;
        break;
      case 'C':
        compare = true;
        break;
      case 'h':
        return print_help(), 1;
      default:
        return -1; /* getopt_long has printed a message */
    }
    if (bad) return -1;
  }
  if (compare) return take_files(argc - optind, argv + optind, o);
  if (optind < argc) return refuse("nnblas-bench takes options only", argv[optind]);
  if (shapes && all) return refuse("--all goes without shapes and modes", "both");
  return defaults(o, shapes);
}
