// SPDX-License-Identifier: Apache-2.0
#include "server/initializers/initializer_key.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

TensorRef Scalar(float value) { return Of<float>({}, {value}); }

// The default but for one field.
template <typename Kind, typename Field, typename Value>
InitializerSpec With(Field Kind::*field, Value value) {
  Kind kind;
  kind.*field = value;
  return kind;
}

TEST(InitializerKeyTest, DiffersWithEveryField) {
  const std::vector<InitializerSpec> specs = {
      std::monostate(),
      ZerosInitializer(),
      OnesInitializer(),
      With(&ConstantInitializer::value, Scalar(1)),
      With(&ConstantInitializer::value, Scalar(2)),
      With(&ConstantInitializer::value, Of<float>({1}, {1})),
      ConstantInitializer{Scalar(1), true, true},
      ConstantInitializer{Scalar(1), false, false},
      ValueInitializer{Scalar(1)},
      RandomUniformInitializer(),
      With(&RandomUniformInitializer::minval, 0.0),
      With(&RandomUniformInitializer::minval, -0.0),
      With(&RandomUniformInitializer::maxval, int64_t{1}),
      With(&RandomUniformInitializer::seed, 1),
      RandomNormalInitializer(),
      With(&RandomNormalInitializer::mean, -0.0),
      With(&RandomNormalInitializer::stddev, 2),
      With(&RandomNormalInitializer::seed, 0),
      TruncatedNormalInitializer(),
      UniformUnitScalingInitializer(),
      With(&UniformUnitScalingInitializer::factor, 2),
      VarianceScalingInitializer(),
      With(&VarianceScalingInitializer::scale, 2),
      With(&VarianceScalingInitializer::mode, "fan_out"),
      With(&VarianceScalingInitializer::distribution, "uniform"),
      With(&VarianceScalingInitializer::alias, "he_normal"),
      OrthogonalInitializer(),
      With(&OrthogonalInitializer::gain, 2),
      IdentityInitializer(),
      With(&IdentityInitializer::gain, 2),
  };
  std::set<std::string> keys;
  for (const InitializerSpec& spec : specs) {
    ASSERT_TRUE(InitializerKey(spec).has_value());
    EXPECT_EQ(InitializerKey(spec), InitializerKey(InitializerSpec(spec)));
    keys.insert(*InitializerKey(spec));
  }
  EXPECT_EQ(keys.size(), specs.size());
}

TEST(InitializerKeyTest, ComparesSmallTensorsByWhatTheyHold) {
  EXPECT_EQ(InitializerKey(ConstantInitializer{Scalar(3), false, true}),
            InitializerKey(ConstantInitializer{Scalar(3), false, true}));
  EXPECT_EQ(InitializerKey(
                ValueInitializer{Of<float>({1000}, std::vector<float>(1000))}),
            std::nullopt);
}

}  // namespace
}  // namespace varkeep
