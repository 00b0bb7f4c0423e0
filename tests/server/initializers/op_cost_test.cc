// SPDX-License-Identifier: Apache-2.0
//
// The table of ops created: SEMANTICS, Appendix A.
#include <gmock/gmock.h>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

// ops, seed_position
void ExpectCost(const InitializerSpec& spec, const Shape& shape, int ops,
                int seed_position, DType dtype = DType::kFloat32) {
  for (const bool is_get_variable : {false, true}) {
    const OpCost cost =
        InitializerOpCost(spec, dtype, shape, is_get_variable, false);
    EXPECT_EQ(cost.ops, ops) << InitializerToString(spec);
    EXPECT_EQ(cost.seed_position, seed_position) << InitializerToString(spec);
  }
}

TEST(OpCostTest, UniformFamily) {
  ExpectCost(RandomUniformInitializer{}, {2}, 10, 3);
  ExpectCost(UniformUnitScalingInitializer{}, {2}, 10, 3);
  ExpectCost(*NamedVarianceScaling("glorot_uniform"), {2}, 10, 3);
  ExpectCost(*NamedVarianceScaling("he_uniform"), {2}, 10, 3);
  ExpectCost(*NamedVarianceScaling("lecun_uniform"), {2}, 10, 3);
}

TEST(OpCostTest, UniformIntegersTakeFewer) {
  const RandomUniformInitializer uniform{int64_t{0}, int64_t{10}, {}};
  ExpectCost(uniform, {2}, 7, 3, DType::kInt32);
  ExpectCost(uniform, {2}, 7, 3, DType::kInt64);
}

TEST(OpCostTest, NormalFamily) {
  ExpectCost(RandomNormalInitializer{}, {3, 5}, 9, 3);
  ExpectCost(TruncatedNormalInitializer{}, {3, 5}, 9, 3);
  ExpectCost(VarianceScalingInitializer{}, {3, 5}, 9, 3);
  ExpectCost(*NamedVarianceScaling("glorot_normal"), {3, 5}, 9, 3);
}

TEST(OpCostTest, ZerosAndOnesDependOnTheSize) {
  ExpectCost(ZerosInitializer{}, {999}, 4, 0);
  ExpectCost(OnesInitializer{}, {0, 5000}, 4, 0);
  ExpectCost(ZerosInitializer{}, {1000}, 6, 0);
  ExpectCost(OnesInitializer{}, {100, 100}, 6, 0);
}

TEST(OpCostTest, ConstantIsOneOp) {
  ExpectCost(ConstantInitializer{Of<float>({}, {1})}, {5000}, 4, 0);
}

TEST(OpCostTest, ValueWithADTypeLeavesAStrayConstant) {
  const ValueInitializer value{Of<float>({}, {1})};
  ExpectCost(value, {}, 4, 0);
  EXPECT_EQ(InitializerOpCost(value, DType::kFloat32, {}, true, true).ops, 5);
  EXPECT_EQ(InitializerOpCost(value, DType::kFloat32, {}, false, true).ops, 4);
}

TEST(OpCostTest, OrthogonalDependsOnTheOrientation) {
  ExpectCost(OrthogonalInitializer{}, {3, 3}, 17, 3);
  ExpectCost(OrthogonalInitializer{}, {10, 9, 8}, 17, 3);
  ExpectCost(OrthogonalInitializer{}, {2, 3}, 19, 3);
  ExpectCost(OrthogonalInitializer{}, {0, 3}, 19, 3);
  ExpectCost(OrthogonalInitializer{}, {int64_t{1} << 40, int64_t{1} << 40, 0},
             17, 3);
}

TEST(OpCostTest, DefaultsInARowTakeEveryTenthId) {
  int64_t counter = 0;
  for (const int64_t id : {3, 13, 23}) {
    const InitializerSpec spec = *DefaultInitializer(DType::kFloat32, "w");
    const OpCost cost =
        InitializerOpCost(spec, DType::kFloat32, {2, 3}, true, true);
    EXPECT_EQ(counter + cost.seed_position, id);
    counter += cost.ops;
  }
}

TEST(OpCostTest, VariableOfANormalTensorAfterTwoPlaceholders) {
  const OpCost cost = InitializerOpCost(RandomNormalInitializer{},
                                        DType::kFloat32, {3, 5}, false, false);
  EXPECT_EQ(2 + cost.seed_position, 5);
  EXPECT_EQ(2 + cost.ops + cost.seed_position, 14);
}

}  // namespace
}  // namespace varkeep
