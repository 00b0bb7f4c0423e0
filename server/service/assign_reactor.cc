// SPDX-License-Identifier: Apache-2.0
#include "server/service/assign_reactor.h"

#include <utility>

#include "base/status_macros.h"
#include "proto/grpc_status.h"

namespace varkeep {
namespace {

// Applying more than this takes longer than handing it to a worker.
constexpr int64_t kInlineBytes = 256 << 10;

int64_t ValueBytes(const Mutation& mutation) {
  if (const auto* assign = std::get_if<AssignMutation>(&mutation)) {
    return assign->value->size_bytes();
  }
  return std::get<UpdateMutation>(mutation).operand->size_bytes();
}

absl::Status ApplyTo(const ServiceContext& services, const Mutation& mutation,
                     const std::optional<RequestId>& request,
                     v1::AssignResponse* response) {
  ASSIGN_OR_RETURN(Applied applied,
                   services.committer->Apply(mutation, request));
  response->set_version(applied.revision);
  response->set_duplicate(applied.duplicate);
  return absl::OkStatus();
}

}  // namespace

AssignReactor::AssignReactor(AssignKind kind, const ServiceContext* services,
                             grpc::CallbackServerContext* call,
                             v1::AssignResponse* response)
    : services_(services),
      call_(call),
      response_(response),
      upload_(kind, services->store) {
  StartRead(&message_);
}

void AssignReactor::OnReadDone(bool ok) {
  if (!ok) {
    Apply();
    return;
  }
  if (absl::Status status = upload_.Add(message_); !status.ok()) {
    Finish(ToGrpc(status));
    return;
  }
  StartRead(&message_);
}

void AssignReactor::Apply() {
  if (call_->IsCancelled()) {
    Finish(grpc::Status::CANCELLED);
    return;
  }
  absl::StatusOr<Mutation> mutation = upload_.Finish();
  if (!mutation.ok()) {
    Finish(ToGrpc(mutation.status()));
    return;
  }
  if (ValueBytes(*mutation) <= kInlineBytes) {
    Finish(
        ToGrpc(ApplyTo(*services_, *mutation, upload_.request(), response_)));
    return;
  }
  auto shared = std::make_shared<Mutation>(*std::move(mutation));
  services_->workers->Schedule([this, shared]() mutable {
    absl::Status status =
        ApplyTo(*services_, *shared, upload_.request(), response_);
    shared.reset();
    Finish(ToGrpc(status));
  });
}

}  // namespace varkeep
