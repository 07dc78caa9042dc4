/* base/options.c: options by their list: checks, defaults, copies. */
#include "options.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "status.h"
#include "text.h"

/* ---- the list --------------------------------------------------------------------------------------------------- */

#define AT(structure, field) (ptrdiff_t) offsetof(structure, field)
#define IN_FOM(field) \
  { AT(nnb_fit_opts, field), AT(nnb_optim_opts, field), AT(nnb_min_opts, field) }
#define IN_FO_(field) \
  { AT(nnb_fit_opts, field), AT(nnb_optim_opts, field), -1 }
#define IN_F_M(field) \
  { AT(nnb_fit_opts, field), -1, AT(nnb_min_opts, field) }
#define IN_F__(field) \
  { AT(nnb_fit_opts, field), -1, -1 }
#define IN__O_(field) \
  { -1, AT(nnb_optim_opts, field), -1 }
#define IN___M(field) \
  { -1, -1, AT(nnb_min_opts, field) }
#define IS(n)          .usual = n, .zero = #n
#define DEFAULT(words) .zero = words
#define MEANS(words)   .zero = words
#define NOTHING        .zero = NULL
#define NONE(words)    .minus_c = "NNB_NONE", .minus = "none"
#define FULL(words)    .minus_c = "NNB_FULL_BATCH", .minus = "full"
#define NEVER          .minus = NULL
#define OPTION(structs, field, t, zero, minus, r, who, line) \
  {.name = #field,                                           \
   .type = NNB__TYPE_##t,                                    \
   .offset = IN_##structs(field),                            \
   zero,                                                     \
   minus,                                                    \
   .range = NNB__RANGE_##r,                                  \
   .takers = NNB__TRAIT_##who,                               \
   .help = line},
static const nnb__option list[] = {
#include "options.def"
};
#undef OPTION
enum { N_OPTIONS = sizeof list / sizeof *list };
static_assert(sizeof list / sizeof *list <= NNB__MOST_OPTIONS, "more lines in options.def than NNB__MOST_OPTIONS");

/* The types in the list must be those of the fields. */
#define TYPE_BOOL(p)            _Generic((p), bool * : 1, default : 0)
#define TYPE_INT(p)             _Generic((p), int * : 1, default : 0)
#define TYPE_LONG(p)            _Generic((p), int64_t * : 1, default : 0)
#define TYPE_SEED(p)            _Generic((p), uint64_t * : 1, default : 0)
#define TYPE_BYTES(p)           _Generic((p), size_t * : 1, default : 0)
#define TYPE_REAL(p)            _Generic((p), double * : 1, default : 0)
#define TYPE_ALGO(p)            _Generic((p), nnb_algo * : 1, default : 0)
#define TYPE_SCHEDULE(p)        _Generic((p), nnb_schedule * : 1, default : 0)
#define TYPE_METRICS(p)         _Generic((p), unsigned * : 1, default : 0)
#define TYPE_CODE(p)            (sizeof *(p) == sizeof(void *))
#define FIELD(structure, field) (&((structure *)0)->field)
#define F_FITS(t, field)        TYPE_##t(FIELD(nnb_fit_opts, field))
#define O_FITS(t, field)        TYPE_##t(FIELD(nnb_optim_opts, field))
#define M_FITS(t, field)        TYPE_##t(FIELD(nnb_min_opts, field))
#define FITS_FOM(t, field)      (F_FITS(t, field) && O_FITS(t, field) && M_FITS(t, field))
#define FITS_FO_(t, field)      (F_FITS(t, field) && O_FITS(t, field))
#define FITS_F_M(t, field)      (F_FITS(t, field) && M_FITS(t, field))
#define FITS_F__(t, field)      F_FITS(t, field)
#define FITS__O_(t, field)      O_FITS(t, field)
#define FITS___M(t, field)      M_FITS(t, field)
#define OPTION(structs, field, t, zero, minus, r, who, line) \
  static_assert(FITS_##structs(t, field), "options.def has another type than core.h for " #field);
#include "options.def"
#undef OPTION

static const struct {
  const char *name;
  size_t size, reserved; /* offset of the reserve */
} structs[] = {
    [NNB__FIT_OPTS] = {"nnb_fit_opts", sizeof(nnb_fit_opts), offsetof(nnb_fit_opts, reserved)},
    [NNB__OPTIM_OPTS] = {"nnb_optim_opts", sizeof(nnb_optim_opts), offsetof(nnb_optim_opts, reserved)},
    [NNB__MIN_OPTS] = {"nnb_min_opts", sizeof(nnb_min_opts), offsetof(nnb_min_opts, reserved)},
};
static_assert(sizeof structs / sizeof *structs == NNB__N_OPTS, "one line for each of nnb__opts_kind");

const char *nnb__opts_name(nnb__opts_kind kind) { return structs[kind].name; }

size_t nnb__opts_size(nnb__opts_kind kind) { return structs[kind].size; }

const nnb__option *nnb__option_at(nnb__opts_kind kind, int i) {
  for (int k = 0; k < N_OPTIONS; k++)
    if (list[k].offset[kind] >= 0 && i-- == 0) return &list[k];
  return NULL;
}

void *nnb__option_in(const nnb__option *option, nnb__opts_kind kind, void *opts) {
  return (char *)opts + option->offset[kind];
}

static const void *in(const nnb__option *option, nnb__opts_kind kind, const void *opts) {
  return (const char *)opts + option->offset[kind];
}

/* ---- enumerations ----------------------------------------------------------------------------------------------- */

static const char *algo_name(int value) { return nnb_algo_name((nnb_algo)value); }

static const char *schedule_name(int value) { return nnb_schedule_name((nnb_schedule)value); }

nnb__name_fn *nnb__option_names(const nnb__option *option, int *n) {
  *n = option->type == NNB__TYPE_ALGO ? NNB_N_ALGOS : option->type == NNB__TYPE_SCHEDULE ? NNB_N_SCHEDULES : 0;
  return option->type == NNB__TYPE_ALGO ? algo_name : option->type == NNB__TYPE_SCHEDULE ? schedule_name : NULL;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static const size_t sizes[] = {[NNB__TYPE_BOOL] = sizeof(bool),        [NNB__TYPE_INT] = sizeof(int),
                               [NNB__TYPE_LONG] = sizeof(int64_t),     [NNB__TYPE_SEED] = sizeof(uint64_t),
                               [NNB__TYPE_BYTES] = sizeof(size_t),     [NNB__TYPE_REAL] = sizeof(double),
                               [NNB__TYPE_ALGO] = sizeof(nnb_algo),    [NNB__TYPE_SCHEDULE] = sizeof(nnb_schedule),
                               [NNB__TYPE_METRICS] = sizeof(unsigned), [NNB__TYPE_CODE] = sizeof(void *)};

/* The value as a number.  CODE: 1 if it is not NULL. */
static double number(const nnb__option *option, nnb__opts_kind kind, const void *opts) {
  const void *p = in(option, kind, opts);
  switch (option->type) {
    case NNB__TYPE_BOOL:
      return *(const bool *)p;
    case NNB__TYPE_INT:
      return *(const int *)p;
    case NNB__TYPE_LONG:
      return (double)*(const int64_t *)p;
    case NNB__TYPE_SEED:
      return (double)*(const uint64_t *)p;
    case NNB__TYPE_BYTES:
      return (double)*(const size_t *)p;
    case NNB__TYPE_REAL:
      return *(const double *)p;
    case NNB__TYPE_ALGO:
      return (int)*(const nnb_algo *)p;
    case NNB__TYPE_SCHEDULE:
      return (int)*(const nnb_schedule *)p;
    case NNB__TYPE_METRICS:
      return *(const unsigned *)p;
    case NNB__TYPE_CODE:
      break;
  }
  static const char none[sizeof(void *)] = {0};
  return memcmp(p, none, sizeof none) != 0;
}

void nnb__metrics_text(unsigned flags, char out[NNB__OPTION_TEXT]) {
  int used = 0;
  *out = '\0';
#define SHOW(metric, value, text)                                                                               \
  if (flags & value) used += snprintf(out + used, NNB__OPTION_TEXT - (size_t)used, "%s" text, used ? "+" : ""); \
  flags &= ~(unsigned)value;
  NNB_METRIC_LIST(SHOW)
#undef SHOW
  if (flags) snprintf(out + used, NNB__OPTION_TEXT - (size_t)used, "%s%u", used ? "+" : "", flags);
}

void nnb__option_show(const nnb__option *option, nnb__opts_kind kind, const void *opts, bool c,
                      char out[NNB__OPTION_TEXT]) {
  const void *p = in(option, kind, opts);
  const double value = number(option, kind, opts);
  int n;
  nnb__name_fn *names = nnb__option_names(option, &n);
  *out = '\0';
  if (option->minus && value == -1)
    snprintf(out, NNB__OPTION_TEXT, "%s", c ? option->minus_c : option->minus);
  else if (names && value >= 0 && value < n)
    snprintf(out, NNB__OPTION_TEXT, "%s", names((int)value));
  else if (option->type == NNB__TYPE_BOOL)
    snprintf(out, NNB__OPTION_TEXT, "%s", value != 0 ? "true" : "false");
  else if (option->type == NNB__TYPE_LONG)
    snprintf(out, NNB__OPTION_TEXT, "%" PRId64, *(const int64_t *)p);
  else if (option->type == NNB__TYPE_SEED)
    snprintf(out, NNB__OPTION_TEXT, "%" PRIu64, *(const uint64_t *)p);
  else if (option->type == NNB__TYPE_BYTES)
    snprintf(out, NNB__OPTION_TEXT, "%zu", *(const size_t *)p);
  else if (option->type == NNB__TYPE_METRICS && value != 0)
    nnb__metrics_text(*(const unsigned *)p, out);
  else if (option->type == NNB__TYPE_REAL)
    nnb__double_to_text(value, out);
  else if (option->type != NNB__TYPE_CODE)
    snprintf(out, NNB__OPTION_TEXT, "%d", (int)value);
}

/* ---- checks ----------------------------------------------------------------------------------------------------- */

#define RANGE(name, least, bound, open, words) {least, bound, open, words},
static const struct {
  double least, bound;
  bool open;
  const char *words;
} ranges[] = {NNB__RANGE_LIST(RANGE)};

static bool within(const nnb__option *option, double value) {
  if (option->minus && value == -1) return true;
  if (option->range == NNB__RANGE_ANY) return true;
  const double bound = ranges[option->range].bound;
  return value >= ranges[option->range].least && (ranges[option->range].open ? value < bound : value <= bound);
}

#define OR(metric, value, text) | (value)
enum { ALL_METRICS = 0 NNB_METRIC_LIST(OR) };
#undef OR

nnb_status nnb__option_check(const nnb__option *option, nnb__opts_kind kind, const void *opts, bool c) {
  char shown[NNB__OPTION_TEXT];
  const double value = number(option, kind, opts);
  int n;
  const bool named = nnb__option_names(option, &n), known = !named || (value >= 0 && value < n);
  const bool flags = option->type == NNB__TYPE_METRICS;
  if (!flags && known && within(option, value)) return NNB_OK;
  if (flags && (*(const unsigned *)in(option, kind, opts) & ~(unsigned)ALL_METRICS) == 0) return NNB_OK;
  nnb__option_show(option, kind, opts, c, shown);
  if (flags) return nnb__fail(NNB_E_ARG, "%s is %s; wanted flags of NNB_METRIC_LIST", option->name, shown);
  if (named) return nnb__fail(NNB_E_ARG, "%s is %s; wanted 0 to %d", option->name, shown, n - 1);
  return nnb__fail(NNB_E_ARG, "%s is %s; wanted %s%s%s", option->name, shown, ranges[option->range].words,
                   option->minus ? ", or " : "",
                   !option->minus ? ""
                   : c            ? option->minus_c
                                  : option->minus);
}

nnb_status nnb__opts_check(nnb__opts_kind kind, const void *opts) {
  const nnb__option *option;
  nnb_status status = NNB_OK;
  for (int i = 0; !status && (option = nnb__option_at(kind, i)); i++)
    status = nnb__option_check(option, kind, opts, true);
  for (size_t i = structs[kind].reserved; !status && i < structs[kind].size; i++)
    if (((const char *)opts)[i])
      status = nnb__fail(NNB_E_ARG, "%s: a reserved word is not 0; initialise the struct with {0}", structs[kind].name);
  return status;
}

static bool takes(unsigned traits, const nnb__option *option) {
  return option->takers == NNB__TRAIT_ALL || option->takers & traits;
}

const nnb__option *nnb__opts_not_taken(nnb__opts_kind kind, const void *opts, unsigned traits) {
  const nnb__option *option;
  for (int i = 0; (option = nnb__option_at(kind, i)); i++)
    if (!takes(traits, option) && number(option, kind, opts) != 0) return option;
  return NULL;
}

static const char *who(unsigned trait) {
#define WHO(name, value, words) \
  if (trait == value) return words;
  NNB__TRAIT_LIST(WHO)
#undef WHO
  return "";
}

nnb_status nnb__opts_check_taken(nnb__opts_kind kind, const void *opts, unsigned traits, const char *method) {
  char shown[NNB__OPTION_TEXT];
  const nnb__option *option = nnb__opts_not_taken(kind, opts, traits);
  if (!option) return NNB_OK;
  nnb__option_show(option, kind, opts, true, shown);
  return nnb__fail(NNB_E_ARG, "%s is %s; %s does not take this option, which is for %s", option->name,
                   option->type == NNB__TYPE_CODE ? "set" : shown, method, who(option->takers));
}

/* ---- defaults and copies ---------------------------------------------------------------------------------------- */

void nnb__opts_complete(nnb__opts_kind kind, void *opts, unsigned traits) {
  const nnb__option *option;
  for (int i = 0; (option = nnb__option_at(kind, i)); i++) {
    void *p = nnb__option_in(option, kind, opts);
    if (option->usual == 0 || !takes(traits, option) || number(option, kind, opts) != 0) continue;
    if (option->type == NNB__TYPE_INT) *(int *)p = (int)option->usual;
    if (option->type == NNB__TYPE_LONG) *(int64_t *)p = (int64_t)option->usual;
    if (option->type == NNB__TYPE_REAL) *(double *)p = option->usual;
  }
}

void nnb__opts_copy(nnb__opts_kind from, const void *opts, nnb__opts_kind to, void *out) {
  const nnb__option *option;
  for (int i = 0; (option = nnb__option_at(from, i)); i++)
    if (option->offset[to] >= 0 && option->type != NNB__TYPE_CODE)
      memcpy(nnb__option_in(option, to, out), in(option, from, opts), sizes[option->type]);
}

void nnb__opts_overlay(nnb__opts_kind kind, const void *before, const void *now, void *to) {
  const nnb__option *option;
  for (int i = 0; (option = nnb__option_at(kind, i)); i++) {
    const size_t size = sizes[option->type];
    if (option->type == NNB__TYPE_CODE || memcmp(in(option, kind, before), in(option, kind, now), size) != 0)
      memcpy(nnb__option_in(option, kind, to), in(option, kind, now), size);
  }
}

/* ---- descriptions for programs ---------------------------------------------------------------------------------- */

static bool tell(nnb__opts_kind kind, int i, nnb_option *out) {
  static const char *const types[] = {
      [NNB__TYPE_BOOL] = "bool",    [NNB__TYPE_INT] = "integer",   [NNB__TYPE_LONG] = "integer",
      [NNB__TYPE_SEED] = "integer", [NNB__TYPE_BYTES] = "integer", [NNB__TYPE_REAL] = "number",
      [NNB__TYPE_ALGO] = "name",    [NNB__TYPE_SCHEDULE] = "name", [NNB__TYPE_METRICS] = "names",
      [NNB__TYPE_CODE] = "pointer"};
  const nnb__option *option = i < 0 || !out ? NULL : nnb__option_at(kind, i);
  if (!option) return false;
  *out = (nnb_option){.name = option->name,
                      .type = types[option->type],
                      .zero = option->zero,
                      .minus = option->minus,
                      .range = ranges[option->range].words,
                      .methods = who(option->takers),
                      .help = option->help};
  return true;
}

bool nnb_fit_option(int i, nnb_option *out) { return tell(NNB__FIT_OPTS, i, out); }

bool nnb_optim_option(int i, nnb_option *out) { return tell(NNB__OPTIM_OPTS, i, out); }

bool nnb_min_option(int i, nnb_option *out) { return tell(NNB__MIN_OPTS, i, out); }
