/* opt/keep.h: the state of a minimiser at the ends of its iterations, for checkpoints. */
#ifndef NNB__KEEP_H
#define NNB__KEEP_H

#include "state.h"
#include "stop.h"

/* Names every number and array of self that the next iterations depend on. */
typedef void nnb__visit(void *self, nnb__visitor *s);

typedef struct nnb__keep {
  /* set by the caller of the minimiser */
  void (*write)(void *user, bool ended); /* called where the state is whole, to save it with nnb__keep_visit */
  void *user;
  const nnb__bag *from; /* a saved state to continue from, or NULL; NULL once it is loaded */
  bool finished;        /* the saved run had reached a limit of the caller: nothing is added to it */
  /* set by the minimiser */
  nnb__stop *stop;
  nnb__visit *visit;
  void *self;
  int64_t iterations; /* of the loaded state */
} nnb__keep;

/* The whole state: that of the stopping rule and of the method. */
void nnb__keep_visit(nnb__keep *k, nnb__visitor *s);

/* Whether stop->keep has a state to continue from. */
bool nnb__keep_resumes(const nnb__stop *stop);
/* Before the first iteration of a method, or of another phase of it.  *resumed: self has the saved state.  NNB_E_PARSE
 * for a malformed one; then self is unchanged. */
nnb_status nnb__keep_begin(nnb__stop *stop, nnb__visit *visit, void *self, bool *resumed);
/* Memory of a minimiser, zeroed if it may be saved. */
void *nnb__keep_memory(const nnb__stop *stop, size_t bytes);
/* Before each iteration: the state may be saved, if an iteration has been made since it was loaded.  False if there is
 * none: the stopping rule has ended the search, or ended is true. */
bool nnb__keep_goes_on(nnb__stop *stop, bool ended);

#endif
