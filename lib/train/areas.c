/* train/areas.c: see areas.h.  The area is the statistic of Mann and Whitney 1947. */
#include "areas.h"

#include "ints.h"

typedef struct ranked {
  real score, weight;
  bool is;
} ranked;

size_t nnb__ranked_size(void) { return sizeof(ranked); }

/* to[a … c) ← the sorted from[a … b) and from[b … c), merged */
static void merge(const ranked *from, int a, int b, int c, ranked *to) {
  for (int i = a, j = b, k = a; k < c; k++)
    to[k] = j == c || (i < b && from[i].score <= from[j].score) ? from[i++] : from[j++];
}

/* Sorts n rows by score; returns where they are: in rows or in spare. */
static const ranked *sort(int n, ranked *rows, ranked *spare) {
  for (int64_t width = 1; width < n; width *= 2) {
    for (int64_t a = 0; a < n; a += 2 * width) {
      const int64_t b = a + width < n ? a + width : n, c = a + 2 * width < n ? a + 2 * width : n;
      merge(rows, (int)a, (int)b, (int)c, spare);
    }
    ranked *swap = rows;
    rows = spare, spare = swap;
  }
  return rows;
}

/* Rows of weight 0 do not count. */
static int gather(int n, const real *score, int stride, const unsigned char *is, int is_stride, const real *weight,
                  ranked *out) {
  int found = 0;
  for (int i = 0; i < n; i++) {
    const real s = score[(size_t)i * (size_t)stride];
    if (!(weight[i] > 0)) continue;
    if (isnan(s)) return -1;
    out[found++] = (ranked){s, weight[i], is[(size_t)i * (size_t)is_stride]};
  }
  return found;
}

double nnb__area(int n, const real *score, int stride, const unsigned char *is, int is_stride, const real *weight,
                 void *memory) {
  ranked *rows = memory;
  double below = 0, pairs = 0, yes = 0; /* weight of those that are not it, so far; … */
  const int found = gather(n, score, stride, is, is_stride, weight, rows);
  if (found < 0) return (double)NAN;
  const ranked *r = sort(found, rows, rows + n);
  for (int i = 0, next; i < found; i = next) {
    double tied_yes = 0, tied_no = 0;
    for (next = i; next < found && r[next].score == r[i].score; next++)
      r[next].is ? (tied_yes += (double)r[next].weight) : (tied_no += (double)r[next].weight);
    pairs += tied_yes * (below + tied_no / 2);
    below += tied_no, yes += tied_yes;
  }
  return yes > 0 && below > 0 ? pairs / (yes * below) : (double)NAN;
}
