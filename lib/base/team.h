/* base/team.h: the library's own threads. */
#ifndef NNB__TEAM_H
#define NNB__TEAM_H

#include "nnblas/core.h"

typedef void (*nnb__part_fn)(void *context, int part);

/* Calls fn(context, part) for part 0 … parts-1 and returns when all are done.  Part 0 runs on the calling thread, the others on
 * the team's; where the team is at work for another caller, or could not be started, the caller runs all parts
 * itself, one after the other: so parts must not wait for each other, and the result does not depend on who ran them. */
void nnb__team_run(int parts, nnb__part_fn fn, void *context);

/* Starts the team's threads for that many parts, so that the first run does not have to.  Failure is harmless. */
void nnb__team_prepare(int parts);

#endif
