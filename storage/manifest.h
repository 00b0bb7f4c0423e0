// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_MANIFEST_H_
#define VARKEEP_STORAGE_MANIFEST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/checkpoint.h"

namespace varkeep::storage {

// Which checkpoints a directory has.
struct Manifest {
  // The highest id ever given, also to checkpoints removed since.
  CheckpointId last_id = 0;
  std::vector<CheckpointInfo> checkpoints;  // by id
  // Checkpoints that were removed but whose file holds values of one that is
  // listed; by id.
  std::vector<CheckpointInfo> holders;
  // Checkpoints whose removal was decided; their files may still be there.
  std::vector<CheckpointId> removing;
};

// Takes a checkpoint off the list. Its file becomes a holder when another
// checkpoint needs it; the files that none needs any more are to be removed.
void Unlist(CheckpointId id, Manifest* manifest);

// As JSON that carries its own checksum.
std::string FormatManifest(const Manifest& manifest);

// The inverse. `file` stands for the file in messages. DATA_LOSS when the text
// is damaged in any way, FAILED_PRECONDITION for another format version.
absl::StatusOr<Manifest> ParseManifest(const std::string& text,
                                       absl::string_view file);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_MANIFEST_H_
