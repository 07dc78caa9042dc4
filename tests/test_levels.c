/* Whether the tests of every level of vector instructions ran for this one: skipped, by name, if it was not built or
 * the processor lacks it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

enum { SKIPPED = 77 };

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "usage: %s LEVEL NUMBER LEVELS-BUILT\n", argv[0]), 2;
  int number = atoi(argv[2]), built = atoi(argv[3]);
  const nnb__kernels *kernels = nnb__kernel_level(number);
  if (number > built) {
    printf("skipped: kernels of level %s are not in this build (-Dlevels)\n", argv[1]);
    return kernels ? fprintf(stderr, "yet there are some\n"), 1 : SKIPPED;
  }
  if (!kernels) {
    printf("skipped: this processor lacks level %s of x86-64, so that no test ran its kernels\n", argv[1]);
    return SKIPPED;
  }
  if (strcmp(kernels->level, argv[1]) == 0) return 0;
  return fprintf(stderr, "level %d: expected %s, got %s\n", number, argv[1], kernels->level), 1;
}
