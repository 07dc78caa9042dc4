/* base/status.h: failing with a sentence. */
#ifndef NNB__STATUS_H
#define NNB__STATUS_H

#include "nnblas/core.h"

enum { NNB__MESSAGE = 512 };

/* Stores the message for nnb_errmsg() and returns status.  Of a long message the
 * middle is left out, which is where a long path is: it begins with where and ends with why. */
nnb_status nnb__fail(nnb_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many messages this thread has stored: whether a function of the caller's left one. */
unsigned nnb__fail_count(void);
/* The error of a function of the caller's, called `what`.  Its own message stays if it left one since `before`.  A
 * positive status is none, and becomes NNB_E_ARG. */
nnb_status nnb__fail_callback(nnb_status status, const char *what, unsigned before);

/* NNB_E_NOMEM with "out of memory: <what>". */
nnb_status nnb__fail_nomem(const char *what);
/* NNB_E_IO with "<path>: <doing> failed: <the reason that error, from errno, stands for>"; NNB_E_NOMEM for ENOMEM. */
nnb_status nnb__fail_errno(const char *path, const char *doing, int error);

#endif
