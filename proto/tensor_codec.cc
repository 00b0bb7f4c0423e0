// SPDX-License-Identifier: Apache-2.0
#include "proto/tensor_codec.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep {
namespace {

std::span<const int64_t> Dims(const v1::Shape& shape) {
  return {shape.dims().data(), static_cast<size_t>(shape.dims_size())};
}

}  // namespace

absl::StatusOr<DType> DTypeFromProto(v1::DType dtype) {
  for (DType known : kAllDTypes) {
    if (static_cast<int>(known) == static_cast<int>(dtype)) return known;
  }
  if (dtype == v1::DTYPE_UNSPECIFIED) {
    return absl::InvalidArgumentError("a dtype is required");
  }
  return absl::InvalidArgumentError(
      absl::StrCat(static_cast<int>(dtype), " is not a dtype"));
}

v1::DType DTypeToProto(DType dtype) {
  return static_cast<v1::DType>(static_cast<int>(dtype));
}

absl::StatusOr<Shape> ShapeFromProto(const v1::Shape& shape) {
  return Shape::Create(Dims(shape));
}

absl::StatusOr<PartialShape> PartialShapeFromProto(const v1::Shape& shape) {
  return PartialShape::Create(Dims(shape));
}

void ShapeToProto(const Shape& shape, v1::Shape* out) {
  out->mutable_dims()->Assign(shape.dims().begin(), shape.dims().end());
}

absl::StatusOr<TensorRef> TensorFromProto(const v1::Tensor& tensor) {
  ASSIGN_OR_RETURN(DType dtype, DTypeFromProto(tensor.dtype()));
  ASSIGN_OR_RETURN(Shape shape, ShapeFromProto(tensor.shape()));
  ASSIGN_OR_RETURN(int64_t size, SizeBytes(dtype, shape));
  if (static_cast<uint64_t>(size) != tensor.data().size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a tensor of dtype ", DTypeName(dtype), " and shape ", shape.ToString(),
        " has ", size, " bytes, the message has ", tensor.data().size()));
  }
  std::span<const std::byte> bytes =
      std::as_bytes(std::span(tensor.data().data(), tensor.data().size()));
  RETURN_IF_ERROR(CheckElements(dtype, bytes));
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> result,
                   Tensor::Create(dtype, shape));
  std::ranges::copy(bytes, result->mutable_bytes().begin());
  return TensorRef(std::move(result));
}

void TensorToProto(const Tensor& tensor, v1::Tensor* out) {
  out->set_dtype(DTypeToProto(tensor.dtype()));
  ShapeToProto(tensor.shape(), out->mutable_shape());
  out->set_data(tensor.bytes().data(), tensor.bytes().size());
}

SliceSpec SliceFromProto(const v1::Slice& slice) {
  return {.begin = {slice.begin().begin(), slice.begin().end()},
          .size = {slice.size().begin(), slice.size().end()}};
}

void SliceToProto(const SliceSpec& slice, v1::Slice* out) {
  out->mutable_begin()->Assign(slice.begin.begin(), slice.begin.end());
  out->mutable_size()->Assign(slice.size.begin(), slice.size.end());
}

absl::Status CheckElements(DType dtype, std::span<const std::byte> bytes) {
  if (dtype != DType::kBool) return absl::OkStatus();
  bool ok = std::ranges::all_of(
      bytes, [](std::byte byte) { return byte <= std::byte{1}; });
  if (ok) return absl::OkStatus();
  return absl::InvalidArgumentError("an element of a bool is neither 0 nor 1");
}

}  // namespace varkeep
