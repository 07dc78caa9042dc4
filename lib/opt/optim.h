/* opt/optim.h: optimisers.  They know vectors and blocks of parameters, and nothing of networks. */
#ifndef NNB__OPTIM_H
#define NNB__OPTIM_H

#include "block.h"
#include "schedule.h"
#include "steps.h"

typedef struct nnb__min nnb__min;
struct nnb__stop;

/* What a minimiser wants to keep: vectors of n numbers, and doubles. */
typedef struct nnb__min_needs {
  size_t vectors, doubles;
} nnb__min_needs;

/* A run of parameters that are treated alike: a matrix of weights, or a bias. */
typedef struct nnb__segment {
  size_t off, n; /* n = rows·cols */
  int rows, cols;
  bool weights; /* they decay; biases do not */
} nnb__segment;

/* Vectors of P numbers that a step keeps, zero at first, to be or'ed. */
enum { NNB__KEEP_M = 1, NNB__KEEP_S = 2, NNB__KEEP_TOP = 4 };

typedef struct nnb__optim_ops {
  const char *name;
  /* step: the defaults of the options of the same names */
  double lr, momentum, beta1, beta2, epsilon, l2;
  unsigned keeps;    /* step: NNB__KEEP_… */
  bool takes_bounds; /* minimize, least_squares */
  size_t most;       /* minimize: variables it is made for; 0: any number */
  /* REQUIRED: one of the four */
  /* One step of a segment of w against the gradient g of a batch. */
  void (*step)(nnb_optim *optim, const nnb__segment *segment, real *w, const real *g);
  /* Searches until its stopping rule says so (opt/minimize.h).  A status is only what ends it by force. */
  nnb_status (*minimize)(nnb__min *m);
  /* Searches for the least sum of squares, from x, where the best point is left.  Allocates at its start only. */
  nnb_status (*least_squares)(const nnb_lsq *problem, real *x, struct nnb__stop *stop);
  /* Steps by means of curvature, driven by training (opt/kfac.h): makes its own memory; close releases it. */
  nnb_status (*open)(nnb_optim *optim, const nnb__block *blocks, int n_blocks, const nnb_optim_opts *opts);
  void (*close)(nnb_optim *optim);
  /* OPTIONAL: NULL means the words in brackets */
  /* What minimize wants.  [nothing] */
  nnb__min_needs (*needs)(size_t n, const nnb_min_opts *opts);
  /* What an update computes once, before its steps.  [nothing] */
  void (*begin)(nnb_optim *optim);
  /* Numbers of scratch that the step of a segment wants.  False where their count is too large.  [0] */
  bool (*scratch)(const nnb__segment *segment, size_t *n);
  /* Offers a place for the gradient to be formed in.  [wants a gradient] */
  void (*offer)(nnb_optim *optim, real *w, nnb__target *target);
  /* What is left to do once it has been formed there.  [nothing] */
  void (*finish)(nnb_optim *optim, const nnb__segment *segment, real *w);
} nnb__optim_ops;

struct nnb_optim {
  const nnb__optim_ops *ops;
  nnb_algo algo;  /* never NNB_AUTO */
  double base_lr; /* η, from which the schedule makes … */
  double lr;      /* … the learning rate of this update */
  double momentum, beta1, beta2, epsilon, l1, l2, clip_norm, ema;
  nnb__schedule schedule;
  int64_t updates;  /* t: begun so far */
  double product;   /* nadam: of its momenta so far */
  nnb__rates rates; /* of this update */
  size_t n_params;
  uint64_t shape;    /* of the blocks it was made for */
  real *g;           /* a gradient of the optimiser's own, for the training calls */
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

/* What steps from batch to batch take for NNB_AUTO; any other algorithm as it is. */
nnb_algo nnb__optim_algo(nnb_algo algo);
/* The row of an algorithm; NULL with NNB_E_ARG's sentence for NNB_AUTO and a number that is none. */
const nnb__optim_ops *nnb__optim_find(nnb_algo algo);

/* NNB_E_ARG for settings that make no sense or an algorithm that does not step, NNB_E_NOMEM. */
nnb_status nnb__optim_create(size_t n_params, const nnb__block *blocks, int n_blocks, const nnb_optim_opts *opts,
                             nnb_optim **out);

/* Whether it goes from one batch to the next. */
bool nnb__optim_steps(const nnb__optim_ops *ops);

/* An update begins: its learning rate.  Before a step or an offer. */
void nnb__optim_begin(nnb_optim *optim);

/* g ← g·min(1, clip/‖g‖) over what is not frozen, where that was asked for. */
void nnb__optim_clip(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *g);

/* Clips g (in place) where that was asked for, and steps. */
void nnb__optim_step(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w, real *g);

/* A place to form the gradient in, or false: then g of the optimiser is to be filled, and nnb__optim_step called.
 * chunks: over how many runs the gradient is gathered; the weights themselves must not change in between. */
bool nnb__optim_offer(nnb_optim *optim, real *w, int chunks, nnb__target *target);
void nnb__optim_finish(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);
/* The two halves of finish: what is left to do for each segment; then L1 decay and the average of the weights. */
void nnb__optim_apply(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);
void nnb__optim_end(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);

/* Whether an update is w ← beta·w + alpha·g and nothing else, so that nnb__optim_offer with the weights says it all. */
bool nnb__optim_is_plain(const nnb_optim *optim);

/* w ↔ its average.  NNB_E_STATE where there is none. */
nnb_status nnb__optim_exchange(nnb_optim *optim, real *w);

/* The up to two segments of a block that are not frozen; their number. */
int nnb__block_segments(const nnb__block *block, nnb__segment out[2]);

/* One of the loops of num/steps.h over a segment, with optim->rates and what is kept of w. */
void nnb__optim_run(const nnb_optim *optim, nnb__step *step, const nnb__segment *segment, real *w, const real *g);

/* w ← sign(w)·max(|w| - eta·l1, 0) on all weights that are not frozen: the proximal step of η·l1·|w| (Duchi and Singer
 * 2009). */
void nnb__shrink(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);

#endif
