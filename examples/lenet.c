/* LeNet-5 on MNIST, in single precision: accuracy on the 10,000 test images, from several seeds, and a picture of the
 * six filters of the first layer.
 *     NNBLAS_DATA=FOLDER lenet [--seeds N] [--epochs N] [--out DIR]
 * FOLDER/mnist has the four files of the data set, gzip-compressed. */
#include <stdlib.h>
#include <string.h>

#include "show.h"

static const char layers[] = "1x28x28-conv6@5:tanh-maxpool2-conv16@5:tanh-maxpool2-120:tanh-84:tanh-10:softmax";

static const char usage[] =
    "usage: NNBLAS_DATA=FOLDER lenet [options]\n"
    "LeNet-5 on FOLDER/mnist: test accuracy, and the filters of its first layer (lenet_filters.svg).\n\n"
    "  --seeds N    so many trainings, seeds 1 to N  (3)\n"
    "  --epochs N   epochs of each                   (10)\n"
    "  --out DIR    folder for files                 (here)\n"
    "  --help       this text\n";

static nnbf_data *read_images(const char *part) {
  char images[1000], labels[1000];
  nnbf_data *data = NULL;
  const char *folder = getenv("NNBLAS_DATA");
  if (!folder) {
    fputs("lenet: NNBLAS_DATA must name the folder with mnist/train-images-idx3-ubyte.gz\n", stderr);
    exit(1);
  }
  snprintf(images, sizeof images, "%s/mnist/%s-images-idx3-ubyte.gz", folder, part);
  snprintf(labels, sizeof labels, "%s/mnist/%s-labels-idx1-ubyte.gz", folder, part);
  must(nnbf_data_read_idx(images, labels, &data));
  return data;
}

static double train(nnbf_net *net, const nnbf_data *data, const nnbf_data *test, int seed, int epochs) {
  nnb_metrics found;
  must(nnbf_net_init(net, (uint64_t)seed));
  const nnb_fit_opts opts = {.algo = NNB_ADAM,
                             .lr = 2e-3,
                             .schedule = NNB_COSINE,
                             .batch = 128,
                             .max_epochs = epochs,
                             .seed = (uint64_t)seed,
                             .threads = 1};
  must(nnbf_fit(net, data, NULL, &opts, NULL));
  must(nnbf_evaluate(net, test, &found));
  return found.accuracy;
}

/* W is 25×6: column k is the window of channel k. */
static void draw_filters(const nnbf_net *net) {
  nnbf_cmat w;
  FILE *data = show_file("lenet_filters.dat"), *script = show_file("lenet_filters.gp");
  must(nnbf_net_weights(net, 2, &w));
  for (int k = 0; k < w.cols; k++) {
    for (int i = 0; i < w.rows; i++)
      fprintf(data, "%g%c", (double)w.p[(size_t)i * (size_t)w.ld + (size_t)k], i % 5 == 4 ? '\n' : ' ');
    fputs("\n\n", data);
  }
  show_plot_head(script, "lenet_filters.svg", 640, 150);
  fprintf(script,
          "unset key\nunset tics\nunset grid\nset size ratio -1\nset yrange [4.5:-0.5]\nset xrange [-0.5:4.5]\n"
          "set palette defined (0 '#0072b2', 1 '#ffffff', 2 '#d55e00')\nset cbrange [-0.6:0.6]\nunset colorbox\n"
          "set multiplot layout 1,%d title 'The filters of the first layer: blue below 0, red above'\n"
          "do for [k=0:%d] { plot 'lenet_filters.dat' index k matrix with image }\nunset multiplot\n",
          w.cols, w.cols - 1);
  show_close(data);
  show_close(script);
  show_plot("lenet_filters.gp");
}

/* The number behind an option, at least 1. */
static int take_number(int argc, char **argv, int *i) {
  const int n = *i + 1 < argc ? atoi(argv[*i + 1]) : 0;
  if (n >= 1) return (*i)++, n;
  fprintf(stderr, "lenet: %s wants a number, at least 1\n", argv[*i]);
  exit(2);
}

int main(int argc, char **argv) {
  int seeds = 3, epochs = 10;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") == 0) return fputs(usage, stdout) < 0;
    if (strcmp(argv[i], "--seeds") == 0)
      seeds = take_number(argc, argv, &i);
    else if (strcmp(argv[i], "--epochs") == 0)
      epochs = take_number(argc, argv, &i);
    else if (strcmp(argv[i], "--out") == 0 && i + 1 < argc)
      show_into(argv[++i]);
    else
      return fprintf(stderr, "lenet: %s is not an option; see lenet --help\n", argv[i]), 2;
  }
  nnbf_data *data = read_images("train"), *test = read_images("t10k");
  nnbf_net *net = NULL;
  double sum = 0;
  must(nnbf_net_parse(layers, &net));
  for (int seed = 1; seed <= seeds; seed++) {
    const double accuracy = train(net, data, test, seed, epochs);
    printf("seed %d: %.2f %% of the test images after %d epochs\n", seed, 100 * accuracy, epochs);
    fflush(stdout);
    sum += accuracy;
  }
  printf("mean: %.2f %%\n", 100 * sum / seeds);
  draw_filters(net);
  nnbf_net_destroy(net);
  nnbf_data_destroy(data), nnbf_data_destroy(test);
}
