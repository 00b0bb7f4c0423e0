// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;

VarianceScalingInitializer Scaling(double scale, std::string mode,
                                   std::string distribution) {
  VarianceScalingInitializer init;
  init.scale = scale;
  init.mode = std::move(mode);
  init.distribution = std::move(distribution);
  return init;
}

// Draws of `spec` are those of uniform(-limit, limit).
void ExpectUniform(const InitializerSpec& spec, const Shape& shape,
                   double limit) {
  EXPECT_EQ(DrawValues<float>(spec, shape, OpSeeds(1)),
            DrawValues<float>(RandomUniformInitializer{-limit, limit, {}},
                              shape, OpSeeds(1)))
      << InitializerToString(spec) << shape.ToString();
}

TEST(VarianceScalingTest, FansFollowTheShape) {
  const auto in = Scaling(1, "fan_in", "uniform");
  const auto out = Scaling(1, "fan_out", "uniform");
  const auto average = Scaling(1, "fan_avg", "uniform");
  ExpectUniform(in, {}, std::sqrt(3.0));
  ExpectUniform(out, {}, std::sqrt(3.0));
  ExpectUniform(in, {7}, std::sqrt(3.0 * (1.0 / 7)));
  ExpectUniform(out, {7}, std::sqrt(3.0 * (1.0 / 7)));
  ExpectUniform(in, {4, 6}, std::sqrt(3.0 * (1.0 / 4)));
  ExpectUniform(out, {4, 6}, std::sqrt(3.0 * (1.0 / 6)));
  ExpectUniform(average, {4, 6}, std::sqrt(3.0 * (1.0 / 5)));
  ExpectUniform(in, {2, 3, 4, 5}, std::sqrt(3.0 * (1.0 / 24)));
  ExpectUniform(out, {2, 3, 4, 5}, std::sqrt(3.0 * (1.0 / 30)));
  ExpectUniform(average, {2, 3, 4, 5}, std::sqrt(3.0 * (1.0 / 27)));
}

TEST(VarianceScalingTest, AFanBelowOneCountsAsOne) {
  EXPECT_THAT(DrawValues<float>(VarianceScalingInitializer{}, {0, 3}),
              IsEmpty());
  ExpectUniform(Scaling(1, "fan_avg", "uniform"), {1, 1}, std::sqrt(3.0));
}

TEST(VarianceScalingTest, NormalIsTruncatedAndCorrected) {
  const TruncatedNormalInitializer truncated{
      0.0, std::sqrt(2.0 / 50) / 0.87962566103423978, {}};
  const auto expected = DrawValues<float>(truncated, {50, 20}, OpSeeds(1));
  EXPECT_EQ(
      DrawValues<float>(Scaling(2, "fan_in", "normal"), {50, 20}, OpSeeds(1)),
      expected);
  EXPECT_EQ(DrawValues<float>(Scaling(2, "fan_in", "truncated_normal"),
                              {50, 20}, OpSeeds(1)),
            expected);
}

TEST(VarianceScalingTest, UntruncatedNormalIsPlain) {
  EXPECT_EQ(
      DrawValues<float>(Scaling(2, "fan_in", "untruncated_normal"), {50, 20},
                        OpSeeds(1)),
      DrawValues<float>(RandomNormalInitializer{0.0, std::sqrt(2.0 / 50), {}},
                        {50, 20}, OpSeeds(1)));
}

TEST(VarianceScalingTest, VarianceIsScaleByFan) {
  for (const char* distribution :
       {"truncated_normal", "normal", "untruncated_normal", "uniform"}) {
    const auto values = DrawValues<float>(Scaling(1, "fan_in", distribution),
                                          {100, 100}, OpSeeds(1));
    double sum = 0;
    double squares = 0;
    for (float value : values) {
      sum += value;
      squares += static_cast<double>(value) * value;
    }
    EXPECT_NEAR(sum / 1e4, 0, 2e-3) << distribution;
    EXPECT_NEAR(squares / 1e4, 0.01, 5e-4) << distribution;
  }
}

TEST(VarianceScalingTest, DistributionIsReadWithoutCase) {
  ExpectUniform(Scaling(1, "fan_in", "UniForm"), {10}, std::sqrt(3.0 * 0.1));
}

TEST(VarianceScalingTest, WrongArgumentsAreNamed) {
  ExpectRejected(Scaling(0, "fan_in", "normal"), DType::kFloat32, {10},
                 "`scale` must be positive float.");
  ExpectRejected(Scaling(-1, "fan_in", "normal"), DType::kFloat32, {10},
                 "`scale` must be positive float.");
  ExpectRejected(Scaling(1, "x", "normal"), DType::kFloat32, {10},
                 "Invalid `mode` argument: x");
  ExpectRejected(Scaling(1, "FAN_IN", "normal"), DType::kFloat32, {10},
                 "Invalid `mode` argument: FAN_IN");
  ExpectRejected(Scaling(1, "fan_in", "X"), DType::kFloat32, {10},
                 "Invalid `distribution` argument: x");
}

TEST(NamedVarianceScalingTest, FamiliesHaveTheirArguments) {
  struct Family {
    const char* name;
    double scale;
    const char* mode;
    const char* distribution;
  };
  for (const Family& family :
       {Family{"glorot_uniform", 1, "fan_avg", "uniform"},
        Family{"glorot_normal", 1, "fan_avg", "truncated_normal"},
        Family{"he_uniform", 2, "fan_in", "uniform"},
        Family{"he_normal", 2, "fan_in", "truncated_normal"},
        Family{"lecun_uniform", 1, "fan_in", "uniform"},
        Family{"lecun_normal", 1, "fan_in", "truncated_normal"}}) {
    const auto init = NamedVarianceScaling(family.name);
    ASSERT_TRUE(init.has_value());
    EXPECT_EQ(init->scale, family.scale);
    EXPECT_EQ(init->mode, family.mode);
    EXPECT_EQ(init->distribution, family.distribution);
    EXPECT_EQ(init->alias, family.name);
    EXPECT_EQ(init->seed, std::nullopt);
  }
  EXPECT_EQ(NamedVarianceScaling("variance_scaling"), std::nullopt);
  EXPECT_EQ(NamedVarianceScaling(""), std::nullopt);
}

TEST(NamedVarianceScalingTest, GlorotStaysWithinItsLimit) {
  const auto limit = static_cast<float>(std::sqrt(0.3));
  EXPECT_THAT(DrawValues<float>(*NamedVarianceScaling("glorot_uniform"), {10},
                                OpSeeds(1)),
              Each(AllOf(Ge(-limit), Le(limit))));
  const float two_deviations =
      2 * static_cast<float>(std::sqrt(0.1) / 0.87962566103423978);
  EXPECT_THAT(DrawValues<float>(*NamedVarianceScaling("glorot_normal"), {10},
                                OpSeeds(1)),
              Each(AllOf(Ge(-two_deviations), Le(two_deviations))));
}

TEST(UniformUnitScalingTest, LimitFollowsAllDimensionsButTheLast) {
  ExpectUniform(UniformUnitScalingInitializer{}, {10}, std::sqrt(3.0));
  ExpectUniform(UniformUnitScalingInitializer{}, {}, std::sqrt(3.0));
  ExpectUniform(UniformUnitScalingInitializer{1.15, {}}, {2, 3, 5},
                std::sqrt(3.0 / 6) * 1.15);
}

TEST(UniformUnitScalingTest, EmptyShapes) {
  EXPECT_THAT(DrawValues<float>(UniformUnitScalingInitializer{}, {0, 2}),
              IsEmpty());
}

}  // namespace
}  // namespace varkeep
