/* train/progress.h: a line of progress on a stream that was handed in. */
#ifndef NNB__PROGRESS_H
#define NNB__PROGRESS_H

#include "real.h"

/* Writes a line about an epoch to opts->progress (NULL: nothing), at most five a second, and always the last. */
void nnb__progress(const nnb_fit_opts *opts, const nnb_record *record, bool last);

#endif
