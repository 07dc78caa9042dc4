/* train/progress.c */
#include "progress.h"

void nnb__progress(const nnb_fit_opts *opts, const nnb_record *rec, bool last) {
  static const double interval = 0.2; /* seconds */
  if (!opts->progress) return;
  double before = rec->total_seconds - rec->seconds; /* about when the line before was due */
  bool due = floor(before / interval) < floor(rec->total_seconds / interval) || rec->epoch == 1;
  if (!due && !last) return;
  fprintf(opts->progress, "epoch %d  loss %.6g", rec->epoch, rec->loss);
  if (!isnan(rec->val_loss)) fprintf(opts->progress, "  validation %.6g", rec->val_loss);
  double rate = rec->seconds > 0 ? (double)rec->samples / rec->seconds : 0;
  fprintf(opts->progress, "  %.3g samples/s  %.1f s\n", rate, rec->total_seconds);
  fflush(opts->progress);
}
