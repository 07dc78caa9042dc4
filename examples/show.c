#include "show.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int decimals_shown = 6;
static bool decimals_asked;
static const char *out_dir = ".";

static void help(const char *program, const char *title, int decimals) {
  printf(
      "%s\n\nusage: %s [options]\n"
      "  --digits N   decimals of the numbers; 17 shows every bit (%d)\n"
      "  --out DIR    where files go, if there are any; made if it is not there (here)\n"
      "  --help       this text\n",
      title, program, decimals);
  exit(0);
}

static int parse_digits(const char *program, const char *text) {
  char *end;
  long n = strtol(text, &end, 10);
  if (end != text && !*end && n >= 0 && n <= 17) return (int)n;
  fprintf(stderr, "%s: --digits takes 0 to 17, not \"%s\"\n", program, text);
  exit(2);
}

void show_start(int argc, char **argv, const char *title, int decimals) {
  static const struct option options[] = {{"digits", required_argument, NULL, 'd'},
                                          {"out", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  const char *dir = NULL;
  decimals_shown = decimals;
  for (int c; (c = getopt_long(argc, argv, "d:o:h", options, NULL)) != -1;) {
    if (c == 'd') decimals_shown = parse_digits(argv[0], optarg), decimals_asked = true;
    if (c == 'o') dir = optarg;
    if (c == 'h') help(argv[0], title, decimals);
    if (c == '?') exit(2);
  }
  if (optind < argc) {
    fprintf(stderr, "%s: no argument \"%s\" (see --help)\n", argv[0], argv[optind]);
    exit(2);
  }
  if (dir) show_into(dir);
  printf("%s\n", title);
  for (size_t i = 0; i < strlen(title); i++) putchar('=');
  printf("\n\n");
}

void show_decimals(int decimals) {
  if (!decimals_asked) decimals_shown = decimals;
}

/* Creates a folder and its parents; existing ones are not an error. */
static void make_folders(const char *dir) {
  char path[4096];
  if (strlen(dir) >= sizeof path) errno = ENAMETOOLONG, must_have(NULL, dir);
  strcpy(path, dir);
  for (char *p = path; *p; p++) {
    if (*p != '/' || p == path) continue;
    *p = 0;
    mkdir(path, 0777); /* an error here shows below */
    *p = '/';
  }
  if (mkdir(path, 0777) && errno != EEXIST) must_have(NULL, dir);
}

void show_into(const char *dir) {
  make_folders(dir);
  if (access(dir, W_OK | X_OK)) must_have(NULL, dir);
  out_dir = dir;
}

int must(int status) {
  if (status >= 0) return status;
  fprintf(stderr, "%s: %s\n", nnb_strstatus((nnb_status)status), nnb_errmsg());
  exit(1);
}

void *must_have(void *p, const char *what) {
  if (p) return p;
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

/* ---- numbers and matrices -------------------------------------------------------------------------------------- */

/* Fixed decimals; a number that would show as zero but is not is written with an exponent. */
static void format(char text[32], double v) {
  if (decimals_shown >= 16)
    snprintf(text, 32, "%.17g", v);
  else if (v != 0 && (fabs(v) < 0.5 * pow(10, -decimals_shown) || fabs(v) >= 1e9))
    snprintf(text, 32, "%.3e", v);
  else
    snprintf(text, 32, "%.*f", decimals_shown, v);
}

static int width(void) { return decimals_shown >= 16 ? 24 : decimals_shown + 4; }

void show_number(const char *name, double value, const char *note) {
  char text[32];
  if (value == rint(value) && fabs(value) < 1e9)
    snprintf(text, sizeof text, "%.0f", value);
  else
    format(text, value);
  printf("  %-22s = %*s%s%s\n", name, width(), text, note[0] ? "   " : "", note);
}

static void show_signed(const char *name, nnb_cmat m, double sign, const char *note) {
  for (int i = 0; i < m.rows; i++) {
    printf("  %-22s %s", i == 0 ? name : "", i == 0 ? "=" : " ");
    for (int j = 0; j < m.cols; j++) {
      char text[32];
      format(text, sign * m.p[(size_t)i * (size_t)m.ld + (size_t)j]);
      printf(" %*s", width(), text);
    }
    printf("%s%s\n", i == 0 && note[0] ? "   " : "", i == 0 ? note : "");
  }
}

void show_matrix(const char *name, nnb_cmat m, const char *note) { show_signed(name, m, 1, note); }

void show_negative(const char *name, nnb_cmat m, const char *note) { show_signed(name, m, -1, note); }

/* ---- plans ----------------------------------------------------------------------------------------------------- */

nnb_plan *show_plan(nnb_net *net, int max_rows) {
  nnb_plan *plan = NULL;
  must(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = max_rows, .want = NNB_GRAD | NNB_KEEP}, &plan));
  return plan;
}

nnb_cmat kept(const nnb_plan *plan, int node, nnb_what what) {
  nnb_cmat view = {0};
  must(nnb_plan_view(plan, node, what, &view));
  return view;
}

double kept_at(const nnb_plan *plan, int node, nnb_what what, int row, int col) {
  nnb_cmat view = kept(plan, node, what);
  return view.p[(size_t)row * (size_t)view.ld + (size_t)col];
}

/* ---- files and pictures ---------------------------------------------------------------------------------------- */

FILE *show_file(const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", out_dir, name);
  return must_have(fopen(path, "w"), path);
}

void show_close(FILE *file) {
  int failed = ferror(file);
  if (fclose(file) || failed) must_have(NULL, "writing a file");
}

void show_plot_head(FILE *script, const char *picture, int width, int height) {
  size_t n = strlen(picture);
  bool png = n > 4 && strcmp(picture + n - 4, ".png") == 0;
  fprintf(script,
          "set terminal %s size %d,%d font 'sans,%d' background '#ffffff'\n"
          "set output '%s'\n"
          "set border lc rgb '#444444'\nset grid lc rgb '#dddddd' lt 1\nset key opaque\n"
          "# Okabe and Ito's colours, which the colour-blind can tell apart\n"
          "set style line 1 lc rgb '#0072b2' lw 2 pt 7 ps 0.5\nset style line 2 lc rgb '#d55e00' lw 2 pt 9 ps 0.6\n"
          "set style line 3 lc rgb '#009e73' lw 2 dt 2 pt 5\nset style line 4 lc rgb '#cc79a7' lw 2 dt 4 pt 11\n"
          "set style line 5 lc rgb '#e69f00' lw 2 dt 5 pt 13\nset style line 6 lc rgb '#000000' lw 2 pt 4\n",
          png ? "pngcairo" : "svg dynamic", width, height, png ? 10 : 13, picture);
}

void show_plot(const char *script) {
  fflush(NULL);
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    if (chdir(out_dir) == 0) execlp("gnuplot", "gnuplot", script, (char *)NULL);
    _exit(127);
  }
  if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0)
    printf("\nDrawn by gnuplot: %s/%.*s.svg\n", out_dir, (int)(strlen(script) - strlen(".gp")), script);
  else
    printf("\ngnuplot did not run; %s/%s and its data files are there to be drawn.\n", out_dir, script);
}
