#include "print.h"

#include <stdio.h>
#include <string.h>

static double per_second(int batch, double seconds) { return batch / seconds; }
static double gflops(const workload *w, double seconds) { return 1e-9 * workload_flops(w) / seconds; }

void print_head(const options *o, const nnb_blas_facts *blas) {
  printf("nnblas %s, %s %s (%s), core %s", nnb_version(), blas->vendor, blas->version, blas->threading, blas->core);
  if (blas->switched) printf(" (chosen by the library in place of %s)", blas->found);
  printf(", threads");
  for (int i = 0; i < o->job.n_counts; i++) printf("%s %d", i ? "," : "", o->job.count[i]);
  printf("%s\n", o->job.cpu_time ? ", processor time" : "");
  if (blas->advice[0]) printf("note: %s\n", blas->advice);
  if (o->n_shapes)
    printf("\n%-24s %6s %-7s %-4s %3s %11s %12s %8s %6s %12s %7s  %s\n", "shape", "batch", "mode", "prec", "thr",
           "samples/s", "(quartiles)", "GFLOP/s", "share", "(quartiles)", "cblas", "core");
  else if (!o->tune)
    printf(
        "\nshare    time of the same matrix products through cblas alone / time of a step\n"
        "threads  time of a step with one thread / with several; how far apart the first two processors are\n"
        "fit      time of a step with the rows in order / of nnb_fit, which shuffles them\n"
        "pair     time of a step alone / while another thread trains a second net\n"
        "exact    time of a step / in the arithmetic that gives the same bits on every processor\n"
        "start    time from exec to the end of a program's first training step\n"
        "latency  time of a prediction of one row: the median, 99 of 100, the worst\n"
        "%s"
        "\n%-10s %-4s %4s %-8s %11s %12s %7s %12s %6s\n",
        o->quick ? "A quick run shows that everything runs; it is too short to judge, so no bars.\n" : "", "workload",
        "prec", "thr", "figure", "samples/s", "(quartiles)", "ratio", "(quartiles)", "bar");
}

/* ---- shapes ----------------------------------------------------------------------------------------------------- */

static int side(const timings *t, bench_mode mode, int c) {
  return find_runner(t, mode == MODE_FIT ? RUN_FIT : RUN_STEPS, c);
}

void print_shape(const bench_job *job, bench_mode mode, const char *precision, const timings *t, int c) {
  int ours = side(t, mode, c), ceiling = find_runner(t, RUN_CEILING, c), batch = job->w->batch;
  spread step = step_seconds(t, ours), share = ratio_of(t, ceiling, ours);
  double rate = per_second(batch, step.median);
  double low = 100 * (per_second(batch, step.q3) / rate - 1), high = 100 * (per_second(batch, step.q1) / rate - 1);
  nnb_blas_facts blas;
  nnb_blas_info(&blas);
  printf("%-24s %6d %-7s %-4s %3d %11.4g %+5.1f%+5.1f%% %8.1f %6.3f  %.3f-%.3f %7.1f  %s\n", job->w->name, batch,
         mode_name[mode], precision, job->count[c], rate, low, high, gflops(job->w, step.median), share.median,
         share.q1, share.q3, gflops(job->w, step_seconds(t, ceiling).median), blas.core);
  fflush(stdout);
}

/* Names come from the BLAS's configuration; characters that JSON would have to escape are left out. */
static void print_name(const char *key, const char *text) {
  printf("\"%s\":\"", key);
  for (; *text; text++)
    if (*text >= ' ' && *text < 127 && *text != '"' && *text != '\\') putchar(*text);
  printf("\"");
}

/* The end of every line. */
static void print_machine(const bench_job *job) {
  nnb_blas_facts blas;
  nnb_blas_info(&blas);
  printf("\"clock\":\"%s\",", job->cpu_time ? "cpu" : "wall");
  print_name("blas_core", blas.core), printf(",\"blas_slow\":%s,", blas.slow ? "true" : "false");
  print_name("blas", blas.vendor), putchar(',');
  print_name("blas_version", blas.version), putchar(',');
  print_name("nnblas_version", nnb_version());
  printf("}\n");
  fflush(stdout);
}

static void print_rate(int batch, spread step) {
  printf("\"samples_per_s\":%.7g,\"samples_per_s_q1\":%.7g,\"samples_per_s_q3\":%.7g,", per_second(batch, step.median),
         per_second(batch, step.q3), per_second(batch, step.q1));
}

void print_shape_json(const bench_job *job, bench_mode mode, const char *precision, const timings *t, int c) {
  int ours = side(t, mode, c), ceiling = find_runner(t, RUN_CEILING, c);
  spread step = step_seconds(t, ours), share = ratio_of(t, ceiling, ours);
  printf("{\"shape\":\"%s\",\"batch\":%d,\"mode\":\"%s\",\"precision\":\"%s\",\"threads\":%d,", job->w->name,
         job->w->batch, mode_name[mode], precision, job->count[c]);
  print_rate(job->w->batch, step);
  printf("\"gflops\":%.7g,\"cblas_gflops\":%.7g,", gflops(job->w, step.median),
         gflops(job->w, step_seconds(t, ceiling).median));
  printf(
      "\"gemm_share\":%.5g,\"gemm_share_min\":%.5g,\"gemm_share_q1\":%.5g,\"gemm_share_q3\":%.5g,"
      "\"gemm_share_max\":%.5g,",
      share.median, share.min, share.q1, share.q3, share.max);
  printf("\"rounds\":%d,\"steps\":%ld,\"cblas_threads\":%d,", t->rounds, t->steps, t->blas_threads[c]);
  print_machine(job);
}

/* ---- workloads -------------------------------------------------------------------------------------------------- */

static bool shows_apart(const figure *f) { return f->apart > 0 && !strcmp(f->name, "threads"); }

static bool met(const figure *f) { return !f->void_share && f->ratio.median >= f->bar; }

void print_workload(const workload *w) {
  char text[256];
  printf("%s: %s\n", w->name, workload_words(w, text));
}

void print_figure(const figure *f) {
  double rate = per_second(f->batch, f->step.median);
  printf("%-10s %-4s %4d %-8s %11.4g %+5.1f%+5.1f%% %7.3f  %.3f-%.3f", f->workload, f->precision, f->threads, f->name,
         rate, 100 * (per_second(f->batch, f->step.q3) / rate - 1), 100 * (per_second(f->batch, f->step.q1) / rate - 1),
         f->ratio.median, f->ratio.q1, f->ratio.q3);
  if (!strcmp(f->name, "share")) {
    nnb_blas_facts blas;
    nnb_blas_info(&blas);
    printf(" %s%s", blas.core, f->void_share ? " (slow)" : "");
  }
  if (shows_apart(f)) printf(" %.0f ns", 1e9 * f->apart);
  if (f->bar > 0) printf(" %6.3f %s", f->bar, met(f) ? "met" : "missed");
  printf("\n");
  fflush(stdout);
}

static void print_figure_name(const figure *f) {
  printf("{\"workload\":\"%s\",\"precision\":\"%s\",\"threads\":%d,\"figure\":\"%s\",", f->workload, f->precision,
         f->threads, f->name);
}

void print_figure_json(const bench_job *job, const figure *f) {
  print_figure_name(f);
  print_rate(f->batch, f->step);
  printf("\"ratio\":%.5g,\"ratio_q1\":%.5g,\"ratio_q3\":%.5g,\"rounds\":%d,", f->ratio.median, f->ratio.q1, f->ratio.q3,
         f->rounds);
  if (shows_apart(f)) printf("\"ns_apart\":%.0f,", 1e9 * f->apart);
  if (f->bar > 0) printf("\"bar\":%g,\"met\":%s,", f->bar, met(f) ? "true" : "false");
  print_machine(job);
}

void print_start(const figure *f) {
  printf("%-10s %-4s %4d %-8s %8.1f ms (%.1f-%.1f)", f->workload, f->precision, f->threads, f->name,
         1e3 * f->step.median, 1e3 * f->step.q1, 1e3 * f->step.q3);
  if (f->bar > 0) printf(", at most %.0f wanted: %s", 1e3 * f->bar, f->step.median <= f->bar ? "met" : "missed");
  printf("\n");
  fflush(stdout);
}

void print_start_json(const bench_job *job, const figure *f) {
  print_figure_name(f);
  printf("\"ms\":%.5g,\"ms_q1\":%.5g,\"ms_q3\":%.5g,\"rounds\":%d,", 1e3 * f->step.median, 1e3 * f->step.q1,
         1e3 * f->step.q3, f->rounds);
  if (f->bar > 0) printf("\"bar\":%g,\"met\":%s,", 1e3 * f->bar, f->step.median <= f->bar ? "true" : "false");
  print_machine(job);
}

/* ---- latencies -------------------------------------------------------------------------------------------------- */

static const char *time_words(double seconds, char text[16]) {
  const char *unit = seconds < 1e-6 ? "ns" : seconds < 1e-3 ? "us" : "ms";
  double of_unit = seconds < 1e-6 ? 1e-9 : seconds < 1e-3 ? 1e-6 : 1e-3;
  snprintf(text, 16, "%.3g %s", seconds / of_unit, unit);
  return text;
}

static void print_times(const latency *l) {
  char p50[16], p99[16], worst[16], clock[16];
  printf(" p50 %s, p99 %s, worst %s of %ld calls; reading the clock takes %s of each\n", time_words(l->p50, p50),
         time_words(l->p99, p99), time_words(l->worst, worst), l->calls, time_words(l->clock, clock));
  fflush(stdout);
}

static void print_times_json(const bench_job *job, const latency *l) {
  printf("\"ns_p50\":%.5g,\"ns_p99\":%.5g,\"ns_worst\":%.5g,\"ns_clock\":%.5g,\"calls\":%ld,", 1e9 * l->p50,
         1e9 * l->p99, 1e9 * l->worst, 1e9 * l->clock, l->calls);
  print_machine(job);
}

void print_latency(const figure *f, const latency *l) {
  printf("%-10s %-4s %4d %-8s", f->workload, f->precision, f->threads, f->name);
  print_times(l);
}

void print_latency_json(const bench_job *job, const figure *f, const latency *l) {
  print_figure_name(f);
  print_times_json(job, l);
}

void print_shape_latency(const bench_job *job, const char *precision, const latency *l) {
  printf("%-24s %6d %-7s %-4s %3d ", job->w->name, 1, mode_name[MODE_LATENCY], precision, 1);
  print_times(l);
}

void print_shape_latency_json(const bench_job *job, const char *precision, const latency *l) {
  printf("{\"shape\":\"%s\",\"batch\":1,\"mode\":\"%s\",\"precision\":\"%s\",\"threads\":1,", job->w->name,
         mode_name[MODE_LATENCY], precision);
  print_times_json(job, l);
}
