/* Data whose rows stay in NPY and IDX files: the same numbers and the same training as in memory, and errors. */
#include <fcntl.h>
#include <sys/stat.h>

#include "alloc_count.h"
#include "bad.h"
#include "toys.h"

enum { ROWS = 150, COLS = 7, OUTS = 2, CLASSES = 3 };

/* rows×cols numbers as a file; with a type of fewer digits *p gets what can be read again. */
static void write_rows(const char *path, real *p, int n, int cols, nnb_array_type type) {
  const nnb_array out = {.p = p, .n_dims = 2, .dim = {(size_t)n, (size_t)cols}};
  nnb_array back;
  ck_ok(nnb_array_write_npy(path, &out, type));
  ck_ok(nnb_array_read_npy(path, &back));
  memcpy(p, back.p, (size_t)n * (size_t)cols * sizeof *p);
  nnb_array_clear(&back);
}

static uint64_t train(const nnb_data *from, const char *text) {
  nnb_net *trained = nnb_net_create(nnb_data_n_in(from));
  nnb_fit_opts opts = {0};
  nnb_metrics m;
  nnb_net_standardize(trained, from);
  nnb_net_dense(trained, 5, NNB_TANH);
  nnb_net_dense(trained, nnb_data_n_out(from), nnb_data_n_classes(from) ? NNB_SOFTMAX : NNB_LINEAR);
  ck_ok(nnb_fit_opts_parse(text, &opts));
  ck_ok(nnb_fit(trained, from, from, &opts, NULL));
  ck_ok(nnb_evaluate(trained, from, &m));
  const uint64_t h = toy_hash(toy_hash_net(1, trained), &m, sizeof m);
  nnb_net_destroy(trained);
  return h;
}

static void compare(nnb_data *memory, nnb_data *opened) {
  static const char *const texts[] = {"algo=adam max_epochs=3 block=40 batch=16", "algo=adam max_epochs=2 batch=9",
                                      "algo=adam max_epochs=2 in_order batch=16", "algo=lbfgs max_epochs=4 chunk=64"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    ck_assert_msg(train(memory, texts[i]) == train(opened, texts[i]), "%s", texts[i]);
  nnb_data_destroy(memory), nnb_data_destroy(opened);
}

START_TEST(npy_apart) {
  static const nnb_array_type types[] = {NNB_ARRAY_SAME, NNB_ARRAY_F64, NNB_ARRAY_F32, NNB_ARRAY_I32, NNB_ARRAY_U8};
  char xs[TOY_PATH], ts[TOY_PATH];
  toy_path(xs, "x.npy"), toy_path(ts, "t.npy");
  for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
    real x[ROWS * COLS], t[ROWS * OUTS];
    nnb_data *memory, *opened;
    toy_fill(x, ROWS * COLS, 1), toy_fill(t, ROWS * OUTS, 2);
    for (int i = 0; i < ROWS * COLS && k > 2; i++) x[i] = (real)floor(50 * ((double)x[i] + 1));
    write_rows(xs, x, ROWS, COLS, types[k]), write_rows(ts, t, ROWS, OUTS, k > 2 ? NNB_ARRAY_SAME : types[k]);
    ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, ROWS, COLS), .t = nnb_cview(t, ROWS, OUTS)}, 0, &memory));
    ck_ok(nnb_data_open_npy(xs, ts, k % 2 ? OUTS : 0, 0, &opened));
    ck_assert(nnb_data_rows(opened) == ROWS && nnb_data_n_in(opened) == COLS && nnb_data_n_out(opened) == OUTS);
    compare(memory, opened);
  }
  unlink(xs), unlink(ts);
}
END_TEST

/* Rows of more bytes than are read at a time. */
START_TEST(npy_wide) {
  enum { TALL = 9, WIDE = 9000 };
  char path[TOY_PATH];
  real *p = calloc(TALL * WIDE, sizeof *p);
  nnb_data *opened, *memory;
  const nnb_cmat x = {.p = p, .rows = TALL, .cols = WIDE - OUTS, .ld = WIDE};
  const nnb_cmat t = {.p = p + WIDE - OUTS, .rows = TALL, .cols = OUTS, .ld = WIDE};
  toy_fill(p, TALL * WIDE, 3), toy_path(path, "wide.npy");
  for (int k = 0; k < 3; k++) {
    write_rows(path, p, TALL, WIDE, k == 0 ? NNB_ARRAY_F64 : k == 1 ? NNB_ARRAY_SAME : NNB_ARRAY_F32);
    ck_ok(nnb_data_copy(&(nnb_batch){.x = x, .t = t}, 0, &memory));
    ck_ok(nnb_data_open_npy(path, NULL, OUTS, 0, &opened));
    compare(memory, opened);
  }
  unlink(path), free(p);
}
END_TEST

START_TEST(npy_classes) {
  char path[TOY_PATH], other[TOY_PATH];
  real p[ROWS * (COLS + 1)], t[ROWS];
  int32_t label[ROWS];
  nnb_data *memory, *opened;
  toy_fill(p, ROWS * (COLS + 1), 4);
  for (int i = 0; i < ROWS; i++) p[i * (COLS + 1) + COLS] = (real)(label[i] = (7 * i) % CLASSES);
  write_rows(toy_path(path, "c.npy"), p, ROWS, COLS + 1, NNB_ARRAY_SAME);
  const nnb_cmat x = {.p = p, .rows = ROWS, .cols = COLS, .ld = COLS + 1};
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = x, .label = label}, CLASSES, &memory));
  ck_ok(nnb_data_open_npy(path, NULL, 0, CLASSES, &opened));
  ck_assert_int_eq(nnb_data_n_classes(opened), CLASSES);
  compare(memory, opened);
  for (int i = 0; i < ROWS; i++) t[i] = (real)label[i];
  write_rows(toy_path(other, "l.npy"), t, ROWS, 1, NNB_ARRAY_U8); /* and inputs with an array of labels */
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(p, ROWS, COLS + 1), .label = label}, CLASSES, &memory));
  ck_ok(nnb_data_open_npy(path, other, 1, CLASSES, &opened));
  compare(memory, opened);
  unlink(path), unlink(other);
}
END_TEST

/* An array of images, a vector of targets. */
START_TEST(npy_dimensions) {
  char xs[TOY_PATH], ts[TOY_PATH];
  real x[4 * 6], t[4] = {1, 2, 3, 4};
  nnb_data *opened, *memory;
  toy_fill(x, 24, 5);
  toy_path(xs, "d.npy"), toy_path(ts, "v.npy");
  ck_ok(nnb_array_write_npy(xs, &(nnb_array){.p = x, .n_dims = 3, .dim = {4, 2, 3}}, NNB_ARRAY_SAME));
  ck_ok(nnb_array_write_npy(ts, &(nnb_array){.p = t, .n_dims = 1, .dim = {4}}, NNB_ARRAY_SAME));
  ck_ok(nnb_data_open_npy(xs, ts, 0, 0, &opened));
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, 4, 6), .t = nnb_cview(t, 4, 1)}, 0, &memory));
  compare(memory, opened);
  unlink(xs), unlink(ts);
}
END_TEST

static void write_text(const char *path, const void *text, size_t n) {
  FILE *f = fopen(path, "wb");
  ck_assert(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
}

static void write_idx(const char *path, int n_dims, const int *dim, const uint8_t *from, size_t n) {
  uint8_t whole[4096] = {0, 0, 8, (uint8_t)n_dims};
  size_t at = 4;
  for (int i = 0; i < n_dims; i++, at += 4) whole[at + 2] = (uint8_t)(dim[i] >> 8), whole[at + 3] = (uint8_t)dim[i];
  ck_assert(at + n <= sizeof whole);
  memcpy(whole + at, from, n);
  write_text(path, whole, at + n);
}

START_TEST(idx) {
  char images[TOY_PATH], labels[TOY_PATH];
  uint8_t pixel[60 * 12], digit[60];
  nnb_data *memory, *opened;
  for (int i = 0; i < 60 * 12; i++) pixel[i] = (uint8_t)(i * 37 % 256);
  for (int i = 0; i < 60; i++) digit[i] = (uint8_t)(i % 11);
  write_idx(toy_path(images, "images"), 3, (int[]){60, 4, 3}, pixel, sizeof pixel);
  write_idx(toy_path(labels, "labels"), 1, (int[]){60}, digit, sizeof digit);
  ck_ok(nnb_data_read_idx(images, labels, &memory));
  ck_ok(nnb_data_open_idx(images, labels, &opened));
  ck_assert_int_eq(nnb_data_n_classes(opened), 11);
  compare(memory, opened);
  ck_ok(nnb_data_open_idx(images, NULL, &opened));
  ck_assert_int_eq(nnb_data_n_out(opened), 0);
  nnb_data_destroy(opened);
  digit[0] = 0, write_idx(labels, 1, (int[]){59}, digit, 59);
  bad(NNB_E_SHAPE, "59 rows", nnb_data_open_idx(images, labels, &opened));
  write_text(images, "\x1f\x8b\x08\0\0\0\0\0", 8);
  bad(NNB_E_UNSUPPORTED, "unpack it", nnb_data_open_idx(images, NULL, &opened));
  bad(NNB_E_ARG, "images_path", nnb_data_open_idx(NULL, NULL, &opened));
  bad(NNB_E_ARG, "out", nnb_data_open_idx(images, NULL, NULL));
  unlink(images), unlink(labels);
}
END_TEST

/* ---- errors ------------------------------------------------------------------------------------------------------ */

START_TEST(refusals) {
  char xs[TOY_PATH], ts[TOY_PATH];
  real p[12] = {0};
  nnb_data *out;
  toy_path(xs, "bad.npy"), toy_path(ts, "bad-t.npy");
  ck_ok(nnb_array_write_npy(xs, &(nnb_array){.p = p, .n_dims = 2, .dim = {4, 3}}, NNB_ARRAY_SAME));
  ck_ok(nnb_array_write_npy(ts, &(nnb_array){.p = p, .n_dims = 2, .dim = {3, 2}}, NNB_ARRAY_SAME));
  bad(NNB_E_ARG, "out", nnb_data_open_npy(xs, NULL, 0, 0, NULL));
  bad(NNB_E_ARG, "x_path", nnb_data_open_npy(NULL, ts, 0, 0, &out));
  bad(NNB_E_ARG, "n_targets is -1", nnb_data_open_npy(xs, NULL, -1, 0, &out));
  bad(NNB_E_IO, "No such file", nnb_data_open_npy("/nowhere.npy", NULL, 1, 0, &out));
  bad(NNB_E_SHAPE, "3 rows", nnb_data_open_npy(xs, ts, 0, 0, &out));
  bad(NNB_E_SHAPE, "no input", nnb_data_open_npy(xs, NULL, 3, 0, &out));
  bad(NNB_E_SHAPE, "wanted one, the labels", nnb_data_open_npy(xs, ts, 0, 2, &out));
  bad(NNB_E_SHAPE, "n_targets is 1", nnb_data_open_npy(xs, ts, 1, 0, &out));
  ck_ok(nnb_array_write_npy(ts, &(nnb_array){.p = p, .n_dims = 0}, NNB_ARRAY_SAME));
  bad(NNB_E_SHAPE, "no rows", nnb_data_open_npy(ts, NULL, 0, 0, &out));
  write_text(ts, "\x93NUMPY\x01", 7);
  bad(NNB_E_PARSE, "NPY", nnb_data_open_npy(ts, NULL, 0, 0, &out));
  bad(NNB_E_UNSUPPORTED, "Fortran", nnb_data_open_npy(NUMPY_DATA "/fortran.npy", NULL, 0, 0, &out));
  ck_assert(!out);
  unlink(xs), unlink(ts);
}
END_TEST

/* A file of which every length but the whole one is refused. */
START_TEST(cut_off) {
  char path[TOY_PATH];
  real p[12] = {0};
  nnb_data *out;
  toy_path(path, "cut.npy");
  ck_ok(nnb_array_write_npy(path, &(nnb_array){.p = p, .n_dims = 2, .dim = {4, 3}}, NNB_ARRAY_SAME));
  for (off_t n = (off_t)(128 + sizeof p); n-- > 0;) {
    ck_assert_int_eq(truncate(path, n), 0);
    ck_assert_int_eq(nnb_data_open_npy(path, NULL, 1, 0, &out), NNB_E_PARSE);
  }
  unlink(path);
}
END_TEST

/* The file changes while it is open. */
START_TEST(changes) {
  char path[TOY_PATH];
  real p[ROWS * COLS];
  nnb_data *out;
  nnb_net *mine;
  toy_fill(p, ROWS * COLS, 6), toy_path(path, "change.npy");
  for (int k = 0; k < 3; k++) {
    write_rows(path, p, ROWS, COLS, NNB_ARRAY_SAME);
    ck_ok(nnb_data_open_npy(path, NULL, k == 2 ? 0 : 1, k == 2 ? CLASSES : 0, &out));
    ck_ok(nnb_net_parse(k == 2 ? "6-4:tanh-3:softmax" : "6-4:tanh-1", &mine));
    const real nan = (real)NAN;
    const int fd = open(path, O_WRONLY);
    if (k == 0) ck_assert_int_eq(ftruncate(fd, 128 + 100 * COLS * (off_t)sizeof *p), 0);
    if (k == 1) ck_assert_int_eq(pwrite(fd, &nan, sizeof nan, 128 + 90 * COLS * (off_t)sizeof *p), sizeof nan);
    struct stat st; /* clocks of files are coarse */
    ck_assert_int_eq(fstat(fd, &st), 0);
    if (k < 2) ck_assert_int_eq(futimens(fd, (struct timespec[]){st.st_atim, {st.st_mtim.tv_sec + 1, 0}}), 0);
    close(fd);
    const nnb_fit_opts opts = {.algo = NNB_ADAM, .max_epochs = 2, .block = 40};
    if (k < 2) bad(NNB_E_IO, "the file has changed since it was opened", nnb_fit(mine, out, NULL, &opts, NULL));
    if (k == 2) bad(NNB_E_ARG, "wanted a class", nnb_fit(mine, out, NULL, &opts, NULL));
    nnb_net_destroy(mine), nnb_data_destroy(out);
  }
  unlink(path);
}
END_TEST

static nnb_status open_and_scale(void *context) {
  nnb_data *all = NULL, *a = NULL, *b = NULL;
  nnb_net *mine = nnb_net_create(COLS - 1);
  nnb_status status = mine ? nnb_data_open_npy(context, NULL, 1, 0, &all) : NNB_E_NOMEM;
  if (!status && nnb_net_standardize(mine, all) < 0) status = NNB_E_NOMEM;
  if (!status) status = nnb_data_split(all, 0.5, 1, &a, &b);
  nnb_data_destroy(a), nnb_data_destroy(b), nnb_data_destroy(all), nnb_net_destroy(mine);
  return status;
}

START_TEST(memory) {
  char path[TOY_PATH];
  real p[ROWS * COLS];
  toy_fill(p, ROWS * COLS, 6);
  write_rows(toy_path(path, "memory.npy"), p, ROWS, COLS, NNB_ARRAY_SAME);
  check_every_allocation(open_and_scale, path);
  unlink(path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("open_rows, " PRECISION);
  TCase *tcase = tcase_create("open_rows");
  tcase_set_timeout(tcase, 120);
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_test(tcase, npy_apart);
  tcase_add_test(tcase, npy_wide);
  tcase_add_test(tcase, npy_classes);
  tcase_add_test(tcase, npy_dimensions);
  tcase_add_test(tcase, idx);
  tcase_add_test(tcase, refusals);
  tcase_add_test(tcase, cut_off);
  tcase_add_test(tcase, changes);
  tcase_add_test(tcase, memory);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
