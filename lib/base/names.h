/* base/names.h: names of the enumerations, found without a message where there is none. */
#ifndef NNB__NAMES_H
#define NNB__NAMES_H

/* The value with that name, or -1. */
int nnb__activation_place(const char *name);
int nnb__loss_place(const char *name);
int nnb__algo_place(const char *name);
/* The metric with that name, or 0. */
unsigned nnb__metric_flag(const char *name);
/* The i-th name of NNB_METRIC_LIST, from 0; NULL after the last. */
const char *nnb__metric_at(int i);

#endif
