// Rows so short that several are made as if they were one.
#pragma once
#include <cstdint>

namespace {

constexpr int64_t kShort = 96;   // elements of the longest of them
constexpr int64_t kGroup = 512;  // elements that are made together

// Bits `from` to `from + n` of flags that lie one behind the other, as bytes of their own.
inline void cut_out(const uint64_t *flags, int64_t from, int64_t n, uint8_t *out) {
  for (int64_t i = 0; i < n; i += 8) {
    const int64_t at = from + i;
    uint64_t byte = flags[at / 64] >> (at % 64);
    if (at % 64 > 56) byte |= flags[at / 64 + 1] << (64 - at % 64);
    out[i / 8] = uint8_t(byte & (n - i >= 8 ? 0xFF : (1u << (n - i)) - 1));
  }
}

}  // namespace
