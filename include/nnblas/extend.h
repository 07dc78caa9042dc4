/* nnblas/extend.h: your own activations, losses and layers.  <nnblas.h> reads it twice, as typed.h.
 *
 * The built-in activations, losses and layers use the same tables of functions.  A table is a constant that outlives
 * every net that uses it.  To give a table data of its own, put it first in a struct; the functions get a pointer to it
 * as `self`.  Only a layer's shape can fail.  All other functions return nothing or a sum, allocate nothing, and may
 * run in several threads at once on different rows.  nnb_check_gradient tests them. */

/* ---- activations ------------------------------------------------------------------------------------------------ */
/** An activation: its name and its functions. */
typedef struct nnb_act_ops nnb_act_ops;
struct nnb_act_ops {
  const char *name; /**< in strings, summaries and files */
  unsigned traits;
  /* REQUIRED */
  /** a ← f(z); a may be z. */
  void (*value)(const nnb_act_ops *self, nnb_cmat z, nnb_mat a);
  /** d ← d·∂a/∂z: element by element, or with NNB_ACT_ROWWISE each row times its Jacobian. */
  void (*pull)(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d);
  /* OPTIONAL: NULL means the words in brackets */
  /** With NNB_ACT_ROWWISE, for derivatives along a direction: d ← d·(∂a/∂z)ᵀ.  If the Jacobian is symmetric, as that of
   *  softmax, it is pull.  [pull; with NNB_ACT_ROWWISE nnb_plan_jvp is NNB_E_UNSUPPORTED]                            */
  void (*push)(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d);
  /** Without NNB_ACT_ROWWISE, for second derivatives: s ← f''(z) if order is 2, f'''(z) if it is 3; with it, ignored.
   *  [what needs second derivatives is NNB_E_UNSUPPORTED]                                                            */
  void (*slope)(const nnb_act_ops *self, int order, nnb_cmat z, nnb_cmat a, nnb_mat s);
  /** With NNB_ACT_ROWWISE, for second derivatives: d ← d + ∂(v·(∂a/∂z)·dz)/∂z for each row, with dz and v constant.
   *  [the same]                                                                                                      */
  void (*bend)(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_cmat dz, nnb_cmat v, nnb_mat d);
  void *reserved[5];
};

/** Registers an activation with a net.  Returns a value to use like the built-in ones, or a negative nnb_status. */
NNB_API int nnb_net_own_activation(nnb_net *net, const nnb_act_ops *ops);

/* ---- losses ----------------------------------------------------------------------------------------------------- */
/** A loss: its name and its functions. */
typedef struct nnb_loss_ops nnb_loss_ops;
struct nnb_loss_ops {
  const char *name;
  unsigned traits;
  /* REQUIRED */
  /** Returns Σ weight_i·ℓ(a_i, t_i), undivided.  If da.p is not NULL, also da ← scale·weight_i·∂ℓ/∂a.  batch has weight
   *  or NULL, and t or label; with label, t is the unit vector of the class (for one output: 0 or 1).                */
  double (*value)(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, nnb_real scale, nnb_mat da);
  /* OPTIONAL: NULL means the words in brackets */
  nnb_activation fuses; /**< the activation that fused includes [ignored without fused]                       */
  /** The same, computed from z before that activation: delta ← scale·weight_i·∂ℓ/∂z.  delta may be z.  [activation,
   *  value, pull]                                                                                                    */
  double (*fused)(const nnb_loss_ops *self, nnb_cmat z, const nnb_batch *batch, nnb_real scale, nnb_mat delta);
  /** For kfac: t ← targets drawn from the density ∝ e^-ℓ(a, t), given the outputs a.  If there is also a fused
   *  function, its ∂ℓ/∂z must be a - t.  [kfac uses the targets of the data]                                         */
  void (*sample)(const nnb_loss_ops *self, nnb_cmat a, nnb_rng *rng, nnb_mat t);
  void *reserved[8];
};

/** Registers a loss with a net.  Returns a value to use like the built-in ones, or a negative nnb_status. */
NNB_API int nnb_net_own_loss(nnb_net *net, const nnb_loss_ops *ops);

/* ---- layers ----------------------------------------------------------------------------------------------------- */

/** The data of one layer for the rows of one part of the batch. */
typedef struct nnb_layer_io {
  int n_from;
  const nnb_cmat *a; /**< inputs: B×cols each                                                                  */
  nnb_mat z;         /**< forward writes B×O                                                                   */
  nnb_cmat delta;    /**< backward reads ∂E/∂Z, B×O                                                            */
  nnb_mat *da;       /**< ∂E/∂input k: B×cols; backward_data writes da[k] ← da_beta·da[k] + …                  */
  nnb_real da_beta;  /**< 0 (overwrite: the old value may be NaN) or 1                                         */
  const nnb_real *w; /**< the block [W; b]                                                                     */
  nnb_real *scratch; /**< B·scratch numbers                                                                    */
  int part, parts;   /**< the share of the work; 0 and 1: all of it.  backward_params: rows [w_rows·part/parts,
                          w_rows·(part+1)/parts) of W, and in the last part also b.  forward, prepare_back and
                          backward_data, only if the layer set nnb_needs.by_columns: the same share of the columns of z
                          or da[k]; a layer that couples rows may share out its work as it likes */
  int cols_before;   /**< backward_data: total number of columns of the inputs before input k                  */
  const nnb_run *run; /**< the purpose of the run, and the numbers of these rows                               */
  const nnb_real *buffers; /**< the layer's buffers (nnb_needs.buffers)                                        */
  nnb_real *new_buffers;   /**< the same numbers, to be changed: in the forward pass of a gradient or an update; NULL in
                                every other pass                                                               */
  nnb_real *work;          /**< nnb_needs.work numbers                                                         */
  void *reserved[6];
} nnb_layer_io;

/** The destination of a parameter gradient: W ← beta·W + alpha·∂E/∂W at w, and the same for b with beta_bias.  A beta
 *  of 0 overwrites.  w or b NULL: not wanted.                                                                        */
typedef struct nnb_sink {
  nnb_real *w, *b;
  nnb_real alpha, beta, beta_bias;
} nnb_sink;
/** A layer: its name, its fields and its functions. */
typedef struct nnb_layer_ops nnb_layer_ops;
struct nnb_layer_ops {
  const char *name;      /**< in summaries and files; a net takes only one struct of this name                  */
  size_t size;           /**< bytes of the struct that self points to; the net owns a copy                      */
  const nnb_attr *attrs; /**< the fields of that struct that files keep, or NULL                                */
  /* REQUIRED */
  /** Checks the widths of the inputs and fills needs; needs->from has their shapes.  May write fields of self.  Sets
   *  the message of an error with nnb_layer_fail.                                                                    */
  nnb_status (*shape)(void *self, const int *cols, int n_from, nnb_needs *needs);
  void (*forward)(const void *self, const nnb_layer_io *io);
  void (*backward_data)(const void *self, const nnb_layer_io *io, int k);
  /* OPTIONAL: NULL means the words in brackets */
  void (*backward_params)(const void *self, const nnb_layer_io *io, const nnb_sink *sink); /**< [no parameters]   */
  /** Draws the weights; b stays 0.  Must not use the net, whose parameters do not exist yet.  [all zero] */
  void (*init)(const void *self, nnb_real *w, nnb_rng *rng, nnb_real *scratch);
  /** ∂E/∂W and ∂E/∂b of each row of the batch separately: those of row i at w + i·ld and b + i·ld, overwritten.  w or b
   *  NULL: not wanted.  [backward_params, row by row]                                                                */
  void (*backward_rows)(const void *self, const nnb_layer_io *io, nnb_real *w, nnb_real *b, size_t ld);
  /** For kfac: views of matrices a (B×w_rows) and delta (B×w_cols) such that row i has the gradients ∂E/∂W =
   *  a_iᵀ·delta_i and ∂E/∂b = delta_i.  [kfac scales each parameter separately]                                      */
  void (*kron)(const void *self, const nnb_layer_io *io, nnb_cmat *a, nnb_cmat *delta);
  /** Writes the initial values of the buffers.  Must not use the net.  [all zero] */
  void (*init_buffers)(const void *self, nnb_real *buffers);
  /** The derivative of forward along directions, n for each row of the batch: dz ← Σ_k ∂Z/∂A_k·da[k].  Rows i·n …
   *  i·n+n-1 of da[k] (B·n×cols) and of dz (B·n×O) belong to row i of io, which has the inputs and scratch of the
   *  forward pass; io->z is not valid.  [nnb_plan_jvp is NNB_E_UNSUPPORTED; Jacobians go backward]                   */
  void (*tangent)(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz);
  /** Called once the rows' delta is complete, before backward_data (which is not called for every input) and
   *  backward_params: computes what both use, into scratch or, under its rule, work.  May be called again for another
   *  delta of the same forward pass; what counts is the last call.  [nothing]                                        */
  void (*prepare_back)(const void *self, const nnb_layer_io *io);
  void *reserved[9];
};

/** Adds a layer of your own.  self: ops->size bytes, copied; NULL if size is 0.  from: n input nodes; n 0: the node
 *  added last.  name NULL: made from ops->name.  Returns the node, or a negative nnb_status.                         */
NNB_API int nnb_net_own_layer(nnb_net *net, const nnb_layer_ops *ops, const void *self, const int *from, int n,
                              nnb_activation activation, const char *name);
