// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "tensor/buffer_pool.h"

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

// Its bytes inside: one allocation in all.
template <size_t kCapacity>
class Tensor::Small final : public Tensor {
 public:
  Small(DType dtype, const Shape& shape, size_t size)
      : Tensor(dtype, shape, {memory_, size}) {}

 private:
  alignas(std::min(kCapacity,
                   alignof(std::max_align_t))) std::byte memory_[kCapacity];
};

class Tensor::Large final : public Tensor {
 public:
  Large(DType dtype, const Shape& shape, Buffer buffer)
      : Tensor(dtype, shape, buffer.bytes()), buffer_(std::move(buffer)) {}

 private:
  const Buffer buffer_;
};

class Tensor::Shared final : public Tensor {
 public:
  Shared(TensorRef whole, const Shape& shape, std::span<std::byte> bytes)
      : Tensor(whole->dtype(), shape, bytes), whole_(std::move(whole)) {}

 private:
  const TensorRef whole_;
};

TensorRef Tensor::Part(TensorRef whole, int64_t first, const Shape& shape) {
  const int64_t item = ItemSize(whole->dtype());
  const std::span<std::byte> bytes =
      whole->bytes_.subspan(static_cast<size_t>(first * item),
                            static_cast<size_t>(shape.num_elements() * item));
  return std::make_shared<const Shared>(std::move(whole), shape, bytes);
}

absl::StatusOr<std::shared_ptr<Tensor>> Tensor::Create(DType dtype,
                                                       const Shape& shape) {
  ASSIGN_OR_RETURN(const int64_t bytes, SizeBytes(dtype, shape));
  const auto size = static_cast<size_t>(bytes);
  if (size <= 8) return std::make_shared<Small<8>>(dtype, shape, size);
  if (size <= 16) return std::make_shared<Small<16>>(dtype, shape, size);
  if (size <= 32) return std::make_shared<Small<32>>(dtype, shape, size);
  if (size <= 64) return std::make_shared<Small<64>>(dtype, shape, size);
  if (size <= 128) return std::make_shared<Small<128>>(dtype, shape, size);
  ASSIGN_OR_RETURN(Buffer buffer, BufferPool::Default()->Allocate(bytes));
  return std::make_shared<Large>(dtype, shape, std::move(buffer));
}

}  // namespace varkeep
