/* bench/optimisers/autoencoder.c: K-FAC against momentum on the deep autoencoder of Hinton and Salakhutdinov (2006),
 * 784-1000-500-250-30 and back, on the 60,000 training images of MNIST, in single precision, with public calls only.
 *
 *     NNBLAS_DATA=FOLDER build/bench/optimisers/autoencoder [EPOCHS]
 *         momentum over a grid of learning rate, momentum and batch size, half an epoch each, the best of them for
 *         EPOCHS (45); then K-FAC from the same start until its loss is as low; a line per epoch, the ratios at the end
 *     NNBLAS_DATA=FOLDER build/bench/optimisers/autoencoder ALGO LR MU BATCH EPOCHS [TARGET [GROWTH]]
 *         one run: MU 0 and LR 0 are the defaults; ends at a loss of TARGET.  BATCH grows by GROWTH (1) from epoch to
 *         epoch, up to 6,000; with GROWTH 0 it stays, and the learning rate falls along a cosine, to 0 after EPOCHS
 *
 * Hidden layers are tanh except for the linear code; the output is sigmoid with binary cross-entropy, summed over the
 * pixels.  The loss is that of the first 10,000 training images after the epoch, with the last weights or a moving
 * average of the weights over 10,000 rows of the first batch size, whichever is lower.  Seconds are processor time of
 * the training calls on one thread, without that evaluation.  K-FAC's batches grow, as in Martens and Grosse (2015,
 * section 13): near a minimum, more of a batch's gradient is noise. */
#include <math.h>
#include <nnblas.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char shape[] = "784-1000:tanh-500:tanh-250:tanh-30:linear-250:tanh-500:tanh-1000:tanh-784:sigmoid";
enum { CHUNK = 1000, SHOWN = 10000, LARGEST = 6000, GRID = 24 };

static const double AVERAGED = 10000; /* rows over which weights are averaged, for any first batch */

typedef struct setting {
  nnb_algo algo;
  double lr, mu;
  int batch;
  double growth; /* of the batch from epoch to epoch; 0: the rate follows a cosine to the end of the epochs */
} setting;

typedef struct run {
  double loss, seconds;
  int epochs;
} run;

static nnbf_batch images; /* targets are the inputs */

static void stop_if(nnb_status status) {
  if (!status) return;
  fprintf(stderr, "autoencoder: %s\n", nnb_errmsg());
  exit(1);
}

static double cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The loss over the first rows; NaN if it is not finite. */
static double loss_of(nnbf_plan *plan) {
  double sum = 0, loss;
  for (int r = 0; r < SHOWN; r += CHUNK) {
    nnbf_batch part = {.x = images.x, .norm = SHOWN};
    part.x.rows = CHUNK, part.x.p += (size_t)r * (size_t)part.x.ld, part.t = part.x;
    if (nnbf_plan_loss(plan, &part, &loss)) return (double)NAN;
    sum += loss;
  }
  return sum;
}

/* The rate in the middle of an epoch. */
static double falling(double rate, int epoch, int epochs) {
  const double pi = 3.14159265358979323846;
  return rate * 0.5 * (1 + cos(pi * (epoch + 0.5) / epochs));
}

/* Trains for at most this number of epochs and rows, or until the loss is at most target. */
static run train(const setting *s, int epochs, int rows, double target) {
  nnbf_net *net = NULL;
  nnbf_plan *plan = NULL;
  nnbf_optim *optim = NULL;
  run r = {.loss = HUGE_VAL};
  int32_t *order = malloc((size_t)images.x.rows * sizeof *order);
  nnb_optim_opts opts = {.algo = s->algo, .lr = s->lr, .momentum = s->mu};
  opts.ema = 1 - s->batch / AVERAGED;
  stop_if(order ? NNB_OK : NNB_E_NOMEM);
  stop_if(nnbf_net_parse(shape, &net));
  stop_if(nnbf_plan_create(net, &(nnbf_plan_opts){.max_rows = CHUNK, .want = NNB_GRAD}, &plan));
  stop_if(nnbf_optim_create(net, &opts, &optim));
  const double rate = nnbf_optim_lr(optim);
  double batch = s->batch;
  printf("%s lr %g mu %g batch %d growth %g\n", nnb_algo_name(s->algo), s->lr, s->mu, s->batch, s->growth);
  while (r.epochs < epochs && !(r.loss <= target)) {
    nnb_rng rng;
    nnb_rng_init(&rng, 1, (uint64_t)r.epochs);
    nnb_rng_shuffle(&rng, order, images.x.rows);
    if (s->growth == 0) stop_if(nnbf_optim_set_lr(optim, falling(rate, r.epochs, epochs)));
    double began = cpu_now();
    nnb_status status = nnbf_train_rows(net, plan, &images, order, rows, (int)batch, optim, NULL);
    r.seconds += cpu_now() - began;
    r.epochs++;
    batch = fmin(batch * (s->growth > 0 ? s->growth : 1), LARGEST);
    double last = status ? (double)NAN : loss_of(plan), mean = (double)NAN;
    if (!status) {
      stop_if(nnbf_optim_average(optim, net));
      mean = loss_of(plan);
      stop_if(nnbf_optim_average(optim, net));
    }
    r.loss = fmin(last, mean);
    printf("  epoch %2d  loss %9.4f, averaged %9.4f  %8.1f s\n", r.epochs, last, mean, r.seconds);
    fflush(stdout);
    if (!isfinite(r.loss)) break;
  }
  nnbf_optim_destroy(optim);
  nnbf_plan_destroy(plan);
  nnbf_net_destroy(net);
  free(order);
  return r;
}

typedef struct entry {
  setting s;
  double loss;
} entry;

static int by_loss(const void *a, const void *b) {
  const double x = ((const entry *)a)->loss, y = ((const entry *)b)->loss;
  return isfinite(x) != isfinite(y) ? isfinite(y) - isfinite(x) : (x > y) - (x < y);
}

/* The grid by the loss after half an epoch, the lowest first. */
static void try_grid(entry grid[GRID]) {
  static const double rates[] = {0.0003, 0.001, 0.003, 0.01}, momenta[] = {0.9, 0.95, 0.99};
  static const int batches[] = {100, 300};
  int n = 0;
  for (int b = 0; b < 2; b++)
    for (int m = 0; m < 3; m++)
      for (int l = 0; l < 4; l++, n++) {
        grid[n].s = (setting){.algo = NNB_MOMENTUM, .lr = rates[l], .mu = momenta[m], .batch = batches[b], .growth = 1};
        grid[n].loss = train(&grid[n].s, 1, images.x.rows / 2, 0).loss;
      }
  qsort(grid, GRID, sizeof *grid, by_loss);
}

/* Whether K-FAC needs at most a fifth of the epochs, and no more seconds. */
static void compare(int epochs) {
  const setting kfac = {.algo = NNB_KFAC, .batch = 1000, .growth = 1.5};
  entry grid[GRID];
  try_grid(grid);
  const run slow = train(&grid[0].s, epochs, images.x.rows, 0);
  const run fast = train(&kfac, epochs, images.x.rows, slow.loss);
  const bool there = fast.loss <= slow.loss;
  printf("momentum: loss %.4f after %d epochs, %.1f s\n", slow.loss, slow.epochs, slow.seconds);
  printf("kfac:     loss %.4f after %d epochs, %.1f s\n", fast.loss, fast.epochs, fast.seconds);
  printf("ratio:    %.2f of the epochs, %.2f of the seconds; wanted 0.2 and 1: %s\n", (double)fast.epochs / slow.epochs,
         fast.seconds / slow.seconds,
         there && 5 * fast.epochs <= slow.epochs && fast.seconds <= slow.seconds ? "met" : "not met");
}

static void read_images(void) {
  const char *folder = getenv("NNBLAS_DATA");
  char path[1024];
  nnbf_data *data;
  if (!folder) {
    fprintf(stderr, "autoencoder: NNBLAS_DATA must name the folder with mnist/train-images-idx3-ubyte.gz\n");
    exit(1);
  }
  snprintf(path, sizeof path, "%s/mnist/train-images-idx3-ubyte.gz", folder);
  stop_if(nnbf_data_read_idx(path, NULL, &data));
  stop_if(nnbf_data_batch(data, 0, nnbf_data_rows(data), &images));
  images.t = images.x;
}

int main(int argc, char **argv) {
  setting s = {0};
  read_images();
  nnb_set_threads(1);
  if (argc < 6) {
    compare(argc > 1 ? atoi(argv[1]) : 45);
    return 0;
  }
  if (!nnb_algo_find(argv[1], &s.algo)) return fprintf(stderr, "autoencoder: there is no algorithm %s\n", argv[1]), 1;
  s.lr = atof(argv[2]), s.mu = atof(argv[3]), s.batch = atoi(argv[4]);
  s.growth = argc > 7 ? atof(argv[7]) : 1;
  train(&s, atoi(argv[5]), images.x.rows, argc > 6 ? atof(argv[6]) : 0);
  return 0;
}
