/* num/state.c: see state.h. */
#include "state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"

enum { KEY = 160 };

static const char *key_of(char key[KEY], char separator, const char *name) {
  snprintf(key, KEY, "nnblas.state%c%s", separator, name);
  return key;
}

/* ---- arrays ----------------------------------------------------------------------------------------------------- */

static void fail_array(nnb__visitor *s, const char *key, nnb__dtype dtype, size_t n) {
  s->status =
      nnb__fail(NNB_E_PARSE, "the file's tensor \"%s\" is missing or is not one row of %zu number(s) of type %s", key,
                n, dtype == NNB__F64 ? "F64" : "F32");
}

static void visit_array(nnb__visitor *s, const char *name, nnb__dtype dtype, size_t n, void *p) {
  char key[KEY];
  if (s->status) return;
  key_of(key, '/', name);
  if (s->way == NNB__STATE_SAVE) {
    nnb__bag_tensor(s->out, key, dtype, 1, &n, p);
    s->status = s->out->status;
    return;
  }
  const nnb__tensor *t = nnb__bag_find_tensor(s->in, key);
  if (!t || t->dtype != dtype || t->n_dims != 1 || t->dim[0] != n)
    fail_array(s, key, dtype, n);
  else if (s->way == NNB__STATE_LOAD && n > 0)
    memcpy(p, t->data, n * nnb__dtype_size(dtype));
}

void nnb__state_reals(nnb__visitor *s, const char *name, size_t n, real *p) {
  visit_array(s, name, NNB__REAL_DTYPE, n, p);
}

void nnb__state_doubles(nnb__visitor *s, const char *name, size_t n, double *p) {
  visit_array(s, name, NNB__F64, n, p);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static void put_text(nnb__visitor *s, const char *key, const char *text) {
  nnb__bag_string(s->out, key, text);
  s->status = s->out->status;
}

void nnb__state_number(nnb__visitor *s, const char *name, double least, double most, double *p) {
  char key[KEY];
  double value;
  if (s->status) return;
  key_of(key, '.', name);
  if (s->way == NNB__STATE_SAVE) {
    nnb__bag_number(s->out, key, *p);
    s->status = s->out->status;
  } else if (!nnb__bag_find_number(s->in, key, &value) || !(value >= least && value <= most)) {
    s->status = nnb__fail(NNB_E_PARSE, "the file's \"%s\" is missing or not a number from %g to %g", key, least, most);
  } else if (s->way == NNB__STATE_LOAD) {
    *p = value;
  }
}

/* Digits, perhaps after a minus, and nothing else. */
static bool read_whole(const char *text, int64_t *out) {
  char *end;
  const size_t minus = text && *text == '-';
  if (!text || text[minus] < '0' || text[minus] > '9') return false;
  errno = 0;
  *out = strtoll(text, &end, 10);
  return errno == 0 && *end == '\0';
}

void nnb__state_whole(nnb__visitor *s, const char *name, int64_t least, int64_t most, int64_t *p) {
  char key[KEY], text[24];
  int64_t value;
  if (s->status) return;
  key_of(key, '.', name);
  if (s->way == NNB__STATE_SAVE) {
    snprintf(text, sizeof text, "%" PRId64, *p);
    put_text(s, key, text);
  } else if (!read_whole(nnb__bag_find_string(s->in, key), &value) || value < least || value > most) {
    s->status =
        nnb__fail(NNB_E_PARSE, "the file's \"%s\" is missing or not a whole number from %" PRId64 " to %" PRId64, key,
                  least, most);
  } else if (s->way == NNB__STATE_LOAD) {
    *p = value;
  }
}

void nnb__state_size(nnb__visitor *s, const char *name, size_t most, size_t *p) {
  const uint64_t limit = most;
  int64_t value = (int64_t)*p;
  nnb__state_whole(s, name, 0, limit < INT64_MAX ? (int64_t)limit : INT64_MAX, &value);
  if (s->way == NNB__STATE_LOAD) *p = (size_t)value;
}

void nnb__state_int(nnb__visitor *s, const char *name, int least, int most, int *p) {
  int64_t value = *p;
  nnb__state_whole(s, name, least, most, &value);
  if (s->way == NNB__STATE_LOAD) *p = (int)value;
}

void nnb__state_flag(nnb__visitor *s, const char *name, bool *p) {
  int64_t value = *p;
  nnb__state_whole(s, name, 0, 1, &value);
  if (s->way == NNB__STATE_LOAD) *p = value != 0;
}
