/* base/ahead.c: see ahead.h. */
#include "ahead.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "status.h"
#include "team.h"

struct nnb__ahead {
  pthread_t thread;
  pid_t process; /* that has the thread */
  pthread_mutex_t mutex;
  pthread_cond_t changed; /* busy or end */
  bool busy, end;
  nnb_status (*fn)(void *context);
  void *context;
  nnb_status status;
  char message[NNB__MESSAGE];
};

static void do_job(nnb__ahead *a) {
  a->status = a->fn(a->context);
  if (a->status) snprintf(a->message, sizeof a->message, "%s", nnb_errmsg());
}

static void *work(void *argument) {
  nnb__ahead *a = argument;
  pthread_mutex_lock(&a->mutex);
  for (;;) {
    while (!a->busy && !a->end) pthread_cond_wait(&a->changed, &a->mutex);
    if (!a->busy) break;
    pthread_mutex_unlock(&a->mutex);
    do_job(a);
    pthread_mutex_lock(&a->mutex);
    a->busy = false;
    pthread_cond_broadcast(&a->changed);
  }
  pthread_mutex_unlock(&a->mutex);
  return NULL;
}

nnb_status nnb__ahead_create(nnb__ahead **out) {
  nnb__ahead *a = *out = nnb__zalloc(1, sizeof *a);
  if (!a) return nnb__fail_nomem("reading ahead");
  a->process = getpid();
  pthread_mutex_init(&a->mutex, NULL);
  pthread_cond_init(&a->changed, NULL);
  if (nnb__start_thread(&a->thread, work, a)) return NNB_OK;
  pthread_cond_destroy(&a->changed);
  pthread_mutex_destroy(&a->mutex);
  nnb__release(a);
  *out = NULL;
  return NNB_OK;
}

/* A child has the memory, but not the thread; the mutex may be locked forever there. */
static bool is_child(const nnb__ahead *a) { return a->process != getpid(); }

static void set(nnb__ahead *a, bool *flag) {
  pthread_mutex_lock(&a->mutex);
  *flag = true;
  pthread_cond_broadcast(&a->changed);
  pthread_mutex_unlock(&a->mutex);
}

void nnb__ahead_destroy(nnb__ahead *a) {
  if (!a) return;
  if (!is_child(a)) {
    set(a, &a->end);
    pthread_join(a->thread, NULL);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->mutex);
  }
  nnb__release(a);
}

void nnb__ahead_start(nnb__ahead *a, nnb_status (*fn)(void *), void *context) {
  a->fn = fn, a->context = context;
  if (!is_child(a)) set(a, &a->busy);
}

nnb_status nnb__ahead_wait(nnb__ahead *a) {
  if (is_child(a)) {
    do_job(a);
  } else {
    pthread_mutex_lock(&a->mutex);
    while (a->busy) pthread_cond_wait(&a->changed, &a->mutex);
    pthread_mutex_unlock(&a->mutex);
  }
  return a->status ? nnb__fail(a->status, "%s", a->message) : NNB_OK;
}
