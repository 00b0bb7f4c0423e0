// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_CHECKPOINT_READER_H_
#define VARKEEP_STORAGE_HDF5_CHECKPOINT_READER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/checkpoint_store.h"
#include "storage/file_system.h"
#include "storage/hdf5/checkpoint_index.h"

namespace varkeep::storage::hdf5 {

// Reads what WriteCheckpoint wrote, whose checksum as a whole the caller has
// verified. HDF5 reads the index only, while opening;
// values are read from where the index says they are, without it. One thread at
// a time.
class Hdf5CheckpointReader final : public CheckpointReader {
 public:
  // `name` stands for the file in messages. DATA_LOSS when the file is damaged
  // or none of ours, FAILED_PRECONDITION for a later format version.
  static absl::StatusOr<std::unique_ptr<Hdf5CheckpointReader>> Open(
      std::unique_ptr<File> file, std::string name);

  const CheckpointContents& contents() const override {
    return index_.contents;
  }
  bool HasValue(size_t index) const override {
    return index_.values[index].has_value();
  }
  absl::StatusOr<TensorRef> Read(size_t index) override;
  absl::Status Verify(size_t index) override;

  absl::Time created() const { return index_.created; }
  // Verifies every value.
  absl::Status VerifyAll();

 private:
  Hdf5CheckpointReader(std::unique_ptr<File> file, std::string name,
                       CheckpointIndex index);
  // "checkpoint 'name': entry 'path'".
  std::string Label(size_t index) const;
  absl::Status CheckChecksum(size_t index, uint32_t crc) const;
  // OUT_OF_RANGE, for a file that shrank, becomes DATA_LOSS.
  absl::Status ReadAt(size_t index, int64_t offset, std::span<std::byte> out);

  const std::unique_ptr<File> file_;
  const std::string name_;
  const CheckpointIndex index_;
};

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_CHECKPOINT_READER_H_
