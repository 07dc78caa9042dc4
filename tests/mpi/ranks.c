/* Training by the ranks of MPI_COMM_WORLD, for run.py:
 *
 *   ranks train        one line for each method: its name, a fingerprint of the net, the loss; "+16": with 16 shards;
 *                      "own": each rank has rows of its own, the last of several has none
 *   ranks fail KIND    the last rank has a fault: each rank prints its status and message
 *   ranks bad          calls of nnb_mpi_comm_create that are refused
 *   ranks kill FILE    a training with checkpoints, in which rank 1 kills itself
 *   ranks resume FILE  goes on from the file, to its end */
#include <math.h>
#include <mpi.h>
#include <nnblas/mpi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../precision.h"

enum { N = 1001, N_IN = 4, N_OUT = 3, SHARDS = 16, KILLED_AFTER = 6 };

static int rank, size;

/* A failure ends all ranks. */
#define must(call)                                                     \
  do {                                                                 \
    if (call) {                                                        \
      fprintf(stderr, "rank %d: %s: %s\n", rank, #call, nnb_errmsg()); \
      MPI_Abort(MPI_COMM_WORLD, 1);                                    \
    }                                                                  \
  } while (0)

/* Rows [row0, row0 + n), or NULL without rows. */
static nnb_data *make_data(int row0, int n) {
  static real x[N * N_IN], t[N * N_OUT];
  const nnb_batch rows = {.x = nnb_cview(x + row0 * N_IN, n, N_IN), .t = nnb_cview(t + row0 * N_OUT, n, N_OUT)};
  nnb_data *data = NULL;
  for (int i = 0; i < N * N_IN; i++) x[i] = (real)sin(1.7 * i * i);
  for (int i = 0; i < N * N_OUT; i++) t[i] = (real)cos((double)x[i / N_OUT * N_IN + i % N_OUT] * 2);
  if (n > 0) must(nnb_data_copy(&rows, 0, &data));
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
  const int with_rows = size > 1 ? size - 1 : 1, first = rank * N / with_rows, last = (rank + 1) * N / with_rows;
  nnb_data *data =
      !opts.own_rows ? make_data(0, N) : make_data(rank < with_rows ? first : 0, rank < with_rows ? last - first : 0);
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

/* Whether it steps from batch to batch. */
static bool steps(nnb_algo algo) {
  nnb_net *net;
  nnb_optim *optim = NULL;
  must(nnb_net_parse("3-2", &net));
  const bool so = nnb_optim_create(net, &(nnb_optim_opts){.algo = algo}, &optim) == NNB_OK;
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
  return so;
}

static void train_by(const nnb_comm *comm, nnb_algo algo, int shards, bool own) {
  const nnb_fit_opts opts = {.algo = algo,
                             .batch = own           ? NNB_FULL_BATCH
                                      : steps(algo) ? 143
                                                    : 0,
                             .max_epochs = 3,
                             .shards = shards,
                             .own_rows = own};
  nnb_report report;
  char name[40];
  snprintf(name, sizeof name, "%s%s%s", nnb_algo_name(algo), shards ? "+16" : "", own ? "own" : "");
  const uint64_t digest = train_one(comm, opts, &report);
  print_line(name, digest, report.loss);
}

static bool by_ranks(nnb_algo algo) { return algo != NNB_VARPRO; }

static void train(const nnb_comm *comm) {
  for (int k = NNB_AUTO + 1; k < NNB_N_ALGOS; k++) {
    if (!by_ranks((nnb_algo)k)) continue;
    train_by(comm, (nnb_algo)k, 0, false);
    train_by(comm, (nnb_algo)k, SHARDS, false);
  }
  train_by(comm, NNB_ADAM, 0, true);
  train_by(comm, NNB_LBFGS, 0, true);
  train_by(comm, NNB_LM, 0, true);
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

static nnb_status read_badly(void *user, int64_t row0, int n, const nnb_rows *to) {
  int *left = user;
  if (--*left < 0) return NNB_E_IO;
  for (int i = 0; i < n * N_IN; i++) to->x.p[i] = (real)sin((double)row0 * N_IN + i);
  for (int i = 0; i < n * N_OUT; i++) to->t.p[i] = (real)cos((double)row0 * N_OUT + 3 * i);
  return NNB_OK;
}

static long allocs_left = -1; /* -1: no limit */
static void *limited_alloc(void *user, size_t bytes) {
  (void)user;
  if (allocs_left == 0) return NULL;
  if (allocs_left > 0) allocs_left--;
  return malloc(bytes);
}
static void plain_release(void *user, void *p) { (void)user, free(p); }

static nnb_data *faulty_data(const char *kind, bool faulty, int *left) {
  static real x[N * (N_IN + 1)], t[N * N_OUT];
  const nnb_batch wide = {.x = nnb_cview(x, N, N_IN + 1), .t = nnb_cview(t, N, N_OUT)};
  const nnb_batch huge = {.x = nnb_cview(x, 1, N_IN), .t = nnb_cview(t, 1, N_OUT)};
  const nnb_source source = {.rows = N, .n_in = N_IN, .n_out = N_OUT, .read = read_badly, .user = left};
  nnb_data *data = NULL;
  t[0] = TOL((real)1e300, (real)1e30);
  if (!strcmp(kind, "source"))
    must(nnb_data_from_source(&source, &data));
  else if (faulty && !strcmp(kind, "columns"))
    must(nnb_data_copy(&wide, 0, &data));
  else if (faulty && !strcmp(kind, "diverges"))
    must(nnb_data_copy(&huge, 0, &data));
  else
    data = make_data(0, N);
  return data;
}

static void fail(const nnb_comm *comm, const char *kind) {
  static const nnb_allocator allocator = {limited_alloc, plain_release, NULL};
  const bool faulty = rank == size - 1;
  int left = faulty ? 9 : 1 << 30;
  nnb_data *data = faulty_data(kind, faulty, &left);
  nnb_net *net;
  must(nnb_net_parse("4-9:tanh-3", &net));
  const nnb_fit_opts opts = {.algo = NNB_ADAM,
                             .block = 100,
                             .comm = comm,
                             .own_rows = !strcmp(kind, "columns") || !strcmp(kind, "diverges"),
                             .lr = faulty && !strcmp(kind, "option") ? 0.5 : 0};
  nnb_set_allocator(&allocator);
  if (faulty && !strcmp(kind, "memory")) allocs_left = 20;
  const nnb_status status = nnb_fit(net, data, NULL, &opts, NULL);
  allocs_left = -1;
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
                             .shards = SHARDS,
                             .checkpoint = path,
                             .checkpoint_epochs = 1,
                             .resume = true,
                             .on_epoch = killed ? kill_one : NULL};
  const uint64_t digest = train_one(comm, opts, &report);
  check_equal("resume", digest);
  if (rank == 0) printf("%d %d %016llx\n", report.resumed, report.epochs, (unsigned long long)digest);
}

int main(int argc, char **argv) {
  nnb_comm *comm = NULL;
  const char *what = argc > 1 ? argv[1] : "";
  refused(NNB_E_STATE, nnb_mpi_comm_create(MPI_COMM_WORLD, &comm), comm); /* before MPI_Init */
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  must(nnb_mpi_comm_create(MPI_COMM_WORLD, &comm));
  if (strcmp(what, "train") == 0) train(comm);
  if (strcmp(what, "bad") == 0) bad();
  if (argc > 2 && strcmp(what, "fail") == 0)
    fail(comm, argv[2]);
  else if (argc > 2)
    with_file(comm, argv[2], strcmp(what, "kill") == 0);
  nnb_mpi_comm_destroy(comm);
  MPI_Finalize();
  return 0;
}
