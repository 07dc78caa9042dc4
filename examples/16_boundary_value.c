/* Lesson 16: a differential equation without data.  A net u(x) is trained until it solves
 *
 *   u·u'' = u'² - u²·sin x   on [-1, 1],   u(-1) = e^sin(-1),   u(1) = e^sin 1,
 *
 * whose solution is e^sin x.  The residuals are those of the equation at some points and of the two boundary values;
 * nnb_plan_taylor gives u, u' and u'' and their derivatives by the parameters, and nnb_least_squares makes the sum of
 * squares small.
 *
 * Lagaris, Likas and Fotiadis 1998, "Artificial neural networks for solving ordinary and partial differential
 * equations". */
#include <math.h>
#include <string.h>

#include "show.h"

enum { HIDDEN = 20, POINTS = 60, ROWS = POINTS + 2, PARAMS = 3 * HIDDEN + 1, GRID = 401 };

/* Of the boundary conditions, relative to the equation. */
static const double boundary_weight = 10;

static double solution(double x) { return exp(sin(x)); }

typedef struct problem {
  nnb_net *net;
  nnb_plan *plan;
  nnb_real x[ROWS];   /* the two ends, then the points */
  nnb_real one[ROWS]; /* the direction of the derivatives: 1 in every row */
} problem;

/* ---- residuals -------------------------------------------------------------------------------------------------- */

/* Rows row0 … row0+k-1: the conditions at the ends, then the equation at the points. */
static nnb_status residuals(void *user, const nnb_real *w, size_t row0, int k, nnb_real *r, nnb_real *J, int ldj) {
  static nnb_real v[ROWS * 3], by_w[ROWS * 3 * PARAMS];
  problem *p = user;
  memcpy(nnb_net_params(p->net), w, PARAMS * sizeof *w);
  const nnb_status status = nnb_plan_taylor(p->plan, nnb_cview(p->x + row0, k, 1), nnb_cview(p->one, k, 1), 2,
                                            nnb_view(v, k, 3), J ? by_w : NULL, PARAMS);
  for (int i = 0; i < k && !status; i++) {
    const size_t row = row0 + (size_t)i;
    const double u = v[3 * i], u1 = v[3 * i + 1], u2 = v[3 * i + 2], sine = sin(p->x[row]);
    r[i] = row < 2 ? boundary_weight * (u - solution(p->x[row])) : u * u2 - u1 * u1 + u * u * sine;
    for (int j = 0; J && j < PARAMS; j++) {
      const nnb_real *d = by_w + 3 * i * PARAMS + j; /* of u, u' and u'' */
      const double du = d[0], du1 = d[PARAMS], du2 = d[2 * PARAMS];
      J[i * ldj + j] = row < 2 ? boundary_weight * du : du * u2 + u * du2 - 2 * u1 * du1 + 2 * u * du * sine;
    }
  }
  return status;
}

/* ---- the solution ----------------------------------------------------------------------------------------------- */

static void errors(problem *p, double most[3]) {
  static nnb_real x[GRID], one[GRID], u[GRID * 3];
  nnb_plan *plan = NULL;
  for (int i = 0; i < GRID; i++) x[i] = -1 + 2.0 * i / (GRID - 1), one[i] = 1;
  must(nnb_plan_create(p->net, &(nnb_plan_opts){.max_rows = GRID, .want = NNB_SECOND}, &plan));
  must(nnb_plan_taylor(plan, nnb_cview(x, GRID, 1), nnb_cview(one, GRID, 1), 2, nnb_view(u, GRID, 3), NULL, 0));
  memset(most, 0, 3 * sizeof *most);
  for (int i = 0; i < GRID; i++) {
    const double y = solution(x[i]), c = cos(x[i]);
    const double exact[] = {y, c * y, (c * c - sin(x[i])) * y};
    for (int k = 0; k < 3; k++) most[k] = fmax(most[k], fabs(u[3 * i + k] - exact[k]));
  }
  nnb_plan_destroy(plan);
}

/* Central differences on as many points: Newton's method, with elimination in the tridiagonal system. */
static double by_differences(void) {
  enum { N = ROWS };
  const double h = 2.0 / (N - 1);
  double u[N], diagonal[N], upper[N], right[N], most = 0;
  for (int i = 0; i < N; i++) u[i] = solution(-1) + (solution(1) - solution(-1)) * i / (N - 1);
  for (int round = 0; round < 30; round++) {
    for (int i = 1; i < N - 1; i++) {
      const double u1 = (u[i + 1] - u[i - 1]) / (2 * h), u2 = (u[i + 1] - 2 * u[i] + u[i - 1]) / (h * h);
      const double sine = sin(-1 + h * i), lower = u[i] / (h * h) + u1 / h;
      right[i] = -(u[i] * u2 - u1 * u1 + u[i] * u[i] * sine);
      diagonal[i] = u2 - 2 * u[i] / (h * h) + 2 * u[i] * sine, upper[i] = u[i] / (h * h) - u1 / h;
      if (i == 1) continue;
      const double factor = lower / diagonal[i - 1];
      diagonal[i] -= factor * upper[i - 1], right[i] -= factor * right[i - 1];
    }
    for (int i = N - 2; i > 0; i--) {
      right[i] = (right[i] - (i < N - 2 ? upper[i] * right[i + 1] : 0)) / diagonal[i];
      u[i] += right[i];
    }
  }
  for (int i = 0; i < N; i++) most = fmax(most, fabs(u[i] - solution(-1 + h * i)));
  return most;
}

static void solve(problem *p) {
  nnb_min_report report;
  nnb_real w[PARAMS];
  memcpy(w, nnb_net_params_read(p->net), sizeof w);
  const nnb_lsq lsq = {.m = ROWS, .n = PARAMS, .user = p, .rows = residuals};
  must(nnb_least_squares(&lsq, w, &(nnb_min_opts){.algo = NNB_LM, .max_iterations = 3000}, &report));
  memcpy(nnb_net_params(p->net), w, sizeof w);
  show_number("iterations", (double)report.iterations, "of Levenberg–Marquardt");
  show_decimals(15);
  show_number("residuals", sqrt(2 * report.value / ROWS), "root mean square of all residuals");
}

int main(int argc, char **argv) {
  show_start(argc, argv, "16. A boundary-value problem", 0);
  problem p = {.net = must_have(nnb_net_create(1), "net")};
  must(nnb_net_dense(p.net, HIDDEN, NNB_TANH));
  must(nnb_net_dense(p.net, 1, NNB_LINEAR));
  must(nnb_net_seed(p.net, 2));
  must(nnb_plan_create(p.net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_SECOND}, &p.plan));
  p.x[0] = -1, p.x[1] = 1;
  for (int i = 0; i < ROWS; i++) p.one[i] = 1;
  for (int i = 0; i < POINTS; i++) p.x[i + 2] = -cos(acos(-1) * (i + 0.5) / POINTS); /* denser towards the ends */
  printf("A net of %d tanh units, %d parameters; the equation at %d points, and two boundary values.\n\n", HIDDEN,
         PARAMS, POINTS);
  solve(&p);
  double most[3];
  errors(&p, most);
  puts("\nThe largest errors on 401 points between -1 and 1.  The net is a formula: its derivatives are exact too.\n");
  show_number("error_u", most[0], "of u");
  show_number("error_u1", most[1], "of u'");
  show_number("error_u2", most[2], "of u''");
  show_number("differences", by_differences(), "of u by central differences on as many points");
  nnb_plan_destroy(p.plan);
  nnb_net_destroy(p.net);
}
