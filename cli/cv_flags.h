/* cli/cv_flags.h: how the rows are divided, for `cv` and `search`. */
#ifndef CV_FLAGS_H
#define CV_FLAGS_H

#include <argp.h>

/* A child of a command's argp; its input is an nnb_cv_opts of zeros. */
extern const struct argp cv_flags_argp;

#endif
