/* The library writes a decimal point in every locale. */
#include <locale.h>
#include <sys/stat.h>

#include "toys.h"

static char folder[] = "/tmp/nnblas-locale-XXXXXX";

/* A locale with a comma: one that is installed, or one that localedef makes. */
static bool use_comma(void) {
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
  char command[200];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (setlocale(LC_ALL, names[i])) return true;
  if (!mkdtemp(folder)) return false;
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
  if (system(command) < 0 || setenv("LOCPATH", folder, 1) != 0) return false;
  bool made = setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command) == 0 && made;
}

START_TEST(points_everywhere) {
  char number[20], line[300] = "";
  if (!use_comma()) {
    fprintf(stderr, "skipped: no locale with a decimal comma, and localedef makes none\n");
    return;
  }
  snprintf(number, sizeof number, "%g", 0.5);
  ck_assert_str_eq(number, "0,5");
  nnb_data *data = toy_regression(40, 3, 2);
  nnb_net *net = NULL;
  FILE *progress = tmpfile();
  ck_ok(nnb_net_parse("3-4:tanh-2", &net));
  nnb_fit_opts opts = {.algo = NNB_SGD, .lr = 0.01, .max_epochs = 1, .progress = progress};
  ck_ok(nnb_fit(net, data, data, &opts, NULL));
  rewind(progress);
  ck_assert_ptr_nonnull(fgets(line, sizeof line, progress));
  ck_assert_msg(strchr(line, '.') && !strchr(line, ','), "the progress line is \"%s\"", line);
  opts.target_loss = -0.5;
  ck_assert_int_eq(nnb_fit(net, data, NULL, &opts, NULL), NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), "-0.5"), "the message is \"%s\"", nnb_errmsg());
  opts.target_loss = 0, opts.lr = 1.5e30;
  if (nnb_fit(net, data, NULL, &opts, NULL) == NNB_E_NUMERIC)
    ck_assert_msg(strstr(nnb_errmsg(), "1.5e+30"), "the message is \"%s\"", nnb_errmsg());
  char *source;
  size_t bytes;
  ck_ok(nnb_net_write_c_mem(net, NULL, &source, &bytes));
  for (const char *comma = source; (comma = strchr(comma, ',')); comma++) /* those between numbers have a blank */
    ck_assert_msg(comma[1] == ' ' || comma[1] == '\n', "C source has decimal commas: %.20s", comma - 8);
  nnb_free(source);
  snprintf(number, sizeof number, "%g", 0.5);
  ck_assert_str_eq(number, "0,5"); /* the caller's locale is unchanged */
  fclose(progress);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("locale, " PRECISION);
  TCase *tc = tcase_create("locale");
  tcase_add_test(tc, points_everywhere);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
