/* io/table_text.h: a table as text that grows, and numbers of the precision out of text. */
#ifndef NNB__TABLE_TEXT_H
#define NNB__TABLE_TEXT_H

#include "real.h"

typedef struct nnb__table_text {
  char *p; /* from nnb__alloc */
  size_t n, cap;
  nnb_status status; /* of the first call that failed; later ones do nothing */
} nnb__table_text;

void nnb__table_text_put(nnb__table_text *out, const char *text, size_t n);
/* With the digits that read back to the same number. */
void nnb__table_text_number(nnb__table_text *out, real value);
/* *out ← the number that n characters are, with that point; false if they are no number that is finite in the
 * precision. */
bool nnb__table_text_read(const char *text, size_t n, char point, real *out);
/* Writes the file, as nnb__save does, unless a call failed; releases the text. */
nnb_status nnb__table_text_save(nnb__table_text *out, const char *path);

#endif
