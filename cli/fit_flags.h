/* cli/fit_flags.h: the options of nnb_fit as flags, made from the library's own list: max_epochs is --max-epochs=N. */
#ifndef FIT_FLAGS_H
#define FIT_FLAGS_H

#include <argp.h>
#include <nnblas.h>

typedef struct fit_flags {
  nnb_fit_opts opts;
} fit_flags;

/* A child of a command's argp; its input is a fit_flags of zeros.  Call it once before argp_parse; the flags are those
 * of the last call.  of_copies: without those that only a fit of a net to keep takes. */
const struct argp *fit_flags_argp(bool of_copies);

#endif
