/** nnblas/core.h: everything that does not depend on the precision: status, messages, memory, threads, random numbers,
 *  enumerations, options, reports.  <nnblas.h> includes it.                                                          */
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

/** The version of the headers.  It has this one place: meson.build reads it here. */
#define NNB_VERSION_MAJOR 0
#define NNB_VERSION_MINOR 3
#define NNB_VERSION_PATCH 0
/** The version as one number to compare: 200 is 0.2.0, 20304 is 2.3.4. */
#define NNB_VERSION (NNB_VERSION_MAJOR * 10000 + NNB_VERSION_MINOR * 100 + NNB_VERSION_PATCH)

/** The version of the library at run time, "0.2.0".  The macros are those of the headers at compile time. */
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

/** The meaning of a status in a few words.  Never NULL; "unknown status" for other values. */
NNB_API const char *nnb_strstatus(nnb_status status);

/** The message of this thread's last failed call.  It says what was wanted and what came: `train.csv:17:4: "abc" is not
 *  a number`.  Never NULL; "" before the first failure.  Valid until the next failed call of the same thread.        */
NNB_API const char *nnb_errmsg(void);

/* ---- memory ---------------------------------------------------------------------------------------------------- */

/** An allocator for all memory of the library.  alloc returns memory aligned as malloc's, or NULL; release accepts
 *  NULL.  Any thread may call both at any time.                                                                      */
typedef struct nnb_allocator {
  void *(*alloc)(void *user, size_t bytes);
  void (*release)(void *user, void *p);
  void *user;
} nnb_allocator;

/** Replaces the allocator.  NULL: malloc and free.  An allocator without alloc or release changes nothing.  Call it
 *  first, while no other thread is in the library: memory is released through the allocator that is set at that
 *  time.                                                                                                             */
NNB_API void nnb_set_allocator(const nnb_allocator *allocator);

/** Releases memory that a call returned, if its description says so.  NULL is accepted. */
NNB_API void nnb_free(void *p);

/* ---- threads and BLAS ------------------------------------------------------------------------------------------ */

/** Sets the number of threads of plans made from now on.  0, the default: the processors of the process, limited by a
 *  cgroup quota.  A plan uses fewer if its work is too small to share.  The library has its own threads, which may run
 *  on the processors that the thread that started them could run on.  It sets the BLAS's thread count to 1 while a step
 *  or a prediction runs, and restores it afterwards.  NNB_E_ARG if n is negative or above 1024.                      */
NNB_API nnb_status nnb_set_threads(int n);

/** The number of threads: at least 1. */
NNB_API int nnb_get_threads(void);

/** The BLAS that multiplies the matrices. */
typedef struct nnb_blas_facts {
  char vendor[32];   /**< "OpenBLAS", or "unknown"                                                       */
  char version[32];  /**< "0.3.21"                                                                        */
  char core[32];     /**< the kernels that run: "SkylakeX"                                                */
  char found[32];    /**< the kernels the BLAS had chosen by itself                                       */
  char threading[16];/**< "pthreads", "openmp", "none": how the BLAS would thread                         */
  int threads;       /**< the BLAS's own thread count outside the library's calls                         */
  bool switched;     /**< the library made the BLAS use faster kernels at load time                       */
  bool slow;         /**< the kernels are slower than the processor allows; advice says what to do        */
  char advice[256];  /**< what to set to run faster; "" if nothing                                        */
  void *reserved[13];
} nnb_blas_facts;

/** Fills *facts.  Always succeeds.
 *  Debian 12's OpenBLAS runs its oldest kernels on processors it does not know.  At load time the library makes
 *  OpenBLAS select its kernels by CPU features, if OPENBLAS_CORETYPE is unset and no other thread can be in the BLAS.
 *  NNBLAS_KEEP_BLAS_CORE=1 in the environment turns that off.                                                        */
NNB_API void nnb_blas_info(nnb_blas_facts *facts);

/** Sets the sizes at which the library switches between its own kernels and the BLAS, and between one thread and
 *  several.  text: "name=value,name=value" with the names that nnb_get_thresholds prints; other values stay.  NULL: all
 *  defaults.  `nnblas-bench --tune` finds the values for a machine.  At load time the library reads NNBLAS_THRESHOLDS
 *  from the environment in the same way and ignores a malformed text.  Results differ by rounding only.  Do not call it
 *  while another thread is in the library.  NNB_E_PARSE: nothing has changed.                                        */
NNB_API nnb_status nnb_set_thresholds(const char *text);
/** Writes all thresholds into text, a buffer of size bytes; 512 are enough.  NNB_E_ARG if they do not fit. */
NNB_API nnb_status nnb_get_thresholds(char *text, size_t size);

/* ---- random numbers -------------------------------------------------------------------------------------------- */

/** A counter-based random number generator: each number is a function of (seed, stream, counter), so streams are
 *  independent and any position can be reached directly.  Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random
 *  numbers: as easy as 1, 2, 3", SC 2011.  The struct is a plain value and may be copied.  One thread at a time may
 *  draw from it.  A NULL generator draws 0.                                                                          */
typedef struct nnb_rng {
  uint64_t seed, stream, counter;
  uint32_t block[4]; /* the numbers of the present counter; the last `left` of them are unused */
  int left;
} nnb_rng;
/** Starts a generator at the beginning of a stream; draws 32 random bits. */
NNB_API void nnb_rng_init(nnb_rng *rng, uint64_t seed, uint64_t stream);
NNB_API uint32_t nnb_rng_u32(nnb_rng *rng);
/** Uniform in [0, 1), 53 bits. */
NNB_API double nnb_rng_uniform(nnb_rng *rng);
/** Standard normal (Box and Muller 1958). */
NNB_API double nnb_rng_normal(nnb_rng *rng);
/** Uniform in 0 … n-1 without bias (Lemire 2019).  n must be positive. */
NNB_API uint32_t nnb_rng_below(nnb_rng *rng, uint32_t n);
/** Fills order with a random permutation of 0 … n-1 (Fisher and Yates). */
NNB_API void nnb_rng_shuffle(nnb_rng *rng, int32_t *order, int32_t n);
/** The order in which nnb_fit takes `rows` rows in epoch 1, 2, …: a function of the seed, the epoch and block
 *  (nnb_fit_opts).  order: `rows` numbers, each of 0 … rows-1 once.  Does nothing if order is NULL or rows below 1. */
NNB_API void nnb_epoch_order(uint64_t seed, int64_t epoch, int32_t rows, int32_t block, int32_t *order);

/* ---- enumerations ---------------------------------------------------------------------------------------------- */

/** The activation f in A = f(Z).  In strings and files its name is the enumerator without NNB_, in lower case
 *  ("leaky_relu").  After the formula: the default initial weights of its layer (NNB_INIT_AUTO).                     */
typedef enum nnb_activation {
  NNB_LINEAR,     /**< z                                          glorot_uniform                                */
  NNB_STEP,       /**< 1 if z > 0 else 0; the slope is 0: not for training  glorot_uniform                      */
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
  NNB_OWN_ACTIVATION = 1000 /**< own activations have values from here on: nnb_net_own_activation in extend.h */
} nnb_activation;

/** The loss E.  a: outputs, t: targets, w: sample weights (default 1), Σ over the samples i and the outputs j.  In
 *  strings and files its name is the enumerator without NNB_, in lower case ("half_sse").
 *  The cross-entropies are computed from Z.  binary_cross_entropy needs outputs of sigmoid, cross_entropy of softmax;
 *  outputs of own activations and layers are accepted.  Targets must be within 0 … 1 and not scaled.  Anything else is
 *  NNB_E_ARG.                                                                                                        */
typedef enum nnb_loss {
  NNB_LOSS_AUTO,            /**< "auto", by the activation of the outputs: softmax → cross_entropy, sigmoid →
                                 binary_cross_entropy, any other → mse */
  NNB_HALF_SSE,             /**< ½ Σ w_i (t-a)²                                                                 */
  NNB_SSE,                  /**< Σ w_i (t-a)²                                                                   */
  NNB_MSE,                  /**< Σ w_i (t-a)² / (Σ w_i · n_out)                                                 */
  NNB_MAE,                  /**< Σ w_i |t-a| / (Σ w_i · n_out)                                                  */
  NNB_HUBER,                /**< as mse with ½r² for |r| ≤ δ, δ(|r| - ½δ) beyond; δ: 1 (nnb_loss_opts); Huber 1964 */
  NNB_BINARY_CROSS_ENTROPY, /**< -Σ w_i (t log a + (1-t) log(1-a)) / Σ w_i                                      */
  NNB_CROSS_ENTROPY,        /**< -Σ w_i t log a / Σ w_i                                                         */
  NNB_N_LOSSES,
  NNB_OWN_LOSS = 1000 /**< own losses have values from here on: nnb_net_own_loss in extend.h */
} nnb_loss;

/** The initial weights of a layer; initial biases are 0.  I: inputs, O: outputs, s: .init_scale (default 1). */
#define NNB_INIT_LIST(X)                                                                                             \
  X(NNB_INIT_AUTO, "auto")             /* by the activation (nnb_activation); own: glorot_uniform                 */ \
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

/** The methods.  η: .lr, μ: .momentum, β₁, β₂: .beta1, .beta2, ε: .epsilon, g: gradient, t: number of the update, from
 *  1.  m ← β₁m + (1-β₁)g and s ← β₂s + (1-β₂)g² are averages; m̂ = m/(1-β₁ᵗ) and ŝ = s/(1-β₂ᵗ) correct their start at
 *  0.  L2 decay is separate from the gradient in all of them (w ← (1-ηλ)w - …, Loshchilov and Hutter 2019).          */
#define NNB_ALGO_LIST(X)                                                                                             \
  X(NNB_AUTO, "auto")         /* chosen by the call (nnb_fit_opts); in the report                                 */ \
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
  X(NNB_MUON, "muon")         /* weights: v ← μv + g, w ← w - η√max(1, O/I)·Q, Q: approximately the orthogonal    */ \
                              /* factor of g + μv; biases, single rows or columns: adam with η/20; Jordan 2024    */ \
  X(NNB_KFAC, "kfac")         /* w ← w + η(α·Δ + μ·δ), Δ: -F⁻¹g with F a Kronecker product in each layer, δ: the  */ \
                              /* last change, α and μ: they minimise a quadratic model (docs/optimisers.md);      */ \
                              /* Martens and Grosse 2015                                                          */ \
  /* Full-batch methods of nnb_fit, and methods of nnb_minimize: */                                                  \
  X(NNB_RPROP, "rprop") /* iRPROP+: signs of g, a step size per weight     Igel and Hüsken 2003                   */ \
  X(NNB_SCG, "scg")     /* scaled conjugate gradient                       Møller 1993                            */ \
  X(NNB_CG, "cg")       /* nonlinear conjugate gradient                    Hager and Zhang 2005                   */ \
  X(NNB_LBFGS, "lbfgs") /* limited-memory BFGS; takes bounds               Nocedal 1980                           */ \
  X(NNB_BFGS, "bfgs")   /* self-scaled Broyden; P ≤ 20000, P² numbers      Al-Baali and Khalfan 2012              */ \
  /* Full-batch methods of nnb_fit for sums of squares, and methods of nnb_least_squares: */                         \
  X(NNB_LM, "lm")       /* Levenberg–Marquardt, geodesic acceleration, 2P² Transtrum and Sethna 2012;             */ \
                        /* takes bounds                                  Kanzow, Yamashita and Fukushima 2004     */ \
  X(NNB_VARPRO, "varpro") /* variable projection: solves for linear output layers at every point, lm for the rest;*/ \
                        /* then lm for all parameters                    Golub and Pereyra 1973, Kaufman 1975     */

typedef enum nnb_algo { NNB_ALGO_LIST(NNB_ENUM) NNB_N_ALGOS } nnb_algo;

/** The learning rate at update u of n (epoch e = u / updates per epoch), counted from 0 after the warm-up.
 *  η: .lr, η₀: .lr_min, f: .lr_factor, k: .lr_step. */
#define NNB_SCHEDULE_LIST(X)                                                                                         \
  X(NNB_CONSTANT, "constant")       /* η                                                                          */ \
  X(NNB_STEPWISE, "stepwise")       /* η·f^⌊e/k⌋; f 0.1, k 30                                                     */ \
  X(NNB_EXPONENTIAL, "exponential") /* η·f^e; f 0.95                                                              */ \
  X(NNB_COSINE, "cosine")           /* η₀ + (η-η₀)·½(1 + cos(πu/n))                Loshchilov and Hutter 2017     */ \
  X(NNB_ONE_CYCLE, "one_cycle")     /* along cosines from ηf up to η, then down to max(η₀, ηf/10⁴); the rise takes*/ \
                                    /* the warm-up, default 0.3 n; f 0.04              Smith and Topin 2018       */ \
  X(NNB_PLATEAU, "plateau")         /* η, multiplied by f after k epochs without a lower loss; f 0.1, k 10        */

typedef enum nnb_schedule { NNB_SCHEDULE_LIST(NNB_ENUM) NNB_N_SCHEDULES } nnb_schedule;

/** The reason why a fit or a minimisation ended. */
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

/** How nnb_fit came to what it did not find in the options (nnb_report.choice). */
#define NNB_CHOICE_LIST(X)                                                                                           \
  X(NNB_CHOICE_NONE, "the options say how to train")                                                                 \
  X(NNB_CHOICE_FEW_ROWS, "too few rows to hold some out: all rows, little decay")                                    \
  X(NNB_CHOICE_FOLDS, "decay and iterations by two folds")                                                           \
  X(NNB_CHOICE_VALIDATION, "by the validation set")                                                                  \
  X(NNB_CHOICE_HELD_OUT, "by rows that were held out of training")

typedef enum nnb_choice { NNB_CHOICE_LIST(NNB_ENUM) NNB_N_CHOICES } nnb_choice;
#undef NNB_ENUM

/** Metrics: how good predictions are.  They are flags, which can be or'ed.
 *  Classes: data with labels and outputs with a cross_entropy have one class in each row, the largest output (of one
 *  column: above ½).  Labels: each column of an output with a binary_cross_entropy and targets t is true or false,
 *  above ½ or not.  Values: targets t of any output, in the data's units.  Sample weights count everywhere.  The words
 *  in brackets say how a metric of the whole is made from those of the classes, labels or values; docs/training.md has
 *  the calls of scikit-learn that give the same numbers. */
#define NNB_METRIC_LIST(X)                                                                                            \
  X(NNB_METRIC_ACCURACY, 1, "accuracy")   /* share of right answers                        [all answers together]   */ \
  X(NNB_METRIC_BALANCED_ACCURACY, 2, "balanced_accuracy") /* mean recall of the classes; of a label: of true and   */ \
                                          /* false                                        [mean of outputs, labels] */ \
  X(NNB_METRIC_PRECISION, 4, "precision") /* share of right ones among those predicted as it   [mean]               */ \
  X(NNB_METRIC_RECALL, 8, "recall")       /* share of right ones among those that are it       [mean]               */ \
  X(NNB_METRIC_F1, 16, "f1")              /* 2·precision·recall/(precision + recall)           [mean]               */ \
  X(NNB_METRIC_AUC, 32, "auc")            /* area under the ROC curve, one against the rest    [mean]               */ \
  X(NNB_METRIC_LOG_LOSS, 64, "log_loss")  /* -Σ w log p/Σ w, p: of the true class, as a part of the row's sum, at   */ \
                                          /* least ε of the precision                     [mean of outputs, labels] */ \
  X(NNB_METRIC_MSE, 128, "mse")           /* Σ w (t-a)²/Σ w                                    [mean]               */ \
  X(NNB_METRIC_RMSE, 256, "rmse")         /* √mse                                              [root of the mean]   */ \
  X(NNB_METRIC_MAE, 512, "mae")           /* Σ w |t-a|/Σ w                                     [mean]               */ \
  X(NNB_METRIC_R2, 1024, "r2")            /* 1 - Σ w (t-a)²/Σ w (t-t̄)²                 [mean of those that vary]    */

typedef enum nnb_metric {
#define NNB_METRIC_ENUM(name, value, text) name = value,
  NNB_METRIC_LIST(NNB_METRIC_ENUM)
#undef NNB_METRIC_ENUM
} nnb_metric;

/** The name of a value; "?" for other values. */
NNB_API const char *nnb_activation_name(nnb_activation activation);
NNB_API const char *nnb_loss_name(nnb_loss loss);
NNB_API const char *nnb_init_name(nnb_init init);
NNB_API const char *nnb_algo_name(nnb_algo algo);
NNB_API const char *nnb_schedule_name(nnb_schedule schedule);
NNB_API const char *nnb_stop_text(nnb_stop stop);
NNB_API const char *nnb_metric_name(nnb_metric metric);
/** *out ← the value with that name.  false if there is none; *out is then unchanged, and nnb_errmsg() has all names and
 *  the nearest one. */
NNB_API bool nnb_activation_find(const char *name, nnb_activation *out);
NNB_API bool nnb_loss_find(const char *name, nnb_loss *out);
NNB_API bool nnb_init_find(const char *name, nnb_init *out);
NNB_API bool nnb_algo_find(const char *name, nnb_algo *out);
NNB_API bool nnb_schedule_find(const char *name, nnb_schedule *out);
NNB_API bool nnb_metric_find(const char *name, nnb_metric *out);
/** Whether a lower value is better: log_loss, mse, rmse, mae. */
NNB_API bool nnb_metric_is_error(nnb_metric metric);
/** The name that a misspelt word is closest to, for messages: the first of those with the fewest letters inserted,
 *  deleted, replaced or swapped with their neighbour, at most a third of the word's, rounded up (Damerau 1964).  names:
 *  n texts, any of them NULL.  NULL if none is so near. */
NNB_API const char *nnb_nearest(const char *word, const char *const *names, int n);

/** Values with a meaning of their own, in options. */
enum {
  NNB_NONE = -1,      /**< "none", for options where 0 means the default                   */
  NNB_FULL_BATCH = -1 /**< .batch: one update from all rows, processed in chunks           */
};

/** Parts of a layer's parameters, which can be or'ed. */
enum { NNB_WEIGHTS = 1, NNB_BIAS = 2 };

/* ---- options and reports: {0} is all defaults ------------------------------------------------------------------ */

/* Every struct that a program passes or receives ends in reserved words that are 0.  New fields will take their place,
 * so sizes and offsets stay the same; docs/abi.md lists them.  Strings and arrays that an options struct points to
 * belong to the program; the library reads them during the call and copies what it keeps. */

/** One dense layer, Z = A·W + b, A' = f(Z). */
typedef struct nnb_dense_opts {
  int units;                 /**< O, the number of outputs; required                                   */
  nnb_activation activation; /**< default linear                                                       */
  int from;                  /**< the node that is its input; 0: the node added last                   */
  const char *name;          /**< default dense1, dense2, …; copied                                    */
  bool no_bias;              /**< Z = A·W                                                              */
  unsigned frozen;           /**< NNB_WEIGHTS, NNB_BIAS or both: training does not change them         */
  nnb_init init;             /**< initial weights                                                      */
  double init_scale;         /**< s of NNB_INIT_LIST; default 1                                        */
  void *reserved[10];
} nnb_dense_opts;

/** A convolution: each channel of Z is b_o + Σ W·A over a window of all channels of A, one place of the window for each
 *  pixel.  Images of height 1 are signals: the window has height 1, and stride and pad apply to the width only. */
typedef struct nnb_conv_opts {
  int channels;              /**< O, the channels of Z; required                                       */
  int width, height;         /**< of the window; width is required, height 0: the same, for signals 1  */
  int stride;                /**< pixels from one place of the window to the next; 0: 1                */
  int pad;                   /**< zeros around each image, on every side                               */
  nnb_activation activation; /**< default linear                                                       */
  int from;                  /**< the node that is its input; 0: the node added last                   */
  const char *name;          /**< default conv1, conv2, …; copied                                      */
  bool no_bias;              /**< without b                                                            */
  unsigned frozen;           /**< NNB_WEIGHTS, NNB_BIAS or both: training does not change them         */
  nnb_init init;             /**< initial weights                                                      */
  double init_scale;         /**< s of NNB_INIT_LIST; default 1                                        */
  void *reserved[10];
} nnb_conv_opts;

/** What a pooling layer takes from each window. */
typedef enum nnb_pooling {
  NNB_POOL_MAX,    /**< the largest number                  */
  NNB_POOL_AVERAGE /**< the mean                            */
} nnb_pooling;

/** A pooling layer: one number for each channel and each place of a window.  Pixels behind the last whole window are
 *  not read.  Signals as in nnb_conv_opts. */
typedef struct nnb_pool_opts {
  nnb_pooling kind;
  int width, height; /**< of the window; width is required, height 0: the same, for signals 1  */
  int stride;        /**< 0: the side of the window, so that windows do not overlap            */
  int from;          /**< the node that is its input; 0: the node added last                   */
  const char *name;  /**< default maxpool1, avgpool1, …; copied                                */
  void *reserved[6];
} nnb_pool_opts;

/** A loss with all its options, for nnb_net_loss_opts.  Files keep them. */
typedef struct nnb_loss_opts {
  nnb_loss loss;          /**< default NNB_LOSS_AUTO                                                       */
  int output;             /**< the node of the output; 0: all outputs that have no loss of their own       */
  double factor;          /**< factor of the loss of that output; 0: 1                                     */
  double delta;           /**< huber: δ, where the squares end, in the units of the loss; 0: 1             */
  double label_smoothing; /**< s of the cross-entropies, below 1: the targets of a row are (1-s)·t + s·Σt/n_out, or
                               (1-s)·t + s/2 for binary_cross_entropy (Szegedy et al. 2016).  Metrics take t itself */
  double derivatives;     /**< weight of the targets of derivatives (nnb_batch.dt) beside the targets; with .output 0
                               only; 0: 1                                                                   */
  void *reserved[5];
} nnb_loss_opts;

/** A record of the history: the result of one epoch. */
typedef struct nnb_record {
  int epoch;        /**< 1, 2, …                                                                        */
  int64_t updates;  /**< number of updates so far                                                       */
  int64_t samples;  /**< rows processed in this epoch                                                   */
  double loss;      /**< training loss: for a full-batch method the loss after the epoch, else the mean of the losses
                         before each update */
  double val_loss;  /**< loss on the validation set after the epoch; NaN without one                    */
  double seconds;   /**< time of this epoch, without the validation                                     */
  double total_seconds; /**< time since the start, with everything                                      */
  double lr;        /**< learning rate of the last update; 0 for methods without one                    */
  const void *net;  /**< in a callback: the net that is trained, a const nnb_net * or const nnbf_net *, with the
                         parameters at the end of the epoch; else NULL                                  */
  const double *values; /**< what nnb_record_metric returns; valid as long as the record                */
  unsigned metrics, train_metrics; /**< the metrics of nnb_record_metric and nnb_record_train_metric    */
  int max_epochs;   /**< the limit of the epochs; 0: none                                               */
  nnb_stop stop;    /**< the limit that ends the training here; NNB_STOP_NONE: none                     */
  void *reserved[4];
} nnb_record;
/** A metric of .metrics after the epoch: on the validation set, or on the training data without one.  NaN if it was not
 *  computed. */
NNB_API double nnb_record_metric(const nnb_record *record, nnb_metric metric);
/** The same on the training data, with .train_metrics. */
NNB_API double nnb_record_train_metric(const nnb_record *record, nnb_metric metric);

/** A callback: on_epoch is called after each epoch with user; non-zero stops the training. */
typedef struct nnb_callback {
  int (*on_epoch)(void *user, const nnb_record *record); /**< NULL ends a list of them                  */
  void *user;
} nnb_callback;

/** A learning rate over time of the program's own: η is multiplied by factor(user, epoch), a finite number of 0 or
 *  more.  epoch: updates so far by updates per epoch, 0 at the end of the warm-up.  Called once for each update after
 *  the warm-up; without a warm-up also before the first one.  It must give the same number for the same epoch: several
 *  threads call it at once in nnb_cross_validate, nnb_search and restarts. */
typedef struct nnb_own_schedule {
  double (*factor)(void *user, double epoch);
  void *user;
} nnb_own_schedule;

/** Progress of a training: a callback that is ready to use.  On a terminal it draws one line and draws it again a few
 *  times a second: epoch, bar, losses, the first metric, samples per second, time left.  Elsewhere, and where TERM is
 *  dumb, it writes a plain line a few times a second.  It uses no colours, and a decimal point in every locale.
 *    nnb_progress bar = {.stream = stderr};
 *    const nnb_callback watch[] = {{nnb_progress_epoch, &bar}, {0}};
 *    status = nnb_fit(net, train, val, &(nnb_fit_opts){.callbacks = watch}, NULL);
 *    nnb_progress_end(&bar);
 *  .progress of nnb_fit_opts does the same with fewer words.  {0} before it is filled. */
typedef struct nnb_progress {
  FILE *stream;      /**< required                                                                      */
  const char *title; /**< what stands before "epoch"; NULL: nothing                                     */
  int columns;       /**< width of the line; 0: that of the terminal, else that of COLUMNS, else 80     */
  bool no_plain;     /**< writes nothing where it cannot redraw a line                                  */
  bool erase;        /**< nnb_progress_end removes the line; otherwise it stays                         */
  /* set by the calls */
  bool drawn;        /**< a line stands on the terminal, and the cursor is in it                        */
  double last;       /**< seconds of the training at the last line                                      */
  void *reserved[6];
} nnb_progress;
/** The callback; progress: an nnb_progress.  Returns 0. */
NNB_API int nnb_progress_epoch(void *progress, const nnb_record *record);
/** Ends the line, or removes it, if there is one.  Call it after the training; NULL is accepted. */
NNB_API void nnb_progress_end(nnb_progress *progress);

/** The ranks of a program that train one net together (.comm): processes on one machine or many, or threads.  Each
 *  rank calls nnb_fit with a net, data, and a table of its own; docs/scale.md.  nnb_mpi_comm_create of <nnblas/mpi.h>
 *  makes a table from an MPI communicator; a program may fill in its own.
 *
 *  All ranks make the same calls in the same order, each from the thread that called nnb_fit, one at a time; a call
 *  waits for the other ranks.  It returns NNB_OK or a negative status.  That ends the fit of this rank without another
 *  call, so the implementation must see to it that no other rank waits for it.  The fit copies the table.            */
typedef struct nnb_comm {
  int rank, size; /**< the number of this rank, 0 … size-1; how many there are                          */
  void *user;     /**< passed to the calls                                                              */
  nnb_status (*sum)(void *user, size_t n, double *a); /**< a ← Σ a over the ranks, n numbers; all ranks get the same
                                                           bits; required                               */
  nnb_status (*sum_float)(void *user, size_t n, float *a);              /**< the same; required         */
  nnb_status (*broadcast)(void *user, int root, size_t bytes, void *p); /**< the bytes at p ← those of the rank root;
                                                                             required                   */
  nnb_status (*transfer)(void *user, int from, int to, size_t bytes, void *p); /**< called by the ranks from and to
                                                        alone: the bytes at p on the latter ← those on the former;
                                                        required with .shards                           */
  void *reserved[7];
} nnb_comm;

/** The result of Bayesian regularisation (.bayes): the prior variance 1/alpha of the parameters and the noise variance
 *  1/beta that make the data most probable (MacKay 1992).  All zero without .bayes.                                  */
typedef struct nnb_evidence {
  double alpha;        /**< α: factor of ½Σw², the decay; 1/α is the variance of the parameters           */
  double beta;         /**< β: factor of ½Σ(t-a)²; 1/β is the variance of the noise                       */
  double gamma;        /**< effective number of parameters, 0 … n: how many the data determines           */
  double log_evidence; /**< log p(data | α, β) at the present minimum.  Larger is better, also when nets of different
                            sizes are compared on the same data */
} nnb_evidence;

/** Options of nnb_fit.  Numbers are 0 or more unless the comment says otherwise.  An option that is out of range or
 *  that the method does not take is NNB_E_ARG.
 *  Full-batch methods (rprop, scg, cg, lbfgs, bfgs, lm, varpro) minimise the loss over all rows plus ½·l2·Σw², without
 *  the biases.  An epoch is one iteration, its loss is the loss after it, and samples counts every pass over the rows.
 *  At a minimum they end with NNB_STOP_GRADIENT or NNB_STOP_STALLED.  batch must be 0 or NNB_FULL_BATCH.  Of the
 *  options of the step and the learning rate they take l2 only.
 *
 *  lm and varpro that have not ended after 400 epochs, bfgs after 800, begin a second time from the start with a decay
 *  that falls to 0, and the net gets the lower of the two ends (docs/defaults.md).  They do not with val, patience,
 *  bayes or l2 (also NNB_NONE), nor if less than half of max_epochs or max_seconds is left.
 *
 *  {0}, NNB_AUTO with nothing chosen, aims at new data, not at a low training loss.  Up to 2000 rows, or rows times
 *  parameters up to 2e7, it is lbfgs, with decay and iterations by two folds; else adam, with rate, decay and the best
 *  epoch by 5 % of the rows; val takes the place of these rows.  Options that are set are kept: batch, or one of the
 *  step other than l2, makes it adam, stopped by a tenth of the rows if neither max_epochs nor val is given.  on_epoch,
 *  history and progress report the last training, max_seconds limits all of it, nnb_report_print says what was done. */
typedef struct nnb_fit_opts {
  /* the task */
  nnb_algo algo;     /**< the method; default NNB_AUTO                                                  */
  int batch;         /**< rows per update; default 32, or all rows for a full-batch method; NNB_FULL_BATCH: all rows */
  int chunk;         /**< rows processed at a time when a batch is larger; 0: chosen automatically, 128 per thread, 256
                          to 1024.  Layers that couple rows (batch normalisation) always get the whole batch; with
                          exact it may be rounded up (docs/arithmetic.md)                               */
  bool in_order;     /**< keep the rows in the order of the data.  Otherwise each epoch shuffles them by (seed, epoch),
                          unless all rows make one update and the method is not kfac */
  uint64_t seed;     /**< seed of the shuffles and of the targets that kfac draws                       */
  int threads;       /**< threads of the fit, at most 1024; 0: nnb_get_threads(), with comm or shards 1 */
  /* when it stops */
  int max_epochs;    /**< stop after this many epochs; default 100, with .bayes 1000; NNB_NONE: no limit */
  double max_seconds;/**< stop after this many seconds; 0: no limit                                     */
  double target_loss;/**< stop when the loss is at most this; 0: no target.  With a validation set: the validation
                          loss */
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
                          validated, passed to on_epoch, kept as the best, and put into the net at the end
                          (docs/optimisers.md) */
  /* the learning rate over time: NNB_SCHEDULE_LIST */
  nnb_schedule schedule; /**< how the learning rate changes; default NNB_CONSTANT                       */
  int lr_step;       /**< k of the schedule, in epochs; default in NNB_SCHEDULE_LIST                    */
  double lr_factor;  /**< f of the schedule, 0 to 1; default in NNB_SCHEDULE_LIST                       */
  double lr_min;     /**< lowest learning rate after the warm-up, at most lr                            */
  double warmup;     /**< epochs in which the learning rate first rises to η, linearly over the updates; may be a
                          fraction (2.5); default 0, one_cycle 0.3 of all epochs */
  /* single methods */
  double damping;    /**< kfac: λ of the first update, in units of the mean of the Fisher matrix's diagonal; default
                          1 */
  int invert_every;  /**< kfac: updates between two inversions of the factors; default 20               */
  bool data_fisher;  /**< kfac: factors from the targets of the data (the empirical Fisher matrix), instead of targets
                          drawn from the model */
  bool bayes;        /**< lm: Bayesian regularisation: the decay is estimated from the data (MacKay 1992), also for
                          biases, and without a validation set.  NNB_AUTO is lm; losses must be half_sse, sse or mse; l2
                          must be 0.  See docs/optimisers.md and nnb_error_bars */
  /* output */
  int history;       /**< limit of the records kept; default 4096; NNB_NONE: no records.  When it is reached, every
                          second record is dropped and the stride doubles, so the records always cover the whole run */
  int (*on_epoch)(void *user, const nnb_record *record); /**< called after each epoch; non-zero stops   */
  void *user;        /**< passed to the callback                                                        */
  FILE *progress;    /**< stream for progress lines, one per epoch, a few per second at most; NULL: no lines */
  /* several starts */
  int restarts;      /**< number of starts, of which the best trains the net; default 1, with .bayes 2.  Each start is
                          fitted on a copy by one thread.  The best one is then fitted again on the net, by one thread
                          and with callbacks.  Start 0: the net as it is; start i: weights drawn from
                          seed + i.  With .bayes start 1 is a tenth of the net's weights, later ones are a tenth of
                          drawn weights.  Best by validation loss, evidence, the folds' loss of NNB_AUTO, or else
                          training loss */
  /* the order of the rows */
  int block;         /**< rows that are shuffled together; 0: all rows.  Otherwise blocks of so many neighbouring rows
                          come in random order, and rows in random order within them, so that a source is read once an
                          epoch, block by block (nnb_source).  It changes the order for data in memory, too   */
  /* checkpoints */
  const char *checkpoint; /**< file that the state of the training is written to, at the end of an epoch; NULL: no file.
                          It is the net as a model file (nnb_net_load) with the rest of the state beside it
                          (docs/checkpoints.md).  An existing file is replaced.  The trials of NNB_AUTO and restarts
                          are not part of the state: they are made again, with the same result */
  double checkpoint_seconds; /**< seconds between two checkpoints; default 60, or no limit with checkpoint_epochs.  The
                          end of the fit always writes one */
  int checkpoint_epochs; /**< epochs between two checkpoints; 0: as checkpoint_seconds says              */
  bool resume;       /**< continue from the file checkpoint, if it exists: with the same net, data and options a run
                          that was killed then ends with the bits of one that was not.  on_epoch is called for new
                          epochs only.  max_epochs and max_seconds count the whole run.  Options may not differ, except
                          max_seconds, target_loss, patience, min_delta, threads, chunk, those of checkpoints, and
                          max_epochs unless the schedule is cosine or one_cycle; an own schedule must be the same */
  /* more on stopping, the learning rate and output */
  double min_delta;  /**< least fall of the loss that counts for patience                               */
  const nnb_own_schedule *own_schedule; /**< factor of the learning rate over time, in place of schedule, which must be
                          NNB_CONSTANT; warmup and lr_min count as with that.  NULL: none               */
  const nnb_callback *callbacks; /**< a list of callbacks after on_epoch, which {0} ends.  All of them are called after
                          each epoch; NULL: none                                                        */
  const char *log;   /**< CSV file that a row is appended to after each epoch: epoch, updates, samples, loss, val_loss,
                          seconds, total_seconds, lr, then the metrics (NAME on the training data, val_NAME on the
                          validation set).  An existing file is replaced; with resume, rows of epochs up to the
                          checkpoint's stay.  If a row cannot be written later, the training goes on, and
                          report.log_status has the error; the rows before it stay whole.  NULL: no file              */
  unsigned metrics;  /**< metrics in each record, and of the rows held out in a cross-validation (NNB_METRIC_LIST),
                          joined by '+' in text.  A record's are those of the validation set, or of the training data
                          without one                                                                   */
  bool train_metrics;/**< metrics also on the training data: one more pass over it in each epoch        */
  /* many ranks: docs/scale.md */
  const nnb_comm *comm; /**< the ranks that train this net together; NULL: one.  All of them call nnb_fit with the same
                          options, start from the parameters of rank 0, and end with the same bits and the same status.
                          Methods that do not train by ranks are NNB_E_UNSUPPORTED.  batch counts the rows of all
                          ranks.  progress, log and checkpoint are those of rank 0, and the trials of NNB_AUTO, too; a
                          callback of any rank stops all                                                */
  bool own_rows;     /**< each rank has data of its own, and train may be NULL on a rank that has none.  Otherwise all
                          ranks have the same rows, and train different parts of each update            */
  int shards;        /**< ranges of the rows of an update whose gradients are added in one order, a power of two up to
                          1024; 0: in any order.  Then 1, 2, 3 … shards ranks end with the same bits, if their threads
                          and the machines are the same.  Not with own_rows; docs/scale.md              */
  /* the same bits on every machine: docs/arithmetic.md */
  bool exact;        /**< compute in the defined arithmetic, as if nnb_net_exact was set for this fit: the same bits at
                          the end for any threads, chunk, processor, compiler and BLAS, and with shards for any number
                          of ranks.  algo must be named; kfac, lm, varpro and bayes are NNB_E_UNSUPPORTED */
  void *reserved[26];
} nnb_fit_opts;

/** Options as text: "algo=lm max_epochs=200".  Pairs key=value are separated by blanks or commas; the keys are the
 *  names of the fields.  Numbers have a decimal point in every locale.  Enumerations have their names ("cosine").  A
 *  bool is true or false; the key alone is true.  -1 is written none, or full for batch.  Pointers have no text.
 *
 *  nnb_fit_opts_parse sets the options in the text and leaves the rest of *opts unchanged.  NNB_E_PARSE for a malformed
 *  text or an unknown name, NNB_E_ARG for a value out of range; *opts is then unchanged, and the message has the
 *  character and the nearest known name.                                                                             */
NNB_API nnb_status nnb_fit_opts_parse(const char *text, nnb_fit_opts *opts);
/** *out ← the text of all options that differ from {0}.  Parsing it into {0} gives the same options.  Release it with
 *  nnb_free.  NNB_E_ARG for options out of range; NNB_E_NOMEM; *out is then NULL.                                    */
NNB_API nnb_status nnb_fit_opts_print(const nnb_fit_opts *opts, char **out);
/** Makes options from text (NULL: all defaults), for bindings that do not know the struct.  Errors as above, and
 *  NNB_E_NOMEM; *out is then NULL.                                                                                   */
NNB_API nnb_status nnb_fit_opts_create(const char *text, nnb_fit_opts **out);
/** Releases options made by nnb_fit_opts_create.  NULL is accepted. */
NNB_API void nnb_fit_opts_destroy(nnb_fit_opts *opts);
/** Sets an option that is a pointer, also a pointer to a function, by the name of its field: "on_epoch", "user".  For
 *  bindings.  What it points to must outlive the fit.  NNB_E_ARG for a name that is not that of a pointer. */
NNB_API nnb_status nnb_fit_opts_set_pointer(nnb_fit_opts *opts, const char *name, const void *p);

/** The description of one option, for help texts and forms.  The strings are constants. */
typedef struct nnb_option {
  const char *name;    /**< of the field, and in text                                                   */
  const char *type;    /**< "bool", "integer", "number", "name" (of an enumeration), "names" (of flags), or "pointer" */
  const char *zero;    /**< the meaning of 0; NULL: 0, false or NULL itself                             */
  const char *minus;   /**< the name of -1 in text; NULL: -1 has no special meaning                     */
  const char *range;   /**< the range of a number: "0 or more"                                          */
  const char *methods; /**< the methods that take it; "" for all                                        */
  const char *help;    /**< one line                                                                    */
  void *reserved[5];
} nnb_option;
/** *out ← option i of nnb_fit_opts, from 0.  false if there are no more. */
NNB_API bool nnb_fit_option(int i, nnb_option *out);
/** The same for nnb_optim_opts and nnb_min_opts. */
NNB_API bool nnb_optim_option(int i, nnb_option *out);
NNB_API bool nnb_min_option(int i, nnb_option *out);

/** The result of nnb_fit. */
typedef struct nnb_report {
  nnb_stop stop;
  nnb_algo algo;            /**< the method that ran, never NNB_AUTO                                    */
  int epochs;
  int64_t updates, samples;
  double seconds;
  double loss;              /**< training loss of the last epoch                                        */
  double val_loss;          /**< validation loss of the last epoch; NaN without a validation set        */
  double best_loss;         /**< lowest validation loss, or training loss without a validation set      */
  int best_epoch;           /**< the epoch of best_loss; 0: the start, which counts if there is a validation set */
  bool restored;            /**< the parameters in the net are those of best_epoch (see nnb_fit)        */
  const nnb_record *history;/**< n_history records, in order; owned by the net.  Valid until the net is destroyed or the
                                 next fit of it that is not refused */
  int n_history, history_stride; /**< every history_stride-th epoch was kept, and the last one          */
  nnb_evidence evidence;    /**< with .bayes: for the parameters in the net, in scaled units; all zero if those are the
                                 parameters of the start */
  nnb_choice choice;        /**< how NNB_AUTO chose; NNB_CHOICE_NONE: nothing was chosen                */
  int trials;               /**< fits of copies of the net that were made to choose                     */
  int held_rows;            /**< rows of train that were held out and not trained on                    */
  int batch;                /**< rows per update                                                        */
  double l2, lr;            /**< the decay and the learning rate (0: none) that trained the net         */
  double held_loss;         /**< NNB_CHOICE_FOLDS: the loss on the rows not trained on, at the best stage, as a part of
                                 the loss of the best constant prediction, INFINITY if no stage had a finite one;
                                 else 0                                                                 */
  int starts, start;        /**< with restarts: how many, and which was the best, from 0                */
  int resumed;              /**< the epoch of the checkpoint that the fit went on from; 0: it did not   */
  int checkpoints;          /**< checkpoints that this call has written                                 */
  nnb_status checkpoint_status; /**< the error of the last checkpoint, which could not be written and did not end the
                                 training; NNB_OK: none                                                 */
  bool bits_may_differ;     /**< resumed with another number of threads, other chunks, kernels, thresholds or another
                                 BLAS than before: the numbers may differ by rounding from those of a run that was not
                                 interrupted                                                            */
  int second_start;         /**< the epoch after which lm, varpro or bfgs began again from the start; 0: they did not.
                                 The second descent ended lower if best_epoch is later                  */
  nnb_status log_status;    /**< the error of .log, which ended the file but not the training; NNB_OK: none */
  void *reserved[8];
} nnb_report;

/** Writes to stream in words what a fit did and why: how it chose, the method with its decay, learning rate and batch,
 *  why it stopped, losses and seconds.  Nothing if one of the two is NULL. */
NNB_API void nnb_report_print(const nnb_report *report, FILE *stream);

/** What a net was trained by: facts of its last nnb_fit, which model files keep (nnb_net_training).  They are the same
 *  for the same training: no dates, no seconds, nothing about the machine. */
typedef struct nnb_training {
  nnb_algo algo;            /**< the method; NNB_AUTO: one that this version does not know              */
  int epochs, best_epoch;   /**< as in nnb_report                                                       */
  bool restored;            /**< as in nnb_report                                                       */
  int64_t updates;
  int rows, val_rows;       /**< rows trained on, and rows of the validation set; 0: none               */
  uint64_t seed;            /**< .seed of the fit                                                       */
  double loss, val_loss, best_loss; /**< as in nnb_report; NaN: there is none                           */
  unsigned metric;          /**< the nnb_metric of the score, which the program adds (nnb_net_set_training); 0: none */
  int score_rows;           /**< rows that the score is of: others than those trained on                */
  double score;             /**< NaN: none                                                              */
  char version[16];         /**< of the library that trained the net, nnb_version                       */
  void *reserved[4];
} nnb_training;

/** Options of nnb_error_bars_create. */
typedef struct nnb_error_bars_opts {
  nnb_evidence evidence; /**< alpha and beta of a fit with .bayes, in scaled units; the other fields are ignored.  alpha
                              0: no decay; the data alone determines the parameters.  beta 0, only with alpha 0: the
                              noise is estimated, β = (N·n_out - P)/Σ w_i(t-a)² (N: rows of positive weight) */
  int threads;           /**< 0: nnb_get_threads()                                                        */
  void *reserved[7];
} nnb_error_bars_opts;

/** The result of nnb_evaluate: how well a net predicts data. */
typedef struct nnb_metrics {
  double loss;     /**< the net's loss, in scaled units if the targets are scaled                        */
  double accuracy; /**< weighted share of correct answers; NaN if the data has no labels and no output has a
                        cross-entropy.  Data with labels, and a cross_entropy output, give one class per row: the
                        largest output (for one column: above ½).  A binary_cross_entropy output with targets t gives
                        one label per column: above ½ or not, as t is.  The answers of several outputs are counted
                        together */
  double rmse;     /**< root of the mean squared error over rows and outputs, in the data's units; NaN for labels */
  double r2;       /**< 1 - Σ(t-a)²/Σ(t-t̄)², mean over the outputs that vary; NaN if none does, and for labels */
  int64_t rows;
  void *reserved[11];
} nnb_metrics;

/** Options of nnb_cross_validate. */
typedef struct nnb_cv_opts {
  int folds;           /**< parts of the rows, each of them held out once; default 5, or one for each of fewer rows */
  int repeats;         /**< divisions of the rows into parts; default 1                                   */
  uint64_t seed;       /**< division k from 0 is that of nnb_data_fold with seed + k                      */
  const int32_t *part; /**< own parts: the part of each row, 0 … folds-1, for rows that must stay together (those of one
                            patient, one day).  repeats is then at most 1.  NULL: parts are drawn, by class */
  int threads;         /**< runs at the same time; 0: nnb_get_threads()                                   */
  int (*on_run)(void *user, int done, int runs); /**< called after each run, by any thread, one call at a time; non-zero
                                                      stops                                               */
  void *user;          /**< passed to on_run                                                              */
  bool weigh_classes;  /**< weigh the rows trained on by their classes (nnb_data_weigh_classes).  The rows held out keep
                            their weights                                                                 */
  const double *class_weight; /**< the weight of each class; NULL: balanced, in each part by itself       */
  void *reserved[8];
} nnb_cv_opts;

/** One run of a cross-validation: a net trained on all parts but one and measured on that one. */
typedef struct nnb_cv_run {
  int repeat, fold;    /**< from 0                                                                        */
  int train_rows, test_rows;
  nnb_metrics metrics; /**< of the rows held out                                                          */
  nnb_algo algo;       /**< the method that ran                                                           */
  nnb_stop stop;
  int epochs;
  double seconds;
  void *reserved[11];
} nnb_cv_run;

/** A figure over the runs of a cross-validation. */
typedef struct nnb_cv_score {
  double mean;
  double deviation;    /**< sample standard deviation of the runs                                         */
  double error;        /**< standard error of the mean, corrected for the training rows that the runs share:
                            deviation·√(1/n + h/t), n: runs, h: rows held out, t: rows trained on (Nadeau and Bengio
                            2003; for repeats Bouckaert and Frank 2004) */
  double plain_error;  /**< deviation/√n, which takes the runs to be independent and is too small         */
  double min, max;
  void *reserved[4];
} nnb_cv_score;

/** The result of nnb_cross_validate.  Release it with nnb_cv_report_clear. */
typedef struct nnb_cv_report {
  int n_runs;            /**< folds·repeats; fewer if it was stopped                                      */
  unsigned metrics;      /**< those of nnb_fit_opts.metrics, which nnb_cv_report_metric gives             */
  const nnb_cv_run *run; /**< in the order of repeat and fold                                             */
  nnb_cv_score loss, accuracy, rmse, r2; /**< of the rows held out, over the runs; NaN where nnb_metrics is NaN in a
                                              run */
  bool stopped;          /**< by on_run or on_epoch                                                       */
  double seconds;
  const double *values;  /**< these metrics of each run, in the order of NNB_METRIC_LIST                  */
  void *reserved[11];
} nnb_cv_report;

/** A metric of the rows held out, over the runs: one of nnb_fit_opts.metrics, accuracy, rmse or r2.  All numbers are
 *  NaN for others, and if it is NaN in a run, as the AUC of rows of one class is. */
NNB_API nnb_cv_score nnb_cv_report_metric(const nnb_cv_report *report, nnb_metric metric);
/** The same of run i, from 0.  NaN for a run that does not exist. */
NNB_API double nnb_cv_report_run_metric(const nnb_cv_report *report, int i, nnb_metric metric);

/** Releases what nnb_cross_validate has put into the report, and makes it {0}.  NULL is accepted. */
NNB_API void nnb_cv_report_clear(nnb_cv_report *report);
/** How well a net predicts data, by all metrics: made by nnb_net_score.  Several threads may read it.
 *  Its parts are the classes, labels or columns of targets, in the order of the outputs; one output column with two
 *  classes has two parts. */
typedef struct nnb_scores nnb_scores;

/** Options of nnb_net_score. */
typedef struct nnb_score_opts {
  bool no_auc;       /**< no AUC, which keeps the outputs of all rows in memory                       */
  bool no_confusion; /**< no confusion matrices, which have n² numbers for n classes                  */
  int threads;       /**< 0: nnb_get_threads()                                                        */
  void *reserved[6];
} nnb_score_opts;

/** NULL is accepted. */
NNB_API void nnb_scores_destroy(nnb_scores *scores);
/** A metric of the whole, as NNB_METRIC_LIST says.  NaN where it has no meaning: classes have no rmse, values no
 *  accuracy, outputs outside 0 … 1 no log loss. */
NNB_API double nnb_scores_get(const nnb_scores *scores, nnb_metric metric);
/** Number of parts; 0 for NULL. */
NNB_API int nnb_scores_n_parts(const nnb_scores *scores);
/** A metric of part k, from 0; NaN for a part that does not exist.  Precision, recall and F1 are 0 for a class that is
 *  predicted and never there, or there and never predicted, and NaN for one that is neither.  The AUC is NaN if all or
 *  no rows are of the class.  Log loss is NaN for one class of several. */
NNB_API double nnb_scores_part(const nnb_scores *scores, nnb_metric metric, int k);
/** The name of part k: of the class, or the column of the targets; NULL if it has none. */
NNB_API const char *nnb_scores_name(const nnb_scores *scores, int k);
/** Σ weight of the rows that are of class k, or where label k is true; of all rows for values. */
NNB_API double nnb_scores_support(const nnb_scores *scores, int k);
/** Σ weight of the rows of class `truth` that are predicted as class `predicted`; both of one output.  Else 0. */
NNB_API double nnb_scores_confusion(const nnb_scores *scores, int truth, int predicted);
/** Prints the metrics of all parts and of the whole as a table.  The lines are for people and may change.  Nothing if
 *  one of the two is NULL. */
NNB_API void nnb_scores_print(const nnb_scores *scores, FILE *stream);
/** Prints the confusion matrix of each output with classes: a row for each true class, a column for each predicted
 *  one. */
NNB_API void nnb_scores_print_confusion(const nnb_scores *scores, FILE *stream);

/** How nnb_search takes candidates from its space. */
#define NNB_SEARCH_LIST(X)                                                                                           \
  X(NNB_SEARCH_RANDOM, "random")   /* drawn at random                            Bergstra and Bengio 2012         */ \
  X(NNB_SEARCH_GRID, "grid")       /* every combination of the values                                             */ \
  X(NNB_SEARCH_HALVING, "halving") /* drawn; few epochs for all, more for the better part of them, and so on:     */ \
                                   /* successive halving         Jamieson and Talwalkar 2016, Li et al. 2018      */

typedef enum nnb_search_method {
#define NNB_SEARCH_ENUM(name, text) name,
  NNB_SEARCH_LIST(NNB_SEARCH_ENUM)
#undef NNB_SEARCH_ENUM
  NNB_N_SEARCH_METHODS
} nnb_search_method;
NNB_API const char *nnb_search_method_name(nnb_search_method method);
NNB_API bool nnb_search_method_find(const char *name, nnb_search_method *out);

/** Options of nnb_search. */
typedef struct nnb_search_opts {
  nnb_search_method method; /**< default NNB_SEARCH_RANDOM                                                */
  int candidates;      /**< random and halving: how many are drawn; default 20, halving 27.  All combinations if there
                            are no more                                                                   */
  int factor;          /**< halving, f: a stage keeps one of f candidates, and the next has f times its epochs;
                            default 3                                                                     */
  const char *layers;  /**< hidden layers where the space has none, as in nnb_net_for_data; default "20:tanh" */
  double max_seconds;  /**< seconds for the whole; 0: no limit.  A fifth is kept for the training of the best.
                            Candidates that are not measured by then are left out                         */
  nnb_cv_opts cv;      /**< how each candidate is measured, all on the same parts.  seed is that of the draws, too.
                            on_run counts the runs of all candidates                                      */
  nnb_metric metric;   /**< the score that candidates are compared by, higher or lower as nnb_metric_is_error says;
                            0: accuracy for labels, else rmse                                             */
  const nnb_loss_opts *loss; /**< the loss of all candidates; NULL: that of nnb_net_for_data               */
  void *reserved[7];
} nnb_search_opts;

/** A candidate of a search. */
typedef struct nnb_candidate {
  const char *text;    /**< what the space decided, also about the activation: "layers=20:tanh l2=0.001"   */
  int number;          /**< in the order in which they were taken from the space, from 0                  */
  int stage, epochs;   /**< halving: the last stage that it was in, from 0, and the limit of epochs there; else 0 */
  nnb_status status;   /**< NNB_OK, or the error of its first run that failed                             */
  const char *message; /**< of that error, else ""                                                        */
  nnb_cv_report cv;    /**< its runs, with those epochs                                                   */
  nnb_cv_score score;  /**< its figure of nnb_search_opts.metric                                          */
  nnb_cv_score behind; /**< by how much the best is better, run by run; error is that of this difference  */
  void *reserved[8];
} nnb_candidate;

/** The result of nnb_search.  Release it with nnb_search_report_clear. */
typedef struct nnb_search_report {
  int n;               /**< candidates that were measured, or failed                                      */
  const nnb_candidate *candidate; /**< the best first, those of later stages before those of earlier ones; those that
                                       failed at the end                                                  */
  int left_out;        /**< candidates that were not measured: stopped, or no time                        */
  const char *score;   /**< the name of the metric, "accuracy"                                            */
  bool stopped;        /**< by on_run or on_epoch                                                         */
  double seconds;
  nnb_report fit;      /**< the training of the best on all rows; its history belongs to the net          */
  void *reserved[10];
} nnb_search_report;

/** Releases what nnb_search has put into the report, and makes it {0}.  NULL is accepted. */
NNB_API void nnb_search_report_clear(nnb_search_report *report);

/** Options of an optimiser, for the levels below nnb_fit.  The fields have the same meaning as in nnb_fit_opts. */
typedef struct nnb_optim_opts {
  nnb_algo algo; /**< the method, one that steps from batch to batch; default NNB_AUTO: adam             */
  uint64_t seed; /**< seed of the targets that kfac draws, and for layers (nnb_run)                      */
  double lr, momentum, beta1, beta2, epsilon, l1, l2, clip_norm, ema;
  nnb_schedule schedule;
  int lr_step;
  double lr_factor, lr_min, warmup;
  int64_t epoch_updates; /**< updates in an epoch of the schedule; default 1: an epoch is an update       */
  int64_t epochs;        /**< epochs in all, which cosine and one_cycle need; 0: not known                */
  double damping;
  int invert_every;
  bool data_fisher;
  const nnb_own_schedule *own_schedule; /**< what it points to is copied */
  void *reserved[20];
} nnb_optim_opts;

/** Options as text: the same as nnb_fit_opts_parse, nnb_fit_opts_print, …, without own_schedule, a pointer. */
NNB_API nnb_status nnb_optim_opts_parse(const char *text, nnb_optim_opts *opts);
NNB_API nnb_status nnb_optim_opts_print(const nnb_optim_opts *opts, char **out);
NNB_API nnb_status nnb_optim_opts_create(const char *text, nnb_optim_opts **out);
NNB_API void nnb_optim_opts_destroy(nnb_optim_opts *opts);

/** The state of a minimiser after an iteration (nnb_min_opts.on_iteration). */
typedef struct nnb_min_record {
  int64_t iteration;   /**< 1, 2, …                                                                       */
  int64_t evaluations; /**< number of evaluations so far                                                  */
  double value;        /**< f(x)                                                                          */
  double gradient_norm;/**< largest |∂f/∂x_i|; with bounds, over the components that can still move x     */
  double step;         /**< largest |change of an x_i| in this iteration                                  */
  double seconds;      /**< time since the start                                                          */
  const void *x;       /**< the present point, n numbers in the precision of the call; read-only          */
  const nnb_evidence *evidence; /**< with .bayes: the evidence at x, else NULL                            */
  void *reserved[8];
} nnb_min_record;

/** Options of nnb_minimize and nnb_least_squares.  Numbers are 0 or more unless the comment says otherwise.  All tests
 *  for stopping are made after every iteration.                                                                      */
typedef struct nnb_min_opts {
  nnb_algo algo;           /**< the method; default NNB_AUTO: chosen by the call; the report has its name  */
  /* when it stops */
  int64_t max_iterations;  /**< stop after this many iterations; default 1000; NNB_NONE: no limit         */
  int64_t max_evaluations; /**< stop after this many calls of the function, with or without derivatives; 0: no limit */
  double max_seconds;      /**< stop after this many seconds; 0: no limit                                 */
  double gradient_tol;     /**< stop when the relative gradient is at most this; default ε^⅔ of the precision, 4e-11 or
                                2e-5, for sums of squares ε; NNB_NONE: only at 0.  nnb_least_squares: the largest cosine
                                between r and a column of J, |J_iᵀr|/(‖J_i‖·‖r‖), which has no units; the ridge counts
                                as rows of J and r.  nnb_minimize: gradient_norm (nnb_min_record), in the units of f and
                                x; if it is below 1 at the start, the default is that times ε^⅔.  Components that
                                cannot move x because of bounds do not count */
  double change_tol;       /**< stop when an iteration lowered f by at most this times |f|; 0: no such stop */
  bool has_target;         /**< stop at the target                                                        */
  double target;           /**< with has_target: stop when f is at most this; any number                  */
  int patience;            /**< stop after this many iterations without a new lowest f; 0: no such stop   */
  /* single methods */
  int memory;              /**< lbfgs: number of stored pairs of steps and gradients; default 10          */
  int acceleration;        /**< lm and varpro: geodesic acceleration of the steps; 0: on; NNB_NONE: off   */
  bool bayes;              /**< lm: Bayesian regularisation: the decay is estimated from the data.  NNB_AUTO is lm.
                                Minimises ½·Σ r² + ½·(α/β)·Σ x² and estimates α and β again after every iteration
                                (Foresee and Hagan 1997), so f itself changes.  It ends as in nnb_fit */
  size_t max_bytes;        /**< lm and varpro: memory limit in bytes; 0: 4 GiB                            */
  const double *lower;     /**< lbfgs and lm: n lower bounds, -INFINITY where there is none; NULL: no bounds.  They are
                                rounded to the precision of x.  Before the first evaluation x is moved between them, and
                                it stays there.  Not with .bayes */
  const double *upper;     /**< lbfgs and lm: n upper bounds, INFINITY where there is none; equal to lower: x_i is
                                fixed */
  /* output */
  int (*on_iteration)(void *user, const nnb_min_record *record); /**< called after each iteration; non-zero stops */
  void *user;              /**< passed to the callback                                                    */
  void *reserved[25];
} nnb_min_opts;

/** Options as text: the same as nnb_fit_opts_parse, nnb_fit_opts_print, … */
NNB_API nnb_status nnb_min_opts_parse(const char *text, nnb_min_opts *opts);
NNB_API nnb_status nnb_min_opts_print(const nnb_min_opts *opts, char **out);
NNB_API nnb_status nnb_min_opts_create(const char *text, nnb_min_opts **out);
NNB_API void nnb_min_opts_destroy(nnb_min_opts *opts);
NNB_API nnb_status nnb_min_opts_set_pointer(nnb_min_opts *opts, const char *name, const void *p);

/** The result of a minimiser.  x is then the best point found; value and gradient_norm belong to it. */
typedef struct nnb_min_report {
  nnb_stop stop;
  nnb_algo algo;           /**< the method that ran, never NNB_AUTO                                       */
  int64_t iterations, evaluations;
  double seconds;
  double value;            /**< f(x)                                                                      */
  double start_value;      /**< f at the start                                                            */
  double gradient_norm;    /**< as in nnb_min_record                                                      */
  nnb_evidence evidence;   /**< with .bayes                                                               */
  void *reserved[13];
} nnb_min_report;

/** The totals of several updates (nnb_train_rows). */
typedef struct nnb_sums {
  double loss;     /**< loss over all rows, computed before each update                                  */
  double weight;   /**< Σ sample weights                                                                 */
  int64_t rows, updates;
  void *reserved[8];
} nnb_sums;

/* Results for programs that do not know the structs (bindings).  name: that of the struct, "nnb_report", "nnb_record",
 * "nnb_metrics", "nnb_training", "nnb_min_report", "nnb_min_record" or "nnb_sums"; others are NNB_E_ARG. */

/** *out ← a struct of results, all zero, to pass to nnb_fit and others.  Release it with nnb_free.  NNB_E_NOMEM. */
NNB_API nnb_status nnb_result_create(const char *name, void **out);
/** *out ← the numbers in a struct of results as text, one "field=value" a line: "loss=0.25".  Numbers read back to the
 *  same bits and have a decimal point in every locale, or are nan, inf, -inf.  A bool is true or false.  A value of an
 *  enumeration is its enumerator without prefix in lower case: stop=target, algo=lm.  A struct in the struct gives
 *  "evidence.alpha", flags of metrics f1+auc.  An nnb_record has a line more for each of its metrics, "f1=0.5", and for
 *  each of its train_metrics, "train_f1=0.5".  Pointers are left out.  Release it with nnb_free.  NNB_E_NOMEM. */
NNB_API nnb_status nnb_result_print(const char *name, const void *result, char **out);
/** out[i] ← a field of record i of the history, by its name: "loss"; or a metric, "f1" (nnb_record_metric) or
 *  "train_f1".  out: report->n_history numbers.  NNB_E_ARG if nnb_record has no such field. */
NNB_API nnb_status nnb_report_history(const nnb_report *report, const char *field, double *out);

/** What becomes of a missing value in an input column of a CSV file.  Missing is an empty field, "?", and NA, N/A, NaN
 *  and null in small or capital letters, in quotes or not. */
typedef enum nnb_missing {
  NNB_MISSING_ERROR, /**< an error with the place                                                          */
  NNB_MISSING_MEAN   /**< a number becomes the mean of the column's other rows, a text none of the levels; the input
                          "NAME missing" is added, which is 1 in these rows and 0 in the others.  In parts of the data
                          it is the mean of the rows trained on (nnb_data_split, nnb_data_fold, nnb_cross_validate) */
} nnb_missing;

/** One column of a table and the inputs that it became.  Only the library creates it; later versions may add fields. */
typedef struct nnb_column {
  const char *name;          /**< NULL: it has none                                                        */
  const char *const *levels; /**< its texts, in the order of their bytes; NULL: it has numbers             */
  int n_levels;
  int first, n;              /**< it became inputs first … first+n-1: the number, or 0 or 1 for each level (named
                                  "NAME=LEVEL"); then, if missing, 0 or 1 for a missing value                  */
  bool missing;              /**< the training data had missing values here, so they are accepted             */
  double mean;               /**< what a missing number becomes                                            */
} nnb_column;

/** The input columns of a table, in order, and how they became inputs.  Data and nets own theirs: nnb_data_columns,
 *  nnb_net_columns.  It does not change, and several threads may read it. */
typedef struct nnb_columns nnb_columns;
/** Column i from 0; NULL if there are not as many, and for NULL.  Valid as long as its owner. */
NNB_API const nnb_column *nnb_columns_at(const nnb_columns *columns, int i);

/** Options of nnb_data_read_csv.  Columns are given by name, or by number as text, counted from 1: "1" is the first
 *  column unless the header has a column named "1". */
typedef struct nnb_csv_opts {
  int header;          /**< 1: the first row has names; NNB_NONE: it has data; 0: it has names if a column is given by
                            name; or if none of its fields is a number, more are texts than missing words (NA, Inf) and,
                            of the 100 rows below, the first value of a column under a text is a number; or all are
                            texts, those of the first row do not occur again in their columns, and a column has at most
                            a quarter as many different texts as rows */
  char separator;      /**< ' ': runs of blanks and tabs.  0: tab, ';', ',' or ' ', the first that divides each of the
                            first 10 rows into the same number of fields, at least 2 (',' not with .decimal_comma, ' '
                            only if neither ';' nor ',' is in the first row); else ',' */
  const char *target;  /**< the target column, by name or number; NULL: the last n_targets columns that are not left */
  int n_targets;       /**< default 1; NNB_NONE: no targets, every column is an input                     */
  bool classify;       /**< true: the target column has classes even if they are numbers.  false: the first target
                            decides: if it is a number, all targets must be numbers; if it is a text, all must be texts,
                            and they are classes */
  const char *const *class_names; /**< the only classes allowed, in order: numbers, texts or both.  If all are numbers,
                                       they are compared as numbers (1 is 1.0).  NULL: texts are ordered by first
                                       appearance, numbers ascending */
  int n_class_names;
  const char *const *take;  /**< the input columns, in this order; all others but the targets are ignored.  NULL: all
                                 columns that are neither targets nor left */
  const char *const *leave; /**< columns to ignore; not with .take                                        */
  int n_take, n_leave;
  int skip_lines;      /**< lines to skip at the start, before the header                                 */
  char comment;        /**< lines whose first character, after blanks, is this one are skipped; 0: none   */
  bool decimal_comma;  /**< numbers have a comma in place of the point                                    */
  nnb_missing missing; /**< what becomes of missing values among the inputs; a missing target is always an error */
  int categories;      /**< the most levels of an input column of texts, for instance 32: it becomes an input of 0 and 1
                            for each.  0: a text among the inputs is an error.  The first value of a column decides: if
                            it is a text, all must be texts                                               */
  const char *const *category; /**< input columns that have levels even if they have numbers; needs .categories.
                                    Numbers are then compared as texts (1 is not 1.0) */
  const nnb_columns *columns;  /**< reads the inputs as those of other data or of a net were read: the same columns, by
                                    name and in any order, or without names in the same order; their levels, means and
                                    added inputs.  Other columns than these and the targets are ignored.  To predict
                                    with a net: nnb_net_columns(net), with .n_targets = NNB_NONE; validation data:
                                    nnb_data_columns(training data).  Not with .take, .missing, .categories, and
                                    with .leave only if a column has no name.  NULL: the file decides */
  int n_category;
  bool unseen_levels;  /**< with .columns: a text that is not among the levels is read as none of them.  false: it is
                            an error                                                                      */
  bool leave_unusable; /**< with .categories: input columns of more different texts (names, numbers of tickets), and
                            columns without any value, are left out (nnb_data_left_out), and nnb_data_summary has a
                            note for each; numbers below a text in a column are texts.  false: these are errors */
  void *reserved[7];
} nnb_csv_opts;
/** The most dimensions of an nnb_array. */
enum { NNB_ARRAY_DIMS = 8 };

/** The type of the numbers that nnb_array_write_npy and nnb_array_write_npz write. */
typedef enum nnb_array_type {
  NNB_ARRAY_SAME, /**< float64 or float32, by the precision                                       */
  NNB_ARRAY_F64,
  NNB_ARRAY_F32,
  NNB_ARRAY_I64,  /**< the integers and bool take whole numbers in their range only (NNB_E_ARG)      */
  NNB_ARRAY_I32,
  NNB_ARRAY_U8,
  NNB_ARRAY_BOOL  /**< 0 and 1                                                                     */
} nnb_array_type;

/** Options of nnb_net_load_torch and nnb_net_save_torch. */
typedef struct nnb_torch_opts {
  const char *prefix;       /**< what all names of tensors begin with, as "model."; default "" */
  const char *const *names; /**< names of the modules, one for each layer with parameters in its order, without prefix
                                 and without ".weight" or ".bias"; NULL: by the numbers in the names when loading; when
                                 saving, those of torch.nn.Sequential (0, 2, …) for a chain, else the net's own names */
  int n_names;
  bool ignore_others;       /**< loading: other tensors in the file are not an error */
  void *reserved[9];
} nnb_torch_opts;

/** Options of nnb_net_save_onnx and nnb_net_load_onnx. */
typedef struct nnb_onnx_opts {
  int opset;          /**< saving: the version of ONNX's operators, 9 to 17; default 13              */
  bool external_data; /**< loading: numbers may lie in other files, which are in the folder of the model */
  size_t max_bytes;   /**< loading: limit of memory as in nnb_load_opts                              */
  void *reserved[10];
} nnb_onnx_opts;

/** How nnb_net_write_c stores the weights.  Arithmetic is in double for NNB_C_F64, otherwise in float. */
typedef enum nnb_c_numbers {
  NNB_C_SAME, /**< as the net                                                                    */
  NNB_C_F64,
  NNB_C_F32,
  NNB_C_I16,  /**< 16-bit integers with a factor for each column of weights; biases are float     */
  NNB_C_I8    /**< 8-bit integers, the same                                                       */
} nnb_c_numbers;

/** Options of nnb_net_write_c. */
typedef struct nnb_c_opts {
  const char *name;      /**< prefix of all names in the file: a letter followed by letters, digits and underscores, at
                              most 40; default "net" */
  nnb_c_numbers numbers; /**< default NNB_C_SAME                                                     */
  bool step;             /**< also write NAME_step, which trains; not with integers                  */
  void *reserved[10];
} nnb_c_opts;

/** Ways of scaling columns, x' = (x - shift)·factor. */
typedef enum nnb_scaling {
  NNB_STANDARDIZE, /**< mean 0, deviation 1; a constant column becomes 0 (factor 1)          */
  NNB_MINMAX       /**< to [0, 1];           a constant column becomes 0 (factor 1)          */
} nnb_scaling;

/** What a plan must support: flags of nnb_plan_opts.want. */
enum {
  NNB_GRAD = 1, /**< gradients and training                                                          */
  NNB_DX = 2,   /**< derivatives with respect to the inputs (nnb_plan_vjp, nnb_plan_jvp, nnb_plan_jacobian) */
  NNB_KEEP = 4, /**< all intermediate results can be read with nnb_plan_view                         */
  NNB_ROWS = 8, /**< residuals of sums of squares and their derivatives (nnb_plan_rows)              */
  NNB_SECOND = 16, /**< second derivatives (nnb_plan_hvp, nnb_plan_taylor); includes NNB_DX           */
  NNB_DT = 32   /**< batches with targets of derivatives (nnb_batch.dt)                               */
};

/** The intermediate results of a node for nnb_plan_view, for the B rows of the last call.  I×O: the layer's weights. */
typedef enum nnb_what {
  NNB_Z,     /**< B×O  A_prev·W + b, before the activation         */
  NNB_A,     /**< B×O  f(Z)                                        */
  NNB_SLOPE, /**< B×O  f'(Z); not for softmax                      */
  NNB_DA,    /**< B×O  ∂E/∂A; not if loss and activation are computed together */
  NNB_DELTA, /**< B×O  ∂E/∂Z                                       */
  NNB_DW,    /**< I×O  ∂E/∂W = A_prevᵀ·Δ, of the last gradient or update */
  NNB_DB     /**< 1×O  ∂E/∂b = 1ᵀ·Δ                                */
} nnb_what;

/* ---- for extend.h: your own parts ------------------------------------------------------------------------------- */
/** Traits of an activation, which can be or'ed. */
enum nnb_act_traits {
  NNB_ACT_NEEDS_Z = 1, /**< pull reads z.  Otherwise only a is kept, and z may have the same memory as a       */
  NNB_ACT_ROWWISE = 2  /**< an output depends on its whole row (softmax): there is no element-wise slope       */
};
/** Traits of a loss, which can be or'ed. */
enum nnb_loss_traits {
  NNB_LOSS_MEAN_ROWS = 1, /**< the sum is divided by norm = Σ weight                        */
  NNB_LOSS_MEAN_ALL = 2,  /**< the sum is divided by norm and by the number of outputs      */
  NNB_LOSS_CLASSES = 4,   /**< the loss is for classes: nnb_evaluate computes an accuracy   */
  NNB_LOSS_PROBABILITIES = 8, /**< targets are probabilities: within 0 … 1, and not scaled  */
  NNB_LOSS_LABELS = 16    /**< with CLASSES: each output is a separate label, true above ½  */
};

/** A field of a layer's struct that is saved in files and printed in summaries. */
typedef enum nnb_attr_type {
  NNB_ATTR_INT,  /**< int                                      */
  NNB_ATTR_REAL, /**< double                                   */
  NNB_ATTR_INIT  /**< int that holds an nnb_init; written as its name */
} nnb_attr_type;
typedef struct nnb_attr {
  const char *name; /**< unique in its layer, and none of layer, name, from, act, frozen, shape, output, nor, if the
                         layer is an output, loss, factor, delta, label_smoothing (NNB_E_ARG).  NULL ends the table */
  nnb_attr_type type;
  size_t offset;
} nnb_attr;

/** The shape of a node's columns: column (c·height + y)·width + x is pixel (y, x) of channel c, and the number of
 *  columns is channels·height·width.  All zero: no shape. */
typedef struct nnb_shape {
  int channels, height, width;
} nnb_shape;

/** What a layer needs, filled by its shape function.  All zero before, except from. */
typedef struct nnb_needs {
  int cols;             /**< O, columns of Z; required                                                         */
  int w_rows, w_cols;   /**< the parameter block [W; b]: w_rows×w_cols weights                                 */
  bool bias;            /**< the block has one more row of w_cols, b                                           */
  bool by_columns;      /**< forward and backward_data can compute a range of columns (part, parts of nnb_layer_io) */
  bool no_decay;        /**< L1 and L2 decay do not change the weights, as for biases: for gains               */
  bool couples_rows;    /**< in training, a row of Z depends on the other rows (batch normalisation): the layer gets all
                             rows of an update in one call.  Rejected by methods that need independent rows (lm, varpro,
                             kfac, nnb_plan_rows, nnb_error_bars_create) and for plans of fewer rows than an update.
                             In runs that do not train, a row of Z must depend on its own row alone            */
  size_t scratch;       /**< numbers per row of the batch, kept from forward to backward                       */
  size_t init_scratch;  /**< numbers of scratch for init                                                       */
  size_t buffers;       /**< numbers that the layer learns without a gradient, for instance running means.  They are
                             saved, copied and restored with the parameters; optimisers do not see them.  In training,
                             forward and prepare_back get all rows of a chunk in one call                      */
  const nnb_shape *from;/**< input: the shapes of the nodes that the layer reads; valid during shape           */
  nnb_shape shape;      /**< the shape of Z; an elementwise layer copies from[0]                               */
  bool affine;          /**< Z is an affine function of the inputs (Z = A·M + c, M and c made from the parameters).
                             Without scratch, backward_data and backward_params may get any number of rows, several for
                             each row of the batch: they must not use z or the numbers of the rows, nor backward_data a.
                             Second derivatives and targets of derivatives need affine layers without scratch; the
                             latter also without work that prepare_back writes                                 */
  bool random;          /**< in training, Z depends on numbers that are drawn for each update (dropout).  Rejected
                             by methods that minimise one function (lbfgs, lm, varpro, …)                           */
  size_t work;          /**< numbers for all rows together, kept from forward to backward as scratch.  To be written
                             only in calls that get all rows: in training, by layers that couple rows or have buffers.
                             kfac rejects layers with parameters whose prepare_back writes it, unless they have kron */
  int levels;           /**< above 0: the layer reads inputs whose columns are whole numbers from 0 to levels-1, and its
                             derivatives by them are 0.  Other nodes are rejected, and batches with other numbers; such
                             columns are not scaled                                                            */
  void *reserved[6];
} nnb_needs;

/** What a layer knows about the run.  Random numbers that are a function of (seed, update, node, row) are the same for
 *  any number of threads and any chunk.  For row i of a part, for instance:
 *    nnb_rng_init(&rng, seed + node * 0x9E3779B97F4A7C15u, (uint64_t)update << 32 | (uint32_t)(row0 + i));
 *  Only these numbers are: sums over rows round differently with another number of threads.
 *
 *  training is true in nnb_train_step, nnb_train_rows, nnb_plan_gradient, nnb_check_gradient and for the losses and
 *  gradients of nnb_fit.  It is false in predictions, evaluations, nnb_plan_loss and nnb_plan_vjp, and wherever
 *  residuals are computed: lm, varpro, nnb_plan_rows, nnb_solve_output, nnb_error_bars_create.  So the gradient of a
 *  layer that depends on it is checked by differences of nnb_plan_gradient's loss, not of nnb_plan_loss. */
typedef struct nnb_run {
  bool training;
  int node;       /**< number of the layer's node                                                              */
  int row0;       /**< number of the first row of this part, from 0: counted over all chunks of the update when
                       training, else within the chunk of rows that the plan processes                         */
  int64_t update; /**< number of the update, from 1; 0: there is no optimiser, so numbers drawn as above are the same
                       in every run                                                                            */
  uint64_t seed;  /**< seed of the optimiser or of nnb_fit; 0 if there is neither                              */
} nnb_run;

/** Sets the message of an error in a shape function, by printf's rules ("%d row(s)": 1 row, 2 rows); returns status. */
NNB_API nnb_status nnb_layer_fail(nnb_status status, const char *format, ...)
#if defined(__GNUC__) || defined(__clang__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

#ifdef __cplusplus
}
#endif
#endif
