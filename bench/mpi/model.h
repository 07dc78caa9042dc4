/* bench/mpi/model.h: what an update takes by any number of ranks, from a few measured times. */
#ifndef BENCH_MODEL_H
#define BENCH_MODEL_H

#include <stddef.h>

/* An update of n rows by one rank takes fixed + n·row seconds.  By R ranks there are two sums beside it: one of 3
 * numbers, in log₂R steps, and one of the gradient, by halves (Rabenseifner 2004), in 2·log₂R steps, with 2·(R-1)/R of
 * its bytes through each rank. */
typedef struct scale_model {
  double fixed, row;         /* seconds of an update, and of each of its rows */
  double latency, bandwidth; /* seconds of a message; bytes per second of a sum */
  size_t bytes;              /* of a gradient */
} scale_model;

/* Seconds of the sums of an update. */
double model_sums(const scale_model *m, int ranks);
/* The same update divided by R ranks, and R times its rows: how much of R ranks is used. */
double model_strong(const scale_model *m, int ranks, int batch);
double model_weak(const scale_model *m, int ranks, int batch);
/* Rows of each rank from which so much is used of them. */
double model_rows(const scale_model *m, int ranks, double efficiency);
#endif
