// What the kernels are handed, and their names: one namespace for each set of instructions.
#pragma once
#include <cmath>
#include <cstdint>

#include "plan.h"

// Rows `from` to `to` of contiguous (rows, n) arrays; pointers are those of row 0, null where there
// is nothing.
template <class Real, class Out>
struct Rows {
  const Real *x;
  Out *out;
  uint8_t *gate;      // (rows, ceil(n / 8))
  int32_t *exponent;  // (rows,)
  int64_t n, from, to;
};

template <class Real>
struct Losses {
  const Real *x;
  const int64_t *target;   // (rows,)
  const int64_t *weights;  // (rows, n), instead of targets
  float *loss;             // (rows,), or as float64
  double *fine_loss;
  const Real *upstream;
  Real *gradient;
  int64_t n, from, to;
};

template <class Real>
struct Gradients {
  const Real *p, *dp;
  const uint8_t *gate;
  const int32_t *exponent;
  Real *ds;
  int64_t n, by_row, grad_exponent;
  uint32_t seed, first_row;
  int64_t from, to;
};

#define KERNELS(ISA)                                                    \
  namespace ISA {                                                       \
  template <class Real, class Out>                                      \
  void softmax(const Rows<Real, Out> &, const Plan &, Tally &);         \
  template <class Real>                                                 \
  void cross_entropy(const Losses<Real> &, const Plan &, Tally &);      \
  template <class Real>                                                 \
  void cross_entropy_backward(const Losses<Real> &, const Plan &);      \
  template <class Real>                                                 \
  void softmax_backward(const Gradients<Real> &, const Plan &);         \
  }
KERNELS(general)
KERNELS(general_avx2)
KERNELS(general_avx512)
#undef KERNELS
