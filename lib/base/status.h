/* base/status.h: statuses with messages. */
#ifndef NNB__STATUS_H
#define NNB__STATUS_H

#include "nnblas/core.h"

enum { NNB__MESSAGE = 512 };

/* Stores the message for nnb_errmsg() and returns status.  A message that is too long loses its middle, which is
 * usually part of a path. */
nnb_status nnb__fail(nnb_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The number of messages that this thread has stored; shows whether a caller's function has set one. */
unsigned nnb__fail_count(void);
/* The error of a caller's function named `what`.  Its own message stays if it has set one since the count `before`.  A
 * positive status becomes NNB_E_ARG. */
nnb_status nnb__fail_callback(nnb_status status, const char *what, unsigned before);

/* NNB_E_NOMEM with "out of memory: <what>". */
nnb_status nnb__fail_nomem(const char *what);
/* NNB_E_IO with "<path>: <doing> failed: <text of the errno value error>"; NNB_E_NOMEM for ENOMEM. */
nnb_status nnb__fail_errno(const char *path, const char *doing, int error);

#ifdef __clang_analyzer__ /* which sees only this file, and not that these return no NNB_OK */
#define nnb__fail(status, ...) (nnb__fail(status, __VA_ARGS__), (status))
#define nnb__fail_nomem(what)  (nnb__fail_nomem(what), NNB_E_NOMEM)
#endif

#endif
