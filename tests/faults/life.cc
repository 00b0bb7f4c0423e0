// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/life.h"

#include <future>

#include "base/status_macros.h"
#include "server/durability/run_marker.h"

namespace varkeep {

absl::StatusOr<std::unique_ptr<Life>> Life::Begin(storage::FileSystem* disk,
                                                  const LifeOptions& options) {
  std::unique_ptr<Life> life(new Life());
  ASSIGN_OR_RETURN(life->checkpoints_, storage::DirectoryCheckpointStore::Open(
                                           disk, "/data", &life->clock_));
  RecoveryOptions recovery;
  recovery.log.directory = "/data/log";
  recovery.log.segment_bytes = options.segment_bytes;
  recovery.log.max_segment_bytes = options.segment_bytes;
  recovery.log.prepare_in_background = false;
  recovery.log.sync_interval = absl::Milliseconds(1);
  RunMarker marker(disk, "/data", options.boot_id);
  ASSIGN_OR_RETURN(RunMarker::Begun before, marker.Find());
  recovery.after_power_cut = before.after_power_cut;
  ASSIGN_OR_RETURN(life->recovered_, Recover(life->checkpoints_.get(), disk,
                                             recovery, &life->store_));
  RETURN_IF_ERROR(marker.Begin(life->recovered_.replayed.begun));
  storage::Log* log = life->recovered_.log.get();
  life->committer_ =
      std::make_unique<Committer>(&life->store_, options.durability);
  life->committer_->SetLog(log);
  life->checkpointer_ = std::make_unique<Checkpointer>(
      &life->store_, life->committer_.get(), life->checkpoints_.get(), log,
      &life->clock_, options.checkpointing);
  return life;
}

// The error is copied: the distribution's absl counts its holders where the
// thread sanitizer does not look.
absl::Status Life::Save() {
  std::promise<absl::Status> saved;
  checkpointer_->Save(
      nullptr, [&](absl::StatusOr<storage::CheckpointInfo> info) {
        saved.set_value(
            absl::Status(info.status().code(), info.status().message()));
      });
  return saved.get_future().get();
}

void Life::LeaveDisk() {
  checkpointer_.reset();
  committer_.reset();
  recovered_.log.reset();
  checkpoints_.reset();
}

}  // namespace varkeep
