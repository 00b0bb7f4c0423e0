// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_FILE_H_
#define VARKEEP_STORAGE_CHECKPOINT_FILE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/checkpoint_index.h"
#include "storage/checkpoint_store.h"
#include "storage/checkpoint_trailer.h"
#include "storage/file_system.h"

namespace varkeep::storage {

// A file of a checkpoint whose index was read. One thread at a time.
class CheckpointFile {
 public:
  // Verifies all but the large values. `name` stands for the file in messages.
  // DATA_LOSS when it is damaged or none of ours, FAILED_PRECONDITION for
  // another format version; the file's own errors.
  static absl::StatusOr<std::unique_ptr<CheckpointFile>> Open(
      std::unique_ptr<File> file, std::string name);

  const Seal& seal() const { return seal_; }
  const CheckpointIndex& index() const { return seal_.index; }
  const std::string& name() const { return name_; }
  // The number of its own entry of that path.
  std::optional<size_t> Find(const std::string& path) const;
  // The value of its own entry `index`, straight from where the index says it
  // is; or its checksum only. DATA_LOSS. REQUIRES: it has a value.
  absl::StatusOr<TensorRef> Read(size_t index);
  absl::Status Verify(size_t index);
  // The checksum that it has in fact; `progress` as for ReadChecksum.
  absl::StatusOr<uint32_t> Checksum(
      size_t index, const std::function<bool(int64_t)>& progress);
  // Every value that it holds.
  absl::Status VerifyAll();
  int64_t ValueBytes() const;

 private:
  CheckpointFile(std::unique_ptr<File> file, std::string name, Seal seal)
      : file_(std::move(file)),
        name_(std::move(name)),
        seal_(std::move(seal)) {}
  // "checkpoint 'name': entry 'path'".
  std::string Label(size_t index) const;
  absl::Status CheckChecksum(size_t index, uint32_t crc) const;
  // OUT_OF_RANGE, for a file that shrank, becomes DATA_LOSS.
  absl::Status ReadAt(size_t index, int64_t offset, std::span<std::byte> out);

  const std::unique_ptr<File> file_;
  const std::string name_;
  const Seal seal_;
};

// Reads what WriteCheckpoint wrote, values of other files included.
class CheckpointFilesReader final : public CheckpointReader {
 public:
  // `holders`, by file name, has those that the index of `file` names.
  // DATA_LOSS, naming the holder, when one has no entry that it should hold.
  static absl::StatusOr<std::unique_ptr<CheckpointFilesReader>> Create(
      std::unique_ptr<CheckpointFile> file,
      std::map<std::string, std::unique_ptr<CheckpointFile>> holders);

  const CheckpointContents& contents() const override { return contents_; }
  bool HasValue(size_t index) const override {
    const Place& place = places_[index];
    return place.file->index().values[place.index].has_value();
  }
  absl::StatusOr<TensorRef> Read(size_t index) override {
    return places_[index].file->Read(places_[index].index);
  }
  absl::Status Verify(size_t index) override {
    return places_[index].file->Verify(places_[index].index);
  }

  // The file that holds entry `index`: none for the checkpoint's own.
  std::optional<std::string> HolderOf(size_t index) const;
  // The stored checksum of its value. REQUIRES: HasValue(index).
  uint32_t Checksum(size_t index) const {
    return places_[index].file->index().values[places_[index].index]->crc32c;
  }

 private:
  struct Place {
    CheckpointFile* file = nullptr;
    size_t index = 0;  // in that file
  };

  CheckpointFilesReader(
      std::unique_ptr<CheckpointFile> file,
      std::map<std::string, std::unique_ptr<CheckpointFile>> holders)
      : file_(std::move(file)), holders_(std::move(holders)) {}
  absl::Status Compose();

  const std::unique_ptr<CheckpointFile> file_;
  const std::map<std::string, std::unique_ptr<CheckpointFile>> holders_;
  CheckpointContents contents_;
  std::vector<Place> places_;  // one for each entry
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_FILE_H_
