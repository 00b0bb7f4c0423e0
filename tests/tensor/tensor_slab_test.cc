// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor_slab.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

TEST(TensorSlabTest, TensorsAreAsOthersAre) {
  TensorSlab slab;
  std::vector<std::shared_ptr<Tensor>> tensors;
  for (int64_t elements = 0; elements < 400; ++elements) {
    // Of all sizes, below and above what goes into a block; of rank 3, whose
    // dimensions are elsewhere.
    const Shape shape =
        elements % 3 == 0 ? Shape({1, elements, 1}) : Shape({elements});
    ASSERT_OK_AND_ASSIGN(auto tensor, slab.Create(DType::kInt16, shape));
    EXPECT_EQ(tensor->dtype(), DType::kInt16);
    EXPECT_EQ(tensor->shape(), shape);
    EXPECT_EQ(tensor->size_bytes(), 2 * elements);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor->bytes().data()) % 16, 0u);
    std::ranges::fill(tensor->mutable_values<int16_t>(),
                      static_cast<int16_t>(elements));
    tensors.push_back(std::move(tensor));
  }
  for (int64_t elements = 0; elements < 400; ++elements) {
    const auto values =
        tensors[static_cast<size_t>(elements)]->values<int16_t>();
    EXPECT_TRUE(std::ranges::all_of(
        values, [&](int16_t value) { return value == elements; }));
  }
}

TEST(TensorSlabTest, ATensorOutlivesItsSlabAndItsNeighbours) {
  std::shared_ptr<Tensor> kept;
  {
    TensorSlab slab;
    std::vector<std::shared_ptr<Tensor>> others;
    for (int i = 0; i < 100; ++i) {
      ASSERT_OK_AND_ASSIGN(auto tensor, slab.Create(DType::kInt64, {2}));
      std::ranges::fill(tensor->mutable_values<int64_t>(), i);
      if (i == 50) kept = tensor;
      others.push_back(std::move(tensor));
    }
  }
  EXPECT_THAT(kept->values<int64_t>(), testing::ElementsAre(50, 50));
}

TEST(TensorSlabTest, ErrorsAreThoseOfCreate) {
  TensorSlab slab;
  const Shape shape({int64_t{1} << 62});
  EXPECT_EQ(slab.Create(DType::kInt64, shape).status(),
            Tensor::Create(DType::kInt64, shape).status());
}

}  // namespace
}  // namespace varkeep
