/* A machine that loses power loses what was written and not yet synced; a killed process does not, since the page cache outlives it.
 *
 * This library, preloaded into the server, makes the difference visible: before each write to a database file it appends what stood there
 * to FILE.undo, and each sync of the file empties FILE.undo. After `kill -9` the test plays FILE.undo backwards, and so throws away
 * exactly the writes that no sync had covered.
 *
 * A record: int64 kind (0 write, 1 truncate), int64 offset, int64 length of the old bytes, int64 the file's old size, the old bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define MOST_FILES 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* For each descriptor of a watched file: the descriptor of its undo file plus one; 0 where it is not watched. */
static int undo_of[MOST_FILES];

#define REAL(name) \
  static __typeof__(name) *real_##name; \
  if (!real_##name) real_##name = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

static void watch(int fd, const char *path) {
  REAL(open);
  if (fd < 0 || fd >= MOST_FILES || !(ends_with(path, ".db") || ends_with(path, ".db-wal") || ends_with(path, ".db-journal"))) return;
  char undo[4096];
  snprintf(undo, sizeof undo, "%s.undo", path);
  int undo_fd = real_open(undo, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (undo_fd < 0) abort();
  undo_of[fd] = undo_fd + 1;
}

static void keep(int fd, int64_t kind, int64_t offset, int64_t length) {
  REAL(write);
  struct stat now;
  if (fstat(fd, &now) != 0) abort();
  int64_t there = now.st_size > offset ? now.st_size - offset : 0;
  if (length > there) length = there;
  size_t total = 32 + (size_t)length;
  char *record = malloc(total);
  if (!record) abort();
  int64_t head[4] = {kind, offset, length, now.st_size};
  memcpy(record, head, 32);
  if (length > 0 && pread(fd, record + 32, (size_t)length, offset) != length) abort();
  if (real_write(undo_of[fd] - 1, record, total) != (ssize_t)total) abort();
  free(record);
}

static int watched(int fd) { return fd >= 0 && fd < MOST_FILES && undo_of[fd] != 0; }

#define OPEN_BODY(call) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); } \
  int fd = call; \
  if (fd >= 0) { pthread_mutex_lock(&lock); watch(fd, path); pthread_mutex_unlock(&lock); } \
  return fd

int open(const char *path, int flags, ...) { REAL(open); OPEN_BODY(real_open(path, flags, mode)); }
int open64(const char *path, int flags, ...) { REAL(open64); OPEN_BODY(real_open64(path, flags, mode)); }
int openat(int dir, const char *path, int flags, ...) { REAL(openat); OPEN_BODY(real_openat(dir, path, flags, mode)); }

int close(int fd) {
  REAL(close);
  pthread_mutex_lock(&lock);
  if (watched(fd)) { real_close(undo_of[fd] - 1); undo_of[fd] = 0; }
  int result = real_close(fd);
  pthread_mutex_unlock(&lock);
  return result;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(write);
  if (!watched(fd)) return real_write(fd, bytes, count);
  pthread_mutex_lock(&lock);
  keep(fd, 0, lseek(fd, 0, SEEK_CUR), (int64_t)count);
  ssize_t result = real_write(fd, bytes, count);
  pthread_mutex_unlock(&lock);
  return result;
}

#define PWRITE(name, off) \
  ssize_t name(int fd, const void *bytes, size_t count, off offset) { \
    REAL(name); \
    if (!watched(fd)) return real_##name(fd, bytes, count, offset); \
    pthread_mutex_lock(&lock); \
    keep(fd, 0, (int64_t)offset, (int64_t)count); \
    ssize_t result = real_##name(fd, bytes, count, offset); \
    pthread_mutex_unlock(&lock); \
    return result; \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define FTRUNCATE(name, off) \
  int name(int fd, off size) { \
    REAL(name); \
    if (!watched(fd)) return real_##name(fd, size); \
    pthread_mutex_lock(&lock); \
    keep(fd, 1, (int64_t)size, INT64_MAX); \
    int result = real_##name(fd, size); \
    pthread_mutex_unlock(&lock); \
    return result; \
  }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

#define SYNC(name) \
  int name(int fd) { \
    REAL(name); \
    REAL(ftruncate); \
    if (!watched(fd)) return real_##name(fd); \
    pthread_mutex_lock(&lock); \
    int result = real_##name(fd); \
    if (result == 0 && real_ftruncate(undo_of[fd] - 1, 0) != 0) abort(); \
    pthread_mutex_unlock(&lock); \
    return result; \
  }
SYNC(fsync)
SYNC(fdatasync)
