/* Data whose rows stay in a CSV file: what nnb_data_read_csv reads, by windows of every size, and errors. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "alloc_count.h"
#include "csv_scan.h"
#include "source.h"
#include "toys.h"

static void write_text(const char *path, const char *text, size_t n) {
  FILE *f = fopen(path, "wb");
  ck_assert(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
}

/* ---- the same as in memory --------------------------------------------------------------------------------------- */

static void same_name(const char *a, const char *b) { ck_assert(a && b ? strcmp(a, b) == 0 : a == b); }

static void same_summary(const nnb_data *a, const nnb_data *b) {
  char text[2][2000] = {"", ""};
  for (int k = 0; k < 2; k++) {
    FILE *f = fmemopen(text[k], sizeof text[k], "w");
    ck_assert(f);
    ck_ok(nnb_data_summary(k ? a : b, f));
    fclose(f);
  }
  ck_assert_str_eq(text[0], text[1]);
}

/* Rows row0 … row0+n-1 of both. */
static void same_rows(const nnb_data *memory, nnb__window *w, int row0, int n) {
  nnb_batch a, b;
  ck_ok(nnb__window_rows(w, row0, n, &b));
  ck_ok(nnb_data_batch(memory, row0, n, &a));
  ck_assert_mem_eq(a.x.p, b.x.p, (size_t)n * (size_t)a.x.cols * sizeof *a.x.p);
  if (a.t.p) ck_assert_mem_eq(a.t.p, b.t.p, (size_t)n * (size_t)a.t.cols * sizeof *a.t.p);
  if (a.label) ck_assert_mem_eq(a.label, b.label, (size_t)n * sizeof *a.label);
}

/* All rows together, and one by one from the last. */
static void same_numbers(const nnb_data *memory, const nnb_data *opened) {
  const int n = nnb_data_rows(memory);
  nnb__window w;
  ck_ok(nnb__window_open(&w, opened, n));
  same_rows(memory, &w, 0, n);
  for (int i = n; i-- > 0;) same_rows(memory, &w, i, 1);
  nnb__window_close(&w);
}

static void same_data(const nnb_data *memory, const nnb_data *opened) {
  const int n = nnb_data_rows(memory);
  ck_assert_int_eq(nnb_data_rows(opened), n);
  ck_assert_int_eq(nnb_data_n_in(opened), nnb_data_n_in(memory));
  ck_assert_int_eq(nnb_data_n_out(opened), nnb_data_n_out(memory));
  ck_assert_int_eq(nnb_data_n_classes(opened), nnb_data_n_classes(memory));
  for (int c = 0; c <= nnb_data_n_in(memory) + nnb_data_n_out(memory); c++)
    same_name(nnb_data_column_name(memory, c), nnb_data_column_name(opened, c));
  for (int k = 0; k < nnb_data_n_classes(memory); k++)
    same_name(nnb_data_class_name(memory, k), nnb_data_class_name(opened, k));
  same_summary(memory, opened);
  same_numbers(memory, opened);
}

/* Read and opened by this window: the same data or the same error. */
static void compare(const char *path, const nnb_csv_opts *opts, size_t window) {
  char message[1000] = "";
  nnb_data *memory, *opened;
  nnb_csv_opts copy = *opts;
  const nnb_status status = nnb_data_read_csv(path, opts, &memory);
  if (status) snprintf(message, sizeof message, "%s", nnb_errmsg());
  const size_t before = nnb__csv_window;
  nnb__csv_window = window;
  const nnb_status other = nnb_data_open_csv(path, &copy, &opened);
  memset(&copy, 0xAA, sizeof copy); /* it is not needed any more */
  nnb__csv_window = before;
  ck_assert_msg(status == other, "window %zu: %d, %d: %s", window, status, other, nnb_errmsg());
  if (status) ck_assert_str_eq(message, nnb_errmsg());
  if (!status) same_data(memory, opened);
  nnb_data_destroy(memory), nnb_data_destroy(opened);
}

static const char *const names[] = {"a", "b", "1"}, *const classes[] = {"1", "2", "3"};
static const nnb_csv_opts variants[] = {
    {0},
    {.n_targets = NNB_NONE},
    {.classify = true},
    {.target = "a"},
    {.n_targets = 2, .separator = ';'},
    {.header = NNB_NONE, .class_names = classes, .n_class_names = 3},
    {.separator = ' '},
    {.target = "1", .comment = '#', .skip_lines = 1},
    {.skip_lines = 3, .n_targets = NNB_NONE},
    {.take = names, .n_take = 2, .n_targets = NNB_NONE, .decimal_comma = true},
    {.leave = names + 1, .n_leave = 2, .header = 1},
    {.missing = NNB_MISSING_MEAN, .categories = 3},
    {.missing = NNB_MISSING_MEAN, .categories = 2, .leave_unusable = true},
    {.missing = NNB_MISSING_MEAN, .categories = 4, .category = names, .n_category = 1, .n_targets = NNB_NONE},
};
static const char *const texts[] = {
    "a,b,c\n1,2,3\n4,5,6\n7,8,9\n",
    "\xEF\xBB\xBF\x61,b,c\r\n1,2,3\r\n\r\n4,5,6\r\n",
    "1;2;3;4\r4;5;6;7\r7;8;9;10",
    "a\tb\tc\n1\t\"2\"\t\"x\"\"y\"\n3\t4\tz\n5\t?\tz\n",
    "# one\n1,2,1\n # two, a longer one\n\n\n  \n3,4,2\n#\n5,6,1\n",
    "150,2,setosa,versicolor\n1,2,0\n",
    "2,2,setosa,versicolor\n1,2,0\n3,4,1\n",
    "a,b,c\n1,x,3\n,y,6\n3,,9\nNA,\"x\",1\n",
    "a,b,c\n\"first\nsecond\",1,2\n\"third\n\n\",2,1\n",
    "1 2  3\n 4 5 6 \n7\t8 9\n",
    "1,5 2,5 3\n4,5 5 6\n",
    "c,1\nd,2\ne,x\n",
    "1,2,3\n4,5\n",
    "1,2\n3,\"4\n5,6\n",
    "1,2\n3,4\"\n",
    "1,2\n\"3\"x,4\n",
    "\n\n",
    "",
    "a,b,c\n1,2,3\n4,x,6\n",
    "1,2,3\n4,5,1e999\n",
};

START_TEST(windows) {
  char path[TOY_PATH];
  toy_path(path, "w.csv");
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    write_text(path, texts[i], strlen(texts[i]));
    for (size_t k = 0; k < sizeof variants / sizeof *variants; k++)
      for (size_t window = 3; window < strlen(texts[i]) + 5; window += 1 + window / 8)
        compare(path, &variants[k], window);
  }
  unlink(path);
}
END_TEST

/* A NUL byte anywhere, met first while the separator is looked for or when the rows are read. */
START_TEST(nul_bytes) {
  static const nnb_csv_opts opts[] = {{0}, {.separator = ';'}, {.missing = NNB_MISSING_MEAN, .categories = 3}};
  char path[TOY_PATH], text[] = "a;b;c\n1;2;3\n4;5;6\n7;8;9";
  toy_path(path, "nul.csv");
  for (size_t at = 0; at < strlen(text); at++) {
    const char was = text[at];
    text[at] = '\0';
    write_text(path, text, sizeof text - 1);
    text[at] = was;
    for (size_t window = 3; window < sizeof text + 2; window++) compare(path, &opts[_i], window);
  }
  unlink(path);
}
END_TEST

/* A table of numbers, texts, missing values and three classes, or numbers as targets. */
enum { ROWS = 700 };
static void write_table(const char *path, int rows, bool class) {
  FILE *f = fopen(path, "w");
  nnb_rng rng;
  nnb_rng_init(&rng, 5, 1);
  ck_assert(f);
  fputs("n,kind,\"long, name\",m,y\n", f);
  for (int i = 0; i < rows; i++) {
    const double a = nnb_rng_uniform(&rng), b = nnb_rng_uniform(&rng);
    fprintf(f, "%.17g,%s,%s\"%.9g\",", a,
            i % 7 == 3   ? ""
            : i % 3 == 0 ? "x"
            : i % 3 == 1 ? "\"y \"\"q\"\"\""
                         : "z",
            i % 11 == 0 ? "  " : "", b);
    if (i % 5) fprintf(f, "%.6g", a * b);
    if (class)
      fprintf(f, ",%s\n", a + b < 0.7 ? "low" : a > b ? "high" : "other");
    else
      fprintf(f, ",%.7g\n", sin(3 * a) + b);
  }
  ck_assert_int_eq(fclose(f), 0);
}

static const nnb_csv_opts mixed = {.missing = NNB_MISSING_MEAN, .categories = 5};

/* Trained on nine tenths, validated on the rest. */
static uint64_t train(const nnb_data *from, const char *text) {
  nnb_data *first, *second;
  nnb_net *trained;
  nnb_fit_opts opts = {0};
  nnb_report report = {0};
  nnb_metrics m;
  ck_ok(nnb_data_split(from, 0.1, 3, &first, &second));
  ck_ok(nnb_net_for_data(first, "6:tanh", &trained));
  ck_ok(nnb_fit_opts_parse(text, &opts));
  opts.history = NNB_NONE;
  ck_ok(nnb_fit(trained, first, second, &opts, &report));
  ck_ok(nnb_evaluate(trained, second, &m));
  const uint64_t h = toy_hash(toy_hash_net((uint64_t)report.best_epoch + 1, trained), &m, sizeof m);
  nnb_net_destroy(trained), nnb_data_destroy(first), nnb_data_destroy(second);
  return h;
}

START_TEST(training) {
  static const char *const fits[] = {"algo=adam max_epochs=6 block=128 batch=16 patience=2 lr=0.05",
                                     "algo=adam max_epochs=2 batch=50", "algo=lbfgs max_epochs=3 chunk=64"};
  char path[TOY_PATH];
  toy_path(path, "train.csv");
  for (int class = 0; class < 2; class ++) {
    nnb_data *memory, *opened, *again;
    write_table(path, ROWS, class);
    ck_ok(nnb_data_read_csv(path, &mixed, &memory));
    ck_ok(nnb_data_open_csv(path, &mixed, &opened));
    same_data(memory, opened);
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++)
      ck_assert_msg(train(memory, fits[i]) == train(opened, fits[i]), "%s", fits[i]);
    const nnb_csv_opts as = {.columns = nnb_data_columns(opened)}; /* other data, encoded as these are */
    ck_ok(nnb_data_open_csv(path, &as, &again));
    same_numbers(memory, again);
    nnb_data_destroy(memory), nnb_data_destroy(opened), nnb_data_destroy(again);
  }
  unlink(path);
}
END_TEST

/* More rows than there are marks for: some are given up, and the rows stay the same. */
START_TEST(many_rows) {
  enum { N = 40000 };
  const size_t before = nnb__csv_marks;
  char path[TOY_PATH];
  FILE *f = fopen(toy_path(path, "many.csv"), "w");
  nnb_data *opened;
  nnb__window w;
  nnb_batch b;
  for (int i = 0; i < N; i++) fprintf(f, "%d,1\n", i);
  ck_assert_int_eq(fclose(f), 0);
  nnb__csv_marks = 64;
  ck_ok(nnb_data_open_csv(path, &(nnb_csv_opts){.header = NNB_NONE}, &opened));
  nnb__csv_marks = before;
  ck_assert_int_eq(nnb_data_rows(opened), N);
  ck_ok(nnb__window_open(&w, opened, 2));
  for (int i = N - 2; i > 0; i = i / 2 - i % 7) {
    ck_ok(nnb__window_rows(&w, i, 2, &b));
    ck_assert(b.x.p[0] == (real)i && b.x.p[1] == (real)(i + 1));
  }
  nnb__window_close(&w);
  nnb_data_destroy(opened);
  unlink(path);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* The peak of this process's resident memory in MiB. */
static double peak(void) {
  FILE *f = fopen("/proc/self/status", "r");
  char line[200];
  double kb = 0;
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmHWM: %lf", &kb) == 1) break;
  if (f) fclose(f);
  return kb / 1024;
}

/* 26 MB of text, 12 MB of numbers; a process of its own, whose peak is its own. */
static int measure(const char *path) {
  nnb_data *opened;
  nnb_net *net;
  const double before = peak();
  const nnb_fit_opts opts = {.algo = NNB_ADAM, .max_epochs = 1, .block = 1024, .batch = 256, .threads = 1};
  if (nnb_data_open_csv(path, NULL, &opened) || nnb_net_for_data(opened, "none", &net)) return 2;
  if (nnb_fit(net, opened, NULL, &opts, NULL)) return 3;
  const double took = peak() - before;
  nnb_net_destroy(net), nnb_data_destroy(opened);
  printf("%.1f MiB\n", took);
  return took < 10 ? 0 : 1;
}

START_TEST(bounded) {
  char path[TOY_PATH], row[1300];
  FILE *f = fopen(toy_path(path, "large.csv"), "w");
  size_t n = 0;
  int status = 0;
  ck_assert(f);
  for (int j = 0; j < 60; j++) n += (size_t)sprintf(row + n, "%s0.1234567890123%d", j ? "," : "", j);
  for (int i = 0; i < 25000; i++) fprintf(f, "%s,%d\n", row, i);
  ck_assert_int_eq(fclose(f), 0);
  const pid_t child = fork();
  if (child == 0) _exit(measure(path));
  ck_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
  unlink(path);
  ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static nnb_status open_and_read(void *path) {
  nnb_data *opened = NULL;
  nnb_net *net = NULL;
  nnb_status status = nnb_data_open_csv(path, &mixed, &opened);
  if (!status) status = nnb_net_for_data(opened, "none", &net);
  nnb_data_destroy(opened), nnb_net_destroy(net);
  return status;
}

START_TEST(memory) {
  char path[TOY_PATH];
  write_table(toy_path(path, "memory.csv"), 40, true);
  check_every_allocation(open_and_read, path);
  unlink(path);
}
END_TEST

/* Training does not allocate: what readers need is there from the start. */
START_TEST(steady) {
  char path[TOY_PATH];
  nnb_data *opened;
  nnb__window w;
  nnb_batch b;
  write_table(toy_path(path, "steady.csv"), ROWS, true);
  ck_ok(nnb_data_open_csv(path, &mixed, &opened));
  ck_ok(nnb__window_open(&w, opened, 50));
  ck_ok(nnb__window_rows(&w, 0, 50, &b)); /* the thread has begun */
  alloc_count_begin(0);
  for (int r = 50; r < ROWS; r += 50) ck_ok(nnb__window_rows(&w, r, 50, &b));
  ck_ok(nnb__window_rows(&w, 17, 3, &b));
  const long calls = alloc_count.calls;
  alloc_count_end();
  ck_assert_int_eq(calls, 0);
  nnb__window_close(&w);
  nnb_data_destroy(opened);
  unlink(path);
}
END_TEST

/* ---- errors ------------------------------------------------------------------------------------------------------ */

START_TEST(refusals) {
  char path[TOY_PATH];
  nnb_data *out;
  toy_path(path, "bad.csv");
  bad(NNB_E_ARG, "out", nnb_data_open_csv(path, NULL, NULL));
  bad(NNB_E_ARG, "path", nnb_data_open_csv(NULL, NULL, &out));
  bad(NNB_E_IO, "No such file", nnb_data_open_csv(path, NULL, &out));
  bad(NNB_E_IO, "not a regular file", nnb_data_open_csv("/dev/zero", NULL, &out));
  write_text(path, "\x1f\x8b\x08\0\0\0\0\0", 8);
  bad(NNB_E_UNSUPPORTED, "unpack it", nnb_data_open_csv(path, NULL, &out));
  write_text(path, "1,2\n3,4\n", 8);
  bad(NNB_E_ARG, "n_targets is -5", nnb_data_open_csv(path, &(nnb_csv_opts){.n_targets = -5}, &out));
  ck_assert_ptr_null(out);
  unlink(path);
}
END_TEST

/* A row that does not end. */
START_TEST(open_quote) {
  char path[TOY_PATH];
  nnb_data *out;
  FILE *f = fopen(toy_path(path, "open.csv"), "w");
  fputs("1,2\n3,4\n5,\"6\n", f);
  ck_assert(fseek(f, 2 * (long)NNB__CSV_LONGEST, SEEK_SET) == 0 && fputs("7,8\n", f) >= 0 && fclose(f) == 0);
  bad(NNB_E_PARSE, "open.csv:4:1: a NUL byte", nnb_data_open_csv(path, NULL, &out));
  unlink(path);
  f = fopen(path, "w");
  fputs("1,2\n3,4\n5,\"6\n", f);
  for (int i = 0; i < 5 << 20; i++) fputs("123456,8,9,10\n", f);
  ck_assert_int_eq(fclose(f), 0);
  bad(NNB_E_PARSE, "open.csv:2: a row has more than 64 MiB", nnb_data_open_csv(path, NULL, &out));
  unlink(path);
}
END_TEST

/* The file changes while it is open: it becomes shorter, longer, another of the same size. */
START_TEST(changes) {
  char path[TOY_PATH];
  toy_path(path, "change.csv");
  for (int k = 0; k < 4; k++) {
    nnb_data *opened;
    nnb_net *net;
    const nnb_fit_opts opts = {.algo = NNB_ADAM, .max_epochs = 2, .block = 40};
    write_table(path, ROWS, true);
    ck_ok(nnb_data_open_csv(path, &mixed, &opened));
    ck_ok(nnb_net_for_data(opened, "none", &net));
    const int fd = open(path, O_WRONLY);
    struct stat st;
    ck_assert(fd >= 0 && fstat(fd, &st) == 0);
    if (k == 0) ck_assert_int_eq(ftruncate(fd, st.st_size / 2), 0);
    if (k == 1) ck_assert_int_eq(ftruncate(fd, st.st_size + 1), 0);
    if (k == 2) ck_assert_int_eq(pwrite(fd, "\"\"\"", 3, 1000), 3);
    if (k == 3) ck_assert_int_eq(pwrite(fd, "1", 1, 30), 1);
    st.st_mtim.tv_sec += 1; /* clocks of files are coarse */
    ck_assert_int_eq(futimens(fd, (struct timespec[]){st.st_atim, st.st_mtim}), 0);
    close(fd);
    bad(NNB_E_IO, "reading failed: the file has ", nnb_fit(net, opened, NULL, &opts, NULL));
    nnb_net_destroy(net), nnb_data_destroy(opened);
  }
  unlink(path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("open_csv, " PRECISION);
  TCase *tcase = tcase_create("open_csv");
  tcase_set_timeout(tcase, 240);
  tcase_add_test(tcase, windows);
  tcase_add_loop_test(tcase, nul_bytes, 0, 3);
  tcase_add_test(tcase, training);
  tcase_add_test(tcase, many_rows);
  if (SANITIZED)
    printf("skipped: a child of a process with threads inherits the sanitizer's locks\n");
  else
    tcase_add_test(tcase, bounded);
  tcase_add_test(tcase, memory);
  tcase_add_test(tcase, steady);
  tcase_add_test(tcase, refusals);
  tcase_add_test(tcase, open_quote);
  tcase_add_test(tcase, changes);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
