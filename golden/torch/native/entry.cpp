// What Python calls: rows are dealt out to threads, and to the widest instructions there are.
#include "entry.h"

#include <algorithm>
#include <cstddef>
#include <type_traits>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "short.h"
#include "vector.h"

namespace {

constexpr int64_t kStreamed = 1 << 23;  // results that no cache holds: they are written past it
constexpr int64_t kGrain = 1 << 15;  // elements that are worth a thread

// Results are new memory, which the system gives page by page, each cleared when it is first written
// to. Where it has large pages for those who ask, that takes less time than the results themselves.
void ask_for_large_pages(void *at, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t kPage = 2 << 20;
  const uintptr_t start = (reinterpret_cast<uintptr_t>(at) + kPage - 1) & ~(kPage - 1);
  const uintptr_t end = (reinterpret_cast<uintptr_t>(at) + bytes) & ~(kPage - 1);
  if (end > start) madvise(reinterpret_cast<void *>(start), end - start, MADV_HUGEPAGE);
#endif
}

// Calls work(from, to, tally) for parts of the rows, on at most `threads` threads.
template <class Work>
Tally shared_out(int64_t rows, int64_t n, int64_t threads, Work work) {
  const int64_t parts = std::max<int64_t>(std::min(rows * n / kGrain, threads), 1);
  int64_t clipped = 0, invalid = 0;
#pragma omp parallel for num_threads(parts) schedule(static) reduction(+ : clipped, invalid) \
    if (parts > 1)
  for (int64_t part = 0; part < parts; ++part) {
    Tally tally{};
    work(rows * part / parts, rows * (part + 1) / parts, tally);
    clipped += tally.clipped;
    invalid += tally.invalid;
  }
  return {clipped, invalid};
}

enum Isa : int64_t { kPortable, kAvx2, kAvx512 };

#if defined(__x86_64__)
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni");
}
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

// Calls work(kernels of an ISA); `kernel` names one of them.
#if defined(__x86_64__)
#define GENERAL(isa, kernel, ...)                                  \
  (isa == kAvx512 ? general_avx512::kernel(__VA_ARGS__)            \
   : isa == kAvx2 ? general_avx2::kernel(__VA_ARGS__)              \
                  : general::kernel(__VA_ARGS__))
#else
#define GENERAL(isa, kernel, ...) general::kernel(__VA_ARGS__)
#endif

template <class Real, class Out>
Tally softmax(const Plan &plan, const Vector &vector, const void *x, void *out, uint8_t *gate,
              int32_t *exponent, int64_t rows, int64_t n, int64_t threads, int64_t isa) {
  ask_for_large_pages(out, rows * n * sizeof(Out));
  return shared_out(rows, n, threads, [&](int64_t from, int64_t to, Tally &tally) {
    const Rows<Real, Out> part{static_cast<const Real *>(x), static_cast<Out *>(out), gate, exponent,
                               n, from, to};
#if defined(__x86_64__)
    if constexpr (std::is_same_v<Out, float>) {
      const bool stream = rows * n >= kStreamed;
      if (vector.bytes_planes && isa == kAvx512 && n > kShort)
        return avx512::softmax_bytes(part, plan, vector, tally, stream);
      if (vector.usable && isa == kAvx512) return avx512::softmax(part, plan, vector, tally, stream);
      if (vector.usable && isa == kAvx2) return avx2::softmax(part, plan, vector, tally, stream);
    }
#endif
    GENERAL(isa, softmax, part, plan, tally);
  });
}

template <class Real>
Tally cross_entropy(const Plan &plan, const Vector &vector, const Losses<Real> &all, int64_t rows,
                    int64_t threads, int64_t isa) {
  if (all.gradient) ask_for_large_pages(all.gradient, rows * all.n * sizeof(Real));
  return shared_out(rows, all.n, threads, [&](int64_t from, int64_t to, Tally &tally) {
    Losses<Real> part = all;
    part.from = from, part.to = to;
#if defined(__x86_64__)
    if constexpr (std::is_same_v<Real, float>) {
      if (vector.usable && isa == kAvx512 && !part.weights && !part.fine_loss) {
        if (part.gradient)
          return avx512::cross_entropy_backward(part, plan, vector, tally, rows * part.n >= kStreamed);
        return avx512::cross_entropy(part, plan, vector, tally);
      }
      if (vector.usable && isa == kAvx2 && !part.weights && !part.fine_loss) {
        if (part.gradient) return avx2::cross_entropy_backward(part, plan, vector, tally, false);
        return avx2::cross_entropy(part, plan, vector, tally);
      }
    }
#endif
    if (part.gradient) GENERAL(isa, cross_entropy_backward, part, plan);
    if (part.loss || part.fine_loss) GENERAL(isa, cross_entropy, part, plan, tally);
  });
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))


// The widest instructions that this processor has, of those the kernels know.
EXPORT int64_t softmaxfx_isa() {
#if defined(__x86_64__)
  if (has_avx512()) return kAvx512;
  if (has_avx2()) return kAvx2;
#endif
  return kPortable;
}

// Sizes of what Python hands over, so that a mistake is seen at once.
EXPORT int64_t softmaxfx_sizes(int64_t *sizes) {
  sizes[0] = sizeof(Plan), sizes[1] = sizeof(Vector), sizes[2] = sizeof(Tally);
  return 3;
}

EXPORT void softmaxfx_softmax(const Plan *plan, const Vector *vector, const void *x, int64_t x_double,
                       void *out, int64_t out_double, uint8_t *gate, int32_t *exponent, int64_t rows,
                       int64_t n, int64_t threads, int64_t isa, Tally *tally) {
  auto call = [&](auto real, auto result) {
    return softmax<decltype(real), decltype(result)>(*plan, *vector, x, out, gate, exponent, rows, n,
                                                     threads, isa);
  };
  auto with = [&](auto real) { return out_double ? call(real, double()) : call(real, float()); };
  *tally = x_double ? with(double()) : with(float());
}

EXPORT void softmaxfx_softmax_backward(const Plan *plan, const void *p, const void *dp, int64_t is_double,
                                const uint8_t *gate, const int32_t *exponent, void *ds, int64_t rows,
                                int64_t n, int64_t by_row, int64_t grad_exponent, int64_t seed,
                                int64_t first_row, int64_t threads, int64_t isa) {
  auto call = [&](auto real) {
    using Real = decltype(real);
    ask_for_large_pages(ds, rows * n * sizeof(Real));
    shared_out(rows, n, threads, [&](int64_t from, int64_t to, Tally &) {
      const Gradients<Real> part{static_cast<const Real *>(p), static_cast<const Real *>(dp), gate,
                                 exponent, static_cast<Real *>(ds), n, by_row, grad_exponent,
                                 uint32_t(seed), uint32_t(first_row), from, to};
#if defined(__x86_64__)
      if constexpr (std::is_same_v<Real, float>) {
        if (plan->in_float && isa == kAvx512) return avx512::softmax_backward(part, *plan, rows * n >= kStreamed);
      }
#endif
      GENERAL(isa, softmax_backward, part, *plan);
    });
  };
  is_double ? call(double()) : call(float());
}

// Losses, or gradients, or both: what there is somewhere to write.
EXPORT void softmaxfx_cross_entropy(const Plan *plan, const Vector *vector, const void *x, int64_t is_double,
                             const int64_t *target, const int64_t *weights, float *loss,
                             double *fine_loss,
                             const void *upstream, void *gradient, int64_t rows, int64_t n,
                             int64_t threads, int64_t isa, Tally *tally) {
  auto call = [&](auto real) {
    using Real = decltype(real);
    const Losses<Real> all{static_cast<const Real *>(x), target, weights, loss, fine_loss,
                           static_cast<const Real *>(upstream), static_cast<Real *>(gradient), n, 0, 0};
    return cross_entropy(*plan, *vector, all, rows, threads, isa);
  };
  *tally = is_double ? call(double()) : call(float());
}
