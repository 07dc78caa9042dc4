/* bench/workload.h: the table of workloads for nnblas-bench and nnblas_bench.  Does not depend on the precision. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <nnblas.h>

enum { MAX_LAYERS = 32 };

typedef enum manner {
  BY_STEP, /* nnb_train_step, a batch at a time */
  BY_ROWS, /* nnb_train_rows                    */
  PREDICT  /* nnb_plan_predict                  */
} manner;

typedef enum data_law {              /* x; the targets that go with it                                      */
                        LAW_NORMAL,  /* standard normal; at random                                           */
                        LAW_SPARSE,  /* uniform in [0, 1), four of five are 0; the largest of a linear map   */
                        LAW_UNIFORM, /* uniform in [0, 1); classes by the first column                       */
                        LAW_MATRIX,  /* 2×2 matrices, normal with deviation ½; their exponentials            */
                        LAW_PRODUCT  /* standard normal; whether the product of the first two is positive    */
} data_law;

typedef struct workload {
  const char *name, *net; /* net: as nnb_net_parse takes it, a chain of at most MAX_LAYERS layers */
  data_law law;
  const char *data, *init; /* names of the files that nnblas_bench reads */
  manner manner;
  nnb_loss loss;
  nnb_algo algo;
  double lr;
  int rows, batch;    /* rows of data, and of an update or prediction */
  int call;           /* by rows: rows in one call of nnblas_bench */
  int warm;           /* updates before nnblas_bench prints the loss */
  const char *metric; /* of nnblas_bench */
} workload;

extern const workload workloads[];
extern const int n_workloads;

/* NULL if there is none. */
const workload *find_workload(const char *name);

/* Describes it: "training of 784-128-64-10:softmax by sgd, cross_entropy, 32 rows an update; …".  Returns text. */
const char *workload_words(const workload *w, char text[256]);

/* The widths of a net, width[0] … width[n]; returns n. */
int net_widths(const char *net, int width[MAX_LAYERS + 1]);

/* 2·m·n·k for each matrix product of one step: a prediction has one product per layer; training also AᵀΔ for each layer
 * and ΔWᵀ for each layer except the first. */
double workload_flops(const workload *w);

#endif
