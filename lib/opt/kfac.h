/* opt/kfac.h: K-FAC in the steps that training calls:
 *
 *     gradient of the batch → feed: means of the factors, from scores → propose: Δ = -F̆⁻¹g → along: products of the
 *     scores with Δ and the last change, for the curvature → solve: α and μ → the steps of the segments → judge: λ
 *
 * It sees pairs of rows (num/block.h) and does not know where they come from. */
#ifndef NNB__KFAC_H
#define NNB__KFAC_H

#include "optim.h"
#include "state.h"

enum {
  NNB__KFAC_PANEL = 256, /* rows that are processed together */
  NNB__KFAC_EARLY = 10,  /* each of the first updates is judged */
  NNB__KFAC_JUDGE = 5    /* later every fifth: T₁ of the paper, and each that leads unusually far */
};

typedef struct nnb__factor {
  int n;                /* 0: there is no such factor */
  real *mean, *inverse; /* n×n: the lower triangle; both triangles */
  size_t at;            /* place among the numbers of all means */
} nnb__factor;

typedef struct nnb__kfac_block {
  nnb__factor in, out; /* E ā·āᵀ, ā = [a 1], and E δ·δᵀ */
  real *diagonal;      /* E g², of a block without pairs */
  size_t at;           /* the place of the diagonal among the numbers of all means */
  size_t off, size;
} nnb__kfac_block;

struct nnb__kfac {
  nnb__kfac_block *block;
  int n_blocks, invert_every;
  bool momentum, data;
  uint64_t seed;
  double damping, lambda, first; /* λ, and λ of the first update; 0: not known yet */
  double least;                  /* lower bound of λ */
  int rows;                      /* of this update */
  size_t n_means;                /* numbers of all means */
  double keep;                   /* the factor of the old means in this update */
  bool stale;                    /* the inverses belong to a very different λ */
  int64_t fed;                   /* updates whose scores are in the means */
  real *panel;                   /* PANEL × the widest side */
  real *product;                 /* as large as the largest block */
  double u[NNB__KFAC_PANEL], v[NNB__KFAC_PANEL];
  double curvature[3]; /* Δᵀ·F·Δ, Δᵀ·F·δ, δᵀ·F·δ */
  double alpha, mu;
  double stiffness; /* mean of 1/α along Δ alone over the previous updates; 0: there were none */
  double predicted; /* change of the loss that the model predicts */
  double length;    /* mean of ‖change‖² over the previous updates; 0: there were none */
  bool far;         /* this change is much longer than they were */
};

/* The weights of a chunk's rows in the means, and the factor of the old means; context of nnb__kfac_feed. */
typedef struct nnb__kfac_feeding {
  nnb_optim *optim;
  double in, out, keep;
  real *to; /* n_means numbers instead of the means; NULL: the means */
} nnb__kfac_feeding;

/* Its part of the state of an optimiser (num/state.h). */
void nnb__kfac_visit(struct nnb__kfac *k, nnb__visitor *state);

nnb_status nnb__kfac_open(nnb_optim *optim, const nnb__block *blocks, int n_blocks, const nnb_optim_opts *opts);
void nnb__kfac_close(nnb_optim *optim);

/* The number of rows of a chunk whose scores are used: a quarter, but at least a panel. */
int nnb__kfac_rows(int rows);
/* Sets the factor of the old means in this update, min(1 - 1/k, β₂), and counts the update. */
void nnb__kfac_begin(nnb_optim *optim);
/* A nnb__pairs_fn: adds the rows to the means. */
void nnb__kfac_feed(void *feeding, const nnb__pairs *pairs);
/* The means ← keep·means + what was fed to other memory. */
void nnb__kfac_merge(nnb_optim *optim, const real *fed);
/* Computes (A + πγI)⁻¹ and (G + γ/π·I)⁻¹ of all blocks for the present λ. */
void nnb__kfac_invert(nnb_optim *optim, const nnb__block *blocks);

/* Δ ← -F̆⁻¹g, with new inverses if they are due. */
void nnb__kfac_propose(nnb_optim *optim, const nnb__block *blocks, const real *g);
/* For rows of scores, at most PANEL: begin, then the nnb__pairs_fn, then end, which adds them with the factor scale. */
void nnb__kfac_along_begin(nnb_optim *optim);
void nnb__kfac_along(void *optim, const nnb__pairs *pairs);
void nnb__kfac_along_end(nnb_optim *optim, int rows, double scale);
/* Computes α, μ and the predicted change; nnb__optim_apply then makes the step. */
void nnb__kfac_solve(nnb_optim *optim, const real *g);
/* Whether the loss after this update is needed; and the adaptation of λ to it.  An update that raised the loss of its
 * own rows is undone: false. */
bool nnb__kfac_asks(const nnb_optim *optim);
bool nnb__kfac_judge(nnb_optim *optim, const nnb__block *blocks, double before, double after, real *w);
/* L2 decay of an update.  It is separate, so that the judgement does not include it, and an undone step has none. */
void nnb__kfac_decay(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);

#endif
