/* num/sizes.c: the sizes of the public structs that end in reserved words, where pointers have 64 bits: a field may be
 * added in their place, and a program that was compiled before still hands in the same number of bytes. */
#include <assert.h>

#include "real.h"

#if UINTPTR_MAX == UINT64_MAX
static_assert(sizeof(nnb_blas_facts) == 472, "size of nnb_blas_facts");
static_assert(sizeof(nnb_dense_opts) == 80, "size of nnb_dense_opts");
static_assert(sizeof(nnb_record) == 96, "size of nnb_record");
static_assert(sizeof(nnb_fit_opts) == 288, "size of nnb_fit_opts");
static_assert(sizeof(nnb_report) == 152, "size of nnb_report");
static_assert(sizeof(nnb_metrics) == 104, "size of nnb_metrics");
static_assert(sizeof(nnb_optim_opts) == 208, "size of nnb_optim_opts");
static_assert(sizeof(nnb_error_bars_opts) == 72, "size of nnb_error_bars_opts");
static_assert(sizeof(nnb_min_record) == 88, "size of nnb_min_record");
static_assert(sizeof(nnb_min_opts) == 168, "size of nnb_min_opts");
static_assert(sizeof(nnb_min_report) == 120, "size of nnb_min_report");
static_assert(sizeof(nnb_sums) == 64, "size of nnb_sums");
static_assert(sizeof(nnb_csv_opts) == 72, "size of nnb_csv_opts");
static_assert(sizeof(nnb_batch) == 104, "size of nnb_batch");
static_assert(sizeof(nnb_load_opts) == 80, "size of nnb_load_opts");
static_assert(sizeof(nnb_plan_opts) == 96, "size of nnb_plan_opts");
static_assert(sizeof(nnb_fdf) == 56, "size of nnb_fdf");
static_assert(sizeof(nnb_lsq) == 80, "size of nnb_lsq");
#endif
