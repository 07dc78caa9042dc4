/* base/status.h: failing with a sentence. */
#ifndef NNB__STATUS_H
#define NNB__STATUS_H

#include "nnblas/core.h"

/* Stores the message for nnb_errmsg() and returns status.  Long messages are cut. */
nnb_status nnb__fail(nnb_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* NNB_E_NOMEM with "out of memory: <what>". */
nnb_status nnb__fail_nomem(const char *what);

#endif
