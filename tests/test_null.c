/* NULL for each pointer of each public call, with all other arguments valid: the call returns. */
#include "toys.h"

enum { ROWS = 8, N_IN = 4, N_OUT = 3 };

typedef struct world {
  nnb_net *net, *made_net;
  nnb_plan *plan, *made_plan;
  nnb_data *data, *made_data[2];
  nnb_optim *optim, *made_optim;
  nnb_error_bars *bars, *made_bars;
  nnb_scores *scores, *made_scores;
  nnb_progress bar;
  nnb_fit_opts *made_fit;
  nnb_optim_opts *made_steps;
  nnb_min_opts *made_min;
  nnb_cv_report made_cv;
  nnb_search_report made_search;
  nnb_batch rows;
  nnb_mat y;
  nnb_rng rng;
  FILE *file;
  void *memory;
  char *string, text[2048];
  const char *word;
  int nodes[2];
  int32_t order[64];
  real reals[4096], outputs[ROWS * N_OUT];
} world;

/* A text for calls, as long as the sizes they are given. */
static const char one[64] = "1";

#include "null_calls.h"

enum { N_CALLS = sizeof call_names / sizeof *call_names };

static void make(world *w) {
  *w = (world){.nodes = {1, 1}, .file = tmpfile()};
  w->data = toy_regression(ROWS, N_IN, N_OUT);
  nnb_plan_opts opts = {.max_rows = ROWS, .want = NNB_GRAD | NNB_DX | NNB_ROWS};
  ck_ok(nnb_net_parse("4-2:tanh-3", &w->net));
  ck_ok(nnb_plan_create(w->net, &opts, &w->plan));
  ck_ok(nnb_optim_create(w->net, NULL, &w->optim));
  ck_ok(nnb_error_bars_create(w->net, w->data, &(nnb_error_bars_opts){.evidence = {.alpha = 1, .beta = 1}}, &w->bars));
  ck_ok(nnb_data_batch(w->data, 0, ROWS, &w->rows));
  ck_ok(nnb_net_score(w->net, w->data, NULL, &w->scores));
  w->y = nnb_view(w->outputs, ROWS, N_OUT);
}

static void end(world *w) {
  nnb_plan_destroy(w->plan), nnb_plan_destroy(w->made_plan);
  nnb_optim_destroy(w->optim), nnb_optim_destroy(w->made_optim);
  nnb_error_bars_destroy(w->bars), nnb_error_bars_destroy(w->made_bars);
  nnb_scores_destroy(w->scores), nnb_scores_destroy(w->made_scores);
  nnb_data_destroy(w->data), nnb_data_destroy(w->made_data[0]);
  nnb_net_destroy(w->net), nnb_net_destroy(w->made_net);
  nnb_fit_opts_destroy(w->made_fit), nnb_optim_opts_destroy(w->made_steps), nnb_min_opts_destroy(w->made_min);
  nnb_cv_report_clear(&w->made_cv), nnb_search_report_clear(&w->made_search);
  nnb_free(w->memory), nnb_free(w->string);
  fclose(w->file);
  remove("1"); /* the path given to nnb_net_save */
}

START_TEST(each_pointer) {
  static world w;
  make(&w);
  fprintf(stderr, "%s\n", call_names[_i]); /* Check shows where a test crashed, but not in which call */
  call(&w, _i);
  end(&w);
}
END_TEST

/* An allocator without functions is ignored. */
START_TEST(half_an_allocator) {
  nnb_set_allocator(&(nnb_allocator){0});
  nnb_net *net = nnb_net_create(2);
  ck_assert_ptr_nonnull(net);
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("NULL, " PRECISION);
  TCase *tc = tcase_create("null");
  tcase_add_loop_test(tc, each_pointer, 0, N_CALLS);
  tcase_add_test(tc, half_an_allocator);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
