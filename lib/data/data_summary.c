/* data/data_summary.c: names of columns and classes, and what the data are, in words. */
#include "alloc.h"
#include "data.h"
#include "status.h"

static nnb_status set_names(const char *const *names, int n, int wanted, const char *what, char ***to) {
  if (!names) return nnb__fail(NNB_E_ARG, "names is NULL");
  if (n != wanted) return nnb__fail(NNB_E_SHAPE, "%d name(s); wanted %d, one for each %s", n, wanted, what);
  char **copy = nnb__zalloc((size_t)n, sizeof *copy);
  bool done = copy != NULL;
  for (int i = 0; done && i < n; i++) done = !names[i] || (copy[i] = nnb__strdup(names[i]));
  if (!done) {
    nnb__names_release(copy, n);
    return nnb__fail_nomem("the names");
  }
  nnb__names_release(*to, n);
  *to = copy;
  return NNB_OK;
}

nnb_status nnb_data_set_column_names(nnb_data *data, const char *const *names, int n) {
  if (!data) return nnb__fail(NNB_E_ARG, "data is NULL");
  nnb_status status =
      set_names(names, n, nnb__data_n_columns(data), "column of inputs, target or class", &data->column_names);
  if (status) return status;
  nnb__columns_destroy(data->columns); /* they have other names */
  data->columns = NULL;
  return NNB_OK;
}

nnb_status nnb_data_set_class_names(nnb_data *data, const char *const *names, int n) {
  if (!data) return nnb__fail(NNB_E_ARG, "data is NULL");
  if (data->n_classes == 0) return nnb__fail(NNB_E_ARG, "the data has no classes");
  return set_names(names, n, data->n_classes, "class", &data->class_names);
}

static int print_targets(const nnb_data *data, FILE *stream) {
  const char *name = nnb_data_column_name(data, data->x.cols);
  if (data->n_classes > 0)
    return fprintf(stream, "target: %s (%d class%s); ", name ? name : "without a name", data->n_classes,
                   data->n_classes == 1 ? "" : "es");
  if (data->t.cols == 0) return fprintf(stream, "no targets; ");
  if (data->t.cols > 1) return fprintf(stream, "%d target columns; ", data->t.cols);
  return fprintf(stream, "target: %s (numbers); ", name ? name : "without a name");
}

static int print_inputs(const nnb_data *data, FILE *stream) {
  const int texts = data->columns ? data->columns->n_texts : 0;
  if (texts == 0) return fprintf(stream, "%d numeric\n", data->columns ? data->columns->n : data->x.cols);
  return fprintf(stream, "%d numeric, %d categorical\n", data->columns->n - texts, texts);
}

nnb_status nnb_data_summary(const nnb_data *data, FILE *stream) {
  if (!data || !stream) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "stream" : "data");
  bool done;
  if (data->about)
    done = fputs(data->about, stream) >= 0;
  else
    done = fprintf(stream, "%d row%s\n", data->x.rows, data->x.rows == 1 ? "" : "s") >= 0 &&
           print_targets(data, stream) >= 0 && print_inputs(data, stream) >= 0;
  return done ? NNB_OK : nnb__fail(NNB_E_IO, "writing the summary failed");
}
