// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

// Small tensors hold their bytes themselves, larger ones do not: all lengths
// around where that changes.
TEST(TensorTest, HoldsItsBytesWhateverTheirNumber) {
  for (int64_t length = 0; length <= 300; ++length) {
    auto created = Tensor::Create(DType::kUint8, Shape({length}));
    ASSERT_OK(created);
    Tensor& tensor = **created;
    ASSERT_EQ(tensor.size_bytes(), length);
    EXPECT_EQ(tensor.shape(), Shape({length}));
    EXPECT_EQ(tensor.dtype(), DType::kUint8);
    for (std::byte& byte : tensor.mutable_bytes()) byte = std::byte{0xA5};
    EXPECT_EQ(std::ranges::count(tensor.bytes(), std::byte{0xA5}), length);
    EXPECT_EQ(tensor.shape(), Shape({length}));  // nothing else was written
  }
}

TEST(TensorTest, AlignsElements) {
  for (int64_t length = 1; length <= 300; ++length) {
    auto created = Tensor::Create(DType::kFloat64, Shape({length}));
    ASSERT_OK(created);
    const auto at =
        reinterpret_cast<uintptr_t>((*created)->values<double>().data());
    const uintptr_t wanted = length <= 1 ? 8 : length <= 16 ? 16 : 64;
    EXPECT_EQ(at % wanted, 0u) << length;
  }
}

// What a server keeps for each of millions of scalars.
TEST(TensorTest, IsSmall) {
  EXPECT_LE(sizeof(Tensor), 64u);
  EXPECT_LE(sizeof(Shape), 40u);
}

TEST(TensorTest, OutlivesItsMakers) {
  TensorRef value;
  {
    auto made = MakeTensor<int32_t>(Shape({2}), std::vector<int32_t>{7, -7});
    ASSERT_OK(made);
    value = *made;
  }
  EXPECT_EQ(value->values<int32_t>()[0], 7);
  EXPECT_EQ(value->values<int32_t>()[1], -7);
}

}  // namespace
}  // namespace varkeep
