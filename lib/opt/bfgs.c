/* opt/bfgs.c: the self-scaled Broyden method of Al-Baali and Khalfan (J. Oper. Res. Soc. 63, 2012, "A combined class of
 * self-scaling and modified quasi-Newton methods"), with the inverse Hessian H as a full matrix. */
#include <string.h>

#include "blas.h"
#include "descend.h"
#include "elementary.h"

typedef struct bfgs {
  size_t n;
  real *h; /* n×n, symmetric */
  real *u; /* n: H·y */
  real *g; /* n: the gradient of the last direction */
  real *d; /* n: that direction */
  bool begun;
} bfgs;

/* d ← -H·g */
static void direction(void *self, const real *g, real *d) {
  bfgs *b = self;
  for (size_t i = 0; i < b->n; i++) d[i] = b->begun ? (real)-nnb__dot(b->n, b->h + i * b->n, g) : -g[i];
  memcpy(b->g, g, b->n * sizeof *g);
  memcpy(b->d, d, b->n * sizeof *d);
}

/* H ← factor·H + (p·s + q·u)·sᵀ + (q·s + r·u)·uᵀ */
static void add_rank_two(bfgs *b, double factor, const real *s, double p, double q, double r) {
  const size_t n = b->n;
  const real f = (real)factor, *u = b->u;
  for (size_t i = 0; i < n; i++) {
    real *row = b->h + i * n;
    const real along_s = (real)(p * (double)s[i] + q * (double)u[i]),
               along_u = (real)(q * (double)s[i] + r * (double)u[i]);
    for (size_t j = 0; j < n; j++) row[j] = f * row[j] + (along_s * s[j] + along_u * u[j]);
  }
}

/* τ, which scales B, and φ, which mixes BFGS (1) and DFP (0) in H, from b = sᵀBs/sᵀy and h = yᵀHy/sᵀy: a = b·h - 1 ≥
 * 0. */
static void choose(double b, double h, size_t n, double *tau, double *phi) {
  double a = fmax(b * h - 1, (double)REAL_EPS), c = sqrt(a / (a + 1));
  double rho = fmin(1, h * (1 - c));            /* ρ⁻ */
  double least = (rho - 1) / a, most = 1 / rho; /* θ⁻, θ⁺ */
  double theta = fmax(least, fmin(most, (1 - b) / b));
  double sigma = 1 + a * theta, root = nnb__pow(sigma, n > 1 ? -1 / ((double)n - 1) : 0);
  double rho_plus = fmin(1, 1 / b);
  *tau = theta > 0 ? rho_plus * fmin(root, 1 / theta) : fmin(rho_plus * root, sigma);
  *phi = (1 - theta) / sigma;
}

/* H ← (H - u·uᵀ/yᵀu + φ·yᵀu·v·vᵀ)/τ + s·sᵀ/sᵀy, v = s/sᵀy - u/yᵀu, u = H·y */
static void update(void *self, const real *s, const real *y) {
  bfgs *b = self;
  const size_t n = b->n;
  double sy = nnb__dot(n, s, y), yy = nnb__sum_squares(n, y), ss = nnb__sum_squares(n, s), tau, phi;
  if (!(sy > (double)REAL_EPS * sqrt(yy * ss))) return;
  if (!b->begun) { /* H₀ = sᵀy/yᵀy·I: Nocedal and Wright 2006, eq. 6.20 */
    memset(b->h, 0, n * n * sizeof *b->h);
    for (size_t i = 0; i < n; i++) b->h[i * n + i] = (real)(sy / yy);
  }
  for (size_t i = 0; i < n; i++) b->u[i] = (real)nnb__dot(n, b->h + i * n, y);
  double yu = nnb__dot(n, y, b->u);
  /* B·s = -a·g with s = a·d; before the first update B = yᵀy/sᵀy·I */
  double a = sqrt(ss / nnb__sum_squares(n, b->d));
  double sbs = b->begun ? -a * nnb__dot(n, s, b->g) : ss * yy / sy;
  if (!(yu > 0) || !(sbs > 0)) {
    b->begun = false;
    return;
  }
  choose(sbs / sy, yu / sy, n, &tau, &phi);
  add_rank_two(b, 1 / tau, s, (phi * yu / (tau * sy) + 1) / sy, -phi / (tau * sy), (phi - 1) / (tau * yu));
  b->begun = true;
}

static void reset(void *self) { ((bfgs *)self)->begun = false; }

static void visit(void *self, nnb__visitor *s) {
  bfgs *b = self;
  nnb__state_reals(s, "inverse_hessian", b->n * b->n, b->h);
  nnb__state_flag(s, "begun", &b->begun);
}

static nnb__min_needs needs(size_t n, const nnb_min_opts *o) {
  (void)o;
  return (nnb__min_needs){.vectors = NNB__DESCENT_VECTORS + 3 + n};
}

static nnb_status minimize(nnb__min *m) {
  const size_t n = m->n;
  real *vectors = m->vectors + NNB__DESCENT_VECTORS * n;
  bfgs b = {.n = n, .u = vectors, .g = vectors + n, .d = vectors + 2 * n, .h = vectors + 3 * n};
  nnb__descent method = {&b, .gtol = 0.9, .unit_step = true, direction, update, reset, visit};
  return nnb__descend(m, &method, m->vectors);
}

const nnb__optim_ops nnb__algo_bfgs = {
    .name = "bfgs", .most = 20000, .descent = 800, .minimize = minimize, .needs = needs};
