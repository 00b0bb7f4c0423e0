// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_CHECKPOINT_WRITER_H_
#define VARKEEP_STORAGE_HDF5_CHECKPOINT_WRITER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/checkpoint.h"
#include "storage/checkpoint_index.h"
#include "storage/checkpoint_store.h"
#include "storage/file_system.h"

namespace varkeep::storage::hdf5 {

// A size that the checkpoint's file, index and trailer included, does not
// exceed.
int64_t EstimateFileSize(const CheckpointContents& contents,
                         const SharedEntries& shared);

// Writes the contents, but for the entries that are shared, as one HDF5 file
// into `file`, which is new; does not sync it. Drops each value once it is
// written. After an error, the file's own or INVALID_ARGUMENT from Validate,
// the file is worth nothing, but HDF5 holds nothing open and the next
// checkpoint can be written.
// Answers with all that the file says and where the values are in it.
absl::StatusOr<CheckpointIndex> WriteCheckpoint(
    CheckpointContents contents, SharedEntries shared, absl::Time created,
    const CheckpointProgress& progress, File* file);

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_CHECKPOINT_WRITER_H_
