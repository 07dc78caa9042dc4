/* train/log.h: a CSV file with a row for each epoch.  Not typed: compiled once. */
#ifndef NNB__LOG_H
#define NNB__LOG_H

#include <sys/types.h>

#include "nnblas/core.h"

typedef struct nnb__log {
  int fd;       /* valid if path is not NULL */
  bool created; /* by this fit, and nothing is in it yet */
  const char *path;
  off_t end;         /* of the last whole row; -1: not a regular file */
  nnb_status status; /* what ended the file before the training */
} nnb__log;

/* The first row: names of the columns.  validated: the metrics are those of a validation set. */
enum { NNB__LOG_ROW = 1600 };
void nnb__log_head(unsigned metrics, unsigned train_metrics, bool validated, char out[NNB__LOG_ROW]);

/* Opens the file, which keeps what is in it.  head: if the file is to be continued, its first row must be this one
 * (NNB_E_ARG), unless the file is new or empty; NULL: it is not.  NNB_E_IO. */
nnb_status nnb__log_open(nnb__log *log, const char *path, const char *head);
/* Keeps the rows of epochs up to this one; 0: replaces the file by the head.  A failure is in log->status. */
void nnb__log_begin(nnb__log *log, const char *head, int epoch);
void nnb__log_row(nnb__log *log, const nnb_record *record, bool validated);
/* {0} is accepted.  A file that was created and has nothing in it is removed. */
void nnb__log_close(nnb__log *log);

#endif
