/* io/c_parts.h: the functions that emitted C source is made of, as text (c_text.h). */
#ifndef NNB__C_PARTS_H
#define NNB__C_PARTS_H

#include "c_text.h"

/* The helpers.  x and y do not overlap. */
typedef enum nnb__c_helper {
  NNB__C_ZERO,         /* y ← 0 */
  NNB__C_COPY,         /* y ← x */
  NNB__C_ADD,          /* y ← y + x */
  NNB__C_TIMES,        /* y_j ← y_j·factor_j */
  NNB__C_MULTIPLY,     /* y ← y + x·W */
  NNB__C_BACK,         /* x ← x + W·d */
  NNB__C_SCALE,        /* y ← (x - shift)·factor */
  NNB__C_UNSCALE,      /* y ← y/factor + shift */
  NNB__C_DESCEND,      /* W ← W - η·xᵀ·d */
  NNB__C_DESCEND_BIAS, /* b ← b - η·d */
  /* layers of images and norms (c_layer_parts.c) */
  NNB__C_WINDOW,           /* the struct of a window over images */
  NNB__C_RANGE,            /* the places at which a pixel of it is inside */
  NNB__C_SPREAD,           /* y_jq ← b_j, q a pixel of channel j */
  NNB__C_TIMES_CHANNELS,   /* y_jq ← y_jq·factor_j */
  NNB__C_ADD_CHANNELS,     /* y_jq ← y_jq + x_j */
  NNB__C_CONVOLVE,         /* z ← z + the convolution of x */
  NNB__C_CONVOLVE_BACK,    /* x ← x + what is adjoint to it, of d */
  NNB__C_CONVOLVE_DESCEND, /* W ← W - η·∂/∂W */
  NNB__C_DESCEND_CHANNELS, /* b_j ← b_j - η·Σ_q d_jq */
  NNB__C_MOST,             /* pools */
  NNB__C_MOST_BACK,
  NNB__C_AVERAGE,
  NNB__C_AVERAGE_BACK,
  NNB__C_MOMENTS,   /* μ and 1/√(σ² + ε) of x */
  NNB__C_NORMALISE, /* z ← (x - μ)/√(σ² + ε) */
  NNB__C_NORMALISE_BACK,
  NNB__C_DESCEND_GAIN,
  NNB__C_NORM, /* z ← γ(x - μ)·root + β, for channels */
  NNB__C_NORM_BACK,
  NNB__C_LEVEL,  /* a number as the number of a row of a table */
  NNB__C_LOOKUP, /* z_jc ← W_rj, r from x_c */
  NNB__C_LOOKUP_DESCEND,
  NNB__C_GRU_SUMS,  /* of a step: g ← g + [x; h; 1]·[W; U; c] */
  NNB__C_GRU_STATE, /* g from the sums; z ← h after the step */
  NNB__C_GRU_PULL,  /* e, the δ, from g and ∂E/∂h */
  NNB__C_GRU_BACK_H,
  NNB__C_GRU_BACK_X,
  NNB__C_GRU_DESCEND,
  NNB__C_N_HELPERS
} nnb__c_helper;

typedef struct nnb__c_act {
  nnb_activation activation;
  bool from_z;                        /* the slope is computed from z, not from a */
  const char *value;                  /* f(z) of an element z, an expression */
  const char *pull;                   /* g·f' from a (or z) and g; where value stands alone, f' is 0 */
  const char *value_rows, *pull_rows; /* instead of those, the statements for a row v (and d).  All NULL: f(z) is z */
} nnb__c_act;

typedef struct nnb__c_loss {
  nnb_loss loss;
  bool mean;         /* divided by the number of columns */
  const char *slope; /* ∂ℓ/∂a from a, t and, limited, δ */
  bool limited;
  nnb_activation fuses;    /* with that activation before it … */
  bool fused, times_total; /* … ∂ℓ/∂z is a - t, or a·Σt - t */
} nnb__c_loss;

/* NULL for a part that has no C source. */
const nnb__c_act *nnb__c_act_find(int activation);
const nnb__c_loss *nnb__c_loss_find(nnb_loss loss);

/* Static functions: @_copy and similar ones; @_act_tanh(n, v) and @_act_tanh_pull(n, v, d); @_mse_slope(n, c, a, t, d),
 * which adds c times the slope to d (@_huber_slope takes δ after c), and @_mse_logit_slope, the same for the fused
 * pair. */
void nnb__c_put_helper(nnb__c_text *out, nnb__c_helper helper);
/* The text of a helper in c_layer_parts.c, or NULL. */
const char *nnb__c_layer_helper(nnb__c_helper helper);
void nnb__c_put_value(nnb__c_text *out, const nnb__c_act *act);
void nnb__c_put_pull(nnb__c_text *out, const nnb__c_act *act);
void nnb__c_put_slope(nnb__c_text *out, const nnb__c_loss *loss, bool fused);

#endif
