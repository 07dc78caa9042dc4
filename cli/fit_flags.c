/* cli/fit_flags.c: one flag for each option of nnb_fit that can be written as text. */
#include "fit_flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { MOST = 64, FIRST_KEY = 0x1000, LONGEST = 64 };

static struct argp_option flags[MOST];
static char flag_names[MOST][LONGEST], field_names[MOST][LONGEST], docs[MOST][512];

static void fill(int i, const nnb_option *o) {
  snprintf(field_names[i], LONGEST, "%s", o->name);
  snprintf(flag_names[i], LONGEST, "%s", o->name);
  for (char *c = flag_names[i]; *c; c++)
    if (*c == '_') *c = '-';
  snprintf(docs[i], sizeof docs[i], "%s%s%s%s%s%s%s", o->help, o->zero ? " (default: " : "", o->zero ? o->zero : "",
           o->zero ? ")" : "", *o->methods ? "; for " : "", o->methods, "");
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
  int n = snprintf(text, sizeof text, arg ? "%s=%s" : "%s", field_names[key - FIRST_KEY], arg);
  if (n >= (int)sizeof text)
    argp_failure(state, EX_USAGE, 0, "--%s: the value is too long", flag_names[key - FIRST_KEY]);
  if (nnb_fit_opts_parse(text, &f->opts)) { /* "nnb_fit_opts, character 4: …" */
    const char *colon = strstr(nnb_errmsg(), ": ");
    argp_failure(state, EX_USAGE, 0, "--%s: %s", flag_names[key - FIRST_KEY], colon ? colon + 2 : nnb_errmsg());
  }
  return 0;
}

/* A process of the command is alone, so it has no ranks. */
static bool is_flag(const nnb_option *o) {
  return strcmp(o->type, "pointer") != 0 && strcmp(o->name, "own_rows") != 0 && strcmp(o->name, "shards") != 0;
}

const struct argp *fit_flags_argp(void) {
  static const struct argp argp = {.options = flags, .parser = parse};
  nnb_option o;
  for (int i = 0, n = 0; n < MOST - 1 && nnb_fit_option(i, &o); i++)
    if (is_flag(&o)) fill(n++, &o);
  return &argp;
}
