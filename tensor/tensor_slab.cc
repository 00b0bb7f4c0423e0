// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor_slab.h"

#include <array>
#include <cstddef>
#include <new>

#include "base/status_macros.h"

namespace varkeep {
namespace {

constexpr int64_t kLargest = 128;
constexpr size_t kBlockBytes = size_t{8} << 10;
constexpr size_t kAlign = alignof(std::max_align_t);

constexpr size_t Aligned(size_t bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

}  // namespace

class TensorSlab::Block {
 public:
  Block() = default;
  ~Block() {
    for (size_t i = 0; i < count_; ++i) tensors_[i]->~Tensor();
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Null when it is full.
  Tensor* Add(DType dtype, const Shape& shape, size_t bytes) {
    const size_t room = Aligned(sizeof(Tensor)) + Aligned(bytes);
    if (used_ + room > memory_.size()) return nullptr;
    std::byte* const at = memory_.data() + used_;
    used_ += room;
    return tensors_[count_++] = new (at)
               Tensor(dtype, shape, {at + Aligned(sizeof(Tensor)), bytes});
  }

 private:
  alignas(kAlign) std::array<std::byte, kBlockBytes> memory_;
  size_t used_ = 0;
  std::array<Tensor*, kBlockBytes / Aligned(sizeof(Tensor))> tensors_;
  size_t count_ = 0;
};

absl::StatusOr<std::shared_ptr<Tensor>> TensorSlab::Create(DType dtype,
                                                           const Shape& shape) {
  ASSIGN_OR_RETURN(const int64_t bytes, SizeBytes(dtype, shape));
  if (bytes > kLargest) return Tensor::Create(dtype, shape);
  const auto size = static_cast<size_t>(bytes);
  Tensor* tensor =
      block_ == nullptr ? nullptr : block_->Add(dtype, shape, size);
  if (tensor == nullptr) {
    block_ = std::make_shared<Block>();
    tensor = block_->Add(dtype, shape, size);
  }
  return std::shared_ptr<Tensor>(block_, tensor);
}

}  // namespace varkeep
