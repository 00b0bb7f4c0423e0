// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <complex>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

TEST(InitializerNameTest, IsTensorFlowsWithoutSuffix) {
  EXPECT_EQ(InitializerName(std::monostate{}), "none");
  EXPECT_EQ(InitializerName(ZerosInitializer{}), "zeros");
  EXPECT_EQ(InitializerName(OnesInitializer{}), "ones");
  EXPECT_EQ(InitializerName(ConstantInitializer{}), "constant");
  EXPECT_EQ(InitializerName(ValueInitializer{}), "value");
  EXPECT_EQ(InitializerName(RandomUniformInitializer{}), "random_uniform");
  EXPECT_EQ(InitializerName(RandomNormalInitializer{}), "random_normal");
  EXPECT_EQ(InitializerName(TruncatedNormalInitializer{}), "truncated_normal");
  EXPECT_EQ(InitializerName(UniformUnitScalingInitializer{}),
            "uniform_unit_scaling");
  EXPECT_EQ(InitializerName(VarianceScalingInitializer{}), "variance_scaling");
  EXPECT_EQ(InitializerName(*NamedVarianceScaling("he_normal")), "he_normal");
  EXPECT_EQ(InitializerName(OrthogonalInitializer{}), "orthogonal");
  EXPECT_EQ(InitializerName(IdentityInitializer{}), "identity");
}

TEST(InitializerToStringTest, DefaultsAreLeftOut) {
  EXPECT_EQ(InitializerToString(ZerosInitializer{}), "zeros");
  EXPECT_EQ(InitializerToString(RandomNormalInitializer{}), "random_normal");
  EXPECT_EQ(InitializerToString(*NamedVarianceScaling("glorot_uniform")),
            "glorot_uniform");
}

TEST(InitializerToStringTest, ArgumentsAreShown) {
  EXPECT_EQ(InitializerToString(RandomNormalInitializer{0.0, 0.35, 7}),
            "random_normal(stddev=0.35, seed=7)");
  EXPECT_EQ(InitializerToString(
                RandomUniformInitializer{int64_t{-1}, 2.5, std::nullopt}),
            "random_uniform(minval=-1, maxval=2.5)");
  VarianceScalingInitializer scaling;
  scaling.mode = "fan_out";
  scaling.scale = 2;
  EXPECT_EQ(InitializerToString(scaling),
            "variance_scaling(scale=2, mode=\"fan_out\")");
  VarianceScalingInitializer he = *NamedVarianceScaling("he_uniform");
  he.seed = 3;
  EXPECT_EQ(InitializerToString(he), "he_uniform(seed=3)");
  EXPECT_EQ(InitializerToString(IdentityInitializer{0.5}),
            "identity(gain=0.5)");
}

TEST(InitializerToStringTest, ValuesShowTheirFirstElements) {
  EXPECT_EQ(InitializerToString(ConstantInitializer{Of<double>({}, {0.1})}),
            "constant(0.1)");
  EXPECT_EQ(InitializerToString(ConstantInitializer{
                Of<int64_t>({7}, {1, 2, 3, 4, 5, 6, 7}), true}),
            "constant([1, 2, 3, 4, 5, 6, ...], verify_shape=true)");
  EXPECT_EQ(InitializerToString(ValueInitializer{Of<float>({2}, {0.1f, 2})}),
            "value([0.1, 2])");
  EXPECT_EQ(InitializerToString(ValueInitializer{Of<bool>({1}, {true})}),
            "value([true])");
  EXPECT_EQ(InitializerToString(
                ValueInitializer{Of<std::complex<float>>({1}, {{1, -2}})}),
            "value([(1-2j)])");
  EXPECT_EQ(InitializerToString(ValueInitializer{Of<int8_t>({1}, {65})}),
            "value([65])");
}

}  // namespace
}  // namespace varkeep
