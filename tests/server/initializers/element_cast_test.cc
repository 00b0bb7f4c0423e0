// SPDX-License-Identifier: Apache-2.0
#include "server/initializers/element_cast.h"

#include <gmock/gmock.h>

#include <complex>
#include <limits>

namespace varkeep::initializers {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ElementCastTest, HalfIsRoundedOnce) {
  // Just above the middle between 1 and the next half: rounding to float first
  // would make it the middle, which goes to even, to 1.
  const double above = 1 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40);
  EXPECT_EQ(static_cast<float>(CastElement<Eigen::half>(above)),
            1 + std::ldexp(1.0f, -10));
  const double below = 1 + 3 * std::ldexp(1.0, -11) - std::ldexp(1.0, -40);
  EXPECT_EQ(static_cast<float>(CastElement<Eigen::half>(below)),
            1 + std::ldexp(1.0f, -10));
  EXPECT_EQ(static_cast<float>(CastElement<Eigen::half>(-above)),
            -(1 + std::ldexp(1.0f, -10)));
  EXPECT_EQ(static_cast<float>(CastElement<Eigen::half>(0.5)), 0.5f);
  EXPECT_TRUE(std::isinf(static_cast<float>(CastElement<Eigen::half>(1e300))));
  EXPECT_TRUE(std::isnan(static_cast<float>(CastElement<Eigen::half>(kNan))));
}

TEST(ElementCastTest, FloatsAreCutTowardsZero) {
  EXPECT_EQ(CastElement<int32_t>(-2.9), -2);
  EXPECT_EQ(CastElement<uint8_t>(2.9f), 2);
  EXPECT_EQ(CastElement<int64_t>(Eigen::bfloat16(-3.5f)), -3);
  EXPECT_EQ(CastElement<int32_t>(2147483647.5), 2147483647);
  EXPECT_EQ(CastElement<int32_t>(-2147483648.5), -2147483647 - 1);
}

TEST(ElementCastTest, WhatDoesNotFitIsDefined) {
  EXPECT_EQ(CastElement<int32_t>(3e9), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(CastElement<int32_t>(kNan), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(CastElement<int64_t>(kInfinity),
            std::numeric_limits<int64_t>::min());
  EXPECT_EQ(CastElement<int64_t>(std::ldexp(1.0, 63)),
            std::numeric_limits<int64_t>::min());
  EXPECT_EQ(CastElement<uint8_t>(300.0), 44);
  EXPECT_EQ(CastElement<uint32_t>(4e9), 4000000000u);
  EXPECT_EQ(CastElement<uint32_t>(-1.0), 0xFFFFFFFFu);
  EXPECT_EQ(CastElement<uint64_t>(std::ldexp(1.0, 63)), uint64_t{1} << 63);
  EXPECT_EQ(CastElement<uint64_t>(-1.0), ~uint64_t{0});
}

TEST(ElementCastTest, ComplexLosesItsImaginaryPart) {
  EXPECT_EQ(CastElement<float>(std::complex<double>(1.5, 2)), 1.5f);
  EXPECT_EQ(CastElement<int8_t>(std::complex<float>(-1.5f, 2)), -1);
  EXPECT_TRUE(CastElement<bool>(std::complex<double>(0, 2)));
  EXPECT_EQ(CastElement<std::complex<float>>(std::complex<double>(1, 2)),
            std::complex<float>(1, 2));
  EXPECT_EQ(CastElement<std::complex<double>>(Eigen::half(0.5f)),
            std::complex<double>(0.5, 0));
}

TEST(ElementCastTest, BoolIsWhatIsNotZero) {
  EXPECT_TRUE(CastElement<bool>(kNan));
  EXPECT_TRUE(CastElement<bool>(Eigen::half(-0.5f)));
  EXPECT_FALSE(CastElement<bool>(-0.0));
  EXPECT_TRUE(CastElement<bool>(int64_t{256}));
  EXPECT_EQ(static_cast<float>(CastElement<Eigen::half>(true)), 1.0f);
}

}  // namespace
}  // namespace varkeep::initializers
