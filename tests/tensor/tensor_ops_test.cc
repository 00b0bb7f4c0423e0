// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor_ops.h"

#include <gmock/gmock.h>

#include <limits>

#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TensorTest, SizeOverflowIsAnError) {
  EXPECT_THAT(Tensor::Create(DType::kFloat64, Shape({int64_t{1} << 61})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bytes")));
}

TEST(TensorTest, MemoryThatIsNotThereIsAnError) {
  EXPECT_THAT(Tensor::Create(DType::kInt8, Shape({int64_t{1} << 60})),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("out of memory")));
}

TEST(TensorTest, ZeroElementsAndScalarsAreTensors) {
  ASSERT_OK_AND_ASSIGN(auto empty, Tensor::Create(DType::kInt8, {0, 3}));
  EXPECT_EQ(empty->size_bytes(), 0);
  ASSERT_OK_AND_ASSIGN(auto scalar, Tensor::Create(DType::kFloat64, {}));
  EXPECT_EQ(scalar->size_bytes(), 8);
}

TEST(TensorOpsTest, AddsAndSubtractsEveryArithmeticType) {
  for (DType dtype : kAllDTypes) {
    if (!SupportsArithmetic(dtype)) continue;
    VisitDType(dtype, [](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (!std::is_same_v<T, bool>) {
        auto base = Of<T>({2}, {static_cast<T>(5), static_cast<T>(7)});
        auto operand = Of<T>({2}, {static_cast<T>(1), static_cast<T>(2)});
        UpdateInPlace(UpdateOp::kAdd, *operand, base.get());
        EXPECT_THAT(
            base, TensorEq(Of<T>({2}, {static_cast<T>(6), static_cast<T>(9)})));
        auto less = *Updated(UpdateOp::kSubtract, *base, *operand);
        EXPECT_THAT(
            less, TensorEq(Of<T>({2}, {static_cast<T>(5), static_cast<T>(7)})));
      }
    });
  }
  EXPECT_FALSE(SupportsArithmetic(DType::kBool));
}

TEST(TensorOpsTest, ThreadsDoNotChangeTheResult) {
  ThreadPool pool(3);
  for (int64_t elements : {1, 1 << 18, (1 << 18) + 1, 1'000'003}) {
    std::vector<int32_t> values(static_cast<size_t>(elements));
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<int32_t>(i * 2654435761u);
    }
    auto operand = Of<int32_t>({elements}, values);
    auto alone = Of<int32_t>({elements}, values);
    auto shared = Of<int32_t>({elements}, values);
    auto copied = *Updated(UpdateOp::kAdd, *shared, *operand, &pool);
    UpdateInPlace(UpdateOp::kAdd, *operand, alone.get());
    UpdateInPlace(UpdateOp::kAdd, *operand, shared.get(), &pool);
    EXPECT_THAT(shared, TensorEq(alone));
    EXPECT_THAT(copied, TensorEq(alone));
  }
}

TEST(TensorOpsTest, IntegersWrap) {
  auto value = Of<int32_t>({}, {std::numeric_limits<int32_t>::max()});
  UpdateInPlace(UpdateOp::kAdd, *Of<int32_t>({}, {1}), value.get());
  EXPECT_THAT(Values<int32_t>(*value),
              ElementsAre(std::numeric_limits<int32_t>::min()));
}

TEST(TensorOpsTest, BitwiseEqualSeesTheSignOfZero) {
  EXPECT_FALSE(BitwiseEqual(*Of<float>({}, {0.0f}), *Of<float>({}, {-0.0f})));
}

TEST(TensorOpsTest, SliceCopiesTheBox) {
  auto tensor = Of<int32_t>({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  ASSERT_OK_AND_ASSIGN(auto slice, CopySlice(*tensor, {{0, 1, 1}, {2, -1, 1}}));
  EXPECT_THAT(slice, TensorEq(Of<int32_t>({2, 2, 1}, {3, 5, 9, 11})));
}

TEST(TensorOpsTest, SliceOfAScalarAndEmptySlice) {
  EXPECT_THAT(*CopySlice(*Of<float>({}, {3}), {}),
              TensorEq(Of<float>({}, {3})));
  EXPECT_THAT(*CopySlice(*Of<float>({2}, {3, 4}), {{2}, {-1}}),
              TensorEq(Of<float>({0}, {})));
}

TEST(TensorOpsTest, SliceOutsideNamesBothSides) {
  EXPECT_THAT(CopySlice(*Of<float>({2}, {3, 4}), {{1}, {2}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("begin=[1] size=[2] reaches outside shape "
                                 "[2]")));
}

}  // namespace
}  // namespace varkeep
