/* num/kernels/act_slopes.h: second and third derivatives of activations: of own ones by their functions, of built-in
 * ones by formulas. */
#ifndef NNB__ACT_SLOPES_H
#define NNB__ACT_SLOPES_H

#include "real.h"

/* Whether the activation has second derivatives; order 3: third ones too.  act NULL: linear. */
bool nnb__act_bends(const nnb_act_ops *act, int order);
/* s ← f'' (order 2) or f''' (order 3), of an element-wise activation; a and z as for pull. */
void nnb__act_slope(const nnb_act_ops *act, int order, nnb_cmat z, nnb_cmat a, nnb_mat s);
/* d ← d + ∂(v·(∂a/∂z)·dz)/∂z, of an activation over whole rows. */
void nnb__act_bend(const nnb_act_ops *act, nnb_cmat z, nnb_cmat a, nnb_cmat dz, nnb_cmat v, nnb_mat d);

#endif
