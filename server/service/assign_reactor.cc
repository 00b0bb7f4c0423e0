// SPDX-License-Identifier: Apache-2.0
#include "server/service/assign_reactor.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <memory>
#include <utility>

#include "proto/grpc_status.h"
#include "server/service/changes.h"

namespace varkeep {
namespace {

int64_t ValueBytes(const Mutation& mutation) {
  if (const auto* assign = std::get_if<AssignMutation>(&mutation)) {
    return assign->value->size_bytes();
  }
  return std::get<UpdateMutation>(mutation).operand->size_bytes();
}

}  // namespace

AssignReactor::AssignReactor(AssignKind kind, const ServiceContext* services,
                             grpc::CallbackServerContext* call,
                             grpc::ByteBuffer* response)
    : services_(services),
      call_(call),
      response_(response),
      upload_(kind, services->store, services->call_memory) {
  StartRead(&message_);
}

void AssignReactor::OnReadDone(bool ok) {
  if (!ok) {
    Apply();
    return;
  }
  absl::Status status;
  {
    grpc::ProtoBufferReader reader(&message_);
    status = FromGrpc(reader.status());
    if (status.ok()) status = upload_.Add(&reader);
  }
  if (!status.ok()) {
    Finish(ToGrpc(status));
    return;
  }
  ExtendDraft();
  StartRead(&message_);
}

void AssignReactor::ExtendDraft() {
  if (upload_.bytes() <= kInlineBytes || !upload_.expected()) return;
  if (!drafting_) {
    draft_ = services_->committer->Draft(upload_.mutation(), upload_.request());
    drafting_ = true;
  }
  if (draft_ != nullptr) draft_->Extend(upload_.received());
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
  if (ValueBytes(*mutation) <= kInlineBytes &&
      !services_->committer->MayWait(upload_.request())) {
    grpc::Status status = ApplyNow(*mutation);
    upload_.Release();
    Finish(status);
    return;
  }
  auto shared = std::make_shared<Mutation>(*std::move(mutation));
  services_->waiters->Schedule([this, shared]() mutable {
    grpc::Status status = ApplyNow(*shared);
    // Before the answer: the next update finds the value unshared.
    shared.reset();
    draft_.reset();
    upload_.Release();
    Finish(status);
  });
}

grpc::Status AssignReactor::ApplyNow(const Mutation& mutation) {
  absl::StatusOr<v1::AssignResponse> response =
      ApplyAssignWith(draft_.get(), *services_, mutation, upload_.request());
  if (!response.ok()) return ToGrpc(response.status());
  grpc::Slice slice(response->SerializeAsString());
  *response_ = grpc::ByteBuffer(&slice, 1);
  return grpc::Status::OK;
}

}  // namespace varkeep
