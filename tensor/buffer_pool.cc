// SPDX-License-Identifier: Apache-2.0
#include "tensor/buffer_pool.h"

#include <sys/mman.h>

#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varkeep {
namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int64_t kAlignment = 64;

int64_t RoundUp(int64_t size, int64_t multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

absl::Status OutOfMemory(int64_t size) {
  return absl::ResourceExhaustedError(
      absl::StrCat("out of memory: cannot allocate ", size, " bytes"));
}

// Maps `capacity` bytes on a huge-page boundary: maps one page more than is
// needed and returns what lies outside. Null when there is no memory.
std::byte* MapAligned(int64_t capacity) {
  const auto wanted = static_cast<size_t>(capacity);
  const auto page = static_cast<size_t>(kHugePage);
  void* mapped = mmap(nullptr, wanted + page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* start = static_cast<std::byte*>(mapped);
  const size_t lead = (page - reinterpret_cast<uintptr_t>(start) % page) % page;
  if (lead > 0) munmap(start, lead);
  if (lead < page) munmap(start + lead + wanted, page - lead);
  // Advice only: without huge pages everything still works.
  (void)madvise(start + lead, wanted, MADV_HUGEPAGE);
  return start + lead;
}

}  // namespace

BufferPool::BufferPool(int64_t idle_limit_bytes)
    : idle_limit_bytes_(idle_limit_bytes) {}

BufferPool::~BufferPool() { Trim(); }

BufferPool* BufferPool::Default() {
  static auto* const pool = new BufferPool(int64_t{1} << 30);
  return pool;
}

absl::StatusOr<Buffer> BufferPool::Allocate(int64_t size) {
  if (size > std::numeric_limits<int64_t>::max() - 2 * kHugePage) {
    return OutOfMemory(size);
  }
  Buffer buffer;
  buffer.size_ = size;
  if (size < kHugePage) {
    buffer.capacity_ = RoundUp(size > 0 ? size : 1, kAlignment);
    buffer.data_ = static_cast<std::byte*>(
        std::aligned_alloc(static_cast<size_t>(kAlignment),
                           static_cast<size_t>(buffer.capacity_)));
    if (buffer.data_ == nullptr) return OutOfMemory(size);
    return buffer;
  }
  buffer.capacity_ = RoundUp(size, kHugePage);
  buffer.data_ = TakeIdle(buffer.capacity_, &buffer.capacity_);
  if (buffer.data_ == nullptr) buffer.data_ = MapAligned(buffer.capacity_);
  if (buffer.data_ == nullptr) {
    Trim();
    buffer.data_ = MapAligned(buffer.capacity_);
  }
  if (buffer.data_ == nullptr) return OutOfMemory(size);
  buffer.pool_ = this;
  MutexLock lock(&mutex_);
  usage_.in_use_bytes += buffer.capacity_;
  return buffer;
}

// The smallest idle block that fits without wasting more than an eighth; its
// capacity goes to *actual. Null when there is none.
std::byte* BufferPool::TakeIdle(int64_t capacity, int64_t* actual) {
  MutexLock lock(&mutex_);
  auto found = idle_.lower_bound(capacity);
  if (found == idle_.end() || found->first > capacity + capacity / 8) {
    return nullptr;
  }
  std::byte* data = found->second;
  *actual = found->first;
  usage_.idle_bytes -= found->first;
  idle_.erase(found);
  return data;
}

void BufferPool::Free(std::byte* data, int64_t capacity) {
  std::vector<std::pair<int64_t, std::byte*>> dropped;
  {
    MutexLock lock(&mutex_);
    usage_.in_use_bytes -= capacity;
    if (capacity > idle_limit_bytes_) {
      dropped.emplace_back(capacity, data);
    } else {
      usage_.idle_bytes += capacity;
      // What was used last is wanted next. Small ones are dropped first: large
      // ones are dearer to make.
      while (usage_.idle_bytes > idle_limit_bytes_) {
        const auto smallest = idle_.begin();
        usage_.idle_bytes -= smallest->first;
        dropped.push_back(*smallest);
        idle_.erase(smallest);
      }
      idle_.emplace(capacity, data);
    }
  }
  for (auto [size, memory] : dropped) munmap(memory, static_cast<size_t>(size));
}

BufferPool::Usage BufferPool::usage() const {
  MutexLock lock(&mutex_);
  return usage_;
}

void BufferPool::Trim() {
  std::multimap<int64_t, std::byte*> blocks;
  {
    MutexLock lock(&mutex_);
    blocks.swap(idle_);
    usage_.idle_bytes = 0;
  }
  for (auto [capacity, data] : blocks) {
    munmap(data, static_cast<size_t>(capacity));
  }
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

Buffer::~Buffer() {
  if (pool_ != nullptr) {
    pool_->Free(data_, capacity_);
  } else {
    std::free(data_);
  }
}

}  // namespace varkeep
