// What a plan is to kernels that compute in float32, each step of which is exact or rounded down on
// purpose. The fields are those of `_Vector` in compiled_vector.py, in the same order.
//
// An input becomes t = x * to_codes + ahead - origin, rounded down, the origin being the row's largest
// code where there is none. That is a float of a fixed binade whose bits 1 to 8 are the field of the
// last exp table, bits 9 to 16 that of the first, both counted from their last entries. Entries of
// the first table are (2**23 + entry) * 2**-shift: what is taken off them is rounded at their last
// bit, because 2**23 is in them. With one table alone, its entries are the terms themselves. Terms are
// in units of the sum's LSB: powers of two that every entry has besides.
#pragma once
#include "entry.h"

struct Vector {
  int64_t usable, tables;
  float to_codes, ahead;
  float farthest;             // t of the largest distance
  float clip_low, clip_high;  // inputs that become the lowest and the highest code
  float low, high;            // clipped is what is below low, or not below high
  float limit;                // nothing is clipped below this magnitude
  uint32_t kept;              // mask: an entry without its guard bits
  const float *first, *further;  // 256 entries each, in the order of the fields
  const uint8_t *first_planes, *further_planes;  // the same, byte by byte: 4 times 256
  int64_t first_entries;         // that occur
  int64_t chunk;                 // elements whose float64 sums in 16 lanes are exact
  int64_t narrow;                // no term has more than 30 bits before the point
  int64_t saturates;             // distances can be beyond the largest
  float quotient;                // what 1 is in units of mantissas times terms
  // where codes and results are bytes: see avx512_bytes.cpp
  int64_t bytes_planes;          // of terms cut to the sum's LSB; 0: they are not bytes
  const uint8_t *sum_planes;     // 256 a plane, the lowest first
  const float *padded;           // the first table, 64 zeros before it
  float bytes_ahead, bytes_power;
  int64_t bytes_power_bits;      // the upper half of that float
  float result, lsb;             // binade of p's codes; value of one
};

#define VECTOR_KERNELS(ISA)                                                                      \
  namespace ISA {                                                                                \
  template <class Real>                                                                          \
  void softmax(const Rows<Real, float> &, const Plan &, const Vector &, Tally &, bool stream);   \
  template <class Real>                                                                          \
  void softmax_bytes(const Rows<Real, float> &, const Plan &, const Vector &, Tally &, bool);    \
  void cross_entropy(const Losses<float> &, const Plan &, const Vector &, Tally &);              \
  void cross_entropy_backward(const Losses<float> &, const Plan &, const Vector &, Tally &,      \
                              bool stream);                                                      \
  void softmax_backward(const Gradients<float> &, const Plan &, bool stream);                                \
  }
VECTOR_KERNELS(avx512)
VECTOR_KERNELS(avx2)
#undef VECTOR_KERNELS
