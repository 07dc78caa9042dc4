/* train/report.c: what a fit did, in words.  Compiled once. */
#include <math.h>

#include "nnblas/core.h"
#include "text.h"

#define CHOICE(name, text) [name] = text,
static const char *const choices[] = {NNB_CHOICE_LIST(CHOICE)};
#undef CHOICE

static void say(FILE *stream, const char *what, double value) {
  char number[40];
  nnb__format(number, sizeof number, "%.6g", value);
  fprintf(stream, "%s%s", what, number);
}

static void say_choice(const nnb_report *r, FILE *stream) {
  const bool known = (int)r->choice >= 0 && r->choice < NNB_N_CHOICES;
  fprintf(stream, "chosen: %s", known ? choices[r->choice] : "?");
  if (r->trials > 0) fprintf(stream, "; %d trial%s", r->trials, r->trials == 1 ? "" : "s");
  if (r->held_rows > 0) fprintf(stream, "; %d row%s held out", r->held_rows, r->held_rows == 1 ? "" : "s");
  if (r->held_loss > 0 && isfinite(r->held_loss))
    say(stream, "; held-out loss ", r->held_loss), fputs(" of a constant prediction's", stream);
  if (r->starts > 1) fprintf(stream, "; start %d of %d", r->start + 1, r->starts);
  fputs("\n", stream);
}

static void say_method(const nnb_report *r, FILE *stream) {
  fprintf(stream, "method: %s, %d row%s per update", nnb_algo_name(r->algo), r->batch, r->batch == 1 ? "" : "s");
  if (r->lr > 0) say(stream, ", learning rate ", r->lr);
  if (r->l2 > 0) say(stream, ", decay ", r->l2);
  if (r->evidence.beta > 0) say(stream, ", alpha ", r->evidence.alpha), say(stream, ", beta ", r->evidence.beta);
  if (r->evidence.beta > 0) say(stream, ", log evidence ", r->evidence.log_evidence);
  fputs("\n", stream);
}

static void say_checkpoints(const nnb_report *r, FILE *stream) {
  static const char differs[] =
      "; threads, chunks, kernels or BLAS are not those of the checkpoint, so the numbers may differ by rounding "
      "from those of a run without interruption";
  if (r->resumed > 0) fprintf(stream, "resumed: after epoch %d%s\n", r->resumed, r->bits_may_differ ? differs : "");
  if (r->checkpoint_status)
    fprintf(stream, "no checkpoint: the last one could not be written (%s)\n", nnb_strstatus(r->checkpoint_status));
  if (r->log_status) fprintf(stream, "no whole log: a row could not be written (%s)\n", nnb_strstatus(r->log_status));
}

static void say_end(const nnb_report *r, FILE *stream) {
  fprintf(stream, "end: %s after %d epoch%s", nnb_stop_text(r->stop), r->epochs, r->epochs == 1 ? "" : "s");
  say(stream, ", ", r->seconds);
  fputs(" s\n", stream);
  if (r->second_start > 0)
    fprintf(stream, "second descent: from the start after epoch %d, with a decay that fell to 0; it ended %s\n",
            r->second_start, r->best_epoch > r->second_start ? "lower" : "no lower");
  if (r->epochs == 0) return;
  say(stream, "loss: training ", r->loss);
  if (!isnan(r->val_loss)) say(stream, ", validation ", r->val_loss);
  if (r->restored && !isnan(r->val_loss)) {
    fprintf(stream, "; the parameters are those of epoch %d", r->best_epoch);
    say(stream, ", validation ", r->best_loss);
  }
  fputs("\n", stream);
}

void nnb_report_print(const nnb_report *report, FILE *stream) {
  if (!report || !stream) return;
  say_choice(report, stream);
  say_method(report, stream);
  say_end(report, stream);
  say_checkpoints(report, stream);
}
