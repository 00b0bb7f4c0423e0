// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <complex>
#include <limits>
#include <numeric>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// first, first + 1, ...: int64 is what a Python list of ints is.
TensorRef Range(const Shape& shape, int64_t first = 0) {
  std::vector<int64_t> elements(static_cast<size_t>(shape.num_elements()));
  std::iota(elements.begin(), elements.end(), first);
  return Of<int64_t>(shape, elements);
}

ConstantInitializer Array(TensorRef value) {
  return {std::move(value), false, false};
}

template <typename T>
ConstantInitializer Scalar(T value) {
  return {Of<T>({}, {value})};
}

TEST(ZerosAndOnesTest, FillEveryDType) {
  for (DType dtype : kAllDTypes) {
    VisitDType(dtype, [](auto tag) {
      using T = typename decltype(tag)::type;
      EXPECT_THAT(DrawValues<T>(ZerosInitializer{}, {2, 2}), Each(T(0)));
      EXPECT_THAT(DrawValues<T>(OnesInitializer{}, {2, 2}), Each(T(1)));
    });
  }
}

TEST(ZerosAndOnesTest, ScalarsAndEmptyShapes) {
  EXPECT_THAT(DrawValues<float>(OnesInitializer{}, {}), ElementsAre(1));
  EXPECT_THAT(DrawValues<float>(ZerosInitializer{}, {0, 3}), IsEmpty());
}

TEST(ZerosAndOnesTest, LargeOnesAreFilledToTheEnd) {
  ThreadPool pool(3);
  const TensorRef ones =
      Draw(OnesInitializer{}, DType::kInt8, {1000003}, {}, 0, &pool);
  EXPECT_THAT(Values<int8_t>(*ones), Each(1));
}

TEST(ConstantTest, ScalarFillsTheShape) {
  EXPECT_THAT(DrawValues<int32_t>(Scalar<int64_t>(7), {2, 3}), Each(7));
}

TEST(ConstantTest, TupleIsTakenInOrder) {
  EXPECT_THAT(DrawValues<int32_t>(
                  {ConstantInitializer{Of<int64_t>({3}, {10, 20, 30})}}, {3}),
              ElementsAre(10, 20, 30));
}

TEST(ConstantTest, AnyShapeOfAsManyElementsWillDo) {
  for (const ConstantInitializer& init :
       {ConstantInitializer{Range({6})}, Array(Range({6})),
        Array(Range({3, 2}))}) {
    EXPECT_THAT(DrawValues<float>(init, {2, 3}), ElementsAre(0, 1, 2, 3, 4, 5));
  }
  EXPECT_THAT(DrawValues<float>(ConstantInitializer{Range({8})}, {8}),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST(ConstantTest, TheLastElementIsRepeated) {
  EXPECT_THAT(DrawValues<int32_t>(ConstantInitializer{Range({6})}, {2, 4}),
              ElementsAre(0, 1, 2, 3, 4, 5, 5, 5));
}

TEST(ConstantTest, NoElementsGiveZeros) {
  EXPECT_THAT(DrawValues<float>(ConstantInitializer{Range({0})}, {3}),
              ElementsAre(0, 0, 0));
}

TEST(ConstantTest, TooManyElementsAreAnError) {
  for (const ConstantInitializer& init :
       {ConstantInitializer{Range({8})}, Array(Range({8})),
        Array(Range({2, 4}))}) {
    ExpectRejected(
        init, DType::kInt32, {2, 3},
        "Too many elements provided. Needed at most 6, but received 8");
  }
}

TEST(ConstantTest, VerifyShapeNeedsTheVeryShape) {
  ExpectRejected(ConstantInitializer{Range({8}), true}, DType::kFloat32, {3, 4},
                 "Expected Tensor's shape: (3, 4), got (8,).");
  ExpectRejected(ConstantInitializer{Range({}), true}, DType::kFloat32, {2, 3},
                 "Expected Tensor's shape: (2, 3), got ().");
  EXPECT_THAT(
      DrawValues<float>(ConstantInitializer{Range({2, 2}), true}, {2, 2}),
      ElementsAre(0, 1, 2, 3));
}

TEST(ConstantTest, NothingIsLookedAtWhenThereIsNothingToFill) {
  EXPECT_THAT(
      DrawValues<int32_t>(ConstantInitializer{Of<double>({}, {2.5})}, {0, 2}),
      IsEmpty());
  ExpectRejected(
      Array(Range({3})), DType::kInt32, {0},
      "Too many elements provided. Needed at most 0, but received 3");
}

TEST(ConstantTest, KindMustSuitTheDType) {
  ExpectRejected(Scalar(2.5), DType::kInt32, {2},
                 "Expected int32, got 2.5 of type 'float' instead.");
  ExpectRejected(Scalar(2.0f), DType::kUint8, {2},
                 "Expected uint8, got 2.0 of type 'float' instead.");
  ExpectRejected(Scalar<int64_t>(1), DType::kBool, {2},
                 "Expected bool, got 1 of type 'int' instead.");
  ExpectRejected(Scalar(1.0), DType::kBool, {2},
                 "Expected bool, got 1.0 of type 'float' instead.");
  ExpectRejected(Scalar(std::complex<double>(1, -2.5)), DType::kFloat32, {2},
                 "Expected float32, got (1-2.5j) of type 'complex' instead.");
  ExpectRejected(Scalar(std::complex<double>(0, 2)), DType::kInt64, {2},
                 "Expected int64, got 2j of type 'complex' instead.");
}

TEST(ConstantTest, NarrowerKindsAreTakenByWiderDTypes) {
  EXPECT_THAT(DrawValues<double>(Scalar<int64_t>(3), {1}), ElementsAre(3.0));
  EXPECT_THAT(DrawValues<std::complex<float>>(Scalar<int64_t>(3), {1}),
              ElementsAre(std::complex<float>(3, 0)));
  EXPECT_THAT(DrawValues<std::complex<float>>(Scalar(0.5), {1}),
              ElementsAre(std::complex<float>(0.5, 0)));
  EXPECT_THAT(
      DrawValues<std::complex<double>>(Scalar(std::complex<double>(1, 2)), {1}),
      ElementsAre(std::complex<double>(1, 2)));
  EXPECT_THAT(DrawValues<bool>(Scalar(true), {2}), ElementsAre(true, true));
}

// In Python True is an integer.
TEST(ConstantTest, BoolsAreTakenAsNumbers) {
  EXPECT_THAT(DrawValues<int32_t>(Scalar(true), {2}), ElementsAre(1, 1));
  EXPECT_THAT(DrawValues<float>(Scalar(false), {1}), ElementsAre(0.0f));
}

TEST(ConstantTest, IntegersMustFitTheDType) {
  ExpectRejected(Scalar<int64_t>(300), DType::kUint8, {2},
                 "value 300 does not fit uint8");
  ExpectRejected(Scalar<int64_t>(-1), DType::kUint64, {2},
                 "value -1 does not fit uint64");
  ExpectRejected(Scalar(std::numeric_limits<uint64_t>::max()), DType::kInt64,
                 {2}, "value 18446744073709551615 does not fit int64");
  EXPECT_THAT(
      DrawValues<uint64_t>(Scalar(std::numeric_limits<uint64_t>::max()), {1}),
      ElementsAre(std::numeric_limits<uint64_t>::max()));
}

TEST(ConstantTest, ArraysAreCastSilently) {
  EXPECT_THAT(DrawValues<int32_t>(Array(Of<double>({2}, {2.9, -2.9})), {2}),
              ElementsAre(2, -2));
  EXPECT_THAT(DrawValues<uint8_t>(Array(Of<int64_t>({2}, {300, -1})), {2}),
              ElementsAre(44, 255));
  EXPECT_THAT(DrawValues<bool>(Array(Of<float>({3}, {0, 0.5, -1})), {3}),
              ElementsAre(false, true, true));
}

TEST(ConstantTest, WithoutAValueIsAnError) {
  EXPECT_THAT(
      CheckInitializer(ConstantInitializer{}, DType::kFloat32, {}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no value")));
}

TEST(ValueTest, GivesTheVeryTensor) {
  const TensorRef value = Of<float>({2}, {1, 2});
  EXPECT_EQ(Draw(ValueInitializer{value}, DType::kFloat32, {2}), value);
}

TEST(ValueTest, MustHaveDTypeAndShapeOfTheVariable) {
  const ValueInitializer init{Of<float>({2}, {1, 2})};
  ExpectRejected(init, DType::kInt32, {2},
                 "initial value is float32 of shape [2], variable is int32 of "
                 "shape [2]");
  ExpectRejected(init, DType::kFloat32, {3},
                 "initial value is float32 of shape [2], variable is float32 "
                 "of shape [3]");
  EXPECT_THAT(
      CheckInitializer(ValueInitializer{}, DType::kFloat32, {}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no value")));
}

}  // namespace
}  // namespace varkeep
