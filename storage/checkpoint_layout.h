// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_LAYOUT_H_
#define VARKEEP_STORAGE_CHECKPOINT_LAYOUT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/checkpoint.h"

namespace varkeep::storage {

// What lies in a directory of checkpoints. Pure functions.
//
//   <directory>/
//     LOCK                    held by the one program that uses the directory
//     MANIFEST.json           which checkpoints there are
//     MANIFEST.json.tmp       the next one, while it is written
//     ckpt-000042.h5          checkpoint 42
//     ckpt-000043.h5.tmp      checkpoint 43, while it is written
//     quarantine/             damaged files, moved aside and never deleted
//       ckpt-000007.h5.1
//       MANIFEST.json.1
inline constexpr char kLockFile[] = "LOCK";
inline constexpr char kManifestFile[] = "MANIFEST.json";
inline constexpr char kQuarantineDirectory[] = "quarantine";
// What a server has in the same directory.
inline constexpr char kServersMarker[] = "RUNNING";
inline constexpr char kStoppedMarker[] = "STOPPED";
inline constexpr char kServersLog[] = "log";

// "ckpt-000042.h5"; more digits when the id needs them. REQUIRES: id >= 1.
std::string CheckpointFileName(CheckpointId id);

// The inverse; none for any other name.
std::optional<CheckpointId> ParseCheckpointFileName(absl::string_view name);

// What a file is called until it is complete: "ckpt-000042.h5.tmp".
std::string TemporaryName(absl::string_view name);

// True for the temporary names of checkpoints and the manifest.
bool IsTemporaryName(absl::string_view name);

// What the n-th file of that name is called in quarantine.
std::string QuarantineName(absl::string_view name, int n);

// The checkpoint that a file in quarantine was; none for any other name.
std::optional<CheckpointId> ParseQuarantineName(absl::string_view name);

// "directory/name".
std::string JoinPath(absl::string_view directory, absl::string_view name);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_LAYOUT_H_
