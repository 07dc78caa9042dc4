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

/* Parameters that a step treats in the same way: a matrix of weights, or a bias. */
typedef struct nnb__segment {
  size_t off, n; /* n = rows·cols */
  int rows, cols;
  bool weights; /* part of W, not of b */
  bool decays;  /* weights of a block that is not spared from decay */
} nnb__segment;

/* Vectors of P numbers that a step keeps, zero at first: flags. */
enum { NNB__KEEP_M = 1, NNB__KEEP_S = 2, NNB__KEEP_TOP = 4 };

typedef struct nnb__optim_ops {
  const char *name;
  /* step: the defaults of the options with the same names */
  double lr, momentum, beta1, beta2, epsilon, l2;
  unsigned keeps;  /* step: NNB__KEEP_… */
  unsigned traits; /* of NNB__TRAIT_LIST, those from PLAIN on; the others follow from the functions */
  size_t most;     /* minimize: maximum of variables; 0: any number */
  int descent;     /* iterations after which a descent creeps, and nnb_fit begins a second one; 0: it never does */
  /* REQUIRED: one of the four */
  /* One step of a segment of w against the gradient g of a batch. */
  void (*step)(nnb_optim *optim, const nnb__segment *segment, real *w, const real *g);
  /* Searches until the stopping rule ends it (opt/minimize.h).  Returns a status only for an error. */
  nnb_status (*minimize)(nnb__min *m);
  /* Minimises the sum of squares from x, and leaves the best point in x.  Allocates at its start only. */
  nnb_status (*least_squares)(const nnb_lsq *problem, real *x, struct nnb__stop *stop);
  /* Steps by curvature, which training computes (opt/kfac.h): allocates its own memory; close releases it. */
  nnb_status (*open)(nnb_optim *optim, const nnb__block *blocks, int n_blocks, const nnb_optim_opts *opts);
  void (*close)(nnb_optim *optim);
  /* OPTIONAL: NULL means the words in brackets */
  /* The memory that minimize takes.  [none] */
  nnb__min_needs (*needs)(size_t n, const nnb_min_opts *opts);
  /* Called once per update, before its steps.  [nothing] */
  void (*begin)(nnb_optim *optim);
  /* *n ← scratch for the step of a segment, in numbers; false if that overflows.  [0] */
  bool (*scratch)(const nnb__segment *segment, size_t *n);
  /* Offers memory to form the gradient in.  [takes a gradient] */
  void (*offer)(nnb_optim *optim, real *w, nnb__target *target);
  /* Completes the step after the gradient was formed there.  [nothing] */
  void (*finish)(nnb_optim *optim, const nnb__segment *segment, real *w);
} nnb__optim_ops;

struct nnb_optim {
  const nnb__optim_ops *ops;
  nnb_algo algo;       /* never NNB_AUTO */
  nnb_optim_opts opts; /* as completed at the start, for files */
  double base_lr;      /* η */
  double lr;           /* learning rate of this update, from η and the schedule */
  double momentum, beta1, beta2, epsilon, l1, l2, clip_norm, ema;
  nnb__schedule schedule;
  uint64_t seed;    /* for random numbers of an update */
  int64_t updates;  /* t: number of updates begun */
  double product;   /* nadam: product of its momenta so far */
  nnb__rates rates; /* of this update */
  size_t n_params;
  uint64_t shape;    /* hash of the blocks' shapes */
  real *g;           /* memory for a gradient, for the training calls */
  real *m, *s, *top; /* those in ops->keeps, else NULL */
  real *mean;        /* the average of the weights, or NULL; see exchanged */
  bool exchanged;    /* the average is in the net, and mean has the weights */
  real *scratch;
  int threads;            /* for the optimiser's own products */
  struct nnb__kfac *kfac; /* opt/kfac.h; NULL: another method */
};

#define ALGO(name) extern const nnb__optim_ops nnb__algo_##name;
#include "algos.def"
#undef ALGO

/* All traits of a method, and whether it has these. */
unsigned nnb__optim_traits(const nnb__optim_ops *ops);
bool nnb__optim_has(const nnb__optim_ops *ops, unsigned traits);
/* The names of the methods with these traits: "lm and varpro". */
enum { NNB__ALGO_NAMES = 256 };
const char *nnb__optim_names(unsigned traits, char out[NNB__ALGO_NAMES]);

/* For NNB_AUTO: the best method for most problems that need these traits; any other method unchanged. */
nnb_algo nnb__optim_algo(nnb_algo algo, unsigned wants);
/* The row of a method; NULL with NNB_E_ARG and a message for NNB_AUTO and for numbers that are not methods. */
const nnb__optim_ops *nnb__optim_find(nnb_algo algo);

/* NNB_E_ARG for invalid options or a method that does not step, NNB_E_NOMEM. */
nnb_status nnb__optim_create(size_t n_params, const nnb__block *blocks, int n_blocks, const nnb_optim_opts *opts,
                             nnb_optim **out);

/* Begins an update and computes its learning rate.  Call it before a step or an offer. */
void nnb__optim_begin(nnb_optim *optim);

/* g ← g·min(1, clip_norm/‖g‖) over the parameters that are not frozen, with .clip_norm. */
void nnb__optim_clip(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *g);

/* Clips g in place, with .clip_norm, and steps. */
void nnb__optim_step(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w, real *g);

/* *target ← memory to form the gradient in; false: form it in optim->g and call nnb__optim_step.  chunks: number of
 * passes that add to the gradient; with several, it cannot be the weights themselves. */
bool nnb__optim_offer(nnb_optim *optim, real *w, int chunks, nnb__target *target);
void nnb__optim_finish(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);
/* The two halves of finish: the rest of the step for each segment; then L1 decay and the average of the weights. */
void nnb__optim_apply(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);
void nnb__optim_end(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);

/* Whether an update is only w ← beta·w + alpha·g, which nnb__optim_offer describes completely. */
bool nnb__optim_is_plain(const nnb_optim *optim);

/* Exchanges w and its average.  NNB_E_STATE if there is none. */
nnb_status nnb__optim_exchange(nnb_optim *optim, real *w);

/* The segments of a block that are not frozen; returns their number, at most two. */
int nnb__block_segments(const nnb__block *block, nnb__segment out[2]);

/* One of the loops of num/kernels/steps.h over a segment, with optim->rates and the factor of L2 decay. */
void nnb__optim_run(const nnb_optim *optim, nnb__step *step, const nnb__segment *segment, real *w, const real *g);

/* w ← sign(w)·max(|w| - eta·l1, 0) on all weights that are not frozen: the proximal step of η·l1·|w| (Duchi and Singer
 * 2009). */
void nnb__shrink(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);

#endif
