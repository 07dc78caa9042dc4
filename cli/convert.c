/* cli/convert.c: `nnblas convert`: a net or a table in another format. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "files.h"
#include "model.h"

/* What was read: a net, or a table as data, an array or both. */
typedef struct thing {
  nnb_net *net;
  nnb_data *data;
  nnb_array array;
  nnb_real *copy; /* the array's numbers, if no call of the library has filled it */
} thing;

typedef struct settings settings;
typedef struct format {
  const char *name, *ending;                  /* ending NULL: only by --from or --to */
  bool table;                                 /* else a net */
  int (*read)(const settings *s, thing *out); /* NULL: cannot be read; returns the exit code */
  int (*write)(const settings *s, thing *it);
} format;

/* The types of --numbers, for C source and for arrays; -1: not there. */
typedef struct numbers {
  const char *name;
  int c, array;
} numbers;
static const numbers all_numbers[] = {{"f64", NNB_C_F64, NNB_ARRAY_F64},
                                      {"f32", NNB_C_F32, NNB_ARRAY_F32},
                                      {"i16", NNB_C_I16, -1},
                                      {"i8", NNB_C_I8, -1},
                                      {"i64", -1, NNB_ARRAY_I64},
                                      {"i32", -1, NNB_ARRAY_I32},
                                      {"u8", -1, NNB_ARRAY_U8},
                                      {"bool", -1, NNB_ARRAY_BOOL}};
enum { N_NUMBERS = sizeof all_numbers / sizeof *all_numbers };

struct settings {
  const char *from, *to, *like, *name, *key;
  int targets; /* 0: not given */
  const format *reads, *writes;
  const numbers *numbers; /* NULL: as they are */
};

/* ---- nets -------------------------------------------------------------------------------------------------------- */

static int read_model(const settings *s, thing *out) { return load_net(s->from, &out->net); }

static int read_torch(const settings *s, thing *out) {
  if (!s->like) return refuse(EX_USAGE, "weights of PyTorch have no structure: --like MODEL gives a net that has it");
  int code = load_net(s->like, &out->net);
  nnb_status status = code ? NNB_OK : nnb_net_load_torch(out->net, s->from, NULL);
  if (status) code = fail_input(status);
  if (status == NNB_E_PARSE)
    refuse(code,
           "weights of PyTorch are read from the file that safetensors.torch.save_file(model.state_dict(), FILE) "
           "writes, not from .pt");
  return code;
}

static int read_onnx(const settings *s, thing *out) {
  nnb_status status = nnb_net_load_onnx(s->from, NULL, &out->net);
  return status ? fail_input(status) : EX_OK;
}

typedef enum net_file { MODEL, TORCH, ONNX } net_file;

static nnb_status save_double(const settings *s, nnb_net *net, net_file kind) {
  if (kind == TORCH) return nnb_net_save_torch(net, s->to, NULL);
  return kind == ONNX ? nnb_net_save_onnx(net, s->to, NULL) : nnb_net_save(net, s->to);
}

static nnb_status save_single(const settings *s, nnbf_net *net, net_file kind) {
  if (kind == TORCH) return nnbf_net_save_torch(net, s->to, NULL);
  return kind == ONNX ? nnbf_net_save_onnx(net, s->to, NULL) : nnbf_net_save(net, s->to);
}

/* Saves in the precision of --numbers. */
static int save(const settings *s, nnb_net *net, net_file kind) {
  const int type = s->numbers ? s->numbers->array : NNB_ARRAY_F64;
  if (type != NNB_ARRAY_F64 && type != NNB_ARRAY_F32)
    return refuse(EX_USAGE, "--numbers=%s: a model has f64 or f32", s->numbers->name);
  nnbf_net *single = NULL;
  nnb_status status = type == NNB_ARRAY_F32 ? nnb_net_to_single(net, &single) : NNB_OK;
  if (!status) status = single ? save_single(s, single, kind) : save_double(s, net, kind);
  nnbf_net_destroy(single);
  return status ? fail_output(status) : EX_OK;
}

static int write_model(const settings *s, thing *it) { return save(s, it->net, MODEL); }

static int write_torch(const settings *s, thing *it) { return save(s, it->net, TORCH); }

static int write_onnx(const settings *s, thing *it) { return save(s, it->net, ONNX); }

static int write_c(const settings *s, thing *it) {
  if (s->numbers && s->numbers->c < 0)
    return refuse(EX_USAGE, "--numbers=%s: C source has f64, f32, i16 or i8", s->numbers->name);
  const nnb_c_opts opts = {.name = s->name, .numbers = s->numbers ? (nnb_c_numbers)s->numbers->c : NNB_C_SAME};
  nnb_status status = nnb_net_write_c(it->net, s->to, &opts);
  return status ? fail_output(status) : EX_OK;
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

/* Numbers that the format cannot have are wrong data. */
static int fail_table_output(nnb_status status) {
  const int code = fail_output(status);
  return status == NNB_E_ARG ? EX_DATAERR : code;
}

/* array ← the rows of data: inputs, then targets. */
static int array_of_data(thing *it) {
  nnb_batch rows;
  nnb_status status = nnb_data_batch(it->data, 0, nnb_data_rows(it->data), &rows);
  if (status) return fail(status);
  const size_t n = (size_t)rows.x.rows, n_in = (size_t)rows.x.cols, n_t = rows.t.p ? (size_t)rows.t.cols : 0;
  const size_t cols = n_in + n_t;
  it->copy = calloc(n * cols, sizeof *it->copy);
  if (!it->copy) return refuse(EX_OSERR, "out of memory");
  for (size_t i = 0; i < n; i++) {
    memcpy(it->copy + i * cols, rows.x.p + i * (size_t)rows.x.ld, n_in * sizeof *it->copy);
    if (n_t > 0) memcpy(it->copy + i * cols + n_in, rows.t.p + i * (size_t)rows.t.ld, n_t * sizeof *it->copy);
  }
  it->array = (nnb_array){.p = it->copy, .n_dims = 2, .dim = {n, cols}};
  return EX_OK;
}

static int read_csv(const settings *s, thing *out) {
  nnb_status status = nnb_data_read_csv(s->from, &(nnb_csv_opts){.n_targets = NNB_NONE}, &out->data);
  return status ? fail_input(status) : array_of_data(out);
}

static int read_fann(const settings *s, thing *out) {
  nnb_status status = nnb_data_read_fann(s->from, &out->data);
  return status ? fail_input(status) : array_of_data(out);
}

static int read_npy(const settings *s, thing *out) {
  nnb_status status = nnb_array_read_npy(s->from, &out->array);
  return status ? fail_input(status) : EX_OK;
}

static int read_npz(const settings *s, thing *out) {
  nnb_status status = nnb_array_read_npz(s->from, s->key, &out->array);
  return status ? fail_input(status) : EX_OK;
}

static int write_csv(const settings *s, thing *it) {
  if (s->numbers) return refuse(EX_USAGE, "--numbers is for files of numbers, and a CSV file is text");
  nnb_mat rows;
  nnb_status status = it->data ? NNB_OK : nnb_array_view(&it->array, &rows);
  if (!status && !it->data)
    status = nnb_data_wrap(&(nnb_batch){.x = nnb_cview(rows.p, rows.rows, rows.cols)}, 0, &it->data);
  if (!status) status = nnb_data_write_csv(it->data, s->to);
  return status ? fail_table_output(status) : EX_OK;
}

/* The last columns are the targets. */
static int write_fann(const settings *s, thing *it) {
  if (s->numbers) return refuse(EX_USAGE, "--numbers is for files of numbers, and FANN's files are text");
  const int n_out = s->targets ? s->targets : 1;
  nnb_mat rows;
  nnb_data *data = NULL;
  nnb_status status = nnb_array_view(&it->array, &rows);
  if (!status && n_out >= rows.cols)
    return refuse(EX_DATAERR, "%s has %d column%s; with %d of them as targets there is no input", s->from, rows.cols,
                  plural(rows.cols), n_out);
  nnb_batch pairs = {.x = {.p = rows.p, .rows = rows.rows, .cols = rows.cols - n_out, .ld = rows.ld},
                     .t = {.p = rows.p + rows.cols - n_out, .rows = rows.rows, .cols = n_out, .ld = rows.ld}};
  if (!status) status = nnb_data_wrap(&pairs, 0, &data);
  if (!status) status = nnb_data_write_fann(data, s->to);
  nnb_data_destroy(data);
  return status ? fail_table_output(status) : EX_OK;
}

static int write_array(const settings *s, const nnb_array *array, bool npz) {
  const char *key = s->key ? s->key : "x";
  if (s->numbers && s->numbers->array < 0)
    return refuse(EX_USAGE, "--numbers=%s: an array has f64, f32, i64, i32, u8 or bool", s->numbers->name);
  const nnb_array_type type = s->numbers ? (nnb_array_type)s->numbers->array : NNB_ARRAY_SAME;
  nnb_status status = npz ? nnb_array_write_npz(s->to, &key, array, 1, type) : nnb_array_write_npy(s->to, array, type);
  return status ? fail_table_output(status) : EX_OK;
}

static int write_npy(const settings *s, thing *it) { return write_array(s, &it->array, false); }

static int write_npz(const settings *s, thing *it) { return write_array(s, &it->array, true); }

/* ---- formats ----------------------------------------------------------------------------------------------------- */

static const format formats[] = {{"model", ".safetensors", false, read_model, write_model},
                                 {"torch", NULL, false, read_torch, write_torch},
                                 {"onnx", ".onnx", false, read_onnx, write_onnx},
                                 {"c", ".c", false, NULL, write_c},
                                 {"csv", ".csv", true, read_csv, write_csv},
                                 {"fann", NULL, true, read_fann, write_fann},
                                 {"npy", ".npy", true, read_npy, write_npy},
                                 {"npz", ".npz", true, read_npz, write_npz}};
enum { N_FORMATS = sizeof formats / sizeof *formats };

static const format *by_name(const char *name, const char *flag, struct argp_state *state) {
  for (int i = 0; i < N_FORMATS; i++)
    if (strcmp(formats[i].name, name) == 0) return &formats[i];
  argp_failure(state, EX_USAGE, 0, "--%s=%s; wanted model, torch, onnx, c, csv, fann, npy or npz", flag, name);
  return NULL;
}

static const format *by_ending(const char *path) {
  const size_t n = strlen(path);
  for (int i = 0; i < N_FORMATS; i++) {
    const size_t k = formats[i].ending ? strlen(formats[i].ending) : n;
    if (n > k && strcmp(path + n - k, formats[i].ending) == 0) return &formats[i];
  }
  return NULL;
}

/* The formats of both files; an exit code. */
static int find_formats(settings *s) {
  if (strcmp(s->from, "-") == 0) return refuse(EX_USAGE, "convert reads a file; standard input cannot be that");
  if (!s->reads) s->reads = by_ending(s->from);
  if (!s->writes) s->writes = by_ending(s->to);
  if (!s->reads) return refuse(EX_USAGE, "%s: the ending is of no known format; --from says which it is", s->from);
  if (!s->writes) return refuse(EX_USAGE, "%s: the ending is of no known format; --to says which is wanted", s->to);
  if (!s->reads->read) return refuse(EX_USAGE, "%s: format %s can be written, but not read", s->from, s->reads->name);
  if (s->reads->table != s->writes->table)
    return refuse(EX_USAGE, "%s is a %s and %s is a %s", s->reads->name, s->reads->table ? "table" : "net",
                  s->writes->name, s->writes->table ? "table" : "net");
  return EX_OK;
}

/* Flags that neither format takes; an exit code. */
static int check_flags_of_formats(const settings *s) {
  const char *const from = s->reads->name, *const to = s->writes->name;
  const bool npz = strcmp(from, "npz") == 0 || strcmp(to, "npz") == 0;
  if (s->like && strcmp(from, "torch") != 0) return refuse(EX_USAGE, "--like is for --from=torch, not for %s", from);
  if (s->name && strcmp(to, "c") != 0) return refuse(EX_USAGE, "--name is for C source, not for %s", to);
  if (s->key && !npz) return refuse(EX_USAGE, "--key is for npz, not for %s and %s", from, to);
  if (s->targets && strcmp(to, "fann") != 0) return refuse(EX_USAGE, "--targets is for --to=fann, not for %s", to);
  return EX_OK;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

enum { FROM = 0xb00, TO, LIKE, NUMBERS, NAME, KEY, TARGETS };

static const numbers *find_numbers(const char *name, struct argp_state *state) {
  for (int i = 0; i < N_NUMBERS; i++)
    if (strcmp(all_numbers[i].name, name) == 0) return &all_numbers[i];
  argp_failure(state, EX_USAGE, 0, "--numbers=%s; wanted f64, f32, i64, i32, i16, i8, u8 or bool", name);
  return NULL;
}

static int targets_of(const char *text, struct argp_state *state) {
  char *end;
  const long n = strtol(text, &end, 10);
  if (end == text || *end || n < 1 || n > 1000000)
    argp_failure(state, EX_USAGE, 0, "--targets wants a number of at least 1, not \"%s\"", text);
  return (int)n;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  settings *s = state->input;
  switch (key) {
    case FROM:
      s->reads = by_name(arg, "from", state);
      return 0;
    case TO:
      s->writes = by_name(arg, "to", state);
      return 0;
    case LIKE:
      s->like = arg;
      return 0;
    case NUMBERS:
      s->numbers = find_numbers(arg, state);
      return 0;
    case NAME:
      s->name = arg;
      return 0;
    case KEY:
      s->key = arg;
      return 0;
    case TARGETS:
      s->targets = targets_of(arg, state);
      return 0;
    case ARGP_KEY_ARG:
      if (state->arg_num > 1) argp_error(state, "too many files: %s", arg);
      *(state->arg_num == 0 ? &s->from : &s->to) = arg;
      return 0;
    case ARGP_KEY_END:
      if (state->arg_num < 2) argp_error(state, "two files are wanted: the one to read and the one to write");
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

const struct argp *convert_argp(void) {
  static const struct argp_option options[] = {
      {"from", FROM, "FORMAT", 0, "format of the first file (by its ending)", 0},
      {"to", TO, "FORMAT", 0, "format of the second file (by its ending)", 0},
      {"like", LIKE, "MODEL", 0, "with --from=torch: a net of the same structure, whose weights are replaced", 0},
      {"numbers", NUMBERS, "TYPE", 0,
       "type of the numbers: f64 or f32; for C source also i16 and i8; for arrays also i64, i32, u8 and bool (f64)", 0},
      {"name", NAME, "NAME", 0, "C source: what all names begin with (net)", 0},
      {"key", KEY, "KEY", 0, "NPZ: the name of the array (the only one; written: x)", 0},
      {"targets", TARGETS, "NUMBER", 0, "FANN: how many columns at the end are targets (1)", 0},
      {0}};
  static const struct argp argp = {
      .options = options,
      .parser = parse,
      .args_doc = "FROM TO",
      .doc =
          "Writes a net or a table in another format. Nets: model (.safetensors), torch (the weights as PyTorch names "
          "them, a safetensors file too), onnx (.onnx), c (.c, to be compiled; written only). Tables of numbers: csv "
          "(.csv), npy (.npy), npz (.npz), fann (training files of FANN, by --from and --to only, because .data is the "
          "ending of other tables too)."};
  return &argp;
}

int convert_command(int argc, char **argv) {
  settings s = {0};
  thing it = {0};
  argp_parse(convert_argp(), argc, argv, 0, NULL, &s);
  int code = find_formats(&s);
  if (!code) code = check_flags_of_formats(&s);
  if (!code) code = check_output("convert", s.to, true);
  if (!code) code = spare(s.from, "writing to", s.to);
  if (!code) code = spare(s.like, "writing to", s.to);
  if (!code) code = s.reads->read(&s, &it);
  if (!code) code = s.writes->write(&s, &it);
  nnb_net_destroy(it.net);
  nnb_data_destroy(it.data);
  if (it.copy)
    free(it.copy);
  else
    nnb_array_clear(&it.array);
  return code;
}
