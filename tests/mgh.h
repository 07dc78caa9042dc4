/* tests/mgh.h: the test problems of Moré, Garbow and Hillstrom, "Testing unconstrained optimization software", ACM TOMS
 * 7 (1981): residuals r and Jacobians J; the paper minimises f = Σ r².  The numbers of the problems are the paper's.
 * Always in double. */
#ifndef TEST_MGH_H
#define TEST_MGH_H

#include <math.h>
#include <stdbool.h>

enum { MGH_MOST_N = 12, MGH_MOST_M = 100, MGH_MINIMA = 3 };

typedef struct mgh {
  const char *name;
  int n, m;
  void (*eval)(int n, int m, const double *x, double *r, double *J); /* J: m×n, zero at first */
  double start[MGH_MOST_N];
  double minima[MGH_MINIMA]; /* known values of f at minimisers, the lowest first; MGH_NO_MORE: none */
} mgh;

#define MGH_NO_MORE (-1.0)
#define J_(i, j)    J[(i)*n + (j)]

static inline double mgh_sq(double v) { return v * v; }

/* ---- 1 to 10 ---- */

static void mgh_rosenbrock(int n, int m, const double *x, double *r, double *J) { /* also extended: 21 */
  (void)m;
  for (int i = 0; i < n; i += 2) {
    r[i] = 10 * (x[i + 1] - x[i] * x[i]), J_(i, i) = -20 * x[i], J_(i, i + 1) = 10;
    r[i + 1] = 1 - x[i], J_(i + 1, i) = -1;
  }
}

static void mgh_freudenstein_roth(int n, int m, const double *x, double *r, double *J) {
  (void)m;
  r[0] = -13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1];
  r[1] = -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1];
  J_(0, 0) = J_(1, 0) = 1;
  J_(0, 1) = 10 * x[1] - 3 * x[1] * x[1] - 2, J_(1, 1) = 3 * x[1] * x[1] + 2 * x[1] - 14;
}

static void mgh_powell_badly_scaled(int n, int m, const double *x, double *r, double *J) {
  (void)m;
  r[0] = 1e4 * x[0] * x[1] - 1, J_(0, 0) = 1e4 * x[1], J_(0, 1) = 1e4 * x[0];
  r[1] = exp(-x[0]) + exp(-x[1]) - 1.0001, J_(1, 0) = -exp(-x[0]), J_(1, 1) = -exp(-x[1]);
}

static void mgh_brown_badly_scaled(int n, int m, const double *x, double *r, double *J) {
  (void)m;
  r[0] = x[0] - 1e6, J_(0, 0) = 1;
  r[1] = x[1] - 2e-6, J_(1, 1) = 1;
  r[2] = x[0] * x[1] - 2, J_(2, 0) = x[1], J_(2, 1) = x[0];
}

static void mgh_beale(int n, int m, const double *x, double *r, double *J) {
  static const double y[] = {1.5, 2.25, 2.625};
  double p = 1; /* x2^i */
  for (int i = 0; i < m; i++) {
    J_(i, 1) = x[0] * (i + 1) * p;
    p *= x[1];
    r[i] = y[i] - x[0] * (1 - p), J_(i, 0) = p - 1;
  }
}

static void mgh_jennrich_sampson(int n, int m, const double *x, double *r, double *J) {
  for (int i = 0; i < m; i++) {
    double k = i + 1, a = exp(k * x[0]), b = exp(k * x[1]);
    r[i] = 2 + 2 * k - (a + b), J_(i, 0) = -k * a, J_(i, 1) = -k * b;
  }
}

static void mgh_helical_valley(int n, int m, const double *x, double *r, double *J) {
  const double turn = 2 * acos(-1.0), q = x[0] * x[0] + x[1] * x[1], s = sqrt(q);
  (void)m;
  double theta = x[0] != 0 ? atan(x[1] / x[0]) / turn + (x[0] < 0 ? 0.5 : 0) : copysign(0.25, x[1]);
  r[0] = 10 * (x[2] - 10 * theta), r[1] = 10 * (s - 1), r[2] = x[2];
  J_(0, 0) = 100 * x[1] / (turn * q), J_(0, 1) = -100 * x[0] / (turn * q), J_(0, 2) = 10;
  J_(1, 0) = 10 * x[0] / s, J_(1, 1) = 10 * x[1] / s;
  J_(2, 2) = 1;
}

static void mgh_bard(int n, int m, const double *x, double *r, double *J) {
  static const double y[] = {.14, .18, .22, .25, .29, .32, .35, .39, .37, .58, .73, .96, 1.34, 2.10, 4.39};
  for (int i = 0; i < m; i++) {
    double u = i + 1, v = 16 - u, w = fmin(u, v), d = v * x[1] + w * x[2];
    r[i] = y[i] - (x[0] + u / d);
    J_(i, 0) = -1, J_(i, 1) = u * v / (d * d), J_(i, 2) = u * w / (d * d);
  }
}

static void mgh_gaussian(int n, int m, const double *x, double *r, double *J) {
  static const double y[] = {.0009, .0044, .0175, .0540, .1295, .2420, .3521, .3989,
                             .3521, .2420, .1295, .0540, .0175, .0044, .0009};
  for (int i = 0; i < m; i++) {
    double t = (8 - (i + 1)) / 2.0 - x[2], e = exp(-x[1] * t * t / 2);
    r[i] = x[0] * e - y[i];
    J_(i, 0) = e, J_(i, 1) = -x[0] * e * t * t / 2, J_(i, 2) = x[0] * e * x[1] * t;
  }
}

static void mgh_meyer(int n, int m, const double *x, double *r, double *J) {
  static const double y[] = {34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744,
                             8261,  7030,  6005,  5147,  4427,  3820,  3307,  2872};
  for (int i = 0; i < m; i++) {
    double d = 45 + 5 * (i + 1) + x[2], e = exp(x[1] / d);
    r[i] = x[0] * e - y[i];
    J_(i, 0) = e, J_(i, 1) = x[0] * e / d, J_(i, 2) = -x[0] * e * x[1] / (d * d);
  }
}

/* ---- 11 to 20 ---- */

static void mgh_gulf(int n, int m, const double *x, double *r, double *J) {
  for (int i = 0; i < m; i++) { /* |y - x2|: the paper's formula has a misprint here */
    double t = (i + 1) / 100.0, y = 25 + pow(-50 * log(t), 2.0 / 3), a = fabs(y - x[1]);
    double p = pow(a, x[2]) / x[0], e = exp(-p);
    r[i] = e - t;
    J_(i, 0) = e * p / x[0];
    J_(i, 1) = a > 0 ? e * p * x[2] / (y - x[1]) : 0;
    J_(i, 2) = a > 0 ? -e * p * log(a) : 0;
  }
}

static void mgh_box(int n, int m, const double *x, double *r, double *J) {
  for (int i = 0; i < m; i++) {
    double t = 0.1 * (i + 1), a = exp(-t * x[0]), b = exp(-t * x[1]), c = exp(-t) - exp(-10 * t);
    r[i] = a - b - x[2] * c;
    J_(i, 0) = -t * a, J_(i, 1) = t * b, J_(i, 2) = -c;
  }
}

static void mgh_powell_singular(int n, int m, const double *x, double *r, double *J) { /* also extended: 22 */
  const double s5 = sqrt(5), s10 = sqrt(10);
  (void)m;
  for (int i = 0; i < n; i += 4) {
    double a = x[i + 1] - 2 * x[i + 2], b = x[i] - x[i + 3];
    r[i] = x[i] + 10 * x[i + 1], J_(i, i) = 1, J_(i, i + 1) = 10;
    r[i + 1] = s5 * (x[i + 2] - x[i + 3]), J_(i + 1, i + 2) = s5, J_(i + 1, i + 3) = -s5;
    r[i + 2] = a * a, J_(i + 2, i + 1) = 2 * a, J_(i + 2, i + 2) = -4 * a;
    r[i + 3] = s10 * b * b, J_(i + 3, i) = 2 * s10 * b, J_(i + 3, i + 3) = -2 * s10 * b;
  }
}

static void mgh_wood(int n, int m, const double *x, double *r, double *J) {
  const double s90 = sqrt(90), s10 = sqrt(10);
  (void)m;
  r[0] = 10 * (x[1] - x[0] * x[0]), J_(0, 0) = -20 * x[0], J_(0, 1) = 10;
  r[1] = 1 - x[0], J_(1, 0) = -1;
  r[2] = s90 * (x[3] - x[2] * x[2]), J_(2, 2) = -2 * s90 * x[2], J_(2, 3) = s90;
  r[3] = 1 - x[2], J_(3, 2) = -1;
  r[4] = s10 * (x[1] + x[3] - 2), J_(4, 1) = J_(4, 3) = s10;
  r[5] = (x[1] - x[3]) / s10, J_(5, 1) = 1 / s10, J_(5, 3) = -1 / s10;
}

static void mgh_kowalik_osborne(int n, int m, const double *x, double *r, double *J) {
  static const double y[] = {.1957, .1947, .1735, .1600, .0844, .0627, .0456, .0342, .0323, .0235, .0246};
  static const double u[] = {4, 2, 1, .5, .25, .167, .125, .1, .0833, .0714, .0625};
  for (int i = 0; i < m; i++) {
    double a = u[i] * u[i] + u[i] * x[1], b = u[i] * u[i] + u[i] * x[2] + x[3];
    r[i] = y[i] - x[0] * a / b;
    J_(i, 0) = -a / b, J_(i, 1) = -x[0] * u[i] / b;
    J_(i, 2) = x[0] * a * u[i] / (b * b), J_(i, 3) = x[0] * a / (b * b);
  }
}

static void mgh_brown_dennis(int n, int m, const double *x, double *r, double *J) {
  for (int i = 0; i < m; i++) {
    double t = (i + 1) / 5.0, a = x[0] + t * x[1] - exp(t), b = x[2] + x[3] * sin(t) - cos(t);
    r[i] = a * a + b * b;
    J_(i, 0) = 2 * a, J_(i, 1) = 2 * a * t, J_(i, 2) = 2 * b, J_(i, 3) = 2 * b * sin(t);
  }
}

static void mgh_osborne1(int n, int m, const double *x, double *r, double *J) {
  static const double y[] = {.844, .908, .932, .936, .925, .908, .881, .850, .818, .784, .751,
                             .718, .685, .658, .628, .603, .580, .558, .538, .522, .506, .490,
                             .478, .467, .457, .448, .438, .431, .424, .420, .414, .411, .406};
  for (int i = 0; i < m; i++) {
    double t = 10.0 * i, a = exp(-t * x[3]), b = exp(-t * x[4]);
    r[i] = y[i] - (x[0] + x[1] * a + x[2] * b);
    J_(i, 0) = -1, J_(i, 1) = -a, J_(i, 2) = -b, J_(i, 3) = t * x[1] * a, J_(i, 4) = t * x[2] * b;
  }
}

static void mgh_biggs(int n, int m, const double *x, double *r, double *J) {
  for (int i = 0; i < m; i++) {
    double t = 0.1 * (i + 1), y = exp(-t) - 5 * exp(-10 * t) + 3 * exp(-4 * t);
    double a = exp(-t * x[0]), b = exp(-t * x[1]), c = exp(-t * x[4]);
    r[i] = x[2] * a - x[3] * b + x[5] * c - y;
    J_(i, 0) = -t * x[2] * a, J_(i, 1) = t * x[3] * b, J_(i, 2) = a, J_(i, 3) = -b;
    J_(i, 4) = -t * x[5] * c, J_(i, 5) = c;
  }
}

static void mgh_osborne2(int n, int m, const double *x, double *r, double *J) {
  static const double y[] = {1.366, 1.191, 1.112, 1.013, .991, .885, .831, .847, .786, .725, .746, .679, .608,
                             .655,  .616,  .606,  .602,  .626, .651, .724, .649, .649, .694, .644, .624, .661,
                             .612,  .558,  .533,  .495,  .500, .423, .395, .375, .372, .391, .396, .405, .428,
                             .429,  .523,  .562,  .607,  .653, .672, .708, .633, .668, .645, .632, .591, .559,
                             .597,  .625,  .739,  .710,  .729, .720, .636, .581, .428, .292, .162, .098, .054};
  for (int i = 0; i < m; i++) {
    double t = i / 10.0, e = exp(-t * x[4]);
    r[i] = y[i] - x[0] * e, J_(i, 0) = -e, J_(i, 4) = t * x[0] * e;
    for (int k = 1; k < 4; k++) {
      double at = t - x[7 + k], p = exp(-at * at * x[4 + k]);
      r[i] -= x[k] * p;
      J_(i, k) = -p, J_(i, 4 + k) = x[k] * at * at * p, J_(i, 7 + k) = -2 * x[k] * x[4 + k] * at * p;
    }
  }
}

static void mgh_watson(int n, int m, const double *x, double *r, double *J) {
  for (int i = 0; i < m - 2; i++) {
    double t = (i + 1) / 29.0, slope = 0, value = 0, p = 1; /* p: t^j */
    for (int j = 0; j < n; j++, p *= t) value += x[j] * p, slope += j > 0 ? j * x[j] * p / t : 0;
    r[i] = slope - value * value - 1;
    p = 1;
    for (int j = 0; j < n; j++, p *= t) J_(i, j) = j * p / t - 2 * value * p;
  }
  r[m - 2] = x[0], J_(m - 2, 0) = 1;
  r[m - 1] = x[1] - x[0] * x[0] - 1, J_(m - 1, 0) = -2 * x[0], J_(m - 1, 1) = 1;
}

/* ---- 23 to 31: of any dimension ---- */

static void mgh_penalty1(int n, int m, const double *x, double *r, double *J) {
  const double a = sqrt(1e-5);
  r[m - 1] = -0.25;
  for (int i = 0; i < n; i++) {
    r[i] = a * (x[i] - 1), J_(i, i) = a;
    r[m - 1] += x[i] * x[i], J_(m - 1, i) = 2 * x[i];
  }
}

static void mgh_penalty2(int n, int m, const double *x, double *r, double *J) {
  const double a = sqrt(1e-5);
  r[0] = x[0] - 0.2, J_(0, 0) = 1;
  for (int i = 1; i < n; i++) {
    double y = exp((i + 1) / 10.0) + exp(i / 10.0);
    r[i] = a * (exp(x[i] / 10) + exp(x[i - 1] / 10) - y);
    J_(i, i) = a * exp(x[i] / 10) / 10, J_(i, i - 1) = a * exp(x[i - 1] / 10) / 10;
    r[n + i - 1] = a * (exp(x[i] / 10) - exp(-0.1)), J_(n + i - 1, i) = a * exp(x[i] / 10) / 10;
  }
  r[m - 1] = -1;
  for (int j = 0; j < n; j++) r[m - 1] += (n - j) * x[j] * x[j], J_(m - 1, j) = 2 * (n - j) * x[j];
}

static void mgh_variably_dimensioned(int n, int m, const double *x, double *r, double *J) {
  double sum = 0;
  for (int j = 0; j < n; j++) sum += (j + 1) * (x[j] - 1);
  for (int j = 0; j < n; j++) {
    r[j] = x[j] - 1, J_(j, j) = 1;
    J_(m - 2, j) = j + 1, J_(m - 1, j) = 2 * sum * (j + 1);
  }
  r[m - 2] = sum, r[m - 1] = sum * sum;
}

static void mgh_trigonometric(int n, int m, const double *x, double *r, double *J) {
  double sum = 0;
  for (int j = 0; j < n; j++) sum += cos(x[j]);
  for (int i = 0; i < m; i++) {
    r[i] = n - sum + (i + 1) * (1 - cos(x[i])) - sin(x[i]);
    for (int j = 0; j < n; j++) J_(i, j) = sin(x[j]);
    J_(i, i) += (i + 1) * sin(x[i]) - cos(x[i]);
  }
}

static void mgh_brown_almost_linear(int n, int m, const double *x, double *r, double *J) {
  double sum = 0, product = 1;
  for (int j = 0; j < n; j++) sum += x[j], product *= x[j];
  for (int i = 0; i < m - 1; i++) {
    r[i] = x[i] + sum - (n + 1);
    for (int j = 0; j < n; j++) J_(i, j) = 1 + (i == j);
  }
  r[m - 1] = product - 1;
  for (int j = 0; j < n; j++) {
    double others = 1;
    for (int k = 0; k < n; k++) others *= k == j ? 1 : x[k];
    J_(m - 1, j) = others;
  }
}

static void mgh_discrete_boundary(int n, int m, const double *x, double *r, double *J) {
  const double h = 1.0 / (n + 1);
  for (int i = 0; i < m; i++) {
    double c = x[i] + (i + 1) * h + 1;
    r[i] = 2 * x[i] - (i > 0 ? x[i - 1] : 0) - (i + 1 < n ? x[i + 1] : 0) + h * h * c * c * c / 2;
    J_(i, i) = 2 + 1.5 * h * h * c * c;
    if (i > 0) J_(i, i - 1) = -1;
    if (i + 1 < n) J_(i, i + 1) = -1;
  }
}

static void mgh_discrete_integral(int n, int m, const double *x, double *r, double *J) {
  const double h = 1.0 / (n + 1);
  for (int i = 0; i < m; i++) {
    double ti = (i + 1) * h;
    r[i] = x[i];
    for (int j = 0; j < n; j++) {
      double tj = (j + 1) * h, c = x[j] + tj + 1, k = j <= i ? (1 - ti) * tj : ti * (1 - tj);
      r[i] += h * k * c * c * c / 2;
      J_(i, j) = 1.5 * h * k * c * c + (i == j);
    }
  }
}

static void mgh_broyden_tridiagonal(int n, int m, const double *x, double *r, double *J) {
  for (int i = 0; i < m; i++) {
    r[i] = (3 - 2 * x[i]) * x[i] - (i > 0 ? x[i - 1] : 0) - 2 * (i + 1 < n ? x[i + 1] : 0) + 1;
    J_(i, i) = 3 - 4 * x[i];
    if (i > 0) J_(i, i - 1) = -1;
    if (i + 1 < n) J_(i, i + 1) = -2;
  }
}

static void mgh_broyden_banded(int n, int m, const double *x, double *r, double *J) {
  for (int i = 0; i < m; i++) {
    r[i] = x[i] * (2 + 5 * x[i] * x[i]) + 1, J_(i, i) = 2 + 15 * x[i] * x[i];
    for (int j = i > 5 ? i - 5 : 0; j <= i + 1 && j < n; j++)
      if (j != i) r[i] -= x[j] * (1 + x[j]), J_(i, j) = -(1 + 2 * x[j]);
  }
}

/* ---- 32 to 35 ---- */

static void mgh_linear_full_rank(int n, int m, const double *x, double *r, double *J) {
  double sum = 0;
  for (int j = 0; j < n; j++) sum += x[j];
  for (int i = 0; i < m; i++) {
    r[i] = (i < n ? x[i] : 0) - 2 * sum / m - 1;
    for (int j = 0; j < n; j++) J_(i, j) = (i == j) - 2.0 / m;
  }
}

static void mgh_linear_rank1(int n, int m, const double *x, double *r, double *J) {
  double sum = 0;
  for (int j = 0; j < n; j++) sum += (j + 1) * x[j];
  for (int i = 0; i < m; i++) {
    r[i] = (i + 1) * sum - 1;
    for (int j = 0; j < n; j++) J_(i, j) = (i + 1.0) * (j + 1);
  }
}

static void mgh_linear_rank1_zeros(int n, int m, const double *x, double *r, double *J) {
  double sum = 0;
  for (int j = 1; j < n - 1; j++) sum += (j + 1) * x[j];
  for (int i = 0; i < m; i++) {
    bool zero = i == 0 || i == m - 1;
    r[i] = (zero ? 0 : i * sum) - 1;
    for (int j = 1; j < n - 1 && !zero; j++) J_(i, j) = (double)i * (j + 1);
  }
}

static void mgh_chebyquad(int n, int m, const double *x, double *r, double *J) {
  for (int i = 0; i < m; i++) r[i] = i % 2 ? 1 / (mgh_sq(i + 1) - 1) : 0; /* -∫T_{i+1} */
  for (int j = 0; j < n; j++) {
    double z = 2 * x[j] - 1, before = 1, t = z, d_before = 0, d = 2; /* T_k on [0, 1] and its slope */
    for (int i = 0; i < m; i++) {
      r[i] += t / n, J_(i, j) = d / n;
      double next = 2 * z * t - before, d_next = 4 * t + 2 * z * d - d_before;
      before = t, t = next, d_before = d, d = d_next;
    }
  }
}

#undef J_

/* Returns Σ r² at x; g ← its gradient 2·Jᵀr, unless g is NULL. */
static inline double mgh_value(const mgh *p, const double *x, double *g) {
  double r[MGH_MOST_M], J[MGH_MOST_M * MGH_MOST_N] = {0}, f = 0;
  p->eval(p->n, p->m, x, r, J);
  for (int j = 0; g && j < p->n; j++) g[j] = 0;
  for (int i = 0; i < p->m; i++) {
    f += r[i] * r[i];
    for (int j = 0; g && j < p->n; j++) g[j] += 2 * r[i] * J[i * p->n + j];
  }
  return f;
}

#define MGH_1(a) \
  { a, MGH_NO_MORE, MGH_NO_MORE }
#define MGH_2(a, b) \
  { a, b, MGH_NO_MORE }
static const mgh mgh_problems[] = {
    {"rosenbrock", 2, 2, mgh_rosenbrock, {-1.2, 1}, MGH_1(0)},
    {"freudenstein and roth", 2, 2, mgh_freudenstein_roth, {.5, -2}, MGH_2(0, 48.984253679)},
    {"powell badly scaled", 2, 2, mgh_powell_badly_scaled, {0, 1}, MGH_1(0)},
    {"brown badly scaled", 2, 3, mgh_brown_badly_scaled, {1, 1}, MGH_1(0)},
    {"beale", 2, 3, mgh_beale, {1, 1}, MGH_1(0)},
    {"jennrich and sampson", 2, 10, mgh_jennrich_sampson, {.3, .4}, MGH_1(124.362182356)},
    {"helical valley", 3, 3, mgh_helical_valley, {-1, 0, 0}, MGH_1(0)},
    {"bard", 3, 15, mgh_bard, {1, 1, 1}, MGH_2(8.21487730658e-3, 17.4286)},
    {"gaussian", 3, 15, mgh_gaussian, {.4, 1, 0}, MGH_1(1.12793276962e-8)},
    {"meyer", 3, 16, mgh_meyer, {.02, 4000, 250}, MGH_1(87.9458551711)},
    {"gulf research", 3, 99, mgh_gulf, {5, 2.5, .15}, MGH_1(0)},
    {"box three-dimensional", 3, 10, mgh_box, {0, 10, 20}, MGH_1(0)},
    {"powell singular", 4, 4, mgh_powell_singular, {3, -1, 0, 1}, MGH_1(0)},
    {"wood", 4, 6, mgh_wood, {-3, -1, -3, -1}, MGH_1(0)},
    {"kowalik and osborne", 4, 11, mgh_kowalik_osborne, {.25, .39, .415, .39}, MGH_2(3.07505603849e-4, 1.02734e-3)},
    {"brown and dennis", 4, 20, mgh_brown_dennis, {25, 5, -5, -1}, MGH_1(85822.2016263563)},
    {"osborne 1", 5, 33, mgh_osborne1, {.5, 1.5, -1, .01, .02}, MGH_1(5.46489469748e-5)},
    {"biggs exp6", 6, 13, mgh_biggs, {1, 2, 1, 1, 1, 1}, {0, 5.65565e-3, .30636677}},
    {"osborne 2", 11, 65, mgh_osborne2, {1.3, .65, .65, .7, .6, 3, 5, 7, 2, 4.5, 5.5}, MGH_1(4.01377362935e-2)},
    {"watson", 6, 31, mgh_watson, {0}, MGH_1(2.28767005355e-3)},
    {"extended rosenbrock", 10, 10, mgh_rosenbrock, {-1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1}, MGH_1(0)},
    {"extended powell singular", 12, 12, mgh_powell_singular, {3, -1, 0, 1, 3, -1, 0, 1, 3, -1, 0, 1}, MGH_1(0)},
    {"penalty 1", 4, 5, mgh_penalty1, {1, 2, 3, 4}, MGH_1(2.24997e-5)},
    {"penalty 2", 4, 8, mgh_penalty2, {.5, .5, .5, .5}, MGH_1(9.37629e-6)},
    {"variably dimensioned", 10, 12, mgh_variably_dimensioned, {.9, .8, .7, .6, .5, .4, .3, .2, .1, 0}, MGH_1(0)},
    {"trigonometric", 10, 10, mgh_trigonometric, {.1, .1, .1, .1, .1, .1, .1, .1, .1, .1}, MGH_2(0, 2.79506e-5)},
    {"brown almost linear", 10, 10, mgh_brown_almost_linear, {.5, .5, .5, .5, .5, .5, .5, .5, .5, .5}, MGH_2(0, 1)},
    {"discrete boundary value",
     10,
     10,
     mgh_discrete_boundary,
     {-10. / 121, -18. / 121, -24. / 121, -28. / 121, -30. / 121, -30. / 121, -28. / 121, -24. / 121, -18. / 121,
      -10. / 121},
     MGH_1(0)},
    {"discrete integral equation",
     10,
     10,
     mgh_discrete_integral,
     {-10. / 121, -18. / 121, -24. / 121, -28. / 121, -30. / 121, -30. / 121, -28. / 121, -24. / 121, -18. / 121,
      -10. / 121},
     MGH_1(0)},
    {"broyden tridiagonal", 10, 10, mgh_broyden_tridiagonal, {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, MGH_1(0)},
    {"broyden banded", 10, 10, mgh_broyden_banded, {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, MGH_1(0)},
    {"linear full rank", 5, 10, mgh_linear_full_rank, {1, 1, 1, 1, 1}, MGH_1(5)},
    {"linear rank 1", 5, 10, mgh_linear_rank1, {1, 1, 1, 1, 1}, MGH_1(90. / 42)},
    {"linear rank 1 with zeros", 5, 10, mgh_linear_rank1_zeros, {1, 1, 1, 1, 1}, MGH_1(124. / 34)},
    {"chebyquad",
     8,
     8,
     mgh_chebyquad,
     {1. / 9, 2. / 9, 3. / 9, 4. / 9, 5. / 9, 6. / 9, 7. / 9, 8. / 9},
     MGH_1(3.51687372568e-3)},
};
#undef MGH_1
#undef MGH_2
enum { MGH_PROBLEMS = sizeof mgh_problems / sizeof *mgh_problems };

#endif
