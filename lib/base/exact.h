/* base/exact.h: whether this thread computes in the defined arithmetic of docs/arithmetic.md.  A call for a net or a
 * plan that wants it sets this at its start and puts it back at its end; the team hands it on to its threads. */
#ifndef NNB__EXACT_H
#define NNB__EXACT_H

#include <stdbool.h>

/* Read for every product and kernel, so without the call that a thread's variables of a shared library usually take. */
extern _Thread_local bool nnb__exact_here __attribute__((visibility("hidden"), tls_model("initial-exec")));

static inline bool nnb__exact(void) { return nnb__exact_here; }

/* Returns what it was. */
static inline bool nnb__exact_set(bool on) {
  const bool was = nnb__exact_here;
  nnb__exact_here = on;
  return was;
}

#endif
