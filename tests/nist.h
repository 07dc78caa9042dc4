/* tests/nist.h: the nonlinear regression sets of NIST's Statistical Reference Datasets: their models, and a reader of
 * tests/nist/NAME.dat.  Models take complex parameters, so an imaginary step gives the derivatives to rounding: ∂f/∂b_j
 * = Im f(b + ih·e_j)/h (Squire and Trapp 1998). */
#ifndef TEST_NIST_H
#define TEST_NIST_H

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { NIST_MOST_N = 9, NIST_MOST_M = 250 };
typedef double complex nist_c;

static const double nist_pi = 3.14159265358979323846;

#define NIST_MODEL(name, formula)                                   \
  static nist_c nist_##name(const nist_c *b, double x, double x2) { \
    (void)x2;                                                       \
    return formula;                                                 \
  }
#define NIST_GAUSS(k)   b[k] * cexp(-(x - b[k + 1]) * (x - b[k + 1]) / (b[k + 2] * b[k + 2]))
#define NIST_WAVE(k, p) b[k] * ccos(2 * nist_pi * x / (p)) + b[k + 1] * csin(2 * nist_pi * x / (p))
#define NIST_CUBICS \
  (b[0] + b[1] * x + b[2] * x * x + b[3] * x * x * x) / (1 + b[4] * x + b[5] * x * x + b[6] * x * x * x)

NIST_MODEL(misra1a, b[0] * (1 - cexp(-b[1] * x)))
NIST_MODEL(misra1b, b[0] * (1 - 1 / ((1 + b[1] * x / 2) * (1 + b[1] * x / 2))))
NIST_MODEL(misra1c, b[0] * (1 - 1 / csqrt(1 + 2 * b[1] * x)))
NIST_MODEL(misra1d, b[0] * b[1] * x / (1 + b[1] * x))
NIST_MODEL(chwirut, cexp(-b[0] * x) / (b[1] + b[2] * x))
NIST_MODEL(lanczos, b[0] * cexp(-b[1] * x) + b[2] * cexp(-b[3] * x) + b[4] * cexp(-b[5] * x))
NIST_MODEL(gauss, b[0] * cexp(-b[1] * x) + NIST_GAUSS(2) + NIST_GAUSS(5))
NIST_MODEL(danwood, b[0] * cpow(x, b[1]))
NIST_MODEL(kirby2, (b[0] + b[1] * x + b[2] * x * x) / (1 + b[3] * x + b[4] * x * x))
NIST_MODEL(cubics, NIST_CUBICS)
NIST_MODEL(nelson, b[0] - b[1] * x * cexp(-b[2] * x2)) /* of log y */
NIST_MODEL(mgh17, b[0] + b[1] * cexp(-x * b[3]) + b[2] * cexp(-x * b[4]))
NIST_MODEL(roszman1, b[0] - b[1] * x - catan(b[2] / (x - b[3])) / nist_pi)
NIST_MODEL(enso, b[0] + NIST_WAVE(1, 12) + NIST_WAVE(4, b[3]) + NIST_WAVE(7, b[6]))
NIST_MODEL(mgh09, b[0] * (x * x + x * b[1]) / (x * x + x * b[2] + b[3]))
NIST_MODEL(rat42, b[0] / (1 + cexp(b[1] - b[2] * x)))
NIST_MODEL(mgh10, b[0] * cexp(b[1] / (x + b[2])))
NIST_MODEL(eckerle4, b[0] / b[1] * cexp(-0.5 * (x - b[2]) * (x - b[2]) / (b[1] * b[1])))
NIST_MODEL(rat43, b[0] / cpow(1 + cexp(b[1] - b[2] * x), 1 / b[3]))
NIST_MODEL(bennett5, b[0] * cpow(b[1] + x, -1 / b[2]))

typedef struct nist_set {
  const char *name;
  nist_c (*model)(const nist_c *b, double x, double x2);
} nist_set;

static const nist_set nist_sets[] = {
    {"Misra1a", nist_misra1a},   {"Misra1b", nist_misra1b},   {"Misra1c", nist_misra1c},  {"Misra1d", nist_misra1d},
    {"Chwirut1", nist_chwirut},  {"Chwirut2", nist_chwirut},  {"Lanczos1", nist_lanczos}, {"Lanczos2", nist_lanczos},
    {"Lanczos3", nist_lanczos},  {"Gauss1", nist_gauss},      {"Gauss2", nist_gauss},     {"Gauss3", nist_gauss},
    {"DanWood", nist_danwood},   {"Kirby2", nist_kirby2},     {"Hahn1", nist_cubics},     {"Nelson", nist_nelson},
    {"MGH17", nist_mgh17},       {"Roszman1", nist_roszman1}, {"ENSO", nist_enso},        {"MGH09", nist_mgh09},
    {"Thurber", nist_cubics},    {"BoxBOD", nist_misra1a},    {"Rat42", nist_rat42},      {"MGH10", nist_mgh10},
    {"Eckerle4", nist_eckerle4}, {"Rat43", nist_rat43},       {"Bennett5", nist_bennett5}};
enum { NIST_SETS = sizeof nist_sets / sizeof *nist_sets };

typedef struct nist_data {
  const nist_set *set;
  int n, m;
  double start[2][NIST_MOST_N], certified[NIST_MOST_N], squares;
  double y[NIST_MOST_M], x[NIST_MOST_M], x2[NIST_MOST_M];
} nist_data;

/* False if the file does not have the format in the README of tests/nist. */
static bool nist_read(const char *folder, const nist_set *set, nist_data *d) {
  char path[1000], line[300], name[20];
  double v[3];
  *d = (nist_data){.set = set};
  snprintf(path, sizeof path, "%s/%s.dat", folder, set->name);
  FILE *f = fopen(path, "r");
  if (!f) return false;
  bool good = fgets(line, sizeof line, f) && sscanf(line, "%19s", name) == 1 && strcmp(name, set->name) == 0;
  while (good && fgets(line, sizeof line, f) && sscanf(line, "b%*d = %lf %lf %lf", &v[0], &v[1], &v[2]) == 3) {
    d->start[0][d->n] = v[0], d->start[1][d->n] = v[1], d->certified[d->n++] = v[2];
    good = d->n <= NIST_MOST_N;
  }
  good = good && sscanf(line, "Residual Sum of Squares: %lf", &d->squares) == 1;
  while (good && fgets(line, sizeof line, f) && sscanf(line, "%lf %lf %lf", &v[0], &v[1], &v[2]) >= 2) {
    good = d->m < NIST_MOST_M;
    if (good) d->y[d->m] = v[0], d->x[d->m] = v[1], d->x2[d->m++] = v[2];
  }
  if (set->model == nist_nelson)
    for (int i = 0; i < d->m; i++) d->y[i] = log(d->y[i]);
  fclose(f);
  return good && d->n > 0 && d->m > 0;
}

/* r_i = f(b, x_i) - y_i, and its derivatives (NULL: not wanted). */
static double nist_residual(const nist_data *d, const double *at, int i, double *slope) {
  nist_c b[NIST_MOST_N];
  for (int j = 0; j < d->n; j++) b[j] = at[j];
  for (int j = 0; slope && j < d->n; j++) {
    const double h = 1e-30 * (fabs(at[j]) + 1e-30);
    b[j] = at[j] + h * (nist_c)I;
    slope[j] = cimag(d->set->model(b, d->x[i], d->x2[i])) / h;
    b[j] = at[j];
  }
  return creal(d->set->model(b, d->x[i], d->x2[i])) - d->y[i];
}

#endif
