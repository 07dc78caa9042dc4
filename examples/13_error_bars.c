/* Lesson 13: how certain are the predictions of a net?  Bayesian regularisation chooses the weight decay from the data,
 * without a validation set, and the same numbers give error bars for each prediction.  Shown on 40 noisy points of a
 * curve with a gap in the middle, where there are no measurements.
 *
 * MacKay 1992, "A practical Bayesian framework for backpropagation networks"; Foresee and Hagan 1997, "Gauss–Newton
 * approximation to Bayesian learning". */
#include <math.h>

#include "show.h"

enum { N = 40, FRESH = 1000, GRID = 161 };

static const double noise = 0.15;

static double curve(double x) { return sin(2 * x) + 0.3 * x; }

/* Points in [-3, 3], none in [-0.5, 1.5]. */
static void sample(nnb_rng *rng, nnb_real *x, nnb_real *t, int n) {
  for (int i = 0; i < n; i++) {
    double at = 4 * nnb_rng_uniform(rng) - 3;
    x[i] = at < -0.5 ? at : at + 2;
    t[i] = curve(x[i]) + noise * nnb_rng_normal(rng);
  }
}

static nnb_net *build(const nnb_data *data, int hidden) {
  nnb_net *net = must_have(nnb_net_create(1), "net");
  must(nnb_net_standardize(net, data));
  must(nnb_net_scale_targets(net, data, NNB_STANDARDIZE));
  must(nnb_net_dense(net, hidden, NNB_TANH));
  must(nnb_net_dense(net, 1, NNB_LINEAR));
  must(nnb_net_seed(net, 1));
  return net;
}

static double rmse(nnb_net *net, const nnb_data *data) {
  nnb_metrics metrics;
  must(nnb_evaluate(net, data, &metrics));
  return metrics.rmse;
}

/* ---- with and without decay ------------------------------------------------------------------------------------ */

static void without(const nnb_data *train, const nnb_data *fresh) {
  nnb_net *net = build(train, 15);
  must(nnb_fit(net, train, NULL, &(nnb_fit_opts){.algo = NNB_LM, .max_epochs = 500}, NULL));
  printf("%d points, 46 parameters, no decay: the net fits the noise.  Root mean squared errors:\n\n", N);
  show_number("plain_train", rmse(net, train), "on the points it was trained on");
  show_number("plain_fresh", rmse(net, fresh), "on 1000 others; the noise alone makes 0.15");
  nnb_net_destroy(net);
}

static nnb_net *with(const nnb_data *train, const nnb_data *fresh, nnb_evidence *found) {
  const nnb_real *shift, *factor;
  nnb_report report;
  nnb_net *net = build(train, 15);
  must(nnb_fit(net, train, NULL, &(nnb_fit_opts){.bayes = true, .max_epochs = 500}, &report));
  nnb_net_target_scaler(net, &shift, &factor);
  *found = report.evidence;
  puts(
      "\nThe same net with .bayes.  It minimises β·½Σ(t-a)² + α·½Σw²; after each epoch the curvature of the error "
      "says");
  puts("how many parameters the data determine (γ), and with it what α and β are most probable:\n");
  puts("    γ = P - α·tr H⁻¹      α = γ / Σw²      β = (N - γ) / Σ(t-a)²\n");
  show_number("gamma", found->gamma, "of 46 parameters are in use");
  show_number("noise_found", 1 / sqrt(found->beta) / factor[0], "1/√β, in the units of the data; it is 0.15");
  show_number("bayes_train", rmse(net, train), "on the points it was trained on");
  show_number("bayes_fresh", rmse(net, fresh), "on the others");
  return net;
}

/* ---- nets of different sizes ----------------------------------------------------------------------------------- */

/* The best of some starts, because each may end in another minimum. */
static double log_evidence(const nnb_data *train, int hidden) {
  double best = -HUGE_VAL;
  for (uint64_t seed = 1; seed <= 5; seed++) {
    nnb_report report;
    nnb_net *net = build(train, hidden);
    must(nnb_net_init(net, seed));
    must(nnb_fit(net, train, NULL, &(nnb_fit_opts){.bayes = true, .max_epochs = 500}, &report));
    best = fmax(best, report.evidence.log_evidence);
    nnb_net_destroy(net);
  }
  return best;
}

static void sizes(const nnb_data *train) {
  puts("\nHow probable the data are under a net, its parameters averaged out: the evidence.  It grows while a further");
  puts("neuron explains more than it costs, and hardly changes when there are too many, since γ does not:\n");
  for (int hidden = 1; hidden <= 16; hidden *= 2) {
    char name[32];
    snprintf(name, sizeof name, "log_evidence_%d", hidden);
    show_number(name, log_evidence(train, hidden), "best of 5 starts");
  }
}

/* ---- error bars ------------------------------------------------------------------------------------------------- */

static nnb_error_bars *make_bars(nnb_net *net, const nnb_data *train, const nnb_evidence *found) {
  nnb_error_bars *bars = NULL;
  must(nnb_error_bars_create(net, train, &(nnb_error_bars_opts){.evidence = *found}, &bars));
  return bars;
}

static void at(nnb_error_bars *bars, const char *name, nnb_real x, const char *note) {
  nnb_real y, sd;
  must(nnb_error_bars_predict(bars, nnb_cview(&x, 1, 1), nnb_view(&y, 1, 1), nnb_view(&sd, 1, 1), (nnb_mat){0}));
  show_number(name, sd, note);
}

/* The share of targets within two deviations of the prediction. */
static double covered(nnb_error_bars *bars, const nnb_data *fresh) {
  static nnb_real y[FRESH], sd[FRESH];
  nnb_batch rows;
  int within = 0;
  must(nnb_data_batch(fresh, 0, FRESH, &rows));
  must(nnb_error_bars_predict(bars, rows.x, nnb_view(y, FRESH, 1), (nnb_mat){0}, nnb_view(sd, FRESH, 1)));
  for (int i = 0; i < FRESH; i++) within += fabs(rows.t.p[i * rows.t.ld] - y[i]) <= 2 * sd[i];
  return (double)within / FRESH;
}

static void show_bars(nnb_error_bars *bars, const nnb_data *fresh) {
  puts(
      "\nError bars.  The same H says how uncertain each prediction is: its deviation is √(gᵀH⁻¹g), g = ∂y/∂w.  It is");
  puts("small among the points and large where there are none:\n");
  at(bars, "sd_among_points", -2, "at x = -2");
  at(bars, "sd_in_the_gap", 0.5, "at x = 0.5, in the middle of the gap");
  at(bars, "sd_outside", 5, "at x = 5, far outside");
  puts(
      "\nA new measurement has the noise on top, √(gᵀH⁻¹g + 1/β), and should lie within two of these deviations in 95");
  puts("of 100 cases:\n");
  show_number("covered", covered(bars, fresh), "of 1000 new points");
}

static void picture(nnb_error_bars *bars, const nnb_real *x, const nnb_real *t) {
  static nnb_real at_x[GRID], y[GRID], sd[GRID], sd_new[GRID];
  FILE *data = show_file("error_bars.dat"), *points = show_file("error_bars_points.dat");
  FILE *script = show_file("error_bars.gp");
  for (int i = 0; i < GRID; i++) at_x[i] = -4 + 8.0 * i / (GRID - 1);
  must(nnb_error_bars_predict(bars, nnb_cview(at_x, GRID, 1), nnb_view(y, GRID, 1), nnb_view(sd, GRID, 1),
                              nnb_view(sd_new, GRID, 1)));
  fprintf(data, "# x curve(x) net(x) sd sd_new\n");
  for (int i = 0; i < GRID; i++) fprintf(data, "%g %g %g %g %g\n", at_x[i], curve(at_x[i]), y[i], sd[i], sd_new[i]);
  for (int i = 0; i < N; i++) fprintf(points, "%g %g\n", x[i], t[i]);
  show_plot_head(script, "error_bars.svg", 760, 440);
  fprintf(script,
          "set title 'A net that knows where it has seen nothing'\nset xlabel 'x'\nset grid\n"
          "set key outside bottom center horizontal\nset yrange [-4:4]\nset style fill solid noborder\n"
          "plot 'error_bars.dat' using 1:($3-2*$5):($3+2*$5) with filledcurves lc rgb '#dcebf5' "
          "title 'two deviations of a new point', "
          "'' using 1:($3-2*$4):($3+2*$4) with filledcurves lc rgb '#9ecae1' title '… of the net', "
          "'' using 1:2 with lines ls 6 dt 3 title 'the curve', '' using 1:3 with lines ls 1 title 'the net', "
          "'error_bars_points.dat' with points ls 2 title 'the points'\n");
  show_close(data);
  show_close(points);
  show_close(script);
  show_plot("error_bars.gp");
}

int main(int argc, char **argv) {
  show_start(argc, argv, "13. Error bars, and decay without a validation set", 4);
  static nnb_real x[N], t[N], fresh_x[FRESH], fresh_t[FRESH];
  nnb_data *train = NULL, *fresh = NULL;
  nnb_evidence found;
  nnb_rng rng;
  nnb_rng_init(&rng, 13, 0);
  sample(&rng, x, t, N);
  sample(&rng, fresh_x, fresh_t, FRESH);
  must(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, N, 1), .t = nnb_cview(t, N, 1)}, 0, &train));
  must(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(fresh_x, FRESH, 1), .t = nnb_cview(fresh_t, FRESH, 1)}, 0, &fresh));
  without(train, fresh);
  nnb_net *net = with(train, fresh, &found);
  sizes(train);
  nnb_error_bars *bars = make_bars(net, train, &found);
  show_bars(bars, fresh);
  picture(bars, x, t);
  nnb_error_bars_destroy(bars);
  nnb_net_destroy(net);
  nnb_data_destroy(train);
  nnb_data_destroy(fresh);
}
