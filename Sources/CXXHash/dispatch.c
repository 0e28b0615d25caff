// Chooses the widest instruction set that this processor has, once, before main.
#include "CXXHash.h"

#define XXH_STATIC_LINKING_ONLY
#include <stdlib.h>
#include <xxhash.h>

#define DTX_VARIANT(isa)                                                               \
  dtx_xxh128 dtx_xxh128_once_##isa(const void *bytes, size_t length);                  \
  void dtx_xxh128_reset_##isa(dtx_xxh128_state *state);                                \
  void dtx_xxh128_update_##isa(dtx_xxh128_state *state, const void *bytes, size_t length); \
  dtx_xxh128 dtx_xxh128_digest_##isa(const dtx_xxh128_state *state);

typedef struct {
  dtx_xxh128 (*once)(const void *, size_t);
  void (*reset)(dtx_xxh128_state *);
  void (*update)(dtx_xxh128_state *, const void *, size_t);
  dtx_xxh128 (*digest)(const dtx_xxh128_state *);
} variant;

#define DTX_ENTRY(isa)                                                                 \
  (variant){dtx_xxh128_once_##isa, dtx_xxh128_reset_##isa, dtx_xxh128_update_##isa,    \
            dtx_xxh128_digest_##isa}

DTX_VARIANT(baseline)
#if defined(__x86_64__)
DTX_VARIANT(avx2)
DTX_VARIANT(avx512)
#endif

static variant chosen;

__attribute__((constructor)) static void choose(void) {
  chosen = DTX_ENTRY(baseline);
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) chosen = DTX_ENTRY(avx2);
  if (__builtin_cpu_supports("avx512f")) chosen = DTX_ENTRY(avx512);
#endif
}

dtx_xxh128_state *dtx_xxh128_create(void) {
  // aligned_alloc asks for a multiple of the alignment.
  size_t length = (sizeof(XXH3_state_t) + 63) / 64 * 64;
  return (dtx_xxh128_state *)aligned_alloc(64, length);
}

void dtx_xxh128_destroy(dtx_xxh128_state *state) { free(state); }

dtx_xxh128 dtx_xxh128_once(const void *bytes, size_t length) { return chosen.once(bytes, length); }
void dtx_xxh128_reset(dtx_xxh128_state *state) { chosen.reset(state); }
void dtx_xxh128_update(dtx_xxh128_state *state, const void *bytes, size_t length) {
  chosen.update(state, bytes, length);
}
dtx_xxh128 dtx_xxh128_digest(const dtx_xxh128_state *state) { return chosen.digest(state); }
