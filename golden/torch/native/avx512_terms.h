// Terms of rows in float32, 64 elements at a time, for processors with AVX-512 and its byte permutes
// (VBMI): tables lie in registers as byte planes, so that no look-up walks through memory.
#pragma once
#include <immintrin.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "factor.h"
#include "rows.h"
#include "vector.h"

#define INLINE inline __attribute__((always_inline))

namespace {

constexpr int kDown = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
constexpr int kUp = _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC;
constexpr int64_t kBlock = 64;
constexpr int64_t kAhead = 1024;  // elements that are fetched before they are looked at

struct Block {  // four vectors of 16 elements
  __m512 part[4];
};

struct Masks {
  uint64_t active, clipped, invalid;
};

// Elements from x[0], those beyond `count` as if they took no part.
INLINE Block load(const float *x, int64_t count) {
  Block b;
  for (int i = 0; i < 4; ++i) {
    const int64_t left = count - 16 * i;
    if (left >= 16) {
      b.part[i] = _mm512_loadu_ps(x + 16 * i);
    } else {
      const __mmask16 mask = left > 0 ? (1u << left) - 1 : 0;
      b.part[i] = _mm512_mask_loadu_ps(_mm512_set1_ps(-INFINITY), mask, x + 16 * i);
    }
  }
  return b;
}

// Rounded down, a double stays on its side of every float, and thus of every half of an LSB.
INLINE Block load(const double *x, int64_t count) {
  Block b;
  for (int i = 0; i < 4; ++i) {
    __m256 half[2];
    for (int h = 0; h < 2; ++h) {
      const int64_t left = count - 16 * i - 8 * h;
      const __mmask8 mask = left >= 8 ? 0xFF : left > 0 ? (1u << left) - 1 : 0;
      const __m512d d = _mm512_mask_loadu_pd(_mm512_set1_pd(-INFINITY), mask, x + 16 * i + 8 * h);
      // above the largest float lies +inf alone
      const __m256 f = _mm512_cvt_roundpd_ps(d, kDown);
      const __mmask8 lost = _mm512_cmp_pd_mask(d, _mm512_set1_pd(-3e38), _CMP_LT_OQ) &
                            _mm512_cmp_pd_mask(d, _mm512_set1_pd(-INFINITY), _CMP_NEQ_OQ);
      half[h] = _mm256_mask_mov_ps(f, lost, _mm256_set1_ps(-3e38f));
    }
    b.part[i] = _mm512_insertf32x8(_mm512_castps256_ps512(half[0]), half[1], 1);
  }
  return b;
}

INLINE Block load_whole(const float *x) {
  return {{_mm512_loadu_ps(x), _mm512_loadu_ps(x + 16), _mm512_loadu_ps(x + 32),
           _mm512_loadu_ps(x + 48)}};
}
INLINE Block load_whole(const double *x) { return load(x, kBlock); }

// Has a block brought near that is soon looked at.
template <class Real>
INLINE void fetch(const Real *x) {
  const char *line = reinterpret_cast<const char *>(x);
  for (size_t i = 0; i < kBlock * sizeof(Real); i += 64) _mm_prefetch(line + i, _MM_HINT_T0);
}

// No element is at or beyond `limit`, infinite or NaN: magnitudes are compared as integers.
INLINE bool is_clean(const Block &x, __m512i limit) {
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
  __m512i largest = _mm512_setzero_si512();
  for (const __m512 part : x.part)
    largest = _mm512_max_epu32(largest, _mm512_and_si512(_mm512_castps_si512(part), magnitude));
  return _mm512_cmpge_epu32_mask(largest, limit) == 0;
}

// What is outside becomes the range's ends; says what takes part, is clipped, or is no logit.
INLINE Masks put_right(Block &x, const Vector &k) {
  Masks masks{};
  for (int i = 0; i < 4; ++i) {
    const __m512 y = x.part[i];
    const uint64_t active = _mm512_cmp_ps_mask(y, _mm512_set1_ps(-INFINITY), _CMP_NEQ_UQ);
    const uint64_t above = _mm512_cmp_ps_mask(y, _mm512_set1_ps(k.high), _CMP_NLT_UQ);
    const uint64_t below = _mm512_cmp_ps_mask(y, _mm512_set1_ps(k.low), _CMP_LT_OQ);
    const uint64_t invalid = _mm512_cmp_ps_mask(y, _mm512_set1_ps(INFINITY), _CMP_NLT_UQ);
    masks.active |= active << 16 * i;
    masks.clipped |= (active & (above | below)) << 16 * i;
    masks.invalid |= invalid << 16 * i;
    x.part[i] = _mm512_min_ps(_mm512_max_ps(y, _mm512_set1_ps(k.clip_low)),
                              _mm512_set1_ps(k.clip_high));
  }
  return masks;
}

// Bytes 0 and 1 of the dwords of two vectors, so that those of four, put together by quadwords, come
// out of `whole` in the order of the elements.
alignas(64) const uint8_t kPick[64] = {
#define LANE(at) at, at + 4, at + 8, at + 12, at + 64, at + 68, at + 72, at + 76
#define BOTH(at) LANE(at), LANE(at + 1)
    BOTH(0), BOTH(16), BOTH(32), BOTH(48)};
#undef BOTH
#undef LANE

// A table of up to 128, 192 or 256 float32 as byte planes, in registers as far as there are any.
template <int kEntries>
struct Planes {
  static constexpr int kParts = kEntries / 64;
  __m512i part[4][kParts];
  INLINE explicit Planes(const uint8_t *planes) {
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < kParts; ++j)
        part[i][j] = _mm512_load_si512(planes + 256 * i + 64 * j);
  }
};

// The bytes of one plane that 64 fields name; `upper` are those from 128 on.
template <size_t kParts>
INLINE __m512i look_up(const __m512i (&part)[kParts], __m512i field, __mmask64 upper) {
  __m512i byte = _mm512_permutex2var_epi8(part[0], field, part[1]);
  if constexpr (kParts == 3) byte = _mm512_mask_permutexvar_epi8(byte, upper, field, part[2]);
  if constexpr (kParts == 4)
    byte = _mm512_mask_mov_epi8(byte, upper,
                                _mm512_permutex2var_epi8(part[2], field, part[3]));
  return byte;
}

// The entries of 64 fields.
template <int kEntries>
INLINE Block look_up(const Planes<kEntries> &planes, __m512i field) {
  const __mmask64 upper = _mm512_movepi8_mask(field);
  __m512i byte[4];
  for (int i = 0; i < 4; ++i) byte[i] = look_up(planes.part[i], field, upper);
  const __m512i low0 = _mm512_unpacklo_epi8(byte[0], byte[1]);
  const __m512i high0 = _mm512_unpackhi_epi8(byte[0], byte[1]);
  const __m512i low1 = _mm512_unpacklo_epi8(byte[2], byte[3]);
  const __m512i high1 = _mm512_unpackhi_epi8(byte[2], byte[3]);
  return {{_mm512_castsi512_ps(_mm512_unpacklo_epi16(low0, low1)),
           _mm512_castsi512_ps(_mm512_unpackhi_epi16(low0, low1)),
           _mm512_castsi512_ps(_mm512_unpacklo_epi16(high0, high1)),
           _mm512_castsi512_ps(_mm512_unpackhi_epi16(high0, high1))}};
}

// Blocks of a row of which something takes part, up to a chunk of them: the fields of their elements,
// that of the last table before that of the first. Loops over a chunk do one thing each, because one
// that does all keeps a processor waiting for its own results.
struct Chunk {
  static constexpr int64_t kMost = 8;
  alignas(64) uint8_t fields[kMost][2][kBlock];
  int64_t at[kMost];
  uint64_t active[kMost];
  int64_t count;
  bool partly;  // not all elements of its blocks are active
};

struct Largest {
  __m512 value = _mm512_set1_ps(-INFINITY);
  bool clean = true;  // what was seen in whole blocks is within the range
};

template <bool kPair, bool kOrigin, int kEntries>
struct Kernel {
  const Plan &plan;
  const Vector &k;
  float offset = 0;    // of the row
  bool clean = false;  // nothing of the row is to be put right, as far as that is known
  Largest seen;        // of the row that comes next

  // `each` is the offset of every element, where rows differ.
  INLINE void take_fields(const Block &x, const float *each, uint8_t (&fields)[2][kBlock]) const {
    __m512i word[4];
    for (int i = 0; i < 4; ++i) {
      const __m512 from = each ? _mm512_loadu_ps(each + 16 * i) : _mm512_set1_ps(offset);
      __m512 t = _mm512_fmadd_round_ps(x.part[i], _mm512_set1_ps(k.to_codes), from, kDown);
      if (!kOrigin && k.saturates) t = _mm512_max_ps(t, _mm512_set1_ps(k.farthest));
      word[i] = _mm512_srli_epi32(_mm512_castps_si512(t), 1);
    }
    const __m512i pick = _mm512_load_si512(kPick);
    const __m512i front = _mm512_permutex2var_epi8(word[0], pick, word[1]);
    const __m512i back = _mm512_permutex2var_epi8(word[2], pick, word[3]);
    _mm512_store_si512(fields[0], _mm512_unpacklo_epi64(front, back));
    if constexpr (kPair) _mm512_store_si512(fields[1], _mm512_unpackhi_epi64(front, back));
  }

  INLINE Block terms(const uint8_t (&fields)[2][kBlock], const Planes<kEntries> &high,
                     const Planes<256> &low) const {
    const __m512i last = _mm512_load_si512(fields[0]);
    if constexpr (!kPair) return look_up(high, last);
    const Block share = look_up(low, last);
    const Block first = look_up(high, _mm512_load_si512(fields[1]));
    const __m512 kept = _mm512_castsi512_ps(_mm512_set1_epi32(int(k.kept)));
    const __m512 power = _mm512_castsi512_ps(_mm512_set1_epi32(int(0xFF800000)));
    Block v;
    for (int i = 0; i < 4; ++i) {
      const __m512 a = first.part[i], one = _mm512_and_ps(a, power);
      const __m512 mantissa = _mm512_sub_ps(_mm512_and_ps(a, kept), one);
      const __m512 left = _mm512_fnmadd_round_ps(mantissa, share.part[i], a, kUp);
      v.part[i] = _mm512_sub_ps(_mm512_and_ps(left, kept), one);
    }
    return v;
  }

  // Looks at elements `from` to `to` of a row for its largest.
  template <class Real>
  INLINE void scan(const Real *x, int64_t from, int64_t to, Largest &largest) const {
    if constexpr (kOrigin) return;
    const __m512i limit = _mm512_castps_si512(_mm512_set1_ps(k.limit));
    for (int64_t i = from; i < to; i += kBlock) {
      const Block b = to - i >= kBlock ? load_whole(x + i) : load(x + i, to - i);
      largest.clean &= to - i < kBlock || is_clean(b, limit);
      for (const __m512 part : b.part) largest.value = _mm512_max_ps(part, largest.value);
    }
  }

  // Distances are from the row's largest code, which is that of its largest element.
  INLINE float offset_of(const Largest &largest) const {
    if constexpr (kOrigin) return k.ahead - float(plan.origin);
    const float y =
        std::min(std::max(_mm512_reduce_max_ps(largest.value), k.clip_low), k.clip_high);
    const float scaled = y * k.to_codes, whole = std::floor(scaled);
    return k.ahead - (whole + (scaled - whole >= 0.5f));
  }

  // Looks at elements `from` to `to` of the row that comes next; behind its end it can begin. The
  // row before is quantised by then.
  template <class Real>
  INLINE void look_ahead(const Real *x, int64_t from, int64_t to, int64_t n) {
    scan(x, from, to, seen);
    if (to < n) return;
    offset = offset_of(seen);
    clean = !kOrigin && seen.clean;
    seen = Largest();
  }

  // Elements `from` to `to` of a row of n, or of several, as fields; blocks without an active
  // element are left out. Bits of clipped elements go to `gate`.
  template <class Real>
  INLINE void quantize(const Real *x, int64_t from, int64_t to, int64_t n, uint8_t *gate, Chunk &chunk,
                       Tally &tally, const float *each = nullptr) const {
    const __m512i limit = _mm512_castps_si512(_mm512_set1_ps(k.limit));
    chunk.count = 0;
    chunk.partly = false;
    for (int64_t i = from; i < to; i += kBlock) {
      const int64_t left = n - i, c = chunk.count;
      uint64_t active = ~uint64_t(0), clipped = 0;
      Block b = left >= kBlock ? load_whole(x + i) : load(x + i, left);
      if (!(left >= kBlock && (clean || is_clean(b, limit)))) {
        const Masks masks = put_right(b, k);
        active = masks.active;
        clipped = masks.clipped;
        tally.clipped += __builtin_popcountll(clipped);
        tally.invalid += __builtin_popcountll(masks.invalid);
        chunk.partly |= ~active != 0;
      }
      if (gate) std::memcpy(gate + i / 8, &clipped, std::min<int64_t>((left + 7) / 8, 8));
      if (active == 0) continue;
      take_fields(b, each ? each + i : nullptr, chunk.fields[c]);
      chunk.at[c] = i;
      chunk.active[c] = active;
      ++chunk.count;
    }
  }

  // Terms of a chunk into v, where blocks that were left out stay as they are; inputs that come next
  // are fetched meanwhile.
  template <class Real>
  INLINE void place_terms(const Chunk &chunk, float *v, const Real *next) const {
    const Planes<kEntries> first(k.first_planes);
    const Planes<256> further(k.further_planes);
    for (int64_t c = 0; c < chunk.count; ++c) {
      const Block t = terms(chunk.fields[c], first, further);
      fetch(next + c * kBlock);
      for (int j = 0; j < 4; ++j) _mm512_store_ps(v + chunk.at[c] + 16 * j, t.part[j]);
    }
    if (!chunk.partly) return;
    for (int64_t c = 0; c < chunk.count; ++c)
      for (int j = 0; j < 4; ++j) {
        float *at = v + chunk.at[c] + 16 * j;
        _mm512_mask_store_ps(at, ~chunk.active[c] >> 16 * j, _mm512_setzero_ps());
      }
  }

  // The sum of a chunk's terms: exact, in lanes of float64 or int64. A term's bits, moved to where a
  // float64 has them, are the term times 2**-896; elements of even and of odd places are moved apart.
  INLINE __m512i add_up(const Chunk &chunk, const float *v) const {
    Lanes lanes;
    for (int64_t c = 0; c < chunk.count; ++c)
      for (int j = 0; j < 4; ++j)
        add(lanes, j % 2, _mm512_load_si512(v + chunk.at[c] + 16 * j));
    return in_units(lanes, 4 * chunk.count);
  }

  // The same of one short row.
  INLINE int64_t add_up(const float *v, int64_t n) const {
    Lanes lanes;
    for (int64_t i = 0; i < n; i += 16) {
      const __mmask16 mask = n - i >= 16 ? 0xFFFF : (1u << (n - i)) - 1;
      add(lanes, 0, _mm512_maskz_loadu_epi32(mask, v + i));
    }
    return _mm512_reduce_add_epi64(in_units(lanes, (n + 15) / 16));
  }

  struct Lanes {
    __m512d real[2][2] = {};
    __m512i whole = _mm512_setzero_si512(), upper = _mm512_setzero_si512();
  };

  // The vectors of 16 terms that are added up by turns are numbered j.
  INLINE void add(Lanes &lanes, int j, __m512i bits) const {
    if constexpr (!kOrigin) {
      if (k.narrow) {  // sums modulo 2**32, and of upper halves, which tell how often they wrap
        const __m512i cut = _mm512_cvttps_epi32(_mm512_castsi512_ps(bits));
        const __m512i high = _mm512_srli_epi32(cut, 16);
        lanes.whole = _mm512_add_epi32(lanes.whole, cut);
        lanes.upper = _mm512_add_epi32(lanes.upper, high);
        return;
      }
    }
    const __m512i up = _mm512_set1_epi64(1 << 29), field = _mm512_set1_epi64(0x1FFFFFFFE0000000);
    const __m512d unit = _mm512_set1_pd(0x1p896), magic = _mm512_set1_pd(0x1p52);
    const __m512d even = _mm512_castsi512_pd(_mm512_mul_epu32(bits, up));
    const __m512d odd = _mm512_castsi512_pd(_mm512_and_si512(_mm512_srli_epi64(bits, 3), field));
    if constexpr (kOrigin) {
      lanes.real[j][0] = _mm512_fmadd_pd(even, unit, lanes.real[j][0]);
      lanes.real[j][1] = _mm512_fmadd_pd(odd, unit, lanes.real[j][1]);
    } else {  // each cut to a whole number: an integer in the low bits of 2**52 and more
      for (const __m512d t : {even, odd}) {
        const __m512d cut = _mm512_fmadd_round_pd(t, unit, magic, kDown);
        lanes.whole = _mm512_add_epi64(lanes.whole, _mm512_castpd_si512(cut));
      }
    }
  }

  // Lanes to which `vectors` of 16 terms were added, as int64.
  INLINE __m512i in_units(const Lanes &lanes, int64_t vectors) const {
    const auto &real = lanes.real;
    if constexpr (kOrigin)
      return _mm512_cvtpd_epi64(_mm512_add_pd(_mm512_add_pd(real[0][0], real[0][1]),
                                              _mm512_add_pd(real[1][0], real[1][1])));
    if (k.narrow) {
      const __m512i lower = _mm512_sub_epi32(lanes.whole, _mm512_slli_epi32(lanes.upper, 16));
      const __m512i mask = _mm512_set1_epi64(0xFFFFFFFF);
      const auto pairs = [&](__m512i x) {
        return _mm512_add_epi64(_mm512_and_si512(x, mask), _mm512_srli_epi64(x, 32));
      };
      return _mm512_add_epi64(_mm512_slli_epi64(pairs(lanes.upper), 16), pairs(lower));
    }
    const uint64_t magic = uint64_t(vectors) * 2 * 0x4330000000000000u;  // of 2**52, a lane
    return _mm512_sub_epi64(lanes.whole, _mm512_set1_epi64(int64_t(magic)));
  }

  // Terms of a row into v, 0 where nothing takes part; their sum.
  // Calls between(from, to) behind every chunk: a processor that has other rows to read and to write
  // meanwhile waits less for each.
  template <class Real, class Between>
  INLINE Sum first_pass(const Real *x, int64_t n, float *v, uint8_t *gate, Tally &tally,
                        Between between) {
    const int64_t step = std::min(k.chunk, Chunk::kMost * kBlock);
    __m512i whole = _mm512_setzero_si512();
    Chunk chunk;
    for (int64_t from = 0; from < n; from += step) {
      const int64_t to = std::min(from + step, n);
      quantize(x, from, to, n, gate, chunk, tally);
      if (chunk.count * kBlock < to - from)
        std::memset(v + from, 0, 4 * ((to - from + kBlock - 1) / kBlock * kBlock));
      place_terms(chunk, v, kOrigin ? x + from + 2 * step : x + n + from);  // or what is scanned next
      whole = _mm512_add_epi64(whole, add_up(chunk, v));
      between(from, to);
    }
    return {_mm512_reduce_add_epi64(whole), 0, 0};
  }
};

// Memory of a thread for the terms of two rows, each to the end of its last block.
struct Scratch {
  int64_t stride;
  float *terms;
  explicit Scratch(int64_t n)
      : stride((n + 63) / 64 * 64),
        terms(static_cast<float *>(std::aligned_alloc(64, 8 * stride + 64))) {}
  ~Scratch() { std::free(terms); }
  Scratch(const Scratch &) = delete;
  float *of(int64_t row) const { return terms + row % 2 * stride; }
};

// Calls work(pair, origin, entries), the arguments of Kernel, for a plan.
template <class Work>
void for_tables(const Plan &plan, const Vector &k, Work work) {
  using std::bool_constant;
  using std::integral_constant;
  auto entries = [&](auto pair, auto origin) {
    if (k.first_entries <= 128) return work(pair, origin, integral_constant<int, 128>());
    if (k.first_entries <= 192) return work(pair, origin, integral_constant<int, 192>());
    return work(pair, origin, integral_constant<int, 256>());
  };
  auto origins = [&](auto pair) {
    if (plan.has_origin) return entries(pair, bool_constant<true>());
    return entries(pair, bool_constant<false>());
  };
  if (k.tables == 2) return origins(bool_constant<true>());
  return origins(bool_constant<false>());
}

}  // namespace
