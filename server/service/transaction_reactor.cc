// SPDX-License-Identifier: Apache-2.0
#include "server/service/transaction_reactor.h"

#include "proto/grpc_status.h"
#include "server/service/changes.h"

namespace varkeep {

TransactionReactor::TransactionReactor(const ServiceContext* services,
                                       grpc::CallbackServerContext* call,
                                       v1::TransactionResponse* response)
    : services_(services),
      call_(call),
      response_(response),
      upload_(services->store->limits(), services->call_memory) {
  StartRead(&message_);
}

void TransactionReactor::OnReadDone(bool ok) {
  if (!ok) {
    services_->waiters->Schedule([this] {
      grpc::Status status = Apply();
      upload_.Release();
      Finish(status);
    });
    return;
  }
  absl::Status added = upload_.Add(message_);
  if (!added.ok()) {
    Finish(ToGrpc(added));
    return;
  }
  StartRead(&message_);
}

grpc::Status TransactionReactor::Apply() {
  if (call_->IsCancelled()) return grpc::Status::CANCELLED;
  absl::StatusOr<Mutation> mutation = upload_.Finish();
  if (!mutation.ok()) return ToGrpc(mutation.status());
  absl::StatusOr<v1::TransactionResponse> response =
      ApplyTransaction(*services_, *mutation, upload_.request());
  if (!response.ok()) return ToGrpc(response.status());
  *response_ = *std::move(response);
  return grpc::Status::OK;
}

}  // namespace varkeep
