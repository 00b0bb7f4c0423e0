// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <complex>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(IdentityTest, SquareAndRectangular) {
  EXPECT_THAT(DrawValues<float>(IdentityInitializer{}, {2, 2}),
              ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(DrawValues<float>(IdentityInitializer{}, {2, 3}),
              ElementsAre(1, 0, 0, 0, 1, 0));
  EXPECT_THAT(DrawValues<float>(IdentityInitializer{}, {3, 2}),
              ElementsAre(1, 0, 0, 1, 0, 0));
  EXPECT_THAT(DrawValues<float>(IdentityInitializer{}, {3, 1}),
              ElementsAre(1, 0, 0));
}

TEST(IdentityTest, EmptyShapes) {
  EXPECT_THAT(DrawValues<float>(IdentityInitializer{}, {0, 3}), IsEmpty());
  EXPECT_THAT(DrawValues<float>(IdentityInitializer{}, {3, 0}), IsEmpty());
}

TEST(IdentityTest, GainIsTheDiagonal) {
  EXPECT_THAT(DrawValues<double>(IdentityInitializer{2.5}, {2, 2}),
              ElementsAre(2.5, 0, 0, 2.5));
}

TEST(IdentityTest, EveryFloatingAndComplexDType) {
  for (DType dtype : kAllDTypes) {
    if (!IsFloating(dtype) && !IsComplex(dtype)) continue;
    VisitDType(dtype, [](auto tag) {
      using T = typename decltype(tag)::type;
      EXPECT_THAT(DrawValues<T>(IdentityInitializer{2}, {2, 2}),
                  ElementsAre(T(2), T(0), T(0), T(2)));
    });
  }
}

TEST(IdentityTest, OtherDTypesCannotHoldTheGain) {
  ExpectRejected(IdentityInitializer{}, DType::kBool, {2, 2},
                 "Expected bool, got 1.0 of type 'float' instead.");
  ExpectRejected(IdentityInitializer{}, DType::kInt32, {2, 2},
                 "Expected int32, got 1.0 of type 'float' instead.");
}

TEST(IdentityTest, OnlyMatrices) {
  for (const Shape& shape : {Shape(), Shape({4}), Shape({2, 2, 2})}) {
    ExpectRejected(
        IdentityInitializer{}, DType::kFloat32, shape,
        "Identity matrix initializer can only be used for 2D matrices.");
  }
}

}  // namespace
}  // namespace varkeep
