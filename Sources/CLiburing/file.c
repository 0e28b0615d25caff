// Calls on files and directories.
#define _GNU_SOURCE
#include "CLiburing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

const int dtx_open_path = O_PATH;
const int dtx_open_direct = O_DIRECT;
const int dtx_advice_huge = MADV_HUGEPAGE;

int dtx_openat(int directory, const char *name, int flags, mode_t mode) {
  return openat(directory, name, flags | O_CLOEXEC, mode);
}

int dtx_open_beneath(int directory, const char *name, int flags) {
  struct open_how how = {
    .flags = (uint64_t)(flags | O_CLOEXEC),
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  };
  return (int)syscall(SYS_openat2, directory, name, &how, sizeof how);
}

int dtx_status(int directory, const char *name, int is_fresh, struct dtx_status *status) {
  struct statx found;
  int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH;
  if (is_fresh) flags |= AT_STATX_FORCE_SYNC;
  if (statx(directory, name, flags, STATX_BASIC_STATS, &found) < 0) return -1;
  *status = (struct dtx_status){
    .mode = found.stx_mode,
    .user = found.stx_uid,
    .group = found.stx_gid,
    .link_count = found.stx_nlink,
    .device_major = found.stx_rdev_major,
    .device_minor = found.stx_rdev_minor,
    .byte_count = found.stx_size,
    .allocated_byte_count = found.stx_blocks * 512,
    .device = makedev(found.stx_dev_major, found.stx_dev_minor),
    .inode = found.stx_ino,
    .modified_seconds = found.stx_mtime.tv_sec,
    .changed_seconds = found.stx_ctime.tv_sec,
    .modified_nanoseconds = found.stx_mtime.tv_nsec,
    .changed_nanoseconds = found.stx_ctime.tv_nsec,
  };
  return 0;
}

// Debian 12's headers do not have it yet; the kernel's fill places that were spare in theirs.
#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0x2000U
#endif

int dtx_direct_alignment(int descriptor, uint32_t *memory, uint32_t *offset) {
  // struct statx as of Linux 6.1 (include/uapi/linux/stat.h), whose length is fixed.
  union {
    struct statx found;
    unsigned char bytes[256];
  } status;
  _Static_assert(sizeof status == 256, "struct statx has 256 bytes");
  enum { memory_place = 0x98, offset_place = 0x9C };
  memset(&status, 0, sizeof status);
  if (statx(descriptor, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status.found) < 0) return -1;
  *memory = *offset = 0;
  if (!(status.found.stx_mask & STATX_DIOALIGN)) return 0;
  memcpy(memory, status.bytes + memory_place, sizeof *memory);
  memcpy(offset, status.bytes + offset_place, sizeof *offset);
  return 0;
}

// Older headers do not have it; the number is the same on every architecture.
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

// mincore(2) of a range that is mapped for it, some pages at a time.
static int64_t resident_byte_count(int descriptor, int64_t offset, int64_t length) {
  enum { page = 4096, pages = 4096 };
  unsigned char found[pages];
  int64_t count = 0;
  int64_t end = offset + length;
  for (int64_t start = offset / page * page; start < end; start += (int64_t)page * pages) {
    size_t span = (size_t)(end - start < page * pages ? end - start : page * pages);
    void *mapped = mmap(NULL, span, PROT_READ, MAP_SHARED, descriptor, start);
    if (mapped == MAP_FAILED) return -1;
    int result = mincore(mapped, span, found);
    munmap(mapped, span);
    if (result < 0) return -1;
    for (size_t index = 0; index < (span + page - 1) / page; index++) {
      count += (found[index] & 1) * page;
    }
  }
  return count < length ? count : length;
}

int64_t dtx_cached_byte_count(int descriptor, int64_t offset, int64_t length) {
  if (length <= 0) return 0;
  uint64_t range[2] = {(uint64_t)offset, (uint64_t)length};
  uint64_t found[5]; // pages: cached, dirty, in writeback, evicted, recently evicted
  if (syscall(SYS_cachestat, descriptor, range, found, 0) < 0) {
    if (errno != ENOSYS) return errno == EPERM || errno == EACCES ? length : -1;
    return resident_byte_count(descriptor, offset, length);
  }
  int64_t count = (int64_t)found[0] * sysconf(_SC_PAGESIZE);
  return count < length ? count : length;
}

int dtx_pieces(
    void *first, size_t piece, size_t stride, size_t position, size_t count, struct iovec *parts,
    int most) {
  int used = 0;
  while (count > 0 && used < most) {
    size_t start = position % piece;
    size_t part = piece - start < count ? piece - start : count;
    parts[used++] = (struct iovec){(char *)first + position / piece * stride + start, part};
    position += part;
    count -= part;
  }
  return used;
}

ssize_t dtx_read_apart(
    int descriptor, void *first, size_t piece, size_t stride, size_t position, size_t count,
    int64_t offset) {
  enum { most = 64 };
  struct iovec parts[most];
  int used = dtx_pieces(first, piece, stride, position, count, parts, most);
  return preadv(descriptor, parts, used, offset);
}

ssize_t dtx_read_entries(int directory, void *buffer, size_t capacity) {
  return syscall(SYS_getdents64, directory, buffer, capacity);
}

int dtx_set_mode(int directory, const char *name, mode_t mode) {
  if (!*name) return fchmod(directory, mode);
#ifdef SYS_fchmodat2
  int result = (int)syscall(SYS_fchmodat2, directory, name, mode, AT_SYMLINK_NOFOLLOW);
  // EPERM as well: some containers answer an unknown call so. A true EPERM comes back below.
  if (result == 0 || (errno != ENOSYS && errno != EPERM)) return result;
#endif
  // Before Linux 6.6 no call changes a mode without following, so hold the file itself first.
  int held = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (held < 0) return -1;
  struct stat status;
  int outcome = fstat(held, &status);
  if (outcome == 0 && S_ISLNK(status.st_mode)) {
    errno = EOPNOTSUPP;
    outcome = -1;
  }
  if (outcome == 0) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", held);
    outcome = chmod(path, mode);
  }
  int number = errno;
  close(held);
  errno = number;
  return outcome;
}

int dtx_set_modified(int directory, const char *name, int64_t seconds, uint32_t nanoseconds) {
  struct timespec times[2] = {
    {.tv_nsec = UTIME_OMIT},
    {.tv_sec = seconds, .tv_nsec = nanoseconds},
  };
  if (!*name) return futimens(directory, times);
  return utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW);
}

int dtx_set_owner(int directory, const char *name, uint32_t user, uint32_t group) {
  return fchownat(directory, name, user, group, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
}

int dtx_rename_to_free(int from, const char *old, int to, const char *new) {
  return renameat2(from, old, to, new, RENAME_NOREPLACE);
}

int dtx_rename_exclusively(int from, const char *old, int to, const char *new) {
  if (dtx_rename_to_free(from, old, to, new) == 0) return 0;
  // EINVAL: a file system without it. A link is made by one call, too, and never replaces.
  if (errno != EINVAL && errno != ENOSYS) return -1;
  if (linkat(from, old, to, new, 0) < 0) return -1;
  return unlinkat(from, old, 0);
}

int dtx_make_node(int directory, const char *name, mode_t mode, uint32_t major, uint32_t minor) {
  return mknodat(directory, name, mode, makedev(major, minor));
}

int dtx_file_system(int descriptor, struct dtx_file_system *result) {
  struct statfs found;
  if (fstatfs(descriptor, &found) < 0) return -1;
  uint64_t unit = (uint64_t)(found.f_frsize ? found.f_frsize : found.f_bsize);
  // An unsigned kernel field of all ones means "unknown" on some network file systems.
  uint64_t byte_count;
  if (__builtin_mul_overflow((uint64_t)found.f_bavail, unit, &byte_count)) byte_count = UINT64_MAX;
  *result = (struct dtx_file_system){
    .type = found.f_type,
    .available_byte_count = byte_count,
    .inode_count = found.f_files,
    .available_inode_count = found.f_ffree,
    .name_byte_count = found.f_namelen > 0 ? (uint64_t)found.f_namelen : 0,
  };
  return 0;
}

int dtx_quota(int descriptor, int owner, uint32_t number, struct dtx_quota *quota) {
#ifdef SYS_quotactl_fd
  struct dqblk found = {0};
  int kind = owner == 0 ? USRQUOTA : GRPQUOTA;
  if (syscall(SYS_quotactl_fd, descriptor, QCMD(Q_GETQUOTA, kind), number, &found) < 0) return -1;
  // Limits are in units of 1024 bytes, and the use of bytes is in bytes (quotactl(2)).
  *quota = (struct dtx_quota){
    .byte_limit = (found.dqb_bhardlimit ? found.dqb_bhardlimit : found.dqb_bsoftlimit) * 1024,
    .bytes = found.dqb_curspace,
    .inode_limit = found.dqb_ihardlimit ? found.dqb_ihardlimit : found.dqb_isoftlimit,
    .inodes = found.dqb_curinodes,
  };
  return 0;
#else
  errno = ENOSYS;
  return -1;
#endif
}

int dtx_sync_file_system(int descriptor) { return syncfs(descriptor); }

int dtx_start_write_out(int descriptor, int64_t offset, int64_t length) {
  return sync_file_range(descriptor, offset, length, SYNC_FILE_RANGE_WRITE);
}

int dtx_lock(int descriptor, int mode) {
  static const int operations[] = {LOCK_UN, LOCK_SH, LOCK_EX};
  return flock(descriptor, operations[mode] | LOCK_NB);
}

int64_t dtx_seek(int descriptor, int64_t offset, int hole) {
  return lseek(descriptor, offset, hole ? SEEK_HOLE : SEEK_DATA);
}
