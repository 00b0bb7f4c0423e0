// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_TRAILER_H_
#define VARKEEP_STORAGE_CHECKPOINT_TRAILER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "storage/file_system.h"

namespace varkeep::storage {

// A trailer makes a checkpoint file verifiable without the manifest and without
// parsing it. HDF5 ignores what follows its own end of the file. 24 bytes:
//
//   8  "VARKEEP\n"
//   8  how many bytes precede the trailer, little-endian
//   4  CRC-32C of them, little-endian
//   4  CRC-32C of the 20 bytes above, little-endian

// CRC-32C of the first `size` bytes of a file.
absl::StatusOr<uint32_t> FileChecksum(File* file, int64_t size);

// Appends the trailer. The checksum of the whole file, trailer included.
absl::StatusOr<uint32_t> AppendTrailer(File* file);

// Verifies the trailer and all that precedes it: DATA_LOSS. The checksum of the
// whole file.
absl::StatusOr<uint32_t> VerifyTrailer(File* file);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_TRAILER_H_
