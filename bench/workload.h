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

/* A layer with weights, inputs×units, which multiply as many rows of the batch, or for convolutions as many places of
 * their window in each row. */
typedef struct net_layer {
  int node;   /* its number */
  int inputs; /* I; of a convolution the numbers in its window */
  int units;  /* O; channels */
  int places; /* 1, or those of the window */
} net_layer;

/* A net's layers with weights, and its inputs and outputs. */
typedef struct net_layout {
  int n_layers, n_in, n_out;
  net_layer layer[MAX_LAYERS];
} net_layout;

/* The layout of a net; stops the program if the text is no net. */
net_layout layout_of(const char *net);

/* 2·m·n·k for each matrix product of one step: a prediction has one product per layer; training also AᵀΔ for each layer
 * and ΔWᵀ for each layer except the first.  A convolution is the product of its patches and W. */
double workload_flops(const workload *w);

#endif
