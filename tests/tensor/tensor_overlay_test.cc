// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor_overlay.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "tensor/tensor_ops.h"
#include "tensor/tensor_rows.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

constexpr int64_t kPage = TensorOverlay::kPageBytes;
// Three pages and a bit of bytes that count up.
constexpr int64_t kSize = 3 * kPage + 100;

class TensorOverlayTest : public ::testing::Test {
 protected:
  TensorOverlayTest() {
    std::vector<uint8_t> bytes(kSize);
    std::iota(bytes.begin(), bytes.end(), uint8_t{0});
    base_ = Of<uint8_t>({kSize}, bytes);
  }

  void Write(TensorOverlay* overlay, int64_t offset, uint8_t value) {
    overlay->Cover(*base_, offset, 1);
    overlay->Covered(offset, 1)[0] = static_cast<std::byte>(value);
  }

  std::vector<uint8_t> BytesOf(const TensorView& view) {
    absl::StatusOr<std::shared_ptr<Tensor>> copy = view.Copy();
    EXPECT_OK(copy);
    const auto values = (*copy)->values<uint8_t>();
    return {values.begin(), values.end()};
  }

  std::shared_ptr<Tensor> base_;
  std::atomic<int64_t> memory_ = 0;
};

TEST_F(TensorOverlayTest, HasWhatWasWrittenAndTheBaseHasNot) {
  const std::vector<uint8_t> before = BytesOf(*base_);
  std::vector<uint8_t> expected = before;
  TensorOverlay overlay(&memory_);
  for (int64_t offset : {int64_t{5}, 2 * kPage - 1, kSize - 1}) {
    Write(&overlay, offset, 77);
    expected[static_cast<size_t>(offset)] = 77;
  }

  EXPECT_EQ(BytesOf({*base_, &overlay}), expected);
  EXPECT_EQ(BytesOf(*base_), before);

  overlay.ApplyTo(base_.get());
  EXPECT_EQ(BytesOf(*base_), expected);
}

TEST_F(TensorOverlayTest, CountsThePagesOfAllCopies) {
  {
    TensorOverlay overlay(&memory_);
    overlay.Cover(*base_, kPage - 1, 2);
    overlay.Cover(*base_, 0, kPage);
    overlay.Cover(*base_, 0, 0);
    EXPECT_EQ(overlay.size_bytes(), 2 * kPage);
    EXPECT_EQ(memory_, 2 * kPage);
    TensorOverlay copy(overlay);
    EXPECT_EQ(memory_, 4 * kPage);
  }
  EXPECT_EQ(memory_, 0);
}

TEST_F(TensorOverlayTest, ACopyIsNotChangedWithTheOther) {
  TensorOverlay overlay(&memory_);
  Write(&overlay, 5, 77);
  TensorOverlay copy(overlay);
  Write(&overlay, 5, 78);
  EXPECT_EQ(BytesOf({*base_, &copy})[5], 77);
  EXPECT_EQ(BytesOf({*base_, &overlay})[5], 78);
}

TEST_F(TensorOverlayTest, RunsEndWhereAPageIsElsewhere) {
  TensorOverlay overlay(&memory_);
  Write(&overlay, kPage, 77);
  const TensorView view(*base_, &overlay);
  EXPECT_EQ(view.Run(1, kSize - 1).data(), base_->bytes().data() + 1);
  EXPECT_EQ(view.Run(1, kSize - 1).size(), static_cast<size_t>(kPage - 1));
  EXPECT_EQ(view.Run(kPage, 10).size(), 10u);
  EXPECT_EQ(view.Run(kPage + 6, kSize).size(), static_cast<size_t>(kPage - 6));
  EXPECT_EQ(view.Run(2 * kPage, kPage + 100).size(),
            static_cast<size_t>(kPage + 100));
}

TEST_F(TensorOverlayTest, GathersAndSlicesSeeIt) {
  const auto table = Of<float>({3000, 2}, std::vector<float>(6000));
  const auto rows = Of<int32_t>({3}, {10, 2999, 10});
  TensorOverlay overlay(&memory_);
  CoverRows(false, *rows, *table, &overlay);
  ScatterIntoOverlay(ScatterOp::kAdd, false, *rows, *Of<float>({}, {1}),
                     table->shape(), &overlay);
  const TensorView view(*table, &overlay);

  EXPECT_THAT(*Gather(view, *Of<int64_t>({4}, {9, 10, 11, 2999})),
              TensorEq(Of<float>({4, 2}, {0, 0, 2, 2, 0, 0, 1, 1})));
  EXPECT_THAT(*Gather(view, *Of<int64_t>({1}, {1}), 1),
              TensorEq(*Gather(**view.Copy(), *Of<int64_t>({1}, {1}), 1)));
  EXPECT_THAT(*GatherNd(view, *Of<int64_t>({2, 2}, {10, 0, 11, 0})),
              TensorEq(Of<float>({2}, {2, 0})));
  EXPECT_THAT(*CopySlice(view, {{9, 1}, {2, 1}}),
              TensorEq(Of<float>({2, 1}, {0, 2})));
}

TEST_F(TensorOverlayTest, ACopyMayUseThreads) {
  ThreadPool pool(3);
  const auto large = Of<int32_t>({700'001}, std::vector<int32_t>(700'001, 3));
  const auto place = Of<int32_t>({1}, {700'000});
  TensorOverlay overlay(&memory_);
  CoverRows(false, *place, *large, &overlay);
  ScatterIntoOverlay(ScatterOp::kUpdate, false, *place, *Of<int32_t>({1}, {4}),
                     large->shape(), &overlay);

  std::vector<int32_t> expected(700'001, 3);
  expected.back() = 4;
  EXPECT_THAT(*TensorView(*large, &overlay).Copy(&pool),
              TensorEq(Of<int32_t>({700'001}, expected)));
}

}  // namespace
}  // namespace varkeep
