// SPDX-License-Identifier: Apache-2.0
#include "server/durability/committer.h"

#include "absl/status/status.h"

namespace varkeep {

absl::StatusOr<Applied> Committer::Apply(
    const Mutation& mutation, const std::optional<RequestId>& request) {
  if (draining_) {
    return absl::UnavailableError(
        "the server is draining: it accepts no changes");
  }
  return store_->Apply(mutation, request);
}

}  // namespace varkeep
