/* base/nearest.c */
#include "nearest.h"

#include <stdio.h>
#include <string.h>

static int least(int a, int b) { return a < b ? a : b; }

int nnb__distance(const char *word, size_t n, const char *name) {
  int d[3][NNB__FAR + 1]; /* rows i, i-1 and i-2 of the table: distance of word[0 … i) to name[0 … j) */
  const size_t m = strlen(name);
  if (n > NNB__FAR || m > NNB__FAR) return NNB__FAR + 1;
  for (size_t i = 0; i <= n; i++) {
    int *row = d[i % 3];
    const int *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];
    for (size_t j = 0; j <= m; j++) {
      row[j] = i == 0 ? (int)j : up[j] + 1;
      if (i == 0 || j == 0) continue;
      row[j] = least(row[j], least(row[j - 1] + 1, up[j - 1] + (word[i - 1] != name[j - 1])));
      const bool swapped = i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1];
      if (swapped) row[j] = least(row[j], up2[j - 2] + 1);
    }
  }
  return d[n % 3][m];
}

void nnb__nearest_try(nnb__nearest *nearest, const char *word, size_t n, const char *name) {
  const int distance = nnb__distance(word, n, name);
  if (distance > (int)(n + 2) / 3 || (nearest->name && distance >= nearest->distance)) return;
  nearest->name = name, nearest->distance = distance;
}

const char *nnb__nearest_hint(const nnb__nearest *nearest, char out[NNB__HINT]) {
  if (nearest->name)
    snprintf(out, NNB__HINT, "; did you mean %s?", nearest->name);
  else
    out[0] = '\0';
  return out;
}
