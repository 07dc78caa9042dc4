/* io/idx_read.c: MNIST's images and labels as data. */
#include "real.h"
/* the precision first */
#include "alloc.h"
#include "data.h"
#include "idx.h"
#include "status.h"

static real *to_reals(const nnb__idx *images) {
  size_t n;
  if (!nnb__mul((size_t)images->count, (size_t)images->each, &n)) return NULL;
  real *x = nnb__alloc(n, sizeof *x);
  for (size_t i = 0; x && i < n; i++) x[i] = (real)images->data[i] / 255;
  return x;
}

/* At least ten classes: digits, as in MNIST and similar sets, even if a small file lacks some. */
static int32_t *to_labels(const nnb__idx *labels, int *n_classes) {
  int32_t *label = nnb__alloc((size_t)labels->count, sizeof *label);
  *n_classes = 10;
  for (int i = 0; label && i < labels->count; i++) {
    label[i] = labels->data[i];
    if (label[i] >= *n_classes) *n_classes = label[i] + 1;
  }
  return label;
}

static nnb_status build(const nnb__idx *images, const nnb__idx *labels, nnb_data **out) {
  int n_classes = 0;
  real *x = to_reals(images);
  int32_t *label = x && labels ? to_labels(labels, &n_classes) : NULL;
  if (!x || (labels && !label)) {
    nnb__release(x);
    return nnb__fail_nomem("the images");
  }
  return nnb__data_adopt(x, images->count, images->each, NULL, 0, label, n_classes, NULL, NULL, out);
}

nnb_status nnb_data_read_idx(const char *images_path, const char *labels_path, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!images_path) return nnb__fail(NNB_E_ARG, "images_path is NULL");
  nnb__bytes image_file = {0}, label_file = {0};
  nnb__idx images, labels = {0};
  nnb_status status = nnb__idx_load(images_path, NNB__IDX_IMAGES, &image_file, &images);
  if (!status && labels_path) status = nnb__idx_load(labels_path, NNB__IDX_LABELS, &label_file, &labels);
  if (!status && labels_path && labels.count != images.count)
    status = nnb__fail(NNB_E_SHAPE, "%s has %d label(s), %s has %d image(s)", labels_path, labels.count, images_path,
                       images.count);
  if (!status) status = build(&images, labels_path ? &labels : NULL, out);
  nnb__bytes_clear(&image_file);
  nnb__bytes_clear(&label_file);
  return status;
}
