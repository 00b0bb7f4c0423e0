// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_STORE_H_
#define VARKEEP_STORAGE_CHECKPOINT_STORE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/checkpoint.h"

namespace varkeep::storage {

// An open checkpoint. One thread at a time.
class CheckpointReader {
 public:
  virtual ~CheckpointReader() = default;

  // The index: every entry with its attributes, values null.
  virtual const CheckpointContents& contents() const = 0;
  // True when entry `index` was stored with a value.
  virtual bool HasValue(size_t index) const = 0;
  // The value of entry `index`, its checksum verified. DATA_LOSS names entry,
  // file and both checksums. REQUIRES: HasValue(index).
  virtual absl::StatusOr<TensorRef> Read(size_t index) = 0;
  // Verifies the checksum as Read does, but keeps no value: a store that can
  // overrides it to need little memory. REQUIRES: HasValue(index).
  virtual absl::Status Verify(size_t index) { return Read(index).status(); }
};

// Bytes of values done so far, bytes of values in all. Called from the writing
// thread.
using CheckpointProgress = std::function<void(int64_t, int64_t)>;

// Something wrong with a file of a checkpoint.
struct Damage {
  std::string file;  // its name inside the directory
  std::string
      entry;  // the path of the value that is damaged; "": it is not one
  int64_t offset = 0;  // where in the file the damaged bytes begin
  int64_t size_bytes = 0;
  std::string message;  // for a person; names both checksums where there are
};

struct VerifyReport {
  int64_t bytes = 0;           // read and compared
  int64_t values = 0;          // of these
  std::vector<Damage> damage;  // none: everything is as it was written
};

// Bytes read so far, bytes to read in all. To be answered with false to give
// up. May wait, to slow reading down.
using VerifyProgress = std::function<bool(int64_t, int64_t)>;

// Complete checkpoints, ordered by id. Thread-safe, except that one Write or
// Remove runs at a time (the caller's duty).
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  // Publishes the contents durably, or leaves the store as it was. Drops each
  // value as soon as it is written. `progress` may be empty. INVALID_ARGUMENT
  // when the contents break the rules of checkpoint.h; RESOURCE_EXHAUSTED when
  // the disk is full; the message names what failed. After an error that the
  // disk would not let it clean up after, the new checkpoint may be found whole
  // when the store is opened next.
  virtual absl::StatusOr<CheckpointInfo> Write(
      CheckpointContents contents, const CheckpointProgress& progress) = 0;
  // Oldest first. What is listed was complete and synced when it was written.
  virtual absl::StatusOr<std::vector<CheckpointInfo>> List() = 0;
  // NOT_FOUND when it is not listed; DATA_LOSS, naming the file, when it is
  // damaged: everything but large values, which are verified when they are
  // read.
  virtual absl::StatusOr<std::unique_ptr<CheckpointReader>> Open(
      CheckpointId id) = 0;
  // Reads everything the checkpoint needs and compares it with every checksum
  // there is. Damage is no error. NOT_FOUND when it is not listed, also when it
  // is removed meanwhile; CANCELLED by `progress`, which may be empty; the
  // disk's own errors.
  virtual absl::StatusOr<VerifyReport> Verify(
      CheckpointId id, const VerifyProgress& progress) = 0;
  // NOT_FOUND when it is not listed. After any other error it is either listed
  // as before, or gone from the list and its file removed at the next opening.
  // A reader that is open stays usable.
  virtual absl::Status Remove(CheckpointId id) = 0;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_STORE_H_
