/* bench/from_file.c: training from an NPY file of 8 GB, never in memory as a whole, beside training from memory.
 *
 *     nnblas_from_file [FOLDER [ROUNDS]]          f64; nnblas_from_file_f: f32
 *
 * W2's net, 784-128-64-10, sgd in batches of 128, blocks of 8192 rows.  The file is sparse: it takes no space on the
 * disk.  Each round trains two epochs of the file, and as many rows as the second has of 60,000 in memory, each
 * in a process of its own.  In the first epoch the system takes memory for its copy of the file, and with a file on a
 * disk it would read the disk; in the second it has the copy, unless it has too little memory.  Prints samples per
 * second, the ratio of the second epoch to memory, and the peak of the file's process (VmHWM).  Status 1 if the peak is
 * above 200 MB or no round reaches 0.9; 77, skipped, with one processor, since rows are read ahead on another. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "precision.h"

enum { IN = 784, CLASSES = 10, ROWS = 60000, BLOCK = 8192, BATCH = 128 };
static const double file_bytes = 8e9, most_mb = 200, wanted = 0.9;

static const char *const descr = sizeof(real) == 4 ? "<f4" : "<f8";

typedef struct result {
  double first, rate, mb; /* samples a second in the first epoch, and in those after it; peak memory */
} result;

static long file_rows(void) { return (long)(file_bytes / ((IN + 1) * sizeof(real))); }

/* All numbers are zero: inputs and the class. */
static int make_file(const char *path) {
  char head[128];
  FILE *f = fopen(path, "wb");
  if (!f) return -1;
  memset(head, ' ', sizeof head);
  memcpy(head, "\x93NUMPY\1\0\x76\0", 10);
  const int n = snprintf(head + 10, sizeof head - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%ld, %d), }",
                         descr, file_rows(), IN + 1);
  head[10 + n] = ' ', head[sizeof head - 1] = '\n';
  const int bad = fwrite(head, 1, sizeof head, f) != sizeof head;
  const off_t bytes = (off_t)sizeof head + (off_t)file_rows() * (off_t)((IN + 1) * sizeof(real));
  return fclose(f) || bad || truncate(path, bytes) ? -1 : 0;
}

static nnb_data *in_memory(void) {
  real *x = calloc((size_t)ROWS * IN, sizeof *x);
  int32_t *label = calloc(ROWS, sizeof *label);
  nnb_data *data = NULL;
  if (x && label) nnb_data_copy(&(nnb_batch){.x = nnb_cview(x, ROWS, IN), .label = label}, CLASSES, &data);
  free(x), free(label);
  return data;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double peak_mb(void) {
  char line[200];
  double kb = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmHWM: %lf", &kb) == 1) break;
  if (f) fclose(f);
  return kb / 1024;
}

static int see_epoch(void *user, const nnb_record *record) {
  double *end_of_first = user;
  if (record->epoch == 1) *end_of_first = now();
  return 0;
}

static int train(nnb_data *data, int n_epochs, result *out) {
  nnb_net *net = NULL;
  double end_of_first = 0;
  const nnb_fit_opts opts = {.algo = NNB_SGD, .batch = BATCH, .block = BLOCK, .max_epochs = n_epochs, .threads = 1,
                             .on_epoch = see_epoch, .user = &end_of_first};
  if (nnb_net_parse("784-128:relu-64:relu-10:softmax", &net)) return -1;
  const double start = now(), rows = nnb_data_rows(data);
  nnb_status status = nnb_fit(net, data, NULL, &opts, NULL);
  *out = (result){rows / (end_of_first - start), (n_epochs - 1) * rows / (now() - end_of_first), peak_mb()};
  nnb_net_destroy(net);
  return status ? -1 : 0;
}

/* path NULL: from memory.  In a child, so that its peak is its own. */
static int measure(const char *path, result *out) {
  int ends[2], status;
  if (pipe(ends)) return -1;
  const pid_t child = fork();
  if (child == 0) {
    nnb_data *data = NULL;
    if (path)
      nnb_data_open_npy(path, NULL, 0, CLASSES, &data);
    else
      data = in_memory();
    const int n = path ? 2 : 1 + (int)(file_rows() / ROWS);
    const int bad = !data || train(data, n, out) || write(ends[1], out, sizeof *out) != sizeof *out;
    if (bad) fprintf(stderr, "%s\n", nnb_errmsg());
    nnb_data_destroy(data);
    _exit(bad);
  }
  close(ends[1]);
  const ssize_t got = child > 0 ? read(ends[0], out, sizeof *out) : -1;
  close(ends[0]);
  return child > 0 && waitpid(child, &status, 0) == child && status == 0 && got == sizeof *out ? 0 : -1;
}

int main(int argc, char **argv) {
  char path[4096];
  double best = 0, peak = 0;
  const int rounds = argc > 2 ? atoi(argv[2]) : 3;
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) return puts("skipped: one processor"), 77;
  setvbuf(stdout, NULL, _IOLBF, 0);
  snprintf(path, sizeof path, "%s/nnblas-from-file-%ld.npy", argc > 1 ? argv[1] : "/tmp", (long)getpid());
  int failed = make_file(path);
  if (failed) perror(path);
  for (int k = 0; k < rounds && !failed; k++) {
    result file, memory;
    failed = measure(path, &file) || measure(NULL, &memory);
    if (failed) break;
    printf("file %.0f samples/s, then %.0f, memory %.0f: %.2f; peak %.0f MB\n", file.first, file.rate, memory.rate,
           file.rate / memory.rate, file.mb);
    best = file.rate / memory.rate > best ? file.rate / memory.rate : best;
    peak = file.mb > peak ? file.mb : peak;
  }
  unlink(path);
  return failed || peak > most_mb || best < wanted;
}
