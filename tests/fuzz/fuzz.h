/* tests/fuzz/fuzz.h: included once by each target, which defines fuzz().  A finding ends the program in every build: a
 * broken guarantee, or an input that takes too long. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* One second of processor time for 64 KB, and for anything smaller. */
enum { FUZZ_BYTES = 1 << 16 };

static void fuzz(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(int condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "wrong: %s\n", what);
  abort();
}

static double fuzz_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The factor by which a tool slows the program down, from the environment. */
static double fuzz_slowness(void) {
  const char *text = getenv("NNB_SLOWNESS");
  return text ? atof(text) : 1;
}

static double fuzz_once(const uint8_t *data, size_t size) {
  const double begin = fuzz_seconds();
  fuzz(data, size);
  return fuzz_seconds() - begin;
}

/* On a busy machine the system itself can take a second for new pages, so a long time is measured again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const double most = fuzz_slowness() * (size > FUZZ_BYTES ? (double)size / FUZZ_BYTES : 1);
  double took = fuzz_once(data, size);
  for (int again = 0; again < 2 && took > most; again++) took = fuzz_once(data, size);
  if (took > most) fprintf(stderr, "%zu bytes take %.2f s\n", size, took);
  must(took <= most, "it takes too long");
  return 0;
}

#endif
