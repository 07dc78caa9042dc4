/* io/csv_classes.c: class numbers from the texts of a target column.  Numbers are compared as numbers, "1" and "1.0"
 * are the same class, by writing them in one way; without class_names they are sorted at the end. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "csv_layout.h"
#include "decimal.h"
#include "status.h"
#include "text.h"

/* The text by which a number is compared: the shortest one; -0 is 0. */
static void normalise_number(double value, char out[NNB__DOUBLE_TEXT]) {
  nnb__double_to_text(value == 0 ? 0.0 : value, out);
}

/* The text by which class k is known: a summary's classes are numbers in the rows. */
static const char *given_text(const nnb__csv_layout *l, int k, char text[NNB__DOUBLE_TEXT]) {
  const char *name = l->class_names[k];
  double value = k;
  const bool own = l->opts->class_names != NULL;
  if (own && !(name && l->numeric && nnb__text_to_double(name, &value))) return name;
  normalise_number(value, text);
  return text;
}

/* The given names, in order, become the known classes. */
static nnb_status take_given(nnb__csv_layout *l) {
  char text[NNB__DOUBLE_TEXT];
  for (int k = 0; k < l->n_class_names; k++) {
    const char *name = given_text(l, k, text);
    if (!name) return nnb__fail(NNB_E_ARG, "class_names[%d] is NULL", k);
    if (nnb__table_find(&l->known, name, strlen(name)) >= 0)
      return nnb__fail(NNB_E_ARG, "class_names has \"%s\" twice", l->class_names[k]);
    if (nnb__table_add(&l->known, name, strlen(name)) < 0) return nnb__fail_nomem("the classes");
  }
  return NNB_OK;
}

/* What may have been meant if the first target, a text, is in the first row. */
static const char *advice(const nnb__csv_layout *l) {
  const char *first = l->first == NNB__CSV_DATA && l->opts->header == 0 ? l->head[l->target[0]] : "";
  const nnb__csv_field field = {.text = first, .n = strlen(first)};
  return nnb__csv_kind_of(l->csv, &field) == NNB__CSV_TEXT ? "; where the first row holds names, set .header = 1" : "";
}

/* name (n bytes) ← the text by which the class of a field is known, in text if that is a number. */
static nnb_status find_text(const nnb__csv_layout *l, const nnb__csv_field *field, char text[NNB__DOUBLE_TEXT],
                            const char **name, size_t *n) {
  char shown[NNB__SHOWN_TEXT];
  double value;
  *name = field->text, *n = field->n;
  const bool given = l->class_names && nnb__table_find(&l->known, field->text, field->n) >= 0;
  if (nnb__csv_is_missing(field) && !given)
    return nnb__csv_fail(l->csv, field->at, "the class is missing; drop the row");
  const nnb__number kind = nnb__decimal(field->text, field->n, l->csv->point, &value);
  if (l->numeric) {
    if (kind != NNB__DECIMAL) return nnb__csv_fail_number(l, field, l->target[0]);
    normalise_number(value, text);
    *name = text, *n = strlen(text);
  } else if (!nnb__is_utf8(field->text, field->n)) {
    return nnb__csv_fail(l->csv, field->at, "the name of the class is not UTF-8");
  } else if (!l->class_names && kind == NNB__DECIMAL) {
    return nnb__csv_fail(l->csv, field->at,
                         "\"%s\" is a number but the first target is a text (.class_names allows both%s)",
                         nnb__show(field->text, field->n, shown), advice(l));
  }
  return NNB_OK;
}

nnb_status nnb__csv_class(nnb__csv_layout *l, const nnb__csv_field *field, int32_t *label) {
  char text[NNB__DOUBLE_TEXT], shown[NNB__SHOWN_TEXT];
  const char *name;
  size_t n;
  nnb_status status = l->class_names && l->known.n == 0 ? take_given(l) : NNB_OK;
  if (!status) status = find_text(l, field, text, &name, &n);
  if (status) return status;
  const bool fixed = l->class_names || l->class_of;
  int64_t number = nnb__table_find(&l->known, name, n);
  if (number < 0 && fixed)
    return nnb__csv_fail(l->csv, field->at, "\"%s\" is not %s", nnb__show(field->text, field->n, shown),
                         l->class_names ? "in class_names" : "one of the classes");
  if (number < 0) number = nnb__table_add(&l->known, name, n);
  if (number < 0) return nnb__fail_nomem("the classes");
  *label = l->class_of ? l->class_of[number] : (int32_t)number;
  return NNB_OK;
}

typedef struct numbered {
  double value;
  int32_t k;
} numbered;

static int by_value(const void *a, const void *b) {
  double x = ((const numbered *)a)->value, y = ((const numbered *)b)->value;
  return (x > y) - (x < y);
}

/* place[k] ← where class k goes: numbers ascending. */
static bool rank_by_value(const nnb__table *known, int32_t *place) {
  numbered *list = nnb__alloc(known->n, sizeof *list);
  if (!list) return false;
  for (size_t k = 0; k < known->n; k++) {
    list[k].k = (int32_t)k;
    nnb__text_to_double(known->text[k], &list[k].value);
  }
  qsort(list, known->n, sizeof *list, by_value);
  for (size_t i = 0; i < known->n; i++) place[list[i].k] = (int32_t)i;
  nnb__release(list);
  return true;
}

nnb_status nnb__csv_class_names(nnb__csv_layout *layout, char ***names, int *n) {
  const nnb__table *known = &layout->known;
  bool given = layout->class_names != NULL, sorted = layout->numeric && !given, done = true;
  int32_t *place = layout->class_of = nnb__alloc(known->n, sizeof *place);
  char **list = nnb__zalloc(known->n, sizeof *list);
  if (!place || !list) goto out_of_memory;
  for (size_t k = 0; k < known->n; k++) place[k] = (int32_t)k;
  if (sorted && !rank_by_value(known, place)) goto out_of_memory;
  for (size_t k = 0; k < known->n; k++) {
    char *name = nnb__strdup(given ? layout->class_names[k] : known->text[k]);
    list[place[k]] = name;
    done = done && name;
  }
  if (!done) goto out_of_memory;
  *names = list, *n = (int)known->n;
  return NNB_OK;

out_of_memory:
  for (size_t k = 0; list && k < known->n; k++) nnb__release(list[k]);
  nnb__release(list);
  return nnb__fail_nomem("the names of the classes");
}
