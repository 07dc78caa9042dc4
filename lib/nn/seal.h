/* nn/seal.h: fixes a net's structure and allocates its parameters. */
#ifndef NNB__SEAL_H
#define NNB__SEAL_H

#include "net.h"

/* Fixes the structure, lays out and draws the parameters.  Does nothing to a sealed net.  Any thread may call it.  To a
 * caller a net that seals itself has not changed: so it is const. */
nnb_status nnb__net_seal(const nnb_net *net);
/* The net of such a call, for a plan that only reads it. */
static inline nnb_net *nnb__net_sealable(const nnb_net *net) { return (nnb_net *)(uintptr_t)net; }
/* Whether this thread holds NNB__LOCK_SEAL: it runs a layer's init or init_buffers. */
bool nnb__net_sealing(void);
/* Seals a new net that no other thread knows, without drawing the parameters: the caller must write all of them. */
nnb_status nnb__net_seal_undrawn(nnb_net *net);

/* A changing call: nnb__net_begin holds the net and seals it, nnb__net_end releases it.  Only one call at a time may
 * hold a net: NNB_E_STATE.  If begin has failed, do not call end. */
typedef struct nnb__change {
  nnb_net *net;
  bool sealed; /* this and the others: the values before the call */
  int n_y;
  bool column_names, class_names;
} nnb__change;
nnb_status nnb__net_begin(nnb_net *net, nnb__change *change);
/* The program is given something that is made for the parameters, or points to them: within a changing call, by a
 * callback. */
void nnb__net_show(const nnb_net *net);
/* refused: restores the state before the call: no names if there were none, and no parameters, unless the program has
 * seen them (nnb__net_show). */
void nnb__net_end(const nnb__change *change, bool refused);

#endif
