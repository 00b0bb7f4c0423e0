// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_RECOVERY_H_
#define VARKEEP_SERVER_DURABILITY_RECOVERY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/variables/variable_store.h"
#include "storage/checkpoint_store.h"
#include "storage/file_system.h"
#include "storage/log/log.h"

namespace varkeep {

struct RecoveryOptions {
  storage::LogOptions log;
  // Start from an older checkpoint although the log does not lead from it to
  // where the newest one was.
  bool allow_fallback = false;
  // What was not synced may be gone: revisions that it may have had are not
  // given out again.
  bool after_power_cut = false;
  // Called with bytes of the checkpoint, then of the log, read and in all. May
  // be empty.
  storage::CheckpointProgress load_progress;
  storage::LogProgress progress;
};

// Revisions that are left out when some may have been given out that nobody
// remembers.
inline constexpr Revision kLostRevisions = 1'000'000'000'000;

struct Recovered {
  std::optional<storage::CheckpointInfo> from;  // unset: there was none
  std::vector<std::string> damaged;  // newer checkpoints that were passed over
  storage::LogRecovered replayed;
  std::unique_ptr<storage::Log> log;  // to go on with
};

// Brings an empty store to the state of the last server: the newest checkpoint,
// every checksum verified, and every change that the log has after it. When
// that checkpoint is damaged an older one, or none, does as well, as long as
// the log leads from it to at least the newest one's revision; otherwise
// DATA_LOSS naming both, unless `allow_fallback`. Nothing older is ever taken
// silently: `damaged` says what was passed over. DATA_LOSS, FAILED_PRECONDITION
// of Log::Open. Can be repeated after a crash at any point.
absl::StatusOr<Recovered> Recover(storage::CheckpointStore* checkpoints,
                                  storage::FileSystem* file_system,
                                  const RecoveryOptions& options,
                                  VariableStore* store);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_RECOVERY_H_
