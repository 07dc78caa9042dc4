/* nn/seal.h: fixing a net's structure and making its parameters. */
#ifndef NNB__SEAL_H
#define NNB__SEAL_H

#include "net.h"

/* Fixes the shapes and makes the parameters; harmless when that is done already.  Safe from several threads. */
nnb_status nnb__net_seal(nnb_net *net);
/* The same without drawing the parameters, which the caller writes, all of them. */
nnb_status nnb__net_seal_undrawn(nnb_net *net);

#endif
