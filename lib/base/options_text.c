/* base/options_text.c: options as text, "algo=lm max_epochs=200", and the public calls. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "names.h"
#include "nearest.h"
#include "options.h"
#include "status.h"
#include "text.h"

static const char separators[] = " \t\r\n,";

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* A copy of any of the structs. */
typedef union any_opts {
  nnb_fit_opts fit;
  nnb_optim_opts optim;
  nnb_min_opts min;
} any_opts;

typedef struct reader {
  nnb__opts_kind kind;
  const char *text;
  any_opts opts;
  bool seen[NNB__MOST_OPTIONS];
} reader;

/* A piece of the text, between separators or around the '='. */
typedef struct word {
  const char *at;
  size_t n;
} word;

static bool is(word w, const char *name) { return strlen(name) == w.n && memcmp(name, w.at, w.n) == 0; }

static nnb_status complain(const reader *r, word w, nnb_status status, const char *why) {
  return nnb__fail(status, "%s, character %d: %s", nnb__opts_name(r->kind), (int)(w.at - r->text) + 1, why);
}

static nnb_status no_option(const reader *r, word w) {
  char why[NNB__MESSAGE / 2], shown[NNB__SHOWN_TEXT], hint[NNB__HINT];
  nnb__nearest nearest = {0};
  const nnb__option *option;
  for (int i = 0; (option = nnb__option_at(r->kind, i)); i++)
    if (option->type != NNB__TYPE_CODE) nnb__nearest_try(&nearest, w.at, w.n, option->name);
  snprintf(why, sizeof why, "%s is not an option%s", nnb__show(w.at, w.n, shown), nnb__nearest_hint(&nearest, hint));
  return complain(r, w, NNB_E_PARSE, why);
}

/* The i-th name that the option accepts, or NULL after the last. */
static const char *name_at(const nnb__option *option, int i) {
  int n;
  if (option->type == NNB__TYPE_METRICS) return nnb__metric_at(i);
  nnb__name_fn *names = nnb__option_names(option, &n);
  return i < n ? names(i) : NULL;
}

/* Fails with what the option accepts, and the nearest name, or all names if none is near. */
static nnb_status no_value(const reader *r, const nnb__option *option, word w, const char *wanted) {
  char why[3 * NNB__MESSAGE / 4], shown[NNB__SHOWN_TEXT], hint[NNB__HINT], all[NNB__MESSAGE / 2] = "";
  nnb__nearest nearest = {0};
  const char *name;
  int used = 0;
  for (int i = 0; (name = name_at(option, i)); i++) {
    nnb__nearest_try(&nearest, w.at, w.n, name);
    if (used < (int)sizeof all) used += snprintf(all + used, sizeof all - (size_t)used, "%s%s", i ? ", " : ": ", name);
  }
  if (option->minus) nnb__nearest_try(&nearest, w.at, w.n, option->minus);
  snprintf(why, sizeof why, "%s=%s; wanted %s%s%s%s%s", option->name, nnb__show(w.at, w.n, shown), wanted,
           nearest.name ? "" : all, option->minus ? ", or " : "", option->minus ? option->minus : "",
           nnb__nearest_hint(&nearest, hint));
  return complain(r, w, NNB_E_PARSE, why);
}

/* Reads [+-] digits; false for anything else.  Beyond 64 bits *size is UINT64_MAX and *fits is false. */
static bool whole(word w, bool *negative, uint64_t *size, bool *fits) {
  size_t i = w.n > 0 && (*w.at == '-' || *w.at == '+');
  *negative = i && *w.at == '-', *size = 0, *fits = true;
  if (i == w.n) return false;
  for (; i < w.n; i++) {
    if (w.at[i] < '0' || w.at[i] > '9') return false;
    const unsigned digit = (unsigned)(w.at[i] - '0');
    *fits = *fits && *size <= (UINT64_MAX - digit) / 10;
    *size = *fits ? 10 * *size + digit : UINT64_MAX;
  }
  return true;
}

static uint64_t most_of(nnb__option_type type) {
  return type == NNB__TYPE_INT     ? INT_MAX
         : type == NNB__TYPE_LONG  ? INT64_MAX
         : type == NNB__TYPE_BYTES ? SIZE_MAX
                                   : UINT64_MAX;
}

static nnb_status take_whole(const reader *r, const nnb__option *option, word w, void *to) {
  char why[NNB__MESSAGE / 2], shown[NNB__SHOWN_TEXT];
  bool negative, fits;
  uint64_t size;
  if (!whole(w, &negative, &size, &fits)) return no_value(r, option, w, "a whole number");
  const bool is_signed = option->type == NNB__TYPE_INT || option->type == NNB__TYPE_LONG;
  const uint64_t most = negative && !is_signed ? 0 : most_of(option->type);
  if (!fits || size > most) {
    snprintf(why, sizeof why, "%s=%s; wanted %s0 to %" PRIu64, option->name, nnb__show(w.at, w.n, shown),
             option->minus ? "none or " : "", most_of(option->type));
    return complain(r, w, NNB_E_ARG, why);
  }
  if (option->type == NNB__TYPE_INT) *(int *)to = negative ? -(int)size : (int)size;
  if (option->type == NNB__TYPE_LONG) *(int64_t *)to = negative ? -(int64_t)size : (int64_t)size;
  if (option->type == NNB__TYPE_SEED) *(uint64_t *)to = size;
  if (option->type == NNB__TYPE_BYTES) *(size_t *)to = (size_t)size;
  return NNB_OK;
}

static nnb_status take_real(const reader *r, const nnb__option *option, word w, double *to) {
  char digits[128];
  if (w.n >= sizeof digits) return no_value(r, option, w, "a number");
  memcpy(digits, w.at, w.n), digits[w.n] = '\0';
  return nnb__text_to_double(digits, to) ? NNB_OK : no_value(r, option, w, "a number");
}

static nnb_status take_name(const reader *r, const nnb__option *option, word w, void *to) {
  int n;
  nnb__name_fn *names = nnb__option_names(option, &n);
  for (int i = 0; i < n; i++)
    if (is(w, names(i))) {
      if (option->type == NNB__TYPE_ALGO) *(nnb_algo *)to = (nnb_algo)i;
      if (option->type == NNB__TYPE_SCHEDULE) *(nnb_schedule *)to = (nnb_schedule)i;
      return NNB_OK;
    }
  return no_value(r, option, w, option->type == NNB__TYPE_ALGO ? "the name of a method" : "the name of a schedule");
}

/* Names joined by '+'. */
static nnb_status take_metrics(const reader *r, const nnb__option *option, word w, unsigned *to) {
  unsigned flags = 0;
  for (size_t at = 0, n; at <= w.n; at += n + 1) {
    char name[32];
    nnb_metric metric;
    for (n = 0; at + n < w.n && w.at[at + n] != '+';) n++;
    snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), w.at + at);
    if (!nnb_metric_find(name, &metric))
      return no_value(r, option, (word){w.at + at, n}, "names of metrics, joined by '+'");
    flags |= (unsigned)metric;
  }
  *to = flags;
  return NNB_OK;
}

static nnb_status take_bool(const reader *r, const nnb__option *option, word w, bool *to) {
  *to = is(w, "true");
  return *to || is(w, "false") ? NNB_OK : no_value(r, option, w, "true or false");
}

/* *to ← -1, in the type of the option. */
static void put_minus(const nnb__option *option, void *to) {
  if (option->type == NNB__TYPE_INT) *(int *)to = -1;
  if (option->type == NNB__TYPE_LONG) *(int64_t *)to = -1;
  if (option->type == NNB__TYPE_REAL) *(double *)to = -1;
}

static nnb_status take_value(const reader *r, const nnb__option *option, word w, void *to) {
  if (option->minus && is(w, option->minus)) return put_minus(option, to), NNB_OK;
  switch (option->type) {
    case NNB__TYPE_BOOL:
      return take_bool(r, option, w, to);
    case NNB__TYPE_REAL:
      return take_real(r, option, w, to);
    case NNB__TYPE_ALGO:
    case NNB__TYPE_SCHEDULE:
      return take_name(r, option, w, to);
    case NNB__TYPE_METRICS:
      return take_metrics(r, option, w, to);
    case NNB__TYPE_CODE:
      return no_value(r, option, w, "a pointer, which only a program can set");
    default:
      return take_whole(r, option, w, to);
  }
}

/* The number of the option in its struct, or -1. */
static int find(nnb__opts_kind kind, word key) {
  const nnb__option *option;
  for (int i = 0; (option = nnb__option_at(kind, i)); i++)
    if (is(key, option->name)) return i;
  return -1;
}

/* Reads one "key=value", or the key of a bool alone. */
static nnb_status take_part(reader *r, word part) {
  const char *equals = memchr(part.at, '=', part.n);
  const word key = {part.at, equals ? (size_t)(equals - part.at) : part.n};
  const int i = find(r->kind, key);
  if (i < 0) return no_option(r, key);
  const nnb__option *option = nnb__option_at(r->kind, i);
  word value = {part.at + key.n + 1, equals ? part.n - key.n - 1 : 0};
  if (!equals && option->type == NNB__TYPE_BOOL) value = (word){"true", 4};
  if (!equals && option->type != NNB__TYPE_BOOL) value = (word){part.at + part.n, 0};
  if (r->seen[i]) return complain(r, key, NNB_E_PARSE, "the option is given twice");
  r->seen[i] = true;
  nnb_status status = take_value(r, option, value, nnb__option_in(option, r->kind, &r->opts));
  if (!status && (status = nnb__option_check(option, r->kind, &r->opts, false))) {
    char why[NNB__MESSAGE / 2];
    snprintf(why, sizeof why, "%.*s", (int)sizeof why - 1, nnb_errmsg());
    return complain(r, value, status, why);
  }
  return status;
}

nnb_status nnb__opts_parse(nnb__opts_kind kind, const char *text, void *opts) {
  reader r = {.kind = kind, .text = text};
  nnb_status status = NNB_OK;
  if (!text || !opts) return nnb__fail(NNB_E_ARG, "%s: text or opts is NULL", nnb__opts_name(kind));
  memcpy(&r.opts, opts, nnb__opts_size(kind));
  for (const char *at = text + strspn(text, separators); !status && *at; at += strspn(at, separators)) {
    const word part = {at, strcspn(at, separators)};
    status = take_part(&r, part);
    at += part.n;
  }
  if (!status) memcpy(opts, &r.opts, nnb__opts_size(kind));
  return status;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* Writes the options that are not 0, unless out is NULL; returns the length. */
static size_t write(nnb__opts_kind kind, const void *opts, const void *zero, char *out) {
  char now[NNB__OPTION_TEXT], before[NNB__OPTION_TEXT];
  const nnb__option *option;
  size_t used = 0;
  for (int i = 0; (option = nnb__option_at(kind, i)); i++) {
    nnb__option_show(option, kind, opts, false, now);
    nnb__option_show(option, kind, zero, false, before);
    if (strcmp(now, before) == 0) continue;
    const size_t n = (used > 0) + strlen(option->name) + 1 + strlen(now);
    if (out) snprintf(out + used, n + 1, "%s%s=%s", used > 0 ? " " : "", option->name, now);
    used += n;
  }
  return used;
}

nnb_status nnb__opts_print(nnb__opts_kind kind, const void *opts, char **out) {
  static const any_opts zero;
  if (!out) return nnb__fail(NNB_E_ARG, "%s: out is NULL", nnb__opts_name(kind));
  *out = NULL;
  if (!opts) return nnb__fail(NNB_E_ARG, "%s: opts is NULL", nnb__opts_name(kind));
  nnb_status status = nnb__opts_check(kind, opts);
  if (status) return status;
  char *text = nnb__alloc(write(kind, opts, &zero, NULL) + 1, 1);
  if (!text) return nnb__fail_nomem("options as text");
  *text = '\0';
  write(kind, opts, &zero, text);
  *out = text;
  return NNB_OK;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *names) {
  while (*names && strcmp(*names, name) != 0) names++;
  return *names;
}

nnb_status nnb__opts_match(nnb__opts_kind kind, const void *opts, const char *other, const char *text,
                           const char *const *except) {
  char here[NNB__OPTION_TEXT], there[NNB__OPTION_TEXT], why[NNB__MESSAGE / 2];
  const nnb__option *option;
  any_opts file;
  memset(&file, 0, sizeof file);
  if (nnb__opts_parse(kind, text, &file)) {
    snprintf(why, sizeof why, "%.*s", (int)sizeof why - 1, nnb_errmsg());
    return nnb__fail(NNB_E_PARSE, "the options of %s: %s", other, why);
  }
  for (int i = 0; (option = nnb__option_at(kind, i)); i++) {
    nnb__option_show(option, kind, opts, false, here);
    nnb__option_show(option, kind, &file, false, there);
    if (strcmp(here, there) != 0 && !is_one_of(option->name, except))
      return nnb__fail(NNB_E_ARG, "%s is %s; %s has %s=%s", option->name, here, other, option->name, there);
  }
  return NNB_OK;
}

/* ---- pointers --------------------------------------------------------------------------------------------------- */

static nnb_status set_pointer(nnb__opts_kind kind, void *opts, const char *name, const void *p) {
  if (!opts || !name) return nnb__fail(NNB_E_ARG, "%s: opts or name is NULL", nnb__opts_name(kind));
  const int i = find(kind, (word){name, strlen(name)});
  const nnb__option *option = i < 0 ? NULL : nnb__option_at(kind, i);
  if (!option || option->type != NNB__TYPE_CODE)
    return nnb__fail(NNB_E_ARG, "%s: \"%.60s\" is not an option that is a pointer", nnb__opts_name(kind), name);
  memcpy(nnb__option_in(option, kind, opts), &p, sizeof p);
  return NNB_OK;
}

nnb_status nnb_fit_opts_set_pointer(nnb_fit_opts *opts, const char *name, const void *p) {
  return set_pointer(NNB__FIT_OPTS, opts, name, p);
}

nnb_status nnb_min_opts_set_pointer(nnb_min_opts *opts, const char *name, const void *p) {
  return set_pointer(NNB__MIN_OPTS, opts, name, p);
}

/* ---- the public calls ------------------------------------------------------------------------------------------- */

static nnb_status create(nnb__opts_kind kind, const char *text, const void *out, void **made) {
  *made = NULL;
  if (!out) return nnb__fail(NNB_E_ARG, "%s: out is NULL", nnb__opts_name(kind));
  void *opts = nnb__zalloc(1, nnb__opts_size(kind));
  if (!opts) return nnb__fail_nomem("options");
  nnb_status status = text ? nnb__opts_parse(kind, text, opts) : NNB_OK;
  if (status)
    nnb__release(opts);
  else
    *made = opts;
  return status;
}

nnb_status nnb_fit_opts_parse(const char *text, nnb_fit_opts *opts) {
  return nnb__opts_parse(NNB__FIT_OPTS, text, opts);
}

nnb_status nnb_fit_opts_print(const nnb_fit_opts *opts, char **out) {
  return nnb__opts_print(NNB__FIT_OPTS, opts, out);
}

nnb_status nnb_fit_opts_create(const char *text, nnb_fit_opts **out) {
  void *made;
  nnb_status status = create(NNB__FIT_OPTS, text, out, &made);
  if (out) *out = made;
  return status;
}

void nnb_fit_opts_destroy(nnb_fit_opts *opts) { nnb__release(opts); }

nnb_status nnb_optim_opts_parse(const char *text, nnb_optim_opts *opts) {
  return nnb__opts_parse(NNB__OPTIM_OPTS, text, opts);
}

nnb_status nnb_optim_opts_print(const nnb_optim_opts *opts, char **out) {
  return nnb__opts_print(NNB__OPTIM_OPTS, opts, out);
}

nnb_status nnb_optim_opts_create(const char *text, nnb_optim_opts **out) {
  void *made;
  nnb_status status = create(NNB__OPTIM_OPTS, text, out, &made);
  if (out) *out = made;
  return status;
}

void nnb_optim_opts_destroy(nnb_optim_opts *opts) { nnb__release(opts); }

nnb_status nnb_min_opts_parse(const char *text, nnb_min_opts *opts) {
  return nnb__opts_parse(NNB__MIN_OPTS, text, opts);
}

nnb_status nnb_min_opts_print(const nnb_min_opts *opts, char **out) {
  return nnb__opts_print(NNB__MIN_OPTS, opts, out);
}

nnb_status nnb_min_opts_create(const char *text, nnb_min_opts **out) {
  void *made;
  nnb_status status = create(NNB__MIN_OPTS, text, out, &made);
  if (out) *out = made;
  return status;
}

void nnb_min_opts_destroy(nnb_min_opts *opts) { nnb__release(opts); }
