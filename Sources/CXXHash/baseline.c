// What every processor of the family has: SSE2 on x86-64, NEON on arm64, as the header finds out.
#define DTX_ISA baseline
#include "variant.h"
