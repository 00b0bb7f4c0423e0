// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_INDEX_CHECKSUM_H_
#define VARKEEP_STORAGE_HDF5_INDEX_CHECKSUM_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/strings/string_view.h"
#include "storage/checkpoint.h"

namespace varkeep::storage::hdf5 {

// The checksum of one entry's value; none for a null value.
using ValueChecksum = std::optional<uint32_t>;

// The checksum of all that a checkpoint file says besides the values
// themselves (docs/checkpoint_format.md, "index_crc32c"): with it and the
// values' checksums a file verifies itself, without the manifest.
// REQUIRES: `contents` is sorted; one checksum for each entry.
uint32_t IndexChecksum(const CheckpointContents& contents,
                       absl::string_view created,
                       std::span<const ValueChecksum> values);

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_INDEX_CHECKSUM_H_
