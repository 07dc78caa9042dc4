/* base/ints.h: arithmetic of counts. */
#ifndef NNB__INTS_H
#define NNB__INTS_H

#include <stdint.h>

static inline int nnb__smaller(int a, int b) { return a < b ? a : b; }

/* The number of rows in the next chunk, when `done` of n rows are done: at most `most`, 0 at the end.  `done` grows by
 * this result, so no sum overflows, even for n near INT_MAX. */
static inline int nnb__chunk(int n, int done, int most) { return nnb__smaller(n - done, most); }

/* The first of the n things in a part's share; the share ends where the next part's begins. */
static inline int nnb__share(int n, int part, int parts) { return (int)((int64_t)n * part / parts); }

/* The part whose share has thing i of n. */
static inline int nnb__part_with(int n, int i, int parts) { return (int)((((int64_t)i + 1) * parts - 1) / n); }

/* n rounded up to whole groups, or down where that would not be an int. */
static inline int nnb__in_groups(int n, int group) {
  const int rest = n % group;
  if (rest == 0) return n;
  return n > INT32_MAX - group ? n - rest : n - rest + group;
}

#endif
