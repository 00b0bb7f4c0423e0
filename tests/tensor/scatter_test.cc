// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <complex>
#include <limits>
#include <numeric>

#include "tensor/tensor_overlay.h"
#include "tensor/tensor_rows.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;

constexpr ScatterOp kAllOps[] = {ScatterOp::kUpdate,   ScatterOp::kAdd,
                                 ScatterOp::kSubtract, ScatterOp::kMultiply,
                                 ScatterOp::kDivide,   ScatterOp::kMin,
                                 ScatterOp::kMax};

using Refs = std::shared_ptr<Tensor>;

// Does what was checked, into an overlay, which leaves its base, and in place.
void DoBoth(ScatterOp op, bool nd, const Refs& target, const Refs& indices,
            const Refs& updates) {
  std::atomic<int64_t> memory = 0;
  TensorOverlay overlay(&memory);
  ASSERT_OK_AND_ASSIGN(auto before, TensorView(*target).Copy());

  CoverRows(nd, *indices, *target, &overlay);
  EXPECT_THAT(*TensorView(*target, &overlay).Copy(), TensorEq(target));
  EXPECT_LE(overlay.size_bytes(),
            ScatterPageBytes(nd, target->dtype(), target->shape(), *indices));
  ScatterIntoOverlay(op, nd, *indices, *updates, target->shape(), &overlay);
  EXPECT_THAT(target, TensorEq(before));

  ASSERT_OK_AND_ASSIGN(auto overlaid, TensorView(*target, &overlay).Copy());
  ScatterInPlace(op, nd, *indices, *updates, target.get());
  EXPECT_THAT(overlaid, TensorEq(target));
}

void Scatter(ScatterOp op, const Refs& target, const Refs& indices,
             const Refs& updates) {
  ASSERT_THAT(
      CheckScatter(op, target->dtype(), target->shape(), *indices, *updates),
      IsOk());
  DoBoth(op, /*nd=*/false, target, indices, updates);
}

void ScatterNd(ScatterOp op, const Refs& target, const Refs& indices,
               const Refs& updates) {
  ASSERT_THAT(
      CheckScatterNd(op, target->dtype(), target->shape(), *indices, *updates),
      IsOk());
  DoBoth(op, /*nd=*/true, target, indices, updates);
}

void ExpectRefused(ScatterOp op, const Refs& target, const Refs& indices,
                   const Refs& updates, const std::string& message) {
  EXPECT_THAT(
      CheckScatter(op, target->dtype(), target->shape(), *indices, *updates),
      StatusIs(absl::StatusCode::kInvalidArgument, Eq(message)));
}

void ExpectNdRefused(ScatterOp op, const Refs& target, const Refs& indices,
                     const Refs& updates, const std::string& message) {
  EXPECT_THAT(
      CheckScatterNd(op, target->dtype(), target->shape(), *indices, *updates),
      StatusIs(absl::StatusCode::kInvalidArgument, Eq(message)));
}

std::vector<float> After(ScatterOp op, const std::vector<float>& updates) {
  auto target = Of<float>({2, 2}, {1, 8, 5, 6});
  Scatter(op, target, Of<int32_t>({1}, {0}), Of<float>({1, 2}, updates));
  return Values<float>(*target);
}

TEST(ScatterTest, DoesWhatItsNameSays) {
  EXPECT_THAT(After(ScatterOp::kUpdate, {2, 4}), ElementsAre(2, 4, 5, 6));
  EXPECT_THAT(After(ScatterOp::kAdd, {2, 4}), ElementsAre(3, 12, 5, 6));
  EXPECT_THAT(After(ScatterOp::kSubtract, {2, 4}), ElementsAre(-1, 4, 5, 6));
  EXPECT_THAT(After(ScatterOp::kMultiply, {2, 4}), ElementsAre(2, 32, 5, 6));
  EXPECT_THAT(After(ScatterOp::kDivide, {2, 4}), ElementsAre(0.5, 2, 5, 6));
  EXPECT_THAT(After(ScatterOp::kMin, {2, 4}), ElementsAre(1, 4, 5, 6));
  EXPECT_THAT(After(ScatterOp::kMax, {2, 4}), ElementsAre(2, 8, 5, 6));
}

TEST(ScatterTest, WorksOnEveryDTypeThatHasTheOp) {
  for (DType dtype : kAllDTypes) {
    VisitDType(dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      auto one = [](int8_t value) { return static_cast<T>(value); };
      if constexpr (std::is_same_v<T, bool>) {
        auto flags = Of<bool>({2}, {true, false});
        Scatter(ScatterOp::kUpdate, flags, Of<int32_t>({2}, {0, 1}),
                Of<bool>({2}, {false, true}));
        EXPECT_THAT(flags, TensorEq(Of<bool>({2}, {false, true})));
      } else {
        const int8_t expected[] = {3, 9, 3, 18, 2, 3, 6};
        for (size_t i = 0; i < std::size(kAllOps); ++i) {
          if (!SupportsScatter(kAllOps[i], dtype)) continue;
          auto target = Of<T>({3}, {one(5), one(6), one(7)});
          Scatter(kAllOps[i], target, Of<int64_t>({1}, {1}),
                  Of<T>({1}, {one(3)}));
          EXPECT_THAT(target,
                      TensorEq(Of<T>({3}, {one(5), one(expected[i]), one(7)})))
              << DTypeName(dtype) << " " << i;
        }
      }
    });
  }
}

TEST(ScatterTest, TheDTypesOfEachOpAreTensorFlows) {
  for (DType dtype : kAllDTypes) {
    EXPECT_TRUE(SupportsScatter(ScatterOp::kUpdate, dtype));
    EXPECT_EQ(SupportsScatter(ScatterOp::kDivide, dtype),
              dtype != DType::kBool);
    EXPECT_EQ(
        SupportsScatter(ScatterOp::kMax, dtype),
        IsFloating(dtype) || dtype == DType::kInt32 || dtype == DType::kInt64)
        << DTypeName(dtype);
  }
}

TEST(ScatterTest, RepeatedIndicesAccumulateInOrder) {
  const auto indices = Of<int32_t>({4}, {1, 0, 1, 1});
  const auto updates = Of<float>({4}, {2, 3, 4, 5});
  auto after = [&](ScatterOp op) {
    auto target = Of<float>({2}, {60, 120});
    Scatter(op, target, indices, updates);
    return Values<float>(*target);
  };
  EXPECT_THAT(after(ScatterOp::kUpdate), ElementsAre(3, 5));
  EXPECT_THAT(after(ScatterOp::kAdd), ElementsAre(63, 131));
  EXPECT_THAT(after(ScatterOp::kSubtract), ElementsAre(57, 109));
  EXPECT_THAT(after(ScatterOp::kMultiply), ElementsAre(180, 4800));
  EXPECT_THAT(after(ScatterOp::kDivide), ElementsAre(20, 3));
  EXPECT_THAT(after(ScatterOp::kMin), ElementsAre(3, 2));
  EXPECT_THAT(after(ScatterOp::kMax), ElementsAre(60, 120));
}

TEST(ScatterTest, AScalarGoesToEveryElementNamed) {
  auto target = Of<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  Scatter(ScatterOp::kAdd, target, Of<int32_t>({3}, {0, 2, 2}),
          Of<float>({}, {10}));
  EXPECT_THAT(Values<float>(*target), ElementsAre(11, 12, 3, 4, 25, 26));
}

TEST(ScatterTest, IndicesMayHaveAnyRank) {
  auto target = Of<int32_t>({4, 1}, {1, 2, 3, 4});
  Scatter(ScatterOp::kUpdate, target, Of<int64_t>({}, {2}),
          Of<int32_t>({1}, {9}));
  Scatter(ScatterOp::kUpdate, target, Of<int64_t>({1, 2}, {3, 0}),
          Of<int32_t>({1, 2, 1}, {7, 8}));
  EXPECT_THAT(Values<int32_t>(*target), ElementsAre(8, 2, 9, 7));
}

TEST(ScatterTest, NothingNamedChangesNothing) {
  for (ScatterOp op : kAllOps) {
    auto target = Of<int32_t>({2}, {1, 2});
    Scatter(op, target, Of<int32_t>({0}, {}), Of<int32_t>({0}, {}));
    Scatter(op, target, Of<int32_t>({0}, {}), Of<int32_t>({}, {0}));
    EXPECT_THAT(Values<int32_t>(*target), ElementsAre(1, 2));
    Scatter(op, Of<int32_t>({0, 3}, {}), Of<int32_t>({0}, {}),
            Of<int32_t>({0, 3}, {}));
    Scatter(op, Of<int32_t>({3, 0}, {}), Of<int32_t>({1}, {2}),
            Of<int32_t>({1, 0}, {}));
  }
}

TEST(ScatterTest, MinAndMaxKeepWhatCannotBeCompared) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (ScatterOp op : {ScatterOp::kMin, ScatterOp::kMax}) {
    auto target = Of<float>({2}, {nan, 1});
    Scatter(op, target, Of<int32_t>({2}, {0, 1}), Of<float>({2}, {2, nan}));
    EXPECT_TRUE(std::isnan(target->values<float>()[0]));
    EXPECT_EQ(target->values<float>()[1], 1);
  }
}

template <typename T>
T ScatterOne(ScatterOp op, T value, T update) {
  auto target = Of<T>({1}, {value});
  Scatter(op, target, Of<int32_t>({1}, {0}), Of<T>({1}, {update}));
  return target->template values<T>()[0];
}

template <typename T>
void ExpectWrapsAround() {
  constexpr T kLeast = std::numeric_limits<T>::min();
  constexpr T kGreatest = std::numeric_limits<T>::max();
  EXPECT_EQ(ScatterOne<T>(ScatterOp::kAdd, kGreatest, 1), kLeast);
  EXPECT_EQ(ScatterOne<T>(ScatterOp::kSubtract, kLeast, 1), kGreatest);
  EXPECT_EQ(ScatterOne<T>(ScatterOp::kMultiply, kGreatest, 2),
            static_cast<T>(-2));
  EXPECT_EQ(ScatterOne<T>(ScatterOp::kMultiply, kGreatest, kGreatest), T{1});
  if (std::is_signed_v<T>) {
    EXPECT_EQ(ScatterOne<T>(ScatterOp::kDivide, kLeast, static_cast<T>(-1)),
              kLeast);
  }
}

TEST(ScatterTest, IntegersWrapAround) {
  ExpectWrapsAround<int8_t>();
  ExpectWrapsAround<int16_t>();
  ExpectWrapsAround<int32_t>();
  ExpectWrapsAround<int64_t>();
  ExpectWrapsAround<uint8_t>();
  ExpectWrapsAround<uint16_t>();
  ExpectWrapsAround<uint32_t>();
  ExpectWrapsAround<uint64_t>();
}

TEST(ScatterTest, IntegerDivisionTruncatesTowardsZero) {
  EXPECT_EQ(ScatterOne<int32_t>(ScatterOp::kDivide, -7, 2), -3);
  EXPECT_EQ(ScatterOne<int32_t>(ScatterOp::kDivide, 7, -2), -3);
}

TEST(ScatterTest, FloatsAreDividedByZero) {
  EXPECT_EQ(ScatterOne<float>(ScatterOp::kDivide, 1, 0),
            std::numeric_limits<float>::infinity());
}

TEST(ScatterTest, SmallFloatsAreRoundedAfterEachStep) {
  auto target = Of<Eigen::half>({1}, {Eigen::half(2048)});
  Scatter(ScatterOp::kAdd, target, Of<int32_t>({2}, {0, 0}),
          Of<Eigen::half>({}, {Eigen::half(1)}));
  EXPECT_EQ(target->values<Eigen::half>()[0], Eigen::half(2048));
  auto brain = Of<Eigen::bfloat16>({1}, {Eigen::bfloat16(256)});
  Scatter(ScatterOp::kAdd, brain, Of<int32_t>({2}, {0, 0}),
          Of<Eigen::bfloat16>({}, {Eigen::bfloat16(1)}));
  EXPECT_EQ(brain->values<Eigen::bfloat16>()[0], Eigen::bfloat16(256));
}

TEST(ScatterTest, RowsMayReachOverPages) {
  // 3 KiB a row: of four rows three lie in two pages.
  constexpr int64_t kColumns = 768;
  const auto target =
      Of<float>({9, kColumns}, std::vector<float>(9 * kColumns));
  std::vector<float> updates(3 * kColumns);
  std::iota(updates.begin(), updates.end(), 1.0f);
  Scatter(ScatterOp::kAdd, target, Of<int32_t>({3}, {1, 8, 1}),
          Of<float>({3, kColumns}, updates));

  const auto values = target->values<float>();
  EXPECT_EQ(values[kColumns - 1], 0);
  EXPECT_EQ(values[kColumns], 1 + (2 * kColumns + 1));
  EXPECT_EQ(values[2 * kColumns - 1], kColumns + 3 * kColumns);
  EXPECT_EQ(values[9 * kColumns - 1], 2 * kColumns);
}

TEST(ScatterTest, RefusesWithTensorFlowsWords) {
  auto vector = Of<float>({6}, {1, 2, 3, 4, 5, 6});
  auto three = Of<float>({3}, {1, 2, 3});
  ExpectRefused(ScatterOp::kAdd, Of<float>({}, {1}), Of<int32_t>({1}, {0}),
                Of<float>({1}, {1}),
                "params must be at least 1-D, got shape []");
  ExpectRefused(ScatterOp::kAdd, vector, Of<int32_t>({3}, {2, 0, 6}), three,
                "indices[2] = 6 is not in [0, 6)");
  ExpectRefused(ScatterOp::kAdd, vector, Of<int32_t>({3}, {-1, 0, 5}), three,
                "indices[0] = -1 is not in [0, 6)");
  ExpectRefused(ScatterOp::kAdd, vector, Of<int64_t>({}, {6}),
                Of<float>({}, {1}), "indices = 6 is not in [0, 6)");
  ExpectRefused(ScatterOp::kAdd, vector, Of<int64_t>({2, 1}, {0, 7}),
                Of<float>({2, 1}, {1, 2}), "indices[1,0] = 7 is not in [0, 6)");
  ExpectRefused(ScatterOp::kAdd, Of<float>({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}),
                Of<int32_t>({2}, {0, 1}), three,
                "Must have updates.shape = indices.shape + params.shape[1:] or "
                "updates.shape = [], got updates.shape [3], indices.shape [2], "
                "params.shape [4,2]");
}

TEST(ScatterTest, RefusesIndicesThatDoNotFitIntoInt32) {
  ExpectRefused(ScatterOp::kUpdate, Of<float>({2}, {1, 2}),
                Of<int64_t>({1}, {int64_t{1} << 32}), Of<float>({1}, {1}),
                "indices[0] = 4294967296 is not in [0, 2)");
}

TEST(ScatterTest, RefusesWrongDTypes) {
  ExpectRefused(ScatterOp::kAdd, Of<bool>({1}, {true}), Of<int32_t>({1}, {0}),
                Of<bool>({1}, {true}),
                "Value passed to parameter 'ref' has DataType bool not in list "
                "of allowed values: every dtype but bool");
  ExpectRefused(ScatterOp::kMin, Of<uint8_t>({1}, {1}), Of<int32_t>({1}, {0}),
                Of<uint8_t>({1}, {1}),
                "Value passed to parameter 'ref' has DataType uint8 not in "
                "list of allowed values: float16, bfloat16, float32, float64, "
                "int32, int64");
  ExpectRefused(ScatterOp::kAdd, Of<float>({1}, {1}), Of<float>({1}, {0}),
                Of<float>({1}, {1}),
                "Value passed to parameter 'indices' has DataType float32 not "
                "in list of allowed values: int32, int64");
  ExpectRefused(ScatterOp::kSubtract, Of<int32_t>({1}, {1}),
                Of<int32_t>({1}, {0}), Of<float>({1}, {1}),
                "Input 'updates' of 'ScatterSub' Op has type float32 that does "
                "not match type int32 of argument 'ref'.");
  ExpectNdRefused(ScatterOp::kUpdate, Of<int32_t>({1}, {1}),
                  Of<int32_t>({1, 1}, {0}), Of<float>({1}, {1}),
                  "Input 'updates' of 'ScatterNdUpdate' Op has type float32 "
                  "that does not match type int32 of argument 'ref'.");
}

TEST(ScatterTest, RefusesToDivideAnIntegerByZero) {
  auto target = Of<int32_t>({2}, {1, 2});
  auto both = Of<int32_t>({2}, {0, 1});
  ExpectRefused(ScatterOp::kDivide, target, both, Of<int32_t>({2}, {1, 0}),
                "Integer division by zero");
  ExpectRefused(ScatterOp::kDivide, target, both, Of<int32_t>({}, {0}),
                "Integer division by zero");
}

TEST(ScatterNdTest, ChangesSingleElements) {
  auto after = [](ScatterOp op) {
    auto target = Of<int32_t>({8}, {1, 2, 3, 4, 5, 6, 7, 8});
    ScatterNd(op, target, Of<int32_t>({4, 1}, {4, 3, 1, 7}),
              Of<int32_t>({4}, {9, 10, 11, 12}));
    return Values<int32_t>(*target);
  };
  EXPECT_THAT(after(ScatterOp::kUpdate),
              ElementsAre(1, 11, 3, 10, 9, 6, 7, 12));
  EXPECT_THAT(after(ScatterOp::kAdd), ElementsAre(1, 13, 3, 14, 14, 6, 7, 20));
  EXPECT_THAT(after(ScatterOp::kSubtract),
              ElementsAre(1, -9, 3, -6, -4, 6, 7, -4));
}

TEST(ScatterNdTest, ChangesSlicesAndAccumulates) {
  auto target = Of<float>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  ScatterNd(ScatterOp::kAdd, target, Of<int64_t>({3, 2}, {1, 0, 0, 1, 1, 0}),
            Of<float>({3, 2}, {10, 20, 30, 40, 50, 60}));
  EXPECT_THAT(Values<float>(*target), ElementsAre(1, 2, 33, 44, 65, 86, 7, 8));
  ScatterNd(ScatterOp::kUpdate, target, Of<int64_t>({1, 2, 1}, {1, 1}),
            Of<float>({1, 2, 2, 2}, {1, 1, 1, 1, 2, 2, 2, 2}));
  EXPECT_THAT(Values<float>(*target), ElementsAre(1, 2, 33, 44, 2, 2, 2, 2));
}

TEST(ScatterNdTest, AVectorOfIndicesNamesOneRowEach) {
  auto target = Of<int32_t>({3}, {1, 2, 3});
  ScatterNd(ScatterOp::kUpdate, target, Of<int32_t>({2}, {2, 0}),
            Of<int32_t>({2}, {8, 9}));
  EXPECT_THAT(Values<int32_t>(*target), ElementsAre(9, 2, 8));
}

TEST(ScatterNdTest, NothingNamedChangesNothing) {
  auto target = Of<int32_t>({2}, {1, 2});
  ScatterNd(ScatterOp::kAdd, target, Of<int32_t>({0, 1}, {}),
            Of<int32_t>({0}, {}));
  EXPECT_THAT(Values<int32_t>(*target), ElementsAre(1, 2));
  ScatterNd(ScatterOp::kAdd, Of<int32_t>({0}, {}), Of<int32_t>({0, 1}, {}),
            Of<int32_t>({0}, {}));
}

TEST(ScatterNdTest, RefusesIndicesOutside) {
  auto target = Of<float>({6}, {1, 2, 3, 4, 5, 6});
  auto three = Of<float>({3}, {1, 2, 3});
  ExpectNdRefused(ScatterOp::kAdd, target, Of<int32_t>({3, 1}, {-1, 0, 5}),
                  three, "indices[0] = [-1] does not index into shape [6]");
  ExpectNdRefused(ScatterOp::kAdd, target, Of<int64_t>({3, 1}, {2, 0, 6}),
                  three, "indices[2] = [6] does not index into shape [6]");
  ExpectNdRefused(ScatterOp::kAdd, Of<float>({1, 2}, {1, 2}),
                  Of<int32_t>({1, 2, 2}, {0, 1, 0, 2}),
                  Of<float>({1, 2}, {1, 2}),
                  "indices[0,1] = [0, 2] does not index into shape [1,2]");
}

TEST(ScatterNdTest, RefusesRanksAndEmptyOutput) {
  auto vector = Of<float>({2}, {1, 2});
  ExpectNdRefused(ScatterOp::kAdd, Of<float>({}, {1}), Of<int32_t>({1, 1}, {0}),
                  Of<float>({1}, {1}),
                  "Output must be at least 1-D, got shape: []");
  ExpectNdRefused(ScatterOp::kAdd, Of<float>({0}, {}), Of<int32_t>({1, 1}, {0}),
                  Of<float>({1}, {1}),
                  "Indices and updates specified for empty output.  indices "
                  "shape: [1,1]");
  ExpectNdRefused(ScatterOp::kAdd, vector, Of<int32_t>({}, {0}),
                  Of<float>({1}, {1}),
                  "Indices shape must have rank at least one. Found:[]");
  ExpectNdRefused(ScatterOp::kAdd, vector, Of<int32_t>({1, 1}, {0}),
                  Of<float>({}, {1}),
                  "Updates shape must have rank at least one. Found:[]");
  ExpectNdRefused(ScatterOp::kAdd, vector, Of<int32_t>({1, 0}, {}),
                  Of<float>({1, 2}, {1, 1}),
                  "Only indices.shape[-1] values between 1 and 7 are currently "
                  "supported.  Requested rank: 0");
}

TEST(ScatterNdTest, RefusesShapesThatDoNotFit) {
  auto target = Of<float>({2, 2}, {1, 2, 3, 4});
  ExpectNdRefused(
      ScatterOp::kAdd, target, Of<int32_t>({2, 1}, {0, 1}),
      Of<float>({1, 2}, {1, 2}),
      "The outermost dimension of updates and indices must match. Got "
      "indices.shape [2,1], updates.shape [1,2]. The outer 1 dimensions of "
      "indices.shape=[2,1] must match the outer 1 dimensions of "
      "updates.shape=[1,2]: Dimension 0 in both shapes must be equal, but are "
      "2 and 1. Shapes are [2] and [1].");
  ExpectNdRefused(
      ScatterOp::kAdd, target, Of<int32_t>({1, 1}, {0}),
      Of<float>({1, 3}, {1, 2, 3}),
      "Must have updates.shape = indices.shape[:batch_dim] + "
      "params_shape[slice_dim:], got updates.shape: [1,3], indices.shape: "
      "[1,1], params_shape: [2,2], slice_dim: 1, and batch_dim: 1. The inner 1 "
      "dimensions of input.shape=[2,2] must match the inner 1 dimensions of "
      "updates.shape=[1,3]: Dimension 0 in both shapes must be equal, but are "
      "2 and 3. Shapes are [2] and [3].");
  ExpectNdRefused(
      ScatterOp::kAdd, target, Of<int32_t>({1, 1}, {0}), Of<float>({1}, {1}),
      "Must have updates.shape = indices.shape[:batch_dim] + "
      "params_shape[slice_dim:], got updates.shape: [1], indices.shape: "
      "[1,1], params_shape: [2,2], slice_dim: 1, and batch_dim: 1. The inner 1 "
      "dimensions of input.shape=[2,2] must match the inner 0 dimensions of "
      "updates.shape=[1]: Shapes must be equal rank, but are 1 and 0");
  ExpectNdRefused(
      ScatterOp::kAdd, target, Of<int32_t>({1, 3}, {0, 0, 0}),
      Of<float>({1}, {1}),
      "Must have updates.shape = indices.shape[:batch_dim] + "
      "params_shape[slice_dim:], got updates.shape: [1], indices.shape: "
      "[1,3], params_shape: [2,2], slice_dim: 3, and batch_dim: 1. Shape must "
      "be at least rank 3 but is rank 2");
}

}  // namespace
}  // namespace varkeep
