// SPDX-License-Identifier: Apache-2.0
#include "server/durability/recovery.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "server/durability/checkpoint_codec.h"

namespace varkeep {
namespace {

using storage::CheckpointInfo;
using storage::CheckpointReader;
using storage::CheckpointStore;

absl::StatusOr<StoreSnapshot> Load(CheckpointStore* checkpoints,
                                   const CheckpointInfo& info) {
  ASSIGN_OR_RETURN(std::unique_ptr<CheckpointReader> reader,
                   checkpoints->Open(info.id));
  return DecodeSnapshot(reader.get());
}

// Only damage lets an older checkpoint step in: short memory or a full table of
// files would hit the next one as well, and says nothing about this one.
bool IsDamage(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsNotFound(status);
}

}  // namespace

absl::StatusOr<Recovered> RecoverNewest(CheckpointStore* checkpoints,
                                        bool allow_fallback) {
  ASSIGN_OR_RETURN(std::vector<CheckpointInfo> listed, checkpoints->List());
  Recovered recovered;
  for (auto at = listed.rbegin(); at != listed.rend(); ++at) {
    const CheckpointInfo& info = *at;
    absl::StatusOr<StoreSnapshot> snapshot = Load(checkpoints, info);
    if (snapshot.ok()) {
      if (!recovered.damaged.empty() && !allow_fallback) {
        return absl::DataLossError(
            absl::StrCat("the newest checkpoint is damaged: ",
                         absl::StrJoin(recovered.damaged, "; "),
                         ". To start from the older ", info.file, " (revision ",
                         info.revision,
                         ") and give up what came after it, start with "
                         "--allow-fallback"));
      }
      recovered.snapshot = *std::move(snapshot);
      // What was given up used revisions up to that of the newest.
      recovered.snapshot.revision =
          std::max(recovered.snapshot.revision, listed.back().revision);
      recovered.from = info;
      return recovered;
    }
    if (!IsDamage(snapshot.status())) {
      return Annotate(snapshot.status(), info.file);
    }
    recovered.damaged.push_back(
        absl::StrCat(info.file, " (", snapshot.status().message(), ")"));
  }
  if (!recovered.damaged.empty()) {
    return absl::DataLossError(absl::StrCat(
        "no checkpoint can be read: ", absl::StrJoin(recovered.damaged, "; ")));
  }
  return recovered;
}

}  // namespace varkeep
