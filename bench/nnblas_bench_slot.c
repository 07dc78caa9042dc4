/* nnblas_bench WORKLOAD DTYPE THREADS: libnnblas in a comparison of several libraries on the same data.
 * PB_DATA: the folder of the data (default "data"); PB_BUDGET: seconds to measure (default 0.6).
 * nnblas_bench data FOLDER writes such data.  bench/README.md. */
#include <nnblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "slot.h"
#include "start.h"

int main(int argc, char **argv) {
  int child = start_child(argc, argv);
  if (child >= 0) return child;
  if (argc == 3 && !strcmp(argv[1], "data")) return write_files(argv[2]) ? 1 : 0;
  int threads = argc == 4 ? atoi(argv[3]) : 0;
  bool f32 = argc == 4 && !strcmp(argv[2], "f32"), f64 = argc == 4 && !strcmp(argv[2], "f64");
  if (threads < 1 || (!f32 && !f64))
    return fprintf(stderr, "usage: nnblas_bench WORKLOAD f32|f64 THREADS\n       nnblas_bench data FOLDER\n"), 2;
  if (nnb_set_threads(threads)) return fprintf(stderr, "nnblas_bench: %s\n", nnb_errmsg()), 1;
  if (!strcmp(argv[1], "W6biter")) return (f32 ? slot_iteration_f32 : slot_iteration_f64)(threads);
  if (!strcmp(argv[1], "epochs")) return (f32 ? slot_epochs_f32 : slot_epochs_f64)(threads);
  int fitted = (f32 ? slot_fit_f32 : slot_fit_f64)(argv[1], threads);
  if (fitted != SLOT_UNKNOWN) return fitted;
  return (f32 ? slot_run_f32 : slot_run_f64)(argv[1], threads);
}
