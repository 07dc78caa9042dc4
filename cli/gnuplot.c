/* cli/gnuplot.c: see gnuplot.h. */
#include "gnuplot.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"
#include "files.h"

static bool ends_in(const char *path, const char *ending) {
  size_t n = strlen(path), k = strlen(ending);
  return n > k && strcmp(path + n - k, ending) == 0;
}

static bool on_terminal(const char *path) { return strcmp(path, "-") == 0; }

void check_picture(const char *flag, const char *path, const struct argp_state *state) {
  if (!on_terminal(path) && !ends_in(path, ".png") && !ends_in(path, ".svg"))
    argp_failure(state, EX_USAGE, 0, "%s wants a file .png or .svg, or -, not %s", flag, path);
}

enum { PLOT = 0xa00 };

static error_t parse(int key, char *arg, struct argp_state *state) {
  if (key != PLOT) return ARGP_ERR_UNKNOWN;
  check_picture("--plot", arg, state);
  *(const char **)state->input = arg;
  return 0;
}

static const struct argp_option option[] = {
    {"plot", PLOT, "FILE", 0, "draw the result by gnuplot: FILE.png, FILE.svg, or - for the terminal", 0},
    {0},
};
const struct argp plot_flag_argp = {.options = option, .parser = parse};

/* ---- parts of scripts -------------------------------------------------------------------------------------------- */

void gnuplot_text(FILE *f, const char *text) {
  fputc('\'', f);
  for (; *text; text++) {
    if (*text == '\'') fputc('\'', f);
    fputc(*text == '\n' ? ' ' : *text, f);
  }
  fputc('\'', f);
}

const char *gnuplot_colour(int i) {
  static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                        "#e69f00", "#56b4e9", "#000000", "#f0e442"};
  return colours[i % (int)(sizeof colours / sizeof *colours)];
}

/* Ticks at 1, 2 and 5 where few powers of ten lie between. */
void gnuplot_log_axis(FILE *f, char axis, double lo, double hi) {
  if (!(lo > 0) || !(hi > 8 * lo) || !isfinite(hi)) return;
  fprintf(f, "set logscale %c\n", axis);
  if (hi > 1000 * lo) {
    fprintf(f, "set format %c '10^{%%L}'\n", axis);
    return;
  }
  fprintf(f, "set format %c '%%g'\nset %ctics (", axis, axis);
  const char *comma = "";
  for (int p = (int)floor(log10(lo)); p <= (int)ceil(log10(hi)); p++)
    for (int m = 1; m < 10; m = m == 2 ? 5 : 2 * m, comma = ", ") fprintf(f, "%s%de%d", comma, m, p);
  fputs(")\n", f);
}

/* Of standard output, where the picture is drawn. */
static int columns(void) {
  struct winsize size;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40 ? size.ws_col : 80;
}

static void begin(FILE *f, const char *path, const picture *p) {
  fputs("set encoding utf8\n", f);
  if (on_terminal(path)) {
    int width = columns() - 1;
    fprintf(f, "set terminal dumb nofeed size %d,%d\n", width, width > 110 ? 34 : 24);
  } else {
    bool svg = ends_in(path, ".svg");
    fprintf(f, "set terminal %s size %d,%d font 'Sans,%d' background rgb '#ffffff'\nset output ",
            svg ? "svg dynamic" : "pngcairo", p->width, p->height, svg ? 13 : 11);
    gnuplot_text(f, path);
    fputs("\nset border linecolor rgb '#606060'\nset tics nomirror textcolor rgb '#303030'\n", f);
    fputs("set grid linetype 1 linecolor rgb '#e4e4e4'\n", f);
  }
  fputs("set autoscale noextend\nset key noenhanced\n", f);
}

/* ---- running it -------------------------------------------------------------------------------------------------- */

static int keep_script(const char *path, const char *script) {
  char *name = picture_script(path);
  if (!name) return EX_OSERR;
  text_file file;
  int code = open_text(name, &file);
  if (!code) fputs(script, file.stream);
  const int closed = close_text(&file);
  free(name);
  return code ? code : closed;
}

char *picture_script(const char *path) {
  char *name = malloc(strlen(path) + 4);
  if (!name) return refuse(EX_OSERR, "out of memory"), NULL;
  return strcat(strcpy(name, path), ".gp");
}

int check_drawing(const char *flag, const char *path, bool json) {
  if (!path) return EX_OK;
  if (system("command -v gnuplot >/dev/null") != 0)
    return refuse(EX_UNAVAILABLE, "pictures are drawn by gnuplot, which is not installed");
  if (on_terminal(path))
    return json ? refuse(EX_USAGE, "%s - draws on standard output, where the object of --json is", flag) : EX_OK;
  char *script = picture_script(path);
  int code = script ? check_output(flag, path, false) : EX_OSERR;
  if (!code) code = check_output(flag, script, false);
  free(script);
  return code;
}

int spare_drawing(const char *input, const char *flag, const char *path) {
  if (!input || !drawn_in_file(path)) return EX_OK;
  char *script = picture_script(path);
  int code = script ? spare(input, flag, path) : EX_OSERR;
  if (!code) code = spare(input, flag, script);
  free(script);
  return code;
}

bool drawn_in_file(const char *path) { return path && !on_terminal(path); }

/* gnuplot may end before it has read the whole script. */
static int run_gnuplot(const char *script) {
  struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
  fflush(stdout);
  signal(SIGXFSZ, SIG_DFL); /* gnuplot does not see otherwise that it could not write */
  FILE *gnuplot = popen("gnuplot", "w");
  signal(SIGXFSZ, SIG_IGN);
  if (!gnuplot) return refuse(EX_OSERR, "gnuplot cannot be started: %s", strerror(errno));
  sigaction(SIGPIPE, &ignore, &before);
  fputs(script, gnuplot);
  const int status = pclose(gnuplot);
  sigaction(SIGPIPE, &before, NULL);
  return status == 0 ? EX_OK : refuse(EX_SOFTWARE, "gnuplot failed");
}

int draw_picture(const char *path, const picture *p) {
  char *script = NULL;
  size_t bytes;
  bool terminal = on_terminal(path), several = !terminal && p->across * p->down > 1;
  FILE *f = open_memstream(&script, &bytes);
  if (!f) return refuse(EX_OSERR, "out of memory");
  begin(f, path, p);
  if (several) fprintf(f, "set multiplot layout %d,%d\n", p->down, p->across);
  p->write(f, p->what, terminal);
  if (several) fputs("unset multiplot\n", f);
  bool lost = fclose(f) != 0;
  int code = lost ? refuse(EX_OSERR, "out of memory") : terminal ? EX_OK : keep_script(path, script);
  if (!code) code = run_gnuplot(script);
  if (!code && terminal) putchar('\n'); /* gnuplot leaves the last line open */
  free(script);
  return code;
}
