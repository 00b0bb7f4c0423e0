// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_MEMORY_CHECKPOINT_STORE_H_
#define VARKEEP_STORAGE_MEMORY_CHECKPOINT_STORE_H_

#include <map>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "storage/checkpoint_store.h"

namespace varkeep::storage {

// Keeps checkpoints in memory, values shared with whoever gave them. For tests
// and for servers that need not remember anything.
class MemoryCheckpointStore final : public CheckpointStore {
 public:
  // `clock` is borrowed.
  explicit MemoryCheckpointStore(Clock* clock) : clock_(clock) {}

  absl::StatusOr<CheckpointInfo> Write(
      CheckpointContents contents, const CheckpointProgress& progress) override;
  absl::StatusOr<std::vector<CheckpointInfo>> List() override;
  absl::StatusOr<std::unique_ptr<CheckpointReader>> Open(
      CheckpointId id) override;
  absl::StatusOr<VerifyReport> Verify(CheckpointId id,
                                      const VerifyProgress& progress) override;
  absl::Status Remove(CheckpointId id) override;

 private:
  struct Stored {
    CheckpointInfo info;
    std::shared_ptr<const CheckpointContents> contents;
  };
  class Reader;

  Clock* const clock_;
  Mutex mutex_;
  CheckpointId last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<CheckpointId, Stored> checkpoints_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_MEMORY_CHECKPOINT_STORE_H_
