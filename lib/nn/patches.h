/* nn/patches.h: the parts of an image under a window that moves over it.
 *
 * With K = channels·height·width of the window and P its places, the patches of an image are a matrix K×P: row
 * (c·height + y)·width + x has pixel (y, x) of the window on channel c, column p the place p of the window. */
#ifndef NNB__PATCHES_H
#define NNB__PATCHES_H

#include "patch.h"

/* Fits a window into images.  height 0: width, or 1 for signals, images of height 1; their stride and pad apply to the
 * width only.  Calls nnb_layer_fail; layer: the kind of layer, for the message.  NNB_E_SHAPE: no images, or images that
 * are too small.  NNB_E_ARG, NNB_E_OVERFLOW. */
nnb_status nnb__patches_fit(const char *layer, const nnb_shape *image, int height, int width, int stride, int pad,
                            nnb__patches *out);

/* patches ← rows [k0, k0 + patches.rows) and columns [p0, p0 + patches.cols) of the image's patches. */
void nnb__patches_gather(const nnb__patches *w, const real *image, int k0, int p0, nnb_mat patches);
/* The adjoint: adds these numbers to their pixels. */
void nnb__patches_scatter(const nnb__patches *w, nnb_cmat patches, int k0, int p0, real *image);

#endif
