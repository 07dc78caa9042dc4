/* Bags as safetensors: round trips, rejected and damaged files, failing allocations, atomic saves. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_count.h"
#include "safetensors.h"
#include "save.h"
#include "support.h"

static const double weights[2][3] = {{1, -0.0, 0x1p-1074}, {1e300, -7, 0.1}};
static const float bias[3] = {1, 2, 3};
static const int32_t steps[1] = {-5};
static const int64_t seed = INT64_MIN;
static const uint8_t flags[3] = {0, 1, 255};

/* In another order than in the file. */
static void fill(nnb__bag *bag) {
  *bag = (nnb__bag){0};
  nnb__bag_tensor(bag, "flags", NNB__U8, 1, (size_t[]){3}, flags);
  nnb__bag_tensor(bag, "bias", NNB__F32, 1, (size_t[]){3}, bias);
  nnb__bag_tensor(bag, "weights", NNB__F64, 2, (size_t[]){2, 3}, weights);
  nnb__bag_tensor(bag, "seed", NNB__I64, 0, NULL, &seed);
  nnb__bag_tensor(bag, "nothing", NNB__F32, 2, (size_t[]){0, 4}, NULL);
  nnb__bag_tensor(bag, "steps", NNB__I32, 3, (size_t[]){1, 1, 1}, steps);
  nnb__bag_string(bag, "text", "a \"b\"\n\\ é \x01");
  nnb__bag_number(bag, "lr", 0.1);
  nnb__bag_string(bag, "", "");
}

static nnb__bytes file_of(const nnb__bag *bag) {
  nnb__bytes file = {0};
  nnb_status status = nnb__safetensors_to_mem(bag, &file);
  ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg());
  return file;
}

static void check_tensor(const nnb__bag *bag, const char *name, nnb__dtype dtype, int n_dims, const void *data,
                         size_t bytes) {
  const nnb__tensor *t = nnb__bag_find_tensor(bag, name);
  ck_assert_msg(t && t->dtype == dtype && t->n_dims == n_dims, "%s", name);
  ck_assert_uint_eq(nnb__tensor_count(t) * nnb__dtype_size(dtype), bytes);
  ck_assert_msg(bytes == 0 || memcmp(t->data, data, bytes) == 0, "%s: the data differ", name);
}

static void check_all(const nnb__bag *got) {
  double lr = 0;
  ck_assert_uint_eq(got->n_tensors, 6);
  ck_assert_uint_eq(got->n_entries, 3);
  check_tensor(got, "weights", NNB__F64, 2, weights, sizeof weights);
  check_tensor(got, "seed", NNB__I64, 0, &seed, sizeof seed);
  check_tensor(got, "bias", NNB__F32, 1, bias, sizeof bias);
  check_tensor(got, "nothing", NNB__F32, 2, NULL, 0);
  check_tensor(got, "steps", NNB__I32, 3, steps, sizeof steps);
  check_tensor(got, "flags", NNB__U8, 1, flags, sizeof flags);
  ck_assert_uint_eq(nnb__bag_find_tensor(got, "weights")->dim[1], 3);
  ck_assert_str_eq(nnb__bag_find_string(got, "text"), "a \"b\"\n\\ é \x01");
  ck_assert_str_eq(nnb__bag_find_string(got, ""), "");
  ck_assert(nnb__bag_find_number(got, "lr", &lr) && lr == 0.1);
}

START_TEST(round_trip) {
  nnb__bag bag, got = {0};
  fill(&bag);
  nnb__bytes file = file_of(&bag), again = file_of(&bag);
  ck_assert_uint_eq(file.n, again.n);
  ck_assert_int_eq(memcmp(file.p, again.p, file.n), 0);
  ck_assert_uint_eq(file.p[0] % 8, 0); /* the data begin at a multiple of 8 */
  ck_assert_int_eq(file.p[8], '{');
  nnb_status status = nnb__safetensors_parse(file.p, file.n, "x", &got);
  ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg());
  check_all(&got);
  for (size_t i = 0; i < got.n_tensors; i++) {
    size_t at = (size_t)((const uint8_t *)got.tensors[i].data - file.p);
    ck_assert_msg(at % nnb__dtype_size(got.tensors[i].dtype) == 0, "%s is not aligned", got.tensors[i].name);
  }
  nnb__bag_clear(&got), nnb__bag_clear(&bag);
  nnb__bytes_clear(&file), nnb__bytes_clear(&again);
}
END_TEST

START_TEST(an_empty_bag) {
  nnb__bag bag = {0}, got = {0};
  nnb__bytes file = file_of(&bag);
  ck_assert_uint_eq(file.n, 16);
  ck_assert_mem_eq(file.p + 8, "{}      ", 8);
  ck_assert_int_eq(nnb__safetensors_parse(file.p, file.n, "x", &got), NNB_OK);
  ck_assert_uint_eq(got.n_tensors + got.n_entries, 0);
  nnb__bytes_clear(&file);
}
END_TEST

START_TEST(bytes_of_a_known_file) { /* the bytes that the reference implementation reads */
  nnb__bag bag = {0};
  static const float w[2] = {1, -2};
  nnb__bag_string(&bag, "k", "v");
  nnb__bag_tensor(&bag, "w", NNB__F32, 2, (size_t[]){1, 2}, w);
  nnb__bytes file = file_of(&bag);
  static const char wanted[] =
      "\x58\0\0\0\0\0\0\0"
      "{\"__metadata__\":{\"k\":\"v\"},\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],"
      "\"data_offsets\":[0,8]}}       "
      "\0\0\x80\x3f\0\0\0\xc0";
  ck_assert_uint_eq(file.n, sizeof wanted - 1);
  ck_assert_mem_eq(file.p, wanted, sizeof wanted - 1);
  nnb__bytes_clear(&file);
  nnb__bag_clear(&bag);
}
END_TEST

START_TEST(what_cannot_be_written) {
  nnb__bytes file = {0};
  nnb__bag bag = {0};
  nnb__bag_string(&bag, "k", "\xE9");
  ck_assert_int_eq(nnb__safetensors_to_mem(&bag, &file), NNB_E_ARG);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "is not UTF-8"));
  nnb__bag_clear(&bag);
  nnb__bag_tensor(&bag, "__metadata__", NNB__U8, 1, (size_t[]){3}, flags);
  ck_assert_int_eq(nnb__safetensors_to_mem(&bag, &file), NNB_E_ARG);
  nnb__bag_clear(&bag);
  nnb__bag_string(&bag, "k", "v");
  nnb__bag_string(&bag, "k", "v"); /* a sticky error of the bag */
  ck_assert_int_eq(nnb__safetensors_to_mem(&bag, &file), NNB_E_ARG);
  nnb__bag_clear(&bag);
  ck_assert_ptr_null(file.p);
}
END_TEST

/* A file of this header and n bytes of data. */
static nnb_status parse_header(const char *header, size_t n_data, nnb__bag *bag) {
  size_t n = strlen(header);
  uint8_t *file = calloc(8 + n + n_data, 1);
  ck_assert_ptr_nonnull(file);
  for (int i = 0; i < 8; i++) file[i] = (uint8_t)((uint64_t)n >> 8 * i);
  memcpy(file + 8, header, n);
  *bag = (nnb__bag){0};
  nnb_status status = nnb__safetensors_parse(file, 8 + n + n_data, "m.st", bag);
  free(file);
  return status;
}

#define TENSOR(dtype, shape, begin, end) \
  "{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" #begin "," #end "]}"

START_TEST(headers) {
  static const struct {
    const char *header;
    size_t n_data;
    nnb_status status;
    const char *sentence;
  } table[] = {
      {"{\"w\":" TENSOR("F64", "2,1", 0, 16) "}   ", 16, NNB_OK, ""},
      {"{\"b\":" TENSOR("U8", "2", 8, 10) ",\"a\":" TENSOR("F64", "", 0, 8) "}", 10, NNB_OK, ""},
      {"{\"b\":" TENSOR("U8", "0", 8, 8) ",\"a\":" TENSOR("F64", "", 0, 8) "}", 8, NNB_OK, ""},
      {"{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":null}}", 1, NNB_OK, ""},
      {"{\"__metadata__\":{}}", 0, NNB_OK, ""},
      {"{\"w\":" TENSOR("F64", "2,1", 0, 16) "}x", 16, NNB_E_PARSE, "m.st: the header: "},
      {"{", 0, NNB_E_PARSE, "m.st: the header: "},
      {"", 0, NNB_E_PARSE, "m.st: the header: "},
      {"[]", 0, NNB_E_PARSE, "m.st: the header is not an object"},
      {"{\"a\":" TENSOR("U8", "", 0, 1) ",\"a\":" TENSOR("U8", "", 0, 1) "}", 1, NNB_E_PARSE, "duplicate object key"},
      {"{\"__metadata__\":[]}", 0, NNB_E_PARSE, "m.st: \"__metadata__\" is not an object"},
      {"{\"__metadata__\":{\"k\":1}}", 0, NNB_E_PARSE, "m.st: \"k\" in \"__metadata__\" is not a string"},
      {"{\"__metadata__\":{\"k\":\"\\u0000\"}}", 0, NNB_E_PARSE, "m.st: the header: "},
      {"{\"__metadata__\":{\"k\":\"\xE9\"}}", 0, NNB_E_PARSE, "m.st: the header: "},
      {"{\"w\":1}", 0, NNB_E_PARSE, "m.st: tensor \"w\": its description is not an object"},
      {"{\"w\":{}}", 0, NNB_E_PARSE, "m.st: tensor \"w\": it has no dtype"},
      {"{\"w\":" TENSOR("F8_E4M3", "2", 0, 2) "}", 2, NNB_E_UNSUPPORTED, "m.st: tensor \"w\" has dtype \"F8_E4M3\""},
      {"{\"w\":" TENSOR("f64", "1", 0, 8) "}", 8, NNB_E_UNSUPPORTED, "has dtype \"f64\""},
      {"{\"w\":" TENSOR("U8", "1,1,1,1,1", 0, 1) "}", 1, NNB_E_UNSUPPORTED, "has 5 dimensions"},
      {"{\"w\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, NNB_E_PARSE, "its shape is not a list"},
      {"{\"w\":" TENSOR("U8", "-1", 0, 1) "}", 1, NNB_E_PARSE, "its shape has an invalid size"},
      {"{\"w\":" TENSOR("U8", "1.0", 0, 1) "}", 1, NNB_E_PARSE, "its shape has an invalid size"},
      {"{\"w\":" TENSOR("F64", "4611686018427387904", 0, 0) "}", 0, NNB_E_PARSE, "its shape is too large"},
      {"{\"w\":" TENSOR("U8", "4294967296,4294967296", 0, 0) "}", 0, NNB_E_PARSE, "its shape is too large"},
      {"{\"w\":" TENSOR("U8", "99999999999999999999", 0, 0) "}", 0, NNB_E_PARSE, "m.st: the header: "},
      {"{\"w\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, NNB_E_PARSE, "its data_offsets are not two sizes"},
      {"{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, NNB_E_PARSE, "its data_offsets are not two"},
      {"{\"w\":" TENSOR("U8", "1", -1, 0) "}", 1, NNB_E_PARSE, "its data_offsets are not two sizes"},
      {"{\"w\":" TENSOR("U8", "2", 0, 2) "}", 1, NNB_E_PARSE, "its data is outside of the file"},
      {"{\"w\":" TENSOR("U8", "1", 1, 0) "}", 1, NNB_E_PARSE, "its data is outside of the file"},
      {"{\"w\":" TENSOR("U8", "3", 0, 2) "}", 2, NNB_E_PARSE, "its shape and its data_offsets do not match"},
      {"{\"a\":" TENSOR("U8", "2", 0, 2) ",\"b\":" TENSOR("U8", "2", 1, 3) "}", 3, NNB_E_PARSE, "overlap at byte 1"},
      {"{\"a\":" TENSOR("U8", "2", 0, 2) ",\"b\":" TENSOR("U8", "2", 0, 2) "}", 2, NNB_E_PARSE, "overlap at byte 0"},
      {"{\"a\":" TENSOR("U8", "2", 0, 2) ",\"b\":" TENSOR("U8", "1", 3, 4) "}", 4, NNB_E_PARSE,
       "leave a gap at byte 2"},
      {"{\"a\":" TENSOR("U8", "2", 1, 3) "}", 3, NNB_E_PARSE, "leave a gap at byte 0"},
      {"{\"a\":" TENSOR("U8", "2", 0, 2) "}", 5, NNB_E_PARSE, "m.st: the last tensor ends 3 bytes before the file"},
      {"{}", 1, NNB_E_PARSE, "m.st: the last tensor ends 1 byte before the file"},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    nnb__bag bag;
    nnb_status status = parse_header(table[i].header, table[i].n_data, &bag);
    ck_assert_msg(status == table[i].status && (status == NNB_OK || strstr(nnb_errmsg(), table[i].sentence)),
                  "%s: wanted %s: %s\ngot %s: %s", table[i].header, nnb_strstatus(table[i].status), table[i].sentence,
                  nnb_strstatus(status), nnb_errmsg());
    if (status) ck_assert_uint_eq(bag.n_tensors + bag.n_entries, 0);
    nnb__bag_clear(&bag);
  }
}
END_TEST

START_TEST(sizes_of_headers) {
  nnb__bag bag = {0};
  ck_assert_int_eq(nnb__safetensors_parse("1234567", 7, "x", &bag), NNB_E_PARSE);
  ck_assert_str_eq(nnb_errmsg(), "x: 7 bytes, too few for a safetensors file");
  ck_assert_int_eq(nnb__safetensors_parse("\3\0\0\0\0\0\0\0{}", 10, "x", &bag), NNB_E_PARSE);
  ck_assert_ptr_nonnull(
      strstr(nnb_errmsg(), "x is cut off or not a safetensors file: the header has 3 bytes, the file has 2"));
  ck_assert_int_eq(nnb__safetensors_parse("\377\377\377\377\377\377\377\377{}", 10, "x", &bag), NNB_E_PARSE);
  size_t n = (16u << 20) + 8;
  char *large = malloc(n + 8);
  memset(large, ' ', n + 8);
  memcpy(large, "\10\0\0\1\0\0\0\0", 8);
  ck_assert_int_eq(nnb__safetensors_parse(large, n + 8, "x", &bag), NNB_E_UNSUPPORTED);
  free(large);
}
END_TEST

/* A copy that ends where the memory ends, for the address sanitizer. */
static void parse_copy(const uint8_t *p, size_t n) {
  uint8_t *copy = malloc(n ? n : 1);
  ck_assert_ptr_nonnull(copy);
  memcpy(copy, p, n);
  nnb__bag bag = {0};
  nnb_status status = nnb__safetensors_parse(copy, n, "x", &bag);
  volatile uint8_t sum = 0; /* accepted data can be read */
  for (size_t i = 0; status == NNB_OK && i < bag.n_tensors; i++) {
    const nnb__tensor *t = &bag.tensors[i];
    for (size_t j = 0; j < nnb__tensor_count(t) * nnb__dtype_size(t->dtype); j++)
      sum = (uint8_t)(sum + ((const uint8_t *)t->data)[j]);
  }
  nnb__bag_clear(&bag);
  free(copy);
}

START_TEST(cut_off_anywhere) {
  nnb__bag bag, got = {0};
  fill(&bag);
  nnb__bytes file = file_of(&bag);
  for (size_t n = 0; n < file.n; n++) {
    parse_copy(file.p, n);
    ck_assert_int_eq(nnb__safetensors_parse(file.p, n, "x", &got), NNB_E_PARSE);
  }
  nnb__bytes_clear(&file);
  nnb__bag_clear(&bag);
}
END_TEST

START_TEST(altered_anywhere) {
  nnb__bag bag;
  fill(&bag);
  nnb__bytes file = file_of(&bag);
  static const uint8_t others[] = {0, 1, '"', '{', '}', '0', '9', '-', ',', 0x7F, 0x80, 0xFF};
  for (size_t i = 0; i < file.n; i++) {
    uint8_t old = file.p[i];
    for (size_t k = 0; k < sizeof others; k++) {
      file.p[i] = others[k];
      parse_copy(file.p, file.n);
    }
    for (int bit = 0; bit < 8; bit++) {
      file.p[i] = (uint8_t)(old ^ 1u << bit);
      parse_copy(file.p, file.n);
    }
    file.p[i] = old;
  }
  nnb__bytes_clear(&file);
  nnb__bag_clear(&bag);
}
END_TEST

static nnb_status there_and_back(void *context) {
  (void)context;
  nnb__bag bag, got = {0};
  nnb__bytes file = {0};
  fill(&bag);
  nnb_status status = nnb__safetensors_to_mem(&bag, &file);
  if (!status) status = nnb__safetensors_parse(file.p, file.n, "x", &got);
  nnb__bag_clear(&got);
  nnb__bytes_clear(&file);
  nnb__bag_clear(&bag);
  return status;
}

/* Tensors that a bag cannot have are named in another one; a refused file leaves nothing in either. */
static nnb_status with_others(void *context) {
  static const char good[] =
      "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
      "\"b\":{\"dtype\":\"BOOL\",\"shape\":[1,2],\"data_offsets\":[2,4]},"
      "\"d\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[4,8]}}%s";
  char file[300] = "";
  const char *const wrong = context;
  snprintf(file + 8, sizeof file - 8, good, wrong);
  const size_t n = strlen(file + 8);
  file[0] = (char)n;
  nnb__bag bag = {0}, others = {0};
  nnb_status status = nnb__safetensors_parse_some(file, 8 + n + 8, "m.st", &bag, &others);
  if (!status) {
    ck_assert(bag.n_tensors == 1 && nnb__bag_find_tensor(&bag, "w") && others.n_entries == 2);
    ck_assert_str_eq(nnb__bag_find_string(&others, "b"),
                     "has dtype \"BOOL\"; wanted F64, F32, F16, BF16, I64, I32 or U8");
    ck_assert_str_eq(nnb__bag_find_string(&others, "d"), "has 5 dimensions; wanted at most 4");
  } else {
    ck_assert(bag.n_tensors + bag.n_entries + others.n_tensors + others.n_entries == 0);
  }
  nnb__bag_clear(&bag);
  nnb__bag_clear(&others);
  return *wrong && status == NNB_E_PARSE ? NNB_OK : status;
}

START_TEST(every_allocation_fails) {
  check_every_allocation(there_and_back, NULL);
  check_every_allocation(with_others, (char[]){""});
  ck_assert_int_eq(with_others((char[]){"}"}), NNB_OK);
}
END_TEST

static void *json_alloc(size_t bytes) { return counting_alloc(NULL, bytes); }
static void json_release(void *p) { counting_release(NULL, p); }

START_TEST(every_allocation_of_jansson_fails) { /* a program may set jansson's allocator, and so does this test */
  json_set_alloc_funcs(json_alloc, json_release);
  long k = 1;
  for (;; k++) {
    alloc_count.calls = alloc_count.live = 0;
    alloc_count.fail_at = k;
    nnb_status status = there_and_back(NULL);
    ck_assert_msg(alloc_count.live == 0, "allocation %ld: %ld blocks not released", k, alloc_count.live);
    if (alloc_count.calls < k) {
      ck_assert_int_eq(status, NNB_OK);
      break;
    }
    ck_assert_msg(status == NNB_E_NOMEM || status == NNB_E_PARSE, "allocation %ld: %s", k, nnb_errmsg());
  }
  ck_assert_int_gt((int)k, 20);
  json_set_alloc_funcs(malloc, free);
}
END_TEST

/* ---- files ----------------------------------------------------------------------------------------------------------
 */

static char folder[] = "/tmp/nnblas-st-XXXXXX", path[64], link_path[64];

static void set_up(void) {
  strcpy(folder + strlen(folder) - 6, "XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/model.safetensors", folder);
  snprintf(link_path, sizeof link_path, "%s/link", folder);
}

static void tear_down(void) {
  unlink(path);
  unlink(link_path);
  ck_assert_msg(rmdir(folder) == 0, "something is left in %s", folder);
}

static void expect_file(const char *wanted) {
  nnb__bytes file = {0};
  ck_assert_int_eq(nnb__bytes_read(path, false, &file), NNB_OK);
  ck_assert_uint_eq(file.n, strlen(wanted));
  ck_assert_int_eq(memcmp(file.p, wanted, file.n), 0);
  nnb__bytes_clear(&file);
}

static nnb_status save_text(const char *where, const char *text) {
  nnb__piece pieces[] = {{text, 1}, {NULL, 0}, {text + 1, strlen(text) - 1}};
  return nnb__save(where, pieces, 3);
}

static mode_t mode_of(const char *file) {
  struct stat st;
  ck_assert_int_eq(lstat(file, &st), 0);
  return st.st_mode;
}

START_TEST(saving_and_replacing) {
  mode_t mask = umask(027);
  ck_assert_int_eq(save_text(path, "first"), NNB_OK);
  umask(mask);
  expect_file("first");
  ck_assert_uint_eq(mode_of(path) & 0777, 0640);
  ck_assert_int_eq(chmod(path, 0604), 0);
  ck_assert_int_eq(save_text(path, "second"), NNB_OK);
  expect_file("second");
  ck_assert_uint_eq(mode_of(path) & 0777, 0604);
  ck_assert_int_eq(symlink(path, link_path), 0);
  ck_assert_int_eq(save_text(link_path, "third"), NNB_OK);
  expect_file("third");
  ck_assert(S_ISLNK(mode_of(link_path)));
}
END_TEST

/* Links that lead to each other and to a file that does not exist yet. */
START_TEST(saving_through_a_dangling_link) {
  char between[80];
  snprintf(between, sizeof between, "%s/between", folder);
  ck_assert_int_eq(symlink(between, link_path), 0);
  ck_assert_int_eq(symlink(strrchr(path, '/') + 1, between), 0); /* relative to the link's folder */
  ck_assert_int_eq(save_text(link_path, "first"), NNB_OK);
  expect_file("first");
  ck_assert(S_ISLNK(mode_of(link_path)) && S_ISLNK(mode_of(between)));
  ck_assert_int_eq(save_text(link_path, "second"), NNB_OK);
  expect_file("second");
  unlink(between);
}
END_TEST

START_TEST(a_computer_of_the_other_byte_order) {
  nnb__bag bag = {0};
  nnb__bytes file = {0};
  nnb__little_endian = false;
  ck_assert_int_eq(nnb__safetensors_to_mem(&bag, &file), NNB_E_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "this computer is big-endian"));
  ck_assert_int_eq(nnb__safetensors_save(&bag, path), NNB_E_UNSUPPORTED);
  ck_assert_int_eq(access(path, F_OK), -1);
  ck_assert_int_eq(parse_header("{}", 0, &bag), NNB_E_UNSUPPORTED);
  nnb__little_endian = true;
  ck_assert_int_eq(parse_header("{}", 0, &bag), NNB_OK);
}
END_TEST

START_TEST(saving_with_a_relative_path) {
  ck_assert_int_eq(chdir(folder), 0);
  ck_assert_int_eq(save_text("model.safetensors", "text"), NNB_OK);
  expect_file("text");
  ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(saving_that_fails) {
  ck_assert_int_eq(save_text("/no/such/folder/x", "text"), NNB_E_IO);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "/no/such/folder/x: creating a temporary file beside it failed: No such"));
  ck_assert_int_eq(save_text(folder, "text"), NNB_E_IO);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "exists and is not a regular file"));
  ck_assert_int_eq(symlink("nowhere/else", link_path), 0);
  ck_assert_int_eq(save_text(link_path, "text"), NNB_E_IO);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "link: creating a temporary file beside it failed: No such"));
  unlink(link_path);
  ck_assert_int_eq(symlink("link", link_path), 0); /* a circle */
  ck_assert_int_eq(save_text(link_path, "text"), NNB_E_IO);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "following the symbolic link failed"));
  ck_assert_int_eq(save_text("/dev/null", "text"), NNB_E_IO);
  ck_assert_int_eq(save_text("", "text"), NNB_E_IO);
}
END_TEST

START_TEST(a_full_disk) { /* /dev/full cannot be renamed over; a file size limit gives the same failure */
  ck_assert_int_eq(save_text(path, "old"), NNB_OK);
  static char large[1 << 16];
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = {1 << 12, 1 << 12};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    nnb_status status = nnb__save(path, &(nnb__piece){large, sizeof large}, 1);
    _exit(status == NNB_E_IO && strstr(nnb_errmsg(), "writing failed: File too large") ? 0 : 1);
  }
  int result = -1;
  waitpid(child, &result, 0);
  ck_assert_int_eq(result, 0);
  expect_file("old");
}
END_TEST

static nnb_status save_bag(void *context) {
  (void)context;
  nnb__bag bag, got = {0};
  nnb__bytes file = {0};
  fill(&bag);
  nnb_status status = nnb__safetensors_save(&bag, path);
  if (!status) status = nnb__bytes_read(path, false, &file);
  if (!status) status = nnb__safetensors_parse(file.p, file.n, path, &got);
  if (!status) check_all(&got);
  nnb__bag_clear(&got);
  nnb__bytes_clear(&file);
  nnb__bag_clear(&bag);
  return status;
}

START_TEST(every_allocation_fails_on_disk) { check_every_allocation(save_bag, NULL); }
END_TEST

int main(void) {
  Suite *s = suite_create("safetensors");
  TCase *t = tcase_create("memory"), *d = tcase_create("disk");
  tcase_add_test(t, round_trip);
  tcase_add_test(t, an_empty_bag);
  tcase_add_test(t, bytes_of_a_known_file);
  tcase_add_test(t, what_cannot_be_written);
  tcase_add_test(t, headers);
  tcase_add_test(t, sizes_of_headers);
  tcase_add_test(t, cut_off_anywhere);
  tcase_add_test(t, altered_anywhere);
  tcase_add_test(t, every_allocation_fails);
  tcase_add_test(t, every_allocation_of_jansson_fails);
  tcase_add_checked_fixture(d, set_up, tear_down);
  tcase_add_test(d, saving_and_replacing);
  tcase_add_test(d, saving_with_a_relative_path);
  tcase_add_test(d, saving_through_a_dangling_link);
  tcase_add_test(d, a_computer_of_the_other_byte_order);
  tcase_add_test(d, saving_that_fails);
  tcase_add_test(d, a_full_disk);
  tcase_add_test(d, every_allocation_fails_on_disk);
  suite_add_tcase(s, t);
  suite_add_tcase(s, d);
  return run_suite(s);
}
