/* io/onnx_graph.h: the graph of an ONNX file as values.  Each tensor of the file is a constant, or has a row for each
 * sample, columns or an image, and is one of few kinds: what the library has nodes for, elementwise arithmetic with
 * constants, and parts of formulas that become activations or norms.  Values are numbered from 1 in an order in which
 * all come after what they are made of; 0 is none.
 *
 * A value has its columns in one order, channels×steps for signals.  Tensors of a file may have other orders of their
 * dimensions: they are views of it (onnx_orders.c), and an input knows its own.  An order is a text with a letter for
 * each dimension: N samples, C channels or columns, L steps, 1 a side of 1. */
#ifndef NNB__ONNX_GRAPH_H
#define NNB__ONNX_GRAPH_H

#include "onnx_pool.h"
#include "table.h"

enum { NNB__ONNX_MOST_SIZES = 8, NNB__ONNX_ORDER = 5 };

typedef struct nnb__onnx_const {
  nnb__tensor t;                   /* data NULL: no numbers that the library reads */
  bool transposed;                 /* the matrix is read as its transpose */
  const Nnb__Onnx__Tensor *source; /* with its texts; or NULL */
} nnb__onnx_const;

typedef enum nnb__onnx_kind {
  NNB__ONNX_CONST,
  NNB__ONNX_INPUT,
  NNB__ONNX_DENSE,   /* alpha·from·W + beta·b */
  NNB__ONNX_ARITH,   /* from ± c, c - from, from·c, from/c, from/√(c + eps) */
  NNB__ONNX_ACT,     /* f(from) */
  NNB__ONNX_SUM,     /* of list */
  NNB__ONNX_CONCAT,  /* of list */
  NNB__ONNX_PRODUCT, /* of list */
  NNB__ONNX_CONV,
  NNB__ONNX_POOL,
  NNB__ONNX_BATCHNORM, /* of images; that of rows is arithmetic */
  NNB__ONNX_LAYERNORM, /* γ in c, β in bias, or NULL */
  NNB__ONNX_EMBEDDING, /* rows of the matrix c for the whole numbers of `from`, an input */
  NNB__ONNX_GRU,       /* of rank 3: the states after each step; of rank 2: the last one */
  NNB__ONNX_FLATTEN,   /* images as rows */
  NNB__ONNX_IMAGES,    /* rows, or other images, as images */
  NNB__ONNX_PAIR,      /* 1 - p and p, p: `from`, an output of a sigmoid */
  NNB__ONNX_LABEL,     /* class numbers or names that are computed from `from` */
  NNB__ONNX_SIZES,     /* dimensions of a tensor, as numbers */
  NNB__ONNX_VIEW,      /* `from` in another order of its dimensions */
  NNB__ONNX_WHOLE,     /* `from`, an input, as integers */
  NNB__ONNX_ZEROS,     /* zeros of a shape that is not kept */
  /* parts of formulas */
  NNB__ONNX_EXP,
  NNB__ONNX_ERF,
  NNB__ONNX_ABS,
  NNB__ONNX_BELOW,     /* min(from, 0) */
  NNB__ONNX_ABOVE,     /* from > 0, as a truth value */
  NNB__ONNX_LOG_PART,  /* log(1 + e^-|from|) */
  NNB__ONNX_SELU_PART, /* max(from, 0) + α(e^min(from, 0) - 1) */
  NNB__ONNX_MEAN,      /* of the numbers of a sample */
  NNB__ONNX_CENTRED,   /* from - their mean */
  NNB__ONNX_SQUARES,   /* its squares */
  NNB__ONNX_VARIANCE,  /* their mean */
  NNB__ONNX_DEVIATION  /* √(variance + eps) */
} nnb__onnx_kind;

typedef enum nnb__onnx_arith {
  NNB__ONNX_ADD,
  NNB__ONNX_SUB,
  NNB__ONNX_SUB_FROM, /* c - from */
  NNB__ONNX_MUL,
  NNB__ONNX_DIV,
  NNB__ONNX_DIV_ROOT
} nnb__onnx_arith;

/* What some kinds have besides. */
typedef struct nnb__onnx_more {
  int height, width, stride, pad; /* of a convolution or a pool, as in nnb_conv_opts and nnb_pool_opts */
  bool average;
  const nnb__onnx_const *part[4]; /* of batch normalisation, also of the last step of one of rows: γ, β, μ, σ²; of a
                                     gru: W, U, its biases or NULL */
  int source;                     /* the value that is normalised; of all states of a gru: the last state */
  int64_t size[NNB__ONNX_MOST_SIZES]; /* of SIZES; -1: the number of samples */
  int n_sizes;
} nnb__onnx_more;

typedef struct nnb__onnx_value {
  nnb__onnx_kind kind;
  int cols;        /* columns; of a constant 0 */
  int rank;        /* dimensions: 2, rows; 3, signals; 4, images; an input may have more.  Of a constant 0 */
  nnb_shape shape; /* of signals and images */
  char order[NNB__ONNX_ORDER]; /* of a view, and of an input of at most 3 dimensions */
  bool whole;                  /* an input of integers */
  bool settled;                /* an input whose order cannot change, because it was read */
  bool turned;                 /* rows of steps×channels: column l·C + c is column c·L + l of `from` */
  int from;                    /* value */
  int *list, n_list;           /* of a sum or a concatenation */
  int act;                     /* nnb_activation */
  nnb__onnx_arith arith;
  const nnb__onnx_const *c, *bias; /* constant; W; c NULL: all columns have the number `number` */
  double number, alpha, beta;      /* beta and alpha of a dense layer; alpha: eps */
  const nnb__onnx_more *more;
  const char *name;            /* of the tensor */
  const Nnb__Onnx__Node *node; /* or NULL */
  int uses, user;              /* by live values and outputs; the last one that uses it, 0: an output */
  bool live;
} nnb__onnx_value;

typedef struct nnb__onnx_graph {
  const char *file; /* for messages */
  const char *path; /* or NULL, then there are no other files */
  bool external;
  nnb__onnx_pool *pool;
  const Nnb__Onnx__Model *model;
  const Nnb__Onnx__Graph *message;
  int opset;        /* version of the operators; 0: none of ONNX's own are used */
  int64_t samples;  /* the number that all inputs have of them; 0: it is open, -1: they differ */
  nnb__table names; /* of tensors */
  int *value_of;    /* name i is of value value_of[i] */
  size_t cap_names;
  nnb__onnx_value *value; /* value k is value[k - 1] */
  size_t n, cap;
  int *outputs, n_outputs;        /* values; labels are left out */
  const nnb__onnx_const *classes; /* names or numbers of the classes, or NULL … */
  int classes_of;                 /* … and the value whose columns they are */
  nnb__table others;              /* names of other files that were read */
  size_t file_bytes;              /* of the model and these files */
} nnb__onnx_graph;

/* Reads a model and makes values of its graph (onnx_read.c).  {0} but for file, path, external, pool, file_bytes
 * before; clear it in any case. */
nnb_status nnb__onnx_read(nnb__onnx_graph *g, const void *bytes, size_t n);
void nnb__onnx_graph_clear(nnb__onnx_graph *g);

nnb__onnx_value *nnb__onnx_at(const nnb__onnx_graph *g, int value);
/* Adds a value that the node (or NULL) makes, named by the node's first output for messages and the net; *out: its
 * number. */
nnb_status nnb__onnx_add(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, nnb__onnx_value v, int *out);
/* Names a value; several names are possible.  NNB_E_PARSE if the name is taken. */
nnb_status nnb__onnx_name(nnb__onnx_graph *g, const char *name, int value);
/* The value of a name, or 0. */
int nnb__onnx_find(const nnb__onnx_graph *g, const char *name);

/* The message is "FILE: node "NAME" (OPERATOR): …". */
nnb_status nnb__onnx_fail(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node, nnb_status status, const char *format,
                          ...) __attribute__((format(printf, 4, 5)));

/* The constant of a tensor of the file (onnx_tensor.c). */
nnb_status nnb__onnx_const_of(nnb__onnx_graph *g, const Nnb__Onnx__Tensor *t, nnb__onnx_const **out);
/* Number of elements; element i as a number; as an integer (false: it has none). */
size_t nnb__onnx_count(const nnb__onnx_const *c);
bool nnb__onnx_int(const nnb__onnx_const *c, size_t i, int64_t *out);
bool nnb__onnx_is_real(const nnb__onnx_const *c);
/* Whether all numbers are 0. */
bool nnb__onnx_all_zero(const nnb__onnx_const *c);
/* Whether it is one number, of any shape. */
bool nnb__onnx_number(const nnb__onnx_const *c, double *out);

/* Whether a value has numbers for each sample, in rows or images, in the order of its columns (onnx_orders.c). */
bool nnb__onnx_is_numbers(const nnb__onnx_value *v);
/* Orders.  The value of a view, else k.  out ← the order of a tensor; "" if it has none.  An order in words. */
int nnb__onnx_base(const nnb__onnx_graph *g, int k);
void nnb__onnx_order_of(const nnb__onnx_graph *g, int k, char out[NNB__ONNX_ORDER]);
const char *nnb__onnx_order_words(const char *order, char out[64]);
/* The value whose tensor in this order k is, or 0.  An input that nothing has read yet becomes steps×channels, if that
 * makes it so. */
int nnb__onnx_as(const nnb__onnx_graph *g, int k, const char *order);
/* Makes output i of the node the view of a value in this order.  In the order of its columns it is the value itself,
 * which gets that name. */
nnb_status nnb__onnx_make_view(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, size_t i, int k, const char *order);

/* Makes values of a node (onnx_ops.c). */
nnb_status nnb__onnx_translate(nnb__onnx_graph *g, const Nnb__Onnx__Node *node);

/* Values from formulas (onnx_match.c): what arithmetic of values and constants is.  *out 0: no formula fits. */
nnb_status nnb__onnx_match_const(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, nnb__onnx_arith arith, int from,
                                 double number, int *out);
/* The same for a constant with a number for each column: γ and β of layer normalisation. */
nnb_status nnb__onnx_match_columns(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, nnb__onnx_arith arith, int from,
                                   const nnb__onnx_const *c, int *out);
nnb_status nnb__onnx_match_sub(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out);
nnb_status nnb__onnx_match_add(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out);
nnb_status nnb__onnx_match_mul(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out);
nnb_status nnb__onnx_match_div(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out);
nnb_status nnb__onnx_match_max(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out);
nnb_status nnb__onnx_match_log(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int *out);
/* 1/x */
nnb_status nnb__onnx_match_inverse(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int *out);
/* Whether y is one column of a sigmoid, and x is 1 - y. */
bool nnb__onnx_is_rest(const nnb__onnx_graph *g, int x, int y);

#endif
