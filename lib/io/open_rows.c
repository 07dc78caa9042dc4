/* io/open_rows.c: data whose rows stay in files. */
#include "alloc.h"
#include "data.h"
#include "idx.h"
#include "status.h"
#include "stored.h"

typedef struct files {
  nnb__stored x, t; /* t.file.fd -1: targets, if any, are the last columns of x */
} files;

static void files_close(void *user) {
  files *f = user;
  nnb__stored_close(&f->x);
  nnb__stored_close(&f->t);
  nnb__release(f);
}

static nnb_status read_files(void *user, int64_t row0, int n, const nnb_rows *rows) {
  const files *f = user;
  if (f->t.file.fd < 0) return nnb__stored_read(&f->x, row0, n, rows->x, rows->t, rows->label);
  nnb_status status = nnb__stored_read(&f->x, row0, n, rows->x, (nnb_mat){0}, NULL);
  return status ? status : nnb__stored_read(&f->t, row0, n, (nnb_mat){0}, rows->t, rows->label);
}

static files *files_make(void) {
  files *f = nnb__alloc(1, sizeof *f);
  if (f) *f = (files){.x.file.fd = -1, .t.file.fd = -1};
  return f;
}

/* Closes the files if it fails. */
static nnb_status make(files *f, int n_in, int n_out, int n_classes, nnb_data **out) {
  const nnb_source source = {.rows = f->x.rows,
                             .n_in = n_in,
                             .n_out = n_out,
                             .n_classes = n_classes,
                             .ahead = true,
                             .user = f,
                             .read = read_files};
  nnb_status status = nnb_data_from_source(&source, out);
  if (status)
    files_close(f);
  else
    (*out)->close = files_close;
  return status;
}

static nnb_status check_count(const files *f) {
  if (f->t.file.fd < 0 || f->t.rows == f->x.rows) return NNB_OK;
  return nnb__fail(NNB_E_SHAPE, "%s has %d row(s), %s has %d", f->t.file.path, f->t.rows, f->x.file.path, f->x.rows);
}

/* ---- NPY --------------------------------------------------------------------------------------------------------- */

/* *n_in, *n_targets ← columns of inputs and of targets or labels. */
static nnb_status share_columns(const files *f, int wanted, int n_classes, int *n_in, int *n_targets) {
  const bool apart = f->t.file.fd >= 0;
  const nnb__stored *from = apart ? &f->t : &f->x;
  *n_targets = apart ? f->t.cols : n_classes > 0 ? 1 : wanted;
  *n_in = apart ? f->x.cols : f->x.cols - *n_targets;
  if (wanted > 0 && wanted != *n_targets)
    return nnb__fail(NNB_E_SHAPE, "n_targets is %d; %s has %d", wanted, n_classes > 0 ? "a label" : from->file.path,
                     *n_targets);
  if (n_classes > 0 && *n_targets != 1)
    return nnb__fail(NNB_E_SHAPE, "%s has %d column(s); wanted one, the labels", from->file.path, *n_targets);
  if (*n_in < 1)
    return nnb__fail(NNB_E_SHAPE, "%s has %d column%s; with %d of them as targets there is no input", f->x.file.path,
                     f->x.cols, f->x.cols == 1 ? "" : "s", *n_targets);
  return check_count(f);
}

nnb_status nnb_data_open_npy(const char *x_path, const char *t_path, int n_targets, int n_classes, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!x_path) return nnb__fail(NNB_E_ARG, "x_path is NULL");
  if (n_targets < 0 || n_classes < 0)
    return nnb__fail(NNB_E_ARG, "n_targets is %d and n_classes %d; wanted 0 or more", n_targets, n_classes);
  files *f = files_make();
  if (!f) return nnb__fail_nomem("the files");
  int n_in = 0, n_t = 0;
  nnb_status status = nnb__stored_open_npy(x_path, &f->x);
  if (!status && t_path) status = nnb__stored_open_npy(t_path, &f->t);
  if (!status) status = share_columns(f, n_targets, n_classes, &n_in, &n_t);
  if (!status) return make(f, n_in, n_classes > 0 ? 0 : n_t, n_classes, out);
  files_close(f);
  return status;
}

/* ---- IDX --------------------------------------------------------------------------------------------------------- */

/* As nnb_data_read_idx counts them. */
static nnb_status count_classes(const char *labels_path, int *n_classes) {
  nnb__bytes file = {0};
  nnb__idx labels;
  nnb_status status = nnb__idx_load(labels_path, NNB__IDX_LABELS, &file, &labels);
  *n_classes = 10;
  for (int i = 0; !status && i < labels.count; i++)
    if (labels.data[i] >= *n_classes) *n_classes = labels.data[i] + 1;
  nnb__bytes_clear(&file);
  return status;
}

nnb_status nnb_data_open_idx(const char *images_path, const char *labels_path, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!images_path) return nnb__fail(NNB_E_ARG, "images_path is NULL");
  files *f = files_make();
  if (!f) return nnb__fail_nomem("the files");
  int n_classes = 0;
  nnb_status status = nnb__stored_open_idx(images_path, NNB__IDX_IMAGES, &f->x);
  if (!status && labels_path) status = nnb__stored_open_idx(labels_path, NNB__IDX_LABELS, &f->t);
  if (!status) status = check_count(f);
  if (!status && labels_path) status = count_classes(labels_path, &n_classes);
  if (!status) return make(f, f->x.cols, 0, n_classes, out);
  files_close(f);
  return status;
}
