// The softmax's gradient dS = P (dP - D) of rows, every product and sum exact until it is rounded.
#include "avx512_terms.h"
#include "gradients.h"

namespace {

constexpr float kMiddle = 0x1.8p22f;  // floats around it are multiples of a half, of either sign

// Floats whose last bit is a half, as whole numbers.
INLINE __m512 whole_part(__m512 t) {
  const __m512 whole = _mm512_castsi512_ps(_mm512_set1_epi32(-2));
  return _mm512_sub_ps(_mm512_and_ps(t, whole), _mm512_set1_ps(kMiddle));
}

INLINE __mmask16 first_of(int64_t left) { return left >= 16 ? 0xFFFF : (1u << left) - 1; }

// The largest magnitude; infinite where one is not finite.
INLINE float largest_magnitude(const float *x, int64_t n) {
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
  __m512i largest = _mm512_setzero_si512();
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    largest = _mm512_max_epu32(largest, _mm512_and_si512(_mm512_loadu_si512(x + i), magnitude));
  const __m512i rest = _mm512_maskz_loadu_epi32(first_of(n - i), x + i);
  largest = _mm512_max_epu32(largest, _mm512_and_si512(rest, magnitude));
  const uint32_t bits = std::min(_mm512_reduce_max_epu32(largest), 0x7F800000u);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

struct Row {
  const float *p, *dp;
  const uint8_t *gate;
  float *ds;
  int64_t n, e, s;  // dP is multiplied by 2**e, P by 2**s
  bool stream;      // past the caches, where all rows would not stay there
};

// Codes of dP times 2**e into `codes`, zeros behind them to the end of their last 16; the sum of P
// times them, in units of 2**-(output_fraction + s).
INLINE int64_t dot(const Row &row, const Plan &plan, float *codes) {
  const __m512 scale = _mm512_set1_ps(float(plan.grad_scale * power_of_two(row.e)));
  const __m512 half = _mm512_set1_ps(kMiddle + 0.5f);
  const __m512 low = _mm512_set1_ps(kMiddle + float(plan.grad_low));
  const __m512 high = _mm512_set1_ps(kMiddle + float(plan.grad_high));
  const auto code_of = [&](__m512 dp) {
    // all that is beyond the format, and so beyond what is exact here, becomes its limit
    const __m512 y = _mm512_fmadd_round_ps(dp, scale, half, kDown);
    return whole_part(_mm512_min_ps(_mm512_max_ps(y, low), high));
  };
  __m512d sums[2] = {};
  const auto add = [&](const float *p, const float *code) {  // of 16, as float64
    for (int h = 0; h < 2; ++h)
      sums[h] = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm256_loadu_ps(p + 8 * h)),
                                _mm512_cvtps_pd(_mm256_loadu_ps(code + 8 * h)), sums[h]);
  };
  int64_t i = 0;
  for (; i + 16 <= row.n; i += 16) {
    _mm512_store_ps(codes + i, code_of(_mm512_loadu_ps(row.dp + i)));
    add(row.p + i, codes + i);
  }
  if (i < row.n) {
    const __mmask16 mask = first_of(row.n - i);
    alignas(64) float p[16];
    _mm512_store_ps(p, _mm512_maskz_loadu_ps(mask, row.p + i));
    _mm512_store_ps(codes + i, code_of(_mm512_maskz_loadu_ps(mask, row.dp + i)));
    add(p, codes + i);
  }
  const double sum = _mm512_reduce_add_pd(_mm512_add_pd(sums[0], sums[1]));
  return int64_t(sum * power_of_two(plan.output_fraction + row.s));
}

INLINE void gradient(const Row &row, const Plan &plan, const float *codes, int64_t d) {
  const double down = power_of_two(plan.output_fraction + row.s - plan.drop_ds);
  const __m512 guard = _mm512_set1_ps(float(power_of_two(plan.dot_guard) * down));
  const __m512 mean = _mm512_set1_ps(float(double(-d) * down));
  const __m512 half = _mm512_set1_ps(kMiddle + 0.5f);
  const __m512 low = _mm512_set1_ps(float(plan.ds_low)), high = _mm512_set1_ps(float(plan.ds_high));
  const __m512 lsb = _mm512_set1_ps(float(plan.ds_lsb * power_of_two(-(row.e + row.s))));
  const auto ds_of = [&](__m512 p, const float *code) {
    const __m512 off = _mm512_fmadd_ps(_mm512_load_ps(code), guard, mean);
    const __m512 ds = whole_part(_mm512_fmadd_round_ps(p, off, half, kDown));
    return _mm512_mul_ps(_mm512_min_ps(_mm512_max_ps(ds, low), high), lsb);
  };
  const auto stopped = [&](int64_t i) {
    uint16_t bits = row.gate[i / 8];
    if (row.n - i > 8) bits |= row.gate[i / 8 + 1] << 8;
    return bits;
  };
  int64_t i = 0;
  for (; i + 16 <= row.n; i += 16) {
    __m512 ds = ds_of(_mm512_loadu_ps(row.p + i), codes + i);
    if (row.gate) ds = _mm512_maskz_mov_ps(~stopped(i), ds);
    if (row.stream)
      _mm512_stream_ps(row.ds + i, ds);
    else
      _mm512_storeu_ps(row.ds + i, ds);
  }
  if (i == row.n) return;
  const __mmask16 mask = first_of(row.n - i);
  __m512 ds = ds_of(_mm512_maskz_loadu_ps(mask, row.p + i), codes + i);
  if (row.gate) ds = _mm512_maskz_mov_ps(~stopped(i), ds);
  _mm512_mask_storeu_ps(row.ds + i, mask, ds);
}

}  // namespace

void avx512::softmax_backward(const Gradients<float> &rows, const Plan &plan, bool stream) {
  const int64_t n = rows.n;
  stream &= n % 16 == 0 && reinterpret_cast<uintptr_t>(rows.ds) % 64 == 0;
  const Scratch scratch(n);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    const float largest = largest_magnitude(rows.dp + j * n, n);
    const int64_t s = rows.exponent ? rows.exponent[j] : 0;
    const int64_t e = rows.by_row ? row_scale(largest, plan) : rows.grad_exponent;
    if (!(largest < INFINITY) || e < -60 || e > 90) {  // beyond what scales float32 exactly
      Gradients<float> one = rows;
      one.from = j, one.to = j + 1;
      general_avx512::softmax_backward(one, plan);
      continue;
    }
    const uint8_t *gate = rows.gate ? rows.gate + j * ((n + 7) / 8) : nullptr;
    const Row row{rows.p + j * n, rows.dp + j * n, gate, rows.ds + j * n, n, e, s, stream};
    const int64_t rounded = round_half_up(dot(row, plan, scratch.terms), plan.dot_drop + s);
    gradient(row, plan, scratch.terms, std::min(std::max(rounded, plan.dot_low), plan.dot_high));
  }
  if (stream) _mm_sfence();
}
