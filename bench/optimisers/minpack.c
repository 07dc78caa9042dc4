/* bench/optimisers/minpack.c: compares nnb_least_squares with MINPACK's lmder (Moré, Garbow and Hillstrom 1980) on the
 * problems of tests/lsq_race.h: evaluations of r and J until f ≤ (1 + 1e-6) times the lower of the two ends, both
 * methods with tolerances of 0 or their defaults, which is as exact as they get.
 *
 *   minpack NIST_FOLDER            a row for each case, and a summary
 *   minpack NIST_FOLDER --record   tests/minpack_counts.h to standard output */
#include "../../tests/lsq_race.h"

typedef void fcn(const int *m, const int *n, const double *x, double *r, double *J, const int *ldJ, int *iflag);
void lmder_(fcn *f, const int *m, const int *n, double *x, double *r, double *J, const int *ldJ, const double *ftol,
            const double *xtol, const double *gtol, const int *maxfev, double *diag, const int *mode,
            const double *factor, const int *nprint, int *info, int *nfev, int *njev, int *ipvt, double *qtf,
            double *wa1, double *wa2, double *wa3, double *wa4);

static race_run *now; /* lmder has no argument for user data */

static void minpack_rows(const int *m, const int *n, const double *x, double *r, double *J, const int *ldJ,
                         int *iflag) {
  static double rows[RACE_MOST_M * RACE_MOST_N], at[RACE_MOST_M];
  if (*iflag == 1) {
    race_eval(now->c, x, r, NULL);
    race_count(now, x, r, false);
    return;
  }
  race_eval(now->c, x, at, rows);
  race_count(now, x, at, true);
  for (int i = 0; i < *m; i++)
    for (int j = 0; j < *n; j++) J[(size_t)i + (size_t)j * (size_t)*ldJ] = rows[i * *n + j];
}

static void minpack(const race_case *c, double target, race_run *run) {
  static double r[RACE_MOST_M], J[RACE_MOST_M * RACE_MOST_N], wa4[RACE_MOST_M];
  double x[RACE_MOST_N], diag[RACE_MOST_N], qtf[RACE_MOST_N], wa[3][RACE_MOST_N];
  const double tol = 0, factor = 100;
  const int maxfev = RACE_MOST_EVALUATIONS, mode = 1, nprint = 0;
  int ipvt[RACE_MOST_N], info, nfev, njev;
  *run = (race_run){.c = c, .target = target};
  now = run;
  memcpy(x, c->start, sizeof x);
  lmder_(minpack_rows, &c->m, &c->n, x, r, J, &c->m, &tol, &tol, &tol, &maxfev, diag, &mode, &factor, &nprint, &info,
         &nfev, &njev, ipvt, qtf, wa[0], wa[1], wa[2], wa4);
  race_eval(c, x, r, NULL);
  run->end = 0;
  for (int i = 0; i < c->m; i++) run->end += r[i] * r[i] / 2;
  if (!isfinite(run->end)) run->end = HUGE_VAL;
}

static bool finite_start(const race_case *c) {
  double r[RACE_MOST_M], f = 0;
  race_eval(c, c->start, r, NULL);
  for (int i = 0; i < c->m; i++) f += r[i] * r[i];
  return isfinite(f);
}

static int record(const char *folder) {
  printf(
      "/* Written by bench/optimisers/minpack.c --record: for each case of lsq_race.h where MINPACK's lmder ends with\n"
      " * tolerances of 0, and the evaluations of r and J to (1 + 1e-6) times that f; end < 0: r is not finite at the\n"
      " * start. */\n"
      "static const struct {\n  double end;\n  int n_r, n_J;\n} minpack_counts[] = {\n");
  for (int i = 0; i < RACE_CASES; i++) {
    static race_case c;
    race_run end = {.end = -1}, run = {0};
    if (!race_load(i, folder, &c)) return 1;
    if (finite_start(&c)) {
      minpack(&c, -1, &end);
      minpack(&c, race_target(end.end, end.end), &run);
    }
    printf("    {%.17g, %d, %d}, /* %s */\n", isinf(end.end) ? 1e300 : end.end, run.r_to, run.J_to, c.name);
  }
  printf("};\n");
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "usage: minpack NIST_FOLDER [--record]\n"), 2;
  if (argc > 2 && strcmp(argv[2], "--record") == 0) return record(argv[1]);
  int both = 0, within = 0, beyond = 0, only_ours = 0, only_theirs = 0, total_ours = 0, total_theirs = 0;
  printf("%-32s %12s %12s %6s %6s %6s %6s %6s\n", "", "MINPACK f", "lm f", "r", "J", "r", "J", "ratio");
  for (int i = 0; i < RACE_CASES; i++) {
    static race_case c;
    race_run theirs, ours;
    nnb_min_report report;
    if (!race_load(i, argv[1], &c)) return fprintf(stderr, "minpack: NIST's data are not in %s\n", argv[1]), 1;
    if (!finite_start(&c)) continue;
    minpack(&c, -1, &theirs);
    bool ok = race_ours(&c, -1, &ours, &report);
    const double ends[2] = {theirs.end, ours.end}, target = race_target(ends[0], ends[1]);
    minpack(&c, target, &theirs);
    if (ok) race_ours(&c, target, &ours, &report);
    const bool at_theirs = theirs.r_to > 0, at_ours = ours.r_to > 0;
    const int cost = ours.r_to + ours.J_to, their_cost = theirs.r_to + theirs.J_to;
    const double ratio = at_ours && at_theirs ? (double)cost / their_cost : (double)NAN;
    only_ours += at_ours && !at_theirs, only_theirs += at_theirs && !at_ours;
    if (at_ours && at_theirs)
      both++, within += ratio <= 1.5, beyond += ratio > 3, total_ours += cost, total_theirs += their_cost;
    printf("%-32s %12.5g %12.5g %6d %6d %6d %6d %6.2f %s%s\n", c.name, ends[0], ends[1], theirs.r_to, theirs.J_to,
           ours.r_to, ours.J_to, ratio, nnb_stop_text(report.stop),
           ratio > 3      ? " !!!"
           : ratio > 1.5  ? " !"
           : isnan(ratio) ? at_ours ? " +++" : " ---"
                          : "");
  }
  printf("both reach the lower end: %d; at most 1.5 times MINPACK's evaluations: %d (%.1f %%), over 3 times: %d\n",
         both, within, 100.0 * within / both, beyond);
  printf("evaluations in all: lm %d, MINPACK %d; only lm reaches the lower end: %d, only MINPACK: %d\n", total_ours,
         total_theirs, only_ours, only_theirs);
  return 0;
}
