/* cli/fit_flags.c: one flag for each option of nnb_fit that can be written as text. */
#include "fit_flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "as_flags.h"
#include "flag.h"

enum { MOST = 64, FIRST_KEY = 0x1000, LONGEST = 64, LONGEST_DOC = 1024 };

static struct argp_option flags[MOST];
static char flag_names[MOST][LONGEST], field_names[MOST][LONGEST], docs[MOST][LONGEST_DOC];

/* What --help says. */
static void describe(const char *name, const nnb_option *o, char doc[LONGEST_DOC]) {
  const char *values = flag_values(&(flag){.name = name});
  FILE *f = fmemopen(doc, LONGEST_DOC, "w");
  if (!f) return;
  print_help_as_flags(f, o->help);
  if (*values) fprintf(f, ": %s", values);
  if (o->zero) fputs(" (default: ", f), print_help_as_flags(f, o->zero), fputc(')', f);
  if (*o->methods) fprintf(f, "; for %s", o->methods);
  fclose(f);
}

static void fill(int i, const nnb_option *o) {
  snprintf(field_names[i], LONGEST, "%s", o->name);
  snprintf(flag_names[i], LONGEST, "%s", o->name);
  for (char *c = flag_names[i]; *c; c++)
    if (*c == '_') *c = '-';
  describe(flag_names[i], o, docs[i]);
  bool is_bool = strcmp(o->type, "bool") == 0;
  flags[i] = (struct argp_option){.name = flag_names[i],
                                  .key = FIRST_KEY + i,
                                  .arg = strcmp(o->type, "name") == 0    ? "NAME"
                                         : strcmp(o->type, "names") == 0 ? "NAMES"
                                         : is_bool                       ? NULL
                                                                         : "NUMBER",
                                  .doc = docs[i]};
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  fit_flags *f = state->input;
  if (key < FIRST_KEY || key >= FIRST_KEY + MOST) return ARGP_ERR_UNKNOWN;
  char text[256];
  if (arg && strpbrk(arg, " \t\r\n,;=")) /* it would name another option */
    argp_failure(state, EX_USAGE, 0, "--%s wants %s, not \"%s\"", flag_names[key - FIRST_KEY],
                 strcmp(flags[key - FIRST_KEY].arg, "NAMES") == 0 ? "names joined by '+'" : "one value", arg);
  int n = snprintf(text, sizeof text, arg ? "%s=%s" : "%s", field_names[key - FIRST_KEY], arg);
  if (n >= (int)sizeof text)
    argp_failure(state, EX_USAGE, 0, "--%s: the value is too long", flag_names[key - FIRST_KEY]);
  if (nnb_fit_opts_parse(text, &f->opts)) { /* "nnb_fit_opts, character 4: …" */
    const char *colon = strstr(nnb_errmsg(), ": ");
    argp_failure(state, EX_USAGE, 0, "--%s: %s", flag_names[key - FIRST_KEY], colon ? colon + 2 : nnb_errmsg());
  }
  return 0;
}

static bool is_among(const char *name, const char *const *names) {
  while (*names && strcmp(*names, name) != 0) names++;
  return *names != NULL;
}

/* A process of the command is alone, so it has no ranks; fits of copies have no checkpoint, and nobody sees their
 * records. */
static bool is_flag(const nnb_option *o, bool of_copies) {
  static const char *const ranks[] = {"own_rows", "shards", NULL};
  static const char *const alone[] = {
      "checkpoint_seconds", "checkpoint_epochs", "resume", "history", "train_metrics", NULL};
  if (strcmp(o->type, "pointer") == 0 || is_among(o->name, ranks)) return false;
  return !of_copies || !is_among(o->name, alone);
}

const struct argp *fit_flags_argp(bool of_copies) {
  static const struct argp argp = {.options = flags, .parser = parse};
  nnb_option o;
  int n = 0;
  for (int i = 0; n < MOST - 1 && nnb_fit_option(i, &o); i++)
    if (is_flag(&o, of_copies)) fill(n++, &o);
  flags[n] = (struct argp_option){0};
  return &argp;
}
