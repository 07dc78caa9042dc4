/* cli/files.c: see files.h. */
#include "files.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"

static bool is_stdout(const char *path) {
  return !path || strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0;
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

/* "folder/" of "folder/name", or "". */
static size_t folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

/* name in the folder of path, to be freed; NULL: out of memory. */
static char *beside(const char *path, const char *name) {
  const size_t n = name[0] == '/' ? 0 : folder_length(path), k = strlen(name);
  char *out = malloc(n + k + 1);
  if (out) memcpy(out, path, n), memcpy(out + n, name, k + 1);
  return out;
}

/* Whether it is, or leads to, what is open already: /dev/stdout, /dev/fd/3. */
static bool is_device_path(const char *path) {
  return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
}

/* path, or what it is a link to, even if that does not exist yet; to be freed.  *device: it goes through a path of
 * devices.  NULL: out of memory. */
static char *followed(const char *path, bool *device) {
  enum { MOST_LINKS = 40 };
  char target[PATH_MAX], *at = strdup(path);
  *device = false;
  for (int i = 0; at && i < MOST_LINKS; i++) {
    *device |= is_device_path(at);
    const ssize_t n = readlink(at, target, sizeof target - 1);
    if (n < 0) break;
    target[n] = '\0';
    char *next = beside(at, target);
    free(at);
    at = next;
  }
  return at;
}

/* "folder/." of a path; to be freed. */
static char *folder_of(const char *path) { return beside(path, "."); }

static bool are_one_folder(const char *a, const char *b) {
  struct stat s, t;
  char *first = folder_of(a), *second = folder_of(b);
  const bool same =
      first && second && stat(first, &s) == 0 && stat(second, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
  free(first), free(second);
  return same;
}

/* Of files that exist, or would be made. */
static bool are_one_file(const char *a, const char *b) {
  struct stat s, t;
  if (strcmp(a, b) == 0) return true;
  const bool have_a = stat(a, &s) == 0, have_b = stat(b, &t) == 0;
  if (have_a && have_b) return s.st_dev == t.st_dev && s.st_ino == t.st_ino && S_ISREG(s.st_mode);
  if (have_a || have_b) return false;
  bool device;
  char *first = followed(a, &device), *second = followed(b, &device);
  const bool same = first && second && strcmp(first + folder_length(first), second + folder_length(second)) == 0 &&
                    are_one_folder(first, second);
  free(first), free(second);
  return same;
}

/* ---- before the work --------------------------------------------------------------------------------------------- */

int spare(const char *input, const char *flag, const char *output) {
  if (!output || !input || is_stdout(input) || !are_one_file(output, input)) return EX_OK;
  return refuse(EX_USAGE, "%s %s would overwrite a file that is read; give another name", flag, output);
}

int apart(const char *flag, const char *path, const char *other_flag, const char *other) {
  if (!path || !other || is_stdout(path) || !are_one_file(path, other)) return EX_OK;
  return refuse(EX_USAGE, "%s and %s want two files, not twice %s", flag, other_flag, path);
}

/* Whether files can be made beside path, or beside what it is a link to. */
static int check_folder(const char *path) {
  bool device;
  char *place = followed(path, &device), *folder = place ? folder_of(place) : NULL;
  int code = folder ? EX_OK : refuse(EX_OSERR, "out of memory");
  if (!code && access(folder, W_OK | X_OK) != 0) code = refuse(EX_CANTCREAT, "%s: %s", path, strerror(errno));
  free(place), free(folder);
  return code;
}

int check_output(const char *flag, const char *path, bool whole) {
  struct stat s;
  if (!path) return EX_OK;
  if (!*path || strcmp(path, "-") == 0)
    return refuse(EX_USAGE, "%s wants the name of a file, not %s", flag, *path ? path : "\"\"");
  const bool exists = stat(path, &s) == 0;
  if (!exists && errno != ENOENT) return refuse(EX_CANTCREAT, "%s: %s", path, strerror(errno));
  if (exists && (whole ? !S_ISREG(s.st_mode) : S_ISDIR(s.st_mode)))
    return refuse(EX_CANTCREAT, "%s %s: it exists and is no regular file", flag, path);
  if (whole || !exists) return check_folder(path);
  return access(path, W_OK) == 0 ? EX_OK : refuse(EX_CANTCREAT, "%s: %s", path, strerror(errno));
}

/* ---- results as text --------------------------------------------------------------------------------------------- */

/* What a new file may have; there is no call that only reads it. */
static mode_t new_mode(void) {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

/* Opens a new file beside the place; false if that cannot be. */
static bool open_beside(text_file *out, mode_t mode) {
  out->temporary = beside(out->place, ".nnblas-XXXXXX.tmp");
  const int fd = out->temporary ? mkstemps(out->temporary, 4) : -1;
  if (fd >= 0 && fchmod(fd, mode) == 0 && (out->stream = fdopen(fd, "w"))) return true;
  if (fd >= 0) close(fd), unlink(out->temporary);
  free(out->temporary);
  out->temporary = NULL;
  return false;
}

/* Whether a new file in its place would be the same: no other links to it, no other owner. */
static bool is_own(const struct stat *s) {
  return S_ISREG(s->st_mode) && s->st_nlink == 1 && s->st_uid == geteuid() && s->st_gid == getegid();
}

int open_text(const char *path, text_file *out) {
  struct stat s;
  bool device;
  *out = (text_file){.stream = stdout};
  if (is_stdout(path)) return EX_OK;
  *out = (text_file){.path = path, .place = followed(path, &device)};
  const bool exists = stat(path, &s) == 0;
  if (exists ? access(path, W_OK) != 0 : errno != ENOENT) return refuse(EX_CANTCREAT, "%s: %s", path, strerror(errno));
  const bool replaces = out->place && !device && (!exists || is_own(&s));
  if (replaces && open_beside(out, exists ? s.st_mode & 0777 : new_mode())) return EX_OK;
  out->stream = fopen(path, "w");
  return out->stream ? EX_OK : refuse(EX_CANTCREAT, "%s: %s", path, strerror(errno));
}

/* Where the place cannot be taken, as that of a file that is mounted: its content is replaced. */
static bool copy(const char *from, const char *to) {
  char block[4096];
  size_t n;
  FILE *in = fopen(from, "r"), *out = in ? fopen(to, "w") : NULL;
  while (out && (n = fread(block, 1, sizeof block, in)) > 0) fwrite(block, 1, n, out);
  bool lost = !out || ferror(in) || ferror(out);
  if (out && fclose(out) != 0) lost = true;
  if (in) fclose(in);
  if (!lost) unlink(from);
  return !lost;
}

int close_text(text_file *file) {
  if (!file->path) return close_stdout();
  bool lost = !file->stream || ferror(file->stream) || fflush(file->stream) != 0;
  if (file->temporary && !lost) lost = fsync(fileno(file->stream)) != 0;
  if (file->stream && fclose(file->stream) != 0) lost = true;
  if (file->temporary && !lost) lost = rename(file->temporary, file->place) != 0 && !copy(file->temporary, file->path);
  const int error = errno;
  if (file->temporary && lost) unlink(file->temporary);
  const int code =
      lost && file->stream ? refuse(EX_IOERR, "%s: writing failed: %s", file->path, strerror(error)) : EX_OK;
  free(file->place), free(file->temporary);
  return code;
}

int close_stdout(void) {
  const bool lost = ferror(stdout) != 0;
  if (fflush(stdout) == 0 && !lost) return EX_OK;
  return refuse(EX_IOERR, "standard output: writing failed: %s", strerror(errno));
}
