// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_ELEMENT_CAST_H_
#define VARKEEP_SERVER_INITIALIZERS_ELEMENT_CAST_H_

#include <Eigen/Core>
#include <bit>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace varkeep::initializers {

// Element conversions as NumPy's astype makes them on x86-64.

template <typename T>
inline constexpr bool kIsComplex = false;
template <typename T>
inline constexpr bool kIsComplex<std::complex<T>> = true;

template <typename T>
inline constexpr bool kIsSmallFloat =
    std::is_same_v<T, Eigen::half> || std::is_same_v<T, Eigen::bfloat16>;

// float16 in one rounding. Going through float would round twice, unless that
// first step rounds to odd: then the second one sees that something was lost.
inline Eigen::half HalfFromDouble(double value) {
  auto narrowed = static_cast<float>(value);
  const auto back = static_cast<double>(narrowed);
  const auto bits = std::bit_cast<uint32_t>(narrowed);
  if (std::isfinite(narrowed) && back != value && (bits & 1) == 0) {
    const float towards = back < value
                              ? std::numeric_limits<float>::infinity()
                              : -std::numeric_limits<float>::infinity();
    narrowed = std::nextafter(narrowed, towards);
  }
  return Eigen::half(narrowed);
}

// Towards zero. What does not fit, and NaN, becomes what the processor's
// conversion gives: the smallest number of the wider type, cut to T.
template <typename T>
T IntegerFromDouble(double value) {
  constexpr bool kNarrow =
      sizeof(T) < 4 || (sizeof(T) == 4 && std::is_signed_v<T>);
  using Wide = std::conditional_t<kNarrow, int32_t, int64_t>;
  constexpr auto kMin =
      static_cast<double>(std::numeric_limits<Wide>::min());  // a power of two
  if constexpr (std::is_same_v<T, uint64_t>) {
    if (value >= -kMin && value < -2 * kMin) {
      return static_cast<uint64_t>(value);
    }
  }
  const double whole = std::trunc(value);
  if (!(whole >= kMin && whole < -kMin)) {
    return static_cast<T>(std::numeric_limits<Wide>::min());
  }
  return static_cast<T>(static_cast<Wide>(whole));
}

// A complex number loses its imaginary part, unless T is complex or bool. What
// is not zero is true. Integers wrap.
template <typename T, typename From>
T CastElement(From value) {
  if constexpr (std::is_same_v<T, From>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value != From(0);
  } else if constexpr (kIsComplex<T>) {
    using Part = typename T::value_type;
    if constexpr (kIsComplex<From>) {
      return T(static_cast<Part>(value.real()),
               static_cast<Part>(value.imag()));
    } else {
      return T(CastElement<Part>(value), 0);
    }
  } else if constexpr (kIsComplex<From>) {
    return CastElement<T>(value.real());
  } else if constexpr (kIsSmallFloat<From>) {
    return CastElement<T>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<T, Eigen::half>) {
    return HalfFromDouble(static_cast<double>(value));
  } else if constexpr (std::is_same_v<T, Eigen::bfloat16>) {
    return Eigen::bfloat16(static_cast<float>(value));
  } else if constexpr (std::is_integral_v<T> &&
                       std::is_floating_point_v<From>) {
    return IntegerFromDouble<T>(static_cast<double>(value));
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_ELEMENT_CAST_H_
