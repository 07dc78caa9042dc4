/* bench/options.h: the command line. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "measure.h"

enum { MAX_SHAPES = 64, N_MODES = 4 };

typedef enum bench_mode { MODE_TRAIN, MODE_INFER, MODE_FIT, MODE_LATENCY } bench_mode;

typedef struct bench_shape {
  char text[128], net[160]; /* "784-128-10" for tables, and the form for nnb_net_parse */
  int batch;
} bench_shape;

typedef struct options {
  bench_shape shape[MAX_SHAPES];
  int n_shapes; /* 0: the workloads */
  const workload *only[MAX_SHAPES];
  int n_only;    /* 0: all workloads */
  bench_job job; /* thread counts and clock */
  bool mode[N_MODES], f32, f64, json, quick, tune;
  effort effort;
  const char *compare[2]; /* two files to compare, or NULL */
} options;

extern const char *const mode_name[N_MODES];

/* Calls that a latency is measured by. */
long latency_calls(const options *o);

/* 0: continue; 1: help was requested and printed; -1: there is a message on stderr. */
int parse_options(int argc, char **argv, options *o);

#endif
