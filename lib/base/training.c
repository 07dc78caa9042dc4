/* base/training.c: see training.h. */
#include "training.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "status.h"
#include "text.h"

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static const char *bad_number(const nnb_training *t) {
  if (t->epochs < 0 || t->updates < 0) return "epochs or updates is below 0";
  if (t->best_epoch < 0 || t->best_epoch > t->epochs) return "best_epoch is not one from 0 to epochs";
  if (t->rows < 0 || t->val_rows < 0 || t->score_rows < 0) return "a number of rows is below 0";
  return NULL;
}

nnb_status nnb__training_check(const nnb_training *t) {
  const char *bad = bad_number(t);
  if (bad) return nnb__fail(NNB_E_ARG, "training: %s", bad);
  if ((int)t->algo < 0 || t->algo >= NNB_N_ALGOS)
    return nnb__fail(NNB_E_ARG, "training: algo is %d; wanted an nnb_algo", (int)t->algo);
  if (t->metric && strcmp(nnb_metric_name((nnb_metric)t->metric), "?") == 0)
    return nnb__fail(NNB_E_ARG, "training: metric is %u; wanted one nnb_metric, or 0", t->metric);
  if (!memchr(t->version, '\0', sizeof t->version))
    return nnb__fail(NNB_E_ARG, "training: version is longer than %zu letters", sizeof t->version - 1);
  for (size_t i = 0; i < sizeof t->reserved / sizeof *t->reserved; i++)
    if (t->reserved[i])
      return nnb__fail(NNB_E_ARG, "nnb_training: a reserved word is not 0; initialise the struct with {0}");
  return NNB_OK;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

enum { KEY = 32 };
static const char *key_of(char key[KEY], const char *field) {
  snprintf(key, KEY, "training.%s", field);
  return key;
}

static void put_text(nnb__bag *bag, const char *field, const char *text) {
  char key[KEY];
  nnb__bag_string(bag, key_of(key, field), text);
}

static void put_whole(nnb__bag *bag, const char *field, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%" PRId64, value);
  put_text(bag, field, text);
}

static void put_real(nnb__bag *bag, const char *field, double value) {
  char key[KEY];
  if (isfinite(value)) nnb__bag_number(bag, key_of(key, field), value);
}

void nnb__training_to_bag(const nnb_training *t, nnb__bag *bag) {
  char seed[24];
  if (!*t->version) return;
  snprintf(seed, sizeof seed, "%" PRIu64, t->seed);
  put_text(bag, "version", t->version);
  put_text(bag, "algo", nnb_algo_name(t->algo));
  put_whole(bag, "epochs", t->epochs);
  put_whole(bag, "updates", t->updates);
  put_whole(bag, "rows", t->rows);
  put_whole(bag, "val_rows", t->val_rows);
  put_text(bag, "seed", seed);
  put_whole(bag, "best_epoch", t->best_epoch);
  put_whole(bag, "restored", t->restored);
  put_real(bag, "loss", t->loss);
  put_real(bag, "val_loss", t->val_loss);
  put_real(bag, "best_loss", t->best_loss);
  if (!t->metric) return;
  put_text(bag, "metric", nnb_metric_name((nnb_metric)t->metric));
  put_whole(bag, "score_rows", t->score_rows);
  put_real(bag, "score", t->score);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct reader {
  const nnb__bag *bag;
  nnb_status status; /* of the first field that is malformed */
} reader;

static const char *text_of(const reader *r, const char *field) {
  char key[KEY];
  return nnb__bag_find_string(r->bag, key_of(key, field));
}

static void fail(reader *r, const char *field, const char *wanted) {
  char shown[NNB__SHOWN_TEXT];
  const char *text = text_of(r, field);
  if (!r->status)
    r->status = nnb__fail(NNB_E_PARSE, "the model's \"training.%s\" is \"%s\"; wanted %s", field,
                          nnb__show(text, strlen(text), shown), wanted);
}

/* 0 where the field is missing. */
static int64_t get_whole(reader *r, const char *field, int64_t most) {
  const char *text = text_of(r, field);
  char *end;
  if (!text) return 0;
  const long long value = strtoll(text, &end, 10);
  if (*text >= '0' && *text <= '9' && !*end && value <= most) return value;
  fail(r, field, "a whole number of 0 or more");
  return 0;
}

static uint64_t get_seed(reader *r) {
  const char *text = text_of(r, "seed");
  char *end;
  if (!text) return 0;
  const unsigned long long value = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end) fail(r, "seed", "a whole number of 0 or more");
  return value;
}

/* NaN where the field is missing. */
static double get_real(reader *r, const char *field) {
  char key[KEY];
  double value = (double)NAN;
  if (!text_of(r, field)) return value;
  if (!nnb__bag_find_number(r->bag, key_of(key, field), &value) || !isfinite(value)) fail(r, field, "a finite number");
  return value;
}

static void get_version(reader *r, char version[16]) {
  const char *text = text_of(r, "version");
  if (strlen(text) > 15 || !*text)
    fail(r, "version", "1 to 15 bytes");
  else
    strcpy(version, text);
}

nnb_status nnb__training_from_bag(const nnb__bag *bag, nnb_training *out) {
  reader r = {.bag = bag};
  *out = (nnb_training){0};
  if (!text_of(&r, "version")) return NNB_OK;
  nnb_training t = {.epochs = (int)get_whole(&r, "epochs", INT_MAX),
                    .updates = get_whole(&r, "updates", INT64_MAX),
                    .rows = (int)get_whole(&r, "rows", INT_MAX),
                    .val_rows = (int)get_whole(&r, "val_rows", INT_MAX),
                    .seed = get_seed(&r),
                    .best_epoch = (int)get_whole(&r, "best_epoch", INT_MAX),
                    .restored = get_whole(&r, "restored", 1) > 0,
                    .loss = get_real(&r, "loss"),
                    .val_loss = get_real(&r, "val_loss"),
                    .best_loss = get_real(&r, "best_loss"),
                    .score_rows = (int)get_whole(&r, "score_rows", INT_MAX),
                    .score = get_real(&r, "score")};
  const char *algo = text_of(&r, "algo"), *metric = text_of(&r, "metric");
  const int place = algo ? nnb__algo_place(algo) : -1;
  t.algo = place < 0 ? NNB_AUTO : (nnb_algo)place;
  t.metric = metric ? nnb__metric_flag(metric) : 0;
  if (t.metric == 0) t.score_rows = 0, t.score = (double)NAN;
  get_version(&r, t.version);
  if (!r.status && t.best_epoch > t.epochs) fail(&r, "best_epoch", "at most training.epochs");
  if (!r.status) *out = t;
  return r.status;
}
