/* io/save.c: temporary file, fsync, rename, fsync of the folder. */
#include "save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "status.h"

enum { LONGEST_LINK = 4096, MOST_LINKS = 40 }; /* as many as Linux follows */

typedef struct saving {
  const char *path; /* as the caller wrote it, for messages */
  char *target;     /* the file after following symbolic links */
  char *folder, *temporary;
  int fd;
  bool replaces; /* the file exists */
  bool created;  /* the temporary file exists */
} saving;

/* s->target ← the target of the symbolic link; a relative one is relative to the link's folder. */
static nnb_status follow(saving *s) {
  char link[LONGEST_LINK + 1];
  ssize_t got = readlink(s->target, link, sizeof link);
  if (got < 0 || (size_t)got == sizeof link)
    return nnb__fail_errno(s->path, "following the symbolic link", got < 0 ? errno : ENAMETOOLONG);
  const char *slash = strrchr(s->target, '/');
  size_t folder = link[0] != '/' && slash ? (size_t)(slash - s->target) + 1 : 0, n = (size_t)got;
  char *next = nnb__alloc(folder + n + 1, 1);
  if (!next) return nnb__fail_nomem(s->path);
  memcpy(next, s->target, folder);
  memcpy(next + folder, link, n);
  next[folder + n] = '\0';
  nnb__release(s->target);
  s->target = next;
  return NNB_OK;
}

/* Follows symbolic links to a file, which need not exist yet; without links it is path itself. */
static nnb_status resolve(saving *s, struct stat *st) {
  s->target = nnb__strdup(s->path);
  nnb_status status = s->target ? NNB_OK : nnb__fail_nomem(s->path);
  for (int links = 0; !status && lstat(s->target, st) == 0 && S_ISLNK(st->st_mode); links++)
    status = links < MOST_LINKS ? follow(s) : nnb__fail_errno(s->path, "following the symbolic link", ELOOP);
  return status;
}

/* mode ← that of the existing file; the new file gets the same permissions. */
static nnb_status inspect_target(saving *s, mode_t *mode) {
  struct stat st;
  nnb_status status = resolve(s, &st);
  *mode = 0;
  if (status || stat(s->target, &st) != 0) return status;
  if (!S_ISREG(st.st_mode)) return nnb__fail(NNB_E_IO, "%s exists and is not a regular file", s->path);
  *mode = st.st_mode & 0777;
  s->replaces = true;
  return NNB_OK;
}

static nnb_status name_temporary(saving *s) {
  static atomic_uint counter;
  const char *slash = strrchr(s->target, '/');
  size_t n = slash ? (size_t)(slash - s->target) + 1 : 0; /* includes the slash: "/x" is in "/" */
  if (!s->folder) {
    s->folder = nnb__alloc(n + 2, 1);
    s->temporary = nnb__alloc(n + 64, 1);
    if (!s->folder || !s->temporary) return nnb__fail_nomem(s->path);
    memcpy(s->folder, n ? s->target : ".", n ? n : 1);
    s->folder[n ? n : 1] = '\0';
  }
  snprintf(s->temporary, n + 64, "%.*s.nnblas-%ld-%u.tmp", (int)n, s->target, (long)getpid(),
           atomic_fetch_add(&counter, 1));
  return NNB_OK;
}

static nnb_status create(saving *s, mode_t mode) {
  for (int tries = 0; tries < 100; tries++) {
    nnb_status status = name_temporary(s);
    if (status) return status;
    s->fd = open(s->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); /* minus the umask */
    if (s->fd >= 0 || errno != EEXIST) break;
  }
  if (s->fd < 0) return nnb__fail_errno(s->path, "creating a temporary file beside it", errno);
  s->created = true;
  if (s->replaces && fchmod(s->fd, mode) != 0) return nnb__fail_errno(s->path, "setting the permissions", errno);
  return NNB_OK;
}

static nnb_status write_all(saving *s, const nnb__piece *piece) {
  const char *p = piece->p;
  for (size_t n = piece->bytes; n > 0;) {
    ssize_t done = write(s->fd, p, n < 1u << 30 ? n : 1u << 30);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return nnb__fail_errno(s->path, "writing", errno);
    p += done, n -= (size_t)done;
  }
  return NNB_OK;
}

static nnb_status sync_and_close(saving *s) {
  int synced = fsync(s->fd), error = errno, closed = close(s->fd);
  if (synced == 0) error = errno;
  s->fd = -1;
  return synced == 0 && closed == 0 ? NNB_OK : nnb__fail_errno(s->path, "writing to disk", error);
}

/* The new name is durable only if the folder is on disk.  A folder that cannot be opened, or a file system that cannot
 * sync it, is not an error: the file is in place. */
static nnb_status sync_folder(saving *s) {
  int fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return NNB_OK;
  int synced = fsync(fd), error = errno;
  close(fd);
  return synced == 0 || error == EINVAL || error == ENOTSUP
             ? NNB_OK
             : nnb__fail_errno(s->path, "the new file is in place, but writing its folder to disk", error);
}

static nnb_status put_in_place(saving *s) {
  if (rename(s->temporary, s->target) != 0) return nnb__fail_errno(s->path, "renaming the temporary file", errno);
  s->created = false;
  return sync_folder(s);
}

static nnb_status begin(saving *s) {
  mode_t mode;
  nnb_status status = inspect_target(s, &mode);
  return status ? status : create(s, mode);
}

static void end(saving *s) {
  if (s->fd >= 0) close(s->fd);
  if (s->created) unlink(s->temporary);
  nnb__release(s->target);
  nnb__release(s->folder);
  nnb__release(s->temporary);
}

nnb_status nnb__save_try(const char *path) {
  saving s = {.path = path, .fd = -1};
  nnb_status status = begin(&s);
  end(&s);
  return status;
}

nnb_status nnb__save(const char *path, const nnb__piece *pieces, size_t n) {
  saving s = {.path = path, .fd = -1};
  nnb_status status = begin(&s);
  for (size_t i = 0; !status && i < n; i++) status = write_all(&s, &pieces[i]);
  if (!status) status = sync_and_close(&s);
  if (!status) status = put_in_place(&s);
  end(&s);
  return status;
}
