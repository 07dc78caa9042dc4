/* base/nearest.h: the known name that a misspelt word is closest to, for messages. */
#ifndef NNB__NEAREST_H
#define NNB__NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* The optimal string alignment distance (Damerau 1964) between a word of n bytes and a name: insertions, deletions,
 * replacements and swaps of neighbours.  Above NNB__FAR if either is longer than that. */
enum { NNB__FAR = 40 };
int nnb__distance(const char *word, size_t n, const char *name);

/* The nearest name so far. */
typedef struct nnb__nearest {
  const char *name; /* NULL: none is near */
  int distance;
} nnb__nearest;
/* Considers one more name.  A name is near if its distance is at most a third of the word's length; the first of equals
 * is kept. */
void nnb__nearest_try(nnb__nearest *nearest, const char *word, size_t n, const char *name);
/* out ← "; did you mean NAME?", or "" if none is near; returns out. */
enum { NNB__HINT = 64 };
const char *nnb__nearest_hint(const nnb__nearest *nearest, char out[NNB__HINT]);

#endif
