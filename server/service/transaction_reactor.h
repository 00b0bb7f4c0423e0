// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_TRANSACTION_REACTOR_H_
#define VARKEEP_SERVER_SERVICE_TRANSACTION_REACTOR_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "server/service/services.h"
#include "server/service/transaction_upload.h"

namespace varkeep {

// Receives one Transaction call and applies it once, after the last message, on
// a thread that may wait. Deletes itself.
class TransactionReactor
    : public grpc::ServerReadReactor<v1::TransactionRequest> {
 public:
  TransactionReactor(const ServiceContext* services,
                     grpc::CallbackServerContext* call,
                     v1::TransactionResponse* response);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  grpc::Status Apply();

  const ServiceContext* const services_;
  grpc::CallbackServerContext* const call_;
  v1::TransactionResponse* const response_;
  TransactionUpload upload_;
  v1::TransactionRequest message_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_TRANSACTION_REACTOR_H_
