// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/value_stream.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace varkeep::storage::hdf5 {
namespace {

constexpr size_t kPage = 4096;  // what direct writing wants aligned
constexpr size_t kBlockBytes = 4 << 20;
// Values of this size are written from where they are.
constexpr size_t kLargeBytes = 1 << 20;
// Pieces that wait for the thread, besides the one that it writes.
constexpr size_t kMaxWaiting = 2;

bool IsAligned(const std::byte* data) {
  return reinterpret_cast<uintptr_t>(data) % kPage == 0;
}

}  // namespace

void ValueStream::Write(int64_t offset, TensorRef value) {
  const std::span<const std::byte> bytes = value->bytes();
  if (bytes.size() < kLargeBytes || !IsAligned(bytes.data())) {
    Gather(offset, bytes);
    return;
  }
  SubmitGathered(block_size_);
  Submit({offset, bytes, nullptr, std::move(value)});
}

void ValueStream::Gather(int64_t offset, std::span<const std::byte> bytes) {
  if (block_size_ > 0 &&
      offset != block_offset_ + static_cast<int64_t>(block_size_)) {
    SubmitGathered(block_size_);
  }
  while (!bytes.empty()) {
    if (block_ == nullptr) StartBlock(offset);
    const size_t used = block_begin_ + block_size_;
    const size_t count = std::min(bytes.size(), kBlockBytes - used);
    std::memcpy(block_.get() + used, bytes.data(), count);
    block_size_ += count;
    offset += static_cast<int64_t>(count);
    bytes = bytes.subspan(count);
    if (used + count == kBlockBytes) SubmitGathered(block_size_);
  }
}

// Memory and file are aligned alike, so that all but the first and the last
// page may go to the disk directly.
void ValueStream::StartBlock(int64_t offset) {
  block_ = TakeBlock();
  block_offset_ = offset;
  block_begin_ = static_cast<size_t>(offset) % kPage;
  block_size_ = 0;
}

void ValueStream::SubmitGathered(size_t size) {
  if (size == 0) return;
  const std::span<const std::byte> bytes(block_.get() + block_begin_, size);
  block_size_ = 0;
  Submit({block_offset_, bytes, std::move(block_), nullptr});
}

ValueStream::Block ValueStream::TakeBlock() {
  MutexLock lock(&mutex_);
  if (!free_blocks_.empty()) {
    Block block = std::move(free_blocks_.back());
    free_blocks_.pop_back();
    return block;
  }
  return Block(static_cast<std::byte*>(
      ::operator new(kBlockBytes, std::align_val_t(kPage))));
}

void ValueStream::BlockDeleter::operator()(std::byte* data) const {
  ::operator delete(data, std::align_val_t(kPage));
}

void ValueStream::Submit(Piece piece) {
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  MutexLock lock(&mutex_);
  while (pieces_.size() >= kMaxWaiting) changed_.Wait(&mutex_);
  pieces_.push_back(std::move(piece));
  changed_.NotifyAll();
}

void ValueStream::Run() {
  while (true) {
    Piece piece;
    {
      MutexLock lock(&mutex_);
      while (pieces_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (pieces_.empty()) return;
      piece = std::move(pieces_.front());
      pieces_.pop_front();
      changed_.NotifyAll();
    }
    WritePiece(std::move(piece));
  }
}

void ValueStream::WritePiece(Piece piece) {
  if (!status().ok()) return;
  absl::Status written = file_->WriteAt(piece.offset, piece.bytes);
  MutexLock lock(&mutex_);
  if (status_.ok()) status_ = std::move(written);
  if (piece.block != nullptr) free_blocks_.push_back(std::move(piece.block));
}

absl::Status ValueStream::status() const {
  MutexLock lock(&mutex_);
  return status_;
}

absl::Status ValueStream::Finish() {
  if (thread_.joinable()) {
    SubmitGathered(block_size_);
    Stop();
  } else if (block_size_ > 0) {  // too little to be worth a thread
    WritePiece({block_offset_,
                {block_.get() + block_begin_, block_size_},
                nullptr,
                nullptr});
    block_size_ = 0;
  }
  return status();
}

void ValueStream::Stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

}  // namespace varkeep::storage::hdf5
