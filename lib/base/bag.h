/* base/bag.h: a list of named tensors, numbers and strings: the form in which nets, optimisers and histories are stored
 * in files.  The parts of the library write and read themselves as bags; io stores bags and knows none of the parts. */
#ifndef NNB__BAG_H
#define NNB__BAG_H

#include "table.h"

typedef enum nnb__dtype { NNB__F64, NNB__F32, NNB__I64, NNB__I32, NNB__U8, NNB__F16, NNB__BF16 } nnb__dtype;
enum { NNB__MAX_DIMS = 4 };

/* Where the numbers of tensors are that are not in memory. */
typedef struct nnb__store {
  nnb_status (*read)(const void *user, void *to, size_t n, uint64_t at); /* n bytes from place `at` on */
  const void *user;
} nnb__store;

typedef struct nnb__tensor {
  const char *name; /* owned by the bag */
  nnb__dtype dtype;
  int n_dims;
  size_t dim[NNB__MAX_DIMS]; /* row-major; the product times the element size fits into size_t */
  const void *data;          /* borrowed; any alignment */
  const nnb__store *store;   /* borrowed; not NULL: the numbers are there, from place `at` on, and data is NULL */
  uint64_t at;
} nnb__tensor;

typedef struct nnb__entry { /* a number is stored as text that reads back to the same double */
  const char *name;         /* owned by the bag */
  char *text;
} nnb__entry;

typedef struct nnb__bag {
  nnb__tensor *tensors;
  nnb__entry *entries;
  size_t n_tensors, n_entries, cap_tensors, cap_entries;
  nnb__table tensor_names, entry_names; /* name i belongs to tensor or entry i */
  nnb_status status;                    /* of the first put that failed; later ones do nothing */
} nnb__bag;

size_t nnb__dtype_size(nnb__dtype dtype);

/* {0} is an empty bag.  Clear releases names and texts (not the borrowed data) and empties the bag. */
void nnb__bag_clear(nnb__bag *bag);

/* Errors are sticky in bag->status: NNB_E_NOMEM; NNB_E_ARG for a name that exists already.  Names and texts are
 * copied. */
void nnb__bag_tensor(nnb__bag *bag, const char *name, nnb__dtype dtype, int n_dims, const size_t *dim,
                     const void *data);
/* The same for numbers in a store. */
void nnb__bag_stored(nnb__bag *bag, const char *name, nnb__dtype dtype, int n_dims, const size_t *dim,
                     const nnb__store *store, uint64_t at);
void nnb__bag_string(nnb__bag *bag, const char *name, const char *text);
void nnb__bag_number(nnb__bag *bag, const char *name, double value);

/* NULL or false if there is no such name; get_number also if the text is not a number. */
const nnb__tensor *nnb__bag_find_tensor(const nnb__bag *bag, const char *name);
const char *nnb__bag_find_string(const nnb__bag *bag, const char *name);
bool nnb__bag_find_number(const nnb__bag *bag, const char *name, double *out);

/* Number of elements. */
size_t nnb__tensor_count(const nnb__tensor *tensor);

#endif
