/* cli/cv_flags.c: see cv_flags.h. */
#include "cv_flags.h"

#include <nnblas.h>
#include <stdlib.h>
#include <sysexits.h>

enum { REPEATS = 0xB00, MOST = 1000000 };

static const struct argp_option options[] = {
    {"folds", 'k', "NUMBER", 0, "parts of the table, each of them once held out (5, or one for each of fewer rows)", 0},
    {"repeats", REPEATS, "NUMBER", 0, "how often this is done, each time with other parts (1)", 0},
    {0},
};

static int count_of(const char *flag, const char *text, int least, struct argp_state *state) {
  char *end;
  long n = strtol(text, &end, 10);
  if (end == text || *end || n < least || n > MOST)
    argp_failure(state, EX_USAGE, 0, "%s wants a number from %d to %d, not \"%s\"", flag, least, MOST, text);
  return (int)n;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  nnb_cv_opts *o = state->input;
  switch (key) {
    case 'k':
      o->folds = count_of("--folds", arg, 2, state);
      return 0;
    case REPEATS:
      o->repeats = count_of("--repeats", arg, 1, state);
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cv_flags_argp = {.options = options, .parser = parse};
