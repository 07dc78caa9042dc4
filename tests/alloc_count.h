/* tests/alloc_count.h: an allocator that counts, and that fails at the k-th call. */
#ifndef TEST_ALLOC_COUNT_H
#define TEST_ALLOC_COUNT_H

#include <nnblas/core.h>
#include <stdlib.h>

#include "support.h"

static struct {
  long calls, live, fail_at; /* fail_at 0: never; otherwise this call and all later ones fail */
} alloc_count;

static void *counting_alloc(void *user, size_t bytes) {
  (void)user;
  alloc_count.calls++;
  if (alloc_count.fail_at && alloc_count.calls >= alloc_count.fail_at) return NULL;
  void *p = malloc(bytes);
  if (p) alloc_count.live++;
  return p;
}

static void counting_release(void *user, void *p) {
  (void)user;
  if (p) alloc_count.live--;
  free(p);
}

/* Counts from 0; fails from call k on (0: never).  alloc_count_end() restores malloc. */
static inline void alloc_count_begin(long k) {
  static const nnb_allocator allocator = {counting_alloc, counting_release, NULL};
  alloc_count.calls = alloc_count.live = 0;
  alloc_count.fail_at = k;
  nnb_set_allocator(&allocator);
}

static inline void alloc_count_end(void) { nnb_set_allocator(NULL); }

/* Runs what(context), which returns a status and releases everything it made, with every allocation failing in turn.
 * It must return NNB_E_NOMEM or NNB_OK, and leak nothing.  Ends with the first k that is not reached. */
static inline void check_every_allocation(nnb_status (*what)(void *context), void *context) {
  for (long k = 1;; k++) {
    alloc_count_begin(k);
    nnb_status status = what(context);
    long calls = alloc_count.calls, live = alloc_count.live;
    alloc_count_end();
    ck_assert_msg(status == NNB_OK || status == NNB_E_NOMEM, "allocation %ld failing: %s: %s", k, nnb_strstatus(status),
                  nnb_errmsg());
    ck_assert_msg(live == 0, "allocation %ld failing: %ld blocks not released", k, live);
    if (calls < k) {
      ck_assert_msg(status == NNB_OK, "nothing failed, yet %s", nnb_errmsg());
      return;
    }
    ck_assert_msg(k < 100000, "no end");
  }
}

#endif
