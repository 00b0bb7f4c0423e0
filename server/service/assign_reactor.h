// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_ASSIGN_REACTOR_H_
#define VARKEEP_SERVER_SERVICE_ASSIGN_REACTOR_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "server/service/assign_upload.h"
#include "server/service/services.h"

namespace varkeep {

// Receives one Assign, AssignAdd or AssignSub call. The change is applied once,
// after the last message; large ones on a worker, so that the RPC threads stay
// free. Deletes itself.
class AssignReactor : public grpc::ServerReadReactor<v1::AssignRequest> {
 public:
  AssignReactor(AssignKind kind, const ServiceContext* services,
                grpc::CallbackServerContext* call,
                v1::AssignResponse* response);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  void Apply();

  const ServiceContext* const services_;
  grpc::CallbackServerContext* const call_;
  v1::AssignResponse* const response_;
  AssignUpload upload_;
  v1::AssignRequest message_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_ASSIGN_REACTOR_H_
