/* nnblas/typed.h: every type and call that holds real numbers.  It has no include guard on purpose: <nnblas.h> reads it
 * twice, once for double precision (nnb_net, nnb_fit, …) and once between float_on.h and float_off.h for single
 * precision (nnbf_net, nnbf_fit, …).  The descriptions hold for both; nnb_real is double or float.
 *
 * Matrices are row-major and a row is a sample.  Letters: N samples, B rows of a batch, I inputs, O outputs, P
 * parameters.  A call that can fail returns an nnb_status (0 or negative), or as its description says, and sets the
 * message that nnb_errmsg() returns.  A refused call leaves its results unchanged or NULL, unless its description says
 * otherwise; after NNB_E_NUMERIC the numbers computed so far are in them.  Pointers named `out` must not be NULL. */

/* ---- views ----------------------------------------------------------------------------------------------------- */

/** A view of a matrix in somebody else's memory: element (i, j) is p[i*ld + j]; ld ≥ cols. */
typedef struct nnb_mat { nnb_real *p; int rows, cols, ld; } nnb_mat;
/** The same, read-only. */
typedef struct nnb_cmat { const nnb_real *p; int rows, cols, ld; } nnb_cmat;

/** A view of rows×cols contiguous numbers. */
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

/** The rows that one call works on, as views of the caller's memory.  {0} is an empty batch.  A net with several inputs
 *  or outputs takes them as column ranges of the one x and the one t, in the order of their declaration.             */
typedef struct nnb_batch {
  nnb_cmat x;            /**< B×n_in                                                                      */
  nnb_cmat t;            /**< B×n_out targets in the data's units; p may be NULL.  The cross-entropies take targets from
                              0 to 1: nnb_fit and nnb_evaluate check that once; the calls below them do not */
  const int32_t *label;  /**< instead of t: B class numbers from 0, or NULL.  Only for nets with one output */
  const nnb_real *weight;/**< B sample weights ≥ 0, or NULL: all are 1.  nnb_fit, nnb_evaluate, nnb_solve_output,
                              nnb_error_bars_create, nnb_train_rows and nnb_check_gradient reject weights that are all
                              0, or whose sum is too small or too large to divide by (NNB_E_ARG).  For nnb_plan_loss,
                              nnb_plan_gradient and nnb_train_step a batch may have weights 0 only: its loss and
                              gradient are 0.  A row of weight 0 still goes through the net: in gradients its x
                              must have finite results */
  double norm;           /**< divisor of a mean; 0: the Σ weight of this batch.  When one update consists of several
                              batches: the Σ weight of all of them */
  nnb_cmat dt;           /**< targets of the derivatives ∂y/∂x: B×(n_out·n_in), ordered as in nnb_plan_jacobian, in the
                              data's units; p NULL: none.  They are learned as further outputs: .derivatives of
                              nnb_loss_opts is their weight.  docs/training.md says which losses, layers and methods
                              take them; others are NNB_E_UNSUPPORTED */
  void *reserved[8];
} nnb_batch;

/* ---- data ------------------------------------------------------------------------------------------------------ */

/** Rows with targets or classes, and their names.  Several threads may read one object at the same time. */
typedef struct nnb_data nnb_data;

/** Makes data over the caller's arrays, which must outlive it.  rows->x is required.  Without t and label, the data is
 *  for predictions only.  n_classes: number of classes of the labels; 0: the largest label + 1.
 *  NNB_E_SHAPE if t and x differ in rows.  NNB_E_ARG if there are no rows or no columns, and for a label outside 0 …
 *  n_classes-1, a negative weight, NaN or infinity (the message has the row and the column).                         */
NNB_API nnb_status nnb_data_wrap(const nnb_batch *rows, int n_classes, nnb_data **out);
/** The same over a copy of the arrays. */
NNB_API nnb_status nnb_data_copy(const nnb_batch *rows, int n_classes, nnb_data **out);
/** Releases data.  NULL is accepted. */
NNB_API void nnb_data_destroy(nnb_data *data);

/** Reads comma-separated text, plain or gzip-compressed.  Quoting is that of RFC 4180 and lines end in "\n" or "\r\n".
 *  Empty lines, blanks around fields and a byte-order mark are ignored.  Numbers are finite decimal numbers, with a
 *  decimal point in every locale, and are rounded to nearest.  By default every input column must hold numbers;
 *  .missing accepts missing values and .categories texts.  A missing target or class is an error.  A first row like
 *  "150,4,setosa,versicolor,virginica" (the numbers of rows and of inputs, then class names, as in scikit-learn's
 *  files) names the classes 0, 1, … of the last column.  opts NULL: defaults.
 *  NNB_E_IO if the file cannot be read or is not a regular file.  NNB_E_PARSE: the message has file, line and column,
 *  `iris.csv:17:4: "abc" is not a number`; the column is the character where the field begins, from 1.  NNB_E_ARG if
 *  opts do not fit the file.  NNB_E_SHAPE if its columns are not those of .columns.                                  */
NNB_API nnb_status nnb_data_read_csv(const char *path, const nnb_csv_opts *opts, nnb_data **out);
/** The same from memory.  name stands for the file name in messages. */
NNB_API nnb_status nnb_data_parse_csv(const char *text, size_t bytes, const char *name, const nnb_csv_opts *opts,
                                      nnb_data **out);
/** Reads the IDX files of MNIST (ubyte images and labels, plain or gzip-compressed).  Pixels are scaled to 0 … 1.
 *  labels_path NULL: no labels.  The number of classes is the largest label + 1, at least 10.
 *  NNB_E_SHAPE if the files differ in rows; NNB_E_PARSE; NNB_E_UNSUPPORTED for a compressed file if the library was
 *  built without zlib, here and for the other files; NNB_E_IO; NNB_E_OVERFLOW; NNB_E_NOMEM.                          */
NNB_API nnb_status nnb_data_read_idx(const char *images_path, const char *labels_path, nnb_data **out);

/** Reads a training file of FANN: three whole numbers, of pairs, inputs and outputs, then the inputs and outputs of
 *  each pair, separated by blanks or line ends; plain or gzip-compressed.  Numbers are finite decimal numbers with a
 *  point.
 *  NNB_E_IO; NNB_E_PARSE: the message has file and line, `xor.data:3: "one" is not a finite number`; NNB_E_NOMEM.    */
NNB_API nnb_status nnb_data_read_fann(const char *path, nnb_data **out);
/** The same from memory.  name stands for the file name in messages. */
NNB_API nnb_status nnb_data_parse_fann(const char *text, size_t bytes, const char *name, nnb_data **out);

/** Memory for rows that nnb_source.read fills: n rows of each matrix or array.  p or the pointer is NULL for what the
 *  source does not have, and weight is NULL where it is not wanted.                                                  */
typedef struct nnb_rows {
  nnb_mat x, t;       /* n×n_in, n×n_out */
  int32_t *label;     /* n */
  nnb_real *weight;   /* n */
} nnb_rows;

/** Rows that are read when they are needed, for data that does not fit in memory or is computed.  {0} before it is
 *  filled.                                                                                                           */
typedef struct nnb_source {
  int64_t rows;   /**< N; required, at most 2³¹-1                                                         */
  int n_in;       /**< columns of x; required                                                             */
  int n_out;      /**< columns of t; 0: none                                                              */
  int n_classes;  /**< above 0: labels 0 … n_classes-1 instead of t                                       */
  bool weighted;  /**< rows have weights, which are read once, at the start, and kept: N numbers          */
  bool ahead;     /**< read may be called by a thread of the library's own, and by two threads at once: rows are then
                       read while the rows before them are trained; two blocks are kept in memory         */
  void *user;     /**< passed to read                                                                     */
  /** Fills rows row0 … row0+n-1.  Must write the same numbers each time.  Called by the thread that called the library,
   *  one call at a time, unless .ahead allows more, and must not change the net.  Returns NNB_OK or an error, which
   *  ends the call; its message is set by nnb_layer_fail, or is that of a library call.                             */
  nnb_status (*read)(void *user, int64_t row0, int n, const nnb_rows *rows);
  void *reserved[9];
} nnb_source;

/** Data that is read from a source; *source is copied, user must outlive the data.  Each number is checked when it is
 *  read, as by nnb_data_wrap (NNB_E_ARG); an error of read reaches the caller with its message.
 *
 *  nnb_fit (every method), nnb_evaluate and the scalers (nnb_net_standardize and others) accept it.  Calls that take
 *  some of its rows (nnb_data_split, nnb_data_fold, nnb_data_take_rows, nnb_data_shuffle) give data that reads them
 *  through this data, which must outlive it.  Calls that need all rows at once return NNB_E_UNSUPPORTED:
 *  nnb_data_batch, nnb_data_take_columns, nnb_data_merge, nnb_data_weigh_classes, nnb_data_write_csv and other writers,
 *  nnb_solve_output and nnb_error_bars_create.
 *  Mini-batch training holds a batch and a block (nnb_fit_opts.block) of rows in memory, or about 1024 rows without
 *  block; then shuffled rows are read one by one.  Full-batch methods read all rows in chunks for each evaluation.
 *  nnb_fit gives the same bits as for the same rows in memory with the same options, in any method that is named; sgd
 *  with batch 1 agrees to rounding, if there are more rows than a window holds.  NNB_AUTO makes no trials: it is adam.
 *  NNB_E_ARG for no rows or inputs, for both n_out and n_classes, and for a reserve that is not 0; NNB_E_OVERFLOW;
 *  NNB_E_NOMEM.                                                                                                      */
NNB_API nnb_status nnb_data_from_source(const nnb_source *source, nnb_data **out);

/** Data whose rows stay in NPY files, and are read when they are needed, ahead of their use (nnb_source.ahead).  What
 *  nnb_data_from_source says holds; set nnb_fit_opts.block to some thousand rows, so that shuffled training reads block
 *  by block.  x_path is an array of rows in C order; dimensions after the second belong to the row.  t_path has the
 *  targets; NULL: the last n_targets columns of x_path, 0 for none.  n_classes above 0: the one column of targets is a
 *  class 0 … n_classes-1.  Numbers are those of nnb_array_read_npy, in either precision.  The files stay open until
 *  nnb_data_destroy, and must not change: if the size or the time of the last change is another one after rows were
 *  read, the call that needed them ends with NNB_E_IO.
 *  NNB_E_SHAPE for files that do not fit each other; NNB_E_UNSUPPORTED for Fortran order; the errors of
 *  nnb_array_read_npy.                                                                                               */
NNB_API nnb_status nnb_data_open_npy(const char *x_path, const char *t_path, int n_targets, int n_classes,
                                     nnb_data **out);
/** The same for the files of nnb_data_read_idx, which must not be compressed. */
NNB_API nnb_status nnb_data_open_idx(const char *images_path, const char *labels_path, nnb_data **out);
/** The same for a CSV file, which must not be compressed: rows, names, levels, means and classes are those of
 *  nnb_data_read_csv with the same options.  The file is read twice at the start, and once more for the means of
 *  missing numbers, which nnb_data_split and nnb_data_fold make those of the first part.  Memory is what the columns
 *  need, and about 1 MiB; a row longer than 256 KiB needs as much more, and more than 64 MiB are NNB_E_PARSE.  *opts
 *  and its lists may be released after the call.  A row is found from the one before it, or from a mark at every 64th
 *  row (fewer in files of more than 4 million rows), so nnb_fit_opts.block matters more than for other files.
 *  The errors of nnb_data_read_csv; NNB_E_UNSUPPORTED for a compressed file.                                         */
NNB_API nnb_status nnb_data_open_csv(const char *path, const nnb_csv_opts *opts, nnb_data **out);

/** Number of rows; number of input columns. */
NNB_API int nnb_data_rows(const nnb_data *data);
NNB_API int nnb_data_n_in(const nnb_data *data);
/** Columns of t, or the number of classes; 0 without targets. */
NNB_API int nnb_data_n_out(const nnb_data *data);
/** Number of classes if the data has labels, else 0. */
NNB_API int nnb_data_n_classes(const nnb_data *data);
/** Column names: 0 … n_in-1 are the inputs, then come the targets or the column of classes.  NULL if there is no name.
 *  The strings live until names are set again or the data is destroyed.                                              */
NNB_API const char *nnb_data_column_name(const nnb_data *data, int column);
NNB_API const char *nnb_data_class_name(const nnb_data *data, int k);
/** The columns of the CSV file that the inputs come from; copies of rows keep them.  NULL: the inputs are the columns,
 *  because the data comes from arrays, has new names, or has only a part of the inputs of a column.  Valid until
 *  columns are named again or the data is destroyed. */
NNB_API const nnb_columns *nnb_data_columns(const nnb_data *data);
/** Column i, from 0, of those that .leave_unusable left out: its name, or its number from 1 as text; NULL if there are
 *  not as many.  *why ← the reason, "it has more than 32 different texts"; why may be NULL.  The strings live as long
 *  as the data, whose copies do not have them.                                                                       */
NNB_API const char *nnb_data_left_out(const nnb_data *data, int i, const char **why);
/** Names all columns: inputs, then targets or the column of classes; or all classes.  The strings are copied, NULL: no
 *  name.  n: their number; NNB_E_SHAPE if it is wrong.  Do not call it while another thread reads the data. */
NNB_API nnb_status nnb_data_set_column_names(nnb_data *data, const char *const *names, int n);
NNB_API nnb_status nnb_data_set_class_names(nnb_data *data, const char *const *names, int n);
/** Prints a description of the data to the stream, one fact a line: rows; target, its place and kind; inputs.  For data
 *  from a CSV file it also prints what was inferred, with notes where the file may mean something else.  The lines are
 *  for people and may change. */
NNB_API nnb_status nnb_data_summary(const nnb_data *data, FILE *stream);
/** Rows row0 … row0+rows-1 as a batch of views into the data, valid until it is changed or destroyed.  NNB_E_ARG if a
 *  row does not exist. */
NNB_API nnb_status nnb_data_batch(const nnb_data *data, int row0, int rows, nnb_batch *out);

/** A copy of n rows, given by their numbers from 0, in that order; a row may come several times.  Names, classes and
 *  weights go with it.  NNB_E_ARG if a row does not exist.                                                           */
NNB_API nnb_status nnb_data_take_rows(const nnb_data *data, const int32_t *row, int n, nnb_data **out);
/** A copy with n of the input columns, given by their numbers from 0, in that order.  NNB_E_ARG if a column does
 *  not exist. */
NNB_API nnb_status nnb_data_take_columns(const nnb_data *data, const int32_t *column, int n, nnb_data **out);
/** A copy with the rows in random order, drawn by seed. */
NNB_API nnb_status nnb_data_shuffle(const nnb_data *data, uint64_t seed, nnb_data **out);
/** A copy of the rows of first, then those of second.  Rows without weights have weight 1 beside rows with weights.
 *  NNB_E_SHAPE if columns differ in number, or, where both are named, in name or order; if classes do; or if levels or
 *  means do, which .columns of nnb_csv_opts makes the same.                                                          */
NNB_API nnb_status nnb_data_merge(const nnb_data *first, const nnb_data *second, nnb_data **out);
/** Multiplies the weight of each row by that of its class, for classes of unequal size or importance.  weight: one
 *  number of 0 or more for each class.  NULL: balanced, all classes get the same sum of weights, and the sum over all
 *  rows stays.  Weights count in training and in metrics, so weigh the training part only, after nnb_data_split.
 *  Arrays of nnb_data_wrap stay unchanged.  Do not call it while another thread uses the data.  NNB_E_ARG without
 *  labels. */
NNB_API nnb_status nnb_data_weigh_classes(nnb_data *data, const nnb_real *weight);

/** Splits the data into two copies: *second gets round(fraction·N) rows, at least 1, chosen by seed.  With labels, each
 *  class is split in that proportion, rounded up or down (stratified).  Rows keep their order.
 *  NNB_E_ARG unless 0 < fraction < 1 and both parts get a row.                                                       */
NNB_API nnb_status nnb_data_split(const nnb_data *data, double fraction, uint64_t seed, nnb_data **first,
                                  nnb_data **second);
/** Part i of a k-fold cross-validation: *test gets the i-th of k disjoint parts that cover the data, *train the rest.
 *  With labels it is stratified: the sizes of the parts, and of each class in them, differ by 1 at most.  Rows keep
 *  their order.  Missing numbers become the means of *train, as of nnb_data_split's first part.  NNB_E_ARG unless
 *  2 ≤ k ≤ N and 0 ≤ i < k.                                                                                          */
NNB_API nnb_status nnb_data_fold(const nnb_data *data, int k, int i, uint64_t seed, nnb_data **train, nnb_data **test);

/** Writes data as comma-separated text that nnb_data_read_csv reads to the same numbers: a row of column names (x1, …,
 *  t1, … or class if there are none), then inputs and targets, or the name or number of the class.  Atomic, as
 *  nnb_net_save.  NNB_E_ARG if the reader would take the names for data, because one is a number or too many are
 *  missing words (NA, ?, null, empty); and if the name of a row's class is such a word, or a number that is not in its
 *  shortest form ("1.0"), or, where no class is a text, one that is not finite.  NNB_E_UNSUPPORTED if there are sample
 *  weights or targets of derivatives.  NNB_E_IO; NNB_E_NOMEM: memory for the whole text. */
NNB_API nnb_status nnb_data_write_csv(const nnb_data *data, const char *path);
/** Writes inputs and targets as a training file of FANN, with the digits that nnb_data_read_fann reads to the same
 *  numbers.  Classes become an output of 0 and 1 for each.  Atomic, as nnb_net_save.  NNB_E_ARG without targets;
 *  NNB_E_UNSUPPORTED if there are sample weights or targets of derivatives.  NNB_E_IO; NNB_E_NOMEM: memory for the
 *  whole text. */
NNB_API nnb_status nnb_data_write_fann(const nnb_data *data, const char *path);
/** Writes inputs as an IDX file of ubyte images of that height (width: n_in / height), and labels as another, unless
 *  labels_path is NULL, for nnb_data_read_idx.  Inputs are rounded to multiples of 1/255; weights and targets are left
 *  out.  Each file is written atomically.  NNB_E_ARG unless all inputs are in 0 … 1, height divides n_in, and the
 *  labels are there and at most 255.  NNB_E_IO; NNB_E_NOMEM. */
NNB_API nnb_status nnb_data_write_idx(const nnb_data *data, const char *images_path, const char *labels_path,
                                      int height);

/* ---- arrays of NumPy ------------------------------------------------------------------------------------------- */

/** An array of numbers with its shape, row-major; n_dims 0: one number. */
typedef struct nnb_array {
  nnb_real *p;
  int n_dims;
  size_t dim[NNB_ARRAY_DIMS];
  void *reserved[4];
} nnb_array;

/** Reads an NPY file (versions 1 to 3): float16, float32, float64, integers of 8 to 64 bits and bool, in either byte
 *  order and in C or Fortran order.  *out has the numbers in C order in this precision; integers with more digits are
 *  rounded.  Release *out with nnb_array_clear.  The file need not be trusted.  Memory: the file's size, plus up to 8
 *  times that for the numbers of a file of bytes.
 *  NNB_E_PARSE; NNB_E_UNSUPPORTED for other types; NNB_E_OVERFLOW; NNB_E_IO; NNB_E_NOMEM.  *out is then empty. */
NNB_API nnb_status nnb_array_read_npy(const char *path, nnb_array *out);
/** The same from memory.  name stands for the file name in messages. */
NNB_API nnb_status nnb_array_parse_npy(const void *file, size_t bytes, const char *name, nnb_array *out);
/** Reads the array called key from an NPZ file (numpy.savez, savez_compressed), up to 4 GB; key NULL: the only one.
 *  A compressed array also takes the memory that it unpacks to, at most 1032 times the file's size.
 *  NNB_E_ARG if there is no such array, or several and no key.  NNB_E_UNSUPPORTED for a compressed file if the library
 *  was built without zlib.                                                                                           */
NNB_API nnb_status nnb_array_read_npz(const char *path, const char *key, nnb_array *out);
/** The same from memory. */
NNB_API nnb_status nnb_array_parse_npz(const void *file, size_t bytes, const char *name, const char *key,
                                       nnb_array *out);
/** Writes an NPY file (version 1, little-endian, C order), atomically, as nnb_net_save.  NNB_E_ARG if a number does not
 *  fit into the type; NNB_E_IO; NNB_E_NOMEM.                                                                         */
NNB_API nnb_status nnb_array_write_npy(const char *path, const nnb_array *array, nnb_array_type type);
/** Writes n arrays as an NPZ file without compression.  keys: n different names.  NNB_E_OVERFLOW above 4 GB. */
NNB_API nnb_status nnb_array_write_npz(const char *path, const char *const *keys, const nnb_array *arrays, int n,
                                       nnb_array_type type);
/** A view of the array as dim[0] rows of all other numbers; one dimension: one column.  NNB_E_SHAPE if rows or columns
 *  do not fit into an int. */
NNB_API nnb_status nnb_array_view(const nnb_array *array, nnb_mat *out);
/** Releases the numbers of an array that a call of this library filled, and empties it.  NULL is accepted. */
NNB_API void nnb_array_clear(nnb_array *array);

/* ---- nets: building -------------------------------------------------------------------------------------------- */

/** A network: a directed acyclic graph of nodes.  A node is X·W + b, a sum, or a concatenation of columns, followed by
 *  an activation.  A sequential net is a chain of nodes.
 *
 *  Building: each call returns the number of the node it added (1, 2, …) or a negative nnb_status.  Errors are sticky:
 *  the net keeps the first one, later calls do nothing and return it again, and nnb_plan_create and nnb_fit report it
 *  with its message.  So one check at the end is enough.  Every building call accepts NULL (NNB_E_ARG).
 *
 *  Sealing: the first plan, nnb_net_init, or access to the parameters seals the net.  Its shapes are then fixed, its
 *  parameters are allocated and initialised from the seed, and building calls return NNB_E_STATE.  The net stays sealed
 *  if the call that sealed it fails, unless that is one of the changing calls below, and no callback within it made a
 *  plan, an optimiser or error bars, or asked for parameters.  Calls that take a const nnb_net change nothing but may
 *  seal it.
 *
 *  Refused calls: a call that fails because of its arguments, the data, the state or lack of memory leaves the net bit
 *  for bit as it was.  A building call also records its error.
 *
 *  Changing calls: while nnb_fit, nnb_solve_output, nnb_check_gradient, nnb_net_init, nnb_net_set_weights,
 *  nnb_net_set_bias, nnb_net_set_buffers or nnb_net_load_torch runs, nothing else may change the net: no callback
 *  (on_epoch, a function of an own part) and no other thread.  NNB_E_STATE is then returned by these calls, the
 *  building calls, the scalers, nnb_net_freeze, nnb_net_exact, nnb_net_set_training, nnb_optim_step, nnb_optim_average,
 *  nnb_optim_load, nnb_train_step, nnb_train_rows, and nnb_plan_gradient of a net with buffers; nnb_net_params returns
 *  NULL, and nnb_net_destroy does nothing; both set the message.  Do not write through a pointer from an earlier
 *  nnb_net_params.  A callback may make all other calls: to predict, evaluate, save or copy, and to make plans and
 *  optimisers.
 *
 *  Threads: several threads may use one net, each with its own plan, as long as none trains it.                      */
typedef struct nnb_net nnb_net;

/** A net with one input of n_in columns (node 1).  NULL only if out of memory. */
NNB_API nnb_net *nnb_net_create(int n_in);
/** Makes a chain from a string: first the inputs, then layers joined by '-', with optional fields joined by ':', as in
 *  "64-32:tanh-10:softmax" or "1x28x28-conv6@5:tanh-maxpool2-84:tanh-10:softmax".
 *  Inputs are a number of columns, or images: CHANNELSxHEIGHTxWIDTH, for signals CHANNELSxWIDTH (nnb_net_shape).
 *  A layer is
 *
 *    32             a dense layer of 32 units
 *    conv6@5        a convolution into 6 channels, window 5×5; conv6@3x5: height 3, width 5
 *    maxpool2, avgpool2, maxpool2x3    pooling, window 2×2 or height 2, width 3
 *    flatten        columns without a shape
 *    dropout0.2     dropout with probability 0.2 (nnb_net_dropout)
 *    layernorm, batchnorm    layer and batch normalisation (nnb_net_layer_norm, nnb_net_batch_norm)
 *    gru32          a gated recurrent unit over a signal, 32 numbers; gru32:sequence=1: of each sample (nnb_net_gru)
 *    embed10x4      4 numbers for each column, a whole number below 10 (nnb_net_embedding)
 *
 *  A field is the name of an activation, or key=value with the keys act, frozen (0: nothing, 1: weights, 2: bias, 3:
 *  both), name, and those of the layer: bias (0 or 1), init, init_scale, stride, pad, epsilon, momentum, sequence.  The
 *  default activation of dense layers and convolutions is relu, that of other layers and of the last one is linear.
 *  NNB_E_PARSE: the message has the place.                                                                           */
NNB_API nnb_status nnb_net_parse(const char *text, nnb_net **out);
/** Releases a net.  NULL is accepted.  Destroy its plans first.  Does nothing while a changing call runs (nnb_net). */
NNB_API void nnb_net_destroy(nnb_net *net);
/** A copy with the same structure, parameters, buffers, scalers and names.  Plans and history are not copied. */
NNB_API nnb_status nnb_net_copy(const nnb_net *net, nnb_net **out);

/** A copy for predictions alone, of the same outputs but for rounding: dropout is left out, and batch normalisation
 *  that is the only reader of a dense layer or a convolution without activation becomes part of its weights.  A dropout
 *  that is an output, has an activation, or has another shape than what it reads becomes an activation.  Such a net may
 *  run by the faster executors for chains.  C source and ONNX files are written from it.  *out is released with
 *  nnb_net_destroy; NULL after an error.  NNB_E_NOMEM; the recorded error of a net that cannot be built.             */
NNB_API nnb_status nnb_net_fold(const nnb_net *net, nnb_net **out);

/** Adds a dense layer of n_out units after the node added last. */
NNB_API int nnb_net_dense(nnb_net *net, int n_out, nnb_activation activation);
/** The same with all options. */
NNB_API int nnb_net_dense_opts(nnb_net *net, const nnb_dense_opts *opts);
/** Adds a convolution with a square window of that size, of stride 1 and without padding, after the node added last,
 *  whose columns must have a shape (nnb_net_shape).  For signals, images of height 1, the window is 1×size.
 *  NNB_E_SHAPE if the node has no shape, or the window does not fit into its images. */
NNB_API int nnb_net_conv(nnb_net *net, int channels, int size, nnb_activation activation);
/** The same with all options.  W is (channels of A·height·width)×O: row (c·height + y)·width + x belongs to pixel
 *  (y, x) of the window on channel c of A.  The window is not mirrored. */
NNB_API int nnb_net_conv_opts(nnb_net *net, const nnb_conv_opts *opts);
/** Adds a pooling layer with a square window of that size, for signals 1×size, after the node added last, whose columns
 *  must have a shape.  Windows do not overlap. */
NNB_API int nnb_net_pool(nnb_net *net, nnb_pooling kind, int size);
/** The same with all options. */
NNB_API int nnb_net_pool_opts(nnb_net *net, const nnb_pool_opts *opts);
/** Adds a node with the same columns but without a shape.  Dense layers read images as they are and need none. */
NNB_API int nnb_net_flatten(nnb_net *net);
/** Adds a layer that is described as in nnb_net_parse, "16:tanh:name=hidden", after the node from (0: the node added
 *  last).  The default activation is linear.  NNB_E_PARSE: the message has the place.                                */
NNB_API int nnb_net_layer(nnb_net *net, int from, const char *text);
/** Adds another input of n columns: the next columns of x.  name NULL: input2, … */
NNB_API int nnb_net_input(nnb_net *net, int n, const char *name);
/** Declares how the columns of a node are read (0: the node added last): as channels images of height×width
 *  (nnb_shape).  Call it before another node reads that node.  Activations and sums keep the shape, and nodes side by
 *  side add up their channels.  Convolutions and pools need it, own layers see it, dense layers ignore it.  NNB_E_SHAPE
 *  unless the product is the number of columns, NNB_E_STATE if another node reads the node.  Returns NNB_OK or an
 *  error. */
NNB_API int nnb_net_shape(nnb_net *net, int node, int channels, int height, int width);
/** Adds f(from).  from 0: the node added last. */
NNB_API int nnb_net_activation(nnb_net *net, int from, nnb_activation activation);
/** Adds the sum of n ≥ 1 nodes of equal width, followed by an activation. */
NNB_API int nnb_net_add(nnb_net *net, const int *from, int n, nnb_activation activation);
/** Adds the concatenation of the columns of n ≥ 1 nodes. */
NNB_API int nnb_net_concat(nnb_net *net, const int *from, int n);
/** Adds the product of n ≥ 1 nodes of equal width, element by element, followed by an activation. */
NNB_API int nnb_net_product(nnb_net *net, const int *from, int n, nnb_activation activation);
/** Adds dropout of a node (0: the node added last): in training each number is set to 0 with probability p, 0 ≤ p < 1,
 *  and else multiplied by 1/(1-p).  In predictions and evaluations nothing changes.  Which numbers are dropped is a
 *  function of seed, update, node and row (nnb_run): the same for any number of threads and any chunk, and in a
 *  training that is resumed.  NNB_E_UNSUPPORTED in methods that minimise one function, such as lbfgs and lm.         */
NNB_API int nnb_net_dropout(nnb_net *net, int from, double p);
/** Adds γ ⊙ (A - μ)/√(σ² + ε) + β of a node (0: the node added last), followed by an activation.  μ and σ² are the
 *  mean and the variance of each row; γ (initially 1; nnb_net_weights) and β (0; nnb_net_bias) have a number for each
 *  column, which decay spares.  ε is 1e-5; nnb_net_layer takes "layernorm:epsilon=1e-3".                             */
NNB_API int nnb_net_layer_norm(nnb_net *net, int from, nnb_activation activation);
/** The same with μ and σ² of each column over the rows of a batch; for images (nnb_net_shape), of each channel over
 *  rows and pixels.  Predictions and evaluations use running means, which are the buffers [μ; σ²]: each update moves
 *  them by momentum, 0.1, of the way to the batch's μ and unbiased σ².  nnb_net_layer takes
 *  "batchnorm:epsilon=1e-3:momentum=0.01".  Sample weights do not count in μ and σ².  An update takes all its rows
 *  at once, whatever .chunk is; a plan of fewer rows is NNB_E_UNSUPPORTED, as are methods that need independent rows:
 *  lm, varpro, kfac.                                                                                                 */
NNB_API int nnb_net_batch_norm(nnb_net *net, int from, nnb_activation activation);
/** Adds rows of a table W, levels×units (nnb_net_weights; initially normal with deviation 1), for an input (0: the node
 *  added last) whose columns are whole numbers from 0 to levels-1.  Unit j of column c of n is column j·n + c: a signal
 *  of `units` channels; from one column without a shape, columns without one.  The numbers are not scaled, derivatives
 *  by them are 0.  nnb_net_layer takes "embed10x4:init=uniform:init_scale=0.05".  NNB_E_SHAPE for a node that is no
 *  input; a call with another number in such a column is NNB_E_ARG, with row, column and number.                     */
NNB_API int nnb_net_embedding(nnb_net *net, int from, int levels, int units);
/** Adds a gated recurrent unit (Cho and others 2014, in the form of PyTorch and cuDNN) over a signal (0: the node added
 *  last; nnb_net_shape): channels of T samples x_t.  With h_0 = 0,
 *    r = σ(W_r·x + b_r + U_r·h + c_r)   z = σ(W_z·x + b_z + U_z·h + c_z)   n = tanh(W_n·x + b_n + r ⊙ (U_n·h + c_n))
 *    h ← (1 - z) ⊙ n + z ⊙ h
 *  Z is h after the last sample, or after each one, a signal of `units` channels, if sequence is true.  nnb_net_weights
 *  has [W; U; c], (channels + units + 1)×(3·units), and nnb_net_bias b, columns in the order r, z, n.  NNB_E_SHAPE
 *  without a signal, as behind an embedding of one column: give that input a shape first, or the embedding.          */
NNB_API int nnb_net_gru(nnb_net *net, int from, int units, bool sequence);
/** Declares a node as an output: the next columns of y and t.  Without any declaration, the node added last is the only
 *  output.  Returns the node.                                                                                        */
NNB_API int nnb_net_output(nnb_net *net, int node);
/** Sets the loss of all outputs that have no loss of their own.  The total loss is the sum over the outputs.  Returns
 *  NNB_OK or an error.  A cross-entropy needs outputs that are probabilities and targets that are not scaled; this is
 *  checked when the net is sealed.                                                                                   */
NNB_API int nnb_net_loss(nnb_net *net, nnb_loss loss);
/** Sets the loss of one output and its factor > 0. */
NNB_API int nnb_net_output_loss(nnb_net *net, int node, nnb_loss loss, double factor);
/** Sets a loss with all its options: label smoothing, huber's δ.  Returns NNB_OK or an error: NNB_E_ARG for an option
 *  out of range; when the net is sealed also for one that the loss does not take.  Nets with such a loss run by the
 *  layerwise executor. */
NNB_API int nnb_net_loss_opts(nnb_net *net, const nnb_loss_opts *opts);
/** Sets the seed of the initial parameters (default 0).  Returns NNB_OK or an error. */
NNB_API int nnb_net_seed(nnb_net *net, uint64_t seed);

/** The first error of the building calls, or NNB_OK. */
NNB_API nnb_status nnb_net_status(const nnb_net *net);
/** Draws all parameters again from the seed and sets the buffers to their initial values; seals the net.  The first
 *  sealing does the same with nnb_net_seed's seed.                                                                   */
NNB_API nnb_status nnb_net_init(nnb_net *net, uint64_t seed);

/** Whether what is computed with this net has the bits that docs/arithmetic.md defines, on every processor from AVX2 on
 *  and on arm64, with every compiler, BLAS, number of threads and division of the rows: predictions, losses, gradients
 *  and training.  Plans, and calls that make plans, take it over when they begin; files do not keep it, copies do.
 *  NNB_E_UNSUPPORTED without fused multiply-adds; NNB_E_STATE while the net is trained.  What is not defined then
 *  refuses the net with its name.                                                                                   */
NNB_API nnb_status nnb_net_exact(nnb_net *net, bool exact);

/** Scalers, which the net stores.  Inputs are scaled before the first layer and predictions are scaled back, so x, y
 *  and t are always in the data's units.  The statistics come from the rows of data.  nnb_net_standardize scales the
 *  inputs to mean 0 and deviation 1.  All rows count alike, whatever their weight, and the deviation divides by N.
 *  Scaled targets are for regression: the loss, its history and target_loss are then in scaled units.
 *  These calls return NNB_OK or an error, which is sticky as in building calls.  NNB_E_STATE once the net is sealed;
 *  NNB_E_SHAPE if the columns differ from the net's (of targets, when the net is sealed); NNB_E_ARG to scale targets
 *  that are classes or not there; NNB_E_NUMERIC if the range of a column overflows.                                  */
NNB_API int nnb_net_standardize(nnb_net *net, const nnb_data *data);
NNB_API int nnb_net_scale_inputs(nnb_net *net, const nnb_data *data, nnb_scaling scaling);
NNB_API int nnb_net_scale_targets(nnb_net *net, const nnb_data *data, nnb_scaling scaling);
/** shift and factor of the inputs (n_in values each) or of the targets (n_out).  Without a scaler, *shift is NULL.  x'
 *  = (x - shift)·factor, x = x'/factor + shift.  Valid until the next call that sets a scaler.                       */
NNB_API void nnb_net_input_scaler(const nnb_net *net, const nnb_real **shift, const nnb_real **factor);
NNB_API void nnb_net_target_scaler(const nnb_net *net, const nnb_real **shift, const nnb_real **factor);
/** x ← (x - shift)·factor, and the inverse, with a scaler as above.  shift NULL: x is unchanged. */
NNB_API void nnb_scale(nnb_mat x, const nnb_real *shift, const nnb_real *factor);
NNB_API void nnb_unscale(nnb_mat x, const nnb_real *shift, const nnb_real *factor);

/* ---- nets: looking at and changing them ------------------------------------------------------------------------ */

/** Columns of x and of y; 0 if the building of the net failed or it has input nodes only. */
NNB_API int nnb_net_n_in(const nnb_net *net);
NNB_API int nnb_net_n_out(const nnb_net *net);
/** Number of nodes; nodes are 1 … n. */
NNB_API int nnb_net_n_nodes(const nnb_net *net);
/** The node of that name, or 0. */
NNB_API int nnb_net_find(const nnb_net *net, const char *name);
NNB_API const char *nnb_net_node_name(const nnb_net *net, int node);
/** How the columns of a node are read; all zero without a shape and for a node that does not exist. */
NNB_API nnb_shape nnb_net_node_shape(const nnb_net *net, int node);
/** Names of columns and classes; NULL if there is no name.  Columns: inputs, then targets or the column of classes.
 *  nnb_fit takes them from the training data, unless it is refused, and files keep them.  nnb_fit, nnb_evaluate,
 *  nnb_solve_output and nnb_error_bars_create reject data with other names (NNB_E_SHAPE), because columns in another
 *  order would give meaningless results.  Data without names (nnb_data_wrap) is accepted.  Valid until the next
 *  nnb_fit, or until the one that took them returns, if it is refused.                                              */
NNB_API const char *nnb_net_column_name(const nnb_net *net, int column);
NNB_API const char *nnb_net_class_name(const nnb_net *net, int k);
/** The columns of the table that the inputs come from, to read other tables with (nnb_csv_opts.columns).  nnb_fit takes
 *  them with the names, and files keep them.  NULL: the net has no names.  Valid until the next nnb_fit. */
NNB_API const nnb_columns *nnb_net_columns(const nnb_net *net);

/** What the net was trained by.  nnb_fit sets it, unless it is refused; copies and files keep it; nnb_net_init forgets
 *  it.  Other calls that change parameters leave it as it is.  false: nothing is known, or NULL; *out is unchanged. */
NNB_API bool nnb_net_training(const nnb_net *net, nnb_training *out);
/** Sets it, for loops of your own, or to add a score on rows that were not trained on.  An empty version becomes that
 *  of this library.  training NULL: forgets it.  NNB_E_ARG for a number out of range; NNB_E_STATE while a changing call
 *  runs (nnb_net). */
NNB_API nnb_status nnb_net_set_training(nnb_net *net, const nnb_training *training);

/** Prints a table to the stream: layer, output shape, parameters, bytes, and the number of buffers if there are any. */
NNB_API nnb_status nnb_net_summary(const nnb_net *net, FILE *stream);

/** Number of parameters P; seals the net.  0 if the net cannot be sealed. */
NNB_API size_t nnb_net_n_params(const nnb_net *net);
/** All parameters as one contiguous vector.  The block of a dense layer is [W; b], (I+1)×O.  Writable, but not while
 *  another thread uses the net.  NULL if the net cannot be sealed, or while a changing call runs (nnb_net).          */
NNB_API nnb_real *nnb_net_params(nnb_net *net);
/** The same, read-only, at any time. */
NNB_API const nnb_real *nnb_net_params_read(const nnb_net *net);
/** Weights (I×O) of a layer: a view of the parameters.  NNB_E_ARG if the node has no weights. */
NNB_API nnb_status nnb_net_weights(const nnb_net *net, int node, nnb_cmat *out);
/** Bias (1×O) of a layer: a view of the parameters.  NNB_E_ARG if the node has no bias. */
NNB_API nnb_status nnb_net_bias(const nnb_net *net, int node, nnb_cmat *out);
/** Copy w or b into the weights or the bias of a layer.  NNB_E_SHAPE. */
NNB_API nnb_status nnb_net_set_weights(nnb_net *net, int node, nnb_cmat w);
NNB_API nnb_status nnb_net_set_bias(nnb_net *net, int node, nnb_cmat b);
/** Number of buffers of all layers: numbers that training changes without a gradient, for instance running means in own
 *  layers (nnb_needs.buffers).  They are counted apart from the parameters, and saved, copied and restored with them.
 *  Gradients and updates change them; predictions and evaluations do not.  Seals the net; 0 if that fails.           */
NNB_API size_t nnb_net_n_buffers(const nnb_net *net);
/** The buffers of a layer, 1×n: a view.  NNB_E_ARG for a node without buffers. */
NNB_API nnb_status nnb_net_buffers(const nnb_net *net, int node, nnb_cmat *out);
/** Copies numbers into the buffers of a layer.  NNB_E_SHAPE. */
NNB_API nnb_status nnb_net_set_buffers(nnb_net *net, int node, nnb_cmat buffers);
/** Sets which parameters of a layer training does not change: NNB_WEIGHTS, NNB_BIAS, both, or 0 for none.  NNB_E_STATE
 *  while a changing call runs (nnb_net).                                                                             */
NNB_API nnb_status nnb_net_freeze(nnb_net *net, int node, unsigned parts);

/* ---- training, evaluating, predicting -------------------------------------------------------------------------- */

/** Trains net on train.  val: a validation set, or NULL.  opts and report may be NULL.  Training starts from the
 *  present parameters: a second call continues.  train and val must live until it returns.  Allocates at the start,
 *  before a second descent (nnb_fit_opts), and while it writes a checkpoint.
 *
 *  Result: with a validation set, the net has the parameters of the epoch with the lowest validation loss at the end.
 *  The start counts as epoch 0, so a fit never raises the validation loss.  Without, it has those of the last epoch,
 *  after a second descent of the best epoch.  If the loss becomes infinite or NaN, the result is NNB_E_NUMERIC, and
 *  the net has the parameters of the best epoch so far.
 *
 *  Which parameters belong to an epoch: with a validation set or a full-batch method, those at its end, for which the
 *  loss is computed.  Otherwise the training loss is the mean over the epoch, while the parameters change; then they
 *  are those at its start.
 *
 *  Errors: those of building the net; NNB_E_ARG also for a target outside 0 … 1 if the loss takes probabilities (the
 *  message has the row and the column); NNB_E_SHAPE; NNB_E_UNSUPPORTED; NNB_E_NUMERIC, also for a parameter that is not
 *  finite at the start; NNB_E_STATE while another changing call runs; NNB_E_NOMEM.  NNB_E_IO if .log or .checkpoint
 *  cannot be made at the start; if writing fails later, the training goes on, and report.log_status or
 *  report.checkpoint_status has the error.  With .resume, NNB_E_ARG for another net, other data, other options or
 *  another head of the log than those of the file, NNB_E_PARSE for a malformed file.  A refused fit leaves the net as
 *  it was, with its names and the history of the fit before; *report then has .stop and .algo only.  A fit that
 *  diverged with best_epoch 0 leaves everything but the history; the net stays sealed if a callback has run.  After an
 *  error of a source during the training the net has the parameters of the best epoch.                               */
NNB_API nnb_status nnb_fit(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts,
                           nnb_report *report);
/** Solves for the parameters of the output layers that minimise the loss on data; all other parameters stay.  With a
 *  sum of squares and no activation this is a linear least-squares problem.  It minimises the loss of nnb_plan_loss
 *  over all rows plus ½·ridge·Σw² over the weights of the output layers, without their biases (as nnb_fit's l2).
 *  Sample weights and scalers count as in nnb_plan_loss.  Frozen parameters stay.  If the solution is not unique (equal
 *  units, fewer rows than units), it is the one with the least Σw² + Σb²; columns dependent to within n·ε are treated
 *  as dependent (n: inputs and the bias, ε: of the precision).
 *  Method: a QR factorisation in double, updated by blocks of rows (Golub 1965).  Memory for n inputs (the bias is one)
 *  and O outputs of a layer: n² + n·O + 256·(n + O) doubles, a copy of the parameters and a plan of 256 rows, for any
 *  number of rows.  No other thread may use the net during the call.
 *  NNB_E_UNSUPPORTED unless every output is a dense layer without activation that no other node reads, with the loss
 *  half_sse, sse or mse.  NNB_E_ARG if ridge is negative or all parameters are frozen.  NNB_E_SHAPE, also for other
 *  column names than the net's (nnb_net_column_name).  NNB_E_NUMERIC if an input of these layers or a result is not
 *  finite.  NNB_E_OVERFLOW above 46340 inputs or outputs.  NNB_E_NOMEM.  After a failure the parameters are unchanged.
 */
NNB_API nnb_status nnb_solve_output(nnb_net *net, const nnb_data *data, double ridge);
/** Computes loss, accuracy and error of the net on data, in chunks: the memory does not depend on N.  After a failure
 *  *out is all zero, except for NNB_E_NUMERIC, where the loss is not finite.                                         */
NNB_API nnb_status nnb_evaluate(const nnb_net *net, const nnb_data *data, nnb_metrics *out);
/** Computes all metrics of the net on data (NNB_METRIC_LIST); read them with nnb_scores_get.  opts NULL: defaults.
 *  Memory: for the AUC the outputs of all rows, and 56 bytes (in single precision 28) and one for each part a row;
 *  without, it does not depend on the rows.
 *  Errors as of nnb_evaluate; *out is then NULL.                                                                     */
NNB_API nnb_status nnb_net_score(const nnb_net *net, const nnb_data *data, const nnb_score_opts *opts,
                                 nnb_scores **out);
/** Cross-validates a net: each part of data is held out once and predicted by a copy of net that was trained on the
 *  other parts (Stone 1974).  opts NULL: 5 parts.  Data with labels is divided by class, so that each part has its
 *  share of every class.  With .repeats the whole is done again with other parts.
 *
 *  Each run copies the structure of net.  Its scalers are computed again, in the same way, from the rows that it trains
 *  on; a scaler from a file standardises, unless the file says otherwise.  Its parameters are drawn: run i from 0 from
 *  the seed of net (nnb_net_seed) + i; frozen parameters of a sealed net stay.  Then nnb_fit trains it with the options
 *  fit (NULL: all defaults), nnb_evaluate measures it on the rows held out, and nnb_net_score does so for fit->metrics.
 *  Sample weights count in all of them.  net stays as it is.
 *
 *  Runs are spread over .threads threads.  Each uses one thread and one thread of the BLAS, so the result has the same
 *  bits for any number of them, unless fit->max_seconds ends a run.  fit->on_epoch and callbacks are called by these
 *  threads, one call at a time; non-zero stops the whole.  A stopped call returns NNB_OK, and the report has the runs
 *  that ended before.  fit->threads, history, progress, log and train_metrics have no effect.
 *
 *  Memory: for each thread a copy of the rows and what nnb_fit takes; an nnb_cv_run for each run.
 *  *report is overwritten, without releasing what it held; after a failure it is {0}.
 *  NNB_E_ARG: fewer than 2 parts, more parts than rows, a part without rows, .part with repeats, a metric that has no
 *  meaning for the data.  NNB_E_SHAPE for one row.  NNB_E_UNSUPPORTED for data from a source, and with checkpoint,
 *  resume, comm or own_rows of fit.  Errors of nnb_fit and nnb_evaluate in a run; the message names the first such run.
 *  NNB_E_OVERFLOW; NNB_E_NOMEM.                                                                                      */
NNB_API nnb_status nnb_cross_validate(const nnb_net *net, const nnb_data *data, const nnb_fit_opts *fit,
                                      const nnb_cv_opts *opts, nnb_cv_report *report);

/** Makes a net for data: layers has its hidden layers as in nnb_net_parse, "64:relu-32:relu"; "none": none; NULL:
 *  "20:tanh".  The outputs are a softmax for labels, else linear.  Inputs are standardised by data, and so are numeric
 *  targets.  NNB_E_ARG without targets; NNB_E_PARSE.                                                                 */
NNB_API nnb_status nnb_net_for_data(const nnb_data *data, const char *layers, nnb_net **out);

/** Searches for the net and the options that predict data best: takes candidates from a space, measures each by
 *  nnb_cross_validate, and trains the best one on all rows.
 *
 *  space is text, "NAME=VALUES; NAME=VALUES".  NAME is "layers" (nnb_net_for_data), "activation" (of hidden layers that
 *  name none), or an option of nnb_fit_opts_parse.  VALUES are a list, "adam, lbfgs" or "20:tanh | 50:relu", or a range
 *  of numbers, "1e-5..1 log": log is a logarithmic scale, and a number after it says how many values a grid takes (5).
 *  An option that a candidate's method does not take is left out of it, so "algo=adam,lbfgs; lr=1e-3..0.1 log" is fine.
 *    nnb_search(data, "layers=10:tanh,50:tanh; l2=1e-5..1 log", NULL, NULL, &net, &report)
 *  fit: the other options, NULL: all defaults.  It may not have checkpoint, resume, comm or own_rows.  opts NULL:
 *  defaults.
 *
 *  halving: n candidates run in stages.  The last one has fit->max_epochs (default 100), each one before it
 *  opts->factor times fewer; the first has as many stages before the last as n allows.  max_epochs may not vary.
 *
 *  The score of the best candidate is optimistic, since it is the best of many: keep rows apart to measure *best.
 *  nnb_candidate.behind says which others might be as good.
 *
 *  The result has the same bits for any number of threads, unless max_seconds ends the search or a run.
 *  Memory: as nnb_cross_validate, a net without parameters and all runs for each candidate.
 *  best NULL: nothing is trained at the end.  *best is NULL after a failure, and if a callback stopped the search; the
 *  report is then that of the candidates measured before.  report may be NULL; it is overwritten, and {0} after a
 *  failure.  NNB_E_PARSE: the message has the name or value.  NNB_E_ARG, also for more than 10⁴ combinations of a grid,
 *  if max_seconds is too short for one candidate, and if opts->metric is NaN in a run of every candidate.  If all
 *  candidates fail, the error of the first.  NNB_E_NOMEM.                                                            */
NNB_API nnb_status nnb_search(const nnb_data *data, const char *space, const nnb_fit_opts *fit,
                              const nnb_search_opts *opts, nnb_net **best, nnb_search_report *report);
/** y ← net(x); x: B×n_in, y: B×n_out in the data's units.  Makes a plan for the call; nnb_plan_predict does without. */
NNB_API nnb_status nnb_net_predict(const nnb_net *net, nnb_cmat x, nnb_mat y);
/** The predictions' Jacobian for each row of x: J[b*ld + o*n_in + i] ← ∂y_o/∂x_i at row b, in the data's units.  J: B
 *  rows of n_out·n_in numbers.  Makes a plan for the call; nnb_plan_jacobian does without.  NNB_E_SHAPE; NNB_E_OVERFLOW
 *  if n_out·n_in does not fit into an int; NNB_E_NOMEM.                                                              */
NNB_API nnb_status nnb_net_jacobian(const nnb_net *net, nnb_cmat x, nnb_mat J);
/** Derivatives along directions, as nnb_plan_jvp and nnb_plan_hvp have them: dy ← ∂y/∂x·u, and h ← H·u with the second
 *  derivatives H of Σ_o v_o·y_o by x.  x, u, h: B×n_in; v, dy: B×n_out.  They make a plan for the call.  NNB_E_SHAPE;
 *  NNB_E_UNSUPPORTED for a layer without such derivatives; NNB_E_NOMEM.                                              */
NNB_API nnb_status nnb_net_jvp(const nnb_net *net, nnb_cmat x, nnb_cmat u, nnb_mat dy);
NNB_API nnb_status nnb_net_hvp(const nnb_net *net, nnb_cmat x, nnb_cmat v, nnb_cmat u, nnb_mat h);
/** label[i] ← the class of row i: the largest output, or for one output 0 or 1 (above ½).  label: B numbers.
 *  NNB_E_SHAPE for a net with several outputs (nnb_net_output).  NNB_E_UNSUPPORTED for binary_cross_entropy with
 *  several columns: those are separate labels; use nnb_net_predict.  NNB_E_NUMERIC: the message has the first row with
 *  a NaN output, and label holds the classes of the rows before it.                                                  */
NNB_API nnb_status nnb_net_classify(const nnb_net *net, nnb_cmat x, int32_t *label);

/** Error bars of predictions, for a net that was trained with a sum of squares: a standard deviation for each row and
 *  output.  They assume that the parameters are normally distributed around the trained ones with covariance H⁻¹, H =
 *  β·Σ g·gᵀ + α·I over the data (g = ∂y/∂w), and that the net is linear in them within that range (MacKay 1992).  They
 *  are only as good as this model: far from the data they are too small.
 *  The object holds P² doubles (P: parameters that are not frozen; frozen ones count as known).  It is valid for the
 *  parameters at the time of its creation: make it again after further training.  The net must outlive it.
 *  Threads: one thread at a time, as for plans; nnb_error_bars_copy makes an object for another thread.              */
typedef struct nnb_error_bars nnb_error_bars;

/** Makes error bars from the data that the net was trained on and the result of the fit: opts->evidence =
 *  report.evidence.  Costs about two iterations of lm.  opts NULL: no decay, and the noise is estimated.
 *  NNB_E_UNSUPPORTED if the loss is not a sum of squares.  NNB_E_SHAPE, also for other column names than the net's.
 *  NNB_E_ARG if alpha or beta is negative, if alpha is given without beta, or if beta cannot be estimated because there
 *  are no more target values than parameters.  NNB_E_NUMERIC if the data does not determine all parameters, or an
 *  output is not finite.  NNB_E_OVERFLOW above 46340 parameters.  NNB_E_NOMEM.                                       */
NNB_API nnb_status nnb_error_bars_create(nnb_net *net, const nnb_data *data, const nnb_error_bars_opts *opts,
                                         nnb_error_bars **out);
/** A copy of the error bars, for another thread.  NNB_E_STATE, NNB_E_NOMEM. */
NNB_API nnb_status nnb_error_bars_copy(const nnb_error_bars *bars, nnb_error_bars **out);
/** Releases error bars.  NULL is accepted.  Call it before nnb_net_destroy. */
NNB_API void nnb_error_bars_destroy(nnb_error_bars *bars);
/** y ← net(x); sd ← √(gᵀH⁻¹g), the uncertainty of y because the data is finite; sd_new ← √(gᵀH⁻¹g + 1/β), the expected
 *  deviation of a new measurement (of weight 1) from y.  Both are standard deviations, B×n_out as y, in the data's
 *  units.  sd.p or sd_new.p may be NULL.  Any number of rows.  Allocates nothing.
 *  NNB_E_SHAPE; NNB_E_STATE if other parameters are frozen than at the creation; NNB_E_NUMERIC if an output is not
 *  finite.                                                                                                           */
NNB_API nnb_status nnb_error_bars_predict(nnb_error_bars *bars, nnb_cmat x, nnb_mat y, nnb_mat sd, nnb_mat sd_new);

/** Own activations, losses and layers (extend.h) that a file may refer to by name, and a limit of memory. */
typedef struct nnb_load_opts {
  const struct nnb_act_ops *const *activations;
  int n_activations;
  const struct nnb_loss_ops *const *losses;
  int n_losses;
  const struct nnb_layer_ops *const *layers;
  int n_layers;
  size_t max_bytes; /**< limit of the memory for the net's parameters and for one row of all nodes' inputs and outputs;
                         0: 64 times the file's size, at least 64 MiB */
  void *reserved[9];
} nnb_load_opts;

/** Writes structure, parameters, buffers, scalers and names as a safetensors file, atomically: an existing file stays
 *  whole until the new one is complete on disk.  f64 is kept bit for bit.  A program that is killed during the call may
 *  leave a temporary file, ".nnblas-*.tmp" in the same folder; it can be deleted. */
NNB_API nnb_status nnb_net_save(const nnb_net *net, const char *path);
/** Reads a file of nnb_net_save.  A file of the other precision is converted (NNB_E_PARSE if a number is too large).
 *  The file need not be trusted: a malformed one gives NNB_E_PARSE with a message, in time proportional to its size.
 *  opts may be NULL.  The file is read in pieces: memory is that of the net, and 16 MB at most for the file's header.
 *  NNB_E_UNSUPPORTED if the file needs an own part that is not in opts, or more memory than max_bytes.  NNB_E_IO, also
 *  if the file has changed during the call.                                                                          */
NNB_API nnb_status nnb_net_load(const char *path, const nnb_load_opts *opts, nnb_net **out);
/** The same to and from memory: *out holds *bytes bytes; release it with nnb_free. */
NNB_API nnb_status nnb_net_save_mem(const nnb_net *net, void **out, size_t *bytes);
NNB_API nnb_status nnb_net_load_mem(const void *file, size_t bytes, const nnb_load_opts *opts, nnb_net **out);

/** Reads the parameters of modules that PyTorch has saved as safetensors into the layers of a net of the same shape, in
 *  F64, F32, F16 or BF16: NAME.weight (O×I; of convolutions O×channels×height×width, of signals without the height; of
 *  embeddings levels×units) and NAME.bias (O), of batch normalisation also NAME.running_mean and NAME.running_var; of a
 *  gru NAME.weight_ih_l0, NAME.weight_hh_l0, NAME.bias_ih_l0 and NAME.bias_hh_l0, of one layer and one direction.
 *  Scalers and activations of the net stay.
 *  Weights of a dense layer behind an embedding of several numbers, or behind all states of a gru, belong to columns in
 *  the order units, positions; so the PyTorch model must have transpose(1, 2) before its Flatten.  Nothing in the file
 *  tells whether it has.
 *  With opts->names the modules are those.  Without, they are taken in the order of the number in which their names
 *  differ (0, 2, 10; layers.1.fc, layers.2.fc); names that differ in more than a number are NNB_E_ARG.  docs/files.md
 *  has examples for both sides.  opts NULL: defaults.
 *  Memory during the call: the parameters once more, and 16 MB at most for the file's header.
 *  NNB_E_SHAPE if the number of modules or a shape differs.  NNB_E_PARSE, also for a tensor that has no place in the
 *  net, unless opts->ignore_others, and for a number that is too large.  NNB_E_UNSUPPORTED if an own layer has
 *  parameters, and for a tensor of another type or of more than 4 dimensions, unless it has no place in the net and
 *  opts->ignore_others.  NNB_E_STATE while a changing call runs.  NNB_E_IO; NNB_E_NOMEM.  After a failure the net is
 *  unchanged. */
NNB_API nnb_status nnb_net_load_torch(nnb_net *net, const char *path, const nnb_torch_opts *opts);
/** The same from memory. */
NNB_API nnb_status nnb_net_load_torch_mem(nnb_net *net, const void *file, size_t bytes, const nnb_torch_opts *opts);
/** Writes the parameters of all layers as a safetensors file that load_state_dict of a PyTorch model takes: names and
 *  layout as above, in the net's precision.  Atomic, as nnb_net_save.  Seals the net.  Scalers are not
 *  written. */
NNB_API nnb_status nnb_net_save_torch(const nnb_net *net, const char *path, const nnb_torch_opts *opts);
/** The same to memory: *out holds *bytes bytes; release it with nnb_free. */
NNB_API nnb_status nnb_net_save_torch_mem(const nnb_net *net, const nnb_torch_opts *opts, void **out, size_t *bytes);

/** Writes the net as a model of ONNX in its precision, for other programs: inputs and outputs have the names of their
 *  nodes, any number of rows, and the data's units; scalers are inside.  A dense layer is Gemm with transB 1, as
 *  PyTorch writes it, without bias MatMul.  Nodes with a shape are batch×channels×height×width, without the height if
 *  it is 1 at all of them.  The net is folded (nnb_net_fold), so there is no dropout.  Names of columns and classes are
 *  metadata: nnblas.column.0, ….
 *  Double precision has other formulas for elu, leaky_relu, selu, silu and softplus, because ONNX Runtime has these in
 *  single precision only; gelu has the accuracy of single precision.  Convolutions, average pools and gated
 *  recurrent units it has in single precision only, too.  docs/files.md has an example.
 *  The file is written atomically, as by nnb_net_save.  Seals the net.  opts NULL: defaults.  Memory during the call:
 *  the file and the parameters once more.
 *  NNB_E_UNSUPPORTED for own parts, or if the library was built without protobuf-c.  NNB_E_ARG for names that are not
 *  UTF-8.  NNB_E_OVERFLOW above 2 GB.  NNB_E_IO; NNB_E_NOMEM.                                                        */
NNB_API nnb_status nnb_net_save_onnx(const nnb_net *net, const char *path, const nnb_onnx_opts *opts);
/** The same to memory: *out holds *bytes bytes; release it with nnb_free. */
NNB_API nnb_status nnb_net_save_onnx_mem(const nnb_net *net, const nnb_onnx_opts *opts, void **out, size_t *bytes);
/** Reads a net from a model of ONNX, as this library, PyTorch, Keras, skl2onnx and tf2onnx write them.
 *  docs/files.md has the list of what is read; everything else is NNB_E_UNSUPPORTED with the name of the node and its
 *  operator.  Numbers of the other precision are converted, as by nnb_net_load.  The loss of the net is the default one
 *  of its outputs, or mse if these are scaled.  A signal of the net is channels×samples, also where an input of the
 *  file is samples×channels, as PyTorch's recurrent layers have it.
 *  The file need not be trusted: a malformed one gives NNB_E_PARSE with a message, in time proportional to its size.
 *  Memory during the call: the file, and at most 64 times its size, but 64 MiB may always be used; then the net, within
 *  opts->max_bytes.  opts NULL: defaults.
 *  NNB_E_UNSUPPORTED also for numbers in other files, unless opts->external_data, and if the library was built without
 *  protobuf-c.  NNB_E_IO; NNB_E_NOMEM.                                                                               */
NNB_API nnb_status nnb_net_load_onnx(const char *path, const nnb_onnx_opts *opts, nnb_net **out);
/** The same from memory, where no other files can be meant. */
NNB_API nnb_status nnb_net_load_onnx_mem(const void *file, size_t bytes, const nnb_onnx_opts *opts, nnb_net **out);

/** Writes the net as one C99 file that needs nothing but math.h, for programs and devices without this library: no
 *  heap, no I/O, no state.  With the name "pump" it has the parameters in one constant table, pump_table, and the
 *  functions
 *    pump_predict(x, y), pump_jacobian(x, y, J): J[o·n_in + i] = ∂y_o/∂x_i, all in the data's units;
 *    pump_predict_with(p, x, y), pump_jacobian_with(p, x, y, J): the same with other parameters of the same shape;
 *    pump_step(p, x, t, lr), with opts->step: one step of gradient descent on the net's loss for one row, p ← p -
 *    lr·∂E/∂p; frozen parameters stay.
 *  x, y, t and J must not overlap.  Macros give the sizes: PUMP_N_IN, PUMP_N_OUT, PUMP_N_PARAMS; PUMP_SCRATCH numbers
 *  of stack for a prediction (a chain: at most twice its widest layer, and 5 for each unit of its largest gru),
 *  PUMP_VALUES + PUMP_DERIVATIVES for the others.  p has the layout of nnb_net_params; with integer weights it is a
 *  struct.  A number that an embedding does not have is read as the nearest one.  docs/files.md has an example.
 *  The file is written atomically, as by nnb_net_save.  Seals the net.  opts NULL: defaults.
 *  NNB_E_UNSUPPORTED for own parts, and with opts->step for dropout and batch normalisation.  NNB_E_NUMERIC if a
 *  parameter is not finite, or too large for float.  NNB_E_ARG, NNB_E_IO, NNB_E_NOMEM.                               */
NNB_API nnb_status nnb_net_write_c(const nnb_net *net, const char *path, const nnb_c_opts *opts);
/** The same to memory: *out is a text of *bytes bytes and a NUL; release it with nnb_free. */
NNB_API nnb_status nnb_net_write_c_mem(const nnb_net *net, const nnb_c_opts *opts, char **out, size_t *bytes);

/* ================================================================================================================== *
 * Low-level calls: three levels below nnb_fit.  The epochs of its mini-batch methods are written in these calls       *
 * (examples/fit_by_hand.c).                                                                                          *
 * ================================================================================================================== */

/** All memory that a net needs for up to max_rows rows: activations, derivatives, scratch, in one arena.
 *  Threads: a plan is for one thread at a time.  Several threads may use one net, each with its own plan, as long as
 *  none trains it.                                                                                                   */
typedef struct nnb_plan nnb_plan;
/** Options of nnb_plan_create. */
typedef struct nnb_plan_opts {
  int max_rows;     /**< default 1.  A larger batch is NNB_E_SHAPE (nnb_train_rows splits it into chunks).  With
                         nnb_net_exact it may be rounded up: docs/arithmetic.md                            */
  int threads;      /**< 0: nnb_get_threads()                                                             */
  unsigned want;    /**< NNB_GRAD, NNB_DX, NNB_KEEP, NNB_ROWS, NNB_SECOND, NNB_DT, joined by |; 0: predictions and
                         losses only */
  void *mem;        /**< NULL, or the memory for the plan: nnb_plan_bytes() bytes aligned to 64; it must outlive the
                         plan */
  size_t mem_bytes;
  void *reserved[12];
} nnb_plan_opts;

/** Lays out a plan; seals the net.  All memory is allocated here.  opts NULL: defaults.
 *  The errors of building and sealing the net.  NNB_E_ARG for more than 1024 threads, and for memory of the caller that
 *  is too small or not aligned.  NNB_E_UNSUPPORTED if the net has something that .want or nnb_net_exact does not take;
 *  the message names it.  NNB_E_OVERFLOW; NNB_E_NOMEM.                                                               */
NNB_API nnb_status nnb_plan_create(nnb_net *net, const nnb_plan_opts *opts, nnb_plan **out);
/** The bytes that a plan with these options needs; seals the net.  Errors as of nnb_plan_create. */
NNB_API nnb_status nnb_plan_bytes(nnb_net *net, const nnb_plan_opts *opts, size_t *out);
/** Releases a plan.  NULL is accepted.  Memory given by the caller is not released. */
NNB_API void nnb_plan_destroy(nnb_plan *plan);

/** y ← net(x): x is B×n_in, y is B×n_out, B ≤ max_rows, in the data's units.  Allocates nothing.  For a single row,
 *  weights multiplied by a zero input may be skipped, so a NaN weight there goes unnoticed.  NNB_E_SHAPE.            */
NNB_API nnb_status nnb_plan_predict(nnb_plan *plan, nnb_cmat x, nnb_mat y);
/** The loss of a batch.  NNB_E_SHAPE; NNB_E_STATE for targets of derivatives (batch->dt) in a plan without NNB_DT, as
 *  in all calls with a batch; NNB_E_NUMERIC if the loss is not finite (*loss has its value). */
NNB_API nnb_status nnb_plan_loss(nnb_plan *plan, const nnb_batch *batch, double *loss);
/** Loss and gradient of a batch: grad ← keep·grad + ∂E/∂w, P values, frozen parameters included.  keep 0 overwrites any
 *  old value, NaN too.  loss may be NULL.  Needs NNB_GRAD (NNB_E_STATE).  NNB_E_SHAPE; NNB_E_NUMERIC if the loss is not
 *  finite: *loss has its value, and grad is then of no use, whatever keep is.
 *  It changes the buffers of a net that has some: only one thread at a time may then call it, and while a changing call
 *  (nnb_net) runs it is NNB_E_STATE.                                                                                 */
NNB_API nnb_status nnb_plan_gradient(nnb_plan *plan, const nnb_batch *batch, double keep, double *loss, nnb_real *grad);
/** dx ← vᵀ·∂y/∂x for each row: v (B×n_out) times the predictions' Jacobian, in the data's units.  Needs NNB_DX. */
NNB_API nnb_status nnb_plan_vjp(nnb_plan *plan, nnb_cmat x, nnb_cmat v, nnb_mat dx);
/** dy ← ∂y/∂x·u for each row: the predictions' derivative along u (B×n_in), in the data's units.  dy: B×n_out.  Needs
 *  NNB_DX.  NNB_E_UNSUPPORTED if an own layer has no tangent, or an own activation over whole rows no push (extend.h);
 *  the message has the node.  NNB_E_SHAPE.                                                                           */
NNB_API nnb_status nnb_plan_jvp(nnb_plan *plan, nnb_cmat x, nnb_cmat u, nnb_mat dy);
/** All derivatives of the predictions: J[b·ld + o·n_in + i] ← ∂y_o/∂x_i at row b, in the data's units.  J: B rows of
 *  n_out·n_in numbers; without gaps (ld = cols) it is faster.  y: B×n_out predictions, or y.p NULL.  Needs NNB_DX.
 *  Allocates nothing.  The derivatives of a row are further rows of the layers' products, one for each output, or one
 *  for each input if there are fewer of these.  NNB_E_SHAPE; NNB_E_OVERFLOW if n_out·n_in does not fit into an int.  */
NNB_API nnb_status nnb_plan_jacobian(nnb_plan *plan, nnb_cmat x, nnb_mat y, nnb_mat J);
/** A Hessian times a vector: h ← H·u for each row, where H has the second derivatives of Σ_o v_o·y_o by x, in the
 *  data's units.  v: B×n_out, u and h: B×n_in.  It costs about two forward and two backward passes (Pearlmutter 1994,
 *  applied to the inputs).  Allocates nothing.  Needs NNB_SECOND (NNB_E_STATE).  A plan with NNB_SECOND is
 *  NNB_E_UNSUPPORTED, with the node, for a layer that is not affine or has scratch (nnb_needs), and for an own
 *  activation without slope or bend (extend.h).  NNB_E_SHAPE.                                                        */
NNB_API nnb_status nnb_plan_hvp(nnb_plan *plan, nnb_cmat x, nnb_cmat v, nnb_cmat u, nnb_mat h);
/** The predictions along a line and their derivatives by the parameters, for residuals of differential equations:
 *  y[b·ld + c·n_out + o] ← dᶜy_o(x + s·u)/dsᶜ at s = 0, for c = 0 … order, in the data's units.  x, u: B×n_in; y:
 *  B×((order+1)·n_out); order: 1 or 2.  J: one row of P numbers for each number of y, in the same order, ldj apart: its
 *  derivatives by the parameters, frozen ones included; ldj ≥ P.  J NULL: y only.
 *  The derivatives of a residual f(y, y', y'') by the parameters are sums of such rows
 *  (examples/16_boundary_value.c).  Allocates nothing.  Needs NNB_SECOND, as nnb_plan_hvp; order 2 is
 *  NNB_E_UNSUPPORTED with activations over whole rows.  NNB_E_SHAPE.                                                 */
NNB_API nnb_status nnb_plan_taylor(nnb_plan *plan, nnb_cmat x, nnb_cmat u, int order, nnb_mat y, nnb_real *J, int ldj);
/** Residuals of a batch and their derivatives: r[i·n_out + o] = c·√weight_i·(a_io - t_io), J[(i·n_out + o)·ldj + p] =
 *  ∂r/∂w_p.  c is such that ½·Σ r² is the loss of nnb_plan_loss, and Jᵀ·r the gradient of nnb_plan_gradient.  J has
 *  B·n_out rows of P numbers, frozen parameters included; ldj ≥ P.  J NULL: residuals only.  Targets and outputs are in
 *  the net's (scaled) units.
 *  With targets of derivatives (batch->dt, NNB_DT) a row of the batch has n_out·(1 + n_in) residuals: those of its
 *  outputs, then that of ∂y_o/∂x_i at n_out + o·n_in + i.  r and J then have B·n_out·(1 + n_in) numbers and rows.  Rows
 *  of weight 0 are 0 in r and J.
 *  Needs NNB_ROWS (NNB_E_STATE).  A plan with NNB_ROWS is NNB_E_UNSUPPORTED unless all losses are half_sse, sse or
 *  mse.  NNB_E_SHAPE; NNB_E_NUMERIC if a residual is not finite.                                                     */
NNB_API nnb_status nnb_plan_rows(nnb_plan *plan, const nnb_batch *batch, nnb_real *r, nnb_real *J, int ldj);
/** An intermediate result of a node in the last call: a view of the plan's memory, valid until its next call.  Needs
 *  NNB_KEEP (NNB_E_STATE), because other plans reuse that memory.  NNB_E_ARG if the node has no such result.         */
NNB_API nnb_status nnb_plan_view(const nnb_plan *plan, int node, nnb_what what, nnb_cmat *out);

/** An optimiser and its state (momentum, averages), for one net.  A net with other shapes is NNB_E_SHAPE. */
typedef struct nnb_optim nnb_optim;
/** Makes an optimiser for net; seals the net.  opts NULL: defaults.  NNB_E_ARG for an option out of range or a
 *  full-batch method; NNB_E_UNSUPPORTED for kfac with a layer that couples rows or keeps numbers of all rows
 *  (nnb_needs); NNB_E_NOMEM; NNB_E_OVERFLOW.
 *
 *  kfac (Martens and Grosse 2015) keeps 2·((I+1)² + O²) numbers for an I×O layer, and 3P.  It needs the training calls
 *  and batches of some hundred rows.  docs/optimisers.md explains its steps, damping and limits.                     */
NNB_API nnb_status nnb_optim_create(nnb_net *net, const nnb_optim_opts *opts, nnb_optim **out);
/** Releases an optimiser.  NULL is accepted. */
NNB_API void nnb_optim_destroy(nnb_optim *optim);
/** Sets η of the next steps, which the schedule multiplies.  NNB_E_ARG unless lr is finite and positive. */
NNB_API nnb_status nnb_optim_set_lr(nnb_optim *optim, double lr);
/** The learning rate of the last step, before any step that of the first; 0 for NULL. */
NNB_API double nnb_optim_lr(const nnb_optim *optim);
/** Gives NNB_PLATEAU the loss of an epoch.  Other schedules ignore it. */
NNB_API nnb_status nnb_optim_epoch(nnb_optim *optim, double loss);
/** Exchanges the weights of the net and their moving average (.ema).  A second call restores the weights; training
 *  calls before it are NNB_E_STATE.  NNB_E_STATE without .ema or before the first step.                              */
NNB_API nnb_status nnb_optim_average(nnb_optim *optim, nnb_net *net);

/** Writes the net and the state of its optimiser as one model file, atomically as nnb_net_save.  nnb_net_load reads the
 *  net in it; the state lies in further tensors, nnblas.state/…, and in the metadata.  The net may hold the weights or
 *  the average of the weights.
 *  NNB_E_SHAPE for a net with other shapes than the optimiser's, NNB_E_IO, NNB_E_NOMEM.                              */
NNB_API nnb_status nnb_optim_save(nnb_optim *optim, nnb_net *net, const char *path);
/** Continues from a file of nnb_optim_save: sets the parameters of the net and the state of the optimiser.  The next
 *  updates then have the bits of a training that was not interrupted, on the same machine with the same threads and
 *  chunks.  The net must be the same: structure, names, seed, scalers, frozen parts, precision.  So must the options,
 *  except .epochs where the schedule does not need it; a rate of nnb_optim_set_lr is part of the state.  The order of
 *  the rows is not: nnb_epoch_order gives that of any epoch.
 *  A file of a checkpoint of nnb_fit is taken too.  The file need not be trusted: NNB_E_PARSE for a malformed one, in
 *  time proportional to its size.  NNB_E_ARG for another net, other options or a file without such a state; the
 *  message has what differs.  NNB_E_SHAPE, NNB_E_IO, NNB_E_NOMEM; NNB_E_STATE while a changing call runs.  After a
 *  failure net and optimiser are unchanged.                                                                          */
NNB_API nnb_status nnb_optim_load(nnb_optim *optim, nnb_net *net, const char *path);
/** The same to and from memory: *out holds *bytes bytes; release it with nnb_free. */
NNB_API nnb_status nnb_optim_save_mem(nnb_optim *optim, nnb_net *net, void **out, size_t *bytes);
NNB_API nnb_status nnb_optim_load_mem(nnb_optim *optim, nnb_net *net, const void *file, size_t bytes);

/** Level 1: one step of the parameters with the gradient grad (P values from nnb_plan_gradient; clipping overwrites
 *  them).  NaN in grad is not checked, to save a pass over it: nnb_plan_gradient reports NNB_E_NUMERIC.
 *  NNB_E_UNSUPPORTED for kfac, which needs the layers' data as well.                                                 */
NNB_API nnb_status nnb_optim_step(nnb_optim *optim, nnb_net *net, nnb_real *grad);
/** Level 2: one update from one batch of at most max_rows, fused with the gradient if the optimiser allows it.  *loss
 *  is the loss before the update; loss may be NULL.  The parameters are not backed up: after NNB_E_NUMERIC they are
 *  those of the failed update.  NNB_E_ARG for a plan of another net; NNB_E_STATE without NNB_GRAD, while the net has
 *  averaged weights (nnb_optim_average), and while a changing call runs; NNB_E_SHAPE; NNB_E_UNSUPPORTED.             */
NNB_API nnb_status nnb_train_step(nnb_net *net, nnb_plan *plan, const nnb_batch *batch, nnb_optim *optim, double *loss);
/** Level 3: ⌈n/batch⌉ updates over the rows order[0 … n-1] of `rows`.  order NULL: all rows in their order, and n is
 *  0.  rows->norm must be 0: each update divides by its own weights.  A batch larger than the plan's max_rows is
 *  processed in chunks, with one update.  sums may be NULL; it is overwritten.
 *  Stops at the first update whose loss is not finite (NNB_E_NUMERIC); the parameters are not backed up.  The other
 *  errors of nnb_train_step.                                                                                         */
NNB_API nnb_status nnb_train_rows(nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order, int n,
                                  int batch, nnb_optim *optim, nnb_sums *sums);

/** Compares the gradient of a batch with central differences in every parameter and every input.  It changes the
 *  parameters and restores them: no other thread may use the net.  The step sizes suit inputs in the net's scaled
 *  units.
 *  *worst is the largest relative error that remains after subtracting the measured rounding error, relative to
 *  max(|analytic|, |numeric|, 10⁻² · largest entry of the gradient); NaN if any value was NaN.  A correct net gives
 *  about 1e-7 or less in double precision, also at a minimum; in single precision 1e-2 or less away from a minimum.
 *  Choose points away from the kinks of relu and similar activations.
 *  NNB_E_SHAPE; NNB_E_STATE while a changing call runs; NNB_E_UNSUPPORTED; NNB_E_OVERFLOW; NNB_E_NUMERIC; NNB_E_NOMEM.
 *  *worst is then NaN.                                                                                               */
NNB_API nnb_status nnb_check_gradient(nnb_net *net, const nnb_batch *batch, double *worst);

/* ================================================================================================================== *
 * The optimisers by themselves, for any function.                                                                    *
 * ================================================================================================================== */

/** A function to minimise: its value and gradient. */
typedef struct nnb_fdf {
  size_t n;   /**< variables                                                                              */
  void *user; /**< passed to eval                                                                         */
  /** *f ← f(x), g[0 … n-1] ← ∂f/∂x; g NULL: only the value.  Returns NNB_OK.  NNB_E_NUMERIC, or a value or gradient
   *  that is not finite, means that f is not defined at x: the search then takes a shorter step.  Any other status ends
   *  it.                                                                                                             */
  nnb_status (*eval)(void *user, const nnb_real *x, double *f, nnb_real *g);
  void *reserved[9];
} nnb_fdf;

/** Minimises f from x (n numbers).  At the end, also after an error, x is the best point found.  opts and report may be
 *  NULL.  NNB_AUTO is lbfgs.  Allocates at the start only; bfgs keeps n² numbers, for n ≤ 20000.
 *  NNB_OK for every reason to stop except an error; report->stop has the reason.  NNB_E_ARG for an option that is out
 *  of range or that the method does not take, and for a method that does not minimise functions.  NNB_E_NUMERIC if f or
 *  its gradient is not finite at the start (moved between the bounds).  NNB_E_NOMEM.  Any other status that eval
 *  returned.                                                                                                         */
NNB_API nnb_status nnb_minimize(const nnb_fdf *f, nnb_real *x, const nnb_min_opts *opts, nnb_min_report *report);

/** A sum of squares to minimise, f(x) = ½·Σ r_i(x)²: m residuals and their derivatives, in blocks of rows. */
typedef struct nnb_lsq {
  size_t m, n; /**< residuals, variables                                                                  */
  void *user;  /**< passed to rows                                                                        */
  /** r[i] ← r_{row0+i}(x), J[i*ldj + j] ← ∂r_{row0+i}/∂x_j for i < k; J NULL: residuals only.  Status as in nnb_fdf. */
  nnb_status (*rows)(void *user, const nnb_real *x, size_t row0, int k, nnb_real *r, nnb_real *J, int ldj);
  const double *ridge; /**< NULL, or n numbers c_j ≥ 0: f(x) = ½·Σ r_i(x)² + ½·Σ c_j x_j²                 */
  int group;           /**< row0 and k are multiples of it, and it divides m; 0: 1                        */
  size_t m_known;      /**< .bayes: number of residuals that come from data, if the others are always 0; 0: m */
  const bool *linear;  /**< varpro: n flags, true for the linear x_j: with the other x fixed, r is A·x_linear + b.
                            NULL: none */
  double linear_ridge; /**< varpro: ρ ≥ 0, a ridge on the linear x_j during the projection (docs/optimisers.md); nnb_fit
                            takes 1e-4; 0: none */
  /** varpro, optional and faster: as rows, but only the linear columns of J are needed.  It is used to solve for the
   *  linear variables, in half of the calls.  All of r is needed, and J is not NULL.  NULL: rows is called.          */
  nnb_status (*linear_rows)(void *user, const nnb_real *x, size_t row0, int k, nnb_real *r, nnb_real *J, int ldj);
  void *reserved[10];
} nnb_lsq;

/** Minimises a sum of squares from x (n numbers).  At the end, also after an error, x is the best point found.  opts
 *  and report may be NULL.  Allocates at the start, NNB_AUTO also before lm.  The BLAS runs with one thread during the
 *  call, in the callbacks too.
 *  Methods: lm, varpro (docs/optimisers.md).  NNB_AUTO is lm; if the problem has linear variables, no bounds and no
 *  .bayes, it is varpro and then, unless a limit, the target or on_iteration stopped that, lm from the same start.  x
 *  and the report are those of the lower end, with the counts of both.
 *  Memory: lm keeps 2n² doubles, the residuals, and up to 64 MiB of the Jacobian; varpro up to 3n² doubles.  One
 *  evaluation is one computation of all residuals, with or without derivatives.
 *  NNB_OK for every reason to stop except an error; report->stop has the reason.  NNB_STOP_STALLED is the usual end of
 *  a fit whose residuals do not vanish.  NNB_E_ARG, also for varpro without linear variables or with bounds;
 *  NNB_E_OVERFLOW above opts->max_bytes; NNB_E_NUMERIC if a residual or a derivative is not finite at the start (moved
 *  between the bounds); NNB_E_NOMEM; any other status that a callback returned.                                      */
NNB_API nnb_status nnb_least_squares(const nnb_lsq *problem, nnb_real *x, const nnb_min_opts *opts,
                                     nnb_min_report *report);
