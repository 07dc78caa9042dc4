/* .checkpoint and .resume of nnb_fit: a training that was killed at any moment, or stopped after any epoch, and resumed
 * ends with the bits of one that was not; what does not fit is refused; a full disk ends no training.
 *
 * NNB_KILLS: how often each of them is killed, 6 without it; with it files are also cut at every byte. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "checkpoints.h"
#include "heap.h"

/* ---- killed ----------------------------------------------------------------------------------------------------- */

/* A process of its own that runs to the end and writes the digest; killed after so many microseconds; -1: never.
 * Returns whether it came to the end. */
static bool attempt(const kind *k, int variant, long kill_after, uint64_t *out) {
  int ends[2], state;
  ck_assert_int_eq(pipe(ends), 0);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    run r = start(k, variant);
    r.opts.checkpoint = path, r.opts.checkpoint_epochs = 1, r.opts.resume = true;
    uint64_t h = fit(&r) ? 0 : digest(&r);
    _exit(write(ends[1], &h, sizeof h) == (ssize_t)sizeof h ? 0 : 1);
  }
  close(ends[1]);
  if (kill_after >= 0) {
    struct timespec t = {.tv_sec = kill_after / 1000000, .tv_nsec = kill_after % 1000000 * 1000};
    nanosleep(&t, NULL);
    kill(child, SIGKILL);
  }
  bool whole = read(ends[0], out, sizeof *out) == (ssize_t)sizeof *out;
  close(ends[0]);
  ck_assert_int_eq(waitpid(child, &state, 0), child);
  return whole;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

START_TEST(killed_at_any_moment) {
  const kind *k = &kinds[_i / VARIANTS];
  const int variant = _i % VARIANTS, wanted = atoi(getenv("NNB_KILLS") ? getenv("NNB_KILLS") : "6") / VARIANTS;
  const uint64_t whole = digest_of_whole(k, variant);
  uint64_t got = 0;
  nnb_rng rng;
  make_folder();
  nnb_rng_init(&rng, (uint64_t)time(NULL), (uint64_t)_i);
  const double began = now();
  ck_assert(attempt(k, variant, -1, &got));
  const double longest = 1e6 * (now() - began);
  ck_assert_msg(got == whole, "%s: checkpoints change the result", k->name);
  remove(path);
  for (int kills = 0, runs = 0; kills < wanted; runs++) {
    while (!attempt(k, variant, (long)(nnb_rng_uniform(&rng) * longest), &got)) kills++;
    ck_assert_msg(got == whole, "%s, variant %d, seed %llu: run %d, killed %d times so far, has other bits", k->name,
                  variant, (unsigned long long)rng.seed, runs, kills);
    remove(path);
  }
  remove_folder();
}
END_TEST

/* ---- stopped and resumed ---------------------------------------------------------------------------------------- */

/* After every epoch; resumed twice; a finished run says the same again. */
START_TEST(stopped_after_any_epoch) {
  const kind *k = &kinds[_i / VARIANTS];
  const int variant = _i % VARIANTS;
  const uint64_t whole = digest_of_whole(k, variant);
  make_folder();
  for (int first = 1; first < EPOCHS; first += 4) {
    int at = first;
    for (int part = 0; part < 4; part++, at += part < 2 ? 3 : EPOCHS) {
      run r = start(k, variant);
      r.opts.checkpoint = path, r.opts.resume = true, r.opts.on_epoch = stop_at, r.opts.user = &at;
      if (part == 2) { /* the same net, whether it is built or loaded */
        nnb_net_destroy(r.net);
        ck_ok(nnb_net_load(path, NULL, &r.net));
        freeze(&r, k, variant);
      }
      ck_ok(fit(&r));
      ck_assert(!r.report.bits_may_differ && r.report.checkpoint_status == NNB_OK);
      ck_assert_int_eq(r.report.resumed > 0, part > 0);
      if (r.report.epochs == EPOCHS)
        ck_assert_msg(digest(&r) == whole || r.report.stop == NNB_STOP_USER, "%s, variant %d: part %d from epoch %d",
                      k->name, variant, part, r.report.resumed);
      if (part == 3) ck_assert(digest(&r) == whole && r.report.checkpoints == 0 && r.report.resumed == r.report.epochs);
      end(&r);
    }
    remove(path);
  }
  remove_folder();
}
END_TEST

/* ---- a second descent ------------------------------------------------------------------------------------------- */

/* Stopped and resumed before, at and after the turn, in and between the stages with decay, and where the first descent
 * goes on. */
START_TEST(a_second_descent_is_resumed) {
  kind lasting = descents[_i];
  const kind *k = &lasting;
  const int length = length_of(k), stage = length / 16;
  const int stops[] = {length / 2,         length - 1,         length,
                       length + 1,         length + stage - 1, length + stage,
                       length + stage + 1, length + 2 * stage, length + 5 * stage,
                       2 * length - 1,     2 * length,         2 * length + 1,
                       3 * length};
  enum { STOPS = sizeof stops / sizeof *stops };
  if (!find_lasting(&lasting)) return;
  run whole = start(k, 0);
  ck_ok(fit(&whole));
  make_folder();
  for (int i = 0; i < STOPS; i++) {
    run r = start(k, 0);
    int at = stops[i];
    r.opts.checkpoint = path, r.opts.resume = true, r.opts.on_epoch = stop_at, r.opts.user = &at;
    ck_ok(fit(&r));
    ck_assert_msg(r.report.epochs == (at < whole.report.epochs ? at : whole.report.epochs), "%d", r.report.epochs);
    ck_assert_int_eq(r.report.resumed, i == 0                               ? 0
                                       : stops[i - 1] < whole.report.epochs ? stops[i - 1]
                                                                            : whole.report.epochs);
    if (i == STOPS - 1) ck_assert_msg(digest(&r) == digest(&whole), "%s, seed %d", k->name, (int)k->twice);
    end(&r);
  }
  end(&whole);
  remove_folder();
}
END_TEST

/* A limit that leaves no time for two descents brings none later; a lower one leaves those of the file. */
START_TEST(limits_do_not_change_the_descents) {
  kind lasting = descents[2];
  const kind *k = &lasting;
  if (!find_lasting(&lasting)) return;
  run one = start(k, 0), other = start(k, 0);
  make_folder();
  one.opts.checkpoint = path, one.opts.max_epochs = 3;
  ck_ok(fit(&one));
  one.opts.resume = true, one.opts.max_epochs = 2 * length_of(k) + 1;
  ck_ok(fit(&one));
  ck_assert_int_eq(one.report.second_start, 0);
  remove(path);
  other.opts.checkpoint = path, other.opts.max_epochs = 2 * length_of(k), other.opts.on_epoch = stop_at;
  int at = length_of(k) + 3;
  other.opts.user = &at;
  ck_ok(fit(&other));
  ck_assert_int_eq(other.report.second_start, length_of(k));
  other.opts.resume = true, other.opts.max_epochs = at + 30, other.opts.on_epoch = NULL;
  ck_ok(fit(&other));
  ck_assert(other.report.epochs == at + 30 && other.report.second_start == length_of(k));
  end(&one), end(&other);
  remove_folder();
}
END_TEST

/* A finished run goes on with a higher limit. */
START_TEST(a_longer_run_continues) {
  const kind *k = &kinds[_i];
  run whole = start(k, 0), r = start(k, 0), s = start(k, 0);
  make_folder();
  r.opts.checkpoint = s.opts.checkpoint = path, s.opts.resume = true;
  r.opts.max_epochs = 7;
  ck_ok(fit(&whole));
  ck_ok(fit(&r));
  ck_ok(fit(&s));
  ck_assert_int_eq(s.report.resumed, 7);
  const bool chosen = k->algo == NNB_AUTO || k->restarts > 1; /* which may depend on max_epochs */
  ck_assert_msg(digest(&whole) == digest(&s) || chosen, "%s", k->name);
  for (int i = 1; i < s.report.n_history; i++) /* the clock goes on, too */
    ck_assert_double_ge(s.report.history[i].total_seconds, s.report.history[i - 1].total_seconds);
  end(&whole), end(&r), end(&s);
  remove_folder();
}
END_TEST

/* ---- when a checkpoint is written ------------------------------------------------------------------------------- */

START_TEST(as_often_as_asked) {
  static const struct {
    int epochs;
    double seconds;
    int want;
  } cases[] = {{0, 0, 1}, {1, 0, EPOCHS}, {5, 0, 5}, {0, 1e-9, EPOCHS}, {100, 0, 1}, {7, 1000, 4}};
  make_folder();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    run r = start(kind_of(NNB_SGD), 0);
    r.opts.checkpoint = path, r.opts.checkpoint_epochs = cases[i].epochs, r.opts.checkpoint_seconds = cases[i].seconds;
    ck_ok(fit(&r));
    ck_assert_msg(r.report.checkpoints == cases[i].want, "case %zu: %d checkpoints", i, r.report.checkpoints);
    ck_assert_int_eq(r.report.resumed, 0);
    end(&r);
  }
  remove_folder();
}
END_TEST

/* A model for any reader, and the state of the optimiser for your own loop. */
START_TEST(the_file_is_a_model) {
  run r = start(kind_of(NNB_ADAM), 0);
  nnb_net *net;
  nnb_optim *optim;
  make_folder();
  r.opts.checkpoint = path;
  ck_ok(fit(&r));
  ck_ok(nnb_net_load(path, NULL, &net));
  ck_assert(toy_hash_net(1, net) == toy_hash_net(1, r.net));
  const nnb_optim_opts opts = {.algo = NNB_ADAM, .seed = 9, .clip_norm = 1, .epoch_updates = (ROWS - 1) / 16 + 1};
  ck_ok(nnb_optim_create(net, &opts, &optim));
  ck_ok(nnb_optim_load(optim, net, path));
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
  end(&r);
  remove_folder();
}
END_TEST

/* ---- refusals --------------------------------------------------------------------------------------------------- */

static void ck_refused(run *r, nnb_status want, const char *words) {
  const uint64_t before = toy_hash_net(1, r->net);
  nnb_status status = fit(r);
  ck_assert_msg(status == want && strstr(nnb_errmsg(), words), "%s (%s); wanted %s with \"%s\"", nnb_strstatus(status),
                nnb_errmsg(), nnb_strstatus(want), words);
  ck_assert(toy_hash_net(1, r->net) == before);
  ck_assert_int_eq(r->report.epochs, 0);
}

START_TEST(what_does_not_fit_is_refused) {
  run r = start(kind_of(NNB_ADAM), 1);
  make_folder();
  r.opts.checkpoint = path, r.opts.resume = true;
  ck_ok(fit(&r));
  const nnb_fit_opts good = r.opts;
  nnb_data *val = r.val, *train = r.train;
  r.opts.lr = 0.5;
  ck_refused(&r, NNB_E_ARG, "lr is 0.5; the training in the file has lr=0");
  r.opts = good, r.opts.seed = 10;
  ck_refused(&r, NNB_E_ARG, "seed is 10; the training in the file has seed=9");
  r.opts = good, r.opts.max_epochs = 3;
  ck_refused(&r, NNB_E_ARG, "max_epochs is 3; the training in the file is at epoch");
  r.opts = good, r.val = NULL;
  ck_refused(&r, NNB_E_ARG, "the validation data is not that");
  r.val = toy_classes(39, 4, 3);
  ck_refused(&r, NNB_E_ARG, "the validation data is not that");
  nnb_data_destroy(r.val), r.val = val;
  ck_ok(nnb_data_shuffle(train, 3, &r.train));
  ck_refused(&r, NNB_E_ARG, "the training data is not that");
  nnb_data_destroy(r.train), r.train = train;
  nnb_net *net = r.net;
  ck_ok(nnb_net_parse("4-7:relu-3:softmax", &r.net));
  ck_refused(&r, NNB_E_ARG, "\"node.2.act\" is \"tanh\" there and \"relu\" here");
  nnb_net_destroy(r.net), r.net = net;
  ck_ok(nnb_net_save(net, path));
  ck_refused(&r, NNB_E_ARG, "is not a checkpoint of a fit");
  end(&r);
  remove_folder();
}
END_TEST

START_TEST(options_that_make_no_sense) {
  run r = start(kind_of(NNB_ADAM), 0);
  make_folder();
  r.opts.resume = true;
  ck_refused(&r, NNB_E_ARG, "resume is set, but checkpoint names no file");
  r.opts.resume = false, r.opts.checkpoint = "";
  ck_refused(&r, NNB_E_ARG, "empty path");
  r.opts.checkpoint = "/nowhere/run.safetensors";
  ck_refused(&r, NNB_E_IO, "/nowhere/run.safetensors");
  end(&r);
  remove_folder();
}
END_TEST

/* One of each sort of state. */
static const nnb_algo sorts[] = {NNB_ADAM, NNB_LBFGS, NNB_VARPRO, NNB_AUTO};
enum { SORTS = sizeof sorts / sizeof *sorts };

/* Cut at any byte, it is an error and stays as it is. */
START_TEST(cut_files_are_refused) {
  run r = start(kind_of(sorts[_i]), 1);
  size_t bytes, left;
  make_folder();
  r.opts.checkpoint = path, r.opts.resume = true, r.opts.max_epochs = 4;
  ck_ok(fit(&r));
  const size_t step = getenv("NNB_KILLS") ? 1 : 37;
  char *file = read_file(&bytes);
  for (size_t n = 0; n < bytes; n += n < 64 || n + 64 > bytes ? 1 : step) {
    write_file(file, n);
    nnb_status status = fit(&r);
    ck_assert_msg(status == NNB_E_PARSE, "cut at %zu of %zu: %s", n, bytes, nnb_strstatus(status));
    free(read_file(&left));
    ck_assert_uint_eq(left, n);
  }
  free(file);
  end(&r);
  remove_folder();
}
END_TEST

/* One character of the metadata is another: an error or the same result, never a crash. */
START_TEST(damaged_files_do_no_harm) {
  static const struct {
    const char *key, *bad;
  } damages[] = {{"nnblas.state.fit.epoch\":\"", "99"},    {"nnblas.state.fit.history\":\"", "9"},
                 {"nnblas.state.fit.stride\":\"", "0"},    {"nnblas.state.fit.best_epoch\":\"", "99"},
                 {"nnblas.state.fit.best_loss\":\"", "x"}, {"nnblas.state.fit\":\"", "x"},
                 {"nnblas.state.fit.train\":\"", "g"}};
  run r = start(kind_of(NNB_ADAM), 1);
  size_t bytes;
  make_folder();
  r.opts.checkpoint = path, r.opts.resume = true;
  ck_ok(fit(&r));
  char *file = read_file(&bytes);
  for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
    char *copy = malloc(bytes), *at = NULL;
    const size_t n = strlen(damages[i].key);
    memcpy(copy, file, bytes);
    for (size_t k = 8; !at && k + n + 2 < bytes; k++)
      if (memcmp(copy + k, damages[i].key, n) == 0) at = copy + k + n;
    ck_assert_msg(at, "no %s", damages[i].key);
    memcpy(at, damages[i].bad, strlen(damages[i].bad));
    write_file(copy, bytes);
    const uint64_t before = toy_hash_net(1, r.net);
    ck_assert_msg(fit(&r) != NNB_OK, "%s%s is taken", damages[i].key, damages[i].bad);
    ck_assert(toy_hash_net(1, r.net) == before);
    free(copy);
  }
  free(file);
  end(&r);
  remove_folder();
}
END_TEST

/* ---- what may differ -------------------------------------------------------------------------------------------- */

START_TEST(another_machine_is_reported) {
  run r = start(kind_of(NNB_ADAM), 0), s = start(kind_of(NNB_ADAM), 0);
  char *text;
  size_t bytes;
  make_folder();
  r.opts.checkpoint = s.opts.checkpoint = path, s.opts.resume = true;
  r.opts.max_epochs = 3, s.opts.chunk = 5;
  ck_ok(fit(&r));
  ck_ok(fit(&s));
  ck_assert(s.report.bits_may_differ && s.report.resumed == 3);
  FILE *stream = open_memstream(&text, &bytes);
  nnb_report_print(&s.report, stream);
  fclose(stream);
  ck_assert_ptr_nonnull(strstr(text, "resumed: after epoch 3; threads, chunks, kernels or BLAS"));
  free(text);
  end(&r), end(&s);
  remove_folder();
}
END_TEST

/* ---- no checkpoint can be written ------------------------------------------------------------------------------- */

enum { BREAK_AT = 9 };

static int fill_disk(void *user, const nnb_record *record) {
  (void)user;
  const struct rlimit small = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
  if (record->epoch == BREAK_AT) setrlimit(RLIMIT_FSIZE, &small);
  return 0;
}

static int lose_folder(void *user, const nnb_record *record) {
  if (record->epoch == BREAK_AT) rename(folder, user);
  return 0;
}

static int lock_folder(void *user, const nnb_record *record) {
  (void)user;
  if (record->epoch == BREAK_AT) chmod(folder, 0555);
  return 0;
}

/* The training goes on to its end, the report says it, and the last good file is whole. */
static void train_on(const kind *k, int (*spoil)(void *, const nnb_record *), void *user) {
  run r = start(k, 1);
  r.opts.checkpoint = path, r.opts.checkpoint_epochs = 1, r.opts.on_epoch = spoil, r.opts.user = user;
  ck_ok(fit(&r));
  ck_assert_int_eq(r.report.checkpoint_status, NNB_E_IO);
  ck_assert_int_eq(r.report.checkpoints, BREAK_AT - 1);
  ck_assert(digest(&r) == digest_of_whole(k, 1));
  end(&r);
}

static void resume_after(const kind *k) {
  run r = start(k, 1);
  r.opts.checkpoint = path, r.opts.resume = true;
  ck_ok(fit(&r));
  ck_assert_int_eq(r.report.resumed, BREAK_AT - 1);
  ck_assert(digest(&r) == digest_of_whole(k, 1));
  end(&r);
  remove_folder();
}

START_TEST(a_full_disk_ends_no_training) {
  struct rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);
  make_folder();
  train_on(kind_of(sorts[_i]), fill_disk, NULL);
  setrlimit(RLIMIT_FSIZE, &before);
  resume_after(kind_of(sorts[_i]));
}
END_TEST

START_TEST(a_lost_folder_ends_no_training) {
  char moved[TOY_PATH + 20];
  make_folder();
  snprintf(moved, sizeof moved, "%s-moved", folder);
  train_on(kind_of(sorts[_i]), lose_folder, moved);
  ck_assert_int_eq(rename(moved, folder), 0);
  resume_after(kind_of(sorts[_i]));
}
END_TEST

/* root can write everywhere, so it is somebody else meanwhile. */
static const uid_t somebody = 65534;

START_TEST(a_read_only_folder_ends_no_training) {
  const kind *k = kind_of(sorts[_i]);
  const bool root = geteuid() == 0;
  make_folder();
  if (root && (chown(folder, somebody, (gid_t)-1) != 0 || seteuid(somebody) != 0)) {
    fprintf(stderr, "skipped: a read-only folder, because root can write everywhere\n");
    remove_folder();
    return;
  }
  train_on(k, lock_folder, NULL);
  run r = start(k, 1);
  r.opts.checkpoint = path;
  ck_refused(&r, NNB_E_IO, "creating a temporary file");
  end(&r);
  chmod(folder, 0700);
  resume_after(k);
  if (root) ck_assert_int_eq(seteuid(0), 0);
  remove_folder();
}
END_TEST

/* ---- two processes with one file -------------------------------------------------------------------------------- */

/* Each ends with the right bits, and whoever reads meanwhile finds a whole file. */
START_TEST(two_processes_write_one_file) {
  const kind *k = kind_of(sorts[_i]);
  const uint64_t whole = digest_of_whole(k, 1);
  int state;
  make_folder();
  const pid_t reader = fork();
  ck_assert_int_ge(reader, 0);
  if (reader == 0) {
    nnb_net *net = NULL;
    for (long reads = 0;; nnb_net_destroy(net), net = NULL) {
      const nnb_status status = nnb_net_load(path, NULL, &net);
      if (status && status != NNB_E_IO) _exit(1);
      if (access(folder, F_OK) != 0) _exit(reads > 0 ? 0 : 2);
      reads += !status;
    }
  }
  for (int round = 0; round < 5; round++) {
    const pid_t other = fork();
    uint64_t got = 0;
    ck_assert_int_ge(other, 0);
    if (other == 0) _exit(attempt(k, 1, -1, &got) && got == whole ? 0 : 1);
    ck_assert(attempt(k, 1, -1, &got) && got == whole);
    ck_assert(waitpid(other, &state, 0) == other && WIFEXITED(state) && WEXITSTATUS(state) == 0);
    remove(path);
  }
  remove_folder();
  ck_assert(waitpid(reader, &state, 0) == reader && WIFEXITED(state));
  ck_assert_int_eq(WEXITSTATUS(state), 0);
}
END_TEST

/* ---- memory ----------------------------------------------------------------------------------------------------- */

START_TEST(any_allocation_may_fail) {
  static const nnb_algo each[] = {NNB_KFAC, NNB_LBFGS, NNB_VARPRO, NNB_AUTO};
  const kind *k = kind_of(each[_i]);
  make_folder();
  heap_install();
  run first = start(k, 1);
  first.opts.checkpoint = path, first.opts.max_epochs = 3;
  ck_ok(fit(&first));
  end(&first);
  bool failed = true;
  int refused = 0, unwritten = 0;
  for (long i = 1; failed; i++) {
    run r = start(k, 1);
    r.opts.checkpoint = path, r.opts.max_epochs = 4, r.opts.resume = true;
    heap_fail_at(i, false);
    nnb_status status = fit(&r);
    failed = heap_has_failed();
    heap_fail_at(0, false);
    const nnb_status said = status ? status : r.report.checkpoint_status;
    ck_assert_msg(said == (failed ? NNB_E_NOMEM : NNB_OK), "allocation %ld: %s", i, nnb_errmsg());
    refused += status != 0, unwritten += failed && !status;
    end(&r);
    ck_assert_int_eq(heap_live(), 0);
  }
  ck_assert(refused > 20 && unwritten > 20);
  heap_remove();
  remove_folder();
}
END_TEST

/* The memory in use after an epoch; stops after that of *user. */
static size_t in_use;
static int look(void *user, const nnb_record *record) {
  heap_reset_peak();
  in_use = heap_peak();
  return record->epoch == *(const int *)user;
}

/* A step-wise method needs its file only to begin. */
START_TEST(the_file_does_not_stay_in_memory) {
  size_t bytes;
  int last[2] = {2, 4};
  make_folder();
  heap_install();
  run first = start(kind_of(NNB_ADAM), 1);
  first.opts.checkpoint = path, first.opts.max_epochs = 4, first.opts.on_epoch = look, first.opts.user = &last[0];
  ck_ok(fit(&first));
  const size_t fresh = in_use;
  free(read_file(&bytes));
  end(&first);
  run again = start(kind_of(NNB_ADAM), 1);
  again.opts = first.opts, again.opts.resume = true, again.opts.user = &last[1];
  ck_ok(fit(&again));
  ck_assert_int_eq(again.report.resumed, 2);
  ck_assert_msg(in_use < fresh + bytes / 4, "resumed %zu bytes, before %zu, the file %zu", in_use, fresh, bytes);
  end(&again);
  heap_remove();
  remove_folder();
}
END_TEST

int main(void) {
  list_kinds();
  Suite *s = suite_create("checkpoint " PRECISION);
  TCase *tc = tcase_create("all"), *kills = tcase_create("kills"), *cuts = tcase_create("cuts");
  tcase_set_timeout(tc, 120);
  tcase_set_timeout(kills, 1800);
  tcase_set_timeout(cuts, 1800);
  tcase_add_loop_test(kills, killed_at_any_moment, 0, SANITIZED ? 0 : n_kinds * VARIANTS);
  tcase_add_loop_test(tc, stopped_after_any_epoch, 0, n_kinds * VARIANTS);
  tcase_add_loop_test(tc, a_second_descent_is_resumed, 0, N_DESCENTS);
  if (sizeof(real) == sizeof(double)) tcase_add_test(tc, limits_do_not_change_the_descents);
  tcase_add_loop_test(tc, a_longer_run_continues, 0, n_kinds);
  tcase_add_test(tc, as_often_as_asked);
  tcase_add_test(tc, the_file_is_a_model);
  tcase_add_test(tc, what_does_not_fit_is_refused);
  tcase_add_test(tc, options_that_make_no_sense);
  tcase_add_loop_test(cuts, cut_files_are_refused, 0, SORTS);
  tcase_add_test(tc, damaged_files_do_no_harm);
  tcase_add_test(tc, another_machine_is_reported);
  tcase_add_loop_test(tc, a_full_disk_ends_no_training, 0, SORTS);
  tcase_add_loop_test(tc, a_lost_folder_ends_no_training, 0, SORTS);
  tcase_add_loop_test(tc, a_read_only_folder_ends_no_training, 0, SORTS);
  tcase_add_loop_test(tc, any_allocation_may_fail, 0, SORTS);
  tcase_add_test(tc, the_file_does_not_stay_in_memory);
  suite_add_tcase(s, tc);
  tcase_add_loop_test(kills, two_processes_write_one_file, 0, SANITIZED ? 0 : SORTS);
  suite_add_tcase(s, kills);
  suite_add_tcase(s, cuts);
  if (SANITIZED) puts("skipped: kills and two processes, which inherit the sanitizer's locks");
  return run_suite(s);
}
