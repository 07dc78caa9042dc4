/* train/progress.c */
#include "progress.h"

#include "text.h"

void nnb__progress(const nnb_fit_opts *opts, const nnb_record *rec, bool last) {
  static const double interval = 0.2; /* seconds */
  if (!opts->progress) return;
  double before = rec->total_seconds - rec->seconds; /* about the time when the previous line was due */
  bool due = floor(before / interval) < floor(rec->total_seconds / interval) || rec->epoch == 1;
  if (!due && !last) return;
  double rate = rec->seconds > 0 ? (double)rec->samples / rec->seconds : 0;
  char validation[60] = "", line[200];
  if (!isnan(rec->val_loss)) nnb__format(validation, sizeof validation, "  validation %.6g", rec->val_loss);
  nnb__format(line, sizeof line, "epoch %d  loss %.6g%s  %.3g samples/s  %.1f s\n", rec->epoch, rec->loss, validation,
              rate, rec->total_seconds);
  fputs(line, opts->progress);
  fflush(opts->progress);
}
