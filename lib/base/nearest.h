/* base/nearest.h: the known name that a misspelt word is closest to, for messages. */
#ifndef NNB__NEAREST_H
#define NNB__NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* Insertions, deletions, replacements and swaps of neighbours that make the word (n bytes) the name: the optimal
 * string alignment distance (Damerau 1964).  More than NNB__FAR where either is longer than that. */
enum { NNB__FAR = 40 };
int nnb__distance(const char *word, size_t n, const char *name);

/* The nearest name so far. */
typedef struct nnb__nearest {
  const char *name; /* NULL: none is near */
  int distance;
} nnb__nearest;
/* Looks at one more name: near is at most a third of the word's characters, and the first of equals stays. */
void nnb__nearest_try(nnb__nearest *nearest, const char *word, size_t n, const char *name);

#endif
