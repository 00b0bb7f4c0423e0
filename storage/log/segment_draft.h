// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_SEGMENT_DRAFT_H_
#define VARKEEP_STORAGE_LOG_SEGMENT_DRAFT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "storage/file_system.h"
#include "storage/log/log.h"
#include "storage/log/log_record.h"

namespace varkeep::storage {

// A new file in place of what has this name: what an earlier program left.
absl::StatusOr<std::unique_ptr<File>> CreateTemporary(FileSystem* file_system,
                                                      const std::string& path);

// A segment with one record, written by a thread of its own while the record's
// tensor arrives. What depends on the record's place in the log is left out:
// the headers of segment and record.
class SegmentDraft final : public LogDraft {
 public:
  // `path`: the file to make. INVALID_ARGUMENT as EncodedRecord::Create.
  static absl::StatusOr<std::unique_ptr<SegmentDraft>> Create(
      FileSystem* file_system, const std::string& path, LogEntry entry);
  // Removes the file unless it was taken.
  ~SegmentDraft() override;

  void Extend(int64_t bytes) override;

  // Waits until everything is written. False when something could not be, or
  // is not there yet, or when this is the draft of another entry.
  bool Complete(const LogEntry& entry);

  // The rest needs a complete draft, and is for one thread.
  EncodedRecord* record() { return &record_; }
  const std::string& path() const { return path_; }
  // Writes what comes before the tensor. REQUIRES: the record was finished.
  absl::Status WriteBegin();
  std::unique_ptr<File> TakeFile() { return std::move(file_); }

 private:
  SegmentDraft(FileSystem* file_system, const std::string& path, LogEntry entry,
               EncodedRecord record);

  void Run();
  absl::Status WriteAll();
  absl::StatusOr<int64_t> WaitFor(int64_t bytes);

  FileSystem* const file_system_;
  const std::string path_;
  const LogEntry entry_;
  EncodedRecord record_;
  std::unique_ptr<File> file_;

  Mutex mutex_;
  int64_t available_ ABSL_GUARDED_BY(mutex_) = 0;  // bytes of the tensor
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status outcome_ ABSL_GUARDED_BY(mutex_);
  CondVar changed_;  // any of them
  std::thread thread_;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_SEGMENT_DRAFT_H_
