/* Lesson 6: a net with one hidden layer can approximate a continuous function on a bounded range as closely as you
 * like, but only there.  Shown on a sine, on a function with a jump, and on multiplication, each inside and outside of
 * its range. */
#include <math.h>
#include <stdlib.h>

#include "show.h"

enum { N = 200, GRID = 1001 };

typedef double function(double x);

static double sine(double x) { return sin(x); }
static double jump(double x) { return x < 0 ? -1 : 1; }

/* n+1 points from lo to hi. */
static void spread(nnb_real *x, int n, double lo, double hi) {
  for (int i = 0; i <= n; i++) x[i] = lo + (hi - lo) * i / n;
}

/* A 1-hidden-1 net trained on N+1 points of f in [lo, hi]. */
static nnb_net *approximate(function *f, double lo, double hi, int hidden) {
  nnb_real x[N + 1], t[N + 1];
  nnb_data *data = NULL;
  spread(x, N, lo, hi);
  for (int i = 0; i <= N; i++) t[i] = f(x[i]);
  must(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, N + 1, 1), .t = nnb_cview(t, N + 1, 1)}, 0, &data));

  nnb_net *net = must_have(nnb_net_create(1), "net");
  must(nnb_net_standardize(net, data));
  must(nnb_net_dense(net, hidden, NNB_TANH));
  must(nnb_net_dense(net, 1, NNB_LINEAR));
  must(nnb_net_seed(net, 1));
  nnb_fit_opts opts = {.algo = NNB_MOMENTUM, .lr = 0.02, .batch = 16, .max_epochs = 1000};
  must(nnb_fit(net, data, NULL, &opts, NULL));
  opts.lr /= 10; /* smaller steps, to converge */
  must(nnb_fit(net, data, NULL, &opts, NULL));
  nnb_data_destroy(data);
  return net;
}

/* The root mean squared error and the largest error on a fine grid of [lo, hi]. */
static double rms(nnb_net *net, function *f, double lo, double hi, double *largest) {
  nnb_real x[GRID + 1], y[GRID + 1];
  double sum = 0;
  spread(x, GRID, lo, hi);
  must(nnb_net_predict(net, nnb_cview(x, GRID + 1, 1), nnb_view(y, GRID + 1, 1)));
  *largest = 0;
  for (int i = 0; i <= GRID; i++) {
    double error = fabs(y[i] - f(x[i]));
    sum += error * error, *largest = fmax(*largest, error);
  }
  return sqrt(sum / (GRID + 1));
}

/* ---- the sine -------------------------------------------------------------------------------------------------- */

static void picture(nnb_net *net) {
  FILE *data = show_file("approximation.dat"), *script = show_file("approximation.gp");
  fprintf(data, "# x sin(x) net(x)\n");
  for (int i = -100; i <= 100; i++) {
    nnb_real x = i * 0.1, y;
    must(nnb_net_predict(net, nnb_cview(&x, 1, 1), nnb_view(&y, 1, 1)));
    fprintf(data, "%g %g %g\n", x, sin(x), y);
  }
  show_plot_head(script, "approximation.svg", 760, 400);
  fprintf(script,
          "set title 'A net trained on sin(x) between -π and π'\nset xlabel 'x'\nset ylabel 'output'\nset grid\n"
          "set key outside bottom center horizontal\nset yrange [-2:2]\n"
          "set object 1 rectangle from -pi,graph 0 to pi,graph 1 fc rgb '#f0f0f0' fs solid noborder behind\n"
          "set label 1 'trained here' at 0,1.75 center tc rgb '#555555'\n"
          "plot 'approximation.dat' using 1:2 with lines ls 6 dt 3 title 'sin(x)', "
          "'' using 1:3 with lines ls 1 title 'the net'\n");
  show_close(data);
  show_close(script);
  show_plot("approximation.gp");
}

static void show_sine(void) {
  const double pi = acos(-1);
  double largest, outside_largest;
  puts(
      "sin(x) on [-π, π], one hidden layer of tanh neurons.  One bends once; more fit better, until what is left\nis "
      "the imprecision of the training:\n");
  for (int hidden = 1; hidden <= 16; hidden *= hidden < 4 ? 2 : 4) {
    char name[32];
    nnb_net *net = approximate(sine, -pi, pi, hidden);
    double inside = rms(net, sine, -pi, pi, &largest), outside = rms(net, sine, pi, 3 * pi, &outside_largest);
    snprintf(name, sizeof name, "rms_%d_hidden", hidden);
    show_number(name, inside, "root mean squared error in the range");
    if (hidden == 16) {
      show_number("largest_inside", largest, "largest error in the range");
      puts("\nBeyond the range nothing was learned, and nothing is known:\n");
      show_number("rms_outside", outside, "on [π, 3π]");
      picture(net);
    }
    nnb_net_destroy(net);
  }
}

static void show_jump(void) {
  double largest, far_largest;
  nnb_net *net = approximate(jump, -1, 1, 16);
  puts(
      "\nA function with a jump, -1 left of 0 and 1 right of it: a net is continuous, so near the jump it must be "
      "wrong");
  puts("by almost 1, however small the error is elsewhere.\n");
  show_number("jump_rms_away", rms(net, jump, 0.1, 1, &far_largest), "on [0.1, 1]");
  rms(net, jump, -0.02, 0.02, &largest);
  show_number("jump_largest", largest, "on [-0.02, 0.02]");
  nnb_net_destroy(net);
}

/* ---- multiplication -------------------------------------------------------------------------------------------- */

/* The root mean squared error of net(a, b) against a·b on a grid of [lo, hi]². */
static double product_rms(nnb_net *net, double lo, double hi) {
  double sum = 0;
  for (int i = 0; i <= 20; i++)
    for (int j = 0; j <= 20; j++) {
      nnb_real x[] = {lo + (hi - lo) * i / 20, lo + (hi - lo) * j / 20}, y;
      must(nnb_net_predict(net, nnb_cview(x, 1, 2), nnb_view(&y, 1, 1)));
      sum += (y - x[0] * x[1]) * (y - x[0] * x[1]);
    }
  return sqrt(sum / (21 * 21));
}

static void show_product(void) {
  enum { M = 1000 };
  nnb_real *x = must_have(malloc(2 * M * sizeof *x), "data"), *t = must_have(malloc(M * sizeof *t), "data");
  nnb_data *data = NULL;
  nnb_rng rng;
  nnb_rng_init(&rng, 1, 0);
  for (int i = 0; i < M; i++) {
    x[2 * i] = 2 * nnb_rng_uniform(&rng) - 1, x[2 * i + 1] = 2 * nnb_rng_uniform(&rng) - 1;
    t[i] = x[2 * i] * x[2 * i + 1];
  }
  must(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, M, 2), .t = nnb_cview(t, M, 1)}, 0, &data));
  nnb_net *net = NULL;
  must(nnb_net_parse("2-16:tanh-1", &net));
  nnb_fit_opts opts = {.algo = NNB_MOMENTUM, .lr = 0.02, .batch = 16, .max_epochs = 300};
  must(nnb_fit(net, data, NULL, &opts, NULL));

  nnb_real seven = 0;
  must(nnb_net_predict(net, nnb_cview((nnb_real[]){7, 8}, 1, 2), nnb_view(&seven, 1, 1)));
  puts("\nMultiplication, which one C operator does exactly everywhere.  Trained on 1000 pairs from [-1, 1]:\n");
  show_number("product_inside", product_rms(net, -1, 1), "root mean squared error on [-1, 1]²");
  show_number("product_outside", product_rms(net, 2, 3), "on [2, 3]², where the products are 4 to 9");
  show_number("seven_times_eight", seven, "and this is 7·8");
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  free(x);
  free(t);
}

int main(int argc, char **argv) {
  show_start(argc, argv, "6. Approximating a function, and where that ends", 4);
  show_sine();
  show_jump();
  show_product();
}
