/* nnblas/extend.h: one's own activations, losses and layers.  Read twice by <nnblas.h>, as typed.h is.
 *
 * The library's own parts are made of the same tables.  A table is a constant that outlives every net that uses it;
 * data of your own goes behind it, with the table as the first member of your struct: the functions get `self`.
 * All that can fail happens in a layer's shape; the rest returns nothing, allocates nothing, and may run in several
 * threads at once on different rows.  Check what you wrote with nnb_check_gradient. */

/* ---- activations ------------------------------------------------------------------------------------------------ */

typedef struct nnb_act_ops nnb_act_ops;
struct nnb_act_ops {
  const char *name; /**< for strings, tables and files */
  unsigned traits;
  /* REQUIRED */
  /** a ← f(z); a may be z. */
  void (*value)(const nnb_act_ops *self, nnb_cmat z, nnb_mat a);
  /** d ← d·∂a/∂z: element by element, or for ROWWISE the product of each row with the Jacobian. */
  void (*pull)(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d);
  void *reserved[8];
};

/** Makes an activation known to a net; the result is used like the built-in ones, or is a negative nnb_status. */
NNB_API int nnb_net_own_activation(nnb_net *net, const nnb_act_ops *ops);

/* ---- losses ----------------------------------------------------------------------------------------------------- */

typedef struct nnb_loss_ops nnb_loss_ops;
struct nnb_loss_ops {
  const char *name;
  unsigned traits;
  /* REQUIRED */
  /** Σ weight_i·ℓ(a_i, t_i), undivided.  If da.p is not NULL, also da ← scale·weight_i·∂ℓ/∂a.  batch: t or label
   *  (then t is the unit vector of the class; of one output, 0 or 1), weight or NULL.                                */
  double (*value)(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, nnb_real scale, nnb_mat da);
  /* OPTIONAL: NULL means the words in brackets */
  nnb_activation fuses; /**< the activation that fused computes with [ignored without fused]                          */
  /** The same from z before that activation, with delta ← scale·weight_i·∂ℓ/∂z; delta may be z.  [activation, value,
   *  pull]                                                                                                           */
  double (*fused)(const nnb_loss_ops *self, nnb_cmat z, const nnb_batch *batch, nnb_real scale, nnb_mat delta);
  /** t ← targets drawn from the density ∝ e^-ℓ(a, t) that the loss stands for, given the outputs a; for kfac.  Where
   *  fused is there as well, its ∂ℓ/∂z must be a - t.  [kfac takes the targets of the data]                          */
  void (*sample)(const nnb_loss_ops *self, nnb_cmat a, nnb_rng *rng, nnb_mat t);
  void *reserved[8];
};

/** Makes a loss known to a net; the result is used like the built-in ones, or is a negative nnb_status. */
NNB_API int nnb_net_own_loss(nnb_net *net, const nnb_loss_ops *ops);

/* ---- layers ----------------------------------------------------------------------------------------------------- */

/** One layer at run time, for the rows of one part of the batch. */
typedef struct nnb_layer_io {
  int n_from;
  const nnb_cmat *a; /**< inputs: B×cols each                                                                  */
  nnb_mat z;         /**< forward writes B×O                                                                   */
  nnb_cmat delta;    /**< backward reads ∂E/∂Z, B×O                                                            */
  nnb_mat *da;       /**< ∂E/∂input k: B×cols; backward_data writes da[k] ← da_beta·da[k] + …                  */
  nnb_real da_beta;  /**< 0 (overwrite: what was there may be NaN) or 1                                        */
  const nnb_real *w; /**< the block [W; b]                                                                     */
  nnb_real *scratch; /**< B·scratch numbers                                                                    */
  int part, parts;   /**< what to do of the work, 0 and 1: all.  backward_params: rows [w_rows·part/parts,
                          w_rows·(part+1)/parts) of W; the last part also does the bias.  forward and backward_data,
                          if the layer asked for it (nnb_needs.by_columns): such columns of z or of da[k]      */
  int cols_before;   /**< backward_data: columns of the inputs before input k, together                        */
  const nnb_run *run; /**< what the run is for, and which rows these are                                       */
  void *reserved[9];
} nnb_layer_io;

/** Where a parameter gradient goes: W ← beta·W + alpha·∂E/∂W at w, likewise b.  A beta of 0 overwrites.  NULL: leave
 *  out.                                                                                                              */
typedef struct nnb_sink {
  nnb_real *w, *b;
  nnb_real alpha, beta, beta_bias;
} nnb_sink;

typedef struct nnb_layer_ops nnb_layer_ops;
struct nnb_layer_ops {
  const char *name;      /**< for tables and files                                                              */
  size_t size;           /**< bytes of the struct that self points to: a copy that belongs to the net           */
  const nnb_attr *attrs; /**< its fields for files, or NULL                                                     */
  /* REQUIRED */
  /** Checks the widths of the inputs and fills needs.  May write fields of self.  An error's sentence:
   *  nnb_layer_fail.                                                                                                 */
  nnb_status (*shape)(void *self, const int *cols, int n_from, nnb_needs *needs);
  void (*forward)(const void *self, const nnb_layer_io *io);
  void (*backward_data)(const void *self, const nnb_layer_io *io, int k);
  /* OPTIONAL: NULL means the words in brackets */
  void (*backward_params)(const void *self, const nnb_layer_io *io, const nnb_sink *sink); /**< [no parameters]   */
  void (*init)(const void *self, nnb_real *w, nnb_rng *rng, nnb_real *scratch);            /**< [all zero]        */
  /** ∂E/∂W and ∂E/∂b of each row of the batch by itself: those of row i at w + i·ld and b + i·ld, overwritten.  w or b
   *  NULL: leave out.  [one-row backward_params]                                                                     */
  void (*backward_rows)(const void *self, const nnb_layer_io *io, nnb_real *w, nnb_real *b, size_t ld);
  /** Views of the a (B×w_rows) and delta (B×w_cols) of whose rows the gradient of row i is ∂E/∂W = a_iᵀ·delta_i and
   *  ∂E/∂b = delta_i.  [kfac scales the parameters one by one]                                                       */
  void (*kron)(const void *self, const nnb_layer_io *io, nnb_cmat *a, nnb_cmat *delta);
  void *reserved[12];
};

/** Adds a layer of one's own.  self: ops->size bytes, copied (NULL if size is 0).  from: n nodes (n 0: the node added
 *  last).  name NULL: from ops->name.  Returns the node, or a negative nnb_status.                                   */
NNB_API int nnb_net_own_layer(nnb_net *net, const nnb_layer_ops *ops, const void *self, const int *from, int n,
                              nnb_activation activation, const char *name);
