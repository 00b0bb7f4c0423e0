// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_TENSOR_OVERLAY_H_
#define VARKEEP_TENSOR_TENSOR_OVERLAY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "base/thread_pool.h"
#include "tensor/tensor.h"

namespace varkeep {

// Pages of a tensor that have other bytes than it: copy on write, for rows that
// change while somebody holds the tensor, who must find it as it was. Reading
// is thread-safe, and nobody reads while one thread changes it. A copy has
// pages of its own.
class TensorOverlay {
 public:
  static constexpr int64_t kPageBytes = 4096;

  // `memory` counts the bytes of this overlay and of its copies while they
  // live, and lives longer.
  explicit TensorOverlay(std::atomic<int64_t>* memory) : memory_(memory) {}
  TensorOverlay(const TensorOverlay& other);
  TensorOverlay& operator=(const TensorOverlay&) = delete;
  ~TensorOverlay();

  int64_t size_bytes() const {
    return static_cast<int64_t>(pages_.size()) * kPageBytes;
  }
  // What Cover adds for `size` bytes at the most.
  static int64_t PageBytesOf(int64_t size) {
    return ((size + kPageBytes - 1) / kPageBytes + 1) * kPageBytes;
  }

  // Takes over the pages of `base` that have bytes [offset, offset + size),
  // except those it has; what they say stays the same.
  void Cover(const Tensor& base, int64_t offset, int64_t size);
  // Bytes from `offset` on, to the end of the page or of `size`, to be changed.
  // REQUIRES: they are covered.
  std::span<std::byte> Covered(int64_t offset, int64_t size);

  // The first bytes of [offset, offset + size) that lie in one place: here or
  // in `base`. REQUIRES: size > 0, and the tensor has them.
  std::span<const std::byte> Run(const Tensor& base, int64_t offset,
                                 int64_t size) const;
  // Writes its pages into the tensor.
  void ApplyTo(Tensor* target) const;

 private:
  std::atomic<int64_t>* const memory_;
  absl::btree_map<int64_t, std::unique_ptr<std::byte[]>> pages_;  // by number
};

// A tensor with an overlay, if it has one. A value that refers to both.
class TensorView {
 public:
  // A tensor is a view of itself.
  TensorView(const Tensor& tensor,  // NOLINT(google-explicit-constructor)
             const TensorOverlay* overlay = nullptr)
      : tensor_(&tensor), overlay_(overlay) {}

  DType dtype() const { return tensor_->dtype(); }
  const Shape& shape() const { return tensor_->shape(); }

  // As TensorOverlay::Run.
  std::span<const std::byte> Run(int64_t offset, int64_t size) const {
    if (overlay_ != nullptr) return overlay_->Run(*tensor_, offset, size);
    return tensor_->bytes().subspan(static_cast<size_t>(offset),
                                    static_cast<size_t>(size));
  }
  void CopyTo(int64_t offset, int64_t size, std::byte* out) const;
  // A tensor of its own, copied on `pool` unless that is null.
  // RESOURCE_EXHAUSTED when memory is short.
  absl::StatusOr<std::shared_ptr<Tensor>> Copy(
      ThreadPool* pool = nullptr) const;

 private:
  const Tensor* tensor_;
  const TensorOverlay* overlay_;
};

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_TENSOR_OVERLAY_H_
