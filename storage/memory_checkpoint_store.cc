// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_checkpoint_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/checkpoint_layout.h"

namespace varkeep::storage {
namespace {

absl::Status NotFound(CheckpointId id) {
  return absl::NotFoundError(absl::StrCat("there is no checkpoint ", id));
}

}  // namespace

class MemoryCheckpointStore::Reader final : public CheckpointReader {
 public:
  explicit Reader(std::shared_ptr<const CheckpointContents> stored)
      : stored_(std::move(stored)), index_(*stored_) {
    for (CheckpointEntry& entry : index_.entries) entry.value = nullptr;
  }

  const CheckpointContents& contents() const override { return index_; }
  bool HasValue(size_t index) const override {
    return stored_->entries[index].value != nullptr;
  }
  absl::StatusOr<TensorRef> Read(size_t index) override {
    return stored_->entries[index].value;
  }

 private:
  const std::shared_ptr<const CheckpointContents> stored_;
  CheckpointContents index_;
};

absl::StatusOr<CheckpointInfo> MemoryCheckpointStore::Write(
    CheckpointContents contents, const CheckpointProgress& progress) {
  RETURN_IF_ERROR(Validate(contents));
  Sort(&contents);
  CheckpointInfo info;
  info.revision = contents.revision;
  info.size_bytes = ValueBytes(contents);
  info.written_bytes = info.size_bytes;
  info.created = clock_->Now();
  info.entries = static_cast<int64_t>(contents.entries.size());
  int64_t done_bytes = 0;
  for (const CheckpointEntry& entry : contents.entries) {
    if (entry.value == nullptr) continue;
    done_bytes += entry.value->size_bytes();
    if (progress) progress(done_bytes, info.size_bytes);
  }
  auto kept = std::make_shared<const CheckpointContents>(std::move(contents));
  MutexLock lock(&mutex_);
  info.id = ++last_id_;
  info.file = CheckpointFileName(info.id);
  checkpoints_[info.id] = {info, std::move(kept)};
  return info;
}

absl::StatusOr<std::vector<CheckpointInfo>> MemoryCheckpointStore::List() {
  std::vector<CheckpointInfo> infos;
  MutexLock lock(&mutex_);
  for (const auto& [id, stored] : checkpoints_) infos.push_back(stored.info);
  return infos;
}

absl::StatusOr<std::unique_ptr<CheckpointReader>> MemoryCheckpointStore::Open(
    CheckpointId id) {
  MutexLock lock(&mutex_);
  auto it = checkpoints_.find(id);
  if (it == checkpoints_.end()) return NotFound(id);
  return std::make_unique<Reader>(it->second.contents);
}

// Memory is as it was written; progress is what a slow reader would see.
absl::StatusOr<VerifyReport> MemoryCheckpointStore::Verify(
    CheckpointId id, const VerifyProgress& progress) {
  ASSIGN_OR_RETURN(std::unique_ptr<CheckpointReader> reader, Open(id));
  const size_t entries = reader->contents().entries.size();
  VerifyReport report;
  int64_t all_bytes = 0;
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < entries; ++i) {
    if (!reader->HasValue(i)) continue;
    ASSIGN_OR_RETURN(TensorRef value, reader->Read(i));
    sizes.push_back(value->size_bytes());
    all_bytes += sizes.back();
  }
  for (int64_t size : sizes) {
    ++report.values;
    report.bytes += size;
    if (progress && !progress(report.bytes, all_bytes)) {
      return absl::CancelledError("verifying was given up");
    }
  }
  RETURN_IF_ERROR(Open(id).status());
  return report;
}

absl::Status MemoryCheckpointStore::Remove(CheckpointId id) {
  Stored removed;  // freed outside the lock
  MutexLock lock(&mutex_);
  auto it = checkpoints_.find(id);
  if (it == checkpoints_.end()) return NotFound(id);
  removed = std::move(it->second);
  checkpoints_.erase(it);
  return absl::OkStatus();
}

}  // namespace varkeep::storage
