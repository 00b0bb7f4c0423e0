// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_PREFLIGHT_H_
#define VARKEEP_STORAGE_IMPORT_PREFLIGHT_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"

namespace varkeep::storage {

// As much of a file's beginning as CheckHdf5Header looks at.
inline constexpr size_t kPreflightBytes = 128;

// Whether a file that begins with `head` and has `file_bytes` bytes can be an
// HDF5 file of one part that was closed and not cut: signature at offset 0,
// superblock version 0 to 3, addresses of 8 bytes that lie in the file. HDF5
// has no part in it. INVALID_ARGUMENT with the reason.
// REQUIRES: `head` has kPreflightBytes, or the whole file when that is less.
absl::Status CheckHdf5Header(std::span<const std::byte> head,
                             int64_t file_bytes);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_PREFLIGHT_H_
