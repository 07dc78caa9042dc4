/* data/data.h: what the modules above need of data beyond the public calls. */
#ifndef NNB__DATA_H
#define NNB__DATA_H

#include "real.h"

/* shift and factor of each input column (targets: of each target column): x' = (x - shift)·factor.  Two passes in
 * double; a constant column gets its value and 1.  NNB_E_ARG for targets where there are none. */
nnb_status nnb__data_scaler(const nnb_data *data, bool targets, nnb_scaling scaling, real *shift, real *factor);

/* For readers: takes over arrays that came from nnb__alloc (also when it fails) and checks them as nnb_data_copy does.
 * x: rows×n_in; t: rows×n_t or NULL; label: rows or NULL with n_classes.  Names may be NULL: n_in + n_t column names,
 * n_classes class names, each string and the list from nnb__alloc, taken over as well. */
nnb_status nnb__data_adopt(real *x, int rows, int n_in, real *t, int n_t, int32_t *label, int n_classes,
                           char **column_names, char **class_names, nnb_data **out);

#endif
