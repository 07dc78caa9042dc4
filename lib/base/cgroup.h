/* base/cgroup.h: the CPU quota of the process's control groups. */
#ifndef NNB__CGROUP_H
#define NNB__CGROUP_H

/* The smallest quota of the process's control group and the enclosing ones, in processors, rounded up: cpu.max (version
 * 2), cpu.cfs_quota_us over cpu.cfs_period_us (version 1).  Returns `most` if there is no quota or a larger one.  root:
 * "", or for tests a folder with proc/self/cgroup and sys/fs/cgroup. */
int nnb__cgroup_processors(const char *root, int most);

#endif
