// SPDX-License-Identifier: Apache-2.0
#include "tensor/shape.h"

#include <gmock/gmock.h>

#include <vector>

#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<Shape> Create(std::vector<int64_t> dims) {
  return Shape::Create(dims);
}

TEST(ShapeTest, ScalarHasOneElement) {
  EXPECT_EQ(Shape().num_elements(), 1);
  EXPECT_EQ(Shape().ToString(), "[]");
  EXPECT_EQ(Shape().ToTupleString(), "()");
}

TEST(ShapeTest, PrintsAsTensorFlowDoes) {
  EXPECT_EQ(Shape({3}).ToTupleString(), "(3,)");
  EXPECT_EQ(Shape({3, 4}).ToTupleString(), "(3, 4)");
  EXPECT_EQ(Shape({3, 4}).ToString(), "[3,4]");
}

TEST(ShapeTest, NegativeDimensionIsRejected) {
  EXPECT_THAT(Create({2, -3}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-3")));
}

TEST(ShapeTest, OverflowIsRejectedUnlessADimensionIsZero) {
  EXPECT_THAT(Create({int64_t{1} << 62, 4}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("more than 2^63 - 1 elements")));
  ASSERT_OK_AND_ASSIGN(Shape empty, Create({int64_t{1} << 62, 4, 0}));
  EXPECT_EQ(empty.num_elements(), 0);
}

TEST(ShapeTest, RankIsLimitedToEight) {
  EXPECT_OK(Create(std::vector<int64_t>(8, 2)));
  EXPECT_THAT(Create(std::vector<int64_t>(100000, 2)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has rank 100000")));
}

TEST(PartialShapeTest, UnknownDimensionsAreWildcards) {
  const std::vector<int64_t> dims = {-1, 2};
  ASSERT_OK_AND_ASSIGN(PartialShape shape, PartialShape::Create(dims));
  EXPECT_TRUE(shape.IsCompatibleWith(Shape({7, 2})));
  EXPECT_FALSE(shape.IsCompatibleWith(Shape({7, 3})));
  EXPECT_FALSE(shape.IsCompatibleWith(Shape({7})));
  EXPECT_EQ(shape.full(), std::nullopt);
  EXPECT_EQ(shape.ToTupleString(), "(?, 2)");
}

TEST(PartialShapeTest, UnknownRankAgreesWithEverything) {
  EXPECT_TRUE(PartialShape().IsCompatibleWith(Shape({1, 2})));
  EXPECT_EQ(PartialShape().ToTupleString(), "<unknown>");
  EXPECT_EQ(PartialShape(Shape({3})).full(), Shape({3}));
}

}  // namespace
}  // namespace varkeep
