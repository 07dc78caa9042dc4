/* io/c_layout.h: where emitted C source keeps the values of the nodes. */
#ifndef NNB__C_LAYOUT_H
#define NNB__C_LAYOUT_H

#include "net.h"

enum { NNB__C_NOWHERE = -1 };

typedef struct nnb__c_place { /* offsets of one node, or NOWHERE */
  int64_t slot;               /* of its values in the scratch of a prediction; an input may be read in x */
  int64_t keep, z;            /* where all values are kept: of its values, and of z where a slope needs it */
  int64_t d;                  /* of its derivatives; inputs are the first n_x in order of their columns, as in keep */
  int64_t record, delta; /* of a gru (c_gru.c): the records of its steps in keep, ∂E/∂h and the δ of steps in d */
  int64_t w, factor, bias; /* in the lists of a table with weights as integers */
} nnb__c_place;

typedef struct nnb__c_layout {
  nnb__c_place *place;          /* of node k: place[k - 1] */
  int64_t n_slots, n_keep, n_d; /* numbers in all */
  int64_t record;               /* in the scratch of a prediction: the record of the gru that is running */
  int64_t n_weights, n_factors, n_biases;
} nnb__c_layout;

/* Numbers of a gru's record, and of its δ, for each unit */
enum { NNB__C_RECORD = 5, NNB__C_DELTA = 4 };

/* scaled: inputs are scaled first, so that they need a place.  step: the δ of all steps of a gru are kept.  A chain
 * takes two slots, at most twice its widest layer, and the record of a gru.  NNB_E_NOMEM. */
nnb_status nnb__c_layout_init(const nnb_net *net, bool scaled, bool step, nnb__c_layout *out);
void nnb__c_layout_clear(nnb__c_layout *layout);

#endif
