/* base/columns_bag.c: the columns of a table in a model file. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "columns.h"
#include "status.h"

enum { KEY = 64 };

static const char *key_of(char key[KEY], int i, const char *field) {
  snprintf(key, KEY, "table.%d.%s", i, field);
  return key;
}

static const char *level_key(char key[KEY], int i, int j) {
  snprintf(key, KEY, "table.%d.level.%d", i, j);
  return key;
}

void nnb__columns_to_bag(const nnb_columns *columns, nnb__bag *bag) {
  char key[KEY];
  nnb__bag_number(bag, "table", columns->n);
  for (int i = 0; i < columns->n; i++) {
    const nnb_column *c = &columns->column[i];
    if (c->name) nnb__bag_string(bag, key_of(key, i, "name"), c->name);
    if (c->levels) nnb__bag_number(bag, key_of(key, i, "levels"), c->n_levels);
    for (int j = 0; j < c->n_levels; j++) nnb__bag_string(bag, level_key(key, i, j), c->levels[j]);
    if (c->missing) nnb__bag_number(bag, key_of(key, i, "missing"), c->mean);
  }
}

static const char *find_name(const void *bag, int i) {
  char key[KEY];
  return nnb__bag_find_string(bag, key_of(key, i, "name"));
}

static nnb_status get_count(const nnb__bag *bag, const char *key, int most, int *out) {
  double value;
  if (!nnb__bag_find_number(bag, key, &value) || !(value >= 1 && value <= most) || value != floor(value))
    return nnb__fail(NNB_E_PARSE, "the model's \"%s\" is not a whole number from 1 to %d", key, most);
  *out = (int)value;
  return NNB_OK;
}

static int entries_of(const nnb__bag *bag) { return bag->n_entries < INT_MAX ? (int)bag->n_entries : INT_MAX; }

/* The levels come sorted, so that they are found by bisection and differ. */
static nnb_status get_levels(const nnb__bag *bag, int i, nnb_column *c) {
  char key[KEY];
  int n = 0;
  nnb_status status = get_count(bag, key_of(key, i, "levels"), entries_of(bag), &n);
  if (status) return status;
  char **level = nnb__alloc((size_t)n, sizeof *level);
  if (!level) return nnb__fail_nomem("the levels of a column");
  for (int j = 0; j < n && !status; j++) {
    const char *text = nnb__bag_find_string(bag, level_key(key, i, j));
    if (!text || (j > 0 && strcmp(level[j - 1], text) >= 0))
      status = nnb__fail(NNB_E_PARSE, "the model's \"%s\" is missing or not in order", key);
    level[j] = (char *)(uintptr_t)text;
  }
  if (!status && !nnb__column_set_levels(c, level, n)) status = nnb__fail_nomem("the levels of a column");
  nnb__release(level);
  return status;
}

static nnb_status get_column(const nnb__bag *bag, int i, nnb_column *c) {
  char key[KEY];
  c->missing = nnb__bag_find_string(bag, key_of(key, i, "missing")) != NULL;
  if (c->missing && !(nnb__bag_find_number(bag, key, &c->mean) && isfinite(c->mean)))
    return nnb__fail(NNB_E_PARSE, "the model's \"%s\" is not a finite number", key);
  return nnb__bag_find_string(bag, key_of(key, i, "levels")) ? get_levels(bag, i, c) : NNB_OK;
}

nnb_status nnb__columns_from_bag(const nnb__bag *bag, int most, nnb_columns **out) {
  int n = 0;
  *out = NULL;
  if (!nnb__bag_find_string(bag, "table")) return NNB_OK;
  nnb_status status = get_count(bag, "table", most, &n);
  if (status) return status;
  nnb_columns *columns = nnb__columns_create(n, find_name, bag);
  if (!columns) return nnb__fail_nomem("the columns");
  for (int i = 0; i < n && !status; i++) status = get_column(bag, i, &columns->column[i]);
  if (!status) status = nnb__columns_arrange(columns);
  if (!status) return *out = columns, NNB_OK;
  nnb__columns_destroy(columns);
  return status == NNB_E_NOMEM ? status : nnb__fail(NNB_E_PARSE, "%s", nnb_errmsg());
}
