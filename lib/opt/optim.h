/* opt/optim.h: optimisers.  They know vectors and blocks of parameters, not networks. */
#ifndef NNB__OPTIM_H
#define NNB__OPTIM_H

#include "block.h"
#include "options.h"
#include "schedule.h"
#include "steps.h"

typedef struct nnb__min nnb__min;
struct nnb__stop;

/* Memory of a minimiser: vectors of n numbers, and doubles. */
typedef struct nnb__min_needs {
  size_t vectors, doubles;
} nnb__min_needs;

/* Parameters that a step treats alike: a matrix of weights, or a bias. */
typedef struct nnb__segment {
  size_t off, n; /* n = rows·cols */
  int rows, cols;
  bool weights; /* of W, not of b */
  bool decays;  /* weights of a block that is not spared */
} nnb__segment;

/* Vectors of P numbers that a step keeps, zero at first: flags. */
enum { NNB__KEEP_M = 1, NNB__KEEP_S = 2, NNB__KEEP_TOP = 4 };

typedef struct nnb__optim_ops {
  const char *name;
  /* step: the defaults of the options of the same names */
  double lr, momentum, beta1, beta2, epsilon, l2;
  unsigned keeps;  /* step: NNB__KEEP_… */
  unsigned traits; /* of NNB__TRAIT_LIST, those from PLAIN on; the others follow from the functions */
  size_t most;     /* minimize: variables it is made for; 0: any number */
  /* REQUIRED: one of the four */
  /* One step of a segment of w against the gradient g of a batch. */
  void (*step)(nnb_optim *optim, const nnb__segment *segment, real *w, const real *g);
  /* Searches until its stopping rule ends it (opt/minimize.h).  Returns a status for an error only. */
  nnb_status (*minimize)(nnb__min *m);
  /* Searches for the least sum of squares from x, and leaves the best point in x.  Allocates at its start only. */
  nnb_status (*least_squares)(const nnb_lsq *problem, real *x, struct nnb__stop *stop);
  /* Steps by curvature, which training computes (opt/kfac.h): allocates its own memory; close releases it. */
  nnb_status (*open)(nnb_optim *optim, const nnb__block *blocks, int n_blocks, const nnb_optim_opts *opts);
  void (*close)(nnb_optim *optim);
  /* OPTIONAL: NULL means the words in brackets */
  /* The memory that minimize takes.  [none] */
  nnb__min_needs (*needs)(size_t n, const nnb_min_opts *opts);
  /* Computes once an update, before its steps.  [nothing] */
  void (*begin)(nnb_optim *optim);
  /* *n ← scratch of the step of a segment, in numbers; false if that overflows.  [0] */
  bool (*scratch)(const nnb__segment *segment, size_t *n);
  /* Names a place to form the gradient in.  [takes a gradient] */
  void (*offer)(nnb_optim *optim, real *w, nnb__target *target);
  /* Completes the step after the gradient was formed there.  [nothing] */
  void (*finish)(nnb_optim *optim, const nnb__segment *segment, real *w);
} nnb__optim_ops;

struct nnb_optim {
  const nnb__optim_ops *ops;
  nnb_algo algo;  /* never NNB_AUTO */
  double base_lr; /* η, from which the schedule makes … */
  double lr;      /* … the learning rate of this update */
  double momentum, beta1, beta2, epsilon, l1, l2, clip_norm, ema;
  nnb__schedule schedule;
  uint64_t seed;    /* for what is drawn in an update */
  int64_t updates;  /* t: begun so far */
  double product;   /* nadam: of its momenta so far */
  nnb__rates rates; /* of this update */
  size_t n_params;
  uint64_t shape;    /* of the blocks it was made for */
  real *g;           /* memory for a gradient, for the training calls */
  real *m, *s, *top; /* what ops->keeps names, or NULL */
  real *mean;        /* the average of the weights, or NULL … */
  bool exchanged;    /* … or the weights themselves, while the average is in the net */
  real *scratch;
  int threads;            /* for products of the optimiser's own */
  struct nnb__kfac *kfac; /* opt/kfac.h; NULL: another method */
};

#define ALGO(name) extern const nnb__optim_ops nnb__algo_##name;
#include "algos.def"
#undef ALGO

/* All traits of a row, and whether it has these. */
unsigned nnb__optim_traits(const nnb__optim_ops *ops);
bool nnb__optim_has(const nnb__optim_ops *ops, unsigned traits);
/* The names of the rows that have these traits: "lm and varpro". */
enum { NNB__ALGO_NAMES = 256 };
const char *nnb__optim_names(unsigned traits, char out[NNB__ALGO_NAMES]);

/* NNB_AUTO for a task that wants these traits: the method that suits most problems; any other algorithm as it is. */
nnb_algo nnb__optim_algo(nnb_algo algo, unsigned wants);
/* The row of an algorithm; NULL with NNB_E_ARG's sentence for NNB_AUTO and a number that is none. */
const nnb__optim_ops *nnb__optim_find(nnb_algo algo);

/* NNB_E_ARG for settings that make no sense or an algorithm that does not step, NNB_E_NOMEM. */
nnb_status nnb__optim_create(size_t n_params, const nnb__block *blocks, int n_blocks, const nnb_optim_opts *opts,
                             nnb_optim **out);

/* Begins an update: computes its learning rate.  Before a step or an offer. */
void nnb__optim_begin(nnb_optim *optim);

/* g ← g·min(1, clip_norm/‖g‖) over the parameters that are not frozen, with .clip_norm. */
void nnb__optim_clip(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *g);

/* Clips g in place, with .clip_norm, and steps. */
void nnb__optim_step(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w, real *g);

/* *target ← a place to form the gradient in; false: the caller forms it in optim->g and calls nnb__optim_step.
 * chunks: number of passes that add to the gradient; with several, the weights themselves are no such place. */
bool nnb__optim_offer(nnb_optim *optim, real *w, int chunks, nnb__target *target);
void nnb__optim_finish(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);
/* The two halves of finish: the rest of the step for each segment; then L1 decay and the average of the weights. */
void nnb__optim_apply(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);
void nnb__optim_end(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);

/* Whether an update is w ← beta·w + alpha·g and nothing else, which nnb__optim_offer describes completely. */
bool nnb__optim_is_plain(const nnb_optim *optim);

/* w ↔ its average.  NNB_E_STATE where there is none. */
nnb_status nnb__optim_exchange(nnb_optim *optim, real *w);

/* The segments of a block that are not frozen; returns their number, at most two. */
int nnb__block_segments(const nnb__block *block, nnb__segment out[2]);

/* One of the loops of num/kernels/steps.h over a segment, with optim->rates and the factor of L2 decay. */
void nnb__optim_run(const nnb_optim *optim, nnb__step *step, const nnb__segment *segment, real *w, const real *g);

/* w ← sign(w)·max(|w| - eta·l1, 0) on all weights that are not frozen: the proximal step of η·l1·|w| (Duchi and Singer
 * 2009). */
void nnb__shrink(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);

#endif
