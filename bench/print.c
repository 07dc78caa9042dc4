#include "print.h"

#include <stdio.h>

static double per_second(const bench_case *job, double seconds) { return job->shape->batch / seconds; }
static double gflops(const bench_case *job, double seconds) { return 1e-9 * case_flops(job) / seconds; }

void print_head(const options *o, const nnb_blas_facts *blas) {
  printf("nnblas %s, %s %s (%s), core %s", nnb_version(), blas->vendor, blas->version, blas->threading, blas->core);
  if (blas->switched) printf(" (chosen by the library in place of %s)", blas->found);
  printf(", threads");
  for (int i = 0; i < o->n_threads; i++) printf("%s %d", i ? "," : "", o->threads[i]);
  printf("%s\n", o->cpu_time ? ", processor time" : "");
  if (blas->advice[0]) printf("note: %s\n", blas->advice);
  printf("\n%-24s %6s %-5s %-4s %3s %11s %12s %8s %6s %12s %7s\n", "shape", "batch", "mode", "prec", "thr", "samples/s",
         "(quartiles)", "GFLOP/s", "share", "(quartiles)", "cblas");
}

void print_row(const bench_case *job, const char *precision, const measurement *m) {
  double rate = per_second(job, m->step.median);
  double low = 100 * (per_second(job, m->step.q3) / rate - 1), high = 100 * (per_second(job, m->step.q1) / rate - 1);
  printf("%-24s %6d %-5s %-4s %3d %11.4g %+5.1f%+5.1f%% %8.1f %6.3f  %.3f-%.3f %7.1f\n", job->shape->text,
         job->shape->batch, mode_name[job->mode], precision, job->threads, rate, low, high, gflops(job, m->step.median),
         m->share.median, m->share.q1, m->share.q3, gflops(job, m->ceiling.median));
  fflush(stdout);
}

/* Names come from the BLAS's configuration; whatever JSON would have to escape is left out. */
static void print_name(const char *key, const char *text) {
  printf("\"%s\":\"", key);
  for (; *text; text++)
    if (*text >= ' ' && *text < 127 && *text != '"' && *text != '\\') putchar(*text);
  printf("\"");
}

void print_json(const bench_case *job, const char *precision, const measurement *m) {
  nnb_blas_facts blas;
  nnb_blas_info(&blas);
  printf("{\"shape\":\"%s\",\"batch\":%d,\"mode\":\"%s\",\"precision\":\"%s\",\"threads\":%d,", job->shape->text,
         job->shape->batch, mode_name[job->mode], precision, job->threads);
  printf("\"samples_per_s\":%.7g,\"samples_per_s_q1\":%.7g,\"samples_per_s_q3\":%.7g,", per_second(job, m->step.median),
         per_second(job, m->step.q3), per_second(job, m->step.q1));
  printf("\"gflops\":%.7g,\"cblas_gflops\":%.7g,", gflops(job, m->step.median), gflops(job, m->ceiling.median));
  printf(
      "\"gemm_share\":%.5g,\"gemm_share_min\":%.5g,\"gemm_share_q1\":%.5g,\"gemm_share_q3\":%.5g,"
      "\"gemm_share_max\":%.5g,",
      m->share.median, m->share.min, m->share.q1, m->share.q3, m->share.max);
  printf("\"rounds\":%d,\"steps\":%ld,\"cblas_threads\":%d,\"clock\":\"%s\",", m->rounds, m->steps, m->blas_threads,
         job->cpu_time ? "cpu" : "wall");
  print_name("blas_core", blas.core), putchar(',');
  print_name("blas", blas.vendor), putchar(',');
  print_name("blas_version", blas.version), putchar(',');
  print_name("nnblas_version", nnb_version());
  printf("}\n");
  fflush(stdout);
}
