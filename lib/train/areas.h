/* train/areas.h: the area under a ROC curve. */
#ifndef NNB__AREAS_H
#define NNB__AREAS_H

#include "real.h"

/* Bytes of a row in the memory that nnb__area sorts in; it takes 2·n of them. */
size_t nnb__ranked_size(void);
/* The share of the pairs of a row that is it and one that is not in which the first has the larger score, ties counted
 * by half, weighted.  score[i·stride], is[i·is_stride] and weight[i] for i < n.  NaN if there are no such pairs. */
double nnb__area(int n, const real *score, int stride, const unsigned char *is, int is_stride, const real *weight,
                 void *memory);

#endif
