/* bench/compare/peer.h: shared by the compiled peers: files, clock, and the printed line.  For C and C++. */
#ifndef PEER_H
#define PEER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* All 4-byte values of $PB_DATA/<name>; ends the program if there is no such file. */
static inline void *peer_load(const char *name, size_t *n) {
  char path[1024];
  const char *folder = getenv("PB_DATA");
  snprintf(path, sizeof path, "%s/%s", folder ? folder : "data", name);
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END)) perror(path), exit(1);
  size_t count = (size_t)ftell(f) / 4;
  rewind(f);
  void *values = aligned_alloc(64, (count * 4 + 64) / 64 * 64);
  if (!values || fread(values, 4, count, f) != count) perror(path), exit(1);
  fclose(f);
  if (n) *n = count;
  return values;
}

static inline double peer_seconds(void) {
  struct timespec t;
  const char *text = getenv("PB_CLOCK");
  clock_gettime(text && !strcmp(text, "cpu") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int peer_ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Calls per second: `pass` calls, which process all rows once, and a quarter of $PB_BUDGET seconds to warm up, then the
 * median of five parts of the rest. */
static inline double peer_rate(void (*call)(void), long pass) {
  const char *text = getenv("PB_BUDGET");
  double budget = text ? atof(text) : 0.6, start = peer_seconds(), used, part[5];
  long calls = 0;
  do {
    call(), calls++;
    used = peer_seconds() - start;
  } while (used < budget / 4 || calls < pass);
  long each = (long)(budget / 5 * (double)calls / used);
  if (each < 1) each = 1;
  for (int i = 0; i < 5; i++) {
    start = peer_seconds();
    for (long k = 0; k < each; k++) call();
    part[i] = (double)each / (peer_seconds() - start);
  }
  qsort(part, 5, sizeof *part, peer_ascending);
  return part[2];
}

/* Prints the line; loss 0: there is none to compare. */
static inline void peer_report(const char *peer, const char *workload, const char *dtype, int threads,
                               const char *metric, double value, double loss) {
  printf("{\"peer\":\"%s\",\"workload\":\"%s\",\"dtype\":\"%s\",\"threads\":%d,\"metric\":\"%s\",\"value\":%.8g", peer,
         workload, dtype, threads, metric, value);
  if (loss > 0) printf(",\"loss\":%.8g", loss);
  printf("}\n");
}

#endif
