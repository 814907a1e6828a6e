// What gradients need of a row besides the stages: how far to scale it, and random bits.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "plan.h"

namespace {

// The largest magnitude; infinite where one is not finite.
template <class Real>
double largest_of(const Real *x, int64_t n) {
  double largest = 0;
  bool finite = true;
  for (int64_t i = 0; i < n; ++i) {
    const double magnitude = std::fabs(double(x[i]));
    finite &= magnitude < INFINITY;
    largest = std::max(largest, magnitude);
  }
  return finite ? largest : INFINITY;
}

// The largest e of -126 to 126 with largest * 2**e below what the gradient's format holds.
inline int64_t row_scale(double largest, const Plan &plan) {
  if (largest == 0) return 0;
  int place;
  std::frexp(largest, &place);  // largest < 2**place
  return std::min<int64_t>(std::max<int64_t>(plan.grad_room - place, -126), 126);
}

// 2**e, of the exponents that a double has.
inline double power_of_two(int64_t e) {
  const uint64_t bits = uint64_t(e + 1023) << 52;
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline uint32_t rotated(uint32_t word, int places) {
  return (word << places | word >> (16 - places)) & 0xFFFF;
}

// Random bits of the block cipher Simon 32/64, cut to 12 rounds: as golden/stages/dither.py.
inline int64_t dither(uint32_t seed, uint32_t row, uint32_t element, int64_t bits) {
  static const char constants[] = "11111010001001010110000111001101111101000100101011000011100110";
  constexpr int kRounds = 12;
  const uint32_t upper = row >> 16;
  uint32_t keys[kRounds] = {seed & 0xFFFF, seed >> 16, upper, ~upper & 0xFFFF};
  for (int i = 4; i < kRounds; ++i) {
    const uint32_t mixed = rotated(keys[i - 1], 13) ^ keys[i - 3];
    keys[i] = keys[i - 4] ^ mixed ^ rotated(mixed, 15) ^ 0xFFFC ^ uint32_t(constants[i - 4] - '0');
  }
  uint32_t x = element & 0xFFFF, y = row & 0xFFFF;
  for (const uint32_t key : keys) {
    const uint32_t next = y ^ (rotated(x, 1) & rotated(x, 8)) ^ rotated(x, 2) ^ key;
    y = x;
    x = next;
  }
  return int64_t((uint64_t(x) << 16 | y) & ((uint64_t(1) << bits) - 1));
}

}  // namespace
