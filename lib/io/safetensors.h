/* io/safetensors.h: bags as safetensors, https://huggingface.co/docs/safetensors.  A file has 8 bytes with the
 * little-endian size of a JSON header; the header, name → {"dtype", "shape", "data_offsets"}, with the bag's strings
 * under "__metadata__"; and the tensors' bytes, row-major and little-endian, which the offsets cover without gaps or
 * overlaps. */
#ifndef NNB__SAFETENSORS_H
#define NNB__SAFETENSORS_H

#include "bag.h"
#include "bytes.h"
#include "file.h"

/* Whether this computer is little-endian.  Tests may change it. */
extern bool nnb__little_endian;

/* The same bag gives the same bytes.  NNB_E_ARG for names that are not UTF-8, NNB_E_UNSUPPORTED on a big-endian
 * computer or if the header is too large. */
nnb_status nnb__safetensors_to_mem(const nnb__bag *bag, nnb__bytes *out);
/* The same as a file, atomically (save.h). */
nnb_status nnb__safetensors_save(const nnb__bag *bag, const char *path);

/* Fills an empty bag; its tensors borrow the file's bytes.  name is for messages.  NNB_E_PARSE; NNB_E_UNSUPPORTED for a
 * dtype or number of dimensions that a bag cannot have. */
nnb_status nnb__safetensors_parse(const void *file, size_t bytes, const char *name, nnb__bag *bag);

/* The same, but such a tensor is put into `others`, an empty bag: its name and a text that says why, "has dtype
 * \"BOOL\"; wanted …".  NULL: it is refused. */
nnb_status nnb__safetensors_parse_some(const void *file, size_t bytes, const char *name, nnb__bag *bag,
                                       nnb__bag *others);

/* The same from a file that stays open: the header is read, the tensors are in the store, which reads the file.  Both
 * outlive the bag. */
nnb_status nnb__safetensors_open(const nnb__file *file, nnb__store *store, nnb__bag *bag);
nnb_status nnb__safetensors_open_some(const nnb__file *file, nnb__store *store, nnb__bag *bag, nnb__bag *others);

#endif
