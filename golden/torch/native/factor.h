// What a row's terms are multiplied by, in float32.
#pragma once
#include <cstring>

#include "rows.h"
#include "vector.h"

namespace {

// 1 over the row's sum, in units of a result's LSB over those of a term; 0 where nothing takes part.
inline float factor_of(const Plan &plan, const Vector &k, const Sum &sum) {
  if (sum.total == 0) return 0;
  const Scalar s = scalar(plan, sum, 0);
  const uint32_t power = uint32_t(127 - (plan.drop + s.q)) << 23;
  float scale;
  std::memcpy(&scale, &power, sizeof scale);
  return float(s.r) * scale * k.quotient;
}

}  // namespace
