/* array_case npy IN OUT, array_case npz IN KEY OUT: reads an array and writes it again, in this precision. */
#include <stdio.h>
#include <string.h>

#include "../precision.h"

int main(int argc, char **argv) {
  nnb_array a = {0};
  const bool npz = argc == 5 && strcmp(argv[1], "npz") == 0;
  if (!npz && argc != 4) return fprintf(stderr, "usage: array_case npy IN OUT | npz IN KEY OUT\n"), 2;
  nnb_status status = npz ? nnb_array_read_npz(argv[2], argv[3], &a) : nnb_array_read_npy(argv[2], &a);
  if (!status && npz) status = nnb_array_write_npz(argv[4], (const char *const[]){argv[3]}, &a, 1, NNB_ARRAY_SAME);
  if (!status && !npz) status = nnb_array_write_npy(argv[3], &a, NNB_ARRAY_SAME);
  if (status) fprintf(stderr, "%s\n", nnb_errmsg());
  nnb_array_clear(&a);
  return status ? 1 : 0;
}
