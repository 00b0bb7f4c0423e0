// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor.h"

#include <bit>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep {

static_assert(std::endian::native == std::endian::little,
              "tensors are little-endian in memory, on the wire and on disk");

absl::StatusOr<int64_t> SizeBytes(DType dtype, const Shape& shape) {
  int64_t size = 0;
  if (__builtin_mul_overflow(shape.num_elements(), ItemSize(dtype), &size)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a tensor of shape ", shape.ToString(), " and dtype ",
                     DTypeName(dtype), " has more than 2^63 - 1 bytes"));
  }
  return size;
}

Tensor::Tensor(DType dtype, const Shape& shape, Buffer buffer)
    : dtype_(dtype), shape_(shape), buffer_(std::move(buffer)) {}

absl::StatusOr<std::shared_ptr<Tensor>> Tensor::Create(DType dtype,
                                                       const Shape& shape) {
  ASSIGN_OR_RETURN(int64_t size, SizeBytes(dtype, shape));
  ASSIGN_OR_RETURN(Buffer buffer, BufferPool::Default()->Allocate(size));
  return std::make_shared<Tensor>(dtype, shape, std::move(buffer));
}

}  // namespace varkeep
