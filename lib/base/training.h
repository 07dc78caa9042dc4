/* base/training.h: what a net was trained by, in the bag of the net:
 *   training.version, .algo, .epochs, .updates, .rows, .val_rows, .seed, .best_epoch, .restored, .loss, .val_loss,
 *   .best_loss; .metric, .score and .score_rows if there is a score.  Numbers that are not finite are left out. */
#ifndef NNB__TRAINING_H
#define NNB__TRAINING_H

#include "bag.h"

/* NNB_E_ARG with what is wrong.  A version of no letters is not looked at. */
nnb_status nnb__training_check(const nnb_training *training);
/* Puts nothing if there was no training: if its version has no letters. */
void nnb__training_to_bag(const nnb_training *training, nnb__bag *bag);
/* All zero if the bag has none.  A method or metric that this version does not know is left out.  NNB_E_PARSE. */
nnb_status nnb__training_from_bag(const nnb__bag *bag, nnb_training *out);

#endif
