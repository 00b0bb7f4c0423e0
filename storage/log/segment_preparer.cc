// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_preparer.h"

#include <array>
#include <functional>
#include <utility>

#include "base/status_macros.h"

namespace varkeep::storage {

SegmentPreparer::SegmentPreparer(FileSystem* file_system,
                                 const std::string& directory,
                                 bool in_background)
    : file_system_(file_system), directory_(directory) {
  if (in_background) thread_.emplace(1);
}

SegmentPreparer::~SegmentPreparer() {
  thread_.reset();
  MutexLock lock(&mutex_);
  if (ready_) SegmentWriter::Discard(file_system_, *std::move(ready_));
}

void SegmentPreparer::Prepare(const std::string& path, int64_t bytes) {
  {
    MutexLock lock(&mutex_);
    if (preparing_ || ready_) return;
    preparing_ = true;
  }
  Do([this, path, bytes] {
    absl::StatusOr<EmptySegment> made = Make(path, bytes);
    MutexLock lock(&mutex_);
    if (made.ok()) ready_ = *std::move(made);
    preparing_ = false;
    prepared_.NotifyAll();
  });
}

absl::StatusOr<EmptySegment> SegmentPreparer::Make(const std::string& path,
                                                   int64_t bytes) const {
  ASSIGN_OR_RETURN(EmptySegment empty,
                   SegmentWriter::Prepare(file_system_, directory_, path, bytes,
                                          /*least=*/0));
  // Size and place of the header are on the disk then, so that the sync that
  // an append waits for has nothing but its bytes to store.
  static constexpr std::array<std::byte, log_format::kFirstRecord> kZeros = {};
  absl::Status synced = empty.file->WriteAt(0, kZeros);
  if (synced.ok()) synced = empty.file->Sync();
  if (synced.ok()) return empty;
  SegmentWriter::Discard(file_system_, std::move(empty));
  return synced;
}

std::optional<EmptySegment> SegmentPreparer::Take(int64_t least) {
  std::optional<EmptySegment> taken;
  {
    MutexLock lock(&mutex_);
    while (preparing_) prepared_.Wait(&mutex_);
    taken.swap(ready_);
  }
  if (taken && taken->room < log_format::kFirstRecord + least) {
    SegmentWriter::Discard(file_system_, *std::move(taken));
    taken.reset();
  }
  return taken;
}

void SegmentPreparer::Retire(std::unique_ptr<SegmentWriter> segment,
                             const SegmentPosition& end) {
  // What is scheduled can be copied.
  std::shared_ptr<SegmentWriter> retired = std::move(segment);
  Do([retired, end] { retired->TrimTo(end); });
}

void SegmentPreparer::Do(std::function<void()> work) {
  if (thread_) {
    thread_->Schedule(std::move(work));
  } else {
    work();
  }
}

}  // namespace varkeep::storage
