/* opt/minimize_kept.h: nnb_minimize and nnb_least_squares with checkpoints and by ranks; keep and comm may be NULL. All
 * ranks call them with the same arguments; eval returns the same on all of them. */
#ifndef NNB__MINIMIZE_KEPT_H
#define NNB__MINIMIZE_KEPT_H

#include "comm.h"
#include "keep.h"
#include "tree.h"

nnb_status nnb__minimize(const nnb_fdf *f, real *x, const nnb_min_opts *opts, nnb__keep *keep, nnb__comm *comm,
                         nnb_min_report *report);
/* tree: NULL, or sums over the ranks are in its order; n_groups: of residuals, on all of them. */
nnb_status nnb__least_squares(const nnb_lsq *problem, real *x, const nnb_min_opts *opts, nnb__keep *keep,
                              nnb__comm *comm, const nnb__tree *tree, int n_groups, nnb_min_report *report);

#endif
