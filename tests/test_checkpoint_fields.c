/* Every part of the state in a checkpoint matters.  A file without it is refused.  With another value in it the file is
 * refused for what it says, or the resumed training comes out differently; so a part that is saved and never used is
 * found here.  One that is used and not saved is found by the equal bits of test_checkpoint.c.
 * NNB_FAR: instead, parts that short trainings seldom feel are changed at many places of longer ones. */
#include "real.h"
/* the precision first */
#include <limits.h>

#include "bag.h"
#include "checkpoints.h"
#include "evidence.h"
#include "safetensors.h"

/* ---- the parts of a file ----------------------------------------------------------------------------------------- */

/* A text, or an array, or a column of the records of the history. */
typedef struct part {
  const char *name;
  const nnb__entry *text;
  const nnb__tensor *array;
  int column; /* -1: the whole array */
} part;

enum { MOST_PARTS = 200, MOST_NAMES = 2000, RECORD = 8, CHANGED = 10 };

static bool is_state(const char *name) { return strncmp(name, "nnblas.state", strlen("nnblas.state")) == 0; }
static bool is_history(const char *name) { return strcmp(name, "nnblas.state/history") == 0; }
static bool is_machine(const char *name) { return strcmp(name, "nnblas.state.fit.machine") == 0; }

static int list_parts(const nnb__bag *bag, part out[MOST_PARTS]) {
  int n = 0;
  for (size_t i = 0; i < bag->n_entries; i++)
    if (is_state(bag->entries[i].name)) {
      ck_assert_int_lt(n, MOST_PARTS);
      out[n++] = (part){bag->entries[i].name, &bag->entries[i], NULL, -1};
    }
  for (size_t i = 0; i < bag->n_tensors; i++)
    for (int c = is_history(bag->tensors[i].name) ? RECORD - 1 : 0; is_state(bag->tensors[i].name) && c >= 0; c--) {
      ck_assert_int_lt(n, MOST_PARTS);
      out[n++] = (part){bag->tensors[i].name, NULL, &bag->tensors[i], is_history(bag->tensors[i].name) ? c : -1};
    }
  return n;
}

/* ---- other files ------------------------------------------------------------------------------------------------- */

/* Change number `way` of a number; the last one is the number of a reason to end. */
static double other_number(double x, int way) {
  const double others[CHANGED] = {x + 1, x - 1, 1.5 * x,  x * (1 + 1e-3), 0,
                                  -x,    1 - x, x + 0.25, 1e300,          NNB_STOP_STALLED};
  return others[way];
}

static const char *other_text(const nnb__entry *e, int way, char out[64]) {
  static const char *const no_numbers[] = {".fit", ".optim", ".asked", ".machine", ".train", ".validation"};
  for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++)
    if (strcmp(strrchr(e->name, '.'), no_numbers[i]) == 0) return "x";
  snprintf(out, 64, "%.17g", other_number(strtod(e->text, NULL), way));
  return out;
}

/* The numbers of an array, changed; the caller frees them. */
static void *other_array(const part *p, int way) {
  const size_t n = nnb__tensor_count(p->array), bytes = nnb__dtype_size(p->array->dtype);
  char *copy = malloc(n * bytes + 1);
  ck_assert_ptr_nonnull(copy);
  memcpy(copy, p->array->data, n * bytes);
  for (size_t i = 0; i < n; i++) {
    if (p->column >= 0 && i % RECORD != (size_t)p->column) continue;
    double wide;
    float narrow;
    char *at = copy + i * bytes;
    if (p->array->dtype == NNB__F64)
      memcpy(&wide, at, bytes), wide = other_number(wide, way), memcpy(at, &wide, bytes);
    else
      memcpy(&narrow, at, bytes), narrow = (float)other_number((double)narrow, way), memcpy(at, &narrow, bytes);
  }
  return copy;
}

/* The file ← the bag with change `way` of a part, or without it if way is -1. */
static void write_other(const nnb__bag *bag, const part *p, int way) {
  nnb__bag out = {0};
  char text[64];
  void *array = p->array && way >= 0 ? other_array(p, way) : NULL;
  for (size_t i = 0; i < bag->n_entries; i++) {
    const nnb__entry *e = &bag->entries[i];
    if (e != p->text || way >= 0) nnb__bag_string(&out, e->name, e == p->text ? other_text(e, way, text) : e->text);
  }
  for (size_t i = 0; i < bag->n_tensors; i++) {
    const nnb__tensor *t = &bag->tensors[i];
    if (t != p->array || way >= 0)
      nnb__bag_tensor(&out, t->name, t->dtype, t->n_dims, t->dim, t == p->array ? array : t->data);
  }
  ck_ok(nnb__safetensors_save(&out, path));
  nnb__bag_clear(&out);
  free(array);
}

/* ---- resuming ---------------------------------------------------------------------------------------------------- */

/* What a part needs to matter: patience that runs out, and a rate that falls; or time to stall, and a plateau that is
 * waited for. */
typedef enum twist { AS_IT_IS, IMPATIENT, LONG, NOISY } twist;

static uint64_t noise; /* its seed */

static nnb_data *noisy_rows(void) {
  enum { N = 120, INPUTS = 4 };
  real x[N * INPUTS], t[N];
  nnb_data *data;
  nnb_rng rng;
  nnb_rng_init(&rng, noise, 0);
  for (int i = 0; i < N; i++) {
    real *row = x + i * INPUTS;
    for (int j = 0; j < INPUTS; j++) row[j] = (real)(2 * nnb_rng_uniform(&rng) - 1);
    t[i] = (real)(sin(2 * (double)row[0]) * (1 + (double)row[1]) + 0.2 * nnb_rng_normal(&rng));
  }
  const nnb_batch batch = {.x = nnb_cview(x, N, INPUTS), .t = nnb_cview(t, N, 1)};
  ck_ok(nnb_data_copy(&batch, 0, &data));
  return data;
}

/* .bayes with more parameters than the rows tell. */
static run start_noisy(const kind *k) {
  run r = {.memory = noisy_rows(),
           .opts = {.algo = k->algo, .bayes = true, .restarts = 1, .max_epochs = 1500, .seed = 9, .threads = 1}};
  r.train = r.memory;
  ck_ok(nnb_net_for_data(r.memory, "16:tanh", &r.net));
  return r;
}

static run begin(const kind *k, int variant, twist how) {
  if (how == NOISY) return start_noisy(k);
  run r = start(k, variant);
  if (how == IMPATIENT) {
    r.opts.patience = 4, r.opts.max_epochs = 60;
    if (k->steps && r.opts.lr <= 0) r.opts.lr = 0.5;
  }
  if (how == LONG) {
    r.opts.patience = 0, r.opts.lr_step *= 3;
    if (k->algo == NNB_ADAM) r.opts.lr = 0.5; /* losses rise and fall */
    if (!k->steps && !k->twice) r.opts.max_epochs = 1200;
  }
  return r;
}

enum { REFUSED = 0, OUT_OF_RANGE = 1 }; /* digests that no run has */

/* The digest of a run that goes on from the file, with what the file says of before. */
static uint64_t resumed_digest(const kind *k, int variant, twist how) {
  run r = begin(k, variant, how);
  r.opts.checkpoint = path, r.opts.resume = true;
  const nnb_status status = fit(&r);
  if (status) {
    end(&r);
    return strstr(nnb_errmsg(), "is missing or not a") ? OUT_OF_RANGE : REFUSED;
  }
  uint64_t h = digest(&r);
  h = toy_hash(h, &r.report.bits_may_differ, sizeof r.report.bits_may_differ);
  h = toy_hash(h, &r.report.resumed, sizeof r.report.resumed);
  for (int i = 0; i < r.report.n_history; i++) {
    const nnb_record *q = &r.report.history[i];
    if (q->epoch < r.report.resumed) h = toy_hash(h, &q->seconds, sizeof q->seconds);
    if (q->epoch < r.report.resumed) h = toy_hash(h, &q->total_seconds, sizeof q->total_seconds);
  }
  end(&r);
  return h;
}

/* Returns the method that ran. */
static nnb_algo stop_after(const kind *k, int variant, twist how, int epoch) {
  run r = begin(k, variant, how);
  r.opts.checkpoint = path, r.opts.on_epoch = stop_at, r.opts.user = &epoch;
  ck_ok(fit(&r));
  const nnb_algo algo = r.report.algo;
  end(&r);
  return algo;
}

/* ---- which parts were seen to matter ----------------------------------------------------------------------------- */

typedef struct fate {
  char name[100];
  bool matters;
} fate;
static fate fates[MOST_NAMES];
static int n_fates;

/* Prints the parts that should have mattered and did not. */
static int count_unused(const char *except) {
  int unused = 0;
  for (int i = 0; i < n_fates; i++)
    if (!fates[i].matters && !(except && strcmp(fates[i].name, except) == 0))
      unused++, printf("no change of it changes anything: %s\n", fates[i].name);
  return unused;
}

/* The methods that save a part with the same function. */
static const char *family_of(nnb_algo algo, const char *name) {
  static const char *const all[] = {".fit.", ".stop.", "/history", "/metrics", "/fit.", "/buffers"};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (strncmp(name + strlen("nnblas.state"), all[i], strlen(all[i])) == 0) return "all";
  if (strcmp(name, "nnblas.state/best") == 0) return "all";
  if (algo == NNB_LM || algo == NNB_VARPRO) return "sums of squares";
  if (algo == NNB_CG || algo == NNB_LBFGS || algo == NNB_BFGS) return "line searches";
  return algo == NNB_RPROP || algo == NNB_SCG ? nnb_algo_name(algo) : "steps";
}

static fate *fate_of(nnb_algo algo, const part *p) {
  char name[sizeof fates[0].name];
  snprintf(name, sizeof name, "%s: %s", family_of(algo, p->name), p->name);
  if (p->column >= 0) snprintf(name, sizeof name, "%s, column %d", p->name, p->column);
  for (int i = 0; i < n_fates; i++)
    if (strcmp(fates[i].name, name) == 0) return &fates[i];
  ck_assert_int_lt(n_fates, MOST_NAMES);
  memcpy(fates[n_fates].name, name, sizeof name);
  return &fates[n_fates++];
}

static void check_missing(const kind *k, int variant, twist how, const nnb__bag *bag, const part *p) {
  if (p->column > 0) return;
  write_other(bag, p, -1);
  run r = begin(k, variant, how);
  r.opts.checkpoint = path, r.opts.resume = true;
  const nnb_status status = fit(&r);
  if (is_machine(p->name))
    ck_assert(!status && r.report.bits_may_differ);
  else
    ck_assert_msg(status != NNB_OK, "%s, variant %d: resumed without %s", k->name, variant, p->name);
  end(&r);
}

static bool changes_something(const kind *k, int variant, twist how, const nnb__bag *bag, const part *p,
                              uint64_t whole) {
  for (int way = 0; way < CHANGED; way++) {
    write_other(bag, p, way);
    const uint64_t h = resumed_digest(k, variant, how);
    if (h != whole && h != OUT_OF_RANGE) return true; /* that only its range is looked at shows no use of it */
  }
  return false;
}

/* Parts that these short trainings need not feel: what ends a descent that stalls, what is tried after a step that
 * failed, the later phases of varpro and of .bayes, what is read only by loops of your own (lr).  A file without one of
 * them is refused like any other, and the longer walk shows that they matter. */
static const char *const seldom[] = {".stop.best",
                                     ".stop.best_gradient",
                                     ".stop.moved_iteration",
                                     ".stop.why",
                                     "/moved",
                                     ".lr",
                                     ".plateau.waited",
                                     ".evidence",
                                     "/fit.best_evidence",
                                     "/evidence",
                                     ".kfac.length",
                                     ".last_predicted",
                                     ".pairs.first",
                                     ".radius.started",
                                     ".second.better",
                                     "/pairs",
                                     "/gradient_before",
                                     "/residuals",
                                     "/second",
                                     "/start",
                                     "/trial",
                                     "/x_new"};

static bool is_seldom(const part *p) {
  const char *name = p->name + strlen("nnblas.state");
  for (size_t i = 0; i < sizeof seldom / sizeof *seldom; i++)
    if (strncmp(name, seldom[i], strlen(seldom[i])) == 0) return true;
  return false;
}

static bool far; /* the longer walk: of the parts that are seldom felt */

/* missing: files without a part, too. */
static void walk(const kind *k, int variant, twist how, int epoch, bool missing) {
  part parts[MOST_PARTS];
  size_t bytes;
  nnb__bag bag = {0};
  const nnb_algo algo = stop_after(k, variant, how, epoch);
  char *file = read_file(&bytes);
  ck_ok(nnb__safetensors_parse(file, bytes, path, &bag));
  const uint64_t whole = resumed_digest(k, variant, how);
  for (int i = 0, n = list_parts(&bag, parts); i < n; i++) {
    if (missing) check_missing(k, variant, how, &bag, &parts[i]);
    if (is_seldom(&parts[i]) != far) continue;
    fate *f = fate_of(algo, &parts[i]);
    if (!f->matters) f->matters = changes_something(k, variant, how, &bag, &parts[i], whole);
  }
  nnb__bag_clear(&bag);
  free(file);
}

START_TEST(every_part_matters) {
  make_folder();
  for (int i = 0; i < n_kinds; i++) {
    for (int variant = 0; variant < VARIANTS; variant++)
      walk(&kinds[i], variant, AS_IT_IS, 5 + 3 * variant, variant == i % VARIANTS);
    walk(&kinds[i], 0, AS_IT_IS, EPOCHS, false);
    walk(&kinds[i], 1, IMPATIENT, 9, false);
  }
  remove_folder();
  ck_assert_int_eq(count_unused(NULL), 0);
  ck_assert_int_gt(n_fates, 60);
}
END_TEST

static int length_of_run(const kind *k, int variant, twist how) {
  run r = begin(k, variant, how);
  ck_ok(fit(&r));
  const int epochs = r.report.epochs;
  end(&r);
  return epochs;
}

/* Stops after the first epochs, at places of the whole training, and shortly before its end. */
static void walk_far(const kind *k, int variant, twist how) {
  enum { FIRST = 3 };
  const int places = how == NOISY ? 60 : 12;
  static const int before_end[] = {40, 20, 5, 2, 1, 0};
  const int length = length_of_run(k, variant, how);
  for (int epoch = 1; epoch <= FIRST; epoch++) walk(k, variant, how, epoch, epoch == 1);
  for (int i = 1; i < places; i++)
    if (length * i / places > FIRST) walk(k, variant, how, length * i / places, false);
  for (size_t i = 0; i < sizeof before_end / sizeof *before_end; i++)
    if (length - before_end[i] > FIRST) walk(k, variant, how, length - before_end[i], i == 0);
}

/* Those whose states have such parts: the others share them. */
static bool is_far(const kind *k) {
  static const nnb_algo all[] = {NNB_ADAM, NNB_KFAC, NNB_RPROP, NNB_SCG, NNB_BFGS, NNB_LM, NNB_VARPRO};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (k->algo == all[i]) return true;
  return k->bayes && k->restarts == 1;
}

/* Whether a training by .bayes left a minimum for a sharper one, went back, and then again to the sharper one. */
static bool goes_again(const kind *k) {
  size_t bytes;
  nnb__bag bag = {0};
  stop_after(k, 0, NOISY, INT_MAX);
  char *file = read_file(&bytes);
  ck_ok(nnb__safetensors_parse(file, bytes, path, &bag));
  const bool again = atoi(nnb__bag_find_string(&bag, "nnblas.state.evidence.phase")) == NNB__EVIDENCE_AGAIN;
  nnb__bag_clear(&bag);
  free(file);
  return again;
}

static void walk_evidence(void) {
  int i = 0;
  while (!kinds[i].bayes) i++;
  for (noise = 1; noise < 100 && !goes_again(&kinds[i]); noise++)
    ;
  ck_assert_uint_lt(noise, 100);
  walk_far(&kinds[i], 0, NOISY);
}

START_TEST(seldom_felt_parts) {
  far = true;
  make_folder();
  walk_evidence();
  for (int i = 0; i < n_kinds; i++)
    for (int variant = 0; variant < VARIANTS && is_far(&kinds[i]); variant++)
      walk_far(&kinds[i], variant, AS_IT_IS), walk_far(&kinds[i], variant, LONG);
  for (int i = 0; i < N_DESCENTS; i++) walk_far(&descents[i], 0, LONG);
  remove_folder();
  ck_assert_int_eq(count_unused("steps: nnblas.state.lr"), 0); /* read by loops of your own, by nnb_optim_lr */
  ck_assert_int_gt(n_fates, 30);
}
END_TEST

int main(void) {
  list_kinds();
  Suite *s = suite_create("checkpoint fields " PRECISION);
  TCase *tc = tcase_create("all");
  tcase_set_timeout(tc, 3600);
  tcase_add_test(tc, getenv("NNB_FAR") ? seldom_felt_parts : every_part_matters);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
