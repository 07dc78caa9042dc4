/* io/c_text.h: a growing text, for writing C source.  In its formats '@' stands for the prefix of all names, "@@" for
 * the same in capitals, '$' for the type of numbers, '~' for the suffix of their constants and functions, '^' for the
 * type of weights, and '`' for the smallest normal number. */
#ifndef NNB__C_TEXT_H
#define NNB__C_TEXT_H

#include "nnblas/core.h"

enum { NNB__C_NAME = 41 }; /* a prefix with its NUL */

typedef struct nnb__c_text {
  char *p; /* from nnb__alloc, NUL at its end */
  size_t n, cap;
  char name[NNB__C_NAME], capitals[NNB__C_NAME];
  bool single;        /* numbers are float */
  const char *weight; /* the type of weights */
  nnb_status status;  /* of the first put that failed; later ones do nothing */
} nnb__c_text;

/* NNB_E_ARG unless name is a letter followed by letters, digits and underscores, 40 bytes at most. */
nnb_status nnb__c_text_init(nnb__c_text *out, const char *name, bool single, const char *weight);
void nnb__c_text_clear(nnb__c_text *out);

/* Appends another text as it is. */
void nnb__c_text_join(nnb__c_text *out, const nnb__c_text *more);

/* Text with the substitutions above, of any length. */
void nnb__c_paste(nnb__c_text *out, const char *text);
/* printf in the C locale, and then the substitutions above.  The result has less than 4 KB. */
void nnb__c_put(nnb__c_text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A constant: 1.5 or 1.5f, with all the digits that matter. */
void nnb__c_put_number(nnb__c_text *out, double value);

#endif
