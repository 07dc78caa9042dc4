/* base/ints.h: arithmetic of counts. */
#ifndef NNB__INTS_H
#define NNB__INTS_H

#include <stdint.h>

static inline int nnb__smaller(int a, int b) { return a < b ? a : b; }

/* Where a part's share of n things begins; it ends where the next part's begins. */
static inline int nnb__share(int n, int part, int parts) { return (int)((int64_t)n * part / parts); }

#endif
