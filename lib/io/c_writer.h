/* io/c_writer.h: what the files that emit C source of a net share. */
#ifndef NNB__C_WRITER_H
#define NNB__C_WRITER_H

#include "real.h"
/* the precision first */
#include "c_layout.h"
#include "c_parts.h"

enum { NNB__C_PLACE = 48 };

/* The functions are emitted first, into body; so it is known which helpers and formulas the head needs. */
typedef struct nnb__c_writer {
  const nnb_net *net;
  nnb_net *folded; /* what net is then; NULL: it is the caller's */
  const nnb_c_opts *opts;
  bool integers; /* weights are stored as integers */
  nnb__c_layout layout;
  nnb__c_text head, body;
  bool kept; /* the function that is being written keeps all values */
  bool helper[NNB__C_N_HELPERS], value[NNB_N_ACTIVATIONS], pull[NNB_N_ACTIVATIONS];
  bool slope[NNB_N_LOSSES], logit_slope[NNB_N_LOSSES];
} nnb__c_writer;

/* Addresses in the function that is being written, as text: element `at` of an array; the values of node k; the
 * derivatives by it; its parameters. */
const char *nnb__c_place_in(char out[NNB__C_PLACE], char array, int64_t at);
const char *nnb__c_values(const nnb__c_writer *w, int k, char out[NNB__C_PLACE]);
const char *nnb__c_derivatives(const nnb__c_writer *w, int k, char out[NNB__C_PLACE]);
typedef enum nnb__c_part { NNB__C_WEIGHTS, NNB__C_FACTOR, NNB__C_BIAS } nnb__c_part;
const char *nnb__c_params(const nnb__c_writer *w, int k, nnb__c_part part, char out[NNB__C_PLACE]);
const char *nnb__c_params_from(const nnb__c_writer *w, int k, nnb__c_part part, int64_t first, char out[NNB__C_PLACE]);

/* @_zero(n, y); and similar ones.  x NULL: without it. */
void nnb__c_call(nnb__c_writer *w, nnb__c_helper helper, int n, const char *x, const char *y);
void nnb__c_put_type(nnb__c_writer *w); /* of the parameters */
void nnb__c_put_forward(nnb__c_writer *w);
void nnb__c_put_outputs(nnb__c_writer *w);

/* The functions of the file. */
void nnb__c_put_predict(nnb__c_writer *w);
void nnb__c_put_backward(nnb__c_writer *w); /* shared by the two below; before them */
void nnb__c_put_jacobian(nnb__c_writer *w);
void nnb__c_put_step(nnb__c_writer *w);

/* The built-in loss of an output, or NNB_LOSS_AUTO for an own one. */
nnb_loss nnb__c_loss_of(const nnb_net *net, const nnb__node *output);

/* The tables of parameters and scalers.  NNB_E_NUMERIC for a number that is not finite, or too large for float. */
nnb_status nnb__c_put_tables(nnb__c_writer *w);

#endif
