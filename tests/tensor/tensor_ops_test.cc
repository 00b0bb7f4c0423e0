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

TEST(TensorOpsTest, ASliceOfOneRunSharesTheBytes) {
  const auto whole =
      Of<int32_t>({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  int runs = 0;
  auto in_each = [&](int dim, auto use) {
    for (int64_t begin = 0; begin < dim; ++begin) {
      for (int64_t size = 1; size <= dim - begin; ++size) use(begin, size);
    }
  };
  in_each(2, [&](int64_t a, int64_t as) {
    in_each(3, [&](int64_t b, int64_t bs) {
      in_each(2, [&](int64_t c, int64_t cs) {
        const SliceSpec slice{{a, b, c}, {as, bs, cs}};
        const auto copy = *CopySlice(*whole, slice);
        const auto start = ContiguousStart(whole->shape(), slice);
        const auto values = Values<int32_t>(*copy);
        EXPECT_EQ(start.has_value(), values.back() - values.front() + 1 ==
                                         static_cast<int32_t>(values.size()));
        if (!start) return;
        ++runs;
        const TensorRef part = Tensor::Part(whole, *start, copy->shape());
        EXPECT_TRUE(BitwiseEqual(*part, *copy));
        EXPECT_EQ(part->bytes().data(), whole->bytes().data() + 4 * *start);
      });
    });
  });
  EXPECT_EQ(runs, 2 * 3 * 3 + 2 * 3 + 1);
}

TEST(TensorOpsTest, APartKeepsTheWholeAlive) {
  auto whole = Of<int32_t>({100}, std::vector<int32_t>(100, 7));
  const std::weak_ptr<Tensor> watched = whole;
  TensorRef part = Tensor::Part(std::move(whole), 99, {1});
  EXPECT_FALSE(watched.expired());
  EXPECT_THAT(Values<int32_t>(*part), ElementsAre(7));
  part.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(TensorOpsTest, SliceOutsideNamesBothSides) {
  EXPECT_THAT(CopySlice(*Of<float>({2}, {3, 4}), {{1}, {2}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("begin=[1] size=[2] reaches outside shape "
                                 "[2]")));
}

}  // namespace
}  // namespace varkeep
