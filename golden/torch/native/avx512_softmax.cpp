// p of rows: terms times the reciprocal of their sum, rounded once.
#include "avx512_terms.h"
#include "short.h"

namespace {

static_assert(kGroup == Chunk::kMost * kBlock);

struct Output {
  __m512 result, one, lsb, zero;
  bool stream;
  Output(const Plan &plan, const Vector &k, bool stream)
      : result(_mm512_set1_ps(k.result + 0.5f)), one(_mm512_set1_ps(k.result + plan.one)),
        lsb(_mm512_set1_ps(k.lsb)), zero(_mm512_set1_ps(-k.result * k.lsb)), stream(stream) {}

  // p of 16 terms: a code is the integer part above the binade of `result`, at most `one`.
  INLINE __m512 p(const float *v, __m512 factor) const {
    const __m512 whole = _mm512_castsi512_ps(_mm512_set1_epi32(-2));
    const __m512 t = _mm512_fmadd_round_ps(_mm512_loadu_ps(v), factor, result, kDown);
    return _mm512_fmadd_ps(_mm512_min_ps(_mm512_and_ps(t, whole), one), lsb, zero);
  }

  // Elements `from` to `to` of a row; past the cache, where all of it would not stay there.
  INLINE void operator()(const float *v, float factor, float *out, int64_t from, int64_t to) const {
    const __m512 f = _mm512_set1_ps(factor);
    int64_t i = from;
    if (stream) {
      const int64_t head = -int64_t(reinterpret_cast<uintptr_t>(out + i) / sizeof(float)) & 15;
      if (head) {
        const int64_t count = std::min(head, to - i);
        _mm512_mask_storeu_ps(out + i, (1u << count) - 1, p(v + i, f));
        i += count;
      }
      for (; i + 16 <= to; i += 16) _mm512_stream_ps(out + i, p(v + i, f));
    } else {
      for (; i + 16 <= to; i += 16) _mm512_storeu_ps(out + i, p(v + i, f));
    }
    if (i < to) _mm512_mask_storeu_ps(out + i, (1u << (to - i)) - 1, p(v + i, f));
  }

  // The same of elements that have a factor each.
  INLINE void operator()(const float *v, const float *factors, float *out, int64_t n) const {
    for (int64_t i = 0; i < n; i += 16) {
      const __mmask16 mask = n - i >= 16 ? 0xFFFF : (1u << (n - i)) - 1;
      _mm512_mask_storeu_ps(out + i, mask, p(v + i, _mm512_loadu_ps(factors + i)));
    }
  }
};

// Rows one after the other: while the terms of one are made, the results of the one before are
// written, whose reciprocal is there by then, and the largest of the one behind is looked for.
template <bool kPair, bool kOrigin, int kEntries, class Real>
void softmax_rows(const Rows<Real, float> &rows, const Plan &plan, const Vector &k, Tally &tally,
                  bool stream) {
  Kernel<kPair, kOrigin, kEntries> kernel{plan, k};
  const int64_t n = rows.n;
  const Scratch scratch(n);
  const Output write(plan, k, stream);
  float factor = 0;
  if (rows.from < rows.to) kernel.look_ahead(rows.x + rows.from * n, 0, n, n);
  for (int64_t j = rows.from; j < rows.to; ++j) {
    uint8_t *gate = rows.gate ? rows.gate + j * ((n + 7) / 8) : nullptr;
    auto between = [&](int64_t from, int64_t to) {
      if (j + 1 < rows.to) kernel.look_ahead(rows.x + (j + 1) * n, from, to, n);
      if (j > rows.from) write(scratch.of(j - 1), factor, rows.out + (j - 1) * n, from, to);
    };
    const Sum sum = kernel.first_pass(rows.x + j * n, n, scratch.of(j), gate, tally, between);
    factor = factor_of(plan, k, sum);
  }
  if (rows.to > rows.from)
    write(scratch.of(rows.to - 1), factor, rows.out + (rows.to - 1) * n, 0, n);
  if (stream) _mm_sfence();
}

INLINE void fill(float *at, int64_t n, float value) {  // and up to 15 elements more
  for (int64_t i = 0; i < n; i += 16) _mm512_storeu_ps(at + i, _mm512_set1_ps(value));
}

// Short rows lie one behind the other, and are made as if they were one: what differs is an offset
// and a factor of every element.
template <bool kPair, bool kOrigin, int kEntries, class Real>
void short_rows(const Rows<Real, float> &rows, const Plan &plan, const Vector &k, Tally &tally) {
  Kernel<kPair, kOrigin, kEntries> kernel{plan, k};
  const int64_t n = rows.n, most = kGroup / n;
  alignas(64) float v[kGroup + kBlock], factors[kGroup + kBlock], offsets[kGroup + kBlock];
  uint64_t clipped[Chunk::kMost + 1] = {};
  const Output write(plan, k, false);
  kernel.offset = kernel.offset_of(Largest());  // the same for all where there is an origin
  Chunk chunk;
  for (int64_t j = rows.from; j < rows.to; j += most) {
    const int64_t count = std::min(most, rows.to - j), all = count * n;
    const Real *x = rows.x + j * n;
    if constexpr (!kOrigin)
      for (int64_t r = 0; r < count; ++r) {
        Largest largest;
        kernel.scan(x + r * n, 0, n, largest);
        fill(offsets + r * n, n, kernel.offset_of(largest));
      }
    kernel.quantize(x, 0, all, all, reinterpret_cast<uint8_t *>(clipped), chunk, tally,
                    kOrigin ? nullptr : offsets);
    if (chunk.count * kBlock < all) std::memset(v, 0, sizeof v);
    kernel.place_terms(chunk, v, x + all);
    for (int64_t r = 0; r < count; ++r) {
      const Sum sum{kernel.add_up(v + r * n, n), 0, 0};
      fill(factors + r * n, n, factor_of(plan, k, sum));
      if (rows.gate) cut_out(clipped, r * n, n, rows.gate + (j + r) * ((n + 7) / 8));
    }
    write(v, factors, rows.out + j * n, all);
  }
}

}  // namespace

template <class Real>
void avx512::softmax(const Rows<Real, float> &rows, const Plan &plan, const Vector &k, Tally &tally,
                     bool stream) {
  for_tables(plan, k, [&](auto pair, auto origin, auto entries) {
    if (rows.n <= kShort)
      short_rows<pair(), origin(), entries()>(rows, plan, k, tally);
    else
      softmax_rows<pair(), origin(), entries()>(rows, plan, k, tally, stream);
  });
}
template void avx512::softmax(const Rows<float, float> &, const Plan &, const Vector &, Tally &, bool);
template void avx512::softmax(const Rows<double, float> &, const Plan &, const Vector &, Tally &, bool);
