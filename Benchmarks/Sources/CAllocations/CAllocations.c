// A program's own definitions go before those of the C library, which lends its own under the
// names that it has for that: glibc's manual, "Replacing malloc". Swift's runtime allocates
// through them as well.
#include "CAllocations.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *place, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static uint64_t allocation_count;

static inline void count_one(void) {
  __atomic_fetch_add(&allocation_count, 1, __ATOMIC_RELAXED);
}

uint64_t dtx_allocation_count(void) {
  return __atomic_load_n(&allocation_count, __ATOMIC_RELAXED);
}

void *malloc(size_t size) {
  count_one();
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  count_one();
  return __libc_calloc(count, size);
}

void *realloc(void *place, size_t size) {
  count_one();
  return __libc_realloc(place, size);
}

void *memalign(size_t alignment, size_t size) {
  count_one();
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count_one();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **place, size_t alignment, size_t size) {
  count_one();
  void *found = __libc_memalign(alignment, size);
  if (!found) return ENOMEM;
  *place = found;
  return 0;
}

// Appends "PID COUNT" to the file that DTX_ALLOCATIONS names, when the program ends.
__attribute__((destructor)) static void report(void) {
  const char *path = getenv("DTX_ALLOCATIONS");
  if (!path) return;
  char line[64];
  int length = snprintf(
      line, sizeof line, "%d %llu\n", (int)getpid(), (unsigned long long)dtx_allocation_count());
  int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (write(file, line, (size_t)length) != length) perror(path);
  close(file);
}
