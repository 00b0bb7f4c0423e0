// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_CHECKPOINT_INDEX_H_
#define VARKEEP_STORAGE_HDF5_CHECKPOINT_INDEX_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/checkpoint.h"
#include "storage/file_system.h"
#include "storage/hdf5/shared_entries.h"

namespace varkeep::storage::hdf5 {

// Where the bytes of a value are in the file.
struct StoredValue {
  int64_t offset = 0;
  int64_t size_bytes = 0;
  uint32_t crc32c = 0;
};

// All that a checkpoint file says besides the values themselves.
struct CheckpointIndex {
  // Its own entries, in the order of their paths; values are null.
  CheckpointContents contents;
  std::vector<std::optional<StoredValue>> values;  // one for each of them
  SharedEntries shared;                            // the others
  absl::Time created;
};

// Reads the index with HDF5 and verifies that every dataset is of a kind the
// writer makes and that every value lies inside the file, and that each link
// leads to the same path in a file that the checkpoint names as a holder; none
// is followed. HDF5 itself does not
// survive every damaged file: verify a checksum of all but the values first.
// DATA_LOSS for a file that is none of ours or damaged, FAILED_PRECONDITION for
// a later format version; the file's own errors.
absl::StatusOr<CheckpointIndex> ReadCheckpointIndex(File* file);

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_CHECKPOINT_INDEX_H_
