// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_CONVERT_H_
#define VARKEEP_SERVER_SERVICE_CONVERT_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "server/scopes/scope.h"
#include "server/variables/mutation.h"
#include "server/variables/variable.h"
#include "storage/checkpoint.h"
#include "varkeep/v1/checkpoint_service.pb.h"
#include "varkeep/v1/variable.pb.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep {

// The words of the protocol and the domain's, one into the other. What a client
// can get wrong is INVALID_ARGUMENT naming the field.

absl::StatusOr<Scope> ScopeFromProto(const v1::Scope& scope);
v1::Scope ScopeToProto(const Scope& scope);

absl::StatusOr<VariableScopeArguments> VariableScopeFromProto(
    const v1::VariableScopeArguments& arguments);

absl::StatusOr<VariableArguments> VariableFromProto(
    const v1::VariableArguments& arguments);

void VariableToProto(const VariableInfo& info, v1::VariableInfo* out);

// An unknown number is taken as unset.
std::optional<Durability> DurabilityFromProto(v1::Durability durability);
v1::Durability DurabilityToProto(Durability durability);

// What any message of a change says about the request.
template <typename Message>
Request RequestFromProto(const Message& message) {
  Request request;
  if (message.has_request_id()) {
    request.id = RequestId{message.request_id().client(),
                           message.request_id().sequence()};
    request.first_attempt = message.request_id().first_attempt();
    request.since = message.request_id().since();
  }
  request.durability = DurabilityFromProto(message.durability());
  return request;
}

void CheckpointToProto(const storage::CheckpointInfo& info,
                       v1::Checkpoint* out);

google::protobuf::Timestamp TimeToProto(absl::Time time);
google::protobuf::Duration DurationToProto(absl::Duration duration);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_CONVERT_H_
