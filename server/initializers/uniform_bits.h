// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_UNIFORM_BITS_H_
#define VARKEEP_SERVER_INITIALIZERS_UNIFORM_BITS_H_

#include <Eigen/Core>
#include <bit>
#include <cstdint>

namespace varkeep::initializers {

// Random words that one element takes.
template <typename T>
inline constexpr int kWordsPerElement = sizeof(T) == 8 ? 2 : 1;

// A number in [0, 1) of the low bits of kWordsPerElement<T> random words: they
// become the fraction of a number in [1, 2), less 1.
template <typename T>
T UnitUniform(const uint32_t* words);

template <>
inline float UnitUniform<float>(const uint32_t* words) {
  return std::bit_cast<float>(0x3F800000u | (words[0] & 0x7FFFFFu)) - 1.0f;
}

template <>
inline double UnitUniform<double>(const uint32_t* words) {
  const uint64_t fraction =
      (uint64_t{words[0] & 0xFFFFFu} << 32) | uint64_t{words[1]};
  return std::bit_cast<double>((uint64_t{1023} << 52) | fraction) - 1.0;
}

// Both quotients are exact in their types.
template <>
inline Eigen::half UnitUniform<Eigen::half>(const uint32_t* words) {
  return Eigen::half(static_cast<float>(words[0] & 0x3FFu) / 1024.0f);
}

template <>
inline Eigen::bfloat16 UnitUniform<Eigen::bfloat16>(const uint32_t* words) {
  return Eigen::bfloat16(static_cast<float>(words[0] & 0x7Fu) / 128.0f);
}

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_UNIFORM_BITS_H_
