/* opt/kfac.h: K-FAC in the steps in which training drives it:
 *
 *     gradient of the batch → feed: means of the factors, from scores → propose: Δ = -F̆⁻¹g → along: Δ and the last
 * change along the scores, for the curvature there → solve: α and μ → the steps of the segments → judge: λ
 *
 * It sees pairs of rows (num/block.h) and does not know where they come from. */
#ifndef NNB__KFAC_H
#define NNB__KFAC_H

#include "optim.h"

enum {
  NNB__KFAC_PANEL = 256, /* rows that are looked at together */
  NNB__KFAC_EARLY = 10,  /* updates, each of which is judged … */
  NNB__KFAC_JUDGE = 5    /* … and T₁: from then on every fifth */
};

typedef struct nnb__factor {
  int n;                /* 0: there is none */
  real *mean, *inverse; /* n×n: the lower triangle; both */
} nnb__factor;

typedef struct nnb__kfac_block {
  nnb__factor in, out; /* E ā·āᵀ, ā = [a 1], and E δ·δᵀ */
  real *diagonal;      /* E g², of a block without pairs */
  size_t off, size;
} nnb__kfac_block;

struct nnb__kfac {
  nnb__kfac_block *block;
  int n_blocks, invert_every;
  bool momentum, data;
  uint64_t seed;
  double damping, lambda, first; /* λ, and that of the first update; 0: not known yet */
  double least;                  /* below which λ does not fall */
  int rows;                      /* of this update */
  bool stale;                    /* the inverses are those of another λ altogether */
  int64_t fed;                   /* updates whose scores are in the means */
  real *panel;                   /* PANEL × the widest side */
  real *product;                 /* as large as the largest block */
  double u[NNB__KFAC_PANEL], v[NNB__KFAC_PANEL];
  double curvature[3]; /* Δᵀ·F·Δ, Δᵀ·F·δ, δᵀ·F·δ */
  double alpha, mu;
  double stiffness; /* mean of 1/α along Δ alone over the updates before; 0: there was none */
  double predicted; /* by which the model says the loss will change */
};

/* What the rows of a chunk count in the means, and what is left of the means before; context of nnb__kfac_feed. */
typedef struct nnb__kfac_feeding {
  nnb_optim *optim;
  double in, out, keep;
} nnb__kfac_feeding;

nnb_status nnb__kfac_open(nnb_optim *optim, const nnb__block *blocks, int n_blocks, const nnb_optim_opts *opts);
void nnb__kfac_close(nnb_optim *optim);

/* Of so many rows of a chunk, those whose scores are looked at: a quarter, but no fewer than a panel. */
int nnb__kfac_rows(int rows);
/* What is left of the means in this update, and counts one more: min(1 - 1/k, β₂). */
double nnb__kfac_keep(nnb_optim *optim);
/* A nnb__pairs_fn: adds the rows to the means. */
void nnb__kfac_feed(void *feeding, const nnb__pairs *pairs);
/* (A + πγI)⁻¹ and (G + γ/π·I)⁻¹ of all blocks, for the present λ. */
void nnb__kfac_invert(nnb_optim *optim, const nnb__block *blocks);

/* Δ ← -F̆⁻¹g, having inverted where that is due. */
void nnb__kfac_propose(nnb_optim *optim, const nnb__block *blocks, const real *g);
/* Rows of scores, PANEL at most: begin, the nnb__pairs_fn, and end, which counts them with scale. */
void nnb__kfac_along_begin(nnb_optim *optim);
void nnb__kfac_along(void *optim, const nnb__pairs *pairs);
void nnb__kfac_along_end(nnb_optim *optim, int rows, double scale);
/* α, μ and the change foretold; nnb__optim_apply then makes the step. */
void nnb__kfac_solve(nnb_optim *optim, const real *g);
/* Whether the loss after this update is wanted; and λ from it.  An update that raised the loss of its own rows is taken
 * back: false. */
bool nnb__kfac_asks(const nnb_optim *optim);
bool nnb__kfac_judge(nnb_optim *optim, const nnb__block *blocks, double before, double after, real *w);
/* L2 decay of an update that was not: apart, so that it is neither judged nor made without its step. */
void nnb__kfac_decay(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);

#endif
