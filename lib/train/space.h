/* train/space.h: the space of nnb_search: what may vary, and the values that each may have.  No real numbers. */
#ifndef NNB__SPACE_H
#define NNB__SPACE_H

#include "options.h"

enum { NNB__MOST_ITEMS = 48 };

/* NAME=VALUES.  A list has n values, a range of numbers none. */
typedef struct nnb__item {
  char *name;                /* "layers", "activation", or that of an option; points into the space's text */
  const nnb__option *option; /* NULL: layers or activation */
  char **value;              /* n; they point into the space's text */
  int n;
  double from, to; /* a range … */
  bool log, whole; /* … on a logarithmic scale; of whole numbers */
  int points;      /* … and its values in a grid */
} nnb__item;

typedef struct nnb__space {
  char *text; /* a copy, cut into pieces */
  nnb__item item[NNB__MOST_ITEMS];
  int n;
} nnb__space;

/* The value of an item: number k of a list, or x of a range. */
typedef struct nnb__choice {
  int k;
  double x;
} nnb__choice;

/* A candidate: its text "layers=20:tanh l2=0.1", its hidden layers, its options.  From nnb__alloc. */
typedef struct nnb__proposal {
  char *text, *layers;
  nnb_fit_opts fit;
} nnb__proposal;

/* Reads "NAME=VALUES; NAME=VALUES".  NNB_E_PARSE, NNB_E_ARG: the message has the place or the item. */
nnb_status nnb__space_parse(const char *text, nnb__space *out);
void nnb__space_clear(nnb__space *space);
/* Whether an item has that name. */
bool nnb__space_has(const nnb__space *space, const char *name);

/* The number of combinations: of a grid, or, if `finite`, of all lists, INFINITY with a range. */
double nnb__space_size(const nnb__space *space, bool finite);
/* Combination i of the grid; the last item changes fastest. */
void nnb__space_at(const nnb__space *space, int64_t i, nnb__choice *choice);
/* Draws each item: a value of a list, or a number of a range with 4 digits. */
void nnb__space_draw(const nnb__space *space, nnb_rng *rng, nnb__choice *choice);

/* The candidate of a choice, over the options fit and the layers where the space has none.  traits(algo): the traits of
 * a method, 0 for NNB_AUTO.  Options that its method does not take are left out of it. */
nnb_status nnb__space_propose(const nnb__space *space, const nnb__choice *choice, const nnb_fit_opts *fit,
                              const char *layers, unsigned (*traits)(nnb_algo algo), nnb__proposal *out);
void nnb__proposal_clear(nnb__proposal *proposal);

#endif
