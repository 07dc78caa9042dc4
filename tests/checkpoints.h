/* tests/checkpoints.h: what the tests of checkpoints train: each method, in several variants, and a fingerprint of all
 * that a run yields. */
#ifndef TEST_CHECKPOINTS_H
#define TEST_CHECKPOINTS_H

#include <dirent.h>

#include "toys.h"

enum { ROWS = 90, EPOCHS = 24 };

/* What is trained by: each method, the choice of one, evidence, several starts. */
typedef struct kind {
  const char *name;
  nnb_algo algo;
  bool steps, bayes;
  int restarts;
  uint64_t twice; /* a fit with a second descent, of a net with this seed */
} kind;
static kind kinds[NNB_N_ALGOS + 4];
static int n_kinds;

static inline void list_kinds(void) {
  nnb_algo steppers[NNB_N_ALGOS];
  const int n = toy_steppers(steppers);
  for (int k = NNB_AUTO + 1; k < NNB_N_ALGOS; k++) {
    kinds[n_kinds] = (kind){.name = nnb_algo_name((nnb_algo)k), .algo = (nnb_algo)k};
    for (int i = 0; i < n; i++) kinds[n_kinds].steps |= steppers[i] == (nnb_algo)k;
    n_kinds++;
  }
  kinds[n_kinds++] = (kind){.name = "auto"};
  kinds[n_kinds++] = (kind){.name = "bayes", .bayes = true, .restarts = 1};
  kinds[n_kinds++] = (kind){.name = "starts", .algo = NNB_LBFGS, .restarts = 3};
  kinds[n_kinds++] = (kind){.name = "bayes from two starts", .bayes = true};
}

static inline const kind *kind_of(nnb_algo algo) {
  int i = 0;
  while (kinds[i].algo != algo) i++;
  return &kinds[i];
}

/* ---- a folder for the files ------------------------------------------------------------------------------------- */

static char folder[TOY_PATH], path[TOY_PATH + 40];

/* In memory where that is possible: a killed process loses nothing there either, and fsync costs nothing. */
static inline void make_folder(void) {
  snprintf(folder, sizeof folder, "/dev/shm/nnblas-checkpoint-XXXXXX");
  if (!mkdtemp(folder)) {
    toy_path(folder, "checkpoint-XXXXXX");
    ck_assert(mkdtemp(folder));
  }
  snprintf(path, sizeof path, "%s/run.safetensors", folder);
}

/* With what killed programs left in it. */
static inline void remove_folder(void) {
  DIR *d = opendir(folder);
  struct dirent *e;
  char name[TOY_PATH + 300];
  while (d && (e = readdir(d))) {
    snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
    remove(name);
  }
  if (d) closedir(d);
  remove(folder);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static inline char *read_file(size_t *bytes) {
  FILE *f = fopen(path, "rb");
  char *p = malloc(1 << 20);
  ck_assert(f && p);
  *bytes = fread(p, 1, 1 << 20, f);
  ck_assert(fclose(f) == 0 && *bytes < 1 << 20);
  return p;
}

static inline void write_file(const char *p, size_t bytes) {
  FILE *f = fopen(path, "wb");
  ck_assert(f && fwrite(p, 1, bytes, f) == bytes && fclose(f) == 0);
}

/* ---- a run ------------------------------------------------------------------------------------------------------ */

typedef struct run {
  nnb_data *memory, *train, *val;
  nnb_net *net;
  nnb_fit_opts opts;
  nnb_report report;
} run;

static inline nnb_status read_rows(void *user, int64_t row0, int n, const nnb_rows *to) {
  nnb_batch all;
  nnb_status status = nnb_data_batch(user, (int)row0, n, &all);
  for (int i = 0; !status && i < n; i++) {
    memcpy(to->x.p + i * to->x.ld, all.x.p + i * all.x.ld, sizeof(real) * (size_t)all.x.cols);
    if (to->label) to->label[i] = all.label[i];
    if (to->t.p) memcpy(to->t.p + i * to->t.ld, all.t.p + i * all.t.ld, sizeof(real) * (size_t)all.t.cols);
  }
  return status;
}

static inline void read_from_source(run *r, int n_in, int n_out, int n_classes) {
  const nnb_source source = {
      .rows = ROWS, .n_in = n_in, .n_out = n_out, .n_classes = n_classes, .user = r->memory, .read = read_rows};
  ck_ok(nnb_data_from_source(&source, &r->train));
}

/* 0: without validation, with few records; 1: validation, averaged weights, plateau; 2: a source, cosine, decay. */
enum { VARIANTS = 3 };
static inline run start_steps(nnb_algo algo, int variant) {
  run r = {.memory = toy_classes(ROWS, 4, 3)};
  r.opts = (nnb_fit_opts){.algo = algo, .batch = 16};
  r.train = r.memory;
  if (variant == 0) r.opts.history = 5, r.opts.clip_norm = 1;
  if (variant == 0 && algo == NNB_KFAC) /* an epoch is one update, which is judged, and often undone */
    r.opts.batch = NNB_FULL_BATCH, r.opts.lr = 1.9, r.opts.damping = 1e-4, r.opts.clip_norm = 0;
  if (variant == 1) {
    r.val = toy_classes(40, 4, 3);
    r.opts.ema = 0.9, r.opts.schedule = NNB_PLATEAU, r.opts.lr_step = 1, r.opts.patience = 20;
  }
  if (variant == 2) {
    read_from_source(&r, 4, 0, 3);
    r.opts.schedule = NNB_COSINE, r.opts.l2 = 1e-3, r.opts.l1 = 1e-5, r.opts.block = 32;
  }
  ck_ok(nnb_net_parse("4-7:tanh-3:softmax", &r.net));
  return r;
}

/* An even function of points that are symmetric: features that are odd give output weights of 0, a saddle. */
static inline nnb_data *parabola(void) {
  real x[ROWS], t[ROWS];
  nnb_data *data;
  for (int i = 0; i < ROWS; i++) x[i] = (real)(2 * i - ROWS + 1) / ROWS, t[i] = x[i] * x[i];
  const nnb_batch batch = {.x = nnb_cview(x, ROWS, 1), .t = nnb_cview(t, ROWS, 1)};
  ck_ok(nnb_data_copy(&batch, 0, &data));
  return data;
}

/* Model files do not say what is frozen. */
static inline void freeze(run *r, const kind *k, int variant) {
  if (!k->steps && !k->bayes && variant == 1) ck_ok(nnb_net_freeze(r->net, 1, NNB_BIAS));
}

/* 0: fewer parameters than 20, few records; 1: more, validation, a frozen bias; 2: a parabola from a source, decay. */
static inline run start_full(const kind *k, int variant) {
  static const char *const nets[] = {"3-3:tanh-1", "3-8:tanh-2", "1-6:tanh-1"};
  run r = {.memory = variant == 2 ? parabola() : toy_regression(ROWS, 3, variant + 1)};
  r.opts = (nnb_fit_opts){.algo = k->algo, .bayes = k->bayes, .restarts = k->restarts};
  r.train = r.memory;
  ck_ok(nnb_net_parse(nets[variant], &r.net));
  if (variant == 0) r.opts.history = 5;
  if (variant == 1) {
    r.val = toy_regression(40, 3, 2);
    r.opts.patience = 20;
  }
  if (variant == 2) {
    read_from_source(&r, 1, 1, 0);
    if (!k->bayes && k->algo != NNB_VARPRO) r.opts.l2 = 1e-4;
  }
  return r;
}

/* The methods that make two descents.  The first one can end by itself, within rounding, before the turn. */
static const kind descents[] = {{.name = "lm", .algo = NNB_LM, .twice = 1},
                                {.name = "varpro", .algo = NNB_VARPRO, .twice = 1},
                                {.name = "bfgs", .algo = NNB_BFGS, .twice = 1}};
enum { N_DESCENTS = sizeof descents / sizeof *descents };
static inline int length_of(const kind *k) { return k->algo == NNB_BFGS ? 800 : 400; }

/* Long descents that creep. */
static inline run start_descents(const kind *k) {
  run r = {.opts = {.algo = k->algo, .max_epochs = 2 * length_of(k) + 40}, .memory = toy_law(40)};
  r.train = r.memory;
  ck_ok(nnb_net_for_data(r.memory, "5:tanh", &r.net));
  ck_ok(nnb_net_seed(r.net, k->twice));
  return r;
}

static inline run start(const kind *k, int variant) {
  run r = k->twice ? start_descents(k) : k->steps ? start_steps(k->algo, variant) : start_full(k, variant);
  freeze(&r, k, variant);
  if (!k->twice) r.opts.max_epochs = EPOCHS;
  r.opts.seed = 9, r.opts.threads = 1;
  return r;
}

static inline void end(run *r) {
  nnb_net_destroy(r->net);
  if (r->train != r->memory) nnb_data_destroy(r->train);
  nnb_data_destroy(r->val);
  nnb_data_destroy(r->memory);
}

static inline nnb_status fit(run *r) { return nnb_fit(r->net, r->train, r->val, &r->opts, &r->report); }

/* Gives one of the descents a seed whose first descent lasts to the turn, which depends on rounding: in single
 * precision there may be none. */
static inline bool find_lasting(kind *k) {
  for (k->twice = 1; k->twice <= 8; k->twice++) {
    run r = start(k, 0);
    ck_ok(fit(&r));
    const bool lasts = r.report.second_start == length_of(k);
    end(&r);
    if (lasts) return true;
  }
  ck_assert_msg(sizeof(real) == sizeof(float), "no descent by %s lasts to its turn", k->name);
  return false;
}

static inline int n_values(const nnb_record *q) {
  int n = 0;
  for (unsigned bit = 1; bit; bit <<= 1) n += (q->metrics & bit) != 0, n += (q->train_metrics & bit) != 0;
  return n;
}

/* Everything that a run yields, apart from seconds and what the report says of checkpoints. */
static inline uint64_t digest(const run *r) {
  const nnb_report *p = &r->report;
  const double numbers[] = {p->stop,
                            p->algo,
                            p->epochs,
                            (double)p->updates,
                            (double)p->samples,
                            p->loss,
                            p->val_loss,
                            p->best_loss,
                            p->best_epoch,
                            p->restored,
                            p->n_history,
                            p->batch,
                            p->lr,
                            p->l2,
                            p->history_stride,
                            p->choice,
                            p->trials,
                            p->held_loss,
                            p->held_rows,
                            p->starts,
                            p->start,
                            p->second_start,
                            p->evidence.alpha,
                            p->evidence.beta,
                            p->evidence.gamma,
                            p->evidence.log_evidence};
  uint64_t h = toy_hash_net(1, r->net);
  h = toy_hash(h, numbers, sizeof numbers);
  for (int i = 0; i < p->n_history; i++) {
    const nnb_record *q = &p->history[i];
    const double row[] = {q->epoch, (double)q->updates, (double)q->samples, q->loss, q->val_loss, q->lr};
    h = toy_hash(h, row, sizeof row);
    h = toy_hash(h, q->values, (size_t)n_values(q) * sizeof *q->values);
  }
  return h;
}

static inline uint64_t digest_of_whole(const kind *k, int variant) {
  run r = start(k, variant);
  ck_ok(fit(&r));
  const uint64_t h = digest(&r);
  end(&r);
  return h;
}

/* For .on_epoch, with an epoch as user. */
static inline int stop_at(void *user, const nnb_record *record) { return record->epoch >= *(int *)user; }

#endif
