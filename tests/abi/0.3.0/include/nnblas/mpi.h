/** nnblas/mpi.h: training by the ranks of an MPI communicator: the library libnnblas-mpi, beside libnnblas.
 *
 *    #include <mpi.h>
 *    #include <nnblas.h>
 *    #include <nnblas/mpi.h>
 *
 *    nnb_comm *comm;
 *    if (nnb_mpi_comm_create(MPI_COMM_WORLD, &comm)) …
 *    status = nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_ADAM, .comm = comm}, &report);
 *    nnb_mpi_comm_destroy(comm);
 *
 *  docs/scale.md has a complete program, and how to compile and start it.                                            */
#ifndef NNBLAS_MPI_H
#define NNBLAS_MPI_H

#include <mpi.h>

#include "nnblas/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Makes what nnb_fit_opts.comm takes from a duplicate of an MPI communicator.  Collective: all ranks of it call this,
 *  between MPI_Init and MPI_Finalize; the library calls neither.  The thread that calls nnb_fit makes all calls
 *  of MPI, so MPI_THREAD_FUNNELED suffices, or MPI_Init where that is the main thread.  Errors of MPI are handled
 *  as the communicator says, which is to end the program unless it was changed; if they are returned, NNB_E_IO with
 *  MPI's message.
 *  NNB_E_ARG: out is NULL, MPI_COMM_NULL or an intercommunicator; NNB_E_STATE: MPI has not begun or has ended;
 *  NNB_E_NOMEM.  *out is then NULL.                                                                                  */
NNB_API nnb_status nnb_mpi_comm_create(MPI_Comm comm, nnb_comm **out);

/** Releases it with the duplicate.  Collective, before MPI_Finalize.  NULL is accepted. */
NNB_API void nnb_mpi_comm_destroy(nnb_comm *comm);

#ifdef __cplusplus
}
#endif
#endif
