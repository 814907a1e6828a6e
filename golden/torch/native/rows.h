// What is computed once a row: the sum's leading bits, its reciprocal, its logarithm, its exponent.
#pragma once
#include <algorithm>

#include "plan.h"

namespace {

constexpr int64_t kLimbBits = 16;

inline int64_t leading_one(int64_t x) { return x == 0 ? -1 : 63 - __builtin_clzll((uint64_t)x); }
inline int64_t shifted(int64_t x, int64_t right) { return right >= 0 ? x >> right : x << -right; }
inline int64_t round_half_up(int64_t x, int64_t bits) {
  return bits > 0 ? ((x >> (bits - 1)) + 1) >> 1 : x;
}

struct Sum {  // whole, or from limb `top` - 1 up: `total` is limb `top`, `below` the one under it
  int64_t total = 0, top = 0, below = 0;
};

struct Significand {
  int64_t q, s;  // sum = (1 + s / 2**kept) * 2**q
};

inline Significand significand(const Sum &sum, const Plan &plan, int64_t kept) {
  const int64_t place = leading_one(sum.total), mask = (int64_t(1) << kept) - 1;
  const int64_t q = sum.top * kLimbBits + place - plan.sum_fraction;
  if (!plan.window) {
    const int64_t held = std::max(q, plan.lowest_exponent);
    return {held, shifted(sum.total, plan.sum_fraction + held - kept) & mask};
  }
  const int64_t further = kept - place;  // bits that the upper limbs lack: the lower one leads
  const int64_t s = further > 0 ? sum.total << further | shifted(sum.below, kLimbBits - further)
                                : sum.total >> -further;
  return {std::max(q, plan.lowest_exponent), s & mask};
}

inline int64_t reciprocal(const Line &line, int64_t s) {
  const int64_t place = s & ((int64_t(1) << line.step) - 1), j = s >> line.step;
  return ((line.base[j] << line.step) - line.slope[j] * place) >> line.shift;
}

inline int64_t logarithm(const Logarithm &log, const Plan &plan, const Sum &sum) {
  const auto [q, s] = significand(sum, plan, log.line.kept());
  const int64_t place = s & ((int64_t(1) << log.line.step) - 1), j = s >> log.line.step;
  return log.q_ln2[q - plan.lowest_exponent] +
         (((log.line.base[j] << log.line.step) + log.line.slope[j] * place) >> log.line.shift);
}

inline int64_t scaled(const Logarithm &log, int64_t distance) {
  return (distance * log.factor) >> log.factor_drop;
}

struct Scalar {
  int64_t r, q;      // 1 / sum = r * 2**(-bits - q), with the row's exponent in q
  int64_t exponent;  // of the row
};

// nearest: the least distance of the row's elements; ignored where rows have no exponent
inline Scalar scalar(const Plan &plan, const Sum &sum, int64_t nearest) {
  const int64_t kept = plan.reciprocal.kept();
  const auto [q, s] = significand(sum, plan, kept);
  const int64_t r = reciprocal(plan.reciprocal, s);
  if (!plan.has_exponent || sum.total == 0) return {r, q, 0};
  int64_t further = 0;
  for (int64_t t = 1; t < plan.tables; ++t) further += plan.bits[t];
  const int64_t h = nearest >> further, fine = std::max(kept, plan.mantissa_bits - 1);
  const int64_t mantissa = plan.first[h] >> plan.guard;
  const int64_t e = (mantissa << (fine - plan.mantissa_bits + 1)) & ((int64_t(1) << fine) - 1);
  const bool below = e < s << (fine - kept);
  const int64_t exponent = std::max<int64_t>(q + plan.shift[h] - !below, 0);
  return {r, q - exponent, exponent};
}

}  // namespace
