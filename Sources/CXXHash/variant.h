// One instruction set's XXH3-128: included by a .c file that has defined DTX_ISA (the suffix of
// the names), XXH_VECTOR and, on x86, DTX_TARGET. The library's own shared build runs its baseline
// code (8 GB/s a core where AVX2 reaches 28 and more), and its static build lacks the dispatch
// entry points, hence the header is compiled once per instruction set here.
#if !__has_include(<xxhash.h>)
#error "xxhash is missing: run  apt-get install -y liburing-dev libzstd-dev libxxhash-dev"
#endif

#include "CXXHash.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define DTX_STRINGIFY_(x) #x
#define DTX_STRINGIFY(x) DTX_STRINGIFY_(x)
#ifdef DTX_TARGET
#define DTX_PRAGMA_(x) _Pragma(#x)
#define DTX_PRAGMA(x) DTX_PRAGMA_(x)
DTX_PRAGMA(clang attribute push(__attribute__((target(DTX_TARGET))), apply_to = function))
#endif

#define XXH_INLINE_ALL
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#define DTX_NAME_(name, isa) name##_##isa
#define DTX_NAME(name, isa) DTX_NAME_(name, isa)

dtx_xxh128 DTX_NAME(dtx_xxh128_once, DTX_ISA)(const void *bytes, size_t length) {
  XXH128_hash_t hash = XXH3_128bits(bytes, length);
  return (dtx_xxh128){.high = hash.high64, .low = hash.low64};
}

void DTX_NAME(dtx_xxh128_reset, DTX_ISA)(dtx_xxh128_state *state) {
  XXH3_state_t *inner = (XXH3_state_t *)state;
  XXH3_INITSTATE(inner);
  XXH3_128bits_reset(inner);
}

void DTX_NAME(dtx_xxh128_update, DTX_ISA)(dtx_xxh128_state *state, const void *bytes,
                                          size_t length) {
  XXH3_128bits_update((XXH3_state_t *)state, bytes, length);
}

dtx_xxh128 DTX_NAME(dtx_xxh128_digest, DTX_ISA)(const dtx_xxh128_state *state) {
  XXH128_hash_t hash = XXH3_128bits_digest((const XXH3_state_t *)state);
  return (dtx_xxh128){.high = hash.high64, .low = hash.low64};
}

#ifdef DTX_TARGET
#pragma clang attribute pop
#endif
