// Rows in float32, 8 elements at a time, for processors with AVX2 and FMA. The processor rounds down
// throughout. Entries of the first table are taken with the opposite sign, and so are terms, so that
// what must be rounded up is rounded down.
#include <immintrin.h>

#include <cstring>
#include <vector>

#include "factor.h"
#include "loss.h"
#include "short.h"

#define INLINE inline __attribute__((always_inline))

namespace {

class RoundedDown {  // for as long as it lives
  unsigned before_ = _mm_getcsr();

 public:
  RoundedDown() { _mm_setcsr((before_ & ~_MM_ROUND_MASK) | _MM_ROUND_DOWN); }
  ~RoundedDown() { _mm_setcsr(before_); }
};

constexpr int64_t kLanes = 8;

// Loads of 8 elements, those beyond `left` as if they took no part.
INLINE __m256 load(const float *x, int64_t left) {
  if (left >= kLanes) return _mm256_loadu_ps(x);
  float part[kLanes];
  std::fill(part, part + kLanes, -INFINITY);
  std::copy(x, x + left, part);
  return _mm256_loadu_ps(part);
}

// A double rounded down stays on its side of every float; -inf alone takes no part.
INLINE __m256 load(const double *x, int64_t left) {
  float part[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) {
    const double d = i < left ? x[i] : -INFINITY;
    part[i] = d < -3e38 && d != -INFINITY ? -3e38f : _mm_cvtss_f32(_mm_cvtsd_ss(_mm_setzero_ps(), _mm_set_sd(d)));
  }
  return _mm256_loadu_ps(part);
}

template <class Real>
INLINE __m256 load_or_zero(const Real *x, int64_t left) {
  Real part[kLanes] = {};
  std::copy(x, x + left, part);
  return load(part, kLanes);
}

INLINE void store(float *out, __m256 v, int64_t left) {
  if (left >= kLanes) return _mm256_storeu_ps(out, v);
  float part[kLanes];
  _mm256_storeu_ps(part, v);
  std::copy(part, part + left, out);
}

struct Row {  // memory of a thread for one row
  std::vector<uint32_t> field;
  std::vector<float> term;
  std::vector<uint64_t> gate;  // bits of clipped elements
  float offset = 0;
  bool clean = true;
  explicit Row(int64_t n) : field(n + kLanes), term(n + 16), gate(n / 64 + 2) {}
  uint8_t *gate_bytes() { return reinterpret_cast<uint8_t *>(gate.data()); }
  bool clipped(int64_t i) const { return gate[i / 64] >> (i % 64) & 1; }
};

struct Kernel {
  const Plan &plan;
  const Vector &k;

  // Looks for the row's largest element, from whose code distances are measured where there is no
  // origin, and whether any element is to be put right.
  template <class Real>
  INLINE void scan(const Real *x, int64_t n, Row &row) const {
    const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF));
    const __m256 limit = _mm256_set1_ps(k.limit);
    __m256 largest = _mm256_set1_ps(-INFINITY), outside = _mm256_setzero_ps();
    for (int64_t i = 0; i < n; i += kLanes) {
      const __m256 y = load(x + i, n - i);
      largest = _mm256_max_ps(y, largest);
      // what lies behind the row's end counts as 0, since what takes no part is outside
      const __m256 there = n - i >= kLanes ? y : load_or_zero(x + i, n - i);
      const __m256 beyond = _mm256_cmp_ps(_mm256_and_ps(there, magnitude), limit, _CMP_NLT_UQ);
      outside = _mm256_or_ps(outside, beyond);
    }
    row.clean = _mm256_movemask_ps(outside) == 0;
    float lanes[kLanes];
    _mm256_storeu_ps(lanes, largest);
    row.offset = offset_of(*std::max_element(lanes, lanes + kLanes));
  }

  INLINE float offset_of(float largest) const {
    return k.ahead - float(plan.has_origin ? plan.origin : code_of(largest, k));
  }

  // `each` is the offset of every element, where rows differ.
  template <class Real>
  INLINE void take_fields(const Real *x, int64_t n, Row &row, const float *each = nullptr) const {
    const __m256 to_codes = _mm256_set1_ps(k.to_codes), same = _mm256_set1_ps(row.offset);
    const __m256 low = _mm256_set1_ps(k.clip_low), high = _mm256_set1_ps(k.clip_high);
    const __m256 farthest = _mm256_set1_ps(k.farthest);
    for (int64_t i = 0; i < n; i += kLanes) {
      __m256 y = load(x + i, n - i);
      if (!row.clean) y = _mm256_min_ps(_mm256_max_ps(y, low), high);
      __m256 t = _mm256_fmadd_ps(y, to_codes, each ? _mm256_loadu_ps(each + i) : same);
      if (k.saturates) t = _mm256_max_ps(t, farthest);
      const __m256i field = _mm256_srli_epi32(_mm256_castps_si256(t), 1);
      _mm256_storeu_si256(reinterpret_cast<__m256i *>(&row.field[i]), field);
    }
  }

  // Entries of 8 bytes, four bytes apart: quicker one by one than gathered.
  static INLINE __m256 look_up(const float *table, const uint8_t *at) {
    const __m128 low = _mm_set_ps(table[at[12]], table[at[8]], table[at[4]], table[at[0]]);
    const __m128 high = _mm_set_ps(table[at[28]], table[at[24]], table[at[20]], table[at[16]]);
    return _mm256_set_m128(high, low);
  }

  INLINE void place_terms(int64_t n, Row &row) const {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    const __m256 kept = _mm256_castsi256_ps(_mm256_set1_epi32(int(k.kept)));
    const __m256 power = _mm256_castsi256_ps(_mm256_set1_epi32(int(0xFF800000)));
    for (int64_t i = 0; i < n; i += kLanes) {
      const uint8_t *at = reinterpret_cast<const uint8_t *>(&row.field[i]);
      if (k.tables == 1) {
        _mm256_storeu_ps(&row.term[i], _mm256_xor_ps(look_up(k.first, at), sign));
        continue;
      }
      const __m256 share = look_up(k.further, at);
      const __m256 a = _mm256_xor_ps(look_up(k.first, at + 1), sign), one = _mm256_and_ps(a, power);
      const __m256 mantissa = _mm256_sub_ps(_mm256_and_ps(a, kept), one);
      const __m256 left = _mm256_fnmadd_ps(mantissa, share, a);
      _mm256_storeu_ps(&row.term[i], _mm256_sub_ps(_mm256_and_ps(left, kept), one));
    }
  }

  // Takes out what takes no part, and says what is clipped or no logit.
  template <class Real>
  INLINE void put_right(const Real *x, int64_t n, Row &row, Tally &tally) const {
    const __m256 nothing = _mm256_set1_ps(-INFINITY), infinite = _mm256_set1_ps(INFINITY);
    const __m256 low = _mm256_set1_ps(k.low), high = _mm256_set1_ps(k.high);
    for (int64_t i = 0; i < n; i += kLanes) {
      const __m256 y = load(x + i, n - i);
      const __m256 active = _mm256_cmp_ps(y, nothing, _CMP_NEQ_UQ);
      const __m256 outside = _mm256_or_ps(_mm256_cmp_ps(y, high, _CMP_NLT_UQ),
                                          _mm256_cmp_ps(y, low, _CMP_LT_OQ));
      const int clipped = _mm256_movemask_ps(_mm256_and_ps(active, outside));
      tally.clipped += __builtin_popcount(clipped);
      tally.invalid += __builtin_popcount(_mm256_movemask_ps(_mm256_cmp_ps(y, infinite, _CMP_NLT_UQ)));
      row.gate_bytes()[i / 8] = uint8_t(clipped);
      _mm256_storeu_ps(&row.term[i], _mm256_and_ps(_mm256_loadu_ps(&row.term[i]), active));
    }
  }

  // The sum of terms of the other sign, in units of its LSB.
  INLINE int64_t add_up(int64_t n, Row &row) const {
    std::fill(row.term.begin() + n, row.term.end(), 0.0f);
    const __m256d minus = _mm256_set1_pd(-1.0), magic = _mm256_set1_pd(0x1p52);
    int64_t total = 0;
    for (int64_t from = 0; from < n; from += k.chunk) {
      const int64_t to = std::min(from + k.chunk, n);
      __m256d real[4] = {};
      __m256i whole = _mm256_setzero_si256();
      for (int64_t i = from; i < to; i += 16)
        for (int h = 0; h < 4; ++h) {
          const __m256d t = _mm256_cvtps_pd(_mm_loadu_ps(&row.term[i + 4 * h]));
          if (plan.has_origin) {
            real[h] = _mm256_sub_pd(real[h], t);
          } else {  // each cut to the sum's LSB: an integer in the low bits of 2**52 and more
            const __m256i cut = _mm256_castpd_si256(_mm256_fmadd_pd(t, minus, magic));
            whole = _mm256_add_epi64(whole, _mm256_xor_si256(cut, _mm256_castpd_si256(magic)));
          }
        }
      double lanes[16];
      int64_t wholes[4];
      for (int h = 0; h < 4; ++h) _mm256_storeu_pd(lanes + 4 * h, real[h]);
      _mm256_storeu_si256(reinterpret_cast<__m256i *>(wholes), whole);
      for (const double lane : lanes) total += int64_t(lane);
      for (const int64_t lane : wholes) total += lane;
    }
    return total;
  }

  // The same of one of several short rows.
  static INLINE int64_t add_up(const float *v, int64_t n) {
    int64_t total = 0;
    for (int64_t i = 0; i < n; ++i) total += int64_t(-double(v[i]));  // cut to the sum's LSB
    return total;
  }

  template <class Real>
  INLINE Sum terms(const Real *x, int64_t n, Row &row, Tally &tally) const {
    scan(x, n, row);
    take_fields(x, n, row);
    place_terms(n, row);
    if (!row.clean) put_right(x, n, row, tally);
    return {add_up(n, row), 0, 0};
  }

  // What terms of the other sign are multiplied by.
  INLINE float factor(const Sum &sum) const { return -factor_of(plan, k, sum); }
};

// Values of the codes of a row's results, none beyond `most`.
struct Output {
  __m256 half, most, lsb, zero, whole = _mm256_castsi256_ps(_mm256_set1_epi32(-2));
  Output(const Vector &k, int64_t most)
      : half(_mm256_set1_ps(k.result + 0.5f)), most(_mm256_set1_ps(k.result + float(most))),
        lsb(_mm256_set1_ps(k.lsb)), zero(_mm256_set1_ps(-k.result * k.lsb)) {}

  INLINE __m256 values(const float *v, __m256 factor) const {  // of 8 terms
    const __m256 t = _mm256_and_ps(_mm256_fmadd_ps(_mm256_loadu_ps(v), factor, half), whole);
    return _mm256_fmadd_ps(_mm256_min_ps(t, most), lsb, zero);
  }

  INLINE void operator()(const float *v, float factor, float *out, int64_t n) const {
    const __m256 f = _mm256_set1_ps(factor);
    for (int64_t i = 0; i < n; i += kLanes) store(out + i, values(v + i, f), n - i);
  }

  // The same of elements that have a factor each.
  INLINE void operator()(const float *v, const float *factors, float *out, int64_t n) const {
    for (int64_t i = 0; i < n; i += kLanes)
      store(out + i, values(v + i, _mm256_loadu_ps(factors + i)), n - i);
  }
};

void keep_gate(Row &row, int64_t n, uint8_t *gate) {
  if (row.clean)
    std::memset(gate, 0, (n + 7) / 8);
  else
    std::memcpy(gate, row.gate_bytes(), (n + 7) / 8);
}

template <class Real>
__attribute__((noinline)) void softmax_rows(const Rows<Real, float> &rows, const Plan &plan,
                                            const Vector &k, Tally &tally) {
  const Kernel kernel{plan, k};
  const Output write(k, plan.one);
  const int64_t n = rows.n;
  Row row(n);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    const Sum sum = kernel.terms(rows.x + j * n, n, row, tally);
    if (rows.gate) keep_gate(row, n, rows.gate + j * ((n + 7) / 8));
    write(row.term.data(), kernel.factor(sum), rows.out + j * n, n);
  }
}

INLINE void fill(float *at, int64_t n, float value) {  // and up to 7 elements more
  for (int64_t i = 0; i < n; i += kLanes) _mm256_storeu_ps(at + i, _mm256_set1_ps(value));
}

// Short rows lie one behind the other, and are made as if they were one.
template <class Real>
__attribute__((noinline)) void short_rows(const Rows<Real, float> &rows, const Plan &plan,
                                          const Vector &k, Tally &tally) {
  const Kernel kernel{plan, k};
  const Output write(k, plan.one);
  const int64_t n = rows.n, most = kGroup / n;
  float factors[kGroup + kLanes], offsets[kGroup + kLanes];
  Row row(kGroup);
  for (int64_t j = rows.from; j < rows.to; j += most) {
    const int64_t count = std::min(most, rows.to - j), all = count * n;
    const Real *x = rows.x + j * n;
    kernel.scan(x, all, row);
    if (!plan.has_origin)
      for (int64_t r = 0; r < count; ++r) {
        Real largest = -INFINITY;
        for (int64_t i = 0; i < n; ++i) largest = std::max(largest, x[r * n + i]);
        fill(offsets + r * n, n, kernel.offset_of(float(largest)));
      }
    kernel.take_fields(x, all, row, plan.has_origin ? nullptr : offsets);
    kernel.place_terms(all, row);
    if (!row.clean) kernel.put_right(x, all, row, tally);
    for (int64_t r = 0; r < count; ++r) {
      const Sum sum{kernel.add_up(&row.term[r * n], n), 0, 0};
      fill(factors + r * n, n, kernel.factor(sum));
      if (!rows.gate) continue;
      uint8_t *gate = rows.gate + (j + r) * ((n + 7) / 8);
      row.clean ? void(std::memset(gate, 0, (n + 7) / 8)) : cut_out(row.gate.data(), r * n, n, gate);
    }
    write(row.term.data(), factors, rows.out + j * n, all);
  }
}

__attribute__((noinline)) void losses(const Losses<float> &rows, const Plan &plan, const Vector &k,
                                      Tally &tally) {
  const Kernel kernel{plan, k};
  const int64_t n = rows.n;
  Row row(n);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    const float *x = rows.x + j * n;
    const Sum sum = kernel.terms(x, n, row, tally);
    const int64_t origin = int64_t(k.ahead - row.offset);
    rows.loss[j] = loss_of(x, n, rows.target[j], origin, sum, plan, k, tally);
  }
}

// p of a row less its right class, each as it enters the gradient.
void residuals(int64_t n, int64_t target, const Kernel &kernel, const Row &row, float factor,
               float *out) {
  const int64_t one = int64_t(1) << kernel.plan.output_fraction;
  const Output wrong(kernel.k, kernel.plan.residual_high), right(kernel.k, one);
  wrong(row.term.data(), factor, out, n);
  float p;
  right(&row.term[target], factor, &p, 1);
  out[target] = p - 1;
}

// The residuals of row j, 0 throughout where it has no loss, and its loss where that is wanted; no
// rounding but down.
__attribute__((noinline)) void loss_and_residuals(const Losses<float> &rows, int64_t j,
                                                  const Kernel &kernel, Row &row, Tally &tally) {
  const RoundedDown mode;
  const int64_t n = rows.n, target = rows.target[j];
  const float *x = rows.x + j * n;
  float *out = rows.gradient + j * n;
  const Sum sum = kernel.terms(x, n, row, tally);
  const int64_t origin = int64_t(kernel.k.ahead - row.offset);
  if (rows.loss) rows.loss[j] = loss_of(x, n, target, origin, sum, kernel.plan, kernel.k, tally);
  if (has_loss(x, n, target))
    residuals(n, target, kernel, row, kernel.factor(sum), out);
  else
    std::fill(out, out + n, 0.0f);
}

}  // namespace

template <class Real>
void avx2::softmax(const Rows<Real, float> &rows, const Plan &plan, const Vector &k, Tally &tally,
                   bool) {
  const RoundedDown mode;
  rows.n <= kShort ? short_rows(rows, plan, k, tally) : softmax_rows(rows, plan, k, tally);
}
template void avx2::softmax(const Rows<float, float> &, const Plan &, const Vector &, Tally &, bool);
template void avx2::softmax(const Rows<double, float> &, const Plan &, const Vector &, Tally &, bool);

void avx2::cross_entropy(const Losses<float> &rows, const Plan &plan, const Vector &k, Tally &tally) {
  const RoundedDown mode;
  losses(rows, plan, k, tally);
}

void avx2::cross_entropy_backward(const Losses<float> &rows, const Plan &plan, const Vector &k,
                                  Tally &tally, bool) {
  const Kernel kernel{plan, k};
  const int64_t n = rows.n;
  Row row(n);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    loss_and_residuals(rows, j, kernel, row, tally);
    float *out = rows.gradient + j * n;
    const float up = rows.upstream[j];
    for (int64_t i = 0; i < n; ++i) out[i] *= up;
    if (row.clean || !plan.gated) continue;
    for (int64_t i = 0; i < n; ++i)
      if (row.clipped(i)) out[i] = 0;
  }
}
