// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_PROTO_TENSOR_CODEC_H_
#define VARKEEP_PROTO_TENSOR_CODEC_H_

#include <cstddef>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tensor/tensor.h"
#include "tensor/tensor_ops.h"
#include "varkeep/v1/tensor.pb.h"

namespace varkeep {

// Our value types as messages and back. A message comes from anyone: what it
// says is checked, and an error is INVALID_ARGUMENT.

// Unknown numbers and DTYPE_UNSPECIFIED are errors.
absl::StatusOr<DType> DTypeFromProto(v1::DType dtype);
v1::DType DTypeToProto(DType dtype);

absl::StatusOr<Shape> ShapeFromProto(const v1::Shape& shape);
// -1 is an unknown dimension. An unset Shape field is the caller's business: it
// means an unknown rank in some messages.
absl::StatusOr<PartialShape> PartialShapeFromProto(const v1::Shape& shape);
// Replaces what is in `out`.
void ShapeToProto(const Shape& shape, v1::Shape* out);

// A copy of the elements. An error when `data` has not exactly the bytes of the
// shape, or a bool is neither 0 nor 1; RESOURCE_EXHAUSTED when memory is short.
absl::StatusOr<TensorRef> TensorFromProto(const v1::Tensor& tensor);
// Replaces what is in `out`.
void TensorToProto(const Tensor& tensor, v1::Tensor* out);

// Not checked: SliceShape judges a slice against the shape it is taken from.
SliceSpec SliceFromProto(const v1::Slice& slice);
// Replaces what is in `out`.
void SliceToProto(const SliceSpec& slice, v1::Slice* out);

// INVALID_ARGUMENT when a bool of `bytes` is neither 0 nor 1; other dtypes are
// always OK.
absl::Status CheckElements(DType dtype, std::span<const std::byte> bytes);

}  // namespace varkeep

#endif  // VARKEEP_PROTO_TENSOR_CODEC_H_
