// p of rows whose codes are bytes: 64 elements to a vector. Terms are added up byte plane by byte
// plane, and since p depends on a row's codes alone, and is 0 for all but the 64 highest, results come
// out of a table of the row.
#include "avx512_terms.h"

namespace {

constexpr int64_t kTable = 64;

// A row between its passes: codes above the lowest one, and what takes part of every block.
struct ByteRow {
  struct Codes {
    __m512i bytes;
    uint64_t active;
  };
  std::vector<Codes> blocks;
  uint8_t highest = 0;
  bool partly = false;  // not all elements are active
  explicit ByteRow(int64_t n) : blocks(n / kBlock + 1) {}
};

// Bytes of a block's codes, in the order in which they come out of interleaved planes.
INLINE __m512i bytes_of(const Block &x, const Vector &k) {
  const __m512 scale = _mm512_set1_ps(k.to_codes), from = _mm512_set1_ps(k.bytes_ahead);
  __m512i word[4];
  for (int i = 0; i < 4; ++i)
    word[i] = _mm512_srli_epi32(
        _mm512_castps_si512(_mm512_fmadd_round_ps(x.part[i], scale, from, kDown)), 1);
  const __m512i pick = _mm512_load_si512(kPick);
  return _mm512_unpacklo_epi64(_mm512_permutex2var_epi8(word[0], pick, word[1]),
                               _mm512_permutex2var_epi8(word[2], pick, word[3]));
}

// Which elements of a block are active, in that order.
INLINE uint64_t ordered(uint64_t active) {
  uint64_t mask = 0;
  for (int i = 0; i < 4; ++i)
    for (int lane = 0; lane < 4; ++lane)
      mask |= (active >> (16 * i + 4 * lane) & 15) << (16 * lane + 4 * i);
  return mask;
}

template <class Real>
INLINE void take_codes(const Real *x, int64_t n, const Vector &k, ByteRow &row, uint8_t *gate,
                       Tally &tally) {
  const __m512i limit = _mm512_castps_si512(_mm512_set1_ps(k.limit));
  __m512i highest = _mm512_setzero_si512();
  row.partly = false;
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t left = n - i;
    Block b = left >= kBlock ? load_whole(x + i) : load(x + i, left);
    fetch(x + i + kAhead);
    uint64_t active = ~uint64_t(0), clipped = 0;
    if (left < kBlock || !is_clean(b, limit)) {
      const Masks masks = put_right(b, k);
      tally.clipped += __builtin_popcountll(masks.clipped);
      tally.invalid += __builtin_popcountll(masks.invalid);
      clipped = masks.clipped;
      active = ordered(masks.active);
      row.partly |= ~active != 0;
    }
    if (gate) std::memcpy(gate + i / 8, &clipped, std::min<int64_t>((left + 7) / 8, 8));
    const __m512i codes = bytes_of(b, k);
    row.blocks[i / kBlock] = {codes, active};
    highest = _mm512_mask_max_epu8(highest, active, highest, codes);
  }
  alignas(64) uint8_t lanes[64];
  const __m256i half = _mm256_max_epu8(_mm512_castsi512_si256(highest),
                                       _mm512_extracti64x4_epi64(highest, 1));
  _mm256_store_si256(reinterpret_cast<__m256i *>(lanes), half);
  __m128i most = _mm_max_epu8(_mm_load_si128(reinterpret_cast<__m128i *>(lanes)),
                              _mm_load_si128(reinterpret_cast<__m128i *>(lanes + 16)));
  // the largest of 16 bytes, as the least of their complements, 8 words at a time
  const __m128i least = _mm_xor_si128(most, _mm_set1_epi8(-1));
  const __m128i words = _mm_min_epu8(least, _mm_srli_epi16(least, 8));
  row.highest = uint8_t(~_mm_extract_epi16(
      _mm_minpos_epu16(_mm_and_si128(words, _mm_set1_epi16(0xFF))), 0));
}

// The sum of a row's terms. A term's place in the tables is its code less `down`, or 0.
template <int kPlanes, int kEntries>
INLINE int64_t add_up(int64_t n, const Vector &k, const ByteRow &row, int64_t down) {
  constexpr int kParts = kEntries / 64;
  __m512i part[kPlanes][kParts], sums[kPlanes] = {};
  for (int i = 0; i < kPlanes; ++i)
    for (int j = 0; j < kParts; ++j)
      part[i][j] = _mm512_load_si512(k.sum_planes + 256 * i + 64 * j);
  const __m512i less = _mm512_set1_epi8(char(std::max<int64_t>(down, 0)));
  const __m512i more = _mm512_set1_epi8(char(std::max<int64_t>(-down, 0)));
  const __m512i ones = _mm512_set1_epi8(1);
  for (int64_t i = 0; i < n; i += kBlock) {
    const auto &[codes, active] = row.blocks[i / kBlock];
    const __m512i at = _mm512_add_epi8(_mm512_subs_epu8(codes, less), more);
    const __mmask64 upper = _mm512_movepi8_mask(at);
    for (int p = 0; p < kPlanes; ++p) {
      __m512i byte = look_up(part[p], at, upper);
      if (row.partly) byte = _mm512_maskz_mov_epi8(active, byte);
      sums[p] = _mm512_dpbusd_epi32(sums[p], byte, ones);
    }
  }
  int64_t total = 0;
  for (int p = 0; p < kPlanes; ++p)
    total += int64_t(uint32_t(_mm512_reduce_add_epi32(sums[p]))) << (8 * p);
  return total;
}

// The results of a row's 64 highest codes, as bytes; those of the first of them are 0.
INLINE __m512i table_of(const Plan &plan, const Vector &k, const ByteRow &row, int64_t down,
                        float factor) {
  const __m512 f = _mm512_set1_ps(factor), half = _mm512_set1_ps(k.result + 0.5f);
  const __m512 one = _mm512_set1_ps(k.result + float(plan.one));
  const __m512i byte = _mm512_set1_epi32(0xFF);
  const float *terms = k.padded + row.highest - down + 1;  // padded by as many as the table has
  alignas(64) uint8_t table[kTable];
  for (int i = 0; i < 4; ++i) {
    const __m512 v = _mm512_loadu_ps(terms + 16 * i);
    const __m512 t = _mm512_min_ps(_mm512_fmadd_round_ps(v, f, half, kDown), one);
    const __m512i code = _mm512_and_si512(_mm512_srli_epi32(_mm512_castps_si512(t), 1), byte);
    _mm_store_si128(reinterpret_cast<__m128i *>(table + 16 * i), _mm512_cvtepi32_epi8(code));
  }
  return _mm512_load_si512(table);
}

INLINE void write(const ByteRow &row, __m512i table, const Vector &k, bool stream, float *out,
                  int64_t n) {
  const int64_t base = int64_t(row.highest) - (kTable - 1);
  const __m512i less = _mm512_set1_epi8(char(std::max<int64_t>(base, 0)));
  const __m512i more = _mm512_set1_epi8(char(std::max<int64_t>(-base, 0)));
  // a code in byte 1 of a float is a number of LSB above a power of two
  const __m512 power = _mm512_set1_ps(k.bytes_power);
  const __m512i upper = _mm512_set1_epi16(int16_t(k.bytes_power_bits));
  const __m512i nothing = _mm512_setzero_si512();
  for (int64_t i = 0; i < n; i += kBlock) {
    const auto &[codes, active] = row.blocks[i / kBlock];
    const __m512i at = _mm512_add_epi8(_mm512_subs_epu8(codes, less), more);
    __m512i p = _mm512_permutexvar_epi8(at, table);
    if (row.partly) p = _mm512_maskz_mov_epi8(active, p);
    const __m512i low = _mm512_unpacklo_epi8(nothing, p), high = _mm512_unpackhi_epi8(nothing, p);
    const __m512i bits[4] = {_mm512_unpacklo_epi16(low, upper), _mm512_unpackhi_epi16(low, upper),
                             _mm512_unpacklo_epi16(high, upper), _mm512_unpackhi_epi16(high, upper)};
    for (int j = 0; j < 4; ++j) {
      const __m512 value = _mm512_sub_ps(_mm512_castsi512_ps(bits[j]), power);
      const int64_t left = n - i - 16 * j;
      if (stream && left >= 16)
        _mm512_stream_ps(out + i + 16 * j, value);
      else if (left > 0)
        _mm512_mask_storeu_ps(out + i + 16 * j, left >= 16 ? 0xFFFF : (1u << left) - 1, value);
    }
  }
}

template <int kPlanes, int kEntries, class Real>
void byte_rows(const Rows<Real, float> &rows, const Plan &plan, const Vector &k, Tally &tally,
               bool stream) {
  const int64_t n = rows.n;
  stream &= n % 16 == 0 && reinterpret_cast<uintptr_t>(rows.out) % 64 == 0;
  ByteRow pair[2] = {ByteRow(n), ByteRow(n)};
  __m512i table = _mm512_setzero_si512();
  for (int64_t j = rows.from; j <= rows.to; ++j) {
    const __m512i before = table;
    if (j < rows.to) {
      ByteRow &row = pair[j % 2];
      uint8_t *gate = rows.gate ? rows.gate + j * ((n + 7) / 8) : nullptr;
      take_codes(rows.x + j * n, n, k, row, gate, tally);
      const int64_t down = plan.has_origin ? 0 : row.highest - plan.reach;
      const int64_t total = add_up<kPlanes, kEntries>(n, k, row, down);
      table = table_of(plan, k, row, down, factor_of(plan, k, {total, 0, 0}));
    }
    if (j > rows.from)
      write(pair[(j - 1) % 2], before, k, stream, rows.out + (j - 1) * n, n);
  }
  if (stream) _mm_sfence();
}

}  // namespace

template <class Real>
void avx512::softmax_bytes(const Rows<Real, float> &rows, const Plan &plan, const Vector &k,
                           Tally &tally, bool stream) {
  using std::integral_constant;
  auto planes = [&](auto entries) {
    if (k.bytes_planes <= 3)
      byte_rows<3, entries()>(rows, plan, k, tally, stream);
    else
      byte_rows<5, entries()>(rows, plan, k, tally, stream);
  };
  if (k.first_entries <= 192)
    planes(integral_constant<int, 192>());
  else
    planes(integral_constant<int, 256>());
}
template void avx512::softmax_bytes(const Rows<float, float> &, const Plan &, const Vector &, Tally &,
                                    bool);
template void avx512::softmax_bytes(const Rows<double, float> &, const Plan &, const Vector &,
                                    Tally &, bool);
