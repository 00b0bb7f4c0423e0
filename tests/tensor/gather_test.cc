// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>

#include "tensor/tensor_rows.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;

template <typename Result>
void ExpectRefused(const Result& result, const std::string& message) {
  EXPECT_THAT(result,
              StatusIs(absl::StatusCode::kInvalidArgument, Eq(message)));
}

TEST(GatherTest, TakesRowsInTheOrderNamed) {
  auto params = Of<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(*Gather(*params, *Of<int32_t>({3}, {2, 0, 2})),
              TensorEq(Of<float>({3, 2}, {5, 6, 1, 2, 5, 6})));
  EXPECT_THAT(*Gather(*params, *Of<int64_t>({1, 2}, {1, 0})),
              TensorEq(Of<float>({1, 2, 2}, {3, 4, 1, 2})));
  EXPECT_THAT(*Gather(*params, *Of<int64_t>({}, {1})),
              TensorEq(Of<float>({2}, {3, 4})));
}

TEST(GatherTest, TakesEveryDType) {
  for (DType dtype : kAllDTypes) {
    auto params = *Tensor::Create(dtype, {4});
    std::ranges::fill(params->mutable_bytes(), std::byte{1});
    auto gathered = *Gather(*params, *Of<int32_t>({2}, {3, 1}));
    EXPECT_THAT(gathered, TensorEq(*CopySlice(*params, {{0}, {2}})));
  }
}

TEST(GatherTest, TakesAlongAnAxis) {
  auto params = Of<int32_t>({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  auto indices = Of<int32_t>({2}, {2, 0});
  auto middle = Of<int32_t>({2, 2, 2}, {4, 5, 0, 1, 10, 11, 6, 7});
  EXPECT_THAT(*Gather(*params, *indices, 1), TensorEq(middle));
  EXPECT_THAT(*Gather(*params, *indices, -2), TensorEq(middle));
  EXPECT_THAT(*Gather(*params, *Of<int32_t>({}, {1}), 2),
              TensorEq(Of<int32_t>({2, 3}, {1, 3, 5, 7, 9, 11})));
}

TEST(GatherTest, NothingNamedIsAnEmptyTensor) {
  EXPECT_THAT(*Gather(*Of<float>({2, 2}, {1, 2, 3, 4}), *Of<int32_t>({0}, {})),
              TensorEq(Of<float>({0, 2}, {})));
  EXPECT_THAT(*Gather(*Of<float>({0, 2}, {}), *Of<int32_t>({0}, {})),
              TensorEq(Of<float>({0, 2}, {})));
  EXPECT_THAT(*Gather(*Of<float>({3, 0}, {}), *Of<int32_t>({2}, {1, 2})),
              TensorEq(Of<float>({2, 0}, {})));
}

TEST(GatherTest, RefusesWithTensorFlowsWords) {
  auto params = Of<float>({5}, {0, 1, 2, 3, 4});
  ExpectRefused(Gather(*Of<float>({}, {1}), *Of<int32_t>({1}, {0})),
                "params must be at least 1 dimensional");
  ExpectRefused(Gather(*params, *Of<int32_t>({1}, {7})),
                "indices[0] = 7 is not in [0, 5)");
  ExpectRefused(Gather(*params, *Of<int64_t>({}, {-1})),
                "indices = -1 is not in [0, 5)");
  ExpectRefused(Gather(*params, *Of<int64_t>({2, 2}, {0, 1, 5, 9})),
                "indices[1,0] = 5 is not in [0, 5)");
  ExpectRefused(Gather(*params, *Of<int32_t>({1}, {0}), 1),
                "Expected axis in the range [-1, 1), but got 1");
  ExpectRefused(Gather(*params, *Of<int32_t>({1}, {0}), -2),
                "Expected axis in the range [-1, 1), but got -2");
  ExpectRefused(Gather(*params, *Of<float>({1}, {0})),
                "Value passed to parameter 'indices' has DataType float32 not "
                "in list of allowed values: int32, int64");
  ExpectRefused(Gather(*Of<float>({0}, {}), *Of<int32_t>({1}, {0})),
                "indices[0] = 0 is not in [0, 0)");
}

TEST(GatherTest, RefusesAResultOfTooManyDimensions) {
  auto params = *Tensor::Create(DType::kInt8, {1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_THAT(Gather(*params, *Of<int32_t>({1, 1}, {0})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rank")));
}

TEST(GatherNdTest, TakesElementsAndSlices) {
  auto params = Of<int32_t>({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  EXPECT_THAT(*GatherNd(*params, *Of<int32_t>({2, 3}, {1, 2, 1, 0, 0, 0})),
              TensorEq(Of<int32_t>({2}, {11, 0})));
  EXPECT_THAT(*GatherNd(*params, *Of<int64_t>({1, 2, 2}, {1, 0, 0, 2})),
              TensorEq(Of<int32_t>({1, 2, 2}, {6, 7, 4, 5})));
  EXPECT_THAT(*GatherNd(*params, *Of<int64_t>({2}, {1, 1})),
              TensorEq(Of<int32_t>({2}, {8, 9})));
}

TEST(GatherNdTest, NoNumbersNameTheWhole) {
  auto params = Of<int32_t>({2}, {3, 4});
  EXPECT_THAT(*GatherNd(*params, *Of<int32_t>({2, 0}, {})),
              TensorEq(Of<int32_t>({2, 2}, {3, 4, 3, 4})));
  EXPECT_THAT(*GatherNd(*params, *Of<int32_t>({0, 1}, {})),
              TensorEq(Of<int32_t>({0}, {})));
}

TEST(GatherNdTest, AHugeCountOfNothingEndsAtOnce) {
  EXPECT_THAT(
      GatherNd(*Of<int8_t>({1}, {3}), *Of<int32_t>({int64_t{1} << 60, 0}, {})),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("memory")));
}

TEST(GatherNdTest, RefusesWithTensorFlowsWords) {
  auto params = Of<float>({3}, {0, 1, 2});
  ExpectRefused(GatherNd(*Of<float>({}, {1}), *Of<int32_t>({1}, {0})),
                "params must be at least a vector");
  ExpectRefused(GatherNd(*params, *Of<int32_t>({}, {0})),
                "indices must be at least a vector");
  ExpectRefused(GatherNd(*params, *Of<int32_t>({1, 2}, {0, 0})),
                "index innermost dimension length must be <= params rank; saw: "
                "2 vs. 1");
  ExpectRefused(GatherNd(*params, *Of<int32_t>({1, 1}, {3})),
                "indices[0] = [3] does not index into param shape [3]");
  ExpectRefused(GatherNd(*Of<float>({1, 2}, {0, 1}),
                         *Of<int32_t>({2, 1, 2}, {0, 1, 0, -2})),
                "indices[1,0] = [0, -2] does not index into param shape [1,2]");
  ExpectRefused(GatherNd(*Of<float>({0}, {}), *Of<int32_t>({1, 1}, {0})),
                "Requested more than 0 entries, but params is empty.  Params "
                "shape: [0]");
  ExpectRefused(GatherNd(*params, *Of<int16_t>({1, 1}, {0})),
                "Value passed to parameter 'indices' has DataType int16 not in "
                "list of allowed values: int32, int64");
  ExpectRefused(
      GatherNd(**Tensor::Create(DType::kInt8, {1, 1, 1, 1, 1, 1, 1, 1}),
               *Of<int32_t>({8}, {0, 0, 0, 0, 0, 0, 0, 0})),
      "Only indices.shape[-1] values between 1 and 7 are currently "
      "supported.  Requested rank: 8");
}

}  // namespace
}  // namespace varkeep
