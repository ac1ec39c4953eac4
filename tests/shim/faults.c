/* What a machine may do to a process while it runs: set its clock, and refuse to write.
 *
 * Preloaded into the server, it reads two numbers from the file that AUDIT_LOG_FAULTS names, anew at every call: int64 milliseconds by which the
 * clock is off, and int64 an error (EROFS, ENOSPC, …; 0 for none) that every write to a database file ends with.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MOST_FILES 4096

static const volatile int64_t *faults;
/* Whether a descriptor is a database file's. */
static char watched[MOST_FILES];

#define REAL(name) \
  static __typeof__(name) *real_##name; \
  if (!real_##name) real_##name = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
  REAL(open);
  const char *path = getenv("AUDIT_LOG_FAULTS");
  if (!path) return;
  int fd = real_open(path, O_RDONLY | O_CLOEXEC);
  void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) abort();
  faults = map;
  close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  REAL(clock_gettime);
  int result = real_clock_gettime(clock, time);
  if (result == 0 && faults && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t ns = time->tv_nsec + faults[0] % 1000 * 1000000;
    time->tv_sec += faults[0] / 1000 + (ns >= 1000000000) - (ns < 0);
    time->tv_nsec = ns + (ns < 0) * 1000000000 - (ns >= 1000000000) * 1000000000;
  }
  return result;
}

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

static int opened(int fd, const char *path) {
  if (fd >= 0 && fd < MOST_FILES) watched[fd] = ends_with(path, ".db") || ends_with(path, ".db-wal") || ends_with(path, ".db-journal");
  return fd;
}

#define OPEN_BODY(call) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); } \
  return opened(call, path)

int open(const char *path, int flags, ...) { REAL(open); OPEN_BODY(real_open(path, flags, mode)); }
int open64(const char *path, int flags, ...) { REAL(open64); OPEN_BODY(real_open64(path, flags, mode)); }
int openat(int dir, const char *path, int flags, ...) { REAL(openat); OPEN_BODY(real_openat(dir, path, flags, mode)); }

int close(int fd) {
  REAL(close);
  if (fd >= 0 && fd < MOST_FILES) watched[fd] = 0;
  return real_close(fd);
}

static int refused(int fd) {
  if (!faults || faults[1] == 0 || fd < 0 || fd >= MOST_FILES || !watched[fd]) return 0;
  errno = (int)faults[1];
  return 1;
}

ssize_t write(int fd, const void *bytes, size_t count) { REAL(write); return refused(fd) ? -1 : real_write(fd, bytes, count); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { REAL(pwrite); return refused(fd) ? -1 : real_pwrite(fd, bytes, count, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { REAL(pwrite64); return refused(fd) ? -1 : real_pwrite64(fd, bytes, count, at); }
int ftruncate(int fd, off_t size) { REAL(ftruncate); return refused(fd) ? -1 : real_ftruncate(fd, size); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); return refused(fd) ? -1 : real_ftruncate64(fd, size); }
