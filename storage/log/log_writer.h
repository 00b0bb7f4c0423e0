// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_LOG_WRITER_H_
#define VARKEEP_STORAGE_LOG_LOG_WRITER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "storage/log/log.h"
#include "storage/log/log_record.h"
#include "storage/log/log_recovery.h"
#include "storage/log/log_syncer.h"
#include "storage/log/segment_draft.h"
#include "storage/log/segment_preparer.h"
#include "storage/log/segment_writer.h"

namespace varkeep::storage {

// The log after recovery.
class LogWriter final : public Log {
 public:
  // `file_system` is borrowed.
  LogWriter(FileSystem* file_system, const LogOptions& options,
            Recovery recovery);
  ~LogWriter() override;

  // Begins the first segment; then what recovery found void is removed. False
  // when the disk is full: the first Append tries again. Once, before all else.
  absl::StatusOr<bool> Start();

  absl::StatusOr<Durability> Append(
      const LogEntry& entry, Durability wanted,
      absl::FunctionRef<void(uint64_t)> publish) override;
  std::unique_ptr<LogDraft> Draft(LogEntry entry) override;
  absl::Status Sync() override;
  absl::Status Restart() override;
  absl::Status DropThrough(uint64_t revision) override;
  State state() const override;

 private:
  struct Request;
  using Batch = std::vector<Request*>;

  // A request at the front of the queue has the writing to itself.
  void WaitForTurn(Request* request);
  void EndTurn(const Batch& batch);

  // The rest is only for whoever has the turn.
  void AwaitFollowers();
  Batch TakeBatch(Request* leader);
  absl::Status WriteBatch(const Batch& batch, bool sync);
  void Commit(const Batch& batch);
  void PrepareNext();
  absl::Status WriteRecords(const Batch& batch, bool sync);
  absl::Status Adopt(SegmentDraft* draft, bool sync);
  absl::Status MakeRoom(int64_t bytes);
  absl::Status BeginSegment(int64_t bytes, uint64_t synced, bool* uncertain);
  using MakeSegment =
      absl::FunctionRef<absl::StatusOr<std::unique_ptr<SegmentWriter>>(
          const log_format::SegmentHeader&)>;
  absl::Status BeginSegment(uint64_t synced, MakeSegment make);
  std::string NewDraftPath();
  int64_t RoomForNext() const;
  log_format::SegmentHeader NextHeader() const;
  void Leave();

  void SyncInBackground();
  uint64_t PublishedRevision() const;

  FileSystem* const file_system_;
  const LogOptions options_;
  LogSyncer syncer_;

  // Of whoever has the turn.
  std::mt19937_64 random_{std::random_device()()};
  std::unique_ptr<SegmentWriter> segment_;  // null: the next Append begins one
  SegmentPosition committed_;       // of segment_: behind what was published
  log_format::SegmentHeader next_;  // of the segment to begin without one
  uint64_t next_number_;
  bool next_prepared_ = false;  // its file was asked for
  std::vector<std::string> void_files_;
  size_t last_group_ = 0;

  std::atomic<uint64_t> drafts_ = 0;  // begun so far
  SegmentPreparer preparer_;          // of whoever has the turn

  Mutex drop_mutex_;  // one DropThrough at a time

  mutable Mutex mutex_;
  std::deque<Request*> queue_ ABSL_GUARDED_BY(mutex_);
  uint64_t published_ ABSL_GUARDED_BY(mutex_);
  int64_t appended_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // Oldest first; the last may be segment_.
  std::vector<SegmentInfo> segments_ ABSL_GUARDED_BY(mutex_);
  // When what was appended for kInterval and is not synced is to be.
  std::optional<absl::Time> sync_at_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Notified when sync_at_ or stopping_ is set; the background thread waits.
  CondVar background_wakes_;
  std::thread background_ ABSL_GUARDED_BY(mutex_);  // once it is needed
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_LOG_WRITER_H_
