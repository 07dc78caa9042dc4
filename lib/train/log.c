/* train/log.c: see log.h.  A row is one write; what a failed one has left is cut off again. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "status.h"
#include "text.h"

static nnb_status fail(const char *path, const char *what) {
  return nnb__fail(NNB_E_IO, "%s: cannot %s the log: %s", path, what, strerror(errno));
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static void put(char row[NNB__LOG_ROW], const char *a, const char *b, const char *c) {
  const size_t used = strlen(row);
  snprintf(row + used, NNB__LOG_ROW - used, "%s%s%s", a, b, c);
}

/* NaN is an empty field. */
static void put_number(char row[NNB__LOG_ROW], double x) {
  char text[NNB__DOUBLE_TEXT] = "";
  if (!isnan(x)) nnb__double_to_text(x, text);
  put(row, ",", text, "");
}

void nnb__log_head(unsigned metrics, unsigned train_metrics, bool validated, char out[NNB__LOG_ROW]) {
  *out = '\0';
  put(out, "epoch,updates,samples,loss,val_loss,seconds,total_seconds,lr", "", "");
#define NAME(metric, value, text) \
  if (metrics & value) put(out, ",", validated ? "val_" : "", text);
  NNB_METRIC_LIST(NAME)
#undef NAME
#define NAME(metric, value, text) \
  if (validated && (train_metrics & value)) put(out, ",", text, "");
  NNB_METRIC_LIST(NAME)
#undef NAME
  put(out, "\n", "", "");
}

static void make_row(const nnb_record *r, bool validated, char row[NNB__LOG_ROW]) {
  snprintf(row, NNB__LOG_ROW, "%d,%" PRId64 ",%" PRId64, r->epoch, r->updates, r->samples);
  const double numbers[] = {r->loss, r->val_loss, r->seconds, r->total_seconds, r->lr};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) put_number(row, numbers[i]);
#define VALUE(metric, value, text) \
  if (r->metrics & value) put_number(row, nnb_record_metric(r, metric));
  NNB_METRIC_LIST(VALUE)
#undef VALUE
#define VALUE(metric, value, text) \
  if (validated && (r->train_metrics & value)) put_number(row, nnb_record_train_metric(r, metric));
  NNB_METRIC_LIST(VALUE)
#undef VALUE
  put(row, "\n", "", "");
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* The bytes that are there at `at`, at most n; -1: an error. */
static ssize_t read_at(const nnb__log *log, off_t at, char *out, size_t n) {
  ssize_t got;
  do got = pread(log->fd, out, n, at);
  while (got < 0 && errno == EINTR);
  return got;
}

static nnb_status check_head(const nnb__log *log, const char *head) {
  char first[NNB__LOG_ROW];
  const size_t n = strlen(head);
  const ssize_t got = read_at(log, 0, first, n);
  if (got < 0) return fail(log->path, "read");
  if (got == 0 || ((size_t)got == n && memcmp(first, head, n) == 0)) return NNB_OK;
  return nnb__fail(NNB_E_ARG, "%s cannot be continued: its first row is not %.*s", log->path, (int)n - 1, head);
}

nnb_status nnb__log_open(nnb__log *log, const char *path, const char *head) {
  struct stat facts;
  *log = (nnb__log){0};
  if (!*path) return nnb__fail(NNB_E_ARG, "log is an empty path");
  const bool there = access(path, F_OK) == 0;
  log->fd = open(path, (head ? O_RDWR : O_WRONLY) | O_CREAT | O_CLOEXEC, 0666);
  if (log->fd < 0) return fail(path, "open");
  log->path = path, log->created = !there;
  if (fstat(log->fd, &facts) != 0 || !S_ISREG(facts.st_mode)) log->end = -1;
  nnb_status status = head && log->end == 0 ? check_head(log, head) : NNB_OK;
  if (status) nnb__log_close(log);
  return status;
}

/* Writes all of the text, or nothing, and ends the log. */
static void append(nnb__log *log, const char *text) {
  const size_t n = strlen(text);
  for (size_t done = 0; done < n;) {
    const ssize_t wrote = write(log->fd, text + done, n - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      log->status = fail(log->path, "write");
      if (log->end >= 0 && ftruncate(log->fd, log->end) != 0) log->end = -1; /* the row stays incomplete */
      return;
    }
    done += (size_t)wrote;
  }
  log->created = false;
  if (log->end >= 0) log->end += (off_t)n;
}

/* The end of the last whole row of an epoch up to this one, after the head. */
static off_t end_of_rows(const nnb__log *log, int epoch) {
  char part[4096];
  off_t at = 0, keep = 0;
  long row = 0; /* its epoch, as far as it was read */
  bool number = true, head = true;
  for (ssize_t n; (n = read_at(log, at, part, sizeof part)) > 0; at += n)
    for (ssize_t i = 0; i < n; i++) {
      if (part[i] == '\n') {
        if (!head && (row < 1 || row > epoch)) return keep;
        keep = at + i + 1, row = 0, number = true, head = false;
      } else if (part[i] < '0' || part[i] > '9') {
        number = false;
      } else if (number && row <= epoch) {
        row = 10 * row + (part[i] - '0');
      }
    }
  return keep;
}

void nnb__log_begin(nnb__log *log, const char *head, int epoch) {
  if (!log->path) return;
  const bool continued = epoch > 0 && log->end == 0;
  off_t keep = continued ? end_of_rows(log, epoch) : 0;
  if (log->end == 0 && (ftruncate(log->fd, keep) != 0 || lseek(log->fd, keep, SEEK_SET) < 0)) {
    log->status = fail(log->path, "write");
    return;
  }
  if (log->end == 0) log->end = keep;
  if (keep == 0) append(log, head);
}

void nnb__log_row(nnb__log *log, const nnb_record *record, bool validated) {
  char row[NNB__LOG_ROW];
  if (!log->path || log->status) return;
  make_row(record, validated, row);
  append(log, row);
}

void nnb__log_close(nnb__log *log) {
  if (!log->path) return;
  if (log->created) unlink(log->path);
  close(log->fd);
  *log = (nnb__log){0};
}
