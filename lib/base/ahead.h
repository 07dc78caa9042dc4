/* base/ahead.h: one job at a time in a thread of its own, while the caller goes on. */
#ifndef NNB__AHEAD_H
#define NNB__AHEAD_H

#include "nnblas/core.h"

typedef struct nnb__ahead nnb__ahead;

/* *out NULL and NNB_OK: no thread could be started.  NNB_E_NOMEM. */
nnb_status nnb__ahead_create(nnb__ahead **out);
/* Waits for the job.  NULL is accepted. */
void nnb__ahead_destroy(nnb__ahead *ahead);

/* Starts fn(context); the job before it must have been waited for.  In a process forked since the thread was made, fn
 * runs within nnb__ahead_wait. */
void nnb__ahead_start(nnb__ahead *ahead, nnb_status (*fn)(void *context), void *context);
/* What fn returned.  If it failed, its message is the calling thread's. */
nnb_status nnb__ahead_wait(nnb__ahead *ahead);

#endif
