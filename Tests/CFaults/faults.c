// Stands between a program and the files below a directory (LD_PRELOAD of ld.so(8)): notes what is
// done to them, and makes one chosen call fail, wait, or be the last of its process.
//
//   FAULTS_ROOT  the directory
//   FAULTS_LOG   a file that calls are noted in; see `note`
//   FAULTS_CALL  ACTION:CALL:PATTERN:NUMBER[:ARGUMENT]
//   FAULTS_FOLDS fnmatch(3)'s for directories, by their path below the directory and "." for itself:
//                names that differ in case, or in how an accent is composed, are one in them
//   FAULTS_CASES kept where they differ in composition alone
//   FAULTS_NAMES the length of the longest name that there may be, in bytes
//   FAULTS_LOCKS the directory looks as if it were NFS, with locks that each host has for itself
//                (unshared), or without any (none)
//
// ACTION is kill-before, kill-after, fail (ARGUMENT an error number), stall (ARGUMENT milliseconds),
// hold (waits for somebody who makes FAULTS_LOG.go) or rot (a read gives one byte wrongly); fail-on
// and rot-on are for this call and all that follow. When it comes about FAULTS_LOG.reached is made
// and gets the path.
// CALL and PATTERN are fnmatch(3)'s, PATTERN for the path below the directory. NUMBER counts the
// process's calls that match, from 1.
#include "CFaults.h"

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum action { nothing, kill_before, kill_after, fail_once, fail_on, stall, hold, rot, rot_on };

// What is written to a journal is noted, up to here.
enum { noted_byte_count = 64 << 10 };

static char root[PATH_MAX];
static size_t root_length;
static int log_descriptor = -1;
static char reached[PATH_MAX], go[PATH_MAX];
static const char *locks = "", *folds = "";
static int keeps_cases = 0;
static size_t longest_name = NAME_MAX;
static enum action action = nothing;
static char chosen_call[32], chosen_pattern[PATH_MAX];
static unsigned long chosen_number, argument;
static unsigned long matching_count, call_count;

typedef long syscall_function(long, ...);
static syscall_function *real_syscall;

__attribute__((constructor)) static void begin(void) {
  real_syscall = (syscall_function *)dlsym(RTLD_NEXT, "syscall");
  const char *path = getenv("FAULTS_ROOT"), *log = getenv("FAULTS_LOG");
  const char *fault = getenv("FAULTS_CALL");
  if (getenv("FAULTS_LOCKS")) locks = getenv("FAULTS_LOCKS");
  if (getenv("FAULTS_FOLDS")) folds = getenv("FAULTS_FOLDS");
  keeps_cases = getenv("FAULTS_CASES") != NULL;
  if (getenv("FAULTS_NAMES")) longest_name = strtoul(getenv("FAULTS_NAMES"), NULL, 10);
  if (!path || !realpath(path, root)) return;
  root_length = strlen(root);
  if (log) {
    log_descriptor = (int)real_syscall(SYS_openat, AT_FDCWD, log,
                                       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    snprintf(reached, sizeof reached, "%s.reached", log);
    snprintf(go, sizeof go, "%s.go", log);
  }
  char name[32];
  if (!fault
      || sscanf(fault, "%31[^:]:%31[^:]:%4095[^:]:%lu:%lu", name, chosen_call, chosen_pattern,
                &chosen_number, &argument) < 4)
    return;
  static const char *const names[] = {
    "", "kill-before", "kill-after", "fail", "fail-on", "stall", "hold", "rot", "rot-on",
  };
  for (int index = kill_before; index <= rot_on; index++)
    if (!strcmp(name, names[index])) action = (enum action)index;
}

// The path that a descriptor, or a name in it, leads to; empty for one that is not below the root.
static const char *below(int descriptor, const char *name, char path[2 * PATH_MAX]) {
  if (!root_length) return "";
  if (name && name[0] == '/') {
    snprintf(path, 2 * PATH_MAX, "%s", name);
  } else {
    char link[64];
    if (descriptor == AT_FDCWD)
      snprintf(link, sizeof link, "/proc/self/cwd");
    else
      snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = real_syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length < 0) return "";
    snprintf(path + length, PATH_MAX, name && name[0] ? "/%s" : "%s", name ? name : "");
  }
  if (strncmp(path, root, root_length)) return "";
  if (path[root_length] == '\0') return ".";
  return path[root_length] == '/' ? path + root_length + 1 : "";
}

// A name without case, unless cases are kept, and with each e and acute as the one letter: enough of
// Unicode's composition for two names that differ in nothing else.
static void fold(const char *name, char result[NAME_MAX + 1]) {
  size_t length = 0;
  while (*name && length < NAME_MAX) {
    if (!strncmp(name, "e\xCC\x81", 3)) {
      length += (size_t)snprintf(result + length, NAME_MAX + 1 - length, "\xC3\xA9");
      name += 3;
    } else {
      result[length++] = keeps_cases ? *name : (char)tolower((unsigned char)*name);
      name++;
    }
  }
  result[length < NAME_MAX ? length : NAME_MAX] = '\0';
}

static int is_same_folded(const char *one, const char *other) {
  char left[NAME_MAX + 1], right[NAME_MAX + 1];
  fold(one, left);
  fold(other, right);
  return !strcmp(left, right);
}

// The name as it is spelled where its directory folds names: a directory that has it otherwise is
// led to what it has.
static const char *spelled(int descriptor, const char *name, char result[PATH_MAX]) {
  char path[2 * PATH_MAX], rest[PATH_MAX], there[NAME_MAX + 1];
  if (!folds[0] || !name || !name[0] || name[0] == '/') return name;
  const char *place = below(descriptor, NULL, path);
  if (!place[0]) return name;
  char *after = NULL;
  snprintf(rest, sizeof rest, "%s", name);
  result[0] = '\0';
  for (char *part = strtok_r(rest, "/", &after); part; part = strtok_r(NULL, "/", &after)) {
    snprintf(there, sizeof there, "%s", part);
    DIR *listing = fnmatch(folds, place, 0) ? NULL : opendir(path);
    for (struct dirent *item; listing && (item = readdir(listing));) {
      if (is_same_folded(item->d_name, part)) snprintf(there, sizeof there, "%s", item->d_name);
      if (!strcmp(item->d_name, part)) break;
    }
    if (listing) closedir(listing);
    size_t length = strlen(result);
    snprintf(result + length, PATH_MAX - length, length ? "/%s" : "%s", there);
    length = strlen(path);
    snprintf(path + length, sizeof path - length, "/%s", there);
    place = path + root_length + 1;
  }
  return result;
}

#define SPELLED(DESCRIPTOR, NAME) spelled(DESCRIPTOR, NAME, (char[PATH_MAX]){0})

struct call {
  const char *name, *path, *new_path;
  long long offset, byte_count;
  const void *bytes;
  unsigned long number;
  enum action action;
};

// A line as a call begins ("begin") and one as it ends ("end"): process, number, call, path, new
// path, offset, byte count, and the result or the bytes, with tabs between.
static void note(const char *moment, const struct call *call, long result) {
  if (log_descriptor < 0) return;
  static const char digits[] = "0123456789abcdef";
  size_t byte_count = call->bytes && moment[0] == 'b' ? (size_t)call->byte_count : 0;
  if (byte_count > noted_byte_count) byte_count = 0;
  size_t capacity = 4 * PATH_MAX + 256 + 2 * byte_count;
  char *line = malloc(capacity);
  if (!line) abort();
  int length = snprintf(line, capacity, "%s\t%d\t%lu\t%s\t%s\t%s\t%lld\t%lld\t", moment, getpid(),
                        call->number, call->name, call->path, call->new_path ? call->new_path : "",
                        call->offset, call->byte_count);
  if (moment[0] == 'e')
    length += snprintf(line + length, capacity - (size_t)length, "%ld", result);
  for (size_t index = 0; index < byte_count; index++) {
    unsigned char byte = ((const unsigned char *)call->bytes)[index];
    line[length++] = digits[byte >> 4];
    line[length++] = digits[byte & 15];
  }
  line[length++] = '\n';
  real_syscall(SYS_write, log_descriptor, line, (size_t)length);
  free(line);
}

static void note_reached(const char *path) {
  long descriptor = real_syscall(SYS_openat, AT_FDCWD, reached, O_WRONLY | O_CREAT, 0600);
  if (descriptor < 0) return;
  real_syscall(SYS_write, descriptor, path, strlen(path));
  real_syscall(SYS_close, descriptor);
}

static void wait_for_go(void) {
  while (real_syscall(SYS_faccessat, AT_FDCWD, go, F_OK))
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

// Whether a path has a name that is too long.
static int is_too_long(const char *path) {
  while (path && *path) {
    size_t length = strcspn(path, "/");
    if (length > longest_name) return 1;
    path += length + (path[length] == '/');
  }
  return 0;
}

// Begins a call; says what its result shall be instead of the real one, 0 for the real one.
static int enter(struct call *call) {
  if (!call->path[0]) return 0;
  call->number = __atomic_add_fetch(&call_count, 1, __ATOMIC_SEQ_CST);
  note("begin", call, 0);
  if (is_too_long(call->path) || is_too_long(call->new_path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (action == nothing || fnmatch(chosen_call, call->name, 0)
      || fnmatch(chosen_pattern, call->path, 0))
    return 0;
  unsigned long number = __atomic_add_fetch(&matching_count, 1, __ATOMIC_SEQ_CST);
  int is_lasting = action == fail_on || action == rot_on;
  if (number != chosen_number && !(is_lasting && number > chosen_number)) return 0;
  call->action = action;
  note_reached(call->path);
  switch (action) {
  case kill_before: kill(getpid(), SIGKILL); pause(); break;
  case stall:
    nanosleep(&(struct timespec){.tv_sec = (time_t)(argument / 1000),
                                 .tv_nsec = (long)(argument % 1000) * 1000000}, NULL);
    break;
  case hold: wait_for_go(); break;
  case fail_once:
  case fail_on: errno = (int)argument; return -1;
  default: break;
  }
  return 0;
}

static void leave(const struct call *call, long result) {
  if (!call->path[0]) return;
  int number = errno;
  note("end", call, result);
  if (call->action == kill_after) {
    kill(getpid(), SIGKILL);
    pause();
  }
  errno = number;
}

// Does a call between its beginning and its end.
#define PERFORM(TYPE, NAME, REAL)                                                                  \
  do {                                                                                             \
    static __typeof__(NAME) *real;                                                                 \
    if (!real) real = (__typeof__(NAME) *)dlsym(RTLD_NEXT, #NAME);                                 \
    TYPE result = (TYPE)enter(&call);                                                              \
    if (result == 0) result = REAL;                                                                \
    leave(&call, (long)result);                                                                    \
    return result;                                                                                 \
  } while (0)

#define CALL(NAME, DESCRIPTOR, PATH, ...)                                                          \
  char path[2 * PATH_MAX];                                                                         \
  struct call call = {.name = #NAME, .path = below(DESCRIPTOR, PATH, path), __VA_ARGS__}

// What the medium gave back, if it is to be wrong.
static ssize_t spoiled(const struct call *call, void *bytes, ssize_t result) {
  if (result > 0 && (call->action == rot || call->action == rot_on)) *(unsigned char *)bytes ^= 1;
  return result;
}

ssize_t pread(int descriptor, void *bytes, size_t byte_count, off_t offset) {
  CALL(pread, descriptor, NULL, .offset = offset, .byte_count = (long long)byte_count);
  PERFORM(ssize_t, pread,
          spoiled(&call, bytes, real(descriptor, bytes, byte_count, offset)));
}

ssize_t preadv(int descriptor, const struct iovec *pieces, int count, off_t offset) {
  CALL(preadv, descriptor, NULL, .offset = offset, .byte_count = count);
  PERFORM(ssize_t, preadv,
          spoiled(&call, pieces[0].iov_base, real(descriptor, pieces, count, offset)));
}

ssize_t pwrite(int descriptor, const void *bytes, size_t byte_count, off_t offset) {
  CALL(pwrite, descriptor, NULL, .offset = offset, .byte_count = (long long)byte_count);
  PERFORM(ssize_t, pwrite, real(descriptor, bytes, byte_count, offset));
}

ssize_t read(int descriptor, void *bytes, size_t byte_count) {
  CALL(read, descriptor, NULL, .byte_count = (long long)byte_count);
  PERFORM(ssize_t, read, spoiled(&call, bytes, real(descriptor, bytes, byte_count)));
}

ssize_t write(int descriptor, const void *bytes, size_t byte_count) {
  CALL(write, descriptor, NULL, .byte_count = (long long)byte_count, .bytes = bytes);
  PERFORM(ssize_t, write, real(descriptor, bytes, byte_count));
}

// The offset that is noted is the call's, and the byte count says what is looked for.
off_t lseek(int descriptor, off_t offset, int whence) {
  CALL(lseek, descriptor, NULL, .offset = offset, .byte_count = whence);
  PERFORM(off_t, lseek, real(descriptor, offset, whence));
}

struct statx;

// The flags are noted as an offset, for want of another place.
int statx(int descriptor, const char *name, int flags, unsigned mask, struct statx *found) {
  CALL(statx, descriptor, name, .offset = flags, .byte_count = mask);
  PERFORM(int, statx, real(descriptor, SPELLED(descriptor, name), flags, mask, found));
}

int ftruncate(int descriptor, off_t byte_count) {
  CALL(ftruncate, descriptor, NULL, .byte_count = byte_count);
  PERFORM(int, ftruncate, real(descriptor, byte_count));
}

int fsync(int descriptor) {
  CALL(fsync, descriptor, NULL);
  PERFORM(int, fsync, real(descriptor));
}

int fdatasync(int descriptor) {
  CALL(fdatasync, descriptor, NULL);
  PERFORM(int, fdatasync, real(descriptor));
}

int syncfs(int descriptor) {
  CALL(syncfs, descriptor, NULL);
  PERFORM(int, syncfs, real(descriptor));
}

int renameat(int from, const char *old, int to, const char *new) {
  char new_path[2 * PATH_MAX];
  CALL(renameat, from, old, .new_path = below(to, new, new_path));
  PERFORM(int, renameat, real(from, SPELLED(from, old), to, SPELLED(to, new)));
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
  char new_path[2 * PATH_MAX];
  CALL(renameat2, from, old, .new_path = below(to, new, new_path), .offset = flags);
  PERFORM(int, renameat2, real(from, SPELLED(from, old), to, SPELLED(to, new), flags));
}

int rename(const char *old, const char *new) {
  char new_path[2 * PATH_MAX];
  CALL(rename, AT_FDCWD, old, .new_path = below(AT_FDCWD, new, new_path));
  PERFORM(int, rename, real(old, new));
}

int linkat(int from, const char *old, int to, const char *new, int flags) {
  char new_path[2 * PATH_MAX];
  CALL(linkat, from, old, .new_path = below(to, new, new_path));
  PERFORM(int, linkat, real(from, SPELLED(from, old), to, SPELLED(to, new), flags));
}

int unlinkat(int descriptor, const char *name, int flags) {
  CALL(unlinkat, descriptor, name);
  PERFORM(int, unlinkat, real(descriptor, SPELLED(descriptor, name), flags));
}

int mkdirat(int descriptor, const char *name, mode_t mode) {
  CALL(mkdirat, descriptor, name);
  PERFORM(int, mkdirat, real(descriptor, SPELLED(descriptor, name), mode));
}

int symlinkat(const char *target, int descriptor, const char *name) {
  CALL(symlinkat, descriptor, name);
  PERFORM(int, symlinkat, real(target, descriptor, SPELLED(descriptor, name)));
}

int fchmod(int descriptor, mode_t mode) {
  CALL(fchmod, descriptor, NULL);
  PERFORM(int, fchmod, real(descriptor, mode));
}

int futimens(int descriptor, const struct timespec times[2]) {
  CALL(futimens, descriptor, NULL);
  PERFORM(int, futimens, real(descriptor, times));
}

int utimensat(int descriptor, const char *name, const struct timespec times[2], int flags) {
  CALL(utimensat, descriptor, name);
  PERFORM(int, utimensat, real(descriptor, SPELLED(descriptor, name), times, flags));
}

int openat(int descriptor, const char *name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = va_arg(more, mode_t);
  va_end(more);
  CALL(openat, descriptor, name);
  PERFORM(int, openat, real(descriptor, SPELLED(descriptor, name), flags, mode));
}

int open(const char *name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = va_arg(more, mode_t);
  va_end(more);
  CALL(open, AT_FDCWD, name);
  PERFORM(int, open, real(name, flags, mode));
}

int flock(int descriptor, int operation) {
  CALL(flock, descriptor, NULL);
  PERFORM(int, flock,
          !path[0] || !locks[0] ? real(descriptor, operation)
          : strcmp(locks, "none") ? 0 : (errno = ENOLCK, -1));
}

int fstatfs(int descriptor, struct statfs *found) {
  static __typeof__(fstatfs) *real;
  if (!real) real = (__typeof__(fstatfs) *)dlsym(RTLD_NEXT, "fstatfs");
  int result = real(descriptor, found);
  char path[2 * PATH_MAX];
  enum { nfs = 0x6969 };
  if (result < 0 || !below(descriptor, NULL, path)[0]) return result;
  if (locks[0]) found->f_type = nfs;
  if (longest_name < NAME_MAX) found->f_namelen = (long)longest_name;
  return result;
}

int mkstemp(char *name) {
  CALL(mkstemp, AT_FDCWD, name);
  PERFORM(int, mkstemp, real(name));
}

// openat2(2) has no function of its own in the C library.
long syscall(long number, ...) {
  va_list more;
  va_start(more, number);
  long values[6];
  for (int index = 0; index < 6; index++) values[index] = va_arg(more, long);
  va_end(more);
  if (!real_syscall) real_syscall = (syscall_function *)dlsym(RTLD_NEXT, "syscall");
  char path[2 * PATH_MAX];
  struct call call = {.name = "openat", .path = ""};
  char there[PATH_MAX];
  if (number == SYS_openat2) {
    call.path = below((int)values[0], (const char *)values[1], path);
    values[1] = (long)spelled((int)values[0], (const char *)values[1], there);
  }
  long result = enter(&call);
  if (result == 0)
    result = real_syscall(number, values[0], values[1], values[2], values[3], values[4], values[5]);
  leave(&call, result);
  return result;
}
