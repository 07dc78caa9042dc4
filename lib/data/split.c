/* data/split.c: splits data into two parts, or into the parts of a cross-validation.  Both are stratified: the rows are
 * put into a line, class by class and in random order within a class, and are dealt out evenly along that line. */
#include "alloc.h"
#include "data.h"
#include "status.h"

typedef struct line {
  int n;
  int32_t *row;   /* n: the rows class by class, shuffled within a class           */
  int32_t *part;  /* n: the rows of the first part, then those of the second       */
  bool *second;   /* n: whether row i belongs to the second part                   */
  int32_t *place; /* n_classes + 1: the position of the next row of a class        */
} line;

static void line_release(line *l) {
  nnb__release(l->row);
  nnb__release(l->part);
  nnb__release(l->second);
  nnb__release(l->place);
}

/* The labels of data in memory; of a source into memory for *own.  NULL: all rows are of one class. */
static nnb_status find_labels(const nnb_data *data, const int32_t **label, int32_t **own) {
  *label = data->label, *own = NULL;
  if (!nnb__data_is_read(data) || data->n_classes == 0) return NNB_OK;
  *label = *own = nnb__alloc((size_t)data->x.rows, sizeof **own);
  return *own ? nnb__data_read_labels(data, *own) : nnb__fail_nomem("the labels");
}

/* Counting sort of the shuffled rows in `part` by class. */
static void sort_by_class(line *l, const int32_t *label, int n_classes) {
  for (int i = 0; i < l->n; i++) l->place[(label ? label[i] : 0) + 1]++;
  for (int c = 0; c < n_classes; c++) l->place[c + 1] += l->place[c];
  for (int i = 0; i < l->n; i++) l->row[l->place[label ? label[l->part[i]] : 0]++] = l->part[i];
}

static nnb_status line_up(line *l, const nnb_data *data, uint64_t seed, uint64_t stream) {
  size_t n = (size_t)data->x.rows;
  const int32_t *label;
  int32_t *own;
  int n_classes = data->n_classes > 0 ? data->n_classes : 1;
  *l = (line){.n = data->x.rows};
  l->row = nnb__alloc(n, sizeof *l->row);
  l->part = nnb__alloc(n, sizeof *l->part);
  l->second = nnb__zalloc(n, sizeof *l->second);
  l->place = nnb__zalloc((size_t)n_classes + 1, sizeof *l->place);
  nnb_status status = find_labels(data, &label, &own);
  if (!status && !(l->row && l->part && l->second && l->place)) status = nnb__fail_nomem("the order of the rows");
  if (!status) {
    nnb_rng rng;
    nnb_rng_init(&rng, seed, stream);
    nnb_rng_shuffle(&rng, l->part, l->n);
    sort_by_class(l, label, n_classes);
  } else {
    line_release(l);
  }
  nnb__release(own);
  return status;
}

/* Copies both parts; rows keep their order in the data.  Releases the line. */
static nnb_status divide(line *l, const nnb_data *data, nnb_data **first, nnb_data **second) {
  int a = 0, b = 0;
  nnb_data *one = NULL, *two = NULL;
  for (int32_t i = 0; i < l->n; i++)
    if (!l->second[i]) l->part[a++] = i;
  for (int32_t i = 0; i < l->n; i++)
    if (l->second[i]) l->part[a + b++] = i;
  nnb_status status = nnb__data_part(data, l->part, a, &one);
  if (!status) status = nnb__data_part(data, l->part + a, b, &two);
  line_release(l);
  if (status) {
    nnb_data_destroy(one);
    return status;
  }
  *first = one, *second = two;
  return NNB_OK;
}

nnb_status nnb__data_split(const nnb_data *data, double fraction, uint64_t seed, nnb_data **first, nnb_data **second) {
  if (first) *first = NULL;
  if (second) *second = NULL;
  if (!data || !first || !second) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "first or second" : "data");
  if (!(fraction > 0 && fraction < 1))
    return nnb__fail(NNB_E_ARG, "fraction is %g; wanted a number between 0 and 1", fraction);
  int n = data->x.rows, wanted = (int)floor(fraction * n + 0.5);
  if (wanted < 1) wanted = 1;
  if (wanted >= n)
    return nnb__fail(NNB_E_ARG, "fraction %g of %d row(s) leaves no row for the first part", fraction, n);
  line l;
  nnb_status status = line_up(&l, data, seed, NNB__STREAM_SPLIT);
  if (status) return status;
  for (int64_t p = 0; p < n; p++) /* true where p·wanted/n passes an integer: `wanted` times, evenly along the line */
    l.second[l.row[p]] = (p + 1) * wanted / n > p * wanted / n;
  return divide(&l, data, first, second);
}

nnb_status nnb__data_fold(const nnb_data *data, int k, int i, uint64_t seed, nnb_data **train, nnb_data **test) {
  if (train) *train = NULL;
  if (test) *test = NULL;
  if (!data || !train || !test) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "train or test" : "data");
  if (k < 2 || k > data->x.rows)
    return nnb__fail(NNB_E_ARG, "%d part(s) of %d row(s); wanted 2 to %d part(s)", k, data->x.rows, data->x.rows);
  if (i < 0 || i >= k) return nnb__fail(NNB_E_ARG, "part %d of %d; wanted 0 to %d", i, k, k - 1);
  line l;
  nnb_status status = line_up(&l, data, seed, NNB__STREAM_FOLD);
  if (status) return status;
  for (int p = 0; p < l.n; p++) l.second[l.row[p]] = p % k == i; /* dealt like cards */
  return divide(&l, data, train, test);
}

/* The missing numbers of both parts by the means of the first one; destroys both after a failure. */
static nnb_status impute(nnb_status status, nnb_data **first, nnb_data **second) {
  if (!status) status = nnb__data_impute(*first, *second);
  if (status && first && second) {
    nnb_data_destroy(*first), *first = NULL;
    nnb_data_destroy(*second), *second = NULL;
  }
  return status;
}

nnb_status nnb_data_split(const nnb_data *data, double fraction, uint64_t seed, nnb_data **first, nnb_data **second) {
  return impute(nnb__data_split(data, fraction, seed, first, second), first, second);
}

nnb_status nnb_data_fold(const nnb_data *data, int k, int i, uint64_t seed, nnb_data **train, nnb_data **test) {
  return impute(nnb__data_fold(data, k, i, seed, train, test), train, test);
}
