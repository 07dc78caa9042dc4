/* bench/print.h: tables for people and lines for programs. */
#ifndef BENCH_PRINT_H
#define BENCH_PRINT_H

#include "latency.h"
#include "options.h"

/* A figure of one workload.  Times are seconds per step; the bar is for the ratio. */
typedef struct figure {
  const char *workload, *precision, *name;
  int threads, batch, rounds;
  double bar;      /* 0: none */
  bool void_share; /* the BLAS runs slower kernels than it could: no bar is met */
  double apart;    /* apart_seconds, the larger of before and after the rounds; 0: unknown, or not asked for */
  spread step, ratio;
} figure;

/* Prints the machine and the BLAS, and the names of the columns. */
void print_head(const options *o, const nnb_blas_facts *blas);
void print_shape(const bench_job *job, bench_mode mode, const char *precision, const timings *t, int c);
void print_shape_json(const bench_job *job, bench_mode mode, const char *precision, const timings *t, int c);
/* Prints a line about the workload before its figures. */
void print_workload(const workload *w);
void print_figure(const figure *f);
void print_figure_json(const bench_job *job, const figure *f);
/* A start is only a time: step has the seconds, and the bar is their maximum. */
void print_start(const figure *f);
void print_start_json(const bench_job *job, const figure *f);
/* Only the names and the threads of f are read. */
void print_latency(const figure *f, const latency *l);
void print_latency_json(const bench_job *job, const figure *f, const latency *l);
void print_shape_latency(const bench_job *job, const char *precision, const latency *l);
void print_shape_latency_json(const bench_job *job, const char *precision, const latency *l);

#endif
