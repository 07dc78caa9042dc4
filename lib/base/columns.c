/* base/columns.c: see columns.h. */
#include "columns.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "status.h"

/* ---- making ------------------------------------------------------------------------------------------------------ */

/* The strings are declared const for programs, which see them. */
static void release_column(nnb_column *c) {
  for (int j = 0; j < c->n_levels; j++) nnb__release((void *)(uintptr_t)c->levels[j]);
  nnb__release((void *)(uintptr_t)c->levels);
  nnb__release((void *)(uintptr_t)c->name);
}

void nnb__columns_destroy(nnb_columns *columns) {
  if (!columns) return;
  for (int i = 0; i < columns->n; i++) release_column(&columns->column[i]);
  nnb__release(columns->column);
  nnb__release(columns);
}

nnb_columns *nnb__columns_create(int n, const char *(*get)(const void *context, int i), const void *context) {
  nnb_columns *columns = nnb__alloc(1, sizeof *columns);
  if (!columns) return NULL;
  *columns = (nnb_columns){.column = nnb__zalloc((size_t)n, sizeof *columns->column), .n = n, .n_in = n};
  bool done = columns->column != NULL;
  if (!done) columns->n = 0;
  for (int i = 0; done && i < n; i++) {
    const char *name = get(context, i);
    columns->column[i].first = i, columns->column[i].n = 1;
    done = !name || (columns->column[i].name = nnb__strdup(name));
  }
  if (done) return columns;
  nnb__columns_destroy(columns);
  return NULL;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

bool nnb__column_set_levels(nnb_column *column, char *const *level, int n) {
  char **copy = nnb__zalloc((size_t)n, sizeof *copy);
  bool done = copy != NULL;
  for (int j = 0; done && j < n; j++) done = (copy[j] = nnb__strdup(level[j])) != NULL;
  if (!done) {
    for (int j = 0; copy && j < n; j++) nnb__release(copy[j]);
    nnb__release(copy);
    return false;
  }
  qsort(copy, (size_t)n, sizeof *copy, by_bytes);
  column->levels = (const char *const *)copy, column->n_levels = n;
  return true;
}

static const char *get_name(const void *columns, int i) { return ((const nnb_columns *)columns)->column[i].name; }

/* *to ← levels and mean of a column, which has its name already. */
static bool copy_column(const nnb_column *from, int first, nnb_column *to) {
  if (from->levels && !nnb__column_set_levels(to, (char *const *)from->levels, from->n_levels)) return false;
  to->first = first, to->n = from->n, to->missing = from->missing, to->mean = from->mean;
  return true;
}

nnb_columns *nnb__columns_copy(const nnb_columns *columns) {
  nnb_columns *copy = nnb__columns_create(columns->n, get_name, columns);
  bool done = copy != NULL;
  for (int i = 0; done && i < columns->n; i++)
    done = copy_column(&columns->column[i], columns->column[i].first, &copy->column[i]);
  if (done) return copy->n_in = columns->n_in, copy->n_texts = columns->n_texts, copy;
  nnb__columns_destroy(copy);
  return NULL;
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

/* The name of a column, or its number. */
static const char *name_or_number(const nnb_columns *columns, int i, char number[16]) {
  if (columns->column[i].name) return columns->column[i].name;
  snprintf(number, 16, "%d", i + 1);
  return number;
}

bool nnb__columns_input_name(const nnb_columns *columns, int i, int k, char **out) {
  const nnb_column *c = &columns->column[i];
  char number[16];
  const char *name = name_or_number(columns, i, number), *level = k < c->n_levels ? c->levels[k] : "";
  const char *between = k < c->n_levels ? "=" : c->missing && k == c->n - 1 ? " missing" : "";
  *out = NULL;
  if (!c->name && nnb__columns_plain(columns)) return true;
  const size_t bytes = strlen(name) + strlen(between) + strlen(level) + 1;
  *out = nnb__alloc(bytes, 1);
  if (*out) snprintf(*out, bytes, "%s%s%s", name, between, level);
  return *out != NULL;
}

/* Names that are made here differ from all others; two columns of numbers may have the same name. */
static nnb_status check_names(const nnb_columns *columns) {
  nnb__table seen = {0};
  nnb_status status = NNB_OK;
  for (int made = 0; made < 2; made++)
    for (int i = 0; i < columns->n && !status; i++)
      for (int k = 0; k < columns->column[i].n && !status; k++) {
        const nnb_column *c = &columns->column[i];
        char *name = NULL;
        if ((made != 0) != (c->levels || k > 0)) continue;
        if (!nnb__columns_input_name(columns, i, k, &name)) status = nnb__fail_nomem("the names of the inputs");
        const bool known = name && nnb__table_find(&seen, name, strlen(name)) >= 0;
        if (known && made)
          status = nnb__fail(NNB_E_ARG, "two inputs would have the name \"%.80s\"; rename a column", name);
        if (name && !known && !status && nnb__table_add(&seen, name, strlen(name)) < 0)
          status = nnb__fail_nomem("the names of the inputs");
        nnb__release(name);
      }
  nnb__table_clear(&seen);
  return status;
}

nnb_status nnb__columns_arrange(nnb_columns *columns) {
  int64_t first = 0;
  columns->n_texts = 0;
  for (int i = 0; i < columns->n; i++) {
    nnb_column *c = &columns->column[i];
    const int64_t n = (int64_t)(c->levels ? c->n_levels : 1) + c->missing;
    if (n > 1 && c->name && strlen(c->name) > NNB__LONGEST_COLUMN_NAME)
      return nnb__fail(NNB_E_ARG, "the column name \"%.40s…\" has more than %d bytes", c->name,
                       NNB__LONGEST_COLUMN_NAME);
    if (first + n > INT_MAX) return nnb__fail(NNB_E_OVERFLOW, "the columns become more than %d inputs", INT_MAX);
    c->first = (int)first, c->n = (int)n;
    first += n, columns->n_texts += c->levels != NULL;
  }
  columns->n_in = (int)first;
  return nnb__columns_plain(columns) ? NNB_OK : check_names(columns);
}

/* ---- access ------------------------------------------------------------------------------------------------------ */

const nnb_column *nnb_columns_at(const nnb_columns *columns, int i) {
  return columns && i >= 0 && i < columns->n ? &columns->column[i] : NULL;
}

bool nnb__columns_plain(const nnb_columns *columns) { return columns->n == columns->n_in && columns->n_texts == 0; }

bool nnb__columns_named(const nnb_columns *columns) {
  for (int i = 0; i < columns->n; i++)
    if (!columns->column[i].name) return false;
  return true;
}

/* The order of strcmp, for a text of n bytes without NUL. */
static int compare(const char *text, size_t n, const char *level) {
  const int order = strncmp(text, level, n);
  return order ? order : level[n] ? -1 : 0;
}

int nnb__column_level(const nnb_column *column, const char *text, size_t n) {
  for (int low = 0, high = column->n_levels; low < high;) {
    const int middle = low + (high - low) / 2, order = compare(text, n, column->levels[middle]);
    if (order == 0) return middle;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return -1;
}

/* ---- two tables, parts of a table -------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b) { return !a || !b || strcmp(a, b) == 0; }

static bool same_levels(const nnb_column *a, const nnb_column *b) {
  if (a->n_levels != b->n_levels) return false;
  for (int j = 0; j < a->n_levels; j++)
    if (strcmp(a->levels[j], b->levels[j]) != 0) return false;
  return true;
}

nnb_status nnb__columns_same(const nnb_columns *a, const nnb_columns *b) {
  char number[16];
  if (a->n != b->n) return nnb__fail(NNB_E_SHAPE, "the tables have %d and %d column(s)", a->n, b->n);
  for (int i = 0; i < a->n; i++) {
    const nnb_column *p = &a->column[i], *q = &b->column[i];
    const char *name = name_or_number(a, i, number);
    const char *what = !same_text(p->name, q->name) ? "name"
                       : !same_levels(p, q)         ? "levels"
                       : p->missing != q->missing   ? "missing values"
                       : p->mean != q->mean         ? "mean"
                                                    : NULL;
    if (what)
      return nnb__fail(
          NNB_E_SHAPE,
          "column \"%.60s\" does not have the same %s as in the other data; read one of them with .columns "
          "of the other",
          name, what);
  }
  return NNB_OK;
}

/* *chosen ← the numbers of the columns that the inputs are, in order; returns how many; 0 if a part of one is missing.
 */
static int whole_columns(const nnb_columns *columns, const int32_t *input, int n, int *chosen) {
  int count = 0;
  for (int at = 0; at < n; at += columns->column[chosen[count - 1]].n) {
    int low = 0, high = columns->n - 1; /* the last column whose first input is at most input[at] */
    while (low < high) {
      const int middle = low + (high - low + 1) / 2;
      if (columns->column[middle].first <= input[at])
        low = middle;
      else
        high = middle - 1;
    }
    const nnb_column *c = &columns->column[low];
    for (int k = 0; k < c->n; k++)
      if (at + k >= n || input[at + k] != c->first + k) return 0;
    chosen[count++] = low;
  }
  return count;
}

typedef struct choice {
  const nnb_columns *columns;
  const int *chosen;
} choice;

static const char *get_chosen(const void *context, int i) {
  const choice *of = context;
  return of->columns->column[of->chosen[i]].name;
}

bool nnb__columns_take(const nnb_columns *columns, const int32_t *input, int n, nnb_columns **out) {
  int *chosen = nnb__alloc((size_t)n, sizeof *chosen);
  *out = NULL;
  if (!chosen) return false;
  const int count = whole_columns(columns, input, n, chosen);
  nnb_columns *copy = count ? nnb__columns_create(count, get_chosen, &(choice){columns, chosen}) : NULL;
  bool done = !count || copy;
  for (int i = 0, first = 0; done && i < count; first += copy->column[i++].n)
    done = copy_column(&columns->column[chosen[i]], first, &copy->column[i]);
  nnb__release(chosen);
  const nnb_status status = done && copy ? nnb__columns_arrange(copy) : NNB_OK; /* a column may be there twice */
  if (done && !status) return *out = copy, true;
  nnb__columns_destroy(copy);
  return done && status != NNB_E_NOMEM;
}
