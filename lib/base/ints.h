/* base/ints.h: arithmetic of counts. */
#ifndef NNB__INTS_H
#define NNB__INTS_H

#include <stdint.h>

static inline int nnb__smaller(int a, int b) { return a < b ? a : b; }

/* How many rows the next chunk has where `done` of n are done: at most `most`, 0 at the end.  With `done` counted up by
 * what this returns no sum overflows, also for n near INT_MAX. */
static inline int nnb__chunk(int n, int done, int most) { return nnb__smaller(n - done, most); }

/* Where a part's share of n things begins; it ends where the next part's begins. */
static inline int nnb__share(int n, int part, int parts) { return (int)((int64_t)n * part / parts); }

#endif
