// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_LOG_SYNCER_H_
#define VARKEEP_STORAGE_LOG_LOG_SYNCER_H_

#include <cstdint>
#include <deque>
#include <memory>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "storage/file_system.h"

namespace varkeep::storage {

// Which files of the log are not on the disk yet, and up to which revision all
// is. Syncs them oldest first. Thread-safe.
//
// A sync that failed is never tried again: the second may claim success for
// what is lost. The first error is kept until Reset.
class LogSyncer {
 public:
  // Everything up to `synced` is on the disk.
  void Reset(uint64_t synced, std::shared_ptr<File> file);
  // What is written from now on goes to `file`.
  void Roll(std::shared_ptr<File> file);
  // Everything up to `revision` is written.
  void Written(uint64_t revision);
  // Everything up to `revision` that is written is on the disk afterwards.
  absl::Status SyncThrough(uint64_t revision);
  // As if a sync had failed. Keeps the first.
  void Break(const absl::Status& error);

  uint64_t synced() const;
  absl::Status error() const;
  // True when some file before the last is not on the disk.
  bool has_older() const;

 private:
  struct Unsynced {
    std::shared_ptr<File> file;
    uint64_t written = 0;  // last revision in it, or in one before
  };

  mutable Mutex mutex_;
  // Notified when a sync ends; others wait for it.
  CondVar sync_ended_;
  bool syncing_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Unsynced> files_ ABSL_GUARDED_BY(mutex_);
  uint64_t synced_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_LOG_SYNCER_H_
