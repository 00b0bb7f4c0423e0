// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_UPDATE_KERNELS_IMPL_H_
#define VARKEEP_TENSOR_UPDATE_KERNELS_IMPL_H_

#include "tensor/update_kernels.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

// Plain loops, which the compiler turns into vector code for the processor that
// the source which includes this is compiled for. Everything is local to that
// source, and nothing inline of another header may be called: the linker would
// keep one copy, perhaps that with instructions which the processor lacks.
namespace varkeep {
namespace {

uint32_t BitsOf(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  return bits;
}

float FloatOf(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof(value));
  return value;
}

// How an element is stored and what it is added as. All without branches, which
// would keep the loops from becoming vector code.
template <typename T>
struct Plain {
  using Stored = T;
  static T Load(T stored) { return stored; }
  static T Round(T sum) { return sum; }
};

struct Bfloat16 {
  using Stored = uint16_t;
  static float Load(uint16_t stored) { return FloatOf(uint32_t{stored} << 16); }
  static uint16_t Round(float sum) {
    const uint32_t bits = BitsOf(sum);
    const uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    return static_cast<uint16_t>((bits & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC0
                                                                  : rounded);
  }
};

struct Float16 {
  using Stored = uint16_t;
  static float Load(uint16_t stored) {
    const uint32_t magnitude = uint32_t{stored & 0x7FFFu} << 13;
    // Moves the exponent's bias; subnormal halves become normal floats.
    const uint32_t finite = BitsOf(FloatOf(magnitude) * 0x1p112f);
    const uint32_t special = magnitude | 0x7F800000;
    return FloatOf((magnitude >= 0x0F800000 ? special : finite) |
                   uint32_t{stored & 0x8000u} << 16);
  }
  static uint16_t Round(float sum) {
    const uint32_t sign = BitsOf(sum) >> 16 & 0x8000;
    const uint32_t bits = BitsOf(sum) & 0x7FFFFFFF;
    // The addition rounds to the last place that a subnormal half has.
    const uint32_t subnormal = BitsOf(FloatOf(bits) + 0.5f) - 0x3F000000;
    const uint32_t normal =
        (bits - (112u << 23) + 0xFFF + (bits >> 13 & 1)) >> 13;
    const uint32_t finite = bits < (113u << 23) ? subnormal : normal;
    const uint32_t number = (bits >= (143u << 23) ? 0x7C00 : finite) | sign;
    return static_cast<uint16_t>(bits > 0x7F800000 ? 0x7E00 : number);
  }
};

struct Add {
  template <typename T>
  static T Of(T a, T b) {
    return static_cast<T>(a + b);
  }
};
struct Subtract {
  template <typename T>
  static T Of(T a, T b) {
    return static_cast<T>(a - b);
  }
};

template <typename Op, typename Element>
void Update(const void* a, const void* b, void* out, int64_t count) {
  using T = typename Element::Stored;
  const T* from = static_cast<const T*>(a);
  const T* operand = static_cast<const T*>(b);
  T* to = static_cast<T*>(out);
  if (a == out) {
    for (int64_t i = 0; i < count; ++i) {
      to[i] = Element::Round(
          Op::Of(Element::Load(to[i]), Element::Load(operand[i])));
    }
  } else {
    for (int64_t i = 0; i < count; ++i) {
      to[i] = Element::Round(
          Op::Of(Element::Load(from[i]), Element::Load(operand[i])));
    }
  }
}

// The same with the processor's own conversions, where it has wide ones.
template <typename Op>
void UpdateHalves(const void* a, const void* b, void* out, int64_t count) {
  int64_t i = 0;
#if defined(__AVX512F__)
  const auto* from = static_cast<const uint16_t*>(a);
  const auto* operand = static_cast<const uint16_t*>(b);
  auto* to = static_cast<uint16_t*>(out);
  auto load = [](const uint16_t* halves) {
    return _mm512_cvtph_ps(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
  };
  for (; i + 16 <= count; i += 16) {
    const __m512 sum = Op::Of(load(from + i), load(operand + i));
    const __m256i rounded = _mm512_cvtps_ph(sum, _MM_FROUND_TO_NEAREST_INT);
    _mm256_storeu_si256(
        reinterpret_cast<__m256i*>(to + i),
        _mm256_mask_blend_epi16(_mm512_cmp_ps_mask(sum, sum, _CMP_UNORD_Q),
                                rounded, _mm256_set1_epi16(0x7E00)));
  }
#endif
  Update<Op, Float16>(static_cast<const char*>(a) + 2 * i,
                      static_cast<const char*>(b) + 2 * i,
                      static_cast<char*>(out) + 2 * i, count - i);
}

constexpr UpdateKernels kUpdateKernels = {
    {Update<Add, Plain<uint8_t>>, Update<Add, Plain<uint16_t>>,
     Update<Add, Plain<uint32_t>>, Update<Add, Plain<uint64_t>>,
     UpdateHalves<Add>, Update<Add, Bfloat16>, Update<Add, Plain<float>>,
     Update<Add, Plain<double>>},
    {Update<Subtract, Plain<uint8_t>>, Update<Subtract, Plain<uint16_t>>,
     Update<Subtract, Plain<uint32_t>>, Update<Subtract, Plain<uint64_t>>,
     UpdateHalves<Subtract>, Update<Subtract, Bfloat16>,
     Update<Subtract, Plain<float>>, Update<Subtract, Plain<double>>}};

}  // namespace
}  // namespace varkeep

#endif  // VARKEEP_TENSOR_UPDATE_KERNELS_IMPL_H_
