// SPDX-License-Identifier: Apache-2.0
#include "tensor/dtype.h"

#include <gmock/gmock.h>

#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

TEST(DTypeTest, NamesParseBack) {
  for (DType dtype : kAllDTypes) {
    EXPECT_THAT(ParseDType(DTypeName(dtype)), IsOkAndHolds(dtype));
  }
}

TEST(DTypeTest, UnknownNameIsAnErrorThatListsTheTypes) {
  EXPECT_THAT(ParseDType("float33"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       ::testing::AllOf(::testing::HasSubstr("'float33'"),
                                        ::testing::HasSubstr("bfloat16"))));
}

TEST(DTypeTest, ItemSizes) {
  EXPECT_EQ(ItemSize(DType::kBool), 1);
  EXPECT_EQ(ItemSize(DType::kBfloat16), 2);
  EXPECT_EQ(ItemSize(DType::kFloat32), 4);
  EXPECT_EQ(ItemSize(DType::kComplex128), 16);
}

}  // namespace
}  // namespace varkeep
