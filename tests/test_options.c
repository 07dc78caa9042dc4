/* The list of options: text and back, checks, defaults, copies. */
#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "heap.h"
#include "nearest.h"
#include "optim.h"
#include "options.h"
#include "support.h"

typedef union any {
  nnb_fit_opts fit;
  nnb_optim_opts optim;
  nnb_min_opts min;
} any;

/* ---- text and back ---------------------------------------------------------------------------------------------- */

static void check_round_trip(nnb__opts_kind kind, const any *opts, const char *name) {
  char *text = NULL;
  any back;
  memset(&back, 0, sizeof back);
  ck_assert_msg(nnb__opts_print(kind, opts, &text) == NNB_OK, "%s: %s", name, nnb_errmsg());
  ck_assert_msg(nnb__opts_parse(kind, text, &back) == NNB_OK, "%s: \"%s\": %s", name, text, nnb_errmsg());
  ck_assert_msg(memcmp(&back, opts, nnb__opts_size(kind)) == 0, "%s: \"%s\" is another struct", name, text);
  nnb_free(text);
}

/* The i-th value to try, at the ends of the range; false after the last. */
static bool put_value(const nnb__option *option, nnb__opts_kind kind, any *opts, int i) {
  static const double open_ends[] = {DBL_TRUE_MIN, 0.1, 1.0 / 3, 1e22, DBL_MAX, HUGE_VAL, -0.0, -DBL_MAX};
  void *p = nnb__option_in(option, kind, opts);
  int n;
  if (option->minus && i == 0) {
    if (option->type == NNB__TYPE_INT) *(int *)p = -1;
    if (option->type == NNB__TYPE_LONG) *(int64_t *)p = -1;
    if (option->type == NNB__TYPE_REAL) *(double *)p = -1;
    return true;
  }
  switch (option->type) {
    case NNB__TYPE_BOOL:
      return *(bool *)p = true, i < 2;
    case NNB__TYPE_INT:
      return *(int *)p = i == 1 ? 1 : INT_MAX, i < 3;
    case NNB__TYPE_LONG:
      return *(int64_t *)p = i == 1 ? 1 : INT64_MAX, i < 3;
    case NNB__TYPE_SEED:
      return *(uint64_t *)p = i == 1 ? UINT64_C(9007199254740993) : UINT64_MAX, i < 3; /* 2⁵³ + 1 is no double */
    case NNB__TYPE_BYTES:
      return *(size_t *)p = SIZE_MAX, i < 2;
    case NNB__TYPE_ALGO:
      nnb__option_names(option, &n);
      return *(nnb_algo *)p = (nnb_algo)(i % n), i < n;
    case NNB__TYPE_SCHEDULE:
      nnb__option_names(option, &n);
      return *(nnb_schedule *)p = (nnb_schedule)(i % n), i < n;
    case NNB__TYPE_METRICS:
      return *(unsigned *)p = i < 11 ? 1U << i : (1U << 11) - 1, i < 12;
    case NNB__TYPE_REAL:
      *(double *)p = i == 8 ? nextafter(1, 0) : open_ends[i % 8];
      return i < 9;
    case NNB__TYPE_CODE:
      break;
  }
  return false;
}

START_TEST(every_option_goes_round) {
  const nnb__opts_kind kind = (nnb__opts_kind)_i;
  const nnb__option *option;
  int tried = 0;
  any all;
  memset(&all, 0, sizeof all);
  check_round_trip(kind, &all, "{0}");
  for (int k = 0; (option = nnb__option_at(kind, k)); k++) {
    any one;
    memset(&one, 0, sizeof one);
    for (int i = 0; put_value(option, kind, &one, i); i++) {
      if (nnb__option_check(option, kind, &one, true)) continue; /* outside this option's range */
      check_round_trip(kind, &one, option->name);
      put_value(option, kind, &all, i), tried++;
    }
  }
  ck_assert_int_gt(tried, 20);
  check_round_trip(kind, &all, "all at once");
}
END_TEST

START_TEST(text_is_read) {
  static const char *const ways[] = {
      "algo=lm max_epochs=200 batch=full lr=.5 in_order",
      "algo=lm,max_epochs=200,batch=full,lr=5e-1,in_order=true",
      " ,\talgo=lm,\n max_epochs=+200 , batch=-1\r\nlr=0.5 in_order, ",
  };
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    nnb_fit_opts o = {.seed = 7, .lr = 3};
    char *text;
    ck_assert_msg(nnb_fit_opts_parse(ways[i], &o) == NNB_OK, "%s: %s", ways[i], nnb_errmsg());
    ck_assert(o.algo == NNB_LM && o.max_epochs == 200 && o.batch == NNB_FULL_BATCH && o.lr == 0.5 && o.in_order);
    ck_assert_uint_eq(o.seed, 7);
    ck_assert_int_eq(nnb_fit_opts_print(&o, &text), NNB_OK);
    ck_assert_str_eq(text, "algo=lm batch=full in_order=true seed=7 max_epochs=200 lr=0.5");
    nnb_free(text);
  }
  nnb_min_opts m = {.has_target = true, .acceleration = NNB_NONE};
  ck_assert_int_eq(nnb_min_opts_parse("has_target=false max_iterations=none acceleration=0 max_seconds=inf", &m),
                   NNB_OK);
  ck_assert(!m.has_target && m.max_iterations == NNB_NONE && m.acceleration == 0 && isinf(m.max_seconds));
}
END_TEST

/* Each wrong name is answered with all names and the nearest one; the value stays. */
START_TEST(names_are_found) {
  nnb_activation activation = NNB_GELU;
  nnb_loss loss = NNB_HUBER;
  nnb_init init = NNB_INIT_AUTO;
  nnb_algo algo = NNB_LM;
  nnb_schedule schedule = NNB_COSINE;
  nnb_metric metric = NNB_METRIC_F1;
  nnb_search_method method = NNB_SEARCH_GRID;
#define WRONG(call, words) ck_assert_msg(!(call) && strstr(nnb_errmsg(), words), "%s: %s", #call, nnb_errmsg())
  WRONG(nnb_activation_find("tahn", &activation), "\"tahn\" is not an activation; wanted one of linear, step, ");
  WRONG(nnb_activation_find("tahn", &activation), "; did you mean tanh?");
  WRONG(nnb_loss_find("hubr", &loss), "; did you mean huber?");
  WRONG(nnb_init_find("he_norml", &init), "; did you mean he_normal?");
  WRONG(nnb_algo_find("levenberg", &algo), "\"levenberg\" is not a method; wanted one of auto, sgd, ");
  WRONG(nnb_schedule_find("cosin", &schedule), "; did you mean cosine?");
  WRONG(nnb_metric_find("acuracy", &metric), "; did you mean accuracy?");
  WRONG(nnb_search_method_find("gird", &method), "wanted one of random, grid, halving; did you mean grid?");
  WRONG(nnb_loss_find(NULL, &loss), "\"NULL\" is not a loss; wanted one of auto, ");
#undef WRONG
  ck_assert(activation == NNB_GELU && loss == NNB_HUBER && init == NNB_INIT_AUTO && algo == NNB_LM);
  ck_assert(schedule == NNB_COSINE && metric == NNB_METRIC_F1 && method == NNB_SEARCH_GRID);
  nnb_algo_find("levenberg", NULL);
  ck_assert_ptr_null(strstr(nnb_errmsg(), "did you mean"));
  static const char *const names[] = {"left", NULL, "right"};
  ck_assert_str_eq(nnb_nearest("rihgt", names, 3), "right");
  ck_assert(!nnb_nearest("up", names, 3) && !nnb_nearest(NULL, names, 3) && !nnb_nearest("left", NULL, 0));
}
END_TEST

START_TEST(numbers_follow_no_locale) {
  nnb_optim_opts o = {0};
  char *text;
  if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
    fprintf(stderr, "test_options: skipped, no locale with a decimal comma is installed\n");
  ck_assert_int_eq(nnb_optim_opts_parse("lr=1.5", &o), NNB_OK);
  ck_assert_double_eq(o.lr, 1.5);
  ck_assert_int_eq(nnb_optim_opts_print(&o, &text), NNB_OK);
  ck_assert_str_eq(text, "lr=1.5");
  nnb_free(text);
  setlocale(LC_ALL, "C");
}
END_TEST

/* ---- rejected texts ---------------------------------------------------------------------------------------------- */

static const struct {
  const char *text;
  nnb_status status;
  const char *says;
} refused[] = {
    {"max_epoch=3", NNB_E_PARSE, "nnb_fit_opts, character 1: max_epoch is not an option; did you mean max_epochs?"},
    {"lr=1 momnetum=0", NNB_E_PARSE, "character 6: momnetum is not an option; did you mean momentum?"},
    {"learning=3", NNB_E_PARSE, "learning is not an option"},
    {"max_iterations=3", NNB_E_PARSE, "max_iterations is not an option"},
    {"algo=lbfsg", NNB_E_PARSE, "character 6: algo=lbfsg; wanted the name of a method; did you mean lbfgs?"},
    {"algo=", NNB_E_PARSE, "wanted the name of a method"},
    {"algo=frobnicate", NNB_E_PARSE, "wanted the name of a method: auto, sgd, momentum, nesterov, "},
    {"metrics=f1+smoothness", NNB_E_PARSE, "wanted names of metrics, joined by '+': accuracy, balanced_accuracy, "},
    {"schedule=cosines", NNB_E_PARSE, "did you mean cosine?"},
    {"max_epochs=non", NNB_E_PARSE, "wanted a whole number, or none; did you mean none?"},
    {"max_epochs", NNB_E_PARSE, "character 11: max_epochs=; wanted a whole number"},
    {"max_epochs=1.5", NNB_E_PARSE, "wanted a whole number"},
    {"max_epochs=2147483648", NNB_E_ARG, "max_epochs=2147483648; wanted none or 0 to 2147483647"},
    {"max_epochs=99999999999999999999999", NNB_E_ARG, "wanted none or 0 to 2147483647"},
    {"max_epochs=-2", NNB_E_ARG, "character 12: max_epochs is -2; wanted 0 or more, or none"},
    {"threads=-1", NNB_E_ARG, "threads is -1; wanted 0 to 1024"},
    {"seed=-1", NNB_E_ARG, "seed=-1; wanted 0 to 18446744073709551615"},
    {"seed=18446744073709551616", NNB_E_ARG, "wanted 0 to 18446744073709551615"},
    {"lr=fast", NNB_E_PARSE, "lr=fast; wanted a number"},
    {"lr=1,5=2", NNB_E_PARSE, "character 6: 5 is not an option"},
    {"lr=0x10", NNB_E_PARSE, "wanted a number"},
    {"lr=nan", NNB_E_ARG, "lr is nan; wanted 0 or more, finite"},
    {"lr=inf", NNB_E_ARG, "lr is inf; wanted 0 or more, finite"},
    {"lr=-1", NNB_E_ARG, "lr is -1; wanted 0 or more, finite"},
    {"momentum=1", NNB_E_ARG, "momentum is 1; wanted 0 or more, below 1, or none"},
    {"lr_factor=1.1", NNB_E_ARG, "lr_factor is 1.1; wanted 0 to 1"},
    {"in_order=yes", NNB_E_PARSE, "in_order=yes; wanted true or false"},
    {"in_order=", NNB_E_PARSE, "wanted true or false"},
    {"lr=1 lr=2", NNB_E_PARSE, "character 6: the option is given twice"},
    {"lr = 1", NNB_E_PARSE, "lr=; wanted a number"},
    {"=1", NNB_E_PARSE, "is not an option"},
    {"on_epoch=1", NNB_E_PARSE, "on_epoch=1; wanted a pointer, which only a program can set"},
    {"l\x01r=1", NNB_E_PARSE, "l?r is not an option"},
};

START_TEST(a_refused_text_changes_nothing) {
  nnb_fit_opts o = {.algo = NNB_SGD, .lr = 2, .seed = 5};
  const nnb_fit_opts before = o;
  char text[200];
  nnb_status status = nnb_fit_opts_parse(refused[_i].text, &o);
  ck_assert_msg(status == refused[_i].status, "%s: %s", refused[_i].text, nnb_strstatus(status));
  ck_assert_msg(strstr(nnb_errmsg(), refused[_i].says), "%s: expected \"%s\", observed \"%s\"", refused[_i].text,
                refused[_i].says, nnb_errmsg());
  ck_assert(memcmp(&o, &before, sizeof o) == 0);
  snprintf(text, sizeof text, "patience=3 %s", refused[_i].text);
  ck_assert_int_eq(nnb_fit_opts_parse(text, &o), status);
  ck_assert(memcmp(&o, &before, sizeof o) == 0);
}
END_TEST

START_TEST(null_is_refused) {
  nnb_fit_opts o = {0};
  char *text;
  ck_assert_int_eq(nnb_fit_opts_parse(NULL, &o), NNB_E_ARG);
  ck_assert_int_eq(nnb_fit_opts_parse("", NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_fit_opts_print(NULL, &text), NNB_E_ARG);
  ck_assert_ptr_null(text);
  ck_assert_int_eq(nnb_fit_opts_print(&o, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_fit_opts_create("", NULL), NNB_E_ARG);
  nnb_fit_opts_destroy(NULL);
}
END_TEST

/* Every option is rejected below 0 if -1 has no meaning, and NaN always. */
START_TEST(every_number_is_checked) {
  const nnb__opts_kind kind = (nnb__opts_kind)_i;
  const nnb__option *option;
  int checked = 0;
  char *text;
  for (int k = 0; (option = nnb__option_at(kind, k)); k++) {
    any opts, zero;
    memset(&opts, 0, sizeof opts), memset(&zero, 0, sizeof zero);
    void *p = nnb__option_in(option, kind, &opts);
    ck_assert_int_eq(nnb__opts_check(kind, &opts), NNB_OK);
    if (option->type == NNB__TYPE_REAL) *(double *)p = (double)NAN;
    if (option->type == NNB__TYPE_INT) *(int *)p = -2;
    if (option->type == NNB__TYPE_LONG) *(int64_t *)p = -2;
    if (option->type == NNB__TYPE_ALGO) *(nnb_algo *)p = NNB_N_ALGOS;
    if (option->type == NNB__TYPE_SCHEDULE) *(nnb_schedule *)p = NNB_N_SCHEDULES;
    if (memcmp(&opts, &zero, sizeof opts) == 0) continue; /* a type without invalid values */
    ck_assert_msg(nnb__opts_check(kind, &opts) == NNB_E_ARG, "%s is not checked", option->name);
    ck_assert_msg(strncmp(nnb_errmsg(), option->name, strlen(option->name)) == 0, "%s: \"%s\"", option->name,
                  nnb_errmsg());
    ck_assert_int_eq(nnb__opts_print(kind, &opts, &text), NNB_E_ARG);
    checked++;
  }
  ck_assert_int_ge(checked, 10);
}
END_TEST

START_TEST(the_reserve_is_checked) {
  nnb_fit_opts fit = {.reserved = {[sizeof fit.reserved / sizeof *fit.reserved - 1] = &fit}};
  ck_assert_int_eq(nnb__opts_check(NNB__FIT_OPTS, &fit), NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), "a reserved word is not 0"), "observed \"%s\"", nnb_errmsg());
}
END_TEST

/* ---- defaults, copies, objects ---------------------------------------------------------------------------------- */

START_TEST(defaults_are_those_of_the_list) {
  nnb_fit_opts fit = {.history = NNB_NONE, .damping = 3};
  nnb_min_opts min = {0};
  nnb__opts_complete(NNB__FIT_OPTS, &fit, NNB__TRAIT_STEPS | NNB__TRAIT_PAIRS);
  ck_assert(fit.max_epochs == 0 && fit.history == NNB_NONE && fit.damping == 3 && fit.invert_every == 20);
  ck_assert(fit.lr == 0 && fit.momentum == 0); /* these and max_epochs depend on the method */
  nnb__opts_complete(NNB__MIN_OPTS, &min, NNB__TRAIT_LIMITED);
  nnb_fit_opts adam = {0};
  nnb__opts_complete(NNB__FIT_OPTS, &adam, NNB__TRAIT_STEPS);
  ck_assert(adam.history == 4096 && adam.damping == 0);
  ck_assert(min.max_iterations == 1000 && min.memory == 10 && min.max_evaluations == 0);
}
END_TEST

/* Each option that two structs share is copied, and no other. */
START_TEST(shared_options_are_copied) {
  const nnb__opts_kind to = (nnb__opts_kind)_i;
  const nnb__option *option;
  any from, out, zero;
  memset(&from, 0, sizeof from), memset(&out, 0, sizeof out), memset(&zero, 0, sizeof zero);
  for (int k = 0; (option = nnb__option_at(NNB__FIT_OPTS, k)); k++)
    if (option->type != NNB__TYPE_CODE) put_value(option, NNB__FIT_OPTS, &from, 1);
  nnb__opts_copy(NNB__FIT_OPTS, &from, to, &out);
  for (int k = 0; (option = nnb__option_at(to, k)); k++) {
    char want[NNB__OPTION_TEXT] = "", got[NNB__OPTION_TEXT];
    const bool shared = option->offset[NNB__FIT_OPTS] >= 0;
    nnb__option_show(option, shared ? NNB__FIT_OPTS : to, shared ? &from : &zero, false, want);
    nnb__option_show(option, to, &out, false, got);
    ck_assert_str_eq(got, want);
  }
  ck_assert(out.optim.algo == NNB_SGD);
}
END_TEST

START_TEST(objects_are_made_from_text) {
  nnb_fit_opts *fit;
  nnb_optim_opts *optim;
  nnb_min_opts *min;
  ck_assert_int_eq(nnb_fit_opts_create(NULL, &fit), NNB_OK);
  ck_assert(memcmp(fit, &(any){0}, sizeof *fit) == 0);
  ck_assert_int_eq(nnb_fit_opts_parse("lr=1", fit), NNB_OK);
  ck_assert_double_eq(fit->lr, 1);
  ck_assert_int_eq(nnb_optim_opts_create("epochs=12 schedule=cosine", &optim), NNB_OK);
  ck_assert(optim->epochs == 12 && optim->schedule == NNB_COSINE);
  ck_assert_int_eq(nnb_min_opts_create("algo=bfgs", &min), NNB_OK);
  ck_assert(min->algo == NNB_BFGS);
  nnb_fit_opts_destroy(fit), nnb_optim_opts_destroy(optim), nnb_min_opts_destroy(min);
  ck_assert_int_eq(nnb_min_opts_create("algo=9", &min), NNB_E_PARSE);
  ck_assert_ptr_null(min);
}
END_TEST

START_TEST(no_memory_is_said) {
  const nnb_fit_opts o = {.lr = 1};
  nnb_fit_opts *made;
  char *text;
  heap_install();
  heap_fail_at(1, false);
  ck_assert_int_eq(nnb_fit_opts_create("lr=1", &made), NNB_E_NOMEM);
  ck_assert_ptr_null(made);
  heap_fail_at(1, false);
  ck_assert_int_eq(nnb_fit_opts_print(&o, &text), NNB_E_NOMEM);
  ck_assert_ptr_null(text);
  heap_fail_at(0, false);
  ck_assert_int_eq(nnb_fit_opts_create("lr=x", &made), NNB_E_PARSE);
  ck_assert_int_eq(heap_live(), 0);
  heap_remove();
}
END_TEST

/* ---- descriptions ------------------------------------------------------------------------------------------------ */

static int check_told(bool ask(int, nnb_option *), nnb__opts_kind kind) {
  nnb_option told;
  int n = 0;
  for (; ask(n, &told); n++) {
    ck_assert_str_eq(told.name, nnb__option_at(kind, n)->name);
    ck_assert_msg(strlen(told.help) > 5 && !strchr(told.help, '\n'), "%s: \"%s\"", told.name, told.help);
    ck_assert(told.type && told.range && told.methods);
  }
  ck_assert(!nnb__option_at(kind, n) && !ask(-1, &told) && !ask(0, NULL));
  return n;
}

START_TEST(the_list_is_told) {
  nnb_option lr;
  ck_assert_int_gt(check_told(nnb_fit_option, NNB__FIT_OPTS), 30);
  ck_assert_int_gt(check_told(nnb_optim_option, NNB__OPTIM_OPTS), 15);
  ck_assert_int_gt(check_told(nnb_min_option, NNB__MIN_OPTS), 15);
  ck_assert(nnb_optim_option(2, &lr));
  ck_assert_str_eq(lr.name, "lr");
  ck_assert_str_eq(lr.type, "number");
  ck_assert_str_eq(lr.range, "0 or more, finite");
  ck_assert_str_eq(lr.methods, "methods that step from batch to batch");
}
END_TEST

/* The words of a trait are the methods that have it; those that step have a common phrase. */
START_TEST(traits_are_those_of_the_methods) {
  char names[NNB__ALGO_NAMES];
#define TRAIT(name, value, who) {value, who},
  static const struct {
    unsigned trait;
    const char *who;
  } traits[] = {NNB__TRAIT_LIST(TRAIT)};
#undef TRAIT
  for (size_t i = 0; i < sizeof traits / sizeof *traits; i++) {
    nnb__optim_names(traits[i].trait, names);
    if (strncmp(traits[i].who, "methods", 7) != 0) ck_assert_str_eq(names, traits[i].who);
    ck_assert_str_ne(names, "");
  }
}
END_TEST

/* A method rejects an option that it does not take. */
START_TEST(who_takes_what) {
  const nnb_fit_opts opts = {.invert_every = 3, .history = 5};
  ck_assert_int_eq(nnb__opts_check_taken(NNB__FIT_OPTS, &opts, NNB__TRAIT_STEPS | NNB__TRAIT_PAIRS, "kfac"), NNB_OK);
  ck_assert_int_eq(nnb__opts_check_taken(NNB__FIT_OPTS, &opts, NNB__TRAIT_STEPS, "adam"), NNB_E_ARG);
  ck_assert_str_eq(nnb_errmsg(), "invert_every is 3; adam does not take this option, which is for kfac");
}
END_TEST

START_TEST(distances) {
  ck_assert_int_eq(nnb__distance("", 0, ""), 0);
  ck_assert_int_eq(nnb__distance("abc", 3, ""), 3);
  ck_assert_int_eq(nnb__distance("abc", 3, "abc"), 0);
  ck_assert_int_eq(nnb__distance("acb", 3, "abc"), 1);
  ck_assert_int_eq(nnb__distance("ca", 2, "abc"), 3);
  ck_assert_int_eq(nnb__distance("kitten", 6, "sitting"), 3);
  ck_assert_int_eq(nnb__distance("kitten", 3, "kit"), 0);
  ck_assert_int_eq(nnb__distance("x", 1, "0123456789012345678901234567890123456789x"), NNB__FAR + 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("options");
  TCase *tc = tcase_create("all");
  tcase_add_loop_test(tc, every_option_goes_round, 0, NNB__N_OPTS);
  tcase_add_test(tc, text_is_read);
  tcase_add_test(tc, numbers_follow_no_locale);
  tcase_add_test(tc, names_are_found);
  tcase_add_loop_test(tc, a_refused_text_changes_nothing, 0, (int)(sizeof refused / sizeof *refused));
  tcase_add_test(tc, null_is_refused);
  tcase_add_loop_test(tc, every_number_is_checked, 0, NNB__N_OPTS);
  tcase_add_test(tc, the_reserve_is_checked);
  tcase_add_test(tc, defaults_are_those_of_the_list);
  tcase_add_loop_test(tc, shared_options_are_copied, NNB__OPTIM_OPTS, NNB__N_OPTS);
  tcase_add_test(tc, objects_are_made_from_text);
  tcase_add_test(tc, no_memory_is_said);
  tcase_add_test(tc, the_list_is_told);
  tcase_add_test(tc, traits_are_those_of_the_methods);
  tcase_add_test(tc, who_takes_what);
  tcase_add_test(tc, distances);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
