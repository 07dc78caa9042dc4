/* Training by the ranks of MPI_COMM_WORLD, for run.py:
 *
 *   ranks train        one line for each method: its name, a fingerprint of the net, the loss; "+8": with 8 shards
 *   ranks differ       rank 1 has another learning rate: each rank prints its message
 *   ranks bad          calls of nnb_mpi_comm_create that are refused
 *   ranks kill FILE    a training with checkpoints, in which rank 1 kills itself
 *   ranks resume FILE  goes on from the file, to its end */
#include <math.h>
#include <mpi.h>
#include <nnblas/mpi.h>
#include <signal.h>
#include <string.h>

#include "../precision.h"

enum { N = 301, N_IN = 4, N_OUT = 3, KILLED_AFTER = 6 };

static int rank;

/* A failure ends all ranks. */
#define must(call)                                                     \
  do {                                                                 \
    if (call) {                                                        \
      fprintf(stderr, "rank %d: %s: %s\n", rank, #call, nnb_errmsg()); \
      MPI_Abort(MPI_COMM_WORLD, 1);                                    \
    }                                                                  \
  } while (0)

static nnb_data *make_data(void) {
  static real x[N * N_IN], t[N * N_OUT];
  const nnb_batch rows = {.x = nnb_cview(x, N, N_IN), .t = nnb_cview(t, N, N_OUT)};
  nnb_data *data;
  for (int i = 0; i < N * N_IN; i++) x[i] = (real)sin(1.7 * i * i);
  for (int i = 0; i < N * N_OUT; i++) t[i] = (real)cos((double)x[i / N_OUT * N_IN + i % N_OUT] * 2);
  must(nnb_data_copy(&rows, 0, &data));
  return data;
}

/* FNV-1a of Fowler, Noll and Vo. */
static uint64_t hash_of(nnb_net *net) {
  const unsigned char *c = (const unsigned char *)nnb_net_params_read(net);
  uint64_t h = 1;
  for (size_t i = 0; i < nnb_net_n_params(net) * sizeof(real); i++) h = (h ^ c[i]) * 0x100000001B3u;
  return h;
}

static uint64_t train_one(const nnb_comm *comm, nnb_fit_opts opts, nnb_report *report) {
  nnb_data *data = make_data();
  nnb_net *net;
  opts.comm = comm;
  must(nnb_net_parse("4-9:tanh-3", &net));
  must(nnb_net_init(net, (uint64_t)rank));
  must(nnb_fit(net, data, NULL, &opts, report));
  const uint64_t digest = hash_of(net);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  return digest;
}

/* The same bits on all ranks. */
static void check_equal(const char *what, uint64_t digest) {
  uint64_t first = digest;
  MPI_Bcast(&first, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
  if (first == digest) return;
  fprintf(stderr, "%s: rank %d ended with other bits than rank 0\n", what, rank);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

static void print_line(const char *name, uint64_t digest, double loss) {
  check_equal(name, digest);
  if (rank == 0) printf("%s %016llx %.9g\n", name, (unsigned long long)digest, loss);
}

static void train(const nnb_comm *comm) {
  static const nnb_algo algo[] = {NNB_SGD, NNB_MOMENTUM, NNB_ADAM, NNB_LBFGS, NNB_SCG, NNB_LM};
  for (int shards = 0; shards <= 8; shards += 8)
    for (size_t k = 0; k < sizeof algo / sizeof *algo; k++) {
      nnb_report report;
      char name[40];
      const bool steps = k < 3;
      const nnb_fit_opts opts = {.algo = algo[k], .batch = steps ? 40 : 0, .max_epochs = 5, .shards = shards};
      if (shards > 0 && algo[k] == NNB_LM) continue;
      const uint64_t digest = train_one(comm, opts, &report);
      snprintf(name, sizeof name, "%s%s", nnb_algo_name(algo[k]), shards ? "+8" : "");
      print_line(name, digest, report.loss);
    }
}

static void differ(const nnb_comm *comm) {
  nnb_data *data = make_data();
  nnb_net *net;
  must(nnb_net_parse("4-9:tanh-3", &net));
  const nnb_fit_opts opts = {.algo = NNB_ADAM, .comm = comm, .lr = rank == 1 ? 0.5 : 0};
  const nnb_status status = nnb_fit(net, data, NULL, &opts, NULL);
  printf("%d: %s\n", (int)status, nnb_errmsg());
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}

static void refused(nnb_status wanted, nnb_status came, const nnb_comm *out) {
  if (came == wanted && !out) return;
  fprintf(stderr, "wanted %s, came %s: %s\n", nnb_strstatus(wanted), nnb_strstatus(came), nnb_errmsg());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

static void bad(void) {
  nnb_comm *comm = NULL;
  refused(NNB_E_ARG, nnb_mpi_comm_create(MPI_COMM_WORLD, NULL), NULL);
  refused(NNB_E_ARG, nnb_mpi_comm_create(MPI_COMM_NULL, &comm), comm);
  nnb_mpi_comm_destroy(NULL);
}

static int kill_one(void *user, const nnb_record *record) {
  (void)user;
  if (rank == 1 && record->epoch == KILLED_AFTER) raise(SIGKILL);
  return 0;
}

static void with_file(const nnb_comm *comm, const char *path, bool killed) {
  nnb_report report;
  const nnb_fit_opts opts = {.algo = NNB_ADAM,
                             .batch = 40,
                             .max_epochs = 12,
                             .checkpoint = path,
                             .checkpoint_epochs = 1,
                             .resume = true,
                             .on_epoch = killed ? kill_one : NULL};
  const uint64_t digest = train_one(comm, opts, &report);
  check_equal("resume", digest);
  if (rank == 0) printf("%d %d %.9g\n", report.resumed, report.epochs, report.loss);
}

int main(int argc, char **argv) {
  nnb_comm *comm = NULL;
  const char *what = argc > 1 ? argv[1] : "";
  refused(NNB_E_STATE, nnb_mpi_comm_create(MPI_COMM_WORLD, &comm), comm); /* before MPI_Init */
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  must(nnb_mpi_comm_create(MPI_COMM_WORLD, &comm));
  if (strcmp(what, "train") == 0) train(comm);
  if (strcmp(what, "differ") == 0) differ(comm);
  if (strcmp(what, "bad") == 0) bad();
  if (argc > 2) with_file(comm, argv[2], strcmp(what, "kill") == 0);
  nnb_mpi_comm_destroy(comm);
  MPI_Finalize();
  return 0;
}
