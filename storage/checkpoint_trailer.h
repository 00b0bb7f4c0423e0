// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_TRAILER_H_
#define VARKEEP_STORAGE_CHECKPOINT_TRAILER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/hdf5/checkpoint_index.h"

namespace varkeep::storage {

// A trailer makes a checkpoint file verifiable without the manifest and without
// parsing it; HDF5 ignores what follows its own end of the file. It tells large
// values from the rest, so that a reader can verify the rest first, let HDF5
// parse it, and verify each value while reading it: every byte is read once.
// Little-endian:
//
//   for each value of kRegionBytes and more, in the order of their offsets:
//     8  where it begins
//     8  its size
//     4  CRC-32C of it
//   8  "VARKEEP\n"
//   8  how many bytes precede these 8
//   8  how many values the table above has
//   4  CRC-32C of what precedes "VARKEEP\n" except the values in the table
//   4  CRC-32C of all that precedes "VARKEEP\n"
//   4  CRC-32C of the 32 bytes above
inline constexpr int64_t kRegionBytes = 4096;

struct Seal {
  int64_t size_bytes = 0;  // of the whole file, trailer included
  uint32_t crc32c = 0;     // the same
  std::vector<hdf5::StoredValue> regions;
};

// Appends the trailer to a file of these values, of any size and in any order.
// Reads all of it but the large ones.
absl::StatusOr<Seal> AppendTrailer(File* file,
                                   std::vector<hdf5::StoredValue> values);

// Verifies everything in the file except the values in the table: DATA_LOSS.
absl::StatusOr<Seal> VerifyTrailer(File* file);

// CRC-32C of `size` bytes from `offset` on. `progress`, which may be empty, is
// told of each part read; once it returns false the result is CANCELLED.
absl::StatusOr<uint32_t> ReadChecksum(
    File* file, int64_t offset, int64_t size,
    const std::function<bool(int64_t)>& progress);

// The checksum of a followed by b, of size `b_size`.
uint32_t JoinChecksums(uint32_t a, uint32_t b, int64_t b_size);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_TRAILER_H_
