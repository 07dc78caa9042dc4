/* cli/table.h: tables from files or standard input, and the flags that say how to read them. */
#ifndef TABLE_H
#define TABLE_H

#include <argp.h>
#include <nnblas.h>
#include <stdbool.h>

enum { MOST_LEFT = 256 };

/* How a table is read.  Zeros are the defaults. */
typedef struct table_flags {
  nnb_csv_opts csv;
  const char *leave[MOST_LEFT], *category[MOST_LEFT]; /* what csv.leave and csv.category point to */
} table_flags;

/* Whether a flag says which columns are what, or how they are separated. */
bool table_flags_given(const table_flags *flags);
/* The same of what texts and missing values become, where such flags are read. */
bool column_flags_given(const table_flags *flags);

/* A child of a command's argp; its input is a table_flags of zeros. */
extern const struct argp table_flags_argp;
/* The same for what texts and missing values become, where no model says so; its defaults accept both. */
extern const struct argp column_flags_argp;

/* Reads a CSV file, or standard input if path is "-", which may be read again.  The second returns the exit code and
 * prints what is wrong, as fail_table does. */
nnb_status parse_table(const char *path, const nnb_csv_opts *opts, nnb_data **out);
int fail_table(const char *path, nnb_status status);
int read_table(const char *path, const nnb_csv_opts *opts, nnb_data **out);
/* The same with rows that stay in the file, which must not be standard input. */
int open_table(const char *path, const nnb_csv_opts *opts, nnb_data **out);

#endif
