/** nnblas/core.h: everything that does not depend on the precision: status, messages, memory, threads, random numbers,
 *  enumerations, options, reports.  <nnblas.h> includes it.                                                       */
#ifndef NNBLAS_CORE_H
#define NNBLAS_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#if defined(NNB_BUILDING) && (defined(__GNUC__) || defined(__clang__))
#define NNB_API __attribute__((visibility("default")))
#else
#define NNB_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The one place for the version: meson.build reads it here. */
#define NNB_VERSION_MAJOR 0
#define NNB_VERSION_MINOR 1
#define NNB_VERSION_PATCH 0
/** As one number, to compare: 100 for 0.1.0, 20304 for 2.3.4. */
#define NNB_VERSION (NNB_VERSION_MAJOR * 10000 + NNB_VERSION_MINOR * 100 + NNB_VERSION_PATCH)

/** The version of the library that runs, "0.1.0"; the macros are those of the headers the program was compiled with. */
NNB_API const char *nnb_version(void);

/* ---- status and messages --------------------------------------------------------------------------------------- */

/** Every status, its value and its meaning.  A status is 0 or negative. */
#define NNB_STATUS_LIST(X)                                                             \
  X(NNB_OK, 0, "success")                                                              \
  X(NNB_E_NOMEM, -1, "out of memory")                                                  \
  X(NNB_E_ARG, -2, "invalid argument")                                                 \
  X(NNB_E_SHAPE, -3, "shapes do not fit together")                                     \
  X(NNB_E_STATE, -4, "not possible in the present state")                              \
  X(NNB_E_NUMERIC, -5, "a number became infinite or NaN, or a factorisation failed")   \
  X(NNB_E_PARSE, -6, "the text or file is malformed")                                  \
  X(NNB_E_IO, -7, "reading or writing failed")                                         \
  X(NNB_E_OVERFLOW, -8, "a size is too large")                                         \
  X(NNB_E_UNSUPPORTED, -9, "not supported")

typedef enum nnb_status {
#define NNB_STATUS_ENUM(name, value, text) name = value,
  NNB_STATUS_LIST(NNB_STATUS_ENUM)
#undef NNB_STATUS_ENUM
} nnb_status;

/** The meaning of a status in a few words.  Never NULL; "unknown status" for any other value. */
NNB_API const char *nnb_strstatus(nnb_status status);

/** The message of this thread's last failing call: what was wanted and what came, `train.csv:17:4: "abc" is not a
 *  number`.  Never NULL; "" before the first failure.  Valid until the next failing call of the same thread.       */
NNB_API const char *nnb_errmsg(void);

/* ---- memory ---------------------------------------------------------------------------------------------------- */

/** The allocator of the library's memory.  alloc returns memory aligned as malloc's, or NULL; release accepts NULL.
 *  Any thread may call both at any time.                                                                            */
typedef struct nnb_allocator {
  void *(*alloc)(void *user, size_t bytes);
  void (*release)(void *user, void *p);
  void *user;
} nnb_allocator;

/** Replaces the allocator; NULL: malloc and free; one without alloc or release changes nothing.  Call it first, with no
 *  other thread in the library: memory is released through the allocator that is set at the time of the release.    */
NNB_API void nnb_set_allocator(const nnb_allocator *allocator);

/** Releases memory that a call of the library returned, where its description says so.  NULL is accepted. */
NNB_API void nnb_free(void *p);

/* ---- threads and BLAS ------------------------------------------------------------------------------------------ */

/** Sets the number of threads of plans made from now on; 0, the default: the processors of the process, less by a
 *  cgroup quota.  A plan uses fewer if its work is too small to share.  The library has its own threads; it sets the
 *  BLAS's thread count to 1 while a step or a prediction runs, and back afterwards.  NNB_E_ARG if n is negative or
 *  above 1024.                                                                                                       */
NNB_API nnb_status nnb_set_threads(int n);

/** The number of threads in use: at least 1. */
NNB_API int nnb_get_threads(void);

/** The BLAS that multiplies the matrices. */
typedef struct nnb_blas_facts {
  char vendor[32];   /**< "OpenBLAS", or "unknown"                                                       */
  char version[32];  /**< "0.3.21"                                                                        */
  char core[32];     /**< the kernels that run: "SkylakeX"                                                */
  char found[32];    /**< the kernels the BLAS had chosen before the library looked                       */
  char threading[16];/**< "pthreads", "openmp", "none": how the BLAS would thread                         */
  int threads;       /**< the BLAS's own thread count outside the library's calls                         */
  bool switched;     /**< the library switched it to faster kernels at load time                          */
  bool slow;         /**< the kernels are slower than the processor allows; advice says what to do        */
  char advice[256];  /**< what to set to run faster; "" if nothing                                        */
  void *reserved[13];
} nnb_blas_facts;

/** Fills *facts.  Always succeeds.
 *  Debian 12's OpenBLAS runs its oldest kernels on processors it does not know.  At load time the library makes
 *  OpenBLAS select its kernels by CPU features, if OPENBLAS_CORETYPE is unset and no other thread can be in the BLAS.
 *  NNBLAS_KEEP_BLAS_CORE=1 in the environment turns that off.                                                       */
NNB_API void nnb_blas_info(nnb_blas_facts *facts);

/** Sets the sizes at which the library switches between its own kernels and the BLAS, and between one thread and
 *  several.  text: "name=value,name=value" with names that nnb_get_thresholds shows; the others stay.  NULL: the
 *  defaults.  `nnblas-bench --tune` finds the values for a machine.  At load time the library reads NNBLAS_THRESHOLDS
 *  from the environment in the same way, and ignores a malformed text.  Results differ by rounding only.  Not while
 *  another thread is in the library.  NNB_E_PARSE: nothing has changed.                                             */
NNB_API nnb_status nnb_set_thresholds(const char *text);
/** Writes all thresholds into text, of size bytes; 512 are enough.  NNB_E_ARG if they do not fit. */
NNB_API nnb_status nnb_get_thresholds(char *text, size_t size);

/* ---- random numbers -------------------------------------------------------------------------------------------- */

/** A counter-based generator: the numbers are a function of (seed, stream, counter), so streams are independent and
 *  any place can be reached directly.  Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
 *  as 1, 2, 3", SC 2011.  A plain value that may be copied; one thread at a time may draw from one.  NULL draws 0.  */
typedef struct nnb_rng {
  uint64_t seed, stream, counter;
  uint32_t block[4]; /* the numbers of the present counter not yet handed out */
  int left;
} nnb_rng;

NNB_API void nnb_rng_init(nnb_rng *rng, uint64_t seed, uint64_t stream);
NNB_API uint32_t nnb_rng_u32(nnb_rng *rng);
/** Uniform in [0, 1), 53 bits. */
NNB_API double nnb_rng_uniform(nnb_rng *rng);
/** Standard normal (Box and Muller 1958). */
NNB_API double nnb_rng_normal(nnb_rng *rng);
/** Uniform in 0 … n-1 without bias (Lemire 2019); n must be positive. */
NNB_API uint32_t nnb_rng_below(nnb_rng *rng, uint32_t n);
/** A random order of 0 … n-1 (Fisher and Yates). */
NNB_API void nnb_rng_shuffle(nnb_rng *rng, int32_t *order, int32_t n);

/* ---- enumerations ---------------------------------------------------------------------------------------------- */

/** f in A = f(Z).  In strings and files: the enumerator without NNB_, in lower case ("leaky_relu").  Behind the formula:
 *  how the weights of its layer start unless something else is asked for (NNB_INIT_AUTO).                            */
typedef enum nnb_activation {
  NNB_LINEAR,     /**< z                                          glorot_uniform                                */
  NNB_STEP,       /**< 1 if z > 0 else 0; its slope is taken as 0: not for training; glorot_uniform             */
  NNB_SIGMOID,    /**< 1/(1+e^-z)                                 glorot_uniform                                */
  NNB_TANH,       /**< tanh z                                     glorot_uniform                                */
  NNB_RELU,       /**< max(z, 0), slope 0 at 0                    he_normal                                     */
  NNB_LEAKY_RELU, /**< z if z > 0 else 0.01 z                     he_normal                                     */
  NNB_ELU,        /**< z if z > 0 else e^z - 1                    he_normal; Clevert et al. 2016                */
  NNB_SELU,       /**< s·(z if z > 0 else a (e^z - 1))            lecun; Klambauer et al. 2017                  */
  NNB_GELU,       /**< z Φ(z), by erf                             he_normal; Hendrycks and Gimpel 2016          */
  NNB_SILU,       /**< z/(1+e^-z)                                 he_normal; Elfwing et al. 2018                */
  NNB_SOFTPLUS,   /**< log(1+e^z)                                 he_normal                                     */
  NNB_SOFTMAX,    /**< e^z_j / Σ e^z over the row, 2 units at least  glorot_uniform                                */
  NNB_N_ACTIVATIONS,
  NNB_OWN_ACTIVATION = 1000 /**< values from here on: see nnb_net_own_activation in extend.h */
} nnb_activation;

/** The loss E.  a: outputs, t: targets, w: sample weights (1 unless given), Σ over the samples i and outputs j.  In
 *  strings and files: the enumerator without NNB_, in lower case ("half_sse").
 *  The cross-entropies are computed from Z: binary_cross_entropy wants outputs of sigmoid, cross_entropy of softmax,
 *  either those of an own activation or layer, and targets within 0 … 1 that are not scaled; anything else is refused
 *  (NNB_E_ARG).                                                                                                      */
typedef enum nnb_loss {
  NNB_LOSS_AUTO,            /**< "auto": by the outputs' activation: softmax → cross_entropy, sigmoid →
                                 binary_cross_entropy, any other → mse                                          */
  NNB_HALF_SSE,             /**< ½ Σ w_i (t-a)²                                                                 */
  NNB_SSE,                  /**< Σ w_i (t-a)²                                                                   */
  NNB_MSE,                  /**< Σ w_i (t-a)² / (Σ w_i · n_out)                                                 */
  NNB_MAE,                  /**< Σ w_i |t-a| / (Σ w_i · n_out)                                                  */
  NNB_HUBER,                /**< as mse with ½r² for |r| ≤ 1, |r| - ½ beyond; Huber 1964                        */
  NNB_BINARY_CROSS_ENTROPY, /**< -Σ w_i (t log a + (1-t) log(1-a)) / Σ w_i                                      */
  NNB_CROSS_ENTROPY,        /**< -Σ w_i t log a / Σ w_i                                                         */
  NNB_N_LOSSES,
  NNB_OWN_LOSS = 1000 /**< values from here on: see nnb_net_own_loss in extend.h */
} nnb_loss;

/** How the weights of a layer start; biases start at 0.  I: inputs, O: outputs, s: .init_scale (default 1). */
#define NNB_INIT_LIST(X)                                                                                             \
  X(NNB_INIT_AUTO, "auto")             /* by the activation, see nnb_activation; own ones: glorot_uniform         */ \
  X(NNB_INIT_ZEROS, "zeros")                                                                                         \
  X(NNB_INIT_UNIFORM, "uniform")       /* uniform in (-s, s)                                                      */ \
  X(NNB_INIT_NORMAL, "normal")         /* normal with deviation s                                                 */ \
  X(NNB_INIT_GLOROT_UNIFORM, "glorot_uniform") /* uniform in ±s√(6/(I+O))          Glorot and Bengio 2010         */ \
  X(NNB_INIT_GLOROT_NORMAL, "glorot_normal")   /* deviation s√(2/(I+O))                                           */ \
  X(NNB_INIT_HE_UNIFORM, "he_uniform")         /* uniform in ±s√(6/I)              He et al. 2015                 */ \
  X(NNB_INIT_HE_NORMAL, "he_normal")           /* deviation s√(2/I)                                               */ \
  X(NNB_INIT_LECUN, "lecun")                   /* deviation s√(1/I)                LeCun et al. 1998              */ \
  X(NNB_INIT_ORTHOGONAL, "orthogonal")         /* s·Q of a QR of a normal matrix   Saxe et al. 2014               */

#define NNB_ENUM(name, text) name,
typedef enum nnb_init { NNB_INIT_LIST(NNB_ENUM) NNB_N_INITS } nnb_init;

/** The methods.  η: .lr, μ: .momentum, β₁, β₂: .beta1, .beta2, ε: .epsilon, g: gradient, t: update, from 1.
 *  m ← β₁m + (1-β₁)g and s ← β₂s + (1-β₂)g² are averages, m̂ = m/(1-β₁ᵗ) and ŝ = s/(1-β₂ᵗ) are corrected for
 *  their start at 0.  L2 decay is separate from the gradient in all of them (w ← (1-ηλ)w - …, Loshchilov and Hutter
 *  2019). */
#define NNB_ALGO_LIST(X)                                                                                             \
  X(NNB_AUTO, "auto")         /* what suits, see nnb_fit; the report names it                                     */ \
  X(NNB_SGD, "sgd")           /* w ← w - ηg                                                                       */ \
  X(NNB_MOMENTUM, "momentum") /* v ← μv + g, w ← w - ηv                            Polyak 1964                    */ \
  X(NNB_NESTEROV, "nesterov") /* v ← μv + g, w ← w - η(g + μv)                     Nesterov 1983                  */ \
  X(NNB_ADAGRAD, "adagrad")   /* s ← s + g², w ← w - ηg/(√s + ε)                   Duchi et al. 2011              */ \
  X(NNB_RMSPROP, "rmsprop")   /* w ← w - ηg/(√s + ε)                               Tieleman and Hinton 2012       */ \
  X(NNB_ADAM, "adam")         /* w ← w - ηm̂/(√ŝ + ε)                               Kingma and Ba 2015             */ \
  X(NNB_ADAMW, "adamw")       /* adam, with .l2 0.01 unless given                  Loshchilov and Hutter 2019     */ \
  X(NNB_AMSGRAD, "amsgrad")   /* adam with the largest s so far                    Reddi et al. 2018              */ \
  X(NNB_NADAM, "nadam")       /* adam with Nesterov's momentum                     Dozat 2016                     */ \
  X(NNB_LION, "lion")         /* w ← w - η·sign(β₁m + (1-β₁)g), m ← β₂m + (1-β₂)g  Chen et al. 2023               */ \
  X(NNB_MUON, "muon")         /* weights: v ← μv + g, w ← w - η√max(1, O/I)·Q, Q: the nearly orthogonal matrix    */ \
                              /* next to g + μv; biases and single rows or columns: adam with η/20; Jordan 2024   */ \
  X(NNB_KFAC, "kfac")         /* w ← w + η(α·Δ + μ·δ), Δ: -F⁻¹g with F a Kronecker product in each layer, δ: the  */ \
                              /* last change, α and μ: the minimum of a quadratic model; see docs/optimisers.md;  */ \
                              /* Martens and Grosse 2015                                                          */ \
  /* On the full batch (nnb_fit), and for any function (nnb_minimize): */                                            \
  X(NNB_RPROP, "rprop") /* iRPROP+: signs of g, a step size per weight     Igel and Hüsken 2003                   */ \
  X(NNB_SCG, "scg")     /* scaled conjugate gradient                       Møller 1993                            */ \
  X(NNB_CG, "cg")       /* nonlinear conjugate gradient                    Hager and Zhang 2005                   */ \
  X(NNB_LBFGS, "lbfgs") /* limited-memory BFGS; takes bounds               Nocedal 1980                           */ \
  X(NNB_BFGS, "bfgs")   /* self-scaled Broyden; P ≤ 20000, P² numbers      Al-Baali and Khalfan 2012              */ \
  /* On the full batch of a sum of squares (nnb_fit), and for any such sum (nnb_least_squares): */                   \
  X(NNB_LM, "lm")       /* Levenberg–Marquardt, geodesic acceleration, 2P² Transtrum and Sethna 2012;             */ \
                        /* takes bounds                                  Kanzow, Yamashita and Fukushima 2004     */ \
  X(NNB_VARPRO, "varpro") /* variable projection: linear output layers solved for at every point, the rest by lm; */ \
                        /* then lm on all                                Golub and Pereyra 1973, Kaufman 1975     */

typedef enum nnb_algo { NNB_ALGO_LIST(NNB_ENUM) NNB_N_ALGOS } nnb_algo;

/** The learning rate at update u of n (epoch e = u / updates per epoch), counted from 0 after the warm-up.
 *  η: .lr, η₀: .lr_min, f: .lr_factor, k: .lr_step. */
#define NNB_SCHEDULE_LIST(X)                                                                                         \
  X(NNB_CONSTANT, "constant")       /* η                                                                          */ \
  X(NNB_STEPWISE, "stepwise")       /* η·f^⌊e/k⌋; f 0.1, k 30                                                     */ \
  X(NNB_EXPONENTIAL, "exponential") /* η·f^e; f 0.95                                                              */ \
  X(NNB_COSINE, "cosine")           /* η₀ + (η-η₀)·½(1 + cos(πu/n))                Loshchilov and Hutter 2017     */ \
  X(NNB_ONE_CYCLE, "one_cycle")     /* by cosines from ηf up to η, then down to the larger of η₀ and ηf/10⁴; the  */ \
                                    /* rise takes the warm-up, 0.3 n unless given; f 0.04; Smith and Topin 2018   */ \
  X(NNB_PLATEAU, "plateau")         /* η, times f after every k epochs in a row without a lower loss; f 0.1, k 10 */

typedef enum nnb_schedule { NNB_SCHEDULE_LIST(NNB_ENUM) NNB_N_SCHEDULES } nnb_schedule;

/** Why a fit or a minimisation ended. */
#define NNB_STOP_LIST(X)                                                                                             \
  X(NNB_STOP_NONE, "not run")                                                                                        \
  X(NNB_STOP_EPOCHS, "epoch limit reached")                                                                          \
  X(NNB_STOP_SECONDS, "time limit reached")                                                                          \
  X(NNB_STOP_TARGET, "target loss reached")                                                                          \
  X(NNB_STOP_PATIENCE, "no improvement within the patience")                                                         \
  X(NNB_STOP_USER, "stopped by the callback")                                                                        \
  X(NNB_STOP_DIVERGED, "diverged")                                                                                   \
  X(NNB_STOP_ERROR, "failed")                                                                                        \
  X(NNB_STOP_GRADIENT, "gradient within its tolerance")                                                              \
  X(NNB_STOP_CHANGE, "relative change within its tolerance")                                                         \
  X(NNB_STOP_ITERATIONS, "iteration limit reached")                                                                  \
  X(NNB_STOP_EVALUATIONS, "evaluation limit reached")                                                                \
  X(NNB_STOP_STALLED, "no further decrease within rounding")

typedef enum nnb_stop { NNB_STOP_LIST(NNB_ENUM) NNB_N_STOPS } nnb_stop;
#undef NNB_ENUM

/** The name of a value; "?" if there is no such value. */
NNB_API const char *nnb_activation_name(nnb_activation activation);
NNB_API const char *nnb_loss_name(nnb_loss loss);
NNB_API const char *nnb_init_name(nnb_init init);
NNB_API const char *nnb_algo_name(nnb_algo algo);
NNB_API const char *nnb_schedule_name(nnb_schedule schedule);
NNB_API const char *nnb_stop_text(nnb_stop stop);
/** *out ← the value of that name; false, and *out unchanged, if there is no such name. */
NNB_API bool nnb_activation_find(const char *name, nnb_activation *out);
NNB_API bool nnb_loss_find(const char *name, nnb_loss *out);
NNB_API bool nnb_init_find(const char *name, nnb_init *out);
NNB_API bool nnb_algo_find(const char *name, nnb_algo *out);
NNB_API bool nnb_schedule_find(const char *name, nnb_schedule *out);

enum {
  NNB_NONE = -1,      /**< "none" where 0 would mean the default                           */
  NNB_FULL_BATCH = -1 /**< .batch: one update from all rows, streamed through in chunks    */
};

/** Parts of a layer's parameters, to be or'ed. */
enum { NNB_WEIGHTS = 1, NNB_BIAS = 2 };

/* ---- options and reports: {0} is all defaults ------------------------------------------------------------------ */

/* Every struct that a program hands in or gets filled ends in a reserve of words that are 0.  New fields are taken from
 * it, so sizes and offsets stay as they are; docs/abi.md lists them.  Strings and arrays that an options struct points
 * to belong to the program; the library reads them during the call and copies what it keeps. */

/** One dense layer, Z = A·W + b, A' = f(Z). */
typedef struct nnb_dense_opts {
  int units;                 /**< O, the number of outputs; required                                   */
  nnb_activation activation; /**< default linear                                                       */
  int from;                  /**< the node it reads; 0: the node added last                            */
  const char *name;          /**< default dense1, dense2, …; copied                                    */
  bool no_bias;              /**< Z = A·W                                                              */
  unsigned frozen;           /**< NNB_WEIGHTS, NNB_BIAS or both: not changed by training               */
  nnb_init init;             /**< how the weights start                                                */
  double init_scale;         /**< s of NNB_INIT_LIST; default 1                                        */
  void *reserved[10];
} nnb_dense_opts;

/** One line of the history: what an epoch did. */
typedef struct nnb_record {
  int epoch;        /**< 1, 2, …                                                                        */
  int64_t updates;  /**< made so far                                                                    */
  int64_t samples;  /**< rows processed in this epoch                                                   */
  double loss;      /**< training loss: from batch to batch the mean of the losses before each update   */
  double val_loss;  /**< on the validation set after the epoch; NaN without one                         */
  double seconds;   /**< this epoch, without its validation                                             */
  double total_seconds; /**< since the start, with everything                                           */
  double lr;        /**< the learning rate of the last update; 0 for methods without one                */
  void *reserved[8];
} nnb_record;

/** What Bayesian regularisation found (.bayes): a prior of variance 1/alpha for every parameter and noise of variance
 *  1/beta that make the data most probable (MacKay 1992).  All zero without .bayes.                                  */
typedef struct nnb_evidence {
  double alpha;        /**< α: the decay, against ½Σw²; 1/α is the variance of the parameters             */
  double beta;         /**< β: against ½Σ(t-a)²; 1/β is the variance of the noise                         */
  double gamma;        /**< effective number of parameters, 0 … n: how many the data determine            */
  double log_evidence; /**< log p(data | α, β) at the present minimum: larger is better, also between nets of different
                            sizes trained on the same data                                                */
} nnb_evidence;

/** How nnb_fit trains.  Numbers are 0 or more unless the comment says otherwise.  An option out of range, or that the
 *  method does not take, is NNB_E_ARG.
 *  Full-batch methods (rprop, scg, cg, lbfgs, bfgs, lm, varpro) minimise the loss over all rows plus ½·l2·Σw², biases
 *  excluded.  An epoch is one iteration; its loss is the loss after it; samples count every pass over the rows.  They
 *  end with NNB_STOP_GRADIENT or NNB_STOP_STALLED at a minimum.  batch must be 0 or NNB_FULL_BATCH, and of the step and
 *  the learning rate they take l2 only.
 *  NNB_AUTO is a full-batch method for a small regression in double precision: all losses half_sse, sse or mse, targets
 *  and not labels, P ≤ 1000 free parameters, residuals times P² ≤ 10⁹, batch 0, and no option of the step but l2.  It
 *  is then varpro if an output layer has no activation, else lm.  In every other case it is adam.                    */
typedef struct nnb_fit_opts {
  /* the task */
  nnb_algo algo;     /**< the method; default NNB_AUTO                                                  */
  int batch;         /**< rows per update; default 32, or all rows for a full-batch method; NNB_FULL_BATCH: all rows */
  int chunk;         /**< rows processed at a time when a batch is larger; 0: chosen automatically, 128 per thread, 256
                          to 1024                                                                       */
  bool in_order;     /**< rows in the order of the data.  Otherwise each epoch shuffles them by (seed, epoch), unless
                          all rows make one update and the method is not kfac                           */
  uint64_t seed;     /**< seed of the shuffles and of the targets that kfac draws                       */
  int threads;       /**< threads of the fit; 0: nnb_get_threads()                                      */
  /* when it stops */
  int max_epochs;    /**< stop after this many epochs; default 100; NNB_NONE: no limit                  */
  double max_seconds;/**< stop after this many seconds; 0: no limit                                     */
  double target_loss;/**< stop when the loss is at most this; 0: no target.  The validation loss if there is one */
  int patience;      /**< stop after this many epochs without a new lowest loss; 0: no such stop        */
  /* the step */
  double lr;         /**< learning rate η; default by method: 0.1 sgd; 0.01 momentum, nesterov, adagrad; 0.001 rmsprop,
                          adam, adamw, amsgrad; 0.002 nadam; 0.0001 lion; 0.02 muon; 1 kfac             */
  double momentum;   /**< momentum μ, below 1; default 0.9, muon 0.95; NNB_NONE: μ = 0.  kfac computes its own */
  double beta1;      /**< β₁, the decay of the mean of the gradients, below 1; default 0.9; NNB_NONE: β₁ = 0 */
  double beta2;      /**< β₂, the decay of the mean of their squares, below 1; default 0.999, rmsprop and lion 0.99,
                          kfac 0.95; NNB_NONE: β₂ = 0                                                   */
  double epsilon;    /**< ε, added to the divisor; default 1e-8, adagrad 1e-10                          */
  double l1;         /**< L1 decay, w ← sign(w)·max(|w| - η·l1, 0) after each update; not on biases     */
  double l2;         /**< L2 decay λ, w ← (1 - ηλ)·w in each update; not on biases; default 0, adamw 0.01; NNB_NONE: no
                          L2 decay                                                                      */
  double clip_norm;  /**< a gradient of a larger 2-norm is scaled down to this norm; 0: no clipping     */
  double ema;        /**< decay of a moving average of the weights, below 1; 0 or NNB_NONE: no average.  The average is
                          validated, handed to on_epoch, kept as the best, and in the net at the end; see
                          docs/optimisers.md                                                            */
  /* the learning rate over time: NNB_SCHEDULE_LIST */
  nnb_schedule schedule; /**< how the learning rate changes; default NNB_CONSTANT                       */
  int lr_step;       /**< k of the schedule, in epochs; default in NNB_SCHEDULE_LIST                    */
  double lr_factor;  /**< f of the schedule, 0 to 1; default in NNB_SCHEDULE_LIST                       */
  double lr_min;     /**< least learning rate after the warm-up, at most lr                             */
  double warmup;     /**< epochs in which the learning rate first rises to η, evenly from update to update; 2.5 is
                          allowed; default 0, one_cycle 0.3 of all epochs                               */
  /* single methods */
  double damping;    /**< kfac: λ of the first update, in units of the mean of the Fisher matrix's diagonal; default
                          1 */
  int invert_every;  /**< kfac: updates between two inversions of the factors; default 20               */
  bool data_fisher;  /**< kfac: factors from the targets of the data (the empirical Fisher matrix), instead of targets
                          drawn from the model                                                          */
  bool bayes;        /**< lm: Bayesian regularisation: the decay is estimated from the data (MacKay 1992), for biases
                          too and without a validation set.  NNB_AUTO is lm; losses must be half_sse, sse or mse; l2
                          must be 0.  docs/optimisers.md says what is minimised and when it ends; see
                          nnb_error_bars                                                                */
  /* what it tells */
  int history;       /**< most records kept; default 4096; NNB_NONE: no records.  When full, every second record is
                          dropped and the stride doubles, so the whole run stays covered                */
  int (*on_epoch)(void *user, const nnb_record *record); /**< called after each epoch; non-zero stops   */
  void *user;        /**< handed to the callback                                                        */
  FILE *progress;    /**< stream for a line per epoch, a few a second at most; NULL: no lines           */
  void *reserved[38];
} nnb_fit_opts;

/** Options as text: "algo=lm max_epochs=200".  key=value pairs, the names of the fields, are separated by blanks or
 *  commas.  Numbers have a decimal point in every locale; enumerations go by name ("cosine"); true or false, and the
 *  key alone for true; -1 is written none, or full for batch.  Pointers have no text.
 *
 *  Parse sets what the text names and leaves the rest of *opts alone.  NNB_E_PARSE for a malformed text or an unknown
 *  name, NNB_E_ARG for a value out of range; the message has the character and the nearest known name, and *opts is
 *  unchanged.                                                                                                        */
NNB_API nnb_status nnb_fit_opts_parse(const char *text, nnb_fit_opts *opts);
/** *out ← what differs from {0}, such that parsing it into {0} gives the same options; release it with nnb_free.
 *  NNB_E_ARG for options out of range; NNB_E_NOMEM; *out is then NULL.                                               */
NNB_API nnb_status nnb_fit_opts_print(const nnb_fit_opts *opts, char **out);
/** New options from text (NULL: all defaults), for bindings, which need not know the struct.  Errors as above, and
 *  NNB_E_NOMEM; *out is then NULL.                                                                                   */
NNB_API nnb_status nnb_fit_opts_create(const char *text, nnb_fit_opts **out);
/** Releases what nnb_fit_opts_create made; NULL is accepted. */
NNB_API void nnb_fit_opts_destroy(nnb_fit_opts *opts);

/** One option, for help texts and forms.  The strings are constants. */
typedef struct nnb_option {
  const char *name;    /**< of the field, and in text                                                   */
  const char *type;    /**< "bool", "integer", "number", "name" of an enumeration's value, or "pointer" */
  const char *zero;    /**< what 0 stands for; NULL: 0, false or NULL itself                            */
  const char *minus;   /**< what -1 is called in text; NULL: -1 has no meaning of its own               */
  const char *range;   /**< what a number must be: "0 or more"                                          */
  const char *methods; /**< the methods that read it; "" for all                                        */
  const char *help;    /**< one line                                                                    */
  void *reserved[5];
} nnb_option;
/** Option i of nnb_fit_opts, from 0; false behind the last. */
NNB_API bool nnb_fit_option(int i, nnb_option *out);
/** The same for nnb_optim_opts and nnb_min_opts. */
NNB_API bool nnb_optim_option(int i, nnb_option *out);
NNB_API bool nnb_min_option(int i, nnb_option *out);

/** What nnb_fit did. */
typedef struct nnb_report {
  nnb_stop stop;
  nnb_algo algo;            /**< the one that ran, never NNB_AUTO                                       */
  int epochs;
  int64_t updates, samples;
  double seconds;
  double loss;              /**< training loss of the last epoch                                        */
  double val_loss;          /**< of the last epoch; NaN without a validation set                        */
  double best_loss;         /**< lowest validation loss, or training loss without a validation set      */
  int best_epoch;           /**< where it was; 0: at the start, which is judged if there is a validation set */
  bool restored;            /**< the parameters in the net are those of best_epoch (see nnb_fit)        */
  const nnb_record *history;/**< n_history records, in order; owned by the net, until its end or the next
                                 fit on it that is not refused                                          */
  int n_history, history_stride; /**< every history_stride-th epoch was kept, and the last one          */
  nnb_evidence evidence;    /**< with .bayes: of the parameters that are in the net, in scaled units; all zero for
                                 those of the start                                                     */
  void *reserved[17];
} nnb_report;

/** What error bars follow from (nnb_error_bars_create). */
typedef struct nnb_error_bars_opts {
  nnb_evidence evidence; /**< alpha and beta of a fit with .bayes, in scaled units; the rest is not read.  alpha 0: no
                              decay, the data alone determine the parameters; beta 0 as well: the noise is estimated, by
                              β = (N·n_out - P)/Σ w_i(t-a)² (N: rows of positive weight)                  */
  int threads;           /**< 0: nnb_get_threads()                                                        */
  void *reserved[7];
} nnb_error_bars_opts;

/** How well a net predicts data (nnb_evaluate). */
typedef struct nnb_metrics {
  double loss;     /**< the net's loss, in scaled units if targets are scaled                            */
  double accuracy; /**< share of answers that are right, weighted as the rows are.  A cross-entropy output, and any net on
                        data with labels, gives one class a row: the largest output (of one column: above ½).  A
                        binary_cross_entropy output on targets t gives one label a column: above ½ or not, as t is.  The
                        answers of several outputs count together.  NaN if the data has no labels and no output has
                        such a loss                                                                      */
  double rmse;     /**< root of the mean squared error over rows and outputs, in the data's units; NaN for labels */
  double r2;       /**< 1 - Σ(t-a)²/Σ(t-t̄)², mean over outputs that vary; NaN if none does, and for labels */
  int64_t rows;
  void *reserved[11];
} nnb_metrics;

/** Optimiser settings on their own, for the rungs below nnb_fit.  Fields mean what they mean in nnb_fit_opts. */
typedef struct nnb_optim_opts {
  nnb_algo algo; /**< one that steps from batch to batch; NNB_AUTO is adam                                */
  uint64_t seed; /**< of the targets that kfac draws, and for layers (nnb_run)                            */
  double lr, momentum, beta1, beta2, epsilon, l1, l2, clip_norm, ema;
  nnb_schedule schedule;
  int lr_step;
  double lr_factor, lr_min, warmup;
  int64_t epoch_updates; /**< updates in an epoch of the schedule; default 1: then epochs are updates     */
  int64_t epochs;        /**< epochs in all, which cosine and one_cycle need; 0: not known                */
  double damping;
  int invert_every;
  bool data_fisher;
  void *reserved[21];
} nnb_optim_opts;

/** Text to options and back, as nnb_fit_opts_parse and its neighbours. */
NNB_API nnb_status nnb_optim_opts_parse(const char *text, nnb_optim_opts *opts);
NNB_API nnb_status nnb_optim_opts_print(const nnb_optim_opts *opts, char **out);
NNB_API nnb_status nnb_optim_opts_create(const char *text, nnb_optim_opts **out);
NNB_API void nnb_optim_opts_destroy(nnb_optim_opts *opts);

/** What a minimiser has reached (nnb_min_opts.on_iteration). */
typedef struct nnb_min_record {
  int64_t iteration;   /**< 1, 2, …                                                                       */
  int64_t evaluations; /**< made so far                                                                   */
  double value;        /**< f(x)                                                                          */
  double gradient_norm;/**< largest |∂f/∂x_i|; with bounds, of the components that may still move x       */
  double step;         /**< largest |change of an x_i| in this iteration                                  */
  double seconds;      /**< since the start                                                               */
  const void *x;       /**< the n numbers reached, in the precision of the call; not to be written        */
  const nnb_evidence *evidence; /**< with .bayes: what it is at x, else NULL                              */
  void *reserved[8];
} nnb_min_record;

/** How nnb_minimize and nnb_least_squares search.  Numbers are 0 or more unless the comment says otherwise.  Each
 *  test of when to stop is made after every iteration.                                                               */
typedef struct nnb_min_opts {
  nnb_algo algo;           /**< the method; default NNB_AUTO: what suits; the report names it             */
  /* when it stops */
  int64_t max_iterations;  /**< stop after this many iterations; default 1000; NNB_NONE: no limit         */
  int64_t max_evaluations; /**< stop after this many calls of the function, with or without a derivative; 0: no limit */
  double max_seconds;      /**< stop after this many seconds; 0: no limit                                 */
  double gradient_tol;     /**< stop when the relative gradient is at most this; default ε^⅔ of the precision, 4e-11 or
                                2e-5, for sums of squares ε; NNB_NONE: only at 0.  nnb_least_squares: the largest cosine
                                of r and a column of J, |J_iᵀr|/(‖J_i‖·‖r‖), which has no units, with the ridge as rows
                                of J and r.  nnb_minimize: gradient_norm (nnb_min_record), in the units of f and x.
                                Components that cannot move x because of bounds do not count              */
  double change_tol;       /**< stop when an iteration lowered f by at most this times |f|; 0: no such stop */
  bool has_target;         /**< stop at the target                                                        */
  double target;           /**< with has_target: stop when f is at most this; any number                  */
  int patience;            /**< stop after this many iterations without a new lowest f; 0: no such stop   */
  /* single methods */
  int memory;              /**< lbfgs: pairs of steps and gradients that are kept; default 10             */
  int acceleration;        /**< lm and varpro: geodesic acceleration of the steps; 0: on; NNB_NONE: off   */
  bool bayes;              /**< lm: Bayesian regularisation: the decay is estimated from the data.  NNB_AUTO is lm.
                                Minimises ½·Σ r² + ½·(α/β)·Σ x², with α and β estimated anew after every iteration
                                (Foresee and Hagan 1997), so f itself changes.  Ends as nnb_fit does      */
  size_t max_bytes;        /**< lm and varpro: most memory in bytes; 0: 4 GiB                             */
  const double *lower;     /**< lbfgs and lm: n lower bounds, -INFINITY where there is none; NULL: no bounds.  x is
                                moved between the bounds, rounded to its precision, before the first evaluation,
                                and stays there.  Not with .bayes                                         */
  const double *upper;     /**< lbfgs and lm: n upper bounds, INFINITY where there is none; equal to lower: x_i is
                                fixed */
  /* what it tells */
  int (*on_iteration)(void *user, const nnb_min_record *record); /**< called after each iteration; non-zero stops */
  void *user;              /**< handed to the callback                                                    */
  void *reserved[25];
} nnb_min_opts;

/** Text to options and back, as nnb_fit_opts_parse and its neighbours. */
NNB_API nnb_status nnb_min_opts_parse(const char *text, nnb_min_opts *opts);
NNB_API nnb_status nnb_min_opts_print(const nnb_min_opts *opts, char **out);
NNB_API nnb_status nnb_min_opts_create(const char *text, nnb_min_opts **out);
NNB_API void nnb_min_opts_destroy(nnb_min_opts *opts);

/** What a minimiser did.  x then holds the best point found, which is where value and gradient_norm were taken. */
typedef struct nnb_min_report {
  nnb_stop stop;
  nnb_algo algo;           /**< the one that ran, never NNB_AUTO                                          */
  int64_t iterations, evaluations;
  double seconds;
  double value;            /**< f(x)                                                                      */
  double start_value;      /**< f at the start                                                            */
  double gradient_norm;    /**< as in nnb_min_record                                                      */
  nnb_evidence evidence;   /**< with .bayes                                                               */
  void *reserved[13];
} nnb_min_report;

/** What several updates added up to (nnb_train_rows). */
typedef struct nnb_sums {
  double loss;     /**< over all rows, as the updates saw them                                           */
  double weight;   /**< Σ sample weights                                                                 */
  int64_t rows, updates;
  void *reserved[8];
} nnb_sums;

/** How nnb_data_read_csv reads. */
typedef struct nnb_csv_opts {
  int header;          /**< 1: the first row holds names; NNB_NONE: it holds data; 0: it holds names if none of its
                            fields is a number and one of them stands above a number                      */
  char separator;      /**< default ','                                                                   */
  const char *target;  /**< column name of the target; NULL: the last n_targets columns                   */
  int n_targets;       /**< default 1; NNB_NONE: no targets, every column is an input                     */
  /* The first target decides for all of them: after a number, a text is an error, after a text, a number. */
  bool classify;       /**< the target column holds classes even if they are numbers; texts always are classes */
  const char *const *class_names; /**< the only classes allowed, in order: numbers, texts or both, compared as numbers
                            (1 is 1.0) if all are.  NULL: in order of first appearance (numbers: ascending) */
  int n_class_names;
  void *reserved[15];
} nnb_csv_opts;

/** The two ways of scaling columns, x' = (x - shift)·factor. */
typedef enum nnb_scaling {
  NNB_STANDARDIZE, /**< mean 0, deviation 1; a constant column: shifted to 0, factor 1       */
  NNB_MINMAX       /**< to [0, 1];           a constant column: shifted to 0, factor 1       */
} nnb_scaling;

/** What a plan has to support: flags of nnb_plan_opts.want. */
enum {
  NNB_GRAD = 1, /**< gradients and training                                                          */
  NNB_DX = 2,   /**< also derivatives with respect to the inputs (nnb_plan_vjp)                      */
  NNB_KEEP = 4, /**< keep every intermediate readable through nnb_plan_view                          */
  NNB_ROWS = 8  /**< residuals of sums of squares and their derivatives (nnb_plan_rows)                */
};

/** What nnb_plan_view shows of a node, for the B rows of the last call.  I×O: the layer's weights. */
typedef enum nnb_what {
  NNB_Z,     /**< B×O  A_prev·W + b, before the activation         */
  NNB_A,     /**< B×O  f(Z)                                        */
  NNB_SLOPE, /**< B×O  f'(Z); not for softmax                      */
  NNB_DA,    /**< B×O  ∂E/∂A; not where loss and activation are computed together */
  NNB_DELTA, /**< B×O  ∂E/∂Z                                       */
  NNB_DW,    /**< I×O  ∂E/∂W = A_prevᵀ·Δ, of the last gradient or update */
  NNB_DB     /**< 1×O  ∂E/∂b = 1ᵀ·Δ                                */
} nnb_what;

/* ---- for extend.h: one's own parts ------------------------------------------------------------------------------ */

enum nnb_act_traits {
  NNB_ACT_NEEDS_Z = 1, /**< pull reads z; otherwise only a is kept and z may be a                              */
  NNB_ACT_ROWWISE = 2  /**< an output depends on its whole row (softmax); there is no element-wise slope       */
};

enum nnb_loss_traits {
  NNB_LOSS_MEAN_ROWS = 1, /**< the sum is divided by norm = Σ weight                        */
  NNB_LOSS_MEAN_ALL = 2,  /**< … and by the number of outputs                               */
  NNB_LOSS_CLASSES = 4,   /**< it classifies: accuracy is meant                             */
  NNB_LOSS_PROBABILITIES = 8, /**< targets are probabilities: 0 … 1, and not scaled         */
  NNB_LOSS_LABELS = 16    /**< with CLASSES: each output is a label of its own, yes above ½ */
};

/** A field of a layer's struct that files keep and summaries print. */
typedef enum nnb_attr_type {
  NNB_ATTR_INT,  /**< int                                      */
  NNB_ATTR_REAL, /**< double                                   */
  NNB_ATTR_INIT  /**< int holding an nnb_init, written as its name */
} nnb_attr_type;
typedef struct nnb_attr {
  const char *name; /**< NULL ends the table */
  nnb_attr_type type;
  size_t offset;
} nnb_attr;

/** What a layer's shape asks for.  All zero before. */
typedef struct nnb_needs {
  int cols;             /**< O, columns of Z; required                                                         */
  int w_rows, w_cols;   /**< the parameter block [W; b]: w_rows×w_cols weights                                 */
  bool bias;            /**< the block has one further row of w_cols, b                                        */
  bool by_columns;      /**< forward and backward_data can do a range of columns (part, parts of nnb_layer_io) */
  bool no_decay;        /**< L1 and L2 decay leave the weights alone, as they do biases: for gains             */
  size_t scratch;       /**< numbers per row of the batch, kept from forward to backward                       */
  size_t init_scratch;  /**< numbers that init may use                                                         */
  void *reserved[12];
} nnb_needs;

/** What a layer may know of the run that it is part of.  Random numbers that are a function of (seed, update, node, row)
 *  are the same for any number of threads and any chunk.  For row i of a part, for instance:
 *    nnb_rng_init(&rng, seed + node * 0x9E3779B97F4A7C15u, (uint64_t)update << 32 | (uint32_t)(row0 + i));
 *
 *  training is true in nnb_train_step, nnb_train_rows, nnb_plan_gradient, nnb_check_gradient and in the losses and
 *  gradients of nnb_fit.  It is false in predictions, evaluations, nnb_plan_loss and nnb_plan_vjp, and wherever residuals
 *  are computed: lm, varpro, nnb_plan_rows, nnb_solve_output, nnb_error_bars_create. */
typedef struct nnb_run {
  bool training;
  int node;       /**< number of the layer's node                                                              */
  int row0;       /**< number of the first row of this part: training, in the order of the update; otherwise in the
                       rows that the plan takes at a time                                                      */
  int64_t update; /**< number of the update, from 1; 0: no optimiser counts, and every run has the same masks  */
  uint64_t seed;  /**< of the optimiser, or of nnb_fit; 0 where there is neither                               */
} nnb_run;

/** Sets the message of an error in shape, by printf's rules, and returns status. */
NNB_API nnb_status nnb_layer_fail(nnb_status status, const char *format, ...)
#if defined(__GNUC__) || defined(__clang__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

#ifdef __cplusplus
}
#endif
#endif
