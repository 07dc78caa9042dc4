/* bench/options.h: the command line. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>

#include "case.h"

enum { MAX_SHAPES = 64, MAX_COUNTS = 16 };

typedef struct options {
  bench_shape shape[MAX_SHAPES];
  int n_shapes;
  int threads[MAX_COUNTS];
  int n_threads;
  bool mode[N_MODES], f32, f64, json, cpu_time;
  int rounds;
  double seconds;
} options;

extern const char *const mode_name[N_MODES];

/* 0: go on; 1: help was asked for and printed; -1: a sentence is on stderr. */
int parse_options(int argc, char **argv, options *o);

#endif
