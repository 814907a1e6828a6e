// What the kernels know of a configuration: numbers and tables, each as the golden model has it.
// The fields are those of `_Plan` in compiled_plan.py, in the same order.
#pragma once
#include <cstdint>

struct Line {  // of a reciprocal or a logarithm: linear segments over a significand's leading bits
  const int64_t *base, *slope;
  int64_t index, step, shift;  // r = (base << step -+ slope * place) >> shift
  int64_t kept() const { return index + step; }
};

struct Logarithm {  // of a row's sum, and of an element's distance
  Line line;
  const int64_t *q_ln2;
  int64_t factor, factor_drop;  // distance * factor >> factor_drop
  int64_t lowest, highest;      // codes of its format
  double lsb;
};

struct Plan {
  // input codes: floor(x * scale + 1/2), saturated to the format, then clipped
  double scale;
  int64_t format_low, format_high, low, high;
  // distances: origin - code where there is an origin, else largest code - code
  int64_t has_origin, origin, saturates, span, reach;
  // exp: `tables` fields of a distance, `bits` index bits each, most significant first
  int64_t tables, bits[4], guard, mantissa_bits;
  const int64_t *first, *shift, *further[3];
  int64_t further_drop[3];  // of (mantissa >> guard) * entry
  // the sum
  int64_t window, sum_fraction, lowest_exponent;
  Line reciprocal;
  // p
  int64_t drop, product_bits, one, output_fraction, has_exponent;
  int64_t gated;  // a clipped element has no gradient
  // log p instead of p
  int64_t logarithm;
  Logarithm log;
  // cross-entropy
  Logarithm loss;
  int64_t residual_low, residual_high;
  // backward
  double grad_scale;  // LSB in dP = 1
  int64_t grad_low, grad_high, grad_room, dot_drop, dot_low, dot_high, dot_guard, drop_ds, ds_low, ds_high;
  double ds_lsb;
  int64_t stochastic, in_float;  // in_float: every step is exact in float32
};

struct Tally {  // of all rows of a call
  int64_t clipped, invalid;
};
