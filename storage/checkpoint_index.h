// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_INDEX_H_
#define VARKEEP_STORAGE_CHECKPOINT_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/checkpoint.h"

namespace varkeep::storage {

// Of checkpoint files and of the manifest.
inline constexpr int64_t kCheckpointFormatVersion = 2;

// FAILED_PRECONDITION, naming both, unless `version` is the one above.
absl::Status CheckFormatVersion(int64_t version);

// Where the bytes of a value are in the file.
struct StoredValue {
  int64_t offset = 0;
  int64_t size_bytes = 0;
  uint32_t crc32c = 0;
};

// A file, in the same directory, that has values of another checkpoint.
struct Holder {
  std::string file;  // its name, without a slash
  int64_t size_bytes = 0;
  uint32_t crc32c = 0;  // of the whole file
  friend bool operator==(const Holder&, const Holder&) = default;
};

// "ckpt-000001.h5 86824 0c9d1f72", as a file has it.
std::string FormatHolder(const Holder& holder);

// The entries of a checkpoint that are not in its file: the file that holds the
// entry of the same path.
struct SharedEntries {
  std::map<std::string, std::string> files;  // path of the entry: holder's file
  std::vector<Holder> holders;               // each file of `files` once
};

// All that a checkpoint file says besides the values themselves.
struct CheckpointIndex {
  // Its own entries, in the order of their paths; values are null.
  CheckpointContents contents;
  std::vector<std::optional<StoredValue>> values;  // one for each of them
  SharedEntries shared;                            // the others
  absl::Time created;
};

// As a checkpoint file has it behind its HDF5 part: docs/checkpoint_format.md.
std::vector<std::byte> EncodeIndex(const CheckpointIndex& index);

// The inverse. DATA_LOSS unless the bytes are an index of a file whose values
// lie in its first `values_end` bytes.
absl::StatusOr<CheckpointIndex> DecodeIndex(std::span<const std::byte> bytes,
                                            int64_t values_end);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_INDEX_H_
