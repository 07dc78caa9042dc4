/* Data in an HDF5 file: a source (nnb_source) reads rows of its datasets x and t when the training needs them, so the
 * file may be larger than memory.  The program makes the file if there is none, trains a net from it, and trains the
 * same net from the rows in memory: both have the same bits.  Copy what is above "the program".
 *
 *     hdf5_source FILE.h5 */
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

/* ---- the source -------------------------------------------------------------------------------------------------- */

typedef struct hdf5_rows {
  hid_t file, x, t; /* datasets N×n_in and N×n_out */
} hdf5_rows;

/* Rows row0 … of a dataset; HDF5 converts the numbers.  to.ld may be larger than to.cols. */
static bool read_matrix(hid_t dataset, int64_t row0, nnb_mat to) {
  const hsize_t begin[2] = {(hsize_t)row0, 0}, origin[2] = {0, 0}, count[2] = {(hsize_t)to.rows, (hsize_t)to.cols};
  const hsize_t memory[2] = {(hsize_t)to.rows, (hsize_t)to.ld};
  const hid_t in_file = H5Dget_space(dataset), in_memory = H5Screate_simple(2, memory, NULL);
  const bool good = in_file >= 0 && in_memory >= 0 &&
                    H5Sselect_hyperslab(in_file, H5S_SELECT_SET, begin, NULL, count, NULL) >= 0 &&
                    H5Sselect_hyperslab(in_memory, H5S_SELECT_SET, origin, NULL, count, NULL) >= 0 &&
                    H5Dread(dataset, H5T_NATIVE_DOUBLE, in_memory, in_file, H5P_DEFAULT, to.p) >= 0;
  if (in_file >= 0) H5Sclose(in_file);
  if (in_memory >= 0) H5Sclose(in_memory);
  return good;
}

/* nnb_source.read.  Many builds of HDF5 allow one thread only, so .ahead is false. */
static nnb_status read_rows(void *user, int64_t row0, int n, const nnb_rows *rows) {
  const hdf5_rows *h = user;
  if (read_matrix(h->x, row0, rows->x) && read_matrix(h->t, row0, rows->t)) return NNB_OK;
  return nnb_layer_fail(NNB_E_IO, "the HDF5 file: rows %lld to %lld cannot be read", (long long)row0,
                        (long long)row0 + n - 1);
}

/* *dataset and the size of a dataset of two dimensions. */
static bool open_matrix(hid_t file, const char *name, hid_t *dataset, hsize_t size[2]) {
  if ((*dataset = H5Dopen2(file, name, H5P_DEFAULT)) < 0) return false;
  const hid_t space = H5Dget_space(*dataset);
  const bool good = space >= 0 && H5Sget_simple_extent_ndims(space) == 2;
  if (good) H5Sget_simple_extent_dims(space, size, NULL);
  if (space >= 0) H5Sclose(space);
  return good;
}

static void hdf5_close(hdf5_rows *h) {
  if (h->t >= 0) H5Dclose(h->t);
  if (h->x >= 0) H5Dclose(h->x);
  if (h->file >= 0) H5Fclose(h->file);
  *h = (hdf5_rows){-1, -1, -1};
}

/* *h must outlive the data. */
static nnb_status hdf5_open(const char *path, hdf5_rows *h, nnb_data **out) {
  hsize_t x[2] = {0}, t[2] = {0};
  *out = NULL, *h = (hdf5_rows){H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), -1, -1};
  nnb_status status = NNB_OK;
  if (h->file < 0 || !open_matrix(h->file, "x", &h->x, x) || !open_matrix(h->file, "t", &h->t, t))
    status = nnb_layer_fail(NNB_E_IO, "%s: not an HDF5 file with matrices x and t", path);
  else if (x[0] != t[0] || x[0] > INT32_MAX || x[1] > INT32_MAX || t[1] > INT32_MAX)
    status = nnb_layer_fail(NNB_E_SHAPE, "%s: x has %llu rows, t has %llu", path, (unsigned long long)x[0],
                            (unsigned long long)t[0]);
  if (!status) {
    const nnb_source source = {
        .rows = (int64_t)x[0], .n_in = (int)x[1], .n_out = (int)t[1], .user = h, .read = read_rows};
    status = nnb_data_from_source(&source, out);
  }
  if (status) hdf5_close(h);
  return status;
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

enum { ROWS = 5000, N_IN = 3, BLOCK = 500 };

static nnb_real xs[ROWS * N_IN], ts[ROWS];

static void write_matrix(hid_t file, const char *name, const nnb_real *p, int cols) {
  const hsize_t size[2] = {ROWS, (hsize_t)cols}, chunk[2] = {BLOCK, (hsize_t)cols};
  const hid_t space = H5Screate_simple(2, size, NULL), how = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(how, 2, chunk);
  if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) H5Pset_deflate(how, 4);
  const hid_t set = H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, how, H5P_DEFAULT);
  const herr_t wrote = H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, p);
  must(wrote < 0 ? nnb_layer_fail(NNB_E_IO, "the HDF5 file cannot be written") : NNB_OK);
  H5Dclose(set), H5Pclose(how), H5Sclose(space);
}

/* A law of three variables at random points, in chunks that are compressed. */
static void make_file(const char *path) {
  nnb_rng rng;
  nnb_rng_init(&rng, 5, 0);
  for (int i = 0; i < ROWS * N_IN; i++) xs[i] = 2 * nnb_rng_uniform(&rng) - 1;
  for (int i = 0; i < ROWS; i++) {
    const nnb_real *x = xs + N_IN * i;
    ts[i] = sin(3 * x[0]) * x[1] + x[2] * x[2];
  }
  const hid_t file = H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT);
  must(file < 0 ? nnb_layer_fail(NNB_E_IO, "%s cannot be made", path) : NNB_OK);
  write_matrix(file, "x", xs, N_IN);
  write_matrix(file, "t", ts, 1);
  H5Fclose(file);
}

static nnb_net *train(const nnb_data *data) {
  nnb_net *net = NULL;
  const nnb_fit_opts opts = {.algo = NNB_ADAM, .lr = 0.01, .batch = 50, .block = BLOCK, .max_epochs = 10, .seed = 1};
  must(nnb_net_for_data(data, "20:tanh", &net));
  must(nnb_fit(net, data, NULL, &opts, NULL));
  return net;
}

/* The same rows in memory, read by the source's own function. */
static nnb_data *read_all(hdf5_rows *h, const nnb_data *data) {
  const int n = nnb_data_rows(data), n_in = nnb_data_n_in(data), n_out = nnb_data_n_out(data);
  nnb_data *all = NULL;
  nnb_real *x = must_have(malloc((size_t)n * (size_t)n_in * sizeof *x), "memory");
  nnb_real *t = must_have(malloc((size_t)n * (size_t)n_out * sizeof *t), "memory");
  must(read_rows(h, 0, n, &(nnb_rows){.x = nnb_view(x, n, n_in), .t = nnb_view(t, n, n_out)}));
  must(nnb_data_copy(&(nnb_batch){.x = nnb_cview(x, n, n_in), .t = nnb_cview(t, n, n_out)}, 0, &all));
  free(x), free(t);
  return all;
}

int main(int argc, char **argv) {
  if (argc != 2 || argv[1][0] == '-') return fprintf(stderr, "usage: hdf5_source FILE.h5\n"), 2;
  hdf5_rows h;
  nnb_data *data = NULL;
  nnb_metrics metrics;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* HDF5 prints nothing; the calls say what failed */
  if (H5Fis_hdf5(argv[1]) < 0) make_file(argv[1]);
  must(hdf5_open(argv[1], &h, &data));
  nnb_net *net = train(data);
  must(nnb_evaluate(net, data, &metrics));
  nnb_data *memory = read_all(&h, data);
  nnb_net *twin = train(memory);
  const size_t n = nnb_net_n_params(net);
  show_number("rows", nnb_data_rows(data), "in the file");
  show_number("rmse", metrics.rmse, "after ten epochs");
  show_number("same_bits", memcmp(nnb_net_params(net), nnb_net_params(twin), n * sizeof(nnb_real)) == 0,
              "as trained from memory");
  nnb_net_destroy(net), nnb_net_destroy(twin);
  nnb_data_destroy(data), nnb_data_destroy(memory);
  hdf5_close(&h);
  return 0;
}
