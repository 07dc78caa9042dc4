/* Files where they cannot be written: a full disk (a small tmpfs of its own), a read-only folder, two processes at the
 * same path.  Every way of saving fails with NNB_E_IO, and the file from before is whole. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "toys.h"

enum { DISK = 1 << 20 };

static char folder[TOY_PATH], path[TOY_PATH + 40];

static void make_folder(void) {
  toy_path(folder, "disk-XXXXXX");
  ck_assert(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/it", folder);
}

/* Number of files in the folder. */
static int count_files(void) {
  int n = 0;
  DIR *d = opendir(folder);
  struct dirent *e;
  ck_assert(d);
  while ((e = readdir(d))) n += *e->d_name != '.' || e->d_name[1] == 'n';
  closedir(d);
  return n;
}

static size_t read_file(unsigned char *out, size_t most) {
  FILE *f = fopen(path, "rb");
  ck_assert(f);
  const size_t n = fread(out, 1, most, f);
  ck_assert(fclose(f) == 0 && n < most);
  return n;
}

/* ---- what is saved ----------------------------------------------------------------------------------------------- */

typedef struct things {
  nnb_net *net;
  nnb_data *data;
} things;

static things make_things(int units) {
  char text[40];
  things t = {.data = toy_regression(units, 3, 1)};
  snprintf(text, sizeof text, "3-%d:tanh-1", units);
  ck_ok(nnb_net_parse(text, &t.net));
  ck_ok(nnb_net_init(t.net, 1));
  return t;
}

static void free_things(things *t) { nnb_net_destroy(t->net), nnb_data_destroy(t->data); }

static nnb_status save_net(const things *t) { return nnb_net_save(t->net, path); }
static nnb_status save_torch(const things *t) { return nnb_net_save_torch(t->net, path, NULL); }
static nnb_status write_c(const things *t) { return nnb_net_write_c(t->net, path, NULL); }
static nnb_status write_csv(const things *t) { return nnb_data_write_csv(t->data, path); }
static nnb_status write_npy(const things *t) {
  nnb_batch rows;
  ck_ok(nnb_data_batch(t->data, 0, nnb_data_rows(t->data), &rows));
  const nnb_array array = {
      .p = (real *)(uintptr_t)rows.x.p, .n_dims = 2, .dim = {(size_t)rows.x.rows, (size_t)rows.x.cols}};
  return nnb_array_write_npy(path, &array, NNB_ARRAY_SAME);
}
static nnb_status save_optim(const things *t) {
  nnb_optim *optim;
  ck_ok(nnb_optim_create(t->net, &(nnb_optim_opts){.algo = NNB_ADAM}, &optim));
  nnb_status status = nnb_optim_save(optim, t->net, path);
  nnb_optim_destroy(optim);
  return status;
}

static const struct {
  const char *name;
  nnb_status (*save)(const things *t);
} ways[] = {{"nnb_net_save", save_net},        {"nnb_net_save_torch", save_torch}, {"nnb_net_write_c", write_c},
            {"nnb_data_write_csv", write_csv}, {"nnb_array_write_npy", write_npy}, {"nnb_optim_save", save_optim}};
enum { WAYS = sizeof ways / sizeof *ways };

/* Saves by each way, spoils the place, tries to save something else, and compares. */
static void check_ways(void (*spoil)(void), void (*mend)(void)) {
  static unsigned char before[DISK], after[DISK];
  things small = make_things(5), large = make_things(2000);
  for (int i = 0; i < WAYS; i++) {
    ck_ok(ways[i].save(&small));
    const size_t n = read_file(before, DISK);
    spoil();
    const int files = count_files();
    nnb_status status = ways[i].save(&large);
    ck_assert_msg(status == NNB_E_IO && strstr(nnb_errmsg(), path), "%s: %s: %s", ways[i].name, nnb_strstatus(status),
                  nnb_errmsg());
    ck_assert_msg(count_files() == files, "%s leaves a file behind", ways[i].name);
    ck_assert_msg(read_file(after, DISK) == n && memcmp(before, after, n) == 0, "%s: the file is another",
                  ways[i].name);
    mend();
    ck_ok(ways[i].save(&large));
    remove(path);
  }
  free_things(&small), free_things(&large);
}

/* ---- a full disk ------------------------------------------------------------------------------------------------- */

/* A tmpfs in a mount namespace of this process, which ends with it.  False where that is not allowed. */
static bool mount_small(void) {
  char size[40];
  const bool own = unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
  if (!own || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) != 0) return false;
  snprintf(size, sizeof size, "size=%d", DISK);
  return mount("tmpfs", folder, "tmpfs", 0, size) == 0;
}

/* Fills the disk but for a few pages. */
static void fill(void) {
  static const char zeros[4096];
  char filler[TOY_PATH + 40];
  snprintf(filler, sizeof filler, "%s/filler", folder);
  FILE *f = fopen(filler, "wb");
  ck_assert(f);
  setvbuf(f, NULL, _IONBF, 0);
  while (fwrite(zeros, sizeof zeros, 1, f) == 1) continue;
  fclose(f);
}

static void drain(void) {
  char filler[TOY_PATH + 40];
  snprintf(filler, sizeof filler, "%s/filler", folder);
  remove(filler);
}

static bool skip_without_mount(void) {
  if (mount_small()) return false;
  puts("skipped: a full disk, because a tmpfs cannot be mounted here");
  rmdir(folder);
  return true;
}

START_TEST(saving_to_a_full_disk) {
  make_folder();
  if (skip_without_mount()) return;
  check_ways(fill, drain);
  umount(folder), rmdir(folder);
}
END_TEST

static int fill_at_4(void *user, const nnb_record *record) {
  (void)user;
  if (record->epoch == 4) fill();
  return 0;
}

/* The training goes on; its file is that of the epoch before, and the resumed run has the same bits. */
START_TEST(a_checkpoint_on_a_full_disk) {
  static const nnb_algo algos[] = {NNB_ADAM, NNB_SCG};
  make_folder();
  if (skip_without_mount()) return;
  things whole = make_things(8), t = make_things(8), again = make_things(8);
  nnb_fit_opts opts = {.algo = algos[_i], .max_epochs = 9, .threads = 1};
  nnb_report report;
  ck_ok(nnb_fit(whole.net, whole.data, NULL, &opts, NULL));
  opts.checkpoint = path, opts.checkpoint_epochs = 1, opts.on_epoch = fill_at_4;
  ck_ok(nnb_fit(t.net, t.data, NULL, &opts, &report));
  ck_assert(report.checkpoint_status == NNB_E_IO && report.checkpoints == 3 && count_files() == 2);
  ck_assert(toy_hash_net(1, t.net) == toy_hash_net(1, whole.net));
  drain();
  opts.resume = true, opts.on_epoch = NULL;
  ck_ok(nnb_fit(again.net, again.data, NULL, &opts, &report));
  ck_assert(report.resumed == 3 && toy_hash_net(1, again.net) == toy_hash_net(1, whole.net));
  free_things(&whole), free_things(&t), free_things(&again);
  umount(folder), rmdir(folder);
}
END_TEST

/* ---- a read-only folder ------------------------------------------------------------------------------------------ */

static void lock(void) { chmod(folder, 0555); }
static void unlock(void) { chmod(folder, 0700); }

START_TEST(saving_to_a_read_only_folder) {
  const uid_t somebody = 65534; /* root can write everywhere */
  make_folder();
  if (geteuid() == 0 && (chown(folder, somebody, (gid_t)-1) != 0 || seteuid(somebody) != 0)) {
    puts("skipped: a read-only folder, because root can write everywhere");
    rmdir(folder);
    return;
  }
  check_ways(lock, unlock);
  if (getuid() == 0) ck_assert_int_eq(seteuid(0), 0);
  rmdir(folder);
}
END_TEST

/* ---- a folder that cannot be synced ------------------------------------------------------------------------------ */

static bool folders_fail;

/* Takes the place of the system's. */
int fsync(int fd) {
  struct stat st;
  if (!folders_fail || fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode)) return (int)syscall(SYS_fsync, fd);
  errno = EIO;
  return -1;
}

START_TEST(a_folder_that_is_not_synced) {
  things small = make_things(5), large = make_things(20);
  nnb_net *back;
  make_folder();
  ck_ok(save_net(&small));
  folders_fail = true;
  const nnb_status status = save_net(&large);
  folders_fail = false;
  ck_assert_msg(status == NNB_E_IO && strstr(nnb_errmsg(),
                                             "the new file is in place, but writing its folder to disk "
                                             "failed: "),
                "%s: %s", nnb_strstatus(status), nnb_errmsg());
  ck_ok(nnb_net_load(path, NULL, &back));
  ck_assert(toy_hash_net(1, back) == toy_hash_net(1, large.net) && count_files() == 1);
  nnb_net_destroy(back);
  remove(path), rmdir(folder);
  free_things(&small), free_things(&large);
}
END_TEST

/* ---- two processes ----------------------------------------------------------------------------------------------- */

/* Each saves its own net again and again; whoever loads has one of the two, whole. */
START_TEST(two_processes_save_to_one_path) {
  enum { SAVES = 60 };
  things t[2] = {make_things(3), make_things(30)};
  pid_t writer[2];
  int seen[2] = {0, 0}, state, running = 2;
  make_folder();
  ck_ok(save_net(&t[0]));
  for (int k = 0; k < 2; k++) {
    writer[k] = fork();
    ck_assert_int_ge(writer[k], 0);
    if (writer[k] > 0) continue;
    nnb_status status = NNB_OK;
    for (int i = 0; i < SAVES && !status; i++) status = save_net(&t[k]);
    _exit(status != NNB_OK);
  }
  while (running > 0) {
    nnb_net *net;
    ck_ok(nnb_net_load(path, NULL, &net));
    const uint64_t got = toy_hash_net(1, net);
    nnb_net_destroy(net);
    const int which = got == toy_hash_net(1, t[1].net);
    ck_assert(which || got == toy_hash_net(1, t[0].net));
    seen[which]++;
    const pid_t ended = waitpid(-1, &state, WNOHANG);
    if (ended > 0) ck_assert(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    running -= ended > 0;
  }
  ck_assert(seen[0] + seen[1] > 0 && count_files() == 1);
  remove(path), rmdir(folder);
  free_things(&t[0]), free_things(&t[1]);
}
END_TEST

int main(void) {
  Suite *s = suite_create("disk " PRECISION);
  TCase *tc = tcase_create("disk");
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, saving_to_a_full_disk);
  tcase_add_loop_test(tc, a_checkpoint_on_a_full_disk, 0, 2);
  tcase_add_test(tc, saving_to_a_read_only_folder);
  tcase_add_test(tc, a_folder_that_is_not_synced);
  tcase_add_test(tc, two_processes_save_to_one_path);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
