// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_RESTORE_PLAN_H_
#define VARKEEP_SERVER_DURABILITY_RESTORE_PLAN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/durability/checkpointer.h"

namespace varkeep {

struct PlannedRestore {
  std::string checkpoint_name;
  StoredVariable source;  // renamed: info is what the server will have
};

// Picks and renames the variables of a checkpoint. NOT_FOUND "Key <name> not
// found in checkpoint" for the first missing one in sorted order;
// INVALID_ARGUMENT when two would become one variable or a new name is not
// valid.
absl::StatusOr<std::vector<PlannedRestore>> PlanRestore(
    const RestoreOptions& options, std::vector<StoredVariable> stored);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_RESTORE_PLAN_H_
