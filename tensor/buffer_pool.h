// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_BUFFER_POOL_H_
#define VARKEEP_TENSOR_BUFFER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "absl/status/statusor.h"
#include "base/mutex.h"

namespace varkeep {

class Buffer;

// Memory for tensors. A block of 2 MiB and more is mapped on its own, aligned
// to 2 MiB, with huge pages asked for, and kept for reuse when freed: filling
// fresh memory costs up to twenty times what filling reused memory does.
// Smaller blocks come from malloc. Thread-safe.
class BufferPool {
 public:
  // Freed blocks are kept up to `idle_limit_bytes` in all, the last one rather
  // than others; the rest goes back to the system.
  explicit BufferPool(int64_t idle_limit_bytes);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // The pool of this process; keeps up to 1 GiB; lives for ever.
  static BufferPool* Default();

  // At least 64-byte aligned; the contents are undefined. RESOURCE_EXHAUSTED
  // when the system gives no memory. REQUIRES: size >= 0.
  absl::StatusOr<Buffer> Allocate(int64_t size);

  struct Usage {
    int64_t in_use_bytes = 0;  // handed out, large blocks only
    int64_t idle_bytes = 0;    // kept for reuse
  };
  Usage usage() const;

  // Gives idle blocks back to the system.
  void Trim();

 private:
  friend class Buffer;
  void Free(std::byte* data, int64_t capacity);
  std::byte* TakeIdle(int64_t capacity, int64_t* actual);

  const int64_t idle_limit_bytes_;
  mutable Mutex mutex_;
  std::multimap<int64_t, std::byte*> idle_ ABSL_GUARDED_BY(mutex_);
  Usage usage_ ABSL_GUARDED_BY(mutex_);
};

// A block of memory that goes back to its pool. Move-only.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { *this = static_cast<Buffer&&>(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  std::span<std::byte> bytes() { return {data_, static_cast<size_t>(size_)}; }
  std::span<const std::byte> bytes() const {
    return {data_, static_cast<size_t>(size_)};
  }

 private:
  friend class BufferPool;
  BufferPool* pool_ = nullptr;  // null: from malloc
  std::byte* data_ = nullptr;
  int64_t size_ = 0;
  int64_t capacity_ = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_BUFFER_POOL_H_
