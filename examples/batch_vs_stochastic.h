/* examples/batch_vs_stochastic.h: the interface between the program (options, table, curves; no real numbers of the
 * library) and the runs, which are compiled once in double and once in single precision. */
#ifndef BATCH_VS_STOCHASTIC_H
#define BATCH_VS_STOCHASTIC_H

#include <nnblas.h>

enum { MAX_RUNS = 16, MAX_SEEDS = 32 };
enum { MOST_CLASSES = 20 }; /* whole numbers are classes if at most this many different ones occur */

typedef enum target_kind { BY_DATA, CLASSES, NUMBERS } target_kind; /* the kind of target in a CSV file */

typedef struct settings {
  const char *files[4]; /* one or two CSV files, or images labels [images labels] */
  int n_files;
  bool csv;
  const char *target; /* column of a CSV file; NULL: the last */
  target_kind kind;
  const char *scale;     /* "standardize", "minmax", "none"; NULL: by the data */
  const char *net;       /* NULL: made from the data */
  int batches[MAX_RUNS]; /* NNB_FULL_BATCH: all rows */
  double lrs[MAX_RUNS];  /* one for each batch size; 0: chosen by batch size */
  int n_runs, epochs, threads;
  uint64_t seeds[MAX_SEEDS]; /* of the start and of the order of the rows: one run for each */
  int n_seeds;
  double time_limit;
} settings;

/* The state after an epoch; the first point is the common start. */
typedef struct point {
  int epoch;
  int64_t updates, samples; /* samples: rows processed so far, each as often as it was */
  double seconds, loss;
} point;

typedef struct run {
  uint64_t seed;
  point *curve; /* n_points; to be freed */
  int n_points;
  double loss, quality; /* training loss; accuracy, or for regression root mean squared error, on the test rows */
  nnb_stop stop;
  bool diverged; /* loss and quality are meaningless */
} run;

/* The runs with one batch size. */
typedef struct runs {
  int batch;
  double lr;
  run of[MAX_SEEDS];
} runs;

typedef struct outcome {
  char net[256], target[256]; /* target: a sentence about the assumed kind */
  bool regression;
  int train_rows, test_rows;
  size_t n_params;
  runs runs[MAX_RUNS];
} outcome;

/* Loads the data, builds the net and trains a copy of it once for each batch size and seed.  Ends the program on an
 * error. */
void compare_f64(const settings *s, outcome *out);
void compare_f32(const settings *s, outcome *out);

/* Prints the table, and writes the curves with what draws them. */
void print_table(const settings *s, const outcome *out);
void draw(const settings *s, const outcome *out);

#endif
