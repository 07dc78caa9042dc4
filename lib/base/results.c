/* base/results.c: results as text, for programs that do not know the structs.  Made from the list results.def. */
#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "names.h"
#include "nearest.h"
#include "options.h"
#include "status.h"
#include "text.h"

/* ---- the list --------------------------------------------------------------------------------------------------- */

typedef enum result_type { INT, LONG, REAL, BOOL, ALGO, STOP, CHOICE, STATUS, METRICS, SEED, TEXT } result_type;

/* The number of each struct: its place in structs[]. */
enum {
  nnb_record_at,
  nnb_report_at,
  nnb_training_at,
  nnb_metrics_at,
  nnb_min_record_at,
  nnb_min_report_at,
  nnb_sums_at,
  N_STRUCTS
};

static const struct {
  const char *name;
  size_t size;
} structs[] = {
    [nnb_record_at] = {"nnb_record", sizeof(nnb_record)},
    [nnb_report_at] = {"nnb_report", sizeof(nnb_report)},
    [nnb_training_at] = {"nnb_training", sizeof(nnb_training)},
    [nnb_metrics_at] = {"nnb_metrics", sizeof(nnb_metrics)},
    [nnb_min_record_at] = {"nnb_min_record", sizeof(nnb_min_record)},
    [nnb_min_report_at] = {"nnb_min_report", sizeof(nnb_min_report)},
    [nnb_sums_at] = {"nnb_sums", sizeof(nnb_sums)},
};

typedef struct entry {
  int of; /* number of its struct */
  const char *name;
  result_type type;
  size_t offset;
} entry;

#define RESULT(structure, field, t) {structure##_at, #field, t, offsetof(structure, field)},
static const entry list[] = {
#include "results.def"
};
enum { N_RESULTS = sizeof list / sizeof *list };

/* The types in the list must be those of the fields. */
#define IS_INT(p)     _Generic((p), int * : 1, default : 0)
#define IS_LONG(p)    _Generic((p), int64_t * : 1, default : 0)
#define IS_REAL(p)    _Generic((p), double * : 1, default : 0)
#define IS_BOOL(p)    _Generic((p), bool * : 1, default : 0)
#define IS_ALGO(p)    _Generic((p), nnb_algo * : 1, default : 0)
#define IS_STOP(p)    _Generic((p), nnb_stop * : 1, default : 0)
#define IS_CHOICE(p)  _Generic((p), nnb_choice * : 1, default : 0)
#define IS_STATUS(p)  _Generic((p), nnb_status * : 1, default : 0)
#define IS_METRICS(p) _Generic((p), unsigned * : 1, default : 0)
#define IS_SEED(p)    _Generic((p), uint64_t * : 1, default : 0)
#define IS_TEXT(p)    _Generic((p), char(*)[16] : 1, default : 0)
#define RESULT(structure, field, t) \
  static_assert(IS_##t(&((structure *)0)->field), "results.def has another type than core.h for " #field);
#include "results.def"

static int find_struct(const char *name) {
  char hint[NNB__HINT];
  nnb__nearest nearest = {0};
  for (int i = 0; i < N_STRUCTS; i++) {
    if (strcmp(structs[i].name, name) == 0) return i;
    nnb__nearest_try(&nearest, name, strlen(name), structs[i].name);
  }
  nnb__fail(NNB_E_ARG, "\"%.60s\" is not a struct of results%s", name, nnb__nearest_hint(&nearest, hint));
  return -1;
}

static const entry *find_field(int of, const char *name) {
  char hint[NNB__HINT];
  nnb__nearest nearest = {0};
  for (int i = 0; i < N_RESULTS; i++) {
    if (list[i].of != of) continue;
    if (strcmp(list[i].name, name) == 0) return &list[i];
    nnb__nearest_try(&nearest, name, strlen(name), list[i].name);
  }
#define TRY(metric, value, text) \
  if (of == nnb_record_at) nnb__nearest_try(&nearest, name, strlen(name), text);
  NNB_METRIC_LIST(TRY)
#undef TRY
  nnb__fail(NNB_E_ARG, "\"%.60s\" is not a field of %s%s", name, structs[of].name, nnb__nearest_hint(&nearest, hint));
  return NULL;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

/* The enumerators without their first letters, "NNB_STOP_TARGET" as "TARGET". */
#define AFTER_STOP(name, text)       &#name[sizeof "NNB_STOP_" - 1],
#define AFTER_CHOICE(name, text)     &#name[sizeof "NNB_CHOICE_" - 1],
#define AFTER_NNB(name, value, text) &#name[sizeof "NNB_" - 1],
static const char *const stops[] = {NNB_STOP_LIST(AFTER_STOP)};
static const char *const choices[] = {NNB_CHOICE_LIST(AFTER_CHOICE)};
static const char *const statuses[] = {NNB_STATUS_LIST(AFTER_NNB)}; /* of 0, -1, -2, ... */

enum { MOST_VALUE = NNB__OPTION_TEXT };
static_assert((int)MOST_VALUE >= (int)NNB__DOUBLE_TEXT, "a number fits");

static void lower(const char *const *names, size_t n, int value, char out[MOST_VALUE]) {
  snprintf(out, MOST_VALUE, "%s", value >= 0 && (size_t)value < n ? names[value] : "?");
  for (char *c = out; *c; c++) *c = (char)tolower((unsigned char)*c);
}
#define LOWER(names, value, out) lower(names, sizeof names / sizeof *names, (int)(value), out)

static const char train_prefix[] = "train_"; /* of the names of metrics on the training data */

/* A metric of a record: of .train_metrics or of .metrics. */
static double metric_of(const nnb_record *r, nnb_metric metric, bool train) {
  return train ? nnb_record_train_metric(r, metric) : nnb_record_metric(r, metric);
}

static double number(const entry *r, const void *at) {
  const void *p = (const char *)at + r->offset;
  switch (r->type) {
    case REAL:
      return *(const double *)p;
    case LONG:
      return (double)*(const int64_t *)p;
    case BOOL:
      return *(const bool *)p;
    case METRICS:
      return *(const unsigned *)p;
    case SEED:
      return (double)*(const uint64_t *)p;
    case TEXT:
      return 0;
    default: /* enumerations are ints */
      return *(const int *)p;
  }
}

static void show_real(double value, char out[MOST_VALUE]) {
  if (isnan(value))
    strcpy(out, "nan"); /* not "-nan" */
  else
    nnb__double_to_text(value, out);
}

static void show(const entry *r, const void *at, char out[MOST_VALUE]) {
  const double value = number(r, at);
  switch (r->type) {
    case REAL:
      show_real(value, out);
      break;
    case INT:
      snprintf(out, MOST_VALUE, "%d", (int)value);
      break;
    case LONG:
      snprintf(out, MOST_VALUE, "%" PRId64, *(const int64_t *)((const char *)at + r->offset));
      break;
    case BOOL:
      snprintf(out, MOST_VALUE, "%s", value != 0 ? "true" : "false");
      break;
    case ALGO:
      snprintf(out, MOST_VALUE, "%s", nnb_algo_name((nnb_algo)(int)value));
      break;
    case STOP:
      LOWER(stops, value, out);
      break;
    case CHOICE:
      LOWER(choices, value, out);
      break;
    case METRICS:
      nnb__metrics_text(*(const unsigned *)((const char *)at + r->offset), out);
      break;
    case STATUS:
      LOWER(statuses, -value, out);
      break;
    case SEED:
      snprintf(out, MOST_VALUE, "%" PRIu64, *(const uint64_t *)((const char *)at + r->offset));
      break;
    case TEXT: /* one line, whoever wrote it */
      snprintf(out, MOST_VALUE, "%.15s", (const char *)at + r->offset);
      for (char *c = out; *c; c++)
        if (iscntrl((unsigned char)*c)) *c = '?';
      break;
  }
}

/* ---- the public calls ------------------------------------------------------------------------------------------- */

/* Writes the line "name=value", with a prefix, at out + used, unless out is NULL; returns the length up to its end. */
static size_t put_line(char *out, size_t used, const char *prefix, const char *name, const char *value) {
  const size_t n = strlen(prefix) + strlen(name) + strlen(value) + 2;
  if (out) snprintf(out + used, n + 1, "%s%s=%s\n", prefix, name, value);
  return used + n;
}

/* The lines of a record's metrics, "f1=0.5" or "train_f1=0.5". */
static size_t put_metrics(char *out, size_t used, const nnb_record *r, bool train) {
  const unsigned flags = train ? r->train_metrics : r->metrics;
  char value[MOST_VALUE];
  const char *name;
  for (int i = 0; (name = nnb__metric_at(i)); i++) {
    const unsigned metric = nnb__metric_flag(name);
    if (!(flags & metric)) continue;
    show_real(metric_of(r, (nnb_metric)metric, train), value);
    used = put_line(out, used, train ? train_prefix : "", name, value);
  }
  return used;
}

/* Writes all lines of a struct, unless out is NULL; returns their length. */
static size_t write(int of, const void *from, char *out) {
  char value[MOST_VALUE];
  size_t used = 0;
  for (int i = 0; i < N_RESULTS; i++) {
    if (list[i].of != of) continue;
    show(&list[i], from, value);
    used = put_line(out, used, "", list[i].name, value);
  }
  if (of != nnb_record_at) return used;
  used = put_metrics(out, used, from, false);
  return put_metrics(out, used, from, true);
}

nnb_status nnb_result_create(const char *name, void **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!name) return nnb__fail(NNB_E_ARG, "name is NULL");
  const int of = find_struct(name);
  if (of < 0) return NNB_E_ARG;
  *out = nnb__zalloc(1, structs[of].size);
  return *out ? NNB_OK : nnb__fail_nomem(name);
}

nnb_status nnb_result_print(const char *name, const void *result, char **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!name || !result) return nnb__fail(NNB_E_ARG, "name or result is NULL");
  const int of = find_struct(name);
  if (of < 0) return NNB_E_ARG;
  char *text = nnb__alloc(write(of, result, NULL) + 1, 1);
  if (!text) return nnb__fail_nomem("a result as text");
  write(of, result, text);
  *out = text;
  return NNB_OK;
}

/* A metric, "f1" or "train_f1", of every record. */
static bool copy_metric(const nnb_report *report, const char *field, double *out) {
  const bool train = strncmp(field, train_prefix, strlen(train_prefix)) == 0;
  const nnb_metric metric = (nnb_metric)nnb__metric_flag(train ? field + strlen(train_prefix) : field);
  if (!metric) return false;
  for (int i = 0; i < report->n_history; i++) out[i] = metric_of(&report->history[i], metric, train);
  return true;
}

nnb_status nnb_report_history(const nnb_report *report, const char *field, double *out) {
  if (!report || !field || !out) return nnb__fail(NNB_E_ARG, "report, field or out is NULL");
  if (copy_metric(report, field, out)) return NNB_OK;
  const entry *r = find_field(nnb_record_at, field);
  if (!r) return NNB_E_ARG;
  for (int i = 0; i < report->n_history; i++) out[i] = number(r, &report->history[i]);
  return NNB_OK;
}
