// SPDX-License-Identifier: Apache-2.0
#include "server/service/changes.h"

#include "base/status_macros.h"
#include "server/service/convert.h"

namespace varkeep {

absl::StatusOr<v1::AssignResponse> ApplyAssignWith(
    storage::LogDraft* draft, const ServiceContext& services,
    const Mutation& mutation, const Request& request) {
  ASSIGN_OR_RETURN(const Applied applied,
                   services.committer->Apply(mutation, request, draft));
  v1::AssignResponse response;
  response.set_version(applied.revision);
  response.set_duplicate(applied.duplicate);
  response.set_durability(DurabilityToProto(applied.durability));
  return response;
}

absl::StatusOr<v1::AssignResponse> ApplyAssign(const ServiceContext& services,
                                               const Mutation& mutation,
                                               const Request& request) {
  return ApplyAssignWith(nullptr, services, mutation, request);
}

absl::StatusOr<v1::TransactionResponse> ApplyTransaction(
    const ServiceContext& services, const Mutation& mutation,
    const Request& request) {
  ASSIGN_OR_RETURN(const Applied applied,
                   services.committer->Apply(mutation, request));
  v1::TransactionResponse response;
  response.set_revision(applied.revision);
  response.set_duplicate(applied.duplicate);
  response.set_durability(DurabilityToProto(applied.durability));
  return response;
}

}  // namespace varkeep
