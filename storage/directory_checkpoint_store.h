// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_DIRECTORY_CHECKPOINT_STORE_H_
#define VARKEEP_STORAGE_DIRECTORY_CHECKPOINT_STORE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "storage/checkpoint_directory.h"
#include "storage/checkpoint_sharing.h"
#include "storage/checkpoint_store.h"
#include "storage/file_system.h"
#include "storage/manifest.h"

namespace varkeep::storage {

// Checkpoints as HDF5 files in one directory (docs/checkpoint_format.md). Holds
// the directory's lock as long as it lives.
class DirectoryCheckpointStore final : public CheckpointStore {
 public:
  // Makes the directory when needed and puts it in order after a crash.
  // FAILED_PRECONDITION when another program uses it or when it was written by
  // a later version. `file_system` and `clock` are borrowed. `sharing`: large
  // values that did not change since that checkpoint are not written again but
  // referred to.
  static absl::StatusOr<std::unique_ptr<DirectoryCheckpointStore>> Open(
      FileSystem* file_system, const std::string& directory, Clock* clock,
      Sharing sharing = Sharing::kWithSpare);

  absl::StatusOr<CheckpointInfo> Write(
      CheckpointContents contents, const CheckpointProgress& progress) override;
  absl::StatusOr<std::vector<CheckpointInfo>> List() override;
  absl::StatusOr<std::unique_ptr<CheckpointReader>> Open(
      CheckpointId id) override;
  absl::StatusOr<VerifyReport> Verify(CheckpointId id,
                                      const VerifyProgress& progress) override;
  absl::Status Remove(CheckpointId id) override;

  // What opening found and did, for a person to read; nothing after an orderly
  // end.
  const std::vector<std::string>& notices() const { return notices_; }

 private:
  class Suspects;
  class Reader;

  DirectoryCheckpointStore(CheckpointDirectory directory, Clock* clock,
                           Sharing sharing, std::unique_ptr<FileLock> lock,
                           Manifest manifest, std::vector<std::string> notices);

  Manifest manifest() const;
  // Which values need not be written, by path.
  std::map<std::string, CheckpointId> PlanFor(
      const CheckpointContents& contents);
  // What is known of the values that the checkpoint has in files of `holders`;
  // read from it when it was not written here.
  const KnownValues& KnownOf(const CheckpointInfo& info,
                             const HolderBytes& holders);
  // Nothing when the checkpoint is damaged.
  KnownValues ReadKnown(const CheckpointInfo& info,
                        const HolderBytes& holders) const;
  absl::StatusOr<CheckpointInfo> Find(CheckpointId id) const;
  // Makes a written file a checkpoint.
  absl::Status Publish(const std::string& temporary,
                       const CheckpointInfo& info);
  // Replaces the manifest on the disk and here. After an error the old one
  // counts; `*restored` tells whether it is surely the one on the disk.
  absl::Status Replace(Manifest manifest, bool* restored);

  // Constant after construction.
  const CheckpointDirectory directory_;
  Clock* const clock_;
  const Sharing sharing_;
  const std::unique_ptr<FileLock> lock_;
  const std::vector<std::string> notices_;
  const std::shared_ptr<Suspects> suspects_;

  // Used by the one Write or Remove that runs: the last id that a file may have
  // had, also after an error.
  CheckpointId last_id_;
  // The same: values of the last two checkpoints written, and of those that
  // were read since.
  std::map<CheckpointId, KnownValues> known_;

  mutable Mutex mutex_;
  Manifest manifest_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_DIRECTORY_CHECKPOINT_STORE_H_
