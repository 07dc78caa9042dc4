/* io/table_text.c: see table_text.h. */
#include "table_text.h"

#include <string.h>

#include "alloc.h"
#include "decimal.h"
#include "save.h"
#include "status.h"
#include "text.h"

void nnb__table_text_put(nnb__table_text *out, const char *text, size_t n) {
  if (!out->status && !nnb__grow(&out->p, &out->cap, out->n + n, 1)) out->status = nnb__fail_nomem("the text");
  if (out->status) return;
  memcpy(out->p + out->n, text, n);
  out->n += n;
}

void nnb__table_text_number(nnb__table_text *out, real value) {
  char text[NNB__DOUBLE_TEXT];
  if (sizeof(real) == sizeof(double))
    nnb__double_to_text((double)value, text);
  else
    nnb__format(text, sizeof text, "%.9g", (double)value);
  nnb__table_text_put(out, text, strlen(text));
}

bool nnb__table_text_read(const char *text, size_t n, char point, real *out) {
#ifdef NNB_SINGLE
  return nnb__decimal_single(text, n, point, out) == NNB__DECIMAL && isfinite(*out);
#else
  return nnb__decimal(text, n, point, out) == NNB__DECIMAL;
#endif
}

nnb_status nnb__table_text_save(nnb__table_text *out, const char *path) {
  const nnb__piece piece = {out->p, out->n};
  nnb_status status = out->status ? out->status : nnb__save(path, &piece, 1);
  nnb__release(out->p);
  *out = (nnb__table_text){0};
  return status;
}
