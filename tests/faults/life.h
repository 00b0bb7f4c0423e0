// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_FAULTS_LIFE_H_
#define VARKEEP_TESTS_FAULTS_LIFE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/thread_pool.h"
#include "server/durability/checkpointer.h"
#include "server/durability/committer.h"
#include "server/durability/recovery.h"
#include "server/variables/variable_store.h"
#include "storage/directory_checkpoint_store.h"
#include "storage/file_system.h"
#include "tests/testing/fake_clock.h"

namespace varkeep {

struct LifeOptions {
  Durability durability = Durability::kFsync;
  std::string boot_id = "boot 1";    // another one after each power cut
  int64_t segment_bytes = 16 << 10;  // small: the log is cut by most saves
  Checkpointer::Options checkpointing;
};

// What a server is between its start and its end, without the network:
// recovery, store, log and checkpoints in /data of a disk. Destroying it is a
// kill: nothing is saved. Thread-safe.
class Life {
 public:
  // Errors are those of recovery. `disk` must live longer.
  static absl::StatusOr<std::unique_ptr<Life>> Begin(
      storage::FileSystem* disk, const LifeOptions& options = {});

  absl::StatusOr<Applied> Apply(const Mutation& mutation,
                                const Request& request = {}) {
    return committer_->Apply(mutation, request);
  }
  absl::Status Save();
  // Drops the log and the checkpoints from now on, so that the store can be
  // changed without a disk.
  void LeaveDisk();

  VariableStore& store() { return store_; }
  size_t checkpoints() const {
    auto listed = checkpoints_->List();
    return listed.ok() ? listed->size() : 0;
  }
  const Recovered& recovered() const { return recovered_; }
  storage::Log::State log_state() const { return recovered_.log->state(); }

 private:
  Life() = default;

  FakeClock clock_;
  ThreadPool pool_{1};
  VariableStore store_{StoreLimits(), &pool_};
  std::unique_ptr<storage::DirectoryCheckpointStore> checkpoints_;
  Recovered recovered_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<Checkpointer> checkpointer_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_FAULTS_LIFE_H_
