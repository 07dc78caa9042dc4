/* bench/start.h: W8, from exec to the end of the first training step.  Does not depend on the precision, except
 * names. */
#ifndef BENCH_START_H
#define BENCH_START_H

/* If argv requests a first step: makes one, prints the seconds since exec, and returns the exit status.  Else -1. */
int start_child(int argc, char **argv);
/* Runs this program n times as such a child; seconds[i]: from exec to the end of the child's first training step.  -1
 * on failure, with a message on stderr. */
int start_seconds(const char *precision, int threads, int n, double *seconds);

/* The first step: W7's net, one update by Adam from 10,000 rows.  0, or -1 with a message on stderr.  Typed. */
int first_step_f32(void);
int first_step_f64(void);

#endif
