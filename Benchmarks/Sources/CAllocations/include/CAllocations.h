// Counts allocations by standing before malloc and its relatives: linked into a program, or put
// before its libraries by LD_PRELOAD. With DTX_ALLOCATIONS=FILE in its environment the program
// appends its number and its count to that file when it ends.
#ifndef DTX_CALLOCATIONS_H
#define DTX_CALLOCATIONS_H

#include <stdint.h>

// Calls of malloc, calloc, realloc, aligned_alloc, memalign and posix_memalign, by all threads,
// since the program began.
uint64_t dtx_allocation_count(void);

#endif
