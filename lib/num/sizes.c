/* num/sizes.c: asserts the sizes of the public structs with reserved words, for pointers of 64 bits.  A new field takes
 * the place of a reserved word, so a compiled program still passes the same number of bytes. */
#include <assert.h>

#include "real.h"

#if UINTPTR_MAX == UINT64_MAX
static_assert(sizeof(nnb_blas_facts) == 512, "size of nnb_blas_facts");
static_assert(sizeof(nnb_dense_opts) == 128, "size of nnb_dense_opts");
static_assert(sizeof(nnb_record) == 128, "size of nnb_record");
static_assert(sizeof(nnb_fit_opts) == 512, "size of nnb_fit_opts");
static_assert(sizeof(nnb_progress) == 80, "size of nnb_progress");
static_assert(sizeof(nnb_loss_opts) == 80, "size of nnb_loss_opts");
static_assert(sizeof(nnb_score_opts) == 56, "size of nnb_score_opts");
static_assert(sizeof(nnb_option) == 96, "size of nnb_option");
static_assert(sizeof(nnb_report) == 256, "size of nnb_report");
static_assert(sizeof(nnb_training) == 128, "size of nnb_training");
static_assert(sizeof(nnb_metrics) == 128, "size of nnb_metrics");
static_assert(sizeof(nnb_cv_opts) == 128, "size of nnb_cv_opts");
static_assert(sizeof(nnb_cv_run) == 256, "size of nnb_cv_run");
static_assert(sizeof(nnb_cv_score) == 80, "size of nnb_cv_score");
static_assert(sizeof(nnb_cv_report) == 448, "size of nnb_cv_report");
static_assert(sizeof(nnb_optim_opts) == 320, "size of nnb_optim_opts");
static_assert(sizeof(nnb_error_bars_opts) == 96, "size of nnb_error_bars_opts");
static_assert(sizeof(nnb_min_record) == 128, "size of nnb_min_record");
static_assert(sizeof(nnb_min_opts) == 320, "size of nnb_min_opts");
static_assert(sizeof(nnb_min_report) == 192, "size of nnb_min_report");
static_assert(sizeof(nnb_sums) == 96, "size of nnb_sums");
static_assert(sizeof(nnb_csv_opts) == 160, "size of nnb_csv_opts");
static_assert(sizeof(nnb_c_opts) == 96, "size of nnb_c_opts");
static_assert(sizeof(nnb_torch_opts) == 96, "size of nnb_torch_opts");
static_assert(sizeof(nnb_onnx_opts) == 96, "size of nnb_onnx_opts");
static_assert(sizeof(nnb_array) == 112, "size of nnb_array");
static_assert(sizeof(nnb_batch) == 160, "size of nnb_batch");
static_assert(sizeof(nnb_load_opts) == 128, "size of nnb_load_opts");
static_assert(sizeof(nnb_plan_opts) == 128, "size of nnb_plan_opts");
static_assert(sizeof(nnb_fdf) == 96, "size of nnb_fdf");
static_assert(sizeof(nnb_lsq) == 160, "size of nnb_lsq");
static_assert(sizeof(nnb_needs) == 128, "size of nnb_needs");
static_assert(sizeof(nnb_layer_io) == 192, "size of nnb_layer_io");
#endif
