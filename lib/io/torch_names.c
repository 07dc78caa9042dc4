/* io/torch_names.c */
#include "torch_names.h"

#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static size_t digits(const char *p) { return strspn(p, "0123456789"); }
static const char *skip_zeros(const char *p) {
  while (*p == '0' && is_digit(p[1])) p++;
  return p;
}

static int compare_numbers(const char *a, const char *b) {
  a = skip_zeros(a), b = skip_zeros(b);
  const size_t m = digits(a), n = digits(b);
  return m != n ? (m > n) - (m < n) : strncmp(a, b, n);
}

int nnb__torch_compare(const char *a, const char *b) {
  const char *const a0 = a, *const b0 = b;
  while (*a && *b) {
    if (is_digit(*a) && is_digit(*b)) {
      const int order = compare_numbers(a, b);
      if (order) return order;
      a += digits(a), b += digits(b);
    } else if (*a != *b) {
      break;
    } else {
      a++, b++;
    }
  }
  return *a != *b ? (unsigned char)*a - (unsigned char)*b : strcmp(a0, b0); /* "01" and "1" are not equal */
}

bool nnb__torch_in_series(const char *a, const char *b) {
  size_t n = 0;
  while (a[n] && a[n] == b[n]) n++;
  while (n > 0 && is_digit(a[n - 1])) n--;
  a += n, b += n;
  return is_digit(*a) && is_digit(*b) && compare_numbers(a, b) != 0 && strcmp(a + digits(a), b + digits(b)) == 0;
}

const char *const nnb__torch_parts[NNB__TORCH_N_PARTS] = {
    "weight",       "bias",         "running_mean", "running_var", "num_batches_tracked",
    "weight_ih_l0", "weight_hh_l0", "bias_ih_l0",   "bias_hh_l0",  "second layer or direction"};

static bool is_further(const char *last) {
  bool is = false;
  for (int i = NNB__TORCH_WEIGHT_X; i <= NNB__TORCH_BIAS_H; i++)
    is |= strncmp(last, nnb__torch_parts[i], strlen(nnb__torch_parts[i]) - 1) == 0;
  return is;
}

int64_t nnb__torch_module(const char *name, nnb__torch_part *part) {
  const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
  int i = 0;
  while (i < NNB__TORCH_FURTHER && strcmp(last, nnb__torch_parts[i]) != 0) i++;
  if (i == NNB__TORCH_FURTHER && !is_further(last)) return -1;
  *part = (nnb__torch_part)i;
  return dot ? dot - name : 0;
}
