/* nnblas/typed.h: everything that holds real numbers.  No include guard on purpose: <nnblas.h> reads this file twice,
 * once for double precision (nnb_net, nnb_fit, …) and once between float_on.h and float_off.h for single precision
 * (nnbf_net, nnbf_fit, …).  What is said of one holds for the other; nnb_real is double or float.
 *
 * Matrices are row-major; a row is a sample.  Letters: N samples, B rows of a batch, I inputs, O outputs,
 * P parameters.  Every function that can fail returns a nnb_status (0 or negative) and leaves a sentence for
 * nnb_errmsg(); what it was to produce is then unchanged or NULL.  Pointers named `out` must not be NULL. */

/* ---- views ----------------------------------------------------------------------------------------------------- */

/** A matrix that belongs to somebody else: element (i, j) is p[i*ld + j]; ld ≥ cols. */
typedef struct nnb_mat { nnb_real *p; int rows, cols, ld; } nnb_mat;
/** The same, not to be written. */
typedef struct nnb_cmat { const nnb_real *p; int rows, cols, ld; } nnb_cmat;

/** A view of rows×cols numbers that lie without gaps. */
static inline nnb_mat nnb_view(nnb_real *p, int rows, int cols) {
  nnb_mat m;
  m.p = p, m.rows = rows, m.cols = cols, m.ld = cols;
  return m;
}
static inline nnb_cmat nnb_cview(const nnb_real *p, int rows, int cols) {
  nnb_cmat m;
  m.p = p, m.rows = rows, m.cols = cols, m.ld = cols;
  return m;
}

/** What one call computes on: views of rows that belong to the caller.  {0} is an empty batch.  Several inputs or
 *  outputs of a net are column ranges of the one x and the one t, in the order in which they were declared.         */
typedef struct nnb_batch {
  nnb_cmat x;            /**< B×n_in                                                                      */
  nnb_cmat t;            /**< B×n_out targets in the data's units; p may be NULL.  The cross-entropies take targets
                              from 0 to 1: nnb_fit and nnb_evaluate see to it, once; the calls below them do not */
  const int32_t *label;  /**< instead of t: B class numbers from 0, or NULL; nets with one output only    */
  const nnb_real *weight;/**< B sample weights ≥ 0, or NULL for 1.  Calls over all of the data (nnb_fit, nnb_evaluate,
                              nnb_solve_output, nnb_error_bars_create, nnb_train_rows, nnb_check_gradient) refuse
                              weights that are all 0, or whose sum is too small or too large to divide by
                              (NNB_E_ARG).  A single batch of weights 0 (nnb_plan_loss, nnb_plan_gradient,
                              nnb_train_step) has the loss 0 and the gradient 0: it may be one of many     */
  double norm;           /**< what a mean divides by; 0: Σ weight of this batch.  When one update is spread over
                              several batches, the Σ weight of all of them                                */
  void *reserved[11];
} nnb_batch;

/* ---- data ------------------------------------------------------------------------------------------------------ */

/** Rows with targets or classes, and their names.  Any number of threads may read one at the same time. */
typedef struct nnb_data nnb_data;

/** Data over the caller's arrays, which must outlive it.  rows->x is required; t or label may be missing (data to
 *  predict on).  n_classes: number of classes of the labels, 0: the largest label + 1.
 *  NNB_E_SHAPE if t has not x's rows; NNB_E_ARG for no rows, no columns, a label outside 0 … n_classes-1,
 *  a negative weight, NaN or infinity (the message names row and column).                                           */
NNB_API nnb_status nnb_data_wrap(const nnb_batch *rows, int n_classes, nnb_data **out);
/** The same over a copy of the arrays. */
NNB_API nnb_status nnb_data_copy(const nnb_batch *rows, int n_classes, nnb_data **out);
/** NULL is accepted. */
NNB_API void nnb_data_destroy(nnb_data *data);

/** Reads comma-separated text, plain or gzip-compressed: RFC 4180 quoting, "\n" or "\r\n", empty lines skipped, spaces
 *  around numbers ignored, a byte-order mark skipped.  Every input column must hold finite decimal numbers, with a
 *  decimal point in every locale.  opts NULL: defaults.  A missing class, or NaN where a number is wanted, is an error.
 *  NNB_E_IO if the file cannot be read or is not a regular file; NNB_E_PARSE names file, line and column (the character
 *  of the line where the field begins, from 1): `iris.csv:17:4: "abc" is not a number`; NNB_E_ARG for opts that do not
 *  fit the file.                                                                                                     */
NNB_API nnb_status nnb_data_read_csv(const char *path, const nnb_csv_opts *opts, nnb_data **out);
/** The same from memory; name is what messages call it. */
NNB_API nnb_status nnb_data_parse_csv(const char *text, size_t bytes, const char *name, const nnb_csv_opts *opts,
                                      nnb_data **out);
/** Reads the IDX files of MNIST (ubyte images and labels, plain or gzip-compressed); pixels become 0 … 1.
 *  labels_path NULL: no labels.  NNB_E_UNSUPPORTED for a compressed file in a library built without zlib.           */
NNB_API nnb_status nnb_data_read_idx(const char *images_path, const char *labels_path, nnb_data **out);

NNB_API int nnb_data_rows(const nnb_data *data);
NNB_API int nnb_data_n_in(const nnb_data *data);
/** Columns of t, or the number of classes, or 0 without targets. */
NNB_API int nnb_data_n_out(const nnb_data *data);
/** Number of classes if the data has labels, else 0. */
NNB_API int nnb_data_n_classes(const nnb_data *data);
/** The name of column 0 … n_in-1, of the targets (or the column of classes) behind them, or of a class; NULL where
 *  there is none.  Lives as long as the data.                                                                        */
NNB_API const char *nnb_data_column_name(const nnb_data *data, int column);
NNB_API const char *nnb_data_class_name(const nnb_data *data, int k);
/** Rows row0 … row0+rows-1 as a batch: views into the data.  NNB_E_ARG outside of it. */
NNB_API nnb_status nnb_data_batch(const nnb_data *data, int row0, int rows, nnb_batch *out);

/** Two parts of the data as copies: *second gets round(fraction·N) rows, at least 1, chosen by seed; with labels each
 *  class is split in that proportion, rounded up or down (stratified).  Rows keep their order.
 *  NNB_E_ARG unless 0 < fraction < 1 and both parts get a row.                                                       */
NNB_API nnb_status nnb_data_split(const nnb_data *data, double fraction, uint64_t seed, nnb_data **first, nnb_data **second);
/** Part i of k of a cross-validation: *test gets the i-th of k disjoint parts that cover the data, *train the rest.
 *  Stratified over labels: sizes of parts, and of a class in them, differ by 1 at most.  Rows keep their
 *  order.  NNB_E_ARG unless 2 ≤ k ≤ N and 0 ≤ i < k.                                                                 */
NNB_API nnb_status nnb_data_fold(const nnb_data *data, int k, int i, uint64_t seed, nnb_data **train, nnb_data **test);

/* ---- nets: building -------------------------------------------------------------------------------------------- */

/** A network: a directed acyclic graph of nodes, each X·W + b (or a sum, or columns side by side) and an activation;
 *  a sequential net is a chain of them.
 *
 *  Building: each call returns the number of the node it added (1, 2, …), or a negative nnb_status.  Errors are sticky:
 *  the first one stays in the net, later calls return it again and do nothing, and nnb_plan_create and nnb_fit report
 *  it with its message, so that a program may check once.  Every building call accepts NULL (NNB_E_ARG).
 *  The first plan, nnb_net_init, or access to the parameters seals the net: shapes are fixed, the parameters are
 *  allocated and initialised from the seed, and building calls return NNB_E_STATE from then on.
 *
 *  Sealing stays where the call that caused it is refused, except for the calls of the next paragraph.
 *
 *  Refused calls: a call refused for its arguments, the data, the state or lack of memory leaves the net as it was, bit
 *  for bit; a building call records its error.
 *
 *  Changing calls: while nnb_fit, nnb_solve_output, nnb_check_gradient, nnb_net_init, nnb_net_set_weights or
 *  nnb_net_set_bias runs, nothing else may change the net, neither a callback (on_epoch, a function of an own part) nor
 *  another thread.  NNB_E_STATE then comes from these calls themselves, the building calls, the scalers, nnb_net_freeze,
 *  nnb_optim_step, nnb_optim_average, nnb_train_step and nnb_train_rows; nnb_net_params returns NULL, nnb_net_destroy
 *  does nothing, and both leave the sentence.  Pointers from an earlier nnb_net_params must not be written through.  In
 *  on_epoch all other calls are allowed: to predict, evaluate, save, copy, look, or make plans and optimisers.
 *
 *  Threads: any number of threads may use one net, each with its own plan, as long as none trains it.                */
typedef struct nnb_net nnb_net;

/** A net with one input of n_in columns (node 1).  NULL only when out of memory. */
NNB_API nnb_net *nnb_net_create(int n_in);
/** A chain from a string: sizes joined by '-', the inputs first, each later one a dense layer with optional fields
 *  joined by ':': "64-32:tanh-10:softmax".  A field is an activation's name or key=value: act, bias (0 or 1), init,
 *  init_scale, frozen (0: none, 1: weights, 2: bias, 3: both), name.  Without an activation: relu for hidden layers,
 *  linear for the last. NNB_E_PARSE names the place.                                                                 */
NNB_API nnb_status nnb_net_parse(const char *text, nnb_net **out);
/** NULL is accepted.  Plans of the net must be destroyed first.  Does nothing while a fit of the net runs (nnb_net). */
NNB_API void nnb_net_destroy(nnb_net *net);
/** A copy with the same structure, parameters, scalers and names, without plans or history. */
NNB_API nnb_status nnb_net_copy(const nnb_net *net, nnb_net **out);

/** A dense layer of n_out units behind the node added last. */
NNB_API int nnb_net_dense(nnb_net *net, int n_out, nnb_activation activation);
/** The same with everything that can be chosen. */
NNB_API int nnb_net_dense_opts(nnb_net *net, const nnb_dense_opts *opts);
/** A further input of n columns: the next columns of x.  name NULL: input2, … */
NNB_API int nnb_net_input(nnb_net *net, int n, const char *name);
/** f applied to node from (0: the one added last). */
NNB_API int nnb_net_activation(nnb_net *net, int from, nnb_activation activation);
/** The sum of n ≥ 1 nodes of equal width, then an activation. */
NNB_API int nnb_net_add(nnb_net *net, const int *from, int n, nnb_activation activation);
/** The columns of n ≥ 1 nodes side by side. */
NNB_API int nnb_net_concat(nnb_net *net, const int *from, int n);
/** Declares a node to be an output: the next columns of y and t.  Without any declaration the node added last is the
 *  one output.  Returns the node.                                                                                   */
NNB_API int nnb_net_output(nnb_net *net, int node);
/** The loss of every output that has none of its own.  The total is the sum over the outputs.  Returns NNB_OK or an
 *  error. A cross-entropy of outputs that are no probabilities, or with scaled targets, is an error when the net is
 *  sealed.                                                                                                           */
NNB_API int nnb_net_loss(nnb_net *net, nnb_loss loss);
/** The loss of one output, times a factor > 0. */
NNB_API int nnb_net_output_loss(nnb_net *net, int node, nnb_loss loss, double factor);
/** The seed of the initial parameters (default 0).  Returns NNB_OK or an error. */
NNB_API int nnb_net_seed(nnb_net *net, uint64_t seed);

/** The first error of the building calls, NNB_OK if none. */
NNB_API nnb_status nnb_net_status(const nnb_net *net);
/** Draws all parameters anew from the seed (sealing the net).  This is what sealing does by itself the first time. */
NNB_API nnb_status nnb_net_init(nnb_net *net, uint64_t seed);

/** Scalers, stored in the net (nnb_net_standardize: inputs only, to mean 0 and deviation 1): inputs are scaled on their
 *  way in, predictions scaled back on their way out, so x, y, t are in the data's units everywhere.  The statistics
 *  come from data's rows.  Scaled targets are for regression: the loss, its history and target_loss are then in scaled
 *  units.  NNB_E_STATE once the net is sealed; NNB_E_SHAPE if the columns differ from the net's; NNB_E_NUMERIC for
 *  numbers spread so far that their differences overflow.  All of these return NNB_OK or an error and are sticky as
 *  building calls are.                                                                                               */
NNB_API int nnb_net_standardize(nnb_net *net, const nnb_data *data);
NNB_API int nnb_net_scale_inputs(nnb_net *net, const nnb_data *data, nnb_scaling scaling);
NNB_API int nnb_net_scale_targets(nnb_net *net, const nnb_data *data, nnb_scaling scaling);
/** shift and factor of the inputs (n_in values each) or targets (n_out); *shift is NULL where nothing is scaled.
 *  x' = (x - shift)·factor, x = x'/factor + shift.  Valid as long as the net.                                         */
NNB_API void nnb_net_input_scaler(const nnb_net *net, const nnb_real **shift, const nnb_real **factor);
NNB_API void nnb_net_target_scaler(const nnb_net *net, const nnb_real **shift, const nnb_real **factor);
/** x ← (x - shift)·factor, or back, for a scaler as above.  shift NULL: nothing. */
NNB_API void nnb_scale(nnb_mat x, const nnb_real *shift, const nnb_real *factor);
NNB_API void nnb_unscale(nnb_mat x, const nnb_real *shift, const nnb_real *factor);

/* ---- nets: looking at and changing them ------------------------------------------------------------------------ */

/** Columns of x and of y; 0 for a net whose building failed or that has no node but inputs. */
NNB_API int nnb_net_n_in(const nnb_net *net);
NNB_API int nnb_net_n_out(const nnb_net *net);
/** Number of nodes; nodes are 1 … n. */
NNB_API int nnb_net_n_nodes(const nnb_net *net);
/** The node of that name, or 0. */
NNB_API int nnb_net_find(const nnb_net *net, const char *name);
NNB_API const char *nnb_net_node_name(const nnb_net *net, int node);
/** Names of columns and classes, taken over by nnb_fit from its training data and kept in files; NULL where there is
 *  none.  A fit that is refused takes none.  nnb_fit, nnb_evaluate, nnb_solve_output and nnb_error_bars_create refuse data whose columns or classes are
 *  named otherwise (NNB_E_SHAPE): columns in another order would give numbers that mean nothing.  Data without names
 *  (nnb_data_wrap) are taken as they come. Columns: inputs, then targets, or the column of classes.                  */
NNB_API const char *nnb_net_column_name(const nnb_net *net, int column);
NNB_API const char *nnb_net_class_name(const nnb_net *net, int k);

/** A table: layer, output shape, parameters, bytes; to the stream handed in. */
NNB_API nnb_status nnb_net_summary(const nnb_net *net, FILE *stream);

/** Number of parameters P (seals the net); 0 for a net that cannot be sealed. */
NNB_API size_t nnb_net_n_params(nnb_net *net);
/** All parameters: one vector without gaps, a dense layer's block is [W; b], (I+1)×O.  Writable,
 *  but not while another thread uses the net.  NULL for a net that cannot be sealed, or while a fit of it runs (nnb_net).
 */
NNB_API nnb_real *nnb_net_params(nnb_net *net);
/** The same to be read, at any time. */
NNB_API const nnb_real *nnb_net_params_read(nnb_net *net);
/** Weights (I×O) of a layer: a view into the parameters.  NNB_E_ARG for a node without weights. */
NNB_API nnb_status nnb_net_weights(nnb_net *net, int node, nnb_cmat *out);
/** Bias (1×O) of a layer: a view into the parameters.  NNB_E_ARG for a node without a bias. */
NNB_API nnb_status nnb_net_bias(nnb_net *net, int node, nnb_cmat *out);
/** Copy numbers into the weights or the bias of a layer.  NNB_E_SHAPE. */
NNB_API nnb_status nnb_net_set_weights(nnb_net *net, int node, nnb_cmat w);
NNB_API nnb_status nnb_net_set_bias(nnb_net *net, int node, nnb_cmat b);
/** What of a layer training leaves alone: NNB_WEIGHTS, NNB_BIAS, both, or 0 for nothing.  At any time but while a fit of
 *  the net runs (NNB_E_STATE). */
NNB_API nnb_status nnb_net_freeze(nnb_net *net, int node, unsigned parts);

/* ---- training, evaluating, predicting -------------------------------------------------------------------------- */

/** Trains net on train.  val: a validation set, or NULL.  opts, report: may be NULL.
 *  Starts from the present parameters (it never initialises again).  With a validation set, the parameters of the epoch
 *  with the lowest validation loss are in the net at the end.  The start counts as epoch 0, so a fit never leaves a
 *  higher validation loss than the net had before.  Without a validation set, the parameters of the last epoch are in
 *  the net.  When the loss stops being finite the result is NNB_E_NUMERIC and the parameters of the best epoch so far
 *  are in the net.
 *  The parameters of an epoch are those at its end, where it is judged by them: by the validation loss, or by the loss
 *  of a full-batch method.  The training loss from batch to batch is that of moving parameters, and says nothing of the
 *  last ones: there the parameters of an epoch are those it began with.
 *  Reports errors made while building the net, too.  NNB_E_ARG for a target outside 0 … 1 where the loss takes
 *  probabilities (the message names row and column).  After the start nothing is allocated.  train and val must live
 *  until it returns.  A refused fit leaves the net as it was, with its names and the history of the fit before; so does
 *  one that diverged and has best_epoch 0, but for the history.                                                       */
NNB_API nnb_status nnb_fit(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts,
                           nnb_report *report);
/** Sets the parameters of the output layers to those of the least loss on data, exactly, with all others as they are:
 *  with a sum of squares and no activation this is a linear least-squares problem.  What is least is the loss of
 *  nnb_plan_loss over all rows plus ½·ridge·Σw² over the weights of the output layers, not their biases (nnb_fit's l2);
 *  sample weights and scalers count as they do there.  Frozen parameters stay, and the rest is solved for.  Where the
 *  answer is not unique (equal units, fewer rows than units), it is that of the least Σw² + Σb²: what rounding cannot
 *  tell from dependent counts as such, by n·ε of the precision for n inputs and the bias.
 *  Every output must be a dense layer without activation that no other node reads, with the loss half_sse, sse or mse
 *  (NNB_E_UNSUPPORTED).  NNB_E_ARG if ridge is negative or nothing is free; NNB_E_SHAPE, also for columns of other
 *  names than the net's (nnb_net_column_name); NNB_E_NUMERIC if an input of
 *  these layers or a result is not finite; NNB_E_OVERFLOW above 46340 inputs; NNB_E_NOMEM.  After a failure the
 *  parameters are those before.  For n inputs and O outputs of a layer it takes memory for n² + n·O + 256·(n + O)
 *  doubles and a plan of 256 rows, whatever the number of rows, and adds up in double.  No other thread may use the net
 *  meanwhile. Rows are folded one block after the other into a QR factorisation (Golub 1965).                        */
NNB_API nnb_status nnb_solve_output(nnb_net *net, const nnb_data *data, double ridge);
/** Loss, accuracy, error of the net on data, in chunks: memory does not depend on N.  *out is all zero after a failure,
 *  but for NNB_E_NUMERIC: the loss is not finite.                                                                    */
NNB_API nnb_status nnb_evaluate(nnb_net *net, const nnb_data *data, nnb_metrics *out);
/** y ← net(x); x: B×n_in, y: B×n_out in the data's units.  Makes a plan for the call; nnb_plan_predict does not. */
NNB_API nnb_status nnb_net_predict(nnb_net *net, nnb_cmat x, nnb_mat y);
/** The classes: for each row the largest output (one output: 0 or 1, above ½).  label: B numbers.
 *  NNB_E_SHAPE for a net with several outputs (nnb_net_output), NNB_E_UNSUPPORTED for binary_cross_entropy of several
 *  columns, which are labels and not one class: read the columns of nnb_net_predict then.  NNB_E_NUMERIC names the first
 *  row with an output that is NaN; label then holds the classes of the rows before it.                                */
NNB_API nnb_status nnb_net_classify(nnb_net *net, nnb_cmat x, int32_t *label);

/** Error bars of predictions, for a net that a sum of squares was minimised with: a deviation for each row and output.
 *  The parameters are taken to be normally distributed around those of the net with covariance H⁻¹, H = β·Σ g·gᵀ + α·I
 *  over the data (g = ∂y/∂w), and the net to be linear in them within that range (MacKay 1992).  They hold where the
 *  model does: far from the data they grow, but not as fast as ignorance does.
 *  Holds P² doubles (P: parameters that are not frozen; frozen ones count as known).  It belongs to the parameters of
 *  the moment it was made: when the net is trained further it must be made anew.  The net must outlive it.
 *  Threads: as for plans, one thread at a time; nnb_error_bars_copy gives another thread its own.                    */
typedef struct nnb_error_bars nnb_error_bars;

/** Makes error bars for net from the data it was trained on and what the fit has found: opts->evidence =
 *  report.evidence. Costs about two iterations of lm.  opts NULL: no decay, and noise estimated.  NNB_E_UNSUPPORTED for
 *  a loss that is no sum of squares; NNB_E_SHAPE, also for columns of other names than the net's; NNB_E_ARG for an
 *  alpha or beta that is negative, an alpha without a beta, or no more numbers than parameters to estimate beta from;
 *  NNB_E_NUMERIC where the data do not determine all parameters, or an output is not finite; NNB_E_OVERFLOW above
 *  46340 parameters; NNB_E_NOMEM.                                                                                    */
NNB_API nnb_status nnb_error_bars_create(nnb_net *net, const nnb_data *data, const nnb_error_bars_opts *opts,
                                         nnb_error_bars **out);
/** The same error bars again, for another thread.  NNB_E_STATE, NNB_E_NOMEM. */
NNB_API nnb_status nnb_error_bars_copy(const nnb_error_bars *bars, nnb_error_bars **out);
/** NULL is accepted.  Before the net's end. */
NNB_API void nnb_error_bars_destroy(nnb_error_bars *bars);
/** y ← net(x), sd ← √(gᵀH⁻¹g): how far y may be from what endless data would give; sd_new ← √(gᵀH⁻¹g + 1/β): how far a
 *  new measurement (of weight 1) may be from y.  Standard deviations, B×n_out as y, all in the data's units; any number
 *  of rows. sd.p or sd_new.p NULL: not wanted.  Allocates nothing.  NNB_E_SHAPE; NNB_E_STATE if other parameters are
 *  frozen than when it was made; NNB_E_NUMERIC if an output is not finite.                                           */
NNB_API nnb_status nnb_error_bars_predict(nnb_error_bars *bars, nnb_cmat x, nnb_mat y, nnb_mat sd, nnb_mat sd_new);

/** Own parts (extend.h) that a file may refer to by name, and how much memory the net in it may take. */
typedef struct nnb_load_opts {
  const struct nnb_act_ops *const *activations;
  int n_activations;
  const struct nnb_loss_ops *const *losses;
  int n_losses;
  const struct nnb_layer_ops *const *layers;
  int n_layers;
  size_t max_bytes; /**< Memory for the net's parameters and for one row of what its nodes read and write.
                         0: 64 times the file's size, or 64 MiB where that is more.                                    */
  void *reserved[9];
} nnb_load_opts;

/** Writes structure, parameters, scalers and names as a safetensors file, atomically: a file that is there stays whole
 *  until the new one is complete on disk.  f64 is kept bit for bit.  A program that is killed meanwhile may leave the
 *  temporary file, ".nnblas-*.tmp" in the same folder, which can be removed.                                         */
NNB_API nnb_status nnb_net_save(nnb_net *net, const char *path);
/** Reads it; a file of the other precision is converted (NNB_E_PARSE where a number is too large for it).  Nothing in
 *  the file is trusted: NNB_E_PARSE with a message, in time proportional to the file's size.  opts may be NULL;
 *  NNB_E_UNSUPPORTED for an own part that is missing there, or a net that takes more memory than max_bytes.            */
NNB_API nnb_status nnb_net_load(const char *path, const nnb_load_opts *opts, nnb_net **out);
/** The same to and from memory: *bytes are in *out, to be released with nnb_free. */
NNB_API nnb_status nnb_net_save_mem(nnb_net *net, void **out, size_t *bytes);
NNB_API nnb_status nnb_net_load_mem(const void *file, size_t bytes, const nnb_load_opts *opts, nnb_net **out);

/* ================================================================================================================== *
 * Under the hood: three rungs below nnb_fit, whose epochs from batch to batch are written in them alone              *
 * (examples/fit_by_hand.c).                                                                                          *
 * ================================================================================================================== */

/** Everything a net needs to compute on up to max_rows rows: activations, derivatives, scratch, in one arena.
 *  One thread at a time may use a plan.  Any number of threads may use one net, each with its own plan, as long as none
 *  trains it.                                                                                                        */
typedef struct nnb_plan nnb_plan;

typedef struct nnb_plan_opts {
  int max_rows;     /**< default 1; larger batches are NNB_E_SHAPE (nnb_train_rows takes them in chunks)  */
  int threads;      /**< 0: nnb_get_threads()                                                             */
  unsigned want;    /**< NNB_GRAD, NNB_DX, NNB_KEEP, NNB_ROWS; 0: predictions and losses only              */
  void *mem;        /**< NULL, or nnb_plan_bytes() bytes aligned to 64 that hold the plan and outlive it  */
  size_t mem_bytes;
  void *reserved[12];
} nnb_plan_opts;

/** Lays out a plan (sealing the net).  Everything that can fail, fails here.  opts NULL: defaults. */
NNB_API nnb_status nnb_plan_create(nnb_net *net, const nnb_plan_opts *opts, nnb_plan **out);
/** Bytes a plan with these options needs. */
NNB_API nnb_status nnb_plan_bytes(nnb_net *net, const nnb_plan_opts *opts, size_t *out);
/** NULL is accepted; memory given by the caller is not released. */
NNB_API void nnb_plan_destroy(nnb_plan *plan);

/** y ← net(x): B×n_in to B×n_out, B ≤ max_rows, data's units.  Allocates nothing.  For a single row, weights multiplied
 *  by a zero input may be skipped, so a NaN weight there goes unnoticed.
 *  NNB_E_SHAPE.                                                                                                      */
NNB_API nnb_status nnb_plan_predict(nnb_plan *plan, nnb_cmat x, nnb_mat y);
/** The loss of a batch.  NNB_E_SHAPE; NNB_E_NUMERIC if it is not finite (*loss holds it). */
NNB_API nnb_status nnb_plan_loss(nnb_plan *plan, const nnb_batch *batch, double *loss);
/** Loss and gradient of a batch: grad ← keep·grad + ∂E/∂w, P values, frozen parameters included.  keep 0 overwrites
 *  whatever grad held.  loss may be NULL.  Needs NNB_GRAD (NNB_E_STATE).  NNB_E_SHAPE; NNB_E_NUMERIC.                 */
NNB_API nnb_status nnb_plan_gradient(nnb_plan *plan, const nnb_batch *batch, double keep, double *loss, nnb_real *grad);
/** dx ← vᵀ·∂y/∂x per row: the product of v (B×n_out) with the Jacobian of the predictions, in the data's units.
 *  Needs NNB_DX.                                                                                                     */
NNB_API nnb_status nnb_plan_vjp(nnb_plan *plan, nnb_cmat x, nnb_cmat v, nnb_mat dx);
/** Residuals of a batch and their derivatives: r[i·n_out + o] = c·√weight_i·(a_io - t_io), with c such that ½·Σ r² is
 *  the loss of nnb_plan_loss, and J[(i·n_out + o)·ldj + p] = ∂r/∂w_p, B·n_out rows of P numbers, frozen parameters
 *  included; so Jᵀ·r is the gradient of nnb_plan_gradient.  Targets and outputs are in the net's (scaled) units.  J
 *  NULL: the residuals only; ldj ≥ P.  Needs NNB_ROWS (NNB_E_STATE); a plan with NNB_ROWS is NNB_E_UNSUPPORTED for a
 *  net with another loss than half_sse, sse and mse.  NNB_E_SHAPE; NNB_E_NUMERIC if a residual is not finite.        */
NNB_API nnb_status nnb_plan_rows(nnb_plan *plan, const nnb_batch *batch, nnb_real *r, nnb_real *J, int ldj);
/** What a node held in the last call: a view into the plan until its next call.  Plans made with NNB_KEEP only
 *  (NNB_E_STATE: others overwrite it); NNB_E_ARG for a node that has no such thing.                                   */
NNB_API nnb_status nnb_plan_view(const nnb_plan *plan, int node, nnb_what what, nnb_cmat *out);

/** An optimiser with its memory (momentum, averages), for one net: calls with one of other shapes are NNB_E_SHAPE. */
typedef struct nnb_optim nnb_optim;
/** An optimiser for net, which it seals; opts NULL: defaults.  NNB_E_ARG for options out of range or a full-batch
 *  method; NNB_E_NOMEM; NNB_E_OVERFLOW.
 *
 *  kfac (Martens and Grosse 2015) keeps 2·((I+1)² + O²) numbers for an I×O layer, and 3P.  Its updates need the training
 *  calls, and batches of some hundred rows.  docs/optimisers.md explains its steps, damping and limits.               */
NNB_API nnb_status nnb_optim_create(nnb_net *net, const nnb_optim_opts *opts, nnb_optim **out);
/** NULL is accepted. */
NNB_API void nnb_optim_destroy(nnb_optim *optim);
/** η of the steps to come, which the schedule multiplies; NNB_E_ARG unless it is finite and positive. */
NNB_API nnb_status nnb_optim_set_lr(nnb_optim *optim, double lr);
/** The learning rate of the last step, or of the first if there was none; 0 for NULL. */
NNB_API double nnb_optim_lr(const nnb_optim *optim);
/** Tells NNB_PLATEAU the loss of an epoch that has ended; other schedules take no notice. */
NNB_API nnb_status nnb_optim_epoch(nnb_optim *optim, double loss);
/** Exchanges the weights of the net and their moving average (.ema): the second call puts the weights back, and only
 *  then training goes on (NNB_E_STATE).  NNB_E_STATE without .ema or before the first step.                          */
NNB_API nnb_status nnb_optim_average(nnb_optim *optim, nnb_net *net);

/** First rung: one step of the parameters against grad (P values, from nnb_plan_gradient; overwritten by clipping).
 *  grad is not looked through for NaN, which would cost a pass: nnb_plan_gradient's NNB_E_NUMERIC says so.
 *  NNB_E_UNSUPPORTED for kfac, which wants to see more.                                                              */
NNB_API nnb_status nnb_optim_step(nnb_optim *optim, nnb_net *net, nnb_real *grad);
/** Second rung: one update from one batch of at most max_rows, fused with the gradient where the optimiser allows.
 *  loss (before the update) may be NULL.  Keeps no copy: on NNB_E_NUMERIC the parameters are those after the failed
 *  update.                                                                                                           */
NNB_API nnb_status nnb_train_step(nnb_net *net, nnb_plan *plan, const nnb_batch *batch, nnb_optim *optim, double *loss);
/** Third rung: ⌈n/batch⌉ updates over the rows order[0 … n-1] of `rows` (order NULL: all rows as they lie; n: number of
 *  entries in order, 0 without one).  rows->norm must be 0: each update divides by its own weights.  A batch larger
 *  than the plan's max_rows goes through in chunks, with one update. sums may be NULL; it is overwritten.  The
 *  parameters are whole when it returns.  Stops at the first update whose loss is not finite (NNB_E_NUMERIC) and
 *  keeps no copy.                                                                                                    */
NNB_API nnb_status nnb_train_rows(nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order, int n,
                                  int batch, nnb_optim *optim, nnb_sums *sums);

/** Compares the gradient of a batch with central differences in every parameter and every input.  It moves the parameters
 *  and puts them back: no other thread may use the net.  Steps suit the inputs as the net scales them.
 *  *worst is the largest relative error that remains after subtracting the measured rounding error, relative to
 *  max(|analytic|, |numeric|, 10⁻² · largest entry of the gradient); NaN if any value was NaN.  A correct double-precision
 *  net gives about 1e-7 or less, also at a minimum; a single-precision net gives 1e-2 or less away from a minimum.
 *  Choose points away from the kinks of relu and similar activations.                                                */
NNB_API nnb_status nnb_check_gradient(nnb_net *net, const nnb_batch *batch, double *worst);

/* ================================================================================================================== *
 * The optimisers by themselves: any function, no net.                                                                *
 * ================================================================================================================== */

/** A function to be minimised: its value and gradient at x. */
typedef struct nnb_fdf {
  size_t n;   /**< variables                                                                              */
  void *user; /**< handed to eval                                                                         */
  /** *f ← f(x), g[0 … n-1] ← ∂f/∂x; g NULL: the value only.  Returns NNB_OK; NNB_E_NUMERIC, or a value or gradient that
   *  is not finite, says that f is not defined at x: the search takes a shorter step.  Any other status ends it.     */
  nnb_status (*eval)(void *user, const nnb_real *x, double *f, nnb_real *g);
  void *reserved[9];
} nnb_fdf;

/** Minimises f from x (n numbers).  x then holds the best point found, also after an error.  opts, report: may be NULL;
 *  NNB_AUTO is lbfgs.  Allocates at the start only; bfgs keeps n² numbers, for n ≤ 20000.
 *  NNB_OK for every reason to stop but an error; report->stop names it.  NNB_E_ARG for options out of range or that the
 *  method does not take, and for a method of another kind; NNB_E_NUMERIC if f or its gradient is not finite at the start
 *  (moved between the bounds); NNB_E_NOMEM; what eval returned.                                                       */
NNB_API nnb_status nnb_minimize(const nnb_fdf *f, nnb_real *x, const nnb_min_opts *opts, nnb_min_report *report);

/** A sum of squares to be minimised, f(x) = ½·Σ r_i(x)²: m residuals and their derivatives, in blocks of rows. */
typedef struct nnb_lsq {
  size_t m, n; /**< residuals, variables                                                                  */
  void *user;  /**< handed to rows                                                                        */
  /** r[i] ← r_{row0+i}(x), J[i*ldj + j] ← ∂r_{row0+i}/∂x_j for i < k; J NULL: residuals only.  Status as in nnb_fdf.  */
  nnb_status (*rows)(void *user, const nnb_real *x, size_t row0, int k, nnb_real *r, nnb_real *J, int ldj);
  const double *ridge; /**< NULL, or n numbers c_j ≥ 0: f(x) = ½·Σ r_i(x)² + ½·Σ c_j x_j²                 */
  int group;           /**< row0 and k are multiples of it; it divides m.  0: 1                           */
  size_t m_known;      /**< .bayes: number of residuals that are data, if others are always 0; 0: m       */
  const bool *linear;  /**< varpro: n flags, true for the linear x_j: with the other x fixed, r is A·x_linear + b.
                            NULL: none                                                                    */
  double linear_ridge; /**< varpro: ρ ≥ 0, a ridge on the linear x_j while it projects, see docs/optimisers.md; nnb_fit
                             takes 1e-4; 0: none                                                         */
  /** varpro: optional, faster: only the linear columns of J, used when solving for the linear variables, which is half
   *  of the calls.  All of r is wanted, J is not NULL.  NULL: rows is called.  Status as in nnb_fdf.                 */
  nnb_status (*linear_rows)(void *user, const nnb_real *x, size_t row0, int k, nnb_real *r, nnb_real *J, int ldj);
  void *reserved[10];
} nnb_lsq;

/** Minimises f from x (n numbers).  x then holds the best point found, also after an error.  opts, report: may be NULL;
 *  NNB_AUTO is lm.  Where the problem has linear variables, no bounds and no .bayes, it is varpro, and then, unless that
 *  was ended by a limit, the target or on_iteration, lm from the same start; x is the lower end of the two, and the
 *  report tells of that one, with the counts of both.  To save evaluations, name one of them.
 *  lm forms the normal equations in double precision, and a QR factorisation where those are too ill-conditioned.  It
 *  keeps 2n² doubles, the residuals, and up to 64 MiB of the Jacobian.  varpro solves for the linear variables at every
 *  point and keeps up to 3n² doubles.  docs/optimisers.md explains varpro, bounds and .bayes.
 *  Allocates at the start only.  The BLAS computes with one thread meanwhile, in the callback too.  An evaluation is
 *  that of all residuals, with or without their derivatives.
 *  NNB_OK for every reason to stop but an error; report->stop names it.  NNB_STOP_STALLED is the usual end of a fit that
 *  leaves residuals: no further decrease within rounding.  NNB_E_ARG, also for varpro without linear variables or with
 *  bounds; NNB_E_OVERFLOW above opts->max_bytes; NNB_E_NUMERIC if a residual or a derivative is not finite at the start,
 *  moved between the bounds (later such a step is rejected); NNB_E_NOMEM; what rows or linear_rows returned.          */
NNB_API nnb_status nnb_least_squares(const nnb_lsq *problem, nnb_real *x, const nnb_min_opts *opts,
                                     nnb_min_report *report);
