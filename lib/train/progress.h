/* train/progress.h: progress lines on the caller's stream. */
#ifndef NNB__PROGRESS_H
#define NNB__PROGRESS_H

#include "real.h"

/* Writes a line about an epoch to opts->progress (NULL: nothing), at most five per second, and always the last one. */
void nnb__progress(const nnb_fit_opts *opts, const nnb_record *record, bool last);

#endif
