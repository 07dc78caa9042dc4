/* base/text.h: numbers as text with a decimal point in every locale. */
#ifndef NNB__TEXT_H
#define NNB__TEXT_H

#include <locale.h>
#include <stdarg.h>

#include "nnblas/core.h"

/* Sets the C locale for the calling thread between enter and leave.  Entering fails only if out of memory. */
typedef struct nnb__c_locale {
  locale_t c, before;
} nnb__c_locale;
bool nnb__c_locale_enter(nnb__c_locale *locale);
void nnb__c_locale_leave(nnb__c_locale *locale);

/* The value of a decimal number, "nan", "inf" or "-inf", with optional blanks around it.  False for anything else. */
bool nnb__text_to_double(const char *text, double *out);

/* vsnprintf and snprintf in the C locale, for texts with numbers.  "(s)" and "(es)" in the format end a noun that is
 * counted: "%d target column(s)" is "1 target column", "2 target columns".  Texts of arguments stay as they are. */
int nnb__vformat(char *out, size_t bytes, const char *format, va_list args);
int nnb__format(char *out, size_t bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* value with the fewest of 15, 16 or 17 digits that read back to the same double. */
enum { NNB__DOUBLE_TEXT = 32 };
void nnb__double_to_text(double value, char out[NNB__DOUBLE_TEXT]);

/* A text from a file, for a message: at most 40 bytes, "…" where it was cut, '?' for control characters. */
enum { NNB__SHOWN_TEXT = 48 };
const char *nnb__show(const char *text, size_t n, char out[NNB__SHOWN_TEXT]);

/* Well-formed UTF-8 (Unicode 15, table 3-7). */
bool nnb__is_utf8(const char *text, size_t n);

#endif
