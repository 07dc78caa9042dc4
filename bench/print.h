/* bench/print.h: the tables for people and the lines for programs. */
#ifndef BENCH_PRINT_H
#define BENCH_PRINT_H

#include "options.h"

/* A figure of one workload.  Times are seconds a step; ratio is what the bar is for. */
typedef struct figure {
  const char *workload, *precision, *name;
  int threads, batch, rounds;
  double bar;      /* 0: none */
  bool void_share; /* beside a BLAS that runs slower kernels than it could: no bar is met */
  spread step, ratio;
} figure;

/* What the machine and the BLAS are, and the names of the columns. */
void print_head(const options *o, const nnb_blas_facts *blas);
void print_shape(const bench_job *job, bench_mode mode, const char *precision, const timings *t, int c);
void print_shape_json(const bench_job *job, bench_mode mode, const char *precision, const timings *t, int c);
/* A line on what the workload is, before its figures. */
void print_workload(const workload *w);
void print_figure(const figure *f);
void print_figure_json(const bench_job *job, const figure *f);
/* A start is a time alone: step holds the seconds, and at most bar of them are wanted. */
void print_start(const figure *f);
void print_start_json(const bench_job *job, const figure *f);

#endif
