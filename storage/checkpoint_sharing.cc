// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_sharing.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/crc32c.h"

namespace varkeep::storage {
namespace {

bool MayBeShared(const CheckpointEntry& entry) {
  return entry.value != nullptr && entry.value_version != 0 &&
         entry.value->size_bytes() >= kSharedValueBytes;
}

bool IsSame(const CheckpointEntry& entry, const KnownValue& known) {
  return entry.value_version == known.value_version &&
         entry.dtype == known.dtype && entry.shape == known.shape &&
         entry.attributes == known.attributes &&
         (!known.crc32c.has_value() ||
          Crc32c(entry.value->bytes()) == *known.crc32c);
}

// The holders that are worth keeping, given how much of each would be used.
std::set<CheckpointId> WorthKeeping(const HolderBytes& used,
                                    const HolderBytes& held) {
  std::vector<std::pair<int64_t, CheckpointId>> worth;
  for (const auto& [id, bytes] : used) {
    if (bytes >= held.at(id) - bytes) worth.emplace_back(bytes, id);
  }
  std::sort(worth.rbegin(), worth.rend());
  worth.resize(std::min(worth.size(), kMaxHolders));
  std::set<CheckpointId> ids;
  for (const auto& [bytes, id] : worth) ids.insert(id);
  return ids;
}

}  // namespace

std::map<std::string, CheckpointId> PlanSharing(
    const CheckpointContents& contents, const KnownValues& known,
    const HolderBytes& holders) {
  std::map<std::string, CheckpointId> plan;
  HolderBytes used;
  for (const CheckpointEntry& entry : contents.entries) {
    if (!MayBeShared(entry)) continue;
    auto it = known.find(entry.path);
    if (it == known.end() || !holders.contains(it->second.holder) ||
        !IsSame(entry, it->second)) {
      continue;
    }
    plan[entry.path] = it->second.holder;
    used[it->second.holder] += entry.value->size_bytes();
  }
  const std::set<CheckpointId> kept = WorthKeeping(used, holders);
  std::erase_if(plan,
                [&](const auto& item) { return !kept.contains(item.second); });
  return plan;
}

KnownValues KnownAfter(const CheckpointContents& contents,
                       const std::map<std::string, CheckpointId>& plan,
                       CheckpointId id) {
  KnownValues known;
  for (const CheckpointEntry& entry : contents.entries) {
    if (!MayBeShared(entry)) continue;
    auto shared = plan.find(entry.path);
    known[entry.path] = {shared == plan.end() ? id : shared->second,
                         entry.dtype,
                         entry.shape,
                         entry.attributes,
                         entry.value_version,
                         std::nullopt};
  }
  return known;
}

}  // namespace varkeep::storage
