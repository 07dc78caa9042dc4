/* base/cgroup.c */
#include "cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH = 2048 };

/* Reads the first two numbers of a file, "max" as -1, and returns how many there are. */
static int read_two(const char *folder, const char *name, long long out[2]) {
  char path[2 * PATH], text[2][24] = {"", ""};
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  int n = fscanf(file, "%23s %23s", text[0], text[1]);
  fclose(file);
  for (int i = 0; i < 2; i++)
    if (sscanf(text[i], "%lld", &out[i]) != 1) out[i] = -1;
  return n < 0 ? 0 : n;
}

/* The quota of one group in processors, rounded up, or most. */
static int of_group(const char *folder, int most) {
  long long quota[2], period[2];
  int n = read_two(folder, "cpu.max", quota);
  if (n < 2) {
    if (read_two(folder, "cpu.cfs_quota_us", quota) < 1 || read_two(folder, "cpu.cfs_period_us", period) < 1)
      return most;
    quota[1] = period[0];
  }
  if (quota[0] <= 0 || quota[1] <= 0) return most;
  long long up = (quota[0] - 1) / quota[1] + 1;
  return up < most ? (int)up : most;
}

/* The smallest quota of the group and the enclosing ones, up to the mount.  path ends in the group's own path, which is
 * cut. */
static int of_all(char *path, size_t mount, int most) {
  for (;;) {
    most = of_group(path, most);
    char *slash = strrchr(path + mount, '/');
    if (!slash) return most;
    *slash = '\0';
  }
}

/* Whether a list such as "cpu,cpuacct" has cpu.  Version 2 has an empty list. */
static bool has_cpu(const char *list) {
  for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : p)
    if (strncmp(p, "cpu", 3) == 0 && (p[3] == ',' || p[3] == '\0')) return true;
  return list[0] == '\0';
}

int nnb__cgroup_processors(const char *root, int most) {
  char path[2 * PATH], line[PATH];
  snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
  FILE *file = fopen(path, "r");
  if (!file) return most;
  while (fgets(line, sizeof line, file)) { /* 3:cpu,cpuacct:/group */
    char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
    if (!group) continue;
    *group++ = '\0', list++;
    group[strcspn(group, "\n")] = '\0';
    if (!has_cpu(list)) continue;
    int mount = snprintf(path, sizeof path, "%s/sys/fs/cgroup%s%s", root, *list ? "/" : "", list);
    snprintf(path + mount, sizeof path - (size_t)mount, "%s", group);
    most = of_all(path, (size_t)mount, most);
  }
  fclose(file);
  return most;
}
