// SPDX-License-Identifier: Apache-2.0
#include "server/durability/retention.h"

#include <algorithm>

namespace varkeep {

using storage::CheckpointId;
using storage::CheckpointInfo;

Retention::Retention(const RetentionPolicy& policy, absl::Time now,
                     const std::vector<CheckpointInfo>& existing)
    : policy_(policy), next_keep_(now + policy.keep_every) {
  const auto keep = static_cast<size_t>(policy.max_to_keep);
  if (keep == 0) return;
  for (size_t i = 0; i + keep < existing.size(); ++i) {
    kept_for_ever_.insert(existing[i].id);
    next_keep_ = std::min(now, existing[i].created) + policy.keep_every;
  }
}

std::vector<CheckpointId> Retention::ToRemove(
    const std::vector<CheckpointInfo>& listed) {
  if (policy_.max_to_keep == 0) return {};
  std::vector<CheckpointInfo> candidates;
  for (const CheckpointInfo& info : listed) {
    if (!kept_for_ever_.contains(info.id)) candidates.push_back(info);
  }
  const auto keep = static_cast<size_t>(policy_.max_to_keep);
  std::vector<CheckpointId> remove;
  for (size_t i = 0; i + keep < candidates.size(); ++i) {
    if (candidates[i].created > next_keep_) {
      kept_for_ever_.insert(candidates[i].id);
      next_keep_ = candidates[i].created + policy_.keep_every;
    } else {
      remove.push_back(candidates[i].id);
    }
  }
  return remove;
}

}  // namespace varkeep
