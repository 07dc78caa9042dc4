/* Lesson 7: two classes that no line separates.  Each class lies along a parabola, one above the other.  A net without
 * a hidden layer draws a line and fails; two hidden tanh neurons move the points so that a line separates them.  The
 * program writes pictures of the boundary and of the hidden representation. */
#include <math.h>

#include "show.h"

enum { PER_CLASS = 200, N = 2 * PER_CLASS, GRID = 120, LINES = 15 };

static const double LEFT = -1.1, RIGHT = 1.1, BOTTOM = -0.9, TOP = 1.3; /* of the pictures */

static nnb_real points[N * 2];
static int32_t labels[N];

static void make_points(void) {
  nnb_rng rng;
  nnb_rng_init(&rng, 7, 0);
  for (int i = 0; i < N; i++) {
    double x = 2 * nnb_rng_uniform(&rng) - 1, noise = 0.04 * nnb_rng_normal(&rng);
    labels[i] = i % 2;
    points[2 * i] = x, points[2 * i + 1] = 1.2 * x * x - 0.6 + (labels[i] ? 0.4 : 0) + noise;
  }
}

/* Trains the net that text describes; returns it and its accuracy. */
static nnb_net *classifier(const char *text, const nnb_data *data, nnb_report *report, double *accuracy) {
  nnb_net *net = NULL;
  nnb_metrics metrics;
  must(nnb_net_parse(text, &net));
  must(nnb_net_seed(net, 3));
  nnb_fit_opts opts = {.algo = NNB_MOMENTUM, .lr = 0.05, .batch = 20, .max_epochs = 300, .l2 = 0.002};
  must(nnb_fit(net, data, NULL, &opts, report));
  must(nnb_evaluate(net, data, &metrics));
  *accuracy = metrics.accuracy;
  return net;
}

/* ---- pictures -------------------------------------------------------------------------------------------------- */

/* The values of the hidden layer (node 2) and the output (node 3) for one point. */
static void look(nnb_plan *plan, double x1, double x2, double hidden[2], double *p1) {
  nnb_real x[] = {x1, x2}, y[2];
  must(nnb_plan_predict(plan, nnb_cview(x, 1, 2), nnb_view(y, 1, 2)));
  for (int j = 0; j < 2; j++) hidden[j] = kept_at(plan, 2, NNB_A, 0, j);
  *p1 = y[1];
}

/* Points of one class after another: x1 x2 h1 h2, with two empty lines between the classes. */
static void write_points(nnb_plan *plan) {
  FILE *f = show_file("two_classes_points.dat");
  fprintf(f, "# x1 x2 h1 h2, class 0, then class 1\n");
  for (int k = 0; k < 2; k++) {
    for (int i = 0; i < N; i++) {
      double h[2], p;
      if (labels[i] != k) continue;
      look(plan, points[2 * i], points[2 * i + 1], h, &p);
      fprintf(f, "%g %g %g %g\n", points[2 * i], points[2 * i + 1], h[0], h[1]);
    }
    fprintf(f, "\n\n");
  }
  show_close(f);
}

/* x1 x2 p(net) p(linear) on a fine grid, an empty line after each row: for the boundaries. */
static void write_outputs(nnb_plan *plan, nnb_net *linear) {
  FILE *f = show_file("two_classes_outputs.dat");
  fprintf(f, "# x1 x2 p_net p_linear\n");
  for (int i = 0; i <= GRID; i++) {
    for (int j = 0; j <= GRID; j++) {
      nnb_real x[] = {LEFT + (RIGHT - LEFT) * i / GRID, BOTTOM + (TOP - BOTTOM) * j / GRID}, y[2];
      double h[2], p;
      look(plan, x[0], x[1], h, &p);
      must(nnb_net_predict(linear, nnb_cview(x, 1, 2), nnb_view(y, 1, 2)));
      fprintf(f, "%g %g %g %g\n", x[0], x[1], p, y[1]);
    }
    fprintf(f, "\n");
  }
  show_close(f);
}

/* Lines of equal x1 and lines of equal x2, an empty line after each: x1 x2 h1 h2. */
static void write_lines(nnb_plan *plan) {
  FILE *f = show_file("two_classes_grid.dat");
  fprintf(f, "# x1 x2 h1 h2\n");
  for (int line = 0; line < 2 * LINES; line++) {
    double at = (line / 2) / (LINES - 1.);
    for (int k = 0; k <= GRID; k++) {
      double along = k / (double)GRID, h[2], p;
      double x1 = LEFT + (RIGHT - LEFT) * (line % 2 ? along : at),
             x2 = BOTTOM + (TOP - BOTTOM) * (line % 2 ? at : along);
      look(plan, x1, x2, h, &p);
      fprintf(f, "%g %g %g %g\n", x1, x2, h[0], h[1]);
    }
    fprintf(f, "\n");
  }
  show_close(f);
}

/* The output's boundary z1 = z0 is a line in h: (w01-w00)·h1 + (w11-w10)·h2 + b1-b0 = 0. */
static void write_script(nnb_net *net) {
  FILE *f = show_file("two_classes.gp");
  nnb_cmat w, b;
  must(nnb_net_weights(net, 3, &w));
  must(nnb_net_bias(net, 3, &b));
  show_plot_head(f, "two_classes.svg", 1000, 540);
  fprintf(f,
          "set table $Net\nset contour base\nset cntrparam levels discrete 0.5\nunset surface\n"
          "splot 'two_classes_outputs.dat' using 1:2:3\nunset table\n"
          "set table $Line\nsplot 'two_classes_outputs.dat' using 1:2:4\nunset table\n"
          "set multiplot layout 1,2\nset key outside bottom center horizontal samplen 2\nset size square\n"
          "unset grid\nset style line 7 lc rgb '#cccccc' lw 1\n"
          "set title 'What the net is given'\nset xlabel 'x_1'\nset ylabel 'x_2'\n"
          "set xrange [%g:%g]\nset yrange [%g:%g]\n"
          "plot 'two_classes_grid.dat' using 1:2 with lines ls 7 notitle, "
          "'two_classes_points.dat' index 0 using 1:2 with points ls 1 title 'class 0', "
          "'' index 1 using 1:2 with points ls 2 title 'class 1', "
          "$Net with lines ls 6 title 'boundary', $Line with lines ls 6 dt 2 lw 1.5 title 'without hidden layer'\n",
          LEFT, RIGHT, BOTTOM, TOP);
  fprintf(f,
          "set title 'What its hidden layer makes of it'\nset xlabel 'h_1'\nset ylabel 'h_2'\n"
          "set xrange [-1.05:1.05]\nset yrange [-1.05:1.05]\n"
          "plot 'two_classes_grid.dat' using 3:4 with lines ls 7 notitle, "
          "'two_classes_points.dat' index 0 using 3:4 with points ls 1 title 'class 0', "
          "'' index 1 using 3:4 with points ls 2 title 'class 1', "
          "(%g*x + %g) / %g with lines ls 6 title 'boundary'\n"
          "unset multiplot\n",
          w.p[1] - w.p[0], b.p[1] - b.p[0], -(w.p[w.ld + 1] - w.p[w.ld]));
  show_close(f);
}

int main(int argc, char **argv) {
  show_start(argc, argv, "7. Two classes that no line separates", 4);
  make_points();
  nnb_data *data = NULL;
  nnb_report report;
  double accuracy;
  must(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(points, N, 2), .label = labels}, 2, &data));

  puts("Two outputs, one for each class; the class is the output with the larger value.\n");
  nnb_net *linear = classifier("2-2:softmax", data, &report, &accuracy);
  show_number("accuracy_line", accuracy, "no hidden layer: a line");
  nnb_net *still_linear = classifier("2-8:linear-2:softmax", data, &report, &accuracy);
  show_number("accuracy_linear_hidden", accuracy,
              "eight hidden neurons without activation: a product of matrices, a line");
  nnb_net *net = classifier("2-2:tanh-2:softmax", data, &report, &accuracy);
  show_number("accuracy_net", accuracy, "two hidden tanh neurons");
  puts("\nThe net learns by repetition:\n");
  show_number("loss_epoch_1", report.history[0].loss, "cross-entropy");
  show_number("loss_epoch_10", report.history[9].loss, "");
  show_number("loss_last", report.loss, "");

  nnb_plan *plan = show_plan(net, 1);
  write_points(plan);
  write_outputs(plan, linear);
  write_lines(plan);
  write_script(net);
  show_plot("two_classes.gp");
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  nnb_net_destroy(still_linear);
  nnb_net_destroy(linear);
  nnb_data_destroy(data);
}
