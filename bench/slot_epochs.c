/* bench/slot_epochs.c: the time of each epoch of one nnb_fit; the first uses fresh memory.  Rows are the caller's
 * (wrapped), the library's copy, or read from a file; with the library's allocator, which requests huge pages, and with
 * malloc alone.  784-128-64-10, batch 128, 20000 rows. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "measure.h"
#include "precision.h"
#include "slot.h"

enum { ROWS = 20000, SIDE = 28, INPUTS = SIDE * SIDE, CLASSES = 10, EPOCHS = 5 };

typedef enum source { WRAPPED, COPIED, READ, N_SOURCES } source;
static const char *const source_name[N_SOURCES] = {"wrapped", "copied", "read"};

typedef struct course {
  double last, second[EPOCHS];
} course;

static int note(void *user, const nnb_record *record) {
  course *c = user;
  const double now = clock_seconds();
  c->second[record->epoch - 1] = now - c->last;
  c->last = now;
  return 0;
}

static void *plain_alloc(void *user, size_t bytes) { return (void)user, malloc(bytes); }
static void plain_release(void *user, void *p) { (void)user, free(p); }

static void put_number(FILE *f, unsigned n) {
  for (int shift = 24; shift >= 0; shift -= 8) putc((int)(n >> shift & 255), f);
}

/* An IDX file of bytes, rank 3 for images and 1 for labels.  0, or -1. */
static int write_idx(const char *path, int rank, const unsigned char *p, size_t bytes) {
  FILE *f = fopen(path, "wb");
  if (!f) return -1;
  put_number(f, 0x800 + (unsigned)rank), put_number(f, ROWS);
  if (rank == 3) put_number(f, SIDE), put_number(f, SIDE);
  int failed = fwrite(p, 1, bytes, f) != bytes;
  return fclose(f) || failed ? -1 : 0;
}

static nnb_status read_rows(const unsigned char *pixel, const unsigned char *label, nnb_data **data) {
  char images[64], labels[64];
  snprintf(images, sizeof images, "/tmp/nnblas-epochs-%ld-x", (long)getpid());
  snprintf(labels, sizeof labels, "/tmp/nnblas-epochs-%ld-y", (long)getpid());
  nnb_status status = NNB_E_IO;
  if (!write_idx(images, 3, pixel, (size_t)ROWS * INPUTS) && !write_idx(labels, 1, label, ROWS))
    status = nnb_data_read_idx(images, labels, data);
  remove(images), remove(labels);
  return status;
}

static nnb_status fit(const nnb_data *data, int threads, course *c) {
  nnb_net *net = NULL;
  nnb_status status = nnb_net_parse("784-128-64-10:softmax", &net);
  nnb_fit_opts opts = {.algo = NNB_SGD, .lr = 0.1, .batch = 128, .max_epochs = EPOCHS, .threads = threads};
  opts.on_epoch = note, opts.user = c;
  c->last = clock_seconds();
  if (!status) status = nnb_fit(net, data, NULL, &opts, NULL);
  nnb_net_destroy(net);
  return status;
}

static void print(const char *from, bool huge, int threads, const course *c) {
  double later[EPOCHS - 1];
  for (int i = 1; i < EPOCHS; i++) later[i - 1] = 1e3 * c->second[i];
  printf(
      "{\"peer\":\"libnnblas\",\"workload\":\"epochs %s\",\"dtype\":\"%s\",\"threads\":%d,\"huge_pages\":%s,"
      "\"metric\":\"ms\",\"first\":%.5g,\"value\":%.5g}\n",
      from, PRECISION, threads, huge ? "true" : "false", 1e3 * c->second[0], spread_of(later, EPOCHS - 1).median);
  fflush(stdout);
}

static nnb_status run(source from, bool huge, int threads, const unsigned char *pixel, const unsigned char *label) {
  static const nnb_allocator plain = {plain_alloc, plain_release, NULL};
  nnb_data *data = NULL;
  course c = {0};
  real *x = malloc((size_t)ROWS * INPUTS * sizeof *x);
  int32_t *y = malloc(ROWS * sizeof *y);
  nnb_status status = x && y ? NNB_OK : NNB_E_NOMEM;
  for (size_t i = 0; !status && i < (size_t)ROWS * INPUTS; i++) x[i] = (real)pixel[i] / 255;
  for (int i = 0; !status && i < ROWS; i++) y[i] = label[i];
  nnb_set_allocator(huge ? NULL : &plain);
  nnb_batch rows = {.x = nnb_cview(x, ROWS, INPUTS), .label = y};
  if (!status && from == READ) status = read_rows(pixel, label, &data);
  if (!status && from != READ) status = (from == COPIED ? nnb_data_copy : nnb_data_wrap)(&rows, CLASSES, &data);
  if (!status) status = fit(data, threads, &c);
  if (!status) print(source_name[from], huge, threads, &c);
  nnb_data_destroy(data);
  nnb_set_allocator(NULL);
  free(x), free(y);
  return status;
}

#define slot_epochs TWIN(slot_epochs)
int slot_epochs(int threads) {
  unsigned char *pixel = malloc((size_t)ROWS * INPUTS), label[ROWS];
  nnb_status status = pixel ? NNB_OK : NNB_E_NOMEM;
  nnb_rng rng;
  nnb_rng_init(&rng, 1, 0);
  for (size_t i = 0; pixel && i < (size_t)ROWS * INPUTS; i++)
    pixel[i] = (unsigned char)(nnb_rng_below(&rng, 5) ? 0 : nnb_rng_below(&rng, 256));
  for (int i = 0; i < ROWS; i++) label[i] = (unsigned char)nnb_rng_below(&rng, CLASSES);
  for (int from = 0; !status && from < N_SOURCES; from++)
    for (int huge = 0; !status && huge < 2; huge++) status = run((source)from, huge, threads, pixel, label);
  free(pixel);
  if (status) fprintf(stderr, "nnblas_bench: epochs: %s\n", nnb_errmsg());
  return status ? 1 : 0;
}
