// XXH3-128 through the one door that DTXCore may use: a pure function and a streaming state.
#ifndef DTX_CXXHASH_H
#define DTX_CXXHASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint64_t high;
  uint64_t low;
} dtx_xxh128;

// A streaming digest, 64-byte aligned as XXH3 asks; NULL when memory is exhausted.
typedef struct dtx_xxh128_state dtx_xxh128_state;

dtx_xxh128_state *dtx_xxh128_create(void);
void dtx_xxh128_destroy(dtx_xxh128_state *state);

dtx_xxh128 dtx_xxh128_once(const void *bytes, size_t length);
void dtx_xxh128_reset(dtx_xxh128_state *state);
void dtx_xxh128_update(dtx_xxh128_state *state, const void *bytes, size_t length);
dtx_xxh128 dtx_xxh128_digest(const dtx_xxh128_state *state);

#endif
