// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/life.h"

#include "base/status_macros.h"

namespace varkeep {

absl::StatusOr<std::unique_ptr<Life>> Life::Begin(storage::FileSystem* disk,
                                                  const LifeOptions& options) {
  std::unique_ptr<Life> life(new Life());
  ASSIGN_OR_RETURN(life->checkpoints_, storage::DirectoryCheckpointStore::Open(
                                           disk, "/data", &life->clock_));
  RecoveryOptions recovery;
  recovery.log.directory = "/data/log";
  recovery.log.segment_bytes = options.segment_bytes;
  recovery.log.sync_interval = absl::Milliseconds(1);
  recovery.after_power_cut = options.after_power_cut;
  ASSIGN_OR_RETURN(life->recovered_, Recover(life->checkpoints_.get(), disk,
                                             recovery, &life->store_));
  storage::Log* log = life->recovered_.log.get();
  life->committer_ =
      std::make_unique<Committer>(&life->store_, options.durability);
  life->committer_->SetLog(log);
  life->checkpointer_ = std::make_unique<Checkpointer>(
      &life->store_, life->committer_.get(), life->checkpoints_.get(), log,
      &life->clock_, options.checkpointing);
  return life;
}

void Life::LeaveDisk() {
  checkpointer_.reset();
  committer_.reset();
  recovered_.log.reset();
  checkpoints_.reset();
}

}  // namespace varkeep
