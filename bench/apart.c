#define _GNU_SOURCE /* sched_setaffinity */
#include "apart.h"

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "measure.h"

enum { SAMPLES = 51, TRIPS = 100 };

static struct {
  alignas(128) atomic_int moves; /* even: the first side's turn */
  alignas(128) cpu_set_t only[2];
  atomic_int pinned;
  double trip[SAMPLES];
} game;

static void play(int side) {
  for (int i = 0; i < TRIPS; i++) {
    for (long waits = 1; atomic_load_explicit(&game.moves, memory_order_acquire) % 2 != side; waits++)
      if (waits % 10000 == 0) sched_yield(); /* the other one may have no processor to run on */
    atomic_fetch_add_explicit(&game.moves, 1, memory_order_release);
  }
}

static void *first(void *arg) {
  (void)arg;
  game.pinned += sched_setaffinity(0, sizeof game.only[0], &game.only[0]) == 0;
  for (int i = 0; i < SAMPLES; i++) {
    const double start = clock_seconds();
    play(0);
    game.trip[i] = (clock_seconds() - start) / TRIPS;
  }
  return NULL;
}

static void *second(void *arg) {
  (void)arg;
  game.pinned += sched_setaffinity(0, sizeof game.only[1], &game.only[1]) == 0;
  for (int i = 0; i < SAMPLES; i++) play(1);
  return NULL;
}

/* The first two processors of this program; false if there are fewer. */
static bool choose(void) {
  cpu_set_t allowed;
  int n = 0;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
  for (size_t i = 0; i < CPU_SETSIZE && n < 2; i++) {
    if (!CPU_ISSET(i, &allowed)) continue;
    CPU_ZERO(&game.only[n]);
    CPU_SET(i, &game.only[n++]);
  }
  return n == 2;
}

double apart_seconds(void) {
  pthread_t a, b;
  game.pinned = 0;
  if (!choose() || pthread_create(&a, NULL, first, NULL) != 0) return 0;
  const bool two = pthread_create(&b, NULL, second, NULL) == 0;
  if (!two) second(NULL);
  pthread_join(a, NULL);
  if (two) pthread_join(b, NULL);
  return two && game.pinned == 2 ? spread_of(game.trip, SAMPLES).median : 0;
}
#else
double apart_seconds(void) { return 0; }
#endif
