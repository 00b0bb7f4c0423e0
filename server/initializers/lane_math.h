// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_LANE_MATH_H_
#define VARKEEP_SERVER_INITIALIZERS_LANE_MATH_H_

#include "server/initializers/lanes.h"

// Logarithm, sine and cosine for the arguments that Box and Muller's method
// has, to about one unit in the last place. Without fused multiplications, so
// that every processor can give the same bits. As lanes.h, local to each
// source.
namespace varkeep::initializers {
namespace {

// What the two precisions differ in. The polynomials are those of FreeBSD's
// msun (log, sin and cos of double) and of Cephes (sin and cos of float).
template <typename Floats>
struct Precision;

template <>
struct Precision<F32s> {
  using Bits = U32s;
  using Signed = S32s;
  using T = float;
  static constexpr int kFractionBits = 23;
  static constexpr uint32_t kOneBits = 0x3F800000;
  static constexpr uint32_t kFraction = 0x7FFFFF;
  static constexpr uint32_t kRootHalf = 0x3F3504F3;
  // 2^23 as bits; with an integer or'ed in, that integer more.
  static constexpr uint32_t kIntegerBits = 0x4B000000;
  static constexpr float kIntegerBias = 8388608.0f + 127.0f;
  static constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23

  static constexpr float kLn2High = 6.9313812256e-01f;
  static constexpr float kLn2Low = 9.0580006145e-06f;
  // pi / 2 in parts, of which four times the first two are exact.
  static constexpr float kPart1 = 1.570796012878418f;
  static constexpr float kPart2 = 3.139164164167596e-7f;
  static constexpr float kPart3 = 6.223372e-14f;

  static F32s LogSeries(F32s z) {
    const F32s w = z * z;
    return z * (0.66666662693f + w * 0.28498786688f) +
           w * (0.40000972152f + w * 0.24279078841f);
  }
  static F32s SineSeries(F32s z) {
    return (-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f;
  }
  static F32s CosineSeries(F32s z) {
    return (2.443315711809948e-5f * z - 1.388731625493765e-3f) * z +
           4.166664568298827e-2f;
  }
};

template <>
struct Precision<F64s> {
  using Bits = U64s;
  using Signed = S64s;
  using T = double;
  static constexpr int kFractionBits = 52;
  static constexpr uint64_t kOneBits = uint64_t{1023} << 52;
  static constexpr uint64_t kFraction = (uint64_t{1} << 52) - 1;
  static constexpr uint64_t kRootHalf = 0x3FE6A09E667F3BCD;
  static constexpr uint64_t kIntegerBits = 0x4330000000000000;
  static constexpr double kIntegerBias = 4503599627370496.0 + 1023.0;
  static constexpr double kRounder = 6755399441055744.0;  // 1.5 * 2^52

  static constexpr double kLn2High = 6.93147180369123816490e-01;
  static constexpr double kLn2Low = 1.90821492927058770002e-10;
  static constexpr double kPart1 = 1.57079632673412561417e+00;
  static constexpr double kPart2 = 6.07710050630396597660e-11;
  static constexpr double kPart3 = 2.02226624879595063154e-21;

  static F64s LogSeries(F64s z) {
    const F64s w = z * z;
    return z * (6.666666666666735130e-01 +
                w * (2.857142874366239149e-01 +
                     w * (1.818357216161805012e-01 +
                          w * 1.479819860511658591e-01))) +
           w * (3.999999999940941908e-01 +
                w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  }
  static F64s SineSeries(F64s z) {
    return -1.66666666666666324348e-01 +
           z * (8.33333333332248946124e-03 +
                z * (-1.98412698298579493134e-04 +
                     z * (2.75573137070700676789e-06 +
                          z * (-2.50507602534068634195e-08 +
                               z * 1.58969099521155010221e-10))));
  }
  static F64s CosineSeries(F64s z) {
    return 4.16666666666666019037e-02 +
           z * (-1.38888888888741095749e-03 +
                z * (2.48015872894767294178e-05 +
                     z * (-2.75573143513906633035e-07 +
                          z * (2.08757232129817482790e-09 +
                               z * -1.13596475577881948265e-11))));
  }
};

// In [0, 1): the low bits of each lane as the fraction of a number from 1 to 2,
// less 1.
template <typename Floats>
inline Floats UnitFloats(typename Precision<Floats>::Bits bits) {
  using P = Precision<Floats>;
  using T = typename P::T;
  return (Floats)((bits & P::kFraction) | P::kOneBits) - T(1);
}

// The natural logarithm of positive normal numbers.
template <typename Floats>
inline Floats Log(Floats x) {
  using P = Precision<Floats>;
  using T = typename P::T;
  // x = 2^exponent * (1 + f), with 1 + f from the root of 1/2 to that of 2.
  auto bits = (typename P::Bits)x + (P::kOneBits - P::kRootHalf);
  const Floats exponent =
      (Floats)((bits >> P::kFractionBits) | P::kIntegerBits) - P::kIntegerBias;
  const Floats f = (Floats)((bits & P::kFraction) + P::kRootHalf) - T(1);
  const Floats s = f / (T(2) + f);
  const Floats half_square = T(0.5) * f * f;
  return s * (half_square + P::LogSeries(s * s)) + exponent * P::kLn2Low -
         half_square + f + exponent * P::kLn2High;
}

template <typename Floats>
struct SineAndCosine {
  Floats sine, cosine;
};

// Of angles from 0 to 2 pi.
template <typename Floats>
inline SineAndCosine<Floats> SinCos(Floats angle) {
  using P = Precision<Floats>;
  using T = typename P::T;
  using Bits = typename P::Bits;
  constexpr int kSign = sizeof(T) * 8 - 1;
  // The nearest multiple of a quarter turn.
  const Floats rounded = angle * T(0.63661977236758134308) + P::kRounder;
  const Floats quarters = rounded - P::kRounder;
  const Bits quadrant = (Bits)rounded;
  const Floats x = angle - quarters * P::kPart1 - quarters * P::kPart2 -
                   quarters * P::kPart3;
  const Floats z = x * x;
  const Floats sine = x + x * z * P::SineSeries(z);
  const Floats cosine = T(1) - (T(0.5) * z - z * z * P::CosineSeries(z));
  const auto odd = (typename P::Signed)(quadrant << kSign) < 0;
  const Floats for_sine = odd ? cosine : sine;
  const Floats for_cosine = odd ? sine : cosine;
  return {(Floats)((Bits)for_sine ^ ((quadrant & 2) << (kSign - 1))),
          (Floats)((Bits)for_cosine ^ (((quadrant + 1) & 2) << (kSign - 1)))};
}

// Two normal numbers of two uniform ones, the angle already a full turn.
template <typename Floats>
inline SineAndCosine<Floats> BoxMuller(Floats uniform, Floats angle) {
  using P = Precision<Floats>;
  using T = typename P::T;
  const Floats least = Floats{} + T(1.0e-7);
  const Floats radius =
      SquareRoot(T(-2) * Log(uniform < least ? least : uniform));
  const SineAndCosine<Floats> unit = SinCos(angle);
  return {unit.sine * radius, unit.cosine * radius};
}

}  // namespace
}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_LANE_MATH_H_
