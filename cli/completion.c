/* cli/completion.c: `nnblas completion SHELL`: completion of commands, options and values in bash, zsh and fish, from
 * the lists that the commands themselves read. */
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "files.h"
#include "flag.h"

typedef void flag_printer(const command *c, const flag *f);

static void each_flag(const command *c, flag_printer *print) {
  flag flags[MOST_FLAGS];
  int n = flags_of(c->argp(), flags);
  for (int i = 0; i < n; i++) print(c, &flags[i]);
}

/* text between single quotes of a shell, without what stops a description: brackets and colons for zsh. */
static void quoted(const char *text, const char *without) {
  for (; *text; text++) {
    if (*text == '\'')
      fputs("'\\''", stdout);
    else if (!strchr(without, *text))
      putchar(*text);
  }
}

/* ---- bash -------------------------------------------------------------------------------------------------------- */

static void bash_flag(const command *c, const flag *f) {
  (void)c;
  printf(" --%s%s", f->name, f->arg ? "=" : "");
}

/* Values that a flag may have: in bash the word before "=" is a word of its own. */
static void bash_values(const command *c, const flag *f) {
  if (*flag_values(f)) printf("      '%s --%s') words='%s' ;;\n", c->name, f->name, flag_values(f));
}

static void bash(void) {
  puts("# nnblas: completion for bash.");
  puts("_nnblas() {");
  puts("  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=''");
  puts("  [ \"$word\" = = ] && word='' before='='");
  puts(
      "  [ \"$before\" = = ] && before=${COMP_WORDS[COMP_CWORD-1]} && [ \"$before\" = = ] && "
      "before=${COMP_WORDS[COMP_CWORD-2]}");
  fputs("  if [ \"$COMP_CWORD\" -eq 1 ]; then words='", stdout);
  for (const command *c = commands; c->name; c++) printf("%s ", c->name);
  puts("--help --version'");
  puts("  else case \"${COMP_WORDS[1]} $before\" in");
  for (const command *c = commands; c->name; c++) each_flag(c, bash_values);
  puts("    *) [ \"${word#-}\" != \"$word\" ] && case ${COMP_WORDS[1]} in");
  for (const command *c = commands; c->name; c++) {
    printf("      %s) words='--help", c->name);
    each_flag(c, bash_flag);
    puts("' ;;");
  }
  puts("    esac ;;");
  puts("  esac; fi");
  puts("  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")");
  puts("  case ${COMPREPLY[0]-} in *=) compopt -o nospace 2>/dev/null ;; esac");
  puts("}");
  puts("complete -o default -F _nnblas nnblas");
}

/* ---- zsh --------------------------------------------------------------------------------------------------------- */

static void zsh_flag(const command *c, const flag *f) {
  (void)c;
  printf("      '--%s%s[", f->name, f->arg ? "=" : "");
  quoted(f->doc, "[]:");
  putchar(']');
  if (f->arg) printf(":%s:", f->arg);
  if (flag_is_file(f)) fputs("_files", stdout);
  if (*flag_values(f)) printf("(%s)", flag_values(f));
  puts("' \\");
}

static void zsh(void) {
  puts("#compdef nnblas");
  puts("_nnblas() {");
  puts("  local -a commands=(");
  for (const command *c = commands; c->name; c++) printf("    '%s:%s'\n", c->name, c->line);
  puts("  )");
  puts("  if (( CURRENT == 2 )); then _describe command commands; return; fi");
  puts("  shift words; (( CURRENT-- ))");
  puts("  case $words[1] in");
  for (const command *c = commands; c->name; c++) {
    printf("    %s) _arguments \\\n", c->name);
    each_flag(c, zsh_flag);
    puts("      '--help[the options]' '*:file:_files' ;;");
  }
  puts("  esac");
  puts("}");
  puts("_nnblas \"$@\"");
}

/* ---- fish -------------------------------------------------------------------------------------------------------- */

static void fish_flag(const command *c, const flag *f) {
  printf("complete -c nnblas -n '__fish_seen_subcommand_from %s' -l %s%s -d '", c->name, f->name,
         !f->arg           ? ""
         : flag_is_file(f) ? " -r -F"
                           : " -x");
  quoted(f->doc, "");
  putchar('\'');
  if (*flag_values(f)) printf(" -a '%s'", flag_values(f));
  putchar('\n');
}

static void fish(void) {
  puts("# nnblas: completion for fish.");
  for (const command *c = commands; c->name; c++)
    printf("complete -c nnblas -n __fish_use_subcommand -f -a %s -d '%s'\n", c->name, c->line);
  for (const command *c = commands; c->name; c++) each_flag(c, fish_flag);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  void (*print)(void);
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  switch (key) {
    case ARGP_KEY_ARG:
      if (state->arg_num > 0) argp_error(state, "one shell at a time");
      for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(arg, shells[i].name) == 0) return *(void (**)(void))state->input = shells[i].print, 0;
      argp_error(state, "wanted bash, zsh or fish, not %s", arg);
      return 0;
    case ARGP_KEY_NO_ARGS:
      argp_error(state, "for which shell? bash, zsh or fish");
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

const struct argp *completion_argp(void) {
  static const struct argp argp = {
      .parser = parse,
      .args_doc = "SHELL",
      .doc = "Prints the completion of nnblas for bash, zsh or fish.  An installation has it in its place already."};
  return &argp;
}

int completion_command(int argc, char **argv) {
  void (*print)(void) = NULL;
  argp_parse(completion_argp(), argc, argv, 0, NULL, &print);
  print();
  return close_stdout();
}
