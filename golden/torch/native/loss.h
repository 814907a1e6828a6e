// A row's loss from its sum and its right class.
#pragma once
#include <algorithm>
#include <cmath>

#include "rows.h"
#include "vector.h"

namespace {

inline int64_t code_of(float x, const Vector &k) {
  const float y = std::min(std::max(x, k.clip_low), k.clip_high) * k.to_codes;
  const float whole = std::floor(y);
  return int64_t(whole) + (y - whole >= 0.5f);
}

// The loss of one row; 0 where its class is none of the row's, or takes no part, which counts as
// invalid. `origin` is the code from which distances are measured.
inline float loss_of(const float *x, int64_t n, int64_t target, int64_t origin, const Sum &sum,
                     const Plan &plan, const Vector &k, Tally &tally) {
  if (target < 0 || target >= n) return 0;
  if (x[target] == -INFINITY) {
    ++tally.invalid;
    return 0;
  }
  constexpr int64_t kGuard = 4;
  const int64_t distance = origin - code_of(x[target], k);
  const int64_t fine = scaled(plan.loss, distance) + logarithm(plan.loss, plan, sum);
  const int64_t rounded = (fine + (1 << (kGuard - 1))) >> kGuard;
  const int64_t code = std::min(std::max<int64_t>(rounded, 0), plan.loss.highest);
  return float(double(code) * plan.loss.lsb);
}

inline bool has_loss(const float *x, int64_t n, int64_t target) {
  return 0 <= target && target < n && x[target] != -INFINITY;
}

}  // namespace
