#include "CSynthesis.h"

#include <string.h>

// SplitMix64 by its counter.
static inline uint64_t word(uint64_t seed, uint64_t index) {
  uint64_t mixed = seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
  mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
  return mixed ^ (mixed >> 31);
}

void dtx_fill_random(void *bytes, size_t length, uint64_t seed, uint64_t offset) {
  uint8_t *place = bytes;
  for (size_t index = 0; index < length / 8; index++) {
    uint64_t value = word(seed, offset / 8 + index);
    memcpy(place + 8 * index, &value, 8);
  }
}

void dtx_fill_noise(void *bytes, size_t length, uint64_t seed, uint64_t offset) {
  uint8_t *place = bytes;
  for (size_t index = 0; index < length / 4; index++) {
    uint64_t value = word(seed, offset / 4 + index);
    // The sum of four even bytes: a bell that ends at 3.5 standard deviations of 147.8.
    uint64_t pairs = (value & UINT64_C(0x00ff00ff00ff00ff)) +
                     ((value >> 8) & UINT64_C(0x00ff00ff00ff00ff));
    uint64_t sums = pairs + (pairs >> 16);
    int16_t samples[2] = {
        (int16_t)((((int32_t)(sums & 0xffff) - 510) * 70) >> 8),
        (int16_t)((((int32_t)((sums >> 32) & 0xffff) - 510) * 70) >> 8),
    };
    memcpy(place + 4 * index, samples, 4);
  }
}
