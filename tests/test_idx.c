/* Reading IDX files: from memory, from disk, plain and compressed. */
#include "real.h"
/* the precision first */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#ifdef NNB_HAVE_ZLIB
#include <zlib.h>
#endif

#include "alloc_count.h"
#include "idx.h"
#include "support.h"

/* 3 images of 2×2 */
static const uint8_t images[] = {0, 0, 8, 3,   0,  0,   0, 3, 0, 0, 0, 2, 0, 0,
                                 0, 2, 0, 255, 51, 102, 1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9};

static char folder[] = "/tmp/nnblas-idx-XXXXXX", image_path[64], label_path[64];

static void put(const char *path, const uint8_t *p, size_t n) {
  FILE *f = fopen(path, "wb");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(p, 1, n, f), n);
  ck_assert_int_eq(fclose(f), 0);
}

static void set_up(void) {
  strcpy(folder + strlen(folder) - 6, "XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(image_path, sizeof image_path, "%s/images", folder);
  snprintf(label_path, sizeof label_path, "%s/labels", folder);
  put(image_path, images, sizeof images);
  put(label_path, labels, sizeof labels);
}

static void tear_down(void) {
  unlink(image_path);
  unlink(label_path);
  rmdir(folder);
}

static void check_read(void) {
  nnb_data *data = NULL;
  nnb_batch b;
  nnb_status status = nnb_data_read_idx(image_path, label_path, &data);
  ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_data_rows(data), 3);
  ck_assert_int_eq(nnb_data_n_in(data), 4);
  ck_assert_int_eq(nnb_data_n_classes(data), 10);
  ck_assert_int_eq(nnb_data_batch(data, 0, 3, &b), NNB_OK);
  ck_assert(b.x.p[0] == 0 && b.x.p[1] == 1 && b.x.p[2] == (real)51 / 255 && b.x.p[11] == (real)8 / 255);
  ck_assert(b.label[0] == 7 && b.label[1] == 0 && b.label[2] == 9);
  nnb_data_destroy(data);
}

START_TEST(plain_files) {
  check_read();
  nnb_data *data = NULL;
  ck_assert_int_eq(nnb_data_read_idx(image_path, NULL, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_n_out(data), 0);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(more_than_ten_classes) {
  uint8_t many[sizeof labels];
  nnb_data *data = NULL;
  memcpy(many, labels, sizeof many);
  many[9] = 46;
  put(label_path, many, sizeof many);
  ck_assert_int_eq(nnb_data_read_idx(image_path, label_path, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_n_classes(data), 47);
  nnb_data_destroy(data);
}
END_TEST

#ifdef NNB_HAVE_ZLIB
static void put_gz(const char *path, const uint8_t *p, size_t n) {
  gzFile f = gzopen(path, "wb");
  ck_assert_ptr_nonnull(f);
  ck_assert_int_eq(gzwrite(f, p, (unsigned)n), (int)n);
  ck_assert_int_eq(gzclose(f), Z_OK);
}

START_TEST(compressed_files) {
  put_gz(image_path, images, sizeof images);
  put_gz(label_path, labels, sizeof labels);
  check_read();
}
END_TEST

START_TEST(cut_off_compressed_file) {
  nnb_data *data = NULL;
  put_gz(image_path, images, sizeof images);
  ck_assert_int_eq(truncate(image_path, 20), 0);
  ck_assert_int_eq(nnb_data_read_idx(image_path, NULL, &data), NNB_E_PARSE);
  ck_assert_msg(strstr(nnb_errmsg(), "damaged or cut off") && !strstr(nnb_errmsg(), "fd:"), "%s", nnb_errmsg());
}
END_TEST
#else
START_TEST(compressed_files) {
  nnb_data *data = NULL;
  put(image_path, (const uint8_t *)"\x1F\x8B\10", 3);
  ck_assert_int_eq(nnb_data_read_idx(image_path, NULL, &data), NNB_E_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "is gzip-compressed, but this library was built without zlib"));
  ck_assert_ptr_null(data);
}
END_TEST
#endif

START_TEST(bad_files) {
  static const struct {
    const char *bytes;
    size_t n;
    int n_dims;
    nnb_status status;
    const char *sentence;
  } table[] = {
    {"", 0, 3, NNB_E_PARSE, "x: 0 bytes, too few for an IDX file"},
    {"\0\0\10\1", 4, 3, NNB_E_PARSE, "x begins with 0x00000801; IDX images begin with 0x00000803"},
    {"\0\0\10\3", 4, 1, NNB_E_PARSE, "x begins with 0x00000803; IDX labels begin with 0x00000801"},
    {"\0\0\15\3", 4, 3, NNB_E_PARSE, "x begins with 0x00000d03"},
    {"\0\0\10\1\0\0", 6, 1, NNB_E_PARSE, "x ends within its header"},
    {"\0\0\10\1\0\0\0\0", 8, 1, NNB_E_PARSE, "x has no data"},
    {"\0\0\10\1\0\0\0\2a", 9, 1, NNB_E_PARSE, "x: by its header it has 10 bytes, but the file has fewer"},
    {"\0\0\10\1\0\0\0\2abc", 11, 1, NNB_E_PARSE, "x: by its header it has 10 bytes, but the file has more"},
    {"\0\0\10\3\0\0\0\1\0\0\0\1\0\0\0\0", 16, 3, NNB_E_PARSE, "x has no data"},
    {"\0\0\10\3\0\0\0\1\377\377\377\377\377\377\377\377", 16, 3, NNB_E_OVERFLOW, "are too many"},
    {"\0\0\10\3\377\377\377\377\0\0\0\1\0\0\0\1", 16, 3, NNB_E_OVERFLOW, "are too many"},
#if SIZE_MAX > UINT32_MAX
    {"\0\0\10\3\177\377\377\377\0\0\200\0\0\0\200\0", 16, 3, NNB_E_PARSE, "the file has fewer"},
#else
    {"\0\0\10\3\177\377\377\377\0\0\200\0\0\0\200\0", 16, 3, NNB_E_OVERFLOW, "are too many"},
#endif
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    nnb__idx idx;
    nnb_status status = nnb__idx_parse((const uint8_t *)table[i].bytes, table[i].n, "x", table[i].n_dims, &idx);
    ck_assert_msg(status == table[i].status && strstr(nnb_errmsg(), table[i].sentence), "%zu: wanted %s, got %s: %s", i,
                  table[i].sentence, nnb_strstatus(status), nnb_errmsg());
    put(image_path, (const uint8_t *)table[i].bytes, table[i].n);
    nnb__bytes file = {0}; /* the same from disk, with no more memory than the file has */
    ck_assert_int_eq(nnb__idx_load(image_path, table[i].n_dims, &file, &idx), table[i].status);
    ck_assert_uint_le(file.cap, 1 << 18);
    nnb__bytes_clear(&file);
  }
}
END_TEST

START_TEST(files_that_do_not_fit) {
  nnb_data *data;
  static const uint8_t two[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 0};
  put(label_path, two, sizeof two);
  ck_assert_int_eq(nnb_data_read_idx(image_path, label_path, &data), NNB_E_SHAPE);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "labels has 2 labels, "));
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "images has 3 images"));
  ck_assert_int_eq(nnb_data_read_idx("no/such/file", NULL, &data), NNB_E_IO);
  ck_assert_str_eq(nnb_errmsg(), "no/such/file: opening failed: No such file or directory");
  ck_assert_int_eq(nnb_data_read_idx(image_path, "no/such/file", &data), NNB_E_IO);
  ck_assert_int_eq(nnb_data_read_idx(folder, NULL, &data), NNB_E_IO);
  ck_assert_int_eq(nnb_data_read_idx(NULL, NULL, &data), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_read_idx(image_path, NULL, NULL), NNB_E_ARG);
}
END_TEST

static nnb_status read_once(void *context) {
  (void)context;
  nnb_data *data = NULL;
  nnb_status status = nnb_data_read_idx(image_path, label_path, &data);
  nnb_data_destroy(data);
  return status;
}

START_TEST(every_allocation_fails) { check_every_allocation(read_once, NULL); }
END_TEST

int main(void) {
  Suite *s = suite_create("idx");
  TCase *t = tcase_create("idx");
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_test(t, plain_files);
  tcase_add_test(t, more_than_ten_classes);
  tcase_add_test(t, compressed_files);
#ifdef NNB_HAVE_ZLIB
  tcase_add_test(t, cut_off_compressed_file);
#else
  puts("skipped: compressed files, as zlib is missing");
#endif
  tcase_add_test(t, bad_files);
  tcase_add_test(t, files_that_do_not_fit);
  tcase_add_test(t, every_allocation_fails);
  suite_add_tcase(s, t);
  return run_suite(s);
}
