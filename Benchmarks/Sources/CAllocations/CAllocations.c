// A program's own definitions go before those of the C library, which lends its own under the
// names that it has for that: glibc's manual, "Replacing malloc". Swift's runtime allocates
// through them as well.
#include "CAllocations.h"

#include <errno.h>
#include <stddef.h>

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
