// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_LANES_H_
#define VARKEEP_SERVER_INITIALIZERS_LANES_H_

#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

// Vectors as wide as the processor that a source is compiled for has them. One
// source is compiled for several, so everything here is local to it, and
// nothing inline of the standard library may be called: the linker would keep
// one copy, perhaps that with instructions which the processor lacks.
namespace varkeep::initializers {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

typedef uint64_t U64s __attribute__((vector_size(kVectorBytes)));
typedef uint32_t U32s __attribute__((vector_size(kVectorBytes)));
typedef double F64s __attribute__((vector_size(kVectorBytes)));
typedef int64_t S64s __attribute__((vector_size(kVectorBytes)));
typedef int32_t S32s __attribute__((vector_size(kVectorBytes)));
typedef float F32s __attribute__((vector_size(kVectorBytes)));

// 64-bit lanes of a vector.
constexpr int kLanes = kVectorBytes / 8;

template <typename T, typename Vector>
inline void Store(T* out, Vector value) {
  __builtin_memcpy(out, &value, sizeof(value));
}

// The products of the low halves of the lanes.
inline U64s MultiplyLow(U64s a, U64s b) {
#if defined(__AVX512F__)
  return (U64s)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (U64s)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (U64s)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

inline F32s SquareRoot(F32s x) {
#if defined(__AVX512F__)
  return (F32s)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
  return (F32s)_mm256_sqrt_ps((__m256)x);
#else
  for (int i = 0; i < 2 * kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

inline F64s SquareRoot(F64s x) {
#if defined(__AVX512F__)
  return (F64s)_mm512_sqrt_pd((__m512d)x);
#elif defined(__AVX2__)
  return (F64s)_mm256_sqrt_pd((__m256d)x);
#else
  for (int i = 0; i < kLanes; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
#endif
}

// x * factor as doubles, rounded to float.
inline F32s MultiplyAsDoubles(F32s x, double factor) {
#if defined(__AVX512F__)
  const __m512d f = _mm512_set1_pd(factor);
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256((__m512)x));
  const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)x, 1));
  return (F32s)_mm512_insertf32x8(
      _mm512_castps256_ps512(_mm512_cvtpd_ps(_mm512_mul_pd(low, f))),
      _mm512_cvtpd_ps(_mm512_mul_pd(high, f)), 1);
#elif defined(__AVX2__)
  const __m256d f = _mm256_set1_pd(factor);
  const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x));
  const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1));
  return (F32s)_mm256_set_m128(_mm256_cvtpd_ps(_mm256_mul_pd(high, f)),
                               _mm256_cvtpd_ps(_mm256_mul_pd(low, f)));
#else
  for (int i = 0; i < 2 * kLanes; ++i) {
    x[i] = static_cast<float>(static_cast<double>(x[i]) * factor);
  }
  return x;
#endif
}

// Lane 2i holds block i and lane 2i + 1 block kLanes / 2 + i, so that pairing
// lanes within 128 bits, which is cheap, puts blocks side by side.
constexpr int BlockOfLane(int lane) {
  return lane / 2 + lane % 2 * (kLanes / 2);
}

template <typename Vector>
struct Pair {
  Vector low, high;
};

// The lanes of a and b by turns: a0 b0, a2 b2, ... and a1 b1, a3 b3, ...: the
// blocks in order.
template <typename Vector>
inline Pair<Vector> PairLanes(Vector a, Vector b) {
#if defined(__AVX512F__)
  return {__builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14),
          __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15)};
#elif defined(__AVX2__)
  return {__builtin_shufflevector(a, b, 0, 4, 2, 6),
          __builtin_shufflevector(a, b, 1, 5, 3, 7)};
#else
  return {__builtin_shufflevector(a, b, 0, 2),
          __builtin_shufflevector(a, b, 1, 3)};
#endif
}

// The same of lanes that hold two floats each: a's first, b's first, a's
// second, b's second.
inline Pair<F32s> PairFloats(F32s a, F32s b) {
#if defined(__AVX512F__)
  return {(F32s)_mm512_unpacklo_ps((__m512)a, (__m512)b),
          (F32s)_mm512_unpackhi_ps((__m512)a, (__m512)b)};
#elif defined(__AVX2__)
  return {(F32s)_mm256_unpacklo_ps((__m256)a, (__m256)b),
          (F32s)_mm256_unpackhi_ps((__m256)a, (__m256)b)};
#else
  return {__builtin_shufflevector(a, b, 0, 4, 1, 5),
          __builtin_shufflevector(a, b, 2, 6, 3, 7)};
#endif
}

// Each lane: the low half of a, then that of b.
inline U64s JoinHalves(U64s a, U64s b) { return (a & 0xFFFFFFFFu) | (b << 32); }

}  // namespace
}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_LANES_H_
