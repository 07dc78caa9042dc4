/* Lesson 15: a surrogate that learns values and derivatives.  Where a computation gives the derivatives of its result
 * by its inputs, as adjoint solvers and automatic differentiation do, a net can learn these too: they are further
 * targets, nnb_batch.dt.  Shown on a function of two variables with few samples: two derivatives at a point are worth
 * nearly as much as two further points, and an adjoint solver gives them at a fraction of the price.
 *
 * Czarnecki et al. 2017, "Sobolev training for neural networks". */
#include <math.h>

#include "show.h"

enum { FRESH = 1000, STARTS = 5, SIZES = 4 };

static const int sizes[SIZES] = {5, 10, 20, 40};

static double f(double x, double y) { return sin(2 * x) * cos(y) + x * y / 2; }
static double f_x(double x, double y) { return 2 * cos(2 * x) * cos(y) + y / 2; }
static double f_y(double x, double y) { return -sin(2 * x) * sin(y) + x / 2; }

typedef struct samples {
  nnb_real x[FRESH * 2], t[FRESH], dt[FRESH * 2];
} samples;

/* n points in [-1.5, 1.5]² */
static nnb_batch draw(samples *s, uint64_t seed, int n) {
  nnb_rng rng;
  nnb_rng_init(&rng, seed, 0);
  for (int i = 0; i < n; i++) {
    const double x = 3 * nnb_rng_uniform(&rng) - 1.5, y = 3 * nnb_rng_uniform(&rng) - 1.5;
    s->x[2 * i] = x, s->x[2 * i + 1] = y, s->t[i] = f(x, y);
    s->dt[2 * i] = f_x(x, y), s->dt[2 * i + 1] = f_y(x, y);
  }
  return (nnb_batch){.x = nnb_cview(s->x, n, 2), .t = nnb_cview(s->t, n, 1), .dt = nnb_cview(s->dt, n, 2)};
}

/* Root mean squared errors on fresh points. */
typedef struct errors {
  double value, slope;
} errors;

static errors measure(nnb_net *net) {
  static samples fresh;
  static nnb_real y[FRESH], J[FRESH * 2];
  const nnb_batch rows = draw(&fresh, 99, FRESH);
  errors e = {0};
  must(nnb_net_predict(net, rows.x, nnb_view(y, FRESH, 1)));
  must(nnb_net_jacobian(net, rows.x, nnb_view(J, FRESH, 2)));
  for (int i = 0; i < FRESH; i++) e.value += (y[i] - fresh.t[i]) * (y[i] - fresh.t[i]) / FRESH;
  for (int i = 0; i < 2 * FRESH; i++) e.slope += (J[i] - fresh.dt[i]) * (J[i] - fresh.dt[i]) / (2 * FRESH);
  return (errors){sqrt(e.value), sqrt(e.slope)};
}

/* A net that learned n points, with or without their derivatives. */
static errors learn(uint64_t seed, int n, bool derivatives) {
  static samples s;
  nnb_batch rows = draw(&s, seed, n);
  nnb_data *data = NULL;
  if (!derivatives) rows.dt.p = NULL;
  must(nnb_data_wrap(&rows, 0, &data));
  nnb_net *net = must_have(nnb_net_create(2), "net");
  must(nnb_net_standardize(net, data));
  must(nnb_net_scale_targets(net, data, NNB_STANDARDIZE));
  must(nnb_net_dense(net, 20, NNB_TANH));
  must(nnb_net_dense(net, 1, NNB_LINEAR));
  must(nnb_net_seed(net, seed));
  must(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LM, .max_epochs = 200, .l2 = 1e-7}, NULL));
  const errors e = measure(net);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  return e;
}

/* The geometric mean over some draws of points and weights. */
static errors mean(int n, bool derivatives) {
  errors sum = {0};
  for (uint64_t seed = 1; seed <= STARTS; seed++) {
    const errors e = learn(seed, n, derivatives);
    sum.value += log(e.value) / STARTS, sum.slope += log(e.slope) / STARTS;
  }
  return (errors){exp(sum.value), exp(sum.slope)};
}

static void show_errors(const char *what, int n, errors e) {
  char name[40];
  snprintf(name, sizeof name, "%s_%d", what, n);
  show_number(name, e.value, "");
  snprintf(name, sizeof name, "%s_%d_slope", what, n);
  show_number(name, e.slope, "");
}

static void picture(errors e[3][SIZES]) {
  FILE *data = show_file("derivative_targets.dat"), *script = show_file("derivative_targets.gp");
  fprintf(data, "# points, errors of values: learned from values, from as many numbers, with derivatives\n");
  for (int k = 0; k < SIZES; k++) fprintf(data, "%d %g %g %g\n", sizes[k], e[0][k].value, e[1][k].value, e[2][k].value);
  show_plot_head(script, "derivative_targets.svg", 640, 420);
  fprintf(script,
          "set title 'A surrogate from few samples'\nset xlabel 'points'\nset ylabel 'error on new points'\n"
          "set logscale xy\nset grid\nset key outside bottom center horizontal\n"
          "plot 'derivative_targets.dat' using 1:2 with linespoints ls 2 title 'values', "
          "'' using 1:3 with linespoints ls 3 title 'values at three times as many points', "
          "'' using 1:4 with linespoints ls 1 title 'values and derivatives'\n");
  show_close(data);
  show_close(script);
  show_plot("derivative_targets.gp");
}

int main(int argc, char **argv) {
  show_start(argc, argv, "15. Learning values and derivatives", 6);
  errors e[3][SIZES];
  puts(
      "f = sin 2x · cos y + xy/2 on [-1.5, 1.5]², learned from n points by a net of 20 tanh units.  Root mean squared");
  puts("errors of f, and (slope) of its derivatives, on 1000 new points; geometric means over 5 draws.");
  for (int k = 0; k < SIZES; k++) {
    const int n = sizes[k];
    printf("\n%d points: their values; %d values, as many numbers as with derivatives; values and derivatives.\n\n", n,
           3 * n);
    e[0][k] = mean(n, false), e[1][k] = mean(3 * n, false), e[2][k] = mean(n, true);
    show_errors("values", n, e[0][k]);
    show_errors("numbers", n, e[1][k]);
    show_errors("derivatives", n, e[2][k]);
  }
  picture(e);
}
