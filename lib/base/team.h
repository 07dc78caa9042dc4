/* base/team.h: the library's own threads. */
#ifndef NNB__TEAM_H
#define NNB__TEAM_H

#include "nnblas/core.h"

typedef void (*nnb__part_fn)(void *context, int part);

/* Calls fn(context, part) for part 0 … parts-1, each once, and returns when all are done.  Part 0 runs on the calling
 * thread and part i on the team's thread i, unless the caller is done before that thread has begun: then the caller
 * runs part i as well.  Where the team is at work (for another caller, or for the part that calls), the caller runs
 * all parts, one after the other.  So parts must not wait for each other, and the result must not depend on who ran
 * them.  Threads that are missing are started; that they cannot be is harmless.  A part must not fork. */
void nnb__team_run(int parts, nnb__part_fn fn, void *context);

/* Starts the team's threads for that many parts, so that the first run does not have to.  Failure is harmless. */
void nnb__team_prepare(int parts);

/* Threads of the team, without a caller. */
int nnb__team_size(void);

#endif
