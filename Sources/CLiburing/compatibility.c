// Symbols that would tie the binary to a newer C library than its users have.
#include <math.h>

// glibc 2.35 gave hypotf a new version. Swift's Glibc module refers to it, though nothing here calls
// it, and with that reference alone the binary would not start on RHEL 9, which has glibc 2.34.
// The squares of two floats and their sum are exact enough in a double, and cannot overflow there.
float hypotf(float x, float y) {
  if (isinf(x) || isinf(y)) return INFINITY;
  return (float)sqrt((double)x * x + (double)y * y);
}
