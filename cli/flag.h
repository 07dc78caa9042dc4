/* cli/flag.h: the flags of a command as a flat list, for completion and the manual page. */
#ifndef FLAG_H
#define FLAG_H

#include <argp.h>

typedef struct flag {
  const char *name; /* without "--" */
  int letter;       /* its short form, or 0 */
  const char *arg;  /* NULL: no argument */
  const char *doc;
  const char *group; /* heading before it; NULL: as the flag before */
} flag;

enum { MOST_FLAGS = 128 };

/* Fills out with the flags of argp and of its children, in the order of --help; returns how many there are. */
int flags_of(const struct argp *argp, flag out[MOST_FLAGS]);

/* EX_USAGE, with the nearest name, for a --flag among the words that argp does not have; what else may be wrong is for
 * argp to find.  program: as in "nnblas train".  words end with NULL. */
int check_flags(const char *program, const struct argp *argp, char **words);

/* The names that a flag's argument may have, separated by blanks; "" if it has no fixed names. */
const char *flag_values(const flag *f);

/* "a file", "files" … : whether the argument of f is a path. */
int flag_is_file(const flag *f);

#endif
