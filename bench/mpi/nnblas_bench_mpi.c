/* nnblas-bench-mpi: training by the ranks of MPI beside as many independent processes; nnblas-bench --mpi starts it. */
#include <getopt.h>
#include <nnblas/mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scaling.h"

enum { MOST_RANKS = 1024 };

/* The workloads: an update has many rows. */
static const struct {
  const char *name;
  int batch, quick_batch, updates;
} cases[] = {{"W1", 1024, 32, 4}, {"W7", 100000, 1000, 1}};
enum { N_CASES = sizeof cases / sizeof *cases };

/* Of the rate of independent processes, with two ranks. */
static const double bar = 0.9;

typedef struct options {
  bool f32, f64, json, quick, only[N_CASES];
  int threads, rounds;
  double latency, bandwidth; /* of the model; 0: as measured */
} options;

/* ---- the command line -------------------------------------------------------------------------------------------- */

static const char help[] =
    "usage: mpirun -n N nnblas-bench-mpi [options]\n"
    "Training by N ranks, beside N independent processes, and what their communication takes.\n"
    "\n"
    "  -w, --workloads LIST  W1, W7                                   (both)\n"
    "  -p, --precision P     f32, f64 or both                         (both)\n"
    "  -t, --threads N       threads of a rank                        (1)\n"
    "  -r, --rounds N        rounds                                   (5)\n"
    "  -m, --model US,GBS    the model with a network of these microseconds and gigabytes per second\n"
    "                        instead of the one measured\n"
    "  -q, --quick           fewer rows and rounds: whether it runs, not how fast; judges no bars\n"
    "  -j, --json            one JSON object a line instead of the table\n"
    "  -h, --help            this text\n"
    "\n"
    "bench/README.md explains the figures.\n";

static int refuse(const char *what, const char *text) {
  fprintf(stderr, "nnblas-bench-mpi: %s, not \"%s\"\n", what, text);
  return -1;
}

static int read_count(const char *what, const char *text, int most, int *out) {
  char *end;
  const long n = strtol(text, &end, 10);
  if (end == text || *end || n < 1 || n > most) return refuse(what, text);
  *out = (int)n;
  return 0;
}

static int read_workloads(const char *list, options *o) {
  const char *wanted = "a workload is W1 or W7";
  memset(o->only, 0, sizeof o->only);
  for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
    const size_t n = strcspn(p, ",");
    int found = 0;
    for (int i = 0; i < N_CASES; i++)
      if (n == strlen(cases[i].name) && !strncmp(p, cases[i].name, n)) o->only[i] = true, found = 1;
    if (!found) return refuse(wanted, list);
  }
  return 0;
}

static int read_precision(const char *text, options *o) {
  const bool both = !strcmp(text, "both");
  o->f32 = both || !strcmp(text, "f32");
  o->f64 = both || !strcmp(text, "f64");
  return o->f32 || o->f64 ? 0 : refuse("a precision is f32, f64 or both", text);
}

static int read_model(const char *text, options *o) {
  double us, gbs;
  char rest;
  if (sscanf(text, "%lf,%lf%c", &us, &gbs, &rest) != 2 || !(us > 0 && us < 1e6) || !(gbs > 0 && gbs < 1e6))
    return refuse("--model is microseconds and gigabytes per second, such as 1.5,12", text);
  o->latency = us * 1e-6, o->bandwidth = gbs * 1e9;
  return 0;
}

static const struct option table[] = {
    {"workloads", 1, NULL, 'w'}, {"precision", 1, NULL, 'p'}, {"threads", 1, NULL, 't'},
    {"rounds", 1, NULL, 'r'},    {"model", 1, NULL, 'm'},     {"quick", 0, NULL, 'q'},
    {"json", 0, NULL, 'j'},      {"help", 0, NULL, 'h'},      {NULL, 0, NULL, 0}};

static int take_option(int c, options *o) {
  switch (c) {
    case 'w':
      return read_workloads(optarg, o);
    case 'p':
      return read_precision(optarg, o);
    case 't':
      return read_count("threads are 1 to 1024", optarg, 1024, &o->threads);
    case 'r':
      return read_count("--rounds is 1 to 500", optarg, MAX_ROUNDS, &o->rounds);
    case 'm':
      return read_model(optarg, o);
    case 'q':
      return o->quick = true, 0;
    case 'j':
      return o->json = true, 0;
    case 'h':
      return 1;
    default:
      return -1; /* getopt_long has printed a message */
  }
}

/* 0: continue; 1: help is wanted; -1: there is a message on stderr. */
static int parse_options(int argc, char **argv, options *o) {
  *o = (options){.f32 = true, .f64 = true, .threads = 1, .only = {true, true}};
  for (int c, status; (c = getopt_long(argc, argv, "w:p:t:r:m:qjh", table, NULL)) != -1;)
    if ((status = take_option(c, o))) return status;
  if (optind < argc) return refuse("nnblas-bench-mpi takes options only", argv[optind]);
  if (!o->rounds) o->rounds = o->quick ? 2 : 5;
  return 0;
}

/* ---- what is printed --------------------------------------------------------------------------------------------- */

static const char *const part_name[N_PARTS] = {"alone", "small", "independent", "shares", "strong", "weak"};

static spread ratio_of_rounds(const double *over, const double *under, double factor, int n) {
  double v[MAX_ROUNDS];
  for (int i = 0; i < n; i++) v[i] = over[i] / (under ? under[i] * factor : factor);
  return spread_of(v, n);
}

static spread spread_of_rounds(const double *values, int n) { return ratio_of_rounds(values, NULL, 1, n); }

/* What a part's rate is compared with, and how often. */
static spread ratio_of_part(const scaling *s, scaling_part part) {
  const scaling_part under = part == PART_STRONG ? PART_SHARES : part == PART_WEAK ? PART_INDEPENDENT : PART_ALONE;
  return ratio_of_rounds(s->rate[part], s->rate[under], under == PART_ALONE ? s->ranks : 1, s->rounds);
}

static bool has_ratio(scaling_part part) { return part >= PART_INDEPENDENT; }
static bool has_bar(const options *o, const scaling *s, scaling_part part) {
  return !o->quick && s->ranks == 2 && part >= PART_STRONG;
}

static void print_part(const options *o, const scaling_job *job, const scaling *s, scaling_part part) {
  const spread rate = spread_of_rounds(s->rate[part], s->rounds), ratio = ratio_of_part(s, part);
  printf("%-5s %-4s %5d %-12s %11.4g %+5.1f%+5.1f%%", job->w->name, s->precision, s->ranks, part_name[part],
         rate.median, 100 * (rate.q1 / rate.median - 1), 100 * (rate.q3 / rate.median - 1));
  if (has_ratio(part)) printf(" %7.3f  %.3f-%.3f", ratio.median, ratio.q1, ratio.q3);
  if (part >= PART_STRONG) printf("  %5.1f %%", 100 * spread_of_rounds(s->in_comm[part], s->rounds).median);
  if (has_bar(o, s, part)) printf("  %.1f %s", bar, ratio.median >= bar ? "met" : "missed");
  printf("\n");
}

static void print_part_json(const options *o, const scaling_job *job, const scaling *s, scaling_part part) {
  const spread rate = spread_of_rounds(s->rate[part], s->rounds), ratio = ratio_of_part(s, part);
  printf("{\"workload\":\"%s\",\"precision\":\"%s\",\"threads\":%d,\"ranks\":%d,\"figure\":\"%s\",", job->w->name,
         s->precision, job->threads, s->ranks, part_name[part]);
  printf("\"samples_per_s\":%.7g,\"samples_per_s_q1\":%.7g,\"samples_per_s_q3\":%.7g,", rate.median, rate.q1, rate.q3);
  if (has_ratio(part)) printf("\"ratio\":%.5g,\"ratio_q1\":%.5g,\"ratio_q3\":%.5g,", ratio.median, ratio.q1, ratio.q3);
  if (part >= PART_STRONG) printf("\"in_communication\":%.5g,", spread_of_rounds(s->in_comm[part], s->rounds).median);
  if (has_bar(o, s, part)) printf("\"bar\":%g,\"met\":%s,", bar, ratio.median >= bar ? "true" : "false");
  printf("\"rounds\":%d}\n", s->rounds);
}

static void print_sum(const options *o, const scaling_job *job, const scaling *s) {
  const double sum = spread_of_rounds(s->sum, s->rounds).median, behind = spread_of_rounds(s->behind, s->rounds).median;
  const double by_thread = spread_of_rounds(s->by_thread, s->rounds).median;
  if (o->json)
    printf(
        "{\"workload\":\"%s\",\"precision\":\"%s\",\"threads\":%d,\"ranks\":%d,\"figure\":\"sum\",\"bytes\":%zu,"
        "\"ms\":%.5g,\"behind\":%.5g,\"by_thread\":%.5g}\n",
        job->w->name, s->precision, job->threads, s->ranks, s->bytes, 1e3 * sum, behind, by_thread);
  else
    printf(
        "The sum of a gradient, %.4g MB, takes %.4g ms; behind the arithmetic of an update both take %.2f of one "
        "after the other, by a thread %.2f.\n",
        1e-6 * (double)s->bytes, 1e3 * sum, behind, by_thread);
}

static void print_model_line(const options *o, const scaling_job *job, const scaling *s, const scale_model *m, int n) {
  const double strong = model_strong(m, n, job->w->batch), weak = model_weak(m, n, job->w->batch);
  const double half = model_rows(m, n, 0.5), most = model_rows(m, n, 0.9);
  if (o->json)
    printf(
        "{\"workload\":\"%s\",\"precision\":\"%s\",\"threads\":%d,\"ranks\":%d,\"figure\":\"model\",\"sums_ms\":%.5g,"
        "\"strong\":%.4g,\"weak\":%.4g,\"rows_for_0.5\":%.0f,\"rows_for_0.9\":%.0f}\n",
        job->w->name, s->precision, job->threads, n, 1e3 * model_sums(m, n), strong, weak, half, most);
  else
    printf("| %5d | %8.3g | %6.2f | %6.2f | %6.0f | %6.0f |\n", n, 1e3 * model_sums(m, n), strong, weak, half, most);
}

static void print_model(const options *o, const scaling_job *job, const scaling *s, const comm_speed *speed) {
  scale_model m = model_of(s, job, speed);
  if (o->latency > 0) m.latency = o->latency, m.bandwidth = o->bandwidth;
  if (!(m.bandwidth > 0)) return; /* one rank, and no network is given */
  if (!o->json)
    printf(
        "\nModel of %s %s: a message takes %.3g us, sums go at %.3g GB/s, an update %.3g ms and %.3g us for each row.\n"
        "Of the ranks is used, with %d rows in all, and for each; rows for each from which 0.5 and 0.9 are:\n\n"
        "| ranks |  sums/ms | in all |   each |    0.5 |    0.9 |\n|---|---|---|---|---|---|\n",
        job->w->name, s->precision, 1e6 * m.latency, 1e-9 * m.bandwidth, 1e3 * m.fixed, 1e6 * m.row, job->w->batch);
  for (int n = 2; n <= MOST_RANKS; n *= 2) print_model_line(o, job, s, &m, n);
  if (!o->json) printf("\n");
}

static void print_scaling(const options *o, const scaling_job *job, const scaling *s, const comm_speed *speed) {
  for (int part = 0; part < N_PARTS; part++) (o->json ? print_part_json : print_part)(o, job, s, (scaling_part)part);
  if (s->ranks > 1) print_sum(o, job, s);
  print_model(o, job, s, speed);
  fflush(stdout);
}

static void print_head(const options *o, const comm_speed *speed, int ranks) {
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  nnb_blas_facts blas;
  int length;
  MPI_Get_library_version(version, &length);
  version[strcspn(version, "\n,")] = '\0';
  for (char *c = version; *c; c++)
    if (*c < ' ' || *c == '"' || *c == '\\') *c = ' '; /* it goes into JSON */
  nnb_blas_info(&blas);
  if (o->json) {
    printf(
        "{\"workload\":\"communicator\",\"ranks\":%d,\"latency_us\":%.5g,\"gb_per_s\":%.5g,\"sum_us\":%.5g,\"sum_gb_"
        "per_s\":%.5g,"
        "\"mpi\":\"%s\",\"blas_core\":\"%s\",\"nnblas_version\":\"%s\"}\n",
        ranks, 1e6 * speed->latency, 1e-9 * speed->bandwidth, 1e6 * speed->sum, 1e-9 * speed->sum_bandwidth, version,
        blas.core, nnb_version());
    return;
  }
  printf("nnblas %s, %s, core %s; %d rank%s of %s, threads of each: %d\n", nnb_version(), blas.vendor, blas.core, ranks,
         ranks > 1 ? "s" : "", version, o->threads);
  if (ranks > 1)
    printf(
        "A message takes %.3g us, long ones go at %.3g GB/s; a sum of 3 numbers over the ranks takes %.3g us, long "
        "ones move %.3g GB/s through each.\n",
        1e6 * speed->latency, 1e-9 * speed->bandwidth, 1e6 * speed->sum, 1e-9 * speed->sum_bandwidth);
  printf(
      "\nalone        one rank trains, the others sleep; small: with an eighth of the rows in an update\n"
      "independent  each trains a net of its own; shares: with its part of the rows; ratio: to R times alone\n"
      "strong       all train one net, with the rows of one; ratio: to shares\n"
      "weak         all train one net, with the rows of all; ratio: to independent\n"
      "in comm      share of the time in calls of the communicator, waiting for others included\n"
      "%s\n%-5s %-4s %5s %-12s %11s %12s %7s %12s %8s\n",
      o->quick ? "A quick run shows that everything runs; it is too short to judge, so no bars.\n" : "", "load", "prec",
      "ranks", "figure", "samples/s", "(quartiles)", "ratio", "(quartiles)", "in comm");
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static int run_case(const options *o, int i, const nnb_comm *comm, bool threads, const comm_speed *speed) {
  static scaling s; /* too large for the stack */
  workload w = *find_workload(cases[i].name);
  w.batch = w.rows = o->quick ? cases[i].quick_batch : cases[i].batch;
  const scaling_job job = {.w = &w,
                           .updates = cases[i].updates,
                           .threads = o->threads,
                           .rounds = o->rounds,
                           .part_seconds = o->quick ? 0 : 0.5};
  const rank_fit_ops *const ops[] = {o->f32 ? &rank_fit_f32 : NULL, o->f64 ? &rank_fit_f64 : NULL};
  for (int k = 0; k < 2; k++) {
    if (!ops[k]) continue;
    if (measure_scaling(ops[k], &job, comm, threads, &s)) return -1;
    if (comm->rank == 0) print_scaling(o, &job, &s, speed);
  }
  return 0;
}

static int run_all(const options *o, const nnb_comm *comm, bool threads) {
  comm_speed speed;
  if (measure_comm(comm, o->quick ? 2 : 10, o->quick ? 50 : 1000, &speed)) return -1;
  if (comm->rank == 0) print_head(o, &speed, comm->size);
  for (int i = 0; i < N_CASES; i++)
    if (o->only[i] && run_case(o, i, comm, threads, &speed)) return -1;
  return 0;
}

int main(int argc, char **argv) {
  options o;
  nnb_comm *comm = NULL;
  int provided;
  const int asked = parse_options(argc, argv, &o);
  if (asked > 0) return fputs(help, stdout) < 0;
  if (asked < 0) return 2;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
  const nnb_status status = nnb_mpi_comm_create(MPI_COMM_WORLD, &comm);
  if (status) fprintf(stderr, "nnblas-bench-mpi: %s\n", nnb_errmsg());
  if (status || run_all(&o, comm, provided >= MPI_THREAD_SERIALIZED)) return MPI_Abort(MPI_COMM_WORLD, 1);
  nnb_mpi_comm_destroy(comm);
  MPI_Finalize();
  return 0;
}
