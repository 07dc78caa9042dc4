/* num/patch.h: a window that moves over images: the geometry of convolutions and pools. */
#ifndef NNB__PATCH_H
#define NNB__PATCH_H

#include "real.h"

typedef struct nnb__patches {
  nnb_shape in;                         /* the images that the window moves over */
  int height, width;                    /* of the window */
  int stride_y, stride_x, pad_y, pad_x; /* 1 and 0 along the height of signals */
  int out_height, out_width;            /* numbers of its places */
} nnb__patches;

/* Most numbers under the window of a convolution, for kernels that keep the place of each. */
enum { NNB__MOST_OFFSETS = 1024 };

/* Places of the window. */
static inline int nnb__n_places(const nnb__patches *w) { return w->out_height * w->out_width; }

#endif
