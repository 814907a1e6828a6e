// Every configuration, a row at a time, in integers: the golden model's stages in their order.
#include <cmath>
#include <cstring>
#include <vector>

#include "entry.h"
#include "gradients.h"
#include "rows.h"

namespace {

constexpr int64_t kWeightFraction = 24, kLogGuard = 4;

struct Row {  // of one thread, used again for every row; int64 throughout, so that loops are vectors
  std::vector<int64_t> distance, mantissa, shift, active, clipped;
  int64_t nearest = 0;
  explicit Row(int64_t n) : distance(n), mantissa(n), shift(n), active(n), clipped(n) {}
};

// Codes into row.distance, and what takes part or is clipped.
template <class Real>
void quantize(const Real *__restrict x, int64_t n, const Plan &plan, Row &row, Tally &tally) {
  const double low = double(plan.format_low), high = double(plan.format_high), scale = plan.scale;
  int64_t *__restrict codes = row.distance.data(), *__restrict taking = row.active.data();
  int64_t *__restrict clipped = row.clipped.data(), invalid = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double y = double(x[i]) * scale;
    invalid += x[i] < INFINITY ? 0 : 1;  // not y: a large x times the scale is infinite
    const int64_t active = x[i] == -INFINITY ? 0 : 1;
    double inside = y < high ? y : high;
    inside = inside > low ? inside : low;
    const double whole = std::floor(inside);
    const double rounded = inside - whole >= 0.5 ? whole + 1 : whole;
    const int64_t code = int64_t(rounded);
    const int64_t kept = std::min(std::max(code, plan.low), plan.high);
    const int64_t outside = (y >= high + 0.5 ? 1 : 0) | (y < low - 0.5 ? 1 : 0) | (kept != code);
    codes[i] = kept;
    taking[i] = active;
    clipped[i] = active & outside;
  }
  tally.invalid += invalid;
}

// Codes become distances, from the origin or from the row's largest active code.
void measure(int64_t n, const Plan &plan, Row &row) {
  int64_t *__restrict distance = row.distance.data(), *__restrict clipped = row.clipped.data();
  const int64_t *__restrict active = row.active.data();
  int64_t origin = plan.origin;
  if (!plan.has_origin) {
    origin = plan.format_low;
    for (int64_t i = 0; i < n; ++i)
      origin = std::max(origin, active[i] ? distance[i] : plan.format_low);
  }
  const int64_t most = plan.has_origin ? INT64_MAX : plan.span;
  const int64_t flagged = plan.saturates ? plan.span : INT64_MAX;
  int64_t nearest = INT64_MAX;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t far = active[i] ? origin - distance[i] : plan.reach;
    clipped[i] |= active[i] & (far > flagged);
    distance[i] = std::min(far, most);
    nearest = std::min(nearest, active[i] ? distance[i] : INT64_MAX);
  }
  row.nearest = nearest;
}

template <int kTables>
void exponentials_of(int64_t n, const Plan &plan, Row &row) {
  const int64_t *__restrict distance = row.distance.data(), *__restrict active = row.active.data();
  int64_t *__restrict mantissa = row.mantissa.data(), *__restrict shift = row.shift.data();
  for (int64_t i = 0; i < n; ++i) {
    int64_t u = std::min(distance[i], plan.reach), fields[4] = {};
    for (int t = kTables - 1; t > 0; --t) {
      fields[t] = u & ((int64_t(1) << plan.bits[t]) - 1);
      u >>= plan.bits[t];
    }
    int64_t a = plan.first[u];
    for (int t = 1; t < kTables; ++t)
      a -= ((a >> plan.guard) * plan.further[t - 1][fields[t]]) >> plan.further_drop[t - 1];
    mantissa[i] = (a >> plan.guard) & -active[i];
    shift[i] = plan.shift[u];
  }
}

void exponentials(int64_t n, const Plan &plan, Row &row) {
  switch (plan.tables) {
    case 1: return exponentials_of<1>(n, plan, row);
    case 2: return exponentials_of<2>(n, plan, row);
    case 3: return exponentials_of<3>(n, plan, row);
    default: return exponentials_of<4>(n, plan, row);
  }
}

Sum add_up(int64_t n, const Plan &plan, const Row &row) {
  const int64_t *__restrict mantissa = row.mantissa.data(), *__restrict shift = row.shift.data();
  const int64_t room = plan.sum_fraction - plan.mantissa_bits + 1;
  Sum sum;
  if (!plan.window) {
    int64_t total = 0;
    for (int64_t i = 0; i < n; ++i) total += (mantissa[i] << room) >> shift[i];
    sum.total = total;
    return sum;
  }
  int64_t highest = 0;
  for (int64_t i = 0; i < n; ++i) highest = std::max(highest, mantissa[i] ? room - shift[i] : 0);
  const int64_t top = highest / kLimbBits;
  int64_t below = 0, at = 0, above = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t place = room - shift[i], limb = place / kLimbBits - top;
    const int64_t moved = mantissa[i] << (place % kLimbBits);
    const int64_t lower = moved & 0xFFFF, upper = moved >> kLimbBits;
    below += (limb == -1 ? lower : 0) + (limb == -2 ? upper : 0);
    at += (limb == 0 ? lower : 0) + (limb == -1 ? upper : 0);
    above += limb == 0 ? upper : 0;
  }
  sum.top = top;
  sum.total = at + (above << kLimbBits) + (below >> kLimbBits);
  sum.below = below & 0xFFFF;
  return sum;
}

template <class Real>
Sum row_sum(const Real *x, int64_t n, const Plan &plan, Row &row, Tally &tally) {
  quantize(x, n, plan, row, tally);
  measure(n, plan, row);
  int64_t clipped = 0;
  for (int64_t i = 0; i < n; ++i) clipped += row.clipped[i];
  tally.clipped += clipped;
  exponentials(n, plan, row);
  return add_up(n, plan, row);
}

inline int64_t probability(const Plan &plan, int64_t mantissa, int64_t shift, const Scalar &s,
                           int64_t one) {
  const int64_t bits = std::min(plan.drop + shift + s.q, plan.product_bits + 1);
  return std::min(round_half_up(mantissa * s.r, bits), one);
}

int64_t log_probability(const Plan &plan, const Row &row, int64_t i, int64_t ln) {
  if (!row.active[i]) return plan.log.lowest;
  const int64_t fine = scaled(plan.log, row.distance[i]) + ln;
  const int64_t rounded = -((fine + (1 << (kLogGuard - 1))) >> kLogGuard);
  return std::min(std::max(rounded, plan.log.lowest), plan.log.highest);
}

void keep_gate(const Row &row, int64_t n, uint8_t *gate) {
  std::memset(gate, 0, (n + 7) / 8);
  for (int64_t i = 0; i < n; ++i) gate[i / 8] |= row.clipped[i] << (i % 8);
}

int64_t loss_code(const Plan &plan, int64_t fine, int64_t bits) {
  const int64_t rounded = (fine + (int64_t(1) << (bits - 1))) >> bits;
  return std::min(std::max<int64_t>(rounded, 0), plan.loss.highest);
}

// A class that takes no part has a weight.
bool weighs_masked(const int64_t *z, int64_t n, const Row &row) {
  for (int64_t i = 0; i < n; ++i)
    if (z[i] && !row.active[i]) return true;
  return false;
}

}  // namespace

template <class Real, class Out>
void GENERAL::softmax(const Rows<Real, Out> &rows, const Plan &plan, Tally &tally) {
  const int64_t n = rows.n;
  Row row(n);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    const Sum sum = row_sum(rows.x + j * n, n, plan, row, tally);
    Out *out = rows.out + j * n;
    if (rows.gate) keep_gate(row, n, rows.gate + j * ((n + 7) / 8));
    if (plan.logarithm) {
      const int64_t ln = logarithm(plan.log, plan, sum);
      for (int64_t i = 0; i < n; ++i)
        out[i] = Out(log_probability(plan, row, i, ln) * plan.log.lsb);
      continue;
    }
    const Scalar s = scalar(plan, sum, row.nearest);
    if (rows.exponent) rows.exponent[j] = int32_t(s.exponent);
    const double lsb = std::ldexp(1.0, -int(plan.output_fraction + s.exponent));
    const int64_t *__restrict mantissa = row.mantissa.data(), *__restrict shift = row.shift.data();
    for (int64_t i = 0; i < n; ++i)
      out[i] = Out(double(probability(plan, mantissa[i], shift[i], s, plan.one)) * lsb);
  }
}

template <class Real>
void GENERAL::cross_entropy(const Losses<Real> &rows, const Plan &plan, Tally &tally) {
  const int64_t n = rows.n;
  Row row(n);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    const Sum sum = row_sum(rows.x + j * n, n, plan, row, tally);
    int64_t code = 0;
    if (rows.weights) {
      const int64_t *z = rows.weights + j * n, ln = logarithm(plan.loss, plan, sum);
      int64_t fine = 0;
      for (int64_t i = 0; i < n; ++i) fine += z[i] * (scaled(plan.loss, row.distance[i]) + ln);
      const bool masked = weighs_masked(z, n, row);
      tally.invalid += masked;
      code = masked ? 0 : loss_code(plan, fine, kLogGuard + kWeightFraction);
    } else if (const int64_t t = rows.target[j]; 0 <= t && t < n) {
      const int64_t fine = scaled(plan.loss, row.distance[t]) + logarithm(plan.loss, plan, sum);
      code = row.active[t] ? loss_code(plan, fine, kLogGuard) : 0;
      tally.invalid += !row.active[t];
    }
    const double loss = double(code) * plan.loss.lsb;
    if (rows.loss) rows.loss[j] = float(loss);
    if (rows.fine_loss) rows.fine_loss[j] = loss;
  }
}

template <class Real>
void GENERAL::cross_entropy_backward(const Losses<Real> &rows, const Plan &plan) {
  const int64_t n = rows.n, exact_one = int64_t(1) << plan.output_fraction;
  Row row(n);
  Tally tally;
  for (int64_t j = rows.from; j < rows.to; ++j) {
    const Sum sum = row_sum(rows.x + j * n, n, plan, row, tally);
    const Scalar s = scalar(plan, sum, row.nearest);
    const int64_t *z = rows.weights ? rows.weights + j * n : nullptr, t = z ? -1 : rows.target[j];
    int64_t whole = int64_t(1) << kWeightFraction;
    if (z) {
      whole = 0;
      for (int64_t i = 0; i < n; ++i) whole += z[i];
    }
    const bool none = z ? whole == 0 || weighs_masked(z, n, row) : t < 0 || t >= n || !row.active[t];
    const double lsb = std::ldexp(1.0, -int(plan.output_fraction + s.exponent));
    for (int64_t i = 0; i < n; ++i) {
      const int64_t weight = z ? z[i] : i == t ? whole : 0;
      const int64_t p = probability(plan, row.mantissa[i], row.shift[i], s, exact_one);
      const int64_t fine = p * whole - (weight << (plan.output_fraction + s.exponent));
      const int64_t residual = round_half_up(fine, kWeightFraction);
      const int64_t code = std::min(std::max(residual, plan.residual_low), plan.residual_high);
      const bool dropped = none || !row.active[i] || (plan.gated && row.clipped[i]);
      rows.gradient[j * n + i] = dropped ? Real(0) : Real(double(code) * lsb * double(rows.upstream[j]));
    }
  }
}

template <class Real>
void GENERAL::softmax_backward(const Gradients<Real> &rows, const Plan &plan) {
  const int64_t n = rows.n;
  std::vector<int64_t> p(n), dp(n);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    const Real *dp_row = rows.dp + j * n, *p_row = rows.p + j * n;
    Real *out = rows.ds + j * n;
    const int64_t s = rows.exponent ? rows.exponent[j] : 0;
    const double largest = largest_of(dp_row, n);
    if (!(largest < INFINITY)) {
      std::fill(out, out + n, Real(NAN));
      continue;
    }
    const int64_t e = rows.by_row ? row_scale(largest, plan) : rows.grad_exponent;
    const double to_codes = std::ldexp(plan.grad_scale, int(e));
    const double one = std::ldexp(1.0, int(plan.output_fraction + s));
    int64_t total = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double y = double(dp_row[i]) * to_codes;
      const double inside = std::min(std::max(y, double(plan.grad_low)), double(plan.grad_high));
      const double whole = std::floor(inside);
      dp[i] = int64_t(whole) + (inside - whole >= 0.5);
      p[i] = int64_t(double(p_row[i]) * one);
      total += p[i] * dp[i];
    }
    const int64_t rounded = round_half_up(total, plan.dot_drop + s);
    const int64_t d = std::min(std::max(rounded, plan.dot_low), plan.dot_high);
    const uint8_t *gate = rows.gate ? rows.gate + j * ((n + 7) / 8) : nullptr;
    const double lsb = std::ldexp(plan.ds_lsb, -int(e + s));
    for (int64_t i = 0; i < n; ++i) {
      const bool stopped = gate && (gate[i / 8] >> (i % 8) & 1);
      const int64_t product = (stopped ? 0 : p[i]) * ((dp[i] << plan.dot_guard) - d);
      const int64_t up = plan.stochastic
                             ? (product + dither(rows.seed, uint32_t(rows.first_row + j), uint32_t(i),
                                                 plan.drop_ds)) >> plan.drop_ds
                             : round_half_up(product, plan.drop_ds);
      out[i] = Real(std::min(std::max(up, plan.ds_low), plan.ds_high) * lsb);
    }
  }
}

#define WITH(Real)                                                                              \
  template void GENERAL::softmax(const Rows<Real, float> &, const Plan &, Tally &);             \
  template void GENERAL::softmax(const Rows<Real, double> &, const Plan &, Tally &);            \
  template void GENERAL::cross_entropy(const Losses<Real> &, const Plan &, Tally &);            \
  template void GENERAL::cross_entropy_backward(const Losses<Real> &, const Plan &);            \
  template void GENERAL::softmax_backward(const Gradients<Real> &, const Plan &);
WITH(float)
WITH(double)
