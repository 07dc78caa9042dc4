/* mpi/mpi_comm.c: nnb_comm by MPI.  It uses public headers only. */
#include <limits.h>
#include <stdlib.h>

#include "nnblas/mpi.h"

typedef struct mpi_comm {
  nnb_comm table; /* the first member: what the program holds */
  MPI_Comm comm;  /* the duplicate */
} mpi_comm;

static nnb_status check(int error, const char *call) {
  char text[MPI_MAX_ERROR_STRING + 1] = "";
  int length = 0;
  if (error == MPI_SUCCESS) return NNB_OK;
  MPI_Error_string(error, text, &length);
  return nnb_layer_fail(NNB_E_IO, "%s failed: %.300s", call, text);
}

/* MPI counts by int. */
static int part(size_t n) { return n < INT_MAX ? (int)n : INT_MAX; }

/* A sum goes in pieces: between processes of one machine, Open MPI 4.1 and MPICH 4.0 then take 0.6 to 0.8 of the time
 * for 65 MB, because what they copy stays in the caches. */
enum { PIECE = 8 << 20 };

/* MPI recommends, but does not require, that all ranks get the same bits; nnb_fit compares them at the end of each
 * epoch. */
static nnb_status sum_of(const mpi_comm *c, size_t n, char *a, MPI_Datatype type, size_t bytes) {
  nnb_status status = NNB_OK;
  for (size_t k; n > 0 && !status; n -= k, a += k * bytes) {
    k = n < PIECE / bytes ? n : PIECE / bytes;
    status = check(MPI_Allreduce(MPI_IN_PLACE, a, (int)k, type, MPI_SUM, c->comm), "MPI_Allreduce");
  }
  return status;
}

static nnb_status sum(void *user, size_t n, double *a) { return sum_of(user, n, (char *)a, MPI_DOUBLE, sizeof *a); }

static nnb_status sum_float(void *user, size_t n, float *a) { return sum_of(user, n, (char *)a, MPI_FLOAT, sizeof *a); }

static nnb_status broadcast(void *user, int root, size_t bytes, void *p) {
  const mpi_comm *c = user;
  nnb_status status = NNB_OK;
  char *to = p;
  for (size_t k; bytes > 0 && !status; bytes -= k, to += k) {
    k = (size_t)part(bytes);
    status = check(MPI_Bcast(to, part(bytes), MPI_BYTE, root, c->comm), "MPI_Bcast");
  }
  return status;
}

static nnb_status transfer(void *user, int from, int to, size_t bytes, void *p) {
  const mpi_comm *c = user;
  const bool sends = c->table.rank == from;
  nnb_status status = NNB_OK;
  char *at = p;
  for (size_t k; bytes > 0 && !status; bytes -= k, at += k) {
    k = (size_t)part(bytes);
    status = sends ? check(MPI_Send(at, part(bytes), MPI_BYTE, to, 0, c->comm), "MPI_Send")
                   : check(MPI_Recv(at, part(bytes), MPI_BYTE, from, 0, c->comm, MPI_STATUS_IGNORE), "MPI_Recv");
  }
  return status;
}

static nnb_status check_running(void) {
  int begun = 0, ended = 0;
  MPI_Initialized(&begun);
  MPI_Finalized(&ended);
  if (begun && !ended) return NNB_OK;
  return nnb_layer_fail(NNB_E_STATE, "%s", ended ? "MPI_Finalize was called" : "MPI_Init was not called");
}

static nnb_status duplicate(MPI_Comm comm, mpi_comm *c) {
  int between = 0;
  nnb_status status = check(MPI_Comm_test_inter(comm, &between), "MPI_Comm_test_inter");
  if (!status && between)
    return nnb_layer_fail(NNB_E_ARG, "comm is an intercommunicator; wanted the ranks of one group");
  if (!status) status = check(MPI_Comm_dup(comm, &c->comm), "MPI_Comm_dup");
  if (!status) status = check(MPI_Comm_rank(c->comm, &c->table.rank), "MPI_Comm_rank");
  return status ? status : check(MPI_Comm_size(c->comm, &c->table.size), "MPI_Comm_size");
}

nnb_status nnb_mpi_comm_create(MPI_Comm comm, nnb_comm **out) {
  if (!out) return nnb_layer_fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  nnb_status status = check_running();
  if (status) return status;
  if (comm == MPI_COMM_NULL) return nnb_layer_fail(NNB_E_ARG, "comm is MPI_COMM_NULL");
  mpi_comm *c = malloc(sizeof *c);
  if (!c) return nnb_layer_fail(NNB_E_NOMEM, "out of memory: a communicator");
  *c =
      (mpi_comm){.table = {.user = c, .sum = sum, .sum_float = sum_float, .broadcast = broadcast, .transfer = transfer},
                 .comm = MPI_COMM_NULL};
  if ((status = duplicate(comm, c)))
    nnb_mpi_comm_destroy(&c->table);
  else
    *out = &c->table;
  return status;
}

void nnb_mpi_comm_destroy(nnb_comm *comm) {
  mpi_comm *c = (mpi_comm *)comm;
  if (!c) return;
  if (c->comm != MPI_COMM_NULL) MPI_Comm_free(&c->comm);
  free(c);
}
