// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_RECOVERY_H_
#define VARKEEP_STORAGE_CHECKPOINT_RECOVERY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/checkpoint_directory.h"
#include "storage/manifest.h"

namespace varkeep::storage {

// Brings a directory of checkpoints, as a crash or a person may have left it,
// into order and returns its manifest, which is then on the disk. What it found
// and did, for a person to read, goes to `notices`. May be interrupted at any
// point and done again. Fails, changing nothing further, when the disk does or
// when something is of a later format version; damage is no failure.
// REQUIRES: the directory is locked by the caller.
absl::StatusOr<Manifest> RecoverDirectory(const CheckpointDirectory& directory,
                                          std::vector<std::string>* notices);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_RECOVERY_H_
