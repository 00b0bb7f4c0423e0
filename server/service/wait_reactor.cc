// SPDX-License-Identifier: Apache-2.0
#include "server/service/wait_reactor.h"

#include <utility>

namespace varkeep {

// Either the store or the cancellation answers, whichever comes first; the
// other then touches only the shared state, since answering lets gRPC delete
// this. gRPC neither cancels nor deletes a reactor before its call returned it,
// so watch_ is set by then.
WaitReactor::WaitReactor(VariableStore* store, const std::string& container,
                         std::vector<std::string> names,
                         v1::WaitUntilInitializedResponse* response)
    : store_(store) {
  watch_ = store->WatchInitialized(
      container, std::move(names),
      [this, state = state_, response](Revision revision) {
        if (state->answered.exchange(true)) return;
        response->set_revision(revision);
        Finish(grpc::Status::OK);
      });
}

void WaitReactor::OnCancel() {
  if (state_->answered.exchange(true)) return;
  store_->CancelWatch(watch_);
  Finish(grpc::Status::CANCELLED);
}

}  // namespace varkeep
