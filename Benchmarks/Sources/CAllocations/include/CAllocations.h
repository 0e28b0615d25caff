// Counts allocations by standing before malloc and its relatives.
#ifndef DTX_CALLOCATIONS_H
#define DTX_CALLOCATIONS_H

#include <stdint.h>

// Calls of malloc, calloc, realloc, aligned_alloc, memalign and posix_memalign, by all threads,
// since the program began.
uint64_t dtx_allocation_count(void);

#endif
