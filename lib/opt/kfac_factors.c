/* opt/kfac_factors.c: the factors of K-FAC: moving averages of E ā·āᵀ and E δ·δᵀ, and their damped inverses. */
#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "blas.h"
#include "kfac.h"
#include "lapack.h"
#include "status.h"
#include "team.h"
#include "view.h"

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static bool make_factor(nnb__factor *f, int n, size_t *at) {
  size_t square;
  f->n = n, f->at = *at;
  if (!nnb__mul((size_t)n, (size_t)n, &square)) return false;
  *at += square;
  f->mean = nnb__zalloc(square, sizeof *f->mean);
  f->inverse = nnb__zalloc(square, sizeof *f->inverse); /* a state may be saved before there are inverses */
  return f->mean && f->inverse;
}

static size_t block_size(const nnb__block *b) { return (size_t)(b->rows + b->bias) * (size_t)b->cols; }

static bool make_block(nnb__kfac_block *k, const nnb__block *b, size_t *at) {
  k->off = b->off, k->size = block_size(b);
  if (b->kron) return make_factor(&k->in, b->rows + b->bias, at) && make_factor(&k->out, b->cols, at);
  k->at = *at, *at += k->size;
  k->diagonal = nnb__zalloc(block_size(b), sizeof *k->diagonal);
  return k->diagonal;
}

static bool make_blocks(struct nnb__kfac *k, const nnb__block *blocks, int n_blocks) {
  size_t side = 1, largest = 1;
  k->block = nnb__zalloc((size_t)n_blocks, sizeof *k->block);
  if (!k->block) return false;
  k->n_blocks = n_blocks;
  for (int b = 0; b < n_blocks; b++) {
    const size_t rows = (size_t)blocks[b].rows + blocks[b].bias, cols = (size_t)blocks[b].cols;
    if (!make_block(&k->block[b], &blocks[b], &k->n_means)) return false;
    if (block_size(&blocks[b]) > largest) largest = block_size(&blocks[b]);
    if (blocks[b].kron && rows > side) side = rows;
    if (blocks[b].kron && cols > side) side = cols;
  }
  k->panel = nnb__alloc(side, NNB__KFAC_PANEL * sizeof *k->panel);
  k->product = nnb__alloc(largest, sizeof *k->product);
  return k->panel && k->product;
}

static nnb_status check_layers(const nnb__block *blocks, int n_blocks, const nnb_optim_opts *o) {
  if (o->momentum > 0)
    return nnb__fail(NNB_E_ARG, "momentum is %g; wanted 0 or NNB_NONE, because kfac computes it", o->momentum);
  for (int b = 0; b < n_blocks; b++)
    if (blocks[b].rows == INT_MAX || (!blocks[b].kron && block_size(&blocks[b]) > INT_MAX))
      return nnb__fail(NNB_E_OVERFLOW, "a layer of %d×%d weights is too large for kfac", blocks[b].rows,
                       blocks[b].cols);
  return NNB_OK;
}

nnb_status nnb__kfac_open(nnb_optim *optim, const nnb__block *blocks, int n_blocks, const nnb_optim_opts *opts) {
  nnb_status status = check_layers(blocks, n_blocks, opts);
  if (status) return status;
  struct nnb__kfac *k = optim->kfac = nnb__zalloc(1, sizeof *k);
  if (!k || !make_blocks(k, blocks, n_blocks)) return nnb__fail_nomem("the factors of kfac");
  k->damping = opts->damping;
  k->invert_every = opts->invert_every;
  k->momentum = opts->momentum == 0;
  k->data = opts->data_fisher, k->seed = opts->seed;
  return NNB_OK;
}

void nnb__kfac_close(nnb_optim *optim) {
  struct nnb__kfac *k = optim->kfac;
  if (!k) return;
  for (int b = 0; b < k->n_blocks; b++) {
    real *all[] = {k->block[b].in.mean, k->block[b].in.inverse, k->block[b].out.mean, k->block[b].out.inverse,
                   k->block[b].diagonal};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) nnb__release(all[i]);
  }
  nnb__release(k->block);
  nnb__release(k->panel);
  nnb__release(k->product);
  nnb__release(k);
  optim->kfac = NULL;
}

/* ---- the state in a file ----------------------------------------------------------------------------------------- */

static void visit_factor(nnb__factor *f, int block, const char *side, nnb__visitor *s) {
  char name[64];
  const size_t square = (size_t)f->n * (size_t)f->n;
  snprintf(name, sizeof name, "kfac.%d.%s", block, side);
  nnb__state_reals(s, name, square, f->mean);
  snprintf(name, sizeof name, "kfac.%d.%s.inverse", block, side);
  nnb__state_reals(s, name, square, f->inverse);
}

void nnb__kfac_visit(struct nnb__kfac *k, nnb__visitor *s) {
  nnb__state_number(s, "kfac.lambda", 0, DBL_MAX, &k->lambda);
  nnb__state_number(s, "kfac.first", 0, DBL_MAX, &k->first);
  nnb__state_number(s, "kfac.least", 0, DBL_MAX, &k->least);
  nnb__state_number(s, "kfac.stiffness", 0, DBL_MAX, &k->stiffness);
  nnb__state_number(s, "kfac.length", 0, DBL_MAX, &k->length);
  nnb__state_whole(s, "kfac.fed", 0, INT64_MAX - 1, &k->fed);
  nnb__state_flag(s, "kfac.stale", &k->stale);
  for (int b = 0; b < k->n_blocks; b++) {
    nnb__kfac_block *block = &k->block[b];
    char name[64];
    snprintf(name, sizeof name, "kfac.%d.diagonal", b);
    if (block->diagonal) nnb__state_reals(s, name, block->size, block->diagonal);
    if (block->in.n) visit_factor(&block->in, b, "in", s);
    if (block->out.n) visit_factor(&block->out, b, "out", s);
  }
}

/* ---- the means -------------------------------------------------------------------------------------------------- */

int nnb__kfac_rows(int rows) {
  const int least = rows / 4 > NNB__KFAC_PANEL ? rows / 4 : NNB__KFAC_PANEL;
  return rows < least ? rows : least;
}

void nnb__kfac_begin(nnb_optim *optim) { optim->kfac->keep = fmin(1 - 1 / (double)++optim->kfac->fed, optim->beta2); }

/* Rows √weight·[a 1]; δ has its √weight already. */
static nnb_cmat extended(const struct nnb__kfac *k, const nnb__pairs *p, bool bias) {
  nnb_mat rows = nnb_view(k->panel, p->rows, p->a.cols + bias);
  for (int i = 0; i < p->rows; i++) {
    const real root = p->weight ? R(sqrt)(p->weight[i]) : 1;
    real *row = nnb__row(rows, i);
    for (int j = 0; j < p->a.cols; j++) row[j] = root == 0 ? 0 : root * nnb__crow(p->a, i)[j];
    if (bias) row[p->a.cols] = root;
  }
  return nnb__read(rows);
}

typedef struct side_task {
  const nnb__kfac_feeding *feeding;
  const nnb__pairs *pairs;
  int parts;
} side_task;

static nnb_mat square(real *p, int n) { return nnb_view(p, n, n); }

static void feed_side(void *context, int part) {
  const side_task *t = context;
  const nnb__kfac_feeding *f = t->feeding;
  struct nnb__kfac *k = f->optim->kfac;
  nnb__kfac_block *b = &k->block[t->pairs->block];
  for (int side = part; side < 2; side += t->parts) {
    const nnb__factor *to = side == 0 ? &b->in : &b->out;
    nnb_mat mean = square(f->to ? f->to + to->at : to->mean, to->n);
    if (side == 0)
      nnb__gram((real)f->in, extended(k, t->pairs, to->n > t->pairs->a.cols), (real)f->keep,
                mean); /* A ← keep·A + in·ĀᵀĀ */
    else
      nnb__gram((real)f->out, t->pairs->delta, (real)f->keep, mean); /* G: ΔᵀΔ */
  }
}

void nnb__kfac_feed(void *feeding, const nnb__pairs *p) {
  const nnb__kfac_feeding *f = feeding;
  struct nnb__kfac *k = f->optim->kfac;
  if (p->a.p) {
    side_task task = {.feeding = f, .pairs = p, .parts = f->optim->threads > 1 ? 2 : 1};
    nnb__team_run(task.parts, feed_side, &task);
    return;
  }
  const real keep = (real)(p->row == 0 ? f->keep : 1), count = (real)f->out, *g = p->delta.p;
  const real weight = p->weight ? p->weight[0] : 1;
  const nnb__kfac_block *block = &k->block[p->block];
  real *d = f->to ? f->to + block->at : block->diagonal;
  for (int i = 0; i < p->delta.cols; i++) d[i] = keep * d[i] + (weight > 0 ? count * g[i] * g[i] : 0);
}

static void merge(size_t n, double keep, const real *fed, real *mean) {
  for (size_t i = 0; i < n; i++) mean[i] = (real)keep * mean[i] + fed[i];
}

void nnb__kfac_merge(nnb_optim *optim, const real *fed) {
  const struct nnb__kfac *k = optim->kfac;
  for (int b = 0; b < k->n_blocks; b++) {
    const nnb__kfac_block *block = &k->block[b];
    const nnb__factor *side[] = {&block->in, &block->out};
    for (int s = 0; s < 2; s++)
      merge((size_t)side[s]->n * (size_t)side[s]->n, k->keep, fed + side[s]->at, side[s]->mean);
    if (block->diagonal) merge(block->size, k->keep, fed + block->at, block->diagonal);
  }
}

/* ---- the inverses ----------------------------------------------------------------------------------------------- */

static double trace(const nnb__factor *f) {
  double sum = 0;
  for (size_t i = 0; i < (size_t)f->n; i++) sum += (double)f->mean[i * (size_t)f->n + i];
  return sum;
}

/* The mean of the diagonal of F̆, the unit of λ. */
static double mean_diagonal(const nnb_optim *o) {
  const struct nnb__kfac *k = o->kfac;
  double sum = 0;
  for (int b = 0; b < k->n_blocks; b++) {
    const nnb__kfac_block *block = &k->block[b];
    if (block->in.n) sum += trace(&block->in) * trace(&block->out);
    for (size_t i = 0; block->diagonal && i < block->size; i++) sum += (double)block->diagonal[i];
  }
  return sum / (double)o->n_params;
}

/* λ of the start, and its lower bound.  λ falls if the model predicts the loss of the batch's own rows.  This says
 * little about other rows if there are fewer rows than parameters: on a deep autoencoder λ fell to 1e-5 of the mean,
 * and α and the progress fell with it.  With more rows, a small λ finds the minimum. */
static void set_lambda(nnb_optim *o) {
  struct nnb__kfac *k = o->kfac;
  const double mean = mean_diagonal(o), least = (double)o->n_params > k->rows ? 0.01 * mean : 0;
  if (!(k->lambda > 0)) k->first = k->lambda = mean > 0 ? k->damping * mean : 0;
  k->least = fmax(fmin(least, k->first), 1e-9 * k->first);
}

/* π, from the mean eigenvalues of the factors (section 6.3); 1 if one of them is 0. */
static double balance(const nnb__kfac_block *b) {
  const double in = trace(&b->in) / b->in.n, out = trace(&b->out) / b->out.n, pi = sqrt(in / out);
  return in > 0 && out > 0 && isfinite(pi) ? pi : 1;
}

/* inverse ← (mean + shift·I)⁻¹; rows and columns from `from` up to `to`, which are frozen, are kept separate. */
static bool invert(const nnb__factor *f, double shift, int from, int to) {
  const size_t n = (size_t)f->n;
  for (size_t i = 0; i < n; i++) {
    const bool fixed = (int)i >= from && (int)i < to;
    real *row = f->inverse + i * n;
    memcpy(row, f->mean + i * n, (i + 1) * sizeof *row);
    row[i] += (real)shift;
    for (size_t j = 0; j < i; j++)
      if (fixed || ((int)j >= from && (int)j < to)) row[j] = 0;
  }
  return nnb__invert_positive(f->n, f->inverse);
}

/* The same with as much more damping as rounding requires; a multiple of I if nothing helps. */
static void invert_somehow(const nnb__factor *f, double shift, int from, int to) {
  const double scale = trace(f), least = 4 * (double)REAL_EPS * scale;
  if (!(shift > least)) shift = least;
  for (int tries = 0; tries < 8; tries++, shift *= 10)
    if (invert(f, shift, from, to)) return;
  memset(f->inverse, 0, (size_t)f->n * (size_t)f->n * sizeof *f->inverse);
  for (size_t i = 0; i < (size_t)f->n; i++) f->inverse[i * (size_t)f->n + i] = (real)(scale > 0 ? 1 / scale : 1);
}

typedef struct inversion {
  const struct nnb__kfac *k;
  const nnb__block *blocks;
  double gamma;
  int parts;
} inversion;

static void invert_share(void *context, int part) {
  const inversion *t = context;
  for (int i = part; i < 2 * t->k->n_blocks; i += t->parts) {
    const nnb__block *block = &t->blocks[i / 2];
    const nnb__kfac_block *b = &t->k->block[i / 2];
    if (!b->in.n) continue;
    const double pi = balance(b);
    const int from = block->frozen & NNB_WEIGHTS ? 0 : block->rows;
    const int to = block->frozen & NNB_BIAS ? b->in.n : block->rows;
    if (i % 2 == 0)
      invert_somehow(&b->in, pi * t->gamma, from, to);
    else
      invert_somehow(&b->out, t->gamma / pi, 0, 0);
  }
}

void nnb__kfac_invert(nnb_optim *o, const nnb__block *blocks) {
  struct nnb__kfac *k = o->kfac;
  set_lambda(o);
  inversion task = {.k = k, .blocks = blocks, .gamma = sqrt(k->lambda), .parts = o->threads};
  nnb__team_run(o->threads, invert_share, &task);
}
