// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_VERIFY_DIRECTORY_H_
#define VARKEEP_STORAGE_VERIFY_DIRECTORY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/checkpoint_store.h"
#include "storage/file_system.h"

namespace varkeep::storage {

struct DirectoryReport {
  struct Checkpoint {
    // Of one that is not listed: what the file says of itself, as far as it is
    // readable; file and id always.
    CheckpointInfo info;
    bool listed = true;
    VerifyReport report;
  };
  std::vector<Checkpoint> checkpoints;      // by id
  std::optional<CheckpointId> newest_good;  // of those without damage
  // What is wrong with the manifest, missing included; "": nothing.
  std::string manifest_problem;
  // Files that the next start of a server removes.
  std::vector<std::string> litter;
  // Files in quarantine, as "quarantine/NAME".
  std::vector<std::string> quarantined;
  // Names that are neither storage's nor the server's.
  std::vector<std::string> others;
};

// Verifies every checkpoint in a directory that no server need have open:
// changes nothing and takes no lock. While a server uses the directory what it
// removes meanwhile is reported as missing. `progress` may be empty.
// Damage is no error. NOT_FOUND when there is no such directory,
// FAILED_PRECONDITION when it is of another format version, CANCELLED, the
// disk's own errors.
absl::StatusOr<DirectoryReport> VerifyDirectory(
    FileSystem* file_system, const std::string& path,
    const VerifyProgress& progress = nullptr);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_VERIFY_DIRECTORY_H_
