/* io/idx_write.c: data as the IDX files of MNIST (idx.h). */
#include "real.h"
/* the precision first */
#include "alloc.h"
#include "data.h"
#include "save.h"
#include "status.h"

enum { HEADER = 16 };

/* The magic number and the dimensions, big-endian; its length. */
static size_t put_header(uint8_t out[HEADER], int n_dims, const int *dim) {
  out[0] = out[1] = 0, out[2] = 8, out[3] = (uint8_t)n_dims;
  for (int i = 0; i < n_dims; i++)
    for (int k = 0; k < 4; k++) out[4 + 4 * i + k] = (uint8_t)((uint32_t)dim[i] >> (24 - 8 * k));
  return 4 + 4 * (size_t)n_dims;
}

static nnb_status save(const char *path, int n_dims, const int *dim, const uint8_t *bytes, size_t n) {
  uint8_t header[HEADER];
  const size_t head = put_header(header, n_dims, dim);
  const nnb__piece pieces[] = {{header, head}, {bytes, n}};
  return nnb__save(path, pieces, 2);
}

static nnb_status pixels(const nnb_data *data, uint8_t *out) {
  for (int i = 0; i < data->x.rows; i++)
    for (int j = 0; j < data->x.cols; j++) {
      const real v = data->x.p[(size_t)i * (size_t)data->x.ld + (size_t)j];
      if (!(v >= 0 && v <= 1))
        return nnb__fail(NNB_E_ARG, "row %d, column %d is %g; wanted 0 to 1 for a pixel", i + 1, j + 1, (double)v);
      *out++ = (uint8_t)(255 * v + (real)0.5);
    }
  return NNB_OK;
}

static nnb_status labels(const nnb_data *data, uint8_t *out) {
  for (int i = 0; i < data->x.rows; i++) {
    if (data->label[i] > 255)
      return nnb__fail(NNB_E_ARG, "row %d has the class %d; wanted at most 255", i + 1, (int)data->label[i]);
    out[i] = (uint8_t)data->label[i];
  }
  return NNB_OK;
}

nnb_status nnb_data_write_idx(const nnb_data *data, const char *images_path, const char *labels_path, int height) {
  if (!data || !images_path) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "images_path" : "data");
  nnb_status status = nnb__data_in_memory(data, "nnb_data_write_idx");
  if (status) return status;
  if (height < 1 || data->x.cols % height != 0)
    return nnb__fail(NNB_E_ARG, "height is %d; wanted a divisor of the %d column(s)", height, data->x.cols);
  if (labels_path && !data->label) return nnb__fail(NNB_E_ARG, "the data has no labels");
  const size_t rows = (size_t)data->x.rows, n = rows * (size_t)data->x.cols;
  const int dim[] = {data->x.rows, height, data->x.cols / height};
  uint8_t *image = nnb__alloc(n, 1), *label = nnb__alloc(rows, 1);
  status = image && label ? pixels(data, image) : nnb__fail_nomem("the bytes of the images");
  if (!status && labels_path) status = labels(data, label);
  if (!status) status = save(images_path, 3, dim, image, n);
  if (!status && labels_path) status = save(labels_path, 1, dim, label, rows);
  nnb__release(image);
  nnb__release(label);
  return status;
}
