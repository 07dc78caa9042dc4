#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <nnblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const mode_name[N_MODES] = {"train", "infer", "fit"};

static const char help[] =
    "usage: nnblas-bench [options]\n"
    "Training and inference throughput, beside the same matrix products through cblas alone.\n"
    "\n"
    "  -s, --shapes LIST     widths joined by '-', then @batch, joined by ','\n"
    "                        (1024-2048-2048-1000@256,784-128-64-10@32,784-128-64-10@128)\n"
    "  -m, --mode LIST       train: nnb_train_step, rows in order; infer: nnb_plan_predict;\n"
    "                        fit: nnb_train_rows, shuffled            (train,infer)\n"
    "  -p, --precision P     f32, f64 or both                         (both)\n"
    "  -t, --threads LIST    numbers of threads, or all               (1,all)\n"
    "  -r, --rounds N        at least so many rounds a row            (5)\n"
    "  -S, --seconds S       at least so long a row                   (1)\n"
    "  -c, --cpu-time        the thread's time on the processor, not the wall's: for busy machines;\n"
    "                        one thread only\n"
    "  -j, --json            one JSON object a line instead of the table\n"
    "  -h, --help            this text\n"
    "\n"
    "bench/README.md explains the columns.\n";

static int refuse(const char *what, const char *text) {
  fprintf(stderr, "nnblas-bench: %s, not \"%s\"\n", what, text);
  return -1;
}

/* A number of lo … hi at *text, which moves behind it; 0 if there is none. */
static int read_count(const char **text, int lo, int hi) {
  char *end;
  if (**text < '0' || **text > '9') return 0;
  errno = 0;
  long n = strtol(*text, &end, 10);
  if (errno || n < lo || n > hi) return 0;
  *text = end;
  return (int)n;
}

static int parse_shape(const char *text, options *o) {
  const char *wanted = "a shape is widths and a batch such as 784-128-64-10@32", *p = text;
  if (o->n_shapes == MAX_SHAPES) return refuse("at most 64 shapes", text);
  bench_shape *s = &o->shape[o->n_shapes];
  memset(s, 0, sizeof *s);
  for (int n = 0;; n++) {
    if (n > MAX_LAYERS) return refuse("a shape has at most 32 layers", text);
    s->width[n] = read_count(&p, 1, INT_MAX - 1);
    if (!s->width[n]) return refuse(wanted, text);
    s->n_layers = n;
    if (*p != '-') break;
    p++;
  }
  size_t length = (size_t)(p - text);
  if (!s->n_layers || *p++ != '@' || length >= sizeof s->text) return refuse(wanted, text);
  s->batch = read_count(&p, 1, 1 << 24);
  if (!s->batch || *p) return refuse(wanted, text);
  memcpy(s->text, text, length);
  o->n_shapes++;
  return 0;
}

static int parse_mode(const char *text, options *o) {
  for (int m = 0; m < N_MODES; m++)
    if (!strcmp(text, mode_name[m])) return o->mode[m] = true, 0;
  return refuse("a mode is train, infer or fit", text);
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
  for (int i = 0; i < o->n_threads; i++)
    if (o->threads[i] == n) return 0;
  if (o->n_threads == MAX_COUNTS) return refuse("at most 16 thread counts", text);
  o->threads[o->n_threads++] = n;
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
  o->rounds = read_count(&p, 1, 2000);
  return o->rounds && !*p ? 0 : refuse("--rounds is 1 to 2000", text);
}

static int parse_seconds(const char *text, options *o) {
  char *end;
  o->seconds = strtod(text, &end);
  bool good = end != text && !*end && o->seconds >= 0 && o->seconds <= 3600;
  return good ? 0 : refuse("--seconds is 0 to 3600", text);
}

static int defaults(options *o) {
  if (!o->n_shapes && each("1024-2048-2048-1000@256,784-128-64-10@32,784-128-64-10@128", parse_shape, o)) return -1;
  if (!o->mode[MODE_TRAIN] && !o->mode[MODE_INFER] && !o->mode[MODE_FIT]) each("train,infer", parse_mode, o);
  if (!o->n_threads && each(o->cpu_time ? "1" : "1,all", parse_threads, o)) return -1;
  for (int i = 0; o->cpu_time && i < o->n_threads; i++)
    if (o->threads[i] > 1) return refuse("--cpu-time goes with --threads 1", "more");
  return 0;
}

int parse_options(int argc, char **argv, options *o) {
  static const struct option table[] = {
      {"shapes", 1, NULL, 's'}, {"mode", 1, NULL, 'm'},    {"precision", 1, NULL, 'p'}, {"threads", 1, NULL, 't'},
      {"rounds", 1, NULL, 'r'}, {"seconds", 1, NULL, 'S'}, {"cpu-time", 0, NULL, 'c'},  {"json", 0, NULL, 'j'},
      {"help", 0, NULL, 'h'},   {NULL, 0, NULL, 0}};
  *o = (options){.f32 = true, .f64 = true, .rounds = 5, .seconds = 1};
  for (int c, bad = 0; (c = getopt_long(argc, argv, "s:m:p:t:r:S:cjh", table, NULL)) != -1;) {
    switch (c) {
      case 's':
        bad = each(optarg, parse_shape, o);
        break;
      case 'm':
        bad = each(optarg, parse_mode, o);
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
      case 'c':
        o->cpu_time = true;
        break;
      case 'j':
        o->json = true;
        break;
      case 'h':
        return fputs(help, stdout), 1;
      default:
        return -1; /* getopt_long has said it */
    }
    if (bad) return -1;
  }
  if (optind < argc) return refuse("nnblas-bench takes options only", argv[optind]);
  return defaults(o);
}
