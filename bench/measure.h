/* bench/measure.h: the clock, spreads, and the paired measurement. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "rig.h"

typedef struct spread {
  double min, q1, median, q3, max;
} spread;

typedef enum runner_kind {
  RUN_STEPS,   /* the library's steps                                                    */
  RUN_FIT,     /* nnb_fit, shuffled                                                      */
  RUN_CEILING, /* the steps' products in cblas, with as many threads                     */
  RUN_PAIR,    /* the library's steps in two threads of the program, each its own net    */
  RUN_EXACT    /* the library's steps in the defined arithmetic                          */
} runner_kind;

/* A participant in a round. */
typedef struct runner {
  runner_kind kind;
  int c; /* with job->count[c] threads */
} runner;

enum { MAX_RUNNERS = 2 * MAX_COUNTS + 3, MAX_ROUNDS = 500 };

typedef struct timings {
  int n_runners, rounds;
  int blas_threads[MAX_COUNTS]; /* of the ceiling, as the BLAS reports them */
  long steps;                   /* in each part of a round */
  runner runner[MAX_RUNNERS];
  double second[MAX_RUNNERS][MAX_ROUNDS]; /* a step */
} timings;

/* How long to measure. */
typedef struct effort {
  int rounds;          /* at least */
  double seconds;      /* at least */
  double part_seconds; /* at least, for each part of a round, so that the clock and the call do not matter */
} effort;

/* Seconds since some moment. */
double clock_seconds(void);
/* Processor time of the process in seconds. */
double clock_cpu_seconds(void);
/* The clock of a job: the wall's, or the thread's time on the processor. */
double job_clock(const bench_job *job);
/* Sorts v. */
spread spread_of(double *v, int n);
/* Of sorted numbers: linear between the two order statistics around p·(n-1). */
double quantile(const double *sorted, int n, double p);

/* Fills out->second for out's runners (n_runners and runner are given): in each round every runner has its turn, in
 * changing order.  -1 on failure, with a message on stderr. */
int measure(const rig_ops *ops, const bench_job *job, const effort *e, timings *out);
/* Times the library's steps with two texts for nnb_set_thresholds in turn, and restores the thresholds.  *ratio: time
 * with the second ÷ time with the first, with job->count[0] threads.  -1 on failure, with a message on stderr. */
int measure_ways(const rig_ops *ops, const bench_job *job, const effort *e, const char *const ways[2], spread *ratio);
/* The runner's number in out, or -1. */
int find_runner(const timings *t, runner_kind kind, int c);
/* Seconds of a step of one runner; the ratio of the times of two, round by round. */
spread step_seconds(const timings *t, int i);
spread ratio_of(const timings *t, int over, int under);

#endif
