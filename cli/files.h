/* cli/files.h: the files that a command writes: what can be known before hours of work, and results as text. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stdio.h>

/* ---- before the work: each returns an exit code, with a message -------------------------------------------------- */

/* EX_USAGE if writing output, which flag gives, would overwrite input, a file that is read.  Either may be NULL. */
int spare(const char *input, const char *flag, const char *output);

/* EX_USAGE if two flags give the same file.  Either path may be NULL. */
int apart(const char *flag, const char *path, const char *other_flag, const char *other);

/* Whether a file can be written there.  whole: it is replaced as a whole, so it must be a regular file in a folder that
 * takes files.  EX_CANTCREAT; EX_USAGE for "-" and "".  NULL is none. */
int check_output(const char *flag, const char *path, bool whole);

/* ---- results as text --------------------------------------------------------------------------------------------- */

typedef struct text_file {
  FILE *stream;
  const char *path;        /* NULL: standard output */
  char *place, *temporary; /* temporary takes the place when all is written; NULL: it is written in its place */
} text_file;

/* path NULL or "-": standard output.  A new file, or one of this user's without other links, is written beside its
 * place and takes it at the end, so that what was there stays if writing fails; other files are written in their place,
 * and so are those in a folder that takes no new ones.  Close it, whatever it returns. */
int open_text(const char *path, text_file *out);
/* EX_IOERR if not all of it is written, for instance on a full disk. */
int close_text(text_file *file);
/* The same of standard output. */
int close_stdout(void);

#endif
