/* base/names.c: the names of the enumerations, from activations.def, losses.def and the lists of core.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "nearest.h"
#include "status.h"
#include "text.h"

/* ---- the order of activations.def and losses.def is that of core.h ---- */

enum { /* the place of each entry */
#define ACTIVATION(NAME, name, KIND, init, loss) PLACE_OF_##NAME,
#include "activations.def"
       N_PLACES_OF_ACTIVATIONS
};
#define ACTIVATION(NAME, name, KIND, init, loss) \
  static_assert((int)NAME == (int)PLACE_OF_##NAME, #NAME ": other places in activations.def and nnb_activation");
#include "activations.def"
static_assert((int)NNB_N_ACTIVATIONS == (int)N_PLACES_OF_ACTIVATIONS, "nnb_activation has more than activations.def");

enum {
  PLACE_OF_NNB_LOSS_AUTO = NNB_LOSS_AUTO,
#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) PLACE_OF_##NAME,
#include "losses.def"
  N_PLACES_OF_LOSSES
};
#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) \
  static_assert((int)NAME == (int)PLACE_OF_##NAME, #NAME ": other places in losses.def and nnb_loss");
#include "losses.def"
static_assert((int)NNB_N_LOSSES == (int)N_PLACES_OF_LOSSES, "nnb_loss has more than losses.def");

/* ---- names ---- */

static const char *const activations[] = {
#define ACTIVATION(NAME, name, KIND, init, loss) #name,
#include "activations.def"
};
static const char *const losses[] = {
    "auto",
#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) #name,
#include "losses.def"
};
#define NAME(name, text) text,
static const char *const inits[] = {NNB_INIT_LIST(NAME)};
static const char *const algos[] = {NNB_ALGO_LIST(NAME)};
static const char *const schedules[] = {NNB_SCHEDULE_LIST(NAME)};
static const char *const stops[] = {NNB_STOP_LIST(NAME)};
static const char *const searches[] = {NNB_SEARCH_LIST(NAME)};
#undef NAME

#define METRIC(name, value, text) text,
static const char *const metrics[] = {NNB_METRIC_LIST(METRIC)};
#undef METRIC
#define METRIC(name, value, text) name,
static const nnb_metric metric_values[] = {NNB_METRIC_LIST(METRIC)};
#undef METRIC
enum { N_METRICS = sizeof metrics / sizeof *metrics };

static const char *name_of(const char *const *names, int n, int value) {
  return value >= 0 && value < n ? names[value] : "?";
}

static nnb__nearest nearest_of(const char *word, const char *const *names, int n) {
  nnb__nearest nearest = {0};
  for (int i = 0; word && names && i < n; i++)
    if (names[i]) nnb__nearest_try(&nearest, word, strlen(word), names[i]);
  return nearest;
}

/* Fails with all names and the nearest one. */
static void fail_name(const char *what, const char *name, const char *const *names, int n) {
  char all[NNB__MESSAGE] = "", shown[NNB__SHOWN_TEXT], hint[NNB__HINT];
  const nnb__nearest nearest = nearest_of(name, names, n);
  for (int i = 0, used = 0; i < n && used < NNB__MESSAGE; i++)
    used += snprintf(all + used, sizeof all - (size_t)used, "%s%s", i ? ", " : "", names[i]);
  nnb__fail(NNB_E_ARG, "\"%s\" is not %s; wanted one of %s%s", name ? nnb__show(name, strlen(name), shown) : "NULL",
            what, all, nnb__nearest_hint(&nearest, hint));
}

/* The place of a name, or -1. */
static int place_of(const char *const *names, int n, const char *name) {
  for (int i = 0; name && i < n; i++)
    if (strcmp(names[i], name) == 0) return i;
  return -1;
}

/* The same with a message that says what the name should be. */
static int find(const char *what, const char *const *names, int n, const char *name) {
  const int i = place_of(names, n, name);
  if (i < 0) fail_name(what, name, names, n);
  return i;
}

const char *nnb_activation_name(nnb_activation a) { return name_of(activations, NNB_N_ACTIVATIONS, (int)a); }
const char *nnb_loss_name(nnb_loss loss) { return name_of(losses, NNB_N_LOSSES, (int)loss); }
const char *nnb_init_name(nnb_init init) { return name_of(inits, NNB_N_INITS, (int)init); }
const char *nnb_algo_name(nnb_algo algo) { return name_of(algos, NNB_N_ALGOS, (int)algo); }
const char *nnb_schedule_name(nnb_schedule s) { return name_of(schedules, NNB_N_SCHEDULES, (int)s); }
const char *nnb_search_method_name(nnb_search_method m) { return name_of(searches, NNB_N_SEARCH_METHODS, (int)m); }
const char *nnb_stop_text(nnb_stop stop) { return name_of(stops, NNB_N_STOPS, (int)stop); }

const char *nnb_metric_name(nnb_metric metric) {
  for (int i = 0; i < N_METRICS; i++)
    if (metric_values[i] == metric) return metrics[i];
  return "?";
}

bool nnb_activation_find(const char *name, nnb_activation *out) {
  int i = find("an activation", activations, NNB_N_ACTIVATIONS, name);
  if (i >= 0 && out) *out = (nnb_activation)i;
  return i >= 0;
}

bool nnb_loss_find(const char *name, nnb_loss *out) {
  int i = find("a loss", losses, NNB_N_LOSSES, name);
  if (i >= 0 && out) *out = (nnb_loss)i;
  return i >= 0;
}

bool nnb_init_find(const char *name, nnb_init *out) {
  int i = find("an initialisation", inits, NNB_N_INITS, name);
  if (i >= 0 && out) *out = (nnb_init)i;
  return i >= 0;
}

bool nnb_algo_find(const char *name, nnb_algo *out) {
  int i = find("a method", algos, NNB_N_ALGOS, name);
  if (i >= 0 && out) *out = (nnb_algo)i;
  return i >= 0;
}

bool nnb_schedule_find(const char *name, nnb_schedule *out) {
  int i = find("a schedule", schedules, NNB_N_SCHEDULES, name);
  if (i >= 0 && out) *out = (nnb_schedule)i;
  return i >= 0;
}

bool nnb_search_method_find(const char *name, nnb_search_method *out) {
  int i = find("a method of a search", searches, NNB_N_SEARCH_METHODS, name);
  if (i >= 0 && out) *out = (nnb_search_method)i;
  return i >= 0;
}

bool nnb_metric_find(const char *name, nnb_metric *out) {
  int i = find("a metric", metrics, N_METRICS, name);
  if (i >= 0 && out) *out = metric_values[i];
  return i >= 0;
}

bool nnb_metric_is_error(nnb_metric metric) {
  const unsigned errors = NNB_METRIC_LOG_LOSS | NNB_METRIC_MSE | NNB_METRIC_RMSE | NNB_METRIC_MAE;
  return ((unsigned)metric & errors) != 0;
}

int nnb__activation_place(const char *name) { return place_of(activations, NNB_N_ACTIVATIONS, name); }
int nnb__loss_place(const char *name) { return place_of(losses, NNB_N_LOSSES, name); }
int nnb__algo_place(const char *name) { return place_of(algos, NNB_N_ALGOS, name); }
unsigned nnb__metric_flag(const char *name) {
  const int i = place_of(metrics, N_METRICS, name);
  return i < 0 ? 0 : (unsigned)metric_values[i];
}

const char *nnb__metric_at(int i) { return i >= 0 && i < N_METRICS ? metrics[i] : NULL; }

const char *nnb_nearest(const char *word, const char *const *names, int n) { return nearest_of(word, names, n).name; }
