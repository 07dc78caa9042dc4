/* bench/apart.h: how far apart two processors are. */
#ifndef BENCH_APART_H
#define BENCH_APART_H

/* Seconds that a number takes from one processor to another and back, between the first two that the program may run
 * on: the median of some hundred trips.  About 50 ns where two cores share a cache, and several hundred where they do
 * not.  A virtual machine's cores may change their places within seconds.  0: unknown (one processor, not Linux). */
double apart_seconds(void);

#endif
