/* num/state.h: the state of a training in a bag.  A part of the library describes its state once, in a function that
 * names every number and array; the same function saves, checks and loads it. */
#ifndef NNB__STATE_H
#define NNB__STATE_H

#include "bag.h"
#include "real.h"

typedef enum nnb__state_way { NNB__STATE_SAVE, NNB__STATE_CHECK, NNB__STATE_LOAD } nnb__state_way;

typedef struct nnb__visitor {
  nnb__state_way way;
  nnb__bag *out;      /* SAVE: the parts are put here; its tensors borrow the memory of the arrays */
  const nnb__bag *in; /* CHECK, LOAD: from a file that is not trusted */
  nnb_status status;  /* of the first part that is missing or not as wanted: NNB_E_PARSE; later parts do nothing */
} nnb__visitor;

/* In the bag the numbers have the names nnblas.state.NAME, the arrays nnblas.state/NAME.  CHECK looks at everything and
 * changes nothing; LOAD, after a CHECK of the same bag, cannot fail. */
void nnb__state_reals(nnb__visitor *s, const char *name, size_t n, real *p);
void nnb__state_doubles(nnb__visitor *s, const char *name, size_t n, double *p);
/* In the range [least, most]; not NaN. */
void nnb__state_number(nnb__visitor *s, const char *name, double least, double most, double *p);
void nnb__state_whole(nnb__visitor *s, const char *name, int64_t least, int64_t most, int64_t *p);
void nnb__state_size(nnb__visitor *s, const char *name, size_t most, size_t *p);
void nnb__state_int(nnb__visitor *s, const char *name, int least, int most, int *p);
void nnb__state_flag(nnb__visitor *s, const char *name, bool *p);

#endif
