#if defined(__x86_64__)
#define DTX_ISA avx512
#define DTX_TARGET "avx512f,evex512"
#define XXH_VECTOR 3 /* XXH_AVX512 */
#include "variant.h"
#endif
