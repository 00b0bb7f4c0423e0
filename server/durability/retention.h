// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_RETENTION_H_
#define VARKEEP_SERVER_DURABILITY_RETENTION_H_

#include <set>
#include <vector>

#include "absl/time/time.h"
#include "storage/checkpoint.h"

namespace varkeep {

// tf.train.Saver's words for how long checkpoints are kept.
struct RetentionPolicy {
  int max_to_keep = 5;  // 0: all
  // Of those that would go, one in this time is kept for ever.
  absl::Duration keep_every = absl::InfiniteDuration();
};

// Decides which checkpoints go (SEMANTICS 9.3). One thread only.
class Retention {
 public:
  // `existing`: the checkpoints there are at the start; those that are older
  // than the newest max_to_keep were kept for ever before.
  Retention(const RetentionPolicy& policy, absl::Time now,
            const std::vector<storage::CheckpointInfo>& existing);

  // Which of `listed`, oldest first, are to be removed now. Never the newest.
  std::vector<storage::CheckpointId> ToRemove(
      const std::vector<storage::CheckpointInfo>& listed);

 private:
  const RetentionPolicy policy_;
  std::set<storage::CheckpointId> kept_for_ever_;
  absl::Time next_keep_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_RETENTION_H_
