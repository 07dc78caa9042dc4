/* nn/seal.h: fixing a net's structure and making its parameters. */
#ifndef NNB__SEAL_H
#define NNB__SEAL_H

#include "net.h"

/* Fixes the structure, lays out and draws the parameters.  Does nothing to a sealed net.  Any thread may call it. */
nnb_status nnb__net_seal(nnb_net *net);
/* The same without drawing: the caller must write all parameters. */
nnb_status nnb__net_seal_undrawn(nnb_net *net);

/* A call that changes a net: nnb__net_begin holds the net and seals it, nnb__net_end lets it go.  Only one call at a
 * time may hold a net: NNB_E_STATE.  Neither end nor anything else is to be called after begin has failed. */
typedef struct nnb__change {
  nnb_net *net;
  bool sealed; /* before the call, … */
  int n_y;     /* … as all of these */
  bool column_names, class_names;
} nnb__change;
nnb_status nnb__net_begin(nnb_net *net, nnb__change *change);
/* refused: the net gets back what it was before: without parameters or names if it had none. */
void nnb__net_end(const nnb__change *change, bool refused);

#endif
