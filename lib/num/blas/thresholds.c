#include "thresholds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nearest.h"
#include "nnblas/core.h"
#include "status.h"
#include "text.h"

#define DEFAULT(name, value) .name = value,
static nnb__thresholds defaults = {NNB__THRESHOLD_LIST(DEFAULT)};
nnb__thresholds nnb__threshold = {NNB__THRESHOLD_LIST(DEFAULT)};

#define ROW(name, value) {#name, offsetof(nnb__thresholds, name)},
static const struct {
  const char *name;
  size_t offset;
} table[] = {NNB__THRESHOLD_LIST(ROW)};
enum { N_ROWS = sizeof table / sizeof *table };

static double *field(nnb__thresholds *of, int i) { return (double *)(void *)((char *)of + table[i].offset); }

/* The row of that name (n bytes), or -1. */
static int find(const char *name, size_t n) {
  for (int i = 0; i < N_ROWS; i++)
    if (strlen(table[i].name) == n && !memcmp(table[i].name, name, n)) return i;
  return -1;
}

static nnb_status no_threshold(const char *name, size_t n) {
  char shown[NNB__SHOWN_TEXT], hint[NNB__HINT];
  nnb__nearest nearest = {0};
  for (int i = 0; i < N_ROWS; i++) nnb__nearest_try(&nearest, name, n, table[i].name);
  return nnb__fail(NNB_E_PARSE, "thresholds: there is no threshold named \"%s\"%s", nnb__show(name, n, shown),
                   nnb__nearest_hint(&nearest, hint));
}

/* Reads one "name=value". */
static nnb_status read_part(const char *part, size_t n, nnb__thresholds *into) {
  char shown[NNB__SHOWN_TEXT], value[NNB__DOUBLE_TEXT];
  const char *equals = memchr(part, '=', n);
  size_t name = equals ? (size_t)(equals - part) : n;
  int row = find(part, name);
  if (row < 0) return no_threshold(part, name);
  size_t digits = equals ? n - name - 1 : 0;
  double x = -1;
  if (digits < sizeof value) {
    memcpy(value, part + n - digits, digits), value[digits] = '\0';
    if (nnb__text_to_double(value, &x) && x >= 0 && isfinite(x)) return *field(into, row) = x, NNB_OK;
  }
  return nnb__fail(NNB_E_PARSE, "thresholds: %s is \"%s\"; wanted a number, 0 or more", table[row].name,
                   nnb__show(part, n, shown));
}

nnb_status nnb_set_thresholds(const char *text) {
  nnb__thresholds read = text ? nnb__threshold : defaults;
  for (const char *part = text; part && *part;) {
    size_t n = strcspn(part, ",");
    nnb_status status = read_part(part, n, &read);
    if (status) return status;
    part += n + (part[n] == ',');
  }
  nnb__threshold = read;
  return NNB_OK;
}

nnb_status nnb_get_thresholds(char *text, size_t size) {
  size_t used = 0;
  if (!text) return nnb__fail(NNB_E_ARG, "text is NULL");
  for (int i = 0; i < N_ROWS; i++) {
    char value[NNB__DOUBLE_TEXT];
    nnb__double_to_text(*field(&nnb__threshold, i), value);
    int n = snprintf(text + used, size - used, "%s%s=%s", i ? "," : "", table[i].name, value);
    if (n < 0 || (size_t)n >= size - used)
      return nnb__fail(NNB_E_ARG, "the thresholds do not fit into %zu byte(s); 512 are enough", size);
    used += (size_t)n;
  }
  return NNB_OK;
}

/* The size of a core's second-level cache in bytes; 0 if the system does not tell. */
static double second_level_cache(void) {
#ifdef _SC_LEVEL2_CACHE_SIZE
  const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return bytes > 0 ? (double)bytes : 0;
#else
  return 0;
#endif
}

/* A malformed text is ignored: nobody receives a message while the library is loaded. */
__attribute__((constructor)) static void at_load(void) {
  const double cache = second_level_cache();
  if (cache > 0) nnb__threshold.unpacked_sum_bytes = defaults.unpacked_sum_bytes = cache * 7 / 8;
  const char *text = getenv("NNBLAS_THRESHOLDS");
  if (text) nnb_set_thresholds(text);
}
