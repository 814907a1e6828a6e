// Losses of rows with one right class each, and their gradients p - y.
#include "avx512_terms.h"
#include "loss.h"

namespace {

template <bool kPair, bool kOrigin, int kEntries>
void losses(const Losses<float> &rows, const Plan &plan, const Vector &k, Tally &tally) {
  Kernel<kPair, kOrigin, kEntries> kernel{plan, k};
  const int64_t n = rows.n;
  const Scratch scratch(n);
  Largest next;
  if (rows.from < rows.to) kernel.scan(rows.x + rows.from * n, 0, n, next);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    const float *x = rows.x + j * n;
    kernel.begin(next);
    const bool clean = !kOrigin && next.clean;
    next = Largest();
    auto between = [&](int64_t from, int64_t to) {
      if (j + 1 < rows.to) kernel.scan(x + n, from, to, next);
    };
    const Sum sum = kernel.first_pass(x, n, scratch.of(0), nullptr, clean, tally, between);
    const int64_t origin = int64_t(k.ahead - kernel.offset);
    rows.loss[j] = loss_of(x, n, rows.target[j], origin, sum, plan, k, tally);
  }
}

// Residuals of a row's terms, as values times the row's upstream gradient.
struct Residuals {
  const Plan &plan;
  const Vector &k;

  INLINE float code(float v, float factor, int64_t most) const {
    const __m128 t = _mm_fmadd_round_ss(_mm_set_ss(v), _mm_set_ss(factor),
                                        _mm_set_ss(k.result + 0.5f), kDown);
    const __m128i whole = _mm_and_si128(_mm_castps_si128(t), _mm_set1_epi32(-2));
    return std::min(_mm_cvtss_f32(_mm_castsi128_ps(whole)), k.result + float(most)) - k.result;
  }

  // Those of the wrong classes, which stay below 1.
  INLINE void wrong(const float *v, float factor, float upstream, float *out, int64_t from,
                    int64_t to) const {
    const __m512 f = _mm512_set1_ps(factor), u = _mm512_set1_ps(upstream);
    const __m512 binade = _mm512_set1_ps(k.result), half = _mm512_set1_ps(k.result + 0.5f);
    const __m512 most = _mm512_set1_ps(k.result + float(plan.residual_high));
    const __m512 whole = _mm512_castsi512_ps(_mm512_set1_epi32(-2)), lsb = _mm512_set1_ps(k.lsb);
    for (int64_t i = from; i < to; i += 16) {
      const __mmask16 mask = to - i >= 16 ? 0xFFFF : (1u << (to - i)) - 1;
      const __m512 t = _mm512_fmadd_round_ps(_mm512_loadu_ps(v + i), f, half, kDown);
      const __m512 code = _mm512_sub_ps(_mm512_min_ps(_mm512_and_ps(t, whole), most), binade);
      _mm512_mask_storeu_ps(out + i, mask, _mm512_mul_ps(_mm512_mul_ps(code, lsb), u));
    }
  }

  // That of the right class, where p reaches 1.
  INLINE float right(float v, float factor, float upstream) const {
    const int64_t one = int64_t(1) << plan.output_fraction;
    return (code(v, factor, one) - float(one)) * k.lsb * upstream;
  }
};

// What is known of a row whose residuals are still to be written.
struct Pending {
  float factor = 0;
  bool clipped = false;
};

template <bool kPair, bool kOrigin, int kEntries>
void residuals(const Losses<float> &rows, const Plan &plan, const Vector &k) {
  Kernel<kPair, kOrigin, kEntries> kernel{plan, k};
  const Residuals residual{plan, k};
  const int64_t n = rows.n, gate_bytes = (n + 7) / 8;
  const Scratch scratch(n);
  std::vector<uint8_t> gates(plan.gated ? 2 * gate_bytes : 0);
  auto gate_of = [&](int64_t j) { return plan.gated ? &gates[j % 2 * gate_bytes] : nullptr; };
  auto none = [&](int64_t j) { return !has_loss(rows.x + j * n, n, rows.target[j]); };
  Pending pending;
  auto write = [&](int64_t j, int64_t from, int64_t to) {
    float *out = rows.gradient + j * n;
    if (none(j)) return std::fill(out + from, out + to, 0.0f);
    residual.wrong(scratch.of(j), pending.factor, rows.upstream[j], out, from, to);
  };
  auto finish = [&](int64_t j) {
    if (none(j)) return;
    float *out = rows.gradient + j * n;
    const int64_t t = rows.target[j];
    out[t] = residual.right(scratch.of(j)[t], pending.factor, rows.upstream[j]);
    if (!pending.clipped) return;
    for (int64_t i = 0; i < n; ++i)
      if (gate_of(j)[i / 8] >> (i % 8) & 1) out[i] = 0;
  };
  Largest next;
  if (rows.from < rows.to) kernel.scan(rows.x + rows.from * n, 0, n, next);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    kernel.begin(next);
    const bool clean = !kOrigin && next.clean;
    next = Largest();
    Tally tally{};
    auto between = [&](int64_t from, int64_t to) {
      if (j > rows.from) write(j - 1, from, to);
      if (j + 1 < rows.to) kernel.scan(rows.x + (j + 1) * n, from, to, next);
    };
    const Sum sum = kernel.first_pass(rows.x + j * n, n, scratch.of(j), gate_of(j), clean, tally,
                                      between);
    if (j > rows.from) finish(j - 1);
    pending = {sum.total ? kernel.factor(sum) : 0, plan.gated && tally.clipped};
  }
  if (rows.to == rows.from) return;
  write(rows.to - 1, 0, n);
  finish(rows.to - 1);
}

}  // namespace

void avx512::cross_entropy(const Losses<float> &rows, const Plan &plan, const Vector &k,
                           Tally &tally) {
  for_tables(plan, k, [&](auto pair, auto origin, auto entries) {
    losses<pair(), origin(), entries()>(rows, plan, k, tally);
  });
}

void avx512::cross_entropy_backward(const Losses<float> &rows, const Plan &plan, const Vector &k) {
  for_tables(plan, k, [&](auto pair, auto origin, auto entries) {
    residuals<pair(), origin(), entries()>(rows, plan, k);
  });
}
