#if defined(__x86_64__)
#define DTX_ISA avx2
#define DTX_TARGET "avx2"
#define XXH_VECTOR 2 /* XXH_AVX2 */
#include "variant.h"
#endif
