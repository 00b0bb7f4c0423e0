// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_TRAILER_H_
#define VARKEEP_STORAGE_CHECKPOINT_TRAILER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/checkpoint_index.h"
#include "storage/file_system.h"

namespace varkeep::storage {

// What makes a file of values a checkpoint: behind the HDF5 part, which ends
// where HDF5 believes the file to end, come the index and a trailer. They say
// all that the HDF5 part says and prove the file without the manifest; the HDF5
// part is for others, the program never parses it. The trailer, little-endian:
//
//   8  "VARKEEP\n"
//   8  how many bytes precede these 8
//   8  how many of them are the index
//   4  CRC-32C of the index
//   4  CRC-32C of what precedes "VARKEEP\n" except values of kRegionBytes and
//      more
//   4  CRC-32C of all that precedes "VARKEEP\n"
//   4  the format's version; a later one has its trailer's version and last
//      field in the same places
//   4  CRC-32C of the 40 bytes above
inline constexpr int64_t kRegionBytes = 4096;

struct Seal {
  int64_t size_bytes = 0;  // of the whole file, trailer included
  uint32_t crc32c = 0;     // the same
  CheckpointIndex index;
  std::vector<StoredValue>
      regions;  // values of kRegionBytes and more, in order
};

// Appends index and trailer. Reads all that the file has but large values.
absl::StatusOr<Seal> AppendTrailer(File* file, CheckpointIndex index);

// Verifies everything in the file except large values, and reads its index.
// DATA_LOSS, FAILED_PRECONDITION for another format version.
absl::StatusOr<Seal> VerifyTrailer(File* file);

// FAILED_PRECONDITION when the file ends in a good trailer of another format
// version; the file's own errors.
absl::Status CheckTrailerVersion(File* file);

// CRC-32C of `size` bytes from `offset` on. `progress`, which may be empty, is
// told of each part read; once it returns false the result is CANCELLED.
absl::StatusOr<uint32_t> ReadChecksum(
    File* file, int64_t offset, int64_t size,
    const std::function<bool(int64_t)>& progress);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_TRAILER_H_
