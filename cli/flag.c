/* cli/flag.c: see flag.h. */
#include "flag.h"

#include <ctype.h>
#include <nnblas.h>
#include <stdio.h>
#include <string.h>

static int is_letter(int key) { return key > 0 && key < 128 && isalnum(key); }

static int add(const struct argp *argp, const char *heading, flag *out, int n) {
  const char *group = heading;
  for (const struct argp_option *o = argp->options; o && (o->name || o->doc); o++) {
    if (!o->name) {
      group = o->doc;
    } else if (n < MOST_FLAGS) {
      out[n++] = (flag){o->name, is_letter(o->key) ? o->key : 0, o->arg, o->doc, group};
      group = NULL;
    }
  }
  for (const struct argp_child *c = argp->children; c && c->argp; c++) n = add(c->argp, c->header, out, n);
  return n;
}

int flags_of(const struct argp *argp, flag out[MOST_FLAGS]) { return add(argp, NULL, out, 0); }

int flag_is_file(const flag *f) { return f->arg && strcmp(f->arg, "FILE") == 0; }

/* All names of an enumeration of n values. */
static const char *join(const char *(*name)(int), int n) {
  static char text[1024];
  int used = 0;
  for (int i = 0; i < n && used < (int)sizeof text; i++)
    used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", i ? " " : "", name(i));
  return text;
}

static const char *algo(int i) { return nnb_algo_name((nnb_algo)i); }
static const char *loss(int i) { return nnb_loss_name((nnb_loss)i); }
static const char *schedule(int i) { return nnb_schedule_name((nnb_schedule)i); }

/* The names that --metrics joins by '+'. */
static const char *metric(int i) { return nnb_metric_name((nnb_metric)(1U << i)); }

static int n_metrics(void) {
  int n = 0;
  while (strcmp(metric(n), "?") != 0) n++;
  return n;
}

const char *flag_values(const flag *f) {
  if (strcmp(f->name, "algo") == 0) return join(algo, NNB_N_ALGOS);
  if (strcmp(f->name, "class-weight") == 0) return "balanced";
  if (strcmp(f->name, "loss") == 0) return join(loss, NNB_N_LOSSES);
  if (strcmp(f->name, "method") == 0) return "random grid halving";
  if (strcmp(f->name, "metrics") == 0) return join(metric, n_metrics());
  if (strcmp(f->name, "missing") == 0) return "mean error";
  if (strcmp(f->name, "schedule") == 0) return join(schedule, NNB_N_SCHEDULES);
  return "";
}
