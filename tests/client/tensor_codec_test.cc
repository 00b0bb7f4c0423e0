// SPDX-License-Identifier: Apache-2.0
#include "proto/tensor_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

v1::Shape ShapeProto(std::initializer_list<int64_t> dims) {
  v1::Shape shape;
  for (int64_t dim : dims) shape.add_dims(dim);
  return shape;
}

TEST(TensorCodecTest, EveryDTypeGoesRound) {
  for (DType dtype : kAllDTypes) {
    EXPECT_THAT(DTypeFromProto(DTypeToProto(dtype)), IsOkAndHolds(dtype));
    EXPECT_TRUE(v1::DType_IsValid(DTypeToProto(dtype)));
  }
}

TEST(TensorCodecTest, UnknownDTypesAreErrors) {
  EXPECT_THAT(DTypeFromProto(v1::DTYPE_UNSPECIFIED),
              StatusIs(kInvalid, HasSubstr("required")));
  for (int number : {-1, 16, 999}) {
    EXPECT_THAT(DTypeFromProto(static_cast<v1::DType>(number)),
                StatusIs(kInvalid, HasSubstr("not a dtype")));
  }
}

TEST(TensorCodecTest, ShapesGoRound) {
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 0, 4}}) {
    v1::Shape message = ShapeProto({9, 9});
    ShapeToProto(shape, &message);

    EXPECT_THAT(ShapeFromProto(message), IsOkAndHolds(shape));
  }
}

TEST(TensorCodecTest, WrongShapesAreErrors) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const v1::Shape& shape :
       {ShapeProto({-1}), ShapeProto({2, -7}), ShapeProto({kMax, 2}),
        ShapeProto({1, 1, 1, 1, 1, 1, 1, 1, 1})}) {
    EXPECT_THAT(ShapeFromProto(shape), StatusIs(kInvalid, HasSubstr("shape")));
  }
}

TEST(TensorCodecTest, MinusOneIsUnknownInAPartialShape) {
  ASSERT_OK_AND_ASSIGN(PartialShape shape,
                       PartialShapeFromProto(ShapeProto({-1, 2})));

  EXPECT_EQ(shape.ToTupleString(), "(?, 2)");
  EXPECT_THAT(PartialShapeFromProto(ShapeProto({-2})),
              StatusIs(kInvalid, HasSubstr("negative")));
}

TEST(TensorCodecTest, TensorsOfEveryDTypeGoRound) {
  for (DType dtype : kAllDTypes) {
    ASSERT_OK_AND_ASSIGN(auto tensor, Tensor::Create(dtype, {2, 3}));
    for (std::byte& byte : tensor->mutable_bytes()) byte = std::byte{1};
    v1::Tensor message;
    TensorToProto(*tensor, &message);

    ASSERT_OK_AND_ASSIGN(TensorRef back, TensorFromProto(message));

    EXPECT_THAT(back, TensorEq(tensor)) << DTypeName(dtype);
  }
}

TEST(TensorCodecTest, AnUnsetShapeIsAScalar) {
  v1::Tensor message;
  message.set_dtype(v1::DTYPE_INT8);
  message.set_data("\x05");

  ASSERT_OK_AND_ASSIGN(TensorRef tensor, TensorFromProto(message));

  EXPECT_THAT(tensor, TensorEq(Of<int8_t>({}, {5})));
}

TEST(TensorCodecTest, DataOfTheWrongSizeIsAnError) {
  v1::Tensor message;
  TensorToProto(*Of<float>({3}, {1, 2, 3}), &message);
  for (const std::string& data :
       {std::string(), std::string(11, 'x'), std::string(13, 'x')}) {
    message.set_data(data);

    EXPECT_THAT(TensorFromProto(message),
                StatusIs(kInvalid, HasSubstr("12 bytes")));
  }
}

TEST(TensorCodecTest, AHugeShapeWithLittleDataIsAnErrorBeforeAllocation) {
  v1::Tensor message;
  message.set_dtype(v1::DTYPE_COMPLEX128);
  message.mutable_shape()->add_dims(int64_t{1} << 62);

  EXPECT_THAT(TensorFromProto(message), StatusIs(kInvalid, HasSubstr("2^63")));
}

TEST(TensorCodecTest, ABoolIsZeroOrOne) {
  v1::Tensor message;
  TensorToProto(*Of<uint8_t>({2}, {1, 2}), &message);
  message.set_dtype(v1::DTYPE_BOOL);

  EXPECT_THAT(TensorFromProto(message),
              StatusIs(kInvalid, HasSubstr("neither 0 nor 1")));
}

TEST(TensorCodecTest, SlicesGoRound) {
  v1::Slice message;
  message.add_begin(7);

  SliceToProto({.begin = {0, 5}, .size = {-1, 2}}, &message);
  SliceSpec slice = SliceFromProto(message);

  EXPECT_THAT(slice.begin, ElementsAre(0, 5));
  EXPECT_THAT(slice.size, ElementsAre(-1, 2));
}

}  // namespace
}  // namespace varkeep
