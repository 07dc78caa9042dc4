/* base/options.h: operations on every options struct, driven by the list options.def: checks, defaults, copies, text.
 */
#ifndef NNB__OPTIONS_H
#define NNB__OPTIONS_H

#include "nnblas/core.h"

/* The traits of methods, which can be or'ed, and the methods that have them.  The first three follow from the functions
 * in a row of nnb__optim_ops; its member `traits` has the others. */
#define NNB__TRAIT_LIST(X)                                         \
  X(STEPS, 1 << 0, "methods that step from batch to batch")        \
  X(MINIMIZES, 1 << 1, "methods that minimise any function")       \
  X(SQUARES, 1 << 2, "lm and varpro") /* solves least squares */   \
  X(PLAIN, 1 << 3, "sgd")             /* w ← w - ηg only */     \
  X(PAIRS, 1 << 4, "kfac")            /* needs the layers' data */ \
  X(LINEAR, 1 << 5, "varpro")         /* needs linear columns */   \
  X(BAYES, 1 << 6, "lm")              /* estimates the decay */    \
  X(BOUNDS, 1 << 7, "lbfgs and lm")   /* keeps x within bounds */  \
  X(LIMITED, 1 << 8, "lbfgs")         /* keeps a few pairs of steps */

#define NNB__TRAIT_ENUM(name, value, who) NNB__TRAIT_##name = value,
enum { NNB__TRAIT_LIST(NNB__TRAIT_ENUM) NNB__TRAIT_ALL = 0 };
#undef NNB__TRAIT_ENUM

/* Ranges of numbers: the minimum; the maximum, and whether it is excluded; in words.  NaN is only in ANY. */
#define NNB__RANGE_LIST(X)                          \
  X(ANY, -HUGE_VAL, HUGE_VAL, false, "any value")   \
  X(NUMBER, -HUGE_VAL, HUGE_VAL, false, "a number") \
  X(NOT_NEGATIVE, 0, HUGE_VAL, false, "0 or more")  \
  X(TO_1024, 0, 1024, false, "0 to 1024")           \
  X(FINITE, 0, HUGE_VAL, true, "0 or more, finite") \
  X(UP_TO_1, 0, 1, false, "0 to 1")                 \
  X(BELOW_1, 0, 1, true, "0 or more, below 1")

typedef enum nnb__option_type {
  NNB__TYPE_BOOL,
  NNB__TYPE_INT,
  NNB__TYPE_LONG,
  NNB__TYPE_SEED,
  NNB__TYPE_BYTES,
  NNB__TYPE_REAL,
  NNB__TYPE_ALGO,
  NNB__TYPE_SCHEDULE,
  NNB__TYPE_METRICS, /* flags, joined by '+' in text */
  NNB__TYPE_CODE
} nnb__option_type;

typedef enum nnb__range {
#define NNB__RANGE_ENUM(name, least, bound, open, words) NNB__RANGE_##name,
  NNB__RANGE_LIST(NNB__RANGE_ENUM)
#undef NNB__RANGE_ENUM
} nnb__range;

/* The structs, as columns of the list. */
typedef enum nnb__opts_kind { NNB__FIT_OPTS, NNB__OPTIM_OPTS, NNB__MIN_OPTS, NNB__N_OPTS } nnb__opts_kind;
/* The name of a struct, "nnb_fit_opts", and its size. */
const char *nnb__opts_name(nnb__opts_kind kind);
size_t nnb__opts_size(nnb__opts_kind kind);

/* A line of the list. */
typedef struct nnb__option {
  const char *name;
  nnb__option_type type;
  ptrdiff_t offset[NNB__N_OPTS]; /* in each of the structs; -1: not in that struct */
  double usual;                  /* IS(n): n, else 0 */
  const char *zero;              /* the meaning of 0, or NULL */
  const char *minus_c, *minus;   /* the name of -1 in C and in text, or NULL */
  nnb__range range;
  unsigned takers; /* NNB__TRAIT_ALL, or a trait */
  const char *help;
} nnb__option;

enum { NNB__MOST_OPTIONS = 64 };
/* Option i of a struct, in the order of the list; NULL after the last. */
const nnb__option *nnb__option_at(nnb__opts_kind kind, int i);
/* The address of the option in opts. */
void *nnb__option_in(const nnb__option *option, nnb__opts_kind kind, void *opts);

/* The names of an enumeration's n values; NULL if the type is not an enumeration. */
typedef const char *nnb__name_fn(int value);
nnb__name_fn *nnb__option_names(const nnb__option *option, int *n);

/* The value as text, or as C (c true): "none" or "NNB_NONE".  CODE: "". */
enum { NNB__OPTION_TEXT = 160 };
void nnb__option_show(const nnb__option *option, nnb__opts_kind kind, const void *opts, bool c,
                      char out[NNB__OPTION_TEXT]);

/* The names of flags of nnb_metric, joined by '+'; flags without a name as one number.  0: "". */
void nnb__metrics_text(unsigned flags, char out[NNB__OPTION_TEXT]);

/* Check one option against its range, or all of them and the reserve.  NNB_E_ARG with a message. */
nnb_status nnb__option_check(const nnb__option *option, nnb__opts_kind kind, const void *opts, bool c);
nnb_status nnb__opts_check(nnb__opts_kind kind, const void *opts);

/* The first option that is set although a method with these traits does not take it, or NULL. */
const nnb__option *nnb__opts_not_taken(nnb__opts_kind kind, const void *opts, unsigned traits);
/* NNB_E_ARG with a message if there is such an option. */
nnb_status nnb__opts_check_taken(nnb__opts_kind kind, const void *opts, unsigned traits, const char *method);

/* Sets the defaults of IS where the value is 0 and a method with these traits takes the option. */
void nnb__opts_complete(nnb__opts_kind kind, void *opts, unsigned traits);
/* Copies the options that both structs have. */
void nnb__opts_copy(nnb__opts_kind from, const void *opts, nnb__opts_kind to, void *out);

/* to ← the values of now that differ from those before, and all pointers. */
void nnb__opts_overlay(nnb__opts_kind kind, const void *before, const void *now, void *to);

/* The public calls: read text into the struct, which is unchanged if the text is rejected; write the struct as text, to
 * be released with nnb_free. */
nnb_status nnb__opts_parse(nnb__opts_kind kind, const char *text, void *opts);
nnb_status nnb__opts_print(nnb__opts_kind kind, const void *opts, char **out);
/* Compares options with those of `other` ("the training in the file"), which are a text.  NNB_E_ARG with both values
 * for the first one that differs, apart from those named in `except`, which ends in NULL; NNB_E_PARSE for a malformed
 * text. */
nnb_status nnb__opts_match(nnb__opts_kind kind, const void *opts, const char *other, const char *text,
                           const char *const *except);

#endif
