// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_TENSOR_H_
#define VARKEEP_TENSOR_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace varkeep {

// A dense array of numbers: row-major, little-endian. Those of up to 128 bytes
// are one block of memory, aligned as their elements need; the bytes of larger
// ones are at least 64-byte aligned, those of a part as they lie. Whoever holds
// it alone may fill it; once shared as a TensorRef it does not change. Copying
// is not offered. Reading is thread-safe.
class Tensor {
 public:
  // Contents undefined. INVALID_ARGUMENT when the size in bytes overflows,
  // RESOURCE_EXHAUSTED when memory is short.
  static absl::StatusOr<std::shared_ptr<Tensor>> Create(DType dtype,
                                                        const Shape& shape);

  // `shape` elements of `whole` in a row from element `first` on, which keep it
  // alive; nothing is copied. REQUIRES: it has them.
  static std::shared_ptr<const Tensor> Part(std::shared_ptr<const Tensor> whole,
                                            int64_t first, const Shape& shape);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t num_elements() const { return shape_.num_elements(); }
  int64_t size_bytes() const { return static_cast<int64_t>(bytes_.size()); }

  std::span<const std::byte> bytes() const { return bytes_; }
  std::span<std::byte> mutable_bytes() { return bytes_; }

  // The elements as C++ values. REQUIRES: T is the type of dtype().
  template <typename T>
  std::span<const T> values() const {
    if (dtype_ != DTypeOf<T>()) std::abort();
    return {reinterpret_cast<const T*>(bytes().data()),
            static_cast<size_t>(num_elements())};
  }
  template <typename T>
  std::span<T> mutable_values() {
    if (dtype_ != DTypeOf<T>()) std::abort();
    return {reinterpret_cast<T*>(mutable_bytes().data()),
            static_cast<size_t>(num_elements())};
  }

  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;

 private:
  // What is made by Create: a tensor and the memory of its bytes.
  template <size_t kCapacity>
  class Small;
  class Large;
  class Shared;
  friend class TensorSlab;

  Tensor(DType dtype, const Shape& shape, std::span<std::byte> bytes)
      : shape_(shape), bytes_(bytes), dtype_(dtype) {}
  ~Tensor() = default;

  const Shape shape_;
  const std::span<std::byte> bytes_;
  const DType dtype_;
};

// An immutable value that many may hold.
using TensorRef = std::shared_ptr<const Tensor>;

// The bytes a tensor of this dtype and shape has. INVALID_ARGUMENT when that is
// 2^63 or more.
absl::StatusOr<int64_t> SizeBytes(DType dtype, const Shape& shape);

// A tensor of the given elements, row-major. INVALID_ARGUMENT when their number
// is not that of `shape`.
template <typename T>
absl::StatusOr<std::shared_ptr<Tensor>> MakeTensor(
    const Shape& shape, std::span<const T> elements) {
  if (static_cast<int64_t>(elements.size()) != shape.num_elements()) {
    return absl::InvalidArgumentError("number of elements and shape differ");
  }
  absl::StatusOr<std::shared_ptr<Tensor>> tensor =
      Tensor::Create(DTypeOf<T>(), shape);
  if (!tensor.ok()) return tensor;
  std::span<T> out = (*tensor)->template mutable_values<T>();
  for (size_t i = 0; i < elements.size(); ++i) out[i] = elements[i];
  return tensor;
}

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_TENSOR_H_
