// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_DIRECTORY_H_
#define VARKEEP_STORAGE_CHECKPOINT_DIRECTORY_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/checkpoint.h"
#include "storage/checkpoint_store.h"
#include "storage/file_system.h"
#include "storage/manifest.h"

namespace varkeep::storage {

class CheckpointFile;
class CheckpointFilesReader;
struct Holder;
struct SharedEntries;

// The single steps on a directory of checkpoints, of which the store and its
// recovery are made. Thread-safe as far as the file system is.
class CheckpointDirectory {
 public:
  // `file_system` is borrowed.
  CheckpointDirectory(FileSystem* file_system, std::string path)
      : file_system_(file_system), path_(std::move(path)) {}

  FileSystem& file_system() const { return *file_system_; }
  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view name) const;

  // NOT_FOUND, DATA_LOSS when it is damaged, FAILED_PRECONDITION when it is of
  // another version.
  absl::StatusOr<Manifest> ReadManifest() const;

  // Replaces the manifest durably. After an error that sets `*replaced` it is
  // not known which of the two is on the disk; otherwise it is the old one.
  absl::Status WriteManifest(const Manifest& manifest, bool* replaced) const;

  // Writes a complete and synced file `name`, not yet durable by that
  // name, of all entries but those that are shared. The info has neither id nor
  // file. Leaves nothing behind after an error.
  absl::StatusOr<CheckpointInfo> WriteCheckpointFile(
      CheckpointContents contents, const SharedEntries& shared,
      absl::Time created, const CheckpointProgress& progress,
      const std::string& name) const;

  // The file, judged without the manifest: all but its large values is
  // verified. `info` gets what it says of itself: not id, file and shared
  // bytes. NOT_FOUND, DATA_LOSS, FAILED_PRECONDITION when it is of another
  // format version.
  absl::StatusOr<std::unique_ptr<CheckpointFile>> Examine(
      const std::string& name, CheckpointInfo* info) const;

  // Opens a file after verifying its size and checksum. NOT_FOUND, DATA_LOSS.
  absl::StatusOr<std::unique_ptr<CheckpointFile>> OpenFile(
      const Holder& expected) const;

  // Opens the file of `info` and its holders, each verified as above.
  // NOT_FOUND, DATA_LOSS.
  absl::StatusOr<std::unique_ptr<CheckpointFilesReader>> Open(
      const CheckpointInfo& info) const;

  // Moves a file into quarantine, durably; returns its new path.
  absl::StatusOr<std::string> Quarantine(const std::string& name) const;

 private:
  FileSystem* const file_system_;
  const std::string path_;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_DIRECTORY_H_
