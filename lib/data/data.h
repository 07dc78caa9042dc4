/* data/data.h: the calls on data that other modules need besides the public ones. */
#ifndef NNB__DATA_H
#define NNB__DATA_H

#include "columns.h"
#include "real.h"

enum { NNB__OWN_X, NNB__OWN_T, NNB__OWN_LABEL, NNB__OWN_WEIGHT, NNB__OWN_DT, NNB__N_OWN };

struct nnb_data {
  nnb_cmat x, t;        /* N×n_in; N×n_t, all zero without targets; of a source the shapes, p NULL */
  nnb_cmat dt;          /* N×(n_t·n_in) targets of derivatives, all zero without */
  const int32_t *label; /* N, or NULL                           */
  const real *weight;   /* N, or NULL: all 1                    */
  int n_classes;        /* 0 without labels                     */
  char **column_names;  /* NULL, or n_in + n_t strings (labels count as 1) that may be NULL */
  nnb_columns *columns; /* NULL, or those of the table that x comes from; from nnb__columns_create */
  char **left_out; /* NULL, or 2·n_left_out strings: columns of the table that are left out, each with the reason */
  int n_left_out;
  char *about;               /* NULL, or the lines of nnb_data_summary; from nnb__alloc */
  char **class_names;        /* NULL, or n_classes strings that may be NULL  */
  nnb_source source;         /* read NULL: the rows are in memory */
  void (*close)(void *user); /* NULL, or releases source.user */
  void *owned[NNB__N_OWN];   /* the arrays to release with it; NULL if they are the caller's */
};

/* Whether the rows come from a source. */
bool nnb__data_is_read(const nnb_data *data);
/* NNB_E_UNSUPPORTED for such data: `what` needs all rows in memory. */
nnb_status nnb__data_in_memory(const nnb_data *data, const char *what);
/* NNB_E_UNSUPPORTED for data with targets of derivatives, which `what` would lose. */
nnb_status nnb__data_without_dt(const nnb_data *data, const char *what);
/* The n ≥ 1 rows with these indices: a copy of data in memory; of a source a source that reads them through it, which
 * must outlive *out. */
nnb_status nnb__data_part(const nnb_data *data, const int32_t *row, int n, nnb_data **out);
/* The labels of all rows of a source, by a pass over it. */
nnb_status nnb__data_read_labels(const nnb_data *data, int32_t *label);
enum { NNB__PASS = 1024 }; /* rows at a time of a pass over a source */

/* All rows as nnb_data_batch gives them; of a source their number and weights, without x, t and labels. */
nnb_batch nnb__data_outline(const nnb_data *data);
/* *out ← a fingerprint of shape, inputs, targets, labels and weights: of all rows in memory; of a source, of its first
 * and last 1024 rows. */
nnb_status nnb__data_fingerprint(const nnb_data *data, uint64_t *out);
/* The same of the first and last 1024 rows, in any case. */
nnb_status nnb__data_fingerprint_ends(const nnb_data *data, uint64_t *out);
/* Checks numbers, labels and weights of rows that begin with row row0 of the data.  NNB_E_ARG names row and column. */
nnb_status nnb__data_check_rows(const nnb_batch *rows, int row0, int n_classes);
/* Takes over the weights of all rows, from nnb__alloc, instead of those that it has. */
void nnb__data_own_weights(nnb_data *data, real *weight);

/* Random streams of nnb_rng for a given seed. */
enum { NNB__STREAM_SPLIT = 0x73706C69, NNB__STREAM_FOLD = 0x666F6C64, NNB__STREAM_SHUFFLE = 0x73687566 };

/* shift and factor of each input column, or of each target column: x' = (x - shift)·factor.  Two passes in double.  A
 * constant column gets its value and 1, and so does a column whose range exceeds the precision.  Sample weights are
 * ignored.  NNB_E_ARG for targets if there are none; NNB_E_NOMEM. */
nnb_status nnb__data_scaler(const nnb_data *data, bool targets, nnb_scaling scaling, real *shift, real *factor);

/* For readers: takes ownership of arrays from nnb__alloc (also if it fails) and checks them as nnb_data_copy does. x:
 * rows×n_in; t: rows×n_t or NULL; label: rows or NULL, with n_classes.  Names may be NULL: n_in + n_t column names
 * (n_in + 1 with labels), n_classes class names; each string (or NULL) and the list are from nnb__alloc and owned
 * too. */
nnb_status nnb__data_adopt(real *x, int rows, int n_in, real *t, int n_t, int32_t *label, int n_classes,
                           char **column_names, char **class_names, nnb_data **out);

/* A copy of the n ≥ 1 rows with these indices, with weights and names. */
nnb_status nnb__data_take(const nnb_data *data, const int32_t *row, int n, nnb_data **out);

/* nnb_data_split and nnb_data_fold, but missing numbers stay what they were: for rows that are held out within a fit,
 * whose scalers are not computed again either. */
nnb_status nnb__data_split(const nnb_data *data, double fraction, uint64_t seed, nnb_data **first, nnb_data **second);
nnb_status nnb__data_fold(const nnb_data *data, int k, int i, uint64_t seed, nnb_data **train, nnb_data **test);

/* Missing numbers, of data that owns its inputs or of a source.  Means ← those of the rows where the number is there.
 * NNB_E_NOMEM; errors of the source. */
nnb_status nnb__data_find_means(nnb_data *data);
/* Missing numbers ← the means; those of a source become so as its rows are read.  NNB_E_NUMERIC for one that is too
 * large for the precision. */
nnb_status nnb__data_fill_missing(nnb_data *data);
/* The same for rows.  columns may be NULL. */
void nnb__data_fill_rows(const nnb_columns *columns, nnb_mat x);
/* The same in both of two parts of data by the means of the first one. */
nnb_status nnb__data_impute(nnb_data *train, nnb_data *test);

/* All columns: inputs, then targets; classes count as one. */
int nnb__data_n_columns(const nnb_data *data);

/* Takes over arrays and names from nnb__alloc, and the columns of a table (NULL: none): inputs of n columns in place of
 * those of data that owns its inputs; all arrays of data that nnb_data_wrap made over them. */
void nnb__data_set_inputs(nnb_data *data, real *x, int n, char **column_names, nnb_columns *columns);
void nnb__data_own(nnb_data *data, real *x, real *t, int32_t *label, real *weight);

/* Releases a list of n strings from nnb__alloc, and the strings.  NULL is accepted. */
void nnb__names_release(char **names, int n);

#endif
