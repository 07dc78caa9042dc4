/* base/decimal.h: decimal text to numbers: correctly rounded, the same in every locale. */
#ifndef NNB__DECIMAL_H
#define NNB__DECIMAL_H

#include "nnblas/core.h"

typedef enum nnb__number {
  NNB__DECIMAL,    /* a finite decimal number                                              */
  NNB__NOT_FINITE, /* nan, inf, or a decimal number beyond the range of a double            */
  NNB__NOT_DECIMAL /* anything else; also hexadecimal                                      */
} nnb__number;

/* What the whole of text (n bytes) is: "-1", "+.5", "5.", "1e3", with blanks around it; point: '.' or ','.  *out is its
 * value, rounded to nearest even (NaN where it is none). */
nnb__number nnb__decimal(const char *text, size_t n, char point, double *out);

/* The same in single precision, without the double rounding of (float)value.  Infinite beyond its range. */
nnb__number nnb__decimal_single(const char *text, size_t n, char point, float *out);

#endif
