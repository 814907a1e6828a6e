// Losses of rows with one right class each, and their gradients p - y, by one pass where both are
// wanted.
#include "avx512_terms.h"
#include "loss.h"

namespace {

template <bool kPair, bool kOrigin, int kEntries>
void losses(const Losses<float> &rows, const Plan &plan, const Vector &k, Tally &tally) {
  Kernel<kPair, kOrigin, kEntries> kernel{plan, k};
  const int64_t n = rows.n;
  const Scratch scratch(n);
  if (rows.from < rows.to) kernel.look_ahead(rows.x + rows.from * n, 0, n, n);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    const float *x = rows.x + j * n;
    const int64_t origin = int64_t(k.ahead - kernel.offset);
    auto between = [&](int64_t from, int64_t to) {
      if (j + 1 < rows.to) kernel.look_ahead(x + n, from, to, n);
    };
    const Sum sum = kernel.first_pass(x, n, scratch.of(0), nullptr, tally, between);
    rows.loss[j] = loss_of(x, n, rows.target[j], origin, sum, plan, k, tally);
  }
}

// A row whose residuals are still to be written.
struct Pending {
  const float *terms;
  float factor, upstream;
  int64_t target;
  const uint8_t *gate;  // of clipped elements; null where there are none
};

// Values of residuals times the upstream gradient, elements `from` to `to` of a row. Wrong classes
// stay below 1; the right one's p reaches it. Past the caches with `stream`.
INLINE void write_residuals(const Pending &row, const Plan &plan, const Vector &k, bool stream,
                            float *out, int64_t from, int64_t to) {
  const float one = float(int64_t(1) << plan.output_fraction);
  const __m512 factor = _mm512_set1_ps(row.factor), up = _mm512_set1_ps(row.upstream);
  const __m512 binade = _mm512_set1_ps(k.result), half = _mm512_set1_ps(k.result + 0.5f);
  const __m512 most = _mm512_set1_ps(float(plan.residual_high)), lsb = _mm512_set1_ps(k.lsb);
  const __m512 whole = _mm512_castsi512_ps(_mm512_set1_epi32(-2));
  for (int64_t i = from; i < to; i += 16) {
    const __mmask16 mask = to - i >= 16 ? 0xFFFF : (1u << (to - i)) - 1;
    const __m512 t = _mm512_fmadd_round_ps(_mm512_loadu_ps(row.terms + i), factor, half, kDown);
    const __m512 p = _mm512_sub_ps(_mm512_and_ps(t, whole), binade);
    __m512 code = _mm512_min_ps(p, most);
    if (const uint64_t at = uint64_t(row.target - i); at < 16)
      code = _mm512_mask_sub_ps(code, 1u << at, _mm512_min_ps(p, _mm512_set1_ps(one)),
                                _mm512_set1_ps(one));
    __m512 gradient = _mm512_mul_ps(_mm512_mul_ps(code, lsb), up);
    if (row.gate) {
      uint16_t clipped = row.gate[i / 8];
      if (to - i > 8) clipped |= row.gate[i / 8 + 1] << 8;
      gradient = _mm512_maskz_mov_ps(~clipped, gradient);
    }
    if (stream)
      _mm512_stream_ps(out + i, gradient);
    else
      _mm512_mask_storeu_ps(out + i, mask, gradient);
  }
}

template <bool kPair, bool kOrigin, int kEntries>
void residuals(const Losses<float> &rows, const Plan &plan, const Vector &k, Tally &tally,
               bool stream) {
  Kernel<kPair, kOrigin, kEntries> kernel{plan, k};
  const int64_t n = rows.n, gate_bytes = (n + 7) / 8;
  const Scratch scratch(n);
  std::vector<uint8_t> gates(2 * gate_bytes);
  stream &= n % 16 == 0 && reinterpret_cast<uintptr_t>(rows.gradient) % 64 == 0;
  Pending pending{};
  auto write = [&](int64_t j, int64_t from, int64_t to) {
    float *out = rows.gradient + j * n;
    if (has_loss(rows.x + j * n, n, rows.target[j]))
      write_residuals(pending, plan, k, stream, out, from, to);
    else
      std::fill(out + from, out + to, 0.0f);
  };
  if (rows.from < rows.to) kernel.look_ahead(rows.x + rows.from * n, 0, n, n);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    Tally own{};
    const int64_t origin = int64_t(k.ahead - kernel.offset);
    uint8_t *gate = plan.gated ? &gates[j % 2 * gate_bytes] : nullptr;
    auto between = [&](int64_t from, int64_t to) {
      if (j + 1 < rows.to) kernel.look_ahead(rows.x + (j + 1) * n, from, to, n);
      if (j > rows.from) write(j - 1, from, to);
    };
    const Sum sum =
        kernel.first_pass(rows.x + j * n, n, scratch.of(j), gate, own, between);
    pending = {scratch.of(j), factor_of(plan, k, sum), rows.upstream[j], rows.target[j],
               own.clipped ? gate : nullptr};
    if (rows.loss)
      rows.loss[j] = loss_of(rows.x + j * n, n, rows.target[j], origin, sum, plan, k, own);
    tally.clipped += own.clipped;
    tally.invalid += own.invalid;
  }
  if (rows.to > rows.from) write(rows.to - 1, 0, n);
  if (stream) _mm_sfence();
}

}  // namespace

void avx512::cross_entropy(const Losses<float> &rows, const Plan &plan, const Vector &k,
                           Tally &tally) {
  for_tables(plan, k, [&](auto pair, auto origin, auto entries) {
    losses<pair(), origin(), entries()>(rows, plan, k, tally);
  });
}

void avx512::cross_entropy_backward(const Losses<float> &rows, const Plan &plan, const Vector &k,
                                    Tally &tally, bool stream) {
  for_tables(plan, k, [&](auto pair, auto origin, auto entries) {
    residuals<pair(), origin(), entries()>(rows, plan, k, tally, stream);
  });
}
