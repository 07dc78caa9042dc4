/* io/npy.h: NumPy's NPY format, versions 1 to 3: "\x93NUMPY", two bytes of version, the size of the header, the header
 * (a Python dictionary with descr, fortran_order and shape), the numbers. */
#ifndef NNB__NPY_H
#define NNB__NPY_H

#include "nnblas/core.h"

typedef struct nnb__npy {
  char kind; /* 'f', 'i', 'u' or 'b' (bool) */
  int size;  /* bytes of a number: 1, 2, 4, 8 */
  bool big_endian, fortran;
  int n_dims;
  size_t dim[NNB_ARRAY_DIMS], count;
  const uint8_t *data; /* count·size bytes, within the file */
} nnb__npy;

/* Checks a whole file in memory.  name is for messages.  NNB_E_PARSE; NNB_E_UNSUPPORTED for other types (complex,
 * texts, records) and more dimensions. */
nnb_status nnb__npy_parse(const void *file, size_t bytes, const char *name, nnb__npy *out);
/* The same from the first bytes of a file, which hold the header: NNB__NPY_START are enough.  out->data points behind
 * the header. */
enum { NNB__NPY_START = 12 + (1 << 16) };
nnb_status nnb__npy_parse_start(const void *file, size_t bytes, uint64_t file_bytes, const char *name, nnb__npy *out);
/* Number i in the order of the file.  Integers beyond 2⁵³ are rounded. */
double nnb__npy_number(const nnb__npy *npy, size_t i);

/* The start of a file of version 1, up to the numbers: its length, a multiple of 64. */
enum { NNB__NPY_HEADER = 384 };
size_t nnb__npy_header(char out[NNB__NPY_HEADER], const char *descr, int n_dims, const size_t *dim);

#endif
