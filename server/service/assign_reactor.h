// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_ASSIGN_REACTOR_H_
#define VARKEEP_SERVER_SERVICE_ASSIGN_REACTOR_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

#include "server/service/assign_upload.h"
#include "server/service/services.h"

namespace varkeep {

// Receives one Assign, AssignAdd or AssignSub call as raw messages. The change
// is applied once, after the last message; large ones on a worker, so that the
// RPC threads stay free. Deletes itself.
class AssignReactor : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  AssignReactor(AssignKind kind, const ServiceContext* services,
                grpc::CallbackServerContext* call, grpc::ByteBuffer* response);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  void ExtendDraft();
  void Apply();
  grpc::Status ApplyNow(const Mutation& mutation);

  const ServiceContext* const services_;
  grpc::CallbackServerContext* const call_;
  grpc::ByteBuffer* const response_;
  AssignUpload upload_;
  grpc::ByteBuffer message_;
  // Of the change, which is written to the log while it is received.
  std::unique_ptr<storage::LogDraft> draft_;
  bool drafting_ = false;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_ASSIGN_REACTOR_H_
