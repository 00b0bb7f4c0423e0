// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor_overlay.h"

#include <algorithm>
#include <cstring>

#include "base/status_macros.h"

namespace varkeep {
namespace {

int64_t PageOf(int64_t offset) { return offset / TensorOverlay::kPageBytes; }

// Of a page, for the last one may not be full.
int64_t BytesOfPage(const Tensor& base, int64_t page) {
  return std::min(TensorOverlay::kPageBytes,
                  base.size_bytes() - page * TensorOverlay::kPageBytes);
}

}  // namespace

TensorOverlay::TensorOverlay(const TensorOverlay& other)
    : memory_(other.memory_) {
  for (const auto& [number, bytes] : other.pages_) {
    auto page = std::make_unique_for_overwrite<std::byte[]>(kPageBytes);
    std::memcpy(page.get(), bytes.get(), kPageBytes);
    pages_.emplace_hint(pages_.end(), number, std::move(page));
  }
  *memory_ += size_bytes();
}

TensorOverlay::~TensorOverlay() { *memory_ -= size_bytes(); }

void TensorOverlay::Cover(const Tensor& base, int64_t offset, int64_t size) {
  if (size == 0) return;
  for (int64_t number = PageOf(offset); number <= PageOf(offset + size - 1);
       ++number) {
    std::unique_ptr<std::byte[]>& page = pages_[number];
    if (page != nullptr) continue;
    page = std::make_unique<std::byte[]>(kPageBytes);
    std::memcpy(page.get(), base.bytes().data() + number * kPageBytes,
                static_cast<size_t>(BytesOfPage(base, number)));
    *memory_ += kPageBytes;
  }
}

std::span<std::byte> TensorOverlay::Covered(int64_t offset, int64_t size) {
  const auto page = pages_.find(PageOf(offset));
  const int64_t within = offset % kPageBytes;
  return {page->second.get() + within,
          static_cast<size_t>(std::min(size, kPageBytes - within))};
}

std::span<const std::byte> TensorOverlay::Run(const Tensor& base,
                                              int64_t offset,
                                              int64_t size) const {
  const int64_t within = offset % kPageBytes;
  const auto page = pages_.lower_bound(PageOf(offset));
  if (page != pages_.end()) {
    if (page->first == PageOf(offset)) {
      return {page->second.get() + within,
              static_cast<size_t>(std::min(size, kPageBytes - within))};
    }
    size = std::min(size, page->first * kPageBytes - offset);
  }
  return base.bytes().subspan(static_cast<size_t>(offset),
                              static_cast<size_t>(size));
}

void TensorOverlay::ApplyTo(Tensor* target) const {
  for (const auto& [number, page] : pages_) {
    std::memcpy(target->mutable_bytes().data() + number * kPageBytes,
                page.get(), static_cast<size_t>(BytesOfPage(*target, number)));
  }
}

void TensorView::CopyTo(int64_t offset, int64_t size, std::byte* out) const {
  while (size > 0) {
    const std::span<const std::byte> run = Run(offset, size);
    std::memcpy(out, run.data(), run.size());
    out += run.size();
    offset += static_cast<int64_t>(run.size());
    size -= static_cast<int64_t>(run.size());
  }
}

absl::StatusOr<std::shared_ptr<Tensor>> TensorView::Copy(
    ThreadPool* pool) const {
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> copy,
                   Tensor::Create(dtype(), shape()));
  constexpr int64_t kChunk = 1 << 20;  // bytes a thread takes at a time
  const int64_t size = copy->size_bytes();
  std::byte* to = copy->mutable_bytes().data();
  auto copy_chunk = [&](int64_t chunk) {
    const int64_t begin = chunk * kChunk;
    CopyTo(begin, std::min(kChunk, size - begin), to + begin);
  };
  const int64_t chunks = (size + kChunk - 1) / kChunk;
  if (pool != nullptr && chunks > 1) {
    pool->ParallelFor(chunks, copy_chunk);
  } else {
    for (int64_t i = 0; i < chunks; ++i) copy_chunk(i);
  }
  return copy;
}

}  // namespace varkeep
