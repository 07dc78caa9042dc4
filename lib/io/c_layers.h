/* io/c_layers.h: layers other than dense ones and sums in emitted C source. */
#ifndef NNB__C_LAYERS_H
#define NNB__C_LAYERS_H

#include "c_writer.h"

/* What is written for node k: z from x; the derivatives by x from those by z; a step of the parameters. */
typedef struct nnb__c_layer {
  const nnb_layer_ops *ops;
  void (*forward)(nnb__c_writer *w, int k);
  void (*back)(nnb__c_writer *w, int k);
  void (*descend)(nnb__c_writer *w, int k); /* NULL: no parameters, or no step */
} nnb__c_layer;

/* NULL for other layers. */
const nnb__c_layer *nnb__c_layer_find(const nnb_layer_ops *ops);

/* Of gated recurrent units. */
void nnb__c_put_gru(nnb__c_writer *w, int k);
void nnb__c_back_gru(nnb__c_writer *w, int k);
void nnb__c_descend_gru(nnb__c_writer *w, int k);

/* The window of a convolution or a pool, or NULL. */
const nnb__patches *nnb__c_window(const nnb__node *node);

#endif
