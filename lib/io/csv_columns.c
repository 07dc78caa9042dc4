/* io/csv_columns.c: the columns that the options give by name or by number. */
#include <string.h>

#include "alloc.h"
#include "csv_layout.h"
#include "nearest.h"
#include "status.h"

/* The header's names and their columns. */
typedef struct header {
  nnb__table table;
  int *column; /* of each text of the table: the first column of that name */
  int *count;  /* and how many have it */
  int *next;   /* of each column: the next one of its name, or 0 */
  int *open;   /* of each text: the first of its columns that is not an input of .columns yet */
  int *taken;  /* and how many are */
} header;

typedef enum role { OPEN, INPUT, TARGET, LEFT } role;

static bool is_number(const char *text) { return *text && strspn(text, "0123456789") == strlen(text); }

/* 0 where the text is not a number. */
static int as_number(const char *text) {
  int number = 0;
  if (!is_number(text)) return 0;
  for (; *text && number < 100000000; text++) number = 10 * number + (*text - '0');
  return number;
}

bool nnb__csv_by_name(const nnb_csv_opts *o) {
  if (o->target && !is_number(o->target)) return true;
  for (int i = 0; i < o->n_take; i++)
    if (o->take[i] && !is_number(o->take[i])) return true;
  for (int i = 0; i < o->n_leave; i++)
    if (o->leave[i] && !is_number(o->leave[i])) return true;
  for (int i = 0; i < o->n_category; i++)
    if (o->category[i] && !is_number(o->category[i])) return true;
  return o->columns && nnb__columns_named(o->columns);
}

static void names_clear(header *names) {
  nnb__table_clear(&names->table);
  nnb__release(names->column);
  nnb__release(names->count);
  nnb__release(names->next);
  nnb__release(names->open);
  nnb__release(names->taken);
}

static bool collect_names(const nnb__csv_layout *l, header *names) {
  const size_t n = (size_t)l->columns;
  if (l->first != NNB__CSV_NAMES) return true;
  names->column = nnb__zalloc(n, sizeof *names->column);
  names->count = nnb__zalloc(n, sizeof *names->count);
  names->next = nnb__zalloc(n, sizeof *names->next);
  names->open = nnb__zalloc(n, sizeof *names->open);
  names->taken = nnb__zalloc(n, sizeof *names->taken);
  if (!names->column || !names->count || !names->next || !names->open || !names->taken) return false;
  for (int c = l->columns - 1; c >= 0; c--) {
    const char *name = l->head[c];
    int64_t k = nnb__table_find(&names->table, name, strlen(name));
    if (k < 0) k = nnb__table_add(&names->table, name, strlen(name));
    if (k < 0) return false;
    names->next[c] = names->column[k];
    names->column[k] = names->open[k] = c;
    names->count[k]++;
  }
  return true;
}

static nnb_status fail_name(const nnb__csv_layout *l, const header *names, const char *name, const char *what) {
  nnb__nearest nearest = {0};
  if (l->first != NNB__CSV_NAMES)
    return nnb__fail(NNB_E_ARG, "%s: %s \"%s\": the columns have no names, but numbers from 1 to %d", l->csv->name,
                     what, name, l->columns);
  for (size_t k = 0; k < names->table.n; k++) nnb__nearest_try(&nearest, name, strlen(name), names->table.text[k]);
  if (nearest.name)
    return nnb__fail(NNB_E_ARG, "%s: no column is named \"%s\" (%s); the nearest name is \"%s\"", l->csv->name, name,
                     what, nearest.name);
  return nnb__fail(NNB_E_ARG, "%s: no column is named \"%s\" (%s); there are \"%.60s\", %s%.60s%s", l->csv->name, name,
                   what, l->head[0], l->columns > 2 ? "… " : "\"", l->columns > 2 ? "" : l->head[l->columns - 1],
                   l->columns > 2 ? "" : "\"");
}

/* *column ← that of a name or number.  what: the option, for messages. */
static nnb_status find_column(const nnb__csv_layout *l, const header *names, const char *name, const char *what,
                              int *column) {
  if (!name) return nnb__fail(NNB_E_ARG, "%s has a NULL", what);
  const int64_t k = nnb__table_find(&names->table, name, strlen(name));
  if (k >= 0 && names->count[k] > 1)
    return nnb__fail(NNB_E_ARG, "%s: %d columns are named \"%s\"; a number says which", l->csv->name, names->count[k],
                     name);
  *column = k >= 0 ? names->column[k] : as_number(name) - 1;
  return *column >= 0 && *column < l->columns ? NNB_OK : fail_name(l, names, name, what);
}

/* Gives a column of the list its role. */
static nnb_status mark(const nnb__csv_layout *l, const char *name, const char *what, int column, role to, role *roles) {
  static const char *const words[] = {"", "an input", "the target", "left"};
  if (roles[column] != OPEN)
    return nnb__fail(NNB_E_ARG, "%s: column \"%s\" of %s is %s already", l->csv->name, name, what,
                     words[roles[column]]);
  roles[column] = to;
  return NNB_OK;
}

static nnb_status choose_targets(nnb__csv_layout *l, const header *names, role *roles) {
  const nnb_csv_opts *o = l->opts;
  if (o->target) {
    nnb_status status = find_column(l, names, o->target, "target", &l->target[0]);
    return status ? status : mark(l, o->target, "target", l->target[0], TARGET, roles);
  }
  int at = l->n_targets;
  for (int c = l->columns - 1; c >= 0 && at > 0; c--)
    if (roles[c] == OPEN) roles[c] = TARGET, l->target[--at] = c;
  return NNB_OK;
}

static nnb_status choose_left(const nnb__csv_layout *l, const header *names, role *roles) {
  nnb_status status = NNB_OK;
  for (int i = 0, c; i < l->opts->n_leave && !status; i++) {
    status = find_column(l, names, l->opts->leave[i], "leave", &c);
    if (!status) status = mark(l, l->opts->leave[i], "leave", c, LEFT, roles);
  }
  return status;
}

static nnb_status choose_inputs(nnb__csv_layout *l, const header *names, role *roles) {
  const nnb_csv_opts *o = l->opts;
  nnb_status status = NNB_OK;
  for (int i = 0; i < o->n_take && !status; i++) {
    int *c = &l->input[l->n_in++].column;
    status = find_column(l, names, o->take[i], "take", c);
    if (!status) status = mark(l, o->take[i], "take", *c, INPUT, roles);
  }
  for (int c = 0; c < l->columns && !o->take; c++)
    if (roles[c] == OPEN) l->input[l->n_in++].column = c;
  return status;
}

static nnb_status fail_count(const nnb__csv_layout *l, const char *name, int here, const char *there) {
  return nnb__fail(NNB_E_SHAPE, "%s: %d column%s \"%s\"; the inputs of the training data had %s", l->csv->name, here,
                   here == 1 ? " is named" : "s are named", name, there);
}

/* The inputs are the columns of .columns, by name; columns of one name in their order. */
static nnb_status find_inputs(nnb__csv_layout *l, const header *names, role *roles) {
  const nnb_columns *as = l->opts->columns;
  for (int i = 0; i < as->n; i++) {
    const char *name = as->column[i].name;
    const int64_t k = nnb__table_find(&names->table, name, strlen(name));
    if (k < 0) return fail_name(l, names, name, "an input of the training data");
    if (names->taken[k]++ == names->count[k]) return fail_count(l, name, names->count[k], "more");
    const nnb_status status = mark(l, name, "columns", names->open[k], INPUT, roles);
    if (status) return status;
    l->input[l->n_in++].column = names->open[k];
    names->open[k] = names->next[names->open[k]];
  }
  for (size_t k = 0; k < names->table.n; k++)
    if (names->taken[k] > 0 && names->taken[k] < names->count[k])
      return fail_count(l, names->table.text[k], names->count[k], "fewer");
  return NNB_OK;
}

/* The inputs are those of .columns in the same order. */
static nnb_status check_order(const nnb__csv_layout *l) {
  const nnb_columns *wanted = l->opts->columns;
  if (l->n_in != wanted->n)
    return nnb__fail(NNB_E_SHAPE, "%s has %d input column%s; the training data had %d", l->csv->name, l->n_in,
                     l->n_in == 1 ? "" : "s", wanted->n);
  for (int i = 0; i < l->n_in && l->first == NNB__CSV_NAMES; i++) {
    const char *name = wanted->column[i].name, *here = l->head[l->input[i].column];
    if (name && *here && strcmp(name, here) != 0)
      return nnb__fail(NNB_E_SHAPE, "%s: input column %d is \"%.60s\"; in the training data it was \"%.60s\"",
                       l->csv->name, i + 1, here, name);
  }
  return NNB_OK;
}

/* The inputs that .category gives. */
static nnb_status mark_categories(nnb__csv_layout *l, const header *names, const role *roles) {
  nnb_status status = NNB_OK;
  for (int k = 0, c; k < l->opts->n_category && !status; k++) {
    const char *name = l->opts->category[k];
    status = find_column(l, names, name, "category", &c);
    if (!status && (roles[c] == TARGET || roles[c] == LEFT))
      status = nnb__fail(NNB_E_ARG, "%s: column \"%s\" of category is not an input", l->csv->name, name);
    for (int i = 0; i < l->n_in && !status; i++) l->input[i].given |= l->input[i].column == c;
  }
  return status;
}

static nnb_status fail_inputs(const nnb__csv_layout *l) {
  char left[40] = "";
  if (l->opts->n_leave > 0) snprintf(left, sizeof left, "%d of them left out and ", l->opts->n_leave);
  return nnb__fail(NNB_E_SHAPE, "%s: rows have %d field%s; with %s%d %sas targets there is no input", l->csv->name,
                   l->columns, l->columns == 1 ? "" : "s", left, l->n_targets, *left ? "" : "of them ");
}

static nnb_status choose(nnb__csv_layout *l, const header *names, role *roles) {
  const nnb_columns *as = l->opts->columns;
  const bool by_name = as && nnb__columns_named(as);
  const int n_open = l->columns - (by_name ? as->n : l->opts->n_leave);
  nnb_status status = by_name ? find_inputs(l, names, roles) : choose_left(l, names, roles);
  if (!status && by_name && l->n_targets > n_open)
    return nnb__fail(NNB_E_SHAPE, "%s: all columns are inputs of the training data; there is no target", l->csv->name);
  if (!status && !by_name && l->n_targets >= n_open) return fail_inputs(l);
  if (!status) status = choose_targets(l, names, roles);
  if (!status && !by_name) status = choose_inputs(l, names, roles);
  if (!status && as && !by_name) status = check_order(l);
  return status ? status : mark_categories(l, names, roles);
}

nnb_status nnb__csv_choose_columns(nnb__csv_layout *l) {
  const nnb_csv_opts *o = l->opts;
  const int most = o->n_take > l->columns ? o->n_take : l->columns;
  header names = {0};
  nnb_status status = NNB_OK;
  role *roles = nnb__zalloc((size_t)l->columns, sizeof *roles);
  l->input = nnb__zalloc((size_t)most, sizeof *l->input);
  l->target = nnb__alloc((size_t)l->columns, sizeof *l->target);
  bool done = roles && l->input && l->target;
  if (done && (o->target || o->take || o->leave || o->category || o->columns)) done = collect_names(l, &names);
  status = done ? choose(l, &names, roles) : nnb__fail_nomem(l->csv->name);
  names_clear(&names);
  nnb__release(roles);
  return status;
}
