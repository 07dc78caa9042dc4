/* base/cgroup.h: how much of the processors the system's control groups leave this process. */
#ifndef NNB__CGROUP_H
#define NNB__CGROUP_H

/* The least quota of the process's control group and those around it, in processors, rounded up: cpu.max (version 2),
 * cpu.cfs_quota_us over cpu.cfs_period_us (version 1).  `most` where there is none, or more.  root: "", or for tests a
 * folder with proc/self/cgroup and sys/fs/cgroup. */
int nnb__cgroup_processors(const char *root, int most);

#endif
