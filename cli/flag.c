/* cli/flag.c: see flag.h. */
#include "flag.h"

#include <ctype.h>
#include <nnblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"

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

/* ---- flags that do not exist ------------------------------------------------------------------------------------- */

/* The flag with the first n letters of a name, or one that begins with them, which argp may take; NULL: none. */
static const flag *find(const flag *flags, int n_flags, const char *name, size_t n) {
  const flag *found = NULL;
  for (int i = 0; i < n_flags; i++) {
    if (strncmp(flags[i].name, name, n) != 0) continue;
    if (strlen(flags[i].name) == n) return &flags[i];
    found = &flags[i];
  }
  return found;
}

static const flag *find_letter(const flag *flags, int n_flags, char letter) {
  for (int i = 0; i < n_flags; i++)
    if (flags[i].letter == letter) return &flags[i];
  return NULL;
}

static int refuse_flag(const char *program, const flag *flags, int n_flags, const char *name, size_t n) {
  const char *names[MOST_FLAGS + 1];
  char *word = strndup(name, n);
  if (!word) return refuse(EX_OSERR, "out of memory");
  for (int i = 0; i < n_flags; i++) names[i] = flags[i].name;
  const char *hint = did_you_mean(word, names, n_flags);
  refuse(EX_USAGE, "there is no --%s; `%s --help` lists the options%s", word, program, hint);
  free(word);
  return EX_USAGE;
}

int check_flags(const char *program, const struct argp *argp, char **words) {
  flag flags[MOST_FLAGS + 1];
  int n = flags_of(argp, flags);
  flags[n++] = (flag){.name = "help"}; /* argp's own; so is --usage, which begins with none of the others */
  for (; *words && strcmp(*words, "--") != 0; words++) {
    const bool is_long = strncmp(*words, "--", 2) == 0;
    const char *name = is_long ? *words + 2 : "";
    const size_t length = is_long ? strcspn(name, "=") : 0;
    const flag *f = NULL;
    if (is_long && strcmp(name, "usage") == 0) continue;
    if (is_long && !(f = find(flags, n, name, length))) return refuse_flag(program, flags, n, name, length);
    if (!is_long && (*words)[0] == '-' && (*words)[1] && !(*words)[2]) f = find_letter(flags, n, (*words)[1]);
    if (f && f->arg && !(is_long && name[length]) && words[1]) words++; /* its value */
  }
  return EX_OK;
}

/* ---- what they may be -------------------------------------------------------------------------------------------- */

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
