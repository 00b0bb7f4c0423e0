// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_WAIT_REACTOR_H_
#define VARKEEP_SERVER_SERVICE_WAIT_REACTOR_H_

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "server/variables/variable_store.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep {

// Answers when variables are initialized, or when the client gives up. Holds no
// thread. Deletes itself.
class WaitReactor : public grpc::ServerUnaryReactor {
 public:
  WaitReactor(VariableStore* store, const std::string& container,
              std::vector<std::string> names,
              v1::WaitUntilInitializedResponse* response);

  void OnCancel() override;
  void OnDone() override { delete this; }

 private:
  // Outlives the reactor for as long as the store may still call.
  struct State {
    std::atomic<bool> answered = false;
  };

  VariableStore* const store_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  uint64_t watch_ = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_WAIT_REACTOR_H_
