/* base/columns.h: the columns of a table and the inputs that they become: numbers as they are, texts as levels, and
 * whether a value is missing. */
#ifndef NNB__COLUMNS_H
#define NNB__COLUMNS_H

#include "bag.h"

struct nnb_columns {
  nnb_column *column; /* n; names and levels are from nnb__alloc */
  int n, n_in;        /* columns; inputs of all of them together */
  int n_texts;        /* columns with levels */
};

/* The longest name of a column with several inputs, which each of their names repeats. */
enum { NNB__LONGEST_COLUMN_NAME = 1000 };

/* n columns of numbers, with names from get(context, i), which may be NULL.  NULL if out of memory. */
nnb_columns *nnb__columns_create(int n, const char *(*get)(const void *context, int i), const void *context);
nnb_columns *nnb__columns_copy(const nnb_columns *columns);
/* NULL is accepted. */
void nnb__columns_destroy(nnb_columns *columns);

/* Gives a column of numbers these levels, which are sorted.  False if out of memory. */
bool nnb__column_set_levels(nnb_column *column, char *const *level, int n);
/* After the last change of levels and `missing`: first, n, n_in and n_texts.  NNB_E_OVERFLOW; NNB_E_ARG for a name that
 * is too long, or if two inputs would have the same name, one of which is made here. */
nnb_status nnb__columns_arrange(nnb_columns *columns);

/* Whether missing values of the column become its mean. */
static inline bool nnb__column_has_mean(const nnb_column *column) { return column->missing && !column->levels; }

/* Whether every column is one input: its number. */
bool nnb__columns_plain(const nnb_columns *columns);
/* Whether every column has a name. */
bool nnb__columns_named(const nnb_columns *columns);
/* The name of input k of column i, from nnb__alloc; *out NULL: it has none.  False if out of memory. */
bool nnb__columns_input_name(const nnb_columns *columns, int i, int k, char **out);
/* The number of a level (n bytes), or -1. */
int nnb__column_level(const nnb_column *column, const char *text, size_t n);

/* NNB_OK if both make the same inputs; else NNB_E_SHAPE with what differs. */
nnb_status nnb__columns_same(const nnb_columns *a, const nnb_columns *b);
/* *out ← the columns that these n inputs are, NULL if they are not all inputs of each column in order, once.  False if
 * out of memory. */
bool nnb__columns_take(const nnb_columns *columns, const int32_t *input, int n, nnb_columns **out);

/* In a bag: table n; table.i.name; table.i.levels n, table.i.level.j; table.i.missing: the number that replaces it. */
void nnb__columns_to_bag(const nnb_columns *columns, nnb__bag *bag);
/* *out NULL: the bag has none.  most: as many columns as there are inputs, since columns may have no name and so no
 * entry. The bag comes from a file that is not trusted.  NNB_E_PARSE, NNB_E_NOMEM. */
nnb_status nnb__columns_from_bag(const nnb__bag *bag, int most, nnb_columns **out);

#endif
