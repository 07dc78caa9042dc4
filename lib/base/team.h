/* base/team.h: the library's own threads. */
#ifndef NNB__TEAM_H
#define NNB__TEAM_H

#include <pthread.h>
#include <stdbool.h>

#include "nnblas/core.h"

typedef void (*nnb__part_fn)(void *context, int part);

/* Calls fn(context, part) once for each part 0 … parts-1, and returns when all are done.  Part 0 runs on the calling
 * thread and part i on the team's thread i, unless the caller is done before that thread has started: then the caller
 * runs part i too.  If the team is busy (for another caller, or for the part that calls), the caller runs all parts one
 * after the other.  So parts must not wait for each other, and the result must not depend on the thread that ran a
 * part.  Missing threads are started; a failure to start them is harmless.  A part must not fork.  All parts compute in
 * the arithmetic of the caller (exact.h). */
void nnb__team_run(int parts, nnb__part_fn fn, void *context);

/* Calls fn(context, job) once for each job 0 … jobs-1, by at most `threads` threads: part p of the team takes the jobs
 * p, p + threads, …, so a job waits for no other.  The rules of nnb__team_run hold. */
void nnb__team_run_jobs(int jobs, int threads, nnb__part_fn fn, void *context);

/* Starts the team's threads for that many parts in advance.  Failure is harmless. */
void nnb__team_prepare(int parts);

/* The number of threads in the team, without a caller. */
int nnb__team_size(void);

/* Starts a thread with all signals blocked: the program's handlers run on its own threads.  False if it could not. */
bool nnb__start_thread(pthread_t *thread, void *(*fn)(void *), void *argument);

#endif
