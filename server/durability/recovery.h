// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_RECOVERY_H_
#define VARKEEP_SERVER_DURABILITY_RECOVERY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/variables/variable_store.h"
#include "storage/checkpoint_store.h"

namespace varkeep {

struct Recovered {
  StoreSnapshot snapshot;
  std::optional<storage::CheckpointInfo> from;  // unset: there was none
  std::vector<std::string> damaged;  // newer checkpoints that were passed over
};

// Reads the newest checkpoint, every checksum verified. When it is damaged:
// DATA_LOSS naming it and the one that could be used, or with `allow_fallback`
// that one. An older state is never taken silently, and its revision is then
// that of the newest: no revision means two things.
absl::StatusOr<Recovered> RecoverNewest(storage::CheckpointStore* checkpoints,
                                        bool allow_fallback);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_RECOVERY_H_
